//! The rules of standing: shown, tried and set.

use hashcommons::client::Client;
use hashcommons::domain::Role;
use hashcommons::policy::Rules;
use hashcommons::wire::v1;
use tonic::Code;

use crate::follow::events;
use crate::items::contribute;
use crate::support::{TestHub, check_of, pdq};

/// What the newest match of a picture supports.
async fn judged(client: &Client, n: u64) -> (v1::Standing, v1::Action, Vec<String>) {
    let answer = client.checks().check(check_of([pdq(n)])).await.unwrap().into_inner();
    let assessment = answer.matches[0].assessment.clone().unwrap();
    let rules = assessment.reasons.iter().map(|reason| reason.rule.clone()).collect();
    (assessment.standing(), assessment.action(), rules)
}

async fn preview(client: &Client, policy: &str) -> v1::PreviewPolicyResponse {
    let request = v1::PreviewPolicyRequest { policy: policy.to_owned() };
    client.policy().preview_policy(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_preview_says_what_rules_would_change_and_changes_nothing_and_setting_them_does_just_that() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Contributor", "NZ", &[Role::Checker, Role::Contributor]).await;
    let member = hub.client(&key);
    let mut entries = Vec::new();
    for n in 0..7 {
        entries.push(contribute(&member, &format!("item-{n}"), vec![pdq(n)]).await);
    }
    let withdrawn = v1::WithdrawRequest { entry_id: entries[6], reason: 0 };
    member.contributions().withdraw(withdrawn).await.unwrap();
    assert_eq!(judged(&member, 0).await.1, v1::Action::Review, "its contributor is new");

    let policy = "[newcomers]\ndays = 0";
    let before = hub.check().await;
    let found = preview(&hub.admin(), policy).await;
    assert_eq!((found.entries, found.event), (6, None));
    let shift = v1::preview_policy_response::Shift {
        standing_before: v1::Standing::Provisional.into(),
        action_before: v1::Action::Review.into(),
        standing_after: v1::Standing::Provisional.into(),
        action_after: v1::Action::BlockPendingReview.into(),
        entries: 6,
        examples: entries[..5].to_vec(),
    };
    assert_eq!(found.shifts, [shift]);
    assert_eq!(hub.check().await, before, "trying changes nothing");
    assert_eq!(judged(&member, 0).await.1, v1::Action::Review);

    let set = hub.operators().set_policy(policy).await;
    assert_eq!(judged(&member, 0).await.1, v1::Action::BlockPendingReview, "from the next answer on");
    assert_eq!(preview(&hub.admin(), policy).await.shifts, []);
    let (told, _) = events(&hub.admin(), before.events).await;
    let opening = told[0].opening.clone().unwrap();
    assert_eq!((opening.kind.as_str(), told[0].index), ("policy-set", set));

    let hub = hub.restart().await;
    let in_force = hub.admin().policy().get_policy(v1::GetPolicyRequest {}).await.unwrap().into_inner();
    assert_eq!((in_force.policy, in_force.event), (Rules::from_toml(policy).unwrap().to_toml(), Some(set)));
    hub.check().await;
    hub.stop().await;
}

#[tokio::test]
async fn of_two_who_set_rules_at_once_the_second_is_told_and_changes_nothing() {
    let hub = TestHub::start().await;
    let before = preview(&hub.admin(), "").await.event;
    let set = hub.operators().set_policy("[benign]\nradius_bits = 20").await;
    let late = v1::SetPolicyRequest { policy: String::new(), replaces: before };
    let refused = hub.admin().policy().set_policy(late).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
    let in_force = hub.admin().policy().get_policy(v1::GetPolicyRequest {}).await.unwrap().into_inner();
    assert_eq!(in_force.event, Some(set));
    assert!(in_force.policy.contains("radius_bits = 20"), "{}", in_force.policy);
    hub.stop().await;
}

#[tokio::test]
async fn a_label_without_an_end_goes_on_and_one_with_an_end_stops_matching_by_itself_and_says_so_to_followers() {
    let hub = TestHub::start().await;
    hub.operators().set_policy("[labels.graphic-violence]\nvalid_days = 10").await;
    let (_, key) = hub.trusted("Contributor").await;
    let member = hub.client(&key);
    let entry = contribute(&member, "short", vec![pdq(1)]).await;
    let at = hub.check().await.events;
    assert_eq!(member.checks().check(check_of([pdq(1)])).await.unwrap().into_inner().matches.len(), 1);
    hub.clock.advance(std::time::Duration::from_hours(10 * 24));
    assert_eq!(member.checks().check(check_of([pdq(1)])).await.unwrap().into_inner().matches.len(), 0);
    // The hub says so by itself, soon.
    let expired = loop {
        let (told, _) = events(&member, at).await;
        if let Some(event) = told.into_iter().find_map(|event| event.opening.filter(|one| one.kind == "expired")) {
            break event;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let Some(v1::opening::Fact::Expired(expired)) = expired.fact else { panic!("{expired:?}") };
    assert_eq!(expired.entry_ids, [entry]);
    hub.check().await;
    // And only once, also after a start.
    let hub = hub.restart().await;
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    let (told, _) = events(&hub.admin(), at).await;
    let count = told.iter().filter(|event| event.opening.as_ref().is_some_and(|one| one.kind == "expired")).count();
    assert_eq!(count, 1);
    hub.stop().await;
}
