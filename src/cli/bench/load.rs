//! Who asks: one worker a request at a time, or one a stream. Each counts what it saw.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout_at;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::entries::random_pdq;
use super::pace::Pace;
use crate::client::Client;
use crate::domain::{SeededEntropy, Signal};
use crate::wire::{signal_to_wire, v1};

/// Requests of one stream on their way at a time.
pub(super) const STREAM_WINDOW: usize = 256;

/// What one worker saw.
#[derive(Default)]
pub(super) struct Seen {
    pub checks: u64,
    pub matches: u64,
    /// Not answered when the time was up.
    pub unanswered: u64,
    /// Of each check, from when it was due to its answer, or to when the time was up.
    pub micros: Vec<u32>,
}

impl Seen {
    pub(super) fn add(&mut self, other: Self) {
        self.checks += other.checks;
        self.matches += other.matches;
        self.unanswered += other.unanswered;
        self.micros.extend(other.micros);
    }

    fn answered(&mut self, due: Instant, response: &v1::CheckResponse) {
        self.checks += 1;
        self.matches += response.matches.len() as u64;
        self.late(due);
    }

    fn not_answered(&mut self, due: Instant) {
        self.unanswered += 1;
        self.late(due);
    }

    fn late(&mut self, due: Instant) {
        self.micros.push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
}

/// An endless supply of checks.
pub(super) struct Requests {
    pub entropy: SeededEntropy,
    pub radius: u32,
    pub hashes: usize,
}

impl Requests {
    fn next(&self) -> anyhow::Result<v1::CheckRequest> {
        let query = |_| {
            let signal = Signal::Pdq { hash: random_pdq(&self.entropy)?, quality: None };
            Ok(v1::Query { signal: Some(signal_to_wire(&signal)), radius: Some(self.radius) })
        };
        let queries = (0..self.hashes).map(query).collect::<anyhow::Result<_>>()?;
        Ok(v1::CheckRequest { queries, limit: None, tag: String::new(), drill: String::new() })
    }
}

/// What all workers go by.
#[derive(Clone)]
pub(super) struct Times {
    pub pace: Pace,
    /// What is due before is to warm up, and not counted.
    pub start: Instant,
    /// What has no answer then never gets one.
    pub deadline: Instant,
}

impl Times {
    fn counts(&self, due: Instant) -> bool {
        due >= self.start
    }
}

/// Asks one check after the other.
pub(super) async fn unary(client: Client, requests: Requests, times: Times) -> anyhow::Result<Seen> {
    let mut checks = client.checks();
    let mut seen = Seen::default();
    while let Some(due) = times.pace.next().await {
        let answer = timeout_at(times.deadline.into(), checks.check(requests.next()?)).await;
        match answer {
            Ok(response) if times.counts(due) => seen.answered(due, response?.get_ref()),
            Err(_) if times.counts(due) => seen.not_answered(due),
            _ => {}
        }
    }
    Ok(seen)
}

/// Asks over one stream, with at most [`STREAM_WINDOW`] checks on their way.
pub(super) async fn stream(client: Client, requests: Requests, times: Times) -> anyhow::Result<Seen> {
    let (sender, receiver) = mpsc::channel(STREAM_WINDOW);
    let (due_sender, mut dues) = mpsc::unbounded_channel();
    let window = Arc::new(Semaphore::new(STREAM_WINDOW));
    let (pace, room) = (times.pace.clone(), window.clone());
    let asking = tokio::spawn(async move {
        while let Some(due) = pace.next().await {
            // Either fails when the other side has ended the stream: the answers tell why.
            if due_sender.send(due).is_err() {
                break;
            }
            room.acquire().await?.forget();
            if sender.send(requests.next()?).await.is_err() {
                break;
            }
        }
        anyhow::Ok(())
    });
    let deadline = times.deadline.into();
    let mut seen = Seen::default();
    let answers = async {
        let mut answers = client.checks().check_stream(ReceiverStream::new(receiver)).await?.into_inner();
        while let Some(answer) = answers.next().await {
            let answer = answer?.answer;
            window.add_permits(1);
            let due = dues.recv().await.context("an answer that nobody asked for")?;
            match answer {
                Some(v1::check_stream_response::Answer::Response(response)) if times.counts(due) => {
                    seen.answered(due, &response);
                }
                Some(v1::check_stream_response::Answer::Error(error)) => bail!("{}", error.message),
                _ => {}
            }
        }
        Ok(())
    };
    if let Ok(ended) = timeout_at(deadline, answers).await {
        ended?;
        asking.await.context("the asking task")??;
        return Ok(seen);
    }
    asking.abort();
    // It was told to end: that it says so is no error. What it asked has no answer, nor what it would have asked.
    let _ = asking.await;
    while let Some(due) = dues.recv().await {
        if times.counts(due) {
            seen.not_answered(due);
        }
    }
    while let Some(due) = times.pace.next().await {
        if times.counts(due) {
            seen.not_answered(due);
        }
    }
    Ok(seen)
}

/// How long after the last request was due its answer may come.
pub(super) const GRACE: Duration = Duration::from_secs(10);
