//! `hashcommons mirror`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use super::connection::HubArgs;
use super::{Verdict, output};
use crate::client::Mirror;
use crate::wire::v1::{self, follow_response::Item};

/// Keep a copy of what the hub lists in a file, as far as your key may read it, and go on from where it is
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: hashcommons mirror list.ndjson\n          hashcommons mirror list.ndjson --until-now\n\n\
    The first line of the file says how far it has come; each of the others is an entry that matches. The file is replaced as a\n\
    whole, so it can be read and the command ended at any time. docs/mirror.md has its form."
)]
pub struct Args {
    /// The file; a new one, if it is not there
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Stop at the present end instead of waiting for more
    #[arg(long)]
    until_now: bool,

    /// Write the file at most so often
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    save_every: u64,

    #[command(flatten)]
    hub: HubArgs,
}

/// Writing takes at most this share of the time.
const SAVING_SHARE: u32 = 10;

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let client = args.hub.connect().await?;
    let ledger = client.ledger().get_checkpoint(v1::GetCheckpointRequest {}).await?.into_inner().verifier_key;
    let mut mirror = Mirror::open(&args.file, &ledger)?;
    let request = v1::FollowRequest { from: mirror.position(), until_now: args.until_now, incident_first: false };
    let mut feed = client.ledger().follow(request).await?.into_inner();
    let pause = Duration::from_secs(args.save_every);
    let mut due = Instant::now() + pause;
    loop {
        // What was seen is written when it is time, also if nothing comes after it.
        let message = match timeout_at(due.into(), feed.message()).await {
            Ok(message) => message?,
            Err(_) => {
                due = save(&mut mirror, pause, json)?;
                continue;
            }
        };
        match message.map(|message| message.item) {
            Some(Some(Item::Event(event))) => mirror.apply(&event)?,
            Some(_) => {}
            None => {
                save(&mut mirror, pause, json)?;
                return Ok(Verdict::Yes);
            }
        }
        if Instant::now() >= due {
            due = save(&mut mirror, pause, json)?;
        }
    }
}

/// Writes the file if it is behind, and says so; gives the time of the next writing.
fn save(mirror: &mut Mirror, pause: Duration, json: bool) -> anyhow::Result<Instant> {
    let began = Instant::now();
    if mirror.is_unsaved() {
        mirror.save()?;
        let (position, entries) = (mirror.position(), mirror.entries());
        if json {
            output::line(&serde_json::json!({ "position": position, "entries": entries }).to_string())?;
        } else {
            output::line(&format!("{entries} entries after {position} events"))?;
        }
    }
    Ok(Instant::now() + pause.max(began.elapsed() * SAVING_SHARE))
}
