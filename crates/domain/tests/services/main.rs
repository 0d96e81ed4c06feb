//! Services on the storage in memory: what they store, what they tell, what they refuse.

mod messaging;
mod people;
mod support;
