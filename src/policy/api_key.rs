//! API keys: `hck_`, the key's id, `_`, 160 random bits, a checksum. All base32, lower case.
//!
//! The checksum tells a mistyped key from an unknown one without asking anybody, and lets scanners find leaked keys. The hub
//! keeps an HMAC of the text under a secret of its own, so that a stolen database opens nothing.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::{
    CallId, Credential, KeyId, KeyMac, MemberId, RequestDigest, RequestId, base32_lower, base32_lower_codec,
};

const PREFIX: &str = "hck_";
/// 160 bits.
const SECRET_BYTES: usize = 20;
const CHECKSUM_BYTES: usize = 4;
/// `k-` is left out of the key's text.
const ID_CHARS: usize = 8;
const SECRET_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 7;

/// A whole API key: whoever has it is the member, as far as the key's roles go.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ApiKey {
    #[zeroize(skip)]
    id: KeyId,
    text: String,
}

/// Text that is not an API key. Says nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// It does not look like one.
    #[error("is not an API key: one looks like `hck_xxxxxxxx_…`, 52 characters")]
    Form,
    /// It looks like one, but its checksum does not fit.
    #[error("is not an API key: its checksum does not fit; was it cut off or mistyped?")]
    Checksum,
}

impl ApiKey {
    /// The key `id` with the given random bits.
    pub fn new(id: KeyId, secret: [u8; SECRET_BYTES]) -> Self {
        let body = format!("{PREFIX}{}_{}", base32_lower(&id.bytes()), base32_lower(&secret));
        let text = format!("{body}{}", base32_lower(&checksum(&body)));
        Self { id, text }
    }

    /// Which key it is.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The whole text. Show it once, write it nowhere.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

fn checksum(body: &str) -> [u8; CHECKSUM_BYTES] {
    let digest = Sha256::new().chain_update(b"hashcommons/v1/api-key\n").chain_update(body).finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

impl FromStr for ApiKey {
    type Err = ApiKeyError;

    fn from_str(text: &str) -> Result<Self, ApiKeyError> {
        let rest = text.strip_prefix(PREFIX).filter(|rest| rest.is_ascii()).ok_or(ApiKeyError::Form)?;
        let (id, rest) = rest.split_once('_').ok_or(ApiKeyError::Form)?;
        if id.len() != ID_CHARS || rest.len() != SECRET_CHARS + CHECKSUM_CHARS {
            return Err(ApiKeyError::Form);
        }
        let codec = base32_lower_codec();
        let decode = |text: &str| codec.decode(text.as_bytes()).map_err(|_| ApiKeyError::Form);
        let id = decode(id)?.try_into().map(KeyId::from_bytes).map_err(|_| ApiKeyError::Form)?;
        decode(&rest[..SECRET_CHARS])?;
        let body = &text[..text.len() - CHECKSUM_CHARS];
        if decode(&rest[SECRET_CHARS..])? != checksum(body) {
            return Err(ApiKeyError::Checksum);
        }
        Ok(Self { id, text: text.to_owned() })
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}, ..)", self.id)
    }
}

/// The hub's secret that API keys and requests' names are kept under.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MacSecret([u8; 32]);

impl MacSecret {
    /// From 32 random bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Which request of `member` this is: enough to recognize it, and without the secret not enough to guess its name by trying.
    pub fn request_digest(&self, member: MemberId, request: &RequestId) -> RequestDigest {
        // No API key begins like this, so that the uses of the secret cannot meet.
        let mut mac = self.keyed();
        mac.update(b"hashcommons/v1/request\n");
        mac.update(&member.bytes());
        mac.update(request.as_str().as_bytes());
        RequestDigest(mac.finalize().into_bytes().into())
    }

    /// The same of a request that has only the name it was called by.
    pub fn call_digest(&self, member: MemberId, call: &CallId) -> RequestDigest {
        let mut mac = self.keyed();
        mac.update(b"hashcommons/v1/call\n");
        mac.update(&member.bytes());
        mac.update(call.as_str().as_bytes());
        RequestDigest(mac.finalize().into_bytes().into())
    }

    fn hmac(&self, key: &ApiKey) -> Hmac<Sha256> {
        let mut mac = self.keyed();
        mac.update(key.text.as_bytes());
        mac
    }

    pub(super) fn keyed(&self) -> Hmac<Sha256> {
        // A block of SHA-256 is 64 bytes; HMAC itself fills a shorter key with zeros (RFC 2104).
        let mut block = [0; 64];
        block[..self.0.len()].copy_from_slice(&self.0);
        let mac = Hmac::<Sha256>::new(&block.into());
        block.zeroize();
        mac
    }

    /// What to know `key` by.
    pub fn credential(&self, key: &ApiKey) -> Credential {
        Credential::Secret(self.mac(key))
    }

    /// What to keep of `key`.
    pub fn mac(&self, key: &ApiKey) -> KeyMac {
        KeyMac(self.hmac(key).finalize().into_bytes().into())
    }

    /// Whether `mac` was made of `key`, in constant time.
    pub fn verify(&self, key: &ApiKey, mac: &KeyMac) -> bool {
        self.hmac(key).verify(&mac.0.into()).is_ok()
    }
}

impl fmt::Debug for MacSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApiKey {
        ApiKey::new(KeyId::from_bytes([1, 2, 3, 4, 5]), [7; SECRET_BYTES])
    }

    #[test]
    fn a_key_reads_back_as_itself_and_its_debug_form_hides_it() {
        let key = key();
        assert_eq!(key.reveal().parse::<ApiKey>().unwrap(), key);
        assert_eq!(key.reveal().len(), 52);
        assert_eq!(format!("{key:?}"), format!("ApiKey({}, ..)", key.id()));
    }

    #[test]
    fn any_one_changed_character_is_noticed_before_anybody_is_asked() {
        let text = key().reveal().to_owned();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'a' { b'b' } else { b'a' };
            assert!(String::from_utf8(bytes).unwrap().parse::<ApiKey>().is_err(), "character {at}");
        }
        for cut in 0..text.len() {
            assert!(text[..cut].parse::<ApiKey>().is_err());
        }
        assert!(format!("{text}a").parse::<ApiKey>().is_err());
        assert!(text.to_uppercase().parse::<ApiKey>().is_err());
    }

    #[test]
    fn a_request_is_known_by_secret_member_and_name_together() {
        let (one, other) = (MemberId::from_bytes([1; 5]), MemberId::from_bytes([2; 5]));
        let digest =
            |secret, member, name: &str| MacSecret::new([secret; 32]).request_digest(member, &name.parse().unwrap());
        assert_eq!(digest(1, one, "a"), digest(1, one, "a"));
        assert_ne!(digest(1, one, "a"), digest(2, one, "a"));
        assert_ne!(digest(1, one, "a"), digest(1, other, "a"));
        assert_ne!(digest(1, one, "a"), digest(1, one, "b"));
    }

    #[test]
    fn only_the_same_key_under_the_same_secret_has_the_same_mac() {
        let secret = MacSecret::new([9; 32]);
        let mac = secret.mac(&key());
        assert!(secret.verify(&key(), &mac));
        assert!(!secret.verify(&ApiKey::new(key().id(), [8; SECRET_BYTES]), &mac));
        assert!(!MacSecret::new([8; 32]).verify(&key(), &mac));
    }
}
