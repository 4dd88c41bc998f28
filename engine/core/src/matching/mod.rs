//! Orders: how they come in, trade, rest and leave. Refuses to know how books are kept and where
//! balances lie; it tells `books` and `ledger` what happens.

mod close;
mod fill;
mod limits;
mod place;
mod walk;

pub(crate) use place::close_taker;
pub(crate) use walk::Found;

use protocol::{
    AccountId, InstrumentId, OrderId, Price, Quantity, SelfTradePrevention, Side, command::QuantityKind,
};

/// The order that came, while it trades.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taker {
    pub(crate) order_id: OrderId,
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) self_trade_prevention: SelfTradePrevention,
    /// What `leaves` counts.
    pub(crate) kind: QuantityKind,
    /// What is left: quantity units, or ledger units of the quote asset.
    pub(crate) leaves: u64,
    /// What of it has traded, in quantity units.
    pub(crate) executed: u64,
    /// It trades at this price or better.
    pub(crate) limit: Price,
    /// An order by quote quantity trades in multiples of this.
    pub(crate) lot_size: Quantity,
    /// Ledger units of the quote asset for one quantity unit at price 1.
    pub(crate) quote_per_unit: i64,
}

impl Taker {
    /// Whether it may trade at `price`.
    #[inline]
    pub(crate) fn reaches(&self, price: Price) -> bool {
        self.side.pick(price <= self.limit, price >= self.limit)
    }

    /// How much of a resting order it takes; 0 when what is left is worth less than a lot.
    #[inline]
    pub(crate) fn wants(&self, price: Price, resting: Quantity) -> Quantity {
        match self.kind {
            QuantityKind::Base => Quantity(resting.0.min(self.leaves)),
            QuantityKind::Quote => {
                let unit_cost = u128::from(price.0) * self.quote_per_unit as u128;
                let affordable = (u128::from(self.leaves) / unit_cost) as u64;
                let whole_lots = affordable - affordable % self.lot_size.0;
                Quantity(resting.0.min(whole_lots))
            }
        }
    }

    /// Counts a fill, or a decrement, of `quantity` worth `notional`.
    #[inline]
    pub(crate) fn take(&mut self, quantity: Quantity, notional: i64) {
        self.leaves -= match self.kind {
            QuantityKind::Base => quantity.0,
            QuantityKind::Quote => notional as u64,
        };
    }
}
