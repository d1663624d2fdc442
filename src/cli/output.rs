//! Words and JSON for the terminal.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use data_encoding::HEXLOWER;
use prost::{Message, Name};

use crate::client::{ConnectError, to_json};
use crate::domain::{Orientation, SignalKind};
use crate::policy::Band;
use crate::wire::{Coded, v1};

/// Prints an API message as one line of JSON.
pub fn json<M: Message + Name>(message: &M) -> anyhow::Result<()> {
    line(&to_json(message)?.to_string())
}

/// Prints a line. A closed pipe is an end, not an error that deserves a panic.
pub fn line(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}

/// Prints text as it is.
pub fn text(text: &str) -> anyhow::Result<()> {
    write!(io::stdout().lock(), "{text}")?;
    Ok(())
}

/// Prints rows, each column as wide as its widest cell. The last one may have further lines.
pub fn columns(rows: Vec<Vec<String>>) -> anyhow::Result<()> {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<_> = (0..count.saturating_sub(1)).map(|at| width(at).unwrap_or_default()).collect();
    for row in &rows {
        let padded = row.iter().enumerate().map(|(at, cell)| match widths.get(at) {
            Some(&width) => format!("{cell:<width$}"),
            None => cell.clone(),
        });
        line(padded.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// Says what is wrong, where errors go.
pub fn complain(error: &anyhow::Error) {
    eprintln!("hashcommons: {}", explain(error));
}

/// Says what somebody should know who goes on all the same.
pub fn warn(words: &str) {
    eprintln!("hashcommons: warning: {words}");
}

/// An error with its causes, and what to do next where that is known.
pub fn explain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    let next = match error.downcast_ref::<ConnectError>() {
        Some(ConnectError::Unreachable { .. }) => {
            "; is a hub running there? Give its address with --hub, HASHCOMMONS_HUB or a profile"
        }
        _ => "",
    };
    for cause in error.chain() {
        let status = cause.downcast_ref::<tonic::Status>();
        let cause = status.map_or_else(|| cause.to_string(), explain_status);
        // Many errors repeat their source in their own words.
        if !text.contains(&cause) {
            let separator = if text.is_empty() { "" } else { ": " };
            let _ = write!(text, "{separator}{cause}");
        }
        // What is behind a status is the transport's own words for the same.
        if status.is_some() {
            break;
        }
    }
    text.push_str(next);
    text
}

fn explain_status(status: &tonic::Status) -> String {
    let next = match status.code() {
        tonic::Code::Unauthenticated => "; give a live key with --key-file, HASHCOMMONS_KEY or a profile",
        // A suspended or blocked member has no use for another key.
        tonic::Code::PermissionDenied if status.message().contains("the role") => {
            "; ask the hub's operator for a key with that role"
        }
        tonic::Code::Unavailable => "; the hub is loading, stopping or not there: try again in a moment",
        _ => "",
    };
    // What the operator finds the reason by.
    let id = status.metadata().get("x-request-id").and_then(|id| id.to_str().ok());
    let id = id.filter(|_| status.code() == tonic::Code::Internal).map(|id| format!("; it was request {}", plain(id)));
    format!("{}{next}{}", status.message(), id.unwrap_or_default())
}

/// Entries that are shown one by one.
const ENTRIES_SHOWN: usize = 8;

/// Which entries: all of them, or the first and how many more.
pub fn entries(entries: impl ExactSizeIterator<Item = u64>) -> String {
    let more = entries.len().saturating_sub(ENTRIES_SHOWN);
    let ids: Vec<_> = entries.take(ENTRIES_SHOWN).map(|id| id.to_string()).collect();
    let noun = if ids.len() == 1 { "entry" } else { "entries" };
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{noun} {}{more}", ids.join(", "))
}

/// A count as people write it: `1,204`.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same as [`plain`] of a text of several lines.
pub fn lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// Text from somebody else, safe for a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The name of a file, safe for a terminal: what is not printable is escaped, as in `a\\n\\xff.jpg`.
pub fn name(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// The name of a file for machines; beside it, where it is not UTF-8, all of its bytes in hex.
pub fn name_in_json(path: &Path) -> (String, Option<String>) {
    match path.to_str() {
        Some(text) => (text.to_owned(), None),
        None => (path.to_string_lossy().into_owned(), Some(HEXLOWER.encode(path.as_os_str().as_encoded_bytes()))),
    }
}

/// The code of an API enum's number, as the domain spells it.
pub fn code<T: Coded>(number: i32) -> String {
    T::from_wire(number, "").map_or_else(|_| "?".to_owned(), |value| value.to_string())
}

/// A point in time.
pub fn time(time: Option<&prost_types::Timestamp>) -> String {
    let time = time.and_then(|time| crate::wire::timestamp_from_wire(time, "").ok());
    time.map_or_else(|| "-".to_owned(), |time| time.to_string())
}

/// The basis of inclusion in words.
pub fn basis(basis: Option<&v1::Basis>) -> String {
    use v1::basis::Basis;
    match basis.and_then(|basis| basis.basis.as_ref()) {
        None => "-".to_owned(),
        Some(Basis::UnConsolidatedList(list)) => {
            format!("un-consolidated-list, entity {}, list of {}", plain(&list.entity), plain(&list.list_date))
        }
        Some(Basis::DesignatedBy(by)) => {
            format!("designated-by {}, list of {}", plain(&by.authority), plain(&by.list_date))
        }
        Some(Basis::Incident(incident)) => format!("incident {}", plain(&incident.incident)),
        Some(Basis::Behaviour(_)) => "behaviour".to_owned(),
        Some(Basis::AnalystVerified(verified)) => {
            format!("analyst-verified, tier {}", code::<crate::domain::AnalystTier>(verified.tier))
        }
    }
}

/// Who contributed, as far as the caller may know.
pub fn contributor(contributor: Option<&v1::Contributor>) -> String {
    let Some(contributor) = contributor else { return "-".to_owned() };
    let mut text = plain(&contributor.pseudonym);
    if let (Some(name), Some(jurisdiction)) = (&contributor.name, &contributor.jurisdiction) {
        let _ = write!(text, " ({}, {})", plain(name), plain(jurisdiction));
    }
    if contributor.is_caller {
        text.push_str(" (you)");
    }
    if !contributor.mark.is_empty() {
        let _ = write!(text, " ({})", plain(&contributor.mark));
    }
    text
}

/// Provenance, one fact a line, each behind `indent`.
pub fn provenance(provenance: Option<&v1::Provenance>, indent: &str) -> String {
    use crate::domain::{Action, Context, Origin, Producer, Reviewers, Tlp};
    let Some(facts) = provenance else { return String::new() };
    let mut text = String::new();
    let mut fact = |name: &str, value: String| {
        let _ = writeln!(text, "{indent}{name:<13} {value}");
    };
    fact("found by", format!("{}, reviewed by {}", code::<Origin>(facts.origin), code::<Reviewers>(facts.reviewers)));
    fact("basis", basis(facts.basis.as_ref()));
    fact("producer", code::<Producer>(facts.producer));
    if !facts.contexts.is_empty() {
        fact("seen as", facts.contexts.iter().map(|context| code::<Context>(*context)).collect::<Vec<_>>().join(", "));
    }
    if !facts.content_types.is_empty() {
        fact("content", facts.content_types.iter().map(|kind| plain(kind)).collect::<Vec<_>>().join(", "));
    }
    fact("confidence", format!("{} of 100", facts.confidence.unwrap_or_default()));
    fact("marking", code::<Tlp>(facts.tlp));
    fact("stands for", format!("at most {}", code::<Action>(facts.action_max)));
    if facts.valid_until.is_some() {
        fact("valid until", time(facts.valid_until.as_ref()));
    }
    if let Some(entry) = facts.supersedes {
        fact("supersedes", format!("entry {entry}"));
    }
    if let Some(order) = &facts.government_order {
        fact("gov. order", format!("{}, {}", plain(&order.jurisdiction), plain(&order.date)));
    }
    text
}

/// Standing, permissible action, and every rule behind them, each behind `indent`.
pub fn assessment(assessment: Option<&v1::Assessment>, indent: &str) -> String {
    use crate::domain::{Action, Standing};
    let Some(assessment) = assessment else { return String::new() };
    let standing = code::<Standing>(assessment.standing);
    let mut text =
        format!("{indent}{:<13} {standing}; supports at most {}\n", "standing", code::<Action>(assessment.action));
    for reason in &assessment.reasons {
        let ceiling =
            if reason.ceiling == 0 { String::new() } else { format!(" -> {}", code::<Action>(reason.ceiling)) };
        let _ = writeln!(text, "{indent}              - {}{ceiling}", plain(&reason.words));
    }
    text
}

/// Evidence in words: `pdq at 4 bits (rotated-90), md5 equal`, or where only bands are to be seen `pdq near`. `orientations` has one for each of the caller's signals, or is
/// empty where nothing was turned.
pub fn evidence(evidence: &[v1::Evidence], orientations: &[Orientation]) -> String {
    let one = |evidence: &v1::Evidence| {
        let kind = code::<SignalKind>(evidence.kind);
        let turned = match orientations.get(evidence.signal as usize) {
            None | Some(Orientation::AsStored) => String::new(),
            Some(orientation) => format!(" ({orientation})"),
        };
        match (evidence.distance, evidence.band()) {
            (Some(0), _) | (None, v1::Band::Identical) => format!("{kind} equal{turned}"),
            (Some(bits), _) => format!("{kind} at {bits} bits{turned}"),
            (None, _) => format!("{kind} {}{turned}", code::<Band>(evidence.band)),
        }
    };
    evidence.iter().map(one).collect::<Vec<_>>().join(", ")
}
