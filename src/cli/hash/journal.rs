//! The file for `import`, and beside it what became of each file: what an interrupted run goes on from.
//!
//! Invariant: the journal is never ahead of the file that it tells of. Lines are written and synced there first, and only then
//! noted here. So whatever a crash leaves behind, cutting both to the last note that is whole gives what was there at one moment.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::tally::Tally;
use crate::cli::draft::RawProvenance;
use crate::cli::output;

/// What the journal's name has beside the file's.
const ENDING: &str = ".files";
/// Says whose file it is.
const MAKER: &str = "hashcommons hash";
/// Of the journal.
const FORMAT: u32 = 1;
/// Longer than any line of either file can be. The longest is the first one, with all paths of the command line.
const LINE_BYTES_MAX: u64 = 32 << 20;
/// Between two notes of how far it has come.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// What may wait for the next note.
const UNSAVED_BYTES_MAX: usize = 1 << 20;

/// The journal's first line: what the file is made of. With anything else it would be another file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    made_by: String,
    format: u32,
    /// Where the paths are taken from.
    directory: String,
    paths: Vec<String>,
    labels: Vec<String>,
    provenance: RawProvenance,
}

/// Every other line of the journal: one file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub file: String,
    /// All bytes of its name in hex, where they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<String>,
    /// Its length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    pub outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its line in the file for `import`, from 1, and where that ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u64>,
}

/// The last line: everything that was found has its record.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Complete {
    complete: bool,
}

/// Both files, open and locked.
pub(super) struct Journal {
    out: Growing,
    notes: Growing,
    lines: u64,
    /// When it was noted last how far it has come.
    saved: Option<Instant>,
    /// What is on disk is not known: nothing may be written after it.
    torn: bool,
}

/// What there is to go on from.
pub(super) struct Begun {
    pub journal: Journal,
    /// What was done before.
    pub tally: Tally,
    pub seen: Seen,
}

/// The files that have had their turn, and the two that are being written.
pub(super) struct Seen {
    keys: HashSet<Key>,
    own: [PathBuf; 2],
}

/// A file to which lines are added.
struct Growing {
    path: PathBuf,
    file: File,
    unsaved: Vec<u8>,
    /// Its length with what is not saved yet.
    end: u64,
}

/// Stands for a file's name in a fixed number of bytes.
type Key = [u8; 16];

impl Header {
    pub(super) fn new(paths: &[PathBuf], labels: &[String], provenance: &RawProvenance) -> anyhow::Result<Self> {
        let anywhere = paths.iter().all(|path| path.is_absolute());
        let directory = if anywhere { String::new() } else { output::name(&std::env::current_dir()?) };
        Ok(Self {
            made_by: MAKER.to_owned(),
            format: FORMAT,
            directory,
            paths: paths.iter().map(|path| output::name(path)).collect(),
            labels: labels.to_vec(),
            provenance: provenance.clone(),
        })
    }

    /// What of it is not as in `other`.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        if self.directory != other.directory {
            Some("in another directory")
        } else if self.paths != other.paths {
            Some("with other paths")
        } else if self.labels != other.labels {
            Some("with other labels")
        } else if self != other {
            Some("with other flags")
        } else {
            None
        }
    }
}

impl Journal {
    /// Opens both files, makes them if there are none, and cuts them to what is whole in both. Counts what was done before.
    ///
    /// # Errors
    /// The file is there and nothing says that it was made here; it was begun otherwise; it was changed since; another run
    /// works on it.
    pub(super) fn open(path: &Path, header: &Header, restart: bool) -> anyhow::Result<Begun> {
        let notes = beside(path);
        // In this order: another run that begins now makes the journal first.
        if fs::symlink_metadata(path).is_ok() && fs::symlink_metadata(&notes).is_err() {
            bail!("{} exists, and no {} beside it: name a new file", output::name(path), output::name(&notes));
        }
        let mut notes = Growing::open(&notes)?;
        match notes.file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another run is writing {}", output::name(path)),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", output::name(&notes.path)));
            }
        }
        let mut out = Growing::open(path)?;
        let begun = begun(&notes, &out, header, restart)?;
        let (mut tally, mut lines) = (Tally::default(), 0);
        let mut seen = Seen { keys: HashSet::new(), own: [fs::canonicalize(path)?, fs::canonicalize(&notes.path)?] };
        if begun {
            let paths: HashSet<_> = header.paths.iter().map(String::as_str).collect();
            let mut reader = Reader::new(&notes, &out)?;
            reader.notes.next_line()?;
            let mut whole = (reader.notes.at, 0);
            while let Some(record) = reader.next_record()? {
                let name = record.name();
                tally.add(&name, &record.outcome, paths.contains(output::name(&name).as_str()));
                seen.keys.insert(key(&name));
                lines = record.line.unwrap_or(lines);
                whole = (reader.notes.at, record.end.unwrap_or(whole.1));
            }
            notes.cut(whole.0)?;
            out.cut(whole.1)?;
        } else {
            notes.cut(0)?;
            out.cut(0)?;
            notes.add(&serde_json::to_string(header)?);
            notes.save()?;
        }
        Ok(Begun { journal: Self { out, notes, lines, saved: None, torn: false }, tally, seen })
    }

    /// Adds a file, and its item if it has one.
    pub(super) fn add(&mut self, mut record: Record, item: Option<&str>) -> anyhow::Result<()> {
        if let Some(item) = item {
            self.out.add(item);
            self.lines += 1;
            (record.line, record.end) = (Some(self.lines), Some(self.out.end));
        }
        self.notes.add(&serde_json::to_string(&record)?);
        let much = self.out.unsaved.len() + self.notes.unsaved.len() > UNSAVED_BYTES_MAX;
        let due = self.saved.is_none_or(|saved| saved.elapsed() >= SAVE_EVERY);
        if much || due { self.save() } else { Ok(()) }
    }

    /// Writes what was added: first the items, then the notes of them.
    pub(super) fn save(&mut self) -> anyhow::Result<()> {
        if self.torn {
            bail!(self.out.context());
        }
        self.torn = true;
        self.out.save()?;
        self.notes.save()?;
        self.torn = false;
        self.saved = Some(Instant::now());
        Ok(())
    }

    /// Says that nothing is missing.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.notes.add(&serde_json::to_string(&Complete { complete: true })?);
        self.save()
    }

    /// The file's items.
    pub(super) const fn lines(&self) -> u64 {
        self.lines
    }

    /// Where the journal is.
    pub(super) fn path(&self) -> &Path {
        &self.notes.path
    }
}

impl Seen {
    /// Whether a file's turn has come: once for each name, and never for the files that are being written.
    pub(super) fn is_new(&mut self, file: &Path) -> bool {
        let own = self
            .own
            .iter()
            .any(|own| own.file_name() == file.file_name() && fs::canonicalize(file).is_ok_and(|file| file == *own));
        !own && self.keys.insert(key(file))
    }
}

impl Record {
    fn name(&self) -> PathBuf {
        let bytes = self.file_bytes.as_ref().and_then(|hex| HEXLOWER.decode(hex.as_bytes()).ok());
        match bytes {
            None => PathBuf::from(&self.file),
            #[cfg(unix)]
            Some(bytes) => PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes)),
            #[cfg(not(unix))]
            Some(_) => PathBuf::from(&self.file),
        }
    }
}

impl Growing {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        // They hold hashes, and names of files.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).with_context(|| format!("cannot write {}", output::name(path)))?;
        Ok(Self { path: path.to_owned(), file, unsaved: Vec::new(), end: 0 })
    }

    /// Cuts it there and goes on there.
    fn cut(&mut self, end: u64) -> anyhow::Result<()> {
        self.file.set_len(end).with_context(|| self.context())?;
        self.file.seek(SeekFrom::Start(end))?;
        self.end = end;
        Ok(())
    }

    fn add(&mut self, line: &str) {
        self.unsaved.extend_from_slice(line.as_bytes());
        self.unsaved.push(b'\n');
        self.end += line.len() as u64 + 1;
    }

    fn save(&mut self) -> anyhow::Result<()> {
        if !self.unsaved.is_empty() {
            self.file.write_all(&self.unsaved).with_context(|| self.context())?;
            self.file.sync_data().with_context(|| self.context())?;
            self.unsaved.clear();
        }
        Ok(())
    }

    fn context(&self) -> String {
        format!("cannot write {}", output::name(&self.path))
    }
}

/// Whether there is something to go on from.
fn begun(notes: &Growing, out: &Growing, header: &Header, restart: bool) -> anyhow::Result<bool> {
    let name = output::name(&notes.path);
    let mut lines = Lines::new(&notes.file)?;
    match lines.next_line()? {
        Some(line) => {
            let found: Header = serde_json::from_slice(&line)
                .ok()
                .filter(|found: &Header| found.made_by == MAKER)
                .with_context(|| format!("{name} is not what `hash --out` leaves: name a new file"))?;
            match found.difference(header) {
                _ if restart => Ok(false),
                None => Ok(true),
                Some(how) => bail!(
                    "{} was begun {how}: give the same command again, name a new file, or begin anew with --restart",
                    output::name(&out.path)
                ),
            }
        }
        // Nothing, or the beginning of the header: nothing else can have been written.
        None if restart || out.file.metadata()?.len() == 0 => Ok(false),
        None => bail!("{name} has lost its beginning: begin anew with --restart, or name a new file"),
    }
}

/// Reads both files beside each other.
struct Reader<'a> {
    notes: Lines<'a>,
    out: Lines<'a>,
    lines: u64,
    name: String,
}

impl<'a> Reader<'a> {
    fn new(notes: &'a Growing, out: &'a Growing) -> anyhow::Result<Self> {
        let name = output::name(&out.path);
        Ok(Self { notes: Lines::new(&notes.file)?, out: Lines::new(&out.file)?, lines: 0, name })
    }

    /// The next record, if it is whole and its item is, too.
    fn next_record(&mut self) -> anyhow::Result<Option<Record>> {
        let Some(line) = self.notes.next_line()? else { return Ok(None) };
        let Ok(record) = serde_json::from_slice::<Record>(&line) else { return Ok(None) };
        if record.line.is_none() {
            return Ok(Some(record));
        }
        if self.out.next_line()?.is_none() {
            return Ok(None);
        }
        self.lines += 1;
        if record.line != Some(self.lines) || record.end != Some(self.out.at) {
            bail!("{} was changed since: begin anew with --restart, or name a new file", self.name);
        }
        Ok(Some(record))
    }
}

/// A file's lines, as far as they are whole.
struct Lines<'a> {
    reader: BufReader<&'a File>,
    /// Where the next one begins.
    at: u64,
}

impl<'a> Lines<'a> {
    fn new(mut file: &'a File) -> anyhow::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { reader: BufReader::with_capacity(256 << 10, file), at: 0 })
    }

    fn next_line(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        (&mut self.reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return Ok(None);
        }
        self.at += line.len() as u64;
        Ok(Some(line))
    }
}

fn beside(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(ENDING);
    name.into()
}

fn key(file: &Path) -> Key {
    let digest = Sha256::digest(file.as_os_str().as_encoded_bytes());
    let mut key = Key::default();
    key.copy_from_slice(&digest[..16]);
    key
}
