//! `hashcommons withdraw`.

use std::path::PathBuf;

use anyhow::Context;

use super::connection::HubArgs;
use super::contribute::save_receipt;
use super::{Verdict, output};
use crate::domain::WithdrawReason;
use crate::wire::{Coded, v1};

/// Take back an entry of your own: it stops matching at once, its proof stays
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons withdraw 2 --reason mistake")]
pub struct Args {
    /// The entry's id
    #[arg(value_name = "ENTRY")]
    entry: u64,

    /// Why: mistake, wrong-label, outdated, superseded or unspecified
    #[arg(long, default_value = "unspecified")]
    reason: String,

    /// Where to put the withdrawal's receipt
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,

    #[command(flatten)]
    hub: HubArgs,
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let reason: WithdrawReason = args.reason.parse().context("--reason")?;
    let client = args.hub.connect().await?;
    let request = v1::WithdrawRequest { entry_id: args.entry, reason: reason.to_wire() };
    let withdrawn = client.contributions().withdraw(request).await?.into_inner();
    save_receipt(args.receipt.as_deref(), withdrawn.receipt.as_ref())?;
    if json {
        output::json(&withdrawn)?;
    } else {
        let at = output::time(withdrawn.withdrawn.as_ref());
        output::line(&format!("entry {} was withdrawn on {at}; it no longer matches", args.entry))?;
    }
    Ok(Verdict::Yes)
}
