//! Checks that take long let others have their turn: one thread, a long check, and somebody who counts how often they come by.

use hashcommons::domain::{Pdq, Quality, Role, Signal};
use hashcommons::hub::{CheckQuery, Query};
use hashcommons::policy::operation;

use crate::items::contribute;
use crate::support::{TestHub, pdq};

/// Steps of a check after which the others come.
const STEPS: usize = 32;

fn look_up(signal: Signal) -> CheckQuery {
    CheckQuery::new(vec![Query::new(signal, None).unwrap()], None).unwrap()
}

/// How many turns others have while `task` runs.
async fn turns_beside<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> (usize, T) {
    let task = tokio::spawn(task);
    let mut turns = 0;
    while !task.is_finished() {
        tokio::task::yield_now().await;
        turns += 1;
    }
    (turns, task.await.unwrap())
}

#[tokio::test]
async fn a_check_that_finds_many_and_many_that_find_nothing_let_others_have_their_turn() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Both", "NZ", &[Role::Contributor, Role::Checker]).await;
    let member = hub.client(&key);
    for n in 0..2 * STEPS {
        contribute(&member, &format!("item-{n}"), vec![pdq(1)]).await;
    }
    let use_cases = hub.running().use_cases().unwrap();
    let permit = hub.principal(&key).permit::<operation::Check>().unwrap();
    let known = Signal::Pdq { hash: pdq(1).value.parse().unwrap(), quality: None::<Quality> };
    let unknown = Signal::Pdq { hash: Pdq::from_words([7; 4]), quality: None };

    let (check, by) = (use_cases.check.clone(), permit.clone());
    let (turns, found) =
        turns_beside(async move { check.run(&by, &look_up(known)).await.unwrap().matches.len() }).await;
    assert_eq!(found, 2 * STEPS);
    // The search itself is a step, too.
    assert!(turns >= 3, "{turns} turns beside {found} entries");

    let check = use_cases.check.clone();
    let (turns, ()) = turns_beside(async move {
        for _ in 0..10 * STEPS {
            assert!(check.run(&permit, &look_up(unknown)).await.unwrap().matches.is_empty());
        }
    })
    .await;
    assert!(turns >= 10, "{turns} turns beside {} checks", 10 * STEPS);
    hub.stop().await;
}
