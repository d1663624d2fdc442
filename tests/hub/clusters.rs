//! Rows stay the fold of the ledger, whatever members and reviewers do in whatever order, restarts included.

use std::time::Duration;

use hashcommons::domain::Clock;
use hashcommons::hub::audit;
use hashcommons::wire::timestamp;
use hashcommons::wire::v1::{self, Ruling};

use crate::items::{accepted, near};
use crate::reviewing::{a_month_passes, add_benign, contributor, decide, remove_benign, reviewers};
use crate::support::{TestHub, contribution, draft, pdq};

/// Numbers that repeat (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

/// Checks everything, once what has expired is out of the indexes.
async fn check(hub: &TestHub) {
    let use_cases = hub.running().use_cases().unwrap();
    let verifier = use_cases.prove.verifier();
    for _ in 0..200 {
        if audit(&use_cases.store, verifier, Some(&use_cases.indexes), hub.clock.now()).is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    hub.check().await;
}

async fn course(seed: u64) {
    let mut numbers = Numbers(seed);
    let mut hub = TestHub::start().await;
    let mut parties = Vec::new();
    for (at, country) in ["NZ", "FR", "NZ"].into_iter().enumerate() {
        parties.push(contributor(&hub, &format!("Party {at}"), country, "").await);
    }
    let desks = reviewers(&hub).await;
    a_month_passes(&hub);
    let (mut entries, mut benign, mut revoked) = (Vec::<(u64, usize)>::new(), Vec::new(), Vec::new());
    for step in 0..90 {
        let signal = near(&pdq(seed), numbers.below(48));
        let party = numbers.below(parties.len());
        let [first, second] = [&desks[0], &desks[1]].map(|desk| hub.client(&desk.key));
        match numbers.below(16) {
            0..=5 => {
                let mut item = draft(vec![signal, near(&pdq(seed + 1_000), numbers.below(48))]);
                if numbers.below(3) == 0 {
                    let until = hub.clock.now().plus(Duration::from_secs(60 * (1 + numbers.below(30) as u64)));
                    item.provenance.as_mut().unwrap().valid_until = Some(timestamp(until));
                }
                let client = hub.client(&parties[party].key);
                entries.push((accepted(&client, contribution(&format!("{step}"), item)).await.entry_id, party));
            }
            6 if !entries.is_empty() => {
                let (entry_id, party) = entries.remove(numbers.below(entries.len()));
                let client = hub.client(&parties[party].key);
                client.contributions().withdraw(v1::WithdrawRequest { entry_id, reason: 0 }).await.unwrap();
            }
            7 | 8 if !entries.is_empty() => {
                let (entry, party) = entries.remove(numbers.below(entries.len()));
                decide(&first, entry, Ruling::Revoke).await.unwrap();
                revoked.push((entry, party));
            }
            9 | 10 if !revoked.is_empty() => {
                let (entry, party) = revoked.remove(numbers.below(revoked.len()));
                decide(&first, entry, Ruling::Reinstate).await.unwrap();
                decide(&second, entry, Ruling::Reinstate).await.unwrap();
                entries.push((entry, party));
            }
            11 if !entries.is_empty() => {
                let (entry, _) = entries[numbers.below(entries.len())];
                decide(&second, entry, Ruling::Uphold).await.unwrap();
            }
            12 => {
                let id = add_benign(&first, vec![signal]).await;
                // The same again is the same item.
                if !benign.contains(&id) {
                    benign.push(id);
                }
            }
            13 if !benign.is_empty() => remove_benign(&first, benign.remove(numbers.below(benign.len()))).await,
            14 => hub.clock.advance(Duration::from_secs(60 * numbers.below(20) as u64)),
            15 => {
                // What expires now is not in the indexes when it comes back, though nothing has said so yet.
                hub.clock.advance(Duration::from_secs(60 * numbers.below(20) as u64));
                hub = hub.restart().await;
            }
            _ => {}
        }
        if step % 15 == 0 {
            check(&hub).await;
        }
    }
    check(&hub).await;
    hub.stop().await;
}

#[tokio::test]
async fn whatever_happens_to_a_cluster_in_whatever_order_its_rows_are_the_fold_of_the_ledger() {
    for seed in [1, 2, 3, 4] {
        course(seed).await;
    }
}
