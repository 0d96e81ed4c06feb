//! The report as a page of the documentation, and the chart beside it. The prose around the figures is `benchmarks.md`
//! in this folder.

use std::fmt::Write;
use std::fs;

use super::chart::{self, Bar};
use super::contender::Kind;
use super::machine::Machine;
use super::plan::{Beside, Course, Measurement};
use super::results::{Figure, Results, Spread};
use crate::arguments::SuiteArguments;
use crate::failure::Failure;
use crate::report::Growth;
use crate::table::count;

const PROSE: &str = include_str!("benchmarks.md");

/// What the chart shows.
const BARS: [(&str, Figure); 6] = [
    ("pairs", Figure::Sends),
    ("rooms", Figure::Sends),
    ("fanout", Figure::Deliveries),
    ("storm", Figure::Connects),
    ("pairs on PostgreSQL", Figure::Sends),
    ("rooms on PostgreSQL", Figure::Sends),
];

/// Writes page and chart.
pub(super) fn write(
    wanted: &SuiteArguments,
    plan: &[Measurement],
    results: &Results,
    machine: &Machine,
) -> Result<(), Failure> {
    let failed = |error| Failure::new(wanted.output.display(), error);
    fs::write(&wanted.output, page(wanted, plan, results, machine)).map_err(failed)?;
    let chart = chart::draw("How many times the baseline", &bars(results));
    fs::write(wanted.output.with_extension("svg"), chart).map_err(failed)
}

fn page(wanted: &SuiteArguments, plan: &[Measurement], results: &Results, machine: &Machine) -> String {
    let faults = match results.faults() {
        [] => "none; nothing was lost, doubled, out of order or refused in any run".to_owned(),
        faults => faults.join("; "),
    };
    let command = format!(
        "`parlance-bench suite --repeats {} --duration {}s{}`",
        wanted.repeats,
        wanted.duration.as_secs(),
        if wanted.postgres.is_some() { " --postgres URL" } else { "" },
    );
    let mut page = PROSE
        .replace("{repeats}", &wanted.repeats.to_string())
        .replace("{seconds}", &format!("{} s", wanted.duration.as_secs()))
        .replace("{commit}", &machine.commit)
        .replace("{processor}", &machine.processor)
        .replace("{cores}", &machine.cores.to_string())
        .replace("{memory}", &machine.memory_gib.to_string())
        .replace("{system}", &machine.system)
        .replace("{node}", machine.node.trim_start_matches('v'))
        .replace("{command}", &command)
        .replace("{faults}", &faults);
    for measurement in plan {
        section(&mut page, measurement, results);
    }
    shares(&mut page, plan, results);
    page
}

fn section(page: &mut String, measurement: &Measurement, results: &Results) {
    let Measurement { name, about, arguments, beside, course, .. } = measurement;
    let once = *course != Course::Repeated;
    let figures = results.figures(name);
    if figures.is_empty() {
        return;
    }
    let note = if once { "; measured once" } else { "" };
    // Writing to a text does not fail.
    let _ = write!(page, "\n## {name}\n\n{about}{note}. `parlance-bench {}`\n\n", arguments.join(" "));
    let growth = results.growth(name);
    if !growth.is_empty() {
        return grown(page, growth);
    }
    let compared = *beside != Beside::Nobody;
    page.push_str(if compared {
        "| | Parlance | baseline | ratio |\n| --- | --- | --- | --- |\n"
    } else {
        "| | Parlance |\n| --- | --- |\n"
    });
    for figure in figures {
        let ours = results.spread(name, figure, Kind::Parlance);
        let theirs = results.spread(name, figure, Kind::Baseline);
        let cell = |spread: Option<Spread>| spread.map_or_else(|| "–".to_owned(), |spread| cell(figure, spread, once));
        let _ = write!(page, "| {} | {} |", figure.name(), cell(ours));
        if compared {
            let ratio = ours.zip(theirs).filter(|(_, theirs)| theirs.median > 0.0);
            let ratio = ratio.map_or_else(String::new, |(ours, theirs)| format!("{:.2}", ours.median / theirs.median));
            let _ = write!(page, " {} | {ratio} |", cell(theirs));
        }
        page.push('\n');
    }
}

/// How much of what the library does alone is left with all that a chat needs.
fn shares(page: &mut String, plan: &[Measurement], results: &Results) {
    const FIGURE: Figure = Figure::Sends;
    let rows: String = plan
        .iter()
        .filter_map(|Measurement { name, course, .. }| {
            let ours = results.spread(name, FIGURE, Kind::Parlance)?;
            let alone = results.spread(name, FIGURE, Kind::Bare).filter(|alone| alone.median > 0.0)?;
            let cell = |spread| cell(FIGURE, spread, *course != Course::Repeated);
            let share = 100.0 * ours.median / alone.median;
            Some(format!("| {name}, {} | {} | {} | {share:.0} % |\n", FIGURE.name(), cell(ours), cell(alone)))
        })
        .collect();
    if !rows.is_empty() {
        page.push_str(
            "\n## Beside the library alone\n\nThe same Socket.IO library without storage, tokens or checks, which tells each room of a \
             message and answers (`parlance-bench bare`):\n\n| | Parlance | library alone | share |\n| --- | --- | --- | --- |\n",
        );
        page.push_str(&rows);
    }
}

fn cell(figure: Figure, spread: Spread, once: bool) -> String {
    let Spread { median, lowest, highest } = spread;
    let median = figure.show(median);
    if once { median } else { format!("{median} ({}–{})", figure.show(lowest), figure.show(highest)) }
}

/// One row for each call, one column for each size: p50 and p99.
fn grown(page: &mut String, growth: &[Growth]) {
    let Some(first) = growth.first() else { return };
    page.push_str("p50 / p99 in ms:\n\n| messages |");
    for Growth { messages, .. } in growth {
        let _ = write!(page, " {} |", count_of(*messages));
    }
    page.push_str("\n| --- |");
    page.push_str(&" --- |".repeat(growth.len()));
    page.push('\n');
    for (place, (name, _)) in first.calls.iter().enumerate() {
        let _ = write!(page, "| {name} |");
        for Growth { calls, .. } in growth {
            if let Some((_, latency)) = calls.get(place) {
                let _ = write!(page, " {:.2} / {:.2} |", latency.p50, latency.p99);
            }
        }
        page.push('\n');
    }
}

#[expect(clippy::cast_precision_loss, reason = "a round number of messages")]
fn count_of(messages: u64) -> String {
    count(messages as f64)
}

fn bars(results: &Results) -> Vec<Bar> {
    let bars = BARS.into_iter().filter_map(|(measurement, figure)| {
        let ours = results.spread(measurement, figure, Kind::Parlance)?.median;
        let theirs = results.spread(measurement, figure, Kind::Baseline)?.median;
        let note = format!("{} against {}", figure.show(ours), figure.show(theirs));
        let label = format!("{measurement}, {}", figure.name());
        (theirs > 0.0).then(|| Bar { label, note, ratio: ours / theirs })
    });
    bars.collect()
}
