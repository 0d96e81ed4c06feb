//! The signals by which a process is told to end.

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
