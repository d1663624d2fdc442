//! A hub as those see it who see bands: hashes that are listed, honest answers, and the detector.

use std::time::Duration;

use hashcommons::domain::{Code, Distance, Member, MemberId, Pdq, Signal, SignalKind, Timestamp};
use hashcommons::policy::{Asker, Band, Observed, Verdict, WalkLimits, WalkSecret, Walks};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};

/// A PDQ hash.
pub type Bits = [u64; 4];

pub fn distance(a: &Bits, b: &Bits) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

pub fn flip(bits: &mut Bits, at: usize) {
    bits[at / 64] ^= 1 << (at % 64);
}

pub fn is_set(bits: &Bits, at: usize) -> bool {
    bits[at / 64] >> (at % 64) & 1 == 1
}

/// A hash as of some picture: half of its bits are set.
pub fn balanced(rng: &mut StdRng) -> Bits {
    let mut order: Vec<usize> = (0..256).collect();
    order.shuffle(rng);
    let mut bits = [0; 4];
    order[..128].iter().for_each(|at| flip(&mut bits, *at));
    bits
}

/// Another hash with half of its bits set, `distance` (even) bits away.
pub fn near(bits: &Bits, distance: usize, rng: &mut StdRng) -> Bits {
    let mut near = *bits;
    for set in [true, false] {
        let places: Vec<usize> = (0..256).filter(|at| is_set(bits, *at) == set).collect();
        places.sample(rng, distance / 2).for_each(|at| flip(&mut near, *at));
    }
    near
}

pub fn signal(bits: &Bits) -> Signal {
    Signal::Pdq { hash: Pdq::from_words(*bits), quality: None }
}

/// The member of this number, in a control group or in none.
pub fn asker(number: u32, group: Option<&str>) -> Asker {
    let [a, b, c, d] = number.to_be_bytes();
    let id = MemberId::from_bytes([a, b, c, d, 0]);
    let mut member = Member::new(id, "Example".parse().unwrap(), "NZ".parse().unwrap(), Timestamp::EPOCH);
    member.control_group = group.map(|group| group.parse::<Code>().unwrap());
    Asker::of(&member)
}

pub fn walks() -> Walks {
    Walks::new(WalkSecret::new([7; 32]), WalkLimits::default())
}

/// One attacker and the hub.
pub struct Game {
    pub rng: StdRng,
    pub listed: Vec<Bits>,
    pub askers: Vec<Asker>,
    /// Between two questions.
    pub pause: Duration,
    walks: Walks,
    now: Timestamp,
    pub asked: u32,
    /// Answers that told something: at most a bit each.
    pub learned: u32,
    /// The question at which it was first flagged, slowed, blocked.
    pub at: [Option<u32>; 3],
    pub learned_at: [u32; 3],
}

impl Game {
    pub fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let listed = (0..64).map(|_| balanced(&mut rng)).collect();
        let now = Timestamp::from_millis(1_000_000_000_000).unwrap();
        Self {
            rng,
            listed,
            askers: vec![asker(1, None)],
            pause: Duration::from_secs(1),
            walks: walks(),
            now,
            asked: 0,
            learned: 0,
            at: [None; 3],
            learned_at: [0; 3],
        }
    }

    /// The band in which `asked` is to the listed hash `target`, if it matches; an error for who is blocked.
    pub fn ask(&mut self, asked: &Bits, target: usize) -> Result<Option<Band>, Blocked> {
        self.asked += 1;
        self.now = self.now.plus(self.pause);
        let asker = &self.askers[self.asked as usize % self.askers.len()];
        let near = |listed: &&Bits| distance(listed, asked) <= 31;
        let matched: Vec<Signal> = self.listed.iter().filter(near).map(signal).collect();
        let Observed { verdict, .. } = self.walks.observe(asker, &signal(asked), &matched, self.now);
        let level = match verdict {
            Verdict::Clear => 0,
            Verdict::Flagged => 1,
            Verdict::Slowed(_) => 2,
            Verdict::Blocked => 3,
        };
        for reached in 0..level {
            if self.at[reached].is_none() {
                (self.at[reached], self.learned_at[reached]) = (Some(self.asked), self.learned);
            }
        }
        if level == 3 {
            return Err(Blocked);
        }
        Ok(Band::of(SignalKind::Pdq, Distance::new(distance(&self.listed[target], asked) as u16)))
    }

    /// Whether `asked` is on the near side of the band's end at `end`, 20 or 31.
    pub fn is_inside(&mut self, asked: &Bits, target: usize, end: u32) -> Result<bool, Blocked> {
        let band = self.ask(asked, target)?;
        Ok(if end == 31 { band.is_some() } else { band.is_some_and(|band| band < Band::Similar) })
    }

    /// The same, by a question whose answer tells something.
    pub fn test(&mut self, asked: &Bits, target: usize, end: u32) -> Result<bool, Blocked> {
        let inside = self.is_inside(asked, target, end)?;
        self.learned += 1;
        Ok(inside)
    }
}

/// The attack is over.
#[derive(Debug)]
pub struct Blocked;
