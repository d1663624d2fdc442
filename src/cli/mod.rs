//! The command line: arguments in, use cases of a hub or of this machine, words or JSON out.
//!
//! Exit codes are grep's: 0 for a match (and for success), 1 for none, 2 for an error.

// The one place that talks to a person: the rest of the library logs, and never to standard output.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod audit;
mod bench;
mod benign;
mod check;
mod connection;
mod contribute;
mod delist;
mod demo;
mod draft;
mod feedback;
mod follow;
mod hash;
mod hold;
mod import;
mod incident;
mod key;
mod member;
mod mirror;
mod output;
mod policy;
mod quota;
mod report;
mod review;
mod sample;
mod serve;
mod taxonomy;
mod trace;
mod verify;
mod withdraw;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use serve::ServeFile;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "hashcommons", version, about, max_term_width = 100)]
#[command(after_help = "Example: hashcommons serve --data-dir ./hub-data &\n\
    hashcommons check --hub http://127.0.0.1:7420 --key-file checker.key photo.jpg\n\n\
    Exit codes: 0 a match, or success; 1 no match, or not verified; 2 an error.")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Print JSON for machines instead of words for people
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Demo(demo::Args),
    Hash(hash::Args),
    Check(check::Args),
    Contribute(Box<contribute::Args>),
    Import(import::Args),
    Trace(trace::Args),
    Withdraw(withdraw::Args),
    Feedback(feedback::FeedbackArgs),
    Appeal(feedback::AppealArgs),
    Appeals(feedback::AppealsArgs),
    Reversals(feedback::ReversalsArgs),
    Trust(feedback::TrustArgs),
    Follow(follow::Args),
    Mirror(mirror::Args),
    Verify(verify::Args),
    Taxonomy(taxonomy::Args),
    #[command(subcommand)]
    Incident(incident::Command),
    #[command(subcommand)]
    Member(member::Command),
    #[command(subcommand)]
    Key(key::Command),
    #[command(subcommand)]
    Review(review::Command),
    #[command(subcommand)]
    Benign(benign::Command),
    Delist(delist::Args),
    Audit(audit::Args),
    Report(report::Args),
    #[command(subcommand)]
    Sample(sample::Command),
    #[command(subcommand)]
    Hold(hold::Command),
    #[command(subcommand)]
    Policy(policy::Command),
    #[command(subcommand)]
    Bench(bench::Command),
    /// Decode pictures for a hub, which starts this itself
    #[command(hide = true, name = crate::worker::COMMAND)]
    MediaWorker,
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// A match, or success.
    Yes,
    /// No match, or not verified.
    No,
}

/// Runs the command line and says how it went.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    // Before there is a second thread: its sandbox binds the one that enters it.
    if let Command::MediaWorker = cli.command {
        return crate::worker::run();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(json, &anyhow::anyhow!("cannot start the runtime: {error}")),
    };
    match runtime.block_on(dispatch(cli)) {
        Ok(Verdict::Yes) => ExitCode::SUCCESS,
        Ok(Verdict::No) => ExitCode::from(1),
        Err(error) => fail(json, &error),
    }
}

async fn dispatch(cli: Cli) -> anyhow::Result<Verdict> {
    let json = cli.json;
    match cli.command {
        Command::Serve(args) => serve::run(args, json).await,
        Command::Demo(args) => demo::run(args, json).await,
        Command::Hash(args) => hash::run(args, json).await,
        Command::Check(args) => check::run(args, json).await,
        Command::Contribute(args) => contribute::run(*args, json).await,
        Command::Import(args) => import::run(args, json).await,
        Command::Trace(args) => trace::run(args, json).await,
        Command::Withdraw(args) => withdraw::run(args, json).await,
        Command::Feedback(args) => feedback::feedback(args, json).await,
        Command::Appeal(args) => feedback::appeal(args, json).await,
        Command::Appeals(args) => feedback::appeals(args, json).await,
        Command::Reversals(args) => feedback::reversals(args, json).await,
        Command::Trust(args) => feedback::trust(args, json).await,
        Command::Follow(args) => follow::run(args, json).await,
        Command::Mirror(args) => mirror::run(args, json).await,
        Command::Verify(args) => verify::run(&args, json),
        Command::Taxonomy(args) => taxonomy::run(args, json).await,
        Command::Incident(command) => incident::run(command, json).await,
        Command::Member(command) => member::run(command, json).await,
        Command::Key(command) => key::run(command, json).await,
        Command::Hold(command) => hold::run(command, json).await,
        Command::Policy(command) => policy::run(command, json).await,
        Command::Review(command) => review::run(command, json).await,
        Command::Benign(command) => benign::run(command, json).await,
        Command::Delist(args) => delist::run(args, json).await,
        Command::Audit(args) => audit::run(args, json).await,
        Command::Report(args) => report::run(args, json).await,
        Command::Sample(command) => sample::run(command, json).await,
        Command::Bench(command) => bench::run(command, json).await,
        Command::MediaWorker => anyhow::bail!("a media worker has no runtime"),
    }
}

fn fail(json: bool, error: &anyhow::Error) -> ExitCode {
    let message = output::explain(error);
    if json {
        eprintln!("{}", serde_json::json!({ "error": message }));
    } else {
        eprintln!("hashcommons: {message}");
    }
    ExitCode::from(2)
}
