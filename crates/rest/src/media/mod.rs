//! Media over HTTP: uploads by multipart forms, and media on their way out. What is read is read once and in
//! pieces; what an upload really is, where it is kept and who may have it are the domain's and its adapters' matter.

mod form;
mod lingering;
mod message;
mod photo;
mod serve;
mod serving;
mod upload;

use crate::conversations::photo_routes;
use crate::description::{About, Routes};
use crate::messages::SENDING;

pub(crate) use lingering::linger;

/// The routes that take files, which take their time.
pub(crate) fn uploads() -> Routes {
    let upload = |id| About::new(id, "Uploads a file, to be sent by its link").creates();
    let photo = About::new("setGroupPhoto", "Gives a group a photo, for its owner and admins");
    let send = About::new("sendFile", "Sends a message with a file");
    Routes::under("Media")
        .post("/api/v1/media/upload", upload::upload, upload("uploadMedia"))
        .post("/api/media/upload", upload::upload, upload("uploadMediaAlias"))
        .post("/api/v1/chat/messages/file", message::send_file, send.finds_or_creates().refuses(SENDING))
        .put(
            "/api/v1/chat/conversations/{conversation}/photo",
            photo::set_photo,
            photo.refuses(&[403, 409]).with(photo::bodies),
        )
        .merge(photo_routes())
}

/// The routes at which media are read.
pub(crate) fn links() -> Routes {
    let original = About::new("getMedium", "A medium, whole or in part");
    let thumbnail = About::new("getThumbnail", "The smaller picture of a medium");
    Routes::under("Media").get("/media/{medium}/{name}", serving::original, original.with(serving::answers)).get(
        "/media/{medium}/thumbnail/{name}",
        serving::thumbnail,
        thumbnail.with(serving::answers),
    )
}
