//! One file: read within bounds, hashed in a process that can do no harm, while others are.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::OFlags;
use tokio::sync::Semaphore;

use super::walk::Found;
use crate::cli::output;
use crate::media::{DecodeError, DecodeLimits, Fingerprint, FingerprintError, Format, Turns};
use crate::worker::{JobError, Pool, PoolConfig, Sandboxing, StartError, SubmitError};

/// Enough of a file to tell whether it is a picture.
const BEGINNING_BYTES: u64 = 4 << 10;
/// Files for each worker: one that it has, and one that is being read or waits.
const FILES_PER_WORKER: usize = 2;
/// A file whose worker was ended from outside is tried so often.
const TRIES: usize = 2;

/// Flags of every command that decodes pictures.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Pictures")]
pub struct MediaArgs {
    /// Decode pictures without a sandbox: for pictures that you trust, where none can be set up
    #[arg(long, env = "HASHCOMMONS_MEDIA_UNSANDBOXED", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    unsandboxed: Option<bool>,
}

/// Hashes files, so many at the same time.
pub struct Hasher {
    pool: Pool,
    limits: DecodeLimits,
    turns: Turns,
    /// Each holds one file's bytes.
    places: Semaphore,
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
    Picture(#[from] JobError),
}

impl Refusal {
    /// Which kind of refusal it is: one of a small fixed set.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Link => "symbolic-link",
            Self::Special => "special-file",
            Self::Unreadable(_) => "unreadable",
            Self::Picture(error) => error.kind(),
        }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self::Picture(FingerprintError::from(error).into())
    }
}

/// There is nobody to hash a file: no other would fare better.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error(transparent)]
    Refused(#[from] SubmitError),
    #[error(transparent)]
    Given(JobError),
    #[error("the program is ending")]
    Ending,
}

impl Hasher {
    /// For as many files at the same time as there are cores, and no more than `files`.
    ///
    /// # Errors
    /// No sandbox can be set up, unless `args` say to go on without; no process can be started.
    pub fn start(args: MediaArgs, files: usize, turns: Turns) -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = cores.min(files.max(1));
        let places = files.clamp(1, FILES_PER_WORKER * workers);
        let unsandboxed = args.unsandboxed.unwrap_or(false);
        let sandboxing = if unsandboxed { Sandboxing::Off } else { Sandboxing::Required };
        let config = PoolConfig { queue_max: places, sandboxing, ..PoolConfig::with_workers(workers) };
        let limits = config.limits;
        let pool = Pool::start(config).map_err(|error| explained(error, unsandboxed))?;
        if unsandboxed {
            output::warn("pictures are decoded without a sandbox: who takes over a decoder can do what you can");
        }
        Ok(Self { pool, limits, turns, places: Semaphore::new(places) })
    }

    /// Hashes what the walk found.
    pub(super) async fn hash(&self, found: Found) -> Result<Done, Broken> {
        let (bytes, outcome) = match found.refusal {
            Some(refusal) => (None, Err(refusal)),
            None => self.hash_file(&found.path, if found.named { Opened::File } else { Opened::FileHere }).await?,
        };
        Ok(Done { path: found.path, named: found.named, bytes, outcome })
    }

    /// Hashes a file that somebody named, be it a pipe.
    ///
    /// # Errors
    /// It cannot be read or hashed.
    pub async fn hash_named(&self, path: &Path) -> anyhow::Result<Fingerprint> {
        let hashed = async { Ok::<_, anyhow::Error>(self.hash_file(path, Opened::Anything).await?.1?) };
        hashed.await.with_context(|| output::name(path))
    }

    /// The file's length, if it could be opened, and its hashes.
    async fn hash_file(
        &self,
        path: &Path,
        opened: Opened,
    ) -> Result<(Option<u64>, Result<Fingerprint, Refusal>), Broken> {
        let _place = self.places.acquire().await.map_err(|_| Broken::Ending)?;
        let mut tries = TRIES;
        loop {
            tries -= 1;
            let (path, limits) = (path.to_owned(), self.limits);
            let read = tokio::task::spawn_blocking(move || read(&path, opened, &limits));
            let (length, bytes) = match read.await.map_err(|_| Broken::Ending)? {
                (length, Ok(bytes)) => (length, bytes),
                (length, Err(refusal)) => return Ok((length, Err(refusal))),
            };
            match self.pool.submit(bytes, self.turns)?.await {
                Err(JobError::Lost) if tries > 0 => {}
                Err(error @ (JobError::Unavailable | JobError::Stopped)) => return Err(Broken::Given(error)),
                hashed => return Ok((length, hashed.map_err(Refusal::Picture))),
            }
        }
    }
}

/// Why there is no sandbox, and what can be done about it.
fn explained(error: StartError, unsandboxed: bool) -> anyhow::Error {
    let next = match error {
        StartError::Unavailable(_) if !unsandboxed => {
            "pictures are decoded in a sandbox, and none can be set up here; for pictures that you trust, \
             --unsandboxed goes on without"
        }
        _ => "cannot start the process that decodes pictures",
    };
    anyhow::Error::new(error).context(next)
}

/// What is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    /// A file where it was found, and not one elsewhere that a link names.
    FileHere,
    File,
    Anything,
}

/// A file's length, if it can be opened; and its bytes, if it may be a picture and is no longer than one may be.
fn read(path: &Path, opened: Opened, limits: &DecodeLimits) -> (Option<u64>, Result<Vec<u8>, Refusal>) {
    match open(path, opened) {
        Ok((file, length)) => (Some(length), read_open(&file, length, limits)),
        Err(refusal) => (None, Err(refusal)),
    }
}

fn open(path: &Path, opened: Opened) -> Result<(File, u64), Refusal> {
    let mut options = OpenOptions::new();
    options.read(true);
    // It may have been replaced since it was found. Nobody is waited for at the other end of a pipe.
    let flags = match opened {
        Opened::FileHere => OFlags::NONBLOCK | OFlags::NOFOLLOW,
        Opened::File => OFlags::NONBLOCK,
        Opened::Anything => OFlags::empty(),
    };
    options.custom_flags(flags.bits() as i32);
    let file = options.open(path)?;
    let facts = file.metadata()?;
    if opened != Opened::Anything && !facts.is_file() {
        return Err(Refusal::Special);
    }
    Ok((file, facts.len()))
}

fn read_open(file: &File, length: u64, limits: &DecodeLimits) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    file.take(BEGINNING_BYTES).read_to_end(&mut bytes)?;
    // What is no picture is not read whole, and is not refused for its length either.
    if bytes.is_empty() {
        return Err(DecodeError::Empty.into());
    }
    if Format::of(&bytes).is_none() {
        return Err(DecodeError::UnknownFormat.into());
    }
    let max = limits.bytes_max;
    if length > max as u64 {
        return Err(DecodeError::TooManyBytes { got: usize::try_from(length).unwrap_or(usize::MAX), max }.into());
    }
    // One byte more than may be, so that what has grown, or is a pipe, is seen.
    let rest_max = (max as u64 + 1).saturating_sub(bytes.len() as u64);
    file.take(rest_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_no_sandbox_it_is_said_how_to_go_on_without() {
        let unavailable = || StartError::Unavailable("seccomp cannot be used: it is forbidden".to_owned());
        let words = output::explain(&explained(unavailable(), false));
        assert!(
            words.contains("--unsandboxed") && words.ends_with("seccomp cannot be used: it is forbidden"),
            "{words}"
        );
        for (error, unsandboxed) in [(unavailable(), true), (StartError::Stopped, false)] {
            assert!(!output::explain(&explained(error, unsandboxed)).contains("--unsandboxed"));
        }
    }
}
