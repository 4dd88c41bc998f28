//! Rialto's own paths: for orders, over the same calls as the dialect's; what an account may do to stop
//! itself; its statement. Refuses to know how orders are placed.

use super::{
    Answer::Good,
    Endpoint,
    Method::{Get, Post},
    Object, Section, Shape, endpoint,
    orders::{
        CANCEL_REFUSALS, CANCEL_RESTRICTIONS, CANCELLED, NEW_ORDER_ANSWER, ORDER, ORDER_PARAMETERS,
        PLACE_REFUSALS, REQUEST_NAME, SIDE, TYPE,
    },
    shape::{field, mandatory, object, optional, sometimes},
    usual::{BAD_SYMBOL, END, LIMIT, ORDER_ID, ORDER_NAME, START},
};
use crate::calls::Call;
use Shape::{Integer, List, Text, Word};

pub(super) const SECTION: Section = Section {
    name: "Rialto's own",
    about: "Signed. Plainer paths for orders, what an account may do to stop itself, and its statement. A JSON body suits them well.",
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
const MOVEMENT: Object = object(
    "StatementMovement",
    "A change of what an account has of an asset.",
    &[&[
        field("time", Integer, "When: nanoseconds since 1970."),
        field("sequence", Integer, "By which command."),
        field("eventIndex", Integer, "By which of its events, from 0."),
        field("kind", Text, "`trade`, `auction trade`, `transfer`, `capture` or `movement`."),
        sometimes("symbol", Text, "Where, of a trade."),
        sometimes("subject", Integer, "The trade's or hold's id."),
        sometimes("reference", Text, "The sender's key of a transfer."),
        field("amount", Text, "By how much; negative is less."),
        field("balance", Text, "What there is after it."),
    ]],
);
const ASSET_STATEMENT: Object = object(
    "AssetStatement",
    "One asset of a statement.",
    &[&[
        field("asset", Text, "Its name."),
        field("opening", Text, "What there was at the beginning, in all."),
        field(
            "movements",
            List(&Shape::Object(&MOVEMENT)),
            "The oldest first; opening and these make closing.",
        ),
        field("closing", Text, "What there is at the end, in all."),
        field("held", Text, "Of that, what is set aside."),
    ]],
);
const STATEMENT: Object = object(
    "Statement",
    "An account's statement.",
    &[&[
        field("account", Integer, "Whose."),
        field("from", Integer, "The first moment in it: nanoseconds since 1970."),
        field("until", Integer, "The first moment after it."),
        field("writtenSequence", Integer, "The last command in the books."),
        field("writtenTime", Integer, "That command's time."),
        field("assets", List(&Shape::Object(&ASSET_STATEMENT)), "By asset."),
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
    endpoint(
        Get,
        "/api/account/statement",
        Call::Statement,
        "What the account had, what moved, and what it has then, adding up to the last unit.",
        &[
            mandatory("startTime", Integer, "The first moment in it: milliseconds, or microseconds, since 1970."),
            mandatory("endTime", Integer, "The first moment after it, likewise."),
            optional("format", Word(&["JSON", "CSV", "HTML"]), "How it is written; JSON when not said."),
        ],
        Good(Shape::Object(&STATEMENT)),
    )
    .details(
        "Only what changes the account's total is a movement: setting aside for an order is none. A trade's \
         movements are net of its fee. CSV comes as `text/csv`, HTML as a page that can be printed and needs no \
         other file. What happened after `writtenTime` may not be in it yet: wait until that is past `endTime`. \
         At most 1,000,000 movements of an asset.",
    )
    .or_texts(&["text/csv", "text/html"])
    .refuses(&[(-1008, "Older records cannot be read just now."), (-1020, "There are no books of record.")]),
];
