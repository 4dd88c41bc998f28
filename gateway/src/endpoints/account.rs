//! The caller's account: balances, trades, fees, limits (dialect §6). Refuses to know keys.

use super::{
    Answer::Good,
    Endpoint,
    Method::Get,
    Object, Section, Shape, endpoint,
    market::FILTER,
    orders::{DISCOUNT, ORDER},
    shape::{field, mandatory, object, optional},
    usual::{BAD_SYMBOL, END, LIMIT, START, SYMBOL},
};
use crate::calls::Call;
use Shape::{Boolean, Decimal, Integer, List, Text, Time, Word};

pub(super) const SECTION: Section =
    Section { name: "Account", about: "Signed, by a key that may read.", endpoints: ENDPOINTS };

const RATES: Object = object(
    "Rates",
    "Commission rates as fractions: 0.00100000 is 0.1 %.",
    &[&[
        field("maker", Decimal, "When an order rested; negative is a rebate."),
        field("taker", Decimal, "When an order came."),
        field("buyer", Decimal, "0."),
        field("seller", Decimal, "0."),
    ]],
);
const BALANCE: Object = object(
    "Balance",
    "What the account has of an asset.",
    &[&[
        field("asset", Text, "The asset."),
        field("free", Decimal, "May be spent."),
        field("locked", Decimal, "Set aside by open orders."),
    ]],
);
const ACCOUNT: Object = object(
    "Account",
    "The account.",
    &[&[
        field("makerCommission", Integer, "In 1/10000, of the first instrument."),
        field("takerCommission", Integer, "In 1/10000, of the first instrument."),
        field("buyerCommission", Integer, "0."),
        field("sellerCommission", Integer, "0."),
        field("commissionRates", Shape::Object(&RATES), "The same as fractions."),
        field("canTrade", Boolean, "Whether this key may trade now."),
        field("canWithdraw", Boolean, "Whether it may withdraw."),
        field("canDeposit", Boolean, "Whether it may deposit."),
        field("brokered", Boolean, "Always false."),
        field("requireSelfTradePrevention", Boolean, "Always false."),
        field("preventSor", Boolean, "Always false."),
        field("updateTime", Time, "When its money last moved."),
        field("accountType", Word(&["SPOT"]), "The only kind."),
        field("balances", List(&Shape::Object(&BALANCE)), "By asset."),
        field("permissions", List(&Text), "What it may trade."),
        field("uid", Integer, "The account's number."),
    ]],
);
const OWN_TRADE: Object = object(
    "OwnTrade",
    "A trade of the caller's.",
    &[&[
        field("symbol", Text, "The instrument."),
        field("id", Integer, "Consecutive within the instrument."),
        field("orderId", Integer, "The caller's order."),
        field("orderListId", Integer, "The list that the order is part of; -1 for none."),
        field("price", Decimal, "At which price."),
        field("qty", Decimal, "How much of the base asset."),
        field("quoteQty", Decimal, "How much of the quote asset."),
        field("commission", Decimal, "What was paid for it; negative for a rebate."),
        field("commissionAsset", Text, "In which asset: the one received."),
        field("time", Time, "When."),
        field("isBuyer", Boolean, "Whether the caller bought."),
        field("isMaker", Boolean, "Whether the caller's order rested."),
        field("isBestMatch", Boolean, "Always true."),
    ]],
);
const ORDER_RATE: Object = object(
    "OrderRate",
    "How many orders the account has placed in an interval.",
    &[&[
        field("rateLimitType", Word(&["ORDERS"]), "What is counted."),
        field("interval", Word(&["SECOND", "DAY"]), "The interval's unit."),
        field("intervalNum", Integer, "How many of the unit."),
        field("limit", Integer, "The most."),
        field("count", Integer, "How many there were."),
    ]],
);
const COMMISSION: Object = object(
    "Commission",
    "The rates that the caller pays in an instrument.",
    &[&[
        field("symbol", Text, "The instrument."),
        field("standardCommission", Shape::Object(&RATES), "The account's rates."),
        field("specialCommission", Shape::Object(&RATES), "0."),
        field("taxCommission", Shape::Object(&RATES), "0."),
        field("discount", Shape::Object(&DISCOUNT), "None."),
    ]],
);
const PREVENTED: Object = object(
    "PreventedMatch",
    "Two orders that would have traded, of one account or trade group.",
    &[&[
        field("symbol", Text, "The instrument."),
        field("preventedMatchId", Integer, "Its id; grows."),
        field("takerOrderId", Integer, "The order that came."),
        field("makerSymbol", Text, "The instrument."),
        field("makerOrderId", Integer, "The order that rested."),
        field("tradeGroupId", Integer, "The account's trade group; -1 for none."),
        field("selfTradePreventionMode", Text, "The mode that applied."),
        field("price", Decimal, "At which price they would have traded."),
        field("makerPreventedQuantity", Decimal, "How much did not trade."),
        field("transactTime", Time, "When."),
    ]],
);
const AMENDMENT: Object = object(
    "Amendment",
    "How an order became smaller.",
    &[&[
        field("symbol", Text, "The instrument."),
        field("orderId", Integer, "The order."),
        field("executionId", Integer, "Its number; grows."),
        field("origClientOrderId", Text, "What the order was called before."),
        field("newClientOrderId", Text, "What it is called since."),
        field("origQty", Decimal, "How much it asked for before."),
        field("newQty", Decimal, "How much it asks for since."),
        field("time", Time, "When."),
    ]],
);
const MY_FILTERS: Object = object(
    "MyFilters",
    "The filters that bind the caller.",
    &[&[
        field("exchangeFilters", List(&Shape::Object(&FILTER)), "None."),
        field("symbolFilters", List(&Shape::Object(&FILTER)), "Those of the instrument."),
        field("assetFilters", List(&Shape::Object(&FILTER)), "None."),
    ]],
);

const TOO_LONG: (i32, &str) = (-1127, "More than 24 hours between startTime and endTime.");
const COMBINATION: (i32, &str) = (-1128, "Combination of optional parameters invalid.");

const ENDPOINTS: &[Endpoint] = &[
    endpoint(
        Get,
        "/api/v3/account",
        Call::Account,
        "The account and its balances.",
        &[optional("omitZeroBalances", Boolean, "Whether to leave out assets of which there is nothing.")],
        Good(Shape::Object(&ACCOUNT)),
    ),
    endpoint(
        Get,
        "/api/v3/account/commission",
        Call::Commission,
        "The rates that the caller pays in an instrument.",
        &[SYMBOL],
        Good(Shape::Object(&COMMISSION)),
    )
    .refuses(&[BAD_SYMBOL]),
    endpoint(
        Get,
        "/api/v3/myTrades",
        Call::MyTrades,
        "The caller's trades.",
        &[
            SYMBOL,
            optional("orderId", Integer, "Only of this order."),
            START,
            END,
            optional("fromId", Integer, "From this trade's id on; not with a time."),
            LIMIT,
        ],
        Good(List(&Shape::Object(&OWN_TRADE))),
    )
    .refuses(&[BAD_SYMBOL, TOO_LONG, COMBINATION]),
    endpoint(
        Get,
        "/api/v3/rateLimit/order",
        Call::OrderRateLimits,
        "How many orders the account has placed.",
        &[],
        Good(List(&Shape::Object(&ORDER_RATE))),
    ),
    endpoint(
        Get,
        "/api/v3/myPreventedMatches",
        Call::PreventedMatches,
        "Matches that self-trade prevention stopped.",
        &[
            SYMBOL,
            optional("preventedMatchId", Integer, "This one. Either it or `orderId` must be sent."),
            optional("orderId", Integer, "Those of this order, on either side."),
            optional("fromPreventedMatchId", Integer, "With `orderId`: from this id on."),
            LIMIT,
        ],
        Good(List(&Shape::Object(&PREVENTED))),
    )
    .refuses(&[BAD_SYMBOL, COMBINATION]),
    endpoint(
        Get,
        "/api/v3/myAllocations",
        Call::Allocations,
        "Trades that order routing allocated: there are none.",
        &[SYMBOL],
        Good(List(&Shape::Object(&ORDER))),
    )
    .refuses(&[BAD_SYMBOL]),
    endpoint(
        Get,
        "/api/v3/order/amendments",
        Call::Amendments,
        "How an order became smaller, step by step.",
        &[
            SYMBOL,
            mandatory("orderId", Integer, "The order."),
            optional("fromExecutionId", Integer, "From this number on."),
            LIMIT,
        ],
        Good(List(&Shape::Object(&AMENDMENT))),
    )
    .refuses(&[BAD_SYMBOL]),
    endpoint(
        Get,
        "/api/v3/myFilters",
        Call::MyFilters,
        "The filters that bind the caller in an instrument.",
        &[SYMBOL],
        Good(Shape::Object(&MY_FILTERS)),
    )
    .refuses(&[BAD_SYMBOL]),
];
