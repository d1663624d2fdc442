//! What tests put on the list and look up.

use hashcommons::client::Client;
use hashcommons::ledger::VerifierKey;
use hashcommons::wire::v1::{self, SignalKind};

use crate::support::{TestHub, contribution, draft, pdq};

/// A signal of this kind.
pub fn signal(kind: SignalKind, value: &str) -> v1::Signal {
    v1::Signal { kind: kind.into(), value: value.to_owned(), quality: None }
}

/// A signal of any kind, the same for the same `n`.
pub fn some(kind: SignalKind, n: u64) -> v1::Signal {
    let digits = match kind {
        SignalKind::Md5 => 32,
        SignalKind::Phash | SignalKind::Dhash => 16,
        _ => 64,
    };
    signal(kind, &pdq(n).value[..digits])
}

/// The same signal with its first `bits` bits flipped: exactly so far away.
pub fn near(signal: &v1::Signal, bits: usize) -> v1::Signal {
    let flip = |(at, digit): (usize, char)| {
        let flipped = bits.saturating_sub(4 * at).min(4);
        let digit = digit.to_digit(16).unwrap() ^ ((1 << flipped) - 1);
        char::from_digit(digit, 16).unwrap()
    };
    v1::Signal { value: signal.value.chars().enumerate().map(flip).collect(), ..signal.clone() }
}

/// What became of a contribution that must be accepted.
pub async fn accepted(client: &Client, request: v1::ContributeRequest) -> v1::Accepted {
    match client.contributions().contribute(request).await.unwrap().into_inner().outcome.unwrap() {
        v1::contribute_response::Outcome::Accepted(accepted) => accepted,
        v1::contribute_response::Outcome::Declined(declined) => panic!("declined: {}", declined.message),
    }
}

/// Contributes an item with these signals under a request id; gives its id.
pub async fn contribute(client: &Client, request_id: &str, signals: Vec<v1::Signal>) -> u64 {
    accepted(client, contribution(request_id, draft(signals))).await.entry_id
}

/// The key that the hub's checkpoints are to be verified with, as the operator would hand it out.
pub fn verifier(hub: &TestHub) -> VerifierKey {
    hub.running().use_cases().unwrap().prove.verifier().clone()
}
