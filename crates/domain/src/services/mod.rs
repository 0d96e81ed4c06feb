//! Use cases: one service per capability, each a few methods that read like what a product owner would
//! say. They apply the rules, call the ports and publish events; transports call nothing else.
//!
//! Work that outlives a call (storing queued writes, ending typing, announcing presence) is done by
//! [`Workers`], which the application runs: the domain spawns nothing.

mod announcer;
mod backend;
mod blocking;
mod bounds;
mod calling;
mod closing;
mod cluster;
mod collecting;
mod conversing;
mod deadlines;
mod directory;
mod emails;
mod fresh_cache;
mod limiting;
mod local_bus;
mod messaging;
mod meters;
mod missed_calls;
mod moving;
mod notification_views;
mod notifying;
mod patience;
mod policy;
mod presence;
mod publisher;
mod queue;
mod reaching;
mod reading;
mod revoking;
mod rosters;
mod settings;
mod subscribing;
mod syncing;
mod typing;
mod upload_slots;
mod uploading;
mod views;
mod webhooks;
mod write_queue;
mod writer;

use std::sync::Arc;

pub use backend::Backend;
pub use blocking::Blocking;
pub use calling::{Calling, CallingWorker, Invitation, MAX_SIGNAL_BYTES};
pub use cluster::{ClusterBus, Following, Holding, Relay, RelayEnds};
pub use collecting::{Collected, Collecting};
pub use conversing::Conversing;
pub use directory::Directory;
pub use emails::EMAIL;
pub use limiting::Limiting;
pub use local_bus::LocalBus;
pub use messaging::{Messaging, Sent};
pub use moving::{Difference, MoveError, Moved, Moving, Progress, Side, Stage, Stored};
pub use notifying::{Notice, NotificationsPage, Notifier, Notifying};
pub use policy::AcceptAll;
pub use presence::{Presence, PresenceWorker};
pub use reaching::{Courier, Reach};
pub use reading::Reading;
pub use revoking::{Revoking, is_older};
pub use settings::{PresenceScope, Provisioning, Settings};
pub use subscribing::Subscribing;
pub use syncing::{ChangesView, Synced, Syncing};
pub use typing::{Typing, TypingWorker};
pub use uploading::{NewUpload, UploadParts, UploadTurn, Uploading};
pub use webhooks::{DeadLetters, WebhookReceiver, WebhookWorker};
pub use write_queue::PendingSend;
pub use writer::Writer;

use crate::ports::{Clock, EventBus, IdSource, Link, MessagePolicy, Outbox, Rooms, Storage};
use crate::rules::{Limits, Rates};

/// What services are built from.
pub struct Parts {
    /// Where everything is kept.
    pub storage: Arc<dyn Storage>,
    /// The storage's outbox; `None` for a storage that has none, and then there are no webhooks.
    pub outbox: Option<Arc<dyn Outbox>>,
    /// Who is told by webhooks; `None` for nobody.
    pub webhooks: Option<WebhookReceiver>,
    /// Where events go.
    pub bus: Arc<dyn EventBus>,
    /// The way to other nodes on the same storage, with a [`ClusterBus`] on it for a bus; `None` for a node that is
    /// alone.
    pub link: Option<Arc<dyn Link>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Identities for what is made.
    pub ids: Arc<dyn IdSource>,
    /// The product's say before a message is stored; [`AcceptAll`] has none.
    pub policy: Arc<dyn MessagePolicy>,
    /// Who is looking at which conversation; `ports::EmptyRooms` without sockets.
    pub rooms: Arc<dyn Rooms>,
    /// How people are reached who are not there; `None` where they are not.
    pub reach: Option<Reach>,
    /// Limits, scopes and times.
    pub settings: Settings,
}

/// All capabilities; cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// Who people are.
    pub directory: Directory,
    /// Conversations and who is in them.
    pub conversing: Conversing,
    /// Messages: sending, changing, finding.
    pub messaging: Messaging,
    /// Reading and unread counts.
    pub reading: Reading,
    /// Which tokens are revoked.
    pub revoking: Revoking,
    /// Who is online.
    pub presence: Presence,
    /// Who types.
    pub typing: Typing,
    /// Who blocks whom.
    pub blocking: Blocking,
    /// What a client missed.
    pub syncing: Syncing,
    /// What people are told beside.
    pub notifying: Notifying,
    /// Browsers that are told while they are closed.
    pub subscribing: Subscribing,
    /// Calls.
    pub calling: Calling,
    /// How fast people may go.
    pub limiting: Limiting,
    /// What the product's own backend does.
    pub backend: Backend,
    /// What concerns the sockets of this node.
    pub following: Following,
    bounds: bounds::Bounds,
    reaching: reaching::Reaching,
    /// Webhooks that were given up; `None` for a storage without an outbox.
    pub dead_letters: Option<DeadLetters>,
    webhooks: Option<webhooks::Webhooks>,
}

/// What runs beside the calls. Each part has a `run` that ends by itself after [`Services::close`].
pub struct Workers {
    /// Stores queued writes in batches.
    pub writer: Writer,
    /// Announces who comes and goes.
    pub presence: PresenceWorker,
    /// Announces who types and who stopped.
    pub typing: TypingWorker,
    /// Notes who has to be told of messages; ends after the writer.
    pub notifier: Notifier,
    /// Tells people who are away what waits for them.
    pub courier: Courier,
    /// Tells of calls, and ends those whose time is up.
    pub calling: CallingWorker,
    /// Delivers webhooks; `None` where nobody is told.
    pub webhooks: Option<WebhookWorker>,
    /// Stands between the bus and the sockets of a node among others; `None` for a node that is alone.
    pub relay: Option<Box<Relay>>,
}

impl Services {
    /// Builds all services on these parts.
    #[expect(clippy::too_many_lines, reason = "one part after the other, and nothing to decide")]
    pub fn new(parts: Parts) -> (Self, Workers) {
        let Parts { storage, outbox, webhooks, bus, link, clock, ids, policy, rooms, reach, settings } = parts;
        let settings = Arc::new(settings);
        let limiting = Limiting::new(settings.rates, link.is_none());
        let bounds = bounds::Bounds::new(settings.limits);
        let dead_letters = outbox.clone().map(|outbox| DeadLetters::new(outbox, clock.clone()));
        let (webhooks, webhook_worker) = outbox
            .zip(webhooks)
            .map(|(outbox, receiver)| {
                let alone = !settings.shared_storage;
                webhooks::Webhooks::new(webhooks::Needs { outbox, receiver, clock: clock.clone(), alone })
            })
            .unzip();
        let mut publisher = publisher::Publisher::new(bus);
        if let Some(webhooks::Webhooks { wake, .. }) = &webhooks {
            publisher = publisher.watched_by(wake.clone());
        }
        let rosters = rosters::Rosters::new(storage.clone(), settings.shared_storage);
        let revoking = Revoking::new(storage.clone());
        let mails = reach.iter().flat_map(|reach| &reach.channels).any(|channel| channel.name() == EMAIL);
        let emails = emails::Emails::new(reach.as_ref().map(|reach| reach.addresses.clone()), clock.clone(), mails);
        let subscribing = Subscribing::new(
            reach.as_ref().map(|reach| reach.addresses.clone()),
            reach.as_ref().and_then(|reach| reach.push.clone()),
            clock.clone(),
        );
        let directory =
            Directory::new(storage.clone(), revoking.clone(), emails.clone(), clock.clone(), settings.provisioning);
        let views = views::Views::new(storage.clone(), storage.clone(), directory.clone());
        let (queue, queued) = write_queue::write_queue(settings.storage_timeout);
        let (presence, presence_worker) = Presence::new(presence::Needs {
            conversations: storage.clone(),
            receipts: storage.clone(),
            blocks: storage.clone(),
            queue: queue.clone(),
            publisher: publisher.clone(),
            link: link.clone(),
            webhooks: webhooks.clone(),
            settings: &settings,
        });
        let lookers = cluster::Lookers::new(rooms, link.clone().map(|link| (presence.clone(), link)));
        let announcer = announcer::Announcer::new(
            storage.clone(),
            storage.clone(),
            directory.clone(),
            views.clone(),
            presence.clone(),
            publisher.clone(),
        );
        let notification_views = notification_views::NotificationViews::new(
            storage.clone(),
            storage.clone(),
            directory.clone(),
            rosters.clone(),
        );
        let (reaching, courier) = reaching::Reaching::new(reaching::Needs {
            reach,
            presence: presence.clone(),
            notifications: storage.clone(),
            messages: storage.clone(),
            receipts: storage.clone(),
            views: notification_views.clone(),
            directory: directory.clone(),
            clock: clock.clone(),
        });
        let (notifying, notifier) = Notifying::new(notifying::Needs {
            notifications: storage.clone(),
            views: notification_views.clone(),
            publisher: publisher.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            rosters: rosters.clone(),
            lookers: lookers.clone(),
            reaching: reaching.clone(),
        });
        let writer = Writer::new(
            queued,
            writer::Needs {
                messages: storage.clone(),
                receipts: storage.clone(),
                rosters: rosters.clone(),
                views: views.clone(),
                presence: presence.clone(),
                announcer: announcer.clone(),
                notifying: notifying.clone(),
                publisher: publisher.clone(),
                bounds: bounds.clone(),
            },
        );
        let blocking = Blocking::new(storage.clone(), directory.clone(), presence.clone(), clock.clone());
        let missed = missed_calls::MissedCalls {
            queue: queue.clone(),
            rosters: rosters.clone(),
            notifying: notifying.clone(),
            directory: directory.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let (calling, calling_worker) = Calling::new(
            rosters.clone(),
            blocking.clone(),
            missed,
            publisher.clone(),
            webhooks.clone(),
            link.clone(),
            settings.call_ring_timeout,
        );
        let webhook_worker = webhook_worker.map(|worker: webhooks::Unfinished| {
            worker.with(webhooks::LookingUp {
                messages: storage.clone(),
                conversations: storage.clone(),
                notifications: storage.clone(),
                views: views.clone(),
                announcer: announcer.clone(),
                notification_views,
            })
        });
        let conversing = Conversing::new(conversing::Needs {
            conversations: storage.clone(),
            rosters: rosters.clone(),
            directory: directory.clone(),
            views: views.clone(),
            blocking: blocking.clone(),
            presence: presence.clone(),
            announcer,
            calling: calling.clone(),
            queue: queue.clone(),
            publisher: publisher.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            bounds: bounds.clone(),
            own_media_prefix: settings.own_media_prefix.clone(),
        });
        let (typing, typing_worker) =
            Typing::new(conversing.clone(), blocking.clone(), publisher.clone(), settings.typing_timeout);
        let messaging = Messaging::new(messaging::Needs {
            messages: storage.clone(),
            media: storage.clone(),
            rosters: rosters.clone(),
            conversing: conversing.clone(),
            views: views.clone(),
            typing: typing.clone(),
            policy,
            queue,
            publisher: publisher.clone(),
            clock: clock.clone(),
            ids,
            bounds: bounds.clone(),
            settings,
        });
        let backend = Backend::new(backend::Needs {
            directory: directory.clone(),
            emails,
            revoking: revoking.clone(),
            clock,
            presence: presence.clone(),
            rosters: rosters.clone(),
            lookers: lookers.clone(),
            conversing: conversing.clone(),
            messaging: messaging.clone(),
            notifying: notifying.clone(),
            publisher: publisher.clone(),
        });
        let reading = Reading::new(storage.clone(), rosters.clone(), notifying.clone(), publisher);
        let following = Following::new(link, storage.clone());
        let relay = Relay::new(cluster::Needs {
            following: following.clone(),
            presence: presence.clone(),
            notifying: notifying.clone(),
            calling: calling.clone(),
            limiting: limiting.clone(),
            lookers,
            rosters: rosters.clone(),
            views: views.clone(),
            messages: storage.clone(),
            conversations: storage.clone(),
        });
        let syncing = Syncing::new(storage, rosters, views);
        let services = Self {
            directory,
            conversing,
            messaging,
            reading,
            revoking,
            presence,
            typing,
            blocking,
            syncing,
            notifying,
            subscribing,
            calling,
            limiting,
            backend,
            following,
            bounds,
            reaching,
            dead_letters,
            webhooks,
        };
        let workers = Workers {
            writer,
            presence: presence_worker,
            typing: typing_worker,
            notifier,
            courier,
            calling: calling_worker,
            webhooks: webhook_worker,
            relay,
        };
        (services, workers)
    }

    /// Lets other limits hold from now on, also those of rates (`None`: as fast as people can). What is under way is judged
    /// by either; what is stored stays.
    pub fn change_limits(&self, limits: Limits, rates: Option<Rates>) {
        self.bounds.change(limits);
        self.limiting.change(rates);
    }

    /// Takes no more writes: those that are queued are still stored and answered, then the workers end.
    pub fn close(&self) {
        self.messaging.close();
        self.presence.close();
        self.typing.close();
        self.calling.close();
        self.reaching.close();
        if let Some(webhooks) = &self.webhooks {
            webhooks.close();
        }
    }
}
