//! Calls that start at the same moment on different threads.

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinHandle;

/// Runs all of these at once. The answers are in the order of the tasks.
pub async fn race<T, F>(tasks: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<F> = tasks.into_iter().collect();
    let start = Arc::new(Barrier::new(tasks.len()));
    let running: Vec<JoinHandle<T>> = tasks.into_iter().map(|task| begin(&start, task)).collect();
    let mut answers = Vec::with_capacity(running.len());
    for task in running {
        answers.push(task.await.expect("no task of a race panics"));
    }
    answers
}

/// Runs two different things at once.
pub async fn race_two<A, B>(
    first: impl Future<Output = A> + Send + 'static,
    second: impl Future<Output = B> + Send + 'static,
) -> (A, B)
where
    A: Send + 'static,
    B: Send + 'static,
{
    let start = Arc::new(Barrier::new(2));
    let (first, second) = (begin(&start, first), begin(&start, second));
    (first.await.expect("no task of a race panics"), second.await.expect("no task of a race panics"))
}

fn begin<T: Send + 'static>(start: &Arc<Barrier>, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    let start = Arc::clone(start);
    tokio::spawn(async move {
        start.wait().await;
        task.await
    })
}
