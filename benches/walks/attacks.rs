//! Those who look for the bits of a listed hash, from a picture that matches it.

use std::time::Duration;

use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};

use super::game::{Bits, Blocked, Game, asker, balanced, distance, flip, is_set, near};

type Attack = fn(&mut Game) -> Result<(), Blocked>;

pub const ATTACKS: &[(&str, Attack)] = &[
    ("single bits, one after the other", |game| tests(game, Plan::new(31).forged())),
    ("single bits, inner band's end", |game| tests(game, Plan::new(20).forged())),
    ("pairs of bits", |game| tests(game, Plan::new(31))),
    ("pairs, inner band's end", |game| tests(game, Plan::new(20))),
    ("pairs, padded 4:1 with variants of the listed", |game| tests(game, Plan { padding: 4, ..Plan::new(31) })),
    ("pairs, padded 20:1", |game| tests(game, Plan { padding: 20, ..Plan::new(31) })),
    ("pairs, one in 12 hours", |game| {
        game.pause = Duration::from_hours(12);
        tests(game, Plan::new(31))
    }),
    ("pairs, by 8 members of a control group", |game| {
        game.askers = (0..8).map(|number| asker(number, Some("group"))).collect();
        tests(game, Plan::new(31))
    }),
    ("pairs, by 4 members that have nothing in common", |game| {
        game.askers = (0..4).map(|number| asker(number, None)).collect();
        tests(game, Plan::new(31))
    }),
    ("pairs, from just outside: mostly no match", |game| tests(game, Plan { outside: true, ..Plan::new(31) })),
    ("pairs, under noise in 12 bits", |game| tests(game, Plan { noise: 12, ..Plan::new(31) })),
    ("pairs, two centres in turn", |game| tests(game, Plan { centres: 2, ..Plan::new(31) })),
    ("groups of six bits", groups),
    ("random subsets of 20 bits", subsets),
    ("bisection towards random hashes", bisection),
    ("by one who knows this detector: noise, each bit touched before", informed),
    ("eight listed hashes in turn (questions for all)", in_turn),
];

/// How to test bit after bit around a hash at the end of a band.
struct Plan {
    end: u32,
    /// Bits change in pairs, so that half of them stay set as in the hash of a picture.
    pairs: bool,
    /// Questions beside each test, about variants of the listed hash and other pictures.
    padding: u32,
    outside: bool,
    /// Bits that change at random from test to test, in pairs that keep the distance.
    noise: usize,
    centres: usize,
}

impl Plan {
    fn new(end: u32) -> Self {
        Self { end, pairs: true, padding: 0, outside: false, noise: 0, centres: 1 }
    }

    fn forged(self) -> Self {
        Self { pairs: false, ..self }
    }
}

/// One bit, or one that is set and one that is not.
fn step(bits: &Bits, pairs: bool, game: &mut Game) -> Bits {
    if pairs {
        return near(bits, 2, &mut game.rng);
    }
    let mut bits = *bits;
    flip(&mut bits, game.rng.random_range(0..256));
    bits
}

/// From a picture that matches outwards: the last hash inside, and the first outside.
fn edge(game: &mut Game, target: usize, end: u32, pairs: bool) -> Result<(Bits, Bits), Blocked> {
    let listed = game.listed[target];
    let mut inside = near(&listed, 12, &mut game.rng);
    loop {
        let next = step(&inside, pairs, game);
        if !game.is_inside(&next, target, end)? {
            return Ok((inside, next));
        }
        inside = next;
    }
}

/// Every bit, or pair of bits, in random order.
fn tests(game: &mut Game, plan: Plan) -> Result<(), Blocked> {
    let mut centres = Vec::new();
    for _ in 0..plan.centres {
        let (inside, outside) = edge(game, 0, plan.end, plan.pairs)?;
        centres.push(if plan.outside { outside } else { inside });
    }
    let listed = game.listed[0];
    // What a picture's variants differ in, of which the attacker knows some as well.
    let weak: Vec<usize> = (0..60).map(|_| game.rng.random_range(0..256)).collect();
    let (agree, differ): (Vec<_>, Vec<_>) = (0..256).partition(|at| is_set(&centres[0], *at) == is_set(&listed, *at));
    let noise: Vec<(usize, usize)> = agree.into_iter().zip(differ).take(plan.noise / 2).collect();
    let mut order: Vec<usize> = (0..256).collect();
    order.shuffle(&mut game.rng);
    for round in 0..512 {
        let centre = centres[round % centres.len()];
        let mut asked = centre;
        let at = order[round % 256];
        flip(&mut asked, at);
        if plan.pairs {
            let other: Vec<_> = order.iter().filter(|other| is_set(&centre, **other) != is_set(&centre, at)).collect();
            flip(&mut asked, **other.choose(&mut game.rng).unwrap());
        }
        for (agree, differ) in &noise {
            if game.rng.random() {
                flip(&mut asked, *agree);
                flip(&mut asked, *differ);
            }
        }
        game.test(&asked, 0, plan.end)?;
        for _ in 0..plan.padding {
            let mut padding = if game.rng.random() { listed } else { balanced(&mut game.rng) };
            let flips = game.rng.random_range(2..28);
            for at in weak.sample(&mut game.rng, flips).copied().collect::<Vec<_>>() {
                flip(&mut padding, at);
            }
            game.ask(&padding, 0)?;
        }
    }
    Ok(())
}

/// Six bits at once: the answer changes unless two of them or more differ.
fn groups(game: &mut Game) -> Result<(), Blocked> {
    let (mut centre, _) = edge(game, 0, 31, true)?;
    // Inwards again by some steps that are known to lead outwards.
    for _ in 0..3 {
        let listed = game.listed[0];
        let Some(at) = (0..256).find(|at| is_set(&centre, *at) != is_set(&listed, *at)) else { break };
        flip(&mut centre, at);
    }
    for _ in 0..512 {
        let asked = near(&centre, 6, &mut game.rng);
        game.test(&asked, 0, 31)?;
    }
    Ok(())
}

/// From well inside by twenty random bits, to about the end of a band.
fn subsets(game: &mut Game) -> Result<(), Blocked> {
    let start = near(&game.listed[0].clone(), 14, &mut game.rng);
    for _ in 0..512 {
        let asked = near(&start, 20, &mut game.rng);
        game.test(&asked, 0, 31)?;
    }
    Ok(())
}

/// On the way from a match to a random hash the answer changes at one bit, which is found by halving.
fn bisection(game: &mut Game) -> Result<(), Blocked> {
    let start = near(&game.listed[0].clone(), 12, &mut game.rng);
    for _ in 0..128 {
        let far = balanced(&mut game.rng);
        let mut way: Vec<usize> = (0..256).filter(|at| is_set(&start, *at) != is_set(&far, *at)).collect();
        way.shuffle(&mut game.rng);
        let (mut inside, mut outside) = (0, way.len());
        while outside - inside > 1 {
            let middle = (inside + outside) / 2;
            let mut asked = start;
            way[..middle].iter().for_each(|at| flip(&mut asked, *at));
            if game.test(&asked, 0, 31)? { inside = middle } else { outside = middle }
        }
    }
    Ok(())
}

/// Noise in some bits makes the others seem to change little, and each bit is touched by several questions of which none tells
/// much of it, before it is tested.
fn informed(game: &mut Game) -> Result<(), Blocked> {
    let listed = game.listed[0];
    let base = near(&listed, 14, &mut game.rng);
    let (centre, _) = edge(game, 0, 31, true)?;
    let (agree, differ): (Vec<_>, Vec<_>) = (0..256).partition(|at| is_set(&centre, *at) == is_set(&listed, *at));
    let noise: Vec<(usize, usize)> = agree.into_iter().zip(differ).take(8).collect();
    let mut order: Vec<usize> = (0..256).collect();
    order.shuffle(&mut game.rng);
    for chunk in order.chunks(16) {
        for other in [2, 4, 6] {
            let mut asked = near(&base, other, &mut game.rng);
            chunk.iter().for_each(|at| flip(&mut asked, *at));
            game.test(&asked, 0, 31)?;
        }
        for at in chunk {
            let mut asked = centre;
            flip(&mut asked, *at);
            let pair = chunk.iter().find(|other| is_set(&centre, **other) != is_set(&centre, *at));
            pair.into_iter().for_each(|other| flip(&mut asked, *other));
            for (agree, differ) in &noise {
                if game.rng.random() {
                    flip(&mut asked, *agree);
                    flip(&mut asked, *differ);
                }
            }
            game.test(&asked, 0, 31)?;
        }
    }
    Ok(())
}

fn in_turn(game: &mut Game) -> Result<(), Blocked> {
    let mut centres = Vec::new();
    for target in 0..8 {
        centres.push(edge(game, target, 31, true)?.0);
    }
    for round in 0..4096 {
        let target = round % 8;
        let asked = near(&centres[target], 2, &mut game.rng);
        game.test(&asked, target, 31)?;
    }
    debug_assert!(distance(&centres[0], &game.listed[0]) <= 31);
    Ok(())
}
