//! The views behind the real engine: whatever orders come, the book is the sum of open orders, the
//! difference stream leads to it without a gap, balances are the ledger's, and an account's own
//! stream tells all of it.

use crate::views::{
    Bounds, OrderStatus, Projection, Stream, Subscription, TimeUnit, UserSubscription, Views, sample::BTCUSDT,
};
use engine_core::Engine;
use proptest::prelude::*;
use protocol::{
    AccountId, AssetId, FeeRate, InstrumentId, OrderId, OrderType, Price, Quantity, SelfTradePrevention,
    Sequence, Side, SourceId, SourceNumber, Time, TimeInForce,
    command::{
        AmendOrder, CancelAll, CancelIds, CancelOrder, Command, CommandRecord, CreateInstrument,
        LedgerOperation, OpenAccount, PlaceOrder, QuantityKind, sample,
    },
    decimal::parse_units,
    event::EventBuffer,
    instrument::FeeRates,
    order::{CancelRestriction, CloseReason},
    reject::Outcome,
};
use serde_json::Value;
use services::EventConsumer as _;
use std::collections::BTreeMap;

const ACCOUNTS: u32 = 3;

/// An engine whose events go to views.
pub(crate) struct Exchange {
    pub(crate) engine: Engine,
    buffer: EventBuffer,
    pub(crate) views: Views,
    projection: Projection,
    number: u64,
    /// Every command's events.
    pub(crate) log: Vec<Vec<u8>>,
    pub(crate) accounts: Vec<AccountId>,
}

impl Exchange {
    pub(crate) fn new() -> Self {
        let (views, projection) = Views::new(Bounds::default());
        let (engine, buffer) = (Engine::new(1), EventBuffer::growing());
        let mut exchange =
            Self { engine, buffer, views, projection, number: 0, log: Vec::new(), accounts: Vec::new() };
        exchange.done(&Command::CreateAsset(sample::asset("BTC")));
        exchange.done(&Command::CreateAsset(sample::asset("USDT")));
        let mut instrument = sample::instrument();
        instrument.fees = FeeRates { maker: FeeRate(-50_000), taker: FeeRate(100_000) };
        exchange.done(&Command::CreateInstrument(CreateInstrument { instrument }));
        for index in 0..ACCOUNTS {
            // The first two are one party for self-trade prevention.
            let open = OpenAccount { trade_group: u32::from(index < 2), fee_tier: 0, reserved: [0; 3] };
            exchange.done(&Command::OpenAccount(open));
        }
        let externals: Vec<_> =
            exchange.views.directory().assets().iter().map(|asset| (asset.id, asset.external)).collect();
        let mut opened = Vec::new();
        for id in 1..20 {
            opened.extend(exchange.views.accounts().summary(AccountId(id)).map(|found| found.account));
        }
        for account in &opened {
            for (asset, external) in &externals {
                let transfer = LedgerOperation::transfer(*external, *account, *asset, 1_000_000_000);
                exchange.done(&Command::Ledger(transfer));
            }
        }
        exchange.accounts = opened;
        exchange.projection.live();
        exchange
    }

    pub(crate) fn apply(&mut self, command: &Command) -> Outcome {
        self.number += 1;
        let bytes = command.encode(SourceId(1), SourceNumber(self.number), 0);
        let record = CommandRecord::parse(&bytes).expect("a record");
        let sequence = Sequence(self.number);
        let outcome =
            self.engine.apply(&record, Time(self.number / 2 * 1_000_000_000), sequence, &mut self.buffer);
        self.projection.consume(self.buffer.bytes());
        self.log.push(self.buffer.bytes().to_vec());
        self.buffer.clear();
        outcome
    }

    fn done(&mut self, command: &Command) {
        assert_eq!(self.apply(command), Outcome::Done, "{command:?}");
    }

    pub(crate) fn save(&self) -> Vec<u8> {
        self.projection.save().expect("views are saved")
    }

    /// The views are saved, and go on from that.
    pub(crate) fn restart(&mut self) {
        let saved = self.save();
        let (views, mut projection) = Views::restored(Bounds::default(), &saved).expect("what was saved");
        projection.live();
        (self.views, self.projection) = (views, projection);
    }
}

/// A client that keeps a book from the difference stream, as the dialect's rule is (§8).
#[derive(Default)]
pub(crate) struct BookClient {
    levels: BTreeMap<(bool, String), String>,
    version: u64,
}

impl BookClient {
    /// An empty book at a version.
    pub(crate) fn at(version: u64) -> Self {
        Self { version, ..Self::default() }
    }

    pub(crate) fn read(&mut self, subscription: &mut Subscription) {
        while let Some(message) = subscription.try_receive() {
            let update: Value = serde_json::from_str(message.json().as_str()).expect("JSON");
            assert_eq!(update["U"].as_u64(), Some(self.version + 1), "no gap and no overlap");
            self.version = update["u"].as_u64().expect("a number");
            for (key, is_bid) in [("b", true), ("a", false)] {
                for level in update[key].as_array().expect("levels") {
                    let text = |index: usize| level[index].as_str().expect("a text").to_owned();
                    if text(1) == "0.00000000" {
                        assert!(self.levels.remove(&(is_bid, text(0))).is_some(), "it was there");
                    } else {
                        self.levels.insert((is_bid, text(0)), text(1));
                    }
                }
            }
        }
    }

    pub(crate) fn agrees(&self, views: &Views) {
        let depth = views.market(BTCUSDT).expect("a market").depth(usize::MAX);
        let directory = views.directory();
        let listing = directory.listing(BTCUSDT).expect("an instrument");
        assert_eq!(depth.last_update_id.0, self.version);
        let sides = [(true, &depth.bids), (false, &depth.asks)];
        let levels = sides.into_iter().flat_map(|(is_bid, levels)| {
            levels.iter().map(move |level| {
                ((is_bid, listing.price_text(level.price)), listing.quantity_text(level.quantity))
            })
        });
        assert_eq!(levels.collect::<BTreeMap<_, _>>(), self.levels);
    }
}

/// A client that knows its account from its own stream alone.
pub(crate) struct AccountClient {
    subscription: UserSubscription,
    last_execution: u64,
    /// The last status and executed quantity of each order, and the sum of its fills.
    orders: BTreeMap<u64, (String, Quantity, Quantity)>,
    /// Free and locked, by asset.
    balances: BTreeMap<String, (String, String)>,
}

fn units(text: &Value, scale: u8) -> u64 {
    parse_units(text.as_str().expect("a text"), scale).expect("a number")
}

fn is_open(status: &str) -> bool {
    matches!(status, "PENDING_NEW" | "NEW" | "PARTIALLY_FILLED")
}

impl AccountClient {
    pub(crate) fn new(views: &Views, account: AccountId) -> Self {
        let subscription = views.user_feed().subscribe(account, TimeUnit::Millisecond);
        Self { subscription, last_execution: 0, orders: BTreeMap::new(), balances: BTreeMap::new() }
    }

    pub(crate) fn read(&mut self) {
        while let Some(text) = self.subscription.try_receive() {
            let event: Value = serde_json::from_str(&text).expect("JSON");
            match event["e"].as_str() {
                Some("executionReport") => self.report(&event),
                Some("outboundAccountPosition") => {
                    for balance in event["B"].as_array().expect("balances") {
                        let text = |key: &str| balance[key].as_str().expect("a text").to_owned();
                        self.balances.insert(text("a"), (text("f"), text("l")));
                    }
                }
                Some("listStatus") => {}
                _ => panic!("{text}"),
            }
        }
    }

    /// The id of the last order it was told of.
    pub(crate) fn newest_order(&self) -> u64 {
        self.orders.keys().last().copied().unwrap_or_default()
    }

    fn report(&mut self, report: &Value) {
        let execution = report["I"].as_u64().expect("a number");
        assert!(execution > self.last_execution, "in the order of events");
        self.last_execution = execution;
        let (order, kind) = (report["i"].as_u64().expect("a number"), report["x"].as_str());
        let status = report["X"].as_str().expect("a status").to_owned();
        let executed = Quantity(units(&report["z"], 5));
        let last = units(&report["l"], 5);
        if kind == Some("NEW") {
            // Told again of an order that waited, when its time has come.
            let known = self.orders.insert(order, (status, executed, executed));
            assert!(known.is_none_or(|known| is_open(&known.0) && known.1 == executed), "{report}");
            return;
        }
        let known = self.orders.get_mut(&order).expect("NEW comes first");
        assert!(is_open(&known.0), "nothing after its end");
        assert_eq!(last > 0, kind == Some("TRADE"));
        *known = (status, executed, Quantity(known.2.0 + last));
        assert_eq!(known.1, known.2, "fills add up");
    }

    pub(crate) fn agrees(&self, views: &Views, account: AccountId) {
        for (order_id, (status, executed, _)) in &self.orders {
            let order = views.accounts().order(account, OrderId(*order_id)).expect("it is kept");
            assert_eq!((order.status.text(), order.executed), (status.as_str(), *executed));
        }
        for (asset, balance) in views.accounts().balances(account) {
            let directory = views.directory();
            let asset = directory.asset(asset).expect("an asset");
            let shown = (asset.amount_text(balance.available), asset.amount_text(balance.held));
            let told = self.balances.get(asset.name.as_str());
            assert!(told.is_none_or(|told| *told == shown), "{told:?} {shown:?}");
        }
    }
}

/// What a step does: numbers, made into a command when the accounts are known.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Place { account: usize, buy: bool, price: u32, quantity: u64, kind: u8, mode: u8 },
    Cancel { account: usize, order: u64 },
    Amend { account: usize, order: u64, quantity: u64 },
    CancelAll { account: usize },
    Tick,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let account = 0..ACCOUNTS as usize;
    let place = (account.clone(), any::<bool>(), 95_u32..106, 1_u64..50, 0_u8..7, 0_u8..5).prop_map(
        |(account, buy, price, quantity, kind, mode)| Step::Place {
            account,
            buy,
            price,
            quantity,
            kind,
            mode,
        },
    );
    let cancel = (account.clone(), 1_u64..80).prop_map(|(account, order)| Step::Cancel { account, order });
    let amend = (account.clone(), 1_u64..80, 1_u64..50).prop_map(|(account, order, quantity)| Step::Amend {
        account,
        order,
        quantity,
    });
    let all = account.prop_map(|account| Step::CancelAll { account });
    prop_oneof![12 => place, 3 => cancel, 2 => amend, 1 => all, 3 => Just(Step::Tick)]
}

pub(crate) fn command(exchange: &Exchange, step: &Step) -> Option<Command> {
    let accounts = &exchange.accounts;
    Some(match *step {
        Step::Place { account, buy, price, quantity, kind, mode } => {
            let (order_type, time_in_force) = match kind {
                0..=2 => (OrderType::Limit, TimeInForce::GoodTillCancel),
                3 => (OrderType::Limit, TimeInForce::ImmediateOrCancel),
                4 => (OrderType::Limit, TimeInForce::FillOrKill),
                _ => (OrderType::Market, TimeInForce::GoodTillCancel),
            };
            let is_market = order_type == OrderType::Market;
            let by_quote = kind == 6;
            let self_trade_prevention = [
                SelfTradePrevention::None,
                SelfTradePrevention::ExpireTaker,
                SelfTradePrevention::ExpireMaker,
                SelfTradePrevention::ExpireBoth,
                SelfTradePrevention::Decrement,
            ][usize::from(mode)];
            let order = PlaceOrder {
                account: accounts[account],
                side: if buy { Side::Buy } else { Side::Sell },
                order_type,
                time_in_force,
                self_trade_prevention,
                quantity_kind: if by_quote { QuantityKind::Quote } else { QuantityKind::Base },
                price: Price(if is_market { 0 } else { price }),
                quantity: Quantity(if by_quote { quantity * 777 } else { quantity }),
                ..sample::limit_order()
            };
            Command::PlaceOrder { order, client_order_id: None, terms: None }
        }
        Step::Cancel { account, order } => {
            let cancel = CancelOrder {
                account: accounts[account],
                instrument: BTCUSDT,
                restriction: CancelRestriction::None,
                ids: 0,
                order_id: OrderId(order),
            };
            Command::CancelOrder { cancel, ids: CancelIds::default() }
        }
        Step::Amend { account, order, quantity } => {
            let amend = AmendOrder {
                account: accounts[account],
                instrument: BTCUSDT,
                ids: 0,
                reserved: 0,
                order_id: OrderId(order),
                new_quantity: Quantity(quantity),
            };
            Command::AmendOrder { amend, ids: CancelIds::default() }
        }
        Step::CancelAll { account } => Command::CancelAll(CancelAll {
            account: accounts[account],
            instrument: InstrumentId(0),
            reason: CloseReason::Cancelled,
            reserved: 0,
        }),
        Step::Tick => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_orders_come_the_views_agree_with_the_engine(
        steps in proptest::collection::vec(step(), 1..150),
    ) {
        let mut exchange = Exchange::new();
        let mut subscription = exchange.views.hub().connect(TimeUnit::Millisecond);
        let stream = Stream::Depth(BTCUSDT, crate::views::Pace::Fast);
        subscription.subscribe(stream, "btcusdt@depth@100ms").expect("room");
        let version = exchange.views.market(BTCUSDT).expect("a market").depth(1).last_update_id.0;
        let mut owners: Vec<_> =
            exchange.accounts.iter().map(|account| AccountClient::new(&exchange.views, *account)).collect();
        let mut client = BookClient::at(version);
        for step in &steps {
            if let Some(command) = command(&exchange, step) {
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
                prop_assert!(order.is_resting && order.leaves.0 > 0);
                let partly = order.executed.0 > 0;
                let expected = if partly { OrderStatus::PartiallyFilled } else { OrderStatus::New };
                prop_assert_eq!(order.status, expected);
            }
        }
    }
}
