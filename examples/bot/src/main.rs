//! A Parlance server with a bot in it: `bot` answers in the conversations that it is in.

use std::error::Error;

use parlance_example_bot::Bot;
use parlance_server::config::{Config, Flags};
use parlance_server::{Server, signals};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let terminated = signals::terminated();
    let server = Server::builder(Config::load(&Flags::default())?).build().await?;
    let bot = Bot::new(server.services().clone(), "bot".parse()?, "Echo bot").await?;
    let answering = tokio::spawn(bot.run(server.watch()));
    for (address, dialect) in server.addresses() {
        println!("listening on http://{address} ({dialect})");
    }
    server.run(terminated).await?;
    answering.abort();
    Ok(())
}
