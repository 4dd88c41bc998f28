//! Rialto's own paths for orders, over the same calls as the dialect's, and what an account may do to stop
//! itself. Refuses to know how orders are placed.

use super::{
    Answer::Good,
    Endpoint,
    Method::{Get, Post},
    Object, Section, Shape, endpoint,
    orders::{
        CANCEL_REFUSALS, CANCEL_RESTRICTIONS, CANCELLED, NEW_ORDER_ANSWER, ORDER, ORDER_PARAMETERS,
        PLACE_REFUSALS, REQUEST_NAME, SIDE, TYPE,
    },
    shape::{field, mandatory, object, optional},
    usual::{BAD_SYMBOL, END, LIMIT, ORDER_ID, ORDER_NAME, START},
};
use crate::calls::Call;
use Shape::{Integer, List, Text, Word};

pub(super) const SECTION: Section = Section {
    name: "Rialto's own",
    about: "Signed. Plainer paths for orders, and what an account may do to stop itself. A JSON body suits them well.",
    endpoints: ENDPOINTS,
};

const TIMER: Object = object(
    "CancelTimer",
    "A timer that cancels every open order.",
    &[&[
        field("countdownTime", Integer, "As sent."),
        field("dueTime", Integer, "When it is due; -1 without a timer."),
    ]],
);
const SWITCH: Object = object(
    "KillSwitch",
    "An account's kill switch.",
    &[&[
        field("switch", Word(&["ON", "OFF"]), "As it is now."),
        field("canceledOrders", Integer, "How many orders it cancelled."),
    ]],
);

const ENDPOINTS: &[Endpoint] = &[
    endpoint(
        Post,
        "/api/trade/create-order",
        Call::CreateOrder,
        "Places an order; a limit order is good till cancelled unless it says otherwise.",
        ORDER_PARAMETERS,
        Good(NEW_ORDER_ANSWER),
    )
    .details("The same as `POST /api/v3/order` in all else.")
    .refuses(PLACE_REFUSALS),
    endpoint(
        Get,
        "/api/trade/orders",
        Call::ListOrders,
        "The open orders, or the past ones, by filters.",
        &[
            optional(
                "status",
                Word(&[
                    "OPEN",
                    "CLOSED",
                    "ALL",
                    "PENDING_NEW",
                    "NEW",
                    "PARTIALLY_FILLED",
                    "FILLED",
                    "CANCELED",
                    "EXPIRED",
                    "EXPIRED_IN_MATCH",
                ]),
                "Which orders; OPEN when not said.",
            ),
            optional("symbol", Text, "Only in this instrument."),
            optional("side", SIDE, "Only of this side."),
            optional("type", TYPE, "Only of this type."),
            optional("orderId", Integer, "From this id on."),
            START,
            END,
            LIMIT,
        ],
        Good(List(&Shape::Object(&ORDER))),
    )
    .refuses(&[BAD_SYMBOL]),
    endpoint(
        Post,
        "/api/trade/cancel-order",
        Call::CancelNamedOrder,
        "Cancels an order; where it is need not be said.",
        &[
            optional("symbol", Text, "The instrument."),
            ORDER_ID,
            ORDER_NAME,
            REQUEST_NAME,
            CANCEL_RESTRICTIONS,
        ],
        Good(Shape::Object(&CANCELLED)),
    )
    .refuses(CANCEL_REFUSALS),
    endpoint(
        Post,
        "/api/trade/cancel-timer",
        Call::CancelTimer,
        "Cancels every open order unless it is renewed in time.",
        &[mandatory("countdownTime", Integer, "Milliseconds from now, at most a day; 0 lifts the timer.")],
        Good(Shape::Object(&TIMER)),
    )
    .details("A dead man's switch, for the whole account: send it again before it is due."),
    endpoint(
        Post,
        "/api/trade/kill-switch",
        Call::KillSwitch,
        "Cancels every open order and takes none until it is turned off.",
        &[mandatory("switch", Word(&["ON", "OFF"]), "On or off.")],
        Good(Shape::Object(&SWITCH)),
    ),
];
