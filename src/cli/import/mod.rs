//! `hashcommons import`: many items from one file, resumable, bad lines set aside.

pub(in crate::cli) mod lines;
pub(in crate::cli) mod progress;
mod send;

use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::connection::HubArgs;
use super::{Verdict, output};
use crate::wire::v1;
use lines::Lines;
use progress::{Progress, Rejects};

/// Put many items on the hub's list, from NDJSON or CSV
///
/// One item a line. Lines that are not as they must be are set aside with their number and what is wrong; the rest is imported.
/// Interrupted, the same command goes on where it was; no item is contributed twice.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons import items.ndjson --key-file contributor.key\n\n\
    A line of NDJSON: {\"signals\":[{\"kind\":\"pdq\",\"value\":\"f8f8…9b22\",\"quality\":100}],\"labels\":[\"glorification\"],\
    \"provenance\":{\"origin\":\"human\",\"reviewers\":\"2+\",\"basis\":{\"code\":\"behaviour\"},\"producer\":\"perpetrator\",\
    \"confidence\":90,\"tlp\":\"TLP:AMBER\",\"action_max\":\"block\"}}\n\
    The columns of CSV, and every field: docs/import.md.\n\n\
    Files written beside FILE: FILE.import-state while it is not finished, FILE.rejected with the lines set aside.\n\
    Exit codes: 0 all imported, 1 some set aside, 2 an error.")]
pub struct Args {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// What is in it [default: by the file's ending: .csv, or NDJSON]
    #[arg(long)]
    format: Option<Format>,

    /// Begin at the first line again, whatever was imported before (items already there are recognized)
    #[arg(long)]
    restart: bool,

    #[command(flatten)]
    hub: HubArgs,
}

/// How items are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    Ndjson,
    Csv,
}

impl Args {
    fn format(&self) -> Format {
        let csv = || self.file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        self.format.unwrap_or_else(|| if csv() { Format::Csv } else { Format::Ndjson })
    }
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let size = std::fs::metadata(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?.len();
    let client = args.hub.connect().await?;
    let ledger = client.ledger().get_checkpoint(v1::GetCheckpointRequest {}).await?.into_inner().verifier_key;
    let mut progress = Progress::open(&args.file, size, ledger, args.restart)?;
    let mut rejects = Rejects::open(&args.file, &progress)?;
    let lines = Lines::open(&args.file, args.format(), progress.resume())?;
    let bar = if json { ProgressBar::hidden() } else { bar(size) };
    if progress.lines > 0 && !json {
        eprintln!("going on after line {}", progress.lines);
    }
    let sent = send::send(&client, lines, &mut progress, &mut rejects, &bar).await;
    bar.finish_and_clear();
    sent.context("the import stopped; run the same command again and it goes on where it was")?;
    progress.finish()?;
    if json {
        output::line(
            &json!({
                "lines": progress.lines,
                "imported": progress.imported,
                "already_there": progress.repeated,
                "too_featureless": progress.declined,
                "rejected": progress.rejected,
                "rejected_file": (progress.rejected > 0).then(|| rejects.path().display().to_string()),
            })
            .to_string(),
        )?;
    } else {
        output::line(&format!(
            "{} lines: {} imported, {} there already, {} too featureless, {} set aside",
            progress.lines, progress.imported, progress.repeated, progress.declined, progress.rejected
        ))?;
        if progress.rejected > 0 {
            output::line(&format!("the lines set aside, and why: {}", rejects.path().display()))?;
        }
    }
    Ok(if progress.rejected == 0 { Verdict::Yes } else { Verdict::No })
}

fn bar(size: u64) -> ProgressBar {
    let bar = ProgressBar::new(size);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3} %  {bytes}/{total_bytes}  {msg}  {eta} left")
    {
        bar.set_style(style);
    }
    bar
}
