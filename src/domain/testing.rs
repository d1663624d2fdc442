//! Arbitrary values of the domain, for the property tests of every module.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::{
    Action, Actor, AnalystTier, Appeal, AppealGround, AppealState, Appealed, Basis, Benign, BenignClass, ChecklistItem,
    Code, Confidence, Confirmed, Context, Corroboration, Credential, Decided, Decision, Digest, Distance, Draft,
    EntryId, EntryState, Erased, Event, EventKind, Fact, Flood, GovernmentOrder, Hash64, Hold, HoldScope, HoldTerms,
    Holder, Incident, IncidentChange, Key, KeyId, KeyMac, Member, MemberId, Name, NearBenign, Note, Opinion, Origin,
    Outcome, OutcomeReason, Pdq, Producer, Proposed, Provenance, Quality, Quota, Reference, RefusalReason, Remains,
    Report, RequestDigest, Reviewers, Role, Roles, Ruling, RulingReason, Sample, SampleVerdict, Signal, SignalKind,
    SpkiFingerprint, Status, StatusReason, Tally, TallyCell, Timestamp, Tlp, Trust, WalkLevel, WithdrawReason,
    Withdrawal,
};

fn one_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    (0..all.len()).prop_map(move |at| all[at])
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Debug>(
    pattern: &'static str,
) -> impl Strategy<Value = T> {
    pattern.prop_map(|text| text.parse().unwrap())
}

/// Any signal.
pub fn signal() -> impl Strategy<Value = Signal> {
    let quality = option::of((0..=100u32).prop_map(|percent| Quality::new(percent).unwrap()));
    prop_oneof![
        (any::<[u64; 4]>(), quality).prop_map(|(words, quality)| Signal::Pdq { hash: Pdq::from_words(words), quality }),
        any::<u64>().prop_map(|word| Signal::Phash(Hash64::from_word(word))),
        any::<u64>().prop_map(|word| Signal::Dhash(Hash64::from_word(word))),
        any::<[u8; 16]>().prop_map(|bytes| Signal::Md5(Digest(bytes))),
        any::<[u8; 32]>().prop_map(|bytes| Signal::Sha256(Digest(bytes))),
    ]
}

/// Hashes on one line: that many leading bits of one hash are flipped, so that two are as far apart as their numbers.
pub fn pdqs_on_a_line(places: impl IntoIterator<Item = u16>) -> Vec<Signal> {
    let hash = |place: u16| {
        let mut words = [0x5bd1_e995_9d1c_2f37u64; 4];
        for bit in 0..usize::from(place) {
            words[bit / 64] ^= 1 << (63 - bit % 64);
        }
        Signal::Pdq { hash: Pdq::from_words(words), quality: None }
    };
    places.into_iter().map(hash).collect()
}

/// Any time that the hub can record.
pub fn timestamp() -> impl Strategy<Value = Timestamp> {
    (0..=Timestamp::MAX.millis()).prop_map(|millis| Timestamp::from_millis(millis).unwrap())
}

fn basis() -> impl Strategy<Value = Basis> {
    let date = || parsed("20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])");
    prop_oneof![
        (parsed("[A-Za-z0-9._:/-]{1,64}"), date())
            .prop_map(|(entity, list_date)| Basis::UnConsolidatedList { entity, list_date }),
        (parsed("[a-z0-9-]{1,48}"), date())
            .prop_map(|(authority, list_date)| Basis::DesignatedBy { authority, list_date }),
        parsed("[a-z0-9-]{1,48}").prop_map(|incident| Basis::Incident { incident }),
        Just(Basis::Behaviour),
        one_of(AnalystTier::ALL).prop_map(|tier| Basis::AnalystVerified { tier }),
    ]
}

/// A provenance that speaks against nothing: seen by a person, made by an attacker, sure.
pub fn plain_provenance() -> Provenance {
    Provenance {
        origin: Origin::Human,
        reviewers: Reviewers::One,
        basis: Basis::Behaviour,
        producer: Producer::Perpetrator,
        contexts: vec![],
        content_types: vec![],
        confidence: Confidence::new(90).unwrap(),
        tlp: Tlp::Green,
        action_max: Action::Block,
        valid_until: None,
        supersedes: None,
        government_order: None,
    }
}

/// Any provenance.
pub fn provenance() -> impl Strategy<Value = Provenance> {
    let order = (parsed("[A-Z]{2}"), parsed("20[0-9]{2}-0[1-9]-1[0-9]"))
        .prop_map(|(jurisdiction, date)| GovernmentOrder { jurisdiction, date });
    let sources = (one_of(Origin::ALL), one_of(Reviewers::ALL), basis(), one_of(Producer::ALL));
    let sets = (btree_set(one_of(Context::ALL), 0..=6), btree_set(parsed::<Code>("[a-z-]{1,20}"), 0..=8));
    let marks = (0..=100u32, one_of(Tlp::ALL), one_of(Action::ALL));
    let links = (option::of(timestamp()), option::of(any::<u64>().prop_map(EntryId)), option::of(order));
    (sources, sets, marks, links).prop_map(|(sources, sets, marks, links)| Provenance {
        origin: sources.0,
        reviewers: sources.1,
        basis: sources.2,
        producer: sources.3,
        contexts: sets.0.into_iter().collect(),
        content_types: sets.1.into_iter().collect(),
        confidence: Confidence::new(marks.0).unwrap(),
        tlp: marks.1,
        action_max: marks.2,
        valid_until: links.0,
        supersedes: links.1,
        government_order: links.2,
    })
}

/// Any draft.
pub fn draft() -> impl Strategy<Value = Draft> {
    let signals = vec(signal(), 1..=Draft::SIGNALS_MAX).prop_filter("signals must differ", |signals| {
        let values: std::collections::BTreeSet<_> = signals.iter().map(|one| (one.kind(), one.value())).collect();
        values.len() == signals.len()
    });
    let labels = btree_set(parsed::<Code>("[a-z0-9-]{1,48}"), 1..=Draft::LABELS_MAX);
    (signals, labels, provenance()).prop_map(|(signals, labels, provenance)| {
        Draft::new(signals, labels.into_iter().collect(), provenance).unwrap()
    })
}

/// Any member's id.
pub fn member_id() -> impl Strategy<Value = MemberId> {
    any::<[u8; 5]>().prop_map(MemberId::from_bytes)
}

/// Any key's id.
pub fn key_id() -> impl Strategy<Value = KeyId> {
    any::<[u8; 5]>().prop_map(KeyId::from_bytes)
}

/// Any entry's id.
pub fn entry_id() -> impl Strategy<Value = EntryId> {
    any::<u64>().prop_map(EntryId)
}

fn code() -> impl Strategy<Value = Code> {
    parsed("[a-z0-9-]{1,48}")
}

/// Up to as many labels as an entry may have, sorted; perhaps none.
fn labels() -> impl Strategy<Value = Vec<Code>> {
    btree_set(code(), 0..=Draft::LABELS_MAX).prop_map(|labels| labels.into_iter().collect())
}

/// Any note: up to 280 characters, some of which are longer than a byte.
fn note() -> impl Strategy<Value = Option<Note>> {
    option::of(parsed("[a-zß日0-9]([a-v ,'!?ß日-]{0,278}[a-zß日0-9.])?"))
}

fn member() -> impl Strategy<Value = Member> {
    let parts = (member_id(), timestamp(), one_of(Status::ALL), option::of(code()), one_of(Role::ALL));
    parts.prop_map(|(id, enrolled, status, control_group, duty)| Member {
        control_group,
        status,
        duties: Roles::from([duty]),
        ..Member::new(id, "Example".parse().unwrap(), "NZ".parse().unwrap(), enrolled)
    })
}

fn key() -> impl Strategy<Value = Key> {
    let ids = (key_id(), member_id(), option::of(key_id()));
    let credential = prop_oneof![
        any::<[u8; 32]>().prop_map(|mac| Credential::Secret(KeyMac(mac))),
        any::<[u8; 32]>().prop_map(|digest| Credential::Certificate(SpkiFingerprint::from_bytes(digest))),
    ];
    let label = option::of(Just("Example").prop_map(|label| label.parse().unwrap()));
    let limits = (option::of(timestamp()), 0..=2usize);
    (ids, credential, label, timestamp(), limits).prop_map(
        |((id, member, issued_by), credential, label, issued, limits)| {
            let networks =
                ["192.0.2.0/24", "2001:db8::1"].iter().take(limits.1).map(|text| text.parse().unwrap()).collect();
            let key = Key::new(id, member, Roles::from([Role::Admin, Role::Auditor]), credential, issued);
            Key { label, issued_by, expires: limits.0, networks, ..key }
        },
    )
}

fn quota() -> impl Strategy<Value = Quota> {
    any::<[Option<u32>; 4]>().prop_map(|[checks_per_second, media_bytes_per_second, contributions_per_day, streams]| {
        Quota { checks_per_second, media_bytes_per_second, contributions_per_day, streams }
    })
}

fn report() -> impl Strategy<Value = Report> {
    let what = (entry_id(), one_of(Outcome::ALL), labels());
    (what, option::of(one_of(SignalKind::ALL)), one_of(OutcomeReason::ALL), note()).prop_map(
        |((entry, outcome, labels), kind, reason, note)| Report { entry, outcome, labels, kind, reason, note },
    )
}

fn decision() -> impl Strategy<Value = Decision> {
    (one_of(Ruling::ALL), one_of(RulingReason::ALL), labels()).prop_map(|(ruling, reason, labels)| Decision {
        ruling,
        reason,
        labels,
    })
}

/// Any benign item.
pub fn benign() -> impl Strategy<Value = Benign> {
    let strong = signal().prop_filter("must be strong evidence", |signal| signal.kind().is_strong_evidence());
    let signals = vec(strong, 1..=Benign::SIGNALS_MAX).prop_filter("signals must differ", |signals| {
        let values: std::collections::BTreeSet<_> = signals.iter().map(|one| (one.kind(), one.value())).collect();
        values.len() == signals.len()
    });
    let reference = option::of(parsed::<Reference>("[A-Za-z0-9._:/-]{1,64}"));
    (signals, one_of(BenignClass::ALL), reference)
        .prop_map(|(signals, class, reference)| Benign::new(signals, class, reference).unwrap())
}

fn incident_change() -> impl Strategy<Value = IncidentChange> {
    prop_oneof![
        (code(), any::<bool>(), timestamp()).prop_map(|(kind, is_drill, until)| IncidentChange::Open {
            kind,
            is_drill,
            until
        }),
        timestamp().prop_map(|until| IncidentChange::Extend { until }),
        Just(IncidentChange::Close),
    ]
}

fn hold_terms() -> impl Strategy<Value = HoldTerms> {
    let scope = prop_oneof![
        btree_set(entry_id(), 1..20).prop_map(|entries| HoldScope::Entries(entries.into_iter().collect())),
        code().prop_map(HoldScope::Incident),
        member_id().prop_map(HoldScope::Member),
    ];
    let authority = parsed::<Name>("[A-Za-z][A-Za-z .,'&()/_-]{0,70}[A-Za-z]");
    (scope, parsed::<Reference>("[A-Za-z0-9._:/-]{1,64}"), authority, timestamp())
        .prop_map(|(scope, reference, authority, until)| HoldTerms { scope, reference, authority, until })
}

/// Any hold.
pub fn hold() -> impl Strategy<Value = Hold> {
    (any::<u64>(), hold_terms(), timestamp(), key_id(), option::of(timestamp()))
        .prop_map(|(id, terms, placed, by, lifted)| Hold { id, terms, placed, by, lifted })
}

fn tally_cell() -> impl Strategy<Value = TallyCell> {
    (code(), one_of(SignalKind::ALL), one_of(Action::ALL), any::<u64>())
        .prop_map(|(label, kind, action, matches)| TallyCell { label, kind, action, matches })
}

/// Any fact of this kind.
pub fn fact_of(kind: EventKind) -> BoxedStrategy<Fact> {
    let request = || any::<[u8; 32]>().prop_map(RequestDigest);
    match kind {
        EventKind::Contributed => (request(), any::<u32>(), draft(), option::of(timestamp()))
            .prop_map(|(request, taxonomy, draft, lapses)| Fact::Contributed { request, taxonomy, draft, lapses })
            .boxed(),
        EventKind::Withdrawn => (entry_id(), one_of(WithdrawReason::ALL), request())
            .prop_map(|(entry, reason, request)| Fact::Withdrawn { entry, reason, request })
            .boxed(),
        EventKind::Expired => vec(entry_id(), 0..40).prop_map(|entries| Fact::Expired { entries }).boxed(),
        EventKind::Erased => (vec((entry_id(), any::<[u8; 32]>()), 0..20), vec(entry_id(), 0..20))
            .prop_map(|(erased, recounted)| {
                let erased = erased.into_iter().map(|(entry, hash)| Erased {
                    entry,
                    commitment: std::array::from_fn(|at| at.checked_sub(1).map_or(1, |at| hash[at])),
                });
                Fact::Erased { erased: erased.collect(), recounted }
            })
            .boxed(),
        EventKind::Remains => (request(), any::<u32>(), draft(), option::of(timestamp()), any::<bool>())
            .prop_map(|(request, taxonomy, draft, lapses, came_near_benign)| {
                Fact::Remains(Remains { came_near_benign, ..Remains::of(request, taxonomy, &draft, lapses) })
            })
            .boxed(),
        EventKind::HoldPlaced => hold_terms().prop_map(Fact::HoldPlaced).boxed(),
        EventKind::HoldLifted => any::<u64>().prop_map(|hold| Fact::HoldLifted { hold }).boxed(),
        EventKind::OutcomeReported => report().prop_map(Fact::OutcomeReported).boxed(),
        EventKind::Decided => (entry_id(), decision(), any::<bool>())
            .prop_map(|(entry, decision, is_enough)| Fact::Decided { entry, decision, is_enough })
            .boxed(),
        EventKind::AppealOpened => (entry_id(), one_of(AppealGround::ALL), note(), timestamp())
            .prop_map(|(entry, ground, note, deadline)| Fact::AppealOpened { entry, ground, note, deadline })
            .boxed(),
        EventKind::FloodSeen => (entry_id(), any::<u64>(), any::<u64>())
            .prop_map(|(entry, matches, usual)| Fact::FloodSeen { entry, matches, usual })
            .boxed(),
        EventKind::BenignAdded => benign().prop_map(Fact::BenignAdded).boxed(),
        EventKind::BenignRemoved => any::<u64>().prop_map(|benign| Fact::BenignRemoved { benign }).boxed(),
        EventKind::PolicySet => "(\\PC|\n){0,200}".prop_map(|text| Fact::PolicySet { text }).boxed(),
        EventKind::EntityDelisted => {
            parsed("[A-Za-z0-9._:/-]{1,64}").prop_map(|entity| Fact::EntityDelisted { entity }).boxed()
        }
        EventKind::IncidentChanged => (code(), incident_change(), any::<bool>())
            .prop_map(|(incident, change, is_enough)| Fact::IncidentChanged { incident, change, is_enough })
            .boxed(),
        EventKind::IncidentEnded => code().prop_map(|incident| Fact::IncidentEnded { incident }).boxed(),
        EventKind::MatchesTallied => (timestamp(), timestamp(), vec(tally_cell(), 0..20))
            .prop_map(|(since, until, cells)| Fact::MatchesTallied(Tally { since, until, cells }))
            .boxed(),
        EventKind::SampleDrawn => (any::<u64>(), any::<[u8; 32]>(), vec(entry_id(), 0..40))
            .prop_map(|(size, nonce, entries)| Fact::SampleDrawn(Sample { size, nonce, entries }))
            .boxed(),
        EventKind::SampleJudged => (any::<u64>(), entry_id(), one_of(SampleVerdict::ALL))
            .prop_map(|(sample, entry, verdict)| Fact::SampleJudged { sample, entry, verdict })
            .boxed(),
        EventKind::MemberEnrolled => member().prop_map(Fact::MemberEnrolled).boxed(),
        EventKind::MemberApproved => {
            let checklist = btree_set(one_of(ChecklistItem::ALL), 0..=ChecklistItem::ALL.len());
            (member_id(), one_of(Status::ALL), checklist, any::<bool>())
                .prop_map(|(member, to, checklist, is_enough)| Fact::MemberApproved {
                    member,
                    to,
                    checklist,
                    is_enough,
                })
                .boxed()
        }
        EventKind::MemberStatusSet => (member_id(), one_of(Status::ALL), one_of(StatusReason::ALL))
            .prop_map(|(member, status, reason)| Fact::MemberStatusSet { member, status, reason })
            .boxed(),
        EventKind::KeyIssued => key().prop_map(Fact::KeyIssued).boxed(),
        EventKind::KeyRotated => (key(), key_id(), timestamp())
            .prop_map(|(key, replaces, until)| Fact::KeyRotated { key, replaces, until })
            .boxed(),
        EventKind::KeyRevoked => key_id().prop_map(|key| Fact::KeyRevoked { key }).boxed(),
        EventKind::KeyCompromised => {
            (key_id(), timestamp()).prop_map(|(key, since)| Fact::KeyCompromised { key, since }).boxed()
        }
        EventKind::QuotaSet => {
            let of = prop_oneof![member_id().prop_map(Holder::Member), key_id().prop_map(Holder::Key)];
            (of, quota()).prop_map(|(of, quota)| Fact::QuotaSet { of, quota }).boxed()
        }
        EventKind::WalkSeen => one_of(WalkLevel::ALL).prop_map(|level| Fact::WalkSeen { level }).boxed(),
        EventKind::WalkCleared => member_id().prop_map(|member| Fact::WalkCleared { member }).boxed(),
        EventKind::AdminRefused => {
            let about = (option::of(member_id()), option::of(key_id()));
            (one_of(EventKind::ALL), about, one_of(RefusalReason::ALL), any::<u64>())
                .prop_map(|(attempted, (member, key), reason, count)| Fact::AdminRefused {
                    attempted,
                    member,
                    key,
                    reason,
                    count,
                })
                .boxed()
        }
        EventKind::NamesShown => Just(Fact::NamesShown).boxed(),
    }
}

/// Any fact, of every kind as often.
pub fn fact() -> impl Strategy<Value = Fact> {
    proptest::strategy::Union::new(EventKind::ALL.iter().map(|kind| fact_of(*kind)))
}

/// Any event.
pub fn event() -> impl Strategy<Value = Event> {
    let by =
        prop_oneof![Just(Actor::Hub), (member_id(), key_id()).prop_map(|(member, key)| Actor::Member { member, key }),];
    let request = option::of(parsed("[!-~]{1,64}"));
    (timestamp(), by, request, fact()).prop_map(|(at, by, request, fact)| Event { at, by, request, fact })
}

fn distance() -> impl Strategy<Value = Distance> {
    (0..=256u16).prop_map(Distance::new)
}

fn corroboration() -> impl Strategy<Value = Corroboration> {
    let whose = (entry_id(), member_id(), key_id());
    (whose, timestamp(), option::of(timestamp()), distance(), labels()).prop_map(
        |((entry, member, key), contributed, expires, distance, labels)| Corroboration {
            entry,
            member,
            key,
            contributed,
            expires,
            distance,
            labels,
        },
    )
}

fn opinion() -> impl Strategy<Value = Opinion> {
    (any::<u64>(), timestamp(), member_id(), one_of(Outcome::ALL), labels())
        .prop_map(|(event, at, member, outcome, labels)| Opinion { event, at, member, outcome, labels })
}

fn decided() -> impl Strategy<Value = Decided> {
    (decision(), any::<u64>(), timestamp(), vec(member_id(), 1..=2), key_id())
        .prop_map(|(decision, event, at, by, key)| Decided { decision, event, at, by, key })
}

/// Any state of an entry, of a few of everything.
pub fn entry_state() -> impl Strategy<Value = EntryState> {
    let withdrawn = (any::<u64>(), timestamp()).prop_map(|(event, at)| Withdrawal { event, at });
    let ends = (option::of(timestamp()), any::<[bool; 4]>(), option::of(withdrawn), option::of(any::<u64>()));
    let near = (any::<u64>(), any::<u64>(), distance());
    let near = near.prop_map(|(benign, event, distance)| NearBenign { benign, event, distance });
    let flood = (any::<u64>(), timestamp(), any::<u64>(), any::<u64>());
    let flood = flood.prop_map(|(event, at, matches, usual)| Flood { event, at, matches, usual });
    let said = (vec(corroboration(), 0..4), vec(opinion(), 0..4), option::of(near), option::of(flood));
    let appeals = vec((any::<u64>(), member_id()).prop_map(|(id, by)| Appealed { id, by }), 0..4);
    let confirmed = (any::<u64>(), timestamp(), vec(member_id(), 1..=2));
    let confirmed = confirmed.prop_map(|(event, at, by)| Confirmed { event, at, by });
    let ruled = (option::of(decided()), vec(decided(), 0..3), appeals, option::of(confirmed));
    (ends, said, ruled).prop_map(|(ends, said, ruled)| EntryState {
        expires: ends.0,
        is_excess: ends.1[0],
        came_near_benign: ends.1[1],
        is_crowded: ends.1[2],
        is_cut: ends.1[3],
        withdrawn: ends.2,
        erased: ends.3,
        corroboration: said.0,
        opinions: said.1,
        benign: said.2,
        flood: said.3,
        decided: ruled.0,
        proposed: ruled.1,
        appeals: ruled.2,
        confirmed: ruled.3,
    })
}

/// Any appeal.
pub fn appeal() -> impl Strategy<Value = Appeal> {
    let what = (any::<u64>(), entry_id(), member_id(), one_of(AppealGround::ALL));
    let course = (timestamp(), timestamp(), one_of(AppealState::ALL), option::of(any::<u64>()));
    (what, course).prop_map(|(what, course)| Appeal {
        id: what.0,
        entry: what.1,
        by: what.2,
        ground: what.3,
        opened: course.0,
        deadline: course.1,
        state: course.2,
        decided: course.3,
    })
}

/// Any incident.
pub fn incident() -> impl Strategy<Value = Incident> {
    let proposed = (incident_change(), key_id(), timestamp());
    let proposed = proposed.prop_map(|(change, by, at)| Proposed { change, by, at });
    let times = (option::of(timestamp()), timestamp(), option::of(timestamp()));
    (code(), code(), any::<bool>(), any::<u64>(), times, vec(proposed, 0..4)).prop_map(
        |(code, kind, is_drill, event, (opened, until, closed), proposed)| Incident {
            code,
            kind,
            is_drill,
            event,
            opened,
            until,
            closed,
            proposed,
        },
    )
}

/// Any sums.
pub fn trust() -> impl Strategy<Value = Trust> {
    (any::<u32>(), any::<[u64; 8]>()).prop_map(
        |(day, [good_milli, bad_milli, contributed, confirmed, objected, upheld, reversed, near_benign])| Trust {
            good_milli,
            bad_milli,
            day,
            contributed,
            confirmed,
            objected,
            upheld,
            reversed,
            near_benign,
        },
    )
}
