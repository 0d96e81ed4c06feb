//! `parlance completions`: a script by which a shell completes command lines of this program.

use clap_complete::Shell;

use super::failure::Failure;
use super::{arguments, say};

pub(super) fn run(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut arguments::grammar(), "parlance", &mut script);
    say(&String::from_utf8(script).map_err(Failure::running)?)
}
