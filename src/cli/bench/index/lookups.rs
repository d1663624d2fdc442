//! Look-ups, one at a time on one thread: what they find and how long each takes.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde::Serialize;

use crate::domain::Distance;
use crate::index::{HammingIndex, Neighbours, SearchError};

/// What is asked of an index, and how.
pub(super) struct Asking {
    pub(super) fresh: Vec<[u64; 4]>,
    pub(super) planted: Vec<[u64; 4]>,
    pub(super) radius: Distance,
    pub(super) limit: usize,
}

impl Asking {
    /// Looks up `queries` one after another.
    pub(super) fn ask(
        &self,
        index: &impl HammingIndex<4>,
        queries: &[[u64; 4]],
    ) -> Result<(Timed, Vec<Neighbours>), SearchError> {
        let mut micros = Vec::with_capacity(queries.len());
        let mut answers = Vec::with_capacity(queries.len());
        for query in queries {
            let start = Instant::now();
            let answer = index.search(query, self.radius, self.limit)?;
            micros.push(in_micros(start.elapsed()));
            answers.push(answer);
        }
        let found = answers.iter().map(|answer| answer.total).sum();
        Ok((Timed { latency: Latency::of(micros), found }, answers))
    }
}

/// Many look-ups: how long, and how many (query, hash) pairs they found.
#[derive(Debug, Serialize)]
pub(super) struct Timed {
    #[serde(flatten)]
    pub(super) latency: Latency,
    pub(super) found: usize,
}

/// Whether all indexes give the same answers to the same queries: the same rows at the same distances, and as many.
#[derive(Default)]
pub(super) struct Agreement {
    first: Option<(&'static str, Vec<Neighbours>)>,
}

impl Agreement {
    /// Takes the answers of an index.
    ///
    /// # Errors
    /// If they are not those of the first one.
    pub(super) fn hear(&mut self, index: &'static str, answers: Vec<Neighbours>) -> anyhow::Result<()> {
        let Some((first, expected)) = &self.first else {
            self.first = Some((index, answers));
            return Ok(());
        };
        let differing = answers.iter().zip(expected).position(|(answer, expected)| answer != expected);
        ensure!(differing.is_none(), "{first} and {index} answer query {} differently", differing.unwrap_or_default());
        Ok(())
    }
}

/// How long calls took, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Latency {
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

impl Latency {
    /// Of calls that took so many microseconds each; 0 if there was none.
    pub(super) fn of(mut micros: Vec<f32>) -> Self {
        micros.sort_unstable_by(f32::total_cmp);
        Self { p50_us: tenths(percentile(&micros, 0.50)), p99_us: tenths(percentile(&micros, 0.99)) }
    }
}

pub(super) fn in_micros(time: Duration) -> f32 {
    time.as_secs_f32() * 1e6
}

/// Rounded to one decimal.
pub(super) fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Rounded to two decimals.
pub(in crate::cli::bench) fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Between two values it goes straight from one to the other, as NumPy's does: so that figures can be compared.
fn percentile(sorted: &[f32], fraction: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = last as f64 * fraction;
    let (below, above) = (f64::from(sorted[place.floor() as usize]), f64::from(sorted[place.ceil() as usize]));
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Neighbour;

    #[test]
    fn percentiles_are_those_of_numpy() {
        // numpy.percentile(range(1, 101), [50, 99]) and of the others.
        let of = |micros: &[f32]| {
            let latency = Latency::of(micros.to_vec());
            (latency.p50_us, latency.p99_us)
        };
        assert_eq!(of(&(1..=100).rev().map(|n| n as f32).collect::<Vec<_>>()), (50.5, 99.0));
        assert_eq!(of(&[10.0, 2.0, 4.0]), (4.0, 9.9));
        assert_eq!(of(&[7.25]), (7.3, 7.3));
        assert_eq!(of(&[]), (0.0, 0.0));
    }

    #[test]
    fn an_index_that_answers_one_query_otherwise_than_the_first_is_named() {
        let answer = |bits| Neighbours { nearest: vec![Neighbour { id: 7, distance: Distance::new(bits) }], total: 1 };
        let mut agreement = Agreement::default();
        agreement.hear("one", vec![answer(3), answer(4)]).unwrap();
        agreement.hear("same", vec![answer(3), answer(4)]).unwrap();
        let error = agreement.hear("other", vec![answer(3), answer(5)]).unwrap_err();
        assert_eq!(error.to_string(), "one and other answer query 1 differently");
    }
}
