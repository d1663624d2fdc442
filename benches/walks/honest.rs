//! Members who ask about what is uploaded to them, for days. None of them should be taken for an attacker.

use std::time::Instant;

use hashcommons::domain::{Signal, Timestamp};
use hashcommons::policy::Verdict;
use image::RgbImage;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::game::{Bits, asker, balanced, distance, signal, walks};
use super::pictures::{self, Change};

/// What a member asks on one day: each question with the listed hashes that it may be near to.
type Day<'a> = Box<dyn FnMut(&mut StdRng) -> (Bits, &'a [Bits]) + 'a>;

/// Real pictures' hashes.
struct Pools {
    /// Of each: what is listed of it, and variants.
    pictures: Vec<Topic>,
    viral: Vec<Topic>,
    templates: Vec<Topic>,
    videos: Vec<Topic>,
}

struct Topic {
    listed: Vec<Bits>,
    variants: Vec<Bits>,
}

fn topic(changes: &[Change], variants: usize, rng: &mut StdRng) -> Topic {
    let picture = pictures::draw(rng);
    let copy = |picture: &RgbImage, rng: &mut StdRng| {
        pictures::hash(&pictures::changed(picture, *changes.choose(rng).unwrap(), rng))
    };
    let mut listed = vec![pictures::hash(&picture)];
    // Others list what they have seen of it.
    listed.extend((0..3).map(|_| copy(&picture, rng)));
    Topic { listed, variants: (0..variants).map(|_| copy(&picture, rng)).collect() }
}

impl Pools {
    fn new(rng: &mut StdRng) -> Self {
        use Change::{Captioned, Cropped, Encoded, Resized, Trimmed};
        let all = [Encoded, Resized, Resized, Trimmed, Trimmed, Cropped, Captioned];
        let video = |rng: &mut StdRng| {
            let frames = pictures::video(240, rng);
            Topic { listed: vec![frames[0], frames[80], frames[160]], variants: frames }
        };
        Self {
            pictures: (0..30).map(|_| topic(&all, 250, rng)).collect(),
            viral: (0..8).map(|_| topic(&all, 1500, rng)).collect(),
            templates: (0..10).map(|_| topic(&[Captioned, Resized], 500, rng)).collect(),
            videos: (0..30).map(|_| video(rng)).collect(),
        }
    }
}

/// A picture as its 256 coefficients, of which a hash has the signs: for as many variants as one likes.
struct Scene([f32; 256]);

fn normal(rng: &mut StdRng) -> f32 {
    (0..6).map(|_| rng.random::<f32>() - 0.5).sum::<f32>() * std::f32::consts::SQRT_2
}

impl Scene {
    fn new(rng: &mut StdRng) -> Self {
        Self(std::array::from_fn(|_| normal(rng)))
    }

    /// With noise of `strength` times what there is: 0.05 as from encoding, 0.2 from resizing, 0.5 from cropping.
    fn changed(&self, strength: f32, rng: &mut StdRng) -> Self {
        Self(self.0.map(|coefficient| coefficient + strength * normal(rng)))
    }

    fn hash(&self) -> Bits {
        let mut sorted = self.0;
        let (_, median, _) = sorted.select_nth_unstable_by(127, f32::total_cmp);
        let mut bits = [0; 4];
        for (at, coefficient) in self.0.iter().enumerate() {
            bits[at / 64] |= u64::from(coefficient > median) << (at % 64);
        }
        bits
    }
}

/// A kind of member.
struct Kind {
    name: &'static str,
    members: u32,
    days: u32,
    a_day: u32,
}

const KINDS: [Kind; 7] = [
    Kind { name: "small platform, 5 % listed", members: 400, days: 21, a_day: 200 },
    Kind { name: "large platform, 2 % listed", members: 60, days: 21, a_day: 5_000 },
    Kind { name: "incident: one video's frames, every variant new", members: 60, days: 4, a_day: 4_000 },
    Kind { name: "meme at the end of a band, encoded anew", members: 120, days: 5, a_day: 1_000 },
    Kind { name: "viral picture, 1,500 variants", members: 80, days: 10, a_day: 1_500 },
    Kind { name: "template with other captions", members: 80, days: 10, a_day: 200 },
    Kind { name: "frames of videos, one after the other", members: 60, days: 10, a_day: 2_400 },
];

fn day<'a>(kind: usize, pools: &'a Pools, own: &'a [Bits], scenes: &'a [Scene], place: usize) -> Day<'a> {
    let often = |rng: &mut StdRng| {
        // A few are uploaded most.
        let share = rng.random::<f32>();
        &pools.pictures[(share * share * share * pools.pictures.len() as f32) as usize]
    };
    let one = |topic: &'a Topic, rng: &mut StdRng| (*topic.variants.choose(rng).unwrap(), &topic.listed[..]);
    match kind {
        0 | 1 => Box::new(move |rng| {
            if rng.random_ratio(if kind == 0 { 5 } else { 2 }, 100) {
                one(often(rng), rng)
            } else {
                (balanced(rng), &[])
            }
        }),
        2 => Box::new(move |rng| {
            let scene = scenes.choose(rng).unwrap();
            let strength = match rng.random_range(0..20) {
                0..8 => rng.random_range(0.03..0.08),
                8..15 => rng.random_range(0.1..0.3),
                _ => rng.random_range(0.3..0.6),
            };
            (scene.changed(strength, rng).hash(), own)
        }),
        3 => Box::new(move |rng| (scenes[0].changed(rng.random_range(0.02..0.12), rng).hash(), own)),
        4 => Box::new(move |rng| one(&pools.viral[place % pools.viral.len()], rng)),
        5 => Box::new(move |rng| one(&pools.templates[place % pools.templates.len()], rng)),
        _ => {
            let mut frame = 0;
            Box::new(move |rng| {
                frame += 1;
                let video = &pools.videos[(place + frame / 240) % pools.videos.len()];
                let asked =
                    if rng.random() { video.variants[frame % 240] } else { *video.variants.choose(rng).unwrap() };
                (asked, &video.listed[..])
            })
        }
    }
}

pub fn run(seed: u64) {
    let began = Instant::now();
    let pools = Pools::new(&mut StdRng::seed_from_u64(seed << 40));
    eprintln!("(pictures drawn and hashed in {:.0} s)", began.elapsed().as_secs_f32());
    println!("| members | key-days | questions | matched | flagged | slowed | blocked | questions slowed |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut sums = [0u64; 7];
    let (mut nanos, mut worst_bytes) = (0u128, 0);
    for (at, kind) in KINDS.iter().enumerate() {
        let mut row = [0u64; 7];
        for member in 0..kind.members {
            let mut rng = StdRng::seed_from_u64(seed << 48 | u64::from(member) << 8 | at as u64);
            let (scenes, own) = own(at, &mut rng);
            let (mut walks, asker) = (walks(), asker(member, None));
            for number in 0..kind.days {
                let mut ask = day(at, &pools, &own, &scenes, (member + number / 5) as usize);
                let mut gravest = 0;
                for question in 0..kind.a_day {
                    let millis = 1_000_000_000_000 + u64::from(number) * 86_400_000 + u64::from(question) * 10_000;
                    let (asked, listed) = ask(&mut rng);
                    let near = listed.iter().filter(|listed| distance(listed, &asked) <= 31);
                    let matched: Vec<Signal> = near.map(signal).collect();
                    let now = Timestamp::from_millis(millis).unwrap();
                    let asked = signal(&asked);
                    let start = Instant::now();
                    let verdict = walks.observe(&asker, &asked, &matched, now).verdict;
                    nanos += start.elapsed().as_nanos();
                    let grave = match verdict {
                        Verdict::Clear => 0,
                        Verdict::Flagged => 1,
                        Verdict::Slowed(_) => 2,
                        Verdict::Blocked => 3,
                    };
                    row[2] += u64::from(!matched.is_empty());
                    row[6] += u64::from(grave == 2);
                    gravest = gravest.max(grave);
                }
                row[0] += 1;
                row[1] += u64::from(kind.a_day);
                for grave in 1..=gravest {
                    row[2 + grave] += 1;
                }
                worst_bytes = worst_bytes.max(walks.bytes());
            }
        }
        println!("| {}: {} | {} |", kind.name, kind.members, row.map(|n| n.to_string()).join(" | "));
        sums.iter_mut().zip(row).for_each(|(sum, n)| *sum += n);
    }
    println!("| all | {} |", sums.map(|n| n.to_string()).join(" | "));
    let mean = nanos as f64 / sums[1] as f64;
    println!("\nmean of one observation {mean:.0} ns; most memory of one member {} KiB", worst_bytes / 1024);
}

/// A member's own scenes, and what is listed of them.
fn own(kind: usize, rng: &mut StdRng) -> (Vec<Scene>, Vec<Bits>) {
    if kind == 3 {
        // A lawful picture that happens to be right at the end of a band of a listed one.
        let end = *[20, 31].choose(rng).unwrap();
        loop {
            let listed = Scene::new(rng);
            let meme = listed.changed(if end == 20 { 0.25 } else { 0.4 }, rng);
            let listed = listed.hash();
            if distance(&listed, &meme.hash()).abs_diff(end) <= 2 {
                return (vec![meme], vec![listed]);
            }
        }
    }
    let scenes: Vec<Scene> = (0..12).map(|_| Scene::new(rng)).collect();
    let listed = scenes.iter().map(Scene::hash).collect();
    (scenes, listed)
}
