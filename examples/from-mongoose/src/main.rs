//! `parlance-example-from-mongoose FOLDER FILE`: from the files of `mongoexport` in a folder to an archive file, which
//! `parlance import` takes in.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use parlance_archive_file::ArchiveFile;
use parlance_domain::services::Moving;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, file] = arguments.as_slice() else {
        return Err("give the folder of the collections, and a file".into());
    };
    let source = parlance_example_from_mongoose::read(Path::new(folder))?;
    let moved = Moving::new(Arc::new(source), Arc::new(ArchiveFile::new(file))).run(&|_| {}).await?;
    let counts = moved.counts;
    println!("{} users, {} conversations, {} messages", counts.users, counts.conversations, counts.messages);
    Ok(())
}
