//! The tree: made from all leaves, gives its root and each leaf's path. Refuses to know where leaves come
//! from.

use super::{Hash, Node, ProofError, SUM_MAX, account_hash, leaf, nothing, parent};

/// An account's leaf, before it is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Whose.
    pub account: u32,
    /// Random, known to the account's owner alone.
    pub nonce: [u8; 32],
    /// What it has in all, available and held, by asset; ledger units.
    pub balances: Vec<i64>,
}

/// A tree over all accounts.
#[derive(Clone, Debug)]
pub struct ProofTree {
    /// Leaves first, the root last.
    rows: Vec<Vec<Node>>,
}

/// A neighbour on the way to the root: its hash, its sums, and whether it stands on the right.
pub(crate) type Neighbour = (Hash, Vec<u64>, bool);

impl ProofTree {
    /// The tree over `leaves`, each with `assets` balances.
    ///
    /// # Errors
    /// A leaf with another number of balances or a negative one, and a sum beyond 2^63.
    pub fn new(leaves: &[Leaf], assets: usize) -> Result<Self, ProofError> {
        let mut row = Vec::with_capacity(leaves.len());
        for given in leaves {
            if given.balances.len() != assets {
                return Err(ProofError::Assets { expected: assets, found: given.balances.len() });
            }
            let sums = given.balances.iter().map(|balance| u64::try_from(*balance).ok());
            let sums: Option<Vec<u64>> = sums.collect();
            let sums = sums.ok_or(ProofError::Negative { account: given.account })?;
            row.push(leaf(account_hash(given.account, &given.nonce), sums));
        }
        if row.is_empty() {
            row.push(nothing(assets));
        }
        let mut rows = vec![row];
        while let Some(last) = rows.last().filter(|last| last.len() > 1) {
            let nothing = nothing(assets);
            let above: Option<Vec<Node>> =
                last.chunks(2).map(|pair| parent(&pair[0], pair.get(1).unwrap_or(&nothing))).collect();
            rows.push(above.ok_or(ProofError::Overflow { most: SUM_MAX })?);
        }
        Ok(Self { rows })
    }

    fn root_node(&self) -> &Node {
        // There is always a leaf, so there is always a root.
        &self.rows[self.rows.len() - 1][0]
    }

    /// The root's hash.
    pub fn root(&self) -> [u8; 32] {
        self.root_node().hash
    }

    /// What all leaves have together, by asset.
    pub fn totals(&self) -> &[u64] {
        &self.root_node().sums
    }

    /// The neighbours on the way from a leaf (by its place) to the root.
    pub(crate) fn path(&self, mut place: usize) -> Vec<Neighbour> {
        let mut path = Vec::with_capacity(self.rows.len());
        for row in &self.rows[..self.rows.len() - 1] {
            let neighbour = place ^ 1;
            let node = row.get(neighbour).cloned().unwrap_or_else(|| nothing(self.totals().len()));
            path.push((node.hash, node.sums, neighbour > place));
            place /= 2;
        }
        path
    }
}
