//! `hashcommons taxonomy`.

use std::fmt::Write as _;

use super::connection::HubArgs;
use super::{Verdict, output};
use crate::domain::{Action, Taxonomies};
use crate::wire::{self, v1};

/// Show the labels and what they cover
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons taxonomy --shipped")]
pub struct Args {
    /// A version [default: the one in use]
    #[arg(long)]
    version: Option<u32>,

    /// Show what this program ships with, without asking a hub
    #[arg(long)]
    shipped: bool,

    #[command(flatten)]
    hub: HubArgs,
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let taxonomy = if args.shipped {
        let taxonomies = Taxonomies::shipped()?;
        let taxonomy = match args.version {
            None => taxonomies.current(),
            Some(version) => {
                taxonomies.version(version).ok_or_else(|| anyhow::anyhow!("no taxonomy has version {version}"))?
            }
        };
        wire::taxonomy(taxonomy)
    } else {
        let request = v1::GetTaxonomyRequest { version: args.version };
        args.hub.connect().await?.taxonomy().get_taxonomy(request).await?.into_inner()
    };
    if json {
        output::json(&taxonomy)?;
    } else {
        output::line(words(&taxonomy).trim_end())?;
    }
    Ok(Verdict::Yes)
}

fn words(taxonomy: &v1::Taxonomy) -> String {
    let mut text = format!("taxonomy {}, {}\n\nlabels:\n", taxonomy.version, output::plain(&taxonomy.published));
    for label in &taxonomy.labels {
        let _ = writeln!(text, "  {}: {}", output::plain(&label.code), output::plain(&label.name));
        let _ = writeln!(text, "    covers: {}", output::plain(&label.definition));
        let _ = writeln!(text, "    does not cover: {}", output::plain(&label.excludes.join(", ")));
        let _ = writeln!(text, "    supports at most: {}", output::code::<Action>(label.action_max));
    }
    let _ = writeln!(text, "  {}…: an incident's label", output::plain(&taxonomy.incident_label_prefix));
    for (title, terms) in [("content types", &taxonomy.content_types), ("authorities", &taxonomy.authorities)] {
        let _ = writeln!(text, "\n{title}:");
        for term in terms {
            let _ = writeln!(text, "  {}: {}", output::plain(&term.code), output::plain(&term.name));
        }
    }
    text
}
