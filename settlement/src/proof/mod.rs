//! A proof of liabilities: a Merkle tree whose nodes also sum what accounts have, so that every account's
//! owner can check that it was counted, and nobody can be left out or counted as less than nothing without
//! somebody seeing it. Pure: refuses to know databases and files. `docs/api/proof.md` has the format, for
//! whoever checks with a program of his own.

mod check;
mod format;
mod key;
mod tree;

pub use check::{ProofError, check};
pub use format::{AccountProof, ProofFile, PublishedRoot, Step};
pub use key::ProofKey;
pub use tree::{Leaf, ProofTree};

use sha2::{Digest as _, Sha256};

/// A node's hash.
pub(crate) type Hash = [u8; 32];

/// The most that a sum may be: what fits the ledger, twice over.
pub(crate) const SUM_MAX: u64 = 1 << 63;

/// What the hash of a leaf, of an inner node and of an account's id begin with: none is ever taken for
/// another.
const LEAF: &[u8] = b"rialto-proof-1 leaf\n";
const NODE: &[u8] = b"rialto-proof-1 node\n";
const ACCOUNT: &[u8] = b"rialto-proof-1 account\n";
/// What stands beside the last node of an odd row.
const NOTHING: &[u8] = b"rialto-proof-1 nothing\n";

/// A node of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) hash: Hash,
    /// By asset, in the order of the proof's assets; ledger units.
    pub(crate) sums: Vec<u64>,
}

/// The account's id as the tree knows it: nobody who does not have the nonce can tell whose it is.
pub(crate) fn account_hash(account: u32, nonce: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update(ACCOUNT);
    hash.update(account.to_be_bytes());
    hash.update(nonce);
    hash.finalize().into()
}

pub(crate) fn leaf(account_hash: Hash, sums: Vec<u64>) -> Node {
    let mut hash = Sha256::new();
    hash.update(LEAF);
    hash.update(account_hash);
    for sum in &sums {
        hash.update(sum.to_be_bytes());
    }
    Node { hash: hash.finalize().into(), sums }
}

/// The node over two; `None` when a sum passes [`SUM_MAX`].
pub(crate) fn parent(left: &Node, right: &Node) -> Option<Node> {
    let mut hash = Sha256::new();
    hash.update(NODE);
    for child in [left, right] {
        hash.update(child.hash);
        for sum in &child.sums {
            hash.update(sum.to_be_bytes());
        }
    }
    let sums = left
        .sums
        .iter()
        .zip(&right.sums)
        .map(|(left, right)| left.checked_add(*right).filter(|sum| *sum <= SUM_MAX));
    Some(Node { sums: sums.collect::<Option<_>>()?, hash: hash.finalize().into() })
}

/// The node that completes an odd row.
pub(crate) fn nothing(assets: usize) -> Node {
    Node { hash: Sha256::digest(NOTHING).into(), sums: vec![0; assets] }
}
