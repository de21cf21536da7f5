//! One change as it is stored and streamed: what [`connmap::Item`] carries as
//! its payload. Plain data.
//!
//! 27 bytes (kind, datatype, flags, expiry, cas, rev seqno, length of the key),
//! then the key, then the value. The seqno is the store's key, and not in it.

use bytes::{Buf, BufMut};

const FIXED: usize = 1 + 1 + 4 + 4 + 8 + 8 + 1;

/// What belongs to an item besides its key and value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    /// A deletion; its value is empty.
    pub(crate) deleted: bool,
    /// Bits that describe the value.
    pub(crate) datatype: u8,
    /// The client's own.
    pub(crate) flags: u32,
    /// When it expires, in seconds since 1970, or 0; of a deletion, when it
    /// was deleted.
    pub(crate) expiry: u32,
    /// The version.
    pub(crate) cas: u64,
    /// How often the key was changed.
    pub(crate) rev: u64,
}

/// A record, read in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) meta: Meta,
    /// At most 250 bytes.
    pub(crate) key: &'a [u8],
    /// At most 20 MiB.
    pub(crate) value: &'a [u8],
}

impl<'a> Record<'a> {
    /// The stored form.
    pub(crate) fn encode(&self) -> Box<[u8]> {
        let mut bytes = Vec::with_capacity(FIXED + self.key.len() + self.value.len());
        bytes.put_u8(u8::from(self.meta.deleted));
        bytes.put_u8(self.meta.datatype);
        bytes.put_u32(self.meta.flags);
        bytes.put_u32(self.meta.expiry);
        bytes.put_u64(self.meta.cas);
        bytes.put_u64(self.meta.rev);
        bytes.put_u8(self.key.len() as u8);
        bytes.put_slice(self.key);
        bytes.put_slice(self.value);
        bytes.into_boxed_slice()
    }

    /// Reads the stored form; `None` if it is none.
    pub(crate) fn decode(mut bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() < FIXED {
            return None;
        }
        let meta = Meta {
            deleted: bytes.get_u8() != 0,
            datatype: bytes.get_u8(),
            flags: bytes.get_u32(),
            expiry: bytes.get_u32(),
            cas: bytes.get_u64(),
            rev: bytes.get_u64(),
        };
        let (key, value) = bytes.split_at_checked(1 + usize::from(bytes[0]))?;
        Some(Record { meta, key: &key[1..], value })
    }

    /// Whether a client that looks at `now` (seconds since 1970) finds it.
    pub(crate) fn is_alive(&self, now: u32) -> bool {
        !self.meta.deleted && (self.meta.expiry == 0 || self.meta.expiry > now)
    }
}

/// Seconds since 1970, from a request's expiry: up to 30 days it counts from
/// now, and 0 is never.
pub(crate) fn absolute_expiry(expiry: u32, now: u32) -> u32 {
    const MONTH: u32 = 30 * 24 * 60 * 60;
    match expiry {
        0 => 0,
        1..=MONTH => now.saturating_add(expiry),
        _ => expiry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written(
            (deleted, datatype, flags, expiry, cas, rev) in any::<(bool, u8, u32, u32, u64, u64)>(),
            key in prop::collection::vec(any::<u8>(), 0..=250),
            value in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let meta = Meta { deleted, datatype, flags, expiry, cas, rev };
            let record = Record { meta, key: &key, value: &value };
            let bytes = record.encode();
            prop_assert_eq!(Record::decode(&bytes), Some(record));
        }

        #[test]
        fn any_bytes_are_a_record_or_none(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Some(record) = Record::decode(&bytes) {
                prop_assert_eq!(record.key.len() + record.value.len() + FIXED, bytes.len());
            }
        }
    }
}
