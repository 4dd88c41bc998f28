//! What operators change and what it leaves alone: parts of an instrument, fee tiers, several
//! instruments beside each other, rules, voided commands, stopped sources.

mod exchange;

use engine_core::LadderBooks;
use exchange::{ALICE, BOB, BTC, BTCUSDT, Exchange, USDT, limit, trades};
use protocol::{
    AssetId, FeeRate, Instrument, InstrumentId, InstrumentStatus, Price, Quantity, RULES_VERSION, Reject,
    SelfTradePrevention, Side, SourceId, SourceNumber, Time,
    command::{
        ActivateRules, AssignFeeTier, CancelAll, ChangeInstrument, Command, CommandRecord, CreateInstrument,
        LedgerOperation, PlaceOrder, ResumeSource, SetFeeTier, TIME_OFFSET, change, sample,
    },
    event::{Event, EventBuffer},
    instrument::{FEE_TIERS, FeeRates, Filters},
    order::CloseReason,
    reject::Outcome,
};

const START: i64 = 1_000_000_000_000_000;

fn new() -> Exchange<LadderBooks> {
    Exchange::new()
}

fn refused(reject: Reject) -> Outcome {
    Outcome::Refused(reject)
}

fn definition(exchange: &Exchange<LadderBooks>) -> Instrument {
    exchange.engine.market(BTCUSDT).expect("there").instrument
}

fn change(parts: u8, definition: Instrument) -> Command {
    Command::ChangeInstrument(ChangeInstrument { instrument: BTCUSDT, parts, reserved: [0; 5], definition })
}

fn set_tier(instrument: InstrumentId, tier: u8, maker: i32, taker: i32) -> Command {
    let rates = FeeRates { maker: FeeRate(maker), taker: FeeRate(taker) };
    Command::SetFeeTier(SetFeeTier { instrument, tier, reserved: 0, rates, reserved_2: 0 })
}

#[test]
fn a_change_takes_the_parts_that_it_names_and_no_others() {
    let before = definition(&new());
    let filters =
        Filters { lot_size: Quantity(2), min_quantity: Quantity(2), average_minutes: 9, ..before.filters };
    let rates = FeeRates { maker: FeeRate(1), taker: FeeRate(2) };
    let all = Instrument {
        status: InstrumentStatus::Halt,
        default_self_trade_prevention: SelfTradePrevention::ExpireMaker,
        filters: Filters { reference_price: Price(77), ..filters },
        fees: rates,
        ..before
    };
    let cases = [
        (change::STATUS, Instrument { status: all.status, ..before }),
        (change::FILTERS, Instrument { filters, ..before }),
        (
            change::FEES,
            Instrument {
                fees: rates,
                default_self_trade_prevention: all.default_self_trade_prevention,
                ..before
            },
        ),
        (
            change::REFERENCE_PRICE,
            Instrument { filters: Filters { reference_price: Price(77), ..before.filters }, ..before },
        ),
        (change::STATUS | change::FILTERS | change::FEES | change::REFERENCE_PRICE, all),
        (0, before),
    ];
    for (parts, expected) in cases {
        let mut exchange = new();
        exchange.done(&change(parts, all));
        assert_eq!(definition(&exchange), expected, "parts {parts:#b}");
    }
}

#[test]
fn a_definition_that_contradicts_itself_is_refused_in_each_part() {
    let before = definition(&new());
    let bad_fees = FeeRates { maker: FeeRate(0), taker: FeeRate(-1) };
    let cases = [
        (
            change::FILTERS,
            Instrument { filters: Filters { tick_size: Price(0), ..before.filters }, ..before },
        ),
        (change::FEES, Instrument { fees: bad_fees, ..before }),
        // An instrument is delisted by a command of its own, which gives everything back.
        (change::STATUS, Instrument { status: InstrumentStatus::Delisted, ..before }),
    ];
    let mut exchange = new();
    for (parts, definition_of_it) in cases {
        let did = exchange.apply(&change(parts, definition_of_it));
        assert_eq!(did.outcome, refused(Reject::BadDefinition), "parts {parts:#b}");
    }
    assert_eq!(definition(&exchange), before);
}

#[test]
fn a_book_may_be_opened_crossed_only_with_leave() {
    let mut exchange = new();
    let status = |status| Instrument { status, ..sample::instrument() };
    exchange.done(&change(change::STATUS, status(InstrumentStatus::PreOpen)));
    exchange.place(limit(ALICE, Side::Sell, 100, 1));
    exchange.place(limit(BOB, Side::Buy, 101, 1));
    // The audit after each command expects a book that is not crossed, but for this one.
    let open = status(InstrumentStatus::Trading);
    let crossed = exchange.apply(&change(change::STATUS, open));
    assert_eq!(crossed.outcome, refused(Reject::BookCrossed));
    exchange.done(&change(change::STATUS | change::LEAVE_CROSSED, open));
    exchange.done(&Command::Tick);
    assert_eq!((exchange.side(Side::Buy), exchange.side(Side::Sell)), (vec![(2, 101, 1)], vec![(1, 100, 1)]));
    // It is told apart from an auction: nothing traded.
    assert_eq!(exchange.engine.market(BTCUSDT).expect("there").trades(), 0);
}

#[test]
fn each_side_of_a_trade_pays_the_rates_of_its_own_tier() {
    let mut exchange = new();
    exchange.done(&set_tier(InstrumentId(0), 2, 100_000, 200_000)); // 0.1 %, 0.2 %
    exchange.done(&set_tier(BTCUSDT, 3, 300_000, 400_000)); // 0.3 %, 0.4 %
    for (account, tier) in [(ALICE, 2), (BOB, 3)] {
        exchange.done(&Command::AssignFeeTier(AssignFeeTier { account, tier, reserved: [0; 3] }));
    }
    exchange.place(limit(ALICE, Side::Sell, 100, 1_000));
    exchange.place(limit(BOB, Side::Buy, 100, 1_000));
    // 1,000,000 units of each asset change hands.
    assert_eq!(exchange.balance(ALICE, USDT).0, START + 1_000_000 - 1_000);
    assert_eq!(exchange.balance(BOB, BTC).0, START + 1_000_000 - 4_000);
    exchange.place(limit(BOB, Side::Sell, 100, 1_000));
    exchange.place(limit(ALICE, Side::Buy, 100, 1_000));
    assert_eq!(exchange.balance(BOB, USDT).0, START - 1_000_000 + 1_000_000 - 3_000);
    assert_eq!(exchange.balance(ALICE, BTC).0, START - 1_000_000 + 1_000_000 - 2_000);
    assert_eq!(exchange.engine.market(BTCUSDT).expect("there").trades(), 2);
}

#[test]
fn fee_tiers_out_of_range_are_refused() {
    let mut exchange = new();
    let tiers = FEE_TIERS as u8;
    for (command, reject) in [
        (set_tier(BTCUSDT, tiers, 0, 0), Reject::BadDefinition),
        (set_tier(BTCUSDT, 1, 0, -1), Reject::BadDefinition),
        (set_tier(InstrumentId(9), 1, 0, 0), Reject::UnknownInstrument),
        (
            Command::AssignFeeTier(AssignFeeTier { account: ALICE, tier: tiers, reserved: [0; 3] }),
            Reject::BadDefinition,
        ),
    ] {
        assert_eq!(exchange.apply(&command).outcome, refused(reject), "{command:?}");
    }
    exchange.done(&set_tier(BTCUSDT, tiers - 1, 0, 0));
}

#[test]
fn instruments_have_books_of_their_own() {
    let mut exchange = new();
    let mut instruments = vec![BTCUSDT];
    for number in 2..=5_u16 {
        exchange.done(&Command::CreateAsset(sample::asset(&format!("COIN{number}"))));
        let asset = AssetId(number + 1);
        let external = exchange.engine.ledger().asset(asset).expect("there").external;
        exchange.done(&Command::Ledger(LedgerOperation::transfer(external, ALICE, asset, START)));
        let symbol = sample::name(&format!("COIN{number}USDT"));
        let instrument = Instrument { symbol, base: asset, ..sample::instrument() };
        let created = exchange.done(&Command::CreateInstrument(CreateInstrument { instrument }));
        assert_eq!(created.result, u64::from(number));
        instruments.push(InstrumentId(number));
    }
    let ids: Vec<_> = exchange.engine.ledger().assets().map(|(id, _)| id.0).collect();
    assert_eq!(ids, (1..=6).collect::<Vec<_>>());
    let ids: Vec<_> = exchange.engine.markets().iter().map(|market| market.instrument.id).collect();
    assert_eq!(ids, instruments);

    let in_instrument = |instrument, order| PlaceOrder { instrument, ..order };
    for side in [Side::Buy, Side::Sell] {
        for (more, instrument) in (0_u32..).zip(&instruments) {
            exchange.place(in_instrument(*instrument, limit(ALICE, side, side.pick(100, 200) + more, 1)));
        }
    }
    for (more, instrument) in (0_u32..).zip(&instruments) {
        let best = |side| engine_core::Books::best_price(exchange.engine.books(), *instrument, side);
        assert_eq!((best(Side::Buy), best(Side::Sell)), (Some(Price(100 + more)), Some(Price(200 + more))));
    }
    // A buy far above every sell meets the one in its own instrument alone.
    for (more, instrument) in (0_u64..).zip(&instruments) {
        let did = exchange.place(in_instrument(*instrument, limit(BOB, Side::Buy, 1_000, 2)));
        assert_eq!(trades(&did), [(6 + more, 200 + more as u32, 1)]);
    }
    let cancel = |instrument| {
        let reason = CloseReason::Cancelled;
        Command::CancelAll(CancelAll { account: BOB, instrument, reason, reserved: 0 })
    };
    assert_eq!(exchange.done(&cancel(instruments[2])).result, 1);
    assert_eq!(exchange.done(&cancel(InstrumentId(0))).result, 4);
}

#[test]
fn rules_are_activated_forward_and_no_further_than_this_build_knows() {
    let mut exchange = new();
    for version in [0, RULES_VERSION + 1] {
        let did = exchange.apply(&Command::ActivateRules(ActivateRules { version, reserved: 0 }));
        assert_eq!(did.outcome, refused(Reject::UnknownRules), "version {version}");
    }
    let did = exchange.done(&Command::ActivateRules(ActivateRules { version: RULES_VERSION, reserved: 0 }));
    assert!(matches!(did.events[..], [Event::RulesActivated(rules)] if rules.version == RULES_VERSION));
    assert_eq!((did.result, exchange.engine.rules()), (0, RULES_VERSION));
}

/// Applies a command of source 9 again, as recovery and replay do.
fn apply_again(exchange: &mut Exchange<LadderBooks>, bytes: &[u8], is_void: bool) -> Result<(), String> {
    let record = CommandRecord::parse(bytes).expect("a record");
    let sequence = exchange.engine.sequence().next();
    exchange.engine.apply_again(&record, sequence, is_void, &mut EventBuffer::growing())
}

/// A transfer of source 9, with the time that a journal gave it.
fn recorded(number: u64, time: Time) -> Vec<u8> {
    let transfer = Command::Ledger(LedgerOperation::transfer(ALICE, BOB, BTC, 5));
    let mut bytes = transfer.encode(SourceId(9), SourceNumber(number), 0);
    bytes[TIME_OFFSET..TIME_OFFSET + 8].copy_from_slice(&time.0.to_le_bytes());
    bytes
}

#[test]
fn a_void_command_uses_its_number_and_does_nothing_else() {
    let mut exchange = new();
    let now = exchange.time;
    let earlier = Time(now.0 - 1);
    let (sequence, before) = (exchange.engine.sequence(), exchange.balance(ALICE, BTC));
    assert_eq!(apply_again(&mut exchange, &recorded(1, earlier), true), Ok(()));
    assert_eq!(exchange.balance(ALICE, BTC), before);
    assert_eq!(exchange.engine.sequence(), sequence.next());
    assert_eq!(exchange.engine.time(), now, "a time before the last command's counts as that one's");
    assert_eq!(exchange.engine.next_number(SourceId(9)), SourceNumber(2));
    let again = exchange.apply_bytes(&recorded(1, now));
    assert_eq!((again.outcome, again.header.repeat), (refused(Reject::Voided), 1));
    assert_eq!(apply_again(&mut exchange, &recorded(2, now), false), Ok(()));
    assert_eq!(exchange.balance(ALICE, BTC).0, before.0 - 5);
    let found = apply_again(&mut exchange, &recorded(3, earlier), false).expect_err("time runs backwards");
    assert!(found.contains("time runs backwards"), "{found}");
}

#[test]
fn a_stopped_source_is_resumed_by_command() {
    let mut exchange = new();
    let resume = |source| Command::ResumeSource(ResumeSource { source: SourceId(source), reserved: 0 });
    assert_eq!(exchange.done(&resume(9)).result, 0, "it was not stopped");
    let tick = |number| Command::Tick.encode(SourceId(9), SourceNumber(number), 0);
    for number in 1..=3 {
        exchange.apply_bytes(&tick(number));
    }
    let other = Command::Ledger(LedgerOperation::transfer(ALICE, BOB, BTC, 5));
    let other = other.encode(SourceId(9), SourceNumber(2), 0);
    assert_eq!(exchange.apply_bytes(&other).outcome, refused(Reject::SourceStopped));
    assert_eq!(exchange.apply_bytes(&tick(4)).outcome, refused(Reject::SourceStopped));
    let did = exchange.done(&resume(9));
    assert_eq!(did.result, 4, "the number that comes next");
    assert!(matches!(did.events[..], [Event::SourceResumed(one)] if one.next == SourceNumber(4)));
    assert_eq!(exchange.apply_bytes(&tick(4)).outcome, Outcome::Done);
    assert_eq!(exchange.apply(&resume(5_000)).outcome, refused(Reject::Malformed));
}
