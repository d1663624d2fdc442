//! `hashcommons bench corpus`: hashes and queries for `bench index`, made up.
//!
//! Both files are hashes of 32 bytes one after another, so that any other index can be measured on the same bytes.
//! Nothing but the mixing table of `skewed` is kept in memory, however many hashes are asked for.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use serde_json::json;

use crate::cli::{Verdict, output};
use crate::domain::{Entropy, EntropyError, SeededEntropy};

/// A PDQ hash.
type Bytes = [u8; 32];

const BITS: usize = 256;
/// Hashes an item in `clustered`, in tenths: what a list has of crops and re-encodings.
const VARIANTS_IN_TENTHS: u64 = 57;
/// The most bits, on average, between an item and a variant of it.
const VARIANT_BITS_MAX: u64 = 40;
/// One in so many hashes of `skewed` is nearly flat: mostly zeros, as of a picture without detail.
const FLAT_ONE_IN: u64 = 50;
/// How fast the weight of the independent sources behind `skewed` falls off.
const SPECTRUM_EXPONENT: f32 = -0.35;
/// How far the thresholds of `skewed` are from the middle, as a standard deviation.
const BIAS: f32 = 0.35;
/// A planted query has fewer bits flipped than this.
const PLANTED_BITS_END: u64 = 32;

/// Make up hashes and queries for `bench index`, and for other indexes to be compared with it
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons bench corpus --kind clustered --out corpus\n\n\
    Writes hashes.bin and queries.bin: 32 bytes each, one after another. The first half of the queries are fresh \
    values, the second half are stored ones with 0 to 31 bits flipped.")]
pub struct Args {
    /// What the hashes are like
    #[arg(long, value_enum, default_value_t = Kind::Uniform)]
    kind: Kind,

    /// How many hashes
    #[arg(long, default_value_t = 1_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    n: u64,

    /// How many queries
    #[arg(long, default_value_t = 2_000, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=1_000_000))]
    queries: u64,

    /// The same seed makes the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The folder for both files; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Independent fair bits
    Uniform,
    /// Items with near-duplicate variants: about 5.7 hashes an item, 0 to 40 bits from it
    Clustered,
    /// Correlated and biased bits, and one hash in fifty nearly flat
    Skewed,
}

pub(super) fn run(args: &Args, json: bool) -> anyhow::Result<Verdict> {
    fs::create_dir_all(&args.out).with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    let hashes = args.out.join("hashes.bin");
    let queries = args.out.join("queries.bin");
    let fresh = args.queries / 2;
    let mut maker = Maker::new(args.kind, args.n, args.seed)?;

    write(&hashes, args.n, || Ok(maker.stored()?))?;
    let mut stored = File::open(&hashes).with_context(|| format!("cannot read {}", hashes.display()))?;
    let mut made = 0;
    write(&queries, args.queries, || {
        made += 1;
        if made <= fresh {
            return Ok(maker.fresh()?);
        }
        let mut near = [0; 32];
        stored.seek(SeekFrom::Start(maker.dice.below(args.n)? * 32))?;
        stored.read_exact(&mut near)?;
        maker.flip(&mut near)?;
        Ok(near)
    })?;

    let kind = args.kind.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let planted = args.queries - fresh;
    if json {
        let facts = json!({ "kind": kind, "n": args.n, "fresh": fresh, "planted": planted, "seed": args.seed,
            "hashes": hashes, "queries": queries });
        output::line(&facts.to_string())?;
    } else {
        let folder = args.out.display();
        output::line(&format!("{folder}: {} {kind} hashes, {fresh} fresh and {planted} planted queries", args.n))?;
    }
    Ok(Verdict::Yes)
}

/// Writes `count` hashes to a new file.
fn write(path: &Path, count: u64, mut next: impl FnMut() -> anyhow::Result<Bytes>) -> anyhow::Result<()> {
    let context = || format!("cannot write {}", path.display());
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).with_context(context)?);
    for _ in 0..count {
        file.write_all(&next()?).with_context(context)?;
    }
    file.flush().with_context(context)
}

/// Makes the hashes of one corpus.
struct Maker {
    dice: Dice,
    seed: u64,
    /// Of `clustered`: how many items the hashes are variants of.
    items: u64,
    kind: Kind,
    field: Option<Field>,
}

impl Maker {
    fn new(kind: Kind, n: u64, seed: u64) -> Result<Self, EntropyError> {
        let mut dice = Dice::new(seed);
        let field = if kind == Kind::Skewed { Some(Field::new(&mut dice)?) } else { None };
        Ok(Self { dice, seed, items: (n * 10 / VARIANTS_IN_TENTHS).max(1), kind, field })
    }

    /// The next hash to store.
    fn stored(&mut self) -> Result<Bytes, EntropyError> {
        if self.kind == Kind::Clustered { self.variant() } else { self.fresh() }
    }

    /// A hash that is no variant of a stored one. In `skewed` it comes from the same sources as the stored ones: an upload
    /// has what makes popular values popular.
    fn fresh(&mut self) -> Result<Bytes, EntropyError> {
        let Some(field) = &self.field else { return self.dice.bytes() };
        let mut hash = field.sample(&mut self.dice)?;
        if self.dice.below(FLAT_ONE_IN)? == 0 {
            let (one, other) = (self.dice.bytes::<32>()?, self.dice.bytes::<32>()?);
            hash.iter_mut().zip(one).zip(other).for_each(|((byte, one), other)| *byte &= one & other);
        }
        Ok(hash)
    }

    /// A near-duplicate of one of the items. An item is made from its number each time, not kept.
    fn variant(&mut self) -> Result<Bytes, EntropyError> {
        let item = self.dice.below(self.items)? + 1;
        let mut hash = [0; 32];
        SeededEntropy::new(self.seed ^ item.wrapping_mul(0x9e37_79b9_7f4a_7c15)).fill(&mut hash)?;
        let rate = self.dice.below(VARIANT_BITS_MAX + 1)?;
        for (bit, draw) in self.dice.bytes::<BITS>()?.into_iter().enumerate() {
            // Of the 256 values of a byte `rate` are below it: on average so many of the 256 bits flip.
            hash[bit / 8] ^= u8::from(u64::from(draw) < rate) << (7 - bit % 8);
        }
        Ok(hash)
    }

    /// Flips 0 to 31 different bits.
    fn flip(&mut self, hash: &mut Bytes) -> Result<(), EntropyError> {
        let count = self.dice.below(PLANTED_BITS_END)?;
        let mut flipped = [0; 32];
        let mut left = count;
        while left > 0 {
            let [place] = self.dice.bytes()?;
            let (byte, bit) = (usize::from(place / 8), 1_u8 << (place % 8));
            if flipped[byte] & bit == 0 {
                flipped[byte] |= bit;
                hash[byte] ^= bit;
                left -= 1;
            }
        }
        Ok(())
    }
}

/// Sources that are mixed for one value: the mixing table is cut into columns of so many, so that the sums of one column
/// stay in registers.
const COLUMN: usize = 32;

/// Correlated bits: each is the sign of its own mixture of the same 256 independent sources, whose weights fall off, plus a
/// bias of its own.
struct Field {
    /// By column, then by source.
    mix: Vec<[f32; COLUMN]>,
    bias: Vec<f32>,
}

impl Field {
    fn new(dice: &mut Dice) -> Result<Self, EntropyError> {
        let mut mix = vec![[0.0; COLUMN]; BITS / COLUMN * BITS];
        for (at, row) in mix.iter_mut().enumerate() {
            let weight = ((at % BITS + 1) as f32).powf(SPECTRUM_EXPONENT);
            for value in row {
                *value = weight * dice.normal()?;
            }
        }
        let mut bias = Vec::with_capacity(BITS);
        for bit in 0..BITS {
            let column = &mix[bit / COLUMN * BITS..][..BITS];
            let variance: f32 = column.iter().map(|row| row[bit % COLUMN] * row[bit % COLUMN]).sum();
            bias.push(BIAS * dice.normal()? * variance.sqrt());
        }
        Ok(Self { mix, bias })
    }

    fn sample(&self, dice: &mut Dice) -> Result<Bytes, EntropyError> {
        let mut sources = [0.0; BITS];
        for source in &mut sources {
            *source = dice.normal()?;
        }
        let mut hash = [0; 32];
        for (nth, column) in self.mix.chunks_exact(BITS).enumerate() {
            let mut sums = [0.0; COLUMN];
            for (source, row) in sources.iter().zip(column) {
                sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += source * weight);
            }
            for (at, sum) in sums.iter().enumerate() {
                let bit = nth * COLUMN + at;
                hash[bit / 8] |= u8::from(sum + self.bias[bit] > 0.0) << (7 - bit % 8);
            }
        }
        Ok(hash)
    }
}

/// Seeded randomness, drawn in blocks.
struct Dice {
    entropy: SeededEntropy,
    block: [u8; 1024],
    used: usize,
}

impl Dice {
    fn new(seed: u64) -> Self {
        Self { entropy: SeededEntropy::new(seed), block: [0; 1024], used: 1024 }
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], EntropyError> {
        let mut bytes = [0; N];
        if self.block.len() - self.used < N {
            self.entropy.fill(&mut self.block)?;
            self.used = 0;
        }
        bytes.copy_from_slice(&self.block[self.used..self.used + N]);
        self.used += N;
        Ok(bytes)
    }

    /// Below `end`.
    fn below(&mut self, end: u64) -> Result<u64, EntropyError> {
        let wide = u128::from(u64::from_le_bytes(self.bytes()?)) * u128::from(end);
        Ok((wide >> 64) as u64)
    }

    /// Of mean 0 and variance 1, nearly Gaussian: how many of 32 coins show heads.
    fn normal(&mut self) -> Result<f32, EntropyError> {
        let heads = u32::from_le_bytes(self.bytes()?).count_ones();
        Ok((heads as f32 - 16.0) / 8.0_f32.sqrt())
    }
}
