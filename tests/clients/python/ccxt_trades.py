"""ccxt, unmodified, trades on the exchange: every call asserted, to the last unit.

Usage: ccxt_trades.py ADDRESS KEYS_FILE ADMIN. One line for each call: client | method | outcome.
"""

from decimal import Decimal

import ccxt

from connect import arguments, client
from ledger import Ledger
from outcomes import Table, eventually, run

SYMBOL = "BTC/USDT"
ADDRESS, KEYS = arguments()
TABLE = Table(f"ccxt {ccxt.__version__}")
said, refused = TABLE.said, TABLE.refused


def connect(account, **changes):
    return client(ccxt.binance, ADDRESS, KEYS[account], **changes)


class Trader:
    """One account: its client, and the orders it places, told as they come."""

    def __init__(self, account):
        self.account = account
        # Its one warning, that this call weighs more, is acknowledged.
        self.client = connect(account, options={"fetchOpenOrders": {"warnWithoutSymbol": False}})

    def order(self, order_type, side, amount, price=None, **params):
        order = self.client.create_order(SYMBOL, order_type, side, amount, price, params)
        said(
            "create_order",
            f"{self.account} {order_type} {side} {amount} at {price} {params}: {order['status']}, filled {order['filled']}",
        )
        return order

    def balances(self):
        return self.client.fetch_balance()["info"]["balances"]


def exact(order, status, filled, cost):
    """An order's outcome, exactly; `filled` and `cost` are text."""
    info = order["info"]
    found = (order["status"], Decimal(info["executedQty"]), Decimal(info["cummulativeQuoteQty"]))
    assert found == (status, Decimal(filled), Decimal(cost)), f"{found} instead of {(status, filled, cost)}"


def fills(order):
    """The fills of a new order: price, quantity, commission and its asset."""
    return [
        (Decimal(fill["price"]), Decimal(fill["qty"]), Decimal(fill["commission"]), fill["commissionAsset"])
        for fill in order["info"]["fills"]
    ]


def public_calls():
    """What anyone may ask of an empty market."""
    stranger = client(ccxt.binance, ADDRESS)
    markets = stranger.load_markets()
    assert sorted(markets) == ["BTC/USDT", "ETH/BTC", "ETH/USDT"], sorted(markets)
    said("load_markets", f"without a key: {sorted(markets)}")
    market = stranger.market(SYMBOL)
    assert market["spot"] and market["active"] and not market["margin"], market
    assert market["precision"]["price"] == 0.01 and market["precision"]["amount"] == 0.00001, market["precision"]
    assert market["limits"]["cost"]["min"] == 5, market["limits"]
    server_time = stranger.fetch_time()
    assert abs(server_time - stranger.milliseconds()) < 60_000, server_time
    said("fetch_time", server_time)
    status = stranger.fetch_status()
    assert status["status"] == "ok", status
    said("fetch_status", status["status"])
    book = stranger.fetch_order_book(SYMBOL)
    assert book["bids"] == [] and book["asks"] == [], book
    said("fetch_order_book", "empty")
    return stranger


def limit_orders(ledger, maker, taker):
    """Two accounts trade with each other: two levels, a rest, a fee that rounds."""
    first = maker.order("limit", "sell", 0.3, 50_000)
    second = maker.order("limit", "sell", 0.00123, 50_000.01)
    exact(first, "open", "0", "0")
    ledger.lock("demo-1", "BTC", "0.30123")
    ledger.check("demo-1", maker.balances())

    order = taker.order("limit", "buy", 0.5, 50_000.01)
    exact(order, "open", "0.30123", "15061.5000123")
    assert fills(order) == [
        (Decimal("50000"), Decimal("0.3"), Decimal("0.0003"), "BTC"),
        (Decimal("50000.01"), Decimal("0.00123"), Decimal("0.00000123"), "BTC"),
    ], fills(order)
    ledger.lock("demo-1", "BTC", "-0.30123")
    ledger.trade("demo-2", "demo-1", "50000", "0.3")
    ledger.trade("demo-2", "demo-1", "50000.01", "0.00123")
    ledger.lock("demo-2", "USDT", Decimal("50000.01") * Decimal("0.19877"))
    for trader in (maker, taker):
        ledger.check(trader.account, trader.balances())
    said("fetch_balance", f"demo-1 and demo-2 to the last unit: {ledger.total['demo-1']}, {ledger.total['demo-2']}")

    exact(maker.client.fetch_order(first["id"], SYMBOL), "closed", "0.3", "15000")
    exact(maker.client.fetch_order(second["id"], SYMBOL), "closed", "0.00123", "61.5000123")
    said("fetch_order", f"{first['id']} and {second['id']}: closed")
    for trader, maker_or_taker, side in ((maker, "maker", "sell"), (taker, "taker", "buy")):
        trades = trader.client.fetch_my_trades(SYMBOL)
        found = [(trade["takerOrMaker"], trade["side"], trade["price"], trade["amount"]) for trade in trades]
        assert found == [
            (maker_or_taker, side, 50_000, 0.3),
            (maker_or_taker, side, 50_000.01, 0.00123),
        ], found
        # 0.1 % of what is received, up to the next unit: 61.5000123 USDT pay 0.06150002.
        expected = ["15.00000000", "0.06150002"] if side == "sell" else ["0.00030000", "0.00000123"]
        charged = [trade["info"]["commission"] for trade in trades]
        assert charged == expected, charged
        said("fetch_my_trades", f"{trader.account}: {found}, commission {charged}")
    by_order = taker.client.fetch_order_trades(order["id"], SYMBOL)
    assert len(by_order) == 2, by_order
    said("fetch_order_trades", f"{order['id']}: 2 trades")

    open_orders = taker.client.fetch_open_orders(SYMBOL)
    assert [(row["id"], row["remaining"]) for row in open_orders] == [(order["id"], 0.19877)], open_orders
    said("fetch_open_orders", f"{order['id']}, 0.19877 left")
    exact(taker.client.cancel_order(order["id"], SYMBOL), "canceled", "0.30123", "15061.5000123")
    said("cancel_order", f"{order['id']}: canceled")
    ledger.lock("demo-2", "USDT", -Decimal("50000.01") * Decimal("0.19877"))
    ledger.check("demo-2", taker.balances())
    for case, trader, cancelled in (("cancelled", taker, order), ("filled", maker, first)):
        refused(
            ccxt.OrderNotFound,
            f"cancel_order of a {case} order",
            lambda trader=trader, cancelled=cancelled: trader.client.cancel_order(cancelled["id"], SYMBOL),
        )


def market_orders(ledger, maker, taker):
    """By base quantity and by cost, on both sides."""
    maker.order("limit", "sell", 1, 50_010)
    ledger.lock("demo-1", "BTC", 1)
    order = taker.order("market", "buy", 0.2)
    exact(order, "closed", "0.2", "10002")
    ledger.lock("demo-1", "BTC", "-0.2")
    ledger.trade("demo-2", "demo-1", "50010", "0.2")
    # 1,000 USDT buy 0.01999 BTC in whole lots; the rest is not spent.
    order = taker.client.create_market_buy_order_with_cost(SYMBOL, 1_000)
    said("create_market_buy_order_with_cost", f"1000: {order['status']}, filled {order['filled']}, cost {order['cost']}")
    exact(order, "closed", "0.01999", "999.6999")
    exact(taker.client.fetch_order(order["id"], SYMBOL), "closed", "0.01999", "999.6999")
    ledger.lock("demo-1", "BTC", "-0.01999")
    ledger.trade("demo-2", "demo-1", "50010", "0.01999")
    maker.order("limit", "buy", 1, 49_990)
    ledger.lock("demo-1", "USDT", 49_990)
    order = taker.order("market", "sell", 0.4)
    exact(order, "closed", "0.4", "19996")
    ledger.lock("demo-1", "USDT", Decimal("-0.4") * 49_990)
    ledger.trade("demo-1", "demo-2", "49990", "0.4")
    for trader in (maker, taker):
        ledger.check(trader.account, trader.balances())
    said("fetch_balance", "after market orders: to the last unit")


def times_in_force(ledger, maker, taker):
    """Post-only, immediate or cancel, fill or kill; the book has 0.6 at 49,990 and 0.78001 at 50,010."""
    refused(
        ccxt.OrderImmediatelyFillable,
        "create_order postOnly that would take",
        lambda: taker.client.create_order(SYMBOL, "limit", "buy", 0.1, 50_010, {"postOnly": True}),
    )
    order = taker.order("limit", "buy", 0.1, 49_000, postOnly=True)
    exact(order, "open", "0", "0")
    # As placed, this type is answered with an acknowledgement or in full; asked for, it is post-only.
    assert taker.client.fetch_order(order["id"], SYMBOL)["postOnly"] is True
    taker.client.cancel_order(order["id"], SYMBOL)

    order = taker.order("limit", "buy", 0.1, 49_000, timeInForce="IOC")
    exact(order, "expired", "0", "0")
    order = taker.order("limit", "sell", 1, 49_990, timeInForce="IOC")
    exact(order, "expired", "0.6", "29994")
    ledger.lock("demo-1", "USDT", Decimal("-0.6") * 49_990)
    ledger.trade("demo-1", "demo-2", "49990", "0.6")

    order = taker.order("limit", "buy", 1, 50_010, timeInForce="FOK")
    exact(order, "expired", "0", "0")
    order = taker.order("limit", "buy", 0.5, 50_010, timeInForce="FOK")
    exact(order, "closed", "0.5", "25005")
    ledger.lock("demo-1", "BTC", "-0.5")
    ledger.trade("demo-2", "demo-1", "50010", "0.5")
    for trader in (maker, taker):
        ledger.check(trader.account, trader.balances())
    said("fetch_balance", "after post-only, IOC and FOK: to the last unit")


def edits_and_cancels(ledger, maker):
    """Edit an order; cancel all. What is left of demo-1's sell, 0.28001 at 50,010, rests still."""
    order = maker.order("limit", "buy", 0.1, 48_000)
    edited = maker.client.edit_order(order["id"], SYMBOL, "limit", "buy", 0.2, 48_100)
    assert edited["id"] != order["id"] and edited["price"] == 48_100 and edited["amount"] == 0.2, edited
    said("edit_order", f"{order['id']} became {edited['id']}, 0.2 at 48100")
    exact(maker.client.fetch_order(order["id"], SYMBOL), "canceled", "0", "0")
    ledger.lock("demo-1", "USDT", Decimal("0.2") * 48_100)
    ledger.check("demo-1", maker.balances())
    # ccxt knows -2022 by name only on binance.com; there as here, it is no network error.
    refused(
        ccxt.ExchangeError,
        "edit_order of an edited order",
        lambda: maker.client.edit_order(order["id"], SYMBOL, "limit", "buy", 0.3, 48_200),
    )
    before = maker.client.fetch_open_orders(SYMBOL)
    cancelled = maker.client.cancel_all_orders(SYMBOL)
    assert len(before) == 2 and len(cancelled) == 2, (before, cancelled)
    assert maker.client.fetch_open_orders(SYMBOL) == []
    assert maker.client.fetch_open_orders() == []
    said("cancel_all_orders", f"{len(cancelled)} orders cancelled, none left")
    refused(ccxt.OrderNotFound, "cancel_all_orders of none", lambda: maker.client.cancel_all_orders(SYMBOL))
    ledger.lock("demo-1", "USDT", -Decimal("0.2") * 48_100)
    ledger.lock("demo-1", "BTC", -ledger.locked["demo-1"]["BTC"])
    ledger.check("demo-1", maker.balances())
    orders = maker.client.fetch_orders(SYMBOL)
    statuses = [row["status"] for row in orders]
    assert statuses == ["closed", "closed", "canceled", "closed", "canceled", "canceled"], statuses
    said("fetch_orders", statuses)
    closed = maker.client.fetch_closed_orders(SYMBOL)
    assert len(closed) == 3, closed
    said("fetch_closed_orders", f"{len(closed)} orders")
    cancelled = maker.client.fetch_canceled_orders(SYMBOL)
    assert len(cancelled) == 3, cancelled
    said("fetch_canceled_orders", f"{len(cancelled)} orders")


def conditional_orders(ledger, maker, taker):
    """Stops, take-profits, trailing stops and icebergs by ccxt's own parameters; the book is empty around it."""

    def price_at(price):
        maker.order("limit", "sell", 0.001, price)
        taker.order("limit", "buy", 0.001, price)
        ledger.trade("demo-2", "demo-1", str(price), "0.001")

    price_at(50_000)
    stop = taker.order("limit", "sell", 0.02, 49_800, stopLossPrice=49_900)
    again = taker.order("limit", "sell", 0.01, 49_700, triggerPrice=49_800)
    profit = taker.order("market", "sell", 0.01, takeProfitPrice=50_200)
    for order, trigger in ((stop, 49_900), (again, 49_800), (profit, 50_200)):
        found = taker.client.fetch_order(order["id"], SYMBOL)
        assert (found["status"], found["triggerPrice"]) == ("open", trigger), found
    ledger.lock("demo-2", "BTC", "0.04")
    ledger.check("demo-2", taker.balances())
    said("create_order stopLossPrice, triggerPrice, takeProfitPrice", "open, with their holds")
    refused(
        ccxt.OrderImmediatelyFillable,
        "create_order stopLossPrice that would trigger",
        lambda: taker.client.create_order(SYMBOL, "limit", "sell", 0.02, 49_800, {"stopLossPrice": 50_100}),
    )
    maker.order("limit", "buy", 0.03, 49_850)
    taker.order("limit", "sell", 0.01, 49_850)
    exact(taker.client.fetch_order(stop["id"], SYMBOL), "closed", "0.02", "997")
    for quantity in ("0.01", "0.02"):
        ledger.trade("demo-1", "demo-2", "49850", quantity)
    taker.client.cancel_order(again["id"], SYMBOL)
    maker.order("limit", "buy", 0.01, 50_150)
    price_at(50_250)
    exact(taker.client.fetch_order(profit["id"], SYMBOL), "closed", "0.01", "501.5")
    ledger.trade("demo-1", "demo-2", "50150", "0.01")
    ledger.lock("demo-2", "BTC", "-0.04")
    for trader in (maker, taker):
        ledger.check(trader.account, trader.balances())
    said("create_order stopLossPrice, takeProfitPrice", "triggered and sold, to the last unit")
    trailing = taker.order("limit", "sell", 0.02, 45_000, trailingPercent=2, stopLossOrTakeProfit="stopLoss")
    info = trailing["info"]
    assert (info["trailingDelta"], info["type"], trailing["status"]) == (200, "STOP_LOSS_LIMIT", "open"), trailing
    taker.client.cancel_order(trailing["id"], SYMBOL)
    iceberg = maker.order("limit", "sell", 0.5, 50_500, icebergAmount=0.1)
    book = eventually(lambda: maker.client.fetch_order_book(SYMBOL), lambda book: book["asks"] == [[50_500, 0.1]])
    said("create_order icebergAmount", f"0.1 of 0.5 seen: {book['asks']}")
    maker.client.cancel_order(iceberg["id"], SYMBOL)
    for trader in (maker, taker):
        ledger.check(trader.account, trader.balances())


def market_views(stranger):
    """What everyone sees of the trades above, in order: price and quantity."""
    expected = [
        (50_000, 0.3, "buy"),
        (50_000.01, 0.00123, "buy"),
        (50_010, 0.2, "buy"),
        (50_010, 0.01999, "buy"),
        (49_990, 0.4, "sell"),
        (49_990, 0.6, "sell"),
        (50_010, 0.5, "buy"),
    ]
    volume = sum(Decimal(str(amount)) for _, amount, _ in expected)
    cost = sum(Decimal(str(price)) * Decimal(str(amount)) for price, amount, _ in expected)
    trades = eventually(lambda: stranger.fetch_trades(SYMBOL), lambda answer: len(answer) == len(expected))
    found = [(trade["price"], trade["amount"], trade["side"]) for trade in trades]
    assert found == expected, found
    said("fetch_trades", f"{len(found)} trades, as made")
    ticker = eventually(
        lambda: stranger.fetch_ticker(SYMBOL), lambda answer: int(answer["info"]["count"]) == len(expected)
    )
    info = ticker["info"]
    assert (ticker["open"], ticker["last"]) == (50_000, 50_010), ticker
    assert (ticker["high"], ticker["low"]) == (50_010, 49_990), ticker
    assert (Decimal(info["volume"]), Decimal(info["quoteVolume"])) == (volume, cost), info
    said("fetch_ticker", f"last {ticker['last']}, volume {info['volume']}, {info['quoteVolume']} USDT")
    tickers = stranger.fetch_tickers()
    assert set(tickers) == {"BTC/USDT", "ETH/BTC", "ETH/USDT"}, set(tickers)
    said("fetch_tickers", sorted(tickers))
    prices = stranger.fetch_last_prices([SYMBOL])
    assert prices[SYMBOL]["price"] == 50_010, prices
    said("fetch_last_prices", prices[SYMBOL]["price"])
    for interval, length in (("1m", 60_000), ("1h", 3_600_000)):
        candles = stranger.fetch_ohlcv(SYMBOL, interval)
        assert sum(Decimal(str(candle[5])) for candle in candles) == volume, candles
        assert max(candle[2] for candle in candles) == 50_010 and min(candle[3] for candle in candles) == 49_990
        assert all(candle[0] % length == 0 for candle in candles), candles
        assert all(later[0] - earlier[0] == length for earlier, later in zip(candles, candles[1:])), candles
        said(f"fetch_ohlcv {interval}", f"{len(candles)} candles, volume {volume}")


def books(stranger, maker):
    """The book shows levels, not orders."""
    for amount, price in ((0.1, 47_000), (0.2, 47_000), (0.3, 46_999.99)):
        maker.order("limit", "buy", amount, price)
    maker.order("limit", "sell", 0.4, 53_000)
    expected = ([[47_000, 0.3], [46_999.99, 0.3]], [[53_000, 0.4]])
    book = eventually(
        lambda: stranger.fetch_order_book(SYMBOL), lambda answer: (answer["bids"], answer["asks"]) == expected
    )
    said("fetch_order_book", f"bids {book['bids']}, asks {book['asks']}")
    best = eventually(
        lambda: stranger.fetch_bids_asks([SYMBOL])[SYMBOL],
        lambda best: (best["bid"], best["bidVolume"], best["ask"], best["askVolume"]) == (47_000, 0.3, 53_000, 0.4),
    )
    said("fetch_bids_asks", f"{best['bid']} {best['ask']}")
    maker.client.cancel_all_orders(SYMBOL)


def refusals(ledger, maker):
    """Every no is of the right type, and moves nothing."""
    trader = maker.client
    place = trader.create_order
    refused(ccxt.InsufficientFunds, "create_order beyond the balance", lambda: place(SYMBOL, "limit", "buy", 90, 50_000))
    refused(ccxt.InsufficientFunds, "create_order sell beyond the balance", lambda: place(SYMBOL, "limit", "sell", 150, 50_000))
    refused(ccxt.InvalidOrder, "create_order far from the price", lambda: place(SYMBOL, "limit", "buy", 0.1, 1_000))
    refused(ccxt.InvalidOrder, "create_order below the least lot", lambda: place(SYMBOL, "limit", "buy", 0.000001, 50_000))
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    raw = trader.private_post_order
    refused(ccxt.InvalidOrder, "POST order, price between ticks", lambda: raw({**order, "quantity": "0.1", "price": "50000.001"}))
    refused(ccxt.InvalidOrder, "POST order, quantity between lots", lambda: raw({**order, "quantity": "0.000015", "price": "50000"}))
    refused(ccxt.BadRequest, "POST order below the least notional", lambda: raw({**order, "quantity": "0.00001", "price": "50000"}))
    refused(ccxt.BadRequest, "POST order, nine decimals", lambda: raw({**order, "quantity": "0.100000001", "price": "50000"}))
    refused(ccxt.BadRequest, "POST order without a price", lambda: raw({**order, "quantity": "0.1"}))
    refused(ccxt.BadSymbol, "GET depth of no symbol", lambda: trader.public_get_depth({"symbol": "NOPEUSDT"}))
    refused(ccxt.BadSymbol, "create_order of no symbol", lambda: place("NOPE/USDT", "limit", "buy", 1, 1))
    refused(ccxt.OrderNotFound, "fetch_order of none", lambda: trader.fetch_order("999999999", SYMBOL))
    refused(ccxt.OrderNotFound, "cancel_order of none", lambda: trader.cancel_order("999999999", SYMBOL))

    first = maker.order("limit", "buy", 0.1, 40_000, clientOrderId="the-same-name")
    refused(
        ccxt.InvalidOrder,
        "create_order under an open order's name",
        lambda: place(SYMBOL, "limit", "buy", 0.1, 40_000, {"clientOrderId": "the-same-name"}),
    )
    trader.cancel_order(first["id"], SYMBOL)

    key = KEYS["demo-1"]
    forged = client(ccxt.binance, ADDRESS, {**key, "secret": "0" * len(key["secret"])})
    refused(ccxt.AuthenticationError, "fetch_balance signed with another secret", forged.fetch_balance)
    unknown = client(ccxt.binance, ADDRESS, {**key, "api_key": "A" * len(key["api_key"])})
    refused(ccxt.AuthenticationError, "fetch_balance with an unknown key", unknown.fetch_balance)
    for what, difference in (("ahead", -30_000), ("behind", 30_000)):
        skewed = connect("demo-1", options={"timeDifference": difference})
        refused(ccxt.InvalidNonce, f"fetch_balance by a clock 30 s {what}", skewed.fetch_balance)
    ledger.check("demo-1", maker.balances())
    said("fetch_balance", "after all refusals: nothing moved")


def ed25519(ledger):
    """demo-4 signs with Ed25519, and trades with demo-3, an order tested and a fee looked up."""
    signer, other = Trader("demo-4"), Trader("demo-3")
    signer.client.load_markets()
    said("load_markets", "with an Ed25519 key")
    tested = signer.client.create_order(SYMBOL, "limit", "buy", 0.1, 50_000, {"test": True})
    assert signer.client.fetch_open_orders(SYMBOL) == [], tested
    said("create_order test", "nothing placed")
    other.order("limit", "sell", 0.1, 50_000)
    order = signer.order("market", "buy", 0.1)
    exact(order, "closed", "0.1", "5000")
    ledger.trade("demo-4", "demo-3", "50000", "0.1")
    for trader in (signer, other):
        ledger.check(trader.account, trader.balances())
    trading_fee = signer.client.fetch_trading_fee(SYMBOL)
    assert (trading_fee["maker"], trading_fee["taker"]) == (0.001, 0.001), trading_fee
    trading_fees = signer.client.fetch_trading_fees()
    assert {fee["taker"] for fee in trading_fees.values()} == {0.001}, trading_fees
    said("fetch_trading_fees", f"{len(trading_fees)} markets, 0.001")
    assert signer.client.fetch_deposits() == [] and signer.client.fetch_withdrawals() == []
    said("fetch_deposits, fetch_withdrawals", "none")
    refused(ccxt.OperationRejected, "fetch_deposit_address", lambda: signer.client.fetch_deposit_address("BTC"))
    # The key may not withdraw; after a success ccxt takes -2015 for a ban.
    refused(ccxt.DDoSProtection, "withdraw", lambda: signer.client.withdraw("BTC", 1, "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"))
    said("fetch_trading_fee", f"maker {trading_fee['maker']}, taker {trading_fee['taker']}")


def main():
    ledger = Ledger(["demo-1", "demo-2", "demo-3", "demo-4"])
    stranger = public_calls()
    maker, taker = Trader("demo-1"), Trader("demo-2")
    maker.client.load_markets()
    said("load_markets", f"with a key: {sorted(maker.client.markets)}, currencies {sorted(maker.client.currencies)}")
    for trader in (maker, taker):
        ledger.check(trader.account, trader.balances())
    limit_orders(ledger, maker, taker)
    market_orders(ledger, maker, taker)
    times_in_force(ledger, maker, taker)
    edits_and_cancels(ledger, maker)
    market_views(stranger)
    books(stranger, maker)
    conditional_orders(ledger, maker, taker)
    refusals(ledger, maker)
    ed25519(ledger)
    ledger.check_sums()
    said("all", "every balance as it must be; the sum of each asset as at the start")


run(main)
