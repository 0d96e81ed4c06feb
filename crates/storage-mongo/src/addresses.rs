//! The `Addresses` port. An address is one document with user, channel and target as its key; of several that are put at
//! once, each forgets what is too many after it has written.

use async_trait::async_trait;
use mongodb::bson::{DateTime, doc};
use parlance_domain::model::{Address, UserId};
use parlance_domain::ports::{Addresses, NewAddress, StorageResult};
use serde::{Deserialize, Serialize};

use crate::MongoStorage;
use crate::documents::date;
use crate::error::Failed;
use crate::reader::Query;
use crate::schema::ADDRESSES;

/// Where somebody is reached.
#[derive(Debug, Serialize, Deserialize)]
struct AddressDocument {
    #[serde(rename = "_id")]
    id: String,
    user: String,
    channel: String,
    target: String,
    extra: String,
    put_at: DateTime,
}

impl From<AddressDocument> for Address {
    fn from(document: AddressDocument) -> Self {
        let AddressDocument { id: _, user: _, channel: _, target, extra, put_at: _ } = document;
        Self { target, extra }
    }
}

/// The key of an address. User ids have no control characters.
fn address_id(user: &UserId, channel: &str, target: &str) -> String {
    format!("{user}\n{channel}\n{target}")
}

#[async_trait]
impl Addresses for MongoStorage {
    async fn put_address(&self, new: NewAddress) -> StorageResult<()> {
        let NewAddress { user_id, channel, address: Address { target, extra }, at_most, alone, at } = new;
        let addresses = self.deployment.database.collection::<AddressDocument>(ADDRESSES);
        if alone {
            let others = doc! { "channel": &channel, "target": &target, "user": { "$ne": user_id.as_str() } };
            self.within_write(addresses.delete_many(others).into_future()).await?;
        }
        let id = address_id(&user_id, &channel, &target);
        let set = doc! {
            "user": user_id.as_str(), "channel": &channel, "target": &target, "extra": extra, "put_at": date(at),
        };
        let put = addresses.update_one(doc! { "_id": &id }, doc! { "$set": set }).upsert(true);
        self.within_write(put.into_future()).await?;
        // The one that was just put stays, whatever the moments of the others.
        let all = self.addresses_of(&user_id, &channel).await?;
        let others = all.into_iter().map(|other| other.id).filter(|other| *other != id);
        let forgotten: Vec<String> = others.skip(at_most.saturating_sub(1)).collect();
        if !forgotten.is_empty() {
            self.within_write(addresses.delete_many(doc! { "_id": { "$in": forgotten } }).into_future()).await?;
        }
        Ok(())
    }

    async fn list_addresses(&self, user: &UserId, channel: &str) -> StorageResult<Vec<Address>> {
        Ok(self.addresses_of(user, channel).await?.into_iter().map(Address::from).collect())
    }

    async fn remove_address(&self, user: &UserId, channel: &str, target: &str) -> StorageResult<bool> {
        let addresses = self.deployment.database.collection::<AddressDocument>(ADDRESSES);
        let this = doc! { "_id": address_id(user, channel, target) };
        Ok(self.within_write(addresses.delete_one(this).into_future()).await?.deleted_count > 0)
    }
}

impl MongoStorage {
    async fn addresses_of(&self, user: &UserId, channel: &str) -> Result<Vec<AddressDocument>, Failed> {
        let query = Query::new(ADDRESSES, doc! { "user": user.as_str(), "channel": channel });
        self.within(self.reader().all(query.sort(doc! { "put_at": -1, "_id": 1 }))).await
    }
}
