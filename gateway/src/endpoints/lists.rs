//! Order lists: orders that depend on each other (dialect §5.7). Refuses to know how they do.

use super::{
    Answer::Good,
    Endpoint,
    Method::{Delete, Get, Post},
    Object, Parameter, Section, Shape, endpoint,
    orders::{ACKNOWLEDGED, CANCELLED, PLACED, PREVENTION, RESPONSE, SIDE},
    shape::{field, mandatory, object, optional, sometimes},
    usual::{BAD_SYMBOL, END, LIMIT, START, SYMBOL, UNKNOWN_ORDER},
};
use crate::calls::Call;
use Shape::{Decimal, Either, Integer, List, Text, Time, Word};

pub(super) const SECTION: Section = Section {
    name: "Order lists",
    about: "Signed, by a key that may trade (or read, for questions). OCO: one cancels the other. OTO: the working \
            order, when it is filled, triggers the pending one. OTOCO: it triggers a pair of which one cancels the other.",
    endpoints: ENDPOINTS,
};

const MEMBER: Object = object(
    "OrderListMember",
    "An order of a list.",
    &[&[
        field("symbol", Text, "The instrument."),
        field("orderId", Integer, "Its id."),
        field("clientOrderId", Text, "What its client calls it."),
    ]],
);
/// A list.
pub(super) const ORDER_LIST: Object = object(
    "OrderList",
    "Orders that depend on each other.",
    &[&[
        field("orderListId", Integer, "The list's id."),
        field("contingencyType", Word(&["OCO", "OTO"]), "How they depend on each other."),
        field("listStatusType", Word(&["EXEC_STARTED", "UPDATED", "ALL_DONE"]), "What happened last."),
        field("listOrderStatus", Word(&["EXECUTING", "ALL_DONE"]), "Whether any is open."),
        field("listClientOrderId", Text, "What its client calls the list."),
        field("transactionTime", Time, "When it last changed."),
        field("symbol", Text, "The instrument."),
        field("orders", List(&Shape::Object(&MEMBER)), "Its orders."),
        sometimes(
            "orderReports",
            List(&REPORT),
            "How each stands: of a list that was just placed or cancelled.",
        ),
    ]],
);
const REPORT: Shape =
    Either(&[Shape::Object(&PLACED), Shape::Object(&ACKNOWLEDGED), Shape::Object(&CANCELLED)]);

const LIST_NAME: Parameter =
    optional("listClientOrderId", Text, "A name for the list, unique among the account's open lists.");
const MODE: Parameter =
    optional("selfTradePreventionMode", PREVENTION, "What happens against one's own orders.");
const RESPONSE_TYPE: Parameter = optional(
    "newOrderRespType",
    RESPONSE,
    "How much of each order's answer is wanted; RESULT when not said.",
);

/// What one order of a list says of itself, by its prefix. `$must` says whether its type is needed.
macro_rules! leg {
    ($prefix:literal) => {
        [
            mandatory(concat!($prefix, "Type"), Text, "The order's type."),
            optional(concat!($prefix, "ClientOrderId"), Text, "A name for the order."),
            optional(concat!($prefix, "Price"), Decimal, "Its limit."),
            optional(concat!($prefix, "StopPrice"), Decimal, "Where it is triggered."),
            optional(concat!($prefix, "TrailingDelta"), Integer, "How far its trigger trails, in 1/10000."),
            optional(concat!($prefix, "IcebergQty"), Decimal, "How much of an iceberg is shown."),
            optional(concat!($prefix, "TimeInForce"), Word(&["GTC", "IOC", "FOK"]), "How long it lives."),
            optional(concat!($prefix, "StrategyId"), Integer, "A number of the client's own."),
            optional(
                concat!($prefix, "StrategyType"),
                Integer,
                "A number of the client's own, from 1000000.",
            ),
            optional(
                concat!($prefix, "PegPriceType"),
                Word(&["PRIMARY_PEG", "MARKET_PEG"]),
                "To which price it is pegged.",
            ),
            optional(concat!($prefix, "PegOffsetType"), Word(&["PRICE_LEVEL"]), "What the offset counts."),
            optional(concat!($prefix, "PegOffsetValue"), Integer, "How many levels away."),
        ]
    };
}
const LEG: usize = 12;
const ABOVE: [Parameter; LEG] = leg!("above");
const BELOW: [Parameter; LEG] = leg!("below");
const WORKING: [Parameter; LEG] = leg!("working");
const PENDING: [Parameter; LEG] = leg!("pending");
const PENDING_ABOVE: [Parameter; LEG] = leg!("pendingAbove");
const PENDING_BELOW: [Parameter; LEG] = leg!("pendingBelow");

const OCO_OWN: [Parameter; 6] = [
    SYMBOL,
    LIST_NAME,
    mandatory("side", SIDE, "Of both orders."),
    mandatory("quantity", Decimal, "Of both orders."),
    RESPONSE_TYPE,
    MODE,
];
const OTO_OWN: [Parameter; 8] = [
    SYMBOL,
    LIST_NAME,
    RESPONSE_TYPE,
    MODE,
    mandatory("workingSide", SIDE, "Of the working order."),
    mandatory("workingQuantity", Decimal, "Of the working order."),
    mandatory("pendingSide", SIDE, "Of what it triggers."),
    mandatory("pendingQuantity", Decimal, "Of what it triggers."),
];

/// Several groups of parameters as one.
const fn joined<const N: usize>(groups: &[&[Parameter]]) -> [Parameter; N] {
    let mut all = [SYMBOL; N];
    let (mut at, mut group) = (0, 0);
    while group < groups.len() {
        let mut place = 0;
        while place < groups[group].len() {
            all[at] = groups[group][place];
            at += 1;
            place += 1;
        }
        group += 1;
    }
    assert!(at == N, "every place is filled");
    all
}
const OCO: [Parameter; 6 + 2 * LEG] = joined(&[&OCO_OWN, &ABOVE, &BELOW]);
const OTO: [Parameter; 8 + 2 * LEG] = joined(&[&OTO_OWN, &WORKING, &PENDING]);
const OTOCO: [Parameter; 8 + 3 * LEG] = joined(&[&OTO_OWN, &WORKING, &PENDING_ABOVE, &PENDING_BELOW]);
const OLD_OCO: &[Parameter] = &[
    SYMBOL,
    LIST_NAME,
    mandatory("side", SIDE, "Of both orders."),
    mandatory("quantity", Decimal, "Of both orders."),
    mandatory("price", Decimal, "The limit order's price: above the last price to sell, below it to buy."),
    mandatory("stopPrice", Decimal, "Where the stop is triggered: on the other side."),
    optional("stopLimitPrice", Decimal, "The stop's limit; without it, it is a market order."),
    optional("stopLimitTimeInForce", Word(&["GTC", "IOC", "FOK"]), "Needed with `stopLimitPrice`."),
    optional("trailingDelta", Integer, "How far the stop trails, in 1/10000."),
    optional("limitClientOrderId", Text, "A name for the limit order."),
    optional("limitStrategyId", Integer, "A number of the client's own."),
    optional("limitStrategyType", Integer, "A number of the client's own, from 1000000."),
    optional("limitIcebergQty", Decimal, "How much of the limit order is shown."),
    optional("stopClientOrderId", Text, "A name for the stop."),
    optional("stopStrategyId", Integer, "A number of the client's own."),
    optional("stopStrategyType", Integer, "A number of the client's own, from 1000000."),
    optional("stopIcebergQty", Decimal, "How much of the stop is shown."),
    RESPONSE_TYPE,
    MODE,
];

const PLACE_REFUSALS: &[(i32, &str)] = &[
    BAD_SYMBOL,
    (-1013, "Filter failure: (the filter's type)"),
    (-1106, "Parameter '(name)' sent when not required."),
    (-1116, "Invalid orderType."),
    (-2010, "Account has insufficient balance for requested action."),
    (-2010, "Order would trigger immediately."),
    (-2010, "The relationship of the prices for the orders is not correct."),
];
const EITHER: (i32, &str) =
    (-1102, "Param 'orderListId' or '(name)' must be sent, but both were empty/null!");

const ENDPOINTS: &[Endpoint] = &[
    endpoint(
        Post,
        "/api/v3/orderList/oco",
        Call::PlaceOco,
        "Places two orders of which one cancels the other.",
        &OCO,
        Good(Shape::Object(&ORDER_LIST)),
    )
    .details("One hold, the larger of the two, serves both.")
    .refuses(PLACE_REFUSALS),
    endpoint(
        Post,
        "/api/v3/order/oco",
        Call::PlaceOcoOldForm,
        "Places a limit order and a stop of which one cancels the other, in the old form.",
        OLD_OCO,
        Good(Shape::Object(&ORDER_LIST)),
    )
    .refuses(PLACE_REFUSALS),
    endpoint(
        Post,
        "/api/v3/orderList/oto",
        Call::PlaceOto,
        "Places an order that triggers another when it is filled.",
        &OTO,
        Good(Shape::Object(&ORDER_LIST)),
    )
    .details("The working order is LIMIT or LIMIT_MAKER. A pending order holds nothing until its turn comes.")
    .refuses(PLACE_REFUSALS),
    endpoint(
        Post,
        "/api/v3/orderList/otoco",
        Call::PlaceOtoco,
        "Places an order that triggers a pair, of which one cancels the other.",
        &OTOCO,
        Good(Shape::Object(&ORDER_LIST)),
    )
    .refuses(PLACE_REFUSALS),
    endpoint(
        Delete,
        "/api/v3/orderList",
        Call::CancelList,
        "Cancels every order of a list.",
        &[
            SYMBOL,
            optional("orderListId", Integer, "The list's id."),
            optional("listClientOrderId", Text, "The list's name."),
            optional("newClientOrderId", Text, "What the request is called."),
        ],
        Good(Shape::Object(&ORDER_LIST)),
    )
    .details("Cancelling one order of a list cancels the others too.")
    .refuses(&[BAD_SYMBOL, EITHER, UNKNOWN_ORDER]),
    endpoint(
        Get,
        "/api/v3/orderList",
        Call::QueryList,
        "A list.",
        &[
            optional("orderListId", Integer, "The list's id."),
            optional("origClientOrderId", Text, "The list's name."),
        ],
        Good(Shape::Object(&ORDER_LIST)),
    )
    .refuses(&[EITHER, (-2013, "Order list does not exist.")]),
    endpoint(
        Get,
        "/api/v3/allOrderList",
        Call::AllLists,
        "Open and past lists, by id.",
        &[optional("fromId", Integer, "From this id on; not with a time."), START, END, LIMIT],
        Good(List(&Shape::Object(&ORDER_LIST))),
    )
    .refuses(&[(-1128, "Combination of optional parameters invalid.")]),
    endpoint(
        Get,
        "/api/v3/openOrderList",
        Call::OpenLists,
        "Open lists.",
        &[],
        Good(List(&Shape::Object(&ORDER_LIST))),
    ),
];
