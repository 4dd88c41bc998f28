//! What a key may do. Refuses to know which call needs which scope: that is the gateway's table.

use std::fmt;
use std::ops::BitOr;
use std::str::FromStr;

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

/// Every scope with its name, in the order they are printed.
const NAMES: [(Scopes, &str); 4] = [
    (Scopes::READ, "READ"),
    (Scopes::TRADE, "TRADE"),
    (Scopes::WITHDRAW, "WITHDRAW"),
    (Scopes::KEYS, "KEYS"),
];

impl Scopes {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// See the account: balances, orders, trades.
    pub const READ: Self = Self(1);
    /// Place, change and cancel orders.
    pub const TRADE: Self = Self(2);
    /// Move money out.
    pub const WITHDRAW: Self = Self(4);
    /// Make, change and revoke the account's keys, none that may do more than the key itself.
    pub const KEYS: Self = Self(8);
    /// All four.
    pub const ALL: Self = Self(15);

    /// Whether every scope of `needed` is in this set.
    pub const fn contains(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// As the database keeps it: 0 to 15.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From what the database keeps; `None` when a bit has no scope.
    pub const fn from_bits(bits: i64) -> Option<Self> {
        if bits >= 0 && bits <= Self::ALL.0 as i64 { Some(Self(bits as u8)) } else { None }
    }
}

impl BitOr for Scopes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A name that is no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no scope; use READ, TRADE, WITHDRAW or KEYS, with a comma between")]
pub struct UnknownScope(String);

impl FromStr for Scopes {
    type Err = UnknownScope;

    /// Parses `READ,TRADE` (any case; empty: nothing).
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).try_fold(Self::NONE, |scopes, name| {
            NAMES
                .iter()
                .find(|(_, known)| known.eq_ignore_ascii_case(name))
                .map(|(scope, _)| scopes | *scope)
                .ok_or_else(|| UnknownScope(name.to_owned()))
        })
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (scope, name) in NAMES {
            if self.contains(scope) {
                write!(formatter, "{separator}{name}")?;
                separator = ",";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_survives_text_and_bits() {
        for bits in 0..16 {
            let scopes = Scopes::from_bits(bits).unwrap();
            assert_eq!(scopes.to_string().parse::<Scopes>().unwrap(), scopes);
            assert_eq!(i64::from(scopes.bits()), bits);
        }
        assert_eq!(Scopes::from_bits(16), None);
        assert_eq!(Scopes::from_bits(-1), None);
        assert_eq!((Scopes::READ | Scopes::TRADE).to_string(), "READ,TRADE");
        assert_eq!(" trade , Read ".parse::<Scopes>().unwrap(), Scopes::READ | Scopes::TRADE);
        assert!("READ,ADMIN".parse::<Scopes>().unwrap_err().to_string().contains("ADMIN"));
    }

    #[test]
    fn a_set_contains_its_parts_only() {
        let both = Scopes::READ | Scopes::TRADE;
        assert!(both.contains(Scopes::READ) && both.contains(both) && both.contains(Scopes::NONE));
        assert!(!both.contains(Scopes::WITHDRAW) && !both.contains(Scopes::ALL));
        assert!(!Scopes::READ.contains(both));
    }
}
