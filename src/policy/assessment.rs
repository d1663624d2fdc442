//! What an entry counts for now, and the strongest action the evidence supports, with every rule named.
//!
//! A fold of the entry, its events, the members, the rules in force and the time: whoever has the ledger computes the same. The
//! rules as one table: `docs/standing.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Register, Roster, trust};
use crate::domain::{
    Action, Assessment, Basis, Code, Corroboration, Distance, Entry, EntryState, Jurisdiction, Member, MemberId,
    Opinion, Origin, Outcome, Producer, Reason, Reviewers, Ruling, SignalKind, Standing, Status, Taxonomies, Taxonomy,
    Timestamp, Unit,
};

/// Below this a contributor's own doubt keeps people in the loop.
const SURE_MIN_PERCENT: u8 = 50;

/// What an assessment rests on beside the entry.
#[derive(Clone, Copy, Debug)]
pub struct Grounds<'a> {
    pub taxonomies: &'a Taxonomies,
    pub roster: &'a Roster,
    pub register: &'a Register,
}

/// Whether an entry's time has passed at `now`.
pub fn expiry_passed(valid_until: Option<Timestamp>, now: Timestamp) -> bool {
    valid_until.is_some_and(|valid_until| valid_until <= now)
}

/// What an entry in this state stands as at `now`, if it no longer matches.
pub fn gone(state: &EntryState, now: Timestamp) -> Option<Standing> {
    match () {
        () if state.withdrawn.is_some() => Some(Standing::Withdrawn),
        () if state.is_revoked() => Some(Standing::Revoked),
        () if expiry_passed(state.expires, now) => Some(Standing::Expired),
        () => None,
    }
}

/// Whether an entry in this state may appear as a match at `now`.
pub fn is_matchable(state: &EntryState, now: Timestamp) -> bool {
    gone(state, now).is_none()
}

/// Judges `entry` at `now`.
pub fn assess(entry: &Entry, state: &EntryState, grounds: &Grounds<'_>, now: Timestamp) -> Assessment {
    let mut judge = Judge { entry, state, grounds, now, reasons: Vec::new() };
    let labels = judge.labels();
    let standing = judge.standing(&labels);
    judge.provenance();
    let action = judge.reasons.iter().filter_map(|reason| reason.ceiling).min().unwrap_or(Action::LogOnly);
    Assessment { standing, action, labels, reasons: judge.reasons }
}

/// Whether enough independent organisations agree about one of its labels at `now`, whatever else is said of it.
pub fn is_corroborated(entry: &Entry, state: &EntryState, grounds: &Grounds<'_>, now: Timestamp) -> bool {
    let mut judge = Judge { entry, state, grounds, now, reasons: Vec::new() };
    let labels = judge.labels();
    judge.agreement(&labels)
}

/// The assessment of a match that rests on signals of these kinds, near a benign item or not: of an entry, lowered where the
/// evidence is weak.
pub fn weigh(
    mut assessment: Assessment,
    evidence: impl IntoIterator<Item = SignalKind>,
    near_benign: Option<u64>,
) -> Assessment {
    let mut rule = |rule, words: &str, events| {
        assessment.reasons.push(Reason { rule, words: words.to_owned(), ceiling: Some(Action::Review), events });
        assessment.action = assessment.action.min(Action::Review);
    };
    if !evidence.into_iter().any(SignalKind::is_strong_evidence) {
        rule("weak-evidence", "only a 64-bit hash is near, which happens by accident; a person must look", vec![]);
    }
    if let Some(benign) = near_benign {
        rule("near-benign", "what you checked is also near a picture that is known to be benign", vec![benign]);
    }
    assessment
}

/// An organisation that agrees that an entry belongs on the list.
struct Agreeing {
    jurisdiction: Jurisdiction,
    /// The leaf that says so; of the contributor the entry's own.
    event: u64,
}

/// What is agreed on one of an entry's labels.
struct Agreement {
    label: Code,
    agreeing: BTreeMap<Unit, Agreeing>,
    /// Whether these are enough.
    is_enough: bool,
    /// What the label allows; `None` if organisations contest that it is this one.
    allows: Option<Action>,
}

impl Agreement {
    /// How strong it is, for telling which label speaks for an entry.
    fn strength(&self) -> (Action, bool) {
        let of_agreement = if self.is_enough { Action::Block } else { Action::BlockPendingReview };
        (self.allows.unwrap_or(Action::Review).min(of_agreement), self.is_enough)
    }
}

struct Judge<'a> {
    entry: &'a Entry,
    state: &'a EntryState,
    grounds: &'a Grounds<'a>,
    now: Timestamp,
    reasons: Vec<Reason>,
}

impl<'a> Judge<'a> {
    fn rule(&mut self, rule: &'static str, words: impl Into<String>, ceiling: Option<Action>, events: Vec<u64>) {
        self.reasons.push(Reason { rule, words: words.into(), ceiling, events });
    }

    fn taxonomy(&self) -> Option<&'a Taxonomy> {
        self.grounds.taxonomies.version(self.entry.taxonomy)
    }

    fn member(&self, id: MemberId) -> Option<&'a Member> {
        self.grounds.roster.member(id)
    }

    /// The labels that it has now.
    fn labels(&self) -> Vec<Code> {
        let ruled = self.state.decided.as_ref().filter(|decided| !decided.decision.labels.is_empty());
        ruled.map_or_else(|| self.entry.draft.labels().to_vec(), |decided| decided.decision.labels.clone())
    }

    /// What it counts for, and the rules that say so.
    fn standing(&mut self, labels: &[Code]) -> Standing {
        if let Some(gone) = self.gone() {
            return gone;
        }
        let held = self.held();
        let protected = self.benign() | held;
        let agreement = self.agreement(labels);
        let incident_held = self.incident(agreement);
        let disputed = self.disputed(labels);
        self.contributor(agreement);
        match () {
            () if protected || incident_held => Standing::Quarantined,
            () if disputed => Standing::Disputed,
            () if agreement => Standing::Active,
            () => Standing::Provisional,
        }
    }

    /// Whether it no longer matches.
    fn gone(&mut self) -> Option<Standing> {
        if let Some(withdrawal) = self.state.withdrawn {
            let words = format!("its contributor withdrew it on {}", withdrawal.at);
            self.rule("withdrawn", words, Some(Action::LogOnly), vec![withdrawal.event]);
            return Some(Standing::Withdrawn);
        }
        if let Some(decided) = self.state.decided.as_ref().filter(|decided| decided.decision.ruling == Ruling::Revoke) {
            let words = format!("reviewers revoked it on {}: {}", decided.at, decided.decision.reason);
            self.rule("revoked", words, Some(Action::LogOnly), vec![decided.event]);
            return Some(Standing::Revoked);
        }
        if let Some(until) = self.state.expires.filter(|until| *until <= self.now) {
            self.rule("expired", format!("it was valid until {until}"), Some(Action::LogOnly), vec![]);
            return Some(Standing::Expired);
        }
        None
    }

    /// Whether it is held back for what its contributor or its key did, until reviewers have looked at it.
    fn held(&mut self) -> bool {
        if self.state.is_settled(self.entry.id.0) {
            return false;
        }
        let mut held = false;
        if let Some(since) = self.compromised_since(self.entry.key, self.entry.contributed) {
            let words =
                format!("it came with a key that was in other hands since {since}; no reviewer has looked at it");
            self.rule("key-compromised", words, Some(Action::LogOnly), vec![]);
            held = true;
        }
        if self.state.is_excess && !self.is_of_open_incident() {
            let words = "its contributor put more on the list that day than is taken for granted";
            self.rule("excess", words, Some(Action::LogOnly), vec![]);
            held = true;
        }
        held
    }

    /// Since when the key was in other hands with which something was contributed at `at`.
    fn compromised_since(&self, key: crate::domain::KeyId, at: Timestamp) -> Option<Timestamp> {
        self.grounds.roster.key(key)?.compromised_since.filter(|since| *since <= at)
    }

    /// Whether it is near a benign item and no reviewer has looked at it since.
    fn benign(&mut self) -> bool {
        let radius = Distance::new(self.grounds.register.rules().benign.radius_bits);
        let Some(near) = self.state.benign.filter(|near| near.distance <= radius) else { return false };
        let events = vec![near.benign];
        if self.state.is_settled(near.event) {
            let words = "it is near a picture that is known to be benign; reviewers let it stand all the same";
            self.rule("benign", words, Some(Action::Review), events);
            return false;
        }
        let words = "it is near a picture that is known to be benign, and is held back until a reviewer has looked";
        self.rule("benign", words, Some(Action::LogOnly), events);
        true
    }

    /// Whether enough independent organisations agree about one of its labels. The label with the highest ceiling speaks for it.
    fn agreement(&mut self, labels: &[Code]) -> bool {
        let mut best: Option<Agreement> = None;
        for label in labels {
            let agreeing = self.agreeing(label);
            let (members, jurisdictions) = self.grounds.register.rules().needed(label);
            let is_enough = agreeing.len() >= members && count_jurisdictions(&agreeing) >= jurisdictions;
            let allows = (!self.is_contested(label)).then(|| self.label_ceiling(label));
            let agreement = Agreement { label: label.clone(), agreeing, is_enough, allows };
            // Of equals the first.
            if best.as_ref().is_none_or(|other| other.strength() < agreement.strength()) {
                best = Some(agreement);
            }
        }
        let Some(Agreement { label, agreeing, is_enough, allows }) = best else {
            self.rule("label", "it has no label that is known here", Some(Action::Review), vec![]);
            return false;
        };
        let own = self.entry.id.0;
        let events: BTreeSet<u64> = agreeing.values().map(|one| one.event).filter(|event| *event != own).collect();
        let (count, jurisdictions) = (agreeing.len(), count_jurisdictions(&agreeing));
        let (needed, needed_jurisdictions) = self.grounds.register.rules().needed(&label);
        let agree = format!(
            "{} in {} {} on {label}",
            counted(count, "organisation", "organisations"),
            counted(jurisdictions, "jurisdiction", "jurisdictions"),
            if count == 1 { "stands for it" } else { "agree" },
        );
        if is_enough {
            self.rule("corroborated", agree, None, events.into_iter().collect());
        } else {
            let needs = format!(
                "{agree}; more than block-pending-review takes {} in {}",
                counted(needed, "organisation", "organisations"),
                counted(needed_jurisdictions, "jurisdiction", "jurisdictions")
            );
            self.rule("uncorroborated", needs, Some(Action::BlockPendingReview), events.into_iter().collect());
        }
        match allows {
            Some(ceiling) => self.rule("label", format!("label {label} allows {ceiling}"), Some(ceiling), vec![]),
            None => {
                let words = format!("organisations disagree that its label is {label}");
                self.rule("label", words, Some(Action::Review), vec![]);
            }
        }
        is_enough
    }

    /// Who agrees that it belongs on the list under `label`, by who speaks with one voice.
    fn agreeing(&self, label: &Code) -> BTreeMap<Unit, Agreeing> {
        let mut agreeing = BTreeMap::new();
        let mut add = |member: &Member, event: u64| {
            agreeing.entry(member.unit()).or_insert(Agreeing { jurisdiction: member.jurisdiction, event });
        };
        // Its contributor stands for it, whoever that is; what that is worth alone is another rule.
        if let Some(contributor) = self.member(self.entry.contributor) {
            add(contributor, self.entry.id.0);
        }
        for near in self.state.corroboration.iter().filter(|near| self.is_near(near, label)) {
            if let Some(member) = self.believed(near.member, near.contributed) {
                add(member, near.entry.0);
            }
        }
        for opinion in self.about(label).filter(|opinion| opinion.outcome == Outcome::Confirmed) {
            let contributes = |member: &&Member| matches!(member.status, Status::Contributor | Status::Trusted);
            if let Some(member) = self.believed(opinion.member, opinion.at).filter(contributes) {
                add(member, opinion.event);
            }
        }
        if let Some(confirmed) = &self.state.confirmed {
            for member in confirmed.by.iter().filter_map(|by| self.member(*by)) {
                add(member, confirmed.event);
            }
        }
        agreeing
    }

    /// Whether an entry of another member speaks for this one under `label` now.
    fn is_near(&self, near: &Corroboration, label: &Code) -> bool {
        near.labels.contains(label)
            && self.grounds.register.rules().corroborates(near)
            && !expiry_passed(near.expires, self.now)
            && self.compromised_since(near.key, near.contributed).is_none()
    }

    /// A member whose word of `at` counts beside others': known for some time, and believed.
    fn believed(&self, id: MemberId, at: Timestamp) -> Option<&'a Member> {
        self.member(id).filter(|member| {
            member.status != Status::Suspended && !self.is_newcomer(member, at) && !self.is_doubted(member.id)
        })
    }

    fn is_newcomer(&self, member: &Member, at: Timestamp) -> bool {
        let days = u64::from(self.grounds.register.rules().newcomers.days);
        let since = member.contributes_since.unwrap_or(member.enrolled);
        at < since.plus(Duration::from_hours(24 * days))
    }

    fn is_doubted(&self, member: MemberId) -> bool {
        let register = self.grounds.register;
        trust::percent(&register.trust(member), self.now) < register.rules().trust.review_below_percent
    }

    /// What others said about `label`, and is not settled. What its contributor's own say about it is not heard.
    fn about(&self, label: &Code) -> impl Iterator<Item = &'a Opinion> {
        let own = self.member(self.entry.contributor).map(Member::unit);
        let roster = self.grounds.roster;
        self.state.opinions.iter().filter(move |opinion| {
            let member = roster.member(opinion.member).filter(|member| member.status.is_in_good_standing());
            (opinion.labels.is_empty() || opinion.labels.contains(label))
                && member.is_some_and(|member| Some(member.unit()) != own)
        })
    }

    /// Whether enough organisations say that `label` is the wrong one.
    fn is_contested(&self, label: &Code) -> bool {
        self.is_enough(self.about(label).filter(|opinion| opinion.outcome == Outcome::WrongLabel)).0
    }

    /// Whether these are objections enough, and the leaves that hold them.
    fn is_enough(&self, objections: impl Iterator<Item = &'a Opinion>) -> (bool, Vec<u64>) {
        let rules = self.grounds.register.rules().objections;
        let (mut units, mut trusted, mut events) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for opinion in objections.filter(|opinion| !self.state.is_settled(opinion.event)) {
            let Some(member) = self.member(opinion.member) else { continue };
            units.insert(member.unit());
            if member.status == Status::Trusted {
                trusted.insert(member.unit());
            }
            events.push(opinion.event);
        }
        (units.len() >= rules.members_min || trusted.len() >= rules.trusted_members_min, events)
    }

    /// Whether somebody's objection keeps people in the loop.
    fn disputed(&mut self, labels: &[Code]) -> bool {
        let mut disputed = false;
        let objects = |opinion: &&Opinion| opinion.outcome.objects() && opinion.outcome != Outcome::WrongLabel;
        let mut objections: Vec<&Opinion> = labels.iter().flat_map(|label| self.about(label)).filter(objects).collect();
        objections.sort_by_key(|opinion| opinion.event);
        objections.dedup_by_key(|opinion| opinion.event);
        let (is_enough, events) = self.is_enough(objections.into_iter());
        match (is_enough, events.len()) {
            (true, count) => {
                let words =
                    format!("{} against it; no reviewer has settled that", counted(count, "objection", "objections"));
                self.rule("disputed", words, Some(Action::Review), events);
                disputed = true;
            }
            (false, 0) => self.rule("unopposed", "no objections", None, vec![]),
            (false, count) => {
                let words = format!("{}, too few to dispute it", counted(count, "objection", "objections"));
                self.rule("unopposed", words, None, events);
            }
        }
        if labels.iter().all(|label| self.is_contested(label)) {
            disputed = true;
        }
        if let Some(flood) = self.state.flood.filter(|flood| !self.state.is_settled(flood.event)) {
            let words =
                format!("it matched {} times where {} are usual; no reviewer has looked", flood.matches, flood.usual);
            self.rule("flood", words, Some(Action::Review), vec![flood.event]);
            disputed = true;
        }
        if let Basis::UnConsolidatedList { entity, .. } = &self.entry.draft.provenance().basis
            && let Some(delisted) = self.grounds.register.delisted(entity)
            && delisted.event > self.entry.id.0
            && !self.state.is_settled(delisted.event)
        {
            let words = format!("{entity} was taken off the list on {}; no reviewer has looked", delisted.at);
            self.rule("delisted", words, Some(Action::Review), vec![delisted.event]);
            disputed = true;
        }
        if let Some(decided) = self.state.decided.as_ref() {
            let (ruling, reason) = (decided.decision.ruling, decided.decision.reason);
            let ceiling = (ruling == Ruling::Lower).then_some(Action::Review);
            self.rule(
                "ruling",
                format!("reviewers decided on {}: {ruling} ({reason})", decided.at),
                ceiling,
                vec![decided.event],
            );
        }
        if !self.state.appeals.is_empty() {
            let events: Vec<_> = self.state.appeals.iter().map(|appeal| appeal.id).collect();
            let words = format!("{} against it", counted(events.len(), "open appeal", "open appeals"));
            self.rule("appeal", words, Some(Action::BlockPendingReview), events);
        }
        disputed
    }

    fn is_of_open_incident(&self) -> bool {
        let incident = self.grounds.register.incident_of(&self.entry.draft);
        incident.is_some_and(|incident| !incident.is_drill && incident.is_open(self.entry.contributed))
    }

    /// What its incident says of it; whether that holds it back.
    fn incident(&mut self, corroborated: bool) -> bool {
        let Some(incident) = self.grounds.register.incident_of(&self.entry.draft) else { return false };
        let code = &incident.code;
        let events = vec![incident.event];
        if incident.is_drill {
            self.rule("drill", format!("{code} is an exercise"), Some(Action::LogOnly), events);
            return true;
        }
        let hours = self.grounds.register.rules().incidents.corroborate_within_hours;
        let due = self.entry.contributed.plus(Duration::from_hours(u64::from(hours)));
        let (words, ceiling) = if corroborated || self.state.is_settled(self.entry.id.0) {
            (format!("it belongs to the incident {code}"), Action::BlockPendingReview)
        } else if self.now < due {
            (
                format!("it belongs to the incident {code}, and is to be corroborated by {due}"),
                Action::BlockPendingReview,
            )
        } else {
            (format!("it belongs to the incident {code}, and nobody corroborated it by {due}"), Action::Review)
        };
        self.rule("incident", words, Some(ceiling), events);
        false
    }

    /// What its contributor's own record says of it.
    fn contributor(&mut self, corroborated: bool) {
        let Some(member) = self.member(self.entry.contributor) else { return };
        if member.status == Status::Suspended {
            self.rule("suspended", "its contributor is suspended", Some(Action::Review), vec![]);
        }
        let is_vouched = corroborated || self.state.is_settled(self.entry.id.0);
        if !is_vouched && !self.is_of_open_incident() && self.is_newcomer(member, self.entry.contributed) {
            self.rule("newcomer", "its contributor was new when it came", Some(Action::Review), vec![]);
        }
        if !corroborated && self.is_doubted(member.id) {
            let percent = trust::percent(&self.grounds.register.trust(member.id), self.now);
            let words = format!("of its contributor's entries too many were wrong: trust {percent} %");
            self.rule("trust", words, Some(Action::Review), vec![]);
        }
    }

    /// What its provenance allows.
    fn provenance(&mut self) {
        let provenance = self.entry.draft.provenance();
        let (mine, tlp) = (provenance.action_max, provenance.tlp);
        self.rule("contributor", format!("its contributor stands for at most {mine}"), Some(mine), vec![]);
        let of_tlp = self.grounds.register.rules().tlp.action_max(tlp);
        if of_tlp < Action::Block {
            self.rule("tlp", format!("{tlp} allows at most {of_tlp}"), Some(of_tlp), vec![]);
        }
        if !provenance.contexts.is_empty() {
            let contexts: Vec<_> = provenance.contexts.iter().map(|context| context.code()).collect();
            let words = format!("it is known to appear lawfully: {}", contexts.join(", "));
            self.rule("context", words, Some(Action::Review), vec![]);
        }
        if matches!(provenance.producer, Producer::Bystander | Producer::Media) {
            let words = format!("it was made by {}, not by an attacker", provenance.producer);
            self.rule("producer", words, Some(Action::Review), vec![]);
        }
        if provenance.origin != Origin::Human && provenance.reviewers == Reviewers::None {
            self.rule("unseen", "no person is known to have looked at it", Some(Action::Review), vec![]);
        }
        let confidence = provenance.confidence.percent();
        if confidence < SURE_MIN_PERCENT {
            let words = format!("its contributor is only {confidence} % sure");
            self.rule("confidence", words, Some(Action::Review), vec![]);
        }
    }

    /// The strongest that a label allows, by the taxonomy that it belongs to and the rules.
    fn label_ceiling(&self, label: &Code) -> Action {
        let Some(taxonomy) = self.taxonomy() else { return Action::Review };
        let of_taxonomy = taxonomy.label(label).map_or(taxonomy.incident_labels.action_max, |label| label.action_max);
        self.grounds.register.rules().label(label).action_max.map_or(of_taxonomy, |own| own.min(of_taxonomy))
    }
}

fn count_jurisdictions(agreeing: &BTreeMap<Unit, Agreeing>) -> usize {
    agreeing.values().map(|one| one.jurisdiction).collect::<BTreeSet<_>>().len()
}

/// As in "two organisations".
fn counted(count: usize, one: &str, many: &str) -> String {
    const WORDS: [&str; 11] = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let number = WORDS.get(count).map_or_else(|| count.to_string(), |word| (*word).to_owned());
    format!("{number} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
