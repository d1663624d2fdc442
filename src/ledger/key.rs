//! The keys of signed notes: Ed25519 (RFC 8032) under a name, in the text forms of Go's `sumdb/note` and of C2SP
//! `signed-note`.
//!
//! A name and a key id tell keys apart; the id is only 32 bits long and proves nothing by itself.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::Signer as _;
use zeroize::Zeroizing;

use super::hash::sha256;
use super::text::decode_base64;

/// The longest name a key may have, in bytes.
pub const KEY_NAME_BYTES_MAX: usize = 255;

/// What a private key's text begins with.
const PRIVATE_PREFIX: &str = "PRIVATE+KEY+";
/// The signature type that C2SP `signed-note` assigns to Ed25519.
const ED25519: u8 = 0x01;

/// The first four bytes of `SHA-256(name || "\n" || 0x01 || public key)`.
pub(super) type KeyId = [u8; 4];

/// Why something is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name cannot stand in a signature line.
    #[error("a key's name must be 1 to 255 bytes without white space, control characters or `+`")]
    Name,
    /// The text has another form.
    #[error("must be `{0}`")]
    Format(&'static str),
    /// The key is for another kind of signature, or has the wrong length.
    #[error("the key is not an Ed25519 key")]
    Algorithm,
    /// Name, key id and key do not belong together: one of them was altered.
    #[error("the key id is not that of this name and key")]
    Id,
    /// Not a point of the curve, or one for which anybody can make signatures.
    #[error("the public key is not a sound Ed25519 key")]
    Point,
}

/// Whether `name` may name a key: C2SP asks for no Unicode white space and no `+`, and a note has no control characters.
pub(super) fn is_key_name(name: &str) -> bool {
    let allowed = |c: char| c >= ' ' && c != '+' && !c.is_whitespace();
    !name.is_empty() && name.len() <= KEY_NAME_BYTES_MAX && name.chars().all(allowed)
}

fn key_id(name: &str, public: &[u8; 32]) -> KeyId {
    let [a, b, c, d, ..] = sha256(&[name.as_bytes(), b"\n", &[ED25519], public]).to_bytes();
    [a, b, c, d]
}

/// The public half: who checks a log's signatures pins this.
///
/// Text form: `name+key id+base64(0x01 || public key)`, the key id in eight lower-case hex digits, as in
/// `PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: KeyId,
    public: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    /// The key's name; for a log's key also the origin of its checkpoints.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    /// Whether `signature` is one of this key over `text`.
    ///
    /// Strict: of the many signatures that loose readings of RFC 8032 accept, only the canonical ones.
    pub(super) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.public.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let fields = Fields::parse(text, "name+key id+base64 of the public key")?;
        let public = ed25519_dalek::VerifyingKey::from_bytes(&fields.key).map_err(|_| KeyError::Point)?;
        if public.is_weak() {
            return Err(KeyError::Point);
        }
        let key = Self { name: fields.name.to_owned(), id: key_id(fields.name, &fields.key), public };
        if key.id == fields.id { Ok(key) } else { Err(KeyError::Id) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = [ED25519; 33];
        typed[1..].copy_from_slice(self.public.as_bytes());
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id), BASE64.encode(&typed))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// The private half. Erased from memory when dropped; never printed except by [`to_private_text`](Self::to_private_text).
pub struct SigningKey {
    verifier: VerifierKey,
    secret: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// The key with this name and these 32 secret bytes (RFC 8032's private key), which must come from a cryptographic
    /// random source.
    ///
    /// # Errors
    /// [`KeyError::Name`] if the name cannot stand in a note.
    pub fn from_secret(name: &str, secret: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name);
        }
        let secret = ed25519_dalek::SigningKey::from_bytes(secret);
        let public = secret.verifying_key();
        Ok(Self {
            verifier: VerifierKey { name: name.to_owned(), id: key_id(name, public.as_bytes()), public },
            secret,
        })
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The text for a private key file, without a line end: `PRIVATE+KEY+name+key id+base64(0x01 || secret)`.
    ///
    /// `FromStr` reads it back.
    pub fn to_private_text(&self) -> Zeroizing<String> {
        let mut typed = Zeroizing::new([ED25519; 33]);
        typed[1..].copy_from_slice(self.secret.as_bytes());
        let open = format!("{PRIVATE_PREFIX}{}+{}+", self.verifier.name, HEXLOWER.encode(&self.verifier.id));
        // With all the room it needs from the start: a string that grows leaves copies of itself behind.
        let mut text = Zeroizing::new(String::with_capacity(open.len() + BASE64.encode_len(typed.len())));
        text.push_str(&open);
        BASE64.encode_append(typed.as_slice(), &mut text);
        text
    }

    pub(super) fn sign(&self, text: &str) -> [u8; 64] {
        self.secret.sign(text.as_bytes()).to_bytes()
    }
}

impl FromStr for SigningKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        const EXPECTED: &str = "PRIVATE+KEY+name+key id+base64 of the private key";
        let fields = Fields::parse(text.strip_prefix(PRIVATE_PREFIX).ok_or(KeyError::Format(EXPECTED))?, EXPECTED)?;
        let key = Self::from_secret(fields.name, &fields.key)?;
        if key.verifier.id == fields.id { Ok(key) } else { Err(KeyError::Id) }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, ..)", self.verifier.name)
    }
}

/// What both text forms have in common: `name+key id+base64(0x01 || 32 bytes)`.
struct Fields<'a> {
    name: &'a str,
    id: KeyId,
    key: Zeroizing<[u8; 32]>,
}

impl<'a> Fields<'a> {
    fn parse(text: &'a str, expected: &'static str) -> Result<Self, KeyError> {
        let malformed = KeyError::Format(expected);
        // Only the first two: base64 has `+` among its letters.
        let (name, rest) = text.split_once('+').ok_or(malformed)?;
        let (id, key) = rest.split_once('+').ok_or(malformed)?;
        if !is_key_name(name) {
            return Err(KeyError::Name);
        }
        let id = HEXLOWER.decode(id.as_bytes()).map_err(|_| malformed)?.try_into().map_err(|_| malformed)?;
        let typed = Zeroizing::new(decode_base64(key).ok_or(malformed)?);
        let Some((&ED25519, key)) = typed.split_first() else { return Err(KeyError::Algorithm) };
        let key = Zeroizing::new(key.try_into().map_err(|_| KeyError::Algorithm)?);
        Ok(Self { name, id, key })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zeroize::ZeroizeOnDrop;

    use super::super::testing::{GO_PRIVATE_KEY, GO_VERIFIER_KEY};
    use super::*;

    /// Every proper part of `text`, and `text` with each byte in turn made one greater, as Go's own tests mangle keys.
    fn mangled(text: &str) -> Vec<String> {
        let parts = (0..text.len()).flat_map(|from| (from + 1..=text.len()).map(move |to| from..to));
        let parts = parts.filter(|part| part.len() < text.len()).map(|part| text[part].to_owned());
        let changed = (0..text.len()).map(|at| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] += 1;
            String::from_utf8(bytes).unwrap()
        });
        parts.chain(changed).collect()
    }

    #[test]
    fn the_keys_of_the_go_documentation_are_a_pair_and_read_back() {
        let private: SigningKey = GO_PRIVATE_KEY.parse().unwrap();
        let verifier: VerifierKey = GO_VERIFIER_KEY.parse().unwrap();
        assert_eq!(private.verifier(), &verifier);
        assert_eq!(verifier.to_string(), GO_VERIFIER_KEY);
        assert_eq!(*private.to_private_text(), GO_PRIVATE_KEY);
    }

    #[test]
    fn a_plus_sign_in_the_base64_does_not_split_the_key() {
        let text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
        assert_eq!(text.parse::<VerifierKey>().map(|key| key.to_string()), Ok(text.to_owned()));
    }

    #[test]
    fn no_mangled_key_is_read() {
        for text in mangled(GO_VERIFIER_KEY) {
            assert!(text.parse::<VerifierKey>().is_err(), "{text}");
        }
        for text in mangled(GO_PRIVATE_KEY) {
            assert!(text.parse::<SigningKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_failure_is_told_apart() {
        let error = |text: &str| text.parse::<VerifierKey>().err();
        let format = KeyError::Format("name+key id+base64 of the public key");
        assert_eq!(error(""), Some(format));
        assert_eq!(error(&GO_VERIFIER_KEY.replace("c74f", "C74F")), Some(format));
        assert_eq!(error(&format!("{GO_VERIFIER_KEY}\n")), Some(format));
        assert_eq!(error(&GO_VERIFIER_KEY.replace("Neumann", " Neumann")), Some(KeyError::Name));
        assert_eq!(error(&GO_VERIFIER_KEY.replace("Neumann", "Newman")), Some(KeyError::Id));
        assert_eq!(error(&GO_VERIFIER_KEY.replace("+ARpc", "+BRpc")), Some(KeyError::Algorithm));
        assert_eq!(error(&format!("{GO_VERIFIER_KEY}AAAA")), Some(KeyError::Algorithm));
        // Wrong length and unknown algorithm, each with the key id that belongs to it (from Go's tests).
        let wrong_length = "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==";
        assert_eq!(error(wrong_length), Some(format));
        let algorithm = "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        assert_eq!(error(algorithm), Some(KeyError::Algorithm));
    }

    #[test]
    fn a_key_with_which_anybody_can_sign_is_refused() {
        // The neutral element of the curve: y = 1.
        let mut public = [0; 32];
        public[0] = 1;
        let id = HEXLOWER.encode(&key_id("weak", &public));
        let text = format!("weak+{id}+{}", BASE64.encode(&[&[ED25519][..], &public].concat()));
        assert_eq!(text.parse::<VerifierKey>(), Err(KeyError::Point));
    }

    #[test]
    fn names_that_would_break_a_note_are_refused() {
        let long = "n".repeat(KEY_NAME_BYTES_MAX + 1);
        for name in ["", "a b", "a+b", "a\nb", "a\u{2003}b", "a\u{85}b", "a\0b", &long] {
            assert_eq!(SigningKey::from_secret(name, &[7; 32]).map(|_| ()), Err(KeyError::Name), "{name:?}");
        }
        assert!(SigningKey::from_secret(&long[1..], &[7; 32]).is_ok());
    }

    #[test]
    fn the_secret_is_not_shown_by_debug_and_is_erased_on_drop() {
        fn erased_on_drop<T: ZeroizeOnDrop>(_: &T) {}
        let key = SigningKey::from_secret("example.org/log", &[0xab; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey(example.org/log, ..)");
        erased_on_drop(&key.secret);
        erased_on_drop(&key.to_private_text());
    }

    proptest! {
        #[test]
        fn the_texts_of_a_key_read_back(secret: [u8; 32], name in "[!-*,-~¡-ÿ]{1,40}") {
            let key = SigningKey::from_secret(&name, &secret).unwrap();
            prop_assert_eq!(key.verifier().to_string().parse(), Ok(key.verifier().clone()));
            let again: SigningKey = key.to_private_text().parse().unwrap();
            prop_assert_eq!(again.verifier(), key.verifier());
            prop_assert_eq!(again.to_private_text(), key.to_private_text());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(PRIVATE\\+KEY\\+)?\\PC{0,20}\\+[0-9a-f]{8}\\+[A-Za-z0-9+/=]{0,50}|\\PC*") {
            prop_assert!(text.parse::<VerifierKey>().is_err());
            prop_assert!(text.parse::<SigningKey>().is_err());
        }
    }
}
