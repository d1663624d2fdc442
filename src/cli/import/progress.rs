//! How far an import has come, kept beside the file while it is not finished; and the lines that were set aside.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::lines::Line;

/// How much of a file tells it from others.
const BEGINNING_BYTES: u64 = 1 << 20;

/// A place between two lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Position {
    pub bytes: u64,
    pub lines: u64,
}

/// What has become of the lines so far.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The file's length when the import began: another length is another file.
    file_bytes: u64,
    /// Digest of the file's beginning at that time, for the same reason.
    beginning: String,
    /// The public key of the ledger that it goes to: another is another hub.
    ledger: String,
    /// Everything before this has an answer.
    done: Position,
    /// Length of the file of rejects at that time: what was written after it will be written again.
    rejects_bytes: u64,
    pub lines: u64,
    pub imported: u64,
    pub repeated: u64,
    pub declined: u64,
    pub rejected: u64,
    #[serde(skip)]
    path: PathBuf,
}

impl Progress {
    /// What an earlier import of `file` into the hub with this ledger left, or a new beginning.
    pub fn open(file: &Path, size: u64, ledger: String, restart: bool) -> anyhow::Result<Self> {
        let path = beside(file, ".import-state");
        let beginning = digest_of_beginning(file)?;
        let text = if restart { None } else { read_if_there(&path)? };
        let mut progress: Self = match text {
            None => Self { file_bytes: size, beginning: beginning.clone(), ledger: ledger.clone(), ..Self::default() },
            Some(text) => serde_json::from_str(&text)
                .with_context(|| format!("{} is not what an import left: use --restart", path.display()))?,
        };
        if progress.file_bytes != size {
            bail!(
                "{} was {} bytes long when its import began and is {size} now: use --restart to begin again",
                file.display(),
                progress.file_bytes
            );
        }
        if progress.beginning != beginning {
            bail!("{} is another file than when its import began: use --restart to begin again", file.display());
        }
        if progress.ledger != ledger {
            bail!(
                "the import of {} began with another hub ({}): go on there, or use --restart to begin again here",
                file.display(),
                progress.ledger
            );
        }
        progress.path = path;
        Ok(progress)
    }

    /// Where to go on.
    pub fn resume(&self) -> Position {
        self.done
    }

    /// Notes that everything before `done` has an answer.
    pub fn save(&mut self, done: Position, rejects_bytes: u64) -> anyhow::Result<()> {
        (self.done, self.rejects_bytes, self.lines) = (done, rejects_bytes, done.lines);
        // Whole or not at all.
        let partial = self.path.with_extension("import-state-new");
        fs::write(&partial, serde_json::to_string(self)?)?;
        fs::rename(&partial, &self.path).with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Nothing is left to resume.
    pub fn finish(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The lines that were set aside, as NDJSON: `line`, `error`, `content`.
pub struct Rejects {
    path: PathBuf,
    /// Made with the first line.
    file: Option<File>,
    bytes: u64,
}

impl Rejects {
    /// Goes on where `progress` was saved.
    pub fn open(file: &Path, progress: &Progress) -> anyhow::Result<Self> {
        let path = beside(file, ".rejected");
        let mut rejects = Self { path, file: None, bytes: 0 };
        if rejects.path.exists() {
            let file = rejects.create()?;
            file.set_len(progress.rejects_bytes)?;
            rejects.bytes = progress.rejects_bytes;
        }
        Ok(rejects)
    }

    /// For a run that begins at the first line, whatever an earlier one left.
    pub fn begin(file: &Path) -> anyhow::Result<Self> {
        Self::open(file, &Progress::default())
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Length so far.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sets a line aside.
    pub fn add(&mut self, line: &Line, error: &str) -> anyhow::Result<()> {
        self.set_aside(line.end.lines, &line.text, error)
    }

    /// The same, of the line of this number.
    pub fn set_aside(&mut self, number: u64, text: &str, error: &str) -> anyhow::Result<()> {
        let row = format!("{}\n", json!({ "line": number, "error": error, "content": text }));
        let context = format!("cannot write {}", self.path.display());
        self.create()?.write_all(row.as_bytes()).context(context)?;
        self.bytes += row.len() as u64;
        Ok(())
    }

    fn create(&mut self) -> anyhow::Result<&mut File> {
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            // It holds hashes.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(&self.path).with_context(|| format!("cannot write {}", self.path.display()))?;
            return Ok(self.file.insert(file));
        }
        self.file.as_mut().context("the file of rejects is open")
    }
}

/// A digest of the first [`BEGINNING_BYTES`] of a file.
fn digest_of_beginning(file: &Path) -> anyhow::Result<String> {
    let context = || format!("cannot read {}", file.display());
    let mut bytes = Vec::new();
    File::open(file).with_context(context)?.take(BEGINNING_BYTES).read_to_end(&mut bytes).with_context(context)?;
    Ok(HEXLOWER.encode(&Sha256::digest(&bytes)))
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn read_if_there(path: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
