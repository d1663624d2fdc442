//! Whether a draft may become an entry, as far as the taxonomy and the time say so.
//!
//! The two are asked apart: a request that is repeated after its entry has expired is still the same request.

use crate::domain::{At, Basis, Code, Draft, FieldError, Taxonomy, Timestamp};

/// A sound draft's fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may go to the sequencer.
    Admitted,
    /// Its PDQ hash number `signal` (from 0) is of too low quality to share or match: an ordinary outcome.
    TooFeatureless { signal: usize },
}

/// Judges `draft` under `taxonomy`.
///
/// # Errors
/// The first field that is not as it must be.
pub fn admit(draft: &Draft, taxonomy: &Taxonomy) -> Result<Admission, FieldError> {
    for (at, code) in draft.labels().iter().enumerate() {
        check_label(code, taxonomy).at(format!("labels[{at}]"))?;
    }
    let provenance = draft.provenance();
    for (at, code) in provenance.content_types.iter().enumerate() {
        if taxonomy.content_type(code).is_none() {
            return Err(unknown(code, taxonomy.content_types.iter().map(|term| &term.code)))
                .at(format!("provenance.content_types[{at}]"));
        }
    }
    if let Basis::DesignatedBy { authority, .. } = &provenance.basis
        && taxonomy.authority(authority).is_none()
    {
        return Err(unknown(authority, taxonomy.authorities.iter().map(|term| &term.code)))
            .at("provenance.basis.authority");
    }
    match draft.signals().iter().position(|signal| !signal.is_matchable()) {
        Some(signal) => Ok(Admission::TooFeatureless { signal }),
        None => Ok(Admission::Admitted),
    }
}

/// Whether an entry made of `draft` at `now` would be valid for some time to come.
///
/// # Errors
/// At `provenance.valid_until`, if not.
pub fn check_validity(draft: &Draft, now: Timestamp) -> Result<(), FieldError> {
    match draft.provenance().valid_until {
        Some(until) if until <= now => {
            Err(FieldError::new("provenance.valid_until", format_args!("must be in the future, got {until}")))
        }
        _ => Ok(()),
    }
}

fn check_label(code: &Code, taxonomy: &Taxonomy) -> Result<(), String> {
    let prefix = &taxonomy.incident_labels.prefix;
    let is_incident = code.as_str().strip_prefix(prefix.as_str()).is_some_and(|incident| !incident.is_empty());
    if is_incident || taxonomy.label(code).is_some() {
        return Ok(());
    }
    Err(format!("{}, or an incident's, `{prefix}…`", unknown(code, taxonomy.labels.iter().map(|label| &label.code))))
}

/// What is said of a code that is none of `allowed`.
pub(super) fn unknown<'a>(code: &Code, allowed: impl Iterator<Item = &'a Code>) -> String {
    let allowed: Vec<_> = allowed.map(Code::as_str).collect();
    format!("unknown code `{code}`: must be one of {}", allowed.join(", "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing;
    use crate::domain::{Hash64, Pdq, Provenance, Quality, Signal, Taxonomies};

    fn sound() -> impl Strategy<Value = Provenance> {
        testing::provenance().prop_map(|provenance| Provenance {
            basis: Basis::Behaviour,
            content_types: vec![],
            valid_until: None,
            ..provenance
        })
    }

    fn judge(labels: &[&str], signals: Vec<Signal>, provenance: Provenance) -> Result<Admission, String> {
        let labels = labels.iter().map(|label| label.parse().unwrap()).collect();
        let draft = Draft::new(signals, labels, provenance).unwrap();
        admit(&draft, Taxonomies::shipped().unwrap().current()).map_err(|error| error.to_string())
    }

    proptest! {
        #[test]
        fn labels_are_the_taxonomys_or_an_incidents(provenance in sound()) {
            let signals = || vec![Signal::Phash(Hash64::from_word(1))];
            let judge = |label| judge(&[label], signals(), provenance.clone());
            prop_assert_eq!(judge("glorification"), Ok(Admission::Admitted));
            prop_assert_eq!(judge("incident-2026-11-harbour"), Ok(Admission::Admitted));
            for unknown in ["incident-", "incident", "spam"] {
                let error = judge(unknown).unwrap_err();
                prop_assert!(error.starts_with("labels[0]: unknown code"), "{error}");
            }
        }

        #[test]
        fn one_pdq_hash_of_low_quality_makes_the_item_too_featureless(provenance in sound(), percent in 0..=100u32) {
            let low = Signal::Pdq { hash: Pdq::from_words([7; 4]), quality: Quality::new(percent).ok() };
            let signals = vec![Signal::Phash(Hash64::from_word(1)), low];
            let expected =
                if percent < 50 { Admission::TooFeatureless { signal: 1 } } else { Admission::Admitted };
            prop_assert_eq!(judge(&["glorification"], signals, provenance), Ok(expected));
        }

        #[test]
        fn an_entry_must_be_valid_for_some_time_to_come(draft in testing::draft(), now in testing::timestamp()) {
            let sound = draft.provenance().valid_until.is_none_or(|until| until > now);
            prop_assert_eq!(check_validity(&draft, now).is_ok(), sound);
        }
    }
}
