//! What several nodes on one storage need to be one server, whatever carries words between them (`ports::Link`): events
//! go to the nodes that hold sockets of those concerned; what changes a conversation reaches this node's sockets in the
//! order of its `rev`, each change once; what was lost on the way is read from the storage. A node that is alone has
//! none of this: its events go from the bus to the sockets as they are.

mod beside;
mod bus;
mod followed;
mod following;
mod lookers;
mod nodes;
mod reading;
mod relay;
mod sequence;
mod topic;
mod typists;

pub use bus::ClusterBus;
pub use following::{Following, Holding};
pub use relay::{Relay, RelayEnds};

pub(super) use lookers::{Lookers, Looking};
pub(super) use relay::Needs;
