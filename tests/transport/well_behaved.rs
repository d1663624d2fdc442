//! A client that behaves, while others do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::Role;
use tokio::task::JoinHandle;

use crate::support::{TestHub, check_of, pdq};

/// Checks one hash after the other over a connection of its own, each of which must be answered.
pub struct WellBehaved {
    answered: Arc<AtomicUsize>,
    done: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl WellBehaved {
    /// Begins, and has had its first answer.
    pub async fn start(hub: &TestHub) -> Self {
        let (_, key) = hub.enrol("Well behaved", "NZ", &[Role::Checker]).await;
        Self::with(Client::connect(&hub.url(), Some(&key), None).await.unwrap()).await
    }

    pub async fn with(client: Client) -> Self {
        let (answered, done) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let task = tokio::spawn({
            let (answered, done) = (answered.clone(), done.clone());
            async move {
                while !done.load(Ordering::Relaxed) {
                    client.checks().check(check_of([pdq(1)])).await.expect("a client that behaves is answered");
                    answered.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        });
        let this = Self { answered, done, task };
        this.goes_on().await;
        this
    }

    /// Waits until it has had more answers.
    pub async fn goes_on(&self) {
        let enough = self.answered.load(Ordering::Relaxed) + 5;
        while self.answered.load(Ordering::Relaxed) < enough {
            assert!(!self.task.is_finished(), "a client that behaves was not answered");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// It is still being answered; and ends.
    pub async fn finish(self) {
        self.goes_on().await;
        self.done.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
    }
}
