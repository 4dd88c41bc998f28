//! The few answers of the wallet API that clients ask for (dialect §7). Refuses to know chains.

use super::{
    Answer::{Good, Never},
    Endpoint,
    Method::{Get, Post},
    Object, Parameter, Section, Shape, endpoint,
    shape::{field, mandatory, object, optional, sometimes},
    usual::{BAD_SYMBOL, END, START},
};
use crate::calls::Call;
use Shape::{Boolean, Decimal, Integer, List, Text, Time, Word};

pub(super) const SECTION: Section = Section {
    name: "Wallet",
    about: "What clients ask while they load markets, and money in and out. No asset has a chain yet: deposits and \
            withdrawals are shown as closed.",
    endpoints: ENDPOINTS,
};

const SYSTEM_STATUS: Object = object(
    "SystemStatus",
    "How the exchange is.",
    &[&[field("status", Integer, "0: normal."), field("msg", Text, "normal.")]],
);
const COIN: Object = object(
    "Coin",
    "An asset with the caller's balance.",
    &[&[
        field("coin", Text, "The asset."),
        field("name", Text, "Its name."),
        field("free", Decimal, "May be spent."),
        field("locked", Decimal, "Set aside by open orders."),
        field("freeze", Decimal, "0."),
        field("withdrawing", Decimal, "0."),
        field("ipoing", Decimal, "0."),
        field("ipoable", Decimal, "0."),
        field("storage", Decimal, "0."),
        field("isLegalMoney", Boolean, "Always false."),
        field("trading", Boolean, "Always true."),
        field("depositAllEnable", Boolean, "Whether it can be deposited."),
        field("withdrawAllEnable", Boolean, "Whether it can be withdrawn."),
        field("networkList", List(&Text), "The chains that it moves on."),
    ]],
);
const FEE: Object = object(
    "TradeFee",
    "The rates that the caller pays in an instrument.",
    &[&[
        field("symbol", Text, "The instrument."),
        field("makerCommission", Decimal, "As a fraction."),
        field("takerCommission", Decimal, "As a fraction."),
    ]],
);
const RESTRICTIONS: Object = object(
    "ApiRestrictions",
    "What the caller's key may do.",
    &[&[
        field("ipRestrict", Boolean, "Whether it is bound to addresses."),
        field("createTime", Time, "When it was made; 0 when not known."),
        field("enableReading", Boolean, "Whether it may read."),
        field("enableSpotAndMarginTrading", Boolean, "Whether it may trade."),
        field("enableWithdrawals", Boolean, "Whether it may withdraw."),
        field("enableInternalTransfer", Boolean, "Always false."),
        field("enableMargin", Boolean, "Always false."),
        field("enableFutures", Boolean, "Always false."),
        field("permitsUniversalTransfer", Boolean, "Always false."),
        field("enableVanillaOptions", Boolean, "Always false."),
        field("enableFixApiTrade", Boolean, "Always false."),
        field("enableFixReadOnly", Boolean, "Always false."),
        field("enablePortfolioMarginTrading", Boolean, "Always false."),
    ]],
);
const ACCOUNT_STATUS: Object = object(
    "AccountStatus",
    "Whether the account may do business.",
    &[&[field("data", Word(&["Normal", "Locked"]), "Locked when an operator has suspended it.")]],
);
const TRIGGERS: Object = object("TriggerConditions", "None: an operator locks an account.", &[]);
const TRADING_LOCK: Object = object(
    "TradingLock",
    "Whether the account is locked.",
    &[&[
        field("isLocked", Boolean, "Whether an operator has suspended it."),
        field("plannedRecoverTime", Integer, "0: not planned."),
        field("triggerCondition", Shape::Object(&TRIGGERS), "None."),
        field("updateTime", Time, "Now."),
    ]],
);
const TRADING_STATUS: Object = object(
    "TradingStatus",
    "Whether the account may trade by the API.",
    &[&[field("data", Shape::Object(&TRADING_LOCK), "Whether it is locked.")]],
);
const USER_ASSET: Object = object(
    "UserAsset",
    "What the caller has of an asset.",
    &[&[
        field("asset", Text, "The asset."),
        field("free", Decimal, "May be spent."),
        field("locked", Decimal, "Set aside by open orders."),
        field("freeze", Decimal, "0."),
        field("withdrawing", Decimal, "0."),
        field("ipoable", Decimal, "0."),
        field("btcValuation", Decimal, "0."),
    ]],
);
/// The rows of a list that is always empty.
const NOTHING: Object = object("Nothing", "There are none.", &[&[sometimes("id", Text, "Not there.")]]);

const BAD_ASSET: (i32, &str) = (-1108, "Invalid asset.");
const NOT_OPEN: (i32, &str) = (-4019, "The current currency is not open for deposit or withdrawal.");
const HISTORY: &[Parameter] = &[
    optional("coin", Text, "Only of this asset."),
    optional("status", Integer, "Only of this status."),
    START,
    END,
    optional("offset", Integer, "How many rows to pass over."),
    optional("limit", Integer, "The most rows."),
];

const ENDPOINTS: &[Endpoint] = &[
    endpoint(
        Get,
        "/sapi/v1/system/status",
        Call::SystemStatus,
        "How the exchange is.",
        &[],
        Good(Shape::Object(&SYSTEM_STATUS)),
    ),
    endpoint(
        Get,
        "/sapi/v1/capital/config/getall",
        Call::Coins,
        "Every asset with the caller's balance.",
        &[],
        Good(List(&Shape::Object(&COIN))),
    ),
    endpoint(
        Get,
        "/sapi/v1/asset/tradeFee",
        Call::TradeFee,
        "The caller's rates.",
        &[optional("symbol", Text, "Only in this instrument.")],
        Good(List(&Shape::Object(&FEE))),
    )
    .refuses(&[BAD_SYMBOL]),
    endpoint(
        Get,
        "/sapi/v1/account/apiRestrictions",
        Call::ApiRestrictions,
        "What the caller's key may do.",
        &[],
        Good(Shape::Object(&RESTRICTIONS)),
    ),
    endpoint(
        Get,
        "/sapi/v1/account/status",
        Call::AccountStatus,
        "Whether the account may do business.",
        &[],
        Good(Shape::Object(&ACCOUNT_STATUS)),
    ),
    endpoint(
        Get,
        "/sapi/v1/account/apiTradingStatus",
        Call::TradingStatus,
        "Whether the account may trade by the API.",
        &[],
        Good(Shape::Object(&TRADING_STATUS)),
    ),
    endpoint(
        Post,
        "/sapi/v3/asset/getUserAsset",
        Call::UserAssets,
        "What the caller has.",
        &[optional("asset", Text, "Only of this asset; otherwise of each that is not nothing.")],
        Good(List(&Shape::Object(&USER_ASSET))),
    )
    .refuses(&[BAD_ASSET]),
    endpoint(
        Get,
        "/sapi/v1/capital/deposit/address",
        Call::DepositAddress,
        "An address to deposit to.",
        &[mandatory("coin", Text, "The asset."), optional("network", Text, "The chain.")],
        Never(400),
    )
    .refuses(&[BAD_ASSET, NOT_OPEN]),
    endpoint(
        Get,
        "/sapi/v1/capital/deposit/hisrec",
        Call::NoTransfers,
        "Deposits that were: none.",
        HISTORY,
        Good(List(&Shape::Object(&NOTHING))),
    )
    .refuses(&[BAD_ASSET]),
    endpoint(
        Post,
        "/sapi/v1/capital/withdraw/apply",
        Call::Withdraw,
        "Withdraws; by a key that may withdraw.",
        &[
            mandatory("coin", Text, "The asset."),
            mandatory("address", Text, "Where to."),
            mandatory("amount", Decimal, "How much."),
            optional("network", Text, "The chain."),
            optional("addressTag", Text, "The address' memo."),
            optional("withdrawOrderId", Text, "The client's name for it."),
        ],
        Never(400),
    )
    .refuses(&[BAD_ASSET, NOT_OPEN]),
    endpoint(
        Get,
        "/sapi/v1/capital/withdraw/history",
        Call::NoTransfers,
        "Withdrawals that were: none.",
        HISTORY,
        Good(List(&Shape::Object(&NOTHING))),
    )
    .refuses(&[BAD_ASSET]),
    endpoint(
        Get,
        "/sapi/v1/margin/allPairs",
        Call::EmptyList,
        "Pairs on margin: none.",
        &[],
        Good(List(&Shape::Object(&NOTHING))),
    ),
    endpoint(
        Get,
        "/sapi/v1/margin/isolated/allPairs",
        Call::EmptyList,
        "Pairs on isolated margin: none.",
        &[],
        Good(List(&Shape::Object(&NOTHING))),
    ),
    endpoint(
        Get,
        "/sapi/v1/spot/delist-schedule",
        Call::EmptyList,
        "Delistings that are planned: none.",
        &[],
        Good(List(&Shape::Object(&NOTHING))),
    ),
];
