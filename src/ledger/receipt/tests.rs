use proptest::prelude::*;

use super::super::key::SigningKey;
use super::super::note::{Note, SignatureError};
use super::super::testing::{Log, path, signing_key};
use super::*;

const ORIGIN: &str = "example.org/ledger";

fn salt_of(index: u64) -> Salt {
    Salt::from_bytes([index as u8; 32])
}

fn event_of(index: u64) -> Vec<u8> {
    format!("event {index}").into_bytes()
}

/// A ledger of `size` events.
fn ledger(size: u64) -> Log {
    let mut log = Log::default();
    for index in 0..size {
        log.push_hash(Leaf::commit(&salt_of(index), &event_of(index)).hash());
    }
    log
}

/// The open receipt for one of its events.
fn receipt(index: u64, size: u64) -> Receipt {
    let log = ledger(size);
    let checkpoint = SignedCheckpoint::sign(&signing_key(ORIGIN), size, log.frontier.root()).unwrap();
    let opening = Opening::Open { salt: salt_of(index), event: event_of(index) };
    Receipt::new(opening, index, path(index as usize, &log.leaves), checkpoint).unwrap()
}

fn key() -> VerifierKey {
    signing_key(ORIGIN).verifier().clone()
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

#[test]
fn a_receipt_is_the_text_that_its_documentation_shows() {
    // The base64 of the opening is that of 01, 32 times 01, "event 1".
    let receipt = receipt(1, 3);
    let expected = format!(
        "c2sp.org/tlog-proof@v1\n\
         extra AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBZXZlbnQgMQ==\n\
         index 1\n\
         {}\n{}\n\
         \n\
         {}",
        ledger(3).leaves[0],
        ledger(3).leaves[2],
        receipt.checkpoint
    );
    assert_eq!(receipt.to_string(), expected);
    assert_eq!(expected.parse(), Ok(receipt));
}

#[test]
fn a_receipt_for_every_event_of_small_ledgers_reads_back_and_proves_it_open_or_sealed() {
    for size in 1..=33 {
        for index in 0..size {
            let open: Receipt = receipt(index, size).to_string().parse().unwrap();
            let verified = open.verify(&key()).unwrap();
            assert_eq!(verified.index(), index);
            assert_eq!(verified.event(), Some(event_of(index).as_slice()));
            assert_eq!(verified.checkpoint().size(), size);
            assert!(verified.leaf().opens(&salt_of(index), &event_of(index)));

            let sealed: Receipt = open.clone().seal().to_string().parse().unwrap();
            let resealed = sealed.verify(&key()).unwrap();
            assert_eq!((resealed.event(), resealed.leaf()), (None, verified.leaf()));
        }
    }
}

#[test]
fn a_sealed_receipt_holds_neither_salt_nor_event() {
    let sealed = receipt(1, 3).seal();
    assert_eq!(sealed.opening.encode().len(), 1 + Leaf::BYTES);
    assert!(matches!(sealed.opening, Opening::Sealed(_)));
}

#[test]
fn changing_any_one_bit_of_a_receipts_text_makes_it_unreadable_or_false() {
    for (index, size) in [(0, 1), (1, 2), (2, 3), (3, 5)] {
        for receipt in [receipt(index, size), receipt(index, size).seal()] {
            let text = receipt.to_string();
            assert!(receipt.verify(&key()).is_ok());
            for bit in 0..8 * text.len() {
                let Ok(altered) = String::from_utf8(flipped(text.as_bytes(), bit)) else { continue };
                if let Ok(read) = altered.parse::<Receipt>() {
                    assert!(read.verify(&key()).is_err(), "bit {bit}:\n{altered}");
                }
            }
        }
    }
}

#[test]
fn changing_any_one_bit_of_a_receipts_values_makes_it_false() {
    for (index, size) in [(0, 1), (0, 2), (1, 3), (4, 5), (5, 7)] {
        let good = receipt(index, size);
        assert!(good.verify(&key()).is_ok());
        let fails = |altered: Receipt| {
            assert_ne!(altered, good);
            assert!(altered.verify(&key()).is_err(), "{altered}");
            assert!(altered.seal().verify(&key()).is_err());
        };
        let (salt, event) = (salt_of(index), event_of(index));
        for bit in 0..8 * 32 {
            let salt = Salt::from_bytes(flipped(&salt.to_bytes(), bit).try_into().unwrap());
            fails(Receipt { opening: Opening::Open { salt, event: event.clone() }, ..good.clone() });
        }
        for bit in 0..8 * event.len() {
            let event = flipped(&event, bit);
            fails(Receipt { opening: Opening::Open { salt, event }, ..good.clone() });
        }
        for bit in 0..8 * Leaf::BYTES {
            if let Ok(leaf) = Leaf::from_bytes(&flipped(&good.opening.leaf().to_bytes(), bit)) {
                fails(Receipt { opening: Opening::Sealed(leaf), ..good.clone() });
            }
        }
        for bit in 0..64 {
            fails(Receipt { index: index ^ (1 << bit), ..good.clone() });
        }
        for at in 0..good.proof.len() {
            for bit in 0..8 * 32 {
                let mut proof = good.proof.clone();
                proof[at] = Hash::from_bytes(flipped(&proof[at].to_bytes(), bit).try_into().unwrap());
                fails(Receipt { proof, ..good.clone() });
            }
            let mut proof = good.proof.clone();
            proof.remove(at);
            fails(Receipt { proof, ..good.clone() });
        }
        fails(Receipt { proof: [&good.proof[..], &[Hash::empty_tree()]].concat(), ..good.clone() });
    }
}

#[test]
fn each_step_that_fails_is_named() {
    let good = receipt(1, 3);
    let told = |receipt: &Receipt, key: &VerifierKey| receipt.verify(key).unwrap_err().to_string();

    let elsewhere = Receipt { opening: receipt(2, 3).opening, ..good.clone() };
    assert_eq!(told(&elsewhere, &key()), "the proof does not lead from this leaf to the checkpoint's root");

    let outside = Receipt { index: 3, ..good.clone() };
    assert_eq!(told(&outside, &key()), "there is no leaf 3 in a tree of 3 leaves");

    let short = Receipt { proof: vec![], ..good.clone() };
    let message = "the proof has 0 hashes, which is not what leaf 1 in a tree of 3 leaves calls for";
    assert_eq!(told(&short, &key()), message);

    let other = SigningKey::from_secret(ORIGIN, &[99; 32]).unwrap();
    assert_eq!(told(&good, other.verifier()), "the checkpoint is not signed by this log");

    let mut later: Receipt = good.to_string().replace("\n3\n", "\n4\n").parse().unwrap();
    let wrong = CheckpointError::Signature(SignatureError::Wrong(ORIGIN.to_owned()));
    assert_eq!(later.verify(&key()).unwrap_err(), ReceiptError::Checkpoint(wrong));

    let text = format!("example.org/other\n3\n{}\n", ledger(3).frontier.root());
    later.checkpoint = Note::sign(&text, &signing_key(ORIGIN)).unwrap().to_string().parse().unwrap();
    let message = "the checkpoint is of the log example.org/other, not of example.org/ledger";
    assert_eq!(told(&later, &key()), message);
}

#[test]
fn cosignatures_of_witnesses_stay_in_a_receipt_and_do_not_disturb_it() {
    let text = format!("{}\u{2014} witness.example {}\n", receipt(1, 3), BASE64.encode(&[9; 76]));
    let read: Receipt = text.parse().unwrap();
    assert!(read.verify(&key()).is_ok());
    assert_eq!(read.to_string(), text);
}

#[test]
fn text_that_is_not_exactly_a_receipt_is_refused_with_the_line_that_is_wrong() {
    let good = receipt(1, 3).to_string();
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    let error = |text: &str| text.parse::<Receipt>().unwrap_err();
    let wrong_line = |text: &str| match error(text) {
        ReceiptTextError::Line { line, .. } => line,
        other => panic!("{other}: {text}"),
    };
    assert_eq!(lines.len(), 11, "header, extra, index, two hashes, empty, three of the checkpoint, empty, signature");

    // Up to the empty line every line that is missing or doubled is noticed where the next is expected.
    for (at, line) in [(0, 1), (1, 2), (2, 3), (5, 6)] {
        let without = [&lines[..at], &lines[at + 1..]].concat().concat();
        assert_eq!(wrong_line(&without), line, "without line {}", at + 1);
    }
    for (at, line) in [(0, 2), (1, 3), (2, 4)] {
        let doubled = [&lines[..=at], &lines[at..]].concat().concat();
        assert_eq!(wrong_line(&doubled), line, "line {} twice", at + 1);
    }
    // A doubled empty line, and doubled lines of the checkpoint, leave no checkpoint; a doubled signature no proof.
    for at in 5..10 {
        let doubled = [&lines[..=at], &lines[at..]].concat().concat();
        assert!(matches!(error(&doubled), ReceiptTextError::Checkpoint(_)), "line {} twice", at + 1);
    }
    let doubled: Receipt = format!("{good}{}", lines[10]).parse().unwrap();
    let repeated = CheckpointError::Signature(SignatureError::Repeated(ORIGIN.to_owned()));
    assert_eq!(doubled.verify(&key()).unwrap_err(), ReceiptError::Checkpoint(repeated));
    // So do doubled or missing hashes.
    for at in [3, 4] {
        let doubled: Receipt = [&lines[..=at], &lines[at..]].concat().concat().parse().unwrap();
        assert!(matches!(doubled.verify(&key()), Err(ReceiptError::Inclusion(InclusionError::Length { .. }))));
    }

    assert_eq!(wrong_line(""), 1);
    assert_eq!(wrong_line(&good.replace('\n', "\r\n")), 1);
    assert_eq!(wrong_line(&good.replace("@v1", "@v2")), 1);
    assert_eq!(wrong_line(&format!("\n{good}")), 1);
    assert_eq!(wrong_line(&good.replace("extra ", "extra  ")), 2);
    assert_eq!(wrong_line(&good.replace("MQ==\n", "MQ==MQ==\n")), 2);
    let leaf = Leaf::commit(&salt_of(1), b"").to_bytes();
    for opening in [
        &[][..],
        &[2; 34],                              // no such kind
        &[OPEN; 32],                           // a salt cut short
        &[&[SEALED][..], &leaf[1..]].concat(), // a leaf without its version
        &[&[SEALED][..], &leaf, &[0]].concat(),
        &[&[SEALED, 2][..], &leaf[1..]].concat(),
    ] {
        let extra = format!("extra {}\n", BASE64.encode(opening));
        assert_eq!(wrong_line(&good.replace(lines[1], &extra)), 2, "{opening:?}");
    }
    assert_eq!(wrong_line(&good.replace("index 1", "index 01")), 3);
    assert_eq!(wrong_line(&good.replace("index 1", "index +1")), 3);
    assert_eq!(wrong_line(&good.replace("index 1", "index 1 ")), 3);
    assert_eq!(wrong_line(&good.replace("index 1", "index 18446744073709551616")), 3);
    assert_eq!(wrong_line(&good.replace(lines[3], &format!(" {}", lines[3]))), 4);
    for trailing in ["\n", " ", "x", "trailing garbage\n"] {
        assert!(matches!(error(&format!("{good}{trailing}")), ReceiptTextError::Checkpoint(_)), "{trailing:?}");
    }
    assert!(matches!(error(good.trim_end()), ReceiptTextError::Checkpoint(_)));
}

#[test]
fn events_and_proofs_are_taken_up_to_their_limits_and_not_beyond() {
    let good = receipt(1, 3);
    let with = |bytes, hashes| {
        let opening = Opening::Open { salt: salt_of(1), event: vec![b'e'; bytes] };
        Receipt::new(opening, 1, vec![Hash::empty_tree(); hashes], good.checkpoint.clone())
    };
    let largest = with(EVENT_BYTES_MAX, PROOF_HASHES_MAX).unwrap();
    assert_eq!(largest.to_string().parse(), Ok(largest));
    assert_eq!(with(EVENT_BYTES_MAX + 1, 0), Err(ReceiptLimitError::Event(EVENT_BYTES_MAX + 1)));
    assert_eq!(with(0, PROOF_HASHES_MAX + 1), Err(ReceiptLimitError::Proof(PROOF_HASHES_MAX + 1)));

    // The same for text that did not come out of `new`.
    let beyond = |bytes, hashes| {
        let opening = Opening::Open { salt: salt_of(1), event: vec![b'e'; bytes] };
        let proof = vec![Hash::empty_tree(); hashes];
        Receipt { opening, proof, ..good.clone() }.to_string().parse::<Receipt>().unwrap_err()
    };
    for bytes in EVENT_BYTES_MAX + 1..EVENT_BYTES_MAX + 9 {
        let refused = beyond(bytes, 0);
        assert!(matches!(refused, ReceiptTextError::Limit(_) | ReceiptTextError::Line { line: 2, .. }), "{refused}");
    }
    let limit = ReceiptTextError::Limit(ReceiptLimitError::Proof(PROOF_HASHES_MAX + 1));
    assert_eq!(beyond(0, PROOF_HASHES_MAX + 1), limit);
    assert_eq!(beyond(0, 10_000), limit);
}

#[test]
fn debug_shows_neither_event_nor_salt() {
    let opening = Opening::Open { salt: salt_of(1), event: b"event".to_vec() };
    assert_eq!(format!("{opening:?}"), "Open(5 bytes)");
}

fn openings() -> impl Strategy<Value = Opening> {
    let open = |(salt, event)| Opening::Open { salt: Salt::from_bytes(salt), event };
    let sealed = |(salt, event): ([u8; 32], Vec<u8>)| Opening::Sealed(Leaf::commit(&Salt::from_bytes(salt), &event));
    prop_oneof![any::<([u8; 32], Vec<u8>)>().prop_map(open), any::<([u8; 32], Vec<u8>)>().prop_map(sealed)]
}

proptest! {
    #[test]
    fn the_text_of_any_receipt_reads_back(
        opening in openings(),
        index: u64,
        proof in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash::from_bytes), 0..=PROOF_HASHES_MAX),
    ) {
        let receipt = Receipt::new(opening, index, proof, receipt(0, 1).checkpoint).unwrap();
        prop_assert_eq!(receipt.to_string().parse(), Ok(receipt));
    }

    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_prints_the_same(
        text in "(?s).*",
        cut in any::<prop::sample::Index>(),
        index in 0_u64..4,
    ) {
        let _ = text.parse::<Receipt>();
        // Close to a receipt, so that every line's reader gets its share.
        let good = receipt(index, 4).to_string();
        let mut at = cut.index(good.len());
        while !good.is_char_boundary(at) { at -= 1 }
        for spliced in [format!("{}{text}{}", &good[..at], &good[at..]), format!("{}{text}", &good[..at])] {
            if let Ok(read) = spliced.parse::<Receipt>() {
                prop_assert_eq!(read.to_string(), spliced);
            }
        }
    }
}
