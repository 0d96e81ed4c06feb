//! A Parlance server with moderation: the same binary in ten lines, configured by the same settings.

use std::error::Error;
use std::sync::Arc;

use parlance_example_moderation::Moderation;
use parlance_server::config::{Config, Flags};
use parlance_server::{Server, signals};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let terminated = signals::terminated();
    let config = Config::load(&Flags::default())?;
    let policy = Arc::new(Moderation::masking(&["darn", "heck"]));
    let server = Server::builder(config).policy(policy).build().await?;
    for (address, dialect) in server.addresses() {
        println!("listening on http://{address} ({dialect})");
    }
    server.run(terminated).await?;
    Ok(())
}
