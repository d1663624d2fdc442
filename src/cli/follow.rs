//! `hashcommons follow`.

use super::connection::HubArgs;
use super::{Verdict, hold, output};
use crate::wire::v1;

/// Print the ledger's events from a position on, and then as they come
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: hashcommons follow --from 0 --until-now")]
pub struct Args {
    /// The first event wanted; to go on after a break, the last one seen plus 1
    #[arg(long, default_value_t = 0, value_name = "INDEX")]
    from: u64,

    /// Stop at the present end instead of waiting for more
    #[arg(long)]
    until_now: bool,

    /// Print what belongs to open incidents before everything else, and again in its place
    #[arg(long)]
    incident_first: bool,

    #[command(flatten)]
    hub: HubArgs,
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<Verdict> {
    let client = args.hub.connect().await?;
    let request = v1::FollowRequest { from: args.from, until_now: args.until_now, incident_first: args.incident_first };
    let mut feed = client.ledger().follow(request).await?.into_inner();
    while let Some(message) = feed.message().await? {
        if json {
            output::json(&message)?;
        } else if let Some(item) = &message.item {
            output::line(&words(item))?;
        }
    }
    Ok(Verdict::Yes)
}

fn words(item: &v1::follow_response::Item) -> String {
    use v1::opening::Fact;
    let event = match item {
        v1::follow_response::Item::Event(event) => event,
        v1::follow_response::Item::Checkpoint(text) => {
            return match text.parse::<crate::ledger::SignedCheckpoint>() {
                Ok(signed) => {
                    let checkpoint = signed.claimed();
                    format!("-- checkpoint: {} events, root {}", checkpoint.size(), checkpoint.root())
                }
                Err(error) => format!("-- unreadable checkpoint: {error}"),
            };
        }
    };
    let ahead = if event.ahead { "(ahead) " } else { "" };
    let Some(opening) = &event.opening else { return format!("{:>8}  {ahead}sealed", event.index) };
    let what = match &opening.fact {
        Some(Fact::Contributed(contributed)) => {
            let draft = contributed.draft.clone().unwrap_or_default();
            let labels: Vec<_> = draft.labels.iter().map(|label| output::plain(label)).collect();
            format!("{}, {} signals", labels.join(", "), draft.signals.len())
        }
        Some(Fact::Withdrawn(withdrawn)) => {
            format!("entry {} ({})", withdrawn.entry_id, output::plain(&withdrawn.reason))
        }
        Some(Fact::Expired(expired)) => output::entries(expired.entry_ids.iter().copied()),
        Some(Fact::Erased(erased)) => output::entries(erased.entry_ids.iter().copied()),
        Some(Fact::Remains(remains)) => {
            let labels: Vec<_> = remains.labels.iter().map(|label| output::plain(label)).collect();
            format!("of an erased entry: {}", labels.join(", "))
        }
        Some(Fact::HoldPlaced(held)) => {
            let until = output::time(held.until.as_ref());
            hold::terms_words(held.scope.as_ref(), &held.authority, &held.reference, &until)
        }
        Some(Fact::HoldLifted(lifted)) => format!("hold {}", lifted.hold_id),
        Some(Fact::OutcomeReported(said)) => {
            let [outcome, reason] = [&said.outcome, &said.reason].map(|text| output::plain(text));
            format!("entry {}, {outcome} ({reason}){}", said.entry_id, note_words(&said.note))
        }
        Some(Fact::Decided(decided)) => {
            let [ruling, reason] = [&decided.ruling, &decided.reason].map(|text| output::plain(text));
            let labels: Vec<_> = decided.labels.iter().map(|label| output::plain(label)).collect();
            let labels = if labels.is_empty() { String::new() } else { format!(" to {}", labels.join(", ")) };
            format!("entry {}, {ruling}{labels} ({reason}){}", decided.entry_id, effect(decided.is_enough))
        }
        Some(Fact::AppealOpened(appeal)) => {
            let (ground, until) = (output::plain(&appeal.ground), output::time(appeal.deadline.as_ref()));
            format!("entry {} ({ground}), decision due {until}{}", appeal.entry_id, note_words(&appeal.note))
        }
        Some(Fact::FloodSeen(flood)) => {
            format!("entry {}, {} matches, usual {}", flood.entry_id, flood.matches, flood.usual)
        }
        Some(Fact::BenignAdded(added)) => format!("{}, {} signals", output::plain(&added.class), added.signals.len()),
        Some(Fact::BenignRemoved(removed)) => format!("item {}", removed.benign_id),
        Some(Fact::PolicySet(set)) => format!("{} bytes", set.text.len()),
        Some(Fact::EntityDelisted(delisted)) => output::plain(&delisted.entity),
        Some(Fact::IncidentChanged(changed)) => {
            let [incident, change, kind] =
                [&changed.incident, &changed.change, &changed.kind].map(|s| output::plain(s));
            let drill = if changed.is_drill { ", a drill" } else { "" };
            let kind = if kind.is_empty() { String::new() } else { format!(" ({kind}{drill})") };
            let until = changed.until.as_ref().map(|until| format!(" until {}", output::time(Some(until))));
            let what = format!("{incident}, {change}{kind}{}{}", until.unwrap_or_default(), effect(changed.is_enough));
            if changed.is_enough { alert(&what) } else { what }
        }
        Some(Fact::IncidentEnded(ended)) => alert(&format!("{}, ended", output::plain(&ended.incident))),
        Some(Fact::MatchesTallied(tallied)) => {
            let matches: u64 = tallied.cells.iter().fold(0, |sum, cell| sum.saturating_add(cell.matches));
            let [since, until] = [&tallied.since, &tallied.until].map(|time| output::time(time.as_ref()));
            format!("{matches} by label, from {since} to {until}")
        }
        Some(Fact::SampleDrawn(drawn)) => {
            let entries = output::entries(drawn.entry_ids.iter().copied());
            format!("{entries}, of the first {} leaves", drawn.tree_size)
        }
        Some(Fact::SampleJudged(judged)) => {
            format!("entry {} of sample {}, {}", judged.entry_id, judged.sample_id, output::plain(&judged.verdict))
        }
        Some(Fact::MemberEnrolled(enrolled)) => output::plain(&enrolled.member_id),
        Some(Fact::MemberApproved(approved)) => {
            let [member, to] = [&approved.member_id, &approved.to].map(|text| output::plain(text));
            format!("{member} for {to}{}", effect(approved.is_enough))
        }
        Some(Fact::MemberStatusSet(set)) => {
            let [member, status, reason] = [&set.member_id, &set.status, &set.reason].map(|text| output::plain(text));
            format!("{member} to {status} ({reason})")
        }
        Some(Fact::KeyIssued(issued)) => {
            format!("{} for {}", output::plain(&issued.key_id), output::plain(&issued.member_id))
        }
        Some(Fact::KeyRotated(rotated)) => {
            format!("{} in place of {}", output::plain(&rotated.key_id), output::plain(&rotated.replaces_key_id))
        }
        Some(Fact::KeyCompromised(compromised)) => {
            format!("{} since {}", output::plain(&compromised.key_id), output::time(compromised.since.as_ref()))
        }
        Some(Fact::KeyRevoked(revoked)) => output::plain(&revoked.key_id),
        Some(Fact::QuotaSet(set)) => output::plain(&format!("{}{}", set.member_id, set.key_id)),
        Some(Fact::AdminRefused(refused)) => {
            format!("{} ({})", output::plain(&refused.attempted), output::plain(&refused.reason))
        }
        Some(Fact::WalkSeen(seen)) => output::plain(&seen.level),
        Some(Fact::WalkCleared(cleared)) => output::plain(&cleared.member_id),
        Some(Fact::NamesShown(_)) => "for the first time in a day".to_owned(),
        None => String::new(),
    };
    let actor = if opening.actor.is_empty() { "the hub".to_owned() } else { output::plain(&opening.actor) };
    let at = output::time(opening.at.as_ref());
    format!("{:>8}  {at}  {ahead}{:<17} by {actor}: {what}", event.index, output::plain(&opening.kind))
}

/// What nobody who looks at the feed should overlook.
fn alert(what: &str) -> String {
    format!("*** INCIDENT {what} ***")
}

fn effect(is_enough: bool) -> &'static str {
    if is_enough { "" } else { ", one more to go" }
}

fn note_words(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(": {}", output::plain(note)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::event;
    use crate::wire::opening;

    proptest! {
        #[test]
        fn whatever_happens_is_one_line_of_printable_words(event in event()) {
            let opening = Some(opening(vec![], vec![], &event));
            let item = v1::follow_response::Item::Event(v1::LedgerEvent { index: 7, leaf: vec![], opening, ahead: false, erased_by: None });
            let line = words(&item);
            prop_assert!(line.contains(event.fact.kind().code()) && !line.ends_with(": "), "{line}");
            prop_assert!(!line.chars().any(char::is_control));
        }
    }

    #[test]
    fn many_entries_are_told_by_the_first_of_them_and_a_number() {
        assert_eq!(output::entries([5].into_iter()), "entry 5");
        assert_eq!(output::entries((1..9u32).map(u64::from)), "entries 1, 2, 3, 4, 5, 6, 7, 8");
        assert_eq!(output::entries((1..11u32).map(u64::from)), "entries 1, 2, 3, 4, 5, 6, 7, 8 and 2 more");
    }
}
