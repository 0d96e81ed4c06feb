//! Tells a worker that its service takes nothing more.

use std::sync::Arc;

use tokio::sync::watch;

/// The service's end.
#[derive(Clone)]
pub(super) struct Switch(Arc<watch::Sender<bool>>);

/// The worker's end.
#[derive(Clone)]
pub(super) struct Closing(watch::Receiver<bool>);

pub(super) fn closing() -> (Switch, Closing) {
    let (switch, closing) = watch::channel(false);
    (Switch(Arc::new(switch)), Closing(closing))
}

impl Switch {
    /// Closes, for good.
    pub(super) fn close(&self) {
        self.0.send_replace(true);
    }
}

impl Closing {
    /// Whether it is closed.
    pub(super) fn is_closed(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is closed, or the service is gone.
    pub(super) async fn closed(&mut self) {
        // Only the fact matters; the guard of the value must not live across an await.
        drop(self.0.wait_for(|closed| *closed).await);
    }
}
