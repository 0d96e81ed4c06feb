//! A channel of a product's own, as `docs/channels.md` describes it; and what is said to a storage that keeps nothing for
//! channels.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parlance_domain::model::{ClaimedProfile, Preferences};
use parlance_domain::ports::{ChannelError, Claims, Delivered, Digest, NotificationChannel};
use parlance_domain::rules::messages::Draft;
use parlance_server::Server;
use parlance_server::config::{Config, DatabaseAt, Flags};
use parlance_storage_memory::MemoryStorage;
use tokio::sync::{mpsc, oneshot};

/// Beeps at people by their ids.
struct Pager(mpsc::Sender<String>);

#[async_trait]
impl NotificationChannel for Pager {
    fn name(&self) -> &'static str {
        "pager"
    }

    fn is_wanted(&self, preferences: &Preferences) -> bool {
        preferences.push
    }

    fn gathers(&self) -> Duration {
        Duration::ZERO
    }

    fn needs_address(&self) -> bool {
        false
    }

    async fn deliver(&self, digest: &Digest) -> Result<Delivered, ChannelError> {
        let beep = format!("{}: {} unread of {}", digest.user.id, digest.unread, digest.notification.title);
        self.0.send(beep).await.map_err(|gone| ChannelError::Later(Box::new(gone)))?;
        Ok(Delivered::default())
    }
}

fn config() -> Config {
    let settings = |name: &str| match name {
        "LISTEN" => Some("127.0.0.1:0".to_owned()),
        "ACCESS_TOKEN_SECRET" => Some("a secret of this test, long enough".to_owned()),
        _ => None,
    };
    let mut config = Config::from_env(&Flags::default(), settings).unwrap();
    config.database.at = DatabaseAt::Memory;
    config.media.at = parlance_media::BlobsAt::Memory;
    config
}

fn claims(id: &str) -> Claims {
    let profile = ClaimedProfile { name: Some(id.to_uppercase()), picture: None };
    Claims { user_id: id.parse().unwrap(), profile, email: None, issued_at: None, expires_at: None }
}

#[tokio::test]
async fn a_channel_of_ones_own_reaches_who_is_away() {
    let (beeps, mut beeped) = mpsc::channel(10);
    let server = Server::builder(config()).channel(Arc::new(Pager(beeps))).build().await.unwrap();
    let services = server.services().clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
    let ann = services.directory.admit(&claims("ann")).await.unwrap();
    let bob = services.directory.admit(&claims("bob")).await.unwrap();
    let (chat, _) = services.conversing.start_direct(&ann, &bob.id).await.unwrap();
    services.messaging.send(&ann, Draft::text(chat.conversation.id, "hello"), None).await.unwrap();
    assert_eq!(beeped.recv().await.unwrap(), "bob: 1 unread of ANN");
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_storage_that_keeps_nothing_for_channels_refuses_them() {
    let (beeps, _) = mpsc::channel(1);
    let builder = Server::builder(config()).storage(Arc::new(MemoryStorage::new())).channel(Arc::new(Pager(beeps)));
    let refused = builder.build().await.err().unwrap().to_string();
    assert!(refused.starts_with("DATABASE_URL") && refused.contains("keeps nothing for channels"), "{refused}");
    let without = Server::builder(config()).storage(Arc::new(MemoryStorage::new())).build().await;
    assert!(without.is_ok(), "without channels it runs as ever");
}
