//! Why reviewers are to look at an entry.

use super::codes::codes;

codes! {
    /// Why an entry waits for reviewers.
    Attention, "attention" {
        /// Somebody reported an outcome that speaks against it.
        Disputed = "disputed",
        /// It matched far more often than usual.
        Flooded = "flooded",
        /// It came with a key that was in other hands at that time.
        CompromisedKey = "compromised-key",
        /// It is near a benign item.
        BenignNear = "benign-near",
        /// Its contributor had put more on the list that day than is taken for granted.
        Excess = "excess",
        /// A platform appeals against it.
        Appeal = "appeal",
        /// A reviewer has proposed a ruling that takes two.
        Proposal = "proposal",
        /// It belongs to an incident, and stops matching soon.
        ExpiringIncident = "expiring-incident",
        /// Its entity was taken off the list that it was named by.
        Delisted = "delisted",
    }
}
