//! Whether the views agree with themselves: a check for tests and for operators on a quiet
//! exchange. Refuses to repair anything.

use super::{Shared, locks::read};
use protocol::{AssetId, InstrumentId, Price, Side, posting::order_hold};
use std::collections::BTreeMap;
use thiserror::Error;

/// Where the views contradict themselves. They are made from events: rebuild them by a restart,
/// and look for the event that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuditError {
    /// A level of the book is not the sum of the open orders there.
    #[error("instrument {instrument}, {side:?} at {price}: the book has {book}, its orders {orders}")]
    Book {
        /// Where.
        instrument: InstrumentId,
        /// Which side.
        side: Side,
        /// Which level.
        price: Price,
        /// Quantity units in the book.
        book: u64,
        /// Quantity units of open orders.
        orders: u64,
    },
    /// An asset's balances do not sum to zero.
    #[error("asset {asset}: all balances together are {sum} ledger units, not 0")]
    Sum {
        /// Which asset.
        asset: AssetId,
        /// The sum.
        sum: i128,
    },
    /// An account's orders hold more than is held.
    #[error("account {account}, asset {asset}: open orders hold {orders} ledger units of {held}")]
    Held {
        /// Whose.
        account: protocol::AccountId,
        /// Of what.
        asset: AssetId,
        /// What is held.
        held: i64,
        /// What its orders hold.
        orders: i128,
    },
}

/// See [`super::Views::audit`].
pub(super) fn audit(shared: &Shared) -> Result<(), AuditError> {
    let directory = shared.directory();
    let mut levels: BTreeMap<(InstrumentId, Side, Price), (u64, u64)> = BTreeMap::new();
    let mut sums: BTreeMap<AssetId, i128> = BTreeMap::new();
    let mut short = None;
    shared.accounts.each(|id, account| {
        let mut held: BTreeMap<AssetId, i128> = BTreeMap::new();
        for order in account.orders().open().filter(|order| order.holds()) {
            if order.is_resting {
                let level = levels.entry((order.instrument, order.side, order.price)).or_default();
                level.1 += order.shown().0;
            }
            if let Some(listing) = directory.listing(order.instrument) {
                let (price, leaves) = (order.hold_price, order.leaves);
                let (asset, amount) = order_hold(&listing.instrument, order.side, price, leaves);
                *held.entry(asset).or_default() += i128::from(amount);
            }
        }
        for list in account.lists.open() {
            *held.entry(list.hold_asset).or_default() += i128::from(list.hold);
        }
        for (asset, balance) in account.balances() {
            *sums.entry(*asset).or_default() += i128::from(balance.available) + i128::from(balance.held);
        }
        for (asset, orders) in held {
            let held = account.balance(asset).held;
            if orders > i128::from(held) {
                short = Some(AuditError::Held { account: id, asset, held, orders });
            }
        }
    });
    for market in read(&shared.markets).iter() {
        for side in [Side::Buy, Side::Sell] {
            for level in market.live().book.levels().best(side, usize::MAX) {
                levels.entry((market.instrument(), side, level.price)).or_default().0 = level.quantity.0;
            }
        }
    }
    for ((instrument, side, price), (book, orders)) in levels {
        if book != orders {
            return Err(AuditError::Book { instrument, side, price, book, orders });
        }
    }
    for (asset, sum) in sums {
        if sum != 0 {
            return Err(AuditError::Sum { asset, sum });
        }
    }
    short.map_or(Ok(()), Err)
}
