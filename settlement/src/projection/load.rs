//! Brings the state back that rows follow from: reads what the books hold of it. Refuses to read closed
//! orders, trades and postings: nothing follows from them any more.

use super::{
    Candles, Listing, Projection, Tracked, directory::AccountState, market::LastCandles, money::BalanceState,
    orders::ListState,
};
use crate::{
    SettlementError,
    order_row::{self, name, number, out_of_range, word},
    prepared::Place,
};
use database::{Database, DatabaseError, Row, Value};
use protocol::{
    AccountId, AssetId, Instrument, InstrumentId, OrderId, OrderListId, Price, Sequence, Time, TradeId,
    history::Candle,
};

const POSITION: &str = "SELECT engine_id, epoch, sequence, time FROM position ORDER BY engine_id";
const INSTRUMENTS: &str = "SELECT definition, created_at FROM instruments ORDER BY instrument";
const ACCOUNTS: &str =
    "SELECT account, trade_group, fee_tier, suspended, kill_switch, opened_at, updated_at FROM accounts";
const BALANCES: &str = "SELECT account, asset, available, held, sequence, time FROM balances";
const ORDERS: &str = "SELECT * FROM orders WHERE status <= 2";
const LISTS: &str = "SELECT * FROM order_lists WHERE status < 2";
const CANDLE: &str = "SELECT open_time, end_time, open, high, low, close, volume, quote_volume, taker_volume, \
     taker_quote_volume, trades, first_trade, last_trade FROM candles \
     WHERE instrument = $1 AND interval_number = $2 ORDER BY open_time DESC LIMIT 1";

impl Projection {
    /// Of the books in `database`.
    pub(crate) async fn load(database: &Database) -> Result<Self, SettlementError> {
        let mut projection = Self::new();
        projection.place = position(database).await?;
        projection.taken = projection.place;
        for row in database.rows(INSTRUMENTS, &[]).await? {
            let instrument: Instrument = serde_json::from_str(&row.text("definition")?)
                .map_err(|error| DatabaseError::Column { column: "definition", reason: error.to_string() })?;
            projection.set_listing(Listing { instrument, created_at: time(&row, "created_at")? });
        }
        database.each_row(ACCOUNTS, &[], |row| projection.load_account(&row)).await?;
        database.each_row(BALANCES, &[], |row| projection.load_balance(&row)).await?;
        database.each_row(ORDERS, &[], |row| projection.load_order(&row)).await?;
        database.each_row(LISTS, &[], |row| projection.load_list(&row)).await?;
        let instruments: Vec<InstrumentId> =
            projection.listings.iter().flatten().map(|listing| listing.instrument.id).collect();
        for instrument in instruments {
            let mut last = LastCandles::default();
            for (number, candle) in (0..).zip(&mut last) {
                let values = [Value::Integer(instrument.0.into()), Value::Integer(number)];
                *candle = database.rows(CANDLE, &values).await?.first().map(read_candle).transpose()?;
            }
            projection.candles.insert(instrument, Candles::of(&last));
        }
        Ok(projection)
    }

    fn load_account(&mut self, row: &Row) -> Result<(), DatabaseError> {
        let state = AccountState {
            trade_group: number(row, "trade_group")?,
            fee_tier: number(row, "fee_tier")?,
            is_suspended: row.integer("suspended")? == 1,
            kill_switch: row.integer("kill_switch")? == 1,
            opened_at: time(row, "opened_at")?,
            updated_at: time(row, "updated_at")?,
            is_changed: false,
        };
        self.accounts.insert(AccountId(number(row, "account")?), state);
        Ok(())
    }

    fn load_balance(&mut self, row: &Row) -> Result<(), DatabaseError> {
        let key = (AccountId(number(row, "account")?), AssetId(number(row, "asset")?));
        let value = BalanceState {
            available: row.integer("available")?,
            held: row.integer("held")?,
            sequence: Sequence(number(row, "sequence")?),
            time: time(row, "time")?,
        };
        self.balances.insert(key, Tracked { value, changed: false });
        Ok(())
    }

    fn load_order(&mut self, row: &Row) -> Result<(), DatabaseError> {
        let value = order_row::read(row)?;
        self.orders.insert(value.order.order_id, Tracked { value, changed: false });
        Ok(())
    }

    fn load_list(&mut self, row: &Row) -> Result<(), DatabaseError> {
        let third = row.optional_integer("third_order")?.unwrap_or(0) as u64;
        let value = ListState {
            account: AccountId(number(row, "account")?),
            instrument: InstrumentId(number(row, "instrument")?),
            contingency: word(row, "contingency")?,
            status: word(row, "status")?,
            name: name(row, "client_order_id")?,
            orders: [
                OrderId(number(row, "first_order")?),
                OrderId(number(row, "second_order")?),
                OrderId(third),
            ],
            created_at: time(row, "created_at")?,
            updated_at: time(row, "updated_at")?,
            sequence: Sequence(number(row, "sequence")?),
        };
        self.lists.insert(OrderListId(number(row, "list_id")?), Tracked { value, changed: false });
        Ok(())
    }
}

/// Where the books are; `None` of empty ones.
pub(crate) async fn position(database: &Database) -> Result<Option<Place>, SettlementError> {
    let mut places = Vec::new();
    for row in database.rows(POSITION, &[]).await? {
        places.push(Place {
            engine_id: number(&row, "engine_id")?,
            epoch: number(&row, "epoch")?,
            sequence: Sequence(number(&row, "sequence")?),
            time: time(&row, "time")?,
        });
    }
    match places.as_slice() {
        [one, other, ..] => Err(SettlementError::TwoEngines(one.engine_id, other.engine_id)),
        one => Ok(one.first().copied()),
    }
}

pub(crate) fn read_candle(row: &Row) -> Result<Candle, DatabaseError> {
    let sum = |column| row.text(column)?.parse::<u128>().map_err(|_| out_of_range(column));
    Ok(Candle {
        open_time: time(row, "open_time")?,
        end_time: time(row, "end_time")?,
        open: Price(number(row, "open")?),
        high: Price(number(row, "high")?),
        low: Price(number(row, "low")?),
        close: Price(number(row, "close")?),
        volume: sum("volume")?,
        quote_volume: sum("quote_volume")?,
        taker_volume: sum("taker_volume")?,
        taker_quote_volume: sum("taker_quote_volume")?,
        trades: number(row, "trades")?,
        first_trade: TradeId(number(row, "first_trade")?),
        last_trade: TradeId(number(row, "last_trade")?),
    })
}

fn time(row: &Row, column: &'static str) -> Result<Time, DatabaseError> {
    Ok(Time(number(row, column)?))
}
