//! Match receipts: `hcm_` and 48 characters, given with every match. Whoever shows one has met the entry.
//!
//! A receipt says which entry and in which hour, and proves itself by a MAC under the hub's secret that is bound to the member. So
//! giving one needs no writing, and it says no more than the hub keeps: a member's matches with an entry in one hour have one receipt.

use std::fmt;
use std::str::FromStr;

use hmac::Mac;

use super::MacSecret;
use crate::domain::{EntryId, MemberId, Timestamp, base32_lower, base32_lower_codec};

const PREFIX: &str = "hcm_";
/// The only one so far.
const VERSION: u8 = 1;
/// Version (1 byte), entry (8), hours since 1970-01-01 (4).
const BODY_BYTES: usize = 13;
/// 136 bits of HMAC-SHA256, so that all is a whole number of characters.
const MAC_BYTES: usize = 17;
const HOUR_MILLIS: u64 = 3_600_000;

/// A receipt as it is written: whether it is genuine, [`MacSecret::match_of`] tells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MatchReceipt {
    body: [u8; BODY_BYTES],
    mac: [u8; MAC_BYTES],
}

/// Why text is no receipt of the caller's. Whether it is somebody else's, it does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatchReceiptError {
    /// It does not look like one.
    #[error("is not a match's receipt: one looks like `hcm_…`, 52 characters")]
    Form,
    /// It looks like one.
    #[error("is not a receipt that this hub gave your organisation; was it cut off or mistyped?")]
    NotYours,
}

impl FromStr for MatchReceipt {
    type Err = MatchReceiptError;

    fn from_str(text: &str) -> Result<Self, MatchReceiptError> {
        let rest = text.strip_prefix(PREFIX).ok_or(MatchReceiptError::Form)?;
        let bytes = base32_lower_codec().decode(rest.as_bytes()).map_err(|_| MatchReceiptError::Form)?;
        let (body, mac) = bytes.split_at_checked(BODY_BYTES).ok_or(MatchReceiptError::Form)?;
        let body: [u8; BODY_BYTES] = body.try_into().map_err(|_| MatchReceiptError::Form)?;
        let mac = mac.try_into().map_err(|_| MatchReceiptError::Form)?;
        if body[0] == VERSION { Ok(Self { body, mac }) } else { Err(MatchReceiptError::Form) }
    }
}

impl fmt::Display for MatchReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", base32_lower(&[&self.body[..], &self.mac].concat()))
    }
}

impl fmt::Debug for MatchReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MatchReceipt(..)")
    }
}

impl MacSecret {
    /// The receipt of `member`'s matches with `entry` in the hour that `at` is in.
    pub fn match_receipt(&self, member: MemberId, entry: EntryId, at: Timestamp) -> MatchReceipt {
        // Until the year 492,000.
        let hours = u32::try_from(at.millis() / HOUR_MILLIS).unwrap_or(u32::MAX);
        let mut body = [VERSION; BODY_BYTES];
        body[1..9].copy_from_slice(&entry.0.to_be_bytes());
        body[9..].copy_from_slice(&hours.to_be_bytes());
        let whole: [u8; 32] = self.match_mac(member, &body).finalize().into_bytes().into();
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(&whole[..MAC_BYTES]);
        MatchReceipt { body, mac }
    }

    /// Which entry `member` met, and the beginning of the hour.
    ///
    /// # Errors
    /// [`MatchReceiptError::NotYours`]: the receipt was not given to this member by this hub.
    pub fn match_of(
        &self,
        member: MemberId,
        receipt: &MatchReceipt,
    ) -> Result<(EntryId, Timestamp), MatchReceiptError> {
        let not_yours = MatchReceiptError::NotYours;
        self.match_mac(member, &receipt.body).verify_truncated_left(&receipt.mac).map_err(|_| not_yours)?;
        let (entry, hours) = receipt.body[1..].split_at(8);
        let entry = u64::from_be_bytes(entry.try_into().map_err(|_| not_yours)?);
        let hours = u32::from_be_bytes(hours.try_into().map_err(|_| not_yours)?);
        let hour = Timestamp::from_millis(u64::from(hours) * HOUR_MILLIS).map_err(|_| not_yours)?;
        Ok((EntryId(entry), hour))
    }

    fn match_mac(&self, member: MemberId, body: &[u8; BODY_BYTES]) -> hmac::Hmac<sha2::Sha256> {
        let mut mac = self.keyed();
        // As those of requests: no API key begins like this.
        mac.update(b"hashcommons/v1/match\n");
        mac.update(&member.bytes());
        mac.update(body);
        mac
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn member(id: u8) -> MemberId {
        MemberId::from_bytes([id; 5])
    }

    fn secret(byte: u8) -> MacSecret {
        MacSecret::new([byte; 32])
    }

    fn sample() -> MatchReceipt {
        secret(1).match_receipt(member(1), EntryId(7), "2026-11-22T12:34:56Z".parse().unwrap())
    }

    #[test]
    fn a_receipt_reads_back_for_its_member_under_its_hubs_secret_alone() {
        let receipt = sample();
        let text = receipt.to_string();
        assert_eq!((text.len(), text.parse()), (52, Ok(receipt)));
        assert_eq!(secret(1).match_of(member(1), &receipt), Ok((EntryId(7), "2026-11-22T12:00:00Z".parse().unwrap())));
        let not_yours = Err(MatchReceiptError::NotYours);
        assert_eq!(secret(1).match_of(member(2), &receipt), not_yours);
        assert_eq!(secret(2).match_of(member(1), &receipt), not_yours);
        assert_eq!(format!("{receipt:?}"), "MatchReceipt(..)");
    }

    #[test]
    fn any_one_changed_bit_is_noticed() {
        let bytes = [&sample().body[..], &sample().mac].concat();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let text = format!("{PREFIX}{}", base32_lower(&forged));
            let opened = text.parse().and_then(|receipt| secret(1).match_of(member(1), &receipt));
            assert!(opened.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn what_is_cut_off_longer_or_in_capitals_has_not_the_form() {
        let text = sample().to_string();
        for cut in 0..text.len() {
            assert_eq!(text[..cut].parse::<MatchReceipt>(), Err(MatchReceiptError::Form), "{cut}");
        }
        for other in [format!("{text}a"), format!("{text}aaaaaaaa"), text.to_uppercase(), text.replace("hcm_", "hck_")]
        {
            assert_eq!(other.parse::<MatchReceipt>(), Err(MatchReceiptError::Form), "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_receipt_opens_to_what_it_was_made_of(entry: u64, millis in 0..253_402_300_799_999_u64, id: u8) {
            let at = Timestamp::from_millis(millis).unwrap();
            let receipt = secret(3).match_receipt(member(id), EntryId(entry), at);
            let read: MatchReceipt = receipt.to_string().parse().unwrap();
            prop_assert_eq!(secret(3).match_of(member(id), &read), Ok((EntryId(entry), at.hour())));
            prop_assert!(secret(3).match_of(member(id.wrapping_add(1)), &read).is_err());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(hcm_)?[a-z2-7]{0,60}") {
            let _ = text.parse::<MatchReceipt>();
        }
    }
}
