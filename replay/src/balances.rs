//! Every balance at a sequence, in ledger units, for programs that compare. Refuses to format.

use crate::{ReplayError, Watch, begin::Begin, history::replay};
use protocol::{AccountId, AssetId, Sequence};
use std::path::Path;

/// An account's money in one asset, in ledger units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawBalance {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub asset: AssetId,
    /// May be spent.
    pub available: i64,
    /// Set aside.
    pub held: i64,
}

/// Every balance that is not nothing after `at` (the last command without one), and the command it is.
///
/// # Errors
/// When the journal cannot be read or ends before `at`.
pub fn balances(
    directory: &Path,
    at: Option<Sequence>,
    watch: Watch<'_>,
) -> Result<(Sequence, Vec<RawBalance>), ReplayError> {
    let engine = replay(directory, Begin::Nearest(at), at, watch, |_| Ok(()))?;
    let ledger = engine.ledger();
    let mut rows = Vec::new();
    for (account, _) in ledger.accounts.iter() {
        for (asset, _) in ledger.assets() {
            let balance = ledger.balances.get(account, asset);
            if balance.available != 0 || balance.held != 0 {
                let (available, held) = (balance.available, balance.held);
                rows.push(RawBalance { account, asset, available, held });
            }
        }
    }
    Ok((engine.sequence(), rows))
}
