//! `hashcommons sample`: how often the list is wrong.

use super::connection::HubArgs;
use super::{Verdict, output};
use crate::domain::{Context, Entropy, Sample, SampleVerdict, SystemEntropy};
use crate::wire::{signal_from_wire, v1};

/// Draw random samples of entries, and judge them
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Example: hashcommons sample draw --count 100 --json --key-file auditor.key > sample.json")]
pub enum Command {
    /// Draw entries at random from those that match
    #[command(after_help = "Example: hashcommons sample draw --count 100 --json --key-file auditor.key > sample.json")]
    Draw {
        /// How many
        #[arg(long, value_name = "COUNT", default_value_t = 50,
              value_parser = clap::value_parser!(u32).range(1..=Sample::ENTRIES_MAX as i64))]
        count: u32,

        #[command(flatten)]
        hub: HubArgs,
    },
    /// Say what was found about an entry of a sample
    #[command(after_help = "Example: hashcommons sample judge 4711 815 correct --key-file auditor.key")]
    Judge {
        /// The sample's id
        sample: u64,
        /// One of its entries
        entry: u64,
        /// correct, error or undecidable
        verdict: SampleVerdict,

        #[command(flatten)]
        hub: HubArgs,
    },
}

pub(super) async fn run(command: Command, json: bool) -> anyhow::Result<Verdict> {
    match command {
        Command::Draw { count, hub } => {
            let nonce: [u8; 32] = (&SystemEntropy as &dyn Entropy).bytes()?;
            let request = v1::DrawSampleRequest { count, nonce: nonce.to_vec() };
            let drawn = hub.connect().await?.statistics().draw_sample(request).await?.into_inner();
            if json {
                output::json(&drawn)?;
            } else {
                let (id, size) = (drawn.sample_id, drawn.tree_size);
                output::line(&format!("sample {id}: {} entries of the first {size} leaves", drawn.items.len()))?;
                drawn.items.iter().try_for_each(|item| output::line(&words(item)))?;
            }
        }
        Command::Judge { sample, entry, verdict, hub } => {
            let request = v1::JudgeSampleRequest { sample_id: sample, entry_id: entry, verdict: verdict.to_string() };
            let judged = hub.connect().await?.statistics().judge_sample(request).await?.into_inner();
            if json {
                output::json(&judged)?;
            } else {
                output::line(&format!("entry {entry} of sample {sample} is judged {verdict}: leaf {}", judged.event))?;
            }
        }
    }
    Ok(Verdict::Yes)
}

fn words(item: &v1::draw_sample_response::Item) -> String {
    let list = |texts: &[String]| texts.iter().map(|text| output::plain(text)).collect::<Vec<_>>().join(", ");
    let mut text = format!("entry {}: {}", item.entry_id, list(&item.labels));
    if !item.content_types.is_empty() {
        text.push_str(&format!("; {}", list(&item.content_types)));
    }
    if !item.contexts.is_empty() {
        let contexts: Vec<_> = item.contexts.iter().map(|context| output::code::<Context>(*context)).collect();
        text.push_str(&format!("; seen as {}", contexts.join(", ")));
    }
    for signal in &item.signals {
        let value = output::plain(&signal.value);
        let kind = signal_from_wire(signal).map_or("?", |signal| signal.kind().code());
        text.push_str(&format!("\n    {kind}:{value}"));
    }
    text
}
