//! A file's items, one by one, each with the place where it ends.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, bail};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::Format;
use super::progress::Position;
use crate::cli::draft::{RawBasis, RawDraft, RawProvenance, RawSignal};
use crate::domain::{At, FieldError, RequestId};
use crate::wire::{draft_to_wire, v1};

/// The longest line, in bytes. An item with sixteen signals takes about two thousand.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// The columns of CSV, in any order; what is in `REQUIRED` must be there.
const COLUMNS: [&str; 19] = [
    "request_id",
    "signals",
    "labels",
    "origin",
    "reviewers",
    "basis",
    "basis_entity",
    "basis_authority",
    "basis_list_date",
    "basis_incident",
    "basis_tier",
    "producer",
    "contexts",
    "content_types",
    "confidence",
    "tlp",
    "action_max",
    "valid_until",
    "supersedes",
];
const REQUIRED: [&str; 9] =
    ["signals", "labels", "origin", "reviewers", "basis", "producer", "confidence", "tlp", "action_max"];

/// One line of the file.
pub struct Line {
    /// Where the next line begins, and its number less one.
    pub end: Position,
    pub text: String,
    /// The request to send, or what is wrong with the line.
    pub request: Result<v1::ContributeRequest, FieldError>,
}

/// Reads a file line by line.
pub struct Lines {
    reader: BufReader<File>,
    at: Position,
    /// The columns, for CSV.
    header: Option<Vec<String>>,
}

impl Lines {
    /// Opens a file and goes to where the last import stopped.
    pub fn open(path: &Path, format: Format, from: Position) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut lines = Self { reader: BufReader::with_capacity(1 << 20, file), at: Position::default(), header: None };
        if format == Format::Csv {
            let Some((text, _)) = lines.read()? else {
                bail!("{}: must begin with a line of column names", path.display())
            };
            lines.header = Some(header(&text).with_context(|| format!("{}, line 1", path.display()))?);
        }
        if from.bytes > lines.at.bytes {
            lines.reader.seek(SeekFrom::Start(from.bytes))?;
            lines.at = from;
        }
        Ok(lines)
    }

    /// The next line that is not empty; `None` at the end.
    pub fn next_line(&mut self) -> anyhow::Result<Option<Line>> {
        let Some((text, whole)) = self.next_text()? else { return Ok(None) };
        let request = whole.and_then(|()| self.request(&text));
        Ok(Some(Line { end: self.at, text, request }))
    }

    /// The text of the next line that is not empty, and what is wrong with it if it is too long or no text; `None` at the end.
    pub fn next_text(&mut self) -> anyhow::Result<Option<(String, Result<(), FieldError>)>> {
        loop {
            let Some((text, whole)) = self.read()? else { return Ok(None) };
            if text.trim().is_empty() && whole {
                continue;
            }
            let problem = format_args!("must be at most {LINE_BYTES_MAX} bytes of UTF-8");
            return Ok(Some((text, if whole { Ok(()) } else { Err(FieldError::new("line", problem)) })));
        }
    }

    /// The number of the line that was read last, from 1.
    pub const fn number(&self) -> u64 {
        self.at.lines
    }

    /// The next line's text, and whether that is all of it.
    fn read(&mut self) -> anyhow::Result<Option<(String, bool)>> {
        let mut bytes = Vec::new();
        let mut read = (&mut self.reader).take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut bytes)? as u64;
        if read == 0 {
            return Ok(None);
        }
        let mut whole = read <= LINE_BYTES_MAX;
        if !whole {
            // The rest is passed over without being kept.
            read += skip_line(&mut self.reader)?;
            bytes.truncate(1_000);
        }
        self.at = Position { lines: self.at.lines + 1, bytes: self.at.bytes + read };
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            whole = false;
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        });
        let text = text.trim_end_matches(['\n', '\r']);
        // Some editors put a byte order mark before the first line.
        let text = if self.at.lines == 1 { text.trim_start_matches('\u{feff}') } else { text };
        Ok(Some((text.to_owned(), whole)))
    }

    fn request(&self, text: &str) -> Result<v1::ContributeRequest, FieldError> {
        let raw = match &self.header {
            None => serde_json::from_str(text).at("line")?,
            Some(columns) => from_csv(columns, text)?,
        };
        let draft = raw.read()?;
        let request_id = match raw.request_id {
            // The same line is the same request, whichever run sends it.
            None => format!("import-{}", HEXLOWER.encode(&Sha256::digest(text.trim())[..16])),
            Some(id) => id.parse::<RequestId>().at("request_id")?.to_string(),
        };
        Ok(v1::ContributeRequest { request_id, draft: Some(draft_to_wire(&draft)), without_receipt: true })
    }
}

/// Passes over the rest of a line; gives its length.
fn skip_line(reader: &mut impl BufRead) -> std::io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let (take, done) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        reader.consume(take);
        skipped += take as u64;
        if done {
            return Ok(skipped);
        }
    }
}

fn header(text: &str) -> anyhow::Result<Vec<String>> {
    let columns = fields(text)?;
    if let Some(unknown) = columns.iter().find(|column| !COLUMNS.contains(&column.as_str())) {
        bail!("unknown column `{}`: the columns are {}", unknown.escape_debug(), COLUMNS.join(", "));
    }
    if let Some(doubled) = columns.iter().enumerate().find(|(at, column)| columns[..*at].contains(column)) {
        bail!("the column `{}` is there twice", doubled.1);
    }
    if let Some(missing) = REQUIRED.iter().find(|column| !columns.iter().any(|have| have == *column)) {
        bail!("the column `{missing}` is missing");
    }
    Ok(columns)
}

/// The fields of one line of CSV. A field cannot hold a line end: each line is an item.
fn fields(text: &str) -> Result<Vec<String>, FieldError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let record = reader.records().next().transpose().at("line")?;
    Ok(record.map(|record| record.iter().map(|field| field.trim().to_owned()).collect()).unwrap_or_default())
}

fn from_csv(columns: &[String], text: &str) -> Result<RawDraft, FieldError> {
    let fields = fields(text)?;
    if fields.len() != columns.len() {
        return Err(FieldError::new("line", format_args!("must have {} fields, got {}", columns.len(), fields.len())));
    }
    let find = |name: &str| {
        columns.iter().position(|column| column == name).map(|at| fields[at].as_str()).filter(|field| !field.is_empty())
    };
    let text = |name: &str| find(name).unwrap_or_default().to_owned();
    let optional = |name: &str| find(name).map(str::to_owned);
    let list = |name: &str| find(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let signals: Result<Vec<RawSignal>, _> = list("signals").iter().map(|signal| signal.parse()).collect();
    Ok(RawDraft {
        request_id: optional("request_id"),
        signals: signals.map_err(|error: FieldError| error.within("signals"))?,
        labels: list("labels"),
        provenance: RawProvenance {
            origin: text("origin"),
            reviewers: text("reviewers"),
            basis: RawBasis {
                code: text("basis"),
                entity: optional("basis_entity"),
                authority: optional("basis_authority"),
                list_date: optional("basis_list_date"),
                incident: optional("basis_incident"),
                tier: optional("basis_tier"),
            },
            producer: text("producer"),
            contexts: list("contexts"),
            content_types: list("content_types"),
            confidence: text("confidence").parse().map_err(|_| "must be 0 to 100").at("provenance.confidence")?,
            tlp: text("tlp"),
            action_max: text("action_max"),
            valid_until: optional("valid_until"),
            supersedes: find("supersedes")
                .map(|entry| entry.parse().map_err(|_| "must be an entry id").at("provenance.supersedes"))
                .transpose()?,
            government_order: None,
        },
    })
}
