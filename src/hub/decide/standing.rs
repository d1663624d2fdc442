//! What becomes of an intent about what entries count for.

use std::sync::Arc;
use std::time::Duration;

use super::{Intent, Pending, Refusal};
use crate::domain::{
    Actor, AppealGround, Benign, Code, Decision, EntryId, Event, EventKind, Fact, FieldError, HoldScope, HoldTerms,
    IncidentChange, MemberId, Note, Reference, Report, Sample, SampleVerdict, Taxonomy,
};
use crate::hub::fold::Past;
use crate::hub::read;
use crate::policy::retention::{check_hold, check_lift};
use crate::policy::{Authority, Rules, change_incident, is_matchable, rule};
use crate::store::Store;

/// Of so many outcomes about an entry a member may speak: enough for each label, and to change its mind.
const REPORTS_MAX: usize = 16;

/// What somebody wants to happen to what entries count for.
#[derive(Clone, Debug)]
pub enum StandingIntent {
    /// To say what was found about an entry.
    Report(Report),
    /// To decide about an entry; relabelling is under this taxonomy.
    Decide { entry: EntryId, decision: Decision, taxonomy: Arc<Taxonomy> },
    /// To appeal against an entry.
    Appeal { entry: EntryId, ground: AppealGround, note: Option<Note> },
    /// To hold an item to be benign.
    AddBenign(Benign),
    /// To do so no longer.
    RemoveBenign(u64),
    /// To set the rules: the policy file's text, in place of what leaf `replaces` set.
    SetPolicy { text: String, replaces: Option<u64> },
    /// To say that an entity was taken off its list.
    Delist(Reference),
    /// To keep something from being erased.
    PlaceHold(HoldTerms),
    /// To end a hold before its time.
    LiftHold(u64),
    /// To open, extend or close an incident.
    ChangeIncident { incident: Code, change: IncidentChange },
    /// To record a random sample, as it was drawn.
    DrawSample(Sample),
    /// To judge an entry of a sample.
    JudgeSample { sample: u64, entry: EntryId, verdict: SampleVerdict },
}

impl From<StandingIntent> for Intent {
    fn from(intent: StandingIntent) -> Self {
        Self::Standing(Box::new(intent))
    }
}

impl StandingIntent {
    /// The administrative event that it would be.
    pub const fn administers(&self) -> Option<EventKind> {
        match self {
            Self::SetPolicy { .. } => Some(EventKind::PolicySet),
            Self::Delist(_) => Some(EventKind::EntityDelisted),
            Self::PlaceHold(_) => Some(EventKind::HoldPlaced),
            Self::LiftHold(_) => Some(EventKind::HoldLifted),
            Self::ChangeIncident { .. } => Some(EventKind::IncidentChanged),
            Self::Report(_)
            | Self::Decide { .. }
            | Self::Appeal { .. }
            | Self::AddBenign(_)
            | Self::RemoveBenign(_)
            | Self::DrawSample(_)
            | Self::JudgeSample { .. } => None,
        }
    }
}

impl Pending<'_> {
    /// The appeal of `member` that is open already, if `intent` is to open one.
    pub(super) fn open_appeal(
        &self,
        member: MemberId,
        intent: &StandingIntent,
    ) -> Result<Option<super::Decision>, Refusal> {
        let StandingIntent::Appeal { entry, .. } = intent else { return Ok(None) };
        let Some(state) = self.ahead.state(*entry)? else { return Ok(None) };
        let Some(open) = state.appeals.iter().find(|open| open.by == member) else { return Ok(None) };
        let appeal = self.ahead.appeal(open.id)?;
        Ok(appeal.map(|appeal| super::Decision::Already { index: appeal.id, at: appeal.opened }))
    }

    /// How many outcomes about an entry a member has reported, this batch included.
    fn reported(&self, store: &Store, entry: EntryId, member: MemberId) -> Result<usize, Refusal> {
        let is_one = |event: &Event| {
            let is_by = matches!(event.by, Actor::Member { member: by, .. } if by == member);
            is_by && matches!(&event.fact, Fact::OutcomeReported(report) if report.entry == entry)
        };
        let mut count = self.events.iter().filter(|event| is_one(event)).count();
        for index in store.history(entry, usize::MAX)? {
            if count >= REPORTS_MAX {
                break;
            }
            count += usize::from(read::event(store, index)?.as_ref().is_some_and(is_one));
        }
        Ok(count)
    }

    /// The fact that `intent` becomes.
    pub(super) fn decide_standing(
        &self,
        store: &Store,
        authority: &Authority,
        intent: StandingIntent,
    ) -> Result<Fact, Refusal> {
        let principal = &authority.principal;
        match intent {
            StandingIntent::Report(report) => {
                let (entry, state) = self.entry(report.entry)?.ok_or(Refusal::NoSuchEntry(report.entry))?;
                if entry.contributor == principal.member {
                    return Err(FieldError::new("entry_id", "is an entry of yours: withdraw it instead").into());
                }
                if self.reported(store, report.entry, principal.member)? >= REPORTS_MAX {
                    return Err(Refusal::ReportedEnough(report.entry));
                }
                let given = state.decided.map(|decided| decided.decision.labels).unwrap_or_default();
                for (at, label) in report.labels.iter().enumerate() {
                    if !entry.draft.labels().contains(label) && !given.contains(label) {
                        let problem = format_args!("the entry does not have the label `{label}`");
                        return Err(FieldError::new(format!("labels[{at}]"), problem).into());
                    }
                }
                Ok(Fact::OutcomeReported(report))
            }
            StandingIntent::Decide { entry, decision, taxonomy } => {
                let (found, state) = self.entry(entry)?.ok_or(Refusal::NoSuchEntry(entry))?;
                let by = (principal.member, principal.key, self.at);
                let is_enough = rule(self.roster(), (&found, &state), &taxonomy, &decision, by)?;
                Ok(Fact::Decided { entry, decision, is_enough })
            }
            StandingIntent::Appeal { entry, ground, note } => {
                let (found, state) = self.entry(entry)?.ok_or(Refusal::NoSuchEntry(entry))?;
                if found.contributor == principal.member {
                    return Err(FieldError::new("receipt", "is of an entry of yours: withdraw it instead").into());
                }
                if !is_matchable(&state, self.at) {
                    return Err(Refusal::NoLongerMatches(entry));
                }
                let days = self.ahead.register().rules().appeals.decide_within_days;
                let deadline = self.at.plus(Duration::from_hours(24 * u64::from(days)));
                Ok(Fact::AppealOpened { entry, ground, note, deadline })
            }
            StandingIntent::AddBenign(benign) => Ok(Fact::BenignAdded(benign)),
            StandingIntent::RemoveBenign(benign) => {
                let found = self.ahead.benign(benign)?.ok_or(Refusal::NoSuchBenign(benign))?;
                // Removed already: its signals no longer stand for it.
                let near = self.ahead.near_benign(found.signals(), crate::domain::Distance::new(0))?;
                if !near.iter().any(|(id, _)| *id == benign) {
                    return Err(Refusal::NoSuchBenign(benign));
                }
                Ok(Fact::BenignRemoved { benign })
            }
            StandingIntent::SetPolicy { text, replaces } => {
                if self.ahead.register().rules_event() != replaces {
                    return Err(Refusal::OtherRules);
                }
                Rules::from_toml(&text)?;
                Ok(Fact::PolicySet { text })
            }
            StandingIntent::Delist(entity) => Ok(Fact::EntityDelisted { entity }),
            StandingIntent::DrawSample(sample) => Ok(Fact::SampleDrawn(sample)),
            StandingIntent::JudgeSample { sample, entry, verdict } => {
                // It was drawn before this batch: nobody knows its id earlier.
                let Some(Fact::SampleDrawn(drawn)) = read::event(store, sample)?.map(|event| event.fact) else {
                    return Err(Refusal::NoSuchSample(sample));
                };
                if !drawn.entries.contains(&entry) {
                    return Err(FieldError::new("entry_id", format_args!("is not of sample {sample}")).into());
                }
                Ok(Fact::SampleJudged { sample, entry, verdict })
            }
            StandingIntent::PlaceHold(terms) => {
                check_hold(&terms, self.roster(), self.ahead.register(), self.now)?;
                if let HoldScope::Entries(entries) = &terms.scope {
                    for entry in entries {
                        let state = self.ahead.state(*entry)?.ok_or(Refusal::NoSuchEntry(*entry))?;
                        if let Some(event) = state.erased {
                            return Err(Refusal::Erased { entry: *entry, event });
                        }
                    }
                }
                Ok(Fact::HoldPlaced(terms))
            }
            StandingIntent::LiftHold(hold) => {
                check_lift(self.ahead.register(), self.roster(), hold, principal.key, self.now)?;
                Ok(Fact::HoldLifted { hold })
            }
            StandingIntent::ChangeIncident { incident, change } => {
                let by = (principal.key, self.at);
                let is_enough = change_incident(self.roster(), self.ahead.register(), &incident, &change, by)?;
                Ok(Fact::IncidentChanged { incident, change, is_enough })
            }
        }
    }
}
