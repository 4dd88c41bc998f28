//! Reading order lists: which orders an OCO, OTO or OTOCO has, and what its parameters are called
//! (dialect §5.7). Refuses to decide whether the prices fit together: that is the core's.

use super::new_order::{self, ResponseType};
use crate::{
    dialect::{DialectError, Leg, Parameters},
    views::Listing,
};
use protocol::{AccountId, ClientOrderId, OrderType, command::ListedOrder, terms::Contingency};

/// Names that every order of an OCO shares.
const SHARED: &[(&str, &str)] = &[
    ("side", "side"),
    ("quantity", "quantity"),
    ("selfTradePreventionMode", "selfTradePreventionMode"),
    ("newOrderRespType", "newOrderRespType"),
];
/// Names that the orders of an OTO share.
const SHARED_BY_ALL: &[(&str, &str)] =
    &[("selfTradePreventionMode", "selfTradePreventionMode"), ("newOrderRespType", "newOrderRespType")];
/// Names that the pending pair of an OTOCO shares.
const SHARED_BY_PENDING: &[(&str, &str)] = &[
    ("side", "pendingSide"),
    ("quantity", "pendingQuantity"),
    ("selfTradePreventionMode", "selfTradePreventionMode"),
    ("newOrderRespType", "newOrderRespType"),
];

const ABOVE: Leg = Leg { prefix: "above", shared: SHARED };
const BELOW: Leg = Leg { prefix: "below", shared: SHARED };
const WORKING: Leg = Leg { prefix: "working", shared: SHARED_BY_ALL };
const PENDING: Leg = Leg { prefix: "pending", shared: SHARED_BY_ALL };
const PENDING_ABOVE: Leg = Leg { prefix: "pendingAbove", shared: SHARED_BY_PENDING };
const PENDING_BELOW: Leg = Leg { prefix: "pendingBelow", shared: SHARED_BY_PENDING };

/// A list as a client asks for it.
#[derive(Debug)]
pub(super) struct NewList {
    /// What the core is told of each order.
    pub(super) orders: Vec<ListedOrder>,
    /// The client's name for the list.
    pub(super) client_order_id: Option<ClientOrderId>,
    /// How much of each order's answer is wanted.
    pub(super) response: ResponseType,
}

/// Reads a list of this kind.
pub(super) fn parse(
    parameters: &Parameters<'_>,
    listing: &Listing,
    account: AccountId,
    contingency: Contingency,
) -> Result<NewList, DialectError> {
    let legs: &[Leg] = match contingency {
        Contingency::OneCancelsOther => &[ABOVE, BELOW],
        Contingency::OneTriggersOther => &[WORKING, PENDING],
        Contingency::OneTriggersOneCancelsOther => &[WORKING, PENDING_ABOVE, PENDING_BELOW],
    };
    let mut orders = Vec::with_capacity(legs.len());
    let mut response = ResponseType::Result;
    for leg in legs {
        let new = new_order::parse(&parameters.leg(*leg), listing, account)?;
        let may_work = matches!(new.order.order_type, OrderType::Limit | OrderType::LimitMaker);
        if *leg == WORKING && !may_work {
            return Err(DialectError::order_type());
        }
        if parameters.has("newOrderRespType") {
            response = new.response;
        }
        orders.push(ListedOrder { order: new.order, client_order_id: new.client_order_id, terms: new.terms });
    }
    Ok(NewList { orders, client_order_id: parameters.client_order_id("listClientOrderId")?, response })
}

/// The old form of an OCO, in the words of the new: a limit order on the gaining side of the price and
/// a stop on the other.
pub(super) fn from_old_form<'a>(parameters: &Parameters<'a>) -> Result<Parameters<'a>, DialectError> {
    const LIMIT: [(&str, [&str; 2]); 5] = [
        ("limitClientOrderId", ["aboveClientOrderId", "belowClientOrderId"]),
        ("price", ["abovePrice", "belowPrice"]),
        ("limitStrategyId", ["aboveStrategyId", "belowStrategyId"]),
        ("limitStrategyType", ["aboveStrategyType", "belowStrategyType"]),
        ("limitIcebergQty", ["aboveIcebergQty", "belowIcebergQty"]),
    ];
    const STOP: [(&str, [&str; 2]); 8] = [
        ("stopClientOrderId", ["aboveClientOrderId", "belowClientOrderId"]),
        ("stopPrice", ["aboveStopPrice", "belowStopPrice"]),
        ("trailingDelta", ["aboveTrailingDelta", "belowTrailingDelta"]),
        ("stopLimitPrice", ["abovePrice", "belowPrice"]),
        ("stopLimitTimeInForce", ["aboveTimeInForce", "belowTimeInForce"]),
        ("stopStrategyId", ["aboveStrategyId", "belowStrategyId"]),
        ("stopStrategyType", ["aboveStrategyType", "belowStrategyType"]),
        ("stopIcebergQty", ["aboveIcebergQty", "belowIcebergQty"]),
    ];
    // A seller's limit is above the price, a buyer's below.
    let limit = match parameters.required("side")? {
        "SELL" => 0,
        "BUY" => 1,
        _ => return Err(DialectError::side()),
    };
    parameters.required("price")?;
    parameters.required("stopPrice")?;
    let has_stop_limit = parameters.has("stopLimitPrice");
    if has_stop_limit {
        parameters.required("stopLimitTimeInForce")?;
    }
    let mut new = Parameters::default();
    for name in
        ["symbol", "side", "quantity", "listClientOrderId", "newOrderRespType", "selfTradePreventionMode"]
    {
        copy(parameters, name, &mut new, name);
    }
    for (old, names) in LIMIT {
        copy(parameters, old, &mut new, names[limit]);
    }
    for (old, names) in STOP {
        copy(parameters, old, &mut new, names[1 - limit]);
    }
    let types = ["aboveType", "belowType"];
    new.set_default(types[limit], "LIMIT_MAKER");
    new.set_default(types[1 - limit], if has_stop_limit { "STOP_LOSS_LIMIT" } else { "STOP_LOSS" });
    Ok(new)
}

fn copy(from: &Parameters<'_>, old: &str, to: &mut Parameters<'_>, new: &'static str) {
    if let Some(value) = from.text(old) {
        to.set_default(new, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sample;
    use protocol::{OrderTerms, Price, Quantity, Side};

    const OCO: &str = "side=SELL&quantity=2&aboveType=LIMIT_MAKER&abovePrice=9&belowType=STOP_LOSS_LIMIT\
                       &belowPrice=4&belowStopPrice=5&belowTimeInForce=GTC";
    const OTOCO: &str = "workingType=LIMIT&workingSide=BUY&workingQuantity=2&workingPrice=6&workingTimeInForce=GTC\
                         &pendingSide=SELL&pendingQuantity=1&pendingAboveType=LIMIT_MAKER&pendingAbovePrice=9\
                         &pendingAboveClientOrderId=gain&pendingBelowType=STOP_LOSS&pendingBelowStopPrice=5\
                         &pendingBelowTrailingDelta=100&listClientOrderId=mine";

    fn read(text: &str, contingency: Contingency) -> Result<NewList, DialectError> {
        let directory = sample::directory();
        let parameters = Parameters::from_request(text, "")?;
        parse(&parameters, &directory.listings()[0], AccountId(3), contingency)
    }

    /// Type, side, price, stop price and quantity of each order, in whole units of the sample.
    fn short(list: &NewList) -> Vec<(OrderType, Side, u32, u32, u64)> {
        let orders = list.orders.iter().map(|listed| {
            let stop = listed.terms.map_or(Price(0), |terms| terms.stop_price);
            let ListedOrder { order, .. } = listed;
            (order.order_type, order.side, order.price.0, stop.0, order.quantity.0)
        });
        orders.collect()
    }

    fn units() -> (u32, u64) {
        let directory = sample::directory();
        let instrument = &directory.listings()[0].instrument;
        (10_u32.pow(instrument.price_scale.into()), 10_u64.pow(instrument.quantity_scale.into()))
    }

    #[test]
    fn each_order_of_a_list_is_read_by_its_own_names() {
        let (price, quantity) = units();
        let oco = read(OCO, Contingency::OneCancelsOther).unwrap();
        let expected = [
            (OrderType::LimitMaker, Side::Sell, 9 * price, 0, 2 * quantity),
            (OrderType::StopLossLimit, Side::Sell, 4 * price, 5 * price, 2 * quantity),
        ];
        assert_eq!(short(&oco), expected);
        let three = read(OTOCO, Contingency::OneTriggersOneCancelsOther).unwrap();
        let expected = [
            (OrderType::Limit, Side::Buy, 6 * price, 0, 2 * quantity),
            (OrderType::LimitMaker, Side::Sell, 9 * price, 0, quantity),
            (OrderType::StopLoss, Side::Sell, 0, 5 * price, quantity),
        ];
        assert_eq!(short(&three), expected);
        assert_eq!(three.orders[2].terms.map(|terms| terms.trailing_delta), Some(100));
        assert_eq!(three.orders[1].client_order_id, ClientOrderId::parse("gain"));
        assert_eq!(three.client_order_id, ClientOrderId::parse("mine"));
    }

    #[test]
    fn what_is_wrong_is_told_by_the_lists_own_names() {
        use Contingency::{OneCancelsOther, OneTriggersOneCancelsOther, OneTriggersOther};
        for (text, contingency, code, name) in [
            (OCO.replace("abovePrice=9", ""), OneCancelsOther, -1102, "'abovePrice'"),
            (OCO.replace("abovePrice=9", "abovePrice=x"), OneCancelsOther, -1100, "'abovePrice'"),
            (
                OCO.replace("belowStopPrice=5", ""),
                OneCancelsOther,
                -1102,
                "'belowStopPrice' or 'belowTrailingDelta'",
            ),
            (OCO.replace("quantity=2", ""), OneCancelsOther, -1102, "'quantity'"),
            (OCO.replace("LIMIT_MAKER", "WHATEVER"), OneCancelsOther, -1116, "orderType"),
            (format!("{OCO}&aboveStopPrice=5"), OneCancelsOther, -1106, "'aboveStopPrice'"),
            (format!("{OCO}&aboveClientOrderId=a%2Fb"), OneCancelsOther, -1100, "'aboveClientOrderId'"),
            (OTOCO.replace("pendingSide=SELL", ""), OneTriggersOneCancelsOther, -1102, "'pendingSide'"),
            (
                OTOCO.replace("workingType=LIMIT", "workingType=MARKET"),
                OneTriggersOneCancelsOther,
                -1106,
                "'workingTimeInForce'",
            ),
            (OTOCO.to_owned(), OneTriggersOther, -1102, "'pendingType'"),
            (
                "workingType=MARKET&workingSide=BUY&workingQuantity=1".to_owned(),
                OneTriggersOther,
                -1116,
                "orderType",
            ),
        ] {
            let error = read(&text, contingency).unwrap_err();
            assert!(error.code == code && error.message.contains(name), "{text}: {error}");
        }
    }

    #[test]
    fn the_old_form_is_the_new_one_in_other_words() {
        let (price, quantity) = units();
        let old = "side=SELL&quantity=2&price=9&stopPrice=5&stopLimitPrice=4&stopLimitTimeInForce=GTC&stopIcebergQty=1";
        let parameters = Parameters::from_request(old, "").unwrap();
        let new = from_old_form(&parameters).unwrap();
        let directory = sample::directory();
        let list = parse(&new, &directory.listings()[0], AccountId(3), Contingency::OneCancelsOther).unwrap();
        let expected = [
            (OrderType::LimitMaker, Side::Sell, 9 * price, 0, 2 * quantity),
            (OrderType::StopLossLimit, Side::Sell, 4 * price, 5 * price, 2 * quantity),
        ];
        assert_eq!(short(&list), expected);
        let visible = |at: usize| list.orders[at].terms.unwrap_or(OrderTerms::NONE).visible_quantity;
        assert_eq!((visible(0), visible(1)), (Quantity::ZERO, Quantity(quantity)));
        for (text, code) in [
            ("side=SELL&quantity=2&stopPrice=5", -1102),
            ("side=SELL&quantity=2&price=9", -1102),
            ("side=SELL&quantity=2&price=9&stopPrice=5&stopLimitPrice=4", -1102),
            ("side=HOLD&quantity=2&price=9&stopPrice=5", -1117),
        ] {
            let parameters = Parameters::from_request(text, "").unwrap();
            assert_eq!(from_old_form(&parameters).unwrap_err().code, code, "{text}");
        }
        let buy = Parameters::from_request("side=BUY&quantity=2&price=4&stopPrice=9", "").unwrap();
        let buy = from_old_form(&buy).unwrap();
        assert_eq!([buy.text("aboveType"), buy.text("belowType")], [Some("STOP_LOSS"), Some("LIMIT_MAKER")]);
    }
}
