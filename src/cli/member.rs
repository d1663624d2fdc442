//! `hashcommons member`.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use clap::Subcommand;

use super::connection::HubArgs;
use super::key::KeyFile;
use super::quota::{self, QuotaArgs};
use super::{Verdict, hold, output};
use crate::client::Client;
use crate::domain::{Checklist, ChecklistItem, MemberId, Role, Roles, Status, StatusReason};
use crate::policy::checklist_needed;
use crate::wire::{Coded, roles_to_wire, v1};

/// Enrol members, have them climb and fall, list them and what happened to them
#[derive(Debug, Subcommand)]
#[command(after_help = "Example: hashcommons member enrol --name 'Example Video' --jurisdiction NZ --to checker")]
pub enum Command {
    /// Enrol an organisation, and stand for its first status if you like
    #[command(
        visible_alias = "enroll",
        after_help = "Examples: hashcommons member enrol --name 'Example Video' --jurisdiction NZ --to checker\n          \
            hashcommons member enrol --name 'Review Desk' --jurisdiction DE --duty reviewer --key-out desk.key\n\n\
            With --to and without --checked it asks for each item of the checklist."
    )]
    Enrol {
        /// The organisation's name; operators and auditors alone see it
        #[arg(long)]
        name: String,
        /// Where it is at home: an ISO 3166-1 code, as in NZ
        #[arg(long)]
        jurisdiction: String,
        /// The same code for all organisations under one owner, as in example-holding
        #[arg(long, value_name = "CODE", default_value = "")]
        control_group: String,
        /// What it does for the hub: reviewer, auditor or admin; may be given several times
        #[arg(long = "duty", value_name = "ROLE")]
        duties: Vec<String>,
        #[command(flatten)]
        approval: FirstApproval,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// Stand for a member's climbing to a higher status
    #[command(after_help = "Examples: hashcommons member approve m-abcd2345 --to checker\n          \
            hashcommons member approve 'Example Video' --to contributor --checked all --key-out video.key\n\n\
            Contributor and trusted take two people: keys that do not stem from the same key of the first start. Without\n\
            --checked it asks for each item of the checklist: policy, reports-and-appeals, transparency-report, human-rights,\n\
            contact, data-protection.")]
    Approve {
        /// The member's id or name
        #[arg(value_name = "MEMBER")]
        member: String,
        /// mentee, checker, contributor or trusted
        #[arg(long, value_name = "STATUS")]
        to: Status,
        /// What you have made sure of: an item of the checklist, or all; may be given several times
        #[arg(long, value_name = "ITEM")]
        checked: Vec<String>,
        /// If it now has the status, issue a key with all its roles into a new file that you alone can read
        #[arg(long, value_name = "FILE")]
        key_out: Option<PathBuf>,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// Set a member to a lower status, suspend it, or note that it has left
    #[command(
        name = "set",
        after_help = "Examples: hashcommons member set m-abcd2345 --status suspended --reason key-compromised\n          \
            hashcommons member set 'Example Video' --status left --reason requested --yes\n\n\
            It takes effect with the next request. Entries remain, and are marked. Reasons: requested, key-compromised,\n\
            contributions, abuse, checklist, unreachable, legal."
    )]
    Set {
        /// The member's id or name
        #[arg(value_name = "MEMBER")]
        member: String,
        /// applicant, mentee, checker, contributor, suspended or left
        #[arg(long, value_name = "STATUS")]
        status: Status,
        /// Why
        #[arg(long, value_name = "REASON")]
        reason: StatusReason,
        /// Do not ask whether it is meant: a member that has left cannot come back, nor can you after suspending your own
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// Print all that happened to a member and its keys
    #[command(after_help = "Example: hashcommons member history 'Example Video'")]
    History {
        /// The member's id or name
        #[arg(value_name = "MEMBER")]
        member: String,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// Give a member a quota of its own, in place of that of its status
    #[command(
        after_help = "Examples: hashcommons member quota 'Example Video' --checks-per-second 1000 --streams 64\n          \
            hashcommons member quota m-abcd2345 --default\n\n\
            docs/operation.md has the quotas by status."
    )]
    Quota {
        /// The member's id or name
        #[arg(value_name = "MEMBER")]
        member: String,
        #[command(flatten)]
        quota: QuotaArgs,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// Let a member ask again that was flagged, slowed or blocked for asking its way to a listed hash
    #[command(
        after_help = "Example: hashcommons member release 'Example Video'\n\ndocs/abuse.md says what is taken for such a walk."
    )]
    Release {
        /// The member's id or name
        #[arg(value_name = "MEMBER")]
        member: String,
        #[command(flatten)]
        hub: HubArgs,
    },
    /// List all members
    #[command(after_help = "Example: hashcommons member list --json")]
    List {
        #[command(flatten)]
        hub: HubArgs,
    },
}

/// What can be done for a new member at once.
#[derive(Debug, clap::Args)]
pub struct FirstApproval {
    /// Stand for this status at once, as `member approve` does: mentee, checker, contributor or trusted
    #[arg(long, value_name = "STATUS")]
    to: Option<Status>,
    /// What you have made sure of: an item of the checklist, or all; may be given several times
    #[arg(long, value_name = "ITEM", requires = "to")]
    checked: Vec<String>,
    /// If it now has roles, issue a key with all of them into a new file that you alone can read
    #[arg(long, value_name = "FILE")]
    key_out: Option<PathBuf>,
}

pub(super) async fn run(command: Command, json: bool) -> anyhow::Result<Verdict> {
    match command {
        Command::Enrol { name, jurisdiction, control_group, duties, approval, hub } => {
            let FirstApproval { to, checked, key_out } = approval;
            let key_file = key_out.map(KeyFile::new).transpose()?;
            let checklist = to.map(|to| checklist(to, &checked)).transpose()?;
            let duties = roles_to_wire(&read_roles(&duties, "--duty")?);
            let client = hub.connect().await?;
            let request = v1::EnrolMemberRequest { name, jurisdiction, duties, control_group };
            let mut member = client.admin().enrol_member(request).await?.into_inner();
            if let (Some(to), Some(checklist)) = (to, &checklist) {
                let id = member.member_id;
                let next =
                    format!("it is enrolled as {id}, but not approved; go on with `hashcommons member approve {id}`");
                member = approve(&client, id, to, checklist).await.context(next)?;
            }
            show(&client, &member, to, key_file, json).await?;
        }
        Command::Approve { member, to, checked, key_out, hub } => {
            let key_file = key_out.map(KeyFile::new).transpose()?;
            let checklist = checklist(to, &checked)?;
            let client = hub.connect().await?;
            let id = resolve(&client, &member).await?;
            let member = approve(&client, id, to, &checklist).await?;
            show(&client, &member, Some(to), key_file, json).await?;
        }
        Command::Set { member, status, reason, yes, hub } => {
            let client = hub.connect().await?;
            let member_id = resolve(&client, &member).await?;
            if status == Status::Left && !yes {
                confirm(&format!("{member_id} will have left and cannot come back; is that meant?"))?;
            }
            if status == Status::Suspended && !yes && is_own(&client, &hub, &member_id).await? {
                confirm(&format!(
                    "{member_id} is the member whose key you use: you lock yourself out; is that meant?"
                ))?;
            }
            let request = v1::SetMemberStatusRequest { member_id, status: status.to_wire(), reason: reason.to_wire() };
            let member = client.admin().set_member_status(request).await?.into_inner();
            if json { output::json(&member)? } else { output::line(&words(&member))? }
        }
        Command::History { member, hub } => {
            let client = hub.connect().await?;
            let member_id = resolve(&client, &member).await?;
            let request = v1::GetMemberHistoryRequest { member_id };
            let response = client.admin().get_member_history(request).await?.into_inner();
            if json {
                output::json(&response)?;
            } else {
                for event in &response.events {
                    output::line(&event_words(event))?;
                }
            }
        }
        Command::Release { member, hub } => {
            let client = hub.connect().await?;
            let member_id = resolve(&client, &member).await?;
            let member = client.admin().release_member(v1::ReleaseMemberRequest { member_id }).await?.into_inner();
            if json { output::json(&member)? } else { output::line(&words(&member))? }
        }
        Command::Quota { member, quota, hub } => {
            let quota = Some(quota.quota()?);
            let client = hub.connect().await?;
            let member_id = resolve(&client, &member).await?;
            quota::set(&client, v1::SetQuotaRequest { member_id, quota, ..Default::default() }, json).await?;
        }
        Command::List { hub } => {
            let response = hub.connect().await?.admin().list_members(v1::ListMembersRequest {}).await?.into_inner();
            if json {
                output::json(&response)?;
            } else {
                output::columns(response.members.iter().map(row).collect())?;
            }
        }
    }
    Ok(Verdict::Yes)
}

async fn approve(client: &Client, member_id: String, to: Status, checked: &Checklist) -> anyhow::Result<v1::Member> {
    let checklist = checked.iter().map(|item| item.to_wire()).collect();
    let request = v1::ApproveMemberRequest { member_id, to: to.to_wire(), checklist };
    Ok(client.admin().approve_member(request).await?.into_inner())
}

/// Prints a member that was changed, what it lacks for `to`, and issues its first key if one is wanted.
async fn show(
    client: &Client,
    member: &v1::Member,
    to: Option<Status>,
    key_file: Option<KeyFile>,
    json: bool,
) -> anyhow::Result<()> {
    if json {
        output::json(member)?
    } else {
        output::line(&words(member))?
    }
    if let Some(to) = to.filter(|to| !json && to.to_wire() != member.status) {
        output::line(&format!("approved for {to}; a second person has to approve it, with a key of another descent"))?;
    }
    let Some(file) = key_file else { return Ok(()) };
    if member.roles.is_empty() {
        let file = file.path().display();
        output::warn(&format!(
            "no key yet, and no {file}: it has no roles before it is approved; give --key-out with the approval that completes it"
        ));
        return Ok(());
    }
    let request = v1::IssueKeyRequest { member_id: member.member_id.clone(), ..Default::default() };
    let issued = client.admin().issue_key(request).await?.into_inner();
    file.put(&issued.secret)?;
    if json { Ok(()) } else { output::line(&format!("its key is in {}", file.path().display())) }
}

/// Whether the key that is used is one of this member's.
async fn is_own(client: &Client, hub: &HubArgs, member_id: &str) -> anyhow::Result<bool> {
    let Some(own) = hub.key_id()? else { return Ok(false) };
    let request = v1::ListKeysRequest { member_id: member_id.to_owned() };
    // Who may not list keys may not set a status: the hub says so in a moment, and records it.
    let keys = client.admin().list_keys(request).await.map(|response| response.into_inner().keys).unwrap_or_default();
    Ok(keys.iter().any(|key| key.key_id == own.to_string()))
}

/// The id of the member of this id or name.
pub(super) async fn resolve(client: &Client, member: &str) -> anyhow::Result<String> {
    if member.parse::<MemberId>().is_ok() {
        return Ok(member.to_owned());
    }
    let all = client.admin().list_members(v1::ListMembersRequest {}).await?.into_inner().members;
    let found = all.into_iter().find(|other| other.name == member);
    found.map(|member| member.member_id).with_context(|| format!("there is no member of the id or name `{member}`"))
}

/// What was made sure of: as given, or as answered for each item that `to` needs.
fn checklist(to: Status, checked: &[String]) -> anyhow::Result<Checklist> {
    if checked.iter().any(|item| item == "all") {
        return Ok(ChecklistItem::ALL.iter().copied().collect());
    }
    let needed = checklist_needed(to);
    let complete = |done: Checklist| {
        let missing: Vec<_> = needed.iter().filter(|item| !done.contains(item)).map(ToString::to_string).collect();
        ensure!(missing.is_empty(), "nothing was changed: {to} needs {} as well", missing.join(", "));
        Ok(done)
    };
    if !checked.is_empty() {
        let done: Result<_, _> = checked.iter().map(|item| item.parse()).collect();
        return complete(done.context("--checked")?).context("--checked");
    }
    if !std::io::stdin().is_terminal() {
        let items: Vec<_> = needed.iter().map(ToString::to_string).collect();
        bail!("--checked: name what you have made sure of; {to} needs {}", items.join(", "));
    }
    let mut done = Checklist::new();
    for item in needed {
        if ask(question(*item))? {
            done.insert(*item);
        }
    }
    complete(done)
}

const fn question(item: ChecklistItem) -> &'static str {
    match item {
        ChecklistItem::Policy => "Has it published a policy on terrorist and violent-extremist content?",
        ChecklistItem::ReportsAndAppeals => {
            "Can its users report content, and appeal against what is done about theirs?"
        }
        ChecklistItem::TransparencyReport => "Does it publish a transparency report?",
        ChecklistItem::HumanRights => "Has it committed itself to human rights?",
        ChecklistItem::Contact => "Is there a contact who answers, also in an incident?",
        ChecklistItem::DataProtection => "Are the terms on data protection agreed?",
    }
}

/// Asks for what cannot be undone.
pub(super) fn confirm(words: &str) -> anyhow::Result<()> {
    ensure!(std::io::stdin().is_terminal(), "{words} Say so with --yes");
    ensure!(ask(words)?, "nothing was changed");
    Ok(())
}

fn ask(words: &str) -> anyhow::Result<bool> {
    let mut screen = std::io::stderr().lock();
    write!(screen, "{words} [y/N] ")?;
    screen.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Reads role codes.
pub(super) fn read_roles(texts: &[String], flag: &'static str) -> anyhow::Result<Roles> {
    texts.iter().map(|text| text.parse::<Role>()).collect::<Result<_, _>>().context(flag)
}

/// Role codes in words.
pub(super) fn role_words(roles: &[i32]) -> String {
    code_words::<Role>(roles)
}

fn code_words<T: Coded>(numbers: &[i32]) -> String {
    numbers.iter().map(|number| output::code::<T>(*number)).collect::<Vec<_>>().join(", ")
}

fn words(member: &v1::Member) -> String {
    row(member).join("  ")
}

/// The columns of a list: id, jurisdiction, name, status and duties, and what some have.
fn row(member: &v1::Member) -> Vec<String> {
    let mut status = output::code::<Status>(member.status);
    if !member.duties.is_empty() {
        status.push_str(&format!(", {}", role_words(&member.duties)));
    }
    let (id, jurisdiction) = (output::plain(&member.member_id), output::plain(&member.jurisdiction));
    vec![id, jurisdiction, output::plain(&member.name), status, details(member)]
}

fn details(member: &v1::Member) -> String {
    let mut text = format!("enrolled {}", output::time(member.enrolled.as_ref()));
    if !member.control_group.is_empty() {
        text.push_str(&format!("  of {}", output::plain(&member.control_group)));
    }
    if !member.walk.is_empty() {
        let since = output::time(member.walk_seen.as_ref());
        text.push_str(&format!("  {} for a walk at {since}", output::plain(&member.walk).to_uppercase()));
    }
    if let Some(own) = &member.quota {
        text.push_str(&format!("  {}", quota::words(own)));
    }
    for approval in &member.approvals {
        let (to, key) = (output::code::<Status>(approval.to), output::plain(&approval.key_id));
        text.push_str(&format!("\n  approved for {to} with {key} at {}", output::time(approval.at.as_ref())));
    }
    text
}

fn event_words(event: &v1::MemberEvent) -> String {
    let by = if event.by_key_id.is_empty() {
        "the hub".to_owned()
    } else {
        format!("{} with {}", output::plain(&event.by_member_id), output::plain(&event.by_key_id))
    };
    let mut text =
        format!("{:>8}  {}  {:<17} by {by}", event.index, output::time(event.at.as_ref()), output::plain(&event.kind));
    if !event.key_id.is_empty() {
        text.push_str(&format!(": {}", output::plain(&event.key_id)));
    }
    text.push_str(&event_details(event));
    if !event.request_id.is_empty() {
        text.push_str(&format!("  {}", output::plain(&event.request_id)));
    }
    text
}

/// What is particular to the event's kind.
pub(super) fn event_details(event: &v1::MemberEvent) -> String {
    let mut text = String::new();
    if event.status != 0 {
        text.push_str(&format!(": {}", output::code::<Status>(event.status)));
    }
    if event.reason != 0 {
        text.push_str(&format!(" ({})", output::code::<StatusReason>(event.reason)));
    }
    if !event.walk.is_empty() {
        text.push_str(&format!(": {}", output::plain(&event.walk)));
    }
    if let Some(set) = &event.quota {
        text.push_str(&format!(": {}", quota::words(set)));
    }
    if !event.checklist.is_empty() {
        let effect = if event.is_enough { "" } else { ", one more to go" };
        text.push_str(&format!(" ({}){effect}", code_words::<ChecklistItem>(&event.checklist)));
    }
    if !event.roles.is_empty() {
        text.push_str(&format!(": {}", role_words(&event.roles)));
    }
    if !event.replaces_key_id.is_empty() {
        let until = output::time(event.until.as_ref());
        text.push_str(&format!(", in place of {} until {until}", output::plain(&event.replaces_key_id)));
    }
    if !event.incident.is_empty() {
        text.push_str(&format!(": {}", incident_words(event)));
    }
    if !event.entity.is_empty() {
        text.push_str(&format!(": {}", output::plain(&event.entity)));
    }
    if let Some(hold) = event.hold_id {
        text.push_str(&format!(": hold {hold}"));
    }
    if event.hold_scope.is_some() {
        let (scope, until) = (event.hold_scope.as_ref(), output::time(event.until.as_ref()));
        let words = hold::terms_words(scope, &event.hold_authority, &event.hold_reference, &until);
        text.push_str(&format!(": {words}"));
    }
    if event.since.is_some() {
        text.push_str(&format!(": since {}", output::time(event.since.as_ref())));
    }
    text
}

fn incident_words(event: &v1::MemberEvent) -> String {
    let mut text = output::plain(&event.incident);
    if event.change.is_empty() {
        return text;
    }
    text.push_str(&format!(", {}", output::plain(&event.change)));
    if !event.incident_kind.is_empty() {
        let drill = if event.is_drill { ", a drill" } else { "" };
        text.push_str(&format!(" ({}{drill})", output::plain(&event.incident_kind)));
    }
    if event.until.is_some() {
        text.push_str(&format!(" until {}", output::time(event.until.as_ref())));
    }
    if !event.is_enough {
        text.push_str(", one more to go");
    }
    text
}
