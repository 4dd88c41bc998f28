//! All statements by which history is read, for whoever asks a database how it means to answer them
//! (`EXPLAIN`). Refuses to know what they are for.

use super::{FIRST_FROM, LAST_UNTIL, lists, market, orders, own_trades, records};
use crate::statement;

/// Each with what it asks for. A name (`client_order_id`) is a text, every other value a whole number.
pub const HISTORY_STATEMENTS: &[(&str, &str)] = &[
    ("an order by its id", orders::BY_ID),
    ("an order by its name", orders::NAMED),
    ("the first order from a time", orders::FIRST_AT),
    ("the last order until a time", orders::LAST_AT),
    ("an account's orders in an instrument, the first", orders::FORWARD),
    ("an account's orders in an instrument, the last", orders::BACKWARD),
    ("an account's orders, the first", orders::FORWARD_ANYWHERE),
    ("an account's orders, the last", orders::BACKWARD_ANYWHERE),
    ("an account's trades as taker, the first", own_trades::TAKER[0]),
    ("an account's trades as taker, the last", own_trades::TAKER[1]),
    ("an order's trades as taker, the first", own_trades::TAKER[2]),
    ("an order's trades as taker, the last", own_trades::TAKER[3]),
    ("an account's trades as maker, the first", own_trades::MAKER[0]),
    ("an account's trades as maker, the last", own_trades::MAKER[1]),
    ("an order's trades as maker, the first", own_trades::MAKER[2]),
    ("an order's trades as maker, the last", own_trades::MAKER[3]),
    ("an order list by its id", lists::BY_ID),
    ("an order list by its name", lists::NAMED),
    ("an account's order lists, the first", lists::FORWARD),
    ("an account's order lists, the last", lists::BACKWARD),
    ("an account's prevented matches as taker", records::TAKER),
    ("an account's prevented matches as maker", records::MAKER),
    ("an order's amendments", records::AMENDMENTS),
    ("the first trade from a time", FIRST_FROM),
    ("the last trade until a time", LAST_UNTIL),
    ("trades, the first", market::TRADES_FORWARD),
    ("trades, the last", market::TRADES_BACKWARD),
    ("the aggregate of a trade", market::AGGREGATE_OF),
    ("aggregate trades, the first", market::AGGREGATES_FORWARD),
    ("aggregate trades, the last", market::AGGREGATES_BACKWARD),
    ("candles from a time", market::CANDLES),
    ("the candle before a time", market::CANDLE_BEFORE),
    ("a balance at a moment", statement::BEFORE),
    ("what moved a balance", statement::MOVEMENTS),
];
