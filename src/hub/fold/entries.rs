//! What events about entries and benign items change.
//!
//! Whether two entries are near is decided once, when the later of them comes: then both know of it. Which of that counts, for
//! how much, is judged when somebody asks (`policy::assess`), so that a change of rules needs no fold.

use std::collections::BTreeSet;

use super::{Change, FoldError, Past};
use crate::domain::{
    Actor, Appeal, AppealState, Appealed, Basis, Benign, Code, Corroboration, Decided, Decision, Distance, Draft,
    Entry, EntryId, EntryState, Event, Fact, Flood, MemberId, NearBenign, Opinion, Report, Ruling, Signal, SignalKind,
    Timestamp, Withdrawal,
};
use crate::hub::read;
use crate::policy::attention::may_wait;
use crate::policy::expiry_passed;
use crate::policy::trust::{self, Sign};
use crate::store::SignalRow;

/// Of the entries near a new one so many are looked at, the nearest: more are one flooded cluster.
const NEIGHBOURS_MAX: usize = 4_096;
/// Opinions that are kept of one entry. What comes later is in the ledger and no longer changes its standing.
const OPINIONS_MAX: usize = 64;

/// Changes as they are gathered.
struct Folding<'a, P> {
    index: u64,
    event: &'a Event,
    past: &'a P,
    changes: Vec<Change>,
}

pub(super) fn fold<P: Past>(index: u64, event: &Event, past: &P) -> Result<Vec<Change>, FoldError> {
    let mut folding = Folding { index, event, past, changes: Vec::new() };
    match &event.fact {
        Fact::Contributed { request, lapses, .. } => {
            folding.changes.push(Change::Request(*request, index));
            if let Some(entry) = read::as_entry(EntryId(index), event.clone()) {
                folding.contributed(&entry, *lapses)?;
            }
        }
        Fact::Withdrawn { entry, .. } => {
            let (found, mut state) = folding.entry(*entry)?;
            state.withdrawn = Some(Withdrawal { event: index, at: event.at });
            // Who appealed against it has what it asked for.
            folding.end_appeals(&mut state, AppealState::Reversed)?;
            folding.changes.push(Change::Reversal(index, *entry));
            folding.take_out(&found)?;
            folding.put(*entry, state)?;
        }
        Fact::Expired { entries } => {
            for entry in entries {
                let (found, _) = folding.entry(*entry)?;
                folding.remove_signals(&found);
                folding.changes.push(Change::History(*entry, index));
            }
        }
        Fact::OutcomeReported(report) => folding.reported(report)?,
        Fact::Decided { entry, decision, is_enough } => folding.decided(*entry, decision, *is_enough)?,
        Fact::AppealOpened { entry, ground, deadline, .. } => {
            if let Actor::Member { member: by, .. } = event.by {
                let (_, mut state) = folding.entry(*entry)?;
                state.appeals.push(Appealed { id: index, by });
                folding.put(*entry, state)?;
                folding.changes.push(Change::Appeal(Appeal {
                    id: index,
                    entry: *entry,
                    by,
                    ground: *ground,
                    opened: event.at,
                    deadline: *deadline,
                    state: AppealState::Open,
                    decided: None,
                }));
            }
        }
        Fact::FloodSeen { entry, matches, usual } => {
            let (_, mut state) = folding.entry(*entry)?;
            state.flood = Some(Flood { event: index, at: event.at, matches: *matches, usual: *usual });
            folding.put(*entry, state)?;
        }
        Fact::BenignAdded(benign) => folding.benign_added(benign)?,
        Fact::BenignRemoved { benign } => folding.benign_removed(*benign)?,
        // `super::fold` hands over no other.
        _ => {}
    }
    Ok(folding.changes)
}

impl<P: Past> Folding<'_, P> {
    fn entry(&self, id: EntryId) -> Result<(Entry, EntryState), FoldError> {
        match (self.past.entry(id)?, self.past.state(id)?) {
            (Some(entry), Some(state)) => Ok((entry, state)),
            _ => Err(FoldError::NoSuchEntry { index: self.index, entry: id }),
        }
    }

    /// Puts an earlier entry's state in the place of what it was, because of this event.
    fn put(&mut self, id: EntryId, state: EntryState) -> Result<(), FoldError> {
        self.changes.push(Change::History(id, self.index));
        self.put_quietly(id, state)
    }

    /// The same, where the event is about another entry.
    fn put_quietly(&mut self, id: EntryId, state: EntryState) -> Result<(), FoldError> {
        let before = self.past.state(id)?.is_some_and(|before| may_wait(id, &before));
        let wanted = may_wait(id, &state);
        if before != wanted {
            self.changes.push(Change::Attention(id, wanted));
        }
        self.changes.push(Change::Entry(id, state));
        Ok(())
    }

    fn contributed(&mut self, entry: &Entry, lapses: Option<Timestamp>) -> Result<(), FoldError> {
        let Entry { id, contributor: member, key, draft, .. } = entry;
        let expires = draft.provenance().valid_until.or(lapses);
        let register = self.past.register();
        let mut state = EntryState { expires, ..EntryState::default() };
        let is_of_drill = self.is_of_drill(draft);
        // An exercise is nobody's conduct.
        if !is_of_drill {
            state.benign = self.near_benign(*id, draft.signals(), None)?;
            let mut conduct = trust::contributed(register.trust(*member), self.event.at);
            state.is_excess = conduct.contributed > register.rules().contributions.quarantine_above_per_day;
            let radius = Distance::new(register.rules().benign.radius_bits);
            state.came_near_benign = state.benign.is_some_and(|near| near.distance <= radius);
            if state.came_near_benign {
                conduct = trust::add(conduct, Sign::NearBenign, self.event.at);
            }
            self.changes.push(Change::Trust(*member, conduct));
        }
        self.changes.push(Change::OfKey(*key, *id));
        self.changes.extend(draft.incident().map(|incident| Change::OfIncident(incident, *id)));
        if let Basis::UnConsolidatedList { entity, .. } = &draft.provenance().basis {
            self.changes.push(Change::Listed(entity.clone(), *id));
        }

        if !is_of_drill {
            self.put_in(entry, &mut state)?;
        }
        self.put_quietly(*id, state)
    }

    /// Whether it is part of an exercise: then it meets nothing and speaks for nothing.
    fn is_of_drill(&self, draft: &Draft) -> bool {
        self.past.register().incident_of(draft).is_some_and(|incident| incident.is_drill)
    }

    /// Whether an entry's time has passed. The indexes may have it still, or not: it must not matter.
    fn is_over(&self, state: &EntryState) -> bool {
        expiry_passed(state.expires, self.event.at)
    }

    /// Lets `entry` be found, and know of the entries near it as they of it.
    fn put_in(&mut self, entry: &Entry, state: &mut EntryState) -> Result<(), FoldError> {
        let expires = state.expires;
        let mut taken = 0;
        for (other, distance) in self.past.near(entry.draft.signals(), Corroboration::RADIUS_MAX)? {
            if taken == NEIGHBOURS_MAX {
                break;
            }
            if other == entry.id {
                continue;
            }
            let (near, mut near_state) = self.entry(other)?;
            if self.is_over(&near_state) {
                continue;
            }
            taken += 1;
            let labels: Vec<Code> =
                entry.draft.labels().iter().filter(|label| near.draft.labels().contains(label)).cloned().collect();
            if near.contributor == entry.contributor || labels.is_empty() {
                continue;
            }
            let link = |of: &Entry, expires| Corroboration {
                entry: of.id,
                member: of.contributor,
                key: of.key,
                contributed: of.contributed,
                expires,
                distance,
                labels: labels.clone(),
            };
            add(&mut state.corroboration, link(&near, near_state.expires), self.event.at);
            if add(&mut near_state.corroboration, link(entry, expires), self.event.at) {
                self.put_quietly(other, near_state)?;
            }
        }
        for signal in entry.draft.signals() {
            let row = SignalRow { signal: signal.unrated(), entry: entry.id, valid_until: expires };
            self.changes.push(Change::SignalAdded(row));
        }
        Ok(())
    }

    /// Lets `entry` be found no more, nor speak for others.
    fn take_out(&mut self, entry: &Entry) -> Result<(), FoldError> {
        for (other, _) in self.past.near(entry.draft.signals(), Corroboration::RADIUS_MAX)? {
            let state = self.past.state(other)?.filter(|state| other != entry.id && !self.is_over(state));
            let Some(mut state) = state else { continue };
            let before = state.corroboration.len();
            state.corroboration.retain(|near| near.entry != entry.id);
            if state.corroboration.len() != before {
                self.put_quietly(other, state)?;
            }
        }
        self.remove_signals(entry);
        Ok(())
    }

    fn remove_signals(&mut self, entry: &Entry) {
        let signals = entry.draft.signals().iter();
        self.changes.extend(signals.map(|signal| Change::SignalRemoved(signal.unrated(), entry.id)));
    }

    fn reported(&mut self, report: &Report) -> Result<(), FoldError> {
        let Actor::Member { member, .. } = self.event.by else { return Ok(()) };
        let (found, mut state) = self.entry(report.entry)?;
        let roster = self.past.roster();
        let is_first = !state.opinions.iter().any(|earlier| earlier.member == member);
        if is_first && !roster.speak_as_one(member, found.contributor) && !self.is_of_drill(&found.draft) {
            let by = roster.member(member).map_or(crate::domain::Status::Applicant, |member| member.status);
            self.sign(found.contributor, Sign::Outcome { outcome: report.outcome, by });
        }
        // Of each member the newest about each label.
        let labels: Vec<Code> =
            if report.labels.is_empty() { found.draft.labels().to_vec() } else { report.labels.clone() };
        let replaced =
            |earlier: &Opinion| earlier.member == member && earlier.labels.iter().all(|one| labels.contains(one));
        state.opinions.retain(|earlier| !replaced(earlier));
        if state.opinions.len() < OPINIONS_MAX {
            let (event, at) = (self.index, self.event.at);
            state.opinions.push(Opinion { event, at, member, outcome: report.outcome, labels });
        }
        self.put(report.entry, state)
    }

    fn decided(&mut self, id: EntryId, decision: &Decision, is_enough: bool) -> Result<(), FoldError> {
        let Actor::Member { member, key } = self.event.by else { return Ok(()) };
        let (found, mut state) = self.entry(id)?;
        let mut decided =
            Decided { decision: decision.clone(), event: self.index, at: self.event.at, by: vec![member], key };
        if !is_enough {
            state.proposed.push(decided);
            return self.put(id, state);
        }
        let seconded = state.proposed.drain(..).filter(|earlier| earlier.decision.ruling == decision.ruling);
        decided.by.extend(seconded.flat_map(|earlier| earlier.by));
        decided.by.sort_unstable();
        decided.by.dedup();
        self.end_appeals(&mut state, AppealState::after(decision.ruling))?;
        if decision.ruling.reverses() {
            self.changes.push(Change::Reversal(self.index, id));
        }
        let was_out = state.is_revoked();
        if let Some(earlier) = state.decided.take().filter(|_| decision.ruling != Ruling::Relabel) {
            // The labels that reviewers gave it stay until they give it others.
            decided.decision.labels = earlier.decision.labels;
        }
        state.decided = Some(decided);
        let is_out = state.is_revoked();
        if is_out && !was_out {
            self.take_out(&found)?;
        }
        if was_out && !is_out && state.withdrawn.is_none() && !self.is_over(&state) && !self.is_of_drill(&found.draft) {
            // While it could not be found, what came and went near it passed it by.
            state.corroboration.clear();
            state.benign = self.near_benign(id, found.draft.signals(), None)?;
            self.put_in(&found, &mut state)?;
        }
        if !self.is_of_drill(&found.draft) {
            self.sign(found.contributor, Sign::Ruling(decision.ruling));
        }
        self.put(id, state)
    }

    /// Lets no appeal against an entry be open any more.
    fn end_appeals(&mut self, state: &mut EntryState, to: AppealState) -> Result<(), FoldError> {
        for appealed in state.appeals.drain(..) {
            if let Some(appeal) = self.past.appeal(appealed.id)? {
                self.changes.push(Change::Appeal(Appeal { state: to, decided: Some(self.index), ..appeal }));
            }
        }
        Ok(())
    }

    fn sign(&mut self, member: MemberId, sign: Sign) {
        let trust = trust::add(self.past.register().trust(member), sign, self.event.at);
        self.changes.push(Change::Trust(member, trust));
    }

    fn benign_added(&mut self, benign: &Benign) -> Result<(), FoldError> {
        let rows = benign.signals().iter().map(|signal| Change::BenignAdded(signal.unrated(), self.index));
        self.changes.extend(rows);
        self.changes.push(Change::BenignItem(self.index, true));
        for (id, distance) in self.past.near(benign.signals(), SignalKind::Pdq.radius_max())? {
            let Some(mut state) = self.past.state(id)?.filter(|state| !self.is_over(state)) else { continue };
            if state.benign.is_none_or(|nearest| distance < nearest.distance) {
                state.benign = Some(NearBenign { benign: self.index, event: self.index, distance });
                self.put(id, state)?;
            }
        }
        Ok(())
    }

    fn benign_removed(&mut self, id: u64) -> Result<(), FoldError> {
        let Some(benign) = self.past.benign(id)? else {
            return Err(FoldError::NoSuchEntry { index: self.index, entry: EntryId(id) });
        };
        self.changes.extend(benign.signals().iter().map(|signal| Change::BenignRemoved(signal.unrated(), id)));
        self.changes.push(Change::BenignItem(id, false));
        for (entry, _) in self.past.near(benign.signals(), SignalKind::Pdq.radius_max())? {
            let (found, mut state) = self.entry(entry)?;
            if !self.is_over(&state) && state.benign.is_some_and(|near| near.benign == id) {
                state.benign = self.near_benign(entry, found.draft.signals(), Some(id))?;
                self.put(entry, state)?;
            }
        }
        Ok(())
    }

    /// The benign item nearest to one of an entry's signals, but for `except`.
    fn near_benign(
        &self,
        entry: EntryId,
        signals: &[Signal],
        except: Option<u64>,
    ) -> Result<Option<NearBenign>, FoldError> {
        let near = self.past.near_benign(signals, SignalKind::Pdq.radius_max())?;
        let nearest = near.into_iter().find(|(benign, _)| Some(*benign) != except);
        Ok(nearest.map(|(benign, distance)| NearBenign { benign, event: benign.max(entry.0), distance }))
    }
}

/// Adds what speaks for an entry, if there is room; whether there was.
fn add(all: &mut Vec<Corroboration>, new: Corroboration, at: Timestamp) -> bool {
    all.retain(|near| !expiry_passed(near.expires, at));
    let members: BTreeSet<MemberId> = all.iter().map(|near| near.member).collect();
    let of_member = all.iter().filter(|near| near.member == new.member).count();
    let is_known = all.iter().any(|near| near.entry == new.entry);
    let has_room = of_member < Corroboration::PER_MEMBER_MAX
        && (of_member > 0 || members.len() < Corroboration::MEMBERS_MAX)
        && !is_known;
    if has_room {
        all.push(new);
    }
    has_room
}
