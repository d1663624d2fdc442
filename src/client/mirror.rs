//! A copy of what a hub lists, in one file on a member's disk: made of the ledger's events, and gone on with from where it is.
//!
//! Invariant: the file at a position is a function of the ledger's first events up to it, as far as the member may read them, and
//! of nothing else: not of when they came, nor of how often the copying was interrupted. (Who begins anew is not shown any more what was
//! erased: the files are the same from the event on that erased it.) It is replaced as a whole, so a crash
//! leaves the file of an earlier position. Format: `docs/mirror.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JsonError, to_json};
use crate::domain::{Code, Incident, Ruling, Timestamp, UnknownCode};
use crate::wire::{timestamp_from_wire, v1};

/// The form of the file.
const FORMAT: u32 = 1;

/// A file that is no mirror, or an event that does not fit it.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    /// It is not what this program writes.
    #[error("{}: line {line} is not a mirror's: {problem}", .path.display())]
    Line { path: PathBuf, line: usize, problem: String },
    /// It is a copy of another ledger.
    #[error("{} is a copy of another ledger: name another file, or delete it to begin anew", .path.display())]
    OtherLedger { path: PathBuf },
    /// The hub left something out.
    #[error("event {expected} is missing in the feed: {got} came in its place")]
    Gap { expected: u64, got: u64 },
    /// An event says what none can.
    #[error("event {index} cannot be read: {problem}")]
    Event { index: u64, problem: String },
    /// An event cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
}

/// The first line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    mirror: u32,
    /// The hub's public key, as a C2SP verifier key.
    ledger: String,
    /// The next event's index.
    position: u64,
    /// Incidents that are exercises: their entries are not listed.
    drills: BTreeSet<String>,
    /// Entries that reviewers took away and may bring back, by id.
    revoked: Vec<Listed>,
}

/// Every other line: an entry that matches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    entry_id: u64,
    /// A pseudonym.
    contributor: String,
    contributed: String,
    taxonomy_version: u32,
    /// As they are now.
    labels: Vec<String>,
    /// As its contributor gave them, where reviewers gave it others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    labels_contributed: Option<Vec<String>>,
    signals: Vec<Value>,
    provenance: Value,
    valid_until: Option<String>,
    incident: Option<String>,
    /// What reviewers decided last.
    ruling: Option<String>,
}

impl Listed {
    /// Whether its time had passed then.
    fn is_over(&self, at: Option<Timestamp>) -> bool {
        let until = self.valid_until.as_ref().and_then(|until| until.parse::<Timestamp>().ok());
        at.zip(until).is_some_and(|(at, until)| until <= at)
    }
}

/// A copy of what a hub lists.
#[derive(Debug)]
pub struct Mirror {
    path: PathBuf,
    ledger: String,
    position: u64,
    drills: BTreeSet<String>,
    listed: BTreeMap<u64, Listed>,
    revoked: BTreeMap<u64, Listed>,
    /// What the file holds; `None`: there is none.
    saved: Option<u64>,
}

impl Mirror {
    /// The copy in the file at `path` of the ledger with this verifier key; a new one, if there is no file.
    ///
    /// # Errors
    /// [`MirrorError`]: the file cannot be read, is no mirror, or one of another ledger.
    pub fn open(path: &Path, ledger: &str) -> Result<Self, MirrorError> {
        let mut mirror = Self {
            path: path.to_owned(),
            ledger: ledger.to_owned(),
            position: 0,
            drills: BTreeSet::new(),
            listed: BTreeMap::new(),
            revoked: BTreeMap::new(),
            saved: None,
        };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(mirror),
            Err(source) => return Err(mirror.failed(source)),
        };
        let mut lines = BufReader::new(file).lines();
        let first = lines.next().transpose().map_err(|source| mirror.failed(source))?.unwrap_or_default();
        let header: Header = mirror.parsed(1, &first)?;
        if header.mirror != FORMAT {
            return Err(mirror.malformed(1, format!("its form is {}, and this program knows {FORMAT}", header.mirror)));
        }
        if header.ledger != ledger {
            return Err(MirrorError::OtherLedger { path: path.to_owned() });
        }
        mirror.position = header.position;
        mirror.drills = header.drills;
        mirror.revoked = header.revoked.into_iter().map(|entry| (entry.entry_id, entry)).collect();
        for (at, line) in lines.enumerate() {
            let line = line.map_err(|source| mirror.failed(source))?;
            let entry: Listed = mirror.parsed(at + 2, &line)?;
            mirror.listed.insert(entry.entry_id, entry);
        }
        mirror.saved = Some(mirror.position);
        Ok(mirror)
    }

    /// From where to follow.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// How many entries it lists.
    pub fn entries(&self) -> usize {
        self.listed.len()
    }

    /// Whether the file is behind.
    pub fn is_unsaved(&self) -> bool {
        self.saved != Some(self.position)
    }

    /// Takes in one event. One that it has, or that was sent before its turn, changes nothing.
    ///
    /// # Errors
    /// [`MirrorError`]: an event before it is missing, or it cannot be read. Nothing was changed then.
    pub fn apply(&mut self, event: &v1::LedgerEvent) -> Result<(), MirrorError> {
        if event.ahead || event.index < self.position {
            return Ok(());
        }
        if event.index > self.position {
            return Err(MirrorError::Gap { expected: self.position, got: event.index });
        }
        if let Some(opening) = &event.opening {
            self.take(event.index, opening)?;
        }
        self.position += 1;
        Ok(())
    }

    fn take(&mut self, index: u64, opening: &v1::Opening) -> Result<(), MirrorError> {
        use v1::opening::Fact;
        match &opening.fact {
            Some(Fact::Contributed(said)) => {
                let entry = listed(index, opening, said)?;
                if !entry.incident.as_ref().is_some_and(|incident| self.drills.contains(incident)) {
                    self.listed.insert(index, entry);
                }
            }
            Some(Fact::Withdrawn(said)) => self.forget(said.entry_id),
            // What was revoked does not come back any more.
            Some(Fact::Erased(said)) => said.entry_ids.iter().for_each(|entry| self.forget(*entry)),
            Some(Fact::Expired(said)) => said.entry_ids.iter().for_each(|entry| self.forget(*entry)),
            Some(Fact::Decided(said)) if said.is_enough => {
                let at = opening.at.as_ref().and_then(|at| timestamp_from_wire(at, "at").ok());
                self.decided(index, said, at)?;
            }
            Some(Fact::IncidentChanged(said)) if said.is_enough && said.is_drill => {
                self.drills.insert(said.incident.clone());
            }
            // Whatever else there is, now or later, leaves entries as they are.
            _ => {}
        }
        Ok(())
    }

    /// What was withdrawn or has expired does not come back.
    fn forget(&mut self, entry: u64) {
        self.listed.remove(&entry);
        self.revoked.remove(&entry);
    }

    fn decided(&mut self, index: u64, said: &v1::opening::Decided, at: Option<Timestamp>) -> Result<(), MirrorError> {
        let ruling: Ruling = said
            .ruling
            .parse()
            .map_err(|error: UnknownCode| MirrorError::Event { index, problem: error.to_string() })?;
        // One that the member may not read is in neither.
        let found = self.listed.remove(&said.entry_id).or_else(|| self.revoked.remove(&said.entry_id));
        let Some(mut entry) = found else { return Ok(()) };
        if ruling == Ruling::Relabel {
            let earlier = std::mem::replace(&mut entry.labels, said.labels.clone());
            entry.labels_contributed.get_or_insert(earlier);
        }
        // Of what is away the hub does not tell that its time has passed.
        if ruling == Ruling::Reinstate && entry.is_over(at) {
            return Ok(());
        }
        entry.ruling = Some(ruling.to_string());
        let into = if ruling == Ruling::Revoke { &mut self.revoked } else { &mut self.listed };
        into.insert(said.entry_id, entry);
        Ok(())
    }

    /// Puts the file in the place of its earlier self, whole, and returns when it is on disk.
    ///
    /// # Errors
    /// [`MirrorError::File`]: the earlier file is there still.
    pub fn save(&mut self) -> Result<(), MirrorError> {
        self.write().map_err(|source| self.failed(source))?;
        self.saved = Some(self.position);
        Ok(())
    }

    fn write(&self) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".mirror-").tempfile_in(folder)?;
        let header = Header {
            mirror: FORMAT,
            ledger: self.ledger.clone(),
            position: self.position,
            drills: self.drills.clone(),
            revoked: self.revoked.values().cloned().collect(),
        };
        {
            let mut out = BufWriter::new(file.as_file_mut());
            serde_json::to_writer(&mut out, &header)?;
            out.write_all(b"\n")?;
            for entry in self.listed.values() {
                serde_json::to_writer(&mut out, entry)?;
                out.write_all(b"\n")?;
            }
            out.flush()?;
        }
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        File::open(folder)?.sync_all()
    }

    fn failed(&self, source: io::Error) -> MirrorError {
        MirrorError::File { path: self.path.clone(), source }
    }

    fn malformed(&self, line: usize, problem: String) -> MirrorError {
        MirrorError::Line { path: self.path.clone(), line, problem }
    }

    fn parsed<'a, T: Deserialize<'a>>(&self, line: usize, text: &'a str) -> Result<T, MirrorError> {
        // Not the parser's words: they may show what is in the line.
        serde_json::from_str(text).map_err(|error| self.malformed(line, format!("column {}", error.column())))
    }
}

/// An entry as it was contributed.
fn listed(index: u64, opening: &v1::Opening, said: &v1::opening::Contributed) -> Result<Listed, MirrorError> {
    let problem = |problem: String| MirrorError::Event { index, problem };
    let missing = |what: &str| problem(format!("it has no {what}"));
    let time = |time| {
        timestamp_from_wire(time, "time").map(|time| time.to_string()).map_err(|error| problem(error.to_string()))
    };
    let draft = said.draft.as_ref().ok_or_else(|| missing("draft"))?;
    let provenance = draft.provenance.as_ref().ok_or_else(|| missing("provenance"))?;
    let valid_until = provenance.valid_until.as_ref().or(said.lapses.as_ref());
    Ok(Listed {
        entry_id: index,
        contributor: opening.actor.clone(),
        contributed: time(opening.at.as_ref().ok_or_else(|| missing("time"))?)?,
        taxonomy_version: said.taxonomy_version,
        labels: draft.labels.clone(),
        labels_contributed: None,
        signals: draft.signals.iter().map(to_json).collect::<Result<_, _>>()?,
        provenance: to_json(provenance)?,
        valid_until: valid_until.map(time).transpose()?,
        incident: incident(draft),
        ruling: None,
    })
}

/// The incident that an entry belongs to: by its basis, or by the first of its labels that is an incident's.
fn incident(draft: &v1::Draft) -> Option<String> {
    let basis = draft.provenance.as_ref().and_then(|provenance| provenance.basis.as_ref()?.basis.as_ref());
    if let Some(v1::basis::Basis::Incident(incident)) = basis {
        return Some(incident.incident.clone());
    }
    let labels = draft.labels.iter().filter_map(|label| label.parse::<Code>().ok());
    labels.filter_map(|label| Incident::of_label(&label)).map(|code| code.to_string()).next()
}

#[cfg(test)]
mod tests;
