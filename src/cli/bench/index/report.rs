//! The figures as JSON, one index a line, and as a table for people.

use serde::Serialize;

use super::changes::{Adding, Adds, Merging};
use super::lookups::Timed;
use crate::cli::output;

/// What was measured of one index. Every name has its unit; what the system does not tell is left out.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) index: &'static str,
    /// Hashes in the index.
    pub(super) n: u64,
    pub(super) radius: u16,
    /// Until everything is in its place, reading the file included.
    pub(super) build_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) added_mib: Option<u64>,
    pub(super) fresh: Timed,
    pub(super) planted: Timed,
    /// The instruction set, of the index that has a choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) simd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes_per_hash: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) build_peak_mib: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) adding: Option<Adding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) adds: Option<Adds>,
}

/// Where figures go, each as soon as it is there.
pub(super) struct Report {
    json: bool,
    has_head: bool,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { json, has_head: false }
    }

    pub(super) fn print(&mut self, figures: &Figures) -> anyhow::Result<()> {
        if self.json {
            return output::line(&serde_json::to_string(figures)?);
        }
        if !self.has_head {
            output::line(&format!("{} hashes, radius {}; times in microseconds", figures.n, figures.radius))?;
            output::line(
                "index             build s    MiB  bytes/hash  fresh p50      p99  planted p50      p99    found",
            )?;
            self.has_head = true;
        }
        let (fresh, planted) = (figures.fresh.latency, figures.planted.latency);
        output::line(&format!(
            "{:<16} {:>8.2} {:>6} {:>11} {:>10.1} {:>8.1} {:>12.1} {:>8.1} {:>8}",
            figures.index,
            figures.build_s,
            known(figures.added_mib),
            known(figures.bytes_per_hash),
            fresh.p50_us,
            fresh.p99_us,
            planted.p50_us,
            planted.p99_us,
            figures.fresh.found + figures.planted.found,
        ))?;
        figures.adding.iter().try_for_each(print_adding)?;
        figures.adds.iter().try_for_each(print_adds)
    }
}

fn known(figure: Option<impl ToString>) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| figure.to_string())
}

fn print_adding(adding: &Adding) -> anyhow::Result<()> {
    output::line(&format!("  while adding {} hashes/s for {} s:", adding.added_per_s, adding.seconds))?;
    for (which, spell) in [("idle", &adding.idle), ("adding", &adding.busy)] {
        let (p50, p99) = (spell.latency.p50_us, spell.latency.p99_us);
        let count = spell.lookups;
        output::line(&format!(
            "    {which:<7} p50 {p50:.1}, p99 {p99:.1}, most {:.1}; {count} look-ups",
            spell.max_us
        ))?;
    }
    output::line(&format!("    p99 while adding is {:.2}x the idle one", adding.p99_ratio))?;
    adding.memory.iter().try_for_each(print_merging)
}

fn print_adds(adds: &Adds) -> anyhow::Result<()> {
    let processor =
        adds.add_cpu_us.map_or_else(String::new, |cpu| format!(", {cpu:.2} of processor time with merging"));
    let (n, add_us, max_us) = (adds.n, adds.add_us, adds.add_max_us);
    output::line(&format!("  {n} adds, one by one:"))?;
    output::line(&format!("    an add takes {add_us:.2}{processor}; the longest {max_us:.1}"))?;
    output::line(&format!("    {} adds/s until all are merged", adds.adds_per_s))?;
    adds.memory.iter().try_for_each(print_merging)
}

fn print_merging(memory: &Merging) -> anyhow::Result<()> {
    let Merging { resting_before_mib, resting_mib, peak_mib, peak_ratio } = memory;
    output::line(&format!(
        "    memory {resting_before_mib} MiB before, {resting_mib} MiB after, at most {peak_mib} MiB while \
         merging: {peak_ratio:.2}x what as many take when just built"
    ))
}
