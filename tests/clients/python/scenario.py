"""A trading day between two accounts, in the dialect's own words, by whichever client: every answer, every
fill and every balance asserted to the last unit, and every refusal by its type, code and text.

Knows no client: each is a [`Door`] here.
"""

from decimal import Decimal

from outcomes import eventually

SYMBOL = "BTCUSDT"
# A second instrument, of tight filters: each of them can be met with little.
TIGHT = "BTCETH"
TIGHT_LISTING = {
    "symbol": TIGHT,
    "base": "BTC",
    "quote": "ETH",
    "price_scale": 3,
    "quantity_scale": 4,
    "reference_price": "16",
    "filters": {
        "min_price": "1",
        "max_price": "100",
        "min_quantity": "0.001",
        "max_quantity": "50",
        "max_market_quantity": "1",
        "min_notional": "0.01",
        "max_notional": "500",
        "min_notional_on_market": True,
        "bid_multiplier_up": "2",
        "bid_multiplier_down": "0.5",
        "ask_multiplier_up": "2",
        "ask_multiplier_down": "0.5",
        "max_account_orders": 2,
    },
}


class Door:
    """One account by one client.

    `calls`: for each thing to do the client's own name for it, and the call, which takes the dialect's
    parameters and gives the dialect's JSON. `refusal`: of an exception, its type's name, code and text.
    """

    def __init__(self, table, account, calls, refusal):
        self.table, self.account = table, account
        self._calls, self._refusal = calls, refusal

    def can(self, what):
        return what in self._calls

    def ask(self, what, **parameters):
        return self._calls[what][1](**parameters)

    def name(self, what):
        return self._calls[what][0]

    def said(self, what, outcome):
        self.table.said(self.name(what), outcome)

    def place(self, side, order_type, **parameters):
        order = {"symbol": SYMBOL, "side": side, "type": order_type, "newOrderRespType": "FULL", **parameters}
        answer = self.ask("place", **order)
        terms = " ".join(f"{name}={value}" for name, value in parameters.items())
        filled = answer.get("executedQty", "")
        self.said("place", f"{self.account} {order_type} {side} {terms}: {answer.get('status')}, filled {filled}")
        return answer

    def limit(self, side, quantity, price, time_in_force="GTC", type="LIMIT", **parameters):
        return self.place(side, type, timeInForce=time_in_force, quantity=quantity, price=price, **parameters)

    def refused(self, what, case, code, text, **parameters):
        """This call must be refused with this code and this text."""
        try:
            answer = self.ask(what, **parameters)
        except Exception as raised:
            told = self._refusal(raised)
            if told is None:
                raise
            kind, found_code, found_text = told
            assert (found_code, found_text) == (code, text), f"{case}: {found_code} {found_text!r} instead of {code} {text!r}"
            self.said(what, f"{case}: {kind} {found_code} {found_text}")
            return raised
        raise AssertionError(f"{self.name(what)} {case}: {code} expected, but it answered {answer}")

    def balances(self):
        return self.ask("account")["balances"]

    def check(self, ledger):
        ledger.check(self.account, self.balances())


def exact(order, status, filled, cost):
    """An order's outcome, exactly."""
    found = (order["status"], Decimal(order["executedQty"]), Decimal(order["cummulativeQuoteQty"]))
    assert found == (status, Decimal(filled), Decimal(cost)), f"{found} instead of {(status, filled, cost)}: {order}"


def fills(order):
    return [(fill["price"], fill["qty"], fill["commission"], fill["commissionAsset"]) for fill in order["fills"]]


def limit_orders(ledger, maker, taker):
    """Two levels, a rest, a fee that rounds; then what both accounts are shown of it."""
    first = maker.limit("SELL", "0.3", "50000")
    second = maker.limit("SELL", "0.00123", "50000.01")
    exact(first, "NEW", 0, 0)
    ledger.lock(maker.account, "BTC", "0.30123")
    maker.check(ledger)
    order = taker.limit("BUY", "0.5", "50000.01")
    exact(order, "PARTIALLY_FILLED", "0.30123", "15061.5000123")
    assert fills(order) == [
        ("50000.00000000", "0.30000000", "0.00030000", "BTC"),
        ("50000.01000000", "0.00123000", "0.00000123", "BTC"),
    ], fills(order)
    ledger.lock(maker.account, "BTC", "-0.30123")
    ledger.trade(taker.account, maker.account, "50000", "0.3")
    ledger.trade(taker.account, maker.account, "50000.01", "0.00123")
    ledger.lock(taker.account, "USDT", Decimal("50000.01") * Decimal("0.19877"))
    for door in (maker, taker):
        door.check(ledger)
        door.said("account", f"{door.account} to the last unit: {ledger.total[door.account]}")

    for placed, filled, cost in ((first, "0.3", "15000"), (second, "0.00123", "61.5000123")):
        exact(maker.ask("order", symbol=SYMBOL, orderId=placed["orderId"]), "FILLED", filled, cost)
    found = maker.ask("order", symbol=SYMBOL, origClientOrderId=second["clientOrderId"])
    assert found["orderId"] == second["orderId"], found
    maker.said("order", f"{first['orderId']}, {second['orderId']}: FILLED, by id and by client's id")
    first_trade = order["fills"][0]["tradeId"]
    # 0.1 % of what is received, up to the next unit: 61.5000123 USDT pay 0.06150002.
    for door, is_maker, charged in (
        (maker, True, [("15.00000000", "USDT"), ("0.06150002", "USDT")]),
        (taker, False, [("0.00030000", "BTC"), ("0.00000123", "BTC")]),
    ):
        trades = door.ask("trades", symbol=SYMBOL, fromId=first_trade)
        assert [(row["commission"], row["commissionAsset"]) for row in trades] == charged, trades
        assert all(row["isMaker"] is is_maker and row["isBuyer"] is not is_maker for row in trades), trades
        door.said("trades", f"{door.account}: {len(trades)} trades, commission {charged}")
    by_order = taker.ask("trades", symbol=SYMBOL, orderId=order["orderId"])
    assert [row["id"] for row in by_order] == [fill["tradeId"] for fill in order["fills"]], by_order

    open_orders = taker.ask("open_orders", symbol=SYMBOL)
    assert [(row["orderId"], row["executedQty"]) for row in open_orders] == [(order["orderId"], "0.30123000")], open_orders
    taker.said("open_orders", f"{order['orderId']}, 0.30123 of 0.5 filled")
    cancelled = taker.ask("cancel", symbol=SYMBOL, orderId=order["orderId"])
    exact(cancelled, "CANCELED", "0.30123", "15061.5000123")
    assert cancelled["origClientOrderId"] == order["clientOrderId"] != cancelled["clientOrderId"], cancelled
    taker.said("cancel", f"{order['orderId']}: CANCELED")
    ledger.lock(taker.account, "USDT", -Decimal("50000.01") * Decimal("0.19877"))
    taker.check(ledger)
    return first["orderId"]


def market_orders(ledger, maker, taker):
    """By quantity and by cost; the maker's 0.78001 at 50,010 and 0.6 at 49,990 are left."""
    maker.limit("SELL", "1", "50010")
    ledger.lock(maker.account, "BTC", 1)
    order = taker.place("BUY", "MARKET", quantity="0.2")
    exact(order, "FILLED", "0.2", "10002")
    ledger.lock(maker.account, "BTC", "-0.2")
    ledger.trade(taker.account, maker.account, "50010", "0.2")
    # 1,000 USDT buy 0.01999 BTC in whole lots; the rest is not spent.
    order = taker.place("BUY", "MARKET", quoteOrderQty="1000")
    exact(order, "FILLED", "0.01999", "999.6999")
    ledger.lock(maker.account, "BTC", "-0.01999")
    ledger.trade(taker.account, maker.account, "50010", "0.01999")
    maker.limit("BUY", "1", "49990")
    ledger.lock(maker.account, "USDT", 49_990)
    order = taker.place("SELL", "MARKET", quantity="0.4")
    exact(order, "FILLED", "0.4", "19996")
    ledger.lock(maker.account, "USDT", Decimal("-0.4") * 49_990)
    ledger.trade(maker.account, taker.account, "49990", "0.4")
    for door in (maker, taker):
        door.check(ledger)
    taker.said("account", "after market orders: to the last unit")


def times_in_force(ledger, maker, taker):
    """Post-only, immediate or cancel, fill or kill, against what market orders left."""
    order = taker.place("BUY", "LIMIT_MAKER", quantity="0.1", price="49000")
    found = taker.ask("order", symbol=SYMBOL, orderId=order["orderId"])
    assert (found["status"], found["type"]) == ("NEW", "LIMIT_MAKER"), found
    taker.refused(
        "place", "post-only that would take", -2010, "Order would immediately match and take.",
        symbol=SYMBOL, side="BUY", type="LIMIT_MAKER", quantity="0.1", price="50010",
    )
    taker.ask("cancel", symbol=SYMBOL, origClientOrderId=order["clientOrderId"])
    exact(taker.limit("BUY", "0.1", "49000", "IOC"), "EXPIRED", 0, 0)
    exact(taker.limit("SELL", "1", "49990", "IOC"), "EXPIRED", "0.6", "29994")
    ledger.lock(maker.account, "USDT", Decimal("-0.6") * 49_990)
    ledger.trade(maker.account, taker.account, "49990", "0.6")
    exact(taker.limit("BUY", "1", "50010", "FOK"), "EXPIRED", 0, 0)
    exact(taker.limit("BUY", "0.5", "50010", "FOK"), "FILLED", "0.5", "25005")
    ledger.lock(maker.account, "BTC", "-0.5")
    ledger.trade(taker.account, maker.account, "50010", "0.5")
    for door in (maker, taker):
        door.check(ledger)
    taker.said("account", "after post-only, IOC and FOK: to the last unit")


def changes(ledger, maker):
    """An order replaced, one amended, all cancelled; 0.28001 at 50,010 rests still."""
    order = maker.limit("BUY", "0.1", "48000")
    ledger.lock(maker.account, "USDT", 4_800)
    resting = order["orderId"]
    if maker.can("replace"):
        replaced = maker.ask(
            "replace", symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.2", price="48100",
            cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=resting,
        )
        assert (replaced["cancelResult"], replaced["newOrderResult"]) == ("SUCCESS", "SUCCESS"), replaced
        exact(replaced["cancelResponse"], "CANCELED", 0, 0)
        maker.said("replace", f"{resting} became {replaced['newOrderResponse']['orderId']}, 0.2 at 48100")
        maker.refused(
            "replace", "of a replaced order", -2022, "Order cancel-replace failed.",
            symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.2", price="48100",
            cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=resting,
        )
        resting = replaced["newOrderResponse"]["orderId"]
        ledger.lock(maker.account, "USDT", Decimal("0.2") * 48_100 - 4_800)
        maker.check(ledger)
        if maker.can("amend"):
            amended = maker.ask("amend", symbol=SYMBOL, orderId=resting, newQty="0.15")["amendedOrder"]
            assert (amended["orderId"], Decimal(amended["qty"])) == (resting, Decimal("0.15")), amended
            maker.said("amend", f"{resting}: 0.2 became 0.15, its place kept")
            ledger.lock(maker.account, "USDT", Decimal("-0.05") * 48_100)
            maker.check(ledger)
    cancelled = maker.ask("cancel_all", symbol=SYMBOL)
    assert len(cancelled) == 2 and all(row["status"] == "CANCELED" for row in cancelled), cancelled
    assert maker.ask("open_orders", symbol=SYMBOL) == []
    maker.said("cancel_all", f"{len(cancelled)} orders cancelled, none left")
    maker.refused("cancel_all", "of none", -2011, "Unknown order sent.", symbol=SYMBOL)
    for asset in ("USDT", "BTC"):
        ledger.lock(maker.account, asset, -ledger.locked[maker.account][asset])
    maker.check(ledger)


def trading_day(ledger, maker, taker):
    """All of it; the book is empty before and after. Both doors print what they saw."""
    for door in (maker, taker):
        door.check(ledger)
    first = limit_orders(ledger, maker, taker)
    market_orders(ledger, maker, taker)
    times_in_force(ledger, maker, taker)
    changes(ledger, maker)
    orders = maker.ask("all_orders", symbol=SYMBOL, orderId=first)
    statuses = [row["status"] for row in orders]
    assert statuses[:4] == ["FILLED", "FILLED", "CANCELED", "FILLED"] and set(statuses[4:]) == {"CANCELED"}, statuses
    maker.said("all_orders", statuses)
    ledger.check_sums()


def price_at(ledger, maker, taker, price):
    """A trade that makes this the last price."""
    exact(maker.limit("SELL", "0.001", price), "NEW", 0, 0)
    exact(taker.limit("BUY", "0.001", price), "FILLED", "0.001", Decimal("0.001") * Decimal(price))
    ledger.trade(taker.account, maker.account, price, "0.001")


def stop_orders(ledger, maker, taker):
    """A stop waits beside the book with its hold, is triggered by a trade, and then trades; so does a
    take-profit; one that would trigger at once is refused."""
    price_at(ledger, maker, taker, "50000")
    stop = taker.limit("SELL", "0.02", "49800", type="STOP_LOSS_LIMIT", stopPrice="49900")
    ledger.lock(taker.account, "BTC", "0.02")
    waiting = taker.ask("order", symbol=SYMBOL, orderId=stop["orderId"])
    found = (waiting["status"], waiting["type"], waiting["stopPrice"], waiting["isWorking"])
    assert found == ("NEW", "STOP_LOSS_LIMIT", "49900.00000000", False), waiting
    taker.check(ledger)
    taker.refused(
        "place", "stop that would trigger at once", -2010, "Order would trigger immediately.",
        **terms(type="STOP_LOSS_LIMIT", side="SELL", quantity="0.02", price="49800", stopPrice="50100"),
    )
    maker.limit("BUY", "0.03", "49850")
    exact(taker.limit("SELL", "0.01", "49850"), "FILLED", "0.01", "498.5")
    exact(taker.ask("order", symbol=SYMBOL, orderId=stop["orderId"]), "FILLED", "0.02", "997")
    ledger.lock(taker.account, "BTC", "-0.02")
    for quantity in ("0.01", "0.02"):
        ledger.trade(maker.account, taker.account, "49850", quantity)
    for door in (maker, taker):
        door.check(ledger)
    taker.said("place", "STOP_LOSS_LIMIT triggered by a trade at 49850: FILLED there; balances to the last unit")

    profit = taker.place("SELL", "TAKE_PROFIT", quantity="0.01", stopPrice="49950")
    ledger.lock(taker.account, "BTC", "0.01")
    taker.check(ledger)
    maker.limit("BUY", "0.01", "49940")
    price_at(ledger, maker, taker, "49960")
    exact(taker.ask("order", symbol=SYMBOL, orderId=profit["orderId"]), "FILLED", "0.01", "499.4")
    ledger.lock(taker.account, "BTC", "-0.01")
    ledger.trade(maker.account, taker.account, "49940", "0.01")
    for door in (maker, taker):
        door.check(ledger)
    taker.said("place", "TAKE_PROFIT triggered by a trade at 49960: sold at 49940")

    trailing = taker.limit("SELL", "0.02", "45000", type="STOP_LOSS_LIMIT", trailingDelta=200)
    found = taker.ask("order", symbol=SYMBOL, orderId=trailing["orderId"])
    assert (found["trailingDelta"], found["isWorking"]) == (200, False), found
    taker.ask("cancel", symbol=SYMBOL, orderId=trailing["orderId"])
    taker.check(ledger)
    taker.said("cancel", "of a trailing stop: its hold is free again")


def icebergs(ledger, maker, taker):
    """Only a slice is seen; all of it is held, and trades."""
    iceberg = maker.limit("SELL", "0.5", "50500", icebergQty="0.1")
    ledger.lock(maker.account, "BTC", "0.5")
    maker.check(ledger)
    if maker.can("book"):
        slice_only = [["50500.00000000", "0.10000000"]]
        seen = eventually(lambda: maker.ask("book", symbol=SYMBOL)["asks"], lambda asks: asks == slice_only)
        maker.said("book", f"of the iceberg of 0.5: {seen}")
    exact(taker.limit("BUY", "0.25", "50500"), "FILLED", "0.25", "12625")
    trades = taker.ask("trades", symbol=SYMBOL, orderId=taker.ask("all_orders", symbol=SYMBOL, limit=1)[-1]["orderId"])
    assert [Decimal(row["qty"]) for row in trades] == [Decimal("0.1"), Decimal("0.1"), Decimal("0.05")], trades
    # Slice by slice, each with its own commission.
    for row in trades:
        ledger.trade(taker.account, maker.account, "50500", row["qty"])
    ledger.lock(maker.account, "BTC", "-0.25")
    for door in (maker, taker):
        door.check(ledger)
    maker.refused(
        "place", "iceberg of too many parts", *filter_failure("ICEBERG_PARTS"),
        **terms(side="SELL", quantity="1", price="50500", icebergQty="0.001"),
    )
    maker.ask("cancel", symbol=SYMBOL, orderId=iceberg["orderId"])
    ledger.lock(maker.account, "BTC", "-0.25")
    maker.check(ledger)
    maker.said("place", "iceberg: 0.25 of 0.5 sold in slices of 0.1, the rest cancelled")


def order_lists(ledger, maker, taker):
    """One cancels the other, with one hold for both; one triggers the other, with the first one's hold."""
    price_at(ledger, maker, taker, "50000")
    legs = {
        "aboveType": "LIMIT_MAKER", "abovePrice": "50600",
        "belowType": "STOP_LOSS_LIMIT", "belowStopPrice": "49500", "belowPrice": "49400", "belowTimeInForce": "GTC",
    }
    placed = taker.ask("place_oco", symbol=SYMBOL, side="SELL", quantity="0.02", **legs)
    assert (placed["contingencyType"], placed["listOrderStatus"]) == ("OCO", "EXECUTING"), placed
    assert sorted(row["type"] for row in placed["orderReports"]) == ["LIMIT_MAKER", "STOP_LOSS_LIMIT"], placed
    ledger.lock(taker.account, "BTC", "0.02")
    taker.check(ledger)
    assert [row["orderListId"] for row in taker.ask("open_lists")] == [placed["orderListId"]]
    exact(maker.limit("BUY", "0.02", "50600"), "FILLED", "0.02", "1012")
    ledger.lock(taker.account, "BTC", "-0.02")
    ledger.trade(maker.account, taker.account, "50600", "0.02")
    done = taker.ask("list", orderListId=placed["orderListId"])
    assert (done["listStatusType"], done["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE"), done
    legs = {row["type"]: row["orderId"] for row in placed["orderReports"]}
    statuses = {kind: taker.ask("order", symbol=SYMBOL, orderId=order)["status"] for kind, order in legs.items()}
    assert statuses == {"LIMIT_MAKER": "FILLED", "STOP_LOSS_LIMIT": "EXPIRED"}, statuses
    for door in (maker, taker):
        door.check(ledger)
    taker.said("place_oco", f"{statuses}; balances to the last unit")

    placed = taker.ask(
        "place_oto", symbol=SYMBOL,
        workingType="LIMIT", workingSide="BUY", workingPrice="48500", workingQuantity="0.01", workingTimeInForce="GTC",
        pendingType="LIMIT", pendingSide="SELL", pendingPrice="52000", pendingQuantity="0.01", pendingTimeInForce="GTC",
    )
    ledger.lock(taker.account, "USDT", 485)
    taker.check(ledger)
    taker.said("place_oto", f"{placed['contingencyType']} {placed['listOrderStatus']}: the working leg's 485 USDT held")
    cancelled = taker.ask("cancel_list", symbol=SYMBOL, orderListId=placed["orderListId"])
    assert cancelled["listOrderStatus"] == "ALL_DONE", cancelled
    assert taker.ask("open_lists") == []
    ledger.lock(taker.account, "USDT", -485)
    taker.check(ledger)
    taker.said("cancel_list", f"{placed['orderListId']}: ALL_DONE, nothing held")


def conditional_orders(ledger, maker, taker):
    """Orders that wait for something; the book is empty before and after."""
    stop_orders(ledger, maker, taker)
    icebergs(ledger, maker, taker)
    order_lists(ledger, maker, taker)


def terms(**changed):
    """A limit order that would rest, but for what is changed; None takes a parameter away."""
    order = {
        "symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1", "price": "40000",
        **changed,
    }
    return {name: value for name, value in order.items() if value is not None}


TIGHT_TERMS = {"symbol": TIGHT, "quantity": "1", "price": "16"}
MARKET = {"type": "MARKET", "timeInForce": None, "price": None}
NO_BALANCE = (-2010, "Account has insufficient balance for requested action.")


def filter_failure(name):
    return (-1013, f"Filter failure: {name}")


# Case, code and text, what is changed in the order. A client that checks by itself first never sends some.
REFUSALS = [
    ("buy beyond the balance", *NO_BALANCE, {"quantity": "90"}),
    ("sell beyond the balance", *NO_BALANCE, {"side": "SELL", "quantity": "150"}),
    ("price between ticks", *filter_failure("PRICE_FILTER"), {"price": "40000.001"}),
    ("price above the highest", *filter_failure("PRICE_FILTER"), {"price": "1000000.01"}),
    ("price below the lowest", *filter_failure("PRICE_FILTER"), {**TIGHT_TERMS, "price": "0.999"}),
    ("quantity between lots", *filter_failure("LOT_SIZE"), {"quantity": "0.100001"}),
    ("quantity above the largest", *filter_failure("LOT_SIZE"), {**TIGHT_TERMS, "quantity": "50.0001"}),
    ("quantity below the least", *filter_failure("LOT_SIZE"), {**TIGHT_TERMS, "quantity": "0.0009"}),
    ("market quantity above the largest", *filter_failure("MARKET_LOT_SIZE"), {**MARKET, "symbol": TIGHT, "quantity": "1.1"}),
    ("money below the least", *filter_failure("NOTIONAL"), {"quantity": "0.0001"}),
    ("money above the largest", *filter_failure("NOTIONAL"), {**TIGHT_TERMS, "quantity": "40"}),
    ("bid far above the average", *filter_failure("PERCENT_PRICE_BY_SIDE"), {**TIGHT_TERMS, "price": "32.001"}),
    ("bid far below the average", *filter_failure("PERCENT_PRICE_BY_SIDE"), {**TIGHT_TERMS, "price": "7.999"}),
    ("offer far above the average", *filter_failure("PERCENT_PRICE_BY_SIDE"), {**TIGHT_TERMS, "side": "SELL", "price": "32.001"}),
    ("offer far below the average", *filter_failure("PERCENT_PRICE_BY_SIDE"), {**TIGHT_TERMS, "side": "SELL", "price": "7.999"}),
    ("nine decimals", -1111, "Parameter 'quantity' has too much precision.", {"quantity": "0.100000001"}),
    ("unknown symbol", -1121, "Invalid symbol.", {"symbol": "NOPEUSDT"}),
    ("unknown side", -1117, "Invalid side.", {"side": "HOLD"}),
    ("unknown type", -1116, "Invalid orderType.", {"type": "WISH"}),
    ("unknown time in force", -1115, "Invalid timeInForce.", {"timeInForce": "GTX"}),
    (
        "no price", -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed.",
        {"price": None},
    ),
    (
        "time in force of a market order", -1106, "Parameter 'timeInForce' sent when not required.",
        {"type": "MARKET", "price": None},
    ),
]


def refusals(arguments, ledger, door, unsent=()):
    """Every no, by its code and text; then nothing has moved. `unsent`: cases the client itself stops."""
    if not arguments.listed(TIGHT):
        arguments.administer("POST", "/admin/instruments", TIGHT_LISTING)
    for case, code, text, changed in REFUSALS:
        if case not in unsent:
            door.refused("place", case, code, text, **terms(**changed))
    named = door.limit("BUY", "0.1", "40000", newClientOrderId="the-same-name")
    door.refused("place", "an open order's client id", -2010, "Duplicate order sent.", **terms(newClientOrderId="the-same-name"))
    door.ask("cancel", symbol=SYMBOL, orderId=named["orderId"])
    two = [door.ask("place", **terms(**{**TIGHT_TERMS, "price": "10"})) for _ in range(2)]
    door.refused("place", "a third order where two are allowed", *filter_failure("MAX_NUM_ORDERS"), **terms(**{**TIGHT_TERMS, "price": "10"}))
    for order in two:
        door.ask("cancel", symbol=TIGHT, orderId=order["orderId"])
    # The same name again, now that it is free; then this order is filled by nobody, and cancelled twice.
    door.refused("cancel", "of a cancelled order", -2011, "Unknown order sent.", symbol=SYMBOL, orderId=named["orderId"])
    door.refused("cancel", "of no order", -2011, "Unknown order sent.", symbol=SYMBOL, orderId=999_999_999)
    door.refused("order", "that is none", -2013, "Order does not exist.", symbol=SYMBOL, orderId=999_999_999)
    door.check(ledger)
    door.said("account", "after all refusals: nothing moved")


def cancel_of_a_filled_order(ledger, maker, taker):
    order = maker.limit("SELL", "0.01", "50000")
    exact(taker.limit("BUY", "0.01", "50000"), "FILLED", "0.01", "500")
    ledger.trade(taker.account, maker.account, "50000", "0.01")
    maker.refused("cancel", "of a filled order", -2011, "Unknown order sent.", symbol=SYMBOL, orderId=order["orderId"])
    maker.check(ledger)


SKEW = (
    ("clock 30 s ahead", 30, -1021, "Timestamp for this request was 1000ms ahead of the server's time."),
    ("clock 30 s behind", -30, -1021, "Timestamp for this request is outside of the recvWindow."),
)


def strangers(door, forged, unknown, skewed):
    """Who is not whom he says, and when: `forged` signs with another secret, `unknown` has another key;
    `skewed(seconds)` is a context in which the client's clock is off."""
    forged.refused("account", "signed with another secret", -1022, "Signature for this request is not valid.")
    unknown.refused("account", "an unknown key", -2015, "Invalid API-key, IP, or permissions for action.")
    for case, seconds, code, text in SKEW:
        with skewed(seconds):
            door.refused("account", case, code, text)
