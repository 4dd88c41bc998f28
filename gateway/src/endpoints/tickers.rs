//! Tickers: what anyone may ask of a window of time or of the best prices (dialect §4.9 to 4.13). Refuses
//! to know accounts.

use super::{
    Answer::Good,
    Endpoint, Field,
    Method::Get,
    Object, Parameter, Section, Shape, endpoint,
    shape::{field, object, optional},
    usual::{BAD_SYMBOL, MAYBE_SYMBOL, STATUS_MISMATCH, SYMBOL_STATUS, SYMBOLS},
};
use crate::calls::Call;
use Shape::{Decimal, Either, Integer, List, Percent, Text, Time, Word};

pub(super) const SECTION: Section = Section {
    name: "Tickers",
    about: "Public: one instrument, several, or all. No key is needed.",
    endpoints: ENDPOINTS,
};

const WINDOW: &[Field] = &[
    field("symbol", Text, "The instrument."),
    field("openPrice", Decimal, "The first price of the window."),
    field("highPrice", Decimal, "The highest."),
    field("lowPrice", Decimal, "The lowest."),
    field("lastPrice", Decimal, "The last."),
    field("volume", Decimal, "How much of the base asset was traded."),
    field("quoteVolume", Decimal, "How much of the quote asset."),
    field("openTime", Time, "Where the window begins."),
    field("closeTime", Time, "Where it ends."),
    field("firstId", Integer, "The first trade's id; -1 without trades."),
    field("lastId", Integer, "The last trade's id; -1 without trades."),
    field("count", Integer, "How many trades."),
];
const MOVEMENT: &[Field] = &[
    field("priceChange", Decimal, "The last price less the first."),
    field("priceChangePercent", Percent, "The same in percent of the first."),
    field("weightedAvgPrice", Decimal, "Quote volume over volume."),
];
const BEST: &[Field] = &[
    field("bidPrice", Decimal, "The highest price of a buyer; 0 without one."),
    field("bidQty", Decimal, "How much is bought there."),
    field("askPrice", Decimal, "The lowest price of a seller; 0 without one."),
    field("askQty", Decimal, "How much is sold there."),
];
const TICKER_24: Object = object(
    "Ticker24Hours",
    "The last 24 hours.",
    &[
        WINDOW,
        MOVEMENT,
        BEST,
        &[
            field("prevClosePrice", Decimal, "The last price before the window."),
            field("lastQty", Decimal, "The last trade's quantity."),
        ],
    ],
);
const TICKER_WINDOW: Object = object("WindowTicker", "A window of the client's choice.", &[WINDOW, MOVEMENT]);
const TICKER_MINI: Object = object("MiniTicker", "A window, short (`type=MINI`).", &[WINDOW]);
const PRICE: Object = object(
    "Price",
    "The last price.",
    &[&[
        field("symbol", Text, "The instrument."),
        field("price", Decimal, "The last price; 0 before the first trade."),
    ]],
);
const BOOK_TICKER: Object =
    object("BookTicker", "The best of either side.", &[&[field("symbol", Text, "The instrument.")], BEST]);
const TICKER_PARAMETERS: &[Parameter] = &[MAYBE_SYMBOL, SYMBOLS, SYMBOL_STATUS];
const EXTENT: Parameter = optional("type", Word(&["FULL", "MINI"]), "How much is told; FULL when not said.");
const ENDPOINTS: &[Endpoint] = &[
    endpoint(
        Get,
        "/api/v3/ticker/24hr",
        Call::Ticker24Hours,
        "The last 24 hours, by whole minutes.",
        &[MAYBE_SYMBOL, SYMBOLS, SYMBOL_STATUS, EXTENT],
        Good(Either(&[
            Shape::Object(&TICKER_24),
            Shape::Object(&TICKER_MINI),
            List(&Shape::Object(&TICKER_24)),
            List(&Shape::Object(&TICKER_MINI)),
        ])),
    )
    .refuses(&[BAD_SYMBOL, (-1139, "Invalid ticker type."), STATUS_MISMATCH]),
    endpoint(
        Get,
        "/api/v3/ticker/tradingDay",
        Call::TradingDayTicker,
        "The trading day by the client's clock.",
        &[
            MAYBE_SYMBOL,
            SYMBOLS,
            optional("timeZone", Text, "Hours east of UTC, -12:00 to 14:00; UTC when not said."),
            EXTENT,
            SYMBOL_STATUS,
        ],
        Good(WINDOW_ANSWER),
    )
    .refuses(WINDOW_REFUSALS),
    endpoint(
        Get,
        "/api/v3/ticker",
        Call::RollingTicker,
        "A window of the client's choice.",
        &[
            MAYBE_SYMBOL,
            SYMBOLS,
            optional("windowSize", Text, "1m to 59m, 1h to 23h, 1d to 7d; 1d when not said."),
            EXTENT,
            SYMBOL_STATUS,
        ],
        Good(WINDOW_ANSWER),
    )
    .details("The window begins on a whole minute, and so is up to a minute longer.")
    .refuses(WINDOW_REFUSALS),
    endpoint(
        Get,
        "/api/v3/ticker/price",
        Call::TickerPrice,
        "The last price.",
        TICKER_PARAMETERS,
        Good(Either(&[Shape::Object(&PRICE), List(&Shape::Object(&PRICE))])),
    )
    .refuses(&[BAD_SYMBOL, STATUS_MISMATCH]),
    endpoint(
        Get,
        "/api/v3/ticker/bookTicker",
        Call::TickerBook,
        "The best of either side.",
        TICKER_PARAMETERS,
        Good(Either(&[Shape::Object(&BOOK_TICKER), List(&Shape::Object(&BOOK_TICKER))])),
    )
    .refuses(&[BAD_SYMBOL, STATUS_MISMATCH]),
];

const WINDOW_ANSWER: Shape = Either(&[
    Shape::Object(&TICKER_WINDOW),
    Shape::Object(&TICKER_MINI),
    List(&Shape::Object(&TICKER_WINDOW)),
    List(&Shape::Object(&TICKER_MINI)),
]);
const WINDOW_REFUSALS: &[(i32, &str)] = &[
    BAD_SYMBOL,
    (-1102, "Param 'symbol' or 'symbols' must be sent, but both were empty/null!"),
    (-1139, "Invalid ticker type."),
    STATUS_MISMATCH,
];
