//! Hand-made events for the tests of the views. Refuses to know what is tested.

use super::{Bounds, Directory, Projection, Views};
use protocol::{
    AccountId, AssetId, ClientOrderId, InstrumentId, OrderId, OrderType, Price, Quantity,
    SelfTradePrevention, Sequence, Side, SourceId, SourceNumber, Time, TimeInForce, TradeId,
    command::{Command, CommandRecord, QuantityKind, sample as commands},
    event::{
        AccountOpened, AssetCreated, EventBuffer, EventKind, InstrumentCreated, NOT_ATTEMPTED, OrderAccepted,
        OrderClosed, OrderRested, Trade, Transferred,
    },
    instrument::Instrument,
    money::SUPPLY_MAX,
    order::CloseReason,
};
use services::EventConsumer as _;

/// The first customers.
pub(crate) const ALICE: AccountId = AccountId(3);
pub(crate) const BOB: AccountId = AccountId(4);
/// The external accounts of BTC and USDT.
const OUTSIDE: [AccountId; 2] = [AccountId(5), AccountId(6)];
/// The one instrument: BTCUSDT, price scale 2, quantity scale 5, assets of scale 8.
pub(crate) const BTCUSDT: InstrumentId = InstrumentId(1);
pub(crate) const MINUTE: u64 = 60_000_000_000;
/// When the sample begins: minute 10,000.
pub(crate) const START: Time = Time(10_000 * MINUTE);

/// Views, and a hand that writes the engine's events for them.
pub(crate) struct Exchange {
    pub(crate) views: Views,
    pub(crate) projection: Projection,
    buffer: EventBuffer,
    pub(crate) sequence: u64,
    pub(crate) now: Time,
    events: u64,
    orders: u64,
    trades: u64,
}

fn asset_created(id: u16, name: &str) -> AssetCreated {
    let external = OUTSIDE[usize::from(id) - 1];
    let name = commands::name(name);
    AssetCreated { asset: AssetId(id), scale: 8, reserved: 0, external, name, max_supply: SUPPLY_MAX }
}

fn instrument() -> Instrument {
    Instrument { id: BTCUSDT, ..commands::instrument() }
}

/// The directory of [`Exchange::new`].
pub(crate) fn directory() -> Directory {
    let mut directory = Directory::default();
    directory.add_asset(&asset_created(1, "BTC"));
    directory.add_asset(&asset_created(2, "USDT"));
    directory.set_instrument(instrument());
    directory
}

impl Exchange {
    /// An exchange with Alice and Bob, each with 1,000,000 of both assets.
    pub(crate) fn new(bounds: Bounds) -> Self {
        let (views, projection) = Views::new(bounds);
        let buffer = EventBuffer::growing();
        let mut exchange =
            Self { views, projection, buffer, sequence: 0, now: START, events: 0, orders: 0, trades: 0 };
        exchange.command(|events| {
            events.push(EventKind::AssetCreated, &asset_created(1, "BTC"));
            events.push(EventKind::AssetCreated, &asset_created(2, "USDT"));
            events.push(EventKind::InstrumentCreated, &InstrumentCreated { instrument: instrument() });
            for account in [ALICE, BOB] {
                let opened = AccountOpened { account, trade_group: 7, fee_tier: 0, reserved: [0; 7] };
                events.push(EventKind::AccountOpened, &opened);
            }
        });
        for account in [ALICE, BOB] {
            for asset in 1..=2 {
                exchange.transfer(account, asset, 100_000_000_000_000);
            }
        }
        exchange
    }

    /// The same, open for trading.
    pub(crate) fn open() -> Self {
        let mut exchange = Self::new(Bounds::default());
        exchange.projection.live();
        exchange
    }

    /// One command's events, given to the projection.
    pub(crate) fn command(&mut self, write: impl FnOnce(&mut EventBuffer)) {
        let bytes = Command::Tick.encode(SourceId(1), SourceNumber(1), 0);
        let record = CommandRecord::parse(&bytes).expect("a record");
        self.sequence += 1;
        self.buffer.begin(record.header, Sequence(self.sequence), self.now, self.events);
        write(&mut self.buffer);
        self.events = self.buffer.finish(0, NOT_ATTEMPTED, 0);
        self.projection.consume(self.buffer.bytes());
        self.buffer.clear();
    }

    /// The number that the next event will have.
    pub(crate) const fn next_event(&self) -> u64 {
        self.events
    }

    pub(crate) fn next_order(&mut self) -> OrderId {
        self.orders += 1;
        OrderId(self.orders)
    }

    /// Money comes from outside.
    pub(crate) fn transfer(&mut self, to: AccountId, asset: u16, amount: i64) {
        let account = OUTSIDE[usize::from(asset) - 1];
        let asset = AssetId(asset);
        let moved = Transferred { account, to, asset, reserved: [0; 6], amount, reference: [0; 2] };
        self.command(|events| events.push(EventKind::Transferred, &moved));
    }

    /// A limit order that rests whole.
    pub(crate) fn rest(
        &mut self,
        account: AccountId,
        side: Side,
        price: u32,
        quantity: u64,
        name: Option<&str>,
    ) -> OrderAccepted {
        let order_id = self.next_order();
        let accepted = OrderAccepted { rests: 1, ..accepted(order_id, account, side, price, quantity) };
        let name = name.map(commands::client_order_id);
        self.command(|events| events.push_with_id(EventKind::OrderAccepted, &accepted, 1, name.as_ref()));
        accepted
    }

    /// A trade event between a resting order and one that came, without fees.
    pub(crate) fn trade_event(
        &mut self,
        maker: &OrderAccepted,
        taker: &OrderAccepted,
        quantity: u64,
        maker_filled: bool,
    ) -> Trade {
        self.trades += 1;
        Trade {
            trade_id: TradeId(self.trades),
            aggregate_id: self.trades,
            maker_order_id: maker.order_id,
            taker_order_id: taker.order_id,
            maker_account: maker.account,
            taker_account: taker.account,
            price: maker.price,
            instrument: BTCUSDT,
            taker_side: taker.side,
            maker_filled: u8::from(maker_filled),
            quantity: Quantity(quantity),
            maker_fee: 0,
            taker_fee: 0,
        }
    }

    /// An order comes and takes `quantity` of a resting one; what is left of it rests.
    pub(crate) fn take(
        &mut self,
        maker: &OrderAccepted,
        account: AccountId,
        quantity: u64,
        more: u64,
        filled: bool,
    ) {
        let order_id = self.next_order();
        let taker = accepted(order_id, account, maker.side.opposite(), maker.price.0, quantity + more);
        let trade = self.trade_event(maker, &taker, quantity, filled);
        self.command(|events| {
            events.push(EventKind::OrderAccepted, &taker);
            events.push(EventKind::Trade, &trade);
            if more > 0 {
                events.push(EventKind::OrderRested, &rested(&taker, more));
            }
        });
    }

    /// A resting order leaves with `leaves` left.
    pub(crate) fn close(&mut self, order: &OrderAccepted, leaves: u64, request: Option<&str>) {
        let closed = closed(order, leaves, CloseReason::Cancelled, true);
        let request = request.map(commands::client_order_id);
        self.command(|events| events.push_with_id(EventKind::OrderClosed, &closed, 2, request.as_ref()));
    }
}

/// A GTC limit order that comes and does not rest whole.
pub(crate) fn accepted(
    order_id: OrderId,
    account: AccountId,
    side: Side,
    price: u32,
    quantity: u64,
) -> OrderAccepted {
    OrderAccepted {
        order_id,
        account,
        price: Price(price),
        instrument: BTCUSDT,
        side,
        order_type: OrderType::Limit,
        time_in_force: TimeInForce::GoodTillCancel,
        self_trade_prevention: SelfTradePrevention::None,
        quantity_kind: QuantityKind::Base,
        rests: 0,
        quantity: Quantity(quantity),
        expires_at: Time::NEVER,
    }
}

pub(crate) fn rested(order: &OrderAccepted, leaves: u64) -> OrderRested {
    OrderRested {
        order_id: order.order_id,
        account: order.account,
        price: order.price,
        leaves: Quantity(leaves),
        instrument: BTCUSDT,
        side: order.side,
        reserved: [0; 5],
    }
}

pub(crate) fn closed(order: &OrderAccepted, leaves: u64, reason: CloseReason, rested: bool) -> OrderClosed {
    OrderClosed {
        order_id: order.order_id,
        account: order.account,
        price: order.price,
        leaves: Quantity(leaves),
        instrument: BTCUSDT,
        side: order.side,
        reason,
        rested: u8::from(rested),
        reserved: [0; 3],
    }
}

/// A client order id known to be well formed.
pub(crate) fn name(text: &str) -> ClientOrderId {
    commands::client_order_id(text)
}
