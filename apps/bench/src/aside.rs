//! Threads of their own for those who are not measured: what thousands of them do at once must not hold up the clients
//! beside whom they do it, or the load tool would measure itself.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// A runtime beside the one that measures.
#[derive(Debug)]
pub(crate) struct Aside {
    /// There until it is dropped.
    runtime: Option<Runtime>,
}

impl Aside {
    /// A runtime with one thread that works.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn new() -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("aside")
            .enable_all()
            .build()
            .map_err(|error| Failure::new("no second runtime", error))?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Carries `work` out there, with all the tasks that it starts.
    ///
    /// # Errors
    /// It broke down.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Failure> {
        let Some(runtime) = &self.runtime else { return Err(Failure::plain("the second runtime has ended")) };
        runtime.spawn(work).await.map_err(|error| Failure::new("what ran beside broke down", error))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // Waiting for its threads is nothing for a thread that runs tasks itself.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
