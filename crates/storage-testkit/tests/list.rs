//! The contracts' lists name every case there is, each once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The cases in a file, each with the port that they belong to.
fn written(file: &Path, port: &str) -> BTreeSet<(String, String)> {
    let source = fs::read_to_string(file).expect("a source");
    let cases = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
    cases.filter_map(|line| Some((port.to_owned(), line.split_once('(')?.0.to_owned()))).collect()
}

/// The cases that a list names, each with its port.
fn listed(file: &Path) -> BTreeSet<(String, String)> {
    let list = fs::read_to_string(file).expect("the list");
    let mut listed = BTreeSet::new();
    let mut port = String::new();
    for line in list.lines().map(str::trim).take_while(|line| *line != "};") {
        if let Some(name) = line.strip_suffix(" {") {
            name.clone_into(&mut port);
        } else if let Some(case) = line.strip_suffix(',') {
            assert!(listed.insert((port.clone(), case.to_owned())), "{port}::{case} is listed twice");
        }
    }
    listed
}

#[test]
fn the_list_names_every_case() {
    let mut all = BTreeSet::new();
    for file in fs::read_dir(sources().join("cases")).expect("the cases") {
        let path = file.expect("a file").path();
        let port = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        all.extend(written(&path, &port));
    }
    assert!(!all.is_empty(), "there are cases");
    assert_eq!(all, listed(&sources().join("contract.rs")), "every case is listed, and every listed one is a case");
}

#[test]
fn the_list_of_archives_names_every_case() {
    let all = written(&sources().join("archive/cases.rs"), "moving");
    assert!(!all.is_empty(), "there are cases");
    let listed = listed(&sources().join("archive/contract.rs"));
    assert_eq!(all, listed, "every case is listed, and every listed one is a case");
}

#[test]
fn the_list_of_what_channels_need_names_every_case() {
    let all = written(&sources().join("reach/cases.rs"), "reaching");
    assert!(!all.is_empty(), "there are cases");
    let listed = listed(&sources().join("reach/contract.rs"));
    assert_eq!(all, listed, "every case is listed, and every listed one is a case");
}

#[test]
fn the_list_of_outboxes_names_every_case() {
    let all = written(&sources().join("outbox/cases.rs"), "outbox");
    assert!(!all.is_empty(), "there are cases");
    let listed = listed(&sources().join("outbox/contract.rs"));
    assert_eq!(all, listed, "every case is listed, and every listed one is a case");
}

#[test]
fn the_list_of_faults_names_every_case() {
    let faults = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/faults");
    let source = |name| fs::read_to_string(faults.join(name)).expect("a source");
    let (written, list) = (source("cases.rs"), source("mod.rs"));
    let written: BTreeSet<&str> = written
        .lines()
        .filter_map(|line| line.strip_prefix("pub async fn "))
        .filter_map(|line| Some(line.split_once('(')?.0))
        .collect();
    let listed: BTreeSet<&str> = list
        .lines()
        .skip_while(|line| !line.contains("fault_tests! { $server;"))
        .skip(1)
        .map_while(|line| line.trim().strip_suffix(','))
        .collect();
    assert!(!written.is_empty(), "there are cases");
    assert_eq!(written, listed, "every case is listed, and every listed one is a case");
}
