//! Ids: what a thing is called. Refuses to know what any of them stands for.
//!
//! Each is a newtype, so that an order's id cannot be passed for an account's. Ids that clients
//! page by (orders, trades) are given by the core, grow with time and fit 53 bits.

use std::fmt;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(FromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
        #[repr(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

id!(
    /// An account of the ledger, dense from 1 in the order of opening. 0 is no account.
    AccountId(u32)
);
id!(
    /// An asset, dense from 1 in the order of creation. 0 is no asset.
    AssetId(u16)
);
id!(
    /// An instrument (a pair of assets), dense from 1 in the order of creation. 0 is no instrument.
    InstrumentId(u16)
);
id!(
    /// An order, dense from 1 over the whole engine, in the order of acceptance.
    OrderId(u64)
);
id!(
    /// An order list, dense from 1 over the whole engine. 0 is no list.
    OrderListId(u64)
);
id!(
    /// A trade, consecutive from 1 within its instrument.
    TradeId(u64)
);
id!(
    /// A hold that is not an order's, dense from 1; never used again once closed.
    HoldId(u64)
);
id!(
    /// A command's place in the log: dense, from 1.
    Sequence(u64)
);
id!(
    /// Who submits commands: the gateway, the wallet, administration. Given by configuration.
    SourceId(u32)
);
id!(
    /// A source's own dense number for a command, from 1; a repeat gets the first one's outcome.
    SourceNumber(u64)
);

/// Accounts that exist from the start.
impl AccountId {
    /// Trading fees are credited here, and makers' rebates are paid from here.
    pub const FEES: Self = Self(1);
    /// Money whose owner is not settled yet.
    pub const SUSPENSE: Self = Self(2);
    /// The first id given to an account opened by command.
    pub const FIRST_OPENED: Self = Self(3);
}

impl Sequence {
    /// The sequence after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The longest client order id, in bytes (dialect §2.9).
pub const CLIENT_ORDER_ID_LENGTH_MAX: usize = 36;

/// The client's own name for an order: 1 to 36 of `[a-zA-Z0-9_-]`, unique among the open orders of
/// an account. Kept as five words, zero-padded, so that comparing and hashing take no loop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(C)]
pub struct ClientOrderId([u64; 5]);

impl ClientOrderId {
    /// Parses a client's text; `None` when it is empty, too long or has another character.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'_';
        if bytes.is_empty() || bytes.len() > CLIENT_ORDER_ID_LENGTH_MAX || !bytes.iter().all(allowed) {
            return None;
        }
        let mut id = Self([0; 5]);
        id.0.as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
        Some(id)
    }

    /// The five words, for hashing.
    pub const fn words(&self) -> &[u64; 5] {
        &self.0
    }

    /// The client's text.
    pub fn as_str(&self) -> &str {
        let bytes = self.0.as_bytes();
        let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        std::str::from_utf8(&bytes[..length]).unwrap_or("(not text)")
    }
}

impl fmt::Display for ClientOrderId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for ClientOrderId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ClientOrderId({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_order_ids_are_parsed_by_the_dialects_pattern() {
        let longest = "a".repeat(36);
        for good in ["a", "x-TKT5PX2F_09", "O-20260101-000000-001", longest.as_str()] {
            assert_eq!(ClientOrderId::parse(good).expect(good).as_str(), good);
        }
        let too_long = "a".repeat(37);
        for bad in ["", "a b", "é", "a.b", "a\0", too_long.as_str()] {
            assert_eq!(ClientOrderId::parse(bad), None, "{bad:?}");
        }
    }
}
