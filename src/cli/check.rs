//! `hashcommons check`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::connection::HubArgs;
use super::draft::RawSignal;
use super::hash::{Hasher, MediaArgs, turns};
use super::{Verdict, output};
use crate::client::{Client, to_json};
use crate::domain::{Code, Orientation, Signal};
use crate::media::OrientedSignal;
use crate::wire::{Coded, signal_to_wire, v1};

/// Check a picture, or hashes, against the hub's list
///
/// Pictures are hashed on this machine and only the hashes are sent, unless --send-media.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: hashcommons check photo.jpg\n          \
    hashcommons check --signal pdq:f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22 --radius 20\n\n\
    Exit codes: 0 a match, 1 none, 2 an error.")]
pub struct Args {
    /// Pictures, each checked by itself
    #[arg(value_name = "FILE", required_unless_present = "signals")]
    files: Vec<PathBuf>,

    /// Hashes of one item, as KIND:HEX or pdq:HEX:QUALITY; may be given up to 16 times
    #[arg(long = "signal", value_name = "SIGNAL")]
    signals: Vec<RawSignal>,

    /// How many bits may differ [default: each kind's own: pdq 31, dhash 4, others 0]
    #[arg(long, value_name = "BITS")]
    radius: Option<u32>,

    /// At most so many matches, nearest first
    #[arg(long, value_name = "N")]
    limit: Option<u32>,

    /// Look up each picture in all eight orientations: finds mirrored and turned copies
    #[arg(long, conflicts_with = "signals")]
    dihedral: bool,

    /// Send the pictures and let the hub hash them
    #[arg(long, conflicts_with_all = ["signals", "radius"])]
    send_media: bool,

    /// Check against the entries of this open drill alone, to practise: see docs/incidents.md
    #[arg(long, value_name = "CODE", conflicts_with = "send_media")]
    drill: Option<Code>,

    #[command(flatten)]
    media: MediaArgs,

    #[command(flatten)]
    hub: HubArgs,
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let client = args.hub.connect().await?;
    let mut verdict = Verdict::No;
    if !args.signals.is_empty() {
        let read = args.signals.iter().map(RawSignal::read).collect::<Result<Vec<_>, _>>()?;
        let response = check_signals(&client, &read, args.radius, args.limit, args.drill.as_ref()).await?;
        let facts = json.then(|| to_json(&response)).transpose()?;
        report(None, &response, &[], facts, &mut verdict)?;
    }
    let mut failed = 0;
    let hasher = if args.send_media || args.files.is_empty() {
        None
    } else {
        // One after the other.
        Some(Hasher::start(args.media, 1, turns(args.dihedral))?)
    };
    for path in &args.files {
        // The other files may be sound: say what is wrong with this one and go on.
        if let Err(error) = check_file(&client, &args, hasher.as_ref(), path, json, &mut verdict).await {
            failed += 1;
            output::complain(&error.context(output::name(path)));
        }
    }
    anyhow::ensure!(failed == 0, "{failed} of {} files could not be checked", args.files.len());
    Ok(verdict)
}

async fn check_file(
    client: &Client,
    args: &Args,
    hasher: Option<&Hasher>,
    path: &Path,
    json: bool,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let Some(hasher) = hasher else {
        let options = v1::check_media_request::Options { limit: args.limit, dihedral: args.dihedral };
        let response = client.check_media(std::fs::read(path)?, options).await?;
        // Machines are given all of it: the hashes are theirs to keep.
        let facts = json.then(|| to_json(&response)).transpose()?;
        let turned = response.orientations.iter().map(|number| Orientation::from_wire(*number, "orientations"));
        let orientations = turned.collect::<Result<Vec<_>, _>>()?;
        let found = response.check.unwrap_or_default();
        return report(Some(path), &found, &orientations, facts, verdict);
    };
    let print = hasher.hash_named(path).await?;
    let (mut orientations, mut signals): (Vec<_>, Vec<_>) =
        print.signals().into_iter().map(|OrientedSignal { orientation, signal }| (orientation, signal)).unzip();
    if print.is_featureless() {
        // Sent all the same, so that the answer is the hub's: "too featureless".
        orientations.push(Orientation::AsStored);
        signals.push(Signal::Pdq { hash: print.stored.pdq, quality: Some(print.stored.quality) });
    }
    let response = check_signals(client, &signals, args.radius, args.limit, args.drill.as_ref()).await?;
    let mut facts = json.then(|| to_json(&response)).transpose()?;
    if let Some(facts) = &mut facts {
        facts["orientations"] = orientations.iter().map(|orientation| orientation.code()).collect();
    }
    report(Some(path), &response, &orientations, facts, verdict)
}

/// Looks up the signals of one item. A radius given is used for every kind, as far as the kind allows it.
pub(super) async fn check_signals(
    client: &Client,
    signals: &[Signal],
    radius: Option<u32>,
    limit: Option<u32>,
    drill: Option<&Code>,
) -> anyhow::Result<v1::CheckResponse> {
    let queries = signals.iter().map(|signal| {
        let max = u32::from(signal.kind().radius_max().bits());
        // With one kind of signal a radius that is too wide is the caller's mistake, which the hub names; with several it is
        // meant for the widest.
        let several = signals.iter().any(|other| other.kind() != signal.kind());
        let radius = radius.map(|radius| if several { radius.min(max) } else { radius });
        v1::Query { signal: Some(signal_to_wire(signal)), radius }
    });
    let drill = drill.map(ToString::to_string).unwrap_or_default();
    let request = v1::CheckRequest { queries: queries.collect(), limit, tag: String::new(), drill };
    Ok(client.checks().check(request).await?.into_inner())
}

/// Prints what was found, in words or as `facts`.
fn report(
    file: Option<&Path>,
    response: &v1::CheckResponse,
    orientations: &[Orientation],
    facts: Option<serde_json::Value>,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    if !response.matches.is_empty() {
        *verdict = Verdict::Yes;
    }
    let name = file.map(|file| file.display().to_string());
    match facts {
        Some(mut facts) => {
            facts["file"] = name.into();
            output::line(&facts.to_string())
        }
        None => output::line(words(name.as_deref().unwrap_or("the hashes"), response, orientations).trim_end()),
    }
}

/// An answer in words; `orientations` are those of the signals that were looked up, or none.
pub(super) fn words(name: &str, response: &v1::CheckResponse, orientations: &[Orientation]) -> String {
    let featureless = response.results.iter().any(|result| result.outcome() == v1::Outcome::TooFeatureless);
    let mut text = match response.matches.len() {
        0 if featureless => format!("{name}: no match; the picture is too featureless for perceptual hashes\n"),
        0 => format!("{name}: no match\n"),
        1 => format!("{name}: 1 match\n"),
        count => format!("{name}: {count} matches{}\n", if response.more { ", and there are more" } else { "" }),
    };
    if !response.drill.is_empty() {
        text.insert_str(0, &format!("*** DRILL {}: nothing of this is real ***\n", output::plain(&response.drill)));
    }
    for found in &response.matches {
        let Some(entry) = &found.entry else { continue };
        // Those that reviewers gave it, if they did.
        let now = found.assessment.as_ref().map(|assessment| &assessment.labels).filter(|labels| !labels.is_empty());
        let labels: Vec<_> = now.unwrap_or(&entry.labels).iter().map(|label| output::plain(label)).collect();
        let _ = writeln!(text, "  entry {}: {}", entry.entry_id, output::evidence(&found.evidence, orientations));
        let _ = writeln!(text, "    labels        {} (taxonomy {})", labels.join(", "), entry.taxonomy_version);
        let contributor = output::contributor(entry.contributor.as_ref());
        let _ = writeln!(text, "    contributor   {contributor}, {}", output::time(entry.contributed.as_ref()));
        text.push_str(&output::provenance(entry.provenance.as_ref(), "    "));
        text.push_str(&output::assessment(found.assessment.as_ref(), "    "));
        let _ = writeln!(text, "    receipt       {}", output::plain(&found.receipt));
    }
    text
}
