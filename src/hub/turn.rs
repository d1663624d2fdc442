//! Turns: how long a check may keep a thread that others wait for.

use tokio::task::coop::consume_budget;

/// Steps of one turn: of about ten microseconds each, so a few hundred in all.
pub(super) const STEPS: usize = 32;
/// The runtime's measure: each of its turns begins with 128 units.
const UNITS: usize = 128 / STEPS;

/// Waits, after every [`STEPS`] steps of a turn, until whoever else is ready has had one.
///
/// The runtime's own budget and not `yield_now`: what sits around a stream's answers (tonic's encoder, hyper's body) polls again at
/// once when they pause, which would use up a yield without anybody else having run. A spent budget stays spent until the
/// runtime has taken the thread away.
pub(super) async fn step() {
    for _ in 0..UNITS {
        consume_budget().await;
    }
}

/// Takes the steps that a search counts for which goes through so many rows: a million of them is one.
pub(super) async fn search(rows: usize) {
    for _ in 0..=rows >> 20 {
        step().await;
    }
}

/// Takes the further steps that a search counted for which found so many.
pub(super) async fn found(rows: usize) {
    for _ in 0..rows >> 8 {
        step().await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn nobody_waits_longer_than_one_turn_even_if_what_paused_is_polled_again_at_once() {
        let taken = Arc::new(AtomicUsize::new(0));
        let count = taken.clone();
        let long = tokio::spawn(async move {
            let mut walk = pin!(async {
                for _ in 0..50 * STEPS {
                    step().await;
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
            // As an encoder does: it passes on what it has, and asks again.
            poll_fn(|context| {
                loop {
                    let before = count.load(Ordering::Relaxed);
                    match walk.as_mut().poll(context) {
                        Poll::Pending if count.load(Ordering::Relaxed) > before => {}
                        other => return other,
                    }
                }
            })
            .await;
        });
        let mut turns = 0;
        let mut before = 0;
        while !long.is_finished() {
            tokio::task::yield_now().await;
            let now = taken.load(Ordering::Relaxed);
            assert!(now - before <= STEPS, "{} steps in one turn", now - before);
            (before, turns) = (now, turns + 1);
        }
        assert!(turns >= 50, "{turns} turns");
    }

    #[tokio::test]
    async fn a_search_counts_by_the_rows_it_goes_through_and_finds() {
        async fn turns(walk: impl Future<Output = ()> + Send + 'static) -> usize {
            let walk = tokio::spawn(walk);
            let mut turns = 0;
            while !walk.is_finished() {
                tokio::task::yield_now().await;
                turns += 1;
            }
            turns
        }
        assert_eq!(turns(search(1_000)).await, turns(search((1 << 20) - 1)).await);
        assert!(turns(search(100 << 20)).await > turns(search(1_000)).await);
        assert!(turns(found(100_000)).await > turns(found(100)).await);
    }
}
