//! What events about entries and benign items change.
//!
//! Whether two entries are near is decided once, when the later of them comes: then both know of it. Which of that counts, for
//! how much, is judged when somebody asks (`policy::assess`), so that a change of rules needs no fold.

use std::collections::{BTreeSet, HashMap};

use super::{Change, Contribution, FoldError, Past};
use crate::domain::{
    Actor, Appeal, AppealState, Appealed, Benign, Code, Confirmed, Corroboration, Decided, Decision, Distance, EntryId,
    EntryState, Event, Fact, Flood, MemberId, NearBenign, Opinion, Report, Ruling, Signal, SignalKind, Withdrawal,
};
use crate::hub::read::ReadError;
use crate::policy::attention::may_wait;
use crate::policy::trust::{self, Sign};
use crate::policy::{expiry_passed, proposal_stands};
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
    /// What the changes have made of entries.
    states: HashMap<EntryId, EntryState>,
}

pub(super) fn fold<P: Past>(index: u64, event: &Event, past: &P) -> Result<Vec<Change>, FoldError> {
    let mut folding = Folding { index, event, past, changes: Vec::new(), states: HashMap::new() };
    match &event.fact {
        Fact::Contributed { .. } | Fact::Remains(_) => {
            if let Some(new) = Contribution::of(EntryId(index), event) {
                folding.contributed(&new)?;
            }
        }
        Fact::Withdrawn { entry, .. } => {
            let (found, mut state) = folding.entry(*entry)?;
            state.withdrawn = Some(Withdrawal { event: index, at: event.at });
            // Who appealed against it has what it asked for.
            folding.end_appeals(&mut state, AppealState::Reversed)?;
            folding.changes.push(Change::Reversal(index, *entry));
            folding.take_out(&found, &mut state)?;
            folding.put(*entry, state)?;
        }
        Fact::Expired { entries } => {
            for entry in entries {
                let (found, mut state) = folding.entry(*entry)?;
                folding.take_out(&found, &mut state)?;
                folding.put(*entry, state)?;
            }
        }
        Fact::Erased { erased, recounted } => {
            for one in erased {
                folding.erased(one.entry)?;
            }
            for entry in recounted {
                folding.recount(*entry)?;
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
    fn entry(&self, id: EntryId) -> Result<(Contribution, EntryState), FoldError> {
        match (self.past.contribution(id)?, self.state(id)?) {
            (Some(entry), Some(state)) => Ok((entry, state)),
            _ => Err(FoldError::NoSuchEntry { index: self.index, entry: id }),
        }
    }

    /// What has become of an entry, by this event as well.
    fn state(&self, id: EntryId) -> Result<Option<EntryState>, ReadError> {
        match self.states.get(&id) {
            Some(state) => Ok(Some(state.clone())),
            None => self.past.state(id),
        }
    }

    /// Puts an earlier entry's state in the place of what it was, because of this event.
    fn put(&mut self, id: EntryId, state: EntryState) -> Result<(), FoldError> {
        self.changes.push(Change::History(id, self.index));
        self.put_quietly(id, state)
    }

    /// The same, where the event is about another entry.
    fn put_quietly(&mut self, id: EntryId, state: EntryState) -> Result<(), FoldError> {
        let before = self.state(id)?.is_some_and(|before| may_wait(id, &before));
        let wanted = may_wait(id, &state);
        if before != wanted {
            self.changes.push(Change::Attention(id, wanted));
        }
        self.changes.push(Change::Entry(id, state.clone()));
        self.states.insert(id, state);
        Ok(())
    }

    fn contributed(&mut self, new: &Contribution) -> Result<(), FoldError> {
        let register = self.past.register();
        let mut state = EntryState { expires: new.expires, ..EntryState::default() };
        let is_of_drill = self.is_of_drill(new);
        // An exercise is nobody's conduct.
        if !is_of_drill {
            state.benign = self.near_benign(new.id, &new.signals, None)?;
            let mut conduct = trust::contributed(register.trust(new.contributor), self.event.at);
            state.is_excess = conduct.contributed > register.rules().contributions.quarantine_above_per_day;
            let radius = Distance::new(register.rules().benign.radius_bits);
            let is_near = state.benign.is_some_and(|near| near.distance <= radius);
            state.came_near_benign = new.came_near_benign.unwrap_or(is_near);
            if state.came_near_benign {
                conduct = trust::add(conduct, Sign::NearBenign, self.event.at);
            }
            self.changes.push(Change::Trust(new.contributor, conduct));
        }
        self.changes.push(Change::Request(new.request, self.index));
        self.changes.push(Change::OfKey(new.key, new.id));
        self.changes.extend(new.incident.clone().map(|incident| Change::OfIncident(incident, new.id)));
        self.changes.extend(new.entity.clone().map(|entity| Change::Listed(entity, new.id)));
        if !is_of_drill {
            self.put_in(new, &mut state)?;
        }
        self.put_quietly(new.id, state)
    }

    /// Whether it is part of an exercise: then it meets nothing and speaks for nothing.
    fn is_of_drill(&self, entry: &Contribution) -> bool {
        let incident = entry.incident.as_ref().and_then(|code| self.past.register().incident(code));
        incident.is_some_and(|incident| incident.is_drill)
    }

    /// Whether an entry's time has passed. The indexes may have it still, or not: it must not matter.
    fn is_over(&self, state: &EntryState) -> bool {
        expiry_passed(state.expires, self.event.at)
    }

    /// The entries of others near one that have labels in common with it, nearest first; and whether there are more than are looked at.
    fn neighbours(&self, entry: &Contribution) -> Result<(Vec<Neighbour>, bool), FoldError> {
        let (mut neighbours, mut taken) = (Vec::new(), 0);
        for (other, distance) in self.past.near(&entry.signals, Corroboration::RADIUS_MAX)? {
            if other == entry.id {
                continue;
            }
            let (near, state) = self.entry(other)?;
            if self.is_over(&state) {
                continue;
            }
            if taken == NEIGHBOURS_MAX {
                return Ok((neighbours, true));
            }
            taken += 1;
            let labels: Vec<Code> = entry.labels.iter().filter(|label| near.labels.contains(label)).cloned().collect();
            if near.contributor != entry.contributor && !labels.is_empty() {
                neighbours.push(Neighbour { entry: near, state, distance, labels });
            }
        }
        Ok((neighbours, false))
    }

    /// Lets `entry` be found, and know of the entries near it as they of it.
    fn put_in(&mut self, entry: &Contribution, state: &mut EntryState) -> Result<(), FoldError> {
        let (neighbours, is_cut) = self.neighbours(entry)?;
        state.is_cut = is_cut;
        for mut near in neighbours {
            add(state, near.link(&near.entry));
            let link = near.link(entry);
            if add(&mut near.state, link) {
                self.put_quietly(near.entry.id, near.state)?;
            }
        }
        for signal in &entry.signals {
            let row = SignalRow { signal: signal.unrated(), entry: entry.id, valid_until: entry.expires };
            self.changes.push(Change::SignalAdded(row));
        }
        Ok(())
    }

    /// Lets `entry` be found no more, nor speak for others, nor others for it.
    fn take_out(&mut self, entry: &Contribution, state: &mut EntryState) -> Result<(), FoldError> {
        for (other, _) in self.past.near(&entry.signals, Corroboration::RADIUS_MAX)? {
            let near = self.state(other)?.filter(|near| other != entry.id && !self.is_over(near));
            let Some(mut near) = near else { continue };
            let before = near.corroboration.len();
            near.corroboration.retain(|one| one.entry != entry.id);
            if near.corroboration.len() != before {
                self.put_quietly(other, near)?;
            }
        }
        (state.corroboration, state.is_crowded, state.is_cut) = (Vec::new(), false, false);
        self.changes.extend(entry.signals.iter().map(|one| Change::SignalRemoved(one.unrated(), entry.id)));
        Ok(())
    }

    /// Leaves of an entry what can be told without its hashes and its provenance, so that whoever folds the ledger without them has the
    /// same row.
    fn erased(&mut self, id: EntryId) -> Result<(), FoldError> {
        let (found, state) = self.entry(id)?;
        self.changes.extend(found.entity.map(|entity| Change::Unlisted(entity, id)));
        self.changes.push(Change::HistoryForgotten(id));
        let EntryState { expires, is_excess, came_near_benign, withdrawn, decided, .. } = state;
        let erased = Some(self.index);
        let left =
            EntryState { expires, is_excess, came_near_benign, withdrawn, decided, erased, ..EntryState::default() };
        self.put(id, left)
    }

    /// Finds out again who agrees with an entry, as if what was erased had never been there.
    fn recount(&mut self, id: EntryId) -> Result<(), FoldError> {
        let (entry, mut state) = self.entry(id)?;
        let (neighbours, is_cut) = self.neighbours(&entry)?;
        (state.corroboration, state.is_crowded, state.is_cut) = (Vec::new(), false, is_cut);
        for near in neighbours {
            add(&mut state, near.link(&near.entry));
        }
        self.put_quietly(id, state)
    }

    fn reported(&mut self, report: &Report) -> Result<(), FoldError> {
        let Actor::Member { member, .. } = self.event.by else { return Ok(()) };
        let (found, mut state) = self.entry(report.entry)?;
        let roster = self.past.roster();
        let is_first = !state.opinions.iter().any(|earlier| earlier.member == member);
        if is_first && !roster.speak_as_one(member, found.contributor) && !self.is_of_drill(&found) {
            let by = roster.member(member).map_or(crate::domain::Status::Applicant, |member| member.status);
            self.sign(found.contributor, Sign::Outcome { outcome: report.outcome, by });
        }
        // Of each member the newest about each label.
        let labels = if report.labels.is_empty() { found.labels } else { report.labels.clone() };
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
        let (roster, at) = (self.past.roster(), self.event.at);
        if !is_enough {
            // Who proposes something else of the same kind has changed their mind.
            let is_same = |earlier: &Decided| {
                earlier.decision.ruling == decision.ruling && roster.root(earlier.key) == roster.root(key)
            };
            state.proposed.retain(|earlier| !is_same(earlier));
            state.proposed.push(decided);
            return self.put(id, state);
        }
        let seconds = |earlier: &Decided| earlier.decision.proposes(decision) && proposal_stands(earlier, roster, at);
        let seconded = state.proposed.drain(..).filter(seconds);
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
        state.confirmed = match decision.ruling {
            Ruling::Confirm => {
                let Decided { event, at, ref by, .. } = decided;
                Some(Confirmed { event, at, by: by.clone() })
            }
            Ruling::Uphold => state.confirmed,
            Ruling::Lower | Ruling::Relabel | Ruling::Revoke | Ruling::Reinstate => None,
        };
        state.decided = Some(decided);
        let is_out = state.is_revoked();
        if is_out && !was_out {
            self.take_out(&found, &mut state)?;
        }
        if was_out && !is_out && state.withdrawn.is_none() && !self.is_over(&state) && !self.is_of_drill(&found) {
            // While it could not be found, what came and went near it passed it by.
            state.benign = self.near_benign(id, &found.signals, None)?;
            self.put_in(&found, &mut state)?;
        }
        if !self.is_of_drill(&found) {
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
            let Some(mut state) = self.state(id)?.filter(|state| !self.is_over(state)) else { continue };
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
                state.benign = self.near_benign(entry, &found.signals, Some(id))?;
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

/// An entry near another.
struct Neighbour {
    entry: Contribution,
    state: EntryState,
    distance: Distance,
    /// That both have.
    labels: Vec<Code>,
}

impl Neighbour {
    /// That `of`, one of the two, speaks for the other.
    fn link(&self, of: &Contribution) -> Corroboration {
        Corroboration {
            entry: of.id,
            member: of.contributor,
            key: of.key,
            contributed: of.contributed,
            expires: of.expires,
            distance: self.distance,
            labels: self.labels.clone(),
        }
    }
}

/// Adds what speaks for an entry, or notes that there was no room; whether that changes anything.
fn add(state: &mut EntryState, new: Corroboration) -> bool {
    let all = &mut state.corroboration;
    let members: BTreeSet<MemberId> = all.iter().map(|near| near.member).collect();
    let of_member = all.iter().filter(|near| near.member == new.member).count();
    if all.iter().any(|near| near.entry == new.entry) {
        return false;
    }
    let has_room =
        of_member < Corroboration::PER_MEMBER_MAX && (of_member > 0 || members.len() < Corroboration::MEMBERS_MAX);
    if has_room {
        all.push(new);
        return true;
    }
    !std::mem::replace(&mut state.is_crowded, true)
}
