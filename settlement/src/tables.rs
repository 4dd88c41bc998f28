//! The tables that follow from events: their names, keys and columns, as `migrations/settlement` makes
//! them. What writes rows, reads them back and hashes them reads this list. Refuses to know what a row
//! says.

use database::Conflict;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    OptionalInteger,
    Text,
    OptionalText,
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Kind)],
    pub(crate) conflict: Conflict,
    /// All columns of all rows, in no order.
    pub(crate) select: &'static str,
    /// All rows go.
    pub(crate) clear: &'static str,
}

macro_rules! table {
    ($(#[$doc:meta])* $ident:ident, $name:literal, $conflict:expr,
     { $first:literal: $first_kind:ident $(, $column:literal: $kind:ident)* $(,)? }) => {
        $(#[$doc])*
        pub(crate) static $ident: Table = Table {
            name: $name,
            columns: &[($first, Kind::$first_kind) $(, ($column, Kind::$kind))*],
            conflict: $conflict,
            select: concat!("SELECT ", $first $(, ", ", $column)*, " FROM ", $name),
            clear: concat!("DELETE FROM ", $name),
        };
    };
}

/// The tables that follow from events; the position is apart.
pub(crate) static ALL: [&Table; 11] = [
    &ASSETS,
    &INSTRUMENTS,
    &ACCOUNTS,
    &BALANCES,
    &ORDERS,
    &ORDER_LISTS,
    &AMENDMENTS,
    &PREVENTED_MATCHES,
    &TRADES,
    &POSTINGS,
    &CANDLES,
];

table!(ASSETS, "assets", Conflict::Replace { key: &["asset"] }, {
    "asset": Integer,
    "name": Text,
    "scale": Integer,
    "external_account": Integer,
    "max_supply": Integer,
    "created_at": Integer,
});

table!(INSTRUMENTS, "instruments", Conflict::Replace { key: &["instrument"] }, {
    "instrument": Integer,
    "symbol": Text,
    "base": Integer,
    "quote": Integer,
    "price_scale": Integer,
    "quantity_scale": Integer,
    "quote_per_unit": Integer,
    "base_per_unit": Integer,
    "status": Integer,
    "definition": Text,
    "created_at": Integer,
    "updated_at": Integer,
});

table!(ACCOUNTS, "accounts", Conflict::Replace { key: &["account"] }, {
    "account": Integer,
    "trade_group": Integer,
    "fee_tier": Integer,
    "suspended": Integer,
    "kill_switch": Integer,
    "opened_at": Integer,
    "updated_at": Integer,
});

table!(BALANCES, "balances", Conflict::Replace { key: &["account", "asset"] }, {
    "account": Integer,
    "asset": Integer,
    "available": Integer,
    "held": Integer,
    "sequence": Integer,
    "time": Integer,
});

table!(ORDERS, "orders", Conflict::Replace { key: &["order_id"] }, {
    "order_id": Integer,
    "account": Integer,
    "instrument": Integer,
    "side": Integer,
    "order_type": Integer,
    "time_in_force": Integer,
    "self_trade_prevention": Integer,
    "quantity_kind": Integer,
    "status": Integer,
    "phase": Integer,
    "is_resting": Integer,
    "close_reason": OptionalInteger,
    "price": Integer,
    "hold_price": Integer,
    "quantity": Integer,
    "executed": Integer,
    "quote_executed": Integer,
    "leaves": Integer,
    "hidden": Integer,
    "prevented": Integer,
    "created_at": Integer,
    "updated_at": Integer,
    "working_at": OptionalInteger,
    "expires_at": OptionalInteger,
    "sequence": Integer,
    "updated_sequence": Integer,
    "client_order_id": OptionalText,
    "list_id": OptionalInteger,
    "stop_price": OptionalInteger,
    "trailing_delta": OptionalInteger,
    "trailing_since": OptionalInteger,
    "trigger_price": OptionalInteger,
    "visible_quantity": OptionalInteger,
    "session": OptionalInteger,
    "strategy_id": OptionalInteger,
    "strategy_type": OptionalInteger,
    "peg": OptionalInteger,
    "peg_offset": OptionalInteger,
    "prevented_match_id": OptionalInteger,
    "prevented_order_id": OptionalInteger,
    "prevented_quantity": OptionalInteger,
    "prevented_price": OptionalInteger,
});

table!(ORDER_LISTS, "order_lists", Conflict::Replace { key: &["list_id"] }, {
    "list_id": Integer,
    "account": Integer,
    "instrument": Integer,
    "contingency": Integer,
    "status": Integer,
    "client_order_id": OptionalText,
    "first_order": Integer,
    "second_order": Integer,
    "third_order": OptionalInteger,
    "created_at": Integer,
    "updated_at": Integer,
    "sequence": Integer,
});

table!(AMENDMENTS, "amendments", Conflict::Keep, {
    "order_id": Integer,
    "execution_id": Integer,
    "account": Integer,
    "instrument": Integer,
    "name_before": OptionalText,
    "name_after": OptionalText,
    "quantity_before": Integer,
    "quantity_after": Integer,
    "sequence": Integer,
    "event_index": Integer,
    "time": Integer,
});

table!(PREVENTED_MATCHES, "prevented_matches", Conflict::Keep, {
    "prevented_match_id": Integer,
    "instrument": Integer,
    "taker_order_id": Integer,
    "taker_account": Integer,
    "taker_side": Integer,
    "maker_order_id": Integer,
    "maker_account": Integer,
    "mode": Integer,
    "price": Integer,
    "quantity": Integer,
    "maker_decrement": Integer,
    "sequence": Integer,
    "event_index": Integer,
    "time": Integer,
});

table!(TRADES, "trades", Conflict::Keep, {
    "instrument": Integer,
    "trade_id": Integer,
    "time": Integer,
    "sequence": Integer,
    "event_index": Integer,
    "taker_side": Integer,
    "auction": Integer,
    "aggregate_id": Integer,
    "price": Integer,
    "quantity": Integer,
    "quote_quantity": Integer,
    "maker_order_id": Integer,
    "taker_order_id": Integer,
    "maker_account": Integer,
    "taker_account": Integer,
    "maker_fee": Integer,
    "taker_fee": Integer,
    "maker_fee_asset": Integer,
    "taker_fee_asset": Integer,
});

table!(POSTINGS, "postings", Conflict::Keep, {
    "account": Integer,
    "time": Integer,
    "sequence": Integer,
    "available": Integer,
    "held": Integer,
    "available_after": Integer,
    "held_after": Integer,
    "subject": Integer,
    "asset": Integer,
    "event_index": Integer,
    "instrument": OptionalInteger,
    "leg": Integer,
    "reason": Integer,
    "reference": OptionalText,
});

table!(CANDLES, "candles", Conflict::Replace { key: &["instrument", "interval_number", "open_time"] }, {
    "instrument": Integer,
    "interval_number": Integer,
    "open_time": Integer,
    "end_time": Integer,
    "open": Integer,
    "high": Integer,
    "low": Integer,
    "close": Integer,
    "volume": Text,
    "quote_volume": Text,
    "taker_volume": Text,
    "taker_quote_volume": Text,
    "trades": Integer,
    "first_trade": Integer,
    "last_trade": Integer,
});

#[cfg(test)]
mod tests {
    use super::*;
    use database::{Database, DatabaseLocation, TableGroup, Value};

    #[tokio::test]
    async fn every_column_of_every_table_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let location = DatabaseLocation::Sqlite(directory.path().join("settlement.sqlite"));
        let database = Database::open(&location, TableGroup::Settlement).await.unwrap();
        for table in ALL {
            let statement = "SELECT name, \"notnull\" AS required FROM pragma_table_info($1) ORDER BY cid";
            let rows = database.rows(statement, &[Value::Text(table.name)]).await.unwrap();
            let made: Vec<(String, bool)> = rows
                .iter()
                .map(|row| (row.text("name").unwrap(), row.integer("required").unwrap() == 1))
                .collect();
            let written: Vec<(String, bool)> = table
                .columns
                .iter()
                .map(|(name, kind)| ((*name).to_owned(), matches!(kind, Kind::Integer | Kind::Text)))
                .collect();
            assert_eq!(written, made, "{}", table.name);
        }
    }
}
