//! Writes an archive file of a made-up server with so many messages, for trying out how long moving takes:
//! `cargo run --release --example crowd -- 1000000 crowd.ndjson`, then `parlance import --file crowd.ndjson`.

use std::error::Error;
use std::sync::Arc;

use parlance_archive_file::ArchiveFile;
use parlance_domain::services::Moving;
use parlance_storage_testkit::Crowd;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(messages), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("usage: crowd MESSAGES FILE".into());
    };
    let (crowd, file) = (Crowd::new(messages.parse()?), ArchiveFile::new(file));
    let moved = Moving::new(Arc::new(crowd), Arc::new(file)).run(&|_| {}).await?;
    println!("{} messages, sha256 {}", moved.counts.messages, moved.hash);
    Ok(())
}
