//! The command line: thirteen commands, a flag for each setting that is no secret, and their help texts. Flags of
//! settings are taken as text here; the configuration says whether a value can be used.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use clap_complete::Shell;
use jiff::SignedDuration;
use parlance_domain::model::{UserId, WebhookId};
use parlance_server::config::{Flags, SETTINGS, Setting};

use super::failure::Failure;

const AFTER_HELP: &str = "\
Each setting can be a flag, an environment variable of the upper-case name (PORT, CORS_ORIGIN), or a key of
the lower-case name in a TOML file (port, cors_origin); the first that is given wins, in this order.
ACCESS_TOKEN_SECRET, the key of access tokens, is no flag, since command lines can be seen by others.

To try it out: parlance serve --dev";

/// What was asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Serve,
    /// Ask a running server whether it can work.
    Health,
    Token(TokenArguments),
    Migrate,
    CheckConfig,
    /// Copy everything from one storage or file to another.
    Move(MoveArguments),
    /// Print a new key for web push.
    VapidKey,
    /// Print what a shell completes command lines by.
    Completions(Shell),
    /// Look at webhooks that were given up, or act on them.
    Webhooks(WebhooksCommand),
    /// Collect media that nothing has referred to for this long.
    Gc(Duration),
    /// Show what goes on at nodes.
    Top(TopArguments),
}

/// Which nodes are looked at, and how often.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TopArguments {
    pub(super) urls: Vec<String>,
    /// One table for a script instead of a screen.
    pub(super) once: bool,
}

/// What becomes of webhooks that were given up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum WebhooksCommand {
    /// They are printed, a line each, as JSON if asked.
    List { json: bool },
    /// They are tried again.
    Retry(Letters),
    /// They are thrown away.
    Drop(Letters),
}

/// Which dead letters.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Letters {
    All,
    These(Vec<WebhookId>),
}

/// What a token shall say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TokenArguments {
    pub(super) user: UserId,
    pub(super) name: Option<String>,
    pub(super) picture: Option<String>,
    pub(super) expires: Duration,
}

/// From where to where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MoveArguments {
    pub(super) from: End,
    pub(super) to: End,
}

/// One end of a copy, as it was named.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By the URL of a storage in this flag.
    Url { flag: &'static str, url: String },
    /// By the name of an archive file.
    File(PathBuf),
    /// Not at all: it is the storage of the configuration.
    Configured,
}

/// A command, and the flags of the configuration.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) command: Command,
    pub(super) flags: Flags,
}

/// Understands a command line.
pub(super) fn read(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, Failure> {
    let matches = grammar().try_get_matches_from(args).map_err(refusal)?;
    let (name, inner) = matches.subcommand().unwrap_or(("serve", &matches));
    let command = match name {
        "token" => Command::Token(token(inner)?),
        "migrate" => Command::Migrate,
        "health" => Command::Health,
        "gc" => Command::Gc(older_than(inner)?),
        "copy" => Command::Move(MoveArguments { from: url(inner, "from"), to: url(inner, "to") }),
        "export" => Command::Move(MoveArguments { from: url(inner, "from"), to: file(inner) }),
        "import" => Command::Move(MoveArguments { from: file(inner), to: url(inner, "to") }),
        "webhooks" => Command::Webhooks(webhooks(inner)?),
        "check-config" | "config" => Command::CheckConfig,
        "keys" => Command::VapidKey,
        "top" => Command::Top(TopArguments {
            urls: inner.get_many::<String>("url").into_iter().flatten().cloned().collect(),
            once: inner.get_flag("once"),
        }),
        "completions" => Command::Completions(inner.get_one("shell").copied().unwrap_or(Shell::Bash)),
        _ => Command::Serve,
    };
    Ok(Invocation { command, flags: flags(inner) })
}

/// What can be asked.
pub(super) fn grammar() -> clap::Command {
    clap::Command::new("parlance")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A chat server that speaks the Socket.IO vocabularies of the clients you already have")
        .after_help(AFTER_HELP)
        .disable_help_subcommand(true)
        .args_override_self(true)
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .global(true)
                .help("Configuration file; else PARLANCE_CONFIG, else ./parlance.toml if it is there"),
        )
        .arg(
            Arg::new("dev")
                .long("dev")
                .action(ArgAction::SetTrue)
                .global(true)
                .help("For trying out: loopback only, a secret of its own making, two demo users"),
        )
        .args(SETTINGS.iter().filter_map(setting_flag))
        .subcommands(moving())
        .subcommand(command("serve", "Run the server (what happens without a command)"))
        .subcommand(command("health", "Ask the server of this configuration, on this machine, whether it can work"))
        .subcommand(
            command("token", "Print an access token, signed with the configured secret")
                .arg(Arg::new("user").long("user").value_name("ID").required(true).help("User id (claim `sub`)"))
                .arg(Arg::new("name").long("name").value_name("TEXT").help("Shown name (claim `name`)"))
                .arg(Arg::new("picture").long("picture").value_name("URL").help("Picture (claim `picture`)"))
                .arg(
                    Arg::new("expires")
                        .long("expires")
                        .value_name("DURATION")
                        .default_value("1h")
                        .help("How long it is valid, such as 30m, 1h or 7d"),
                ),
        )
        .subcommand(command("migrate", "Bring the database schema up to date and exit (`serve` does so by itself)"))
        .subcommand(
            command("gc", "Remove media that nothing refers to (`serve` does so every hour)").arg(
                Arg::new("older-than")
                    .long("older-than")
                    .value_name("DURATION")
                    .default_value("1d")
                    .help("How old they are at least; longer than any upload takes"),
            ),
        )
        .subcommand(
            command("webhooks", "Look at webhooks that were given up, try them again, or drop them")
                .subcommand_required(true)
                .subcommand(
                    command("list", "Print them, a line each").arg(
                        Arg::new("json").long("json").action(ArgAction::SetTrue).help("A JSON object on each line"),
                    ),
                )
                .subcommand(letters(command("retry", "Put them back: they are tried for another 24 hours")))
                .subcommand(letters(command("drop", "Throw them away"))),
        )
        .subcommand(command("check-config", "Check the configuration and print it as TOML, without secrets"))
        .subcommand(
            command("config", "See `print`")
                .subcommand_required(true)
                .subcommand(command("print", "The same as check-config")),
        )
        .subcommand(
            command("keys", "Make keys, see `vapid`")
                .subcommand_required(true)
                .subcommand(command("vapid", "Print a new key by which push services know this server (VAPID)")),
        )
        .subcommand(
            command("top", "Show what goes on at one node or several, once a second")
                .arg(
                    Arg::new("url")
                        .value_name("URL")
                        .required(true)
                        .num_args(1..)
                        .help("Nodes, such as http://10.0.0.1:4000"),
                )
                .arg(Arg::new("once").long("once").action(ArgAction::SetTrue).help("Print one table and exit")),
        )
        .subcommand(
            command("completions", "Print a script by which a shell completes command lines of this program").arg(
                Arg::new("shell")
                    .value_name("SHELL")
                    .required(true)
                    .value_parser(value_parser!(Shell))
                    .help("Which shell"),
            ),
        )
}

/// What moves everything from storage to storage.
fn moving() -> [clap::Command; 3] {
    [
        command("copy", "Copy everything from one storage into an empty one; again, to go on after an interruption")
            .arg(storage("from", "Where everything is").required(true))
            .arg(storage("to", "Where it shall be").required(true)),
        command("export", "Write everything into a file; again, to go on after an interruption")
            .arg(storage("from", "Where everything is; else the configured storage"))
            .arg(archive("File to be made")),
        command("import", "Take everything from a file into an empty storage; again, to go on after an interruption")
            .arg(archive("File that `export` wrote"))
            .arg(storage("to", "Where it shall be; else the configured storage")),
    ]
}

fn command(name: &'static str, about: &'static str) -> clap::Command {
    clap::Command::new(name).about(about)
}

fn letters(command: clap::Command) -> clap::Command {
    let ids = Arg::new("ids").value_name("ID").num_args(1..).help("Which, by the ids that `list` prints");
    let all = Arg::new("all").long("all").action(ArgAction::SetTrue).help("All of them");
    command.arg(ids.required_unless_present("all").conflicts_with("all")).arg(all)
}

fn storage(flag: &'static str, help: &'static str) -> Arg {
    Arg::new(flag).long(flag).value_name("URL").help(help)
}

fn archive(help: &'static str) -> Arg {
    Arg::new("file").long("file").value_name("FILE").required(true).value_parser(value_parser!(PathBuf)).help(help)
}

fn setting_flag(setting: &'static Setting) -> Option<Arg> {
    let help = match setting.default {
        Some(default) => format!("{} [default: {default}]", setting.about),
        None => setting.about.to_owned(),
    };
    let flag = Arg::new(setting.name).long(setting.flag()?).value_name(setting.value).help(help);
    Some(flag.global(true).allow_hyphen_values(true).help_heading("Settings"))
}

fn flags(matches: &ArgMatches) -> Flags {
    let given = |setting: &Setting| {
        // A secret has no flag, and asking for one that is not there is an error of the program.
        let flag = setting.flag().and_then(|_| matches.get_one::<String>(setting.name));
        flag.map(|text| (setting.name, text.clone()))
    };
    Flags {
        config: matches.get_one("config").cloned(),
        dev: matches.get_flag("dev"),
        settings: SETTINGS.iter().filter_map(given).collect(),
        ..Flags::default()
    }
}

fn token(matches: &ArgMatches) -> Result<TokenArguments, Failure> {
    let text = |name| matches.get_one::<String>(name).cloned();
    let user = text("user").unwrap_or_default();
    let expires = text("expires").unwrap_or_default();
    Ok(TokenArguments {
        user: user.parse().map_err(|problem| Failure::Usage(format!("--user {user:?} {problem}")))?,
        name: text("name"),
        picture: text("picture"),
        expires: lifetime(&expires).ok_or_else(|| {
            Failure::Usage(format!("--expires {expires:?} is no duration of a second or more, such as 30m, 1h or 7d"))
        })?,
    })
}

fn url(matches: &ArgMatches, flag: &'static str) -> End {
    match matches.get_one::<String>(flag) {
        Some(url) => End::Url { flag, url: url.clone() },
        None => End::Configured,
    }
}

fn file(matches: &ArgMatches) -> End {
    End::File(matches.get_one::<PathBuf>("file").cloned().unwrap_or_default())
}

fn webhooks(matches: &ArgMatches) -> Result<WebhooksCommand, Failure> {
    Ok(match matches.subcommand() {
        Some(("retry", inner)) => WebhooksCommand::Retry(which(inner)?),
        Some(("drop", inner)) => WebhooksCommand::Drop(which(inner)?),
        other => WebhooksCommand::List { json: other.is_some_and(|(_, inner)| inner.get_flag("json")) },
    })
}

fn which(matches: &ArgMatches) -> Result<Letters, Failure> {
    if matches.get_flag("all") {
        return Ok(Letters::All);
    }
    let id = |text: &String| text.parse().map_err(|_| Failure::Usage(format!("{text:?} is no id of a webhook")));
    let ids = matches.get_many::<String>("ids").into_iter().flatten().map(id).collect::<Result<_, _>>()?;
    Ok(Letters::These(ids))
}

fn older_than(matches: &ArgMatches) -> Result<Duration, Failure> {
    let text = matches.get_one::<String>("older-than").cloned().unwrap_or_default();
    lifetime(&text).ok_or_else(|| {
        Failure::Usage(format!("--older-than {text:?} is no duration of a second or more, such as 30m, 1h or 7d"))
    })
}

fn lifetime(text: &str) -> Option<Duration> {
    // Days are understood as 24 hours: the parser takes hours and below.
    let duration = match text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok()) {
        Some(days) => Duration::from_hours(u64::from(days) * 24),
        None => text.parse::<SignedDuration>().ok()?.try_into().ok()?,
    };
    (duration >= Duration::from_secs(1)).then_some(duration)
}

/// The parser's message is a page; what an operator needs is its first paragraph, in one line.
fn refusal(error: clap::Error) -> Failure {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Failure::Shown(error);
    }
    let page = error.to_string();
    let paragraph = page.split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    Failure::Usage(format!("{} (see parlance --help)", line.trim_start_matches("error: ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<Invocation, Failure> {
        read(text.split_whitespace().map(OsString::from))
    }

    fn refused(text: &str) -> String {
        match line(text) {
            Err(Failure::Usage(line)) => line,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_grammar_is_sound() {
        grammar().debug_assert();
    }

    #[test]
    fn serving_is_the_default_and_flags_go_anywhere() {
        for text in ["parlance --dev --port 1", "parlance serve --dev --port 1", "parlance --dev serve --port 1"] {
            let Invocation { command, flags } = line(text).unwrap();
            assert_eq!(command, Command::Serve);
            assert!(flags.dev, "{text}");
            assert_eq!(flags.settings, [("PORT", "1".to_owned())], "{text}");
        }
    }

    #[test]
    fn a_token_names_its_user() {
        let Invocation { command, .. } = line("parlance token --user alice --name Alice --expires 2h").unwrap();
        let Command::Token(token) = command else { panic!("{command:?}") };
        assert_eq!(token.user.as_str(), "alice");
        assert_eq!(token.name.as_deref(), Some("Alice"));
        assert_eq!(token.expires, Duration::from_hours(2));
        assert_eq!(lifetime("7d"), Some(Duration::from_hours(168)));
        for bad in ["", "0s", "-1h", "soon", "d", "500ms"] {
            assert_eq!(lifetime(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn media_are_collected_after_a_day() {
        assert_eq!(line("parlance gc").unwrap().command, Command::Gc(Duration::from_hours(24)));
        assert_eq!(line("parlance gc --older-than 2h").unwrap().command, Command::Gc(Duration::from_hours(2)));
    }

    #[test]
    fn webhooks_are_listed_retried_and_dropped() {
        let asked = |text: &str| match line(text).unwrap().command {
            Command::Webhooks(command) => command,
            other => panic!("{other:?}"),
        };
        let id = "00000000000101a1ff0d3c47";
        let these = Letters::These(vec![id.parse().unwrap(); 2]);
        assert_eq!(asked("parlance webhooks list"), WebhooksCommand::List { json: false });
        assert_eq!(asked("parlance webhooks list --json"), WebhooksCommand::List { json: true });
        assert_eq!(asked(&format!("parlance webhooks retry {id} {id}")), WebhooksCommand::Retry(these));
        assert_eq!(asked("parlance webhooks drop --all"), WebhooksCommand::Drop(Letters::All));
        assert!(refused("parlance webhooks retry").contains("<ID>"));
        assert!(refused("parlance webhooks").contains("subcommand"));
        assert_eq!(refused("parlance webhooks drop 7"), "\"7\" is no id of a webhook");
    }

    #[test]
    fn the_configuration_is_printed_under_two_names() {
        for text in
            ["parlance check-config --port 1", "parlance config print --port 1", "parlance --port 1 config print"]
        {
            let Invocation { command, flags } = line(text).unwrap();
            assert_eq!((command, flags.settings), (Command::CheckConfig, vec![("PORT", "1".to_owned())]), "{text}");
        }
        assert!(refused("parlance config").contains("subcommand"));
        assert_eq!(line("parlance keys vapid").unwrap().command, Command::VapidKey);
        assert!(refused("parlance keys").contains("subcommand"));
    }

    #[test]
    fn completions_are_for_a_shell_that_there_is() {
        assert_eq!(line("parlance completions zsh").unwrap().command, Command::Completions(Shell::Zsh));
        assert!(refused("parlance completions cobol").contains("cobol"));
    }

    #[test]
    fn a_look_is_at_one_node_or_several() {
        let top = |urls: &[&str], once| {
            Command::Top(TopArguments { urls: urls.iter().map(ToString::to_string).collect(), once })
        };
        assert_eq!(line("parlance top a:1").unwrap().command, top(&["a:1"], false));
        assert_eq!(line("parlance top --once a:1 http://b:2").unwrap().command, top(&["a:1", "http://b:2"], true));
        assert!(refused("parlance top").contains("<URL>"));
    }

    #[test]
    fn a_copy_has_two_ends() {
        let ends = |text: &str| match line(text).unwrap().command {
            Command::Move(MoveArguments { from, to }) => (from, to),
            other => panic!("{other:?}"),
        };
        let by_url = |flag, url: &str| End::Url { flag, url: url.to_owned() };
        let all = || End::File(PathBuf::from("all.ndjson"));
        assert_eq!(
            ends("parlance copy --from sqlite:a --to sqlite:b"),
            (by_url("from", "sqlite:a"), by_url("to", "sqlite:b"))
        );
        assert_eq!(ends("parlance export --file all.ndjson"), (End::Configured, all()));
        assert_eq!(ends("parlance export --from sqlite:a --file all.ndjson"), (by_url("from", "sqlite:a"), all()));
        assert_eq!(ends("parlance import --file all.ndjson --to sqlite:b"), (all(), by_url("to", "sqlite:b")));
    }

    #[test]
    fn what_is_not_understood_is_one_line() {
        for (text, part) in [
            ("parlance copy --from sqlite:a", "--to <URL>"),
            ("parlance export --from sqlite:a", "--file <FILE>"),
            ("parlance --colour red", "'--colour'"),
            ("parlance dance", "'dance'"),
            ("parlance token", "--user"),
            ("parlance gc --older-than 0s", "--older-than \"0s\""),
            ("parlance token --user alice --expires soon", "--expires \"soon\""),
            ("parlance --access-token-secret hush", "'--access-token-secret'"),
        ] {
            let line = refused(text);
            assert!(line.contains(part) && !line.contains('\n'), "{line}");
        }
    }
}
