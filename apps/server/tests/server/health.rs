//! `parlance health`, as a supervisor runs it beside a server.

use std::net::TcpListener;

use crate::process::Parlance;

const SECRET: (&str, &str) = ("ACCESS_TOKEN_SECRET", "hush-hush-hush-hush-hush-hush-hush");

#[test]
fn a_server_is_ready_while_it_runs_and_not_after() {
    let parlance = Parlance::new();
    let server = parlance.start(&[], &[SECRET, ("DATABASE_URL", "memory:"), ("LISTEN", "127.0.0.1:0")], 1);
    let address = server.address(0);
    // Asked as what it says of itself, and as what listens everywhere.
    let everywhere = address.replace("127.0.0.1", "0.0.0.0");
    for listen in [&address, &everywhere] {
        assert_eq!(parlance.answered(&["health"], &[("LISTEN", listen)]), "ready\n");
    }
    assert_eq!(server.signalled("TERM").code, Some(0));
    let after = parlance.run(&["health"], &[("LISTEN", &address)]);
    let said = String::from_utf8_lossy(&after.stderr);
    assert_eq!(after.status.code(), Some(1), "{said}");
    assert!(said.starts_with(&format!("parlance: {address} does not answer: ")), "{said}");
}

#[test]
fn who_answers_something_else_is_not_ready() {
    let parlance = Parlance::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let busy = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 512];
        assert!(stream.read(&mut request).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let asked = parlance.run(&["health"], &[("LISTEN", &address)]);
    busy.join().unwrap();
    let said = String::from_utf8_lossy(&asked.stderr);
    assert_eq!(said, format!("parlance: {address} is not ready: HTTP/1.1 503 Service Unavailable\n"));
    assert_eq!(asked.status.code(), Some(1));
    assert_eq!(parlance.refused(&["health"], &[("LISTEN", "127.0.0.1:0")]), "LISTEN names no port that could be asked");
}
