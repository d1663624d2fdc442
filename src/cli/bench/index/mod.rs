//! `hashcommons bench index`: the index of the hub and the linear scan, on hashes and queries from files.
//!
//! The answers of all indexes of a run are compared, not only their times: a difference is an error.
//!
//! | file | what |
//! |---|---|
//! | `hash_file` | the files |
//! | `lookups` | look-ups one after another, and percentiles |
//! | `changes` | look-ups while rows are added, what an add costs, memory while merging |
//! | `process` | memory and processor time of this process |
//! | `report` | the figures as JSON and as a table |

mod changes;
mod hash_file;
mod lookups;
mod process;
mod report;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::ValueEnum;

use self::changes::{Additions, Subject};
use self::hash_file::HashFile;
pub(super) use self::lookups::hundredths;
use self::lookups::{Agreement, Asking, tenths};
use self::process::{Growth, in_mib};
use self::report::{Figures, Report};
use crate::cli::Verdict;
use crate::domain::{Distance, SignalKind};
use crate::hub::LIMIT_DEFAULT;
use crate::index::{Flat, HammingIndex, Neighbours, SearchError, Simd, Writer};

/// Queries before the first that counts.
const WARM_UP: usize = 5;
/// The most rows that one measurement adds.
const ADDED_MAX: u64 = 100_000_000;

/// Measure look-ups in memory, one at a time on one thread: the index beside the linear scan
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons bench index --hashes corpus/hashes.bin --queries corpus/queries.bin\n\n\
    Files of 32 bytes a hash, as `bench corpus` makes them: the first half of the queries are fresh, the second half \
    planted. Times are in microseconds; `found` counts pairs of a query and a hash within the radius. MiB are what \
    this process has grown by; for the exact figure measure one index a run.")]
pub struct Args {
    /// What to fill the index with: hashes of 32 bytes, one after another
    #[arg(long, value_name = "FILE")]
    hashes: PathBuf,

    /// What to look up, in the same form
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,

    /// How many bits may differ
    #[arg(long, default_value_t = SignalKind::Pdq.radius_max().bits())]
    radius: u16,

    /// Which ones, in this order
    #[arg(long, value_enum, value_delimiter = ',', default_value = "mih,scan")]
    index: Vec<Kind>,

    /// Search with this instruction set, portable or avx2, instead of the fastest there is (mih)
    #[arg(long, value_name = "SET")]
    simd: Option<Simd>,

    /// How many of the fresh and how many of the planted queries to time
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    queries_per_half: u32,

    /// How many neighbours an answer lists at most; all are counted
    #[arg(long, default_value_t = LIMIT_DEFAULT)]
    limit: u32,

    /// Look up all queries for some time, then again while so many random hashes a second are added (mih)
    #[arg(long, value_name = "PER_S", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    adding: Option<u64>,

    /// How long to look up before and while adding
    #[arg(long, default_value_t = 10, requires = "adding", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,

    /// Add so many random hashes one by one, as fast as it goes (mih)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=ADDED_MAX))]
    adds: Option<u64>,

    /// The same seed adds the same hashes
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// The hub's index
    Mih,
    /// The linear scan
    Scan,
}

pub(super) fn run(args: &Args, json: bool) -> anyhow::Result<Verdict> {
    let radius = Distance::new(args.radius);
    let max = SignalKind::Pdq.radius_max();
    if radius > max {
        return Err(SearchError::RadiusTooWide { asked: radius, max }.into());
    }
    let changes = args.adding.is_some() || args.adds.is_some();
    ensure!(!changes || args.index.contains(&Kind::Mih), "--adding and --adds measure the index `mih`: name it");
    let added = args.adding.unwrap_or(0) * args.seconds;
    ensure!(added <= ADDED_MAX, "--adding {added} rows in all is too many: at most {ADDED_MAX}");
    let hashes = HashFile::open(&args.hashes)?;
    let bench = Bench { args, asking: asking(args, radius)?, hashes };

    let mut report = Report::new(json);
    let mut agreement = Agreement::default();
    for kind in &args.index {
        let (figures, answers) = match kind {
            Kind::Mih => bench.mih()?,
            Kind::Scan => bench.scan()?,
        };
        report.print(&figures)?;
        agreement.hear(figures.index, answers)?;
    }
    Ok(Verdict::Yes)
}

/// The queries: as many of each half as there are, up to what was asked for.
fn asking(args: &Args, radius: Distance) -> anyhow::Result<Asking> {
    let file = HashFile::open(&args.queries)?;
    let name = args.queries.display();
    ensure!(file.count() >= 2, "{name} has one query: it must have at least two, half of them fresh, half planted");
    let mut fresh: Vec<_> = file.read(|queries| queries.collect())?;
    let planted = fresh.split_off(fresh.len() / 2);
    Ok(Asking { fresh, planted, radius, limit: args.limit as usize })
}

struct Bench<'a> {
    args: &'a Args,
    asking: Asking,
    hashes: HashFile,
}

impl Bench<'_> {
    fn mih(&self) -> anyhow::Result<(Figures, Vec<Neighbours>)> {
        let growth = Growth::start();
        let simd = self.args.simd.unwrap_or_else(Simd::best);
        let mut writer = Writer::open_on(simd, SignalKind::Pdq.radius_max()).context("cannot start the index")?;
        let (mut figures, answers) = self.measure("hashcommons-mih", &growth, || {
            self.hashes.read(|hashes| writer.extend(hashes.zip(0..)))?;
            writer.settle();
            Ok(writer.reader())
        })?;
        figures.simd = Some(simd.to_string());
        let additions = Additions::new(self.args.seed, self.hashes.count());
        let bytes_per_hash = figures.bytes_per_hash.filter(|bytes| *bytes > 0.0);
        let mut subject = Subject { writer: &mut writer, additions, growth: &growth, bytes_per_hash };
        if let Some(per_s) = self.args.adding {
            figures.adding = Some(changes::while_adding(&mut subject, &self.asking, per_s, self.args.seconds)?);
        }
        if let Some(count) = self.args.adds {
            figures.adds = Some(changes::adds(&mut subject, count)?);
        }
        Ok((figures, answers))
    }

    fn scan(&self) -> anyhow::Result<(Figures, Vec<Neighbours>)> {
        let growth = Growth::start();
        self.measure("hashcommons-scan", &growth, || {
            let mut flat = Flat::new();
            self.hashes.read(|hashes| hashes.zip(0..).for_each(|(hash, id)| flat.insert(hash, id)))?;
            Ok(flat)
        })
    }

    /// Builds an index and times look-ups in it. A row's id is its place in the file, so that every row counts.
    fn measure<I: HammingIndex<4>>(
        &self,
        name: &'static str,
        growth: &Growth,
        build: impl FnOnce() -> anyhow::Result<I>,
    ) -> anyhow::Result<(Figures, Vec<Neighbours>)> {
        let peak_is_known = growth.restart_peak().is_some();
        let start = Instant::now();
        let index = build()?;
        let build_s = hundredths(start.elapsed().as_secs_f64());
        let added = growth.bytes();
        let build_peak_mib = growth.peak_bytes().filter(|_| peak_is_known).map(in_mib);

        let Asking { fresh, planted, .. } = &self.asking;
        let half = self.args.queries_per_half as usize;
        self.asking.ask(&index, first(fresh, WARM_UP))?;
        let (fresh, mut answers) = self.asking.ask(&index, first(fresh, half))?;
        let (planted, more) = self.asking.ask(&index, first(planted, half))?;
        answers.extend(more);
        let figures = Figures {
            index: name,
            n: self.hashes.count(),
            radius: self.args.radius,
            build_s,
            added_mib: added.map(in_mib),
            fresh,
            planted,
            simd: None,
            bytes_per_hash: added.map(|bytes| tenths(bytes as f64 / self.hashes.count() as f64)),
            build_peak_mib,
            adding: None,
            adds: None,
        };
        Ok((figures, answers))
    }
}

/// The first `most` queries, or as many as there are.
fn first(queries: &[[u64; 4]], most: usize) -> &[[u64; 4]] {
    &queries[..most.min(queries.len())]
}
