//! The views behind the real engine, with orders that are not plain: triggers, icebergs, pegs, lists,
//! sessions, auctions, halts. What an owner is told and shown is what the ledger and the books have.

use super::engine::{AccountClient, BookClient, Exchange};
use crate::views::{OrderStatus, Pace, Stream, TimeUnit, sample::BTCUSDT};
use proptest::prelude::*;
use protocol::{
    AccountId, AssetId, InstrumentStatus, OrderId, OrderTerms, OrderType, Price, Quantity,
    SelfTradePrevention, Side, SourceId, TimeInForce,
    command::{
        AmendOrder, CancelIds, CancelOrder, ChangeInstrument, CloseSession, Command, ListedOrder, PlaceOrder,
        PlaceOrderList, SetBreaker, SetCancelTimer, SetKillSwitch, change, sample,
    },
    order::CancelRestriction,
    terms::{Breaker, Contingency, KillSwitch, OrderPhase, PegPrice},
};

const SECOND: u64 = 1_000_000_000;

/// Numbers, made into a command when the accounts are known.
#[derive(Clone, Copy, Debug)]
struct Step {
    kind: u8,
    account: usize,
    sell: bool,
    price: u32,
    quantity: u64,
    option: u8,
    target: u64,
}

fn step() -> impl Strategy<Value = Step> {
    (0_u8..100, 0_usize..3, any::<bool>(), 95_u32..106, 1_u64..50, any::<u8>(), 0_u64..24).prop_map(
        |(kind, account, sell, price, quantity, option, target)| Step {
            kind,
            account,
            sell,
            price,
            quantity,
            option,
            target,
        },
    )
}

impl Step {
    fn order(self, account: AccountId) -> PlaceOrder {
        let modes =
            [SelfTradePrevention::None, SelfTradePrevention::Decrement, SelfTradePrevention::ExpireTaker];
        PlaceOrder {
            account,
            side: if self.sell { Side::Sell } else { Side::Buy },
            self_trade_prevention: modes[usize::from(self.option) % 3],
            price: Price(self.price),
            quantity: Quantity(self.quantity),
            ..sample::limit_order()
        }
    }

    /// An order that waits for a trigger, somewhere on either side of the price.
    fn stop(self, account: AccountId) -> (PlaceOrder, OrderTerms) {
        let types = [
            OrderType::StopLoss,
            OrderType::StopLossLimit,
            OrderType::TakeProfit,
            OrderType::TakeProfitLimit,
        ];
        let order_type = types[usize::from(self.option / 3) % 4];
        let price = if order_type.is_market() { Price(0) } else { Price(self.price) };
        let time_in_force =
            if order_type.is_market() { TimeInForce::ImmediateOrCancel } else { TimeInForce::GoodTillCancel };
        let stop_price = Price(93 + (u32::from(self.option) + self.price) % 15);
        let trailing_delta = if self.target.is_multiple_of(4) { 100 + u32::from(self.option) } else { 0 };
        let stop_price = if self.target == 8 { Price(0) } else { stop_price };
        (
            PlaceOrder { order_type, price, time_in_force, ..self.order(account) },
            OrderTerms { stop_price, trailing_delta, ..OrderTerms::NONE },
        )
    }

    /// A pair of which one cancels the other, more often well formed than not.
    fn pair(self, account: AccountId) -> [ListedOrder; 2] {
        let (above, below) = (Price(102 + self.price % 4), Price(94 + self.price % 5));
        let (gain, stop_price) = if self.sell { (above, below) } else { (below, above) };
        let listed = |order, terms| ListedOrder { order, client_order_id: None, terms };
        let maker = PlaceOrder { order_type: OrderType::LimitMaker, price: gain, ..self.order(account) };
        let stop =
            PlaceOrder { order_type: OrderType::StopLossLimit, price: stop_price, ..self.order(account) };
        let stop = listed(stop, Some(OrderTerms { stop_price, ..OrderTerms::NONE }));
        if self.sell { [listed(maker, None), stop] } else { [stop, listed(maker, None)] }
    }

    fn list(self, account: AccountId) -> Command {
        let listed = |order, terms| ListedOrder { order, client_order_id: None, terms };
        let opposite = PlaceOrder { side: self.order(account).side.opposite(), ..self.order(account) };
        let (contingency, orders) = match self.option % 3 {
            0 => (Contingency::OneCancelsOther, self.pair(account).to_vec()),
            1 => {
                let (pending, terms) = self.stop(account);
                let pending = if self.target.is_multiple_of(2) {
                    listed(pending, Some(terms))
                } else {
                    listed(self.order(account), None)
                };
                (Contingency::OneTriggersOther, vec![listed(opposite, None), pending])
            }
            _ => {
                let [above, below] = self.pair(account);
                (Contingency::OneTriggersOneCancelsOther, vec![listed(opposite, None), above, below])
            }
        };
        let list = PlaceOrderList { account, instrument: BTCUSDT, contingency, ids: 0 };
        Command::PlaceOrderList { list, client_order_id: None, orders }
    }

    fn command(self, exchange: &Exchange, newest: u64) -> Option<Command> {
        let account = exchange.accounts[self.account];
        let place = |order, terms| Command::PlaceOrder { order, client_order_id: None, terms };
        let asks = |terms| Some(OrderTerms { session: self.target % 3, ..terms });
        let order_id = OrderId(newest.saturating_sub(self.target));
        let set_status = |status, parts| {
            let definition = protocol::Instrument { id: BTCUSDT, status, ..sample::instrument() };
            let parts = change::STATUS | parts;
            Command::ChangeInstrument(ChangeInstrument {
                instrument: BTCUSDT,
                parts,
                reserved: [0; 5],
                definition,
            })
        };
        Some(match self.kind {
            0..25 => place(self.order(account), None),
            25..30 => place(
                PlaceOrder { time_in_force: TimeInForce::ImmediateOrCancel, ..self.order(account) },
                None,
            ),
            30..42 => {
                let (order, terms) = self.stop(account);
                place(order, asks(terms))
            }
            42..52 => {
                let visible_quantity = Quantity(1 + self.target % 8);
                place(self.order(account), asks(OrderTerms { visible_quantity, ..OrderTerms::NONE }))
            }
            52..55 => {
                let peg = if self.option.is_multiple_of(2) { PegPrice::Primary } else { PegPrice::Market };
                let terms = OrderTerms { peg, peg_offset: self.option % 3, ..OrderTerms::NONE };
                place(PlaceOrder { price: Price(0), ..self.order(account) }, asks(terms))
            }
            55..70 => self.list(account),
            70..78 => {
                let restriction = CancelRestriction::None;
                let cancel = CancelOrder { account, instrument: BTCUSDT, restriction, ids: 0, order_id };
                Command::CancelOrder { cancel, ids: CancelIds::default() }
            }
            78..84 => {
                let new_quantity = Quantity(1 + self.quantity / 2);
                let amend =
                    AmendOrder { account, instrument: BTCUSDT, ids: 0, reserved: 0, order_id, new_quantity };
                Command::AmendOrder { amend, ids: CancelIds::default() }
            }
            84 => set_status(InstrumentStatus::PreOpen, 0),
            85..88 => set_status(InstrumentStatus::Trading, change::AUCTION),
            88 => Command::CloseSession(CloseSession {
                source: SourceId(1),
                reserved: 0,
                session: self.target % 3,
            }),
            89 => Command::SetKillSwitch(SetKillSwitch { account, switch: KillSwitch::On, reserved: [0; 3] }),
            90..92 => {
                Command::SetKillSwitch(SetKillSwitch { account, switch: KillSwitch::Off, reserved: [0; 3] })
            }
            92 => {
                let timeout = self.target * SECOND;
                Command::SetCancelTimer(SetCancelTimer { account, reserved: 0, timeout })
            }
            93 => {
                let breaker = Breaker { band: 400, reserved: 0, window: 60 * SECOND, halt: 5 * SECOND };
                Command::SetBreaker(SetBreaker { instrument: BTCUSDT, reserved: [0; 6], breaker })
            }
            _ => return None,
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_special_orders_come_the_views_agree_with_the_engine(
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        let mut exchange = Exchange::new();
        let mut subscription = exchange.views.hub().connect(TimeUnit::Millisecond);
        subscription.subscribe(Stream::Depth(BTCUSDT, Pace::Fast), "btcusdt@depth@100ms").expect("room");
        let version = exchange.views.market(BTCUSDT).expect("a market").depth(1).last_update_id.0;
        let mut owners: Vec<_> =
            exchange.accounts.iter().map(|account| AccountClient::new(&exchange.views, *account)).collect();
        let mut client = BookClient::at(version);
        let mut newest = 0;
        for step in &steps {
            if let Some(command) = step.command(&exchange, newest) {
                exchange.apply(&command);
            } else {
                exchange.views.tick(exchange.engine.time());
                client.read(&mut subscription);
                client.agrees(&exchange.views);
            }
            prop_assert_eq!(exchange.views.audit(), Ok(()));
            for (owner, account) in owners.iter_mut().zip(&exchange.accounts) {
                owner.read();
                owner.agrees(&exchange.views, *account);
                newest = newest.max(owner.newest_order());
            }
        }
        exchange.views.tick(exchange.engine.time());
        client.read(&mut subscription);
        client.agrees(&exchange.views);
        for account in exchange.accounts.iter().copied().chain([AccountId::FEES]) {
            for asset in [AssetId(1), AssetId(2)] {
                let ledger = exchange.engine.ledger().balances.get(account, asset);
                let view = exchange.views.accounts().balance(account, asset);
                prop_assert_eq!((view.available, view.held), (ledger.available, ledger.held));
            }
            for order in exchange.views.accounts().open_orders(account, None) {
                prop_assert!(order.leaves.0 > 0);
                prop_assert_eq!(order.is_resting, order.phase == OrderPhase::Working);
                let expected = match order.phase {
                    OrderPhase::Pending => OrderStatus::PendingNew,
                    _ if order.executed.0 > 0 => OrderStatus::PartiallyFilled,
                    _ => OrderStatus::New,
                };
                prop_assert_eq!(order.status, expected);
            }
            for list in exchange.views.accounts().open_order_lists(account) {
                let open = |order_id: &OrderId| {
                    let order = exchange.views.accounts().order(account, *order_id);
                    order.is_some_and(|order| order.status.is_open() && order.list_id == list.list_id)
                };
                prop_assert!(list.orders().iter().any(open), "a list is open while an order of it is");
            }
        }
    }
}
