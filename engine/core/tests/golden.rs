//! The golden logs: one for each rules version, kept for ever. Each must replay, event for event,
//! to what was recorded when those rules were new; a build that fails this would give old logs
//! another meaning.
//!
//! Orders that are not plain, auctions and what stops trading have a log of their own.
//!
//! The events' hash never changes; the state's does with `SNAPSHOT_VERSION`, as it is over a snapshot.
//!
//! A log is a file of lines `time record`, both hexadecimal, and ends with a line `state HASH`.
//! `RIALTO_WRITE_GOLDEN=1` writes a version's log that does not exist yet; it never overwrites one.

#[path = "golden/contingent.rs"]
mod contingent;

use engine_core::{Books, Engine, LadderBooks, NaiveBooks};
use protocol::{
    AccountId, AssetId, FeeRate, HoldId, InstrumentId, OrderId, OrderType, Price, Quantity, RULES_VERSION,
    SelfTradePrevention, Side, SourceId, SourceNumber, Time, TimeInForce,
    command::{
        AmendOrder, CancelAll, CancelIds, CancelOrder, CancelReplace, ChangeInstrument, Command,
        CommandRecord, CreateInstrument, LedgerOperation, OpenAccount, PlaceOrder, QuantityKind, SetFeeTier,
        SetLimits, change, sample,
    },
    event::EventBuffer,
    instrument::{FeeRates, Filters},
    order::{CancelRestriction, CloseReason, ReplaceMode},
};
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, fs, path::PathBuf};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.log"))
}

/// Applies the log; returns the state hash and the hash of every byte of events.
fn replay<B: Books>(log: &[(Time, Vec<u8>)]) -> String {
    let mut engine: Engine<B> = Engine::new(99);
    let mut events = EventBuffer::growing();
    let mut hasher = Sha256::new();
    for (time, bytes) in log {
        let record = CommandRecord::parse(bytes).expect("a record of an old version still reads");
        events.clear();
        engine.apply(&record, *time, engine.sequence().next(), &mut events);
        hasher.update(events.bytes());
    }
    engine.audit().expect("the invariants hold");
    format!("state {} events {:x}", engine.state_hash(), HexBytes(&hasher.finalize()))
}

struct HexBytes<'a>(&'a [u8]);

impl std::fmt::LowerHex for HexBytes<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

fn read(text: &str) -> (Vec<(Time, Vec<u8>)>, &str) {
    let (lines, last) = text.trim_end().rsplit_once('\n').expect("more than a line");
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
    };
    let line = |line: &str| {
        let (time, record) = line.split_once(' ').expect("time and record");
        (Time(u64::from_str_radix(time, 16).expect("hex")), hex(record))
    };
    (lines.lines().map(line).collect(), last)
}

#[test]
fn every_golden_log_replays_to_what_was_recorded() {
    type Generator = fn() -> Vec<Command>;
    for (name, generator) in [("", commands as Generator), ("-contingent", contingent::commands)] {
        check_logs(name, generator);
    }
}

fn check_logs(name: &str, generator: fn() -> Vec<Command>) {
    for version in 1..=RULES_VERSION {
        let path = path(&format!("rules-{version}{name}"));
        if !path.exists() && std::env::var_os("RIALTO_WRITE_GOLDEN").is_some() {
            write_log(&path, &generator());
        }
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (log, recorded) = read(&text);
        assert!(log.len() > 1_000, "a golden log says enough");
        assert_eq!(replay::<LadderBooks>(&log), recorded, "rules version {version}{name}");
        assert_eq!(replay::<NaiveBooks>(&log), recorded, "rules version {version}{name}, naive books");
    }
}

fn write_log(path: &PathBuf, commands: &[Command]) {
    let mut text = String::new();
    let mut log = Vec::new();
    for (index, command) in commands.iter().enumerate() {
        // Seconds apart, so that minutes leave the average's window and dates come.
        let time = Time(1_700_000_000_000_000_000 + index as u64 * 1_234_567_891);
        let record = command.encode(SourceId(2), SourceNumber(index as u64 + 1), 0);
        writeln!(text, "{:x} {:x}", time.0, HexBytes(&record)).expect("a string");
        log.push((time, record));
    }
    writeln!(text, "{}", replay::<LadderBooks>(&log)).expect("a string");
    fs::write(path, text).expect("the golden directory can be written");
}

/// Assets, an instrument, four accounts with money.
fn setting_up() -> Vec<Command> {
    let mut commands = vec![
        Command::CreateAsset(sample::asset("BTC")),
        Command::CreateAsset(sample::asset("USDT")),
        Command::CreateInstrument(CreateInstrument {
            instrument: protocol::Instrument {
                fees: FeeRates { maker: FeeRate(100_000), taker: FeeRate(200_000) },
                filters: Filters { bid_multiplier_up: 30_000, ask_multiplier_down: 3_000, ..Filters::open() },
                ..sample::instrument()
            },
        }),
    ];
    for group in 0..4 {
        commands.push(Command::OpenAccount(OpenAccount {
            trade_group: group / 2,
            fee_tier: 0,
            reserved: [0; 3],
        }));
        for (external, asset) in [(3, 1), (4, 2)] {
            let account = AccountId(5 + group);
            let amount = 1_000_000_000_000;
            commands.push(Command::Ledger(LedgerOperation::transfer(
                AccountId(external),
                account,
                AssetId(asset),
                amount,
            )));
        }
    }
    commands
}

/// Setting up, then 2,000 commands of every kind from a fixed generator.
fn commands() -> Vec<Command> {
    let mut commands = setting_up();
    let mut state = 42_u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for index in 0..2_000_u64 {
        let account = AccountId(5 + next(4) as u32);
        let instrument = InstrumentId(1);
        let modes =
            [SelfTradePrevention::None, SelfTradePrevention::ExpireMaker, SelfTradePrevention::Decrement];
        let order = PlaceOrder {
            account,
            side: if next(2) == 0 { Side::Buy } else { Side::Sell },
            price: Price(5_000 + next(20) as u32),
            quantity: Quantity(1 + next(50)),
            self_trade_prevention: modes[next(3) as usize],
            ..sample::limit_order()
        };
        let name = (next(5) == 0).then(|| sample::client_order_id(&format!("o{}", next(50))));
        let cancel = CancelOrder {
            account,
            instrument,
            restriction: CancelRestriction::None,
            ids: 0,
            order_id: OrderId(1 + next(index + 1)),
        };
        let ids = CancelIds { original: None, request: name };
        commands.push(match next(40) {
            0..=19 => Command::PlaceOrder { order, client_order_id: name, terms: None },
            20 => Command::PlaceOrder {
                order: PlaceOrder { time_in_force: TimeInForce::FillOrKill, ..order },
                client_order_id: name,
                terms: None,
            },
            21..=23 => Command::PlaceOrder {
                order: PlaceOrder { time_in_force: TimeInForce::ImmediateOrCancel, ..order },
                client_order_id: None,
                terms: None,
            },
            24 => Command::PlaceOrder {
                order: PlaceOrder {
                    time_in_force: TimeInForce::GoodTillDate,
                    expires_at: Time(1_700_000_000_000_000_000 + (index + 40) * 1_234_567_891),
                    ..order
                },
                client_order_id: None,
                terms: None,
            },
            25 => Command::PlaceOrder {
                order: PlaceOrder { order_type: OrderType::Market, price: Price(0), ..order },
                client_order_id: None,
                terms: None,
            },
            26 => Command::PlaceOrder {
                order: PlaceOrder {
                    order_type: OrderType::Market,
                    price: Price(0),
                    quantity_kind: QuantityKind::Quote,
                    quantity: Quantity(1_000_000 + next(1_000_000)),
                    self_trade_prevention: SelfTradePrevention::None,
                    ..order
                },
                client_order_id: None,
                terms: None,
            },
            27..=33 => Command::CancelOrder { cancel, ids },
            34 => Command::CancelReplace {
                replace: CancelReplace { cancel, order, mode: ReplaceMode::AllowFailure, reserved: [0; 7] },
                ids,
                client_order_id: None,
                terms: None,
            },
            35 => Command::AmendOrder {
                amend: AmendOrder {
                    account,
                    instrument,
                    ids: 0,
                    reserved: 0,
                    order_id: cancel.order_id,
                    new_quantity: Quantity(1 + next(10)),
                },
                ids,
            },
            36 => Command::Ledger(LedgerOperation::hold(
                account,
                AssetId(2),
                1 + next(1_000) as i64,
                Time::NEVER,
            )),
            37 => Command::Batch(vec![
                LedgerOperation::capture(HoldId(1 + next(20)), account, 1, next(2) == 0),
                LedgerOperation::transfer(account, AccountId(5), AssetId(1), 7),
            ]),
            38 => Command::SetFeeTier(SetFeeTier {
                instrument,
                tier: 0,
                reserved: 0,
                rates: FeeRates {
                    maker: FeeRate(next(300_000) as i32 - 100_000),
                    taker: FeeRate(next(300_000) as i32),
                },
                reserved_2: 0,
            }),
            _ => match next(4) {
                0 => Command::CancelAll(CancelAll {
                    account,
                    instrument,
                    reason: CloseReason::Cancelled,
                    reserved: 0,
                }),
                1 => Command::Tick,
                2 => Command::SetLimits(SetLimits {
                    account,
                    asset: AssetId(2),
                    reserved: 0,
                    max_open_orders: 40,
                    reserved_2: 0,
                    max_order_notional: 0,
                    max_open_notional: 50_000_000,
                }),
                _ => {
                    let mut definition = sample::instrument();
                    definition.filters = Filters {
                        lot_size: Quantity(1 + next(2)),
                        bid_multiplier_up: 20_000,
                        ..Filters::open()
                    };
                    Command::ChangeInstrument(ChangeInstrument {
                        instrument,
                        parts: change::FILTERS,
                        reserved: [0; 5],
                        definition,
                    })
                }
            },
        });
    }
    commands
}
