//! The signals by which a process is told something: to end, or that its configuration has changed.

use std::future::Future;

/// Listens from the call on, and is done once the process is told to end: by SIGTERM or SIGINT, elsewhere than on
/// Unix by Ctrl-C. Call it within a runtime. A system that refuses to tell is treated as one that never does.
#[cfg(unix)]
pub fn terminated() -> impl Future<Output = ()> + Send {
    use tokio::signal::unix::{SignalKind, signal};

    let listen = |kind| {
        let signal = signal(kind).inspect_err(|error| tracing::error!(%error, "signals cannot be heard"));
        async move {
            match signal {
                Ok(mut signal) => drop(signal.recv().await),
                Err(_) => std::future::pending().await,
            }
        }
    };
    let (terminate, interrupt) = (listen(SignalKind::terminate()), listen(SignalKind::interrupt()));
    async move {
        tokio::select! {
            () = terminate => {}
            () = interrupt => {}
        }
    }
}

/// Is done once the process is told to end, by Ctrl-C.
#[cfg(not(unix))]
pub fn terminated() -> impl Future<Output = ()> + Send {
    async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "signals cannot be heard");
            std::future::pending::<()>().await;
        }
    }
}

/// What tells that the configuration has changed: SIGHUP, elsewhere than on Unix nothing.
#[derive(Debug, Default)]
pub struct Hangups(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

/// Listens from the call on: the signal does not end the process any more. Call it within a runtime.
#[cfg(unix)]
pub fn hangups() -> Hangups {
    use tokio::signal::unix::{SignalKind, signal};

    let refused = |error: &std::io::Error| tracing::error!(%error, "SIGHUP cannot be heard");
    Hangups(signal(SignalKind::hangup()).inspect_err(refused).ok())
}

/// Never tells anything.
#[cfg(not(unix))]
pub fn hangups() -> Hangups {
    Hangups::none()
}

impl Hangups {
    /// None of them is listened to: the system decides what they do.
    pub fn none() -> Self {
        Self::default()
    }

    /// Waits for the next one. Those that come while nobody waits are one.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.0
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
