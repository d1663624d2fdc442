//! The rules of standing: the policy file. What evidence counts for how much, and for how long.
//!
//! The file in force is an event of the ledger, so that whoever has the ledger knows by which rules an entry was judged when.
//! Whatever it leaves out is the default; a field it does not know is an error. `docs/standing.md` explains each.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Action, At, Code, Corroboration, Distance, FieldError, Tlp};

/// A policy file's longest text, in bytes.
pub const POLICY_BYTES_MAX: usize = 16 * 1024;

/// What the policy file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    pub corroboration: CorroborationRules,
    pub newcomers: NewcomerRules,
    pub contributions: ContributionRules,
    pub benign: BenignRules,
    pub trust: TrustRules,
    pub objections: ObjectionRules,
    pub tlp: TlpRules,
    pub floods: FloodRules,
    pub incidents: IncidentRules,
    pub appeals: AppealRules,
    pub matches: MatchRules,
    pub retention: RetentionRules,
    /// By the label's code.
    pub labels: BTreeMap<String, LabelRules>,
}

/// When organisations count as agreeing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorroborationRules {
    /// PDQ bits within which entries of two members speak of one item: 0 to 20.
    pub radius_bits: u16,
    /// Independent organisations that have to agree, its contributor included: 2 to 20.
    pub members_min: usize,
    /// Jurisdictions that they have to be of: 2 to 20. One alone never blocks.
    pub jurisdictions_min: usize,
}

impl Default for CorroborationRules {
    fn default() -> Self {
        Self { radius_bits: 16, members_min: 2, jurisdictions_min: 2 }
    }
}

/// What members who are new may bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewcomerRules {
    /// Days from its first contributor status on in which what a member contributes supports at most review by itself: 0 to 3,650.
    pub days: u16,
}

impl Default for NewcomerRules {
    fn default() -> Self {
        Self { days: 30 }
    }
}

/// How much is taken for granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContributionRules {
    /// Of one member and day (UTC); what goes beyond is quarantined. 1 or more.
    pub quarantine_above_per_day: u64,
}

impl Default for ContributionRules {
    fn default() -> Self {
        Self { quarantine_above_per_day: 50_000 }
    }
}

/// What is too near to a benign item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BenignRules {
    /// PDQ bits: 0 to 31.
    pub radius_bits: u16,
}

impl Default for BenignRules {
    fn default() -> Self {
        Self { radius_bits: 31 }
    }
}

/// Whom to believe alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustRules {
    /// What a member of less trust contributes supports at most review by itself, and it corroborates nothing: 0 to 100.
    pub review_below_percent: u8,
}

impl Default for TrustRules {
    fn default() -> Self {
        Self { review_below_percent: 50 }
    }
}

/// When an entry is disputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectionRules {
    /// Independent organisations that have to object: 1 to 20.
    pub members_min: usize,
    /// Trusted ones that suffice: 1 to 20.
    pub trusted_members_min: usize,
}

impl Default for ObjectionRules {
    fn default() -> Self {
        Self { members_min: 2, trusted_members_min: 1 }
    }
}

/// What an entry's marking allows: whoever acts on a match has to be able to say why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlpRules {
    #[serde(with = "action")]
    pub clear: Action,
    #[serde(with = "action")]
    pub green: Action,
    #[serde(with = "action")]
    pub amber: Action,
    #[serde(with = "action")]
    pub amber_strict: Action,
    #[serde(with = "action")]
    pub red: Action,
}

impl Default for TlpRules {
    fn default() -> Self {
        let block = Action::Block;
        Self { clear: block, green: block, amber: block, amber_strict: Action::BlockPendingReview, red: Action::Review }
    }
}

impl TlpRules {
    /// The strongest action under a marking.
    pub const fn action_max(&self, tlp: Tlp) -> Action {
        match tlp {
            Tlp::Clear => self.clear,
            Tlp::Green => self.green,
            Tlp::Amber => self.amber,
            Tlp::AmberStrict => self.amber_strict,
            Tlp::Red => self.red,
        }
    }
}

/// When an entry matches so often that a person must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FloodRules {
    /// Matches are counted over so many minutes: 1 to 60.
    pub window_minutes: u16,
    /// Fewer are never a flood. 1 or more.
    pub matches_min: u64,
    /// So many times what is usual is one: 2 to 1,000.
    pub times_usual: u64,
    /// Of so many independent organisations: 2 to 20. One alone cannot make an entry fall.
    pub members_min: usize,
}

impl Default for FloodRules {
    fn default() -> Self {
        Self { window_minutes: 10, matches_min: 200, times_usual: 20, members_min: 3 }
    }
}

/// How incidents run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentRules {
    /// Hours that one is open, and that it is extended by at most: 1 to 168.
    pub open_hours: u16,
    /// Hours in which an entry of one has to be corroborated, or it supports at most review: 1 to 168.
    pub corroborate_within_hours: u16,
    /// Days after which an entry of one stops matching, where its contributor says nothing: 1 to 3,650.
    pub valid_days: u16,
    pub types: Vec<IncidentType>,
}

/// A type of incidents.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentType {
    pub code: String,
    pub name: String,
}

impl Default for IncidentRules {
    fn default() -> Self {
        let types = [
            ("livestream", "An attack that its attacker streams or films"),
            ("manifesto", "A text or recording by an attacker around an attack"),
            ("footage", "Footage of an attack that others have made"),
        ];
        let types = types.map(|(code, name)| IncidentType { code: code.to_owned(), name: name.to_owned() }).into();
        Self { open_hours: 24, corroborate_within_hours: 24, valid_days: 180, types }
    }
}

/// How appeals run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppealRules {
    /// Days in which reviewers are to decide: 1 to 365.
    pub decide_within_days: u16,
}

impl Default for AppealRules {
    fn default() -> Self {
        Self { decide_within_days: 14 }
    }
}

/// What is kept of matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MatchRules {
    /// Days that who met which entry is kept: 1 to 365. As long, a match can be appealed against and its reversal be told.
    pub kept_days: u16,
}

impl Default for MatchRules {
    fn default() -> Self {
        Self { kept_days: 90 }
    }
}

/// How long what no longer matches is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionRules {
    /// Days after which hashes and provenance of an entry are erased that was withdrawn, was revoked or has expired: 30 to 3,650;
    /// 0: never.
    pub erase_after_days: u16,
    /// Days that a preservation hold lasts at most: 1 to 3,650.
    pub hold_days_max: u16,
}

impl Default for RetentionRules {
    fn default() -> Self {
        Self { erase_after_days: 365, hold_days_max: 365 }
    }
}

impl RetentionRules {
    /// How long after its end an entry is erased; `None`: never.
    pub fn erase_after(&self) -> Option<Duration> {
        (self.erase_after_days > 0).then(|| Duration::from_hours(24 * u64::from(self.erase_after_days)))
    }
}

/// What is particular to one label. What is absent is as for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabelRules {
    /// At most what the taxonomy allows.
    #[serde(with = "optional_action")]
    pub action_max: Option<Action>,
    /// 2 to 20.
    pub members_min: Option<usize>,
    /// 2 to 20.
    pub jurisdictions_min: Option<usize>,
    /// Days after which an entry stops matching, where its contributor says nothing: 1 to 36,500.
    pub valid_days: Option<u16>,
}

impl Rules {
    /// Reads a policy file.
    ///
    /// # Errors
    /// The field that is not as it must be, as in `policy.benign.radius_bits`.
    pub fn from_toml(text: &str) -> Result<Self, FieldError> {
        if text.len() > POLICY_BYTES_MAX {
            let problem = format_args!("must be at most {POLICY_BYTES_MAX} bytes, got {}", text.len());
            return Err(FieldError::new("policy", problem));
        }
        let rules: Self = toml::from_str(text).at("policy")?;
        rules.check().map_err(|error| error.within("policy"))?;
        Ok(rules)
    }

    /// The file that says all of it.
    pub fn to_toml(&self) -> String {
        // All of it are tables of numbers and words: there is nothing that TOML cannot say.
        toml::to_string_pretty(self).unwrap_or_default()
    }

    /// What applies to a label.
    pub fn label(&self, label: &Code) -> LabelRules {
        self.labels.get(label.as_str()).copied().unwrap_or_default()
    }

    /// How many organisations of how many jurisdictions a label needs.
    pub fn needed(&self, label: &Code) -> (usize, usize) {
        let own = self.label(label);
        (
            own.members_min.unwrap_or(self.corroboration.members_min),
            own.jurisdictions_min.unwrap_or(self.corroboration.jurisdictions_min),
        )
    }

    /// How long an entry matches whose contributor does not say: the longest of its labels', the incident's for one of an incident.
    pub fn valid_for(&self, labels: &[Code], of_incident: bool) -> Option<Duration> {
        let of_labels = labels.iter().map(|label| self.label(label).valid_days);
        // A label without an end goes on, and the entry with it.
        let of_labels = of_labels.collect::<Option<Vec<_>>>().and_then(|days| days.into_iter().max());
        let days = if of_incident { of_labels.or(Some(self.incidents.valid_days)) } else { of_labels };
        days.map(|days| Duration::from_hours(24 * u64::from(days)))
    }

    /// Whether a near entry is near enough.
    pub fn corroborates(&self, near: &Corroboration) -> bool {
        near.distance <= Distance::new(self.corroboration.radius_bits)
    }

    fn check(&self) -> Result<(), FieldError> {
        let days = 1..=3_650;
        let few = 1..=20;
        let two = 2..=20;
        within("corroboration.radius_bits", self.corroboration.radius_bits, 0..=Corroboration::RADIUS_MAX.bits())?;
        within("corroboration.members_min", self.corroboration.members_min, two.clone())?;
        within("corroboration.jurisdictions_min", self.corroboration.jurisdictions_min, two.clone())?;
        within("newcomers.days", self.newcomers.days, 0..=3_650)?;
        within("contributions.quarantine_above_per_day", self.contributions.quarantine_above_per_day, 1..=u64::MAX)?;
        within("benign.radius_bits", self.benign.radius_bits, 0..=31)?;
        within("trust.review_below_percent", self.trust.review_below_percent, 0..=100)?;
        within("objections.members_min", self.objections.members_min, few.clone())?;
        within("objections.trusted_members_min", self.objections.trusted_members_min, few.clone())?;
        within("floods.window_minutes", self.floods.window_minutes, 1..=60)?;
        within("floods.matches_min", self.floods.matches_min, 1..=u64::MAX)?;
        within("floods.times_usual", self.floods.times_usual, 2..=1_000)?;
        within("floods.members_min", self.floods.members_min, two.clone())?;
        within("incidents.open_hours", self.incidents.open_hours, 1..=168)?;
        within("incidents.corroborate_within_hours", self.incidents.corroborate_within_hours, 1..=168)?;
        within("incidents.valid_days", self.incidents.valid_days, days.clone())?;
        within("appeals.decide_within_days", self.appeals.decide_within_days, 1..=365)?;
        within("matches.kept_days", self.matches.kept_days, 1..=365)?;
        if self.retention.erase_after_days != 0 {
            within("retention.erase_after_days", self.retention.erase_after_days, 30..=3_650)
                .map_err(|error| FieldError { problem: format!("{}; or 0, for never", error.problem), ..error })?;
        }
        within("retention.hold_days_max", self.retention.hold_days_max, days.clone())?;
        for (at, kind) in self.incidents.types.iter().enumerate() {
            kind.code.parse::<Code>().at(format!("incidents.types[{at}].code"))?;
            if self.incidents.types[..at].iter().any(|other| other.code == kind.code) {
                let problem = format_args!("`{}` is given twice", kind.code);
                return Err(FieldError::new(format!("incidents.types[{at}].code"), problem));
            }
        }
        for (label, rules) in &self.labels {
            label.parse::<Code>().at(format!("labels.{label}"))?;
            let path = |field: &str| format!("labels.{label}.{field}");
            within(&path("members_min"), rules.members_min.unwrap_or(2), two.clone())?;
            within(&path("jurisdictions_min"), rules.jurisdictions_min.unwrap_or(2), two.clone())?;
            within(&path("valid_days"), rules.valid_days.unwrap_or(1), 1..=36_500)?;
        }
        Ok(())
    }
}

fn within<T: PartialOrd + std::fmt::Display>(
    path: &str,
    value: T,
    range: std::ops::RangeInclusive<T>,
) -> Result<(), FieldError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(FieldError::new(path, format_args!("must be {} to {}, got {value}", range.start(), range.end())))
}

/// Actions by their codes.
mod action {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::Action;

    pub fn serialize<S: Serializer>(action: &Action, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(action.code())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Action, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The same, where there may be none.
mod optional_action {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::Action;

    #[expect(clippy::ref_option, reason = "the form that serde asks for")]
    pub fn serialize<S: Serializer>(action: &Option<Action>, serializer: S) -> Result<S::Ok, S::Error> {
        match action {
            Some(action) => serializer.serialize_some(action.code()),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Action>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_defaults_and_the_defaults_are_a_file() {
        let rules = Rules::from_toml("").unwrap();
        assert_eq!(rules, Rules::default());
        assert_eq!(Rules::from_toml(&rules.to_toml()).unwrap(), rules);
        assert!(!rules.to_toml().is_empty());
    }

    #[test]
    fn what_it_says_is_read_and_the_rest_stays() {
        let text =
            "[corroboration]\nmembers_min = 3\n[tlp]\nred = \"log-only\"\n[labels.glorification]\nvalid_days = 30";
        let rules = Rules::from_toml(text).unwrap();
        assert_eq!(rules.corroboration, CorroborationRules { members_min: 3, ..Default::default() });
        assert_eq!(rules.tlp.action_max(Tlp::Red), Action::LogOnly);
        let [own, other] = ["glorification", "graphic-violence"].map(|label| label.parse::<Code>().unwrap());
        assert_eq!(rules.valid_for(std::slice::from_ref(&own), false), Some(Duration::from_hours(30 * 24)));
        assert_eq!(rules.valid_for(&[own, other.clone()], false), None, "one of them has no end");
        assert_eq!(rules.valid_for(&[other], true), Some(Duration::from_hours(180 * 24)));
        assert_eq!(Rules::from_toml(&rules.to_toml()).unwrap(), rules);
    }

    #[test]
    fn what_must_not_be_is_refused_by_its_name() {
        for (text, path) in [
            ("[corroboration]\njurisdictions_min = 1", "policy.corroboration.jurisdictions_min"),
            ("[corroboration]\nmembers_min = 1", "policy.corroboration.members_min"),
            ("[corroboration]\nradius_bits = 21", "policy.corroboration.radius_bits"),
            ("[benign]\nradius_bits = 32", "policy.benign.radius_bits"),
            ("[trust]\nreview_below_percent = 101", "policy.trust.review_below_percent"),
            ("[labels.x]\njurisdictions_min = 1", "policy.labels.x.jurisdictions_min"),
            ("[labels.X]", "policy.labels.X"),
            ("[retention]\nerase_after_days = 29", "policy.retention.erase_after_days"),
            ("[retention]\nerase_after_days = 3651", "policy.retention.erase_after_days"),
            ("[retention]\nhold_days_max = 0", "policy.retention.hold_days_max"),
            ("[incidents]\nopen_hours = 0", "policy.incidents.open_hours"),
            ("[[incidents.types]]\ncode = \"a b\"\nname = \"\"", "policy.incidents.types[0].code"),
            ("[tlp]\nred = \"nothing\"", "policy"),
            ("[corroboration]\nradius = 3", "policy"),
        ] {
            assert_eq!(Rules::from_toml(text).unwrap_err().path, path, "{text}");
        }
        assert_eq!(Rules::from_toml(&"#".repeat(POLICY_BYTES_MAX + 1)).unwrap_err().path, "policy");
    }
}
