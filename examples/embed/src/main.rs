//! The shop with its chat, on one port.

use std::error::Error;

use parlance_server::config::{Config, Flags};
use parlance_server::{Server, signals};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let terminated = signals::terminated();
    let server =
        Server::builder(Config::load(&Flags::default())?).routes(parlance_example_embed::routes).build().await?;
    for (address, _) in server.addresses() {
        println!("listening on http://{address}");
    }
    server.run(terminated).await?;
    Ok(())
}
