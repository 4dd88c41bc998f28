//! The instruments in a snapshot: definitions, fees, filters, counters, average prices. Refuses to
//! know their orders.

use super::{Reader, SnapshotError, Writer};
use crate::{average::Bucket, market::Market};
use protocol::{Price, Time};

pub(super) fn write(markets: &[Market], out: &mut Writer<'_>) {
    out.count(markets.len());
    for market in markets {
        out.plain(&market.instrument);
        out.plain(&market.fees);
        out.plain(&market.order_filters);
        out.numbers(&[market.trades, market.aggregates]);
        out.bool(market.left_crossed);
        let (last_price, minute_ends) = market.average.position();
        out.u32(last_price.0);
        out.u64(minute_ends.0);
        out.count(market.average.minutes().count());
        for bucket in market.average.minutes() {
            out.u64(bucket.minute);
            out.u128(bucket.notional);
            out.u128(bucket.quantity);
        }
    }
}

pub(super) fn read(input: &mut Reader<'_>) -> Result<Vec<Market>, SnapshotError> {
    input.part("instruments");
    let mut markets = Vec::new();
    for place in 1..=input.count()? {
        let mut market = Market::new(input.plain()?);
        input.check(usize::from(market.instrument.id.0) == place)?;
        market.fees = input.plain()?;
        market.order_filters = input.plain()?;
        market.counts_positions = market.order_filters.max_position.0 != 0;
        market.trades = input.u64()?;
        market.aggregates = input.u64()?;
        market.left_crossed = input.bool()?;
        let position = (Price(input.u32()?), Time(input.u64()?));
        let mut buckets = Vec::new();
        for _ in 0..input.count()? {
            buckets.push(Bucket { minute: input.u64()?, notional: input.u128()?, quantity: input.u128()? });
        }
        market.average.put_back(position, &buckets);
        markets.push(market);
    }
    Ok(markets)
}
