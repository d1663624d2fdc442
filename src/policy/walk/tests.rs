//! Walks and what is none, from fixed seeds. `benches/walks` has many more of both.

use std::time::Duration;

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};

use super::trail::{Place, order};
use super::{Asker, Observed, Verdict, WalkLimits, WalkSecret, Walks};
use crate::domain::{Digest, Hash64, Member, MemberId, Pdq, Signal, Timestamp};

const DAY: Duration = Duration::from_hours(24);

fn walks() -> Walks {
    Walks::new(WalkSecret::new([1; 32]), WalkLimits::default())
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000).unwrap()
}

fn id(n: u8) -> MemberId {
    MemberId::from_bytes([n; 5])
}

fn asker(n: u8, group: Option<&str>) -> Asker {
    let member = Member::new(id(n), "Example".parse().unwrap(), "NZ".parse().unwrap(), at(0));
    Asker::of(&Member { control_group: group.map(|group| group.parse().unwrap()), ..member })
}

fn pdq(words: [u64; 4]) -> Signal {
    Signal::Pdq { hash: Pdq::from_words(words), quality: None }
}

fn flip(words: &mut [u64; 4], bit: usize) {
    words[bit / 64] ^= 1 << (bit % 64);
}

/// A hash as of a picture: half of its bits are set.
fn picture(rng: &mut StdRng) -> [u64; 4] {
    let mut order: Vec<usize> = (0..256).collect();
    order.shuffle(rng);
    let mut words = [0; 4];
    order[..128].iter().for_each(|bit| flip(&mut words, *bit));
    words
}

/// Another such hash, `distance` bits (even) away.
fn near(words: &[u64; 4], distance: usize, rng: &mut StdRng) -> [u64; 4] {
    let mut near = *words;
    for set in [0, 1] {
        let bits: Vec<usize> = (0..256).filter(|bit| words[bit / 64] >> (bit % 64) & 1 == set).collect();
        bits.sample(rng, distance / 2).for_each(|bit| flip(&mut near, *bit));
    }
    near
}

/// A listed hash, and `n` different questions around one at the end of its outer band.
fn walk(n: usize, seed: u64) -> (Signal, Vec<Signal>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let listed = picture(&mut rng);
    let centre = near(&listed, 30, &mut rng);
    (pdq(listed), (0..n).map(|_| pdq(near(&centre, 2, &mut rng))).collect())
}

/// Asks as the hub does: with what is listed and matches.
fn ask(walks: &mut Walks, asker: &Asker, asked: &Signal, listed: &[Signal], now: Timestamp) -> Observed {
    let radius = asked.kind().radius_max();
    let is_near = |listed: &&Signal| asked.distance(listed).is_some_and(|distance| distance <= radius);
    let matched: Vec<Signal> = listed.iter().filter(is_near).copied().collect();
    walks.observe(asker, asked, &matched, now)
}

/// Asks one question a second, until blocked; how many were asked.
fn asked_until_blocked(walks: &mut Walks, asker: &Asker, listed: Signal, questions: &[Signal]) -> usize {
    let blocked =
        |at_: &(usize, &Signal)| ask(walks, asker, at_.1, &[listed], at(at_.0 as u64)).verdict == Verdict::Blocked;
    questions.iter().enumerate().find(blocked).map_or(questions.len(), |(at, _)| at)
}

#[test]
fn a_walk_is_flagged_then_slowed_then_blocked_and_each_is_new_once() {
    let (listed, questions) = walk(200, 1);
    let (mut walks, asker) = (walks(), asker(1, None));
    let mut new = Vec::new();
    for (second, question) in questions.iter().enumerate() {
        let observed = ask(&mut walks, &asker, question, &[listed], at(second as u64));
        if observed.is_new {
            new.push(observed.verdict);
        }
    }
    let slowed = Verdict::Slowed(WalkLimits::default().slow_by);
    assert_eq!(new, [Verdict::Flagged, slowed, Verdict::Blocked]);
    assert!(walks.is_blocked(id(1)));
}

#[test]
fn walks_are_blocked_before_a_third_of_the_bits_is_known_and_variants_of_a_picture_never() {
    for seed in 0..20 {
        let (listed, questions) = walk(256, seed);
        let asked = asked_until_blocked(&mut walks(), &asker(1, None), listed, &questions);
        assert!(asked < 80, "seed {seed}: {asked} questions");
    }
    // Variants: the signs of 256 coefficients, with noise that is mostly small.
    let mut rng = StdRng::seed_from_u64(7);
    let normal = |rng: &mut StdRng| (0..6).map(|_| rng.random::<f32>() - 0.5).sum::<f32>() * 1.414;
    let hash = |coefficients: &[f32; 256]| {
        let mut sorted = *coefficients;
        let median = *sorted.select_nth_unstable_by(127, f32::total_cmp).1;
        let mut words = [0; 4];
        (0..256).filter(|bit| coefficients[*bit] > median).for_each(|bit| flip(&mut words, bit));
        words
    };
    for _ in 0..5 {
        let scene: [f32; 256] = std::array::from_fn(|_| normal(&mut rng));
        let (listed, mut walks, mut tests) = (pdq(hash(&scene)), walks(), 0);
        for second in 0..3_000 {
            let strength = rng.random_range(0.03..0.5);
            let asked = pdq(hash(&scene.map(|coefficient| coefficient + strength * normal(&mut rng))));
            let observed = ask(&mut walks, &asker(1, None), &asked, &[listed], at(second));
            tests += u32::from(asked.distance(&listed).unwrap().bits().abs_diff(31) <= 1);
            assert_eq!(observed.verdict, Verdict::Clear, "after {second} questions");
        }
        assert!(tests > 100, "only {tests} of the variants were at the end of the outer band");
    }
}

#[test]
fn a_walk_of_one_question_a_day_and_one_in_single_bits_are_blocked_too() {
    let (listed, questions) = walk(256, 3);
    let mut walks = walks();
    let slow = questions.iter().enumerate().any(|(day, question)| {
        walks.expire(at(day as u64 * 86_400));
        ask(&mut walks, &asker(1, None), question, &[listed], at(day as u64 * 86_400)).verdict == Verdict::Blocked
    });
    assert!(slow);
    // Single bits: always a set bit too many or too few.
    let Signal::Pdq { hash, .. } = listed else { panic!("a PDQ hash") };
    let mut centre = hash.words();
    (0..31).for_each(|bit| flip(&mut centre, bit * 8));
    let single = |bit| {
        let mut words = centre;
        flip(&mut words, bit);
        pdq(words)
    };
    let questions: Vec<_> = (0..256).map(single).collect();
    assert!(asked_until_blocked(&mut walks, &asker(2, None), listed, &questions) < 40);
}

#[test]
fn hashes_that_no_picture_has_are_a_walk_even_if_they_differ_in_a_few_bits_only() {
    for (flips, blocked) in [(2, false), (3, true)] {
        let mut rng = StdRng::seed_from_u64(12);
        let listed = picture(&mut rng);
        let centre = near(&listed, 28, &mut rng);
        let is_set = |bit: &usize| centre[bit / 64] >> (bit % 64) & 1 == 1;
        let (set, clear): (Vec<usize>, Vec<usize>) = (0..40).partition(is_set);
        let question = |at: usize| {
            let mut words = centre;
            [set[at % 8], clear[at / 8 % 8], 200].iter().take(flips).for_each(|bit| flip(&mut words, *bit));
            pdq(words)
        };
        let questions: Vec<_> = (0..64).map(question).collect();
        let mut walks = walks();
        asked_until_blocked(&mut walks, &asker(1, None), pdq(listed), &questions);
        assert_eq!(walks.is_blocked(id(1)), blocked, "{flips} bits flipped");
    }
}

#[test]
fn a_walk_under_noise_in_a_few_bits_is_blocked_too() {
    let mut rng = StdRng::seed_from_u64(13);
    let listed = picture(&mut rng);
    let centre = near(&listed, 30, &mut rng);
    let bit_of = |words: &[u64; 4], bit: usize| words[bit / 64] >> (bit % 64) & 1 == 1;
    // Pairs that change neither the distance nor how many bits are set.
    let agree = (0..256).filter(|bit| bit_of(&centre, *bit) && bit_of(&listed, *bit));
    let differ = (0..256).filter(|bit| !bit_of(&centre, *bit) && bit_of(&listed, *bit));
    let noise: Vec<(usize, usize)> = agree.zip(differ).take(8).collect();
    let question = |_| {
        let mut words = near(&centre, 2, &mut rng);
        for (agree, differ) in noise.iter().filter(|_| rng.random()) {
            flip(&mut words, *agree);
            flip(&mut words, *differ);
        }
        pdq(words)
    };
    let questions: Vec<_> = (0..200).map(question).collect();
    assert!(asked_until_blocked(&mut walks(), &asker(1, None), pdq(listed), &questions) < 100);
}

proptest! {
    #[test]
    fn a_question_asked_again_is_never_a_walk(distance in 0..20_usize, times in 1..400_u64, seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let listed = picture(&mut rng);
        let question = pdq(near(&listed, distance * 2, &mut rng));
        let mut walks = walks();
        for second in 0..times {
            let observed = ask(&mut walks, &asker(1, None), &question, &[pdq(listed)], at(second));
            prop_assert_eq!(observed, Observed::CLEAR);
        }
    }

    #[test]
    fn what_one_member_asks_never_changes_what_another_is_told(
        turns in proptest::collection::vec((1..=2_u8, 0..60_usize), 1..160), seed: u64,
    ) {
        let (listed, questions) = walk(60, seed);
        let (mut both, mut alone) = (walks(), walks());
        for (second, (member, question)) in turns.into_iter().enumerate() {
            let asker = asker(member, None);
            let told = ask(&mut both, &asker, &questions[question], &[listed], at(second as u64));
            if member == 1 {
                let expected = ask(&mut alone, &asker, &questions[question], &[listed], at(second as u64));
                prop_assert_eq!(told, expected);
            }
        }
    }

    #[test]
    fn another_secret_keeps_something_else_and_comes_to_the_same_verdicts(secret: [u8; 32], seed: u64) {
        let (listed, questions) = walk(80, seed);
        let mut one = walks();
        let mut other = Walks::new(WalkSecret::new(secret), WalkLimits::default());
        for (second, question) in questions.iter().enumerate() {
            let now = at(second as u64);
            let told = ask(&mut one, &asker(1, None), question, &[listed], now);
            prop_assert_eq!(told, ask(&mut other, &asker(1, None), question, &[listed], now));
        }
        let anchor = Place::of(&listed).unwrap();
        prop_assert_ne!(order(&one.secret, &anchor), order(&other.secret, &anchor));
        let known = |walks: &Walks| walks.trails.values().flatten().next().unwrap().known().to_vec();
        prop_assert!(known(&one).iter().all(|fingerprint| !known(&other).contains(fingerprint)));
    }

    #[test]
    fn what_is_kept_is_bounded_however_many_hashes_are_asked_about(trails_max in 1..8_usize, seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let limits = WalkLimits { trails_max, ..WalkLimits::default() };
        let mut walks = Walks::new(WalkSecret::new([1; 32]), limits.clone());
        for second in 0..40 {
            let listed = picture(&mut rng);
            for _ in 0..8 {
                let question = near(&listed, 30, &mut rng);
                ask(&mut walks, &asker(1, None), &pdq(question), &[pdq(listed)], at(second));
            }
            prop_assert!(walks.trails() <= trails_max);
            prop_assert!(walks.bytes() <= limits.bytes_max());
        }
        prop_assert_eq!(walks.trails(), trails_max);
    }
}

#[test]
fn a_trail_takes_no_more_than_is_said_however_many_tests_there_are() {
    let mut rng = StdRng::seed_from_u64(5);
    let listed = picture(&mut rng);
    // The same forty bits change all the time, as those of a picture's variants do.
    let weak: Vec<usize> = (0..40).map(|bit| bit * 6).collect();
    let mut walks = walks();
    for second in 0..3_000 {
        let mut asked = listed;
        weak.sample(&mut rng, 30).for_each(|bit| flip(&mut asked, *bit));
        ask(&mut walks, &asker(1, None), &pdq(asked), &[pdq(listed)], at(second));
    }
    let limits = WalkLimits::default();
    assert!(walks.bytes() <= limits.bytes_max() / limits.trails_max, "{} bytes", walks.bytes());
}

#[test]
fn a_question_that_matches_nothing_or_well_within_a_band_leaves_nothing() {
    let mut rng = StdRng::seed_from_u64(2);
    let (mut walks, listed) = (walks(), picture(&mut rng));
    for distance in [0, 2, 8, 16, 26, 40, 128] {
        let question = near(&listed, distance, &mut rng);
        ask(&mut walks, &asker(1, None), &pdq(question), &[pdq(listed)], at(0));
        assert_eq!(walks.trails(), 0, "{distance} bits away");
    }
    // Just outside: only if something at the end of the band has matched before.
    let outside = pdq(near(&listed, 32, &mut rng));
    ask(&mut walks, &asker(1, None), &outside, &[pdq(listed)], at(0));
    assert_eq!(walks.trails(), 0);
    ask(&mut walks, &asker(1, None), &pdq(near(&listed, 30, &mut rng)), &[pdq(listed)], at(0));
    ask(&mut walks, &asker(1, None), &outside, &[pdq(listed)], at(0));
    assert_eq!(walks.trails.values().flatten().map(|trail| trail.tests()).collect::<Vec<_>>(), [2]);
}

#[test]
fn members_of_one_control_group_are_counted_together_and_others_are_not() {
    let (listed, questions) = walk(90, 4);
    for (group, blocked) in [(Some("group"), true), (None, false)] {
        let mut walks = walks();
        for (second, question) in questions.iter().enumerate() {
            let asker = asker(second as u8 % 4, group);
            ask(&mut walks, &asker, question, &[listed], at(second as u64));
        }
        assert_eq!((0..4).any(|n| walks.is_blocked(id(n))), blocked);
    }
}

#[test]
fn what_is_too_long_ago_is_forgotten_and_the_member_begins_anew() {
    let (listed, questions) = walk(90, 6);
    let (mut walks, asker) = (walks(), asker(1, None));
    let life = WalkLimits::default().life;
    let (first, second) = questions.split_at(30);
    first.iter().for_each(|question| {
        ask(&mut walks, &asker, question, &[listed], at(0));
    });
    walks.expire(at(0).plus(life));
    assert_eq!((walks.trails(), walks.bytes()), (0, 0));
    // Without `expire` as well.
    first.iter().for_each(|question| {
        ask(&mut walks, &asker, question, &[listed], at(0));
    });
    walks.expire(at(0).plus(life - DAY));
    assert_eq!(walks.trails(), 1);
    ask(&mut walks, &asker, &second[0], &[listed], at(0).plus(life));
    assert_eq!(walks.trails.values().flatten().map(|trail| trail.tests()).collect::<Vec<_>>(), [1]);
}

#[test]
fn who_is_blocked_stays_so_until_released_and_then_begins_anew() {
    let (listed, questions) = walk(90, 8);
    let (mut walks, asker) = (walks(), asker(1, None));
    let first = asked_until_blocked(&mut walks, &asker, listed, &questions);
    let blocked = Observed { verdict: Verdict::Blocked, is_new: false };
    assert_eq!(ask(&mut walks, &asker, &questions[0], &[listed], at(0)), blocked);
    walks.expire(at(0).plus(100 * DAY));
    assert!(walks.is_blocked(id(1)) && !walks.is_blocked(id(2)));
    walks.release(&asker);
    assert_eq!(walks.trails(), 0);
    assert_eq!(asked_until_blocked(&mut walks, &asker, listed, &questions), first);
}

#[test]
fn kinds_that_only_match_when_equal_are_no_walk_and_64_bits_are_at_most_flagged() {
    let mut rng = StdRng::seed_from_u64(9);
    let mut walks = walks();
    let mut gravest = Vec::new();
    for second in 0..300_u64 {
        let digest = Signal::Md5(Digest([second as u8; 16]));
        assert_eq!(walks.observe(&asker(1, None), &digest, &[digest], at(second)), Observed::CLEAR);
        let mut word = 0x0f0f_0f0f_0f0f_0f0f_u64;
        (0..8).for_each(|_| word ^= 1 << rng.random_range(0..64));
        let listed = Signal::Dhash(Hash64::from_word(0x0f0f_0f0f_0f0f_0f0f));
        gravest.push(ask(&mut walks, &asker(1, None), &Signal::Dhash(Hash64::from_word(word)), &[listed], at(second)));
    }
    assert!(gravest.iter().any(|observed| observed.verdict == Verdict::Flagged));
    assert!(gravest.iter().all(|observed| matches!(observed.verdict, Verdict::Clear | Verdict::Flagged)));
}

#[test]
fn debug_shows_no_hash_and_no_secret() {
    let (listed, questions) = walk(30, 10);
    let mut walks = walks();
    questions.iter().for_each(|question| {
        ask(&mut walks, &asker(1, None), question, &[listed], at(0));
    });
    assert_eq!(format!("{walks:?}"), "Walks { trails: 1, blocked: 0, .. }");
    assert_eq!(format!("{:?}", walks.secret), "WalkSecret(..)");
}
