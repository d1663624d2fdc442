//! Whether a connection is used: how many of its requests are open, and since when none is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// What a connection is doing.
#[derive(Clone, Debug, Default)]
pub(super) struct Activity(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    open: usize,
    /// When the last of them ended.
    ended: Option<Instant>,
}

/// A request that is open until this is dropped.
#[derive(Debug)]
pub(super) struct OpenRequest {
    of: Activity,
    /// Of what is scarce, if it is.
    place: Option<OwnedSemaphorePermit>,
}

/// What a connection was doing when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// No request has come yet.
    Nothing,
    Requests,
    IdleSince(Instant),
}

impl Activity {
    pub(super) fn open(&self) -> OpenRequest {
        self.state().open += 1;
        OpenRequest { of: self.clone(), place: None }
    }

    pub(super) fn look(&self) -> Doing {
        let state = self.state();
        match (state.open, state.ended) {
            (0, None) => Doing::Nothing,
            (0, Some(ended)) => Doing::IdleSince(ended),
            _ => Doing::Requests,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenRequest {
    /// Takes one of the places for what is scarce, for as long as the request is open.
    pub(super) fn take_place(&mut self, places: Arc<Semaphore>) -> bool {
        self.place = places.try_acquire_owned().ok();
        self.place.is_some()
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let mut state = self.of.state();
        state.open -= 1;
        if state.open == 0 {
            state.ended = Some(Instant::now());
        }
    }
}
