//! Takes records in: a batch is one transaction, and a statement or a few for each kind of record in it. What is
//! there stays. Counts that follow from records are worked out where the records come in; participants come after the
//! messages of their conversation, so that tombstones can be counted.

mod conversations;
mod media;
mod messages;
mod notifications;
mod users;

use parlance_domain::model::{Record, RecordsByKind, UserId};
use parlance_domain::rules::media::Named;
use sea_orm::FromQueryResult;

use crate::error::{BadRow, Failed};
use crate::media_items::{Use, insert_uses};
use crate::rows::user_id;
use crate::statement::Sql;
use crate::{SqlStorage, commit};

/// Takes a batch in, and remembers that the copy has reached its last record.
pub(super) async fn take_in(storage: &SqlStorage, records: &[Record]) -> Result<(), Failed> {
    let transaction = storage.pools.begin().await?;
    let reached = records.last().map(|record| record.place().to_string());
    let moved = Sql::new("UPDATE unfinished_copy SET reached = coalesce(?, reached)");
    if moved.bind(reached).run(&transaction).await? == 0 {
        return Err(BadRow("batch: no copy has begun").into());
    }
    let RecordsByKind { users, media, conversations, messages, participants, blocks, notifications } =
        RecordsByKind::of(records);
    users::insert(&transaction, &users).await?;
    media::insert(&transaction, &media).await?;
    conversations::insert(&transaction, &conversations).await?;
    messages::insert(&transaction, &messages).await?;
    conversations::insert_participants(&transaction, &participants).await?;
    users::insert_blocks(&transaction, &blocks).await?;
    notifications::insert(&transaction, &notifications).await?;
    commit(transaction).await
}

/// Finds the media that are pictures, which came in after their users, and forgets the copy.
pub(super) async fn finish(storage: &SqlStorage) -> Result<(), Failed> {
    #[derive(FromQueryResult)]
    struct PictureRow {
        id: String,
        picture: String,
    }
    const PAGE: i64 = 1_000;
    let transaction = storage.pools.begin().await?;
    let mut after = String::new();
    loop {
        let page =
            Sql::new("SELECT id, picture FROM users WHERE id > ? AND picture LIKE '%/media/%' ORDER BY id LIMIT ?");
        let page: Vec<PictureRow> = page.bind(after.as_str()).bind(PAGE).rows(&transaction).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        let mut pictures: Vec<(UserId, Named)> = Vec::with_capacity(page.len());
        for PictureRow { id, picture } in page {
            pictures.push((user_id(&id)?, Named::by_urls([picture.as_str()])));
        }
        insert_uses(&transaction, pictures.iter().map(|(id, named)| (Use::Picture(id), named.clone()))).await?;
    }
    Sql::new("DELETE FROM unfinished_copy").run(&transaction).await?;
    commit(transaction).await
}
