//! The taxonomy: which labels there are, what each covers and what it does not. A versioned file that ships with the binary.

use serde::Deserialize;

use super::{Action, Code, Date, FieldError};
use crate::domain::field::At;

/// One label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub code: Code,
    pub name: String,
    pub definition: String,
    /// Uses that the label does not cover.
    pub excludes: Vec<String>,
    /// The strongest action that an entry with this label can support.
    pub action_max: Action,
}

/// A code with a name: a content type or a designating authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub code: Code,
    pub name: String,
}

/// What labels of incidents look like: they come and go with incidents, not with the taxonomy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentLabels {
    /// Their codes begin with this.
    pub prefix: String,
    pub definition: String,
    pub excludes: Vec<String>,
    pub action_max: Action,
}

/// One version of the labels, content types and designating authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taxonomy {
    pub version: u32,
    pub published: Date,
    pub labels: Vec<Label>,
    pub content_types: Vec<Term>,
    pub authorities: Vec<Term>,
    pub incident_labels: IncidentLabels,
}

impl Taxonomy {
    /// The label of this code, if the taxonomy has it.
    pub fn label(&self, code: &Code) -> Option<&Label> {
        self.labels.iter().find(|label| label.code == *code)
    }

    /// A label's words, also an incident's, which share one description.
    pub fn describe(&self, code: &Code) -> Label {
        self.label(code).cloned().unwrap_or_else(|| Label {
            code: code.clone(),
            name: "Incident label".to_owned(),
            definition: self.incident_labels.definition.clone(),
            excludes: self.incident_labels.excludes.clone(),
            action_max: self.incident_labels.action_max,
        })
    }

    /// The name of a content type, if the taxonomy has it.
    pub fn content_type(&self, code: &Code) -> Option<&Term> {
        self.content_types.iter().find(|term| term.code == *code)
    }

    /// A designating authority, if it is on the allow-list.
    pub fn authority(&self, code: &Code) -> Option<&Term> {
        self.authorities.iter().find(|term| term.code == *code)
    }

    /// Reads a taxonomy file.
    ///
    /// # Errors
    /// What is wrong and where: unknown fields, bad codes, a code given twice, no label at all.
    pub fn from_toml(text: &str) -> Result<Self, FieldError> {
        let file: File = toml::from_str(text).at("taxonomy")?;
        let mut labels = Vec::with_capacity(file.label.len());
        for (at, raw) in file.label.into_iter().enumerate() {
            let path = |field: &str| format!("label[{at}].{field}");
            let code: Code = raw.code.parse().at(path("code"))?;
            if code.as_str().starts_with(&file.incident_labels.prefix) {
                return Err(FieldError::new(path("code"), "begins like an incident's label"));
            }
            let action_max = raw.action_max.parse().at(path("action_max"))?;
            labels.push(Label { code, name: raw.name, definition: raw.definition, excludes: raw.excludes, action_max });
        }
        if labels.is_empty() {
            return Err(FieldError::new("label", "must have at least one label"));
        }
        let taxonomy = Self {
            version: file.version,
            published: file.published.parse().at("published")?,
            content_types: terms(file.content_type, "content_type")?,
            authorities: terms(file.authority, "authority")?,
            incident_labels: IncidentLabels {
                prefix: file.incident_labels.prefix,
                definition: file.incident_labels.definition,
                excludes: file.incident_labels.excludes,
                action_max: file.incident_labels.action_max.parse().at("incident_labels.action_max")?,
            },
            labels,
        };
        distinct("label", taxonomy.labels.iter().map(|label| &label.code))?;
        distinct("content_type", taxonomy.content_types.iter().map(|term| &term.code))?;
        distinct("authority", taxonomy.authorities.iter().map(|term| &term.code))?;
        Ok(taxonomy)
    }
}

/// Every version of the taxonomy that this program knows.
#[derive(Clone, Debug)]
pub struct Taxonomies(Vec<Taxonomy>);

impl Taxonomies {
    /// The files that ship with the program.
    ///
    /// # Errors
    /// A shipped file that is not as it must be: the program is broken.
    pub fn shipped() -> Result<Self, FieldError> {
        Ok(Self(vec![Taxonomy::from_toml(include_str!("../../taxonomy/v1.toml"))?]))
    }

    /// The version that contributions are labelled under now.
    pub fn current(&self) -> &Taxonomy {
        // `shipped` is the only constructor and puts at least one in.
        &self.0[self.0.len() - 1]
    }

    /// A version, if there is such a one.
    pub fn version(&self, version: u32) -> Option<&Taxonomy> {
        self.0.iter().find(|taxonomy| taxonomy.version == version)
    }
}

fn terms(raw: Vec<RawTerm>, what: &str) -> Result<Vec<Term>, FieldError> {
    raw.into_iter()
        .enumerate()
        .map(|(at, term)| Ok(Term { code: term.code.parse().at(format!("{what}[{at}].code"))?, name: term.name }))
        .collect()
}

fn distinct<'a>(what: &str, codes: impl Iterator<Item = &'a Code>) -> Result<(), FieldError> {
    let mut seen = std::collections::HashSet::new();
    for code in codes {
        if !seen.insert(code) {
            return Err(FieldError::new(what, format_args!("code `{code}` is given twice")));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    published: String,
    label: Vec<RawLabel>,
    content_type: Vec<RawTerm>,
    authority: Vec<RawTerm>,
    incident_labels: RawIncidentLabels,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLabel {
    code: String,
    name: String,
    definition: String,
    excludes: Vec<String>,
    action_max: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTerm {
    code: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIncidentLabels {
    prefix: String,
    definition: String,
    excludes: Vec<String>,
    action_max: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = include_str!("../../taxonomy/v1.toml");

    #[test]
    fn every_shipped_file_is_sound() {
        assert_eq!(Taxonomies::shipped().unwrap().current().version, 1);
    }

    #[test]
    fn the_shipped_taxonomy_has_the_four_behaviour_labels_each_with_definition_and_excluded_uses() {
        let taxonomy = Taxonomy::from_toml(V1).unwrap();
        let codes: Vec<_> = taxonomy.labels.iter().map(|label| label.code.as_str()).collect();
        assert_eq!(codes, ["imminent-credible-threat", "graphic-violence", "glorification", "recruitment-instruction"]);
        assert!(taxonomy.labels.iter().all(|label| !label.definition.is_empty() && !label.excludes.is_empty()));
    }

    #[test]
    fn an_unknown_field_a_repeated_code_and_an_incident_like_code_are_refused() {
        let typo = V1.replacen("definition =", "definiton =", 1);
        assert!(Taxonomy::from_toml(&typo).unwrap_err().problem.contains("definiton"));
        let twice = V1.replacen("graphic-violence", "glorification", 1);
        assert_eq!(Taxonomy::from_toml(&twice).unwrap_err().to_string(), "label: code `glorification` is given twice");
        let incident = V1.replacen("graphic-violence", "incident-x", 1);
        assert_eq!(Taxonomy::from_toml(&incident).unwrap_err().path, "label[1].code");
    }
}
