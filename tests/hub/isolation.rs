//! Who sees what of whose: every method, called by everybody, on what is the caller's own, another's, and nobody's.
//!
//! What each call is to give is written out in [`TABLE`], the visible parts included. Every answer, refusals too, is searched for the
//! names, labels and hashes of both sides in each form that they could come in, so nothing that is not in the table can be in an
//! answer without being noticed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use hashcommons::client::Client;
use hashcommons::domain::{ChecklistItem, Clock, EntryId, Role, Status as Standing};
use hashcommons::media::{DecodeLimits, Turns, fingerprint};
use hashcommons::policy::{ApiKey, MacSecret};
use hashcommons::wire::{Coded, signal_to_wire, timestamp, v1};
use prost::Message;
use tonic::Code;
use tonic::transport::Channel;

use crate::follow::events;
use crate::items::{accepted, near};
use crate::media::{drawn, png};
use crate::raw::{connect, methods, open};
use crate::support::{TestHub, check_of, contribution, draft, pdq};

/// Whose the thing is that a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    /// It names nothing of anybody's.
    Nobody,
    Own,
    Other,
    /// Nothing there has such an id or hash.
    Absent,
    // Where a method takes both, a key instead of a member.
    OwnKey,
    OtherKey,
    AbsentKey,
}
use Of::{Absent, AbsentKey, Nobody, Other, OtherKey, Own, OwnKey};

/// What a call by one caller gives: a code, and what can be seen in the answer.
type Cell = &'static str;

/// The callers, in the order of a row's cells: keys of one role alone, and the status of their member.
const CALLERS: [(&str, Role, Standing); 6] = [
    ("checker", Role::Checker, Standing::Contributor),
    ("contributor", Role::Contributor, Standing::Contributor),
    ("trusted", Role::Contributor, Standing::Trusted),
    ("reviewer", Role::Reviewer, Standing::Contributor),
    ("auditor", Role::Auditor, Standing::Contributor),
    ("admin", Role::Admin, Standing::Contributor),
];

const NO: Cell = "PermissionDenied";

/// The same for all callers.
const fn all(cell: Cell) -> [Cell; 6] {
    [cell; 6]
}

/// For keys that may check: a checker's and a contributor's, who see bands, and those of trusted members and reviewers, who see
/// distances.
const fn checks(bands: Cell, distances: Cell) -> [Cell; 6] {
    [bands, bands, distances, distances, NO, NO]
}

/// For contributors.
const fn contributes(cell: Cell) -> [Cell; 6] {
    [NO, cell, cell, NO, NO, NO]
}

/// For auditors and admins.
const fn oversees(cell: Cell) -> [Cell; 6] {
    [NO, NO, NO, NO, cell, cell]
}

/// For auditors.
const fn audits(cell: Cell) -> [Cell; 6] {
    [NO, NO, NO, NO, cell, NO]
}

/// For reviewers.
const fn reviews(cell: Cell) -> [Cell; 6] {
    [NO, NO, NO, cell, NO, NO]
}

/// For admins.
const fn administers(cell: Cell) -> [Cell; 6] {
    [NO, NO, NO, NO, NO, cell]
}

/// Method, whose, and what each caller is given.
#[rustfmt::skip]
const TABLE: &[(&str, Of, [Cell; 6])] = &[
    ("CheckService/Check", Own, checks("Ok own-id band", "Ok own-id band distance")),
    ("CheckService/Check", Other, checks("Ok other-id band", "Ok other-id band distance")),
    ("CheckService/Check", Absent, checks("Ok", "Ok")),
    ("CheckService/CheckStream", Own, checks("Ok own-id band", "Ok own-id band distance")),
    ("CheckService/CheckStream", Other, checks("Ok other-id band", "Ok other-id band distance")),
    ("CheckService/CheckStream", Absent, checks("Ok", "Ok")),
    ("CheckService/CheckMedia", Own, checks("Ok own-id band", "Ok own-id band distance")),
    ("CheckService/CheckMedia", Other, checks("Ok other-id band", "Ok other-id band distance")),
    ("CheckService/CheckMedia", Absent, checks("Ok", "Ok")),
    // Whose the entry is that the new one supersedes.
    ("ContributeService/Contribute", Own, contributes("Ok")),
    ("ContributeService/Contribute", Other, contributes("InvalidArgument")),
    ("ContributeService/Contribute", Absent, contributes("InvalidArgument")),
    ("ContributeService/ContributeStream", Own, contributes("Ok")),
    ("ContributeService/ContributeStream", Other, contributes("InvalidArgument")),
    ("ContributeService/ContributeStream", Absent, contributes("InvalidArgument")),
    ("ContributeService/Withdraw", Own, contributes("Ok")),
    ("ContributeService/Withdraw", Other, contributes("NotFound")),
    ("ContributeService/Withdraw", Absent, contributes("NotFound")),
    ("ReviewService/Trace", Own, [
        NO,
        "Ok own-id own-hash band distance",
        "Ok own-id own-hash band distance",
        "Ok own-id own-hash band distance",
        "Ok own-id own-hash own-name own-country band distance",
        "Ok own-id own-hash own-name own-country band distance",
    ]),
    ("ReviewService/Trace", Other, [
        NO,
        "NotFound",
        "NotFound",
        "Ok other-id other-hash band distance",
        "Ok other-id other-hash other-name other-country band distance",
        "Ok other-id other-hash other-name other-country band distance",
    ]),
    ("ReviewService/Trace", Absent, [NO, "NotFound", "NotFound", "NotFound", "NotFound", "NotFound"]),
    // The own entry is TLP:RED.
    ("LedgerService/Follow", Nobody, [
        NO,
        "Ok own-id own-hash own-entry own-withdrawal other-id other-withdrawal",
        "Ok own-id own-hash own-entry own-withdrawal other-id other-hash other-entry other-withdrawal",
        "Ok own-id own-hash own-entry own-withdrawal other-id other-hash other-entry other-withdrawal \
         other-red-hash other-red-entry",
        "Ok own-id own-hash own-entry own-withdrawal other-id other-hash other-entry other-withdrawal \
         other-red-hash other-red-entry members own-name own-country own-label other-name other-country other-label",
        "Ok own-id own-hash own-entry own-withdrawal other-id other-hash other-entry other-withdrawal \
         other-red-hash other-red-entry members own-name own-country own-label other-name other-country other-label",
    ]),
    ("LedgerService/GetCheckpoint", Nobody, all("Ok")),
    ("LedgerService/GetInclusionProof", Own, all("Ok")),
    ("LedgerService/GetInclusionProof", Other, all("Ok")),
    ("LedgerService/GetInclusionProof", Absent, all("OutOfRange")),
    ("LedgerService/GetConsistencyProof", Nobody, all("Ok")),
    ("IncidentService/OpenIncident", Nobody, [NO, NO, NO, "Ok", NO, "Ok"]),
    ("IncidentService/ExtendIncident", Nobody, [NO, NO, NO, "NotFound", NO, "NotFound"]),
    ("IncidentService/CloseIncident", Nobody, [NO, NO, NO, "NotFound", NO, "NotFound"]),
    ("IncidentService/ListIncidents", Nobody, all("Ok")),
    ("IncidentService/GetDebrief", Nobody, [NO, "NotFound", "NotFound", "NotFound", "NotFound", "NotFound"]),
    ("AdminService/EnrolMember", Nobody, administers("Ok")),
    ("AdminService/ApproveMember", Own, administers("Ok own-id own-name own-country")),
    ("AdminService/ApproveMember", Other, administers("Ok other-id other-name other-country")),
    ("AdminService/ApproveMember", Absent, administers("NotFound")),
    ("AdminService/SetMemberStatus", Own, administers("Ok own-id own-name own-country")),
    ("AdminService/SetMemberStatus", Other, administers("Ok other-id other-name other-country")),
    ("AdminService/SetMemberStatus", Absent, administers("NotFound")),
    ("AdminService/GetMemberHistory", Own, oversees("Ok own-id")),
    // Who did it is said as well: the admin.
    ("AdminService/GetMemberHistory", Other, [NO, NO, NO, NO, "Ok other-id", "Ok other-id own-id"]),
    ("AdminService/GetMemberHistory", Absent, oversees("NotFound")),
    ("AdminService/ListMembers", Nobody, oversees("Ok own-id own-name own-country other-id other-name other-country")),
    ("AdminService/IssueKey", Own, administers("Ok own-id secret")),
    ("AdminService/IssueKey", Other, administers("Ok other-id secret")),
    ("AdminService/IssueKey", Absent, administers("NotFound")),
    ("AdminService/RotateKey", Own, administers("Ok own-id own-label secret")),
    ("AdminService/RotateKey", Other, administers("Ok other-id other-label secret")),
    ("AdminService/RotateKey", Absent, administers("NotFound")),
    ("AdminService/MarkKeyCompromised", Own, administers("Ok own-id own-label")),
    ("AdminService/MarkKeyCompromised", Other, administers("Ok other-id other-label")),
    ("AdminService/MarkKeyCompromised", Absent, administers("NotFound")),
    ("AdminService/ListContributions", Own, oversees("Ok entries")),
    ("AdminService/ListContributions", Other, oversees("Ok entries")),
    ("AdminService/ListContributions", Absent, oversees("NotFound")),
    ("AdminService/ListKeys", Own, oversees("Ok own-id own-label")),
    ("AdminService/ListKeys", Other, oversees("Ok other-id other-label")),
    ("AdminService/ListKeys", Absent, oversees("Ok")),
    ("AdminService/ListKeys", Nobody, oversees("Ok own-id own-label other-id other-label")),
    ("AdminService/ReleaseMember", Own, administers("FailedPrecondition own-id")),
    ("AdminService/ReleaseMember", Other, administers("FailedPrecondition other-id")),
    ("AdminService/ReleaseMember", Absent, administers("NotFound")),
    ("AdminService/SetQuota", Own, administers("Ok")),
    ("AdminService/SetQuota", Other, administers("Ok")),
    ("AdminService/SetQuota", Absent, administers("NotFound")),
    ("AdminService/SetQuota", OwnKey, administers("Ok")),
    ("AdminService/SetQuota", OtherKey, administers("Ok")),
    ("AdminService/SetQuota", AbsentKey, administers("NotFound")),
    ("AdminService/RevokeKey", Own, administers("Ok own-id own-label")),
    ("AdminService/RevokeKey", Other, administers("Ok other-id other-label")),
    ("AdminService/RevokeKey", Absent, administers("NotFound")),
    ("AdminService/ListAudit", Own, oversees("Ok own-id")),
    // Who did it, or tried to, is said as well: the admin.
    ("AdminService/ListAudit", Other, [NO, NO, NO, NO, "Ok other-id", "Ok other-id own-id"]),
    ("AdminService/ListAudit", Absent, [NO, NO, NO, NO, "Ok", "Ok own-id"]),
    ("AdminService/ListAudit", Nobody, oversees("Ok own-id other-id")),
    ("AdminService/ListReads", Own, oversees("Ok own-id")),
    ("AdminService/ListReads", Other, oversees("Ok other-id")),
    ("AdminService/ListReads", Absent, oversees("Ok")),
    ("AdminService/ListReads", Nobody, oversees("Ok own-id other-id")),
    ("PolicyService/GetPolicy", Nobody, all("Ok")),
    ("PolicyService/PreviewPolicy", Nobody, oversees("Ok")),
    ("PolicyService/SetPolicy", Nobody, administers("Ok")),
    ("RetentionService/PlaceHold", Own, administers("Ok")),
    ("RetentionService/PlaceHold", Other, administers("Ok")),
    ("RetentionService/PlaceHold", Absent, administers("NotFound")),
    ("RetentionService/LiftHold", Nobody, administers("NotFound")),
    ("RetentionService/ListHolds", Nobody, oversees("Ok")),
    ("StatisticsService/GetReport", Nobody, oversees("Ok")),
    ("StatisticsService/DrawSample", Nobody, audits("Ok own-hash other-hash other-red-hash")),
    // Of a sample that there is not: whose the entry is makes no difference.
    ("StatisticsService/JudgeSample", Own, audits("NotFound")),
    ("StatisticsService/JudgeSample", Other, audits("NotFound")),
    ("StatisticsService/JudgeSample", Absent, audits("NotFound")),
    ("TaxonomyService/GetTaxonomy", Nobody, all("Ok")),
    ("ReviewService/ListQueue", Nobody, [NO, NO, NO, "Ok", "Ok", NO]),
    ("ReviewService/Decide", Own, reviews(NO)),
    ("ReviewService/Decide", Other, reviews("Ok")),
    ("ReviewService/Decide", Absent, reviews("NotFound")),
    ("ReviewService/AddBenign", Nobody, reviews("Ok")),
    ("ReviewService/RemoveBenign", Nobody, reviews("NotFound")),
    // What the reviewer's own organisation has added.
    ("ReviewService/ListBenign", Nobody, [NO, NO, NO, "Ok own-id", "Ok", NO]),
    ("ReviewService/DelistEntity", Nobody, [NO, NO, NO, "Ok", NO, "Ok"]),
    // By the entry, which is for reviewers; not about one's own.
    ("FeedbackService/ReportOutcome", Own, checks("InvalidArgument", "InvalidArgument")),
    ("FeedbackService/ReportOutcome", Other, [
        "InvalidArgument", "InvalidArgument", "InvalidArgument", "Ok", NO, NO,
    ]),
    ("FeedbackService/ReportOutcome", Absent, [
        "InvalidArgument", "InvalidArgument", "InvalidArgument", "NotFound", NO, NO,
    ]),
    // Whose the receipt is.
    ("FeedbackService/OpenAppeal", Own, checks("Ok own-id", "Ok own-id")),
    ("FeedbackService/OpenAppeal", Other, checks("InvalidArgument", "InvalidArgument")),
    ("FeedbackService/OpenAppeal", Absent, checks("InvalidArgument", "InvalidArgument")),
    // Auditors and admins have opened none.
    ("FeedbackService/ListAppeals", Nobody, ["Ok own-id", "Ok own-id", "Ok own-id", "Ok own-id", "Ok", "Ok"]),
    ("FeedbackService/ListReversals", Nobody, checks("Ok", "Ok")),
    ("FeedbackService/GetTrust", Own, [NO, "Ok own-id", "Ok own-id", "Ok own-id", "Ok own-id", "Ok own-id"]),
    // The id is the caller's own word.
    ("FeedbackService/GetTrust", Other, [
        NO, "NotFound other-id", "NotFound other-id", "Ok other-id", "Ok other-id", "Ok other-id",
    ]),
    ("FeedbackService/GetTrust", Absent, [NO, "NotFound", "NotFound", "NotFound", "NotFound", "NotFound"]),
];

/// Nothing has it.
const ABSENT_ENTRY: u64 = 99;
const ABSENT_MEMBER: &str = "m-aaaaaaaa";
const ABSENT_KEY: &str = "k-aaaaaaaa";

/// A member, and what is not everybody's to see of it.
struct Party {
    /// `own` or `other`, as in the table.
    whose: &'static str,
    id: String,
    name: &'static str,
    country: &'static str,
    label: &'static str,
    /// The key that it contributes with.
    key: ApiKey,
    client: Client,
    /// A picture, and its hash, ten bits away from that of `entry`.
    picture: Vec<u8>,
    signal: v1::Signal,
    entry: u64,
    /// The hashes that it has listed, but those that are `TLP:RED` and no entry of `entry`.
    hashes: Vec<v1::Signal>,
    red: v1::Signal,
}

async fn issue(hub: &TestHub, member_id: &str, label: &str, roles: &[Role]) -> ApiKey {
    let request = v1::IssueKeyRequest {
        member_id: member_id.to_owned(),
        label: label.to_owned(),
        roles: roles.iter().map(|role| role.to_wire()).collect(),
        ..Default::default()
    };
    hub.admin().admin().issue_key(request).await.unwrap().into_inner().secret.parse().unwrap()
}

fn marked(request_id: &str, signal: &v1::Signal, tlp: v1::Tlp) -> v1::ContributeRequest {
    let mut draft = draft(vec![signal.clone()]);
    draft.provenance.as_mut().unwrap().tlp = tlp.into();
    contribution(request_id, draft)
}

impl Party {
    async fn new(hub: &TestHub, whose: &'static str, roles: &[Role]) -> Self {
        let (name, country, label, picture, first) = match whose {
            "own" => ("Quokka Holdings", "ZW", "quokka desk", drawn("checks", 200, 150), 100),
            _ => ("Narwhal Publishing", "BT", "narwhal desk", drawn("noise", 64, 64), 200),
        };
        let (id, _) = hub.enrol(name, country, roles).await;
        let key = issue(hub, &id, label, &[Role::Contributor]).await;
        let client = hub.client(&key);
        let picture = png(&picture);
        let hashes = fingerprint(&picture, &DecodeLimits::default(), Turns::Shown).unwrap();
        let signal = signal_to_wire(&hashes.signals()[0].signal);
        let [listed, withdrawn, red] = [near(&signal, 10), pdq(first), pdq(first + 1)];
        // One's own is one's own, whatever it is marked.
        let tlp = if whose == "own" { v1::Tlp::Red } else { v1::Tlp::Amber };
        let gone = accepted(&client, marked("gone", &withdrawn, v1::Tlp::Amber)).await.entry_id;
        client.contributions().withdraw(v1::WithdrawRequest { entry_id: gone, reason: 0 }).await.unwrap();
        accepted(&client, marked("red", &red, v1::Tlp::Red)).await;
        let entry = accepted(&client, marked("entry", &listed, tlp)).await.entry_id;
        assert!((10..ABSENT_ENTRY).contains(&entry), "as many digits as that of nothing: {entry}");
        let hashes = vec![listed, withdrawn];
        Self { whose, id, name, country, label, key, client, picture, signal, entry, hashes, red }
    }

    /// What of it is in an answer.
    fn seen_in(&self, answer: &[u8]) -> Vec<String> {
        let has = |needle: &[u8]| answer.windows(needle.len()).any(|window| window == needle);
        let text = |text: &str| has(text.as_bytes()) || in_base64(text.as_bytes()).iter().any(|form| has(form));
        let hash = |signal: &v1::Signal| {
            let bytes = HEXLOWER.decode(signal.value.as_bytes()).unwrap();
            let hex = signal.value.to_uppercase();
            has(&bytes) || text(&signal.value) || text(&hex) || in_base64(&bytes).iter().any(|form| has(form))
        };
        // Two letters are found everywhere: with their field's number, of a member or a contributor, they are not.
        let country = [[0x1a, 2], [0x22, 2]].iter().any(|field| has(&[field, self.country.as_bytes()].concat()));
        let all = [
            ("id", text(&self.id)),
            ("name", text(self.name)),
            ("label", text(self.label)),
            ("country", country),
            ("hash", self.hashes.iter().any(hash)),
            // Of its own it makes no difference.
            (if self.whose == "own" { "hash" } else { "red-hash" }, hash(&self.red)),
        ];
        let seen = all.into_iter().filter(|(_, is_seen)| *is_seen);
        seen.map(|(what, _)| format!("{}-{what}", self.whose)).collect()
    }
}

/// What base64 of something that has `bytes` in it has in it, wherever in it they are.
fn in_base64(bytes: &[u8]) -> [Vec<u8>; 3] {
    [0, 1, 2].map(|before| {
        let text = BASE64.encode(&[&[0; 2][..before], bytes].concat());
        let (first, whole) = ((before * 8).div_ceil(6), (before + bytes.len()) / 3 * 4);
        text.as_bytes()[first..whole].to_vec()
    })
}

/// All that a call gave.
struct Answer {
    code: Code,
    /// Of an error, its message and its details; else empty.
    words: Vec<u8>,
    messages: Vec<Vec<u8>>,
}

impl Answer {
    async fn of(channel: &Channel, key: Option<&ApiKey>, method: &str, asked: Vec<Vec<u8>>) -> Self {
        let mut messages = Vec::new();
        let mut result = open(channel, key, method, asked).await;
        let error = loop {
            let next = match &mut result {
                Ok(stream) => stream.message().await,
                Err(status) => Err(status.clone()),
            };
            match next {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break None,
                Err(status) => break Some(status),
            }
        };
        let error = error.map(|status| (status.code(), [status.message().as_bytes(), status.details()].concat()));
        let (code, words) = error.or_else(|| in_place(method, &messages)).unwrap_or((Code::Ok, vec![]));
        Self { code, words, messages }
    }
}

fn decode<T: Message + Default>(message: &[u8]) -> T {
    T::decode(message).unwrap()
}

/// The error that a stream tells in an answer's place.
fn in_place(method: &str, messages: &[Vec<u8>]) -> Option<(Code, Vec<u8>)> {
    let (code, words) = match method {
        "ContributeService/ContributeStream" => {
            match decode::<v1::ContributeStreamResponse>(messages.first()?).outcome? {
                v1::contribute_stream_response::Outcome::Rejected(rejected) => (rejected.code, rejected.message),
                _ => return None,
            }
        }
        "CheckService/CheckStream" => match decode::<v1::CheckStreamResponse>(messages.first()?).answer? {
            v1::check_stream_response::Answer::Error(error) => (error.code, error.message),
            v1::check_stream_response::Answer::Response(_) => return None,
        },
        _ => return None,
    };
    Some((code.into(), words.into_bytes()))
}

/// A hub with one caller's member and another member, both with entries, keys and a history.
struct Scene {
    hub: TestHub,
    channel: Channel,
    own: Party,
    other: Party,
    /// The caller's.
    key: Option<ApiKey>,
    /// Of matches of each with the other's entry, and one that nobody was given.
    receipts: [String; 3],
}

impl Scene {
    async fn new(roles: &[Role], standing: Standing) -> Self {
        let hub = TestHub::start().await;
        let other = Party::new(&hub, "other", &[Role::Contributor]).await;
        let with_contributor: BTreeSet<_> = roles.iter().copied().chain([Role::Contributor]).collect();
        let with_contributor: Vec<_> = with_contributor.into_iter().collect();
        let own = Party::new(&hub, "own", &with_contributor).await;
        if standing == Standing::Trusted {
            hub.operators().approve(&own.id, standing).await;
        }
        // The other has read something, and so has the caller.
        for party in [&own, &other] {
            events(&party.client, 0).await;
        }
        let key = Some(issue(&hub, &own.id, own.label, roles).await);
        let met = async |by: &Party, of: &Party| {
            let found = by.client.checks().check(check_of([of.signal.clone()])).await.unwrap().into_inner().matches;
            found[0].receipt.clone()
        };
        let forged = MacSecret::new([7; 32]).match_receipt(own.id.parse().unwrap(), EntryId(1), hub.clock.now());
        let receipts = [met(&own, &other).await, met(&other, &own).await, forged.to_string()];
        Self { channel: connect(&hub).await, hub, own, other, key, receipts }
    }

    fn party(&self, of: Of) -> Option<&Party> {
        match of {
            Own | OwnKey => Some(&self.own),
            Other | OtherKey => Some(&self.other),
            Nobody | Absent | AbsentKey => None,
        }
    }

    /// What is sent. Where it could end a key or an entry, that is one made for it.
    async fn asked(&self, method: &str, of: Of, can_make: bool) -> Vec<Vec<u8>> {
        let party = self.party(of);
        let entry_id = party.map_or(ABSENT_ENTRY, |party| party.entry);
        let member_id = party.map_or(ABSENT_MEMBER, |party| &party.id).to_owned();
        let filter = if of == Nobody { String::new() } else { member_id.clone() };
        let signal = party.map_or_else(|| pdq(999), |party| party.signal.clone());
        let key = async || match party {
            Some(party) if can_make => {
                issue(&self.hub, &party.id, party.label, &[Role::Checker]).await.id().to_string()
            }
            Some(party) => party.key.id().to_string(),
            None => ABSENT_KEY.to_owned(),
        };
        let contribute = || {
            let mut draft = draft(vec![pdq(500 + of as u64)]);
            draft.provenance.as_mut().unwrap().supersedes = Some(entry_id);
            contribution(&format!("{method}-{}", of as u64), draft)
        };
        let message = match method {
            "CheckService/Check" | "CheckService/CheckStream" => check_of([signal]).encode_to_vec(),
            "CheckService/CheckMedia" => {
                use v1::check_media_request::Part;
                let picture = party.map_or_else(|| png(&drawn("rings", 200, 150)), |party| party.picture.clone());
                let chunks = picture.chunks(1 << 16).map(|chunk| Part::Chunk(chunk.to_vec()));
                return chunks.map(|part| v1::CheckMediaRequest { part: Some(part) }.encode_to_vec()).collect();
            }
            "ContributeService/Contribute" | "ContributeService/ContributeStream" => contribute().encode_to_vec(),
            "ContributeService/Withdraw" => {
                let entry_id = match party.filter(|party| can_make && party.whose == "own") {
                    Some(party) => accepted(&party.client, contribution("spare", draft(vec![pdq(700)]))).await.entry_id,
                    None => entry_id,
                };
                v1::WithdrawRequest { entry_id, reason: 0 }.encode_to_vec()
            }
            "ReviewService/Trace" => v1::TraceRequest { entry_id, against: vec![signal] }.encode_to_vec(),
            "ReviewService/Decide" => v1::DecideRequest {
                entry_id,
                ruling: v1::Ruling::Uphold.into(),
                reason: v1::RulingReason::EvidenceSound.into(),
                labels: vec![],
            }
            .encode_to_vec(),
            "ReviewService/AddBenign" => {
                let item = v1::BenignItem { signals: vec![pdq(800)], class: 1, reference: String::new() };
                v1::AddBenignRequest { items: vec![item] }.encode_to_vec()
            }
            "ReviewService/RemoveBenign" => v1::RemoveBenignRequest { benign_id: ABSENT_ENTRY }.encode_to_vec(),
            "ReviewService/DelistEntity" => v1::DelistEntityRequest { entity: "QDe.115".to_owned() }.encode_to_vec(),
            "FeedbackService/ReportOutcome" => v1::ReportOutcomeRequest {
                entry_id: Some(entry_id),
                outcome: "confirmed".to_owned(),
                reason: "news".to_owned(),
                ..Default::default()
            }
            .encode_to_vec(),
            "FeedbackService/OpenAppeal" => {
                let [own, other, forged] = &self.receipts;
                let receipt = match of {
                    Own => own,
                    Other => other,
                    _ => forged,
                };
                v1::OpenAppealRequest { receipt: receipt.clone(), ground: "other".to_owned(), ..Default::default() }
                    .encode_to_vec()
            }
            "FeedbackService/GetTrust" => v1::GetTrustRequest { member_id }.encode_to_vec(),
            "LedgerService/Follow" => {
                v1::FollowRequest { from: 0, until_now: true, incident_first: false }.encode_to_vec()
            }
            "LedgerService/GetInclusionProof" => {
                v1::GetInclusionProofRequest { index: entry_id, tree_size: None }.encode_to_vec()
            }
            "IncidentService/OpenIncident" => {
                let (code, kind) = ("harbour".to_owned(), "footage".to_owned());
                v1::OpenIncidentRequest { code, r#type: kind, is_drill: false, until: None }.encode_to_vec()
            }
            "IncidentService/ExtendIncident" => {
                v1::ExtendIncidentRequest { code: "nowhere".to_owned(), until: None }.encode_to_vec()
            }
            "IncidentService/CloseIncident" => v1::CloseIncidentRequest { code: "nowhere".to_owned() }.encode_to_vec(),
            "IncidentService/GetDebrief" => v1::GetDebriefRequest { code: "nowhere".to_owned() }.encode_to_vec(),
            "AdminService/EnrolMember" => v1::EnrolMemberRequest {
                name: "Axolotl Broadcasting".to_owned(),
                jurisdiction: "NZ".to_owned(),
                ..Default::default()
            }
            .encode_to_vec(),
            "AdminService/ApproveMember" => v1::ApproveMemberRequest {
                member_id,
                to: Standing::Trusted.to_wire(),
                checklist: ChecklistItem::ALL.iter().map(|item| item.to_wire()).collect(),
            }
            .encode_to_vec(),
            "AdminService/SetMemberStatus" => v1::SetMemberStatusRequest {
                member_id,
                status: Standing::Checker.to_wire(),
                reason: v1::StatusReason::Requested.into(),
            }
            .encode_to_vec(),
            "AdminService/GetMemberHistory" => v1::GetMemberHistoryRequest { member_id }.encode_to_vec(),
            "AdminService/IssueKey" => v1::IssueKeyRequest { member_id, ..Default::default() }.encode_to_vec(),
            "AdminService/RotateKey" => {
                v1::RotateKeyRequest { key_id: key().await, overlap_seconds: 60, expires: None }.encode_to_vec()
            }
            "AdminService/MarkKeyCompromised" => {
                let since = Some(timestamp(self.hub.clock.now()));
                v1::MarkKeyCompromisedRequest { key_id: key().await, since }.encode_to_vec()
            }
            "AdminService/ListContributions" => {
                let key_id = party.map_or_else(|| ABSENT_KEY.to_owned(), |party| party.key.id().to_string());
                v1::ListContributionsRequest { key_id, since: None }.encode_to_vec()
            }
            "AdminService/ListKeys" => v1::ListKeysRequest { member_id: filter }.encode_to_vec(),
            "AdminService/ReleaseMember" => v1::ReleaseMemberRequest { member_id }.encode_to_vec(),
            "AdminService/SetQuota" => {
                let quota = Some(v1::Quota { streams: Some(1_000), ..Default::default() });
                match of {
                    OwnKey | OtherKey | AbsentKey => {
                        v1::SetQuotaRequest { key_id: key().await, quota, ..Default::default() }.encode_to_vec()
                    }
                    _ => v1::SetQuotaRequest { member_id, quota, ..Default::default() }.encode_to_vec(),
                }
            }
            "AdminService/RevokeKey" => v1::RevokeKeyRequest { key_id: key().await }.encode_to_vec(),
            "AdminService/ListAudit" => {
                v1::ListAuditRequest { member_id: filter, page_size: 1_000, ..Default::default() }.encode_to_vec()
            }
            "AdminService/ListReads" => {
                v1::ListReadsRequest { member_id: filter, ..Default::default() }.encode_to_vec()
            }
            "RetentionService/PlaceHold" => {
                let entries = v1::hold_scope::Entries { entry_ids: vec![entry_id] };
                let scope = v1::HoldScope { scope: Some(v1::hold_scope::Scope::Entries(entries)) };
                let until = Some(timestamp(self.hub.clock.now().plus(std::time::Duration::from_hours(24))));
                let (reference, authority) = ("case-1".to_owned(), "Court".to_owned());
                v1::PlaceHoldRequest { scope: Some(scope), reference, authority, until }.encode_to_vec()
            }
            "RetentionService/LiftHold" => v1::LiftHoldRequest { hold_id: ABSENT_ENTRY }.encode_to_vec(),
            "StatisticsService/GetReport" => {
                let [from, to] = ["2026-11-22", "2026-11-23"].map(str::to_owned);
                v1::GetReportRequest { from, to }.encode_to_vec()
            }
            "StatisticsService/DrawSample" => v1::DrawSampleRequest { count: 500, nonce: vec![1; 32] }.encode_to_vec(),
            "StatisticsService/JudgeSample" => {
                let verdict = "correct".to_owned();
                v1::JudgeSampleRequest { sample_id: ABSENT_ENTRY, entry_id, verdict }.encode_to_vec()
            }
            // These say nothing.
            "LedgerService/GetCheckpoint"
            | "LedgerService/GetConsistencyProof"
            | "AdminService/ListMembers"
            | "IncidentService/ListIncidents"
            | "ReviewService/ListQueue"
            | "FeedbackService/ListAppeals"
            | "FeedbackService/ListReversals"
            | "ReviewService/ListBenign"
            | "RetentionService/ListHolds"
            | "PolicyService/GetPolicy"
            | "PolicyService/PreviewPolicy"
            | "PolicyService/SetPolicy"
            | "TaxonomyService/GetTaxonomy" => vec![],
            _ => panic!("{method} is not asked anything"),
        };
        vec![message]
    }

    /// What can be seen of an answer, in the table's words.
    fn seen(&self, method: &str, answer: &Answer) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        for bytes in answer.messages.iter().chain([&answer.words]) {
            seen.extend([&self.own, &self.other].iter().flat_map(|party| party.seen_in(bytes)));
            // Not where it is said how a key begins.
            if bytes.windows(5).any(|window| window.starts_with(b"hck_") && window[4].is_ascii_alphanumeric()) {
                seen.insert("secret".to_owned());
            }
        }
        for message in &answer.messages {
            seen.extend(self.told(method, message));
        }
        seen
    }

    /// What an answer of this method says beside that.
    fn told(&self, method: &str, message: &[u8]) -> Vec<String> {
        let of_check = |check: v1::CheckResponse| nearness(check.matches.iter().flat_map(|found| &found.evidence));
        match method {
            "CheckService/Check" => of_check(decode(message)),
            "CheckService/CheckStream" => match decode::<v1::CheckStreamResponse>(message).answer {
                Some(v1::check_stream_response::Answer::Response(response)) => of_check(response),
                _ => vec![],
            },
            "CheckService/CheckMedia" => of_check(decode::<v1::CheckMediaResponse>(message).check.unwrap()),
            "ReviewService/Trace" => nearness(&decode::<v1::TraceResponse>(message).evidence),
            "LedgerService/Follow" => self.opened(decode(message)).into_iter().collect(),
            "AdminService/ListContributions" => vec!["entries".to_owned()],
            _ => vec![],
        }
    }

    /// What a leaf says that is opened.
    fn opened(&self, message: v1::FollowResponse) -> Option<String> {
        use v1::{follow_response::Item, opening::Fact};
        let Some(Item::Event(event)) = message.item else { return None };
        let opening = event.opening?;
        let whose = [&self.own, &self.other].into_iter().find(|party| party.id == opening.actor);
        let whose = whose.map_or("nobody's", |party| party.whose);
        Some(match opening.fact? {
            Fact::Contributed(said) => {
                let is_red = said.draft.unwrap().provenance.unwrap().tlp() == v1::Tlp::Red;
                if is_red && whose != "own" { format!("{whose}-red-entry") } else { format!("{whose}-entry") }
            }
            Fact::Withdrawn(_) => format!("{whose}-withdrawal"),
            _ => "members".to_owned(),
        })
    }

    /// Calls everything; says where an answer is not what `expected` makes of a row.
    async fn call_all(&self, expected: impl Fn(&[Cell; 6]) -> Cell, can_make: bool) -> Vec<String> {
        let mut problems = Vec::new();
        let mut words: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for (method, of, cells) in TABLE {
            let asked = self.asked(method, *of, can_make).await;
            let answer = Answer::of(&self.channel, self.key.as_ref(), method, asked).await;
            let seen = self.seen(method, &answer);
            let mut expected = expected(cells).split_whitespace();
            let code = expected.next().unwrap();
            let expected: BTreeSet<_> = expected.map(str::to_owned).collect();
            if format!("{:?}", answer.code) != code || seen != expected {
                let got = (answer.code, seen, String::from_utf8_lossy(&answer.words).into_owned());
                problems.push(format!("{method} {of:?}: expected {code} {expected:?}, got {got:?}"));
            }
            if answer.code != Code::Ok {
                let is_of_key = matches!(of, OwnKey | OtherKey | AbsentKey);
                words.entry((method, is_of_key, code)).or_default().insert(self.without_ids(&answer.words));
            }
            if answer.code == Code::Unauthenticated {
                // Who fails often is told to come later.
                self.hub.clock.advance(Duration::from_secs(60));
            }
        }
        let differ = words.iter().filter(|(_, all)| all.len() > 1);
        problems.extend(differ.map(|((method, _, code), all)| format!("{method}: {code} in several ways: {all:?}")));
        problems
    }

    /// What is said of one's own, another's and nobody's must differ in nothing but the id that was asked for.
    fn without_ids(&self, words: &[u8]) -> String {
        let mut words = String::from_utf8_lossy(words).into_owned();
        for party in [&self.own, &self.other] {
            for id in [&format!("entry {}", party.entry), &party.id] {
                words = words.replace(id, "…");
            }
        }
        for id in [&format!("entry {ABSENT_ENTRY}"), ABSENT_MEMBER, ABSENT_KEY] {
            words = words.replace(id, "…");
        }
        words
    }

    /// Members, and which keys are revoked: as the operator sees them.
    async fn members_and_revoked_keys(&self) -> (Vec<v1::Member>, Vec<v1::Key>) {
        let mut admin = self.hub.admin().admin();
        let members = admin.list_members(v1::ListMembersRequest {}).await.unwrap().into_inner().members;
        let mut keys = admin.list_keys(v1::ListKeysRequest::default()).await.unwrap().into_inner().keys;
        keys.retain(|key| key.revoked.is_some());
        (members, keys)
    }
}

fn nearness<'a>(evidence: impl IntoIterator<Item = &'a v1::Evidence>) -> Vec<String> {
    let mut seen = Vec::new();
    for one in evidence {
        seen.extend((one.band() != v1::Band::Unspecified).then(|| "band".to_owned()));
        seen.extend(one.distance.map(|_| "distance".to_owned()));
    }
    seen
}

/// Calls everything as the caller of this column.
async fn column(caller: &str) {
    let at = CALLERS.iter().position(|(name, ..)| *name == caller).unwrap();
    let (_, role, standing) = CALLERS[at];
    let scene = Scene::new(&[role], standing).await;
    let before = scene.members_and_revoked_keys().await;
    let problems = scene.call_all(|cells| cells[at], true).await;
    assert!(problems.is_empty(), "{caller}:\n{}", problems.join("\n"));
    if role != Role::Admin {
        assert_eq!(scene.members_and_revoked_keys().await, before, "{caller}: what was refused has changed something");
    }
    let request = v1::TraceRequest { entry_id: scene.other.entry, against: vec![] };
    let traced = scene.hub.admin().reviews().trace(request).await.unwrap().into_inner();
    let is_withdrawn = traced.history.iter().any(|step| step.kind == "withdrawn");
    assert!(!is_withdrawn, "{caller}: another's entry was withdrawn");
    scene.hub.stop().await;
}

#[tokio::test]
async fn a_checker_sees_what_the_table_says_and_nothing_else() {
    column("checker").await;
}

#[tokio::test]
async fn a_contributor_sees_what_the_table_says_and_nothing_else() {
    column("contributor").await;
}

#[tokio::test]
async fn a_trusted_contributor_sees_what_the_table_says_and_nothing_else() {
    column("trusted").await;
}

#[tokio::test]
async fn a_reviewer_sees_what_the_table_says_and_nothing_else() {
    column("reviewer").await;
}

#[tokio::test]
async fn an_auditor_sees_what_the_table_says_and_nothing_else() {
    column("auditor").await;
}

#[tokio::test]
async fn an_admin_sees_what_the_table_says_and_nothing_else() {
    column("admin").await;
}

#[tokio::test]
async fn whoever_is_nobody_suspended_gone_or_revoked_sees_nothing_of_anything_not_even_its_own() {
    let mut scene = Scene::new(Role::ALL, Standing::Contributor).await;
    let revoked = issue(&scene.hub, &scene.own.id, "", Role::ALL).await;
    let mut admin = scene.hub.admin().admin();
    admin.revoke_key(v1::RevokeKeyRequest { key_id: revoked.id().to_string() }).await.unwrap();
    let live = scene.key.clone();
    for (caller, key, status, expected) in [
        ("no key", None, None, "Unauthenticated"),
        ("revoked", Some(revoked), None, "Unauthenticated"),
        ("suspended", live.clone(), Some(v1::MemberStatus::Suspended), "PermissionDenied"),
        ("left", live, Some(v1::MemberStatus::Left), "PermissionDenied"),
    ] {
        if let Some(status) = status {
            let member_id = scene.own.id.clone();
            let reason = v1::StatusReason::Requested.into();
            let request = v1::SetMemberStatusRequest { member_id, status: status.into(), reason };
            admin.set_member_status(request).await.unwrap();
        }
        scene.key = key;
        let before = scene.members_and_revoked_keys().await;
        let problems = scene.call_all(|_| expected, false).await;
        assert!(problems.is_empty(), "{caller}:\n{}", problems.join("\n"));
        assert_eq!(scene.members_and_revoked_keys().await, before, "{caller}: what was refused has changed something");
    }
    scene.hub.stop().await;
}

/// Fields by which a request names an entry, a member or a key.
const NAMES_SOMETHING: [&str; 6] = ["entry_id", "index", "member_id", "key_id", "by_member_id", "receipt"];

#[test]
fn the_table_has_every_method_and_what_names_something_of_somebodys_is_asked_for_ones_own_anothers_and_nothing() {
    let expected: BTreeSet<_> = methods().into_iter().collect();
    let rows: BTreeSet<_> = TABLE.iter().map(|(method, ..)| format!("/hashcommons.v1.{method}")).collect();
    assert_eq!(rows, expected);
    let distinct: BTreeSet<_> = TABLE.iter().map(|(method, of, _)| (method, of)).collect();
    assert_eq!(distinct.len(), TABLE.len(), "a row is there twice");

    let files = prost_types::FileDescriptorSet::decode(hashcommons::wire::DESCRIPTORS).unwrap().file;
    let messages: Vec<_> = files.iter().flat_map(|file| &file.message_type).collect();
    for method in files.iter().flat_map(|file| &file.service).flat_map(|service| &service.method) {
        let input = method.input_type().rsplit('.').next().unwrap();
        let message = messages.iter().find(|message| message.name() == input).unwrap();
        let names = |what: &str| message.field.iter().any(|field| field.name() == what);
        let mut needed = Vec::new();
        if NAMES_SOMETHING.iter().any(|field| names(field)) {
            needed.extend([Own, Other, Absent]);
        }
        if method.name() == "SetQuota" {
            needed.extend([OwnKey, OtherKey, AbsentKey]);
        }
        let is_this = |row: &str| row.split('/').nth(1) == Some(method.name());
        let asked: Vec<_> = TABLE.iter().filter(|(row, ..)| is_this(row)).map(|(_, of, _)| *of).collect();
        assert!(needed.iter().all(|of| asked.contains(of)), "{}: {needed:?}", method.name());
    }
}

#[test]
fn what_is_searched_for_is_found_in_base64_wherever_it_stands() {
    let haystacks = (0..4).map(|before| BASE64.encode(&[&[7; 4][..before], b"Narwhal", b"xyz"].concat()));
    for haystack in haystacks {
        let found = in_base64(b"Narwhal").iter().any(|form| haystack.contains(std::str::from_utf8(form).unwrap()));
        assert!(found, "{haystack}");
    }
}
