//! E-mail over a server that is real enough: it speaks SMTP on a port of its own, and answers as it is told.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test itself")]

use std::sync::Arc;
use std::time::Duration;

use parlance_domain::model::{
    Address, ConversationId, NotificationId, NotificationKind, NotificationView, Timestamp, User,
};
use parlance_domain::ports::{ChannelError, Digest, NotificationChannel, UnsubscribeLinks, Words};
use parlance_notify::{Mail, MailSettings, UnsubscribeKeys};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A server that answers a letter's end with these words, and hands on what it has heard.
struct SmtpServer {
    url: String,
    heard: mpsc::Receiver<Vec<String>>,
}

impl SmtpServer {
    async fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let (letters, heard) = mpsc::channel(10);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let lines = converse(stream, answer).await.unwrap_or_default();
                drop(letters.send(lines).await);
            }
        });
        Self { url, heard }
    }
}

/// One conversation of the protocol; says what was heard.
async fn converse(stream: TcpStream, answer: &str) -> std::io::Result<Vec<String>> {
    let (read, mut write) = stream.into_split();
    let (mut lines, mut heard, mut in_letter) = (BufReader::new(read).lines(), Vec::new(), false);
    write.write_all(b"220 mail.example\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer = match line.as_str() {
            "." if in_letter => {
                in_letter = false;
                answer
            }
            _ if in_letter => "",
            "DATA" => {
                in_letter = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        heard.push(line);
        if !answer.is_empty() {
            write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }
    Ok(heard)
}

fn keys() -> UnsubscribeKeys {
    UnsubscribeKeys::new([7; 32], [])
}

fn mail(server: &str) -> Mail {
    Mail::new(MailSettings {
        server: server.to_owned(),
        from: "Chat <chat@example.com>".to_owned(),
        public_url: "https://chat.example".to_owned(),
        conversation_link: "/#/c/{id}".to_owned(),
        gathers: Duration::from_mins(15),
        keys: keys(),
    })
    .unwrap()
}

fn digest() -> Digest {
    Digest {
        user: User { name: "Bób \"B\" Bär, Jr.".to_owned(), ..User::nameless("bob".parse().unwrap()) },
        addresses: vec![Address { target: "bob@example.com".to_owned(), extra: String::new() }],
        notification: NotificationView {
            id: NotificationId::from_bytes([9; 12]),
            kind: NotificationKind::chat_message(),
            title: "Zoë".to_owned(),
            message: "hello".to_owned(),
            link: None,
            conversation_id: Some(ConversationId::from_bytes([7; 12])),
            data: None,
            read: false,
            created_at: Timestamp::from_millis(0),
        },
        unread: 1,
        words: vec![Words { from: "Zoë".to_owned(), text: "hello\n.\nRCPT TO:<eve@example.com>".to_owned() }],
    }
}

#[tokio::test]
async fn a_letter_goes_to_its_reader_with_a_way_to_end_it() {
    let mut server = SmtpServer::answering("250 taken").await;
    mail(&server.url).deliver(&digest()).await.unwrap();
    let heard = server.heard.recv().await.unwrap();
    let has = |start: &str| heard.iter().any(|line| line.starts_with(start));
    assert!(has("MAIL FROM:<chat@example.com>") && has("RCPT TO:<bob@example.com>"), "{heard:#?}");
    let head = heard.iter().position(|line| line == "DATA").unwrap();
    let body = heard[head..].iter().position(String::is_empty).unwrap() + head;
    assert!(!heard[..head].iter().any(|line| line.contains("eve@")), "nobody else is written to: {heard:#?}");
    let header = |name: &str| {
        let found = heard[head..body].iter().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.unwrap_or_else(|| panic!("{name} in {heard:#?}")).to_owned()
    };
    assert_eq!(header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert!(header("Message-ID").ends_with("@example.com>"));
    let link = header("List-Unsubscribe");
    let token = link.split_once("token=").unwrap().1.trim_end_matches('>');
    assert_eq!(keys().find(token), Some("bob".parse().unwrap()));
    assert!(header("Content-Type").starts_with("multipart/alternative"));
    assert!(has("Content-Type: text/plain") && has("Content-Type: text/html"), "{heard:#?}");
}

#[tokio::test]
async fn what_the_server_says_decides_whether_it_is_tried_again() {
    for (answer, later) in [
        ("451 come back", true),
        ("535 who are you", true),
        ("421 closing", true),
        ("550 no such box", false),
        ("554 spam", false),
    ] {
        let server = SmtpServer::answering(answer).await;
        let failed = mail(&server.url).deliver(&digest()).await.unwrap_err();
        assert_eq!(matches!(failed, ChannelError::Later(_)), later, "{answer}: {failed:?}");
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    drop(listener);
    assert!(matches!(mail(&url).deliver(&digest()).await, Err(ChannelError::Later(_))), "nobody is there");
}

#[tokio::test]
async fn an_address_that_is_none_is_not_tried_again() {
    let server = SmtpServer::answering("250 taken").await;
    let mut digest = digest();
    digest.addresses[0].target = "bob".to_owned();
    let channel: Arc<dyn NotificationChannel> = Arc::new(mail(&server.url));
    assert!(matches!(channel.deliver(&digest).await, Err(ChannelError::Refused(_))));
}
