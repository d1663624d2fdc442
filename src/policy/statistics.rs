//! What a report counts, and which of its numbers are not shown.
//!
//! A fold of the ledger's events and of what its entries count for: whoever has the ledger computes the same. What each figure is:
//! `docs/statistics.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::shares::{basis_points, median, wilson};
use super::shelter::{Table, shelter};
use crate::domain::{
    Action, AppealState, Code, Date, EntryId, EntryState, Event, Fact, FieldError, IncidentChange, Remains, Ruling,
    SampleVerdict, Standing, Timestamp,
};

/// Whole days, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub first: Date,
    pub last: Date,
}

impl Period {
    /// From the first day to the last, both included.
    ///
    /// # Errors
    /// At `to`, if that is before the first day.
    pub fn new(first: Date, last: Date) -> Result<Self, FieldError> {
        if last < first {
            return Err(FieldError::new("to", format_args!("must not be before {first}, got {last}")));
        }
        Ok(Self { first, last })
    }

    fn contains(&self, at: Timestamp) -> bool {
        self.first.begins() <= at && at < self.last.ends()
    }
}

/// One number, and what it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    pub name: &'static str,
    /// What it is narrowed to: dimensions and codes. None: it is a total, or cannot be.
    pub by: Vec<(&'static str, String)>,
    pub value: Value,
}

/// What is shown of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    Count(u64),
    /// It is 1 to 4, and could single somebody out.
    Few,
    /// It is not 0, and another number could be computed from it.
    Hidden,
    /// Hundredths of a percent.
    BasisPoints(u32),
    Seconds(u64),
    /// There is nothing to compute it from.
    Nothing,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    pub period: Period,
    /// It is of the ledger's first leaves, so many.
    pub size: u64,
    /// What changes with time by itself is as of then.
    pub at: Timestamp,
    pub figures: Vec<Figure>,
}

/// What a table counts by: a name for its total, its dimensions.
type Counted = BTreeMap<Vec<String>, u64>;

/// Total and tables of something that is counted.
#[derive(Clone, Debug, Default)]
struct Tables {
    total: u64,
    /// By name and dimensions.
    tables: BTreeMap<&'static [&'static str], Counted>,
}

impl Tables {
    fn add(&mut self, dimensions: &'static [&'static str], codes: &[&dyn Display], count: u64) {
        let codes = codes.iter().map(|code| code.to_string()).collect();
        let cell = self.tables.entry(dimensions).or_default().entry(codes).or_default();
        *cell = cell.saturating_add(count);
    }
}

/// An appeal that nobody has decided on yet.
#[derive(Clone, Copy, Debug)]
struct Open {
    opened: Timestamp,
    deadline: Timestamp,
}

/// Takes in events, and then entries.
#[derive(Clone, Debug)]
pub struct Tallying {
    period: Period,
    /// Distinct lists of labels, and which of them each entry has: entries are many, lists few.
    lists: BTreeMap<Vec<Code>, u32>,
    entries: Vec<(EntryId, u32)>,
    /// Whether an incident is a drill, and its type.
    incidents: BTreeMap<Code, (bool, Code)>,
    of_drills: BTreeSet<EntryId>,
    appeals: BTreeMap<EntryId, Vec<Open>>,
    /// Seconds from an appeal to the decision on it.
    decision_seconds: Vec<u64>,
    samples: BTreeMap<u64, BTreeSet<EntryId>>,
    judged: BTreeMap<(u64, EntryId), (Timestamp, SampleVerdict)>,
    counts: BTreeMap<Subject, Tables>,
}

/// What is counted, in the order of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Contributed,
    ContributedToDrills,
    QuarantinedOnArrival,
    Withdrawn,
    Revoked,
    Expired,
    Erased,
    Entries,
    Matches,
    Outcomes,
    Rulings,
    AppealsOpened,
    AppealsDecided,
    AppealsOverdue,
    IncidentsOpened,
    IncidentsClosed,
    DrillsOpened,
    DrillsClosed,
    SamplesJudged,
}

impl Subject {
    const ALL: [Self; 19] = [
        Self::Contributed,
        Self::ContributedToDrills,
        Self::QuarantinedOnArrival,
        Self::Withdrawn,
        Self::Revoked,
        Self::Expired,
        Self::Erased,
        Self::Entries,
        Self::Matches,
        Self::Outcomes,
        Self::Rulings,
        Self::AppealsOpened,
        Self::AppealsDecided,
        Self::AppealsOverdue,
        Self::IncidentsOpened,
        Self::IncidentsClosed,
        Self::DrillsOpened,
        Self::DrillsClosed,
        Self::SamplesJudged,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Contributed => "entries-contributed",
            Self::ContributedToDrills => "entries-contributed-to-drills",
            Self::QuarantinedOnArrival => "entries-quarantined-on-arrival",
            Self::Withdrawn => "entries-withdrawn",
            Self::Revoked => "entries-revoked",
            Self::Expired => "entries-expired",
            Self::Erased => "entries-erased",
            Self::Entries => "entries",
            Self::Matches => "matches",
            Self::Outcomes => "outcomes",
            Self::Rulings => "rulings",
            Self::AppealsOpened => "appeals-opened",
            Self::AppealsDecided => "appeals-decided",
            Self::AppealsOverdue => "appeals-overdue",
            Self::IncidentsOpened => "incidents-opened",
            Self::IncidentsClosed => "incidents-closed",
            Self::DrillsOpened => "drills-opened",
            Self::DrillsClosed => "drills-closed",
            Self::SamplesJudged => "samples-judged",
        }
    }

    /// Whether it counts what members did, so that a small number could single one out. The rest is what the hub, its reviewers and
    /// auditors did.
    const fn is_of_members(self) -> bool {
        matches!(
            self,
            Self::Contributed
                | Self::ContributedToDrills
                | Self::QuarantinedOnArrival
                | Self::Withdrawn
                | Self::Entries
                | Self::Matches
                | Self::Outcomes
                | Self::AppealsOpened
                | Self::AppealsDecided
                | Self::AppealsOverdue
        )
    }
}

impl Tallying {
    /// Nothing yet.
    pub fn new(period: Period) -> Self {
        Self {
            period,
            lists: BTreeMap::new(),
            entries: Vec::new(),
            incidents: BTreeMap::new(),
            of_drills: BTreeSet::new(),
            appeals: BTreeMap::new(),
            decision_seconds: Vec::new(),
            samples: BTreeMap::new(),
            judged: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    fn of(&mut self, subject: Subject) -> &mut Tables {
        self.counts.entry(subject).or_default()
    }

    fn one(&mut self, subject: Subject, dimensions: &'static [&'static str], codes: &[&dyn Display]) {
        let tables = self.of(subject);
        tables.total += 1;
        if !dimensions.is_empty() {
            tables.add(dimensions, codes, 1);
        }
    }

    /// What leaf `index` says. All leaves, from the first, in their order.
    pub fn event(&mut self, index: u64, event: &Event) {
        let is_counted = self.period.contains(event.at);
        if let Some(remains) = event.fact.remains() {
            self.contributed(EntryId(index), &remains, is_counted);
            return;
        }
        match &event.fact {
            Fact::IncidentChanged { incident, change, is_enough: true } => match change {
                IncidentChange::Open { kind, is_drill, .. } => {
                    self.incidents.insert(incident.clone(), (*is_drill, kind.clone()));
                    if is_counted {
                        let subject = if *is_drill { Subject::DrillsOpened } else { Subject::IncidentsOpened };
                        self.one(subject, &["type"], &[kind]);
                    }
                }
                IncidentChange::Close if is_counted => self.closed(incident),
                IncidentChange::Close | IncidentChange::Extend { .. } => {}
            },
            Fact::IncidentEnded { incident } if is_counted => self.closed(incident),
            Fact::AppealOpened { entry, deadline, ground, .. } => {
                self.appeals.entry(*entry).or_default().push(Open { opened: event.at, deadline: *deadline });
                if is_counted {
                    self.one(Subject::AppealsOpened, &["ground"], &[ground]);
                }
            }
            Fact::Decided { entry, decision, is_enough: true } => {
                self.end_appeals(*entry, AppealState::after(decision.ruling), event.at);
                if is_counted && !self.of_drills.contains(entry) {
                    self.one(Subject::Rulings, &["ruling"], &[&decision.ruling]);
                    if decision.ruling == Ruling::Revoke {
                        self.one(Subject::Revoked, &["reason"], &[&decision.reason]);
                    }
                }
            }
            Fact::SampleDrawn(sample) => {
                self.samples.insert(index, sample.entries.iter().copied().collect());
            }
            Fact::SampleJudged { sample, entry, verdict }
                if self.samples.get(sample).is_some_and(|entries| entries.contains(entry)) =>
            {
                self.judged.insert((*sample, *entry), (event.at, *verdict));
            }
            // It is told when its hour has passed: of a period's last hour after the period.
            Fact::MatchesTallied(tally)
                if self.period.first.begins() <= tally.since && tally.until <= self.period.last.ends() =>
            {
                let tables = self.of(Subject::Matches);
                for cell in &tally.cells {
                    tables.total = tables.total.saturating_add(cell.matches);
                    tables.add(&["label", "kind", "action"], &[&cell.label, &cell.kind, &cell.action], cell.matches);
                }
            }
            Fact::Withdrawn { entry, reason, .. } => {
                // Who appealed has what it asked for.
                self.end_appeals(*entry, AppealState::Reversed, event.at);
                if is_counted && !self.of_drills.contains(entry) {
                    self.one(Subject::Withdrawn, &["reason"], &[reason]);
                }
            }
            // What follows is only counted.
            _ if !is_counted => {}
            Fact::Expired { entries } => {
                let count = entries.iter().filter(|entry| !self.of_drills.contains(entry)).count();
                self.of(Subject::Expired).total += count as u64;
            }
            Fact::Erased { erased, .. } => {
                let count = erased.iter().filter(|one| !self.of_drills.contains(&one.entry)).count();
                self.of(Subject::Erased).total += count as u64;
            }
            Fact::OutcomeReported(report) if !self.of_drills.contains(&report.entry) => {
                let labels =
                    if report.labels.is_empty() { self.labels_of(report.entry) } else { report.labels.clone() };
                let tables = self.of(Subject::Outcomes);
                tables.total += 1;
                for label in &labels {
                    tables.add(&["outcome", "label"], &[&report.outcome, label], 1);
                }
            }
            _ => {}
        }
    }

    /// A contribution, erased since or not: what counts remains of it.
    fn contributed(&mut self, id: EntryId, remains: &Remains, is_counted: bool) {
        let next = self.lists.len() as u32;
        let list = match self.lists.get(&remains.labels) {
            Some(list) => *list,
            None => *self.lists.entry(remains.labels.clone()).or_insert(next),
        };
        self.entries.push((id, list));
        let incident = remains.incident.as_ref().and_then(|code| self.incidents.get(code));
        if incident.is_some_and(|(is_drill, _)| *is_drill) {
            self.of_drills.insert(id);
            if is_counted {
                self.one(Subject::ContributedToDrills, &[], &[]);
            }
        } else if is_counted {
            let tables = self.of(Subject::Contributed);
            tables.total += 1;
            for label in &remains.labels {
                tables.add(&["label"], &[label], 1);
            }
            tables.add(&["basis"], &[&remains.basis], 1);
            for kind in &remains.kinds {
                tables.add(&["kind"], &[kind], 1);
            }
        }
    }

    fn end_appeals(&mut self, entry: EntryId, result: AppealState, at: Timestamp) {
        for appeal in self.appeals.remove(&entry).unwrap_or_default() {
            if self.period.contains(at) {
                self.one(Subject::AppealsDecided, &["result"], &[&result]);
                self.decision_seconds.push(at.millis().saturating_sub(appeal.opened.millis()) / 1_000);
            }
        }
    }

    fn closed(&mut self, incident: &Code) {
        if let Some((is_drill, kind)) = self.incidents.get(incident).cloned() {
            let subject = if is_drill { Subject::DrillsClosed } else { Subject::IncidentsClosed };
            self.one(subject, &["type"], &[&kind]);
        }
    }

    fn labels_of(&self, entry: EntryId) -> Vec<Code> {
        let at = self.entries.binary_search_by_key(&entry, |(id, _)| *id);
        let list = at.ok().map(|at| self.entries[at].1);
        self.lists.iter().find(|(_, id)| Some(**id) == list).map(|(labels, _)| labels.clone()).unwrap_or_default()
    }

    /// The report, of the first `size` leaves, once these and what was gathered of their entries at `at` are in.
    pub fn finish(mut self, gathered: Vec<Gathered>, size: u64, at: Timestamp) -> Statistics {
        for part in gathered {
            let tables = self.of(Subject::Entries);
            for ((standing, action), count) in part.entries {
                tables.total += count;
                tables.add(&["standing", "action"], &[&standing, &action], count);
            }
            let tables = self.of(Subject::QuarantinedOnArrival);
            tables.total += part.quarantined;
            for (cause, count) in part.causes {
                tables.add(&["cause"], &[&cause], count);
            }
        }
        let overdue = self.appeals.values().flatten().filter(|open| open.deadline <= at).count();
        self.of(Subject::AppealsOverdue).total = overdue as u64;
        let judged: Vec<_> = self.judged.values().filter(|(at, _)| self.period.contains(*at)).copied().collect();
        for (_, verdict) in &judged {
            self.one(Subject::SamplesJudged, &["verdict"], &[verdict]);
        }
        let figures = self.figures();
        Statistics { period: self.period, size, at, figures }
    }

    fn figures(&mut self) -> Vec<Figure> {
        let mut figures = Vec::new();
        for subject in Subject::ALL {
            let Tables { total, tables } = self.counts.remove(&subject).unwrap_or_default();
            let cells: Vec<Table> = tables.values().map(|cells| cells.values().copied().collect()).collect();
            let shown = if subject.is_of_members() { shelter(total, &cells) } else { open(total, &cells) };
            let name = subject.name();
            figures.push(Figure { name, by: Vec::new(), value: shown.0 });
            for ((dimensions, cells), values) in tables.iter().zip(&shown.1) {
                for (codes, value) in cells.keys().zip(values) {
                    let by = dimensions.iter().copied().zip(codes.iter().cloned()).collect();
                    figures.push(Figure { name, by, value: *value });
                }
            }
            match subject {
                Subject::AppealsDecided => figures.extend(self.of_appeals(&tables, &shown)),
                Subject::SamplesJudged => figures.extend(of_samples(&tables)),
                _ => {}
            }
        }
        figures
    }

    /// What would tell a number of decisions that is not shown is not shown either.
    fn of_appeals(
        &mut self,
        tables: &BTreeMap<&'static [&'static str], Counted>,
        shown: &(Value, Vec<Vec<Value>>),
    ) -> [Figure; 2] {
        let cells: Vec<_> = tables.values().flatten().collect();
        let total: u64 = cells.iter().map(|(_, count)| **count).sum();
        let upheld = AppealState::Upheld.to_string();
        let stood: u64 = cells.iter().filter(|(codes, _)| codes.contains(&upheld)).map(|(_, count)| **count).sum();
        let is_shown = shown.1.iter().flatten().chain([&shown.0]).all(|value| matches!(value, Value::Count(_)));
        let seconds = &mut self.decision_seconds;
        seconds.sort_unstable();
        let [rate, median] = match () {
            () if total == 0 => [Value::Nothing; 2],
            () if !is_shown => [Value::Hidden; 2],
            () => [Value::BasisPoints(basis_points(total - stood, total)), Value::Seconds(median(seconds))],
        };
        let figure = |name, value| Figure { name, by: Vec::new(), value };
        [figure("appeals-reversal-rate", rate), figure("appeals-decision-time", median)]
    }
}

/// All numbers as they are.
fn open(total: u64, tables: &[Table]) -> (Value, Vec<Vec<Value>>) {
    let cells = tables.iter().map(|cells| cells.iter().copied().map(Value::Count).collect()).collect();
    (Value::Count(total), cells)
}

fn of_samples(tables: &BTreeMap<&'static [&'static str], Counted>) -> [Figure; 3] {
    let count = |verdict: SampleVerdict| {
        let code = verdict.to_string();
        tables.values().flatten().filter(|(codes, _)| codes.contains(&code)).map(|(_, count)| *count).sum::<u64>()
    };
    let errors = count(SampleVerdict::Error);
    let all = errors + count(SampleVerdict::Correct);
    let [low, high] = wilson(errors, all);
    let figure = |name, points| {
        let value = if all == 0 { Value::Nothing } else { Value::BasisPoints(points) };
        Figure { name, by: Vec::new(), value }
    };
    let rate = if all == 0 { 0 } else { basis_points(errors, all) };
    [figure("sample-error-rate", rate), figure("sample-error-rate-low", low), figure("sample-error-rate-high", high)]
}

/// What is counted of entries, in parts.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    entries: BTreeMap<(Standing, Action), u64>,
    quarantined: u64,
    causes: BTreeMap<&'static str, u64>,
}

impl Gathered {
    /// Counts an entry that is of no drill.
    pub fn add(&mut self, period: &Period, contributed: Timestamp, state: &EntryState, judged: (Standing, Action)) {
        *self.entries.entry(judged).or_default() += 1;
        if !period.contains(contributed) {
            return;
        }
        let causes = [("near-benign", state.came_near_benign), ("excess", state.is_excess)];
        self.quarantined += u64::from(causes.iter().any(|(_, is_so)| *is_so));
        for (cause, _) in causes.iter().filter(|(_, is_so)| *is_so) {
            *self.causes.entry(cause).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests;
