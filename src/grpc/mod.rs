//! The gRPC services: each method reads its request, gets its permit, calls one use case, and writes the answer.
//!
//! Invariant: no request reaches a method without a row in [`access::TABLE`] that lets it pass. Nothing is decided here that a REST
//! gateway would have to decide again.

pub mod access;
mod admin;
mod check;
mod contribute;
mod feedback;
mod incident;
mod intake;
mod ledger;
pub mod policy;
mod request_id;
mod retention;
mod review;
mod router;
mod statistics;
mod taxonomy;

pub use access::AccessService;
pub use intake::{Intake, MESSAGE_BYTES_MAX, intake};
pub use router::services;

use std::future::ready;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tokio::sync::watch;
use tonic::{Request, Status};

use crate::hub::{Gate, UseCases};
use crate::policy::{Authority, Lapsed, OpenStream, Operation, Permit, Places, Principal};
use crate::wire::IntoStatus;

/// Requests worked on at the same time. A request has its place until its answer, or its stream of answers, begins. When all are
/// taken the next is refused at once. Health, the schema and what changes members and keys need none: a hub that is flooded can be looked at,
/// and whoever floods it suspended.
const PLACES: usize = 1_024;
/// The same of what operators and auditors read.
const READING_PLACES: usize = 64;
/// How often an open stream's permit is looked at again. Revocation is to reach it within a second.
const RECONFIRM: Duration = Duration::from_millis(500);

/// The use cases, once the hub is up; and the word when it goes down.
#[derive(Clone)]
pub struct Desk {
    use_cases: Arc<OnceLock<UseCases>>,
    stopping: watch::Receiver<bool>,
    /// For requests that are worked on.
    places: Places,
    /// For what operators and auditors read of members, keys and what was done with them.
    reading_places: Places,
}

impl Desk {
    /// A desk without use cases yet. Streams end when `stopping` becomes true.
    pub fn new(stopping: watch::Receiver<bool>) -> Self {
        Self {
            use_cases: Arc::default(),
            stopping,
            places: Places::new(PLACES),
            reading_places: Places::new(READING_PLACES),
        }
    }

    /// Opens the desk. Has effect once.
    pub fn open(&self, use_cases: UseCases) {
        // A second hub for the same desk would be a mistake of the wiring; the first stays.
        let _ = self.use_cases.set(use_cases);
    }

    /// The use cases, if the hub is up.
    ///
    /// # Errors
    /// UNAVAILABLE while it loads: not "no match".
    pub fn use_cases(&self) -> Result<&UseCases, Status> {
        self.use_cases
            .get()
            .ok_or_else(|| Status::unavailable("the hub is still loading its index: try again in a moment"))
    }

    /// What ends a stream when the hub shuts down, or when what permitted the stream no longer holds, to be used with
    /// `take_until`; and what the stream then says at its end, so that nobody takes it for complete. A stream that has ended by
    /// itself says nothing more.
    fn end<T: Send + 'static>(
        &self,
        gate: Gate,
        authority: Authority,
    ) -> (impl Future<Output = ()> + Send + 'static, impl Stream<Item = Result<T, Status>> + Send + 'static) {
        let mut stopping = self.stopping.clone();
        let why = Arc::new(OnceLock::new());
        let told = why.clone();
        let ended = async move {
            // An error of `wait_for` means that the sender is gone: that is the end, too.
            let status = tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => {
                    Status::unavailable("the hub is shutting down: go on from here when it is back")
                }
                lapsed = lapse(&gate, &authority) => lapsed.into_status(),
            };
            let _ = why.set(status);
        };
        let farewell = stream::once(async move { told.get().cloned().map(Err) });
        (ended, farewell.filter_map(ready))
    }
}

/// Waits until what was permitted no longer is: somebody who asks nothing must not be left with an open stream.
async fn lapse(gate: &Gate, authority: &Authority) -> Lapsed {
    loop {
        tokio::time::sleep(RECONFIRM).await;
        if let Err(lapsed) = gate.confirm(authority) {
            return lapsed;
        }
    }
}

/// A stream of answers, and what counts as long as it is open.
fn while_open<T>(open: OpenStream, answers: impl Stream<Item = T> + Send + 'static) -> BoxStream<'static, T> {
    Box::pin(answers.map(move |answer| {
        // Let go of with the stream.
        let _ = &open;
        answer
    }))
}

/// The permit of a request for `O`.
fn permit<O: Operation, T>(request: &Request<T>) -> Result<Permit<O>, Status> {
    // The access layer puts the principal there for every method that is not open.
    let principal = request.extensions().get::<Principal>().ok_or_else(|| Status::unauthenticated("no API key"))?;
    principal.permit::<O>().map_err(IntoStatus::into_status)
}
