//! The commands of the binary. `arguments` says what can be asked, each other file carries out one command.

mod arguments;
mod check_config;
mod completions;
mod failure;
mod gc;
mod health;
mod keys;
mod migrate;
mod moving;
mod progress;
mod reload;
mod serve;
mod token;
mod top;
mod webhooks;

use std::ffi::OsString;
use std::io::{self, Write};

use parlance_server::config::{Config, Origin};
use parlance_server::{Traces, logging};

use arguments::{Command, Invocation};
use failure::Failure;

/// Reads a command line and carries it out.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> Result<(), Failure> {
    let Invocation { command, flags } = arguments::read(args)?;
    // Whoever sets their shell up need not have a configuration yet.
    if let Command::Completions(shell) = command {
        return completions::run(shell);
    }
    if command == Command::VapidKey {
        return keys::vapid();
    }
    // Nor whoever looks at servers elsewhere.
    if let Command::Top(arguments) = &command {
        return runtime()?.block_on(top::run(arguments));
    }
    let mut config = Config::load(&flags)?;
    if matches!(command, Command::Move(_)) && config.origin("RUST_LOG") == Origin::Default {
        // Lines about the schema would go through the bar.
        "warn".clone_into(&mut config.log_filter);
    }
    let traces = if command == Command::Serve { Traces::open(&config)? } else { None };
    let filter = logging::start(&config, traces.as_ref());
    match command {
        Command::CheckConfig => check_config::run(&config),
        Command::Completions(shell) => completions::run(shell),
        Command::VapidKey => keys::vapid(),
        Command::Top(arguments) => runtime()?.block_on(top::run(&arguments)),
        Command::Token(token) => token::run(&config, &token),
        Command::Gc(older_than) => runtime()?.block_on(gc::run(&config, older_than)),
        Command::Move(arguments) => runtime()?.block_on(moving::run(&config, arguments)),
        Command::Webhooks(command) => runtime()?.block_on(webhooks::run(&config, &command)),
        Command::Health => runtime()?.block_on(health::run(&config)),
        Command::Migrate => runtime()?.block_on(migrate::run(&config)),
        Command::Serve => runtime()?.block_on(serve::run(config, flags, filter, traces)),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::running)
}

/// Prints what was asked for. A reader that went away, as `head` does, is no failure.
fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::running(error)),
        _ => Ok(()),
    }
}
