//! The past as it is shown: orders, trades and candles, derived from events in one way by every view
//! and database. Refuses to know where they are kept and who may see them.

mod interval;
mod market;
mod names;
mod order;
mod records;

pub use interval::{Interval, ZonedInterval};
pub use market::{AggregateTrade, Candle, PublicTrade};
pub use names::{
    is_made_list_id, order_named, shown_cancel_id, shown_client_order_id, shown_list_client_order_id,
};
pub use order::{Order, OrderStatus, Prevention, words};
pub use records::{Amendment, OrderList, OwnTrade, PreventedMatch};
