//! How an append's statements find what they need.

use crate::support::{Bench, draft, plan, scans};
use parlance_domain::model::NewMessage;
use parlance_domain::ports::Messages;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_looks_everything_up_by_index() {
    let bench = Bench::new().await;
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let direct = bench.direct(1, &ann, &bob).await;
    bench.storage.append(vec![draft(1, direct, &ann, "first")]).await.expect("answers");
    bench.statements();
    let answer = NewMessage { reply_to: Some(crate::support::id(1)), ..draft(2, direct, &bob, "second") };
    bench.storage.append(vec![answer]).await.expect("answers");
    let look = bench.look().await;
    for statement in bench.statements() {
        let plan = plan(&look, &statement).await;
        assert_eq!(scans(&plan), [""; 0], "{plan:#?} of {statement}");
    }
}
