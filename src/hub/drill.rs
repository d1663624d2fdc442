//! Use case: look up among the entries of a drill, which nothing else meets, so that people can practise.

use super::check::{Check, CheckAnswer, CheckError, CheckQuery, Found, Outcome};
use super::read;
use super::turn;
use crate::domain::{Code, Distance, EntryId, FieldError, Incident, Timestamp};
use crate::policy::{Nearness, Permit, is_matchable, operation};

/// Of a drill so many entries are looked at, the first: there is no index of them.
const DRILL_ENTRIES_MAX: usize = 10_000;
/// Checks that go through them at the same time: practice must not hold up what is real.
pub(super) const DRILL_CHECKS_MAX: usize = 1;

impl Check {
    /// Looks up every query among the live entries of the open drill `code`.
    ///
    /// # Errors
    /// [`CheckError`], also if there is no such drill or it is over.
    pub(super) async fn look_up_in_drill(
        &self,
        permit: &Permit<operation::Check>,
        check: &CheckQuery,
        code: &Code,
        now: Timestamp,
    ) -> Result<CheckAnswer, CheckError> {
        let is_drill = |incident: &Incident| incident.is_drill && incident.is_open(now);
        if !self.viewer.register.load().incident(code).is_some_and(is_drill) {
            return Err(FieldError::new("drill", format_args!("there is no open drill `{code}`")).into());
        }
        // An error would mean that it is closed, which nobody does.
        let _turn = self.drills.acquire().await;
        let size = self.head.borrow().size;
        let mut found = Found::new();
        let mut hits: Vec<Vec<(EntryId, Distance)>> = vec![Vec::new(); check.queries.len()];
        for id in self.store.incident_entries(code, EntryId(0))?.take(DRILL_ENTRIES_MAX) {
            let id = id?;
            turn::step().await;
            // What is on disk but not yet in a checkpoint is not there yet.
            let Some((entry, state)) = read::entry_with_state(&self.store, id)?.filter(|_| id.0 < size) else {
                continue;
            };
            if !is_matchable(&state, now) {
                continue;
            }
            let mut is_near = false;
            for (query, hits) in check.queries.iter().zip(&mut hits).filter(|(query, _)| query.signal.is_matchable()) {
                let distances = entry.draft.signals().iter().filter_map(|stored| query.signal.distance(stored));
                if let Some(distance) = distances.min().filter(|distance| *distance <= query.radius) {
                    hits.push((id, distance));
                    is_near = true;
                }
            }
            if is_near {
                found.insert(id, (entry, state));
            }
        }
        let principal = permit.principal();
        if principal.sight().nearness == Nearness::Bands {
            // A drill may have been made of hashes that are listed, too.
            let mut questions = Vec::new();
            for (query, hits) in check.queries.iter().zip(&hits).filter(|(query, _)| query.signal.is_matchable()) {
                let anchors = self.watch.anchors(query.signal.kind(), hits);
                questions.push(self.question(query, &anchors, principal.member, &found).await?);
            }
            self.watch.observe(&permit.authority(), &questions, now).await?;
        }
        let outcomes = check.queries.iter().zip(&hits).map(|(query, hits)| match hits.len() {
            _ if !query.signal.is_matchable() => Outcome::TooFeatureless,
            0 => Outcome::NoMatch,
            total => Outcome::Match { total: total as u64 },
        });
        let outcomes = outcomes.collect();
        self.answer(permit, check, found, (outcomes, false), now).await
    }
}
