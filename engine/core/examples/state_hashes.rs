//! Applies a fixed stream of commands and prints, after every 10,000, the state hash and a hash of all
//! events so far: to compare builds, processes and machines, which must all print the same.
//!
//! `state_hashes COMMANDS HASH_SEED`; the seed spreads tables over memory and must change nothing.

use engine_core::Engine;
use protocol::{
    AccountId, AssetId, InstrumentId, OrderId, OrderTerms, OrderType, Price, Quantity, SelfTradePrevention,
    Side, SourceId, SourceNumber, Time, TimeInForce,
    command::{
        AmendOrder, CancelAll, CancelIds, CancelOrder, CancelReplace, Command, CommandRecord,
        CreateInstrument, LedgerOperation, OpenAccount, PlaceOrder, sample,
    },
    event::EventBuffer,
    order::{CancelRestriction, CloseReason, ReplaceMode},
};
use std::{
    env,
    hash::{DefaultHasher, Hasher as _},
};

const EVERY: u64 = 10_000;
const ACCOUNTS: u64 = 4;
/// External accounts come with their assets: 3 and 4. Customers follow.
const FIRST: u32 = 5;
const INSTRUMENT: InstrumentId = InstrumentId(1);

fn main() {
    let mut arguments = env::args().skip(1).map(|text| text.parse::<u64>().expect("a whole number"));
    let (Some(commands), Some(hash_seed)) = (arguments.next(), arguments.next()) else {
        panic!("state_hashes COMMANDS HASH_SEED");
    };
    let mut engine: Engine = Engine::new(hash_seed);
    let mut events = EventBuffer::growing();
    // Of fixed keys: the same in every process of one compiler.
    let mut all_events = DefaultHasher::new();
    let mut stream = Stream(20_261_121);
    let setting_up = setting_up();
    for number in 1..=commands {
        let time = Time(1_700_000_000_000_000_000 + number * 1_234_567);
        let command = setting_up.get(number as usize - 1).cloned();
        let command = command.unwrap_or_else(|| stream.command(number, time));
        let record = command.encode(SourceId(2), SourceNumber(number), 0);
        let record = CommandRecord::parse(&record).expect("a record as it was written");
        events.clear();
        engine.apply(&record, time, engine.sequence().next(), &mut events);
        all_events.write(events.bytes());
        if number.is_multiple_of(EVERY) {
            engine.audit().expect("the invariants hold");
            println!("{number} {} {:016x}", engine.state_hash(), all_events.finish());
        }
    }
}

/// Two assets, an instrument, and accounts with plenty of both.
fn setting_up() -> Vec<Command> {
    let mut commands = vec![
        Command::CreateAsset(sample::asset("BTC")),
        Command::CreateAsset(sample::asset("USDT")),
        Command::CreateInstrument(CreateInstrument { instrument: sample::instrument() }),
    ];
    for index in 0..ACCOUNTS as u32 {
        commands.push(Command::OpenAccount(OpenAccount { trade_group: 0, fee_tier: 0, reserved: [0; 3] }));
        for asset in [1, 2] {
            let (external, account) = (AccountId(2 + asset), AccountId(FIRST + index));
            let credit =
                LedgerOperation::transfer(external, account, AssetId(asset as u16), 1_000_000_000_000_000);
            commands.push(Command::Ledger(credit));
        }
    }
    commands
}

/// Where the next choices come from.
struct Stream(u64);

impl Stream {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn command(&mut self, number: u64, now: Time) -> Command {
        let account = AccountId(FIRST + self.below(ACCOUNTS) as u32);
        let modes =
            [SelfTradePrevention::None, SelfTradePrevention::ExpireMaker, SelfTradePrevention::Decrement];
        let order = PlaceOrder {
            account,
            side: if self.below(2) == 0 { Side::Buy } else { Side::Sell },
            price: Price(5_000 + self.below(30) as u32),
            quantity: Quantity(1 + self.below(50)),
            self_trade_prevention: modes[self.below(3) as usize],
            ..sample::limit_order()
        };
        let name = (self.below(6) == 0).then(|| sample::client_order_id(&format!("o{}", self.below(500))));
        let order_id = OrderId(1 + number.saturating_sub(self.below(200)) / 2);
        let cancel = CancelOrder {
            account,
            instrument: INSTRUMENT,
            restriction: CancelRestriction::None,
            ids: 0,
            order_id,
        };
        let ids = CancelIds { original: None, request: name };
        let place = |order, terms| Command::PlaceOrder { order, client_order_id: name, terms };
        let stop_price = Price(4_995 + self.below(40) as u32);
        match self.below(40) {
            0..=17 => place(order, None),
            18 => place(PlaceOrder { order_type: OrderType::Market, price: Price(0), ..order }, None),
            19 => place(PlaceOrder { order_type: OrderType::LimitMaker, ..order }, None),
            20 => place(PlaceOrder { time_in_force: TimeInForce::ImmediateOrCancel, ..order }, None),
            21 => place(PlaceOrder { time_in_force: TimeInForce::FillOrKill, ..order }, None),
            22 => {
                let expires_at = Time(now.0 + self.below(200) * 1_234_567);
                place(PlaceOrder { time_in_force: TimeInForce::GoodTillDate, expires_at, ..order }, None)
            }
            23..=24 => {
                let order = PlaceOrder { order_type: OrderType::StopLossLimit, ..order };
                place(order, Some(OrderTerms { stop_price, ..OrderTerms::NONE }))
            }
            25 => {
                let visible_quantity = Quantity(1 + self.below(5));
                place(order, Some(OrderTerms { visible_quantity, ..OrderTerms::NONE }))
            }
            26..=33 => Command::CancelOrder { cancel, ids },
            34..=35 => Command::CancelReplace {
                replace: CancelReplace { cancel, order, mode: ReplaceMode::AllowFailure, reserved: [0; 7] },
                ids,
                client_order_id: name,
                terms: None,
            },
            36..=37 => {
                let new_quantity = Quantity(1 + self.below(20));
                let amend = AmendOrder {
                    account,
                    instrument: INSTRUMENT,
                    ids: 0,
                    reserved: 0,
                    order_id,
                    new_quantity,
                };
                Command::AmendOrder { amend, ids }
            }
            38 => {
                let hold =
                    LedgerOperation::hold(account, AssetId(2), 1 + self.below(1_000) as i64, Time(now.0 + 9));
                Command::Ledger(hold)
            }
            _ if self.below(50) == 0 => Command::CancelAll(CancelAll {
                account,
                instrument: InstrumentId(0),
                reason: CloseReason::Cancelled,
                reserved: 0,
            }),
            _ => Command::Tick,
        }
    }
}
