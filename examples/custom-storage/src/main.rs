//! A Parlance server on a storage of one's own.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use parlance_example_custom_storage::EmbeddedStorage;
use parlance_server::config::{Config, Flags};
use parlance_server::{Server, signals};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let terminated = signals::terminated();
    let storage = EmbeddedStorage::open(Path::new("parlance.redb"))?;
    let server = Server::builder(Config::load(&Flags::default())?).storage(Arc::new(storage.clone())).build().await?;
    for (address, dialect) in server.addresses() {
        println!("listening on http://{address} ({dialect})");
    }
    let outcome = server.run(terminated).await;
    storage.close().await;
    Ok(outcome?)
}
