//! What became of the files, in numbers and with a few names.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::hasher::{Done, Refusal};
use crate::cli::output;
use crate::media::Fingerprint;

/// A file whose hashes may be shared.
pub(super) const HASHED: &str = "hashed";
/// A picture with too little in it to hash.
pub(super) const TOO_FEATURELESS: &str = "too-featureless";
/// What need not be a picture: these words of [`Refusal::kind`].
const UNKNOWN_FORMAT: &str = "unknown-format";
const EMPTY: &str = "empty";
const LINK: &str = "symbolic-link";
const SPECIAL: &str = "special-file";
/// Names that are kept of each outcome.
const NAMES_MAX: usize = 3;

/// Counts of each outcome.
#[derive(Debug, Default)]
pub(super) struct Tally {
    files: u64,
    failed: u64,
    outcomes: BTreeMap<String, Outcome>,
}

#[derive(Debug, Default)]
struct Outcome {
    count: u64,
    /// Of the first few.
    names: Vec<String>,
}

impl Done {
    /// What became of it, in a word.
    pub(super) fn word(&self) -> &'static str {
        match &self.outcome {
            Ok(print) if Fingerprint::is_featureless(print) => TOO_FEATURELESS,
            Ok(_) => HASHED,
            Err(refusal) => Refusal::kind(refusal),
        }
    }

    /// Whether it should have been hashed and was not.
    pub(super) fn is_failure(&self) -> bool {
        is_failure(self.word(), self.named)
    }
}

/// Whether this outcome is a failure. What is no picture was only to be expected one if it was named.
fn is_failure(word: &str, named: bool) -> bool {
    match word {
        HASHED | TOO_FEATURELESS => false,
        UNKNOWN_FORMAT | EMPTY | LINK | SPECIAL => named,
        _ => true,
    }
}

impl Tally {
    /// Counts a file.
    pub(super) fn add(&mut self, path: &Path, word: &str, named: bool) {
        self.files += 1;
        self.failed += u64::from(is_failure(word, named));
        if !self.outcomes.contains_key(word) {
            self.outcomes.insert(word.to_owned(), Outcome::default());
        }
        if let Some(outcome) = self.outcomes.get_mut(word) {
            outcome.count += 1;
            if outcome.names.len() < NAMES_MAX {
                outcome.names.push(output::name(path));
            }
        }
    }

    /// All there were.
    pub(super) const fn files(&self) -> u64 {
        self.files
    }

    /// Those that should have been hashed and were not.
    pub(super) const fn failed(&self) -> u64 {
        self.failed
    }

    /// Those with this outcome.
    pub(super) fn count(&self, word: &str) -> u64 {
        self.outcomes.get(word).map_or(0, |outcome| outcome.count)
    }

    /// The counts, on one line: `7 files: 5 hashed, 2 damaged`.
    pub(super) fn line(&self) -> String {
        match self.files {
            0 => "no files".to_owned(),
            1 => format!("1 file: {}", self.words()),
            files => format!("{files} files: {}", self.words()),
        }
    }

    /// The counts alone: `5 hashed, 2 damaged`.
    pub(super) fn words(&self) -> String {
        let counts =
            self.in_order().map(|(word, outcome)| format!("{} {}", outcome.count, plainly(word, outcome.count)));
        counts.collect::<Vec<_>>().join(", ")
    }

    /// The first few names of each outcome but the good one, a line each, each behind two spaces.
    pub(super) fn names(&self) -> String {
        let mut text = String::new();
        for (word, Outcome { count, names }) in self.in_order().filter(|(word, _)| *word != HASHED) {
            let _ = write!(text, "  {}: {}", plainly(word, *count), names.join(", "));
            let more = *count - names.len() as u64;
            text.push_str(&if more > 0 { format!(", and {more} more\n") } else { "\n".to_owned() });
        }
        text
    }

    /// The counts, for machines.
    pub(super) fn json(&self) -> Value {
        let outcomes: BTreeMap<_, _> = self.outcomes.iter().map(|(word, outcome)| (word, outcome.count)).collect();
        json!({ "files": self.files, "hashed": self.count(HASHED), "failed": self.failed, "outcomes": outcomes })
    }

    /// The good ones first.
    fn in_order(&self) -> impl Iterator<Item = (&str, &Outcome)> {
        let rank = |word: &str| [HASHED, TOO_FEATURELESS].iter().position(|first| *first == word).unwrap_or(2);
        let mut outcomes: Vec<_> = self.outcomes.iter().map(|(word, outcome)| (word.as_str(), outcome)).collect();
        outcomes.sort_by_key(|(word, _)| rank(word));
        outcomes.into_iter()
    }
}

/// An outcome as people say it, behind how many there are.
fn plainly(word: &str, count: u64) -> String {
    let plural = if count == 1 { "" } else { "s" };
    match word {
        UNKNOWN_FORMAT => "of unknown format".to_owned(),
        LINK => format!("symbolic link{plural}"),
        SPECIAL => format!("special file{plural}"),
        _ => word.replace('-', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::DecodeError;

    #[test]
    fn the_words_begin_with_what_went_well_and_names_are_few() {
        let mut tally = Tally::default();
        for n in 0..5 {
            tally.add(Path::new(&format!("{n}.jpg")), "damaged", false);
        }
        tally.add(Path::new("notes\n.txt"), "unknown-format", false);
        tally.add(Path::new("a.jpg"), HASHED, false);
        tally.add(Path::new("flat.png"), TOO_FEATURELESS, false);
        assert_eq!(tally.line(), "8 files: 1 hashed, 1 too featureless, 5 damaged, 1 of unknown format");
        assert_eq!(
            tally.names(),
            "  too featureless: flat.png\n  damaged: 0.jpg, 1.jpg, 2.jpg, and 2 more\n  of unknown format: notes\\n.txt\n"
        );
        assert_eq!((tally.files(), tally.failed()), (8, 5));
    }

    #[test]
    fn what_is_no_picture_is_a_failure_only_if_it_was_named() {
        let picture = |error| Refusal::from(error).kind();
        let unknown = [picture(DecodeError::UnknownFormat), picture(DecodeError::Empty)];
        for word in [&unknown[..], &[Refusal::Link.kind(), Refusal::Special.kind()]].concat() {
            assert!(is_failure(word, true) && !is_failure(word, false), "{word}");
        }
        for word in ["damaged", "unreadable", "too-small", "too-many-bytes"] {
            assert!(is_failure(word, true) && is_failure(word, false), "{word}");
        }
        for word in [HASHED, TOO_FEATURELESS] {
            assert!(!is_failure(word, true), "{word}");
        }
    }
}
