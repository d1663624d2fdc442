//! The worked example of `docs/ledger.md`: made by the program, and verified by hand as the page says, without it.

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signature, VerifyingKey};
use hashcommons::domain::{
    Action, Actor, Basis, Confidence, Draft, EntryId, Event, Fact, KeyId, Member, MemberId, Origin, Producer,
    Provenance, RequestDigest, Reviewers, Role, Roles, Signal, SignalKind, Tlp, WithdrawReason,
};
use hashcommons::ledger::record::encode_event;
use hashcommons::ledger::{
    Frontier, Leaf, Opening, Receipt, Salt, Signer, SigningKey, consistency_proof, inclusion_proof,
};
use sha2::{Digest, Sha256};

const TEST: &str = "ledger";
const RECEIPT: &str = "examples/receipt.tlog-proof";
const KEY: &str = "examples/ledger.pub";

/// A ledger of three events and the receipt of the second. Everything that a hub draws at random is fixed here.
struct Example {
    leaves: Vec<Leaf>,
    salt: [u8; 32],
    event: Vec<u8>,
    receipt: Receipt,
    key: String,
}

fn events() -> [Event; 3] {
    let at = |text: &str| text.parse().unwrap();
    let (operator, contributor) = (MemberId::from_bytes(*b"oper8"), MemberId::from_bytes(*b"contr"));
    let by = Actor::Member { member: contributor, key: KeyId::from_bytes(*b"key-1") };
    let enrolled = at("2026-11-22T12:00:00Z");
    let member = Member {
        duties: Roles::from([Role::Admin]),
        ..Member::new(operator, "Operator".parse().unwrap(), "ZZ".parse().unwrap(), enrolled)
    };
    let pdq = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22";
    let signal = Signal::from_hex(SignalKind::Pdq, pdq).unwrap().rated(Some(100)).unwrap();
    let provenance = Provenance {
        origin: Origin::Human,
        reviewers: Reviewers::TwoOrMore,
        basis: Basis::Behaviour,
        producer: Producer::Perpetrator,
        contexts: vec![],
        content_types: vec![],
        confidence: Confidence::new(95).unwrap(),
        tlp: Tlp::Amber,
        action_max: Action::Block,
        valid_until: None,
        supersedes: None,
        government_order: None,
    };
    let request = RequestDigest([3; 32]);
    let draft = Draft::new(vec![signal], vec!["graphic-violence".parse().unwrap()], provenance).unwrap();
    [
        Event { at: enrolled, by: Actor::Hub, request: None, fact: Fact::MemberEnrolled(member) },
        Event {
            at: at("2026-11-22T12:01:00Z"),
            by,
            request: None,
            fact: Fact::Contributed { request, taxonomy: 1, draft, lapses: None },
        },
        Event {
            at: at("2026-11-22T12:02:00Z"),
            by,
            request: None,
            fact: Fact::Withdrawn {
                entry: EntryId(1),
                reason: WithdrawReason::Outdated,
                request: RequestDigest([4; 32]),
            },
        },
    ]
}

fn example() -> Example {
    let key = SigningKey::from_secret("hub.example/ledger", &[7; 32]).unwrap();
    let public = key.verifier().to_string();
    let salts: Vec<[u8; 32]> = (1..=3).map(|n| [0x11 * n; 32]).collect();
    let records: Vec<_> = events().iter().map(encode_event).collect();
    let mut frontier = Frontier::empty();
    let mut nodes = std::collections::HashMap::new();
    let mut leaves = Vec::new();
    for (salt, record) in salts.iter().zip(&records) {
        let leaf = Leaf::commit(&Salt::from_bytes(*salt), record);
        frontier.append(leaf.hash(), |node, hash| {
            nodes.insert(node, hash);
        });
        leaves.push(leaf);
    }
    let fetch = |node| nodes.get(&node).copied().ok_or(());
    let grown = consistency_proof(0, 3, fetch).unwrap();
    let checkpoint = Signer::resume(key, None).unwrap().sign(3, frontier.root(), &grown).unwrap();
    let opening = Opening::Open { salt: Salt::from_bytes(salts[1]), event: records[1].clone() };
    let receipt = Receipt::new(opening, 1, inclusion_proof(1, 3, fetch).unwrap(), checkpoint).unwrap();
    Example { leaves, salt: salts[1], event: records[1].clone(), receipt, key: public }
}

/// What the page shows of the example.
fn page(example: &Example) -> String {
    let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
    let of = |n: usize| hex(&example.leaves[n].hash().to_bytes());
    let left = node(&example.leaves[0].hash().to_bytes(), &example.leaves[1].hash().to_bytes());
    let root = node(&left, &example.leaves[2].hash().to_bytes());
    let mut wrapped = hex(&example.event);
    for at in (1..wrapped.len() / 100 + 1).rev() {
        wrapped.insert_str(100 * at, "\n                    ");
    }
    format!(
        "```text\nsalt of event 1     {}\nevent 1             {wrapped}\nleaf 1              {}\n\nleaf hash 0         {}\nleaf hash 1         {}\n\
         leaf hash 2         {}\nnode over 0 and 1   {}\nroot of 3 leaves    {}\n```\n\nThe receipt, `docs/{RECEIPT}`:\n\n```text\n{}```\n\n\
         The ledger's public key, `docs/{KEY}`:\n\n```text\n{}\n```",
        hex(&example.salt),
        hex(&example.leaves[1].to_bytes()),
        of(0),
        of(1),
        of(2),
        hex(&left),
        hex(&root),
        example.receipt,
        example.key
    )
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Sha256::new(), |state, part| state.chain_update(part)).finalize().into()
}

fn node(left: &[u8], right: &[u8]) -> [u8; 32] {
    sha256(&[&[1], left, right])
}

/// The page's steps, in its order, with SHA-256, Ed25519 and base64 alone. What is not as it must be is `None`.
fn verify_by_hand(receipt: &str, key: &str) -> Option<Vec<u8>> {
    // 1. The receipt's parts.
    let (proof, checkpoint) = receipt.split_once("\n\n")?;
    let mut lines = proof.lines();
    (lines.next()? == "c2sp.org/tlog-proof@v1").then_some(())?;
    let opening = BASE64.decode(lines.next()?.strip_prefix("extra ")?.as_bytes()).ok()?;
    let index: u64 = lines.next()?.strip_prefix("index ")?.parse().ok()?;
    let siblings: Vec<_> = lines.map(|line| BASE64.decode(line.as_bytes()).ok()).collect::<Option<_>>()?;
    // 2. The checkpoint's signature.
    let (name, rest) = key.trim().split_once('+')?;
    let (_, public) = rest.split_once('+')?;
    let public = BASE64.decode(public.as_bytes()).ok()?;
    let key_id = &sha256(&[name.as_bytes(), b"\n", &public])[..4];
    let (text, signature) = checkpoint.split_once("\n\n")?;
    let signature = signature.trim_end().strip_prefix(&format!("\u{2014} {name} "))?;
    let signature = BASE64.decode(signature.as_bytes()).ok()?;
    (signature.get(..4)? == key_id && public[0] == 1).then_some(())?;
    let verifier = VerifyingKey::from_bytes(public[1..].try_into().ok()?).ok()?;
    verifier.verify_strict(format!("{text}\n").as_bytes(), &Signature::from_slice(&signature[4..]).ok()?).ok()?;
    // 3. What it says.
    let [origin, size, root] = text.lines().collect::<Vec<_>>()[..] else { return None };
    let size: u64 = size.parse().ok()?;
    (origin == name && index < size).then_some(())?;
    // 4. The leaf.
    (opening[0] == 1).then_some(())?;
    let (salt, event) = opening[1..].split_at_checked(32)?;
    let leaf = [&[1][..], &sha256(&[b"hashcommons/v1/leaf\n", salt, event])].concat();
    // 5. Up to the root (RFC 9162, section 2.1.3.2).
    let (mut at, mut last, mut hash) = (index, size - 1, sha256(&[&[0], &leaf]));
    for sibling in &siblings {
        (last > 0).then_some(())?;
        if at % 2 == 1 || at == last {
            hash = node(sibling, &hash);
            while at % 2 == 0 && at > 0 {
                (at, last) = (at / 2, last / 2);
            }
        } else {
            hash = node(&hash, sibling);
        }
        (at, last) = (at / 2, last / 2);
    }
    (last == 0 && BASE64.encode(&hash) == root).then(|| event.to_vec())
}

#[test]
fn the_pages_example_is_what_the_program_makes() {
    let example = example();
    crate::generated::file(RECEIPT, &example.receipt.to_string());
    crate::generated::file(KEY, &format!("{}\n", example.key));
    crate::generated::part("ledger.md", TEST, &page(&example));
}

#[test]
fn the_example_verifies_by_the_program_and_by_hand_without_it() {
    let read = |name: &str| std::fs::read_to_string(crate::generated::docs(name)).unwrap();
    let (receipt, key) = (read(RECEIPT), read(KEY));
    let parsed: Receipt = receipt.parse().unwrap();
    let verified = parsed.verify(&key.trim().parse().unwrap()).unwrap();
    assert_eq!(verified.event(), Some(&encode_event(&events()[1])[..]));
    assert_eq!(verify_by_hand(&receipt, &key).as_deref(), verified.event());
}

#[test]
fn the_example_with_any_one_character_changed_verifies_by_neither() {
    let example = example();
    let (text, key) = (example.receipt.to_string(), example.key.parse().unwrap());
    for at in (0..text.len()).filter(|at| text.is_char_boundary(*at) && text.as_bytes()[*at].is_ascii_alphanumeric()) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(verify_by_hand(&changed, &example.key), None, "character {at}");
        let by_program = changed.parse::<Receipt>().is_ok_and(|receipt| receipt.verify(&key).is_ok());
        assert!(!by_program, "character {at}");
    }
}
