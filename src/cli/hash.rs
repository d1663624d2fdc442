//! `hashcommons hash`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::json;

use super::Verdict;
use super::output::line;
use crate::domain::Orientation;
use crate::media::{DecodeLimits, Fingerprint, OrientedSignal, Turns, fingerprint};

/// Hash pictures on this machine; nothing is sent anywhere
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons hash photo.jpg")]
pub struct Args {
    /// Pictures: JPEG, PNG, GIF, WebP, BMP, TIFF or AVIF
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Hash each picture in all eight orientations
    #[arg(long)]
    dihedral: bool,
}

/// The orientations that `--dihedral` asks for.
pub(super) const fn turns(dihedral: bool) -> Turns {
    if dihedral { Turns::All } else { Turns::Shown }
}

/// Reads and hashes one picture.
pub(super) fn hash_file(path: &Path, turns: Turns) -> anyhow::Result<Fingerprint> {
    let limits = DecodeLimits::default();
    let size = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    if size > limits.bytes_max as u64 {
        anyhow::bail!("{}: must be at most {} bytes, got {size}", path.display(), limits.bytes_max);
    }
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    fingerprint(&bytes, &limits, turns).with_context(|| path.display().to_string())
}

pub(super) fn run(args: &Args, json: bool) -> anyhow::Result<Verdict> {
    let mut failed = 0;
    for path in &args.files {
        match hash_file(path, turns(args.dihedral)) {
            Ok(print) if json => line(&as_json(path, &print).to_string())?,
            Ok(print) => line(&as_text(path, &print))?,
            // Others may still be sound: say what is wrong with this one and go on.
            Err(error) => {
                failed += 1;
                super::output::complain(&error);
            }
        }
    }
    if failed > 0 {
        anyhow::bail!("{failed} of {} files could not be hashed", args.files.len());
    }
    Ok(Verdict::Yes)
}

fn as_json(path: &Path, print: &Fingerprint) -> serde_json::Value {
    let signals: Vec<_> = print
        .signals()
        .iter()
        .map(|OrientedSignal { orientation, signal }| {
            let mut fields = json!({ "kind": signal.kind().code(), "value": signal.hex() });
            if let Some(quality) = signal.quality() {
                fields["quality"] = quality.percent().into();
            }
            if *orientation != Orientation::AsStored {
                fields["orientation"] = orientation.code().into();
            }
            fields
        })
        .collect();
    json!({
        "file": path.display().to_string(),
        "format": print.format.code(),
        "width": print.width,
        "height": print.height,
        "quality": print.quality().percent(),
        "featureless": print.is_featureless(),
        "signals": signals,
    })
}

fn as_text(path: &Path, print: &Fingerprint) -> String {
    let mut text = format!("{}: {} {}x{}", path.display(), print.format, print.width, print.height);
    if print.is_featureless() {
        let quality = print.quality();
        text.push_str(&format!("\n  too featureless to share or match (PDQ quality {quality}, at least 50 is needed)"));
    }
    for OrientedSignal { orientation, signal } in print.signals() {
        let quality = signal.quality().map(|quality| format!("  quality {quality}")).unwrap_or_default();
        let turned = if orientation == Orientation::AsStored { String::new() } else { format!("  {orientation}") };
        text.push_str(&format!("\n  {:<6} {}{quality}{turned}", signal.kind(), signal.hex()));
    }
    text
}
