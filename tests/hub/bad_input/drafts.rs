//! Bad contributions, withdrawals and traces.

use hashcommons::wire::v1::{self, SignalKind, basis};
use prost_types::Timestamp;
use tonic::Code;

use super::calls::{trace, withdraw};
use super::{Row, Scene, bad, first_draft};
use crate::items::{signal, some};
use crate::support::{contribution, pdq};

pub fn rows(scene: &Scene) -> Vec<Row> {
    [signals(), labels(), provenance(scene), bases(), requests(), entries(scene)].concat()
}

/// A contribution that is as it must be but for `spoil`.
fn but(spoil: impl FnOnce(&mut v1::Draft), message: &str) -> Row {
    let mut draft = first_draft();
    spoil(&mut draft);
    bad(contribution("bad", draft), &format!("draft.{message}"))
}

fn with_signals(signals: Vec<v1::Signal>, message: &str) -> Row {
    but(|draft| draft.signals = signals, message)
}

fn with(spoil: impl FnOnce(&mut v1::Provenance), message: &str) -> Row {
    but(|draft| spoil(draft.provenance.as_mut().unwrap()), &format!("provenance.{message}"))
}

fn signals() -> Vec<Row> {
    use SignalKind::{Dhash, Md5, Pdq, Phash, Sha256};
    let value = pdq(1).value;
    let quality = |signal: v1::Signal, quality| v1::Signal { quality: Some(quality), ..signal };
    vec![
        with_signals(vec![], "signals: must be 1 to 16, got 0"),
        with_signals((0..17).map(pdq).collect(), "signals: must be 1 to 16, got 17"),
        with_signals(vec![pdq(1), pdq(2), pdq(1)], "signals[2]: is the same as signals[0]"),
        with_signals(vec![pdq(1), quality(pdq(1), 60)], "signals[1]: is the same as signals[0]"),
        with_signals(vec![pdq(1), signal(Pdq, &value.to_uppercase())], "signals[1]: is the same as signals[0]"),
        with_signals(vec![signal(Pdq, &value[1..])], "signals[0].value: must be 64 hex digits, got 63"),
        with_signals(vec![signal(Pdq, &format!("{value}0"))], "signals[0].value: must be 64 hex digits, got 65"),
        with_signals(vec![signal(Sha256, &value[..32])], "signals[0].value: must be 64 hex digits, got 32"),
        with_signals(vec![signal(Md5, &value)], "signals[0].value: must be 32 hex digits, got 64"),
        with_signals(vec![signal(Phash, &value[..15])], "signals[0].value: must be 16 hex digits, got 15"),
        with_signals(vec![signal(Dhash, "")], "signals[0].value: must be 16 hex digits, got 0"),
        with_signals(
            vec![pdq(2), signal(Pdq, &format!("{}g", &value[1..]))],
            "signals[1].value: must be 64 hex digits, but character 64 is not one",
        ),
        with_signals(
            vec![signal(Phash, &format!("+{}", &value[..15]))],
            "signals[0].value: must be 16 hex digits, but character 1 is not one",
        ),
        with_signals(
            vec![signal(Phash, &format!("0x{}", &value[..14]))],
            "signals[0].value: must be 16 hex digits, but character 2 is not one",
        ),
        with_signals(
            vec![signal(Phash, &format!("é{}", &value[..15]))],
            "signals[0].value: must be 16 hex digits, but character 1 is not one",
        ),
        with_signals(
            vec![v1::Signal { kind: 99, ..pdq(1) }],
            "signals[0].kind: must be one of pdq, phash, dhash, md5, sha256, got 99",
        ),
        with_signals(
            vec![v1::Signal { kind: 0, ..pdq(1) }],
            "signals[0].kind: must be one of pdq, phash, dhash, md5, sha256, got nothing",
        ),
        with_signals(vec![quality(pdq(1), 101)], "signals[0].quality: must be 0 to 100, got 101"),
        with_signals(vec![quality(pdq(1), u32::MAX)], "signals[0].quality: must be 0 to 100, got 4294967295"),
        with_signals(vec![quality(some(Md5, 1), 100)], "signals[0].quality: only pdq has one, not md5"),
        with_signals(vec![quality(some(Dhash, 1), 100)], "signals[0].quality: only pdq has one, not dhash"),
    ]
}

fn labels() -> Vec<Row> {
    let labels = |labels: &[&str], message: &str| {
        but(|draft| draft.labels = labels.iter().map(ToString::to_string).collect(), message)
    };
    let nine: Vec<_> = (0..9).map(|n| format!("incident-{n}")).collect();
    let nine: Vec<_> = nine.iter().map(String::as_str).collect();
    vec![
        labels(&[], "labels: must be 1 to 8, got 0"),
        labels(&nine, "labels: must be 1 to 8, got 9"),
        labels(&["glorification", "no-such-label"], "labels[1]: unknown code `no-such-label`: must be one of "),
        labels(&["incident-"], "labels[0]: unknown code `incident-`: must be one of "),
        labels(&["glorification", "glorification"], "labels: `glorification` is given twice"),
        labels(&["Glorification"], "labels[0]: must be 1 to 48 characters of a-z, 0-9 and `-`"),
        labels(&[""], "labels[0]: must be 1 to 48 characters"),
        labels(&[&format!("incident-{}", "x".repeat(40))], "labels[0]: must be 1 to 48 characters"),
    ]
}

fn provenance(scene: &Scene) -> Vec<Row> {
    let until = |seconds, nanos, message: &str| with(|p| p.valid_until = Some(Timestamp { seconds, nanos }), message);
    let now = hashcommons::domain::Clock::now(&*scene.hub.clock).millis() as i64 / 1_000;
    let in_1970 = "valid_until: must be a UTC time from 1970 to 9999";
    let order = |jurisdiction: &str, date: &str, message: &str| {
        let order = v1::GovernmentOrder { jurisdiction: jurisdiction.to_owned(), date: date.to_owned() };
        with(|p| p.government_order = Some(order), &format!("government_order.{message}"))
    };
    let types = |types: &[&str], message: &str| {
        with(|p| p.content_types = types.iter().map(ToString::to_string).collect(), message)
    };
    vec![
        but(|draft| draft.provenance = None, "provenance: is required"),
        with(|p| p.origin = 0, "origin: must be one of human, automated, uncertain, got nothing"),
        with(|p| p.origin = 4, "origin: must be one of human, automated, uncertain, got 4"),
        with(|p| p.reviewers = 0, "reviewers: must be one of 0, 1, 2+, got nothing"),
        with(
            |p| p.producer = -1,
            "producer: must be one of perpetrator, accomplice, bystander, media, unknown, got -1",
        ),
        with(|p| p.tlp = 0, "tlp: must be one of TLP:CLEAR, "),
        with(|p| p.action_max = 0, "action_max: must be one of log-only, "),
        with(|p| p.confidence = None, "confidence: is required"),
        with(|p| p.confidence = Some(101), "confidence: must be 0 to 100, got 101"),
        with(|p| p.contexts = vec![1, 0], "contexts[1]: must be one of news, "),
        with(|p| p.contexts = vec![1, 2, 1], "contexts: `news` is given twice"),
        with(|p| p.contexts = vec![1; 7], "contexts: must be at most 6, got 7"),
        types(&["no-such-type"], "content_types[0]: unknown code `no-such-type`: must be one of "),
        types(&["propaganda-image"; 2], "content_types: `propaganda-image` is given twice"),
        types(&["propaganda-image"; 9], "content_types: must be at most 8, got 9"),
        until(now, 0, "valid_until: must be in the future, got 2026-11-22T12:00:00.000Z"),
        until(now - 1, 999_000_000, "valid_until: must be in the future"),
        until(now, 999_999, "valid_until: must be in the future"),
        until(-1, 0, in_1970),
        until(now + 60, -1, in_1970),
        until(now + 60, 1_000_000_000, in_1970),
        until(253_402_300_800, 0, in_1970),
        until(i64::MAX, 0, in_1970),
        order("nz", "2026-11-22", "jurisdiction: must be an ISO 3166-1 code of two capital letters"),
        order("NZ", "22.11.2026", "date: must be a date as in 2026-11-22"),
        order("NZ", "2026-02-30", "date: must be a date as in 2026-11-22"),
    ]
}

fn bases() -> Vec<Row> {
    let basis = |basis: Option<basis::Basis>, message: &str| {
        with(|p| p.basis = Some(v1::Basis { basis }), &format!("basis{message}"))
    };
    let designated = |authority: &str, list_date: &str, message: &str| {
        let by = basis::DesignatedBy { authority: authority.to_owned(), list_date: list_date.to_owned() };
        basis(Some(basis::Basis::DesignatedBy(by)), message)
    };
    let listed = |entity: &str, list_date: &str, message: &str| {
        let list = basis::UnConsolidatedList { entity: entity.to_owned(), list_date: list_date.to_owned() };
        basis(Some(basis::Basis::UnConsolidatedList(list)), message)
    };
    let incident = basis::Incident { incident: "Harbour!".to_owned() };
    let verified = basis::AnalystVerified { tier: 9 };
    vec![
        with(|p| p.basis = None, "basis: must be one of un-consolidated-list, "),
        basis(None, ": must be one of un-consolidated-list, "),
        designated("nobody", "2026-11-22", ".authority: unknown code `nobody`: must be one of un-security-council, "),
        designated("eu-council", "", ".list_date: must be a date"),
        listed("two words", "2026-11-22", ".entity: must be 1 to 64 characters of A-Z, a-z, 0-9 and `. _ : / -`"),
        listed("QDe.115", "2026-13-01", ".list_date: must be a date"),
        basis(Some(basis::Basis::Incident(incident)), ".incident: must be 1 to 48 characters"),
        basis(Some(basis::Basis::AnalystVerified(verified)), ".tier: must be one of threat-to-life, "),
    ]
}

fn requests() -> Vec<Row> {
    let request_id = |id: &str| bad(contribution(id, first_draft()), "request_id: must be 1 to 64 characters of A-Z");
    let without = v1::ContributeRequest { request_id: "bad".to_owned(), ..Default::default() };
    let reused = |draft| {
        let message = "request_id: was used before with another draft; choose a new id for a new draft";
        (contribution("first", draft).into(), Code::AlreadyExists, message.to_owned())
    };
    let mut doubtful = first_draft();
    doubtful.provenance.as_mut().unwrap().confidence = Some(89);
    vec![
        request_id(""),
        request_id("two words"),
        request_id("line\nbreak"),
        request_id(&"x".repeat(65)),
        request_id("café"),
        bad(without, "draft: is required"),
        reused(v1::Draft { signals: vec![pdq(2)], ..first_draft() }),
        reused(v1::Draft { labels: vec!["glorification".to_owned()], ..first_draft() }),
        reused(doubtful),
    ]
}

fn entries(scene: &Scene) -> Vec<Row> {
    let missing = |id: u64| {
        let message = format!("supersedes: entry {id}: no such entry, or not one of yours");
        with(|p| p.supersedes = Some(id), &message)
    };
    let mut rows = vec![
        bad(
            v1::WithdrawRequest { entry_id: scene.own, reason: 99 },
            "reason: must be one of unspecified, mistake, wrong-label, outdated, superseded, ",
        ),
        bad(v1::TraceRequest { entry_id: scene.own, against: vec![pdq(1); 17] }, "against: must be at most 16, got 17"),
        bad(
            v1::TraceRequest { entry_id: scene.own, against: vec![pdq(1), signal(SignalKind::Md5, "zz")] },
            "against[1].value: must be 32 hex digits, got 2",
        ),
    ];
    // Beyond the ledger, just beyond it, an event that is no entry, and somebody else's.
    for id in [u64::MAX, scene.size, 0, scene.others] {
        rows.push(missing(id));
        let message = |may: &str| format!("entry {id}: no such entry, or not one you may {may}");
        rows.push((trace(id), Code::NotFound, message("see")));
        rows.push((withdraw(id), Code::NotFound, message("change")));
    }
    rows
}
