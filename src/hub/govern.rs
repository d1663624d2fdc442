//! Use case: the rules of standing. Show them, see what others would change, set them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::commit::Head;
use super::decide::StandingIntent;
use super::read::ReadError;
use super::sequencer::{SequenceError, Sequencer};
use super::survey::{SurveyError, Surveyed, Surveys, survey};
use super::view::Viewer;
use crate::domain::{Action, EntryId, FieldError, Standing};
use crate::policy::retention::{held, is_due};
use crate::policy::{Grounds, Permit, Rules, assess, operation};
use crate::store::Store;

/// Entries that are named as examples of each change.
const EXAMPLES: usize = 5;

/// Keeps the rules.
#[derive(Clone)]
pub struct Govern {
    pub(super) sequencer: Sequencer,
    pub(super) store: Arc<Store>,
    pub(super) head: watch::Receiver<Head>,
    pub(super) viewer: Viewer,
    pub(super) surveys: Surveys,
}

/// The rules in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesInForce {
    pub rules: Arc<Rules>,
    /// The leaf that set them; `None`: those that every hub begins with.
    pub event: Option<u64>,
}

/// What some entries count for under the rules in force, and would under others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shift {
    pub before: (Standing, Action),
    pub after: (Standing, Action),
}

/// How many entries would shift so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shifted {
    pub entries: u64,
    /// A few of them, the oldest.
    pub examples: Vec<EntryId>,
}

/// What other rules would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Entries that match now.
    pub entries: u64,
    /// Of those, the ones that would count for something else.
    pub shifts: BTreeMap<Shift, Shifted>,
    /// Entries of which hashes and provenance are to be erased now, under the rules in force, and would be under others.
    pub due: (u64, u64),
    /// The rules in force that it was compared with.
    pub event: Option<u64>,
}

/// Why rules were not set, or not tried.
#[derive(Debug, thiserror::Error)]
pub enum GovernError {
    /// They are not as they must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// There is no going through all entries now.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// An entry could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The sequencer did not take it.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
}

impl Govern {
    /// The rules in force.
    pub fn show(&self, _permit: &Permit<operation::ReadTaxonomy>) -> RulesInForce {
        let register = self.viewer.register.load();
        RulesInForce { rules: register.rules().clone(), event: register.rules_event() }
    }

    /// What the policy file `text` would change now. Reads every entry: seconds, on threads of its own.
    ///
    /// # Errors
    /// [`GovernError`].
    pub async fn preview(
        &self,
        _permit: &Permit<operation::PreviewPolicy>,
        text: &str,
    ) -> Result<Preview, GovernError> {
        let rules = Rules::from_toml(text)?;
        let (store, viewer, size) = (self.store.clone(), self.viewer.clone(), self.head.borrow().size);
        Ok(self.surveys.run(move || preview(&store, &viewer, size, rules)).await??)
    }

    /// Lets the rules be those of the policy file `text`, in place of those that leaf `replaces` set; gives their leaf.
    ///
    /// # Errors
    /// [`GovernError`], also if other rules are in force than those it is to replace.
    pub async fn set(
        &self,
        permit: &Permit<operation::SetPolicy>,
        text: String,
        replaces: Option<u64>,
    ) -> Result<u64, GovernError> {
        let intent = StandingIntent::SetPolicy { text, replaces };
        Ok(self.sequencer.submit(permit.authority(), intent.into()).await?.index)
    }
}

fn preview(store: &Store, viewer: &Viewer, size: u64, rules: Rules) -> Result<Preview, ReadError> {
    let (roster, register, now) = (viewer.roster.load_full(), viewer.register.load_full(), viewer.clock.now());
    let other = register.under(rules);
    let before = Grounds { taxonomies: &viewer.taxonomies, roster: &roster, register: &register };
    let after = Grounds { register: &other, ..before };
    let parts = survey(&store.snapshot(), size, |preview: &mut Preview, surveyed, state| {
        let Surveyed::Whole(entry) = surveyed else { return };
        let incident = entry.draft.incident();
        if held(&register, entry.id, incident.as_ref(), entry.contributor, now).is_none() {
            preview.due.0 += u64::from(is_due(state, register.rules(), now));
            preview.due.1 += u64::from(is_due(state, other.rules(), now));
        }
        let judge = |grounds| {
            let judged = assess(entry, state, grounds, now);
            (judged.standing, judged.action)
        };
        let shift = Shift { before: judge(&before), after: judge(&after) };
        if !shift.before.0.is_matchable() {
            return;
        }
        preview.entries += 1;
        if shift.before != shift.after {
            preview.shifts.entry(shift).or_default().add(1, &[entry.id]);
        }
    })?;
    let mut whole = Preview { event: register.rules_event(), ..Preview::default() };
    for part in parts {
        whole.entries += part.entries;
        whole.due = (whole.due.0 + part.due.0, whole.due.1 + part.due.1);
        for (shift, shifted) in part.shifts {
            whole.shifts.entry(shift).or_default().add(shifted.entries, &shifted.examples);
        }
    }
    Ok(whole)
}

impl Shifted {
    fn add(&mut self, entries: u64, examples: &[EntryId]) {
        self.entries += entries;
        self.examples.extend(examples);
        self.examples.sort_unstable();
        self.examples.truncate(EXAMPLES);
    }
}
