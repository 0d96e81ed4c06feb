//! The SQL schema, as a sequence of migrations. Each is applied once and never changed after a release;
//! what a release does not know, it refuses. Statements that read and write the tables live in
//! `parlance-storage-sql`, which also runs these.

mod engine;
mod m20261121_000001_chat;
mod m20261121_000002_notifications;
mod m20261121_000003_media;
mod m20261121_000004_copies;
mod m20261126_000005_revocations;
mod m20261127_000006_outbox;
mod m20261127_000007_channels;

use sea_orm_migration::MigrationTrait;
pub use sea_orm_migration::MigratorTrait;

/// All migrations, oldest first.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_chat::Chat),
            Box::new(m20261121_000002_notifications::Notifications),
            Box::new(m20261121_000003_media::Media),
            Box::new(m20261121_000004_copies::Copies),
            Box::new(m20261126_000005_revocations::Revocations),
            Box::new(m20261127_000006_outbox::Outbox),
            Box::new(m20261127_000007_channels::Channels),
        ]
    }
}
