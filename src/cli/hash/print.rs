//! Hashes on standard output.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::pin::pin;

use anyhow::bail;
use futures_util::StreamExt;
use indicatif::ProgressBar;
use serde_json::json;

use super::hasher::Hasher;
use super::tally::Tally;
use super::{bar, hash_all, walk};
use crate::cli::{Verdict, output};
use crate::domain::Orientation;
use crate::media::{Fingerprint, OrientedSignal};

pub(super) async fn run(paths: &[PathBuf], hasher: &Hasher, json: bool) -> anyhow::Result<Verdict> {
    let folders = paths.iter().any(|path| path.is_dir());
    // It would stand among the hashes if those went to the same screen.
    let bar = if json || !folders || std::io::stdout().is_terminal() { ProgressBar::hidden() } else { bar(paths, 0) };
    let mut tally = Tally::default();
    let mut hashed = pin!(hash_all(hasher, walk::walk(paths)));
    while let Some(done) = hashed.next().await.transpose()? {
        tally.add(&done.path, done.word(), done.named);
        bar.inc(1);
        let failed = done.is_failure();
        match done.outcome {
            Ok(print) if json => output::line(&as_json(&done.path, &print).to_string())?,
            Ok(print) => output::line(&as_text(&done.path, &print))?,
            // Others may still be sound: say what is wrong with this one and go on.
            Err(refusal) if failed => {
                let error = anyhow::Error::new(refusal).context(output::name(&done.path));
                bar.suspend(|| output::complain(&error));
            }
            Err(_) => {}
        }
    }
    bar.finish_and_clear();
    if tally.failed() > 0 {
        bail!("{} of {} files could not be hashed ({})", tally.failed(), tally.files(), tally.words());
    }
    if folders && !json {
        eprintln!("{}", tally.line());
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
    let (file, file_bytes) = output::name_in_json(path);
    let mut facts = json!({
        "file": file,
        "format": print.format.code(),
        "width": print.width,
        "height": print.height,
        "quality": print.quality().percent(),
        "featureless": print.is_featureless(),
        "signals": signals,
    });
    if let Some(bytes) = file_bytes {
        facts["file_bytes"] = bytes.into();
    }
    facts
}

fn as_text(path: &Path, print: &Fingerprint) -> String {
    let mut text = format!("{}: {} {}x{}", output::name(path), print.format, print.width, print.height);
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
