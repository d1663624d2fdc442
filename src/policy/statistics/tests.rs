use super::*;
use crate::domain::{
    Actor, AppealGround, Decision, Draft, Hash64, Outcome, OutcomeReason, Report, RequestDigest, RulingReason, Sample,
    Signal, SignalKind, Tally, TallyCell, WithdrawReason,
};

fn time(text: &str) -> Timestamp {
    format!("2026-{text}Z").parse().unwrap()
}

/// March 2026.
fn march() -> Period {
    Period::new("2026-03-01".parse().unwrap(), "2026-03-31".parse().unwrap()).unwrap()
}

/// Events in order, told by the month and day of each.
#[derive(Default)]
struct Ledger(Vec<Event>);

impl Ledger {
    fn add(&mut self, day: &str, fact: Fact) -> u64 {
        self.0.push(Event { at: time(&format!("{day}T12:00:00")), by: Actor::Hub, request: None, fact });
        self.0.len() as u64 - 1
    }

    fn entry(&mut self, day: &str, labels: &[&str]) -> EntryId {
        let signals = vec![Signal::Phash(Hash64::from_word(self.0.len() as u64)), Signal::Phash(Hash64::from_word(!0))];
        let provenance = crate::domain::testing::plain_provenance();
        let labels = labels.iter().map(|label| label.parse().unwrap()).collect();
        let draft = Draft::new(signals, labels, provenance).unwrap();
        let request = RequestDigest([1; 32]);
        EntryId(self.add(day, Fact::Contributed { request, taxonomy: 1, draft, lapses: None }))
    }

    fn rule(&mut self, day: &str, entry: EntryId, ruling: Ruling, is_enough: bool) {
        let decision = Decision { ruling, reason: RulingReason::Context, labels: vec![] };
        self.add(day, Fact::Decided { entry, decision, is_enough });
    }

    fn appeal(&mut self, day: &str, entry: EntryId, deadline: &str) {
        let deadline = time(&format!("{deadline}T12:00:00"));
        self.add(day, Fact::AppealOpened { entry, ground: AppealGround::LawfulContext, note: None, deadline });
    }

    fn report(&mut self, day: &str, entry: EntryId, outcome: Outcome, labels: &[&str]) {
        let labels = labels.iter().map(|label| label.parse().unwrap()).collect();
        let reason = OutcomeReason::SeenByPerson;
        self.add(day, Fact::OutcomeReported(Report { entry, outcome, labels, kind: None, reason, note: None }));
    }

    fn incident(&mut self, day: &str, incident: &str, is_drill: bool, is_enough: bool) {
        let change =
            IncidentChange::Open { kind: "livestream".parse().unwrap(), is_drill, until: time("12-01T00:00:00") };
        self.add(day, Fact::IncidentChanged { incident: incident.parse().unwrap(), change, is_enough });
    }

    /// The statistics of March as of the first of May.
    fn march(&self) -> Vec<Figure> {
        let mut tallying = Tallying::new(march());
        self.0.iter().enumerate().for_each(|(index, event)| tallying.event(index as u64, event));
        tallying.finish(Vec::new(), self.0.len() as u64, time("05-01T00:00:00")).figures
    }
}

/// The figure, narrowed to these codes.
fn find(figures: &[Figure], name: &str, codes: &[&str]) -> Option<Value> {
    let is_it = |figure: &&Figure| {
        figure.name == name && figure.by.iter().map(|(_, code)| code.as_str()).eq(codes.iter().copied())
    };
    figures.iter().find(is_it).map(|figure| figure.value)
}

#[test]
fn only_what_happened_in_the_period_counts_and_an_entry_of_two_labels_counts_with_both() {
    let mut ledger = Ledger::default();
    let early = ledger.entry("02-28", &["a"]);
    let entries: Vec<_> = (0..6).map(|_| ledger.entry("03-01", &["a", "b"])).collect();
    for entry in [early, entries[0], entries[1], entries[2], entries[3]] {
        let request = RequestDigest([2; 32]);
        ledger.add("03-31", Fact::Withdrawn { entry, reason: WithdrawReason::Mistake, request });
    }
    ledger.add("03-31", Fact::Expired { entries: vec![entries[4], entries[5]] });
    ledger.entry("04-01", &["a"]);
    let figures = ledger.march();
    let figure = |name, codes: &[&str]| find(&figures, name, codes);
    assert_eq!(figure("entries-contributed", &[]), Some(Value::Count(6)));
    for code in ["a", "b", "behaviour", "phash"] {
        assert_eq!(figure("entries-contributed", &[code]), Some(Value::Count(6)), "{code}");
    }
    assert_eq!(figure("entries-withdrawn", &[]), Some(Value::Count(5)));
    assert_eq!(figure("entries-expired", &[]), Some(Value::Count(2)));
}

#[test]
fn drills_are_counted_apart_and_proposals_of_one_not_at_all() {
    let mut ledger = Ledger::default();
    ledger.incident("03-02", "quake", false, false);
    ledger.incident("03-02", "quake", false, true);
    ledger.incident("03-03", "test", true, true);
    let entries: Vec<_> = (0..5).map(|_| ledger.entry("03-04", &["incident-test"])).collect();
    for _ in 0..7 {
        ledger.entry("03-04", &["incident-quake"]);
    }
    ledger.rule("03-05", entries[0], Ruling::Uphold, true);
    ledger.report("03-05", entries[0], Outcome::Confirmed, &[]);
    ledger.add("03-06", Fact::IncidentEnded { incident: "quake".parse().unwrap() });
    let close = |incident: &str| {
        let (incident, change) = (incident.parse().unwrap(), IncidentChange::Close);
        Fact::IncidentChanged { incident, change, is_enough: true }
    };
    ledger.add("03-06", close("test"));
    let figures = ledger.march();
    let count = |name, codes: &[&str]| find(&figures, name, codes);
    for name in ["incidents-opened", "incidents-closed", "drills-opened", "drills-closed"] {
        assert_eq!(count(name, &[]), Some(Value::Count(1)), "{name}");
        assert_eq!(count(name, &["livestream"]), Some(Value::Count(1)), "{name}");
    }
    assert_eq!(count("entries-contributed", &[]), Some(Value::Count(7)));
    assert_eq!(count("entries-contributed-to-drills", &[]), Some(Value::Count(5)));
    assert_eq!((count("rulings", &[]), count("outcomes", &[])), (Some(Value::Count(0)), Some(Value::Count(0))));
}

#[test]
fn appeals_are_followed_from_their_opening_to_their_decision() {
    let mut ledger = Ledger::default();
    let entries: Vec<_> = (0..20).map(|_| ledger.entry("01-01", &["a"])).collect();
    // Five that stand after a day, five that fall after three, one of them opened before the period.
    entries[..5].iter().for_each(|entry| ledger.appeal("03-01", *entry, "03-15"));
    entries[..5].iter().for_each(|entry| ledger.rule("03-02", *entry, Ruling::Uphold, true));
    let mut late = ledger;
    entries[5..10].iter().for_each(|entry| late.appeal("03-03", *entry, "03-15"));
    late.rule("03-04", entries[5], Ruling::Reinstate, false);
    // By reviewers, or by its contributor.
    entries[5..9].iter().for_each(|entry| late.rule("03-06", *entry, Ruling::Revoke, true));
    let request = RequestDigest([2; 32]);
    late.add("03-06", Fact::Withdrawn { entry: entries[9], reason: WithdrawReason::Mistake, request });
    // Five that nobody has decided on in time, and one that has time left.
    entries[10..15].iter().for_each(|entry| late.appeal("03-07", *entry, "03-21"));
    late.appeal("03-08", entries[15], "05-02");
    let figures = late.march();
    let figure = |name, codes: &[&str]| find(&figures, name, codes).unwrap();
    assert_eq!(figure("appeals-opened", &[]), Value::Count(16));
    assert_eq!(figure("appeals-decided", &[]), Value::Count(10));
    assert_eq!(figure("appeals-decided", &["upheld"]), Value::Count(5));
    assert_eq!(figure("appeals-decided", &["reversed"]), Value::Count(5));
    assert_eq!(figure("appeals-overdue", &[]), Value::Count(5));
    assert_eq!(figure("appeals-reversal-rate", &[]), Value::BasisPoints(5_000));
    // The fifth of ten took a day, the sixth three.
    assert_eq!(figure("appeals-decision-time", &[]), Value::Seconds(2 * 86_400));
    assert_eq!(figure("rulings", &["revoke"]), Value::Count(4));
    assert_eq!(figure("entries-revoked", &["context"]), Value::Count(4));
}

#[test]
fn a_rate_that_would_tell_small_numbers_is_not_shown() {
    let mut ledger = Ledger::default();
    let entries: Vec<_> = (0..7).map(|_| ledger.entry("01-01", &["a"])).collect();
    entries.iter().for_each(|entry| ledger.appeal("03-01", *entry, "03-15"));
    entries[..6].iter().for_each(|entry| ledger.rule("03-02", *entry, Ruling::Uphold, true));
    ledger.rule("03-02", entries[6], Ruling::Revoke, true);
    let figures = ledger.march();
    assert_eq!(find(&figures, "appeals-decided", &["reversed"]), Some(Value::Few));
    assert_eq!(find(&figures, "appeals-reversal-rate", &[]), Some(Value::Hidden));
    assert_eq!(find(&figures, "appeals-decision-time", &[]), Some(Value::Hidden));
    assert_eq!(find(&Ledger::default().march(), "appeals-reversal-rate", &[]), Some(Value::Nothing));
}

#[test]
fn outcomes_count_with_the_labels_that_they_name_or_else_with_all_of_the_entry() {
    let mut ledger = Ledger::default();
    ledger.entry("01-01", &["c"]);
    let entry = ledger.entry("01-01", &["a", "b"]);
    (0..5).for_each(|_| ledger.report("03-01", entry, Outcome::Confirmed, &[]));
    (0..6).for_each(|_| ledger.report("03-01", entry, Outcome::FalsePositive, &["b"]));
    let figures = ledger.march();
    let figure = |codes: &[&str]| find(&figures, "outcomes", codes);
    assert_eq!(figure(&[]), Some(Value::Count(11)));
    assert_eq!(figure(&["confirmed", "a"]), Some(Value::Count(5)));
    assert_eq!(figure(&["confirmed", "b"]), Some(Value::Count(5)));
    assert_eq!(figure(&["false-positive", "b"]), Some(Value::Count(6)));
    assert_eq!(figure(&["false-positive", "a"]), None);
}

#[test]
fn tallies_count_that_lie_within_the_period() {
    let mut ledger = Ledger::default();
    for (since, until, matches) in [
        ("02-28T23:00:00", "03-01T00:00:00", 100),
        ("03-01T00:00:00", "03-01T01:00:00", 5),
        ("03-31T23:00:00", "04-01T00:00:00", 6),
        ("04-01T00:00:00", "04-01T01:00:00", 100),
    ] {
        let cell = TallyCell { label: "a".parse().unwrap(), kind: SignalKind::Pdq, action: Action::Review, matches };
        let tally = Tally { since: time(since), until: time(until), cells: vec![cell] };
        // A tally is told after its hour: the last of a period when that is over.
        ledger.add("04-01", Fact::MatchesTallied(tally));
    }
    let figures = ledger.march();
    assert_eq!(find(&figures, "matches", &[]), Some(Value::Count(11)));
    assert_eq!(find(&figures, "matches", &["a", "pdq", "review"]), Some(Value::Count(11)));
}

#[test]
fn of_several_judgements_of_an_entry_of_a_sample_the_last_counts_and_others_not_at_all() {
    let mut ledger = Ledger::default();
    let entries: Vec<_> = (0..12).map(|_| ledger.entry("01-01", &["a"])).collect();
    let drawn = Fact::SampleDrawn(Sample { size: 12, nonce: [0; 32], entries: entries[..11].to_vec() });
    let sample = ledger.add("03-01", drawn);
    let mut judge = |day, sample, at: usize, verdict| {
        ledger.add(day, Fact::SampleJudged { sample, entry: entries[at], verdict });
    };
    judge("03-02", sample, 0, SampleVerdict::Error);
    judge("03-02", sample, 1, SampleVerdict::Error);
    judge("03-03", sample, 1, SampleVerdict::Correct);
    (2..10).for_each(|at| judge("03-02", sample, at, SampleVerdict::Correct));
    judge("03-02", sample, 10, SampleVerdict::Undecidable);
    judge("03-02", sample, 11, SampleVerdict::Error);
    judge("03-02", sample + 1, 2, SampleVerdict::Error);
    let figures = ledger.march();
    let figure = |name, codes: &[&str]| find(&figures, name, codes).unwrap();
    assert_eq!(figure("samples-judged", &[]), Value::Count(11));
    assert_eq!(figure("samples-judged", &["correct"]), Value::Count(9));
    assert_eq!(figure("sample-error-rate", &[]), Value::BasisPoints(1_000));
    // 1 of 10: 1.787 % to 40.415 %.
    assert_eq!(figure("sample-error-rate-low", &[]), Value::BasisPoints(178));
    assert_eq!(figure("sample-error-rate-high", &[]), Value::BasisPoints(4_042));
}
