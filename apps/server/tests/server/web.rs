//! The web client as the binary serves it, and signing in without a login: both there when they are asked for, and
//! only then.

use crate::process::{Parlance, Running};
use crate::serving::{get, http};

const SECRET: (&str, &str) = ("ACCESS_TOKEN_SECRET", "a secret of this test, long enough");

fn start(parlance: &Parlance, args: &[&str], more: &[(&str, &str)]) -> Running {
    let env = [&[SECRET, ("DATABASE_URL", "memory:"), ("LISTEN", "127.0.0.1:0")], more].concat();
    parlance.start(args, &env, 1)
}

fn sign_in(server: &Running, host: &str, body: &str) -> String {
    let (address, length) = (server.address(0), body.len());
    let head =
        format!("Host: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}");
    http(&address, &format!("POST /api/v1/dev/sign-in HTTP/1.1\r\n{head}\r\n\r\n{body}"))
}

fn data(answer: &str) -> serde_json::Value {
    let body: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    body["data"].clone()
}

#[test]
fn the_web_client_is_at_the_printed_address_where_web_dir_says_so() {
    let parlance = Parlance::new();
    std::fs::create_dir(parlance.folder().join("dist")).unwrap();
    parlance.file("dist/index.html", "<!doctype html>the client");
    let server = start(&parlance, &["--web-dir", "dist"], &[]);
    assert!(get(&server.address(0), "/", "").contains("the client"));
    assert!(get(&server.address(0), "/nowhere", "").contains("Route not found"), "the API answers as before");
    let without = Parlance::new();
    let server = start(&without, &[], &[]);
    assert!(get(&server.address(0), "/", "").starts_with("HTTP/1.1 404"));
}

#[test]
fn a_folder_that_was_not_built_is_refused_by_the_name_of_the_setting() {
    let refused = Parlance::new().refused(&["serve"], &[SECRET, ("DATABASE_URL", "memory:"), ("WEB_DIR", "dist")]);
    assert!(refused.starts_with("WEB_DIR (environment): no built web client is in dist"), "{refused}");
}

#[test]
fn dev_signs_in_whom_the_page_asks_for() {
    let parlance = Parlance::new();
    let server = start(&parlance, &["--dev"], &[]);
    let address = server.address(0);
    let people = data(&get(&address, "/api/v1/dev/people", ""));
    let names: Vec<_> = people["users"].as_array().unwrap().iter().map(|user| user["fullName"].clone()).collect();
    assert_eq!(names, ["Alice", "Bob"]);
    for (wanted, id, name) in
        [(r#"{"userId": "alice"}"#, "alice", "Alice"), (r#"{"name": "Carla Jansen"}"#, "carla-jansen", "Carla Jansen")]
    {
        let signed_in = data(&sign_in(&server, &address, wanted));
        assert_eq!((&signed_in["user"]["_id"], &signed_in["user"]["fullName"]), (&id.into(), &name.into()));
        let token = signed_in["token"].as_str().unwrap();
        let me = data(&get(&address, "/api/v1/users/me", &format!("Authorization: Bearer {token}\r\n")));
        assert_eq!(me["user"], signed_in["user"]);
    }
    for nobody in ["{}", r#"{"name": " "}"#, r#"{"userId": ""}"#] {
        assert!(sign_in(&server, &address, nobody).starts_with("HTTP/1.1 400"), "{nobody}");
    }
}

#[test]
fn nobody_signs_in_under_another_name_of_this_machine_or_without_dev() {
    let parlance = Parlance::new();
    let server = start(&parlance, &["--dev"], &[]);
    let answer = sign_in(&server, "rebound.example", r#"{"userId": "alice"}"#);
    assert!(answer.starts_with("HTTP/1.1 403") && !answer.contains("token"), "{answer}");
    let parlance = Parlance::new();
    let server = start(&parlance, &[], &[]);
    for path in ["/api/v1/dev/people", "/api/v1/dev/sign-in"] {
        assert!(get(&server.address(0), path, "").starts_with("HTTP/1.1 404"), "{path}");
    }
}
