//! What reviewers decide, who may, and how many it takes.

use std::time::Duration;

use hashcommons::domain::Role;
use hashcommons::wire::v1::{self, Action, Ruling, RulingReason, Standing};
use tonic::Code;

use crate::items::contribute;
use crate::reviewing::{
    Party, a_month_passes, add_benign, assessment, contributor, decide, decision, issue, matches, queue, remove_benign,
    reviewer, reviewers, words,
};
use crate::support::{TestHub, pdq};

struct Scene {
    hub: TestHub,
    one: Party,
    other: Party,
    first: Party,
    second: Party,
}

impl Scene {
    /// Two organisations that contribute, in one state, and two reviewers.
    async fn new() -> Self {
        let hub = TestHub::start().await;
        let one = contributor(&hub, "One", "NZ", "").await;
        let other = contributor(&hub, "Other", "NZ", "").await;
        let [first, second] = reviewers(&hub).await;
        a_month_passes(&hub);
        Self { hub, one, other, first, second }
    }

    async fn entry(&self, n: u64) -> u64 {
        contribute(&self.one.client, &format!("request-{n}"), vec![pdq(n)]).await
    }

    async fn is_met(&self, n: u64) -> bool {
        !matches(&self.other.client, [pdq(n)]).await.is_empty()
    }

    async fn end(self) {
        self.hub.check().await;
        self.hub.stop().await;
    }
}

#[tokio::test]
async fn what_one_reviewer_revokes_stops_matching_at_once_and_two_bring_it_back() {
    let scene = Scene::new().await;
    let entry = scene.entry(1).await;
    assert!(scene.is_met(1).await);
    let revoked = decide(&scene.first.client, entry, Ruling::Revoke).await.unwrap();
    assert!(revoked.acts);
    assert_eq!(revoked.assessment.unwrap().standing(), Standing::Revoked);
    assert!(!scene.is_met(1).await, "at once");

    let proposed = decide(&scene.first.client, entry, Ruling::Reinstate).await.unwrap();
    assert!(!proposed.acts);
    assert_eq!(proposed.assessment.unwrap().standing(), Standing::Revoked);
    assert!(!scene.is_met(1).await);
    let waiting = queue(&scene.second.client).await.items;
    assert_eq!((waiting[0].entry_id, waiting[0].attention.as_slice()), (entry, &[v1::Attention::Proposal as i32][..]));
    let proposal = &waiting[0].proposals[0];
    assert_eq!((proposal.ruling(), &proposal.by), (Ruling::Reinstate, &scene.first.id));
    assert_eq!(proposal.event, proposed.event);

    let again = decide(&scene.first.client, entry, Ruling::Reinstate).await.unwrap_err();
    assert_eq!(again.code(), Code::FailedPrecondition);
    assert!(again.message().contains("it takes two reviewers"), "{again}");

    let reinstated = decide(&scene.second.client, entry, Ruling::Reinstate).await.unwrap();
    assert!(reinstated.acts);
    assert!(reinstated.assessment.unwrap().standing() != Standing::Revoked);
    assert!(scene.is_met(1).await);
    assert!(queue(&scene.second.client).await.items.is_empty());
    let hub = scene.hub.restart().await;
    let other = hub.client(&scene.other.key);
    assert_eq!(matches(&other, [pdq(1)]).await.len(), 1);
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}

#[tokio::test]
async fn a_confirmation_takes_two_hands_of_two_descents_and_stands_for_their_organisations() {
    let scene = Scene::new().await;
    let entry = scene.entry(1).await;
    let before = assessment(&scene.first.client, entry).await;
    assert_eq!((before.standing(), before.action()), (Standing::Provisional, Action::BlockPendingReview));
    assert!(!decide(&scene.first.client, entry, Ruling::Confirm).await.unwrap().acts);
    let same = assessment(&scene.first.client, entry).await;
    assert_eq!((same.standing(), same.action()), (before.standing(), before.action()), "a proposal changes nothing");

    // Another key of the same descent is the same hand, whosever it is.
    let of_first = hashcommons::domain::Role::Reviewer;
    let same_desk = scene.hub.client(&issue(&scene.hub.admin(), &scene.first.id, &[of_first]).await);
    let same_root = reviewer(&scene.hub, "Third desk", "SE", "", &scene.hub.admin()).await;
    for client in [&same_desk, &same_root.client] {
        let refused = decide(client, entry, Ruling::Confirm).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
    }
    let confirmed = decide(&scene.second.client, entry, Ruling::Confirm).await.unwrap();
    assert!(confirmed.acts);
    let told = confirmed.assessment.unwrap();
    assert_eq!((told.standing(), told.action()), (Standing::Active, Action::Block), "{told:?}");
    let agree = "three organisations in three jurisdictions agree on graphic-violence";
    assert_eq!(words(&told, "corroborated"), Some(agree));
    scene.end().await;
}

#[tokio::test]
async fn upholding_unsays_no_confirmation_and_lifts_no_lowering_alone() {
    let scene = Scene::new().await;
    let entry = scene.entry(1).await;
    let [first, second] = [&scene.first.client, &scene.second.client];
    let action = async || assessment(first, entry).await.action();
    decide(first, entry, Ruling::Confirm).await.unwrap();
    decide(second, entry, Ruling::Confirm).await.unwrap();
    assert_eq!(action().await, Action::Block);
    assert!(decide(first, entry, Ruling::Uphold).await.unwrap().acts);
    assert_eq!(action().await, Action::Block, "who upholds it does not unsay it");

    decide(first, entry, Ruling::Lower).await.unwrap();
    assert_eq!(action().await, Action::Review);
    for ruling in [Ruling::Uphold, Ruling::Relabel] {
        let labels = if ruling == Ruling::Relabel { vec!["glorification".to_owned()] } else { vec![] };
        let request = v1::DecideRequest { labels, ..decision(entry, ruling) };
        let alone = first.reviews().decide(request).await.unwrap().into_inner();
        assert!(!alone.acts, "{ruling:?}");
        assert_eq!(action().await, Action::Review, "{ruling:?} by one");
    }
    // Who proposes other labels has changed their mind.
    let labels = vec!["recruitment-instruction".to_owned()];
    first.reviews().decide(v1::DecideRequest { labels, ..decision(entry, Ruling::Relabel) }).await.unwrap();
    let proposed = queue(second).await.items[0].proposals.clone();
    assert_eq!(proposed.iter().map(|one| one.ruling()).collect::<Vec<_>>(), [Ruling::Uphold, Ruling::Relabel]);
    assert_eq!(proposed[1].labels, ["recruitment-instruction"]);
    decide(first, entry, Ruling::Uphold).await.unwrap_err();
    assert!(decide(second, entry, Ruling::Uphold).await.unwrap().acts);
    assert_eq!(action().await, Action::BlockPendingReview, "the confirmation ended with the lowering");
    scene.end().await;
}

#[tokio::test]
async fn a_proposal_lapses_after_a_month_and_with_its_key() {
    let scene = Scene::new().await;
    let (late, lost) = (scene.entry(1).await, scene.entry(2).await);
    for entry in [late, lost] {
        decide(&scene.first.client, entry, Ruling::Confirm).await.unwrap();
    }
    let key_id = scene.first.key.id().to_string();
    scene.hub.admin().admin().revoke_key(v1::RevokeKeyRequest { key_id }).await.unwrap();
    assert!(
        !decide(&scene.second.client, lost, Ruling::Confirm).await.unwrap().acts,
        "the first hand's key is revoked"
    );
    scene.hub.clock.advance(Duration::from_hours(30 * 24));
    assert!(!decide(&scene.second.client, late, Ruling::Confirm).await.unwrap().acts, "it is too long ago");
    // Nor does it speak for the entry when others confirm it.
    let third = reviewer(&scene.hub, "Third desk", "SE", "", &scene.hub.admin()).await;
    let confirmed = decide(&third.client, late, Ruling::Confirm).await.unwrap();
    assert!(confirmed.acts);
    let agree = "three organisations in three jurisdictions agree on graphic-violence";
    assert_eq!(words(&confirmed.assessment.unwrap(), "corroborated"), Some(agree));
    scene.end().await;
}

#[tokio::test]
async fn nobody_decides_on_an_entry_of_its_own_organisation_or_of_one_under_the_same_owner() {
    let hub = TestHub::start().await;
    let admin = hub.admin();
    let (_, both) = hub.enrol("Both", "NZ", &[Role::Contributor, Role::Reviewer]).await;
    let both = hub.client(&both);
    let sister = reviewer(&hub, "Sister desk", "FR", "holding", &admin).await;
    let under = contributor(&hub, "Under", "NZ", "holding").await;
    let [neutral, _] = reviewers(&hub).await;
    a_month_passes(&hub);
    add_benign(&neutral.client, vec![pdq(1)]).await;
    add_benign(&neutral.client, vec![pdq(2)]).await;
    let own = contribute(&both, "own", vec![pdq(1)]).await;
    let owners = contribute(&under.client, "owners", vec![pdq(2)]).await;
    for ruling in [Ruling::Uphold, Ruling::Confirm, Ruling::Lower, Ruling::Revoke, Ruling::Reinstate] {
        for (client, entry) in [(&both, own), (&sister.client, owners)] {
            let refused = decide(client, entry, ruling).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{ruling:?}: {refused}");
            assert!(
                refused.message().starts_with("entry: is of your own organisation, or of one under the same owner")
            );
        }
    }
    let is_own = async |client| {
        let items = queue(client).await.items;
        let of = |entry| items.iter().find(|item| item.entry_id == entry).unwrap().is_own;
        [of(own), of(owners)]
    };
    assert_eq!(is_own(&both).await, [true, false]);
    assert_eq!(is_own(&sister.client).await, [false, true]);
    assert_eq!(is_own(&neutral.client).await, [false, false]);
    for (client, entry) in [(&both, owners), (&sister.client, own)] {
        assert!(decide(client, entry, Ruling::Uphold).await.unwrap().acts);
    }
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}

#[tokio::test]
async fn labels_that_reviewers_gave_stay_until_they_give_others() {
    let scene = Scene::new().await;
    let entry = scene.entry(1).await;
    let relabel = |labels: &[&str]| v1::DecideRequest {
        labels: labels.iter().map(ToString::to_string).collect(),
        reason: RulingReason::WrongLabel.into(),
        ..decision(entry, Ruling::Relabel)
    };
    let relabelled = scene.first.client.reviews().decide(relabel(&["glorification"])).await.unwrap().into_inner();
    assert!(relabelled.acts);
    assert_eq!(relabelled.assessment.unwrap().labels, ["glorification"]);
    for (reviewer, ruling) in [
        (&scene.first, Ruling::Uphold),
        (&scene.first, Ruling::Lower),
        (&scene.first, Ruling::Revoke),
        (&scene.first, Ruling::Reinstate),
        (&scene.second, Ruling::Reinstate),
    ] {
        let told = decide(&reviewer.client, entry, ruling).await.unwrap().assessment.unwrap();
        assert_eq!(told.labels, ["glorification"], "{ruling:?}");
    }
    let both = relabel(&["recruitment-instruction", "graphic-violence"]);
    let told = scene.first.client.reviews().decide(both).await.unwrap().into_inner().assessment.unwrap();
    assert_eq!(told.labels, ["graphic-violence", "recruitment-instruction"]);
    scene.end().await;
}

#[tokio::test]
async fn an_entry_that_is_lowered_supports_review_until_two_uphold_it() {
    let scene = Scene::new().await;
    let entry = scene.entry(1).await;
    let lowered = decide(&scene.first.client, entry, Ruling::Lower).await.unwrap().assessment.unwrap();
    assert_eq!(lowered.action(), Action::Review);
    assert_eq!(matches(&scene.other.client, [pdq(1)]).await[0].assessment.as_ref().unwrap().action(), Action::Review);
    for (reviewer, action) in [(&scene.first, Action::Review), (&scene.second, Action::BlockPendingReview)] {
        let upheld = decide(&reviewer.client, entry, Ruling::Uphold).await.unwrap().assessment.unwrap();
        assert_eq!(upheld.action(), action);
    }
    scene.end().await;
}

#[tokio::test]
async fn what_was_withdrawn_is_nobodys_to_decide_on_and_what_is_revoked_only_to_reinstate() {
    let scene = Scene::new().await;
    let (gone, revoked) = (scene.entry(1).await, scene.entry(2).await);
    scene.one.client.contributions().withdraw(v1::WithdrawRequest { entry_id: gone, reason: 0 }).await.unwrap();
    decide(&scene.first.client, revoked, Ruling::Revoke).await.unwrap();
    for (entry, ruling, message) in [
        (gone, Ruling::Uphold, "entry: its contributor has withdrawn it"),
        (gone, Ruling::Reinstate, "entry: its contributor has withdrawn it"),
        (revoked, Ruling::Uphold, "entry: is revoked; it takes `reinstate`"),
        (revoked, Ruling::Revoke, "entry: is revoked; it takes `reinstate`"),
    ] {
        let refused = decide(&scene.second.client, entry, ruling).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::FailedPrecondition, message));
    }
    scene.end().await;
}

#[tokio::test]
async fn what_comes_back_is_as_if_it_had_never_been_away() {
    let scene = Scene::new().await;
    let abroad = contributor(&scene.hub, "Abroad", "FR", "").await;
    a_month_passes(&scene.hub);
    let entry = scene.entry(1).await;
    let gone = contribute(&abroad.client, "gone", vec![pdq(1)]).await;
    assert_eq!(assessment(&scene.first.client, entry).await.action(), Action::Block);
    decide(&scene.first.client, entry, Ruling::Revoke).await.unwrap();
    // While it was away: who agreed has left, and the picture turned out to be benign, and something that was benign is so no more.
    abroad.client.contributions().withdraw(v1::WithdrawRequest { entry_id: gone, reason: 0 }).await.unwrap();
    let benign = add_benign(&scene.first.client, vec![pdq(1)]).await;
    for reviewer in [&scene.first, &scene.second] {
        decide(&reviewer.client, entry, Ruling::Reinstate).await.unwrap();
    }
    let back = assessment(&scene.first.client, entry).await;
    assert!(words(&back, "benign").is_some(), "{back:?}");
    assert_eq!(back.action(), Action::Review);
    remove_benign(&scene.first.client, benign).await;
    let back = assessment(&scene.first.client, entry).await;
    assert_eq!((back.standing(), back.action()), (Standing::Provisional, Action::BlockPendingReview), "{back:?}");
    scene.end().await;
}

#[tokio::test]
async fn a_decision_settles_what_was_said_before_it_and_nothing_after() {
    let scene = Scene::new().await;
    let entry = scene.entry(1).await;
    add_benign(&scene.first.client, vec![crate::items::near(&pdq(1), 20)]).await;
    assert_eq!(assessment(&scene.first.client, entry).await.standing(), Standing::Quarantined);
    decide(&scene.first.client, entry, Ruling::Uphold).await.unwrap();
    assert_eq!(assessment(&scene.first.client, entry).await.action(), Action::Review, "near is near");
    assert!(queue(&scene.first.client).await.items.is_empty());
    // One that is nearer is another matter.
    let nearer = add_benign(&scene.first.client, vec![crate::items::near(&pdq(1), 3)]).await;
    assert_eq!(assessment(&scene.first.client, entry).await.standing(), Standing::Quarantined);
    // With it gone, what was settled is so still.
    remove_benign(&scene.first.client, nearer).await;
    assert_eq!(assessment(&scene.first.client, entry).await.action(), Action::Review);
    assert!(queue(&scene.first.client).await.items.is_empty());
    scene.end().await;
}
