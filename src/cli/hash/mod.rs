//! `hashcommons hash`: pictures, and folders of them, on this machine.
//!
//! | module | what |
//! |---|---|
//! | `walk` | what is named and what is in folders, in one order |
//! | `hasher` | one file: read within bounds, hashed beside others |
//! | `tally` | what became of the files, in numbers |
//! | `print` | without `--out`: the hashes, on standard output |
//! | `export` | with `--out`: a file for `import` |
//! | `journal` | what `export` leaves beside it, to go on from |

mod export;
mod hasher;
mod journal;
mod print;
mod tally;
mod walk;

use std::path::{Path, PathBuf};

use clap::Arg;
use futures_util::{Stream, StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};

use self::hasher::{Broken, Done};
use self::walk::Found;
use super::Verdict;
use super::draft::{self, DraftArgs};
use crate::media::{Fingerprint, Turns};

pub use hasher::{Hasher, MediaArgs};

/// Hash pictures on this machine; nothing is sent anywhere
///
/// Of a folder every file in it and below it is tried, in the order of the names, on all cores. What a file is, is taken from its
/// bytes. Files that are no pictures are counted, not failures. Symbolic links in folders are not followed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: hashcommons hash photo.jpg\n          \
    hashcommons hash pictures --out items.ndjson --label graphic-violence --origin human --reviewers 2+ \
    --basis behaviour --producer perpetrator --confidence 95 --tlp TLP:AMBER\n\n\
    Exit codes: 0 every picture was hashed; 2 an error. Without --out a picture that could not be hashed is an error; with \
    --out it is code 1, and 2 says that the work did not come to its end.",
    mut_args(only_with_out)
)]
pub struct Args {
    /// Pictures, and folders of them: JPEG, PNG, GIF, WebP, BMP, TIFF or AVIF
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Hash each picture in all eight orientations
    #[arg(long, conflicts_with = "out")]
    dihedral: bool,

    /// Write a file for `hashcommons import` instead, one item a picture, and FILE.files beside it: what became of each file
    ///
    /// Interrupted, the same command goes on where it was; complete, it adds files that are new. The flags under "Item" say
    /// what every item is.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Begin FILE anew, whatever was hashed before
    #[arg(long, requires = "out")]
    restart: bool,

    #[command(flatten)]
    media: MediaArgs,

    #[command(flatten)]
    item: Option<DraftArgs>,
}

/// What must be said of an item: clap's names of the flags of [`DraftArgs`] that are required.
const ITEM_REQUIRED: [&str; 7] = ["labels", "origin", "reviewers", "basis", "producer", "confidence", "tlp"];

/// The flags of an item go with `--out`: there they are required, elsewhere they are a mistake.
fn only_with_out(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "out" => ITEM_REQUIRED.iter().fold(arg, |arg, flag| arg.requires(*flag)),
        _ if arg.get_help_heading() == Some(draft::HEADING) => arg.required(false).requires("out"),
        _ => arg,
    }
}

/// The orientations that `--dihedral` asks for.
pub(super) const fn turns(dihedral: bool) -> Turns {
    if dihedral { Turns::All } else { Turns::Shown }
}

/// Hashes one file that somebody named.
pub(super) async fn hash_file(path: &Path, media: MediaArgs, turns: Turns) -> anyhow::Result<Fingerprint> {
    Hasher::start(media, 1, turns)?.hash_named(path).await
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    // A folder may have any number of files.
    let files = if args.paths.iter().any(|path| path.is_dir()) { usize::MAX } else { args.paths.len() };
    match (&args.out, &args.item) {
        (Some(out), Some(item)) => {
            let like = export::checked(item)?;
            let hasher = Hasher::start(args.media, files, Turns::Shown)?;
            export::run(&args.paths, &hasher, out, &like, args.restart, json).await
        }
        _ => {
            let hasher = Hasher::start(args.media, files, turns(args.dihedral))?;
            print::run(&args.paths, &hasher, json).await
        }
    }
}

/// Files that are being read, are being hashed, or wait for one before them, at most. What waits is small: hashes, not files.
const UNDER_WAY_MAX: usize = 256;

/// Hashes files on all cores; the results come in the order of the files.
fn hash_all<'a>(
    hasher: &'a Hasher,
    files: impl Iterator<Item = Found> + 'a,
) -> impl Stream<Item = Result<Done, Broken>> + 'a {
    stream::iter(files).map(|found| hasher.hash(found)).buffered(UNDER_WAY_MAX)
}

/// Shows how far the work is, if somebody looks at standard error: `done` files were hashed by an earlier run.
fn bar(paths: &[PathBuf], done: u64) -> ProgressBar {
    let bar = ProgressBar::new(done).with_position(done);
    if bar.is_hidden() {
        return bar;
    }
    let style = "{bar:30} {pos} of {len} files  {per_sec}  {msg}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    // Counted while the first are hashed already. It ends with the process if that is sooner.
    let (counter, paths) = (bar.clone(), paths.to_vec());
    std::thread::spawn(move || {
        for (seen, _) in (1..).zip(walk::walk(&paths)) {
            counter.set_length(done.max(seen));
        }
    });
    bar
}
