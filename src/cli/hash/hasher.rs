//! One file: read within bounds, hashed while others are.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::walk::Found;
use crate::media::{DecodeError, DecodeLimits, Fingerprint, FingerprintError, Format, Turns, fingerprint};

/// Enough of a file to tell whether it is a picture.
const BEGINNING_BYTES: u64 = 4 << 10;

/// Hashes files, so many at the same time.
pub(super) struct Hasher {
    limits: DecodeLimits,
    turns: Turns,
    /// Each holds one file's bytes.
    places: Arc<Semaphore>,
}

/// What became of one file.
pub(super) struct Done {
    pub path: PathBuf,
    /// Named on the command line itself.
    pub named: bool,
    /// Its length, if it could be opened.
    pub bytes: Option<u64>,
    pub outcome: Result<Fingerprint, Refusal>,
}

/// Why a file has no hashes.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("a symbolic link, not followed")]
    Link,
    #[error("neither a file nor a folder")]
    Special,
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    #[error(transparent)]
    Picture(#[from] FingerprintError),
    #[error("the decoder failed")]
    Decoder,
}

impl Refusal {
    /// Which kind of refusal it is: one of a small fixed set.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Link => "symbolic-link",
            Self::Special => "special-file",
            Self::Unreadable(_) => "unreadable",
            Self::Picture(error) => error.kind(),
            Self::Decoder => "decoder-failed",
        }
    }
}

impl Hasher {
    pub fn start(at_once: usize, turns: Turns) -> Self {
        Self { limits: DecodeLimits::default(), turns, places: Arc::new(Semaphore::new(at_once)) }
    }

    /// Hashes what the walk found.
    pub async fn hash(&self, found: Found) -> Done {
        let (bytes, outcome) = match found.refusal {
            Some(refusal) => (None, Err(refusal)),
            None => self.hash_file(&found.path, Special::Refused).await,
        };
        Done { path: found.path, named: found.named, bytes, outcome }
    }

    /// Hashes a file that somebody named, be it a pipe.
    pub async fn hash_named(&self, path: &Path) -> Result<Fingerprint, Refusal> {
        self.hash_file(path, Special::Read).await.1
    }

    /// The file's length, if it could be opened, and its hashes.
    async fn hash_file(&self, path: &Path, special: Special) -> (Option<u64>, Result<Fingerprint, Refusal>) {
        let Ok(place) = self.places.clone().acquire_owned().await else { return (None, Err(Refusal::Decoder)) };
        let (path, limits, turns) = (path.to_owned(), self.limits, self.turns);
        let hashed = tokio::task::spawn_blocking(move || {
            let (file, length) = match open(&path, special) {
                Ok(opened) => opened,
                Err(refusal) => return (None, Err(refusal)),
            };
            let hashed = read(&file, length, &limits).and_then(|bytes| Ok(fingerprint(&bytes, &limits, turns)?));
            drop(place);
            (Some(length), hashed)
        });
        hashed.await.unwrap_or((None, Err(Refusal::Decoder)))
    }
}

/// What to do with what is no regular file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Special {
    Refused,
    Read,
}

/// A file and its length.
fn open(path: &Path, special: Special) -> Result<(File, u64), Refusal> {
    // Asked again: it may have been replaced since it was found, and what is not a file might never end, nor even open.
    if special == Special::Refused && !std::fs::metadata(path)?.is_file() {
        return Err(Refusal::Special);
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

/// A file's bytes, if it may be a picture and is no longer than one may be.
fn read(file: &File, length: u64, limits: &DecodeLimits) -> Result<Vec<u8>, Refusal> {
    let refuse = |error| Err(FingerprintError::Decode(error).into());
    let mut bytes = Vec::new();
    file.take(BEGINNING_BYTES).read_to_end(&mut bytes)?;
    // What is no picture is not read whole, and is not refused for its length either.
    if !bytes.is_empty() && Format::of(&bytes).is_none() {
        return refuse(DecodeError::UnknownFormat);
    }
    let max = limits.bytes_max;
    if length > max as u64 {
        return refuse(DecodeError::TooManyBytes { got: usize::try_from(length).unwrap_or(usize::MAX), max });
    }
    // One byte more than may be, so that what has grown, or is a pipe, is seen.
    let rest_max = (max as u64 + 1).saturating_sub(bytes.len() as u64);
    file.take(rest_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}
