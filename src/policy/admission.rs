//! Whether a draft may become an entry, as far as the taxonomy and the time say so.

use crate::domain::{At, Basis, Code, Draft, FieldError, Taxonomy, Timestamp};

/// A sound draft's fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may go to the sequencer.
    Admitted,
    /// Its PDQ hash number `signal` (from 0) is of too low quality to share or match: an ordinary outcome.
    TooFeatureless { signal: usize },
}

/// Judges `draft` under `taxonomy` at `now`.
///
/// # Errors
/// The first field that is not as it must be.
pub fn admit(draft: &Draft, taxonomy: &Taxonomy, now: Timestamp) -> Result<Admission, FieldError> {
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
    if let Some(valid_until) = provenance.valid_until
        && valid_until <= now
    {
        return Err(FieldError::new(
            "provenance.valid_until",
            format_args!("must be in the future, got {valid_until}"),
        ));
    }
    match draft.signals().iter().position(|signal| !signal.is_matchable()) {
        Some(signal) => Ok(Admission::TooFeatureless { signal }),
        None => Ok(Admission::Admitted),
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

fn unknown<'a>(code: &Code, allowed: impl Iterator<Item = &'a Code>) -> String {
    let allowed: Vec<_> = allowed.map(Code::as_str).collect();
    format!("unknown code `{code}`: must be one of {}", allowed.join(", "))
}
