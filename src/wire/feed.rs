//! The ledger's events for followers.

use super::draft::draft_to_wire;
use super::retention::hold_scope;
use super::signal::signal_to_wire;
use super::{timestamp, v1};
use crate::domain::{Actor, Event, Fact, Holder, IncidentChange, TallyCell};
use crate::hub::FeedItem;

/// Writes one leaf, and what it says where the caller may read it.
pub fn feed_item(item: FeedItem) -> v1::LedgerEvent {
    let opening = item.opening.map(|opened| opening(opened.salt.to_bytes().to_vec(), opened.record, &opened.event));
    let leaf = item.leaf.to_bytes().to_vec();
    v1::LedgerEvent { index: item.index, leaf, opening, ahead: false, erased_by: item.erased_by }
}

/// Writes an opened event.
pub fn opening(salt: Vec<u8>, record: Vec<u8>, event: &Event) -> v1::Opening {
    use v1::opening::{self, Fact as Wire};
    let fact = match &event.fact {
        Fact::Contributed { taxonomy, draft, lapses, .. } => Wire::Contributed(opening::Contributed {
            taxonomy_version: *taxonomy,
            draft: Some(draft_to_wire(draft)),
            lapses: lapses.map(timestamp),
        }),
        Fact::Withdrawn { entry, reason, .. } => {
            Wire::Withdrawn(opening::Withdrawn { entry_id: entry.0, reason: reason.to_string() })
        }
        Fact::Expired { entries } => {
            Wire::Expired(opening::Expired { entry_ids: entries.iter().map(|entry| entry.0).collect() })
        }
        Fact::Erased { erased, recounted } => Wire::Erased(opening::Erased {
            entry_ids: erased.iter().map(|one| one.entry.0).collect(),
            recounted_entry_ids: recounted.iter().map(|entry| entry.0).collect(),
        }),
        Fact::Remains(remains) => Wire::Remains(opening::Remains {
            taxonomy_version: remains.taxonomy,
            labels: texts(&remains.labels),
            basis: remains.basis.to_string(),
            signal_kinds: texts(&remains.kinds),
            incident: text(remains.incident.as_ref()),
            expires: remains.expires.map(timestamp),
            came_near_benign: remains.came_near_benign,
        }),
        Fact::HoldPlaced(terms) => Wire::HoldPlaced(opening::HoldPlaced {
            scope: Some(hold_scope(&terms.scope)),
            reference: terms.reference.to_string(),
            authority: terms.authority.to_string(),
            until: Some(timestamp(terms.until)),
        }),
        Fact::HoldLifted { hold } => Wire::HoldLifted(opening::HoldLifted { hold_id: *hold }),
        Fact::OutcomeReported(report) => Wire::OutcomeReported(opening::OutcomeReported {
            entry_id: report.entry.0,
            outcome: report.outcome.to_string(),
            labels: texts(&report.labels),
            signal_kind: text(report.kind.as_ref()),
            reason: report.reason.to_string(),
            note: text(report.note.as_ref()),
        }),
        Fact::Decided { entry, decision, is_enough } => Wire::Decided(opening::Decided {
            entry_id: entry.0,
            ruling: decision.ruling.to_string(),
            reason: decision.reason.to_string(),
            labels: texts(&decision.labels),
            is_enough: *is_enough,
        }),
        Fact::AppealOpened { entry, ground, note, deadline } => Wire::AppealOpened(opening::AppealOpened {
            entry_id: entry.0,
            ground: ground.to_string(),
            note: text(note.as_ref()),
            deadline: Some(timestamp(*deadline)),
        }),
        Fact::FloodSeen { entry, matches, usual } => {
            Wire::FloodSeen(opening::FloodSeen { entry_id: entry.0, matches: *matches, usual: *usual })
        }
        Fact::BenignAdded(benign) => Wire::BenignAdded(opening::BenignAdded {
            signals: benign.signals().iter().map(signal_to_wire).collect(),
            class: benign.class.to_string(),
            reference: text(benign.reference.as_ref()),
        }),
        Fact::BenignRemoved { benign } => Wire::BenignRemoved(opening::BenignRemoved { benign_id: *benign }),
        Fact::PolicySet { text } => Wire::PolicySet(opening::PolicySet { text: text.clone() }),
        Fact::EntityDelisted { entity } => Wire::EntityDelisted(opening::EntityDelisted { entity: entity.to_string() }),
        Fact::IncidentChanged { incident, change, is_enough } => {
            let (kind, is_drill, until) = match change {
                IncidentChange::Open { kind, is_drill, until } => (Some(kind), *is_drill, Some(*until)),
                IncidentChange::Extend { until } => (None, false, Some(*until)),
                IncidentChange::Close => (None, false, None),
            };
            Wire::IncidentChanged(opening::IncidentChanged {
                incident: incident.to_string(),
                change: change.code().to_owned(),
                kind: text(kind),
                is_drill,
                until: until.map(timestamp),
                is_enough: *is_enough,
            })
        }
        Fact::IncidentEnded { incident } => {
            Wire::IncidentEnded(opening::IncidentEnded { incident: incident.to_string() })
        }
        Fact::MatchesTallied(tally) => Wire::MatchesTallied(opening::MatchesTallied {
            since: Some(timestamp(tally.since)),
            until: Some(timestamp(tally.until)),
            cells: tally.cells.iter().map(tally_cell).collect(),
        }),
        Fact::SampleDrawn(sample) => Wire::SampleDrawn(opening::SampleDrawn {
            tree_size: sample.size,
            nonce: sample.nonce.to_vec(),
            entry_ids: sample.entries.iter().map(|entry| entry.0).collect(),
        }),
        Fact::SampleJudged { sample, entry, verdict } => Wire::SampleJudged(opening::SampleJudged {
            sample_id: *sample,
            entry_id: entry.0,
            verdict: verdict.to_string(),
        }),
        Fact::MemberEnrolled(member) => {
            Wire::MemberEnrolled(opening::MemberEnrolled { member_id: member.id.to_string() })
        }
        Fact::MemberApproved { member, to, is_enough, .. } => Wire::MemberApproved(opening::MemberApproved {
            member_id: member.to_string(),
            to: to.to_string(),
            is_enough: *is_enough,
        }),
        Fact::MemberStatusSet { member, status, reason } => Wire::MemberStatusSet(opening::MemberStatusSet {
            member_id: member.to_string(),
            status: status.to_string(),
            reason: reason.to_string(),
        }),
        Fact::KeyIssued(key) => {
            Wire::KeyIssued(opening::KeyIssued { key_id: key.id.to_string(), member_id: key.member.to_string() })
        }
        Fact::KeyRotated { key, replaces, until } => Wire::KeyRotated(opening::KeyRotated {
            key_id: key.id.to_string(),
            replaces_key_id: replaces.to_string(),
            until: Some(timestamp(*until)),
        }),
        Fact::KeyCompromised { key, since } => {
            Wire::KeyCompromised(opening::KeyCompromised { key_id: key.to_string(), since: Some(timestamp(*since)) })
        }
        Fact::KeyRevoked { key } => Wire::KeyRevoked(opening::KeyRevoked { key_id: key.to_string() }),
        Fact::QuotaSet { of, .. } => {
            let (member_id, key_id) = match of {
                Holder::Member(member) => (member.to_string(), String::new()),
                Holder::Key(key) => (String::new(), key.to_string()),
            };
            Wire::QuotaSet(opening::QuotaSet { member_id, key_id })
        }
        Fact::AdminRefused { attempted, member, key, reason, count } => Wire::AdminRefused(opening::AdminRefused {
            attempted: attempted.to_string(),
            member_id: text(member.as_ref()),
            key_id: text(key.as_ref()),
            reason: reason.to_string(),
            count: *count,
        }),
        Fact::NamesShown => Wire::NamesShown(opening::NamesShown {}),
        Fact::WalkSeen { level } => Wire::WalkSeen(opening::WalkSeen { level: level.to_string() }),
        Fact::WalkCleared { member } => Wire::WalkCleared(opening::WalkCleared { member_id: member.to_string() }),
    };
    v1::Opening {
        salt,
        record,
        at: Some(timestamp(event.at)),
        kind: event.fact.kind().to_string(),
        fact: Some(fact),
        actor: match event.by {
            Actor::Hub => String::new(),
            Actor::Member { member, .. } => member.to_string(),
        },
        request_id: text(event.request.as_ref()),
    }
}

fn tally_cell(cell: &TallyCell) -> v1::opening::matches_tallied::Cell {
    v1::opening::matches_tallied::Cell {
        label: cell.label.to_string(),
        signal_kind: cell.kind.to_string(),
        action: cell.action.to_string(),
        matches: cell.matches,
    }
}

/// What is not there is the empty text.
fn text<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Display;
    use std::str::FromStr;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::fact;
    use crate::domain::{Benign, Decision, EntryId, Report, Sample, Tally};
    use crate::wire::{optional, signals_from_wire, timestamp_from_wire};

    fn parsed<T: FromStr<Err: Display>>(text: &str) -> T {
        optional(text, "text").unwrap().unwrap()
    }

    fn all<T: FromStr<Err: Display>>(texts: &[String]) -> Vec<T> {
        texts.iter().map(|text| parsed(text)).collect()
    }

    fn time(time: Option<prost_types::Timestamp>) -> crate::domain::Timestamp {
        timestamp_from_wire(&time.unwrap(), "time").unwrap()
    }

    /// The fact that an opening says, where it says all of it.
    fn said(wire: v1::opening::Fact) -> Option<Fact> {
        use v1::opening::Fact as Wire;
        Some(match wire {
            Wire::Expired(said) => Fact::Expired { entries: said.entry_ids.into_iter().map(EntryId).collect() },
            Wire::OutcomeReported(said) => Fact::OutcomeReported(Report {
                entry: EntryId(said.entry_id),
                outcome: parsed(&said.outcome),
                labels: all(&said.labels),
                kind: optional(&said.signal_kind, "").unwrap(),
                reason: parsed(&said.reason),
                note: optional(&said.note, "").unwrap(),
            }),
            Wire::Decided(said) => Fact::Decided {
                entry: EntryId(said.entry_id),
                decision: Decision {
                    ruling: parsed(&said.ruling),
                    reason: parsed(&said.reason),
                    labels: all(&said.labels),
                },
                is_enough: said.is_enough,
            },
            Wire::AppealOpened(said) => Fact::AppealOpened {
                entry: EntryId(said.entry_id),
                ground: parsed(&said.ground),
                note: optional(&said.note, "").unwrap(),
                deadline: time(said.deadline),
            },
            Wire::FloodSeen(said) => {
                Fact::FloodSeen { entry: EntryId(said.entry_id), matches: said.matches, usual: said.usual }
            }
            Wire::BenignAdded(said) => {
                let signals = signals_from_wire(&said.signals, "signals").unwrap();
                let reference = optional(&said.reference, "").unwrap();
                Fact::BenignAdded(Benign::new(signals, parsed(&said.class), reference).unwrap())
            }
            Wire::BenignRemoved(said) => Fact::BenignRemoved { benign: said.benign_id },
            Wire::PolicySet(said) => Fact::PolicySet { text: said.text },
            Wire::EntityDelisted(said) => Fact::EntityDelisted { entity: parsed(&said.entity) },
            Wire::IncidentChanged(said) => {
                let change = match said.change.as_str() {
                    "open" => IncidentChange::Open {
                        kind: parsed(&said.kind),
                        is_drill: said.is_drill,
                        until: time(said.until),
                    },
                    "extend" => IncidentChange::Extend { until: time(said.until) },
                    "close" => IncidentChange::Close,
                    other => panic!("{other}"),
                };
                Fact::IncidentChanged { incident: parsed(&said.incident), change, is_enough: said.is_enough }
            }
            Wire::IncidentEnded(said) => Fact::IncidentEnded { incident: parsed(&said.incident) },
            Wire::MatchesTallied(said) => Fact::MatchesTallied(Tally {
                since: time(said.since),
                until: time(said.until),
                cells: said
                    .cells
                    .iter()
                    .map(|cell| TallyCell {
                        label: parsed(&cell.label),
                        kind: parsed(&cell.signal_kind),
                        action: parsed(&cell.action),
                        matches: cell.matches,
                    })
                    .collect(),
            }),
            Wire::SampleDrawn(said) => Fact::SampleDrawn(Sample {
                size: said.tree_size,
                nonce: said.nonce.try_into().unwrap(),
                entries: said.entry_ids.into_iter().map(EntryId).collect(),
            }),
            Wire::SampleJudged(said) => Fact::SampleJudged {
                sample: said.sample_id,
                entry: EntryId(said.entry_id),
                verdict: parsed(&said.verdict),
            },
            _ => return None,
        })
    }

    proptest! {
        #[test]
        fn what_is_said_of_standing_is_all_of_it_and_a_lapse_comes_with_its_entry(fact in fact()) {
            let event = Event { at: crate::domain::Timestamp::EPOCH, by: Actor::Hub, request: None, fact };
            let wire = opening(vec![], vec![], &event).fact.unwrap();
            if let (v1::opening::Fact::Contributed(said), Fact::Contributed { lapses, .. }) = (&wire, &event.fact) {
                prop_assert_eq!(said.lapses, lapses.map(timestamp));
            } else if let Some(said) = said(wire) {
                prop_assert_eq!(said, event.fact);
            }
        }
    }
}
