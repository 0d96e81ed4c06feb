//! The command line: a scenario with its sizes and the options all scenarios share, or a whole suite.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use parlance_dialects::Dialect;

use crate::process::Sample;

const AFTER_HELP: &str = "\
Closed loop (the default): each sender has a number of messages under way and sends the next when one is acked.
Open loop (--rate N): N messages a second are sent whatever comes back, and latency counts from the moment a message
was meant to be sent, so a server that stalls cannot hide it.

The server should run with RATE_LIMITS=off. The exit code is 1 when something was lost, doubled, out of order or
refused.";

/// Loads a chat server and says what it can take.
#[derive(Debug, Parser)]
#[command(name = "parlance-bench", version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Load(Scenario),
    /// Start servers, run scenarios against each in turn, and write the report
    Suite(SuiteArguments),
    /// Start a server, run every scenario briefly, and only look for what is lost, doubled or out of order
    Smoke(SmokeArguments),
    /// Start a server, run one scenario against it, and print the report
    Trial(TrialArguments),
    /// Start one node, then several that are one server, run one scenario against each, and print what a delivery costs
    Nodes(NodesArguments),
    /// Serve what `pairs`, `rooms` and `fanout` need with the Socket.IO library alone: nothing is stored or checked
    Bare(BareArguments),
}

/// One kind of load.
#[derive(Debug, Subcommand)]
pub(crate) enum Scenario {
    /// Direct conversations; both people write
    Pairs {
        /// Conversations, of two sockets each
        #[arg(long, default_value_t = 200)]
        conversations: usize,
        #[command(flatten)]
        traffic: Traffic,
        #[command(flatten)]
        load: Load,
    },
    /// Groups in which some members write
    Rooms {
        /// Groups
        #[arg(long, default_value_t = 100)]
        conversations: usize,
        /// Members of each group
        #[arg(long, default_value_t = 10)]
        members: usize,
        /// Members of each group who write
        #[arg(long, default_value_t = 1)]
        senders: usize,
        #[command(flatten)]
        traffic: Traffic,
        #[command(flatten)]
        load: Load,
    },
    /// One group in which one member writes
    Fanout {
        /// Members of the group
        #[arg(long, default_value_t = 1000)]
        members: usize,
        #[command(flatten)]
        traffic: Traffic,
        #[command(flatten)]
        load: Load,
    },
    /// Sockets that connect and are held
    Idle {
        /// Sockets
        #[arg(long, default_value_t = 10_000)]
        connections: usize,
        /// Handshakes under way at a time
        #[arg(long, default_value_t = 64)]
        concurrency: usize,
        #[command(flatten)]
        load: Load,
    },
    /// Sockets that are all cut at once and come back
    Storm {
        /// Sockets
        #[arg(long, default_value_t = 2000)]
        connections: usize,
        /// Handshakes under way at a time
        #[arg(long, default_value_t = 256)]
        concurrency: usize,
        /// How often they are cut
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// People who stay connected and talk, and what they see of it; they send --rate messages a second (100)
        #[arg(long, default_value_t = 0)]
        bystanders: usize,
        #[command(flatten)]
        load: Load,
    },
    /// A room in which some stop reading while others go on: what those see, and how soon the others are cut
    Stalled {
        /// Members of the room
        #[arg(long, default_value_t = 1000)]
        members: usize,
        /// Members who write --rate messages a second (20) together
        #[arg(long, default_value_t = 10)]
        senders: usize,
        /// How many stop reading, one measurement for each number
        #[arg(long, value_delimiter = ',', default_value = "1,50")]
        stalled: Vec<usize>,
        #[command(flatten)]
        load: Load,
    },
    /// People who come and go while others are online: what it takes until contacts hear of it
    Presence {
        /// People who are online and have nothing to do with them
        #[arg(long, default_value_t = 10_000)]
        connections: usize,
        /// Contacts who hear of it
        #[arg(long, default_value_t = 50)]
        contacts: usize,
        /// Comings and goings
        #[arg(long, default_value_t = 200)]
        rounds: usize,
        #[command(flatten)]
        load: Load,
    },
    /// Pages, list, unread counts, search and sync while the data grows
    History {
        /// Sizes, in messages, at which it is measured
        #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000,1000000")]
        sizes: Vec<u64>,
        /// Requests of each kind at each size
        #[arg(long, default_value_t = 500)]
        requests: usize,
        #[command(flatten)]
        load: Load,
    },
    /// People in pairs and groups who write, type, read and page through the history; others come and go
    Mixed {
        /// People; they are in as many pairs, and in groups of ten
        #[arg(long, default_value_t = 500)]
        people: usize,
        /// Sockets that connect and go, per second
        #[arg(long, default_value_t = 10)]
        churn: usize,
        #[command(flatten)]
        load: Load,
    },
    /// The same for long, with changes of groups and uploads: how memory grows, and what is not given back
    Soak {
        /// People; they are in as many pairs, and in groups of ten
        #[arg(long, default_value_t = 200)]
        people: usize,
        /// Sockets that connect and go, per second
        #[arg(long, default_value_t = 10)]
        churn: usize,
        #[command(flatten)]
        load: Load,
    },
}

impl Scenario {
    /// The options that all scenarios share.
    pub(crate) fn load(&self) -> &Load {
        match self {
            Self::Pairs { load, .. }
            | Self::Rooms { load, .. }
            | Self::Fanout { load, .. }
            | Self::Idle { load, .. }
            | Self::Storm { load, .. }
            | Self::Stalled { load, .. }
            | Self::Presence { load, .. }
            | Self::History { load, .. }
            | Self::Mixed { load, .. }
            | Self::Soak { load, .. } => load,
        }
    }
}

/// How messages are sent.
#[derive(Debug, Clone, Args)]
pub(crate) struct Traffic {
    /// Messages that each sender has under way (closed loop)
    #[arg(long, default_value_t = 2)]
    pub(crate) in_flight: usize,
    /// Stop each measurement after this many messages
    #[arg(long, default_value_t = 50_000_000)]
    pub(crate) max_messages: u64,
}

/// What all scenarios share.
#[derive(Debug, Clone, Args)]
pub(crate) struct Load {
    /// The server, or the nodes of one, with commas between: sockets take turns on them
    #[arg(long, value_delimiter = ',', default_value = "http://127.0.0.1:4000")]
    pub(crate) url: Vec<String>,
    /// The secret that the server verifies access tokens with
    #[arg(long, env = "ACCESS_TOKEN_SECRET", hide_env_values = true)]
    pub(crate) secret: String,
    /// What the clients speak
    #[arg(long, default_value = "talentbridge", value_parser = dialect)]
    pub(crate) dialect: Dialect,
    /// How long it is measured
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub(crate) duration: Duration,
    /// How long it runs before that
    #[arg(long, default_value = "2s", value_parser = duration)]
    pub(crate) warm_up: Duration,
    /// How long to wait for what is still under way at the end
    #[arg(long, default_value = "15s", value_parser = duration)]
    pub(crate) drain: Duration,
    /// Messages a second, over all senders; 0 is the closed loop
    #[arg(long, default_value_t = 0)]
    pub(crate) rate: u64,
    /// Threads of the load tool
    #[arg(long, default_value_t = 1, value_parser = threads)]
    pub(crate) threads: usize,
    /// The server's process, or those of its nodes, to report CPU and memory (Linux)
    #[arg(long, value_delimiter = ',')]
    pub(crate) pid: Vec<u32>,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress bar
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Load a server that is not on this machine
    #[arg(long)]
    pub(crate) remote: bool,
}

impl Load {
    /// The server's processes, if they were named.
    pub(crate) fn sample(&self) -> Option<Sample> {
        Sample::all(&self.pid)
    }

    /// The server's process, or the first of them.
    pub(crate) fn one_pid(&self) -> Option<u32> {
        self.pid.first().copied()
    }
}

/// Servers to start and what to do with the results.
#[derive(Debug, Clone, Args)]
pub(crate) struct SuiteArguments {
    /// The binary of Parlance, built for release
    #[arg(long, default_value = "target/release/parlance")]
    pub(crate) server: PathBuf,
    /// The folder of the Node baseline, with its dependencies installed
    #[arg(long, default_value = "apps/bench/baseline")]
    pub(crate) baseline: PathBuf,
    /// A server of `PostgreSQL` on which databases may be made; not given: SQLite alone
    #[arg(long, env = "BENCH_POSTGRES_URL", hide_env_values = true)]
    pub(crate) postgres: Option<String>,
    /// How often everything is measured
    #[arg(long, default_value_t = 3)]
    pub(crate) repeats: usize,
    /// How long each measurement takes
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub(crate) duration: Duration,
    /// The core of the servers
    #[arg(long, default_value_t = 0)]
    pub(crate) server_core: usize,
    /// The core of the load
    #[arg(long, default_value_t = 1)]
    pub(crate) load_core: usize,
    /// Sizes, in messages, of the growing history
    #[arg(long, value_delimiter = ',', default_value = "10000,100000,1000000")]
    pub(crate) sizes: Vec<u64>,
    /// Only these scenarios
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Where the report goes; the chart stands beside it
    #[arg(long, default_value = "docs/benchmarks.md")]
    pub(crate) output: PathBuf,
}

/// A server to start and look at.
#[derive(Debug, Clone, Args)]
pub(crate) struct SmokeArguments {
    /// The binary of Parlance
    #[arg(long, default_value = "target/debug/parlance")]
    pub(crate) server: PathBuf,
}

/// A server to start and one scenario with its options.
#[derive(Debug, Clone, Args)]
pub(crate) struct TrialArguments {
    /// The binary of Parlance
    #[arg(long, default_value = "target/release/parlance")]
    pub(crate) server: PathBuf,
    /// The scenario, with its options
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) scenario: Vec<String>,
}

/// How many nodes to start, on what, and one scenario with its options.
#[derive(Debug, Clone, Args)]
pub(crate) struct NodesArguments {
    /// The binary of Parlance
    #[arg(long, default_value = "target/release/parlance")]
    pub(crate) server: PathBuf,
    /// A server of `PostgreSQL` on which databases may be made
    #[arg(long, env = "BENCH_POSTGRES_URL", hide_env_values = true)]
    pub(crate) postgres: String,
    /// The Redis or NATS over which nodes speak
    #[arg(long, env = "BENCH_LINK_URL", hide_env_values = true)]
    pub(crate) link: String,
    /// Numbers of nodes, one measurement for each
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    pub(crate) nodes: Vec<usize>,
    /// The scenario, with its options
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) scenario: Vec<String>,
}

/// Where a server without storage listens.
#[derive(Debug, Clone, Args)]
pub(crate) struct BareArguments {
    /// Address and port; port 0 is any that is free
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:0")]
    pub(crate) listen: String,
}

fn dialect(name: &str) -> Result<Dialect, String> {
    name.parse().map_err(|error: parlance_dialects::UnknownDialect| error.to_string())
}

fn threads(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|threads| (1..=64).contains(threads)).ok_or_else(|| "1 to 64".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| "no duration, such as 500ms, 10s or 2m".to_owned())?;
    match &text[digits.len()..] {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        _ => Err("no duration, such as 500ms, 10s or 2m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_trial_takes_a_scenario_with_its_options() {
        let line = ["bench", "trial", "--server", "x", "soak", "--duration", "3m"];
        let Command::Trial(wanted) = Arguments::try_parse_from(line).unwrap().command else { panic!("no trial") };
        assert_eq!(wanted.scenario, ["soak", "--duration", "3m"]);
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        assert!(duration("5").is_err());
        assert!(duration("s").is_err());
    }
}
