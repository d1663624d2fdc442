//! Folding what is in the ledger and not yet in the rows: after they were deleted, or by a newer version of the fold.

use std::time::Instant;

use tokio::sync::watch;

use super::fold::Ahead;
use super::load::REPORT_EVERY;
use super::open::StartError;
use super::read;
use super::remains::CheckedRemains;
use super::state::State;
use crate::store::Store;

/// Events folded between two commits while catching up.
const FOLD_BATCH: usize = 1_000;

/// Folds the events that the folded rows do not hold yet: none after a clean or unclean stop, all after the rows were deleted.
pub(super) fn catch_up(
    store: &Store,
    state: &mut State,
    size: u64,
    stopping: &watch::Receiver<bool>,
) -> Result<(), StartError> {
    let mut next = store.folded()?;
    if next >= size {
        return Ok(());
    }
    tracing::info!(from = next, to = size, "folding events");
    let mut reported = Instant::now();
    let mut remains = CheckedRemains::new(store);
    let mut events = store.events(next)?;
    while next < size {
        if *stopping.borrow() {
            return Err(StartError::Stopped);
        }
        let mut batch = store.batch();
        let mut ahead = Ahead::of(store, state);
        let mut changes = Vec::new();
        for _ in 0..FOLD_BATCH.min((size - next) as usize) {
            let (index, stored) = events.next().ok_or(StartError::MissingEvent(next))??;
            if index != next {
                return Err(StartError::MissingEvent(next));
            }
            let event = read::decode(index, stored.opening().1)?;
            changes.extend(ahead.fold(index, &event)?);
            remains.check(index, &stored, &event)?;
            next += 1;
        }
        for change in &changes {
            change.write(&mut batch)?;
        }
        batch.set_folded(next)?;
        batch.commit()?;
        state.apply_ahead(&changes, &ahead);
        state.apply(&changes);
        if reported.elapsed() >= REPORT_EVERY {
            reported = Instant::now();
            tracing::info!(from = next, to = size, "folding events");
        }
    }
    Ok(())
}
