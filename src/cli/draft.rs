//! Drafts as people write them: flags of `contribute`, lines of `import`. Everything is text until it is read here, so that one
//! set of checks and messages serves both.

mod args;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::{
    At, Basis, BasisKind, Confidence, Draft, EntryId, FieldError, GovernmentOrder, Provenance, Signal, SignalKind,
};

pub use args::{DraftArgs, HEADING};

/// One item, unread.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawDraft {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    pub signals: Vec<RawSignal>,
    pub labels: Vec<String>,
    pub provenance: RawProvenance,
}

/// One signal, unread.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawSignal {
    pub kind: String,
    pub value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<u32>,
}

/// Provenance, unread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawProvenance {
    pub origin: String,
    pub reviewers: String,
    pub basis: RawBasis,
    pub producer: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content_types: Vec<String>,
    pub confidence: u32,
    pub tlp: String,
    pub action_max: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub government_order: Option<RawOrder>,
}

/// A basis and the details that its code asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawBasis {
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_date: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
}

/// A government's order, unread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawOrder {
    pub jurisdiction: String,
    pub date: String,
}

impl RawDraft {
    /// Reads it.
    ///
    /// # Errors
    /// The first field that is not as it must be.
    pub fn read(&self) -> Result<Draft, FieldError> {
        let read =
            |(at, raw): (usize, &RawSignal)| raw.read().map_err(|error| error.within(format_args!("signals[{at}]")));
        let signals = self.signals.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        let provenance = self.provenance.read().map_err(|error| error.within("provenance"))?;
        Draft::new(signals, parse_all(&self.labels, "labels")?, provenance)
    }
}

impl RawSignal {
    /// Reads it.
    ///
    /// # Errors
    /// The field that is not as it must be.
    pub fn read(&self) -> Result<Signal, FieldError> {
        let kind: SignalKind = self.kind.parse().at("kind")?;
        Signal::from_hex(kind, &self.value).at("value")?.rated(self.quality).at("quality")
    }
}

/// `pdq:HEX` or `pdq:HEX:QUALITY`.
impl FromStr for RawSignal {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let mut parts = text.splitn(3, ':');
        let (Some(kind), Some(value)) = (parts.next(), parts.next()) else {
            return Err(FieldError::new("signal", "must be KIND:HEX or pdq:HEX:QUALITY"));
        };
        let quality = parts.next().map(|quality| quality.parse().map_err(|_| "must be 0 to 100").at("quality"));
        Ok(Self { kind: kind.to_owned(), value: value.to_owned(), quality: quality.transpose()? })
    }
}

impl From<&Signal> for RawSignal {
    fn from(signal: &Signal) -> Self {
        Self {
            kind: signal.kind().to_string(),
            value: signal.hex(),
            quality: signal.quality().map(|quality| u32::from(quality.percent())),
        }
    }
}

impl RawProvenance {
    fn read(&self) -> Result<Provenance, FieldError> {
        let government_order = match &self.government_order {
            None => None,
            Some(order) => Some(GovernmentOrder {
                jurisdiction: order.jurisdiction.parse().at("government_order.jurisdiction")?,
                date: order.date.parse().at("government_order.date")?,
            }),
        };
        Ok(Provenance {
            origin: self.origin.parse().at("origin")?,
            reviewers: self.reviewers.parse().at("reviewers")?,
            basis: self.basis.read().map_err(|error| error.within("basis"))?,
            producer: self.producer.parse().at("producer")?,
            contexts: parse_all(&self.contexts, "contexts")?,
            content_types: parse_all(&self.content_types, "content_types")?,
            confidence: Confidence::new(self.confidence).at("confidence")?,
            tlp: self.tlp.parse().at("tlp")?,
            action_max: self.action_max.parse().at("action_max")?,
            valid_until: self.valid_until.as_ref().map(|time| time.parse().at("valid_until")).transpose()?,
            supersedes: self.supersedes.map(EntryId),
            government_order,
        })
    }
}

impl RawBasis {
    fn read(&self) -> Result<Basis, FieldError> {
        let details = [
            ("entity", &self.entity),
            ("authority", &self.authority),
            ("list_date", &self.list_date),
            ("incident", &self.incident),
            ("tier", &self.tier),
        ];
        let (basis, wanted): (_, &[&str]) = match self.code.as_str() {
            "un-consolidated-list" => (
                Basis::UnConsolidatedList {
                    entity: detail(&self.entity, "entity")?,
                    list_date: detail(&self.list_date, "list_date")?,
                },
                &["entity", "list_date"],
            ),
            "designated-by" => (
                Basis::DesignatedBy {
                    authority: detail(&self.authority, "authority")?,
                    list_date: detail(&self.list_date, "list_date")?,
                },
                &["authority", "list_date"],
            ),
            "incident" => (Basis::Incident { incident: detail(&self.incident, "incident")? }, &["incident"]),
            "behaviour" => (Basis::Behaviour, &[]),
            "analyst-verified" => (Basis::AnalystVerified { tier: detail(&self.tier, "tier")? }, &["tier"]),
            other => {
                let error =
                    crate::domain::UnknownCode::new("basis", other, BasisKind::ALL.iter().map(|kind| kind.code()));
                return Err(FieldError::new("code", error));
            }
        };
        // A detail that the basis has no place for was meant for another one.
        match details.iter().find(|(name, value)| value.is_some() && !wanted.contains(name)) {
            Some((name, _)) => Err(FieldError::new(*name, format_args!("does not go with the basis `{}`", self.code))),
            None => Ok(basis),
        }
    }
}

fn detail<T: FromStr<Err: std::fmt::Display>>(value: &Option<String>, path: &str) -> Result<T, FieldError> {
    value.as_ref().ok_or_else(|| FieldError::new(path, "is required by this basis"))?.parse().at(path)
}

fn parse_all<T: FromStr<Err: std::fmt::Display>>(texts: &[String], path: &str) -> Result<Vec<T>, FieldError> {
    texts.iter().enumerate().map(|(at, text)| text.parse().at(format!("{path}[{at}]"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"signals":[{"kind":"phash","value":"0123456789abcdef"}],"labels":["glorification"],
        "provenance":{"origin":"human","reviewers":"2+","basis":{"code":"behaviour"},"producer":"perpetrator",
        "confidence":90,"tlp":"TLP:AMBER","action_max":"block"}}"#;

    fn problem(line: &str) -> String {
        serde_json::from_str::<RawDraft>(line).unwrap().read().unwrap_err().to_string()
    }

    #[test]
    fn a_line_is_read_and_each_bad_field_is_named() {
        assert!(serde_json::from_str::<RawDraft>(LINE).unwrap().read().is_ok());
        assert_eq!(problem(&LINE.replace("abcdef\"", "abcde\"")), "signals[0].value: must be 16 hex digits, got 15");
        assert!(problem(&LINE.replace("human", "alien")).starts_with("provenance.origin: unknown origin `alien`"));
        assert_eq!(problem(&LINE.replace("90", "101")), "provenance.confidence: must be 0 to 100, got 101");
    }

    #[test]
    fn a_basis_asks_for_its_details_and_takes_no_others() {
        let un = LINE.replace(r#"{"code":"behaviour"}"#, r#"{"code":"un-consolidated-list","entity":"QDe.115"}"#);
        assert_eq!(problem(&un), "provenance.basis.list_date: is required by this basis");
        let stray = LINE.replace(r#""behaviour"}"#, r#""behaviour","tier":"crisis"}"#);
        assert_eq!(problem(&stray), "provenance.basis.tier: does not go with the basis `behaviour`");
        let unknown = LINE.replace("behaviour", "government-order");
        assert!(
            problem(&unknown).starts_with("provenance.basis.code: unknown basis `government-order`: must be one of")
        );
    }

    #[test]
    fn an_unknown_field_is_an_error_that_names_it() {
        let line = LINE.replace("\"labels\"", "\"uploader\":\"somebody\",\"labels\"");
        assert!(serde_json::from_str::<RawDraft>(&line).unwrap_err().to_string().contains("uploader"));
    }

    #[test]
    fn a_signal_on_the_command_line_is_kind_hex_and_perhaps_quality() {
        let signal: RawSignal = "pdq:00:90".parse().unwrap();
        assert_eq!((signal.kind.as_str(), signal.value.as_str(), signal.quality), ("pdq", "00", Some(90)));
        assert!("pdq".parse::<RawSignal>().is_err());
        assert!("pdq:00:high".parse::<RawSignal>().is_err());
    }
}
