//! What the hub was asked and what it acknowledged; the load that asks; and the list of what is no longer so.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use hashcommons::client::Client;
use hashcommons::ledger::{Hash, Receipt, SignedCheckpoint, VerifierKey, verify_consistency};
use hashcommons::policy::ApiKey;
use hashcommons::wire::v1;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use crate::support::{check_of, contribution, draft, pdq};

/// Items of one stream on their way at a time.
const WINDOW: usize = 32;

/// Everything that the hub has acknowledged.
#[derive(Default)]
pub struct Book {
    next: AtomicU64,
    acknowledged: AtomicU64,
    news: Notify,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    /// Entry id by item number.
    entries: BTreeMap<u64, u64>,
    /// Sent, and no answer came: both outcomes are right.
    unanswered: Vec<u64>,
    withdrawals: BTreeMap<u64, Withdrawal>,
    /// The text of the last receipt.
    receipt: Option<String>,
    ledger: Option<(VerifierKey, SignedCheckpoint)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Withdrawal {
    Asked,
    Acknowledged,
}

fn request(item: u64, without_receipt: bool) -> v1::ContributeRequest {
    v1::ContributeRequest { without_receipt, ..contribution(&format!("item-{item}"), draft(vec![pdq(item)])) }
}

impl Book {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap()
    }

    fn next_item(&self) -> u64 {
        let item = self.next.fetch_add(1, Ordering::Relaxed);
        self.pages().unanswered.push(item);
        item
    }

    fn note(&self, item: u64, accepted: v1::Accepted) {
        let mut pages = self.pages();
        pages.unanswered.retain(|other| *other != item);
        pages.entries.insert(item, accepted.entry_id);
        if let Some(receipt) = accepted.receipt {
            pages.receipt = Some(receipt.tlog_proof);
        }
        drop(pages);
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        self.news.notify_one();
    }

    /// How many entries were acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// How many withdrawals were.
    pub fn withdrawals(&self) -> usize {
        self.pages().withdrawals.values().filter(|state| **state == Withdrawal::Acknowledged).count()
    }

    /// Waits until `more` further entries are acknowledged.
    pub async fn wait_for(&self, more: u64) {
        let enough = self.acknowledged() + more;
        while self.acknowledged() < enough {
            self.news.notified().await;
        }
    }

    /// Contributes the next item, which must work; gives the entry.
    pub async fn contribute(&self, client: &Client) -> u64 {
        assert!(self.try_contribute(client).await);
        *self.pages().entries.last_key_value().unwrap().1
    }

    /// Withdraws an entry, which must work.
    pub async fn withdraw(&self, client: &Client, entry: u64) {
        assert!(self.try_withdraw(client, entry).await);
    }

    /// Remembers the hub's key and newest checkpoint.
    pub async fn learn_ledger(&self, client: &Client) {
        let answer = client.ledger().get_checkpoint(v1::GetCheckpointRequest {}).await.unwrap().into_inner();
        let (key, checkpoint): (VerifierKey, SignedCheckpoint) =
            (answer.verifier_key.parse().unwrap(), answer.checkpoint.parse().unwrap());
        checkpoint.verify(&key).unwrap();
        self.pages().ledger = Some((key, checkpoint));
    }

    async fn try_contribute(&self, client: &Client) -> bool {
        let item = self.next_item();
        let Ok(response) = client.contributions().contribute(request(item, false)).await else { return false };
        match response.into_inner().outcome.unwrap() {
            v1::contribute_response::Outcome::Accepted(accepted) => self.note(item, accepted),
            other => panic!("{other:?}"),
        }
        true
    }

    async fn try_withdraw(&self, client: &Client, entry: u64) -> bool {
        self.pages().withdrawals.insert(entry, Withdrawal::Asked);
        let asked = v1::WithdrawRequest { entry_id: entry, reason: v1::WithdrawReason::Outdated.into() };
        let answered = client.contributions().withdraw(asked).await.is_ok();
        if answered {
            self.pages().withdrawals.insert(entry, Withdrawal::Acknowledged);
        }
        answered
    }

    /// Everything acknowledged that is no longer so, in words.
    pub async fn losses(&self, client: &Client) -> Vec<String> {
        let mut losses = self.ledger_losses(client).await;
        let (entries, withdrawals) = {
            let pages = self.pages();
            (pages.entries.clone(), pages.withdrawals.clone())
        };
        let checks: Vec<_> = entries.keys().map(|item| check_of([pdq(*item)])).collect();
        let mut answers = client.checks().check_stream(tokio_stream::iter(checks)).await.unwrap().into_inner();
        for entry in entries.values() {
            let found = match answers.next().await.unwrap().unwrap().answer.unwrap() {
                v1::check_stream_response::Answer::Response(response) => response.matches,
                v1::check_stream_response::Answer::Error(error) => panic!("{error:?}"),
            };
            let matches = found.iter().any(|found| found.entry.as_ref().unwrap().entry_id == *entry);
            match withdrawals.get(entry) {
                None if !matches => losses.push(format!("entry {entry} does not match")),
                Some(Withdrawal::Acknowledged) if matches => losses.push(format!("withdrawn entry {entry} matches")),
                _ => {}
            }
        }
        // Sent again, whatever was answered is answered again; what was not may be there or not, and is there then.
        let unanswered = std::mem::take(&mut self.pages().unanswered);
        let again: Vec<_> = entries.keys().chain(&unanswered).map(|item| request(*item, true)).collect();
        let items: Vec<u64> = entries.keys().chain(&unanswered).copied().collect();
        let mut answers =
            client.contributions().contribute_stream(tokio_stream::iter(again)).await.unwrap().into_inner();
        for item in items {
            let accepted = match answers.next().await.unwrap().unwrap().outcome.unwrap() {
                v1::contribute_stream_response::Outcome::Accepted(accepted) => accepted,
                other => panic!("item {item}: {other:?}"),
            };
            match entries.get(&item) {
                None => self.note(item, accepted),
                Some(entry) if accepted.entry_id != *entry || !accepted.repeated => {
                    losses.push(format!("item {item} was entry {entry} and is now {}", accepted.entry_id));
                }
                Some(_) => {}
            }
        }
        losses
    }

    /// What the proofs say: the ledger must be the old one, grown.
    async fn ledger_losses(&self, client: &Client) -> Vec<String> {
        let mut losses = Vec::new();
        let (ledger, receipt) = {
            let pages = self.pages();
            (pages.ledger.clone(), pages.receipt.clone())
        };
        if let Some((key, before)) = &ledger {
            let answer = client.ledger().get_checkpoint(v1::GetCheckpointRequest {}).await.unwrap().into_inner();
            let after: SignedCheckpoint = answer.checkpoint.parse().unwrap();
            let (before, after) = (before.claimed(), after.verify(key).unwrap());
            if after.size() < before.size() {
                losses.push(format!("the ledger has shrunk from {} to {}", before.size(), after.size()));
            } else if before.size() > 0 {
                let asked = v1::GetConsistencyProofRequest { from_size: before.size(), to_size: Some(after.size()) };
                let proof = client.ledger().get_consistency_proof(asked).await.unwrap().into_inner();
                let hashes: Vec<_> =
                    proof.hashes.into_iter().map(|hash| Hash::from_bytes(hash.try_into().unwrap())).collect();
                if let Err(error) =
                    verify_consistency(before.size(), before.root(), after.size(), after.root(), &hashes)
                {
                    losses.push(format!("the ledger is another one: {error}"));
                }
            }
        }
        if let (Some((key, _)), Some(text)) = (&ledger, &receipt) {
            let receipt: Receipt = text.parse().unwrap();
            let verified = receipt.verify(key).unwrap();
            let asked = v1::GetInclusionProofRequest { index: verified.index(), tree_size: None };
            match client.ledger().get_inclusion_proof(asked).await {
                Ok(proof) if proof.get_ref().leaf == verified.leaf().to_bytes() => {}
                _ => losses.push(format!("the last receipt's leaf {} is not in the ledger", verified.index())),
            }
        }
        losses
    }
}

/// The tasks that contribute and withdraw until the hub is gone.
pub struct Load(JoinSet<()>);

impl Load {
    /// Waits until all have noticed that the hub is gone.
    pub async fn ended(mut self) {
        while let Some(ended) = self.0.join_next().await {
            ended.unwrap();
        }
    }
}

/// Two connections of single requests, one of which also withdraws, and two of streams.
pub async fn load(book: &Arc<Book>, url: &str, key: &ApiKey) -> Load {
    let mut tasks = JoinSet::new();
    for worker in 0..4 {
        let client = Client::connect(url, Some(key), None).await.unwrap();
        let book = book.clone();
        match worker {
            0 | 1 => tasks.spawn(async move { single(&book, &client, worker == 1).await }),
            _ => tasks.spawn(async move { stream(&book, &client).await }),
        };
    }
    Load(tasks)
}

async fn single(book: &Book, client: &Client, withdraw: bool) {
    let mut count = 0_u64;
    while book.try_contribute(client).await {
        count += 1;
        let oldest =
            |pages: &Pages| pages.entries.values().find(|entry| !pages.withdrawals.contains_key(*entry)).copied();
        let entry = oldest(&book.pages());
        if let Some(entry) = entry.filter(|_| withdraw && count.is_multiple_of(3))
            && !book.try_withdraw(client, entry).await
        {
            return;
        }
    }
}

async fn stream(book: &Arc<Book>, client: &Client) {
    let (sender, receiver) = tokio::sync::mpsc::channel(WINDOW);
    let window = Arc::new(Semaphore::new(WINDOW));
    let asking = tokio::spawn({
        let (book, window) = (book.clone(), window.clone());
        async move {
            // Until the window is closed, or nobody takes requests any more.
            while let Ok(permit) = window.acquire().await {
                permit.forget();
                let Ok(place) = sender.reserve().await else { return };
                let item = book.next_item();
                place.send(request(item, !item.is_multiple_of(8)));
            }
        }
    });
    // The hub may be gone before the stream is open.
    if let Ok(answers) = client.contributions().contribute_stream(ReceiverStream::new(receiver)).await {
        let mut answers = answers.into_inner();
        while let Some(Ok(answer)) = answers.next().await {
            let item = answer.request_id.trim_start_matches("item-").parse().unwrap();
            match answer.outcome.unwrap() {
                v1::contribute_stream_response::Outcome::Accepted(accepted) => book.note(item, accepted),
                other => panic!("{other:?}"),
            }
            window.add_permits(1);
        }
    }
    window.close();
    asking.await.unwrap();
}
