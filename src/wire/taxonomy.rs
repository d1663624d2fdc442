//! The taxonomy.

use super::codes::Coded;
use super::v1;
use crate::domain::{Label, Taxonomy, Term};

pub(super) fn label(label: &Label) -> v1::Label {
    v1::Label {
        code: label.code.to_string(),
        name: label.name.clone(),
        definition: label.definition.clone(),
        excludes: label.excludes.clone(),
        action_max: label.action_max.to_wire(),
    }
}

/// Writes a version of the taxonomy.
pub fn taxonomy(taxonomy: &Taxonomy) -> v1::Taxonomy {
    let term = |term: &Term| v1::Term { code: term.code.to_string(), name: term.name.clone() };
    v1::Taxonomy {
        version: taxonomy.version,
        published: taxonomy.published.to_string(),
        labels: taxonomy.labels.iter().map(label).collect(),
        content_types: taxonomy.content_types.iter().map(term).collect(),
        authorities: taxonomy.authorities.iter().map(term).collect(),
        incident_label_prefix: taxonomy.incident_labels.prefix.clone(),
    }
}
