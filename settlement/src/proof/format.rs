//! The proof as files: what is published, and what each account's owner is given. Refuses to write them.

use super::{Leaf, ProofError, ProofTree};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// The format that this build writes and checks.
pub const FORMAT: &str = "rialto-proof-1";

/// What is published for a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedRoot {
    /// `rialto-proof-1`.
    pub format: String,
    /// The day it closes, such as `2026-11-21`.
    pub day: String,
    /// The last command in it.
    pub sequence: u64,
    /// The assets' names, in the order of every list of sums.
    pub assets: Vec<String>,
    /// How many decimals each asset's amounts have.
    pub scales: Vec<u8>,
    /// How many accounts were counted.
    pub accounts: u64,
    /// What they have together, by asset; ledger units as decimal digits.
    pub totals: Vec<String>,
    /// The root's hash, 64 hexadecimal digits.
    pub root: String,
}

/// A neighbour on the way to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// `left` or `right`: where the neighbour stands.
    pub side: String,
    /// Its hash.
    pub hash: String,
    /// Its sums, by asset.
    pub sums: Vec<String>,
}

/// One account's way to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountProof {
    /// Whose.
    pub account: u32,
    /// 64 hexadecimal digits; whoever has them can tell which leaf is the account's.
    pub nonce: String,
    /// What it has in all, by asset; ledger units as decimal digits.
    pub balances: Vec<String>,
    /// The neighbours, from the leaf on.
    pub path: Vec<Step>,
}

/// What an account's owner is given: all that a check needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofFile {
    /// As published; compare it with what others were shown.
    pub published: PublishedRoot,
    /// The account's way.
    pub proof: AccountProof,
}

fn digits(sums: &[u64]) -> Vec<String> {
    sums.iter().map(u64::to_string).collect()
}

impl ProofTree {
    /// What is published of it.
    pub fn published(
        &self,
        day: &str,
        sequence: u64,
        assets: &[(String, u8)],
        accounts: usize,
    ) -> PublishedRoot {
        PublishedRoot {
            format: FORMAT.to_owned(),
            day: day.to_owned(),
            sequence,
            assets: assets.iter().map(|(name, _)| name.clone()).collect(),
            scales: assets.iter().map(|(_, scale)| *scale).collect(),
            accounts: accounts as u64,
            totals: digits(self.totals()),
            root: HEXLOWER.encode(&self.root()),
        }
    }

    /// What the owner of a leaf is given; `place` is where the leaf stands among those the tree was made of.
    pub fn proof(&self, place: usize, leaf: &Leaf) -> AccountProof {
        let path = self.path(place).into_iter().map(|(hash, sums, is_right)| Step {
            side: if is_right { "right" } else { "left" }.to_owned(),
            hash: HEXLOWER.encode(&hash),
            sums: digits(&sums),
        });
        AccountProof {
            account: leaf.account,
            nonce: HEXLOWER.encode(&leaf.nonce),
            balances: leaf.balances.iter().map(i64::to_string).collect(),
            path: path.collect(),
        }
    }
}

/// 64 hexadecimal digits.
pub(crate) fn hash(text: &str, what: &'static str) -> Result<[u8; 32], ProofError> {
    let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| ProofError::Unreadable(what))?;
    bytes.try_into().map_err(|_| ProofError::Unreadable(what))
}

/// Sums as decimal digits.
pub(crate) fn sums(texts: &[String], what: &'static str) -> Result<Vec<u64>, ProofError> {
    texts
        .iter()
        .map(|text| {
            let number = text.parse::<u64>().map_err(|_| ProofError::Unreadable(what))?;
            // Each number has one text: `007` and `+7` are nobody's.
            if number.to_string() == *text { Ok(number) } else { Err(ProofError::Unreadable(what)) }
        })
        .collect()
}
