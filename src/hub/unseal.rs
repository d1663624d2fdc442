//! Use case: note that somebody is shown who members are.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::count::Count;
use super::decide::Intent;
use super::sequencer::Sequencer;
use crate::domain::{Clock, Date, KeyId, ReadKind};
use crate::policy::Authority;
use crate::store::StoreError;

/// Notes that names are shown: the first time in a day by an event, each time by counting.
#[derive(Clone)]
pub struct Unseal {
    pub(super) sequencer: Sequencer,
    pub(super) count: Count,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) today: Arc<Mutex<Today>>,
}

/// The keys that were shown names on a day, as far as this process knows.
#[derive(Debug, Default)]
pub struct Today {
    day: Option<Date>,
    keys: BTreeSet<KeyId>,
}

impl Today {
    fn is_first(&mut self, key: KeyId, day: Date) -> bool {
        if self.day != Some(day) {
            *self = Self { day: Some(day), keys: BTreeSet::new() };
        }
        self.keys.insert(key)
    }
}

impl Unseal {
    /// Notes that so many names are about to be shown by this authority, if any.
    ///
    /// # Errors
    /// They cannot be counted.
    pub async fn run(&self, authority: &Authority, names: u64) -> Result<(), StoreError> {
        if names == 0 {
            return Ok(());
        }
        let principal = &authority.principal;
        self.count.add(principal.member, ReadKind::Names, names)?;
        let day = self.clock.now().date();
        let is_first = self.today.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).is_first(principal.key, day);
        if is_first && let Err(error) = self.sequencer.submit(authority.clone(), Intent::NamesShown).await {
            // In a hub that takes no more changes the operator needs to see most of all. The count stands.
            tracing::warn!(%error, key = %principal.key, "that names were shown could not be recorded");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_one_first_time_a_day() {
        let (one, other) = (KeyId::from_bytes([1; 5]), KeyId::from_bytes([2; 5]));
        let day = |text: &str| text.parse::<Date>().unwrap();
        let mut today = Today::default();
        let first: Vec<_> = [(one, "2026-11-22"), (one, "2026-11-22"), (other, "2026-11-22"), (one, "2026-11-23")]
            .map(|(key, date)| today.is_first(key, day(date)))
            .into();
        assert_eq!(first, [true, false, true, true]);
    }
}
