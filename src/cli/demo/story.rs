//! The demonstration's steps, in the order in which they are told.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde_json::json;

use super::{Pictures, pictures};
use crate::cli::{check, output, trace};
use crate::client::Client;
use crate::domain::{ChecklistItem, Role, Signal, SignalKind, Status};
use crate::ledger::{Receipt, VerifierKey};
use crate::media::{DecodeLimits, Fingerprint, Reading, Turns, fingerprint};
use crate::policy::{ApiKey, approvals_needed};
use crate::wire::{Coded, signal_to_wire, v1};

/// A member of the story, with its own key.
struct Actor {
    client: Client,
}

/// Tells the whole story; gives what machines want to know of it.
pub(super) async fn tell(
    teller: Teller,
    address: SocketAddr,
    [admin, second]: [&ApiKey; 2],
    pictures: &Pictures,
    directory: &Path,
) -> anyhow::Result<serde_json::Value> {
    teller.say(&format!("A hub is running on {address}, its data in {}.\n", directory.display()))?;
    let hub = Client::connect(&format!("http://{address}"), None, None).await?;
    let operators = Operators { hub: &hub, first: hub.with_key(admin), second: hub.with_key(second) };

    teller.say("1. The operators enrol three members of three jurisdictions, and a moderator. A contributor takes two of them.")?;
    let big = operators.enrol(teller, "Big Platform", "IE", Status::Contributor).await?;
    let small = operators.enrol(teller, "Small Forum", "NZ", Status::Checker).await?;
    operators.enrol(teller, "Video Archive", "CA", Status::Contributor).await?;
    let moderator = operators.enrol_moderator(teller, "Review Desk", "DE").await?;

    teller.say(
        "\n2. Big Platform hashes a picture on its own machine and contributes the hashes. The picture stays where it is.",
    )?;
    let (entry, receipt) = contribute(teller, &big, pictures).await?;
    let key = ledger_key(&hub, admin).await?;
    let receipt_file = directory.join("entry.tlog-proof");
    std::fs::write(&receipt_file, &receipt)?;
    verify(teller, &receipt_file, &key, "the receipt")?;

    teller.say(
        "\n3. Small Forum checks uploads: copies as people make them, and a picture that has nothing to do with it.",
    )?;
    let copy = check_copies(teller, &small, pictures, entry).await?;

    teller.say("\n4. What Small Forum is told of a match:")?;
    teller.say(indent(&check::words(copy.name, &copy.response, &[])).trim_end())?;

    teller.say("\n5. The moderator traces it:")?;
    let traced = trace_entry(&moderator, entry, &copy.signals, &key).await?;
    ensure!(
        traced.entry.as_ref().is_some_and(|entry| entry.contributor.as_ref().is_some_and(|who| who.name.is_none())),
        "the moderator was shown who contributed"
    );
    teller.say(indent(&trace::words(&traced, &[])).trim_end())?;

    teller.say("\n6. Big Platform withdraws the entry.")?;
    let request = v1::WithdrawRequest { entry_id: entry, reason: v1::WithdrawReason::Mistake.into() };
    let withdrawn = big.client.contributions().withdraw(request).await?.into_inner();
    ensure!(withdrawn.receipt.is_some(), "the withdrawal has no receipt");
    let again = look_up(&small, &copy.signals).await?;
    ensure!(again.matches.is_empty(), "the withdrawn entry still matches");
    teller.say("   The next check: no match.")?;
    verify(teller, &receipt_file, &key, "the entry's receipt, offline, still")?;
    teller.say("\nEvery step came out as it should.")?;
    Ok(json!({ "entry": entry, "pdq_distances": copy.distances, "every_step_as_it_should": true }))
}

/// Tells people; machines are told at the end.
#[derive(Clone, Copy)]
pub(super) struct Teller {
    pub json: bool,
}

impl Teller {
    fn say(self, text: &str) -> anyhow::Result<()> {
        if self.json { Ok(()) } else { output::line(text) }
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("   {line}\n")).collect()
}

/// Two people with a key each.
struct Operators<'a> {
    hub: &'a Client,
    first: Client,
    second: Client,
}

impl Operators<'_> {
    /// A member of this status: enrolled by one, approved by as many as it takes.
    async fn enrol(&self, teller: Teller, name: &str, jurisdiction: &str, to: Status) -> anyhow::Result<Actor> {
        let request = v1::EnrolMemberRequest {
            name: name.to_owned(),
            jurisdiction: jurisdiction.to_owned(),
            ..Default::default()
        };
        let mut member = self.first.admin().enrol_member(request).await?.into_inner();
        for operator in [&self.first, &self.second].into_iter().take(approvals_needed(to)) {
            let request = v1::ApproveMemberRequest {
                member_id: member.member_id,
                to: to.to_wire(),
                checklist: ChecklistItem::ALL.iter().map(|item| item.to_wire()).collect(),
            };
            member = operator.admin().approve_member(request).await?.into_inner();
        }
        ensure!(member.status == to.to_wire(), "{name} is not {to}");
        self.issue(teller, &member, &to).await
    }

    async fn enrol_moderator(&self, teller: Teller, name: &str, jurisdiction: &str) -> anyhow::Result<Actor> {
        let request = v1::EnrolMemberRequest {
            name: name.to_owned(),
            jurisdiction: jurisdiction.to_owned(),
            duties: vec![Role::Reviewer.to_wire()],
            ..Default::default()
        };
        let member = self.first.admin().enrol_member(request).await?.into_inner();
        self.issue(teller, &member, &Role::Reviewer).await
    }

    async fn issue(&self, teller: Teller, member: &v1::Member, what: &dyn Display) -> anyhow::Result<Actor> {
        let v1::Member { member_id, name, jurisdiction, .. } = member;
        let request = v1::IssueKeyRequest { member_id: member_id.clone(), ..Default::default() };
        let issued = self.first.admin().issue_key(request).await?.into_inner();
        teller.say(&format!("   {name:<14} {jurisdiction}  {what:<12} pseudonym {member_id}"))?;
        Ok(Actor { client: self.hub.with_key(&issued.secret.parse()?) })
    }
}

fn hash(file: &[u8]) -> anyhow::Result<Fingerprint> {
    Ok(fingerprint(file, &DecodeLimits::default(), Turns::Shown)?)
}

/// All signals of a file, hashed here.
fn signals(file: &[u8]) -> anyhow::Result<Vec<Signal>> {
    Ok(hash(file)?.signals().iter().map(|turned| turned.signal).collect())
}

async fn contribute(teller: Teller, big: &Actor, pictures: &Pictures) -> anyhow::Result<(u64, String)> {
    let print = hash(&pictures.file)?;
    if print.is_featureless() {
        bail!("this picture is too featureless to share or match: take another one");
    }
    let Reading { pdq, quality, .. } = print.stored;
    teller.say(&format!("   {}x{}, PDQ {pdq}, quality {quality}", print.width, print.height))?;
    let draft = v1::Draft {
        signals: print.signals().iter().map(|turned| signal_to_wire(&turned.signal)).collect(),
        labels: vec!["graphic-violence".to_owned()],
        provenance: Some(v1::Provenance {
            origin: v1::Origin::Human.into(),
            reviewers: v1::Reviewers::TwoOrMore.into(),
            basis: Some(v1::Basis { basis: Some(v1::basis::Basis::Behaviour(v1::basis::Behaviour {})) }),
            producer: v1::Producer::Perpetrator.into(),
            content_types: vec!["propaganda-image".to_owned()],
            confidence: Some(95),
            tlp: v1::Tlp::Amber.into(),
            action_max: v1::Action::Block.into(),
            ..Default::default()
        }),
    };
    let request = v1::ContributeRequest { request_id: "demo-1".to_owned(), draft: Some(draft), without_receipt: false };
    let response = big.client.contributions().contribute(request.clone()).await?.into_inner();
    let accepted = accepted(response)?;
    let receipt = accepted.receipt.context("the contribution has no receipt")?;
    teller.say(&format!("   Entry {} is on disk, in the ledger and in the index.", accepted.entry_id))?;
    let again = self::accepted(big.client.contributions().contribute(request).await?.into_inner())?;
    ensure!(again.repeated && again.entry_id == accepted.entry_id, "the same request made a second entry");
    teller.say("   Sent again by mistake, it is still one entry.")?;
    Ok((accepted.entry_id, receipt.tlog_proof))
}

fn accepted(response: v1::ContributeResponse) -> anyhow::Result<v1::Accepted> {
    match response.outcome {
        Some(v1::contribute_response::Outcome::Accepted(accepted)) => Ok(accepted),
        other => bail!("the contribution was not taken: {other:?}"),
    }
}

async fn ledger_key(hub: &Client, admin: &ApiKey) -> anyhow::Result<VerifierKey> {
    let request = v1::GetCheckpointRequest {};
    let checkpoint = hub.with_key(admin).ledger().get_checkpoint(request).await?.into_inner();
    Ok(checkpoint.verifier_key.parse()?)
}

fn verify(teller: Teller, file: &Path, key: &VerifierKey, what: &str) -> anyhow::Result<()> {
    let receipt: Receipt = std::fs::read_to_string(file)?.parse()?;
    let verified = receipt.verify(key).context("a receipt does not verify")?;
    ensure!(verified.event().is_some(), "a receipt does not show its event");
    let size = verified.checkpoint().size();
    teller.say(&format!(
        "   Verified {what}: event {} in a ledger of {size}, signed by {}.",
        verified.index(),
        key.name()
    ))
}

async fn look_up(small: &Actor, signals: &[Signal]) -> anyhow::Result<v1::CheckResponse> {
    let queries =
        signals.iter().map(|signal| v1::Query { signal: Some(signal_to_wire(signal)), radius: None }).collect();
    let request = v1::CheckRequest { queries, limit: None, tag: String::new(), drill: String::new() };
    Ok(small.client.checks().check(request).await?.into_inner())
}

/// An upload that was recognized, and what the hub said of it.
struct Recognized {
    name: &'static str,
    signals: Vec<Signal>,
    response: v1::CheckResponse,
    /// Of each copy from the original, in bits.
    distances: BTreeMap<&'static str, Option<u16>>,
}

/// Checks every copy and the unrelated picture; gives the first copy that was recognized.
async fn check_copies(teller: Teller, small: &Actor, pictures: &Pictures, entry: u64) -> anyhow::Result<Recognized> {
    let original = signals(&pictures.file)?;
    let mut recognized = None;
    let mut distances = BTreeMap::new();
    for (name, alter) in pictures::ALTERATIONS {
        let file = alter(&pictures.pixels)?;
        let copy = signals(&file)?;
        let response = look_up(small, &copy).await?;
        let distance = pdq_distance(&original, &copy);
        distances.insert(name, distance);
        let near = distance.is_some_and(|bits| bits <= SignalKind::Pdq.radius_max().bits());
        let found = of_entry(&response, entry);
        let by_pdq =
            found.is_some_and(|found| found.evidence.iter().any(|evidence| evidence.kind() == v1::SignalKind::Pdq));
        ensure!(by_pdq == near, "the {name} copy: the hub says {by_pdq}, and its hash {near}");
        // How far an alteration moves the hash of somebody's own picture, a very small one above all, nobody knows beforehand.
        ensure!(near || pictures.own, "the {name} copy is not recognized: its hash is {distance:?} bits away");
        if name == "recompressed" {
            // The same by way of the hub's own decoder.
            let sent = small.client.check_media(file, v1::check_media_request::Options::default()).await?;
            ensure!(
                sent.check.is_some_and(|check| check.matches == response.matches),
                "the hub hashes otherwise than we do"
            );
        }
        match found {
            Some(found) => teller.say(&format!("   {name:<13} match: {}", output::evidence(&found.evidence, &[])))?,
            None => teller.say(&format!("   {name:<13} no match: it changes this picture too much for PDQ"))?,
        }
        if near {
            recognized.get_or_insert((name, copy, response));
        }
    }
    let response = look_up(small, &signals(&pictures.unrelated)?).await?;
    ensure!(of_entry(&response, entry).is_none(), "the unrelated picture matches");
    teller.say("   unrelated     no match")?;
    if let Some((name, signals, response)) = recognized {
        return Ok(Recognized { name, signals, response, distances });
    }
    let response = look_up(small, &original).await?;
    ensure!(of_entry(&response, entry).is_some(), "the picture itself does not match");
    teller.say("   the same file match")?;
    Ok(Recognized { name: "the same file", signals: original, response, distances })
}

fn of_entry(response: &v1::CheckResponse, entry: u64) -> Option<&v1::Match> {
    response.matches.iter().find(|found| found.entry.as_ref().is_some_and(|found| found.entry_id == entry))
}

fn pdq_distance(a: &[Signal], b: &[Signal]) -> Option<u16> {
    let pdq = |signals: &[Signal]| signals.iter().copied().find(|signal| signal.kind() == SignalKind::Pdq);
    Some(pdq(a)?.distance(&pdq(b)?)?.bits())
}

async fn trace_entry(
    moderator: &Actor,
    entry: u64,
    against: &[Signal],
    key: &VerifierKey,
) -> anyhow::Result<v1::TraceResponse> {
    let against = against.iter().map(signal_to_wire).collect();
    let traced = moderator.client.reviews().trace(v1::TraceRequest { entry_id: entry, against }).await?.into_inner();
    let receipt = traced.receipt.as_ref().context("the trace has no proof")?;
    ensure!(receipt.index == entry, "the proof is for another leaf");
    receipt.tlog_proof.parse::<Receipt>()?.verify(key).context("the traced entry's proof does not verify")?;
    let provenance = traced.entry.as_ref().and_then(|entry| entry.provenance.as_ref()).context("no provenance")?;
    ensure!(provenance.confidence == Some(95) && provenance.tlp() == v1::Tlp::Amber, "the provenance is another");
    ensure!(traced.labels.iter().any(|label| label.code == "graphic-violence"), "the label is missing");
    ensure!(traced.history.len() == 1 && !traced.evidence.is_empty(), "history or distance is missing");
    Ok(traced)
}
