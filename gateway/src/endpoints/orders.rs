//! Trading: placing, trying, replacing, amending, cancelling orders (dialect §5). Refuses to know what
//! the core does with them.

use super::{
    Answer::{Good, Never},
    Endpoint, Field,
    Method::{Delete, Get, Post, Put},
    Object, Parameter, Section, Shape, endpoint,
    lists::ORDER_LIST,
    shape::{field, mandatory, object, optional, sometimes},
    usual::{BAD_SYMBOL, END, LIMIT, NO_ORDER, ORDER_ID, ORDER_NAME, START, SYMBOL, UNKNOWN_ORDER},
};
use crate::calls::Call;
use Shape::{Boolean, Decimal, Either, Integer, List, Null, Text, Time, Word};

pub(super) const SECTION: Section = Section {
    name: "Trading",
    about: "Signed, by a key that may trade (or read, for questions). When an order, cancel or amendment has been \
            answered, it is on disk.",
    endpoints: ENDPOINTS,
};

pub(super) const SIDE: Shape = Word(&["BUY", "SELL"]);
pub(super) const TYPE: Shape = Word(&[
    "LIMIT",
    "MARKET",
    "LIMIT_MAKER",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
]);
pub(super) const RESPONSE: Shape = Word(&["ACK", "RESULT", "FULL"]);
const TIME_IN_FORCE: Shape = Word(&["GTC", "IOC", "FOK"]);
const STATUS: Shape =
    Word(&["NEW", "PENDING_NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"]);
pub(super) const PREVENTION: Shape =
    Word(&["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"]);

/// Which order.
pub(super) const IDENTITY: &[Field] = &[
    field("symbol", Text, "The instrument."),
    field("orderId", Integer, "The order's id."),
    field("orderListId", Integer, "The list that it is part of; -1 for none."),
    field("clientOrderId", Text, "What its client calls it; of a cancel, what the cancel is called."),
];
const TRANSACTED: &[Field] = &[field("transactTime", Time, "When the exchange did it.")];
/// How an order stands.
const STANDING: &[Field] = &[
    field("price", Decimal, "Its limit; 0 for a market order."),
    field("origQty", Decimal, "How much of the base asset was asked for."),
    field("executedQty", Decimal, "How much has traded."),
    field("origQuoteOrderQty", Decimal, "How much of the quote asset was asked for; 0 when by quantity."),
    field("cummulativeQuoteQty", Decimal, "How much of the quote asset has traded."),
    field("status", STATUS, "Where it stands."),
    field("timeInForce", Text, "How long it lives; GTC for a market order."),
    field("type", TYPE, "Its type."),
    field("side", SIDE, "Its side."),
    field("workingTime", Time, "When it began to work."),
    field("selfTradePreventionMode", PREVENTION, "What happens against one's own orders."),
    sometimes("preventedMatchId", Integer, "The last match that self-trade prevention stopped."),
    sometimes("preventedQuantity", Decimal, "How much it kept from trading."),
];
/// What is said of an order only where it has it.
const CONDITIONAL: &[Field] = &[
    sometimes("trailingDelta", Integer, "How far its trigger trails, in 1/10000."),
    sometimes("trailingTime", Integer, "Since when it trails; -1 when not known or not yet."),
    sometimes("strategyId", Integer, "The client's number for its strategy."),
    sometimes("strategyType", Integer, "The client's number for the kind of strategy."),
    sometimes("pegPriceType", Word(&["PRIMARY_PEG", "MARKET_PEG"]), "To which price it was pegged."),
    sometimes("pegOffsetType", Word(&["PRICE_LEVEL"]), "What the offset counts."),
    sometimes("pegOffsetValue", Integer, "How many levels away."),
    sometimes("peggedPrice", Decimal, "The price that the peg gave it."),
    sometimes("expiryReason", Text, "Why it expired, where there is more to say."),
];
const CONDITIONAL_TRIGGER: &[Field] = &[
    sometimes("stopPrice", Decimal, "Where it is triggered."),
    sometimes("icebergQty", Decimal, "How much of an iceberg is shown."),
];

const FILL: Object = object(
    "Fill",
    "A trade that an order made as it came.",
    &[&[
        field("price", Decimal, "At which price."),
        field("qty", Decimal, "How much."),
        field("commission", Decimal, "What was paid for it; negative for a rebate."),
        field("commissionAsset", Text, "In which asset."),
        field("tradeId", Integer, "The trade."),
    ]],
);
pub(super) const ACKNOWLEDGED: Object = object(
    "OrderAcknowledged",
    "A new order, acknowledged (`newOrderRespType=ACK`).",
    &[IDENTITY, TRANSACTED],
);
pub(super) const PLACED: Object = object(
    "OrderPlaced",
    "A new order and how it stands (`RESULT`, and with its fills `FULL`).",
    &[
        IDENTITY,
        TRANSACTED,
        STANDING,
        CONDITIONAL,
        CONDITIONAL_TRIGGER,
        &[sometimes("fills", List(&Shape::Object(&FILL)), "Its fills (`FULL`).")],
    ],
);
pub(super) const ORDER: Object = object(
    "Order",
    "An order as a question shows it.",
    &[
        IDENTITY,
        STANDING,
        CONDITIONAL,
        &[
            field("stopPrice", Decimal, "Where it is triggered; 0 for an order without a trigger."),
            field("icebergQty", Decimal, "How much of it is shown; 0 for all."),
            field("time", Time, "When it was accepted."),
            field("updateTime", Time, "When it last changed."),
            field("isWorking", Boolean, "Whether it can trade now."),
        ],
    ],
);
pub(super) const CANCELLED: Object = object(
    "OrderCancelled",
    "An order that was cancelled.",
    &[
        IDENTITY,
        TRANSACTED,
        STANDING,
        CONDITIONAL,
        CONDITIONAL_TRIGGER,
        &[field("origClientOrderId", Text, "The order's own client order id.")],
    ],
);

const RATES: Object = object(
    "OrderRates",
    "The rates that an order would pay.",
    &[&[
        field("maker", Decimal, "As a fraction, when it rests."),
        field("taker", Decimal, "As a fraction, when it takes."),
    ]],
);
pub(super) const DISCOUNT: Object = object(
    "Discount",
    "A discount for paying in another asset: there is none.",
    &[&[
        field("enabledForAccount", Boolean, "Always false."),
        field("enabledForSymbol", Boolean, "Always false."),
        field("discountAsset", Text, "Empty."),
        field("discount", Decimal, "0."),
    ]],
);
/// `{}` without `computeCommissionRates`, and the rates with it.
const TESTED: Object = object(
    "OrderTested",
    "An order that would be taken; with `computeCommissionRates`, what it would pay.",
    &[&[
        sometimes("standardCommissionForOrder", Shape::Object(&RATES), "The account's rates."),
        sometimes("specialCommissionForOrder", Shape::Object(&RATES), "0."),
        sometimes("taxCommissionForOrder", Shape::Object(&RATES), "0."),
        sometimes("discount", Shape::Object(&DISCOUNT), "None."),
    ]],
);

pub(super) const NEW_ORDER_ANSWER: Shape = Either(&[Shape::Object(&PLACED), Shape::Object(&ACKNOWLEDGED)]);
const OUTCOME: Shape = Word(&["SUCCESS", "FAILURE", "NOT_ATTEMPTED"]);
const REPLACED: Object = object(
    "CancelReplaced",
    "The two halves of a cancel-replace.",
    &[&[
        field("cancelResult", OUTCOME, "How the cancel ended."),
        field("newOrderResult", OUTCOME, "How the new order ended."),
        field(
            "cancelResponse",
            Either(&[Shape::Object(&CANCELLED), Shape::Object(&REFUSED_HALF)]),
            "The cancelled order, or why there is none.",
        ),
        field(
            "newOrderResponse",
            Either(&[
                Shape::Object(&PLACED),
                Shape::Object(&ACKNOWLEDGED),
                Shape::Object(&REFUSED_HALF),
                Null,
            ]),
            "The new order, or why there is none; null when it was not attempted.",
        ),
    ]],
);
const REFUSED_HALF: Object = object(
    "RefusedHalf",
    "Why one half of a cancel-replace was refused.",
    &[&[field("code", Integer, "The dialect's code."), field("msg", Text, "Its text.")]],
);
const AMENDED_ORDER: Object = object(
    "AmendedOrder",
    "An order after it became smaller.",
    &[
        IDENTITY,
        &[
            field("origClientOrderId", Text, "What it was called before."),
            field("price", Decimal, "Its limit."),
            field("qty", Decimal, "How much it asks for now, what has traded included."),
            field("executedQty", Decimal, "How much has traded."),
            field("preventedQty", Decimal, "How much self-trade prevention kept from trading."),
            field("quoteOrderQty", Decimal, "0."),
            field("cumulativeQuoteQty", Decimal, "How much of the quote asset has traded."),
            field("status", STATUS, "Where it stands."),
            field("timeInForce", Text, "How long it lives."),
            field("type", TYPE, "Its type."),
            field("side", SIDE, "Its side."),
            field("workingTime", Time, "When it began to work."),
            field("selfTradePreventionMode", PREVENTION, "What happens against one's own orders."),
        ],
    ],
);
const AMENDED: Object = object(
    "OrderAmended",
    "An amendment.",
    &[&[
        field("transactTime", Time, "When."),
        field("executionId", Integer, "Its number; grows."),
        field("amendedOrder", Shape::Object(&AMENDED_ORDER), "The order."),
    ]],
);

/// What a new order says of itself; `with` adds what a call has beside.
macro_rules! order_parameters {
    ($($more:expr),* $(,)?) => {
        &[
            SYMBOL,
            mandatory("side", SIDE, "Buy or sell."),
            mandatory("type", TYPE, "The type."),
            optional("timeInForce", TIME_IN_FORCE, "How long it lives. LIMIT needs it, others refuse it."),
            optional("quantity", Decimal, "How much of the base asset."),
            optional("quoteOrderQty", Decimal, "MARKET alone: how much of the quote asset instead."),
            optional("price", Decimal, "The limit. LIMIT and LIMIT_MAKER need it, MARKET refuses it."),
            optional("newClientOrderId", Text, "A name, unique among the account's open orders: 1 to 36 of [a-zA-Z0-9-_]."),
            optional("strategyId", Integer, "A number of the client's own."),
            optional("strategyType", Integer, "A number of the client's own, from 1000000."),
            optional("stopPrice", Decimal, "Where a stop is triggered."),
            optional("trailingDelta", Integer, "How far a trailing stop trails, in 1/10000."),
            optional("icebergQty", Decimal, "How much of an iceberg is shown."),
            optional("pegPriceType", Word(&["PRIMARY_PEG", "MARKET_PEG"]), "To which price of the book it is pegged."),
            optional("pegOffsetValue", Integer, "How many levels away from it."),
            optional("pegOffsetType", Word(&["PRICE_LEVEL"]), "What the offset counts."),
            optional("newOrderRespType", RESPONSE, "How much of the answer is wanted: FULL for MARKET and LIMIT when not said, otherwise ACK."),
            optional("selfTradePreventionMode", PREVENTION, "What happens against one's own orders; the instrument's default when not said."),
            $($more),*
        ]
    };
}
pub(super) const ORDER_PARAMETERS: &[Parameter] = order_parameters!();
const TEST_PARAMETERS: &[Parameter] =
    order_parameters!(optional("computeCommissionRates", Boolean, "Whether to answer with the rates."));
const REPLACE_PARAMETERS: &[Parameter] = order_parameters!(
    mandatory(
        "cancelReplaceMode",
        Word(&["STOP_ON_FAILURE", "ALLOW_FAILURE"]),
        "Whether the new order is attempted when the cancel fails."
    ),
    optional("cancelOrderId", Integer, "The order to cancel, by its id."),
    optional("cancelOrigClientOrderId", Text, "The order to cancel, by its client order id."),
    optional("cancelNewClientOrderId", Text, "What the cancel is called."),
    CANCEL_RESTRICTIONS,
    optional(
        "orderRateLimitExceededMode",
        Word(&["DO_NOTHING", "CANCEL_ONLY"]),
        "What is done when the account has placed too many orders."
    ),
);
pub(super) const CANCEL_RESTRICTIONS: Parameter = optional(
    "cancelRestrictions",
    Word(&["ONLY_NEW", "ONLY_PARTIALLY_FILLED"]),
    "Cancel only an order of this state.",
);
pub(super) const REQUEST_NAME: Parameter =
    optional("newClientOrderId", Text, "What the request is called; made when not said.");
const CANCEL_PARAMETERS: &[Parameter] = &[SYMBOL, ORDER_ID, ORDER_NAME, REQUEST_NAME, CANCEL_RESTRICTIONS];

pub(super) const PLACE_REFUSALS: &[(i32, &str)] = &[
    BAD_SYMBOL,
    (-1013, "Filter failure: (the filter's type)"),
    (-1013, "Market is closed."),
    (-1014, "Unsupported order combination."),
    (-1106, "Parameter '(name)' sent when not required."),
    (-1111, "Parameter '(name)' has too much precision."),
    (-1115, "Invalid timeInForce."),
    (-1116, "Invalid orderType."),
    (-1117, "Invalid side."),
    (-2010, "Account has insufficient balance for requested action."),
    (-2010, "Duplicate order sent."),
    (-2010, "Order would immediately match and take."),
    (-2010, "Order would trigger immediately."),
    (-2010, "IcebergQty exceeds QTY."),
    (-2010, "This account may not place or cancel orders."),
];
const EITHER_ORDER: (i32, &str) =
    (-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!");
pub(super) const CANCEL_REFUSALS: &[(i32, &str)] = &[
    BAD_SYMBOL,
    EITHER_ORDER,
    (-1145, "Invalid cancelRestrictions"),
    UNKNOWN_ORDER,
    (-2011, "Order was not canceled due to cancel restrictions."),
];

const ENDPOINTS: &[Endpoint] = &[
    endpoint(Post, "/api/v3/order", Call::PlaceOrder, "Places an order.", ORDER_PARAMETERS, Good(NEW_ORDER_ANSWER))
        .refuses(PLACE_REFUSALS),
    endpoint(
        Post,
        "/api/v3/order/test",
        Call::TestOrder,
        "Says whether an order would be taken.",
        TEST_PARAMETERS,
        Good(Shape::Object(&TESTED)),
    )
    .details("Parameters, filters, name, funds and post-only are checked as they stand; nothing is changed.")
    .refuses(PLACE_REFUSALS),
    endpoint(
        Get,
        "/api/v3/order",
        Call::QueryOrder,
        "An order.",
        &[SYMBOL, ORDER_ID, ORDER_NAME],
        Good(Shape::Object(&ORDER)),
    )
    .refuses(&[BAD_SYMBOL, EITHER_ORDER, NO_ORDER]),
    endpoint(
        Delete,
        "/api/v3/order",
        Call::CancelOrder,
        "Cancels an order.",
        CANCEL_PARAMETERS,
        Good(Shape::Object(&CANCELLED)),
    )
    .refuses(CANCEL_REFUSALS),
    endpoint(Put, "/api/v3/order", Call::NotSupported, "Not taken: amend in place, or cancel and replace.", &[], Never(404)),
    endpoint(
        Post,
        "/api/v3/order/cancelReplace",
        Call::CancelReplace,
        "Cancels an order and places another.",
        REPLACE_PARAMETERS,
        Good(Shape::Object(&REPLACED)),
    )
    .details(
        "The new order's filters are checked before the cancel. A failure of one half is HTTP 409 with -2021, of \
         both HTTP 400 with -2022; `data` then has both halves.",
    )
    .refuses(&[
        (-2021, "Order cancel-replace partially failed."),
        (-2022, "Order cancel-replace failed."),
        (-1013, "Filter failure: (the filter's type)"),
        BAD_SYMBOL,
    ]),
    endpoint(
        Put,
        "/api/v3/order/amend/keepPriority",
        Call::AmendOrder,
        "Makes an order smaller; it keeps its place.",
        &[
            SYMBOL,
            ORDER_ID,
            ORDER_NAME,
            mandatory("newQty", Decimal, "Less than the order asks for, more than has traded."),
            optional("newClientOrderId", Text, "A new name for the order."),
        ],
        Good(Shape::Object(&AMENDED)),
    )
    .refuses(&[
        BAD_SYMBOL,
        EITHER_ORDER,
        (-2038, "Order amend (quantity increase) is not supported."),
        (-2038, "Unknown order sent."),
    ]),
    endpoint(
        Get,
        "/api/v3/openOrders",
        Call::OpenOrders,
        "The open orders.",
        &[optional("symbol", Text, "Only in this instrument.")],
        Good(List(&Shape::Object(&ORDER))),
    )
    .refuses(&[BAD_SYMBOL]),
    endpoint(
        Delete,
        "/api/v3/openOrders",
        Call::CancelOpenOrders,
        "Cancels every open order of an instrument.",
        &[SYMBOL],
        Good(List(&Either(&[Shape::Object(&CANCELLED), Shape::Object(&ORDER_LIST)]))),
    )
    .refuses(&[BAD_SYMBOL, UNKNOWN_ORDER]),
    endpoint(
        Get,
        "/api/v3/allOrders",
        Call::AllOrders,
        "Open and past orders, by id.",
        &[SYMBOL, optional("orderId", Integer, "From this id on."), START, END, LIMIT],
        Good(List(&Shape::Object(&ORDER))),
    )
    .details("With `orderId` or `startTime` the first rows from there, otherwise the last.")
    .refuses(&[BAD_SYMBOL, (-1127, "More than 24 hours between startTime and endTime.")]),
];
