//! Drafts and provenance.

use std::fmt::Display;
use std::str::FromStr;

use super::codes::Coded;
use super::signal::{signal_to_wire, signals_from_wire};
use super::{required, timestamp, timestamp_from_wire, v1};
use crate::domain::{
    Action, AnalystTier, At, Basis, BasisKind, Code, Confidence, Context, Draft, EntryId, FieldError, GovernmentOrder,
    Origin, Producer, Provenance, Reviewers, Tlp,
};

/// Content types in one draft at the most; the taxonomy has fewer.
const CONTENT_TYPES_MAX: usize = 8;

/// Reads a draft.
///
/// # Errors
/// The first field that is not as it must be, as in `provenance.confidence`.
pub fn draft_from_wire(draft: &v1::Draft) -> Result<Draft, FieldError> {
    // Counted before anything is converted.
    crate::domain::check_count("signals", draft.signals.len(), Draft::SIGNALS_MAX)?;
    crate::domain::check_count("labels", draft.labels.len(), Draft::LABELS_MAX)?;
    let provenance = required(draft.provenance.as_ref(), "provenance")?;
    let provenance = provenance_from_wire(provenance).map_err(|error| error.within("provenance"))?;
    Draft::new(signals_from_wire(&draft.signals, "signals")?, codes(&draft.labels, "labels")?, provenance)
}

/// Writes a draft.
pub fn draft_to_wire(draft: &Draft) -> v1::Draft {
    v1::Draft {
        signals: draft.signals().iter().map(signal_to_wire).collect(),
        labels: draft.labels().iter().map(ToString::to_string).collect(),
        provenance: Some(provenance_to_wire(draft.provenance())),
    }
}

/// Writes provenance.
pub fn provenance_to_wire(provenance: &Provenance) -> v1::Provenance {
    v1::Provenance {
        origin: provenance.origin.to_wire(),
        reviewers: provenance.reviewers.to_wire(),
        basis: Some(v1::Basis { basis: Some(basis_to_wire(&provenance.basis)) }),
        producer: provenance.producer.to_wire(),
        contexts: provenance.contexts.iter().map(|context| context.to_wire()).collect(),
        content_types: provenance.content_types.iter().map(ToString::to_string).collect(),
        confidence: Some(u32::from(provenance.confidence.percent())),
        tlp: provenance.tlp.to_wire(),
        action_max: provenance.action_max.to_wire(),
        valid_until: provenance.valid_until.map(timestamp),
        supersedes: provenance.supersedes.map(|entry| entry.0),
        government_order: provenance.government_order.as_ref().map(|order| v1::GovernmentOrder {
            jurisdiction: order.jurisdiction.to_string(),
            date: order.date.to_string(),
        }),
    }
}

fn provenance_from_wire(wire: &v1::Provenance) -> Result<Provenance, FieldError> {
    if wire.content_types.len() > CONTENT_TYPES_MAX {
        let problem = format!("must be at most {CONTENT_TYPES_MAX}, got {}", wire.content_types.len());
        return Err(FieldError::new("content_types", problem));
    }
    if wire.contexts.len() > Context::ALL.len() {
        let problem = format!("must be at most {}, got {}", Context::ALL.len(), wire.contexts.len());
        return Err(FieldError::new("contexts", problem));
    }
    let contexts = wire.contexts.iter().enumerate();
    let contexts = contexts.map(|(at, context)| Context::from_wire(*context, format!("contexts[{at}]")));
    let government_order = match &wire.government_order {
        None => None,
        Some(order) => Some(GovernmentOrder {
            jurisdiction: parse(&order.jurisdiction, "government_order.jurisdiction")?,
            date: parse(&order.date, "government_order.date")?,
        }),
    };
    Ok(Provenance {
        origin: Origin::from_wire(wire.origin, "origin")?,
        reviewers: Reviewers::from_wire(wire.reviewers, "reviewers")?,
        basis: basis_from_wire(wire.basis.as_ref()).map_err(|error| error.within("basis"))?,
        producer: Producer::from_wire(wire.producer, "producer")?,
        contexts: contexts.collect::<Result<_, _>>()?,
        content_types: codes(&wire.content_types, "content_types")?,
        confidence: Confidence::new(required(wire.confidence, "confidence")?).at("confidence")?,
        tlp: Tlp::from_wire(wire.tlp, "tlp")?,
        action_max: Action::from_wire(wire.action_max, "action_max")?,
        valid_until: wire.valid_until.as_ref().map(|time| timestamp_from_wire(time, "valid_until")).transpose()?,
        supersedes: wire.supersedes.map(EntryId),
        government_order,
    })
}

fn basis_to_wire(basis: &Basis) -> v1::basis::Basis {
    use v1::basis;
    match basis {
        Basis::UnConsolidatedList { entity, list_date } => {
            basis::Basis::UnConsolidatedList(basis::UnConsolidatedList {
                entity: entity.to_string(),
                list_date: list_date.to_string(),
            })
        }
        Basis::DesignatedBy { authority, list_date } => basis::Basis::DesignatedBy(basis::DesignatedBy {
            authority: authority.to_string(),
            list_date: list_date.to_string(),
        }),
        Basis::Incident { incident } => basis::Basis::Incident(basis::Incident { incident: incident.to_string() }),
        Basis::Behaviour => basis::Basis::Behaviour(basis::Behaviour {}),
        Basis::AnalystVerified { tier } => {
            basis::Basis::AnalystVerified(basis::AnalystVerified { tier: tier.to_wire() })
        }
    }
}

fn basis_from_wire(wire: Option<&v1::Basis>) -> Result<Basis, FieldError> {
    let basis = wire.and_then(|wire| wire.basis.as_ref());
    let codes = || BasisKind::ALL.iter().map(|kind| kind.code()).collect::<Vec<_>>().join(", ");
    let missing = || FieldError::new("", format_args!("must be one of {}", codes()));
    Ok(match basis.ok_or_else(missing)? {
        v1::basis::Basis::UnConsolidatedList(list) => Basis::UnConsolidatedList {
            entity: parse(&list.entity, "entity")?,
            list_date: parse(&list.list_date, "list_date")?,
        },
        v1::basis::Basis::DesignatedBy(by) => Basis::DesignatedBy {
            authority: parse(&by.authority, "authority")?,
            list_date: parse(&by.list_date, "list_date")?,
        },
        v1::basis::Basis::Incident(incident) => Basis::Incident { incident: parse(&incident.incident, "incident")? },
        v1::basis::Basis::Behaviour(_) => Basis::Behaviour,
        v1::basis::Basis::AnalystVerified(verified) => {
            Basis::AnalystVerified { tier: AnalystTier::from_wire(verified.tier, "tier")? }
        }
    })
}

fn codes(texts: &[String], path: &str) -> Result<Vec<Code>, FieldError> {
    texts.iter().enumerate().map(|(at, text)| text.parse().at(format!("{path}[{at}]"))).collect()
}

fn parse<T: FromStr<Err: Display>>(text: &str, path: &str) -> Result<T, FieldError> {
    text.parse().at(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::draft;

    proptest! {
        #[test]
        fn a_draft_goes_over_the_wire_and_comes_back(draft in draft()) {
            prop_assert_eq!(draft_from_wire(&draft_to_wire(&draft)), Ok(draft));
        }
    }

    #[test]
    fn every_field_that_is_missing_is_named() {
        let path = |provenance: v1::Provenance| provenance_from_wire(&provenance).unwrap_err().path;
        let mut wire = v1::Provenance::default();
        assert_eq!(path(wire.clone()), "origin");
        wire.origin = v1::Origin::Human.into();
        assert_eq!(path(wire.clone()), "reviewers");
        wire.reviewers = v1::Reviewers::One.into();
        assert_eq!(path(wire.clone()), "basis");
        wire.basis = Some(v1::Basis { basis: Some(v1::basis::Basis::Incident(v1::basis::Incident::default())) });
        assert_eq!(path(wire.clone()), "basis.incident");
        wire.basis = Some(v1::Basis { basis: Some(v1::basis::Basis::Behaviour(v1::basis::Behaviour {})) });
        assert_eq!(path(wire.clone()), "producer");
        wire.producer = v1::Producer::Media.into();
        assert_eq!(path(wire.clone()), "confidence");
        wire.confidence = Some(101);
        assert_eq!(path(wire.clone()), "confidence");
        wire.confidence = Some(100);
        assert_eq!(path(wire.clone()), "tlp");
        wire.tlp = v1::Tlp::Red.into();
        assert_eq!(path(wire.clone()), "action_max");
        wire.action_max = v1::Action::Review.into();
        assert!(provenance_from_wire(&wire).is_ok());
    }
}
