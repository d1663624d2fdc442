//! `hashcommons delist`.

use super::connection::HubArgs;
use super::member::confirm;
use super::{Verdict, output};
use crate::wire::v1;

/// Say that an entity was taken off the UN's list: what rests on its listing goes up for review
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons delist QDe.115 --key-file reviewer.key")]
pub struct Args {
    /// The list's permanent reference of the entity
    #[arg(value_name = "ENTITY")]
    entity: String,

    /// Do not ask whether it is meant
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    hub: HubArgs,
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    if !args.yes {
        let entity = output::plain(&args.entity);
        confirm(&format!(
            "What rests on the listing of {entity} supports review at most until reviewers have looked."
        ))?;
    }
    let request = v1::DelistEntityRequest { entity: args.entity.clone() };
    let delisted = args.hub.connect().await?.reviews().delist_entity(request).await?.into_inner();
    if json {
        output::json(&delisted)?;
    } else {
        let (entity, entries) = (output::plain(&args.entity), delisted.entries);
        let words =
            format!("{entity} was taken off the list (leaf {}); entries to be reviewed: {entries}", delisted.event);
        output::line(&words)?;
    }
    Ok(Verdict::Yes)
}
