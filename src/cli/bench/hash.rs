//! `hashcommons bench hash`: what decoding and hashing pictures takes, beside the hash, so that answers can be compared.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;

use super::index::hundredths;
use crate::cli::{Verdict, output};
use crate::media::pdq::{self, Simd};
use crate::media::{DecodeLimits, Turns, decode, fingerprint};

/// How often each is done: the fastest counts.
const TIMES: usize = 5;

/// Measure decoding and hashing of pictures, on one thread
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons bench hash photo.jpg --json\n\n\
    Times are in milliseconds, each the best of five. decode: the file to pixels, reading it included; hash: pixels to \
    PDQ and quality; dihedral: pixels to the PDQ of all eight orientations; fingerprint: all that a hub computes of a \
    file, decoding it included.")]
pub struct Args {
    /// Pictures, each measured by itself
    #[arg(required = true, value_name = "IMAGE")]
    files: Vec<PathBuf>,

    /// Hash with this instruction set, portable or avx2, instead of the fastest there is (hash, dihedral)
    #[arg(long, value_name = "SET")]
    simd: Option<Simd>,
}

/// What was measured of one picture. The first seven are also what `benches/peers/pdq_hash.py` prints of Meta's.
#[derive(Debug, Serialize)]
struct Figures {
    #[serde(rename = "image")]
    file: String,
    /// In pixels.
    width: u32,
    height: u32,
    /// In hexadecimal.
    pdq: String,
    quality: u8,
    decode_ms: f64,
    hash_ms: f64,
    dihedral_ms: f64,
    fingerprint_ms: f64,
    /// The instruction set of `hash_ms` and `dihedral_ms`.
    simd: String,
}

pub(super) fn run(args: &Args, json: bool) -> anyhow::Result<Verdict> {
    let simd = args.simd.unwrap_or_else(Simd::best);
    if !json {
        output::line(&format!("{simd}, one thread; times in milliseconds, best of {TIMES}"))?;
        output::line("  width height  decode    hash dihedral fingerprint quality pdq")?;
    }
    for file in &args.files {
        let figures = measure(file, simd).with_context(|| file.display().to_string())?;
        if json {
            output::line(&serde_json::to_string(&figures)?)?;
        } else {
            print(&figures)?;
        }
    }
    Ok(Verdict::Yes)
}

fn measure(path: &Path, simd: Simd) -> anyhow::Result<Figures> {
    let limits = DecodeLimits::default();
    let (picture, decode_ms) = best(|| Ok(decode(&std::fs::read(path)?, &limits)?))?;
    let ((pdq, quality), hash_ms) = best(|| Ok(pdq::hash_on(simd, &picture)?))?;
    let (_, dihedral_ms) = best(|| Ok(pdq::hash_dihedral_on(simd, &picture)?))?;
    let (_, fingerprint_ms) = best(|| Ok(fingerprint(&std::fs::read(path)?, &limits, Turns::Shown)?))?;
    Ok(Figures {
        file: path.display().to_string(),
        width: picture.width(),
        height: picture.height(),
        pdq: pdq.to_string(),
        quality: quality.percent(),
        decode_ms,
        hash_ms,
        dihedral_ms,
        fingerprint_ms,
        simd: simd.to_string(),
    })
}

/// Does something [`TIMES`] times; gives what came of it, and how many milliseconds the fastest took.
fn best<T>(mut work: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<(T, f64)> {
    let mut timed = || -> anyhow::Result<_> {
        let start = Instant::now();
        let done = work()?;
        Ok((done, start.elapsed()))
    };
    let (mut done, mut fastest) = timed()?;
    for _ in 1..TIMES {
        let (again, took) = timed()?;
        (done, fastest) = (again, fastest.min(took));
    }
    Ok((done, hundredths(fastest.as_secs_f64() * 1e3)))
}

fn print(figures: &Figures) -> anyhow::Result<()> {
    let Figures { file, width, height, pdq, quality, decode_ms, hash_ms, dihedral_ms, fingerprint_ms, simd: _ } =
        figures;
    output::line(file)?;
    output::line(&format!(
        "{width:>7} {height:>6} {decode_ms:>7.2} {hash_ms:>7.2} {dihedral_ms:>8.2} {fingerprint_ms:>11.2} {quality:>7} {pdq}"
    ))
}
