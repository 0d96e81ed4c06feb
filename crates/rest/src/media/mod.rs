//! Media over HTTP: uploads by multipart forms, and media on their way out. What is read is read once and in
//! pieces; what an upload really is, where it is kept and who may have it are the domain's and its adapters' matter.

mod form;
mod lingering;
mod message;
mod photo;
mod serve;
mod serving;
mod upload;

pub(crate) use lingering::linger;
pub(crate) use message::send_file;
pub(crate) use photo::set_photo;
pub(crate) use serving::{original, thumbnail};
pub(crate) use upload::upload;
