//! Market data: what anyone may ask (dialect §4). Refuses to know accounts.

use super::{
    Answer::{Good, Never},
    Endpoint,
    Method::{Delete, Get, Post, Put},
    Object, Parameter, Section, Shape, endpoint,
    shape::{field, mandatory, object, optional, sometimes},
    usual::{BAD_SYMBOL, END, LIMIT, START, STATUS_MISMATCH, SYMBOL, SYMBOL_STATUS, SYMBOLS},
};
use crate::calls::Call;
use Shape::{Boolean, Decimal, Either, Integer, List, Null, Row, Text, Time, Word};

pub(super) const SECTION: Section = Section {
    name: "Market data",
    about: "Public: instruments, books, trades, candles. No key is needed.",
    endpoints: ENDPOINTS,
};

const EMPTY: Object = object("Empty", "Nothing more to say: `{}`.", &[]);
const SERVER_TIME: Object =
    object("ServerTime", "The exchange's clock.", &[&[field("serverTime", Time, "Now.")]]);

const RATE_LIMIT: Object = object(
    "RateLimit",
    "How much may be asked in an interval.",
    &[&[
        field("rateLimitType", Word(&["REQUEST_WEIGHT", "ORDERS", "RAW_REQUESTS"]), "What is counted."),
        field("interval", Word(&["SECOND", "MINUTE", "DAY"]), "The interval's unit."),
        field("intervalNum", Integer, "How many of the unit."),
        field("limit", Integer, "The most in an interval."),
    ]],
);

/// A filter; the fields beside its type are the type's own.
pub(super) const FILTER: Object = Object {
    name: "Filter",
    about: "A rule that orders are held to; the fields beside its type are the type's own, named as in Binance's documentation.",
    groups: &[&[field("filterType", Text, "Which rule: PRICE_FILTER, LOT_SIZE, NOTIONAL and so on.")]],
    open: true,
};

const SYMBOL_INFO: Object = object(
    "Symbol",
    "An instrument and its rules.",
    &[&[
        field("symbol", Text, "Its name."),
        field("status", Word(&["TRADING", "HALT", "BREAK", "CANCEL_ONLY"]), "What it does with orders now."),
        field("baseAsset", Text, "What is traded."),
        field("baseAssetPrecision", Integer, "Decimals of the base asset."),
        field("quoteAsset", Text, "What it is paid with."),
        field("quotePrecision", Integer, "Decimals of the quote asset."),
        field("quoteAssetPrecision", Integer, "Decimals of the quote asset."),
        field("baseCommissionPrecision", Integer, "Decimals of a commission in the base asset."),
        field("quoteCommissionPrecision", Integer, "Decimals of a commission in the quote asset."),
        field("orderTypes", List(&Text), "The types of orders that are taken."),
        field("icebergAllowed", Boolean, "Whether an order may show a part of itself only."),
        field("ocoAllowed", Boolean, "Whether two orders may cancel each other."),
        field("otoAllowed", Boolean, "Whether an order may trigger others."),
        field("opoAllowed", Boolean, "Always false."),
        field("quoteOrderQtyMarketAllowed", Boolean, "Whether market orders may be by quote quantity."),
        field("allowTrailingStop", Boolean, "Whether stops may trail."),
        field("cancelReplaceAllowed", Boolean, "Whether cancel-replace is taken."),
        field("amendAllowed", Boolean, "Whether orders may be made smaller in place."),
        field("pegInstructionsAllowed", Boolean, "Whether orders may be pegged to the book."),
        field("isSpotTradingAllowed", Boolean, "Whether it is traded at all."),
        field("isMarginTradingAllowed", Boolean, "Always false."),
        field("filters", List(&Shape::Object(&FILTER)), "The rules for its orders."),
        field("permissions", List(&Text), "Always empty; see `permissionSets`."),
        field("permissionSets", List(&List(&Text)), "Which permissions let an account trade it."),
        field("defaultSelfTradePreventionMode", Text, "For orders that name no mode."),
        field("allowedSelfTradePreventionModes", List(&Text), "The modes there are."),
    ]],
);

const EXCHANGE_INFO: Object = object(
    "ExchangeInfo",
    "What may be traded and by which rules.",
    &[&[
        field("timezone", Word(&["UTC"]), "Of every time."),
        field("serverTime", Time, "Now."),
        field("rateLimits", List(&Shape::Object(&RATE_LIMIT)), "How much may be asked."),
        field("exchangeFilters", List(&Shape::Object(&FILTER)), "Rules over all instruments: none."),
        field("symbols", List(&Shape::Object(&SYMBOL_INFO)), "The instruments."),
    ]],
);

const LEVELS: Shape = List(&Row(&[Decimal, Decimal]));
const DEPTH: Object = object(
    "Depth",
    "The book at one version; each level is its price and quantity.",
    &[&[
        field("lastUpdateId", Integer, "The version: some `u` of the difference stream."),
        field("bids", LEVELS, "Buyers, the highest price first."),
        field("asks", LEVELS, "Sellers, the lowest price first."),
    ]],
);

const TRADE: Object = object(
    "Trade",
    "A trade as anyone may see it.",
    &[&[
        field("id", Integer, "Consecutive within the instrument."),
        field("price", Decimal, "At which price."),
        field("qty", Decimal, "How much of the base asset."),
        field("quoteQty", Decimal, "How much of the quote asset."),
        field("time", Time, "When."),
        field("isBuyerMaker", Boolean, "Whether the buyer's order rested."),
        field("isBestMatch", Boolean, "Always true."),
    ]],
);

const AGGREGATE_TRADE: Object = object(
    "AggregateTrade",
    "The fills of one order at one price.",
    &[&[
        field("a", Integer, "Its id, consecutive within the instrument."),
        field("p", Decimal, "At which price."),
        field("q", Decimal, "How much, all fills together."),
        field("f", Integer, "The first trade's id."),
        field("l", Integer, "The last trade's id."),
        field("T", Time, "When."),
        field("m", Boolean, "Whether the buyer's order rested."),
        field("M", Boolean, "Always true."),
    ]],
);

/// Open time, open, high, low, close, volume, close time, quote volume, trades, taker's base and quote
/// volume, unused.
const CANDLE: Shape =
    Row(&[Time, Decimal, Decimal, Decimal, Decimal, Decimal, Time, Decimal, Integer, Decimal, Decimal, Text]);

const AVERAGE: Object = object(
    "AveragePrice",
    "The average that percent-price bounds are reckoned from.",
    &[&[
        field("mins", Integer, "Over how many minutes."),
        field("price", Decimal, "The average, weighted by volume."),
        field("closeTime", Time, "The last trade's time."),
    ]],
);

const RULE: Object = object(
    "ExecutionRule",
    "Beyond these multiples of the reference price nothing trades; a bound that is not there does not bind.",
    &[&[
        field("ruleType", Word(&["PRICE_RANGE"]), "The only rule."),
        sometimes("bidLimitMultUp", Decimal, "For buyers, upwards."),
        sometimes("askLimitMultDown", Decimal, "For sellers, downwards."),
    ]],
);
const SYMBOL_RULES: Object = object(
    "SymbolRules",
    "An instrument's rules at the time of execution.",
    &[&[field("symbol", Text, "The instrument."), field("rules", List(&Shape::Object(&RULE)), "Its rules.")]],
);
const EXECUTION_RULES: Object = object(
    "ExecutionRules",
    "The rules at the time of execution.",
    &[&[field("symbolRules", List(&Shape::Object(&SYMBOL_RULES)), "By instrument.")]],
);
const REFERENCE_PRICE: Object = object(
    "ReferencePrice",
    "The price that bounds are reckoned from.",
    &[&[
        field("symbol", Text, "The instrument."),
        field("referencePrice", Either(&[Decimal, Null]), "The price; null before there is any."),
        field("timestamp", Time, "When."),
    ]],
);
const CALCULATION: Object = object(
    "ReferencePriceCalculation",
    "How the reference price is made: an average of minute buckets, weighted by volume.",
    &[&[
        field("symbol", Text, "The instrument."),
        field("calculationType", Word(&["ARITHMETIC_MEAN"]), "The only way."),
        field("bucketCount", Integer, "How many buckets."),
        field("bucketWidthMs", Integer, "Their width in milliseconds."),
    ]],
);

const CANDLE_PARAMETERS: &[Parameter] = &[
    SYMBOL,
    mandatory(
        "interval",
        Word(&[
            "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M",
        ]),
        "How long each candle is.",
    ),
    START,
    END,
    optional("timeZone", Text, "The clock by which intervals begin: hours east of UTC, -12:00 to 14:00."),
    LIMIT,
];
const CANDLE_REFUSALS: &[(i32, &str)] = &[BAD_SYMBOL, (-1120, "Invalid interval.")];
const LISTEN_KEY_DETAILS: &str = "Binance has taken listen keys back, and so has Rialto: subscribe by \
     `userDataStream.subscribe.signature` of the WebSocket API.";

const ENDPOINTS: &[Endpoint] = &[
    endpoint(
        Get,
        "/api/v3/ping",
        Call::Ping,
        "Whether the exchange answers.",
        &[],
        Good(Shape::Object(&EMPTY)),
    ),
    endpoint(
        Get,
        "/api/v3/time",
        Call::Time,
        "The exchange's clock.",
        &[],
        Good(Shape::Object(&SERVER_TIME)),
    ),
    endpoint(
        Get,
        "/api/v3/exchangeInfo",
        Call::ExchangeInfo,
        "What may be traded and by which rules.",
        &[
            optional("symbol", Text, "Only this instrument."),
            SYMBOLS,
            optional("permissions", Text, "Only instruments of this permission: SPOT is all there are."),
            optional(
                "showPermissionSets",
                Boolean,
                "Whether `permissionSets` is filled; true when not said.",
            ),
            SYMBOL_STATUS,
        ],
        Good(Shape::Object(&EXCHANGE_INFO)),
    )
    .refuses(&[BAD_SYMBOL, (-1128, "Combination of optional parameters invalid.")]),
    endpoint(
        Get,
        "/api/v3/depth",
        Call::Depth,
        "The book.",
        &[
            SYMBOL,
            optional("limit", Integer, "Levels of each side: 100 when not said, at most 5000."),
            SYMBOL_STATUS,
        ],
        Good(Shape::Object(&DEPTH)),
    )
    .details(
        "The version is one that the 100 ms difference stream leads to: whoever joins both finds no gap.",
    )
    .refuses(&[BAD_SYMBOL, STATUS_MISMATCH]),
    endpoint(
        Get,
        "/api/v3/trades",
        Call::Trades,
        "The last trades.",
        &[SYMBOL, LIMIT],
        Good(List(&Shape::Object(&TRADE))),
    )
    .refuses(&[BAD_SYMBOL]),
    endpoint(
        Get,
        "/api/v3/historicalTrades",
        Call::HistoricalTrades,
        "Trades from an id on.",
        &[SYMBOL, optional("fromId", Integer, "The first trade's id; the last trades when not said."), LIMIT],
        Good(List(&Shape::Object(&TRADE))),
    )
    .refuses(&[BAD_SYMBOL]),
    endpoint(
        Get,
        "/api/v3/historicalBlockTrades",
        Call::BlockTrades,
        "Trades agreed on outside the book: there are none.",
        &[SYMBOL, optional("fromId", Integer, "The first trade's id."), LIMIT],
        Good(List(&Shape::Object(&TRADE))),
    )
    .refuses(&[BAD_SYMBOL]),
    endpoint(
        Get,
        "/api/v3/aggTrades",
        Call::AggregateTrades,
        "Trades, those of one order at one price together.",
        &[SYMBOL, optional("fromId", Integer, "The first aggregate trade's id."), START, END, LIMIT],
        Good(List(&Shape::Object(&AGGREGATE_TRADE))),
    )
    .refuses(&[BAD_SYMBOL]),
    endpoint(Get, "/api/v3/klines", Call::Klines, "Candles.", CANDLE_PARAMETERS, Good(List(&CANDLE)))
        .details(
        "A candle is an array: open time, open, high, low, close, volume, close time, quote volume, number of \
         trades, the takers' base volume, their quote volume, unused. An interval without trades is a flat \
         candle at the last price.",
    )
        .refuses(CANDLE_REFUSALS),
    endpoint(
        Get,
        "/api/v3/uiKlines",
        Call::Klines,
        "Candles, for charts.",
        CANDLE_PARAMETERS,
        Good(List(&CANDLE)),
    )
    .details("The same as `/api/v3/klines`.")
    .refuses(CANDLE_REFUSALS),
    endpoint(
        Get,
        "/api/v3/avgPrice",
        Call::AveragePrice,
        "The average that percent-price bounds are reckoned from.",
        &[SYMBOL],
        Good(Shape::Object(&AVERAGE)),
    )
    .refuses(&[BAD_SYMBOL]),
    endpoint(
        Get,
        "/api/v3/executionRules",
        Call::ExecutionRules,
        "Beyond which prices nothing trades.",
        &[optional("symbol", Text, "Only this instrument."), SYMBOLS, SYMBOL_STATUS],
        Good(Shape::Object(&EXECUTION_RULES)),
    )
    .refuses(&[BAD_SYMBOL, (-1128, "Combination of optional parameters invalid.")]),
    endpoint(
        Get,
        "/api/v3/referencePrice",
        Call::ReferencePrice,
        "The price that bounds are reckoned from.",
        &[SYMBOL, SYMBOL_STATUS],
        Good(Shape::Object(&REFERENCE_PRICE)),
    )
    .refuses(&[BAD_SYMBOL, STATUS_MISMATCH]),
    endpoint(
        Get,
        "/api/v3/referencePrice/calculation",
        Call::ReferencePriceCalculation,
        "How that price is made.",
        &[SYMBOL, SYMBOL_STATUS],
        Good(Shape::Object(&CALCULATION)),
    )
    .refuses(&[BAD_SYMBOL, STATUS_MISMATCH]),
    endpoint(
        Get,
        "/fapi/v1/exchangeInfo",
        Call::EmptyExchangeInfo,
        "A futures exchange that lists nothing: clients ask while they load markets.",
        &[],
        Good(Shape::Object(&EXCHANGE_INFO)),
    ),
    endpoint(
        Get,
        "/dapi/v1/exchangeInfo",
        Call::EmptyExchangeInfo,
        "A futures exchange that lists nothing: clients ask while they load markets.",
        &[],
        Good(Shape::Object(&EXCHANGE_INFO)),
    ),
    endpoint(Post, "/api/v3/userDataStream", Call::ListenKey, "Listen keys are gone.", &[], Never(410))
        .details(LISTEN_KEY_DETAILS),
    endpoint(Put, "/api/v3/userDataStream", Call::ListenKey, "Listen keys are gone.", &[], Never(410))
        .details(LISTEN_KEY_DETAILS),
    endpoint(Delete, "/api/v3/userDataStream", Call::ListenKey, "Listen keys are gone.", &[], Never(410))
        .details(LISTEN_KEY_DETAILS),
];
