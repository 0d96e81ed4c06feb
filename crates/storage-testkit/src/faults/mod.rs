//! What every storage that talks to a server must survive: connections that break, a server that comes and goes,
//! a pool that is used up, a second node. Beside the contract, since only such storages can show it:
//!
//! ```text
//! use parlance_storage_testkit::{faults::Server, storage_faults};
//!
//! /// A database server of this case's own.
//! async fn server() -> impl Server { … }
//!
//! storage_faults!(server);
//! ```

pub mod cases;
mod proxy;

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use parlance_domain::ports::Storage;

pub use proxy::{Fault, Proxy};

/// A database server that one case has for itself.
#[async_trait]
pub trait Server: Send + Sync + 'static {
    /// Where it listens, before and after a restart.
    fn address(&self) -> SocketAddr;

    /// One more storage on this server's one database, brought up to date, with at most `connections` connections to
    /// `address`: the server's, or that of a proxy. Its calls wait at most about a second for a free connection.
    async fn open(&self, address: SocketAddr, connections: u32) -> Arc<dyn Storage>;

    /// Kills it as a crash does and starts it again. What was committed is still there.
    async fn restart(&self);

    /// What the request of an append contains after which all of it is stored, and no other request of it.
    fn commit(&self) -> &'static [u8];
}

/// Expands to one test for each case of [`cases`]. `$server` is the name of an `async fn() -> impl Server` in scope
/// that starts a server.
#[macro_export]
macro_rules! storage_faults {
    ($server:ident) => {
        $crate::fault_tests! { $server;
            an_append_whose_request_is_lost_is_stored_whole_or_not_at_all,
            an_append_whose_answer_is_lost_is_stored_whole_or_not_at_all,
            a_restart_between_commit_and_answer_keeps_what_was_stored,
            what_a_process_leaves_unfinished_when_it_dies_is_soon_in_nobodys_way,
            what_a_call_leaves_unfinished_is_soon_in_nobodys_way,
            a_restart_is_not_noticed_by_later_calls,
            an_exhausted_pool_is_unavailable_until_it_is_free,
            two_nodes_share_one_database,
        }
    };
}

/// Writes down the tests of [`storage_faults!`].
#[doc(hidden)]
#[macro_export]
macro_rules! fault_tests {
    ($server:ident; $($case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::faults::cases::$case(&$server().await).await;
            }
        )*
    };
}
