//! Users at their first contact, gathered: after a restart with an empty database, or when a product opens its doors,
//! thousands come at once, and a flush of the disk for each would be what they wait for. Whoever comes while others
//! wait for their turn to write is made together with them. There is no timer.

use std::sync::{Mutex, PoisonError};

use parlance_domain::model::{ClaimedProfile, Timestamp, User};
use rusqlite::params;
use tokio::sync::oneshot;

use super::{Prepared, Statements};
use crate::error::Failed;
use crate::users::INSERT;

/// A user who is not known yet, and how to tell whether they were made.
struct Newcomer {
    user: User,
    claims: ClaimedProfile,
    now: Timestamp,
    made: oneshot::Sender<bool>,
}

/// Those who wait to be made.
#[derive(Default)]
pub(super) struct Newcomers(Mutex<Vec<Newcomer>>);

impl Newcomers {
    /// Says whether nobody waited before.
    fn wait(&self, newcomer: Newcomer) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(newcomer);
        waiting.len() == 1
    }

    fn take(&self) -> Vec<Newcomer> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Prepared {
    /// Makes a user whose picture is no medium of ours. `false` if they are there already, or could not be made.
    pub(crate) async fn make(&self, user: User, claims: ClaimedProfile, now: Timestamp) -> bool {
        let (made, answer) = oneshot::channel();
        if self.newcomers.wait(Newcomer { user, claims, now, made }) {
            // Not part of this call, which may be dropped: the others rely on it.
            tokio::spawn(make_all(self.clone()));
        }
        answer.await.unwrap_or(false)
    }
}

/// Makes all who have come until it is their turn.
async fn make_all(prepared: Prepared) {
    let newcomers = prepared.newcomers.clone();
    let job = move |statements: &Statements<'_>| {
        let newcomers = newcomers.take();
        let made = insert(statements, &newcomers)?;
        Ok((newcomers, made))
    };
    match prepared.write(job).await {
        Ok((newcomers, made)) => {
            for (Newcomer { made: answer, .. }, made) in newcomers.into_iter().zip(made) {
                // Whoever has gone does not mind.
                let _ = answer.send(made);
            }
        }
        // Those who had no turn try by themselves, and are told what is wrong.
        Err(_) => drop(prepared.newcomers.take()),
    }
}

fn insert(statements: &Statements<'_>, newcomers: &[Newcomer]) -> Result<Vec<bool>, Failed> {
    statements.run(INSERT, |statement| {
        let mut made = Vec::with_capacity(newcomers.len());
        for Newcomer { user, claims, now, .. } in newcomers {
            let row = params![user.id.as_str(), user.name, user.picture, claims.name, claims.picture, now.millis()];
            made.push(statement.execute(row)? > 0);
        }
        Ok(made)
    })
}
