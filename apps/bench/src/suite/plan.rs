//! What is measured, in which order: the arguments of each run of the load tool.

use crate::arguments::SuiteArguments;

/// One line of the plan.
#[derive(Debug, Clone)]
pub(super) struct Measurement {
    /// Its name in the report, and for `--only`.
    pub(super) name: &'static str,
    /// What it is, in the report.
    pub(super) about: &'static str,
    /// The load tool's arguments.
    pub(super) arguments: Vec<String>,
    /// Settings of the servers.
    pub(super) settings: Vec<(&'static str, &'static str)>,
    /// The measurement whose baseline says what is asked for: half of it, in an open loop.
    pub(super) half_of: Option<&'static str>,
    /// On which cores, and how often.
    pub(super) course: Course,
    /// On `PostgreSQL`.
    pub(super) postgres: bool,
    /// Who else is measured.
    pub(super) beside: Beside,
}

/// Who is measured beside Parlance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    Nobody,
    Baseline,
    /// The baseline, and the Socket.IO library alone.
    Both,
}

/// On which cores, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// Server and load on a core each, as often as asked for.
    Repeated,
    /// The same, once.
    Once,
    /// Wherever the system puts them, once.
    Unpinned,
}

const PAIRS: &str = "pairs --conversations 200 --in-flight 2";
const ROOMS: &str = "rooms --conversations 100 --members 10 --senders 1 --in-flight 4";
const FANOUT: &str = "fanout --members 1000 --in-flight 8";

/// The whole plan.
pub(super) fn measurements(wanted: &SuiteArguments) -> Vec<Measurement> {
    let seconds = format!("{}ms", wanted.duration.as_millis());
    let timed = |arguments: &str| -> Vec<String> {
        arguments.split(' ').map(str::to_owned).chain(["--duration".to_owned(), seconds.clone()]).collect()
    };
    let plain = |name, about, arguments: &str| Measurement {
        name,
        about,
        arguments: timed(arguments),
        settings: Vec::new(),
        half_of: None,
        course: Course::Repeated,
        postgres: false,
        beside: Beside::Baseline,
    };
    let both = |name, about, arguments| Measurement { beside: Beside::Both, ..plain(name, about, arguments) };
    let sizes = wanted.sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    let mut plan = vec![
        both("pairs", "200 direct conversations, both sides write, 4 messages under way in each", PAIRS),
        both("rooms", "100 groups of 10, one member of each writes, 4 messages under way", ROOMS),
        both("fanout", "a group of 1,000, one member writes, 8 messages under way", FANOUT),
        Measurement {
            half_of: Some("pairs"),
            ..plain("pairs at half", "`pairs`, open loop at half of what the baseline did in `pairs`", PAIRS)
        },
        Measurement {
            half_of: Some("rooms"),
            ..plain("rooms at half", "`rooms`, open loop at half of what the baseline did in `rooms`", ROOMS)
        },
        plain("idle", "10,000 sockets connect and are held", "idle --connections 10000"),
        plain("storm", "2,000 sockets are cut at once and come back, 5 times", "storm --connections 2000 --rounds 5"),
        Measurement {
            settings: vec![("PRESENCE_GRACE", "1ms")],
            beside: Beside::Nobody,
            ..plain(
                "presence, 100",
                "somebody with 50 contacts comes and goes while 100 others are online",
                "presence --connections 100 --contacts 50 --rounds 300",
            )
        },
        Measurement {
            settings: vec![("PRESENCE_GRACE", "1ms")],
            beside: Beside::Nobody,
            ..plain(
                "presence, 10,000",
                "the same while 10,000 others are online",
                "presence --connections 10000 --contacts 50 --rounds 300",
            )
        },
    ];
    if wanted.postgres.is_some() {
        plan.push(Measurement {
            postgres: true,
            ..plain("pairs on PostgreSQL", "`pairs`, both servers on the same PostgreSQL", PAIRS)
        });
        plan.push(Measurement {
            postgres: true,
            ..plain("rooms on PostgreSQL", "`rooms`, both servers on the same PostgreSQL", ROOMS)
        });
    }
    for (name, about, arguments) in [
        ("pairs, unpinned", "`pairs`, server and load share all cores", PAIRS),
        ("rooms, unpinned", "`rooms`, server and load share all cores", ROOMS),
        ("fanout, unpinned", "`fanout`, server and load share all cores", FANOUT),
    ] {
        plan.push(Measurement { course: Course::Unpinned, ..plain(name, about, arguments) });
    }
    let history = |name, about| Measurement {
        beside: Beside::Nobody,
        course: Course::Once,
        ..plain(name, about, &format!("history --sizes {sizes}"))
    };
    plan.push(history("history", "reading and sending, one call at a time, while the data grows"));
    if wanted.postgres.is_some() {
        let there = history("history on PostgreSQL", "the same on PostgreSQL");
        plan.push(Measurement { postgres: true, ..there });
    }
    plan.retain(|measurement| wanted.only.is_empty() || wanted.only.iter().any(|only| only == measurement.name));
    plan
}

/// Every scenario, and every dialect, as briefly as they show a fault.
pub(super) fn smoke() -> Vec<Vec<String>> {
    const BRIEF: &str = "--duration 1s --warm-up 200ms";
    let mut runs: Vec<String> = parlance_dialects::Dialect::ALL
        .into_iter()
        .map(|dialect| format!("pairs --conversations 10 --dialect {dialect} {BRIEF}"))
        .collect();
    runs.extend(
        [
            "rooms --conversations 5 --members 10 --senders 3",
            "rooms --conversations 5 --members 10 --senders 3 --rate 200",
            "fanout --members 100",
            "idle --connections 300",
            "storm --connections 200 --rounds 2",
            "storm --connections 200 --rounds 1 --bystanders 10",
            "stalled --members 30 --senders 3 --stalled 2 --rate 50",
            "presence --connections 50 --contacts 10 --rounds 5",
            "history --sizes 300,1000 --requests 10",
            "mixed --people 40 --churn 5 --rate 200",
            "soak --people 40 --churn 5 --rate 100",
        ]
        .map(|run| format!("{run} {BRIEF}")),
    );
    runs.into_iter().map(|run| run.split(' ').map(str::to_owned).collect()).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    #[test]
    fn every_run_of_the_plans_can_be_asked_for() {
        let suite = ["bench", "suite", "--postgres", "postgres://localhost"];
        let Command::Suite(wanted) = Arguments::try_parse_from(suite).unwrap().command else { panic!("no suite") };
        let planned = measurements(&wanted).into_iter().map(|measurement| measurement.arguments);
        for arguments in planned.chain(smoke()) {
            let line = ["bench".to_owned()].into_iter().chain(arguments).chain(["--secret", "x"].map(str::to_owned));
            assert!(matches!(Arguments::try_parse_from(line).map(|read| read.command), Ok(Command::Load(_))));
        }
    }

    #[test]
    fn halves_follow_what_they_are_halves_of() {
        let Command::Suite(wanted) = Arguments::try_parse_from(["bench", "suite"]).unwrap().command else {
            panic!("no suite")
        };
        let plan = measurements(&wanted);
        for (place, measurement) in plan.iter().enumerate() {
            if let Some(closed) = measurement.half_of {
                assert!(plan[..place].iter().any(|earlier| earlier.name == closed));
            }
        }
    }
}
