//! `hashcommons bench`: figures on stated data.

mod check;
mod corpus;
mod entries;
mod hash;
mod index;
mod load;
mod pace;

use clap::Subcommand;

use super::Verdict;

/// Measure
#[derive(Debug, Subcommand)]
#[command(after_help = "Example: hashcommons bench check --key-file checker.key")]
pub enum Command {
    Check(check::Args),
    Index(index::Args),
    Corpus(corpus::Args),
    Entries(entries::Args),
    Hash(hash::Args),
}

pub(super) async fn run(command: Command, json: bool) -> anyhow::Result<Verdict> {
    match command {
        Command::Check(args) => check::run(args, json).await,
        Command::Index(args) => index::run(&args, json),
        Command::Corpus(args) => corpus::run(&args, json),
        Command::Entries(args) => entries::run(&args),
        Command::Hash(args) => hash::run(&args, json),
    }
}
