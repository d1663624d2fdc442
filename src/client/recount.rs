//! Computing a hub's statistics again from its ledger, to see whether they are what the ledger says.

use std::collections::BTreeMap;

use tonic::Status;

use super::Client;
use crate::domain::{FieldError, Timestamp};
use crate::hub::{Replica, ReplicaError};
use crate::ledger::{CheckpointError, CheckpointTextError, Frontier, Leaf, Salt, SignedCheckpoint, VerifierKey};
use crate::policy::Period;
use crate::store::StoredEvent;
use crate::wire::v1::{self, follow_response::Item};
use crate::wire::{self, timestamp_from_wire};

/// Leaves that are written into the replica at once.
const PORTION: usize = 1_000;

/// A figure that is not what the ledger says.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its name, and what it is narrowed to.
    pub figure: String,
    /// `None`: it is not among the hub's.
    pub hub: Option<v1::Figure>,
    /// `None`: there is none.
    pub ledger: Option<v1::Figure>,
}

/// Why statistics could not be computed again. The ledger itself may be at fault: nothing that it says is to be believed then.
#[derive(Debug, thiserror::Error)]
pub enum RecountError {
    #[error(transparent)]
    Hub(#[from] Status),
    #[error("the report {0}")]
    Report(#[from] FieldError),
    #[error("cannot use a folder for temporary files: {0}")]
    Folder(#[from] std::io::Error),
    #[error("leaf {0} is missing, out of order or not as it must be")]
    Leaf(u64),
    #[error("leaf {0} is sealed: this takes the key of an auditor")]
    Sealed(u64),
    #[error("leaf {0} does not commit to what the hub says it is")]
    Opening(u64),
    #[error("leaf {index} was erased by leaf {by}, after the report: ask for the report again")]
    Erased { index: u64, by: u64 },
    #[error("the ledger has {has} leaves, and the report is of {wants}")]
    Short { has: u64, wants: u64 },
    #[error("the feed ended without a checkpoint")]
    NoCheckpoint,
    #[error(transparent)]
    CheckpointText(#[from] CheckpointTextError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("the leaves do not have the root that the checkpoint signs")]
    Root,
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    #[error("the computation was stopped")]
    Stopped,
}

/// What of `answer`, the hub's report of `period`, is not what its ledger says. The ledger is read from its first leaf on, compared with
/// a checkpoint that `key` signed, and folded in a temporary folder. Every sample is drawn again. Reads names, which is recorded.
///
/// # Errors
/// [`RecountError`].
pub async fn recount(
    client: &Client,
    key: &VerifierKey,
    period: Period,
    answer: &v1::StatisticsReport,
) -> Result<Vec<Difference>, RecountError> {
    let at = answer.at.as_ref().ok_or_else(|| FieldError::new("at", "is missing"))?;
    let at = timestamp_from_wire(at, "at")?;
    let folder = tempfile::tempdir()?;
    let replica = read(client, key, Replica::new(folder.path())?, answer.tree_size).await?;
    let computing = tokio::task::spawn_blocking(move || compute(&replica, period, at));
    let computed = computing.await.map_err(|_| RecountError::Stopped)??;
    Ok(differences(answer, &computed))
}

/// The ledger's first `size` leaves, which a signed checkpoint is over.
async fn read(client: &Client, key: &VerifierKey, mut replica: Replica, size: u64) -> Result<Replica, RecountError> {
    let request = v1::FollowRequest { from: 0, until_now: true, incident_first: false };
    let mut feed = client.ledger().follow(request).await?.into_inner();
    let (mut frontier, mut portion, mut checkpoint) = (Frontier::empty(), Vec::with_capacity(PORTION), None);
    while let Some(message) = feed.message().await? {
        let event = match message.item {
            Some(Item::Event(event)) => event,
            Some(Item::Checkpoint(text)) => {
                checkpoint = Some(text);
                continue;
            }
            None => continue,
        };
        let index = frontier.size();
        let leaf = Leaf::from_bytes(&event.leaf).ok().filter(|_| event.index == index);
        let leaf = leaf.ok_or(RecountError::Leaf(index))?;
        let erased_by = event.erased_by;
        frontier.append(leaf.hash(), |_, _| {});
        // What happened after the report, as that somebody reads now, is not in it.
        if index < size {
            let opening = event.opening.ok_or(RecountError::Sealed(index))?;
            let salt = opening.salt.as_slice().try_into().map_err(|_| RecountError::Opening(index))?;
            let (salt, event) = (Salt::from_bytes(salt), opening.record);
            portion.push(match erased_by {
                // Whether that is what remains, the fold finds out: the event that erased it comes later.
                Some(by) if by < size => StoredEvent::Erased { leaf, by, salt, event },
                Some(by) => return Err(RecountError::Erased { index, by }),
                None if leaf.opens(&salt, &event) => StoredEvent::Open { salt, event },
                None => return Err(RecountError::Opening(index)),
            });
            if portion.len() == PORTION {
                replica.extend(portion.drain(..))?;
            }
        }
    }
    replica.extend(portion)?;
    let checkpoint: SignedCheckpoint = checkpoint.ok_or(RecountError::NoCheckpoint)?.parse()?;
    let checkpoint = checkpoint.verify(key)?;
    if (checkpoint.size(), checkpoint.root()) != (frontier.size(), frontier.root()) {
        return Err(RecountError::Root);
    }
    if replica.size() != size {
        return Err(RecountError::Short { has: replica.size(), wants: size });
    }
    Ok(replica)
}

fn compute(replica: &Replica, period: Period, at: Timestamp) -> Result<v1::StatisticsReport, ReplicaError> {
    replica.draw_again()?;
    Ok(wire::statistics(&replica.statistics(period, at)?))
}

/// What is in one report and not in the other, or something else there.
fn differences(hub: &v1::StatisticsReport, ledger: &v1::StatisticsReport) -> Vec<Difference> {
    let mut all: BTreeMap<String, [Vec<v1::Figure>; 2]> = BTreeMap::new();
    for (side, report) in [hub, ledger].into_iter().enumerate() {
        for figure in &report.figures {
            all.entry(name(figure)).or_default()[side].push(figure.clone());
        }
    }
    let mut differences: Vec<_> = all
        .into_iter()
        .filter(|(_, [hub, ledger])| hub != ledger)
        .map(|(figure, [hub, ledger])| {
            // Where one is told twice, the one that is not the other side's.
            let odd = hub.iter().find(|one| !ledger.contains(one)).or(hub.last());
            Difference { figure, hub: odd.cloned(), ledger: ledger.into_iter().next() }
        })
        .collect();
    if (&hub.from, &hub.to) != (&ledger.from, &ledger.to) {
        differences.push(Difference { figure: "from, to".to_owned(), hub: None, ledger: None });
    }
    differences
}

/// A figure's name, and what it is narrowed to.
pub fn name(figure: &v1::Figure) -> String {
    let by = figure.by.iter().map(|one| format!(", {} {}", one.name, one.code));
    format!("{}{}", figure.name, by.collect::<String>())
}
