//! What is shown, before it is known where: a column for each node and one for all of them, a row for each question of an
//! operator. How a column is drawn is `screen`'s matter; scripts are given the same as plain text.

use std::collections::BTreeSet;

use super::histogram::{Histogram, Quantile};
use super::node::{Node, State};
use super::reading::Figures;

/// By what nodes are sorted; the most of it comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// As they were named.
    #[default]
    Given,
    /// Connections.
    Connections,
    /// Messages a second.
    Sends,
    /// The time to an ack.
    Acks,
}

/// How a cell is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Bad,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) tone: Tone,
}

/// A question, and the answers in the order of the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) label: String,
    pub(super) cells: Vec<Cell>,
}

/// Everything that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// What there is to say of nodes that are not well.
    pub(super) notes: Vec<String>,
}

impl Order {
    /// The next one.
    pub(super) const fn next(self) -> Self {
        match self {
            Self::Given => Self::Connections,
            Self::Connections => Self::Sends,
            Self::Sends => Self::Acks,
            Self::Acks => Self::Given,
        }
    }

    /// What it is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Given => "as given",
            Self::Connections => "by connections",
            Self::Sends => "by sends",
            Self::Acks => "by ack p99",
        }
    }

    fn weight(self, figures: &Figures) -> f64 {
        match self {
            Self::Given => 0.0,
            Self::Connections => figures.connections(),
            Self::Sends => figures.sends,
            Self::Acks => match figures.acks.quantile(0.99) {
                Some(Quantile::About(seconds)) => seconds,
                Some(Quantile::Above(_)) => f64::INFINITY,
                None => 0.0,
            },
        }
    }
}

/// What goes on at all nodes that answer.
pub(super) fn altogether(nodes: &[Node]) -> Figures {
    nodes.iter().filter_map(Node::figures).fold(Figures::default(), |all, node| all.plus(&node))
}

impl Table {
    /// The table of these nodes. One alone is not added up.
    pub(super) fn of(nodes: &[Node], order: Order) -> Self {
        let mut shown: Vec<(&Node, Option<Figures>)> = nodes.iter().map(|node| (node, node.figures())).collect();
        let weight =
            |figures: &Option<Figures>| figures.as_ref().map_or(f64::NEG_INFINITY, |known| order.weight(known));
        if order != Order::Given {
            shown.sort_by(|(_, one), (_, other)| weight(other).total_cmp(&weight(one)));
        }
        let all = (nodes.len() > 1).then(|| altogether(nodes));
        let columns = all.iter().map(|_| "all".to_owned()).chain(shown.iter().map(|(node, _)| node.name.clone()));
        let mut table = Self { columns: columns.collect(), rows: Vec::new(), notes: Vec::new() };
        let up = nodes.iter().filter(|node| node.state == State::Up).count();
        let whole = plain(format!("{up} of {}", nodes.len()));
        let states = all.iter().map(|_| whole.clone()).chain(shown.iter().map(|(node, _)| condition(node)));
        table.rows.push(Row { label: "up".to_owned(), cells: states.collect() });
        let versions = shown.iter().map(|(node, _)| plain(node.version().unwrap_or("-").to_owned()));
        let versions = all.iter().map(|_| plain(String::new())).chain(versions).collect();
        table.rows.push(Row { label: "release".to_owned(), cells: versions });

        let figures: Vec<Option<Figures>> =
            all.into_iter().map(Some).chain(shown.into_iter().map(|(_, known)| known)).collect();
        let mut row = |label: String, cell: &dyn Fn(&Figures) -> Cell| {
            let cell = |known: &Option<Figures>| known.as_ref().map_or_else(|| plain("-".to_owned()), cell);
            table.rows.push(Row { label, cells: figures.iter().map(cell).collect() });
        };
        row("connections".to_owned(), &|known| plain(whole_number(known.connections())));
        let dialects: BTreeSet<&str> =
            figures.iter().flatten().flat_map(|known| known.sockets.keys().map(String::as_str)).collect();
        for dialect in dialects {
            row(format!("  {dialect}"), &|known| {
                plain(whole_number(known.sockets.get(dialect).copied().unwrap_or(0.0)))
            });
        }
        row("events in/s".to_owned(), &|known| plain(rate(known.events_in)));
        row("events out/s".to_owned(), &|known| plain(rate(known.events_out)));
        row("sends/s".to_owned(), &|known| plain(rate(known.sends)));
        row("errors/s".to_owned(), &|known| bad_above(0.0, known.errors, rate));
        row("rate limited/s".to_owned(), &|known| bad_above(0.0, known.rate_limited, rate));
        for (name, times) in [("ack", acks as Times), ("delivery", deliveries), ("storage", appends)] {
            for (word, part) in [("p50", 0.5), ("p99", 0.99)] {
                row(format!("{name} {word}"), &|known| time(times(known).quantile(part)));
            }
        }
        row("write queue".to_owned(), &|known| bad_above(1_000.0, known.queue, whole_number));
        row("slow clients cut".to_owned(), &|known| plain(whole_number(known.slow_consumers)));
        row("memory MiB".to_owned(), &|known| plain(whole_number(known.memory_bytes / 1_048_576.0)));
        row("processors".to_owned(), &|known| plain(format!("{:.2}", known.cpu)));
        for node in nodes {
            if let State::Ailing(problem) | State::Silent(problem) = &node.state {
                table.notes.push(format!("{}: {problem}", node.name));
            }
        }
        table
    }

    /// Lines of text with columns one below the other, and notes under them.
    pub(super) fn text(&self) -> String {
        let labels = self.rows.iter().map(|row| row.label.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width(column)).collect();
        let line = |label: &str, cells: &[&str]| {
            let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("  {cell:>width$}"));
            format!("{label:<labels$}{}", cells.collect::<String>()).trim_end().to_owned() + "\n"
        };
        let mut text = line("", &self.columns.iter().map(String::as_str).collect::<Vec<_>>());
        for row in &self.rows {
            text.push_str(&line(&row.label, &row.cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>()));
        }
        for note in &self.notes {
            text.push_str(note);
            text.push('\n');
        }
        text
    }

    /// What the widest cell of a column takes.
    pub(super) fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| Some(row.cells.get(column)?.text.chars().count()));
        cells.chain(self.columns.get(column).map(|name| name.chars().count())).max().unwrap_or(0)
    }
}

/// Times of one kind.
type Times = fn(&Figures) -> &Histogram;

fn acks(figures: &Figures) -> &Histogram {
    &figures.acks
}

fn deliveries(figures: &Figures) -> &Histogram {
    &figures.deliveries
}

fn appends(figures: &Figures) -> &Histogram {
    &figures.appends
}

fn condition(node: &Node) -> Cell {
    let (text, tone) = match &node.state {
        State::Up => ("yes", Tone::Good),
        State::Ailing(_) => ("ailing", Tone::Bad),
        State::Silent(_) => ("silent", Tone::Bad),
    };
    Cell { text: text.to_owned(), tone }
}

const fn plain(text: String) -> Cell {
    Cell { text, tone: Tone::Plain }
}

fn bad_above(bound: f64, value: f64, shown: impl Fn(f64) -> String) -> Cell {
    Cell { text: shown(value), tone: if value > bound { Tone::Bad } else { Tone::Plain } }
}

fn whole_number(value: f64) -> String {
    format!("{value:.0}")
}

fn rate(value: f64) -> String {
    if value > 0.0 && value < 10.0 { format!("{value:.1}") } else { whole_number(value) }
}

fn time(quantile: Option<Quantile>) -> Cell {
    let shown = |seconds: f64| match seconds * 1_000.0 {
        millis if millis < 10.0 => format!("{millis:.1} ms"),
        millis if millis < 1_000.0 => format!("{millis:.0} ms"),
        _ => format!("{seconds:.1} s"),
    };
    match quantile {
        None => plain("-".to_owned()),
        Some(Quantile::About(seconds)) => bad_above(0.5, seconds, shown),
        Some(Quantile::Above(seconds)) => Cell { text: format!("> {}", shown(seconds)), tone: Tone::Bad },
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::super::reading::Reading;
    use super::super::reading::tests::page;
    use super::*;

    /// Nodes that were looked at twice, a second apart: how many messages each has stored in it, `None` for a silent one.
    pub(in super::super) fn nodes(sends: &[Option<u32>]) -> Vec<Node> {
        let began = Instant::now();
        let node = |(number, sends): (usize, &Option<u32>)| {
            let mut node = Node::at(&format!("10.0.0.{}:4000", number + 1)).unwrap();
            let look = |sends| Ok((Reading::of(&page(sends)).unwrap(), State::Up));
            match sends {
                Some(sends) => {
                    node.keep(began, look(100));
                    node.keep(began + Duration::from_secs(1), look(100 + sends));
                }
                None => node.keep(began, Err("no answer in time".to_owned())),
            }
            node
        };
        sends.iter().enumerate().map(node).collect()
    }

    fn row<'a>(table: &'a Table, label: &str) -> Vec<&'a str> {
        let row = table.rows.iter().find(|row| row.label == label).unwrap();
        row.cells.iter().map(|cell| cell.text.as_str()).collect()
    }

    #[test]
    fn nodes_stand_beside_each_other_and_before_them_all_together() {
        let table = Table::of(&nodes(&[Some(50), None, Some(3)]), Order::Given);
        assert_eq!(table.columns, ["all", "10.0.0.1:4000", "10.0.0.2:4000", "10.0.0.3:4000"]);
        assert_eq!(row(&table, "up"), ["2 of 3", "yes", "silent", "yes"]);
        assert_eq!(row(&table, "release"), ["", "1.2.3", "-", "1.2.3"]);
        assert_eq!(row(&table, "connections"), ["10", "5", "-", "5"]);
        assert_eq!(row(&table, "  gateway"), ["6", "3", "-", "3"]);
        assert_eq!(row(&table, "sends/s"), ["53", "50", "-", "3.0"]);
        assert_eq!(row(&table, "ack p50"), ["2.5 ms", "2.5 ms", "-", "2.5 ms"]);
        assert_eq!(row(&table, "storage p99"), ["-"; 4]);
        assert_eq!(row(&table, "memory MiB"), ["100", "50", "-", "50"]);
        assert_eq!(table.notes, ["10.0.0.2:4000: no answer in time"]);
    }

    #[test]
    fn the_busiest_comes_first_and_who_is_silent_last() {
        let nodes = nodes(&[None, Some(3), Some(50)]);
        let order = |order| Table::of(&nodes, order).columns;
        assert_eq!(order(Order::Sends), ["all", "10.0.0.3:4000", "10.0.0.2:4000", "10.0.0.1:4000"]);
        let orders = [Order::Given, Order::Connections, Order::Sends, Order::Acks];
        assert_eq!(orders.map(Order::next), [Order::Connections, Order::Sends, Order::Acks, Order::Given]);
    }

    #[test]
    fn one_node_is_not_added_up() {
        assert_eq!(Table::of(&nodes(&[Some(1)]), Order::Given).columns, ["10.0.0.1:4000"]);
    }

    #[test]
    fn as_text_columns_stand_below_each_other() {
        let text = Table::of(&nodes(&[Some(50), None]), Order::Given).text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "                     all  10.0.0.1:4000  10.0.0.2:4000");
        assert_eq!(lines[1], "up                1 of 2            yes         silent");
        assert_eq!(lines.last(), Some(&"10.0.0.2:4000: no answer in time"));
    }

    #[test]
    fn times_have_units_and_long_ones_stand_out() {
        let shown = |seconds| time(Some(Quantile::About(seconds)));
        assert_eq!(shown(0.0004).text, "0.4 ms");
        assert_eq!(shown(0.0234).text, "23 ms");
        assert_eq!((shown(1.25).text.as_str(), shown(1.25).tone), ("1.2 s", Tone::Bad));
        let above = time(Some(Quantile::Above(5.0)));
        assert_eq!((above.text.as_str(), above.tone), ("> 5.0 s", Tone::Bad));
    }
}
