//! Calls that failed for a reason that is gone the next time, carried out again. Only what certainly did not happen
//! is repeated: a commit without an answer never is. Who waits how long for what is in `connect`.

use std::pin::pin;
use std::time::Duration;

use parlance_domain::ports::StorageResult;

use crate::SqlStorage;
use crate::error::{Failed, Remedy};

/// How often two transactions may get into each other's way before that is told. Locks are taken in one order, so
/// it is for what nobody has thought of.
const CONFLICTS: u32 = 5;

impl SqlStorage {
    /// Carries out `call`, again if need be.
    pub(crate) async fn again<T, F>(&self, call: impl Fn() -> F) -> StorageResult<T>
    where
        F: Future<Output = Result<T, Failed>>,
    {
        let limits = self.pools.limits();
        let attempts = pin!(async {
            let (mut conflicts, mut lost) = (0, 0);
            loop {
                let failed = match call().await {
                    Ok(value) => return Ok(value),
                    Err(failed) => failed,
                };
                match failed.remedy() {
                    Some(Remedy::Repeat) if conflicts < CONFLICTS => {
                        conflicts += 1;
                        tokio::time::sleep(Duration::from_millis(5) * conflicts).await;
                    }
                    // Each that is lost is gone from the pool; the one after the last is fresh.
                    Some(Remedy::Reconnect) if lost < limits.connections => lost += 1,
                    _ => return Err(failed),
                }
            }
        });
        let outcome = match limits.call {
            Some(limit) => tokio::time::timeout(limit, attempts).await.unwrap_or_else(|_| {
                limits.doubt.raise();
                Err(Failed::Late)
            }),
            None => attempts.await,
        };
        Ok(outcome?)
    }
}
