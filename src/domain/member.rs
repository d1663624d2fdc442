//! Members and their keys. Organisations, never persons.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::LazyLock;

use data_encoding::{BASE32_NOPAD, Encoding, Specification};
use ipnet::IpNet;

use super::codes::codes;
use super::{Code, Name, Quota, SpkiFingerprint, Timestamp};

codes! {
    /// What a member, or one of its keys, may do. See `docs/authorization.md` for the table.
    Role, "role" {
        /// Checks uploads.
        Checker = "checker",
        /// Contributes and withdraws entries of its own.
        Contributor = "contributor",
        /// Reads why something matched.
        Reviewer = "reviewer",
        /// Reads everything, changes nothing.
        Auditor = "auditor",
        /// Enrols members, issues and revokes keys.
        Admin = "admin",
    }
}

/// Roles of a member or a key.
pub type Roles = BTreeSet<Role>;

codes! {
    /// How far an organisation has come, as in the field: from applying to being trusted; or no longer in good standing.
    Status, "status" {
        /// Has asked to take part.
        Applicant = "applicant",
        /// Is helped to meet what the checklist asks.
        Mentee = "mentee",
        /// Checks its uploads.
        Checker = "checker",
        /// Contributes as well.
        Contributor = "contributor",
        /// Has contributed well for long, and sees distances where others see bands.
        Trusted = "trusted",
        /// May do nothing for now. Its entries remain, and are marked.
        Suspended = "suspended",
        /// Has left. Its entries remain, and are marked.
        Left = "left",
    }
}

impl Status {
    /// What a member of this status may do for itself.
    pub const fn roles(self) -> &'static [Role] {
        match self {
            Self::Checker => &[Role::Checker],
            Self::Contributor | Self::Trusted => &[Role::Checker, Role::Contributor],
            Self::Applicant | Self::Mentee | Self::Suspended | Self::Left => &[],
        }
    }

    /// Whether it may do anything at all, for the hub included.
    pub const fn is_in_good_standing(self) -> bool {
        !matches!(self, Self::Suspended | Self::Left)
    }
}

codes! {
    /// What an operator makes sure of before a member climbs, in the field's words.
    ChecklistItem, "checklist item" {
        /// A published policy on terrorist and violent-extremist content.
        Policy = "policy",
        /// Users can report content, and appeal against what is done about theirs.
        ReportsAndAppeals = "reports-and-appeals",
        /// A transparency report is published.
        TransparencyReport = "transparency-report",
        /// It has committed itself to human rights.
        HumanRights = "human-rights",
        /// Somebody answers there, also in an incident.
        Contact = "contact",
        /// The terms on data protection are agreed.
        DataProtection = "data-protection",
    }
}

/// What was made sure of.
pub type Checklist = BTreeSet<ChecklistItem>;

/// That somebody stands for a member's climbing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The status that it is to have.
    pub to: Status,
    pub checklist: Checklist,
    /// By which key.
    pub by: KeyId,
    pub at: Timestamp,
}

/// Writes bytes as lower-case base32.
pub(crate) fn base32_lower(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

/// The strict lower-case form of base32 that ids and keys use.
pub(crate) fn base32_lower_codec() -> &'static Encoding {
    // Made once: every request is told by its key.
    static CODEC: LazyLock<Encoding> = LazyLock::new(|| {
        let mut specification = Specification::new();
        specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
        // Proven by the tests: the 32 symbols above are distinct ASCII, all that `encoding` asks for.
        specification.encoding().unwrap_or(BASE32_NOPAD)
    });
    &CODEC
}

/// Text that is not an id of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `{prefix}` and 8 characters of a-z and 2-7")]
pub struct IdError {
    prefix: &'static str,
}

/// Declares a 40-bit random id spelt as a prefix and eight base32 characters.
macro_rules! id40 {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 5]);

        impl $name {
            /// From five random bytes.
            pub const fn from_bytes(bytes: [u8; 5]) -> Self {
                Self(bytes)
            }

            /// The five bytes.
            pub const fn bytes(self) -> [u8; 5] {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&format!(concat!($prefix, "{}"), base32_lower(&self.0)))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let error = IdError { prefix: $prefix };
                let body = text.strip_prefix($prefix).ok_or(error)?;
                let bytes = base32_lower_codec().decode(body.as_bytes()).map_err(|_| error)?;
                Ok(Self(bytes.try_into().map_err(|_| error)?))
            }
        }
    };
}

id40! {
    /// A member's id, and its pseudonym: random, it says nothing of who the member is. Everything in the ledger names members
    /// by it; only the enrolment event, readable by operators and auditors, ties it to a name.
    MemberId, "m-"
}

impl MemberId {
    /// The five bytes as a number.
    pub fn number(self) -> u64 {
        self.0.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

id40! {
    /// The public part of an API key: which key it is.
    KeyId, "k-"
}

/// A state or territory, as an ISO 3166-1 alpha-2 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jurisdiction([u8; 2]);

/// Text that is not the form of an ISO 3166-1 alpha-2 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an ISO 3166-1 code of two capital letters, as in NZ")]
pub struct JurisdictionError;

impl FromStr for Jurisdiction {
    type Err = JurisdictionError;

    fn from_str(text: &str) -> Result<Self, JurisdictionError> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self([*a, *b])),
            _ => Err(JurisdictionError),
        }
    }
}

impl fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0[0] as char, self.0[1] as char)
    }
}

codes! {
    /// How far a member has gone that asks its way to a listed hash.
    WalkLevel, "walk level" {
        /// It may be one.
        Flagged = "flagged",
        /// Its answers come late.
        Slowed = "slowed",
        /// It gets no answers.
        Blocked = "blocked",
    }
}

/// That a member was seen asking its way to a listed hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkMark {
    pub level: WalkLevel,
    pub at: Timestamp,
}

/// An organisation that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: MemberId,
    /// Shown to operators and auditors only.
    pub name: Name,
    pub jurisdiction: Jurisdiction,
    /// Organisations under one owner have the same.
    pub control_group: Option<Code>,
    pub status: Status,
    /// What it does for the hub, whatever its status: reviews, audits, administers.
    pub duties: Roles,
    pub enrolled: Timestamp,
    /// Where that of its status does not fit. Folded, never in an event.
    pub quota: Quota,
    /// The gravest since an operator last looked. Folded, never in an event.
    pub walk: Option<WalkMark>,
    /// Since when it has been one that contributes, the first time.
    pub contributes_since: Option<Timestamp>,
    /// Of its next status, as long as they are too few. Folded, never in an event.
    pub approvals: Vec<Approval>,
    /// Leaf indexes of all events about it and its keys. Folded, never in an event.
    pub events: Vec<u64>,
}

/// What speaks with one voice: a member, or all members under one owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    Member(MemberId),
    Group(Code),
}

impl Member {
    /// As it begins: an applicant.
    pub fn new(id: MemberId, name: Name, jurisdiction: Jurisdiction, enrolled: Timestamp) -> Self {
        let (duties, approvals, events) = (Roles::new(), Vec::new(), Vec::new());
        let status = Status::Applicant;
        let (control_group, quota, walk, contributes_since) = (None, Quota::default(), None, None);
        Self {
            id,
            name,
            jurisdiction,
            control_group,
            status,
            duties,
            enrolled,
            quota,
            walk,
            contributes_since,
            approvals,
            events,
        }
    }

    /// With whom it speaks with one voice.
    pub fn unit(&self) -> Unit {
        self.control_group.clone().map_or(Unit::Member(self.id), Unit::Group)
    }

    /// What it may do now.
    pub fn roles(&self) -> Roles {
        if self.status.is_in_good_standing() {
            self.status.roles().iter().chain(&self.duties).copied().collect()
        } else {
            Roles::new()
        }
    }
}

/// A key to the hub as the hub keeps it: enough to recognize it, not to make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub id: KeyId,
    pub member: MemberId,
    /// What it is for, in the member's words.
    pub label: Option<Name>,
    /// At most the member's roles.
    pub roles: Roles,
    pub credential: Credential,
    /// The key that it was issued with; none for those of the first start.
    pub issued_by: Option<KeyId>,
    pub issued: Timestamp,
    pub expires: Option<Timestamp>,
    /// From where alone it may be used; from everywhere, if there are none.
    pub networks: Vec<Network>,
    /// Narrower than its member's, or none of its own. Folded, never in an event.
    pub quota: Quota,
    pub revoked: Option<Timestamp>,
    /// From when on somebody else is thought to have had it: what was contributed with it since needs to be looked at again.
    pub compromised_since: Option<Timestamp>,
}

impl Key {
    /// As it begins: for everywhere and without end.
    pub fn new(id: KeyId, member: MemberId, roles: Roles, credential: Credential, issued: Timestamp) -> Self {
        let (label, issued_by, networks, quota) = (None, None, Vec::new(), Quota::default());
        let (expires, revoked, compromised_since) = (None, None, None);
        Self {
            id,
            member,
            label,
            roles,
            credential,
            issued_by,
            issued,
            expires,
            networks,
            quota,
            revoked,
            compromised_since,
        }
    }

    /// Whether it may be used from this address.
    pub fn is_for(&self, address: IpAddr) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(address))
    }

    /// Whether the key opens anything at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

/// Addresses that belong together, as in 192.0.2.0/24 or 2001:db8::/32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network(IpNet);

/// Text that is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    #[error("must be an address or a network in CIDR form, as in 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32")]
    Form,
    /// Somebody may have meant another one.
    #[error("has bits of an address beyond its prefix; the network is {0}")]
    HostBits(Network),
}

impl Network {
    /// Whether the address is one of its. IPv4 addresses that an IPv6 socket maps into IPv6 are IPv4 addresses.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let net = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => text.parse().map_err(|_| NetworkError::Form)?,
        };
        let network = Self(net.trunc());
        if net == network.0 { Ok(network) } else { Err(NetworkError::HostBits(network)) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What shows that somebody has a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The API key's text.
    Secret(KeyMac),
    /// The private key of a client certificate that the transport has verified.
    Certificate(SpkiFingerprint),
}

/// HMAC-SHA256 of an API key's text under the hub's own secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyMac(pub [u8; 32]);

impl fmt::Debug for KeyMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyMac(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_read_back_as_themselves_and_one_kind_is_not_the_other(bytes in any::<[u8; 5]>()) {
            let (member, key) = (MemberId::from_bytes(bytes), KeyId::from_bytes(bytes));
            prop_assert_eq!(member.to_string().parse(), Ok(member));
            prop_assert_eq!(key.to_string().parse(), Ok(key));
            prop_assert!(member.to_string().parse::<KeyId>().is_err());
            prop_assert!(member.to_string().to_uppercase().parse::<MemberId>().is_err());
        }
    }

    #[test]
    fn the_lower_case_codec_is_a_codec_of_its_own() {
        assert_eq!(base32_lower_codec().encode(b"hello"), base32_lower(b"hello"));
        assert!(base32_lower_codec().decode(b"NBSWY3DP").is_err());
    }

    #[test]
    fn a_network_has_its_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.0/24", "::ffff:192.0.2.1", "::192.0.2.1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
        ] {
            let read: Network = network.parse().unwrap();
            assert!(read.contains(inside.parse().unwrap()), "{network} {inside}");
            assert!(!read.contains(outside.parse().unwrap()), "{network} {outside}");
            assert_eq!(read.to_string().parse(), Ok(read));
        }
    }

    #[test]
    fn a_network_that_may_mean_another_is_refused_and_told() {
        let error = "192.0.2.7/24".parse::<Network>().unwrap_err();
        assert!(error.to_string().contains("192.0.2.0/24"), "{error}");
        for bad in ["", "192.0.2.0/33", "192.0.2/24", "example.org", "192.0.2.0/24 ", "2001:db8::/129", "192.0.2.0/-1"]
        {
            assert_eq!(bad.parse::<Network>(), Err(NetworkError::Form), "{bad}");
        }
    }

    #[test]
    fn a_key_without_networks_is_for_everywhere() {
        let id = KeyId::from_bytes([1; 5]);
        let at = Timestamp::from_millis(0).unwrap();
        let credential = Credential::Secret(KeyMac([0; 32]));
        let mut key = Key::new(id, MemberId::from_bytes([1; 5]), Roles::new(), credential, at);
        let address = "203.0.113.9".parse().unwrap();
        assert!(key.is_for(address));
        key.networks = vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        assert!(!key.is_for(address) && key.is_for("192.0.2.9".parse().unwrap()));
    }

    #[test]
    fn a_jurisdiction_is_two_capital_letters() {
        assert!("NZ".parse::<Jurisdiction>().is_ok());
        for bad in ["nz", "NZL", "N", "", "N1", "ÄÖ"] {
            assert!(bad.parse::<Jurisdiction>().is_err(), "{bad}");
        }
    }
}
