//! `hashcommons report`.

mod csv;

use std::path::PathBuf;

use anyhow::ensure;

use super::connection::HubArgs;
use super::verify::ledger_key;
use super::{Verdict, output};
use crate::client::{Difference, figure_name, recount};
use crate::domain::Date;
use crate::policy::Period;
use crate::wire::v1::{self, Suppressed, figure::Value};

/// Tell what the ledger comes to in numbers
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: hashcommons report --from 2026-01-01 --to 2026-03-31 --csv > report.csv\n          \
    hashcommons report --from 2026-01-01 --to 2026-03-31 --from-ledger --ledger-key-file ledger.pub\n\n\
    Exit codes: 0; with --from-ledger 0 if every figure is what the ledger says, 1 if not; 2 an error.")]
pub struct Args {
    /// The first day (UTC)
    #[arg(long, value_name = "DATE")]
    from: Date,
    /// The last day, included
    #[arg(long, value_name = "DATE")]
    to: Date,
    /// Print CSV (RFC 4180)
    #[arg(long, conflicts_with = "from_ledger")]
    csv: bool,
    /// Compute the same from the ledger, and compare
    #[arg(long)]
    from_ledger: bool,

    /// The ledger's public key, as in hub.example/ledger+1a2b3c4d+A…
    #[arg(long, env = "HASHCOMMONS_LEDGER_KEY", value_name = "KEY")]
    ledger_key: Option<String>,

    /// File with the ledger's public key
    #[arg(long, env = "HASHCOMMONS_LEDGER_KEY_FILE", value_name = "FILE", conflicts_with = "ledger_key")]
    ledger_key_file: Option<PathBuf>,

    #[command(flatten)]
    hub: HubArgs,
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    ensure!(!(args.csv && json), "--csv and --json: one of them");
    let period = Period::new(args.from, args.to)?;
    let key = match args.from_ledger {
        true => Some(ledger_key(args.ledger_key.as_deref(), args.ledger_key_file.as_deref())?),
        false => None,
    };
    let client = args.hub.connect().await?;
    let request = v1::GetReportRequest { from: args.from.to_string(), to: args.to.to_string() };
    let report = client.statistics().get_report(request).await?.into_inner();
    let Some(key) = key else {
        match (json, args.csv) {
            (true, _) => output::json(&report)?,
            (_, true) => output::text(&csv::write(&report))?,
            _ => words(&report)?,
        }
        return Ok(Verdict::Yes);
    };
    let differences = recount(&client, &key, period, &report).await?;
    tell(&report, &differences, json)?;
    Ok(if differences.is_empty() { Verdict::Yes } else { Verdict::No })
}

/// Prints how the hub's report compares with the ledger.
fn tell(report: &v1::StatisticsReport, differences: &[Difference], json: bool) -> anyhow::Result<()> {
    let shown = |figure: &Option<v1::Figure>| figure.as_ref().map_or_else(|| "-".to_owned(), value);
    let (figures, size, at) = (report.figures.len(), report.tree_size, output::time(report.at.as_ref()));
    if json {
        let differences = differences.iter().map(|one| {
            let figure = output::plain(&one.figure);
            serde_json::json!({ "figure": figure, "hub": shown(&one.hub), "ledger": shown(&one.ledger) })
        });
        let differences: Vec<_> = differences.collect();
        let equal = differences.is_empty();
        let facts = serde_json::json!({
            "equal": equal, "figures": figures, "tree_size": size, "at": at, "differences": differences,
        });
        return output::line(&facts.to_string());
    }
    if differences.is_empty() {
        return output::line(&format!("equal: {figures} figures, computed again from {size} leaves as of {at}"));
    }
    output::line(&format!("NOT equal: {} figures are not what the first {size} leaves say", differences.len()))?;
    differences.iter().try_for_each(|one| {
        let figure = output::plain(&one.figure);
        output::line(&format!("  {figure}: the hub says {}, the ledger {}", shown(&one.hub), shown(&one.ledger)))
    })
}

/// Prints a report for people.
fn words(report: &v1::StatisticsReport) -> anyhow::Result<()> {
    let [from, to] = [&report.from, &report.to].map(|day| output::plain(day));
    let at = output::time(report.at.as_ref());
    output::line(&format!("{from} to {to}, of {} leaves, as of {at}", output::count(report.tree_size)))?;
    let rows = report.figures.iter().map(|figure| {
        let name = match figure.by.is_empty() {
            true => output::plain(&figure.name),
            false => output::plain(&format!("  {}", figure_name(figure))),
        };
        vec![name, value(figure)]
    });
    output::columns(rows.collect())
}

/// What is shown of a figure: `1,204`, `<5`, `12.34 %`, `86400 s`, or `-` where there is nothing to compute it from.
fn value(figure: &v1::Figure) -> String {
    match &figure.value {
        None => "-".to_owned(),
        Some(Value::Count(count)) => output::count(*count),
        Some(Value::Suppressed(why)) if *why == i32::from(Suppressed::Few) => "<5".to_owned(),
        Some(Value::Suppressed(_)) => "not shown".to_owned(),
        Some(Value::BasisPoints(points)) => format!("{}.{:02} %", points / 100, points % 100),
        Some(Value::Seconds(seconds)) => format!("{seconds} s"),
    }
}
