//! An index that changes: look-ups while another thread adds rows, what an add costs, and the memory that merging takes.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};
use serde::Serialize;

use super::lookups::{Asking, Latency, hundredths, in_micros, tenths};
use super::process::{Growth, in_mib, processor_time};
use crate::domain::{Entropy, EntropyError, SeededEntropy};
use crate::index::{HammingIndex, Reader, Writer};

/// How often rows are added while look-ups are measured: those that have come due in the meantime, as a hub adds what it has
/// just committed.
const TICK: Duration = Duration::from_millis(1);
/// Hashes made at a time for measuring adds: making them is no part of an add.
const ADDS_BLOCK: usize = 4096;

/// Rows to add: random hashes under ids that nobody has yet.
pub(super) struct Additions {
    entropy: SeededEntropy,
    id: u64,
}

impl Additions {
    pub(super) fn new(seed: u64, first_id: u64) -> Self {
        Self { entropy: SeededEntropy::new(seed), id: first_id }
    }

    /// The next `count` rows.
    fn rows(&mut self, count: usize) -> Result<Vec<([u64; 4], u64)>, EntropyError> {
        let mut bytes = vec![0; 32 * count];
        self.entropy.fill(&mut bytes)?;
        let word = |bytes: &[u8], at| u64::from_le_bytes(std::array::from_fn(|byte| bytes[8 * at + byte]));
        let ids = self.id..;
        self.id += count as u64;
        Ok(bytes.chunks_exact(32).map(|bytes| std::array::from_fn(|at| word(bytes, at))).zip(ids).collect())
    }
}

/// Look-ups while rows are added, beside the same look-ups before.
#[derive(Debug, Serialize)]
pub(super) struct Adding {
    pub(super) asked_per_s: u64,
    /// What the adding thread came to.
    pub(super) added_per_s: f64,
    pub(super) added: u64,
    pub(super) seconds: u64,
    pub(super) idle: Spell,
    pub(super) busy: Spell,
    /// `busy` over `idle`.
    pub(super) p99_ratio: f64,
    #[serde(flatten)]
    pub(super) memory: Option<Merging>,
}

/// Some time full of look-ups.
#[derive(Debug, Serialize)]
pub(super) struct Spell {
    pub(super) lookups: usize,
    #[serde(flatten)]
    pub(super) latency: Latency,
    pub(super) max_us: f64,
}

/// What adds cost.
#[derive(Debug, Serialize)]
pub(super) struct Adds {
    pub(super) n: u64,
    /// Mean time of a call, on the thread that adds.
    pub(super) add_us: f64,
    pub(super) add_max_us: f64,
    /// Until all are added and merged.
    pub(super) adds_per_s: f64,
    /// Processor time of all threads an add, merging included: what one core can sustain is its inverse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) add_cpu_us: Option<f64>,
    #[serde(flatten)]
    pub(super) memory: Option<Merging>,
}

/// Memory of the index: before adding, after it with everything merged, and the most in between.
///
/// What an allocator keeps of freed memory counts, as it does for whoever runs a hub.
#[derive(Debug, Serialize)]
pub(super) struct Merging {
    pub(super) resting_before_mib: u64,
    pub(super) resting_mib: u64,
    pub(super) peak_mib: u64,
    /// The peak over what as many rows took when they were just built: the index at its best.
    pub(super) peak_ratio: f64,
}

/// The index under measurement, and what it took when it was just built.
pub(super) struct Subject<'a> {
    pub(super) writer: &'a mut Writer<4>,
    pub(super) additions: Additions,
    pub(super) growth: &'a Growth,
    /// `None` where the system does not tell, or so few hashes that it does not show.
    pub(super) bytes_per_hash: Option<f64>,
}

impl Subject<'_> {
    /// Memory since there was `before`.
    fn merging(&self, before: Option<u64>) -> Option<Merging> {
        let fresh = self.bytes_per_hash? * self.writer.reader().len() as f64;
        let (resting, peak) = (self.growth.bytes()?, self.growth.peak_bytes()?);
        Some(Merging {
            resting_before_mib: in_mib(before?),
            resting_mib: in_mib(resting),
            peak_mib: in_mib(peak),
            peak_ratio: hundredths(peak as f64 / fresh),
        })
    }
}

/// Looks up all queries again and again for `seconds`, then the same with `per_s` rows added each second.
///
/// # Errors
/// If a look-up no longer finds what it found, besides those of a search.
pub(super) fn while_adding(
    subject: &mut Subject<'_>,
    asking: &Asking,
    per_s: u64,
    seconds: u64,
) -> anyhow::Result<Adding> {
    let reader = subject.writer.reader();
    let queries: Vec<_> = asking.fresh.iter().chain(&asking.planted).copied().collect();
    let totals: Vec<_> = asking.ask(&reader, &queries)?.1.into_iter().map(|neighbours| neighbours.total).collect();
    let time = Duration::from_secs(seconds);
    let look_up = || spell(&reader, asking, queries.iter().zip(&totals), Instant::now() + time);

    let idle = look_up()?;
    let before = subject.growth.restart_peak();
    let (busy, added) = thread::scope(|scope| {
        let adding = scope.spawn(|| add_for(subject.writer, &mut subject.additions, per_s, time));
        let busy = look_up();
        let added = adding.join().map_err(|_| anyhow!("the adding thread has panicked"))?;
        anyhow::Ok((busy?, added?))
    })?;
    let (added, took) = added;
    subject.writer.settle();
    Ok(Adding {
        asked_per_s: per_s,
        added_per_s: (added as f64 / took.as_secs_f64()).round(),
        added,
        seconds,
        p99_ratio: hundredths(busy.latency.p99_us / idle.latency.p99_us),
        idle,
        busy,
        memory: subject.merging(before),
    })
}

/// Looks up one query after another until `end`.
fn spell<'a>(
    reader: &Reader<4>,
    asking: &Asking,
    queries: impl Iterator<Item = (&'a [u64; 4], &'a usize)> + Clone,
    end: Instant,
) -> anyhow::Result<Spell> {
    let mut micros = Vec::new();
    for (nth, (query, known)) in queries.cycle().enumerate() {
        let start = Instant::now();
        if start >= end {
            break;
        }
        let found = reader.search(query, asking.radius, asking.limit)?.total;
        micros.push(in_micros(start.elapsed()));
        ensure!(found >= *known, "look-up {nth} found {found} rows, fewer than the {known} before");
    }
    let max_us = tenths(f64::from(micros.iter().copied().fold(0.0, f32::max)));
    Ok(Spell { lookups: micros.len(), latency: Latency::of(micros), max_us })
}

/// Adds rows at an even pace; gives how many and the time it took.
fn add_for(
    writer: &mut Writer<4>,
    additions: &mut Additions,
    per_s: u64,
    time: Duration,
) -> Result<(u64, Duration), EntropyError> {
    let start = Instant::now();
    let mut added = 0;
    loop {
        let elapsed = start.elapsed().min(time);
        let due = (elapsed.as_secs_f64() * per_s as f64) as u64;
        for (hash, id) in additions.rows((due - added) as usize)? {
            writer.insert(hash, id);
        }
        added = due;
        if elapsed == time {
            return Ok((added, start.elapsed()));
        }
        thread::sleep(TICK);
    }
}

/// Adds `count` rows one by one, as fast as it goes.
pub(super) fn adds(subject: &mut Subject<'_>, count: u64) -> anyhow::Result<Adds> {
    let before = subject.growth.restart_peak();
    let (mut adding, mut longest, mut making) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let (start, processor) = (Instant::now(), processor_time());
    let mut left = usize::try_from(count)?;
    while left > 0 {
        let making_since = Instant::now();
        let rows = subject.additions.rows(left.min(ADDS_BLOCK))?;
        making += making_since.elapsed();
        left -= rows.len();
        for (hash, id) in rows {
            let adding_since = Instant::now();
            subject.writer.insert(hash, id);
            let took = adding_since.elapsed();
            adding += took;
            longest = longest.max(took);
        }
    }
    subject.writer.settle();
    let took = start.elapsed() - making;
    let busy = processor_time().zip(processor).map(|(now, then)| (now - then).saturating_sub(making));
    let n = count as f64;
    Ok(Adds {
        n: count,
        add_us: hundredths(adding.as_secs_f64() * 1e6 / n),
        add_max_us: tenths(longest.as_secs_f64() * 1e6),
        adds_per_s: (n / took.as_secs_f64()).round(),
        add_cpu_us: busy.map(|busy| hundredths(busy.as_secs_f64() * 1e6 / n)),
        memory: subject.merging(before),
    })
}
