use proptest::prelude::*;

use super::*;
use crate::domain::testing::{draft, timestamp};
use crate::domain::{ChecklistItem, EventKind, RefusalReason, Role, StatusReason, WalkLevel, WithdrawReason};

fn fact() -> impl Strategy<Value = Fact> {
    let member = |bytes: [u8; 5]| Member {
        control_group: bytes[0].is_multiple_of(2).then(|| "example-holding".parse().unwrap()),
        status: Status::ALL[usize::from(bytes[1]) % Status::ALL.len()],
        duties: Roles::from([Role::Reviewer]),
        ..Member::new(MemberId::from_bytes(bytes), "Example".parse().unwrap(), "NZ".parse().unwrap(), Timestamp::EPOCH)
    };
    let checklist = |bits: u8| ChecklistItem::ALL.iter().copied().filter(move |item| bits & 1 << *item as u8 != 0);
    let key = |(bytes, mac, label): ([u8; 5], [u8; 32], bool)| Key {
        label: label.then(|| "Example".parse().unwrap()),
        issued_by: label.then_some(KeyId::from_bytes([7; 5])),
        expires: label.then_some(Timestamp::MAX),
        networks: ["192.0.2.0/24", "2001:db8::1"]
            .iter()
            .take(bytes[0] as usize % 3)
            .map(|n| n.parse().unwrap())
            .collect(),
        ..Key::new(
            KeyId::from_bytes(bytes),
            MemberId::from_bytes(bytes),
            Roles::from([Role::Admin, Role::Auditor]),
            if label {
                Credential::Secret(KeyMac(mac))
            } else {
                Credential::Certificate(SpkiFingerprint::from_bytes(mac))
            },
            Timestamp::EPOCH,
        )
    };
    prop_oneof![
        (any::<[u8; 32]>(), any::<u32>(), draft()).prop_map(|(request, taxonomy, draft)| Fact::Contributed {
            request: RequestDigest(request),
            taxonomy,
            draft
        }),
        any::<(u64, [u8; 32])>().prop_map(|(entry, request)| Fact::Withdrawn {
            entry: EntryId(entry),
            reason: WithdrawReason::Mistake,
            request: RequestDigest(request)
        }),
        any::<[u8; 5]>().prop_map(move |bytes| Fact::MemberEnrolled(member(bytes))),
        (any::<[u8; 5]>(), any::<u8>(), any::<bool>()).prop_map(move |(bytes, bits, is_enough)| {
            let to = Status::ALL[usize::from(bits) % Status::ALL.len()];
            let member = MemberId::from_bytes(bytes);
            Fact::MemberApproved { member, to, checklist: checklist(bits).collect(), is_enough }
        }),
        any::<([u8; 5], u8)>().prop_map(|(bytes, which)| Fact::MemberStatusSet {
            member: MemberId::from_bytes(bytes),
            status: Status::Suspended,
            reason: StatusReason::ALL[usize::from(which) % StatusReason::ALL.len()],
        }),
        any::<([u8; 5], [u8; 32], bool)>().prop_map(move |parts| Fact::KeyIssued(key(parts))),
        any::<([u8; 5], [u8; 32], bool)>().prop_map(move |parts| Fact::KeyRotated {
            key: key(parts),
            replaces: KeyId::from_bytes([3; 5]),
            until: Timestamp::MAX
        }),
        (any::<[u8; 5]>(), timestamp())
            .prop_map(|(bytes, since)| Fact::KeyCompromised { key: KeyId::from_bytes(bytes), since }),
        any::<[u8; 5]>().prop_map(|bytes| Fact::KeyRevoked { key: KeyId::from_bytes(bytes) }),
        any::<([u8; 5], bool, Option<u32>, Option<u32>)>().prop_map(|(bytes, is_key, checks, streams)| {
            Fact::QuotaSet {
                of: if is_key {
                    Holder::Key(KeyId::from_bytes(bytes))
                } else {
                    Holder::Member(MemberId::from_bytes(bytes))
                },
                quota: Quota {
                    checks_per_second: checks,
                    media_bytes_per_second: streams,
                    contributions_per_day: checks,
                    streams,
                },
            }
        }),
        any::<(u8, Option<[u8; 5]>, Option<[u8; 5]>, u64)>().prop_map(|(which, member, key, count)| {
            Fact::AdminRefused {
                attempted: EventKind::ALL[usize::from(which) % EventKind::ALL.len()],
                member: member.map(MemberId::from_bytes),
                key: key.map(KeyId::from_bytes),
                reason: RefusalReason::ALL[usize::from(which) % RefusalReason::ALL.len()],
                count,
            }
        }),
        Just(Fact::NamesShown),
        any::<usize>().prop_map(|which| Fact::WalkSeen { level: WalkLevel::ALL[which % WalkLevel::ALL.len()] }),
        any::<[u8; 5]>().prop_map(|bytes| Fact::WalkCleared { member: MemberId::from_bytes(bytes) }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let by = prop_oneof![
        Just(Actor::Hub),
        any::<([u8; 5], [u8; 5])>().prop_map(|(member, key)| Actor::Member {
            member: MemberId::from_bytes(member),
            key: KeyId::from_bytes(key)
        }),
    ];
    let request = proptest::option::of("[!-~]{1,64}".prop_map(|text| text.parse().unwrap()));
    (timestamp(), by, request, fact()).prop_map(|(at, by, request, fact)| Event { at, by, request, fact })
}

proptest! {
    #[test]
    fn an_event_reads_back_from_its_record_and_a_receipt_has_room_for_it(event in event()) {
        let bytes = encode_event(&event);
        prop_assert!(bytes.len() <= crate::ledger::EVENT_BYTES_MAX);
        prop_assert_eq!(decode_event(&bytes).unwrap(), event);
    }

    #[test]
    fn damaged_records_are_errors_never_panics(event in event(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut bytes = encode_event(&event);
        let at = at.index(bytes.len());
        let _ = decode_event(&bytes[..at]);
        bytes[at] ^= 1 << bit;
        if let Ok(other) = decode_event(&bytes) {
            prop_assert!(other != event || encode_event(&other) != bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_are_not_events(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_event(&bytes);
    }
}
