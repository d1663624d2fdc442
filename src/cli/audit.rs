//! `hashcommons audit`.

use std::collections::BTreeMap;

use anyhow::Context;

use super::connection::HubArgs;
use super::member::{event_details, resolve};
use super::{Verdict, output};
use crate::client::Client;
use crate::domain::{CallId, Date, EventKind, KeyId, ReadKind, RefusalReason, Timestamp};
use crate::wire::{timestamp, v1};

/// List what was done, or refused, with members and keys; and how much members read
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: hashcommons audit --by 'Example Video' --since 2026-11-01T00:00:00Z\n          \
    hashcommons audit --result refused --oldest-first --all\n          \
    hashcommons audit --kind key-issued --kind key-rotated --member m-abcd2345 --json\n          \
    hashcommons audit --reads --since 2026-11-01T00:00:00Z\n\n\
    Members are shown by their pseudonyms. --names shows names, which is recorded.")]
pub struct Args {
    /// Only what this member did or was refused, by id or name
    #[arg(long, value_name = "MEMBER")]
    by: Option<String>,
    /// Only what was done with this key
    #[arg(long, value_name = "KEY", conflicts_with = "reads")]
    by_key: Option<KeyId>,
    /// Only what is about this member or its keys, by id or name
    #[arg(long, value_name = "MEMBER", conflicts_with = "reads")]
    member: Option<String>,
    /// Only what is about this key
    #[arg(long, value_name = "KEY", conflicts_with = "reads")]
    about_key: Option<KeyId>,
    /// Only this kind, done or attempted, as in key-issued; may be given several times
    #[arg(long = "kind", value_name = "KIND", conflicts_with = "reads")]
    kinds: Vec<EventKind>,
    /// done, refused, or why it was refused, as in no-role
    #[arg(long, value_name = "RESULT", conflicts_with = "reads", value_parser = result)]
    result: Option<String>,
    /// Not before, as in 2026-11-22T08:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Before, as in 2026-11-23T00:00:00Z
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Only what came of the request of this id
    #[arg(long, value_name = "ID", conflicts_with = "reads")]
    request: Option<CallId>,
    /// The oldest first instead of the newest
    #[arg(long, conflicts_with = "reads")]
    oldest_first: bool,
    /// At most so many events
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// All there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// How much each member read on each day, instead of events; the days are those of UTC
    #[arg(long)]
    reads: bool,
    /// Show members' names beside their pseudonyms, which is recorded
    #[arg(long)]
    names: bool,
    #[command(flatten)]
    hub: HubArgs,
}

/// Events that are asked for at a time.
const PAGE: u64 = 500;

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let client = args.hub.connect().await?;
    let who = Names::of(&client, args.names).await?;
    if args.reads {
        reads(&client, &args, &who, json).await?
    } else {
        events(&client, &args, &who, json).await?
    }
    Ok(Verdict::Yes)
}

/// Prints events, page by page.
async fn events(client: &Client, args: &Args, who: &Names, json: bool) -> anyhow::Result<()> {
    let mut request = v1::ListAuditRequest {
        by_member_id: id(client, args.by.as_deref()).await.context("--by")?,
        by_key_id: args.by_key.map(|id| id.to_string()).unwrap_or_default(),
        member_id: id(client, args.member.as_deref()).await.context("--member")?,
        key_id: args.about_key.map(|id| id.to_string()).unwrap_or_default(),
        kinds: args.kinds.iter().map(ToString::to_string).collect(),
        result: args.result.clone().unwrap_or_default(),
        since: args.since.map(timestamp),
        until: args.until.map(timestamp),
        request_id: args.request.as_ref().map(ToString::to_string).unwrap_or_default(),
        ascending: args.oldest_first,
        page_size: 0,
        from: None,
    };
    let mut left = if args.all { u64::MAX } else { args.limit };
    loop {
        request.page_size = left.min(PAGE) as u32;
        let page = client.admin().list_audit(request.clone()).await?.into_inner();
        left -= page.events.len() as u64;
        for event in &page.events {
            if json { output::json(event)? } else { output::line(&words(event, who))? }
        }
        if left == 0 || page.next.is_none() {
            return Ok(());
        }
        request.from = page.next;
    }
}

/// Prints how much was read.
async fn reads(client: &Client, args: &Args, who: &Names, json: bool) -> anyhow::Result<()> {
    let member_id = id(client, args.by.as_deref()).await.context("--by")?;
    let since = args.since.map(|since| since.date().to_string()).unwrap_or_default();
    // A day that has begun before is one of those.
    let until = args.until.filter(|until| *until > Timestamp::EPOCH);
    let last: Option<Date> = until.map(|until| until.minus(std::time::Duration::from_millis(1)).date());
    let mut counts = client.admin().list_reads(v1::ListReadsRequest { member_id, since }).await?.into_inner();
    let mut left = if args.all { u64::MAX } else { args.limit };
    while let Some(count) = counts.message().await? {
        let is_too_late = last.is_some_and(|last| count.day.parse::<Date>().is_ok_and(|day| day > last));
        if is_too_late || left == 0 {
            break;
        }
        left -= 1;
        if json {
            output::json(&count)?;
        } else {
            let (day, member) = (output::plain(&count.day), who.show(&count.member_id));
            output::line(&format!("{day}  {member}  {:<7}  {}", output::code::<ReadKind>(count.kind), count.count))?;
        }
    }
    Ok(())
}

async fn id(client: &Client, member: Option<&str>) -> anyhow::Result<String> {
    match member {
        Some(member) => resolve(client, member).await,
        None => Ok(String::new()),
    }
}

fn result(text: &str) -> Result<String, String> {
    let is_one = ["done", "refused"].contains(&text) || text.parse::<RefusalReason>().is_ok();
    let reasons: Vec<_> = RefusalReason::ALL.iter().map(|reason| reason.code()).collect();
    if is_one { Ok(text.to_owned()) } else { Err(format!("must be done, refused or one of {}", reasons.join(", "))) }
}

/// Names by pseudonym, or none.
struct Names(BTreeMap<String, String>);

impl Names {
    async fn of(client: &Client, wanted: bool) -> anyhow::Result<Self> {
        if !wanted {
            return Ok(Self(BTreeMap::new()));
        }
        let members = client.admin().list_members(v1::ListMembersRequest {}).await?.into_inner().members;
        Ok(Self(members.into_iter().map(|member| (member.member_id, member.name)).collect()))
    }

    fn show(&self, member_id: &str) -> String {
        let id = output::plain(member_id);
        match self.0.get(member_id) {
            Some(name) => format!("{id} ({})", output::plain(name)),
            None => id,
        }
    }
}

/// An event in one line: time, who with which key, what about whom, result, request.
fn words(event: &v1::MemberEvent, who: &Names) -> String {
    let by = if event.by_member_id.is_empty() {
        "the hub".to_owned()
    } else {
        format!("{} with {}", who.show(&event.by_member_id), output::plain(&event.by_key_id))
    };
    let what = output::plain(if event.attempted.is_empty() { &event.kind } else { &event.attempted });
    let mut text = format!("{}  {by:<26}  {what:<17}", output::time(event.at.as_ref()));
    let about: Vec<_> = [who.show(&event.member_id), output::plain(&event.key_id)].into();
    let about: Vec<_> = about.into_iter().filter(|id| !id.is_empty()).collect();
    text.push_str(&format!("  {:<21}  ", about.join(" ")));
    match (event.refused.as_str(), event.count) {
        ("", _) => text.push_str("done"),
        (reason, 0 | 1) => text.push_str(&format!("refused: {}", output::plain(reason))),
        (reason, count) => text.push_str(&format!("refused: {}, {count} times", output::plain(reason))),
    }
    text.push_str(&event_details(event));
    let request = if event.request_id.is_empty() { "-".to_owned() } else { output::plain(&event.request_id) };
    format!("{text}  {request}")
}
