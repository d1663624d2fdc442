//! When requests are due: as soon as there is a hand free, or at a fixed rate whatever became of those before.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc};

/// Due times that wait for a hand. Those after them are not forgotten: they come later, and keep the time they were due.
const WAITING: usize = 4_096;

/// Says when the next request is due. All who ask share one.
#[derive(Clone)]
pub(super) enum Pace {
    /// At once, until then: the next begins when one has ended.
    AtOnce { end: Instant },
    /// At a rate: the hub's slowness does not make the questions fewer, it makes their answers late.
    Rate(Arc<Mutex<mpsc::Receiver<Instant>>>),
}

impl Pace {
    /// `rate` a second from `begin` to `end`, each at its own time.
    pub(super) fn rate(rate: u32, begin: Instant, end: Instant) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        // A thread's sleep is good to some 60 us; the runtime's timers know whole milliseconds.
        tokio::task::spawn_blocking(move || {
            for due in schedule(rate, begin, end) {
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                if sender.blocking_send(due).is_err() {
                    return;
                }
            }
        });
        Self::Rate(Arc::new(Mutex::new(receiver)))
    }

    /// Waits until the next request is due; gives the time at which it should have been sent. `None`: that was all.
    pub(super) async fn next(&self) -> Option<Instant> {
        match self {
            Self::AtOnce { end } => Some(Instant::now()).filter(|now| now < end),
            Self::Rate(due) => due.lock().await.recv().await,
        }
    }
}

/// The times before `end`.
fn schedule(rate: u32, begin: Instant, end: Instant) -> impl Iterator<Item = Instant> {
    let at = move |n: u64| begin + Duration::from_nanos(n * 1_000_000_000 / u64::from(rate));
    (0..).map(at).take_while(move |due| *due < end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_has_so_many_times_a_second_evenly_spread() {
        let begin = Instant::now();
        let times: Vec<_> = schedule(4_000, begin, begin + Duration::from_secs(3)).collect();
        assert_eq!(times.len(), 12_000);
        for (n, time) in times.iter().enumerate() {
            assert_eq!(*time - begin, Duration::from_micros(250 * n as u64));
        }
    }

    #[tokio::test]
    async fn what_nobody_had_a_hand_for_comes_late_and_keeps_its_time() {
        let begin = Instant::now();
        let end = begin + Duration::from_millis(10);
        let pace = Pace::rate(1_000_000, begin, end);
        // Twice as many as wait: those beyond are made only when there is room.
        let mut times = Vec::new();
        while let Some(due) = pace.next().await {
            if times.is_empty() {
                tokio::time::sleep_until((end + Duration::from_millis(5)).into()).await;
            }
            times.push(due - begin);
        }
        assert_eq!(times, (0..10_000).map(Duration::from_micros).collect::<Vec<_>>());
    }
}
