//! The table on a terminal of any size: as many columns as fit, and below it messages a second of the last minutes where
//! there is room. Nothing is said by colour alone, so that it can be left out.

use std::collections::VecDeque;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Sparkline};

use super::node::Node;
use super::table::{Cell, Order, Row, Table, Tone, altogether};

/// Looks that are remembered: more than a terminal is wide.
const REMEMBERED: usize = 512;
/// What the curve takes, with its title.
const CURVE_LINES: u16 = 4;
const KEYS: &str = "q quit   p pause   s sort";

/// What is on the screen beside the nodes.
#[derive(Debug, Default)]
pub(super) struct Screen {
    pub(super) order: Order,
    pub(super) is_paused: bool,
    is_coloured: bool,
    /// Messages a second, the newest last.
    sends: VecDeque<u64>,
}

impl Screen {
    /// A screen, with colours or without.
    pub(super) fn new(is_coloured: bool) -> Self {
        Self { is_coloured, ..Self::default() }
    }

    /// Remembers what went on, after a look at all nodes.
    pub(super) fn remember(&mut self, nodes: &[Node]) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count a second, never negative"
        )]
        self.sends.push_back(altogether(nodes).sends.round() as u64);
        if self.sends.len() > REMEMBERED {
            self.sends.pop_front();
        }
    }

    /// Draws everything.
    pub(super) fn draw(&self, frame: &mut Frame<'_>, nodes: &[Node]) {
        let table = Table::of(nodes, self.order);
        let area = frame.area();
        let lines = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        // What is needed first comes first; the rest gets what is left.
        let rows = (lines(table.rows.len()) + 1).min(area.height.saturating_sub(2));
        let left = area.height.saturating_sub(2).saturating_sub(rows);
        let notes = lines(table.notes.len()).min(left);
        let curve = if left - notes > CURVE_LINES { left - notes } else { 0 };
        let heights = [1, rows, notes, curve]
            .map(Constraint::Length)
            .into_iter()
            .chain([Constraint::Fill(1), Constraint::Length(1)]);
        let areas = Layout::vertical(heights).split(area);
        let state = if self.is_paused { "paused" } else { "every second" };
        let title = format!("parlance top   {state}   sorted {}", self.order.name());
        frame.render_widget(Paragraph::new(Span::styled(title, Style::new().add_modifier(Modifier::BOLD))), areas[0]);
        frame.render_widget(Paragraph::new(self.lines(&table, areas[1].width)), areas[1]);
        let noted = table.notes.iter().map(|note| Line::styled(note.clone(), self.style(Tone::Bad)));
        frame.render_widget(Paragraph::new(noted.collect::<Vec<_>>()), areas[2]);
        self.draw_curve(frame, areas[3]);
        frame.render_widget(Paragraph::new(KEYS), areas[5]);
    }

    fn draw_curve(&self, frame: &mut Frame<'_>, area: Rect) {
        if area.height < CURVE_LINES {
            return;
        }
        let [_, title, curve] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Max(8)]).areas(area);
        let highest = self.sends.iter().max().copied().unwrap_or(0);
        frame.render_widget(Paragraph::new(format!("sends/s, up to {highest}")), title);
        let newest = self.sends.iter().rev().take(usize::from(curve.width)).rev().copied();
        frame.render_widget(Sparkline::default().data(newest.collect::<Vec<_>>()).style(self.style(Tone::Good)), curve);
    }

    /// The rows, with those columns that fit.
    fn lines(&self, table: &Table, width: u16) -> Vec<Line<'static>> {
        let labels = table.rows.iter().map(|row| row.label.chars().count()).max().unwrap_or(0);
        let mut widths = Vec::new();
        let mut left = usize::from(width).saturating_sub(labels);
        for column in 0..table.columns.len() {
            let needed = table.width(column) + 2;
            // What is to say of the others has to fit as well.
            let reserve = if column + 1 < table.columns.len() { " +99 more".len() } else { 0 };
            if left < needed + reserve {
                break;
            }
            left -= needed;
            widths.push(needed);
        }
        let hidden = table.columns.len() - widths.len();
        let more = if hidden > 0 { format!(" +{hidden} more") } else { String::new() };
        let names = table.columns.iter().zip(&widths).map(|(name, width)| format!("{name:>width$}"));
        let heading = format!("{:labels$}{}{more}", "", names.collect::<String>());
        let heading = Line::styled(heading, Style::new().add_modifier(Modifier::UNDERLINED));
        let row = |Row { label, cells }: &Row| -> Line<'_> {
            let cells = cells.iter().zip(&widths);
            let cells =
                cells.map(|(Cell { text, tone }, width)| Span::styled(format!("{text:>width$}"), self.style(*tone)));
            [Span::raw(format!("{label:<labels$}"))].into_iter().chain(cells).collect()
        };
        [heading].into_iter().chain(table.rows.iter().map(row)).collect()
    }

    fn style(&self, tone: Tone) -> Style {
        let colour = |colour| if self.is_coloured { Style::new().fg(colour) } else { Style::new() };
        match tone {
            Tone::Plain => Style::new(),
            Tone::Good => colour(Color::Green),
            Tone::Bad => colour(Color::Red).add_modifier(Modifier::BOLD),
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::Buffer;

    use super::super::table::tests::nodes;
    use super::*;

    fn drawn(screen: &Screen, nodes: &[Node], width: u16, height: u16) -> (Vec<String>, Buffer) {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| screen.draw(frame, nodes)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
        ((0..height).map(line).collect(), buffer)
    }

    #[test]
    fn a_screen_shows_nodes_their_troubles_and_a_curve() {
        let (mut screen, nodes) = (Screen { is_coloured: true, ..Screen::default() }, nodes(&[Some(50), None]));
        screen.remember(&nodes);
        let (lines, buffer) = drawn(&screen, &nodes, 80, 40);
        assert_eq!(lines[0], "parlance top   every second   sorted as given");
        assert_eq!(lines[1], "                     all  10.0.0.1:4000  10.0.0.2:4000");
        assert_eq!(lines[2], "up                1 of 2            yes         silent");
        let has = |part: &str| lines.iter().any(|line| line.contains(part));
        assert!(has("10.0.0.2:4000: no answer in time") && has("sends/s, up to 50") && has("█"), "{lines:#?}");
        assert_eq!(lines[39], KEYS);
        assert!(buffer.content().iter().any(|cell| cell.fg == Color::Red));
    }

    #[test]
    fn without_colours_nothing_is_missing() {
        let nodes = nodes(&[Some(50), None]);
        let (plain, buffer) = drawn(&Screen::default(), &nodes, 80, 40);
        assert!(buffer.content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
        let coloured = Screen { is_coloured: true, ..Screen::default() };
        assert_eq!(plain, drawn(&coloured, &nodes, 80, 40).0);
    }

    #[test]
    fn a_small_terminal_shows_what_fits() {
        let nodes = nodes(&[Some(1); 9]);
        let (lines, _) = drawn(&Screen::default(), &nodes, 60, 12);
        assert_eq!(lines[1], "                     all  10.0.0.1:4000 +8 more");
        assert!(lines[10].starts_with("errors/s") || lines[10].starts_with("rate"), "{lines:#?}");
        assert_eq!(lines[11], KEYS);
        for (width, height) in [(1, 1), (3, 2), (10, 3), (20, 5), (500, 1)] {
            drawn(&Screen::default(), &nodes, width, height);
        }
    }

    #[test]
    fn a_pause_and_an_order_are_said() {
        let screen = Screen { is_paused: true, order: Order::Sends, ..Screen::default() };
        let (lines, _) = drawn(&screen, &nodes(&[Some(3), Some(50)]), 80, 24);
        assert_eq!(lines[0], "parlance top   paused   sorted by sends");
        assert!(lines[1].find("10.0.0.2") < lines[1].find("10.0.0.1"), "{}", lines[1]);
    }
}
