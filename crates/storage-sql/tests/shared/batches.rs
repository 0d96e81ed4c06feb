//! The number and the texts of an append's statements do not depend on the size of its batch.

use crate::support::{APPEND_STATEMENTS, Bench, draft};
use parlance_domain::model::{MessageId, NewMessage};
use parlance_domain::ports::Messages;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_200_runs_the_statements_of_a_batch_of_one() {
    let bench = Bench::new().await;
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let mut directs = Vec::new();
    for number in 1..=20 {
        let other = bench.user(&format!("other-{number}")).await;
        directs.push((bench.direct(number, &ann, &other).await, other));
    }
    let hall = bench.direct(99, &ann, &bob).await;
    let first = bench.storage.append(vec![draft(1, hall, &ann, "first")]).await.expect("answers");
    let original: MessageId = first[0].as_ref().expect("sent").message.id;
    bench.statements();

    // Each reads something, answers something, delivers to somebody.
    let one = NewMessage { reply_to: Some(original), delivered_to: Some(ann.clone()), ..draft(2, hall, &bob, "one") };
    let answers = bench.storage.append(vec![one]).await.expect("answers");
    assert_eq!(answers[0].as_ref().expect("sent").newly_read.len(), 1);
    let of_one = bench.statements();

    let mut batch = vec![NewMessage { reply_to: Some(original), ..draft(10, hall, &ann, "answer") }];
    for number in 1..200_u64 {
        let (direct, other) = &directs[usize::try_from(number).expect("small") % directs.len()];
        let sender = if number % 3 == 0 { &ann } else { other };
        batch.push(NewMessage { delivered_to: Some(ann.clone()), ..draft(10 + number, *direct, sender, "many") });
    }
    let answers = bench.storage.append(batch).await.expect("answers");
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 200);
    let of_many = bench.statements();

    assert_eq!(of_many, of_one, "the same statements, also by their text");
    assert_eq!(of_many.len(), APPEND_STATEMENTS, "{of_many:#?}");
}
