//! The `Addresses` port.

use async_trait::async_trait;
use parlance_domain::model::{Address, UserId};
use parlance_domain::ports::{Addresses, NewAddress, StorageResult};

use crate::MemoryStorage;

#[async_trait]
impl Addresses for MemoryStorage {
    async fn put_address(&self, new: NewAddress) -> StorageResult<()> {
        let mut state = self.state();
        state.must_know([&new.user_id])?;
        let NewAddress { user_id, channel, address, at_most, alone, at: _ } = new;
        if alone {
            let others = state.addresses.iter_mut().filter(|((_, of), _)| *of == channel);
            others.for_each(|(_, addresses)| addresses.retain(|other| other.target != address.target));
        }
        let own = state.addresses.entry((user_id, channel)).or_default();
        own.retain(|other| other.target != address.target);
        own.insert(0, address);
        own.truncate(at_most);
        Ok(())
    }

    async fn list_addresses(&self, user: &UserId, channel: &str) -> StorageResult<Vec<Address>> {
        Ok(self.state().addresses.get(&(user.clone(), channel.to_owned())).cloned().unwrap_or_default())
    }

    async fn remove_address(&self, user: &UserId, channel: &str, target: &str) -> StorageResult<bool> {
        let mut state = self.state();
        let Some(own) = state.addresses.get_mut(&(user.clone(), channel.to_owned())) else { return Ok(false) };
        let before = own.len();
        own.retain(|address| address.target != target);
        Ok(own.len() < before)
    }
}
