//! Preservation holds.

use super::{required, timestamp, timestamp_from_wire, v1};
use crate::domain::{At, EntryId, FieldError, HoldScope, HoldTerms};
use crate::hub::HoldView;

/// Reads what is to be held, why, and until when.
///
/// # Errors
/// The first field that is not as it must be.
pub fn hold_terms(request: &v1::PlaceHoldRequest) -> Result<HoldTerms, FieldError> {
    use v1::hold_scope::Scope;
    let scope = required(request.scope.as_ref().and_then(|scope| scope.scope.as_ref()), "scope")?;
    let scope = match scope {
        Scope::Entries(entries) => HoldScope::entries(entries.entry_ids.iter().copied().map(EntryId).collect())
            .map_err(|error| error.within("scope"))?,
        Scope::Incident(code) => HoldScope::Incident(code.parse().at("scope.incident")?),
        Scope::MemberId(member) => HoldScope::Member(member.parse().at("scope.member_id")?),
    };
    Ok(HoldTerms {
        scope,
        reference: request.reference.parse().at("reference")?,
        authority: request.authority.parse().at("authority")?,
        until: timestamp_from_wire(required(request.until.as_ref(), "until")?, "until")?,
    })
}

/// Writes what a hold is on.
pub(super) fn hold_scope(scope: &HoldScope) -> v1::HoldScope {
    use v1::hold_scope::{Entries, Scope};
    let scope = match scope {
        HoldScope::Entries(entries) => {
            Scope::Entries(Entries { entry_ids: entries.iter().map(|entry| entry.0).collect() })
        }
        HoldScope::Incident(code) => Scope::Incident(code.to_string()),
        HoldScope::Member(member) => Scope::MemberId(member.to_string()),
    };
    v1::HoldScope { scope: Some(scope) }
}

/// Writes a hold.
pub fn hold(view: &HoldView) -> v1::Hold {
    let (hold, terms) = (&view.hold, &view.hold.terms);
    v1::Hold {
        hold_id: hold.id,
        scope: Some(hold_scope(&terms.scope)),
        reference: terms.reference.to_string(),
        authority: terms.authority.to_string(),
        placed: Some(timestamp(hold.placed)),
        until: Some(timestamp(terms.until)),
        lifted: hold.lifted.map(timestamp),
        in_force: view.in_force,
    }
}
