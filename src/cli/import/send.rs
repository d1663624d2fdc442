//! Lines to the hub over one stream, so many on their way at a time; answers come in the order of the lines.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use super::lines::{Line, Lines};
use super::progress::{Position, Progress, Rejects};
use crate::client::Client;
use crate::wire::v1::contribute_stream_response::Outcome;
use crate::wire::{retry_after, v1};

/// Lines on their way at a time: enough that the hub's batches are full while the last one is synced.
const WINDOW: usize = 2_000;
/// Between two notes of how far it has come.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// The first time sooner: much can be sent in a second.
const SAVE_FIRST: Duration = Duration::from_millis(100);
/// Before a line that met a full queue is sent again.
const BUSY: Duration = Duration::from_millis(50);

/// Sends every line and takes every answer.
pub async fn send(
    client: &Client,
    mut lines: Lines,
    progress: &mut Progress,
    rejects: &mut Rejects,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let (sender, receiver) = mpsc::channel(WINDOW);
    let mut answers = client.contributions().contribute_stream(ReceiverStream::new(receiver)).await?.into_inner();
    let mut waiting: VecDeque<Line> = VecDeque::new();
    let mut done = progress.resume();
    let mut save_at = Instant::now() + SAVE_FIRST;
    let mut ended = false;
    while !ended || !waiting.is_empty() {
        while !ended && waiting.len() < WINDOW {
            match lines.next_line()? {
                None => ended = true,
                Some(line) => {
                    if let Ok(request) = &line.request {
                        sender.send(request.clone()).await.context("the hub closed the stream")?;
                    }
                    waiting.push_back(line);
                }
            }
        }
        let Some(mut line) = waiting.pop_front() else { break };
        match std::mem::replace(&mut line.request, Ok(v1::ContributeRequest::default())) {
            // Never sent: it has its answer already.
            Err(error) => {
                rejects.add(&line, &error.to_string())?;
                progress.rejected += 1;
            }
            Ok(request) => {
                let answer = answers.message().await?.context("the hub closed the stream")?;
                if answer.request_id != request.request_id {
                    bail!("the hub answered another request than the next one");
                }
                match answer.outcome {
                    Some(Outcome::Accepted(accepted)) if accepted.repeated => progress.repeated += 1,
                    Some(Outcome::Accepted(_)) => progress.imported += 1,
                    Some(Outcome::Declined(_)) => progress.declined += 1,
                    Some(Outcome::Rejected(rejected)) if is_passing(&rejected) => {
                        // Everything after it has been sent already; alone, it is only late.
                        resend(client, request, progress, rejects, &line).await?;
                    }
                    Some(Outcome::Rejected(rejected)) if is_the_lines(rejected.code) => {
                        rejects.add(&line, &rejected.message)?;
                        progress.rejected += 1;
                    }
                    Some(Outcome::Rejected(rejected)) => {
                        return Err(Status::new(rejected.code.into(), rejected.message).into());
                    }
                    None => bail!("the hub gave an empty answer"),
                }
            }
        }
        done = line.end;
        if Instant::now() >= save_at {
            report(done, progress, rejects, bar)?;
            save_at = Instant::now() + SAVE_EVERY;
        }
    }
    report(done, progress, rejects, bar)
}

fn report(done: Position, progress: &mut Progress, rejects: &Rejects, bar: &ProgressBar) -> anyhow::Result<()> {
    progress.save(done, rejects.bytes())?;
    bar.set_position(done.bytes);
    bar.set_message(format!("{} lines, {} set aside", done.lines, progress.rejected));
    Ok(())
}

/// Whether the same request may be taken a moment later. A day's quota that is used up is no such moment.
fn is_passing(rejected: &v1::Rejected) -> bool {
    let soon = rejected.retry_after.is_none_or(|after| after.seconds == 0);
    Code::from(rejected.code) == Code::ResourceExhausted && soon
}

/// A refusal as a stream says it.
fn rejection(status: &Status) -> v1::Rejected {
    let (code, message) = (status.code().into(), status.message().to_owned());
    v1::Rejected { code, message, retry_after: retry_after(status) }
}

/// Whether it is the line that is at fault. Anything else (the hub stops, its disk fails) would befall every line after it, too.
fn is_the_lines(code: i32) -> bool {
    use tonic::Code::{AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, OutOfRange};
    matches!(Code::from(code), AlreadyExists | FailedPrecondition | InvalidArgument | NotFound | OutOfRange)
}

/// Sends one line by itself until the hub has room for it.
async fn resend(
    client: &Client,
    request: v1::ContributeRequest,
    progress: &mut Progress,
    rejects: &mut Rejects,
    line: &Line,
) -> anyhow::Result<()> {
    use v1::contribute_response::Outcome;
    loop {
        tokio::time::sleep(BUSY).await;
        match client.contributions().contribute(request.clone()).await {
            Ok(response) => {
                match response.into_inner().outcome {
                    Some(Outcome::Accepted(accepted)) if accepted.repeated => progress.repeated += 1,
                    Some(Outcome::Accepted(_)) => progress.imported += 1,
                    Some(Outcome::Declined(_)) => progress.declined += 1,
                    None => bail!("the hub gave an empty answer"),
                }
                return Ok(());
            }
            Err(status) if is_passing(&rejection(&status)) => {}
            Err(status) if is_the_lines(status.code().into()) => {
                rejects.add(line, status.message())?;
                progress.rejected += 1;
                return Ok(());
            }
            Err(status) => return Err(status.into()),
        }
    }
}
