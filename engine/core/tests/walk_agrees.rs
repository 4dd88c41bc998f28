//! What an order is told that it would find is what it then finds: a fill-or-kill order trades whole
//! exactly when the same order, taking what there is, would; a market order is refused for want of
//! funds exactly when it would cost more than there is. Random books, icebergs and self-trade
//! prevention included (C-TRD-02).

mod exchange;

use engine_core::LadderBooks;
use exchange::{
    ALICE, BOB, BTC, CAROL, Did, Exchange, USDT, immediate, limit, market, market_by_quote, trades,
};
use proptest::prelude::*;
use protocol::{
    AccountId, AssetId, OrderTerms, Quantity, Reject, SelfTradePrevention, Side, TimeInForce,
    command::{Command, LedgerOperation, PlaceOrder},
    event::Event,
    order::CloseReason,
    reject::Outcome,
};

const MODES: [SelfTradePrevention; 5] = [
    SelfTradePrevention::None,
    SelfTradePrevention::ExpireTaker,
    SelfTradePrevention::ExpireMaker,
    SelfTradePrevention::ExpireBoth,
    SelfTradePrevention::Decrement,
];

/// An order at rest: whose (of three), how far from the best price, how much, how much shows.
type Maker = (usize, u32, u64, u64);

fn makers() -> impl Strategy<Value = Vec<Maker>> {
    let maker = (0..3_usize, 0..4_u32, 1..12_u64, 1..12_u64);
    proptest::collection::vec(maker, 1..8)
}

/// A book of `makers` opposite to orders of `side`: from 100 upwards for buys, downwards for sells.
fn book(makers: &[Maker], side: Side) -> Exchange<LadderBooks> {
    let mut exchange = Exchange::new();
    for (account, far, quantity, visible) in makers {
        let price = side.pick(100 + far, 100 - far);
        let order = limit([ALICE, BOB, CAROL][*account], side.opposite(), price, *quantity);
        let terms = (visible < quantity)
            .then_some(OrderTerms { visible_quantity: Quantity(*visible), ..OrderTerms::NONE });
        exchange.done(&Command::PlaceOrder { order, client_order_id: None, terms });
    }
    exchange
}

/// Whether the incoming order left something over.
fn left_over(did: &Did, order_id: u64) -> Option<CloseReason> {
    did.events.iter().find_map(|event| match event {
        Event::OrderClosed(closed, _) if closed.order_id.0 == order_id => Some(closed.reason),
        _ => None,
    })
}

/// Leaves the account `amount` of what it has available of an asset.
fn leave(exchange: &mut Exchange<LadderBooks>, account: AccountId, asset: AssetId, amount: i64) {
    let external = exchange.engine.ledger().asset(asset).expect("there").external;
    let gone = exchange.balance(account, asset).0 - amount;
    exchange.done(&Command::Ledger(LedgerOperation::transfer(account, external, asset, gone)));
}

proptest! {
    #[test]
    fn fill_or_kill_is_all_or_nothing(makers in makers(), buys: bool, quantity in 1..60_u64, far in 0..4_u32, mode in 0..5_usize) {
        let side = if buys { Side::Buy } else { Side::Sell };
        let order = PlaceOrder {
            self_trade_prevention: MODES[mode],
            ..limit(CAROL, side, side.pick(100 + far, 100 - far), quantity)
        };
        let taken = book(&makers, side).place(immediate(order));
        let whole = book(&makers, side).place(PlaceOrder { time_in_force: TimeInForce::FillOrKill, ..order });
        if left_over(&taken, taken.result).is_none() {
            prop_assert_eq!(whole.events.len(), taken.events.len());
        } else {
            prop_assert_eq!(left_over(&whole, whole.result), Some(CloseReason::NotFillableWhole));
            prop_assert_eq!(trades(&whole), vec![]);
        }
    }

    #[test]
    fn a_market_order_costs_what_it_was_checked_for(makers in makers(), buys: bool, quantity in 1..60_u64, by_quote: bool, mode in 0..4_usize, funds in 0..100_i64) {
        let side = if buys { Side::Buy } else { Side::Sell };
        let (asset, unit) = side.pick((USDT, 10), (BTC, 1_000));
        let order = PlaceOrder {
            self_trade_prevention: MODES[mode],
            ..if by_quote { market_by_quote(CAROL, side, quantity * 700) } else { market(CAROL, side, quantity) }
        };
        let mut rich = book(&makers, side);
        let before = rich.balance(CAROL, asset);
        let did = rich.place(order);
        if did.outcome != Outcome::Done {
            return Ok(());
        }
        // What prevention gave back to Carol's own orders is no part of the cost.
        let notional = |(_, price, quantity): (u64, u32, u64)| i64::from(price) * quantity as i64 * 10;
        let base = |(_, _, quantity): (u64, u32, u64)| quantity as i64 * 1_000;
        let all = trades(&did);
        let cost: i64 = all.iter().map(|trade| if buys { notional(*trade) } else { base(*trade) }).sum();
        prop_assert!(before.0 >= cost);
        // By its own words a buy by quote or a sell by base needs what it says, whatever it finds.
        let needed = match (buys, by_quote) {
            (true, true) => quantity as i64 * 700,
            (false, false) => quantity as i64 * 1_000,
            _ => cost,
        };
        // What is left after each trade is where a walk that ends too soon would end.
        let mut short: Vec<i64> = all
            .iter()
            .scan(0, |sum, trade| { *sum += if buys { notional(*trade) } else { base(*trade) }; Some(*sum) })
            .filter(|sum| *sum < needed)
            .collect();
        short.extend([needed - 1, needed - unit, needed * funds / 100].into_iter().filter(|amount| *amount >= 0 && *amount < needed));
        for amount in short {
            let mut poor = book(&makers, side);
            leave(&mut poor, CAROL, asset, amount);
            prop_assert_eq!(poor.place(order).outcome, Outcome::Refused(Reject::InsufficientBalance), "with {} of {}", amount, needed);
        }
        let mut enough = book(&makers, side);
        leave(&mut enough, CAROL, asset, needed);
        let did = enough.place(order);
        prop_assert_eq!((did.outcome, trades(&did)), (Outcome::Done, all));
    }
}
