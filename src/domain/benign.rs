//! Benign items: lawful pictures that everybody has, kept so that nothing near them is acted on.

use super::codes::codes;
use super::{FieldError, Reference, Signal, check_count};

codes! {
    /// What makes an item benign.
    BenignClass, "class" {
        /// Published by news media.
        News = "news",
        /// Held by an archive of evidence.
        Evidence = "evidence",
        /// A logo, an emblem or an interface.
        Logo = "logo",
        /// So flat that anything looks like it.
        Flat = "flat",
        /// A stock picture, an artwork or a landmark.
        Common = "common",
    }
}

/// An item that reviewers hold to be benign. Its id is its leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Benign {
    signals: Vec<Signal>,
    pub class: BenignClass,
    /// The source's own reference of it, if there is one.
    pub reference: Option<Reference>,
}

impl Benign {
    /// The most signals of one item.
    pub const SIGNALS_MAX: usize = 16;

    /// Of 1 to 16 signals, all different, of kinds that are strong evidence.
    ///
    /// # Errors
    /// The first signal that is not as it must be.
    pub fn new(signals: Vec<Signal>, class: BenignClass, reference: Option<Reference>) -> Result<Self, FieldError> {
        check_count("signals", signals.len(), Self::SIGNALS_MAX)?;
        for (at, signal) in signals.iter().enumerate() {
            let kind = signal.kind();
            if !kind.is_strong_evidence() {
                let problem = format!("must be pdq, md5 or sha256: unrelated pictures share a {kind}");
                return Err(FieldError::new(format!("signals[{at}].kind"), problem));
            }
            if signals[..at].iter().any(|other| other.unrated() == signal.unrated()) {
                return Err(FieldError::new(format!("signals[{at}]"), "is given twice"));
            }
        }
        Ok(Self { signals, class, reference })
    }

    /// 1 to 16, all different.
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }
}
