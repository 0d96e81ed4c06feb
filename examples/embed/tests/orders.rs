//! The shop in a running server: its route answers beside the server's own, and a buyer who is away finds a notification.

use std::net::SocketAddr;
use std::sync::Arc;

use parlance_domain::model::ProfileChange;
use parlance_server::Server;
use parlance_server::config::{Config, Flags};
use parlance_storage_memory::MemoryStorage;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is answered: the status line, and all of it.
async fn ask(address: SocketAddr, method: &str, path: &str, body: &Value) -> (String, String) {
    let body = body.to_string();
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    (answer.lines().next().unwrap_or_default().to_owned(), answer)
}

#[tokio::test]
async fn an_order_moves_on_and_the_chat_is_beside_it() {
    let settings = |name: &str| match name {
        "LISTEN" => Some("127.0.0.1:0".to_owned()),
        "ACCESS_TOKEN_SECRET" => Some("a secret of this test, long enough".to_owned()),
        _ => None,
    };
    let config = Config::from_env(&Flags::default(), settings).expect("a valid configuration");
    let storage = Arc::new(MemoryStorage::new());
    let server = Server::builder(config).storage(storage).routes(parlance_example_embed::routes);
    let server = server.build().await.expect("it starts");
    let address = server.addresses()[0].0;
    let services = server.services().clone();
    let ann = "ann".parse().expect("an id");
    server.handle().put_user(&ann, ProfileChange::default()).await.expect("she is known");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));

    let (status, _) = ask(address, "PUT", "/shop/orders/7", &json!({ "buyer": "ann", "status": "shipped" })).await;
    assert_eq!(status, "HTTP/1.1 204 No Content");
    let page = services.notifying.list(&ann, true, 1, 10).await.expect("her notifications");
    let told: Vec<_> = page.notifications.iter().map(|view| (view.title.as_str(), view.message.as_str())).collect();
    assert_eq!(told, [("Order 7", "shipped")]);
    let (status, answer) = ask(address, "PUT", "/shop/orders/7", &json!({ "buyer": "", "status": "shipped" })).await;
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
    assert!(answer.ends_with("buyer: must be a user's id"), "{answer}");
    let (status, _) = ask(address, "GET", "/healthz", &Value::Null).await;
    assert_eq!(status, "HTTP/1.1 200 OK");

    stop.send(()).expect("it still runs");
    running.await.expect("it ends").expect("in order");
}
