//! `parlance top`: what goes on at one node or several, once a second, for whoever sits before a terminal; with `--once`
//! a table for scripts. It reads what anybody may read of a server (`/metrics`, `/readyz`), and changes nothing.

mod exposition;
mod histogram;
mod node;
mod reading;
mod screen;
mod table;

use std::io::{self, IsTerminal};
use std::pin::pin;
use std::time::Duration;

use parlance_server::signals;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use reqwest::Client;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::arguments::TopArguments;
use super::failure::Failure;
use super::say;
use node::{Looked, Node, State};
use screen::Screen;
use table::{Order, Table};

/// How often nodes are looked at, and how long one may take to answer.
const EVERY: Duration = Duration::from_secs(1);
/// How soon it is noticed that nobody waits for keys any more.
const KEY_PATIENCE: Duration = Duration::from_millis(200);

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Quit,
    Pause,
    Sort,
    /// The terminal has another size.
    Redraw,
}

pub(super) async fn run(arguments: &TopArguments) -> Result<(), Failure> {
    let mut nodes = arguments.urls.iter().map(|url| Node::at(url)).collect::<Result<Vec<_>, _>>()?;
    let client = node::client(EVERY)?;
    if arguments.once {
        return once(&mut nodes, &client).await;
    }
    if !io::stdout().is_terminal() {
        return Err(Failure::Usage("top needs a terminal; with --once it prints one table".to_owned()));
    }
    watch(&mut nodes, &client).await
}

/// Looks twice, since what goes on lies between two looks, and prints what there is.
async fn once(nodes: &mut [Node], client: &Client) -> Result<(), Failure> {
    for pause in [Duration::ZERO, EVERY] {
        tokio::time::sleep(pause).await;
        let mut looks = begin(nodes, client);
        while let Some(look) = looks.join_next().await {
            keep(nodes, look.map_err(Failure::running)?);
        }
    }
    say(&Table::of(nodes, Order::Given).text())?;
    let silent = nodes.iter().all(|node| matches!(node.state, State::Silent(_)));
    if silent { Err(Failure::Running("no node answers".to_owned())) } else { Ok(()) }
}

/// Gives the terminal back, however the work with it ends. A panic gives it back by a hook of the library's.
struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

async fn watch(nodes: &mut [Node], client: &Client) -> Result<(), Failure> {
    let mut terminated = pin!(signals::terminated());
    let mut terminal = ratatui::try_init().map_err(Failure::running)?;
    let _restored = Restored;
    let is_coloured = std::env::var_os("NO_COLOR").is_none_or(|text| text.is_empty());
    let mut screen = Screen::new(is_coloured);
    let mut wishes = wishes();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks = JoinSet::new();
    loop {
        terminal.draw(|frame| screen.draw(frame, nodes)).map_err(Failure::running)?;
        tokio::select! {
            _ = ticks.tick(), if looks.is_empty() && !screen.is_paused => looks = begin(nodes, client),
            Some(look) = looks.join_next() => {
                keep(nodes, look.map_err(Failure::running)?);
                if looks.is_empty() {
                    screen.remember(nodes);
                }
            }
            Some(wish) = wishes.recv() => match wish {
                Wish::Quit => return Ok(()),
                Wish::Pause => screen.is_paused = !screen.is_paused,
                Wish::Sort => screen.order = screen.order.next(),
                Wish::Redraw => {}
            },
            () = &mut terminated => return Ok(()),
        }
    }
}

/// A look at one of the nodes.
type Look = (usize, Instant, Looked);

fn begin(nodes: &[Node], client: &Client) -> JoinSet<Look> {
    let mut looks = JoinSet::new();
    for (index, node) in nodes.iter().enumerate() {
        let asked = node.ask(client);
        looks.spawn(async move { (index, Instant::now(), asked.await) });
    }
    looks
}

fn keep(nodes: &mut [Node], (index, at, looked): Look) {
    if let Some(node) = nodes.get_mut(index) {
        node.keep(at, looked);
    }
}

/// What is typed, for as long as somebody waits for it. The terminal is read on a thread, which blocks.
fn wishes() -> mpsc::Receiver<Wish> {
    let (sender, wishes) = mpsc::channel(16);
    std::thread::spawn(move || {
        while !sender.is_closed() {
            let event = match event::poll(KEY_PATIENCE) {
                Ok(false) => continue,
                Ok(true) => event::read(),
                Err(error) => Err(error),
            };
            let Ok(event) = event else { return };
            if let Some(wish) = meant(&event)
                && sender.blocking_send(wish).is_err()
            {
                return;
            }
        }
    });
    wishes
}

/// What a key means, if it means something.
fn meant(event: &Event) -> Option<Wish> {
    match event {
        Event::Resize(..) => Some(Wish::Redraw),
        Event::Key(KeyEvent { kind: KeyEventKind::Release, .. }) => None,
        Event::Key(KeyEvent { code: KeyCode::Char('c'), modifiers: KeyModifiers::CONTROL, .. }) => Some(Wish::Quit),
        Event::Key(KeyEvent { code, .. }) => match code {
            KeyCode::Char('q') | KeyCode::Esc => Some(Wish::Quit),
            KeyCode::Char('p' | ' ') => Some(Wish::Pause),
            KeyCode::Char('s') => Some(Wish::Sort),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_last_line_says() {
        let key = |code, modifiers| meant(&Event::Key(KeyEvent::new(code, modifiers)));
        for (code, wish) in [('q', Some(Wish::Quit)), ('p', Some(Wish::Pause)), ('s', Some(Wish::Sort)), ('c', None)] {
            assert_eq!(key(KeyCode::Char(code), KeyModifiers::NONE), wish, "{code}");
        }
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Wish::Quit));
        assert_eq!(meant(&Event::Resize(80, 24)), Some(Wish::Redraw));
    }
}
