//! `hashcommons bench check`: look-ups a second and their latency, against a running hub.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use super::load::{self, GRACE, Requests, Seen, Times};
use super::pace::Pace;
use crate::cli::connection::HubArgs;
use crate::cli::{Verdict, output};
use crate::domain::SeededEntropy;
use crate::hub::QUERIES_MAX;

/// The longest run.
const SECONDS_MAX: u64 = 120;
/// The highest offered load, in requests a second.
const RATE_MAX: i64 = 1_000_000;

/// Measure look-ups against a running hub: random PDQ hashes, so that almost none match
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons bench check --key-file checker.key --seconds 10 --concurrency 16\n\n\
    The key's quota has to allow it: hashcommons member quota MEMBER --checks-per-second 4000000000")]
pub struct Args {
    /// How long to measure, after one second to warm up
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    seconds: u64,

    /// Requests (or streams) at the same time; with --rate, at most
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,

    /// Connections to spread them over
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    connections: u16,

    /// Use streams instead of single requests, each with up to 256 requests on their way
    #[arg(long)]
    stream: bool,

    /// Offer so many requests a second, whatever becomes of them, and measure from when each was due [default: each worker asks
    /// when it has its answer]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=RATE_MAX))]
    rate: Option<u32>,

    /// Hashes in each request, as of one item
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=QUERIES_MAX as i64))]
    batch: u16,

    /// How many bits may differ
    #[arg(long, default_value_t = 31)]
    radius: u32,

    /// The same seed asks the same
    #[arg(long, default_value_t = 2)]
    seed: u64,

    #[command(flatten)]
    hub: HubArgs,
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let mut clients = Vec::new();
    for _ in 0..args.connections {
        clients.push(args.hub.connect().await?);
    }
    let begin = Instant::now();
    let start = begin + Duration::from_secs(1);
    let end = start + Duration::from_secs(args.seconds);
    let pace = args.rate.map_or(Pace::AtOnce { end }, |rate| Pace::rate(rate, begin, end));
    let times = Times { pace, start, deadline: end + GRACE };
    let mut workers = JoinSet::new();
    for worker in 0..args.concurrency {
        let client = clients[usize::from(worker % args.connections)].clone();
        let entropy = SeededEntropy::new(args.seed + u64::from(worker));
        let requests = Requests { entropy, radius: args.radius, hashes: args.batch.into() };
        if args.stream {
            workers.spawn(load::stream(client, requests, times.clone()));
        } else {
            workers.spawn(load::unary(client, requests, times.clone()));
        }
    }
    drop(times);
    let mut all = Seen::default();
    while let Some(seen) = workers.join_next().await {
        all.add(seen??);
    }
    all.micros.sort_unstable();
    report(&args, &all, json)?;
    Ok(Verdict::Yes)
}

fn report(args: &Args, all: &Seen, json: bool) -> anyhow::Result<()> {
    let per_s = all.checks as f64 / args.seconds as f64;
    let hashes_per_s = per_s * f64::from(args.batch);
    let (p50, p99) = (percentile(&all.micros, 50), percentile(&all.micros, 99));
    if json {
        let facts = json!({
            "mode": if args.stream { "stream" } else { "unary" },
            "concurrency": args.concurrency,
            "connections": args.connections,
            "batch": args.batch,
            "radius": args.radius,
            "rate": args.rate,
            "seconds": args.seconds,
            "checks": all.checks,
            "checks_per_s": per_s.round(),
            "hashes_per_s": hashes_per_s.round(),
            "p50_us": p50,
            "p99_us": p99,
            "max_us": all.micros.last(),
            "unanswered": all.unanswered,
            "matches": all.matches,
        });
        return output::line(&facts.to_string());
    }
    let mut line = format!("{} checks in {} s: {per_s:.0} a second", all.checks, args.seconds);
    if let Some(rate) = args.rate {
        line += &format!(" of {rate} offered");
    }
    if args.batch > 1 {
        line += &format!(", {hashes_per_s:.0} hashes a second");
    }
    if let (Some(p50), Some(p99)) = (p50, p99) {
        line += &format!(", p50 {p50} us, p99 {p99} us");
    }
    if all.unanswered > 0 {
        line += &format!("; {} NOT answered", all.unanswered);
    }
    output::line(&format!("{line}; {} matches", all.matches))
}

fn percentile(sorted: &[u32], percent: usize) -> Option<u32> {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().checked_sub(1)?)).copied()
}
