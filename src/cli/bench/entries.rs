//! `hashcommons bench entries`: items for `import`, made up.

use std::io::{BufWriter, Write};

use crate::cli::Verdict;
use crate::cli::draft::{RawBasis, RawDraft, RawProvenance, RawSignal};
use crate::domain::{Entropy, Pdq, SeededEntropy};

/// Write made-up items as NDJSON for `import`: one uniformly random PDQ hash each
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons bench entries --count 1000000 > items.ndjson")]
pub struct Args {
    /// How many
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    count: u64,

    /// The same seed gives the same items
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The `n`th hash of a seed's sequence.
pub(super) fn random_pdq(entropy: &dyn Entropy) -> anyhow::Result<Pdq> {
    Ok(Pdq::from_bytes(entropy.bytes()?))
}

pub(super) fn run(args: &Args) -> anyhow::Result<Verdict> {
    let entropy = SeededEntropy::new(args.seed);
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let mut item = RawDraft {
        request_id: None,
        signals: vec![RawSignal { kind: "pdq".to_owned(), value: String::new(), quality: Some(100) }],
        labels: vec!["glorification".to_owned()],
        provenance: RawProvenance {
            origin: "automated".to_owned(),
            reviewers: "1".to_owned(),
            basis: RawBasis { code: "behaviour".to_owned(), ..RawBasis::default() },
            producer: "unknown".to_owned(),
            confidence: 80,
            tlp: "TLP:AMBER".to_owned(),
            action_max: "block".to_owned(),
            ..RawProvenance::default()
        },
    };
    for _ in 0..args.count {
        item.signals[0].value = random_pdq(&entropy)?.to_string();
        serde_json::to_writer(&mut out, &item)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(Verdict::Yes)
}
