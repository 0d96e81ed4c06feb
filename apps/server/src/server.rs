//! A server that listens, and its life: serve until told to stop, then finish what was begun. Shutting down goes in
//! the order of a message's way: no new connections, no new commands, what is queued is stored and answered, sockets
//! are closed so that clients reconnect, the storage is closed last. It takes ten seconds at most.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use parlance_dialects::AnyDialect;
use parlance_domain::event::Event;
use parlance_domain::services::{Backend, Collecting, LocalBus, Services, Workers};
use parlance_socketio::{Listener, Transport};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::builder::{BUS_CAPACITY, Builder};
use crate::cluster::{Linked, say_farewell};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::reloading::Reloading;
use crate::serving;
use crate::storage::Opened;
use crate::tls::Tls;
use crate::traces::Traces;

/// How long shutting down may take in all.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// How much of it the sockets have to be answered and closed.
const SOCKETS_LIMIT: Duration = Duration::from_secs(6);

/// How much of it is kept for storing what is queued.
const STORAGE_LIMIT: Duration = Duration::from_secs(2);

/// How much of it a collector of traces may take.
const TRACES_LIMIT: Duration = Duration::from_secs(2);

/// A listener that is open.
pub(crate) struct Bound {
    pub(crate) listener: Listener,
    pub(crate) address: SocketAddr,
    pub(crate) dialect: AnyDialect,
}

/// A part of the server ended by itself. The rest was shut down in order.
#[derive(Debug, thiserror::Error)]
#[error("the {0} stopped by itself")]
pub struct Stopped(&'static str);

/// What a product's own backend does: the Rust side of the server API. Cheap to clone, and of use as long as the server
/// runs.
pub type Handle = Backend;

/// A server that listens and waits to be run.
pub struct Server {
    pub(crate) services: Services,
    pub(crate) workers: Workers,
    pub(crate) collecting: Collecting,
    pub(crate) transport: Transport,
    pub(crate) local: Arc<LocalBus>,
    pub(crate) events: mpsc::Receiver<Arc<Event>>,
    pub(crate) linked: Option<Linked>,
    pub(crate) routes: Router,
    pub(crate) listeners: Vec<Bound>,
    pub(crate) storage: Opened,
    pub(crate) tls: Option<Tls>,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) traces: Option<Traces>,
    /// Apart: it holds two configurations.
    pub(crate) reloading: Box<Reloading>,
}

/// A future whose type says nothing of what is in it.
pub(crate) type Boxed<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

impl Server {
    /// Begins a server of this configuration.
    pub fn builder(config: Config) -> Builder {
        Builder::new(config)
    }

    /// Where it listens, with the ports that the system chose, and what is spoken there.
    pub fn addresses(&self) -> Vec<(SocketAddr, AnyDialect)> {
        self.listeners.iter().map(|bound| (bound.address, bound.dialect)).collect()
    }

    /// What its listeners speak: `https` with a certificate, else `http`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// What the server can do, for the program around it: bots, imports, tests.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// What a product's own backend does, for the program around it: the Rust side of the server API.
    pub fn handle(&self) -> Handle {
        self.services.backend.clone()
    }

    /// What takes a changed configuration over while the server runs. One of them is enough: each knows only what it took
    /// over itself.
    pub fn reloading(&self) -> Reloading {
        (*self.reloading).clone()
    }

    /// What happens on this node from now on, for the program around it. It is never waited for: who falls 1,024 events
    /// behind misses the oldest and is told so.
    pub fn watch(&self) -> broadcast::Receiver<Arc<Event>> {
        self.local.watch()
    }

    /// Serves until `shutdown` is done, then shuts down in order.
    ///
    /// # Errors
    /// [`Stopped`] when a part ended that should not have, which is a bug.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), Stopped> {
        // Boxed, so that whoever embeds a server does not compile all that it does once more.
        self.boxed(Box::pin(shutdown)).await
    }

    fn boxed(self, shutdown: Boxed<'_, ()>) -> Boxed<'_, Result<(), Stopped>> {
        Box::pin(self.serve(shutdown))
    }

    async fn serve(self, shutdown: Boxed<'_, ()>) -> Result<(), Stopped> {
        let Self {
            services,
            workers,
            collecting,
            transport,
            local: _,
            events,
            linked,
            routes,
            listeners,
            storage,
            tls,
            metrics,
            traces,
            reloading: _,
        } = self;
        let (closing, closed) = watch::channel(false);

        let mut served = JoinSet::new();
        let acceptor = tls.as_ref().map(Tls::acceptor);
        for Bound { listener, .. } in listeners {
            served.spawn(serving::serve(listener, acceptor.clone(), routes.clone(), closed.clone()));
        }
        let Workers { writer, presence, typing, notifier, courier, calling, webhooks, relay } = workers;
        let mut working = JoinSet::new();
        working.spawn(writer.run());
        working.spawn(presence.run());
        working.spawn(typing.run());
        working.spawn(notifier.run());
        working.spawn(courier.run());
        working.spawn(calling.run());
        if let Some(webhooks) = webhooks {
            working.spawn(webhooks.run());
        }
        // These may be dropped at any point, so they end as soon as shutting down begins.
        let mut kept = JoinSet::new();
        kept.spawn(collecting.run());
        if let Some(tls) = tls {
            kept.spawn(tls.keep_fresh());
        }
        if let Some(metrics) = metrics {
            kept.spawn(metrics.keep_up());
        }
        let delivery = transport.clone();
        let mut delivered = JoinSet::new();
        let link = linked.as_ref().map(|linked| Arc::clone(&linked.link));
        let events = match (linked, relay) {
            (Some(linked), Some(relay)) => linked.relay(relay, events, BUS_CAPACITY, &mut delivered),
            _ => events,
        };
        delivered.spawn(async move { delivery.deliver(events).await });

        let outcome = tokio::select! {
            () = shutdown => Ok(()),
            _ = served.join_next() => Err(Stopped("listener")),
            _ = working.join_next() => Err(Stopped("worker")),
            _ = delivered.join_next() => Err(Stopped("delivery")),
            _ = kept.join_next() => Err(Stopped("housekeeping")),
        };
        kept.shutdown().await;

        tracing::info!("shutting down");
        let deadline = Instant::now() + SHUTDOWN_LIMIT;
        closing.send_replace(true);
        transport.shutdown(SOCKETS_LIMIT).await;
        // Requests that were begun are answered while the writer still stores; one that never ends is given up.
        let answered = timeout_at(deadline - STORAGE_LIMIT, ended(&mut served)).await;
        services.close();
        let stored = timeout_at(deadline, async {
            ended(&mut working).await;
            // Nobody publishes any more, and whoever gave the storage closes it after this.
            delivered.shutdown().await;
            if let Some(link) = &link {
                Box::pin(say_farewell(&**link)).await;
            }
            storage.close().await;
        });
        let stored = stored.await;
        if let Some(traces) = traces {
            traces.flush(TRACES_LIMIT.min(deadline.duration_since(Instant::now()))).await;
        }
        match (answered, stored) {
            (Ok(()), Ok(())) => tracing::info!("shut down"),
            (answered, stored) => tracing::warn!(
                requests = answered.is_ok(),
                storage = stored.is_ok(),
                "shut down before everything was done"
            ),
        }
        outcome
    }
}

/// Waits until all of these have ended.
async fn ended<T: 'static>(tasks: &mut JoinSet<T>) {
    while tasks.join_next().await.is_some() {}
}
