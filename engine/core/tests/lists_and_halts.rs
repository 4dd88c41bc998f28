//! Order lists, the call auction, circuit breakers, and what stops accounts, sessions and instruments,
//! case by case.

mod exchange;

use engine_core::LadderBooks;
use exchange::{ALICE, BOB, BTC, BTCUSDT, CAROL, Did, Exchange, USDT, limit, trades};
use protocol::{
    InstrumentStatus, OrderListId, OrderTerms, OrderType, Price, Reject, Side, SourceId, Time,
    command::{
        CancelIds, CancelOrderList, ChangeInstrument, CloseSession, Command, DelistInstrument,
        LedgerOperation, ListedOrder, PlaceOrder, PlaceOrderList, SetBreaker, SetCancelTimer, SetKillSwitch,
        change, sample,
    },
    event::Event,
    order::CloseReason,
    reject::Outcome,
    terms::{Breaker, Contingency, KillSwitch, OrderListStatus},
};

const QUOTE: i64 = 10;
const BASE: i64 = 1_000;
const SECOND: u64 = 1_000_000_000;

type Venue = Exchange<LadderBooks>;

/// The last price is 100, nothing rests.
fn venue() -> Venue {
    let mut venue: Venue = Exchange::new();
    trade_at(&mut venue, 100);
    venue
}

fn trade_at(venue: &mut Venue, price: u32) -> Did {
    assert_eq!(venue.place(limit(BOB, Side::Sell, price, 1)).outcome, Outcome::Done);
    venue.place(limit(CAROL, Side::Buy, price, 1))
}

fn leg(order_type: OrderType, side: Side, price: u32, quantity: u64) -> ListedOrder {
    let order = PlaceOrder { order_type, ..limit(ALICE, side, price, quantity) };
    ListedOrder { order, client_order_id: None, terms: None }
}

fn stop_leg(side: Side, stop_price: u32, price: u32, quantity: u64) -> ListedOrder {
    let terms = OrderTerms { stop_price: Price(stop_price), ..OrderTerms::NONE };
    ListedOrder { terms: Some(terms), ..leg(OrderType::StopLossLimit, side, price, quantity) }
}

fn place(venue: &mut Venue, contingency: Contingency, orders: &[ListedOrder]) -> Did {
    let list = PlaceOrderList { account: ALICE, instrument: BTCUSDT, contingency, ids: 0 };
    venue.apply(&Command::PlaceOrderList { list, client_order_id: None, orders: orders.to_vec() })
}

fn closed(did: &Did) -> Vec<(u64, CloseReason)> {
    let order = |event: &Event| match event {
        Event::OrderClosed(order, _) => Some((order.order_id.0, order.reason)),
        _ => None,
    };
    did.events.iter().filter_map(order).collect()
}

fn list_status(did: &Did) -> Vec<OrderListStatus> {
    let list = |event: &Event| match event {
        Event::OrderListChanged(list, _) => Some(list.status),
        _ => None,
    };
    did.events.iter().filter_map(list).collect()
}

fn orders(did: &Did) -> Vec<u64> {
    let order = |event: &Event| match event {
        Event::OrderAccepted(order, ..) => Some(order.order_id.0),
        _ => None,
    };
    did.events.iter().filter_map(order).collect()
}

/// A sell of 4: 110 or better, or out at 88 once 90 is met.
fn sell_pair() -> [ListedOrder; 2] {
    [leg(OrderType::LimitMaker, Side::Sell, 110, 4), stop_leg(Side::Sell, 90, 88, 4)]
}

#[test]
fn a_pair_holds_once_and_either_leg_ends_the_other() {
    let buy_pair = [stop_leg(Side::Buy, 110, 112, 4), leg(OrderType::LimitMaker, Side::Buy, 90, 4)];
    let mut venue = venue();
    let did = place(&mut venue, Contingency::OneCancelsOther, &buy_pair);
    assert_eq!(did.outcome, Outcome::Done);
    assert_eq!(venue.balance(ALICE, USDT).1, 4 * 112 * QUOTE, "the larger leg's");
    let [stop, maker] = orders(&did)[..] else { panic!("two orders") };
    assert_eq!(venue.side(Side::Buy), [(maker, 90, 4)]);

    // The resting leg trades in part: the other ends, and what is held is what is left.
    let did = venue.place(limit(BOB, Side::Sell, 90, 1));
    assert_eq!(closed(&did), [(stop, CloseReason::ListContingency)]);
    assert_eq!(venue.balance(ALICE, USDT).1, 3 * 90 * QUOTE);
    let did = venue.place(limit(BOB, Side::Sell, 90, 3));
    assert_eq!(list_status(&did), [OrderListStatus::Done]);

    // The waiting leg is triggered: the resting one ends first.
    let did = place(
        &mut venue,
        Contingency::OneCancelsOther,
        &sell_pair().map(|mut leg| {
            leg.order.price = Price(leg.order.price.0 - 8);
            leg.terms = leg.terms.map(|terms| OrderTerms { stop_price: Price(80), ..terms });
            leg
        }),
    );
    assert_eq!(venue.balance(ALICE, BTC).1, 4 * BASE);
    let [maker, stop] = orders(&did)[..] else { panic!("two orders: {did:?}") };
    let did = trade_at(&mut venue, 80);
    assert_eq!(closed(&did), [(maker, CloseReason::ListContingency)]);
    assert_eq!((venue.side(Side::Sell), venue.balance(ALICE, BTC).1), (vec![(stop, 80, 4)], 4 * BASE));
    assert_eq!(list_status(&venue.cancel(ALICE, stop)), [OrderListStatus::Done]);
    assert_eq!(venue.balance(ALICE, BTC).1, 0);
}

#[test]
fn a_list_is_cancelled_whole_by_its_id_its_name_or_one_of_its_orders() {
    for by in 0..3 {
        let mut venue = venue();
        let list = PlaceOrderList {
            account: ALICE,
            instrument: BTCUSDT,
            contingency: Contingency::OneCancelsOther,
            ids: 0,
        };
        let name = Some(exchange::name("mine"));
        let command = Command::PlaceOrderList { list, client_order_id: name, orders: sell_pair().to_vec() };
        let did = venue.done(&command);
        assert_eq!(venue.apply(&command).outcome, Outcome::Refused(Reject::DuplicateListClientOrderId));
        let ids = orders(&did);
        let cancel = |list_id, original| {
            let cancel =
                CancelOrderList { account: ALICE, instrument: BTCUSDT, ids: 0, reserved: 0, list_id };
            Command::CancelOrderList { cancel, ids: CancelIds { original, request: None } }
        };
        let wrong = cancel(OrderListId(7), None);
        assert_eq!(venue.apply(&wrong).outcome, Outcome::Refused(Reject::UnknownOrderList));
        let did = match by {
            0 => venue.done(&cancel(OrderListId(did.result), None)),
            1 => venue.done(&cancel(OrderListId(0), name)),
            _ => venue.cancel(ALICE, ids[1]),
        };
        let mut gone = closed(&did);
        gone.sort_unstable_by_key(|(order_id, _)| *order_id);
        assert_eq!(gone, [(ids[0], CloseReason::Cancelled), (ids[1], CloseReason::Cancelled)], "{by}");
        assert_eq!((list_status(&did), venue.balance(ALICE, BTC).1), (vec![OrderListStatus::Done], 0));
    }
}

#[test]
fn a_pending_order_goes_in_when_the_working_one_is_filled() {
    let mut venue = venue();
    let working = leg(OrderType::Limit, Side::Buy, 95, 4);
    let [above, below] = sell_pair();
    let did = place(&mut venue, Contingency::OneTriggersOneCancelsOther, &[working, above, below]);
    let [buy, high, low] = orders(&did)[..] else { panic!("three orders: {did:?}") };
    assert_eq!(venue.balance(ALICE, BTC).1, 0, "pending orders hold nothing");
    assert_eq!(list_status(&venue.place(limit(BOB, Side::Sell, 95, 1))), [], "not filled yet");
    let did = venue.place(limit(BOB, Side::Sell, 95, 3));
    assert_eq!(list_status(&did), [OrderListStatus::Updated]);
    assert_eq!((venue.side(Side::Sell), venue.balance(ALICE, BTC).1), (vec![(high, 110, 4)], 4 * BASE));
    let did = trade_at(&mut venue, 90);
    assert_eq!(closed(&did), [(high, CloseReason::ListContingency)]);
    assert_eq!(venue.side(Side::Sell), [(low, 88, 4)]);
    assert!(buy < high && high < low);

    // One that trades at once activates at once; one that leaves takes the pending one along.
    venue.place(limit(BOB, Side::Sell, 90, 2));
    let pending = leg(OrderType::Limit, Side::Sell, 120, 2);
    let did =
        place(&mut venue, Contingency::OneTriggersOther, &[leg(OrderType::Limit, Side::Buy, 90, 2), pending]);
    assert_eq!(list_status(&did), [OrderListStatus::Started, OrderListStatus::Updated]);
    let did =
        place(&mut venue, Contingency::OneTriggersOther, &[leg(OrderType::Limit, Side::Buy, 80, 2), pending]);
    let [working, pending] = orders(&did)[..] else { panic!("two orders") };
    let did = venue.cancel(ALICE, working);
    assert_eq!(closed(&did), [(working, CloseReason::Cancelled), (pending, CloseReason::Cancelled)]);
}

#[test]
fn a_pending_order_without_funds_expires() {
    let mut venue = venue();
    let pending = leg(OrderType::Limit, Side::Sell, 120, 2);
    let did =
        place(&mut venue, Contingency::OneTriggersOther, &[leg(OrderType::Limit, Side::Buy, 95, 2), pending]);
    let [_, pending] = orders(&did)[..] else { panic!("two orders") };
    let (available, _) = venue.balance(ALICE, BTC);
    venue.done(&Command::Ledger(LedgerOperation::transfer(ALICE, CAROL, BTC, available)));
    // It gets the 2 that the working order bought less nothing, so one of them must go first.
    venue.place(limit(BOB, Side::Sell, 95, 1));
    venue.done(&Command::Ledger(LedgerOperation::transfer(ALICE, CAROL, BTC, BASE)));
    let did = venue.place(limit(BOB, Side::Sell, 95, 1));
    assert_eq!(closed(&did), [(pending, CloseReason::InsufficientBalance)]);
    assert_eq!(list_status(&did), [OrderListStatus::Updated, OrderListStatus::Done]);
}

#[test]
fn lists_that_make_no_sense_are_refused_whole() {
    use Contingency::{OneCancelsOther, OneTriggersOther};
    let mut venue = venue();
    let [above, below] = sell_pair();
    let other_side = stop_leg(Side::Buy, 110, 112, 4);
    let less = stop_leg(Side::Sell, 90, 88, 3);
    let poor = leg(OrderType::LimitMaker, Side::Sell, 110, 4_000_000_000_000);
    let poor_stop = stop_leg(Side::Sell, 90, 88, 4_000_000_000_000);
    let crossing = leg(OrderType::LimitMaker, Side::Sell, 94, 4);
    venue.place(limit(BOB, Side::Buy, 95, 1));
    for (contingency, orders, reject) in [
        (OneCancelsOther, [below, above], Reject::BadCombination),
        (OneCancelsOther, [above, other_side], Reject::BadCombination),
        (OneCancelsOther, [above, less], Reject::BadCombination),
        (OneCancelsOther, [above, above], Reject::BadCombination),
        (OneCancelsOther, [above, stop_leg(Side::Sell, 111, 88, 4)], Reject::WouldTrigger),
        (OneCancelsOther, [crossing, below], Reject::WouldTake),
        (OneCancelsOther, [poor, poor_stop], Reject::InsufficientBalance),
        (OneTriggersOther, [below, above], Reject::BadCombination),
    ] {
        let before = (venue.balance(ALICE, BTC), venue.side(Side::Sell));
        let did = place(&mut venue, contingency, &orders);
        let refused = (did.outcome, (venue.balance(ALICE, BTC), venue.side(Side::Sell)));
        assert_eq!(refused, (Outcome::Refused(reject), before), "{orders:?}");
    }
}

fn set_status(status: InstrumentStatus, parts: u8) -> Command {
    let mut definition = sample::instrument();
    definition.status = status;
    let parts = change::STATUS | parts;
    Command::ChangeInstrument(ChangeInstrument { instrument: BTCUSDT, parts, reserved: [0; 5], definition })
}

fn auction(did: &Did) -> (u32, u64, Vec<(u64, u64, u64)>) {
    let mut held = (0, 0);
    let mut traded = Vec::new();
    for event in &did.events {
        match event {
            Event::AuctionHeld(auction) => held = (auction.price.0, auction.quantity.0),
            Event::AuctionTrade(auction) => {
                let trade = &auction.trade;
                assert_eq!(trade.price.0, held.0);
                traded.push((trade.maker_order_id.0, trade.taker_order_id.0, trade.quantity.0));
            }
            _ => {}
        }
    }
    (held.0, held.1, traded)
}

#[test]
fn an_auction_opens_at_one_price_and_gives_back_the_difference() {
    let mut venue = venue();
    venue.done(&set_status(InstrumentStatus::PreOpen, 0));
    let before = venue.balance(ALICE, USDT).0;
    let buy = venue.place(limit(ALICE, Side::Buy, 108, 5)).result;
    let sell = venue.place(limit(BOB, Side::Sell, 98, 3)).result;
    let other = venue.place(limit(CAROL, Side::Sell, 104, 4)).result;
    let crossed = venue.apply(&set_status(InstrumentStatus::Trading, 0));
    assert_eq!(crossed.outcome, Outcome::Refused(Reject::BookCrossed));
    let did = venue.done(&set_status(InstrumentStatus::Trading, change::AUCTION));
    // 5 trade from 104 to 108; 100 was the last price, 104 is the nearest to it.
    assert_eq!(auction(&did), (104, 5, vec![(buy, sell, 3), (buy, other, 2)]));
    assert_eq!(venue.balance(ALICE, USDT), (before - 5 * 104 * QUOTE, 0));
    assert_eq!(venue.side(Side::Sell), [(other, 104, 2)]);
    assert_eq!(venue.engine.market(BTCUSDT).and_then(engine_core::Market::last_price), Some(Price(104)));
}

#[test]
fn a_breaker_halts_takes_orders_and_reopens_by_auction() {
    let mut venue = venue();
    let breaker = Breaker { band: 1_000, reserved: 0, window: 60 * SECOND, halt: 30 * SECOND };
    venue.done(&Command::SetBreaker(SetBreaker { instrument: BTCUSDT, reserved: [0; 6], breaker }));
    let status = |venue: &Venue| venue.engine.market(BTCUSDT).map(|market| market.instrument.status);
    trade_at(&mut venue, 100);
    trade_at(&mut venue, 110);
    assert_eq!(status(&venue), Some(InstrumentStatus::Trading));
    let did = trade_at(&mut venue, 111);
    let reopens_at = did.events.iter().find_map(|event| match event {
        Event::InstrumentHalted(halted) => Some((halted.from_price.0, halted.reopens_at)),
        _ => None,
    });
    let due = Time(venue.time.0 + 30 * SECOND);
    assert_eq!(reopens_at, Some((100, due)));
    assert_eq!((status(&venue), venue.engine.next_expiry()), (Some(InstrumentStatus::PreOpen), Some(due)));
    let buy = venue.place(limit(ALICE, Side::Buy, 106, 2)).result;
    let sell = venue.place(limit(BOB, Side::Sell, 105, 2)).result;
    assert_eq!(venue.side(Side::Buy), [(buy, 106, 2)]);
    venue.time = due;
    let did = venue.done(&Command::Tick);
    assert_eq!(auction(&did), (106, 2, vec![(buy, sell, 2)]), "111 was last");
    assert_eq!(status(&venue), Some(InstrumentStatus::Trading));
}

#[test]
fn timers_switches_and_sessions_cancel_and_say_why() {
    let mut venue = venue();
    let timer = |timeout| Command::SetCancelTimer(SetCancelTimer { account: ALICE, reserved: 0, timeout });
    let order = venue.place(limit(ALICE, Side::Buy, 90, 1)).result;
    venue.done(&timer(10 * SECOND));
    venue.time.0 += 9 * SECOND;
    venue.done(&timer(10 * SECOND));
    venue.time.0 += 9 * SECOND;
    assert_eq!(closed(&venue.done(&Command::Tick)), []);
    venue.time.0 += SECOND;
    assert_eq!(closed(&venue.done(&Command::Tick)), [(order, CloseReason::CancelTimer)]);
    assert_eq!(venue.engine.next_expiry(), None, "it ran out once");
    venue.done(&timer(SECOND));
    venue.done(&timer(0));
    assert_eq!(venue.engine.next_expiry(), None, "it was lifted");

    let switch = |switch| Command::SetKillSwitch(SetKillSwitch { account: ALICE, switch, reserved: [0; 3] });
    let order = venue.place(limit(ALICE, Side::Buy, 90, 1)).result;
    assert_eq!(closed(&venue.done(&switch(KillSwitch::On))), [(order, CloseReason::KillSwitch)]);
    let refused = Outcome::Refused(Reject::KillSwitchOn);
    assert_eq!(venue.place(limit(ALICE, Side::Buy, 90, 1)).outcome, refused);
    venue.done(&Command::Ledger(LedgerOperation::transfer(ALICE, BOB, USDT, 1)));
    venue.done(&switch(KillSwitch::Off));
    assert_eq!(venue.place(limit(ALICE, Side::Buy, 90, 1)).outcome, Outcome::Done);

    let mut sessions = Vec::new();
    for session in [1, 2, 1] {
        let terms = Some(OrderTerms { session, ..OrderTerms::NONE });
        let order = limit(ALICE, Side::Buy, 80, 1);
        sessions.push(venue.done(&Command::PlaceOrder { order, client_order_id: None, terms }).result);
    }
    let close = |session| Command::CloseSession(CloseSession { source: SourceId(1), reserved: 0, session });
    let reason = CloseReason::SessionClosed;
    assert_eq!(closed(&venue.done(&close(1))), [(sessions[0], reason), (sessions[2], reason)]);
    assert_eq!(closed(&venue.done(&close(0))), [(sessions[1], reason)]);
}

#[test]
fn a_delisted_instrument_gives_everything_back_and_stays_closed() {
    let mut venue = venue();
    venue.audited = false;
    for price in 0..1_500 {
        assert_eq!(venue.place(limit(ALICE, Side::Buy, 10 + price % 80, 1)).outcome, Outcome::Done);
    }
    assert_eq!(place(&mut venue, Contingency::OneCancelsOther, &sell_pair()).outcome, Outcome::Done);
    let delist = Command::DelistInstrument(DelistInstrument { instrument: BTCUSDT, reserved: [0; 6] });
    assert_eq!(closed(&venue.done(&delist)).len(), 1_024, "one command's bound");
    let closed_market = Outcome::Refused(Reject::MarketClosed);
    assert_eq!(venue.place(limit(ALICE, Side::Buy, 90, 1)).outcome, closed_market);
    venue.done(&Command::Tick);
    assert_eq!((venue.balance(ALICE, USDT).1, venue.balance(ALICE, BTC).1), (0, 0));
    assert_eq!(venue.engine.audit(), Ok(()));
    let delisted = Outcome::Refused(Reject::InstrumentDelisted);
    assert_eq!(venue.apply(&delist).outcome, delisted);
    assert_eq!(venue.apply(&set_status(InstrumentStatus::Trading, 0)).outcome, delisted);
    assert_eq!(trades(&venue.place(limit(BOB, Side::Sell, 10, 1))), []);
}
