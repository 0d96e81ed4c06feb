//! What notifications and media cost: a fixed number of statements, each by index, however many there are.

use crate::support::{Bench, draft, id, plan, scans};
use parlance_domain::model::Title;
use parlance_domain::model::{
    ConversationId, MediaLink, MediaType, Medium, MessageKind, NewMessage, NotificationId, NotificationKind, Timestamp,
    UserId,
};
use parlance_domain::ports::{
    ChatNote, Conversations, MediaItems, Messages, NewConversation, NewNotification, Notifications,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

const MANY: u64 = 100_000;

/// Asserts that none of the statements that ran since the last call scans a table, or sorts anything, and returns
/// them.
async fn indexed(bench: &Bench, look: &DatabaseConnection) -> Vec<String> {
    let ran = bench.statements();
    for statement in &ran {
        let plan = plan(look, statement).await;
        assert_eq!(scans(&plan), [""; 0], "{plan:#?} of {statement}");
        assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "{plan:#?} of {statement}");
    }
    ran
}

async fn fill(look: &DatabaseConnection, text: &str) {
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, text, [MANY.into()]);
    look.execute_raw(statement).await.expect("the database takes the rows");
}

/// A page, a count and single changes run these statements, whether there are ten notifications or very many.
async fn live(bench: &Bench, look: &DatabaseConnection, ann: &UserId, notes: &[ConversationId]) -> Vec<String> {
    bench.statements();
    let storage = &bench.storage;
    storage.count_unread_notifications(ann).await.expect("answers");
    let all = storage.list_notifications(ann, false, 0, 20).await.expect("answers");
    let deep = storage.list_notifications(ann, false, all.total - 1, 20).await.expect("answers");
    assert_eq!(deep.items.len(), 1, "the oldest");
    let unread = storage.list_notifications(ann, true, 0, 20).await.expect("answers");
    let deep = storage.list_notifications(ann, true, unread.total - 1, 20).await.expect("answers");
    assert_eq!(deep.items.len(), 1, "the oldest that is unread");
    let (first, second) = (&unread.items[0], &unread.items[1]);
    storage.mark_notification_read(ann, first.id).await.expect("answers").expect("it is Ann's");
    storage.mark_notification_read(ann, first.id).await.expect("answers").expect("it is Ann's");
    storage.remove_notification(ann, second.id).await.expect("answers").expect("it is Ann's");
    storage.mark_conversation_notification_read(ann, notes[0]).await.expect("answers").expect("it was noted");
    indexed(bench, look).await
}

/// Bob writes to Ann in three groups, and she is told.
async fn groups(bench: &Bench, ann: &UserId, bob: &UserId, from: u64) -> Vec<ConversationId> {
    let mut groups = Vec::new();
    for number in from..from + 3 {
        let group: ConversationId = id(number);
        let title = Title::new("Group").expect("a valid title");
        let (owner, members) = (bob.clone(), vec![ann.clone()]);
        let new = NewConversation::Group { id: group, title, owner, members };
        bench.storage.start_conversation(&new, Timestamp::from_millis(1)).await.expect("answers");
        bench.storage.append(vec![draft(number, group, bob, "x")]).await.expect("answers")[0].as_ref().expect("sent");
        let users = vec![(ann.clone(), id(1_000_000 + number))];
        let created_at = Timestamp::from_millis(1_700_000_000_000);
        let note = ChatNote { conversation_id: group, message_id: id(number), users, created_at };
        assert_eq!(bench.storage.note_message(note).await.expect("answers").made.len(), 1);
        groups.push(group);
    }
    groups
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn very_many_notifications_cost_what_ten_do() {
    let bench = Bench::new().await;
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let look = bench.look().await;
    let few = groups(&bench, &ann, &bob, 1).await;
    bench.storage.insert_notifications((10..20).map(|n| notice(n, &ann)).collect()).await.expect("answers");
    let of_few = live(&bench, &look, &ann, &few).await;
    assert_eq!(of_few.len(), 21, "{of_few:#?}");

    fill(
        &look,
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?) \
         INSERT INTO notifications (id, user_id, kind, title, message, read, created_at) \
         SELECT unhex(printf('%012x%012x', 9, n)), 'ann', 'system', 'Title', 'Message', n % 2, n FROM n",
    )
    .await;
    fill(&look, "UPDATE inboxes SET total = total + ?1, unread = unread + ?1 / 2 WHERE user_id = 'ann'").await;
    let many = groups(&bench, &ann, &bob, 11).await;
    let of_many = live(&bench, &look, &ann, &many).await;
    assert_eq!(of_many, of_few, "the same statements");

    let page = bench.storage.list_notifications(&ann, true, 0, 20).await.expect("answers");
    let unread = bench.storage.count_unread_notifications(&ann).await.expect("answers");
    assert!(page.total == unread && unread > MANY / 2, "the counts go together");
    bench.statements();
    let marked = bench.storage.mark_all_notifications_read(&ann).await.expect("answers");
    assert_eq!((marked.value, marked.unread), (unread, 0));
    assert_eq!(indexed(&bench, &look).await.len(), 3, "all are marked by one statement");
    bench.storage.mark_all_notifications_read(&ann).await.expect("answers");
    assert_eq!(bench.statements().len(), 1, "where nothing is unread, nothing is written");
    bench.storage.mark_conversation_notification_read(&ann, many[0]).await.expect("answers");
    assert_eq!(bench.statements().len(), 1, "and reading a conversation without a notification is one look");
}

fn notice(number: u64, user: &UserId) -> NewNotification {
    NewNotification {
        id: id(number),
        user_id: user.clone(),
        kind: NotificationKind::new("system").expect("a valid type"),
        title: "Title".to_owned(),
        message: "Message".to_owned(),
        link: None,
        data: None,
        created_at: Timestamp::from_millis(1_700_000_000_000),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telling_500_users_runs_the_statements_of_telling_one() {
    let bench = Bench::new().await;
    let bob = bench.user("bob").await;
    let mut users = Vec::new();
    for number in 0..500 {
        users.push(bench.user(&format!("user-{number}")).await);
    }
    let look = bench.look().await;
    let title = Title::new("Everybody").expect("a valid title");
    let new = NewConversation::Group { id: id(1), title, owner: bob.clone(), members: users.clone() };
    bench.storage.start_conversation(&new, Timestamp::from_millis(1)).await.expect("answers");
    bench.storage.append(vec![draft(1, id(1), &bob, "x")]).await.expect("answers")[0].as_ref().expect("sent");
    bench.statements();

    let mut next = 1_000_000;
    let mut ran: Vec<Vec<String>> = Vec::new();
    for told in [&users[..1], &users[1..]] {
        let mut ids = || {
            next += 1;
            id::<NotificationId>(next)
        };
        let note = ChatNote {
            conversation_id: id(1),
            message_id: id(1),
            users: told.iter().map(|user| (user.clone(), ids())).collect(),
            created_at: Timestamp::from_millis(2),
        };
        let noted = bench.storage.note_message(note.clone()).await.expect("answers");
        assert_eq!(noted.made.len(), told.len());
        assert!(noted.made.iter().all(|made| made.unread == 1));
        let notices = told.iter().map(|user| NewNotification { id: ids(), ..notice(0, user) }).collect();
        assert_eq!(bench.storage.insert_notifications(notices).await.expect("answers").len(), told.len());
        let statements = indexed(&bench, &look).await;
        assert_eq!(bench.storage.note_message(note).await.expect("answers").standing.len(), told.len());
        assert_eq!(bench.statements().len(), 1, "those who are told already cost one look");
        ran.push(statements);
    }
    assert_eq!(ran[0], ran[1], "the same statements, also by their text");
    assert_eq!(ran[0].len(), 4 + 3, "{ran:#?}");
}

fn medium(number: u64, uploader: &UserId) -> Medium {
    Medium {
        id: id(number),
        uploader: uploader.clone(),
        media_type: MediaType::Image,
        format: "png".to_owned(),
        content_type: "image/png".to_owned(),
        filename: "a.png".to_owned(),
        bytes: 1,
        digest: "00".repeat(32),
        dimensions: None,
        thumbnail: None,
        uploaded_at: Timestamp::from_millis(1),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_cost_two_statements_for_any_batch_and_none_where_there_are_none() {
    let bench = Bench::new().await;
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let direct = bench.direct(1, &ann, &bob).await;
    let look = bench.look().await;
    fill(
        &look,
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?) \
         INSERT INTO media (id, uploader, media_type, format, content_type, filename, bytes, digest, uploaded_at, uses) \
         SELECT unhex(printf('%012x%012x', 8, n)), 'ann', 1, 'png', 'image/png', 'a', 1, '', n, n % 1000 FROM n",
    )
    .await;
    let media: Vec<Medium> = (1..=100).map(|number| medium(number, &ann)).collect();
    for medium in &media {
        bench.storage.insert_medium(medium).await.expect("answers");
    }
    let showing = |number: u64, link: MediaLink| NewMessage {
        kind: MessageKind::Media(MediaType::Image),
        media: vec![link],
        ..draft(number, direct, &ann, "look")
    };
    let strange = MediaLink { url: "https://elsewhere.example/a.png".to_owned(), ..media[0].link("/media/") };
    bench.statements();
    let mut counts = Vec::new();
    for batch in [
        vec![draft(1_000, direct, &ann, "x")],
        vec![showing(1_001, strange)],
        vec![showing(1_002, media[0].link("/media/"))],
        media.iter().zip(2_000..).map(|(medium, number)| showing(number, medium.link("/media/"))).collect(),
    ] {
        let answers = bench.storage.append(batch).await.expect("answers");
        assert!(answers.iter().all(Result::is_ok), "all are stored");
        let ran = bench.statements();
        for statement in &ran {
            assert_eq!(scans(&plan(&look, statement).await), [""; 0], "{statement}");
        }
        counts.push(ran.len());
    }
    assert_eq!((counts[1], counts[2], counts[3]), (counts[0], counts[0] + 2, counts[0] + 2), "{counts:?}");

    let unused = bench.storage.list_unused_media(Timestamp::from_millis(50_000), 20).await.expect("answers");
    assert_eq!(unused.len(), 20);
    assert!(bench.storage.remove_medium(unused[0]).await.expect("answers"));
    assert!(bench.storage.find_medium(unused[0]).await.expect("answers").is_none());
    assert_eq!(indexed(&bench, &look).await.len(), 3);
}
