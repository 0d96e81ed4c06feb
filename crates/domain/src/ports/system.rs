//! Time and identity, handed in so that tests can fix them.

use crate::model::{ObjectId, Timestamp};

/// The wall clock.
pub trait Clock: Send + Sync {
    /// The present moment. May jump, also backwards: nothing orders by it alone.
    fn now(&self) -> Timestamp;
}

/// Makes identities.
pub trait IdSource: Send + Sync {
    /// An id that nobody has: never the same twice in one process, and with overwhelming probability in none.
    /// Ids of one process rise, also when the clock jumps backwards.
    fn next_id(&self) -> ObjectId;
}

/// Makes identities that are keys as well: who knows one may see what it names.
pub trait RandomIds: Send + Sync {
    /// 12 bytes that nobody can guess, whatever ids they have seen.
    fn random_id(&self) -> ObjectId;
}
