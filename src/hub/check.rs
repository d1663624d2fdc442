//! Use case: look up the signals of one item. Nothing of a query outlives the call.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::commit::Head;
use super::matches::Matches;
use super::read::{self, ReadError};
use super::state::Indexes;
use super::tallies::Tallies;
use super::turn;
use super::unseal::Unseal;
use super::view::{EntryView, Viewer};
use super::walks::{Blocked, Question, Watch};
use crate::domain::{
    At, Code, Distance, Entry, EntryId, EntryState, FieldError, MemberId, Signal, SignalKind, Timestamp, check_count,
};
use crate::index::{HammingIndex, Neighbours, Reader, SearchError};
use crate::policy::{
    Band, Exhausted, MatchReceipt, Meter, Nearness, Permit, Quotas, check_radius, expiry_passed, is_matchable,
    operation, weigh,
};
use crate::store::Store;

/// The most signals of one item that a check may name.
pub const QUERIES_MAX: usize = 16;
/// Matches shown where the caller does not say how many.
pub const LIMIT_DEFAULT: u32 = 100;
/// The most matches one answer may show.
pub const LIMIT_MAX: u32 = 1_000;

/// Looks up signals.
#[derive(Clone)]
pub struct Check {
    pub(super) indexes: Indexes,
    /// Benign items, by leaf.
    pub(super) benign: Reader<4>,
    pub(super) store: Arc<Store>,
    pub(super) head: watch::Receiver<Head>,
    pub(super) viewer: Viewer,
    pub(super) quotas: Quotas,
    pub(super) watch: Watch,
    pub(super) unseal: Unseal,
    /// Whose turn it is to go through a drill's entries.
    pub(super) drills: Arc<Semaphore>,
    pub(super) matches: Matches,
    pub(super) tallies: Tallies,
}

/// One signal to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    pub(super) signal: Signal,
    pub(super) radius: Distance,
}

impl Query {
    /// A query for what is within `radius` bits of `signal`, or within its kind's default radius.
    ///
    /// # Errors
    /// A radius wider than the kind allows, at path `radius`.
    pub fn new(signal: Signal, radius: Option<u32>) -> Result<Self, FieldError> {
        let kind = signal.kind();
        let max = kind.radius_max();
        let radius = match radius {
            None => kind.radius_default(),
            Some(bits) => match u16::try_from(bits).map(Distance::new) {
                Ok(radius) if radius <= max => radius,
                _ => return Err(format!("must be 0 to {max} for {kind}, got {bits}")).at("radius"),
            },
        };
        Ok(Self { signal, radius })
    }
}

/// What to look up, and how much of what is found to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckQuery {
    pub(super) queries: Vec<Query>,
    pub(super) limit: usize,
    /// The drill whose entries alone are looked at.
    pub(super) drill: Option<Code>,
}

impl CheckQuery {
    /// A check of 1 to 16 queries, showing at most `limit` matches (1 to 1,000; 100 if not said).
    ///
    /// # Errors
    /// The field that is not as it must be: `queries` or `limit`.
    pub fn new(queries: Vec<Query>, limit: Option<u32>) -> Result<Self, FieldError> {
        check_count("queries", queries.len(), QUERIES_MAX)?;
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(FieldError::new("limit", format_args!("must be 1 to {LIMIT_MAX}, got {limit}")));
        }
        Ok(Self { queries, limit: limit as usize, drill: None })
    }

    /// The same among the entries of an open drill alone, where one is named.
    #[must_use]
    pub fn in_drill(self, drill: Option<Code>) -> Self {
        Self { drill, ..self }
    }
}

impl CheckQuery {
    /// Everything that leads from the queries to `entry`: the nearest of its signals for each query, in the order to show.
    pub(super) fn evidence(&self, entry: &Entry, nearness: Nearness) -> Vec<Evidence> {
        let mut evidence = Vec::new();
        for (at, query) in self.queries.iter().enumerate().filter(|(_, query)| query.signal.is_matchable()) {
            let distances = entry.draft.signals().iter().filter_map(|stored| query.signal.distance(stored));
            if let Some(distance) = distances.min().filter(|distance| *distance <= query.radius) {
                evidence.push(Evidence::new(at, query.signal.kind(), distance, nearness));
            }
        }
        evidence.sort_by_key(|evidence| (evidence.rank(), evidence.query));
        evidence
    }
}

/// What became of one query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing on the list is within the radius.
    NoMatch,
    /// So many entries are.
    Match { total: u64 },
    /// A PDQ hash of a picture too featureless to share or match.
    TooFeatureless,
}

/// A stored signal that a query is near to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Which query, from 0.
    pub query: usize,
    pub kind: SignalKind,
    /// None beyond the kind's widest radius.
    pub band: Option<Band>,
    /// Only for those who see distances.
    pub distance: Option<Distance>,
}

impl Evidence {
    /// As far as `nearness` lets see it.
    pub(super) fn new(query: usize, kind: SignalKind, distance: Distance, nearness: Nearness) -> Self {
        let band = Band::of(kind, distance);
        Self { query, kind, band, distance: (nearness == Nearness::Distances).then_some(distance) }
    }

    /// Orders evidence of different kinds: strong before weak, then by distance as a share of the kind's bits; where distances are
    /// not to be seen by the band, so that the order does not show them either.
    pub(super) fn rank(&self) -> (bool, u64) {
        let Some(distance) = self.distance else {
            return (!self.kind.is_strong_evidence(), self.band.map_or(u64::MAX, |band| band as u64));
        };
        // In 256ths, since 256 bits are the longest and all lengths divide it.
        let share = u64::from(distance.bits()) * 256 / (8 * self.kind.bytes() as u64);
        (!self.kind.is_strong_evidence(), share)
    }
}

/// An entry that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    pub view: EntryView,
    /// Strong kinds first, then nearest first; at least one.
    pub evidence: Vec<Evidence>,
    /// To report what came of it, or to appeal.
    pub receipt: MatchReceipt,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckAnswer {
    /// One a query, in their order.
    pub outcomes: Vec<Outcome>,
    /// Distinct entries by their best evidence, then oldest first.
    pub matches: Vec<Match>,
    /// Whether more entries matched than are shown.
    pub more: bool,
    /// The drill that it is part of.
    pub drill: Option<Code>,
}

/// Why a check has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A radius is not for this caller.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The caller has asked what it should not.
    #[error(transparent)]
    Blocked(#[from] Blocked),
    /// The caller has asked as much as it may for now.
    #[error(transparent)]
    Quota(#[from] Exhausted),
    /// An entry that was found could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An index promises less than its kind: the hub was put together wrongly.
    #[error(transparent)]
    Search(#[from] SearchError),
}

impl From<crate::store::StoreError> for CheckError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Read(error.into())
    }
}

/// The live entries of one check, each read once however many signals lead to it.
pub(super) type Found = HashMap<EntryId, (Entry, EntryState)>;

impl Check {
    /// Looks up every query. However long that takes, others have their turn in between.
    ///
    /// # Errors
    /// [`CheckError`]: then nothing is known, which is not "no match".
    pub async fn run(&self, permit: &Permit<operation::Check>, check: &CheckQuery) -> Result<CheckAnswer, CheckError> {
        let principal = permit.principal();
        let nearness = principal.sight().nearness;
        for (at, query) in check.queries.iter().enumerate() {
            check_radius(nearness, query.signal.kind(), query.radius)
                .map_err(|refused| FieldError::new(format!("queries[{at}].radius"), refused))?;
        }
        let asked = check.queries.len() as u64;
        self.quotas.take(principal, Meter::Checks, asked, self.viewer.clock.now())?;
        self.look_up(permit, check).await
    }

    /// The same, counted already.
    pub(super) async fn look_up(
        &self,
        permit: &Permit<operation::Check>,
        check: &CheckQuery,
    ) -> Result<CheckAnswer, CheckError> {
        let now = self.viewer.clock.now();
        self.watch.admit(permit.principal().member)?;
        if let Some(drill) = &check.drill {
            return self.look_up_in_drill(permit, check, drill, now).await;
        }
        let nearness = permit.principal().sight().nearness;
        let mut found = Found::new();
        let mut more = false;
        let mut questions = Vec::new();
        let mut outcomes = Vec::with_capacity(check.queries.len());
        for query in &check.queries {
            if !query.signal.is_matchable() {
                outcomes.push(Outcome::TooFeatureless);
                continue;
            }
            let neighbours = self.live(query, check.limit, nearness, now, &mut found).await?;
            if nearness == Nearness::Bands {
                questions.push(self.question(query, &neighbours.anchors, permit.principal().member, &found).await?);
            }
            more |= neighbours.total > neighbours.nearest.len();
            outcomes.push(match neighbours.total {
                0 => Outcome::NoMatch,
                total => Outcome::Match { total: total as u64 },
            });
        }
        if !questions.is_empty() {
            self.watch.observe(&permit.authority(), &questions, now).await?;
        }
        self.answer(permit, check, found, (outcomes, more), now).await
    }

    /// The answer that shows these entries, the nearest of them.
    pub(super) async fn answer(
        &self,
        permit: &Permit<operation::Check>,
        check: &CheckQuery,
        found: Found,
        (outcomes, mut more): (Vec<Outcome>, bool),
        now: Timestamp,
    ) -> Result<CheckAnswer, CheckError> {
        let member = permit.principal().member;
        let nearness = permit.principal().sight().nearness;
        // From the entries themselves: an index's limit may have cut off some of what leads to one.
        let with_evidence = |(entry, state)| (check.evidence(&entry, nearness), entry, state);
        let mut found: Vec<(Vec<Evidence>, Entry, EntryState)> = found.into_values().map(with_evidence).collect();
        found.sort_by_key(|(evidence, entry, _)| (evidence.first().map(Evidence::rank), entry.id));
        more |= found.len() > check.limit;
        found.truncate(check.limit);
        let near_benign = if found.is_empty() { Vec::new() } else { self.near_benign(&check.queries)? };
        let matches: Vec<_> = found
            .into_iter()
            .map(|(evidence, entry, state)| {
                let mut view = self.viewer.view(entry, &state, permit.principal());
                let benign = evidence.iter().find_map(|evidence| near_benign.get(evidence.query).copied().flatten());
                view.assessment = weigh(view.assessment, evidence.iter().map(|evidence| evidence.kind), benign);
                let receipt = self.matches.receipt(member, view.entry.id, now);
                Match { view, evidence, receipt }
            })
            .collect();
        let names = matches.iter().map(|found| found.view.names()).sum();
        if names > 0 {
            self.unseal.run(&permit.authority(), names).await?;
        }
        // What is found in a drill is no match of anybody's.
        if check.drill.is_none() {
            self.matches.note(member, matches.iter().map(|found| found.view.entry.id), now);
            self.tallies.note(&matches, now);
        }
        Ok(CheckAnswer { outcomes, matches, more, drill: check.drill.clone() })
    }

    /// The benign item nearest to each query, if one is as near as the rules say.
    fn near_benign(&self, queries: &[Query]) -> Result<Vec<Option<u64>>, CheckError> {
        let radius = Distance::new(self.viewer.register.load().rules().benign.radius_bits);
        let nearest = |query: &Query| {
            Ok(match query.signal {
                Signal::Pdq { hash, .. } => {
                    let found = self.benign.search(&hash.words(), radius, 1)?;
                    found.nearest.first().map(|benign| benign.id)
                }
                Signal::Md5(_) | Signal::Sha256(_) => self.store.equal_benign(&query.signal)?.first().copied(),
                Signal::Phash(_) | Signal::Dhash(_) => None,
            })
        };
        queries.iter().map(nearest).collect()
    }

    /// The entries within a query's radius that count at `now`: the `limit` nearest, and how many there are.
    ///
    /// An entry may have been withdrawn since the index was read, or have expired and not been taken out yet. For each such one
    /// the search is widened, so that it never takes the place of one that counts.
    ///
    /// Where distances are not to be seen, which entries are shown does not depend on them: those of nearer bands, and then the
    /// oldest.
    async fn live(
        &self,
        query: &Query,
        limit: usize,
        nearness: Nearness,
        now: Timestamp,
        found: &mut Found,
    ) -> Result<Live, CheckError> {
        let bands = nearness == Nearness::Bands;
        let mut asked = if bands { usize::MAX } else { limit };
        loop {
            turn::search(self.rows(query.signal.kind())).await;
            let mut raw = self.search(query, asked, now)?;
            if bands {
                raw.nearest.sort_by_key(|(id, distance)| (Band::of(query.signal.kind(), *distance), *id));
            }
            let anchors = if bands { self.watch.anchors(query.signal.kind(), &raw.nearest) } else { Vec::new() };
            turn::found(raw.total).await;
            let mut live = Vec::with_capacity(raw.nearest.len().min(limit));
            let mut dead = 0;
            for (id, distance) in &raw.nearest {
                if live.len() == limit {
                    break;
                }
                if self.is_live(*id, now, found).await? { live.push((*id, *distance)) } else { dead += 1 }
            }
            let complete = raw.nearest.len() == raw.total;
            if complete || live.len() >= limit {
                live.truncate(limit);
                return Ok(Live { nearest: live, total: raw.total - dead, anchors });
            }
            asked = asked.saturating_mul(2);
        }
    }

    /// A query with the stored signals that a walk could be around: not the asker's own.
    pub(super) async fn question(
        &self,
        query: &Query,
        anchors: &[EntryId],
        asker: MemberId,
        found: &Found,
    ) -> Result<Question, ReadError> {
        let max = query.signal.kind().radius_max();
        let mut near = Vec::new();
        for id in anchors {
            let read = match found.get(id) {
                Some((entry, _)) => Some(entry.clone()),
                None => {
                    turn::step().await;
                    read::entry(&self.store, *id)?
                }
            };
            let Some(entry) = read.filter(|entry| !self.watch.is_own(asker, entry.contributor)) else { continue };
            let is_near = |stored: &&Signal| query.signal.distance(stored).is_some_and(|distance| distance <= max);
            near.extend(entry.draft.signals().iter().filter(is_near).copied());
        }
        Ok(Question { asked: query.signal, found: near })
    }

    /// Rows that a search of this kind goes through.
    fn rows(&self, kind: SignalKind) -> usize {
        match kind {
            SignalKind::Pdq => self.indexes.pdq.len(),
            SignalKind::Phash => self.indexes.phash.len(),
            SignalKind::Dhash => self.indexes.dhash.len(),
            SignalKind::Md5 | SignalKind::Sha256 => 0,
        }
    }

    /// What the index, or the store for exact kinds, has within the radius. An index may still have what has just expired.
    fn search(&self, query: &Query, limit: usize, now: Timestamp) -> Result<Live, CheckError> {
        let indexes = &self.indexes;
        let neighbours = match query.signal {
            Signal::Pdq { hash, .. } => indexes.pdq.search(&hash.words(), query.radius, limit)?,
            Signal::Phash(hash) => indexes.phash.search(&[hash.word()], query.radius, limit)?,
            Signal::Dhash(hash) => indexes.dhash.search(&[hash.word()], query.radius, limit)?,
            Signal::Md5(_) | Signal::Sha256(_) => {
                let mut rows = self.store.equal_signals(&query.signal)?;
                // What has just expired is in the store for a moment still.
                rows.retain(|row| !expiry_passed(row.valid_until, now));
                // Nor does anything keep them back until they are provable.
                let size = self.head.borrow().size;
                rows.retain(|row| row.entry.0 < size);
                let nearest = rows.iter().take(limit).map(|row| (row.entry, Distance::new(0))).collect();
                return Ok(Live { nearest, total: rows.len(), anchors: Vec::new() });
            }
        };
        Ok(Live::from(neighbours))
    }

    /// Whether an entry counts at `now`; reads it at the first mention.
    async fn is_live(&self, id: EntryId, now: Timestamp, found: &mut Found) -> Result<bool, ReadError> {
        if found.contains_key(&id) {
            return Ok(true);
        }
        turn::step().await;
        let Some((entry, state)) = read::entry_with_state(&self.store, id)? else { return Ok(false) };
        let live = is_matchable(&state, now);
        if live {
            found.insert(id, (entry, state));
        }
        Ok(live)
    }
}

/// Entries near a query, nearest first, and how many there are in all.
struct Live {
    nearest: Vec<(EntryId, Distance)>,
    total: usize,
    /// Those that may be walked around with this query, however many are shown.
    anchors: Vec<EntryId>,
}

impl From<Neighbours> for Live {
    fn from(neighbours: Neighbours) -> Self {
        let nearest = neighbours.nearest.iter().map(|one| (EntryId(one.id), one.distance)).collect();
        Self { nearest, total: neighbours.total, anchors: Vec::new() }
    }
}
