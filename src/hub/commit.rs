//! One batch from intents to disk: decide, append to the tree, sign, write, and only then change what readers see.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::count::Count;
use super::decide::{Decision, Intent, Pending, Refusal, refused};
use super::erasures::Erasures;
use super::floods::FloodWatch;
use super::fold::{Ahead, Change, FoldError};
use super::last_used::LastUsed;
use super::matches::Matches;
use super::refuse::SharedRefusals;
use super::state::State;
use super::tallies::Tallies;
use crate::domain::{Actor, Clock, Entropy, EntropyError, Event, Fact, Incident, MatchKey, Tally, Timestamp};
use crate::ledger::record::encode_event;
use crate::ledger::{
    Frontier, Hash, Leaf, NodeId, ProofError, Salt, SignError, SignedCheckpoint, Signer, consistency_proof,
};
use crate::policy::{Attempt, Authority, Counted};
use crate::store::{Batch, Store, StoreError};

/// So far the clock may go back without a word: what time synchronization does.
const CLOCK_BACK_MAX: Duration = Duration::from_secs(5);

/// How far the ledger has come: what everybody may see.
#[derive(Clone, Debug)]
pub struct Head {
    /// Number of leaves.
    pub size: u64,
    /// The signed checkpoint of that size.
    pub checkpoint: Arc<SignedCheckpoint>,
}

/// Where an intent ended up.
#[derive(Clone, Debug)]
pub struct Sequenced {
    /// Its event's leaf.
    pub index: u64,
    /// When that event was sequenced.
    pub at: Timestamp,
    /// Whether an earlier request had the same effect, so that nothing was appended now.
    pub repeated: bool,
    /// A checkpoint that covers the event.
    pub checkpoint: Arc<SignedCheckpoint>,
}

/// A batch could not be committed. The store may or may not hold it: nothing more may be written until the hub starts anew.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Fold(#[from] FoldError),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    #[error("cannot prove that the new tree extends the old one: {0}")]
    Proof(#[from] ProofError<StoreError>),
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// The one writer of a store.
pub struct Committer {
    pub(super) store: Arc<Store>,
    pub(super) state: State,
    pub(super) frontier: Frontier,
    pub(super) signer: Signer,
    /// Shared, so that followers can wait also when the writer has stopped.
    pub(super) head: Arc<watch::Sender<Head>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) last_at: Timestamp,
    pub(super) clock_is_behind: bool,
    pub(super) refusals: SharedRefusals,
    pub(super) count: Count,
    pub(super) last_used: LastUsed,
    pub(super) matches: Matches,
    pub(super) tallies: Tallies,
    pub(super) floods: FloodWatch,
    pub(super) erasures: Erasures,
}

impl Committer {
    /// Decides on `intents` in their order, commits what they lead to as one batch, and gives each its answer.
    ///
    /// # Errors
    /// [`CommitError`]: no intent has an answer then.
    pub fn commit(
        &mut self,
        intents: Vec<(Authority, Intent)>,
    ) -> Result<Vec<Result<Sequenced, Refusal>>, CommitError> {
        let (at, now) = self.times();
        let store = self.store.clone();
        let mut pending = Pending::new(self.frontier.size(), (at, now), Ahead::of(&store, &self.state));
        let mut answers = Vec::with_capacity(intents.len());
        let mut rows = Rows::new(&store);
        for (authority, intent) in intents {
            let administers = intent.administers();
            answers.push(match pending.decide(&store, &authority, intent) {
                Ok(Decision::Append(event)) => {
                    let index = rows.append(&mut self.frontier, &mut pending, *event, &*self.entropy)?;
                    Ok((index, pending.at, false))
                }
                Ok(Decision::Already { index, at }) => Ok((index, at, true)),
                Err(refusal) => {
                    // Noted before it is answered.
                    let attempt = administers.zip(refusal.reason()).map(|((attempted, member, key), reason)| Attempt {
                        attempted,
                        member,
                        key,
                        reason,
                    });
                    if let Some(attempt) = attempt.filter(|attempt| self.refusals.admit(&authority, attempt, now)) {
                        let event = pending.refused(&authority, attempt);
                        rows.append(&mut self.frontier, &mut pending, event, &*self.entropy)?;
                    }
                    Err(refusal)
                }
            });
        }
        if !pending.events.is_empty() {
            self.seal(rows, &pending)?;
        }
        let checkpoint = self.head.borrow().checkpoint.clone();
        let sequenced = |(index, at, repeated)| Sequenced { index, at, repeated, checkpoint: checkpoint.clone() };
        Ok(answers.into_iter().map(|answer| answer.map(sequenced)).collect())
    }

    /// Commits events that nobody asked for: those that begin a ledger, and counts.
    pub fn commit_events(&mut self, events: impl IntoIterator<Item = Event>) -> Result<(), CommitError> {
        self.commit_with(events, |_| Ok(()))
    }

    /// Commits events, and rows beside them.
    fn commit_with(
        &mut self,
        events: impl IntoIterator<Item = Event>,
        more: impl FnOnce(&mut Batch<'_>) -> Result<(), StoreError>,
    ) -> Result<(), CommitError> {
        let store = self.store.clone();
        let mut pending = Pending::new(self.frontier.size(), self.times(), Ahead::of(&store, &self.state));
        let mut rows = Rows::new(&store);
        for event in events {
            rows.append(&mut self.frontier, &mut pending, event, &*self.entropy)?;
        }
        more(&mut rows.batch)?;
        self.seal(rows, &pending)
    }

    /// Takes out of the indexes what has expired, ends incidents, and writes down what was only counted so far.
    pub fn tick(&mut self) -> Result<(), CommitError> {
        let now = self.clock.now();
        self.expire(now)?;
        self.end_incidents(now)?;
        self.count.flush_now_and_then();
        self.last_used.flush_now_and_then();
        let news = self.matches.flush_now_and_then();
        self.say_floods(&news, now)?;
        self.tell(self.tallies.take_ended(now))?;
        let ended = self.refusals.take_ended(now);
        self.note(ended)?;
        self.erase(now)
    }

    /// Erases what ended long ago, some entries at a time.
    fn erase(&mut self, now: Timestamp) -> Result<(), CommitError> {
        match self.erasures.look(&self.state, now, &*self.entropy) {
            Ok(Some(erasure)) => {
                let (at, _) = self.times();
                let by = self.frontier.size();
                let event = Event { at, by: Actor::Hub, request: None, fact: erasure.fact.clone() };
                self.commit_with([event], |batch| {
                    batch.set_purge(erasure.purge.clone())?;
                    erasure.rows(by).try_for_each(|(index, stored)| batch.put_stored(index, &stored))
                })?;
            }
            Ok(None) => {}
            // Nothing is lost but time.
            Err(error) => tracing::error!(%error, "whether something is to be erased could not be found out"),
        }
        self.erasures.purge_now_and_then(now);
        Ok(())
    }

    /// Takes out of the indexes what has expired, and says so to those who follow.
    fn expire(&mut self, now: Timestamp) -> Result<(), CommitError> {
        loop {
            let expired = self.state.expire(now);
            if expired.is_empty() {
                return Ok(());
            }
            self.say([Fact::Expired { entries: expired.into_iter().collect() }])?;
        }
    }

    /// Ends the incidents that nobody extended.
    fn end_incidents(&mut self, now: Timestamp) -> Result<(), CommitError> {
        let register = self.state.register().load_full();
        let is_over =
            |incident: &&Incident| incident.opened.is_some() && incident.closed.is_none() && incident.until <= now;
        let over = register.incidents().filter(is_over);
        self.say(over.map(|incident| Fact::IncidentEnded { incident: incident.code.clone() }))
    }

    /// Says which entries match far too often: they fall to review by that alone.
    fn say_floods(&mut self, news: &[(MatchKey, u64)], now: Timestamp) -> Result<(), CommitError> {
        let (roster, register) = (self.state.roster().load_full(), self.state.register().load_full());
        let floods = self.floods.look(news, &roster, &register, now);
        if !floods.is_empty() {
            tracing::warn!(floods = floods.len(), "entries match far more often than usual: they fall to review");
        }
        self.say(floods)
    }

    /// The last that the writer does.
    pub fn close(&mut self) {
        self.count.flush();
        self.last_used.flush();
        self.matches.flush();
        let now = self.clock.now();
        if let Err(error) = self.tell(self.tallies.take_all(now)) {
            tracing::error!(%error, "how many matches there were could not be recorded");
        }
        let counted = self.refusals.take_all();
        if let Err(error) = self.note(counted) {
            tracing::error!(%error, "how often keys were refused could not be recorded");
        }
        // Makes the next start shorter. Nothing depends on it.
        if let Err(error) = self.store.shorten_log() {
            tracing::warn!(%error, "the database's log could not be shortened: the next start takes longer");
        }
        self.erasures.close();
    }

    /// Records how many matches there were.
    fn tell(&mut self, tallies: Vec<Tally>) -> Result<(), CommitError> {
        self.say(tallies.into_iter().map(Fact::MatchesTallied))
    }

    /// Commits what the hub itself has to say, if anything.
    fn say(&mut self, facts: impl IntoIterator<Item = Fact>) -> Result<(), CommitError> {
        let (at, _) = self.times();
        let events: Vec<_> = facts.into_iter().map(|fact| Event { at, by: Actor::Hub, request: None, fact }).collect();
        if events.is_empty() { Ok(()) } else { self.commit_events(events) }
    }

    /// Records how many refusals were too many for an event each.
    fn note(&mut self, counted: Vec<Counted>) -> Result<(), CommitError> {
        if counted.is_empty() {
            return Ok(());
        }
        let (at, _) = self.times();
        let event = |Counted { by: (member, key), last, count }| Event {
            at,
            by: Actor::Member { member, key },
            request: None,
            fact: refused(last, count),
        };
        self.commit_events(counted.into_iter().map(event))
    }

    /// When the next event happens, and what the clock says: the first is never earlier than the last event.
    fn times(&mut self) -> (Timestamp, Timestamp) {
        let now = self.clock.now();
        let behind = now.plus(CLOCK_BACK_MAX) < self.last_at;
        // Once, not with every batch until the clock has caught up.
        if behind && !self.clock_is_behind {
            tracing::warn!(%now, last_event = %self.last_at, "the clock is behind the ledger: events keep the last one's time");
        }
        self.clock_is_behind = behind;
        (now.max(self.last_at), now)
    }

    /// Signs the tree, writes the rows, and lets readers see them: in this order.
    fn seal(&mut self, mut rows: Rows<'_>, pending: &Pending<'_>) -> Result<(), CommitError> {
        let (size, root) = (self.frontier.size(), self.frontier.root());
        let proof = consistency_proof(pending.first, size, |node| rows.node(node))?;
        let checkpoint = Arc::new(self.signer.sign(size, root, &proof)?);
        rows.write_nodes()?;
        let Rows { mut batch, changes, .. } = rows;
        batch.set_checkpoint(&checkpoint)?;
        batch.set_folded(size)?;
        batch.commit()?;
        self.last_at = pending.at;
        // Who may no longer read is not shown what happened last: followers wake when the head moves.
        self.state.apply_ahead(&changes, &pending.ahead);
        // Provable first, matchable after.
        self.head.send_replace(Head { size, checkpoint });
        self.state.apply(&changes);
        Ok(())
    }
}

/// The rows of a batch as it grows.
struct Rows<'a> {
    store: &'a Store,
    batch: Batch<'a>,
    changes: Vec<Change>,
    /// Tree nodes that are not in the store yet.
    nodes: HashMap<NodeId, Hash>,
}

impl<'a> Rows<'a> {
    fn new(store: &'a Store) -> Self {
        Self { store, batch: store.batch(), changes: Vec::new(), nodes: HashMap::new() }
    }

    /// Adds `event` to the tree, the rows and `pending`; gives its index.
    fn append(
        &mut self,
        frontier: &mut Frontier,
        pending: &mut Pending<'_>,
        event: Event,
        entropy: &dyn Entropy,
    ) -> Result<u64, CommitError> {
        let bytes = encode_event(&event);
        let salt = Salt::from_bytes(entropy.bytes()?);
        let index = frontier.size();
        frontier.append(Leaf::commit(&salt, &bytes).hash(), |node, hash| {
            self.nodes.insert(node, hash);
        });
        self.batch.put_event(index, &salt, &bytes)?;
        let changes = pending.ahead.fold(index, &event)?;
        for change in &changes {
            change.write(&mut self.batch)?;
        }
        self.changes.extend(changes);
        pending.push(event);
        Ok(index)
    }

    fn node(&self, node: NodeId) -> Result<Hash, StoreError> {
        match self.nodes.get(&node) {
            Some(hash) => Ok(*hash),
            None => self.store.node(node),
        }
    }

    /// Puts the batch's tree nodes among its rows.
    fn write_nodes(&mut self) -> Result<(), StoreError> {
        for (node, hash) in &self.nodes {
            self.batch.put_node(*node, *hash)?;
        }
        Ok(())
    }
}
