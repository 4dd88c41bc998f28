//! Trades and the candles they make, of every interval. Refuses to know who traded.

use super::{Moment, Projection};
use crate::{SettlementError, rows::Rows};
use protocol::{
    InstrumentId, OrderId, Quantity, Side,
    event::Trade,
    history::{Candle, Interval, PublicTrade},
    posting::order_hold,
};

/// The newest candle of each interval, by [`Interval::ALL`].
pub(super) type LastCandles = [Option<Candle>; Interval::ALL.len()];

/// The candles of one instrument that may still change.
#[derive(Debug, Default)]
pub(super) struct Candles {
    last: LastCandles,
    changed: bool,
}

impl Candles {
    /// Those that the books end with.
    pub(super) fn of(last: &LastCandles) -> Self {
        Self { last: *last, changed: false }
    }

    /// Takes in a trade; a candle that it ends becomes a row.
    fn add(&mut self, instrument: InstrumentId, trade: &PublicTrade, rows: &mut Rows) {
        for (number, (interval, last)) in (0..).zip(Interval::ALL.into_iter().zip(&mut self.last)) {
            match last {
                Some(last) if trade.time < last.end_time => {
                    last.merge(&Candle::of(trade, last.open_time, last.end_time));
                }
                _ => {
                    if let Some(ended) = last.as_ref().filter(|_| self.changed) {
                        add_row(rows, instrument, number, ended);
                    }
                    let open_time = interval.open(trade.time);
                    *last = Some(Candle::of(trade, open_time, interval.next(open_time)));
                }
            }
        }
        self.changed = true;
    }
}

impl Projection {
    pub(super) fn trade(
        &mut self,
        trade: &Trade,
        auction: bool,
        short_of_a_lot: bool,
        at: Moment,
    ) -> Result<(), SettlementError> {
        let Trade { price, quantity, taker_side, .. } = *trade;
        let Some(listing) = self.listing(trade.instrument) else {
            let what = format!("a trade in instrument {}, which is not in them", trade.instrument);
            return Err(Self::contradiction(at, what));
        };
        let instrument = &listing.instrument;
        let (_, quote) = order_hold(instrument, Side::Buy, price, quantity);
        let received = |side| match side {
            Side::Buy => instrument.base,
            Side::Sell => instrument.quote,
        };
        let (taker_asset, maker_asset) = (received(taker_side), received(taker_side.opposite()));
        self.tables
            .trades
            .add()
            .integer(trade.instrument.0.into())
            .integer(trade.trade_id.0 as i64)
            .integer(at.time.0 as i64)
            .integer(at.sequence.0 as i64)
            .integer(at.event_index.into())
            .integer(taker_side as i64)
            .integer(auction.into())
            .integer(trade.aggregate_id as i64)
            .integer(price.0.into())
            .integer(quantity.0 as i64)
            .integer(quote)
            .integer(trade.maker_order_id.0 as i64)
            .integer(trade.taker_order_id.0 as i64)
            .integer(trade.maker_account.0.into())
            .integer(trade.taker_account.0.into())
            .integer(trade.maker_fee)
            .integer(trade.taker_fee)
            .integer(maker_asset.0.into())
            .integer(taker_asset.0.into())
            .end();
        let public =
            PublicTrade { trade_id: trade.trade_id, price, quantity, quote, time: at.time, taker_side };
        let candles = self.candles.entry(trade.instrument).or_default();
        candles.add(trade.instrument, &public, &mut self.tables.candles);
        self.fill(trade.taker_order_id, quantity, quote, short_of_a_lot, at);
        self.fill(trade.maker_order_id, quantity, quote, false, at);
        Ok(())
    }

    fn fill(&mut self, order_id: OrderId, quantity: Quantity, quote: i64, ends: bool, at: Moment) {
        self.change_order(order_id, at, |order| order.trade(quantity, quote, ends, at.time));
    }

    /// Rows of the candles that changed and may change again.
    pub(super) fn take_candles(&mut self) {
        for (instrument, candles) in &mut self.candles {
            if !std::mem::take(&mut candles.changed) {
                continue;
            }
            for (number, candle) in (0..).zip(&candles.last) {
                if let Some(candle) = candle {
                    add_row(&mut self.tables.candles, *instrument, number, candle);
                }
            }
        }
    }
}

fn add_row(rows: &mut Rows, instrument: InstrumentId, interval_number: i64, candle: &Candle) {
    rows.add()
        .integer(instrument.0.into())
        .integer(interval_number)
        .integer(candle.open_time.0 as i64)
        .integer(candle.end_time.0 as i64)
        .integer(candle.open.0.into())
        .integer(candle.high.0.into())
        .integer(candle.low.0.into())
        .integer(candle.close.0.into())
        .text(candle.volume.to_string())
        .text(candle.quote_volume.to_string())
        .text(candle.taker_volume.to_string())
        .text(candle.taker_quote_volume.to_string())
        .integer(candle.trades as i64)
        .integer(candle.first_trade.0 as i64)
        .integer(candle.last_trade.0 as i64)
        .end();
}
