use proptest::prelude::*;

use super::*;
use crate::domain::testing::{appeal, entry_state, event, hold, incident, trust};
use crate::domain::{Action, Sample, Tally, TallyCell};
use crate::ledger::EVENT_BYTES_MAX;

proptest! {
    #[test]
    fn an_event_reads_back_from_its_record_and_a_receipt_has_room_for_it(event in event()) {
        let bytes = encode_event(&event);
        prop_assert!(bytes.len() <= EVENT_BYTES_MAX);
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

    #[test]
    fn a_row_about_standing_reads_back_as_what_it_was(
        (state, appeal, incident, trust, hold) in (entry_state(), appeal(), incident(), trust(), hold()),
    ) {
        prop_assert_eq!(decode_hold(hold.id, &encode_hold(&hold)).unwrap(), hold);
        prop_assert_eq!(decode_entry_state(&encode_entry_state(&state)).unwrap(), state);
        prop_assert_eq!(decode_appeal(appeal.id, &encode_appeal(&appeal)).unwrap(), appeal);
        prop_assert_eq!(decode_incident(&encode_incident(&incident)).unwrap(), incident);
        prop_assert_eq!(decode_trust(&encode_trust(&trust)).unwrap(), trust);
    }

    #[test]
    fn damaged_rows_about_standing_are_errors_never_panics(
        (state, incident) in (entry_state(), incident()),
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        let mut rows = [encode_entry_state(&state), encode_incident(&incident)];
        for row in rows.iter_mut().filter(|row| !row.is_empty()) {
            let at = at.index(row.len());
            row[at] ^= 1 << bit;
            let _ = (decode_entry_state(row), decode_appeal(0, row), decode_incident(row), decode_trust(row));
        }
    }
}

/// The longest events are not those that are drawn at random.
#[test]
fn a_receipt_has_room_for_a_whole_policy_and_for_thousands_of_entries_that_expire_at_once() {
    let event = |fact| {
        let by = Actor::Member { member: MemberId::from_bytes([255; 5]), key: KeyId::from_bytes([255; 5]) };
        Event { at: Timestamp::MAX, by, request: Some("x".repeat(64).parse().unwrap()), fact }
    };
    let policy = event(Fact::PolicySet { text: "#".repeat(16 << 10) });
    let expired = event(Fact::Expired { entries: vec![EntryId(u64::MAX); 6_500] });
    let cell = TallyCell {
        label: "x".repeat(48).parse().unwrap(),
        kind: SignalKind::Sha256,
        action: Action::BlockPendingReview,
        matches: u64::MAX,
    };
    let cells = vec![cell; Tally::CELLS_MAX];
    let tallied = event(Fact::MatchesTallied(Tally { since: Timestamp::MAX, until: Timestamp::MAX, cells }));
    let entries = vec![EntryId(u64::MAX); Sample::ENTRIES_MAX];
    let drawn = event(Fact::SampleDrawn(Sample { size: u64::MAX, nonce: [255; 32], entries }));
    for longest in [policy, expired, tallied, drawn] {
        let bytes = encode_event(&longest);
        assert!(bytes.len() <= EVENT_BYTES_MAX, "{}", bytes.len());
        assert_eq!(decode_event(&bytes).unwrap(), longest);
    }
}
