//! How much the views keep in memory. Older history belongs to the settlement room's database.
//! Refuses to know what is kept.

/// The most of each thing that is kept; the oldest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Closed orders of one account (about 300 bytes each).
    pub closed_orders_of_account: usize,
    /// Closed orders of all accounts together.
    pub closed_orders: usize,
    /// Own trades of one account (about 100 bytes each).
    pub own_trades_of_account: usize,
    /// Own trades of all accounts together.
    pub own_trades: usize,
    /// Prevented matches of one account, amendments and done order lists likewise.
    pub records_of_account: usize,
    /// Public trades of one instrument, and aggregate trades likewise.
    pub trades_of_instrument: usize,
    /// Candles with trades in them, of one instrument and interval. At least 10,082: tickers over up
    /// to seven days are made from those of one minute.
    pub candles: usize,
    /// Bytes waiting for one market-data connection before it is closed as too slow. Connections that
    /// wait for the same message share it: this is the most that one adds alone.
    pub market_queue_bytes: usize,
    /// Bytes waiting for one private subscription before it is closed as too slow.
    pub user_queue_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            closed_orders_of_account: 10_000,
            closed_orders: 1_000_000,
            own_trades_of_account: 10_000,
            own_trades: 1_000_000,
            records_of_account: 1_000,
            trades_of_instrument: 10_000,
            candles: 10_100,
            market_queue_bytes: 1 << 20,
            user_queue_bytes: 4 << 20,
        }
    }
}
