//! A server that speaks `plainchat` beside the five. Takes the settings of `parlance`; `LISTEN` and `DEFAULT_DIALECT` know
//! the name too.

use std::error::Error;

use parlance_dialects::Dialects;
use parlance_example_custom_dialect::Plainchat;
use parlance_server::config::{Config, Flags};
use parlance_server::{Server, signals};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let terminated = signals::terminated();
    let flags = Flags { dialects: Dialects::new(&[&Plainchat])?, ..Flags::default() };
    let server = Server::builder(Config::load(&flags)?).build().await?;
    for (address, dialect) in server.addresses() {
        println!("listening on http://{address} ({dialect})");
    }
    Ok(server.run(terminated).await?)
}
