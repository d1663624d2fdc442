//! `hashcommons bench check`: look-ups a second and their latency, against a running hub.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_stream::StreamExt;

use super::entries::random_pdq;
use crate::cli::connection::HubArgs;
use crate::cli::{Verdict, output};
use crate::client::Client;
use crate::domain::{SeededEntropy, Signal};
use crate::wire::{signal_to_wire, v1};

/// The longest run.
const SECONDS_MAX: u64 = 120;
/// Requests of one stream on their way at a time.
const STREAM_WINDOW: usize = 256;

/// Measure look-ups against a running hub: random PDQ hashes, so that almost none match
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons bench check --key-file checker.key --seconds 10 --concurrency 16")]
pub struct Args {
    /// How long to measure, after one second to warm up
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    seconds: u64,

    /// Requests (or streams) at the same time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,

    /// Connections to spread them over
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    connections: u16,

    /// Use streams instead of single requests; then only the rate is measured
    #[arg(long)]
    stream: bool,

    /// How many bits may differ
    #[arg(long, default_value_t = 31)]
    radius: u32,

    /// The same seed asks the same
    #[arg(long, default_value_t = 2)]
    seed: u64,

    #[command(flatten)]
    hub: HubArgs,
}

/// What one worker saw.
#[derive(Default)]
struct Seen {
    checks: u64,
    matches: u64,
    micros: Vec<u32>,
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let mut clients = Vec::new();
    for _ in 0..args.connections {
        clients.push(args.hub.connect().await?);
    }
    let start = Instant::now() + Duration::from_secs(1);
    let end = start + Duration::from_secs(args.seconds);
    let mut workers = JoinSet::new();
    for worker in 0..args.concurrency {
        let client = clients[usize::from(worker % args.connections)].clone();
        let requests = Requests { entropy: SeededEntropy::new(args.seed + u64::from(worker)), radius: args.radius };
        if args.stream {
            workers.spawn(stream(client, requests, start, end));
        } else {
            workers.spawn(unary(client, requests, start, end));
        }
    }
    let mut all = Seen::default();
    while let Some(seen) = workers.join_next().await {
        let seen = seen??;
        all.checks += seen.checks;
        all.matches += seen.matches;
        all.micros.extend(seen.micros);
    }
    all.micros.sort_unstable();
    let rate = all.checks as f64 / args.seconds as f64;
    let (p50, p99) = (percentile(&all.micros, 50), percentile(&all.micros, 99));
    if json {
        let facts = json!({
            "mode": if args.stream { "stream" } else { "unary" },
            "concurrency": args.concurrency,
            "connections": args.connections,
            "radius": args.radius,
            "seconds": args.seconds,
            "checks": all.checks,
            "checks_per_s": rate.round(),
            "p50_us": p50,
            "p99_us": p99,
            "matches": all.matches,
        });
        output::line(&facts.to_string())?;
    } else {
        let latency = match (p50, p99) {
            (Some(p50), Some(p99)) => format!(", p50 {p50} us, p99 {p99} us"),
            _ => String::new(),
        };
        output::line(&format!(
            "{} checks in {} s: {rate:.0} a second{latency}; {} matches",
            all.checks, args.seconds, all.matches
        ))?;
    }
    Ok(Verdict::Yes)
}

/// An endless supply of checks.
struct Requests {
    entropy: SeededEntropy,
    radius: u32,
}

impl Requests {
    fn next(&self) -> anyhow::Result<v1::CheckRequest> {
        let signal = Signal::Pdq { hash: random_pdq(&self.entropy)?, quality: None };
        let query = v1::Query { signal: Some(signal_to_wire(&signal)), radius: Some(self.radius) };
        Ok(v1::CheckRequest { queries: vec![query], limit: None, tag: String::new() })
    }
}

async fn unary(client: Client, requests: Requests, start: Instant, end: Instant) -> anyhow::Result<Seen> {
    let mut checks = client.checks();
    let mut seen = Seen::default();
    loop {
        let request = requests.next()?;
        let asked = Instant::now();
        if asked >= end {
            return Ok(seen);
        }
        let response = checks.check(request).await?.into_inner();
        if asked >= start {
            seen.checks += 1;
            seen.matches += response.matches.len() as u64;
            seen.micros.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
    }
}

async fn stream(client: Client, requests: Requests, start: Instant, end: Instant) -> anyhow::Result<Seen> {
    let (sender, receiver) = tokio::sync::mpsc::channel(STREAM_WINDOW);
    let asking = tokio::spawn(async move {
        while Instant::now() < end {
            // It fails when the other side has ended the stream: the answers tell why.
            if sender.send(requests.next()?).await.is_err() {
                break;
            }
        }
        anyhow::Ok(())
    });
    let questions = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut answers = client.checks().check_stream(questions).await?.into_inner();
    let mut seen = Seen::default();
    while let Some(answer) = answers.next().await {
        let now = Instant::now();
        if let Some(v1::check_stream_response::Answer::Response(response)) = answer?.answer
            && (start..end).contains(&now)
        {
            seen.checks += 1;
            seen.matches += response.matches.len() as u64;
        }
    }
    asking.await.context("the asking task")??;
    Ok(seen)
}

fn percentile(sorted: &[u32], percent: usize) -> Option<u32> {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().checked_sub(1)?)).copied()
}
