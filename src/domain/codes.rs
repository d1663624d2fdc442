//! How the closed sets of the domain are spelled: one stable lower-case code a value, the same in files, on the command
//! line, in messages to people and in the ledger.

/// Declares an enum whose values have codes, with `ALL`, `code()`, `Display` and a strict `FromStr`.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($(#[$doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable code of this value.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.code())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::UnknownCode;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.code() == text).ok_or_else(|| {
                    $crate::domain::UnknownCode::new($what, text, Self::ALL.iter().map(|value| value.code()))
                })
            }
        }
    };
}
pub(crate) use codes;

/// A word that is none of the codes of its set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{got}`: must be one of {allowed}")]
pub struct UnknownCode {
    what: &'static str,
    got: String,
    allowed: String,
}

impl UnknownCode {
    /// `what` names the set; `allowed` are its codes in the order to show them.
    pub fn new<'a>(what: &'static str, got: &str, allowed: impl Iterator<Item = &'a str>) -> Self {
        // What a stranger sent is echoed shortened and without control characters: it ends up in terminals and logs.
        let got = got.chars().take(40).map(|c| if c.is_control() { '?' } else { c }).collect();
        Self { what, got, allowed: allowed.collect::<Vec<_>>().join(", ") }
    }
}
