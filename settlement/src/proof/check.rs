//! Checking an account's proof with nothing but the file. Refuses to believe anything in it but the
//! published root, which its reader compares with what others were shown.

use super::{
    Node, ProofFile, SUM_MAX, account_hash,
    format::{FORMAT, hash, sums},
    leaf, parent,
};
use thiserror::Error;

/// Why a proof cannot be made, or proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// Of another format.
    #[error("the proof is of format {0}, and this program checks {FORMAT}")]
    Format(String),
    /// Not what the format says.
    #[error("the proof's {0} cannot be read")]
    Unreadable(&'static str),
    /// Not one number for each asset.
    #[error("the proof is about {expected} assets, and a list of sums has {found}")]
    Assets {
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// An account has less than nothing.
    #[error("account {account} has less than nothing: nothing can be proved over such books")]
    Negative {
        /// Whose.
        account: u32,
    },
    /// A sum that no ledger can have.
    #[error("a sum passes {most} ledger units")]
    Overflow {
        /// The most there may be.
        most: u64,
    },
    /// The way does not lead to the published root.
    #[error("the way from the account leads to another root: its balances are not in what was published")]
    OtherRoot,
    /// It leads to the root, but not with the published totals.
    #[error("the way from the account leads to other totals than those that were published")]
    OtherTotals,
}

/// Checks that an account's balances are part of what was published.
///
/// # Errors
/// When they are not, and when the file cannot be read.
pub fn check(file: &ProofFile) -> Result<(), ProofError> {
    let ProofFile { published, proof } = file;
    if published.format != FORMAT {
        return Err(ProofError::Format(published.format.clone()));
    }
    let assets = published.assets.len();
    let counted = |sums: Vec<u64>| {
        if sums.len() != assets {
            return Err(ProofError::Assets { expected: assets, found: sums.len() });
        }
        if sums.iter().any(|sum| *sum > SUM_MAX) {
            return Err(ProofError::Overflow { most: SUM_MAX });
        }
        Ok(sums)
    };
    if published.scales.len() != assets {
        return Err(ProofError::Assets { expected: assets, found: published.scales.len() });
    }
    let nonce = hash(&proof.nonce, "nonce")?;
    let balances = counted(sums(&proof.balances, "balances")?)?;
    let mut node = leaf(account_hash(proof.account, &nonce), balances);
    for step in &proof.path {
        let neighbour =
            Node { hash: hash(&step.hash, "neighbour's hash")?, sums: counted(sums(&step.sums, "sums")?)? };
        let above = match step.side.as_str() {
            "left" => parent(&neighbour, &node),
            "right" => parent(&node, &neighbour),
            _ => return Err(ProofError::Unreadable("side")),
        };
        node = above.ok_or(ProofError::Overflow { most: SUM_MAX })?;
    }
    if node.hash != hash(&published.root, "root")? {
        return Err(ProofError::OtherRoot);
    }
    if node.sums != counted(sums(&published.totals, "totals")?)? {
        return Err(ProofError::OtherTotals);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::{Leaf, ProofTree};
    use proptest::prelude::*;

    fn files(leaves: &[Leaf], assets: usize) -> Vec<ProofFile> {
        let tree = ProofTree::new(leaves, assets).expect("sums that fit");
        let names: Vec<_> = (0..assets).map(|asset| (format!("A{asset}"), 8)).collect();
        let published = tree.published("2026-11-21", 7, &names, leaves.len());
        let proof =
            |(place, leaf)| ProofFile { published: published.clone(), proof: tree.proof(place, leaf) };
        leaves.iter().enumerate().map(proof).collect()
    }

    fn leaves() -> impl Strategy<Value = Vec<Leaf>> {
        let balances = proptest::collection::vec(0..1_i64 << 50, 3);
        let leaf = (any::<u32>(), any::<[u8; 32]>(), balances);
        let leaf = leaf.prop_map(|(account, nonce, balances)| Leaf { account, nonce, balances });
        proptest::collection::vec(leaf, 1..20)
    }

    proptest! {
        #[test]
        fn every_account_is_proved_and_a_changed_leaf_is_not(
            leaves in leaves(),
            which in any::<prop::sample::Index>(),
            asset in 0_usize..3,
            by in 1_i64..1_000,
        ) {
            let proved = files(&leaves, 3);
            for file in &proved {
                prop_assert_eq!(check(file), Ok(()));
            }
            let totals: Vec<i64> =
                (0..3).map(|asset| leaves.iter().map(|leaf| leaf.balances[asset]).sum()).collect();
            let shown: Vec<i64> =
                proved[0].published.totals.iter().map(|total| total.parse().expect("digits")).collect();
            prop_assert_eq!(totals, shown);
            // Told otherwise to its owner than it was counted.
            let place = which.index(leaves.len());
            let mut other = proved[place].clone();
            other.proof.balances[asset] = (leaves[place].balances[asset] + by).to_string();
            prop_assert_eq!(check(&other), Err(ProofError::OtherRoot));
            // Counted as less than it is: its owner's true leaf is in no such tree.
            let mut less = leaves.clone();
            less[place].balances[asset] += by;
            let cheated = &files(&less, 3)[place];
            let mut told = cheated.clone();
            told.proof.balances[asset] = leaves[place].balances[asset].to_string();
            prop_assert_eq!(check(&told), Err(ProofError::OtherRoot));
            // Left out: no way of another leaf leads there.
            let mut without = leaves.clone();
            without.remove(place);
            for file in files(&without, 3) {
                let mut lent = file.clone();
                lent.proof.account = leaves[place].account;
                lent.proof.nonce.clone_from(&proved[place].proof.nonce);
                lent.proof.balances.clone_from(&proved[place].proof.balances);
                let same = file.proof.account == leaves[place].account
                    && file.proof.nonce == proved[place].proof.nonce
                    && file.proof.balances == proved[place].proof.balances;
                prop_assert_eq!(check(&lent).is_ok(), same);
            }
        }

        #[test]
        fn totals_and_ways_that_are_not_the_trees_are_refused(
            leaves in leaves(),
            which in any::<prop::sample::Index>(),
            asset in 0_usize..3,
            flip in 0_usize..64,
        ) {
            let file = which.get(&files(&leaves, 3)).clone();
            let mut other = file.clone();
            other.published.totals[asset] =
                (other.published.totals[asset].parse::<u64>().expect("digits") + 1).to_string();
            prop_assert_eq!(check(&other), Err(ProofError::OtherTotals));
            if !file.proof.path.is_empty() {
                let step = flip % file.proof.path.len();
                let mut other = file.clone();
                other.proof.path[step].sums[asset] =
                    (other.proof.path[step].sums[asset].parse::<u64>().expect("digits") + 1).to_string();
                prop_assert_eq!(check(&other), Err(ProofError::OtherRoot));
                let mut other = file.clone();
                let side = &mut other.proof.path[step].side;
                *side = if side == "left" { "right" } else { "left" }.to_owned();
                prop_assert_eq!(check(&other), Err(ProofError::OtherRoot));
                let mut other = file.clone();
                other.proof.path.remove(step);
                prop_assert_eq!(check(&other), Err(ProofError::OtherRoot));
            }
            let mut other = file;
            let digit = if other.proof.nonce.as_bytes()[flip] == b'0' { "1" } else { "0" };
            other.proof.nonce.replace_range(flip..=flip, digit);
            prop_assert_eq!(check(&other), Err(ProofError::OtherRoot));
        }
    }

    #[test]
    fn a_negative_leaf_and_a_sum_too_large_are_refused() {
        let leaf = |account, balance| Leaf { account, nonce: [7; 32], balances: vec![balance] };
        let negative = ProofTree::new(&[leaf(3, 5), leaf(4, -1)], 1);
        assert_eq!(negative.err(), Some(ProofError::Negative { account: 4 }));
        let large = ProofTree::new(&[leaf(3, i64::MAX), leaf(4, 2)], 1);
        assert_eq!(large.err(), Some(ProofError::Overflow { most: SUM_MAX }));
        let short = ProofTree::new(&[leaf(3, 1)], 2);
        assert_eq!(short.err(), Some(ProofError::Assets { expected: 2, found: 1 }));
        // A neighbour that is less than nothing cannot be written, and one that wraps is refused.
        let mut file = files(&[leaf(3, 5), leaf(4, 6)], 1).remove(0);
        for (sum, error) in [
            ("-1", ProofError::Unreadable("sums")),
            ("06", ProofError::Unreadable("sums")),
            ("+6", ProofError::Unreadable("sums")),
            ("18446744073709551615", ProofError::Overflow { most: SUM_MAX }),
            ("9223372036854775808", ProofError::Overflow { most: SUM_MAX }),
        ] {
            file.proof.path[0].sums[0] = sum.to_owned();
            assert_eq!(check(&file), Err(error), "{sum}");
        }
    }

    #[test]
    fn nobody_is_proved_by_an_empty_tree() {
        let tree = ProofTree::new(&[], 2).expect("a tree");
        assert_eq!(tree.totals(), [0, 0]);
    }
}
