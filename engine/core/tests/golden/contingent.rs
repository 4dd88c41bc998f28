//! Commands for the golden log of orders that are not plain, auctions and what stops trading.

use super::setting_up;
use protocol::{
    AccountId, InstrumentId, InstrumentStatus, OrderId, OrderListId, OrderTerms, OrderType, Price, Quantity,
    Side, SourceId, Time, TimeInForce,
    command::{
        AmendOrder, CancelIds, CancelOrder, CancelOrderList, ChangeInstrument, CloseSession, Command,
        ListedOrder, PlaceOrder, PlaceOrderList, SetBreaker, SetCancelTimer, SetKillSwitch, SetOrderFilters,
        change, sample,
    },
    order::CancelRestriction,
    terms::{Breaker, Contingency, KillSwitch, OrderFilters, PegPrice},
};

const SECOND: u64 = 1_000_000_000;

/// Setting up, then 2,000 commands of every kind from a fixed generator.
pub fn commands() -> Vec<Command> {
    let mut commands = setting_up();
    let mut state = 4_242_u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let instrument = InstrumentId(1);
    for index in 0..2_000_u64 {
        let account = AccountId(5 + next(4) as u32);
        let base = PlaceOrder {
            account,
            side: if next(2) == 0 { Side::Buy } else { Side::Sell },
            price: Price(5_000 + next(20) as u32),
            quantity: Quantity(1 + next(50)),
            ..sample::limit_order()
        };
        let name = (next(6) == 0).then(|| sample::client_order_id(&format!("o{}", next(50))));
        let terms = OrderTerms::NONE;
        let special = |order, terms| Command::PlaceOrder { order, client_order_id: name, terms: Some(terms) };
        let plain = |order| ListedOrder { order, client_order_id: None, terms: None };
        let stop_price = Price(4_995 + next(30) as u32);
        let types = [
            OrderType::StopLoss,
            OrderType::StopLossLimit,
            OrderType::TakeProfit,
            OrderType::TakeProfitLimit,
        ];
        let order_type = types[next(4) as usize];
        let price = if order_type.is_market() { Price(0) } else { base.price };
        let stop = PlaceOrder { order_type, price, ..base };
        let stopping = OrderTerms { stop_price, session: next(3), ..terms };
        let high = Price(5_015 + next(9) as u32);
        let low = Price(4_990 + next(12) as u32);
        let maker = |price| plain(PlaceOrder { order_type: OrderType::LimitMaker, price, ..base });
        let limit_leg = |stop_price| ListedOrder {
            order: PlaceOrder { order_type: OrderType::StopLossLimit, price: stop_price, ..base },
            client_order_id: None,
            terms: Some(OrderTerms { stop_price, ..terms }),
        };
        let pair = if base.side == Side::Buy {
            [limit_leg(high), maker(low)]
        } else {
            [maker(high), limit_leg(low)]
        };
        let working = plain(PlaceOrder { side: base.side.opposite(), ..base });
        let cancel_id = OrderId(1 + next(index + 1));
        commands.push(match next(40) {
            0..=11 => Command::PlaceOrder { order: base, client_order_id: name, terms: None },
            12 => {
                let order = PlaceOrder { order_type: OrderType::Market, price: Price(0), ..base };
                Command::PlaceOrder { order, client_order_id: None, terms: None }
            }
            13..=17 => special(stop, stopping),
            18..=19 => special(
                stop,
                OrderTerms { stop_price: Price(0), trailing_delta: 1 + next(80) as u32, ..stopping },
            ),
            20..=22 => special(base, OrderTerms { visible_quantity: Quantity(1 + next(5)), ..terms }),
            23 => {
                let peg = if next(2) == 0 { PegPrice::Primary } else { PegPrice::Market };
                let peg_offset = next(3) as u8;
                special(PlaceOrder { price: Price(0), ..base }, OrderTerms { peg, peg_offset, ..terms })
            }
            24 => {
                let expires_at = Time(1_700_000_000_000_000_000 + (index + 40) * 1_234_567_891);
                let order = PlaceOrder {
                    order_type: OrderType::StopLossLimit,
                    price: base.price,
                    time_in_force: TimeInForce::GoodTillDate,
                    expires_at,
                    ..base
                };
                special(order, stopping)
            }
            25..=29 => {
                let (contingency, orders) = match next(3) {
                    0 => (Contingency::OneCancelsOther, pair.to_vec()),
                    1 => (Contingency::OneTriggersOther, vec![working, plain(base)]),
                    _ => (Contingency::OneTriggersOneCancelsOther, vec![working, pair[0], pair[1]]),
                };
                let list = PlaceOrderList { account, instrument, contingency, ids: 0 };
                Command::PlaceOrderList { list, client_order_id: name, orders }
            }
            30..=33 => Command::CancelOrder {
                cancel: CancelOrder {
                    account,
                    instrument,
                    restriction: CancelRestriction::None,
                    ids: 0,
                    order_id: cancel_id,
                },
                ids: CancelIds { original: None, request: name },
            },
            34 => Command::CancelOrderList {
                cancel: CancelOrderList {
                    account,
                    instrument,
                    ids: 0,
                    reserved: 0,
                    list_id: OrderListId(1 + next(index / 16 + 1)),
                },
                ids: CancelIds::default(),
            },
            35 => Command::AmendOrder {
                amend: AmendOrder {
                    account,
                    instrument,
                    ids: 0,
                    reserved: 0,
                    order_id: cancel_id,
                    new_quantity: Quantity(1 + next(20)),
                },
                ids: CancelIds::default(),
            },
            _ => match next(8) {
                0 => Command::SetCancelTimer(SetCancelTimer {
                    account,
                    reserved: 0,
                    timeout: next(300) * SECOND,
                }),
                1 => {
                    let switch = if next(4) == 0 { KillSwitch::On } else { KillSwitch::Off };
                    Command::SetKillSwitch(SetKillSwitch { account, switch, reserved: [0; 3] })
                }
                2 => {
                    Command::CloseSession(CloseSession { source: SourceId(2), reserved: 0, session: next(3) })
                }
                3 => Command::SetBreaker(SetBreaker {
                    instrument,
                    reserved: [0; 6],
                    breaker: Breaker {
                        band: next(60) as u32,
                        reserved: 0,
                        window: 60 * SECOND,
                        halt: 10 * SECOND,
                    },
                }),
                4 => Command::SetOrderFilters(SetOrderFilters {
                    instrument,
                    reserved: [0; 6],
                    filters: OrderFilters { max_algo_orders: 8, max_order_amends: 2, ..OrderFilters::open() },
                }),
                5 => Command::SetKillSwitch(SetKillSwitch {
                    account,
                    switch: KillSwitch::Off,
                    reserved: [0; 3],
                }),
                6 => Command::Tick,
                _ => {
                    let mut definition = sample::instrument();
                    let opens = next(3) > 0;
                    definition.status =
                        if opens { InstrumentStatus::Trading } else { InstrumentStatus::PreOpen };
                    Command::ChangeInstrument(ChangeInstrument {
                        instrument,
                        parts: change::STATUS | if opens { change::AUCTION } else { 0 },
                        reserved: [0; 5],
                        definition,
                    })
                }
            },
        });
    }
    commands
}
