//! Orders that wait for a trigger, icebergs and pegged orders, case by case (C-TRD-05, dialect §5.1).

mod exchange;

use engine_core::LadderBooks;
use exchange::{ALICE, BOB, BTC, BTCUSDT, CAROL, Did, Exchange, USDT, limit, market, trades};
use protocol::{
    OrderTerms, OrderType, Price, Quantity, Reject, Side, Time, TimeInForce,
    command::{CancelAll, ChangeInstrument, Command, PlaceOrder, SetOrderFilters, change, sample},
    event::Event,
    instrument::Filters,
    order::CloseReason,
    reject::Outcome,
    terms::{OrderFilters, PegPrice},
};

/// Ledger units of USDT for one quantity unit at price 1, and of BTC in one quantity unit.
const QUOTE: i64 = 10;
const BASE: i64 = 1_000;

type Venue = Exchange<LadderBooks>;

/// The last price is 100, prices are bounded to three times, nothing rests.
fn venue() -> Venue {
    let mut venue: Venue = Exchange::new();
    let mut definition = sample::instrument();
    definition.filters = Filters { bid_multiplier_up: 30_000, ask_multiplier_down: 3_000, ..Filters::open() };
    venue.done(&Command::ChangeInstrument(ChangeInstrument {
        instrument: BTCUSDT,
        parts: change::FILTERS,
        reserved: [0; 5],
        definition,
    }));
    trade_at(&mut venue, 100);
    venue
}

/// Bob and Carol trade one at `price`.
fn trade_at(venue: &mut Venue, price: u32) -> Did {
    assert_eq!(venue.place(limit(BOB, Side::Sell, price, 1)).outcome, Outcome::Done);
    venue.place(limit(CAROL, Side::Buy, price, 1))
}

fn place(venue: &mut Venue, order: PlaceOrder, terms: OrderTerms) -> Did {
    venue.apply(&Command::PlaceOrder { order, client_order_id: None, terms: Some(terms) })
}

fn stop(stop_price: u32) -> OrderTerms {
    OrderTerms { stop_price: Price(stop_price), ..OrderTerms::NONE }
}

fn typed(order_type: OrderType, side: Side, price: u32, quantity: u64) -> PlaceOrder {
    PlaceOrder { order_type, ..limit(ALICE, side, price, quantity) }
}

fn triggered(did: &Did) -> Vec<u64> {
    let order = |event: &Event| match event {
        Event::OrderTriggered(order) => Some(order.order_id.0),
        _ => None,
    };
    did.events.iter().filter_map(order).collect()
}

fn closed(did: &Did) -> Vec<(u64, CloseReason)> {
    let order = |event: &Event| match event {
        Event::OrderClosed(order, _) => Some((order.order_id.0, order.reason)),
        _ => None,
    };
    did.events.iter().filter_map(order).collect()
}

#[test]
fn each_type_waits_on_its_side_of_the_price_and_holds_from_entry() {
    use OrderType::{StopLoss, StopLossLimit, TakeProfit, TakeProfitLimit};
    // Type, side, limit, trigger; what 2 hold: the protection price is three times (0.3 times) the trigger.
    let cases = [
        (StopLossLimit, Side::Buy, 112, 110, 112, 109, 110),
        (StopLossLimit, Side::Sell, 88, 90, 0, 91, 90),
        (TakeProfitLimit, Side::Buy, 91, 90, 91, 91, 90),
        (TakeProfitLimit, Side::Sell, 109, 110, 0, 109, 110),
        (StopLoss, Side::Buy, 0, 110, 330, 109, 111),
        (StopLoss, Side::Sell, 0, 90, 0, 91, 89),
        (TakeProfit, Side::Buy, 0, 90, 270, 91, 89),
        (TakeProfit, Side::Sell, 0, 110, 0, 109, 111),
    ];
    for (order_type, side, price, trigger, held_at, short, enough) in cases {
        let mut venue = venue();
        let order = typed(order_type, side, price, 2);
        let wrong = if trigger > 100 { 99 } else { 101 };
        let name = format!("{order_type:?} {side:?}");
        for met in [wrong, 100] {
            let did = place(&mut venue, order, stop(met));
            assert_eq!(did.outcome, Outcome::Refused(Reject::WouldTrigger), "{name} at {met}");
        }
        let (before, _) = venue.balance(ALICE, if side == Side::Buy { USDT } else { BTC });
        let did = place(&mut venue, order, stop(trigger));
        assert_eq!(did.outcome, Outcome::Done, "{name}");
        let (asset, held) =
            if side == Side::Buy { (USDT, i64::from(held_at) * 2 * QUOTE) } else { (BTC, 2 * BASE) };
        assert_eq!(venue.balance(ALICE, asset), (before - held, held), "{name}");
        assert!(venue.side(side).is_empty(), "it is in no book: {name}");
        assert_eq!(triggered(&trade_at(&mut venue, short)), [], "{name}");
        assert_eq!(triggered(&trade_at(&mut venue, enough)), [did.result], "{name}");
        if order_type.is_market() {
            assert_eq!(venue.balance(ALICE, asset), (before, 0), "none of it traded, all expired: {name}");
        } else {
            assert_eq!(venue.side(side), [(did.result, price, 2)], "{name}");
        }
    }
}

#[test]
fn a_triggered_order_trades_as_any_that_comes() {
    let mut venue = venue();
    let stop_id = place(&mut venue, typed(OrderType::StopLossLimit, Side::Buy, 112, 5), stop(110)).result;
    let ask = venue.place(limit(BOB, Side::Sell, 111, 3)).result;
    assert_eq!(trade_at(&mut venue, 109).outcome, Outcome::Done);
    let did = trade_at(&mut venue, 110);
    assert_eq!(trades(&did).last(), Some(&(ask, 111, 3)));
    assert_eq!(venue.side(Side::Buy), [(stop_id, 112, 2)]);
    assert_eq!(venue.cancel(ALICE, stop_id).outcome, Outcome::Done);
}

#[test]
fn what_waits_is_found_counted_cancelled_amended_and_expires() {
    let mut venue = venue();
    let (order, terms) = (typed(OrderType::StopLossLimit, Side::Sell, 80, 9), stop(90));
    let named = Some(exchange::name("mine"));
    let first = Command::PlaceOrder { order, client_order_id: named, terms: Some(terms) };
    let id = venue.done(&first).result;
    assert_eq!(venue.apply(&first).outcome, Outcome::Refused(Reject::DuplicateClientOrderId));
    let amend = protocol::command::AmendOrder {
        account: ALICE,
        instrument: BTCUSDT,
        ids: 0,
        reserved: 0,
        order_id: protocol::OrderId(id),
        new_quantity: Quantity(4),
    };
    venue.done(&Command::AmendOrder { amend, ids: protocol::command::CancelIds::default() });
    assert_eq!(venue.balance(ALICE, BTC).1, 4 * BASE);
    let did = trade_at(&mut venue, 90);
    assert_eq!((triggered(&did), venue.side(Side::Sell)), (vec![id], vec![(id, 80, 4)]));

    let expires_at = Time(venue.time.0 + 5);
    let dated = PlaceOrder { time_in_force: TimeInForce::GoodTillDate, expires_at, ..order };
    let id = place(&mut venue, PlaceOrder { price: Price(70), ..dated }, stop(80)).result;
    venue.time = expires_at;
    assert_eq!(closed(&venue.done(&Command::Tick)), [(id, CloseReason::TimeReached)]);
    place(&mut venue, PlaceOrder { price: Price(70), ..order }, stop(80));
    let all = CancelAll { account: ALICE, instrument: BTCUSDT, reason: CloseReason::Cancelled, reserved: 0 };
    assert_eq!(venue.done(&Command::CancelAll(all)).result, 2);
    assert_eq!(venue.balance(ALICE, BTC).1, 0);
}

#[test]
fn a_trailing_trigger_follows_and_never_goes_back() {
    let mut venue = venue();
    let trail = |stop_price, trailing_delta| OrderTerms {
        stop_price: Price(stop_price),
        trailing_delta,
        ..OrderTerms::NONE
    };
    let sell = typed(OrderType::StopLossLimit, Side::Sell, 50, 1);
    let id = place(&mut venue, sell, trail(0, 1_000)).result; // 90, then 99 behind 110
    for price in [95, 110, 105, 100] {
        assert_eq!(triggered(&trade_at(&mut venue, price)), [], "{price}");
    }
    assert_eq!(triggered(&trade_at(&mut venue, 99)), [id]);
    venue.cancel(ALICE, id);

    // Only from 90 on; the lowest price is 80 then, and 10 % above it 88.
    let buy = typed(OrderType::TakeProfitLimit, Side::Buy, 60, 1);
    let id = place(&mut venue, buy, trail(90, 1_000)).result;
    for price in [95, 120, 90, 80, 87] {
        assert_eq!(triggered(&trade_at(&mut venue, price)), [], "{price}");
    }
    assert_eq!(triggered(&trade_at(&mut venue, 88)), [id]);
}

#[test]
fn a_cascade_goes_in_its_order_and_on_at_the_next_command() {
    let mut venue = venue();
    venue.audited = false;
    // Each buys one at its own price, which triggers the next: 100 steps.
    let count = 100_u32;
    for step in 0..count {
        let order = typed(OrderType::StopLossLimit, Side::Buy, 102 + step, 1);
        assert_eq!(place(&mut venue, order, stop(101 + step)).outcome, Outcome::Done);
        assert_eq!(venue.place(limit(BOB, Side::Sell, 102 + step, 1)).outcome, Outcome::Done);
    }
    let first = venue.place(limit(BOB, Side::Sell, 101, 1)).result;
    let did = venue.place(limit(CAROL, Side::Buy, 101, 1));
    assert_eq!(trades(&did)[0], (first, 101, 1));
    let mut steps = triggered(&did);
    assert_eq!(steps.len(), 64, "one command's bound");
    assert_eq!(venue.engine.next_expiry(), Some(Time(0)), "the rest is due at once");
    let rest = venue.done(&Command::Tick);
    steps.extend(triggered(&rest));
    assert_eq!(steps.len(), count as usize);
    assert!(steps.is_sorted(), "by trigger, which grew with the ids");
    assert_eq!(venue.engine.next_expiry(), None);
    assert_eq!(venue.engine.audit(), Ok(()));
}

#[test]
fn terms_that_do_not_go_together_are_refused() {
    use OrderType::{Limit, LimitMaker, StopLoss, StopLossLimit};
    let mut venue = venue();
    let iceberg = |visible| OrderTerms { visible_quantity: Quantity(visible), ..OrderTerms::NONE };
    let trail = |trailing_delta| OrderTerms { trailing_delta, ..OrderTerms::NONE };
    let peg = OrderTerms { peg: PegPrice::Primary, ..OrderTerms::NONE };
    let ioc = |order| PlaceOrder { time_in_force: TimeInForce::ImmediateOrCancel, ..order };
    let buy = |order_type, price| typed(order_type, Side::Buy, price, 300);
    let cases = [
        (buy(StopLoss, 0), OrderTerms::NONE, Reject::BadCombination),
        (buy(StopLoss, 5), stop(110), Reject::BadCombination),
        (buy(StopLossLimit, 0), stop(110), Reject::BadCombination),
        (buy(Limit, 90), stop(110), Reject::BadCombination),
        (buy(StopLossLimit, 112), trail(1_000_000), Reject::TrailingDelta),
        (ioc(buy(Limit, 90)), iceberg(10), Reject::BadCombination),
        (buy(Limit, 90), iceberg(301), Reject::VisibleExceedsQuantity),
        (buy(Limit, 90), iceberg(2), Reject::IcebergParts),
        (buy(Limit, 90), peg, Reject::BadCombination),
        (buy(Limit, 0), peg, Reject::NoPegPrice),
        (buy(LimitMaker, 0), OrderTerms { peg_offset: 101, ..peg }, Reject::BadCombination),
        (market(ALICE, Side::Buy, 3), iceberg(1), Reject::BadCombination),
    ];
    for (order, terms, reject) in cases {
        let did = place(&mut venue, order, terms);
        assert_eq!(did.outcome, Outcome::Refused(reject), "{order:?} {terms:?}");
    }
    let filters = OrderFilters {
        max_algo_orders: 1,
        max_iceberg_orders: 1,
        max_order_amends: 1,
        max_position: Quantity(1_000_000_000_100),
        ..OrderFilters::open()
    };
    venue.done(&Command::SetOrderFilters(SetOrderFilters { instrument: BTCUSDT, reserved: [0; 6], filters }));
    let small = |order: PlaceOrder| PlaceOrder { quantity: Quantity(20), ..order };
    for (order, terms, reject) in [
        (small(buy(StopLossLimit, 112)), stop(110), Reject::TooManyAlgoOrders),
        (small(buy(Limit, 90)), iceberg(10), Reject::TooManyIcebergOrders),
        (buy(Limit, 90), OrderTerms { strategy_id: 1, ..OrderTerms::NONE }, Reject::MaxPosition),
    ] {
        if reject != Reject::MaxPosition {
            assert_eq!(place(&mut venue, order, terms).outcome, Outcome::Done, "{order:?}");
        }
        let did = place(&mut venue, order, terms);
        assert_eq!(did.outcome, Outcome::Refused(reject), "{order:?} {terms:?}");
    }
}

#[test]
fn an_iceberg_shows_its_tip_and_goes_to_the_back_of_its_level() {
    let mut venue = venue();
    let terms = OrderTerms { visible_quantity: Quantity(3), ..OrderTerms::NONE };
    let iceberg = place(&mut venue, limit(ALICE, Side::Sell, 110, 8), terms).result;
    let behind = venue.place(limit(BOB, Side::Sell, 110, 2)).result;
    assert_eq!(venue.balance(ALICE, BTC).1, 8 * BASE, "all of it is held");
    assert_eq!(venue.side(Side::Sell), [(iceberg, 110, 3), (behind, 110, 2)]);
    let did = venue.place(limit(CAROL, Side::Buy, 110, 3));
    assert_eq!(trades(&did), [(iceberg, 110, 3)]);
    assert_eq!(venue.side(Side::Sell), [(behind, 110, 2), (iceberg, 110, 3)]);
    // What is out of sight trades before the next price, and counts for a fill-or-kill order.
    let kill = |quantity| PlaceOrder {
        time_in_force: TimeInForce::FillOrKill,
        ..limit(CAROL, Side::Buy, 110, quantity)
    };
    assert_eq!(closed(&venue.place(kill(8)))[0].1, CloseReason::NotFillableWhole);
    let did = venue.place(kill(7));
    assert_eq!(trades(&did), [(behind, 110, 2), (iceberg, 110, 3), (iceberg, 110, 2)]);
    assert_eq!((venue.side(Side::Sell), venue.balance(ALICE, BTC).1), (vec![], 0));

    // As a taker all of it trades; what is left rests in slices.
    let ask = venue.place(limit(BOB, Side::Sell, 100, 4)).result;
    let did = place(&mut venue, limit(ALICE, Side::Buy, 100, 9), terms);
    assert_eq!((trades(&did), venue.side(Side::Buy)), (vec![(ask, 100, 4)], vec![(did.result, 100, 3)]));
    assert_eq!(venue.balance(ALICE, USDT).1, 5 * 100 * QUOTE);
    assert_eq!(venue.cancel(ALICE, did.result).outcome, Outcome::Done);
    assert_eq!(venue.balance(ALICE, USDT).1, 0);
}

#[test]
fn a_pegged_order_is_priced_once_by_level() {
    let mut venue = venue();
    for price in [90, 93, 95] {
        venue.place(limit(BOB, Side::Buy, price, 1));
        venue.place(limit(BOB, Side::Sell, 200 - price, 1));
    }
    for (side, peg, peg_offset, price) in [
        (Side::Buy, PegPrice::Primary, 0, Some(95)),
        (Side::Buy, PegPrice::Primary, 2, Some(90)),
        (Side::Sell, PegPrice::Primary, 1, Some(107)),
        (Side::Buy, PegPrice::Primary, 3, None),
        (Side::Sell, PegPrice::Market, 0, Some(95)),
    ] {
        let terms = OrderTerms { peg, peg_offset, ..OrderTerms::NONE };
        let did = place(&mut venue, PlaceOrder { price: Price(0), ..limit(ALICE, side, 0, 1) }, terms);
        let accepted = did.events.iter().find_map(|event| match event {
            Event::OrderAccepted(order, ..) => Some(order.price.0),
            _ => None,
        });
        assert_eq!(accepted, price, "{side:?} {peg:?} {peg_offset}");
        if price.is_none() {
            assert_eq!(did.outcome, Outcome::Refused(Reject::NoPegPrice));
        }
        if peg == PegPrice::Primary && price.is_some() {
            assert_eq!(venue.cancel(ALICE, did.result).outcome, Outcome::Done);
        }
    }
}

#[test]
fn a_triggered_order_lives_as_long_as_it_says() {
    use TimeInForce::{FillOrKill, GoodTillCancel, ImmediateOrCancel};
    // What of 5 trades and rests, when so many are offered.
    let cases = [
        (GoodTillCancel, 3, 3, 2, None),
        (ImmediateOrCancel, 3, 3, 0, Some(CloseReason::NoMoreLiquidity)),
        (ImmediateOrCancel, 0, 0, 0, Some(CloseReason::NoMoreLiquidity)),
        (FillOrKill, 3, 0, 0, Some(CloseReason::NotFillableWhole)),
        (FillOrKill, 0, 0, 0, Some(CloseReason::NotFillableWhole)),
        (FillOrKill, 5, 5, 0, None),
        (FillOrKill, 9, 5, 0, None),
    ];
    for (time_in_force, offered, traded, rests, reason) in cases {
        let mut venue = venue();
        let order = PlaceOrder { time_in_force, ..typed(OrderType::StopLossLimit, Side::Buy, 112, 5) };
        let id = place(&mut venue, order, stop(110)).result;
        if offered > 0 {
            venue.place(limit(BOB, Side::Sell, 111, offered));
        }
        let did = trade_at(&mut venue, 110);
        let quantity: u64 = trades(&did)[1..].iter().map(|trade| trade.2).sum();
        let left: u64 = venue.side(Side::Buy).iter().map(|order| order.2).sum();
        assert_eq!((quantity, left), (traded, rests), "{time_in_force:?} of {offered}");
        let ended: Vec<_> = reason.map(|reason| (id, reason)).into_iter().collect();
        assert_eq!(closed(&did), ended, "{time_in_force:?} of {offered}");
    }
}
