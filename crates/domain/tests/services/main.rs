//! Services on the storage in memory: what they store, what they tell, what they refuse.

mod calling;
mod cluster;
mod messaging;
mod moving;
mod notifying;
mod people;
mod reaching;
mod support;
mod webhooks;
