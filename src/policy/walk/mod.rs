//! Who is asking their way to a listed hash: a detector of walks.
//!
//! Bands tell an asker only when an answer changes: when a small step takes a hash over the end of a band. So whoever wants
//! the bits of a listed hash has to ask right at such an end, again and again, and from there in every direction, for a
//! direction that is not tried stays unknown. Pictures do not do that: their variants lie at all distances, few at an end of
//! a band, and those differ in the same weak bits. [`Walks`] counts, for each member (or control group, if it has one) and
//! listed hash, the different questions at the ends of bands ([`Trail`]) and looks at how evenly they touch the bits.
//!
//! Invariants: a question that is not at the end of a band of something the asker has matched leaves nothing behind. What it
//! does leave are counts of bits in an order that only the secret tells, and a keyed fingerprint. All of it is in memory only
//! and bounded. One member's questions never change what another is told, but those of one control group count together: when the group
//! has walked far enough, whoever of it asks next at that place is blocked. It does not know entries, keys or transports,
//! and takes no time of its own. `docs/abuse.md` has what it catches, what not, and the rates.

mod limits;
#[cfg(test)]
mod tests;
mod trail;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::ZeroizeOnDrop;

use limits::Level;
pub use limits::WalkLimits;
pub use trail::is_at_a_bands_end;
use trail::{Place, Trail};

use crate::domain::{Code, Member, MemberId, Signal, Timestamp, Unit};

/// Who asks, and whose questions count together with theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    member: MemberId,
    group: Option<Code>,
}

impl Asker {
    /// A member through any of its keys; with those of the same control group, if it has one.
    pub fn of(member: &Member) -> Self {
        Self { member: member.id, group: member.control_group.clone() }
    }

    /// Whose questions count together with its own.
    pub fn unit(&self) -> Unit {
        self.group.clone().map_or(Unit::Member(self.member), Unit::Group)
    }
}
/// What to do about a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Clear,
    /// Answer, and let the operator know.
    Flagged,
    /// Answer that much later, and let the operator know.
    Slowed(Duration),
    /// Answer nothing to this member any more, until the operator has looked.
    Blocked,
}

/// What a question was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    pub verdict: Verdict,
    /// Whether no earlier question brought as grave a verdict: then it is to be recorded.
    pub is_new: bool,
}

impl Observed {
    const CLEAR: Self = Self { verdict: Verdict::Clear, is_new: false };
}

/// The secret of one run of the program, that all that is kept is keyed with.
#[derive(Clone, ZeroizeOnDrop)]
pub struct WalkSecret([u8; 32]);

impl WalkSecret {
    /// From 32 random bytes, drawn anew at each start and never written down.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// 32 bytes that say nothing of what they were made of to whoever has not the secret.
    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            // HMAC takes a key of any length, so this is never reached.
            return [0; 32];
        };
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for WalkSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WalkSecret(..)")
    }
}

/// All walks that may be under way, and the members that are blocked for one.
pub struct Walks {
    secret: WalkSecret,
    limits: WalkLimits,
    trails: HashMap<Unit, Vec<Trail>>,
    blocked: HashSet<MemberId>,
    /// Trails made so far: makes the choice of which to give up unforeseeable.
    made: u64,
}

impl Walks {
    /// Has seen nothing yet.
    pub fn new(secret: WalkSecret, limits: WalkLimits) -> Self {
        Self { secret, limits, trails: HashMap::new(), blocked: HashSet::new(), made: 0 }
    }

    /// Takes note of one question: a signal, and the stored signals of its kind that it was found to be near.
    ///
    /// To be called for every signal of every question of those who see bands, also if nothing matched. Kinds that match only
    /// when equal are never a walk. Takes well under a microsecond where no band ends, some microseconds where one does.
    pub fn observe(&mut self, asker: &Asker, asked: &Signal, matched: &[Signal], now: Timestamp) -> Observed {
        if self.is_blocked(asker.member) {
            return Observed { verdict: Verdict::Blocked, is_new: false };
        }
        let Some(asked) = Place::of(asked) else { return Observed::CLEAR };
        let unit = asker.unit();
        for anchor in matched.iter().filter_map(Place::of).filter(|anchor| asked.is_at_a_bands_end_of(anchor)) {
            self.follow(&unit, anchor, now);
        }
        let Some(trails) = self.trails.get_mut(&unit) else { return Observed::CLEAR };
        let (mut before, mut after) = (Level::Clear, Level::Clear);
        for trail in trails.iter_mut().filter(|trail| asked.is_at_a_bands_end_of(&trail.anchor)) {
            if trail.is_stale(&self.limits, now) {
                *trail = Trail::new(trail.anchor, now);
            }
            before = before.max(trail.level());
            trail.record(&asked, &self.secret, &self.limits, now);
            after = after.max(trail.level());
        }
        if after == Level::Blocked {
            self.blocked.insert(asker.member);
        }
        Observed { verdict: self.limits.verdict(after), is_new: after > before }
    }

    /// Has a trail for questions around `anchor`.
    fn follow(&mut self, unit: &Unit, anchor: Place, now: Timestamp) {
        let trails = self.trails.entry(unit.clone()).or_default();
        if trails.iter().any(|trail| trail.anchor == anchor) {
            return;
        }
        self.made += 1;
        if trails.len() < self.limits.trails_max {
            trails.push(Trail::new(anchor, now));
            return;
        }
        // In the place of the one with the fewest tests among some drawn by lot: who walks around more hashes than are
        // followed can neither tell which are given up nor have those given up where it has come far.
        let lots = self.secret.mac(&[b"lots", &self.made.to_be_bytes()]);
        let draw = |lot: &[u8; 4]| u32::from_be_bytes(*lot) as usize % self.limits.trails_max;
        let drawn = lots.as_chunks::<4>().0.iter().map(draw).min_by_key(|at| trails.get(*at).map(Trail::tests));
        if let Some(given_up) = drawn.and_then(|at| trails.get_mut(at)) {
            *given_up = Trail::new(anchor, now);
        }
    }

    /// Whether a member gets no answers until the operator has looked.
    pub fn is_blocked(&self, member: MemberId) -> bool {
        self.blocked.contains(&member)
    }

    /// Lets a member ask again and forgets what it, or its control group, has asked so far.
    pub fn release(&mut self, asker: &Asker) {
        self.blocked.remove(&asker.member);
        self.trails.remove(&asker.unit());
    }

    /// Forgets what is too long ago. To be called about once an hour.
    pub fn expire(&mut self, now: Timestamp) {
        for trails in self.trails.values_mut() {
            trails.retain(|trail| !trail.is_stale(&self.limits, now));
            trails.shrink_to_fit();
        }
        self.trails.retain(|_, trails| !trails.is_empty());
    }

    /// How many trails are followed, of all members together.
    pub fn trails(&self) -> usize {
        self.trails.values().map(Vec::len).sum()
    }

    /// Bytes of memory that what is kept takes: at most [`WalkLimits::bytes_max`] for each member.
    pub fn bytes(&self) -> usize {
        self.trails.values().flatten().map(Trail::bytes).sum()
    }
}

// Trails hold stored hashes.
impl fmt::Debug for Walks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trails, blocked) = (self.trails(), self.blocked.len());
        f.debug_struct("Walks").field("trails", &trails).field("blocked", &blocked).finish_non_exhaustive()
    }
}
