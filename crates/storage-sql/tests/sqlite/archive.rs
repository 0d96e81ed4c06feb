//! A database file can be moved, and a page of records is a walk along an index.

use parlance_domain::model::{ConversationId, MediumId, NotificationId, Place, Timestamp};
use parlance_domain::ports::Archive;
use parlance_storage_sql::{Options, SqlStorage};
use parlance_storage_testkit::{Movable, archive_contract};

use crate::support::{Bench, id, plan, scans};

async fn fresh() -> Movable {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("chat.db").display());
    let storage = SqlStorage::connect(&url, &Options::default()).await.expect("a new database opens");
    storage.migrate().await.expect("a new database is migrated");
    Movable::new(storage).keeping(folder)
}

archive_contract!(fresh);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_records_neither_scan_nor_sort() {
    let bench = Bench::new().await;
    let look = bench.look().await;
    let (ann, home): (_, ConversationId) = (bench.user("ann").await, id(1));
    let (medium, notification): (MediumId, NotificationId) = (id(2), id(3));
    bench.statements();
    for place in [
        Place::Users(Some(ann.clone())),
        Place::Media(Some(medium)),
        Place::Conversations(Some(home)),
        Place::Messages(Some((home, 7))),
        Place::Participants(Some((home, Some(ann.clone())))),
        Place::Blocks(Some(ann.clone())),
        Place::Notifications(Some((ann, Timestamp::from_millis(1), notification))),
    ] {
        bench.storage.list_records(&place, 10).await.expect("the storage answers");
        for statement in bench.statements() {
            let plan = plan(&look, &statement).await;
            assert_eq!(scans(&plan), [""; 0], "{plan:#?} of {statement}");
            // Blocks of one person and one moment are put in their order; they are few.
            let sorts = plan.iter().filter(|step| step.contains("TEMP B-TREE") && !step.contains("LAST")).count();
            assert!(sorts == 0 || matches!(place, Place::Blocks(_)), "{plan:#?} of {statement}");
        }
    }
}
