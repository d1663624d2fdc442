use proptest::prelude::*;

use super::*;
use crate::domain::testing::{draft, timestamp};
use crate::domain::{
    Appealed, Confirmed, Context, Credential, Decided, Decision, Draft, EntryId, Flood, Incident, Key, KeyId, KeyMac,
    NearBenign, Provenance, Reference, Roles, RulingReason, Signal, Tlp, Withdrawal,
};
use crate::policy::{Delisted, Rules};

/// Everybody of the tests has contributed for a year by then.
const TODAY: u64 = 400;

fn on(day: u64) -> Timestamp {
    Timestamp::from_millis(day * 86_400_000).unwrap()
}

fn member_id(n: u8) -> MemberId {
    MemberId::from_bytes([n; 5])
}

fn key_id(n: u8) -> KeyId {
    KeyId::from_bytes([n; 5])
}

fn code(text: &str) -> Code {
    text.parse().unwrap()
}

/// A hub's members, an entry of member 1 among them, and what is known of it.
struct Case {
    taxonomies: Taxonomies,
    roster: Roster,
    register: Register,
    entry: Entry,
    state: EntryState,
}

impl Case {
    /// An entry that nothing but its contributor's being alone keeps from `block`. Members 1 to 9 are of NZ, NO, CH, NZ, NO, CH...
    fn new() -> Self {
        let mut roster = Roster::default();
        for n in 1..=9 {
            let jurisdiction = ["CH", "NZ", "NO"][usize::from(n) % 3].parse().unwrap();
            let name = format!("Member {n}").parse().unwrap();
            let member = Member::new(member_id(n), name, jurisdiction, on(0));
            roster.set_member(Member { status: Status::Contributor, contributes_since: Some(on(1)), ..member });
            let key = Key::new(key_id(n), member_id(n), Roles::new(), Credential::Secret(KeyMac([n; 32])), on(0));
            roster.set_key(key);
        }
        let provenance = crate::domain::testing::plain_provenance();
        let signals = vec![Signal::Phash(crate::domain::Hash64::from_word(1))];
        let entry = Entry {
            id: EntryId(100),
            contributor: member_id(1),
            key: key_id(1),
            contributed: on(TODAY),
            taxonomy: 1,
            draft: Draft::new(signals, vec![code("graphic-violence")], provenance).unwrap(),
        };
        let (taxonomies, register) = (Taxonomies::shipped().unwrap(), Register::default());
        Self { taxonomies, roster, register, entry, state: EntryState::default() }
    }

    fn provenance(mut self, change: impl FnOnce(&mut Provenance)) -> Self {
        let mut provenance = self.entry.draft.provenance().clone();
        change(&mut provenance);
        let (signals, labels) = (self.entry.draft.signals().to_vec(), self.entry.draft.labels().to_vec());
        self.entry.draft = Draft::new(signals, labels, provenance).unwrap();
        self
    }

    fn labels(mut self, labels: &[&str]) -> Self {
        let (signals, provenance) = (self.entry.draft.signals().to_vec(), self.entry.draft.provenance().clone());
        self.entry.draft = Draft::new(signals, labels.iter().map(|label| code(label)).collect(), provenance).unwrap();
        self
    }

    fn rules(mut self, text: &str) -> Self {
        self.register.set_rules(Rules::from_toml(text).unwrap(), 50);
        self
    }

    fn member(mut self, n: u8, change: impl FnOnce(&mut Member)) -> Self {
        let mut member = self.roster.member(member_id(n)).unwrap().clone();
        change(&mut member);
        self.roster.set_member(member);
        self
    }

    /// An entry of member `n` is near.
    fn near(self, n: u8) -> Self {
        self.near_with(n, |_| ())
    }

    fn near_with(mut self, n: u8, change: impl FnOnce(&mut Corroboration)) -> Self {
        let mut near = Corroboration {
            entry: EntryId(200 + u64::from(n)),
            member: member_id(n),
            key: key_id(n),
            contributed: on(TODAY),
            expires: None,
            distance: Distance::new(16),
            labels: self.entry.draft.labels().to_vec(),
        };
        change(&mut near);
        self.state.corroboration.push(near);
        self
    }

    fn says(mut self, n: u8, outcome: Outcome) -> Self {
        let event = 300 + self.state.opinions.len() as u64;
        let labels = self.entry.draft.labels().to_vec();
        self.state.opinions.push(Opinion { event, at: on(TODAY), member: member_id(n), outcome, labels });
        self
    }

    fn ruled(mut self, ruling: Ruling, by: &[u8], event: u64) -> Self {
        let decision = Decision { ruling, reason: RulingReason::EvidenceSound, labels: vec![] };
        let by: Vec<_> = by.iter().map(|n| member_id(*n)).collect();
        if ruling != Ruling::Uphold {
            let confirmed = Confirmed { event, at: on(TODAY), by: by.clone() };
            self.state.confirmed = Some(confirmed).filter(|_| ruling == Ruling::Confirm);
        }
        self.state.decided = Some(Decided { decision, event, at: on(TODAY), by, key: key_id(9) });
        self
    }

    fn trust(mut self, n: u8, trust: crate::domain::Trust) -> Self {
        self.register.set_trust(member_id(n), trust);
        self
    }

    fn assess_at(&self, now: Timestamp) -> Assessment {
        let grounds = Grounds { taxonomies: &self.taxonomies, roster: &self.roster, register: &self.register };
        assess(&self.entry, &self.state, &grounds, now)
    }

    fn assess(&self) -> Assessment {
        self.assess_at(on(TODAY + 1))
    }

    fn is(&self, standing: Standing, action: Action) {
        let judged = self.assess();
        assert_eq!((judged.standing, judged.action), (standing, action), "{:#?}", judged.reasons);
    }

    /// The words of a rule that had a part in it.
    fn says_why(&self, rule: &str) -> String {
        let judged = self.assess();
        let reason = judged.reasons.iter().find(|reason| reason.rule == rule);
        reason.unwrap_or_else(|| panic!("no rule {rule} in {:#?}", judged.reasons)).words.clone()
    }
}

const DOUBTED: crate::domain::Trust = crate::domain::Trust {
    good_milli: 0,
    bad_milli: 100_000,
    day: TODAY as u32,
    contributed: 0,
    confirmed: 0,
    objected: 0,
    upheld: 0,
    reversed: 25,
    near_benign: 0,
};

use Action::{Block, BlockPendingReview, LogOnly, Review};
use Standing::{Active, Disputed, Provisional, Quarantined};

#[test]
fn one_organisation_alone_is_provisional_and_never_blocks() {
    Case::new().is(Provisional, BlockPendingReview);
    let words = Case::new().says_why("uncorroborated");
    assert!(words.starts_with("one organisation in one jurisdiction stands for it on graphic-violence"), "{words}");
}

#[test]
fn two_organisations_in_two_jurisdictions_block_and_it_says_why_and_by_which_leaves() {
    let case = Case::new().near(2);
    case.is(Active, Block);
    assert_eq!(case.says_why("corroborated"), "two organisations in two jurisdictions agree on graphic-violence");
    assert_eq!(case.says_why("unopposed"), "no objections");
    assert_eq!(case.says_why("label"), "label graphic-violence allows block");
    let judged = case.assess();
    let corroborated = judged.reasons.iter().find(|reason| reason.rule == "corroborated").unwrap();
    assert_eq!(corroborated.events, [202]);
}

#[test]
fn organisations_of_one_jurisdiction_never_block_however_many() {
    Case::new().near(4).near(7).is(Provisional, BlockPendingReview);
}

#[test]
fn organisations_of_one_owner_count_once() {
    let owned = |member: &mut Member| member.control_group = Some(code("holding"));
    Case::new().near(2).member(1, owned).member(2, owned).is(Provisional, BlockPendingReview);
    let case = Case::new().near(2).near(5).near(3).member(2, owned).member(5, owned);
    assert_eq!(case.says_why("corroborated"), "three organisations in three jurisdictions agree on graphic-violence");
}

#[test]
fn whoever_contributes_can_endorse_and_whoever_checks_cannot() {
    Case::new().says(2, Outcome::Confirmed).is(Active, Block);
    let checker = |member: &mut Member| member.status = Status::Checker;
    Case::new().says(2, Outcome::Confirmed).member(2, checker).is(Provisional, BlockPendingReview);
}

#[test]
fn what_is_too_far_or_over_or_of_a_stolen_key_or_a_suspended_member_does_not_corroborate() {
    let alone = |case: Case| case.is(Provisional, BlockPendingReview);
    alone(Case::new().near_with(2, |near| near.distance = Distance::new(17)));
    alone(Case::new().near_with(2, |near| near.expires = Some(on(TODAY + 1))));
    alone(Case::new().near_with(2, |near| near.labels = vec![code("glorification")]));
    alone(Case::new().near(2).member(2, |member| member.status = Status::Suspended));
    alone(Case::new().near(2).member(2, |member| member.contributes_since = Some(on(TODAY - 29))));
    alone(Case::new().near(2).trust(2, DOUBTED));
    let mut stolen = Case::new().near(2);
    let key = Key { compromised_since: Some(on(TODAY)), ..stolen.roster.key(key_id(2)).unwrap().clone() };
    stolen.roster.set_key(key);
    alone(stolen);
    Case::new().near_with(2, |near| near.expires = Some(on(TODAY + 2))).is(Active, Block);
    Case::new().near(2).member(2, |member| member.contributes_since = Some(on(TODAY - 30))).is(Active, Block);
    Case::new().near(2).member(2, |member| member.status = Status::Left).is(Active, Block);
}

#[test]
fn the_rules_say_how_many_how_near_and_how_far() {
    Case::new()
        .near_with(2, |near| near.distance = Distance::new(17))
        .rules("[corroboration]\nradius_bits = 17")
        .is(Active, Block);
    let three = "[labels.graphic-violence]\nmembers_min = 3";
    Case::new().near(2).rules(three).is(Provisional, BlockPendingReview);
    Case::new().near(2).near(3).rules(three).is(Active, Block);
    Case::new().near(2).rules("[labels.graphic-violence]\naction_max = \"review\"").is(Active, Review);
    Case::new()
        .labels(&["glorification"])
        .near(2)
        .rules("[labels.glorification]\naction_max = \"block\"")
        .is(Active, BlockPendingReview);
}

#[test]
fn the_label_that_allows_most_speaks_for_an_entry() {
    let mut case = Case::new().labels(&["glorification", "graphic-violence"]).near(2);
    case.is(Active, Block);
    case.state.corroboration[0].labels = vec![code("glorification")];
    case.is(Active, BlockPendingReview);
}

#[test]
fn what_a_newcomer_or_a_doubted_member_brings_supports_review_until_others_agree() {
    let newcomer = |case: Case| case.member(1, |member| member.contributes_since = Some(on(TODAY - 3)));
    newcomer(Case::new()).is(Provisional, Review);
    newcomer(Case::new().near(2)).is(Active, Block);
    newcomer(Case::new().ruled(Ruling::Uphold, &[9], 400)).is(Provisional, BlockPendingReview);
    newcomer(Case::new()).rules("[newcomers]\ndays = 3").is(Provisional, BlockPendingReview);
    Case::new().trust(1, DOUBTED).is(Provisional, Review);
    Case::new().trust(1, DOUBTED).near(2).is(Active, Block);
    assert_eq!(
        Case::new().trust(1, DOUBTED).says_why("trust"),
        "of its contributor's entries too many were wrong: trust 7 %"
    );
    Case::new().near(2).member(1, |member| member.status = Status::Suspended).is(Active, Review);
}

#[test]
fn an_entry_is_disputed_by_two_organisations_or_one_that_is_trusted_until_reviewers_decide() {
    let case = Case::new().near(2).says(3, Outcome::FalsePositive);
    case.is(Active, Block);
    assert_eq!(case.says_why("unopposed"), "one objection, too few to dispute it");
    let twice = case.says(4, Outcome::NoLongerRelevant);
    twice.is(Disputed, Review);
    assert_eq!(twice.says_why("disputed"), "two objections against it; no reviewer has settled that");
    twice.ruled(Ruling::Uphold, &[9], 302).is(Active, Block);
    let trusted = |member: &mut Member| member.status = Status::Trusted;
    Case::new().near(2).says(3, Outcome::ContextProtects).member(3, trusted).is(Disputed, Review);
    let late = Case::new().near(2).ruled(Ruling::Uphold, &[9], 299).says(3, Outcome::FalsePositive);
    late.says(4, Outcome::FalsePositive).is(Disputed, Review);
    let one_owner = |member: &mut Member| member.control_group = Some(code("holding"));
    let case = Case::new().near(2).says(3, Outcome::FalsePositive).says(4, Outcome::FalsePositive);
    case.member(3, one_owner).member(4, one_owner).is(Active, Block);
}

#[test]
fn nobody_disputes_for_the_contributors_own_house() {
    let owned = |member: &mut Member| member.control_group = Some(code("holding"));
    let case = Case::new().near(2).says(4, Outcome::FalsePositive).says(7, Outcome::FalsePositive);
    let trusted = |member: &mut Member| member.status = Status::Trusted;
    case.member(1, owned).member(4, owned).member(7, owned).member(4, trusted).is(Active, Block);
}

#[test]
fn a_label_that_two_organisations_contest_no_longer_speaks_for_it() {
    let contested = |case: Case| case.says(3, Outcome::WrongLabel).says(4, Outcome::WrongLabel);
    contested(Case::new().near(2)).is(Disputed, Review);
    let mut other = Case::new().labels(&["glorification", "graphic-violence"]).near(2);
    other = contested(other);
    other.state.opinions.iter_mut().for_each(|opinion| opinion.labels = vec![code("graphic-violence")]);
    other.is(Active, BlockPendingReview);
}

#[test]
fn a_flood_a_delisting_and_an_appeal_bring_people_in_until_they_have_decided() {
    let mut flood = Case::new().near(2);
    flood.state.flood = Some(Flood { event: 310, at: on(TODAY), matches: 900, usual: 4 });
    flood.is(Disputed, Review);
    flood.ruled(Ruling::Uphold, &[9], 311).is(Active, Block);

    let entity: Reference = "QDe.115".parse().unwrap();
    let basis = Basis::UnConsolidatedList { entity: entity.clone(), list_date: "2026-01-02".parse().unwrap() };
    let mut delisted = Case::new().near(2).provenance(|provenance| provenance.basis = basis);
    delisted.is(Active, Block);
    delisted.register.set_delisted(entity.clone(), Delisted { event: 99, at: on(TODAY) });
    delisted.is(Active, Block);
    delisted.register.set_delisted(entity, Delisted { event: 320, at: on(TODAY) });
    delisted.is(Disputed, Review);
    delisted.ruled(Ruling::Uphold, &[9], 321).is(Active, Block);

    let mut appeal = Case::new().near(2);
    appeal.state.appeals = vec![Appealed { id: 330, by: member_id(8) }];
    appeal.is(Active, BlockPendingReview);
}

#[test]
fn what_is_near_a_benign_item_is_held_back_and_never_supports_more_than_review() {
    let benign = |distance, event| {
        let mut case = Case::new().near(2);
        case.state.benign = Some(NearBenign { benign: 7, event, distance: Distance::new(distance) });
        case
    };
    benign(31, 100).is(Quarantined, LogOnly);
    benign(31, 100).rules("[benign]\nradius_bits = 30").is(Active, Block);
    benign(31, 100).ruled(Ruling::Uphold, &[9], 400).is(Active, Review);
    benign(31, 401).ruled(Ruling::Uphold, &[9], 400).is(Quarantined, LogOnly);
    let words = benign(0, 100).says_why("benign");
    assert!(words.contains("held back"), "{words}");
}

#[test]
fn what_was_too_much_for_a_day_or_came_with_a_stolen_key_is_held_back_until_a_reviewer_looks() {
    let mut excess = Case::new().near(2);
    excess.state.is_excess = true;
    excess.is(Quarantined, LogOnly);
    excess.ruled(Ruling::Uphold, &[9], 400).is(Active, Block);
    let stolen = |since| {
        let mut case = Case::new().near(2);
        let key = Key { compromised_since: Some(since), ..case.roster.key(key_id(1)).unwrap().clone() };
        case.roster.set_key(key);
        case
    };
    stolen(on(TODAY)).is(Quarantined, LogOnly);
    stolen(on(TODAY + 1)).is(Active, Block);
    stolen(on(TODAY)).ruled(Ruling::Uphold, &[9], 400).is(Active, Block);
}

#[test]
fn reviewers_lower_relabel_revoke_and_confirm() {
    Case::new().near(2).ruled(Ruling::Lower, &[9], 400).is(Active, Review);
    Case::new().near(2).ruled(Ruling::Revoke, &[9], 400).is(Standing::Revoked, LogOnly);
    Case::new().near(2).ruled(Ruling::Reinstate, &[8, 9], 401).is(Active, Block);
    Case::new().ruled(Ruling::Confirm, &[8, 9], 400).is(Active, Block);
    // Who upholds it after that does not unsay it.
    Case::new().ruled(Ruling::Confirm, &[8, 9], 400).ruled(Ruling::Uphold, &[7], 401).is(Active, Block);
    // Reviewers of the contributor's own jurisdiction do not make a second one.
    Case::new().ruled(Ruling::Confirm, &[4, 7], 400).is(Provisional, BlockPendingReview);
    let mut relabelled = Case::new().near(2).ruled(Ruling::Relabel, &[9], 400);
    relabelled.state.decided.as_mut().unwrap().decision.labels = vec![code("glorification")];
    let judged = relabelled.assess();
    assert_eq!((judged.labels, judged.action), (vec![code("glorification")], BlockPendingReview));
}

#[test]
fn what_is_withdrawn_or_expired_supports_nothing() {
    let mut case = Case::new().near(2);
    case.state.expires = Some(on(TODAY + 1));
    case.is(Standing::Expired, LogOnly);
    assert!(!is_matchable(&case.state, on(TODAY + 1)) && is_matchable(&case.state, on(TODAY)));
    case.state.withdrawn = Some(Withdrawal { event: 400, at: on(TODAY) });
    case.is(Standing::Withdrawn, LogOnly);
    assert!(!is_matchable(&case.state, on(TODAY)));
    let revoked = Case::new().ruled(Ruling::Revoke, &[9], 400);
    assert!(!is_matchable(&revoked.state, on(TODAY)));
}

#[test]
fn a_marking_says_how_far_it_may_be_acted_on() {
    let marked = |tlp| Case::new().near(2).provenance(move |provenance| provenance.tlp = tlp);
    marked(Tlp::Red).is(Active, Review);
    marked(Tlp::AmberStrict).is(Active, BlockPendingReview);
    marked(Tlp::Amber).is(Active, Block);
    marked(Tlp::Red).rules("[tlp]\nred = \"log-only\"").is(Active, LogOnly);
}

fn of_incident(is_drill: bool) -> Case {
    let mut case =
        Case::new().provenance(|provenance| provenance.basis = Basis::Incident { incident: code("harbour") });
    case.register.set_incident(Incident {
        code: code("harbour"),
        kind: code("livestream"),
        is_drill,
        event: 90,
        opened: Some(on(TODAY)),
        until: on(TODAY + 1),
        closed: None,
        proposed: vec![],
    });
    case
}

#[test]
fn an_entry_of_an_incident_is_provisional_at_once_and_demoted_unless_somebody_agrees_within_a_day() {
    let newcomer = |case: Case| case.member(1, |member| member.contributes_since = Some(on(TODAY - 3)));
    let mut case = newcomer(of_incident(false));
    case.state.is_excess = true;
    let at = |case: &Case, now| {
        let judged = case.assess_at(now);
        (judged.standing, judged.action)
    };
    assert_eq!(at(&case, on(TODAY)), (Provisional, BlockPendingReview));
    assert_eq!(at(&case, on(TODAY + 1)), (Provisional, Review));
    assert_eq!(at(&of_incident(false).near(2), on(TODAY + 9)), (Active, BlockPendingReview));
    let bystander = of_incident(false).provenance(|provenance| provenance.producer = Producer::Bystander);
    assert_eq!(at(&bystander, on(TODAY)), (Provisional, Review));
    assert_eq!(at(&of_incident(true), on(TODAY)), (Quarantined, LogOnly));
    // Once it is over, nothing new takes the faster way.
    let mut late = newcomer(of_incident(false));
    late.entry.contributed = on(TODAY + 2);
    assert_eq!(at(&late, on(TODAY + 2)).1, Review);
}

fn any_state() -> impl Strategy<Value = EntryState> {
    crate::domain::testing::entry_state()
}

proptest! {
    #[test]
    fn the_action_is_the_lowest_ceiling_and_every_ceiling_has_a_reason(
        draft in draft(),
        state in any_state(),
        now in timestamp(),
    ) {
        let mut case = Case::new();
        (case.entry.draft, case.state) = (draft, state);
        let judged = case.assess_at(now);
        let provenance = case.entry.draft.provenance();
        prop_assert_eq!(Some(judged.action), judged.reasons.iter().filter_map(|reason| reason.ceiling).min());
        prop_assert!(judged.action <= provenance.action_max);
        let lawful = !provenance.contexts.is_empty()
            || matches!(provenance.producer, Producer::Bystander | Producer::Media);
        prop_assert!(!lawful || judged.action <= Review);
        prop_assert_eq!(judged.standing.is_matchable(), is_matchable(&case.state, now));
        prop_assert!(judged.standing.is_matchable() || judged.action == LogOnly);
        prop_assert!(judged.action < Block || judged.standing == Active, "only what others agree on blocks");
        prop_assert_eq!(judged.standing == Quarantined, judged.standing.is_matchable()
            && judged.reasons.iter().any(|reason| ["benign", "excess", "key-compromised", "drill"].contains(&reason.rule)
                && reason.ceiling == Some(LogOnly)));
    }

    #[test]
    fn what_speaks_against_an_entry_never_raises_what_it_supports(
        objectors in proptest::collection::vec((2..=9u8, 1..5usize), 0..6),
        corroborated in proptest::collection::btree_set(2..=9u8, 0..4),
        context in any::<bool>(),
    ) {
        let mut case = corroborated.iter().fold(Case::new(), |case, n| case.near(*n));
        if context {
            case = case.provenance(|provenance| provenance.contexts = vec![Context::News]);
        }
        let before = case.assess().action;
        for (member, outcome) in objectors {
            case = case.says(member, Outcome::ALL[outcome]);
        }
        prop_assert!(case.assess().action <= before);
    }

    #[test]
    fn sixty_four_bits_alone_and_whatever_is_near_a_benign_item_never_support_more_than_review(near in any::<bool>()) {
        let judged = Case::new().near(2).assess();
        prop_assert_eq!(judged.action, Block);
        let weak = weigh(judged.clone(), [SignalKind::Phash, SignalKind::Dhash], None);
        prop_assert_eq!(weak.action, Review);
        let benign = weigh(judged.clone(), [SignalKind::Pdq], near.then_some(7));
        prop_assert_eq!(benign.action, if near { Review } else { Block });
        prop_assert_eq!(weigh(judged.clone(), [SignalKind::Dhash, SignalKind::Pdq], None), judged);
    }
}
