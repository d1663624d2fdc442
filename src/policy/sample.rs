//! Random samples of entries, which whoever has the ledger can draw again.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::domain::{Code, EntryId, Event, Fact, IncidentChange, Ruling};

/// What is hashed before root and nonce.
const TAG: &[u8] = b"hashcommons/v1/sample\n";

/// Which entries match after the leaves so far, by what the leaves say: contributed; not withdrawn, expired or revoked; not of a
/// drill. No clock is asked.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    entries: BTreeSet<EntryId>,
    /// Withdrawn or expired: for good.
    gone: BTreeSet<EntryId>,
    /// Until another ruling.
    revoked: BTreeSet<EntryId>,
    /// Whether an incident is a drill.
    incidents: BTreeMap<Code, bool>,
}

impl Matching {
    /// What leaf `index` says. In the order of leaves.
    pub fn add(&mut self, index: u64, event: &Event) {
        if let Some(remains) = event.fact.remains() {
            let incident = remains.incident.as_ref().and_then(|code| self.incidents.get(code));
            if incident != Some(&true) {
                self.entries.insert(EntryId(index));
            }
            return;
        }
        match &event.fact {
            Fact::Withdrawn { entry, .. } => self.end(*entry),
            Fact::Expired { entries } => entries.iter().for_each(|entry| self.end(*entry)),
            Fact::Erased { erased, .. } => erased.iter().for_each(|one| self.end(one.entry)),
            Fact::Decided { entry, decision, is_enough: true } => {
                if decision.ruling == Ruling::Revoke {
                    if self.entries.remove(entry) {
                        self.revoked.insert(*entry);
                    }
                } else if self.revoked.remove(entry) && !self.gone.contains(entry) {
                    self.entries.insert(*entry);
                }
            }
            Fact::IncidentChanged { incident, change: IncidentChange::Open { is_drill, .. }, is_enough: true } => {
                self.incidents.insert(incident.clone(), *is_drill);
            }
            _ => {}
        }
    }

    fn end(&mut self, entry: EntryId) {
        self.entries.remove(&entry);
        self.gone.insert(entry);
    }

    /// At most `count` of them: those with the lowest `SHA-256(seed || id)`, the lowest first, where the id is 8 bytes, big-endian,
    /// and the seed is `SHA-256("hashcommons/v1/sample\n" || root || nonce)`.
    pub fn draw(&self, root: &[u8; 32], nonce: &[u8; 32], count: usize) -> Vec<EntryId> {
        let seed = Sha256::new().chain_update(TAG).chain_update(root).chain_update(nonce).finalize();
        let rank = |entry: &EntryId| -> [u8; 32] {
            Sha256::new().chain_update(seed).chain_update(entry.0.to_be_bytes()).finalize().into()
        };
        let mut ranked: Vec<_> = self.entries.iter().map(|entry| (rank(entry), *entry)).collect();
        ranked.sort_unstable();
        ranked.into_iter().take(count).map(|(_, entry)| entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Actor, Decision, RulingReason, Timestamp};

    fn event(fact: Fact) -> Event {
        Event { at: Timestamp::EPOCH, by: Actor::Hub, request: None, fact }
    }

    fn of(entries: impl IntoIterator<Item = u64>) -> Matching {
        Matching { entries: entries.into_iter().map(EntryId).collect(), ..Matching::default() }
    }

    #[test]
    fn the_same_root_and_nonce_draw_the_same_and_others_something_else() {
        let matching = of(0..1_000);
        let drawn = matching.draw(&[1; 32], &[2; 32], 20);
        assert_eq!(drawn, matching.draw(&[1; 32], &[2; 32], 20));
        assert_eq!(drawn[..5], matching.draw(&[1; 32], &[2; 32], 5));
        assert_ne!(drawn, matching.draw(&[3; 32], &[2; 32], 20));
        assert_ne!(drawn, matching.draw(&[1; 32], &[3; 32], 20));
        assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), 20);
        assert_eq!(of(0..3).draw(&[1; 32], &[2; 32], 20).len(), 3);
    }

    #[test]
    fn every_entry_is_drawn_as_often_as_any_other() {
        let mut drawn = [0_u32; 10];
        for nonce in 0..1_000_u16 {
            let mut bytes = [0; 32];
            bytes[..2].copy_from_slice(&nonce.to_be_bytes());
            for entry in of(0..10).draw(&[0; 32], &bytes, 3) {
                drawn[entry.0 as usize] += 1;
            }
        }
        // 300 expected; 6 standard deviations are 87. The draws are always the same ones.
        assert!(drawn.iter().all(|count| (213..387).contains(count)), "{drawn:?}");
    }

    #[test]
    fn what_no_longer_matches_is_not_drawn_and_what_was_reinstated_is() {
        let rule = |entry, ruling, is_enough| {
            let decision = Decision { ruling, reason: RulingReason::Legal, labels: vec![] };
            event(Fact::Decided { entry: EntryId(entry), decision, is_enough })
        };
        let mut matching = of(0..5);
        matching.add(10, &event(Fact::Expired { entries: vec![EntryId(0), EntryId(1)] }));
        matching.add(11, &rule(2, Ruling::Revoke, true));
        matching.add(12, &rule(3, Ruling::Revoke, false));
        assert_eq!(matching.entries, of([3, 4]).entries);
        matching.add(13, &rule(2, Ruling::Reinstate, true));
        matching.add(14, &rule(1, Ruling::Reinstate, true));
        assert_eq!(matching.entries, of([2, 3, 4]).entries);
    }
}
