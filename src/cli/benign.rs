//! `hashcommons benign`: the list of what is lawful and known to everybody.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;
use tonic::Code;

use super::connection::HubArgs;
use super::draft::RawSignal;
use super::import::Format;
use super::import::lines::Lines;
use super::import::progress::{Position, Rejects};
use super::member::confirm;
use super::{Verdict, output};
use crate::client::Client;
use crate::domain::{At, Benign, BenignClass, FieldError};
use crate::wire::v1::add_benign_response::answer::Outcome;
use crate::wire::{benign_item_to_wire, v1};

/// Items of one request, and their bytes: what the hub takes at a time.
const ITEMS_MAX: usize = 256;
const BYTES_MAX: usize = 96 << 10;
/// Before items that met a full queue are sent again.
const BUSY: Duration = Duration::from_millis(100);
/// Bad lines that are told one by one; the file of them has all.
const PROBLEMS_SHOWN: u64 = 10;

/// Keep the benign list: pictures that nothing near them may be acted on for
#[derive(Debug, Subcommand)]
#[command(after_help = "Example: hashcommons benign import news.ndjson --key-file reviewer.key")]
pub enum Command {
    /// Put many items on the list, from NDJSON; bad lines are set aside
    #[command(after_help = "Example: hashcommons benign import news.ndjson --key-file reviewer.key\n\n\
        A line: {\"signals\":[{\"kind\":\"pdq\",\"value\":\"f8f8…9b22\"}],\"class\":\"news\",\"reference\":\"agency:42\"}\n\
        Classes: news, evidence, logo, flat, common. The reference may be left out.\n\n\
        An item that is there already is recognized, so the same file may be imported again. Lines that are not as they must be\n\
        are set aside in FILE.rejected. Exit codes: 0 all taken, 1 some set aside, 2 an error.")]
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,

        #[command(flatten)]
        hub: HubArgs,
    },
    /// List the items, oldest first
    #[command(after_help = "Example: hashcommons benign list --key-file reviewer.key")]
    List {
        #[command(flatten)]
        hub: HubArgs,
    },
    /// Take an item off the list
    #[command(after_help = "Example: hashcommons benign remove 17 --key-file reviewer.key")]
    Remove {
        /// The item's id
        #[arg(value_name = "ID")]
        id: u64,

        /// Do not ask whether it is meant
        #[arg(long)]
        yes: bool,

        #[command(flatten)]
        hub: HubArgs,
    },
}

pub(super) async fn run(command: Command, json: bool) -> anyhow::Result<Verdict> {
    match command {
        Command::Import { file, hub } => import(&file, &hub, json).await,
        Command::List { hub } => list(&hub, json).await,
        Command::Remove { id, yes, hub } => {
            if !yes {
                confirm(&format!("What is near benign item {id} will count for what it did before."))?;
            }
            let request = v1::RemoveBenignRequest { benign_id: id };
            let removed = hub.connect().await?.reviews().remove_benign(request).await?.into_inner();
            if json {
                output::json(&removed)?;
            } else {
                output::line(&format!("benign item {id} was removed (leaf {})", removed.event))?;
            }
            Ok(Verdict::Yes)
        }
    }
}

/// One item, unread.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBenign {
    signals: Vec<RawSignal>,
    class: String,
    #[serde(default)]
    reference: Option<String>,
}

fn read(text: &str) -> Result<v1::BenignItem, FieldError> {
    let raw: RawBenign = serde_json::from_str(text).at("line")?;
    let signals = raw.signals.iter().enumerate();
    let signals = signals.map(|(at, one)| one.read().map_err(|error| error.within(format_args!("signals[{at}]"))));
    let class: BenignClass = raw.class.parse().at("class")?;
    let reference = raw.reference.map(|reference| reference.parse().at("reference")).transpose()?;
    Ok(benign_item_to_wire(&Benign::new(signals.collect::<Result<_, _>>()?, class, reference)?))
}

/// What has become of the lines so far.
struct Import {
    client: Client,
    rejects: Rejects,
    added: u64,
    repeated: u64,
    rejected: u64,
}

impl Import {
    /// Sets a line aside, and says so.
    fn set_aside(&mut self, number: u64, text: &str, problem: &str) -> anyhow::Result<()> {
        self.rejected += 1;
        if self.rejected <= PROBLEMS_SHOWN {
            output::warn(&format!("line {number}: {}", output::plain(problem)));
        }
        self.rejects.set_aside(number, text, problem)
    }

    /// Sends these lines, again as long as the hub is busy.
    async fn send(&mut self, mut lines: Vec<(u64, String, v1::BenignItem)>) -> anyhow::Result<()> {
        while !lines.is_empty() {
            let items = lines.iter().map(|(.., item)| item.clone()).collect();
            let answers = self.client.reviews().add_benign(v1::AddBenignRequest { items }).await?.into_inner().answers;
            if answers.len() != lines.len() {
                bail!("the hub answered {} of {} items", answers.len(), lines.len());
            }
            let mut again = Vec::new();
            for (line, answer) in lines.into_iter().zip(answers) {
                match answer.outcome.context("the hub gave an empty answer")? {
                    Outcome::Added(added) if added.repeated => self.repeated += 1,
                    Outcome::Added(_) => self.added += 1,
                    Outcome::Rejected(rejected) if Code::from(rejected.code) == Code::ResourceExhausted => {
                        again.push(line);
                    }
                    Outcome::Rejected(rejected) => self.set_aside(line.0, &line.1, &rejected.message)?,
                }
            }
            lines = again;
            if !lines.is_empty() {
                tokio::time::sleep(BUSY).await;
            }
        }
        Ok(())
    }
}

async fn import(file: &Path, hub: &HubArgs, json: bool) -> anyhow::Result<Verdict> {
    let mut lines = Lines::open(file, Format::Ndjson, Position::default())?;
    let client = hub.connect().await?;
    let mut import = Import { client, rejects: Rejects::begin(file)?, added: 0, repeated: 0, rejected: 0 };
    let (mut waiting, mut bytes) = (Vec::new(), 0);
    while let Some((text, whole)) = lines.next_text()? {
        match whole.and_then(|()| read(&text)) {
            Err(problem) => import.set_aside(lines.number(), &text, &problem.to_string())?,
            Ok(item) => {
                // On its way to the hub it is shorter than in the file.
                if waiting.len() == ITEMS_MAX || bytes + text.len() > BYTES_MAX {
                    import.send(std::mem::take(&mut waiting)).await.context(STOPPED)?;
                    bytes = 0;
                }
                bytes += text.len();
                waiting.push((lines.number(), text, item));
            }
        }
    }
    import.send(waiting).await.context(STOPPED)?;
    let Import { rejects, added, repeated, rejected, .. } = import;
    let path = (rejected > 0).then(|| rejects.path().display().to_string());
    if json {
        let counts = json!({
            "added": added, "already_there": repeated, "rejected": rejected, "rejected_file": path,
        });
        output::line(&counts.to_string())?;
    } else {
        output::line(&format!("{added} added, {repeated} there already, {rejected} set aside"))?;
        if let Some(path) = path {
            output::line(&format!("the lines set aside, and why: {path}"))?;
        }
    }
    Ok(if rejected == 0 { Verdict::Yes } else { Verdict::No })
}

const STOPPED: &str = "the import stopped; run the same command again: what is there already is recognized";

async fn list(hub: &HubArgs, json: bool) -> anyhow::Result<Verdict> {
    let mut reviews = hub.connect().await?.reviews();
    let mut from = 0;
    loop {
        let request = v1::ListBenignRequest { from, page_size: 500 };
        let page = reviews.list_benign(request).await?.into_inner();
        if json {
            output::json(&page)?;
        } else {
            output::columns(page.items.iter().map(row).collect())?;
        }
        match page.next {
            Some(next) => from = next,
            None => return Ok(Verdict::Yes),
        }
    }
}

/// The columns of a list: id, class, when, by whom, reference, kinds of hashes.
fn row(listed: &v1::list_benign_response::Listed) -> Vec<String> {
    let item = listed.item.clone().unwrap_or_default();
    let kinds = item.signals.iter().map(|signal| output::code::<crate::domain::SignalKind>(signal.kind));
    vec![
        listed.benign_id.to_string(),
        output::code::<BenignClass>(item.class),
        output::time(listed.added.as_ref()),
        output::plain(&listed.by),
        if item.reference.is_empty() { "-".to_owned() } else { output::plain(&item.reference) },
        kinds.collect::<Vec<_>>().join(", "),
    ]
}
