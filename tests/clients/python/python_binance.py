"""python-binance, unmodified: REST by both of its clients, the WebSocket API, every spot socket, the
depth cache, and the user socket over a killed exchange. Only its URLs are changed.

Usage: python_binance.py ADDRESS KEYS_FILE ADMIN. One line for each call: client | method | outcome.
"""

import asyncio
import importlib.metadata
import threading
import time
from decimal import Decimal

from binance import AsyncClient, BinanceSocketManager, Client, DepthCacheManager, ThreadedWebsocketManager
from binance.exceptions import BinanceAPIException
from binance.ws.constants import WSListenerState

import scenario
from ledger import Ledger
from outcomes import Arguments, Table, clock, eventually, restart, run

ARGUMENTS = Arguments()
SYMBOL = scenario.SYMBOL
VERSION = importlib.metadata.version("python-binance")
SYNC, ASYNC = Table(f"python-binance {VERSION} Client"), Table(f"python-binance {VERSION} AsyncClient")
API, SOCKETS = Table(f"python-binance {VERSION} ws_*"), Table(f"python-binance {VERSION} sockets")
PATIENCE = 60
# What each role of the scenario is called; the WebSocket API has the same under `ws_…`.
REST = {
    "place": "create_order",
    "order": "get_order",
    "cancel": "cancel_order",
    "cancel_all": "cancel_all_open_orders",
    "open_orders": "get_open_orders",
    "all_orders": "get_all_orders",
    "trades": "get_my_trades",
    "account": "get_account",
    "replace": "cancel_replace_order",
    "book": "get_order_book",
    "place_oco": "create_oco_order",
    "place_oto": "v3_post_order_list_oto",
    "list": "v3_get_order_list",
    "open_lists": "get_open_oco_orders",
    "cancel_list": "v3_delete_order_list",
}
WEBSOCKET = {role: f"ws_{name}" for role, name in REST.items()} | {
    "replace": "ws_cancel_and_replace_order",
    "place_oto": "ws_create_oto_order",
    "list": "ws_get_oco_order",
    "open_lists": "ws_get_oco_open_orders",
    "cancel_list": "ws_cancel_oco_order",
}


def point_to_rialto():
    """The class attributes that lead to another exchange; this is all."""
    for kind in (Client, AsyncClient):
        kind.API_URL = f"{ARGUMENTS.rest}/api"
        kind.MARGIN_API_URL = f"{ARGUMENTS.rest}/sapi"
        kind.WS_API_URL = f"{ARGUMENTS.sockets}/ws-api/v3"
    BinanceSocketManager.STREAM_URL = f"{ARGUMENTS.sockets}/"


def refusal(error):
    if isinstance(error, BinanceAPIException):
        return type(error).__name__, error.code, error.message
    return None


def credentials(account, **changes):
    key = {**ARGUMENTS.keys[account], **changes}
    if key["key_type"] == "Ed25519":
        return {"api_key": key["api_key"], "private_key": key["private_key_pem"]}
    return {"api_key": key["api_key"], "api_secret": key["secret"]}


def door(table, account, client, names, wrap=lambda call: call):
    calls = {role: (name, wrap(getattr(client, name))) for role, name in names.items()}
    return scenario.Door(table, account, calls, refusal)


class Loop:
    """An event loop that runs beside: asynchronous calls as if they were not."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def wrap(self, call):
        return lambda **parameters: self.run(call(**parameters))


def rest(ledger):
    """The synchronous client: a trading day, every refusal, and the account's other pages."""
    maker, taker = Client(**credentials("demo-1")), Client(**credentials("demo-2"))
    SYNC.said("ping", "by the constructor")
    doors = [door(SYNC, f"demo-{number}", client, REST) for number, client in ((1, maker), (2, taker))]
    scenario.trading_day(ledger, *doors)
    scenario.cancel_of_a_filled_order(ledger, *doors)
    scenario.conditional_orders(ledger, *doors)
    scenario.refusals(ARGUMENTS, ledger, doors[0])
    secret, key = ARGUMENTS.keys["demo-1"]["secret"], ARGUMENTS.keys["demo-1"]["api_key"]
    scenario.strangers(
        doors[0],
        door(SYNC, "demo-1", Client(**credentials("demo-1", secret="0" * len(secret))), REST),
        door(SYNC, "demo-1", Client(**credentials("demo-1", api_key="A" * len(key))), REST),
        clock,
    )
    shortcuts(ledger, maker, taker)
    assert maker.create_test_order(**scenario.terms()) == {}
    SYNC.said("create_test_order", "{}: nothing placed")
    assert maker.get_open_orders() == []
    assert maker.get_asset_balance(asset="BTC")["free"] == str(ledger.total["demo-1"]["BTC"].quantize(Decimal("0.00000001")))
    SYNC.said("get_asset_balance", maker.get_asset_balance(asset="BTC"))
    counts = maker.get_current_order_count()
    assert [(row["rateLimitType"], row["interval"]) for row in counts] == [("ORDERS", "SECOND"), ("ORDERS", "DAY")], counts
    SYNC.said("get_current_order_count", [(row["interval"], row["count"]) for row in counts])
    assert maker.get_prevented_matches(symbol=SYMBOL, preventedMatchId=1) == []
    assert maker.get_allocations(symbol=SYMBOL) == []
    SYNC.said("get_prevented_matches, get_allocations", "[]")
    account_pages(maker)
    sign_with_ed25519(ledger)


def shortcuts(ledger, maker, taker):
    """The calls that fill in side, type and time in force."""
    resting = maker.order_limit_sell(symbol=SYMBOL, quantity="0.02", price="50000", newOrderRespType="FULL")
    scenario.exact(taker.order_limit_buy(symbol=SYMBOL, quantity="0.01", price="50000"), "FILLED", "0.01", "500")
    scenario.exact(taker.order_market_buy(symbol=SYMBOL, quantity="0.01"), "FILLED", "0.01", "500")
    scenario.exact(maker.get_order(symbol=SYMBOL, orderId=resting["orderId"]), "FILLED", "0.02", "1000")
    for _ in range(2):
        ledger.trade("demo-2", "demo-1", "50000", "0.01")
    maker.order_limit_buy(symbol=SYMBOL, quantity="0.01", price="50000")
    scenario.exact(taker.order_market_sell(symbol=SYMBOL, quantity="0.01"), "FILLED", "0.01", "500")
    ledger.trade("demo-1", "demo-2", "50000", "0.01")
    for account, client in (("demo-1", maker), ("demo-2", taker)):
        ledger.check(account, client.get_account()["balances"])
    SYNC.said("order_limit_buy/sell, order_market_buy/sell", "FILLED; balances to the last unit")


def account_pages(client):
    """What `sapi` says of an account and of the exchange."""
    assert client.get_system_status() == {"status": 0, "msg": "normal"}
    SYNC.said("get_system_status", "normal")
    fee = client.get_trade_fee(symbol=SYMBOL)
    assert [(Decimal(row["makerCommission"]), Decimal(row["takerCommission"])) for row in fee] == [(Decimal("0.001"),) * 2], fee
    SYNC.said("get_trade_fee", fee[0])
    coins = client.get_all_coins_info()
    assert {coin["coin"] for coin in coins} == {"BTC", "ETH", "USDT"}, coins
    SYNC.said("get_all_coins_info", sorted(coin["coin"] for coin in coins))
    assert client.get_account_status()["data"] == "Normal"
    SYNC.said("get_account_status", "Normal")
    permissions = client.get_account_api_permissions()
    assert permissions["enableReading"] and permissions["enableSpotAndMarginTrading"], permissions
    SYNC.said("get_account_api_permissions", "reads and trades")
    assert client.get_spot_delist_schedule() == []
    assert client.get_deposit_history() == [] and client.get_withdraw_history() == []
    SYNC.said("get_deposit_history, get_withdraw_history, get_spot_delist_schedule", "[]")


def sign_with_ed25519(ledger):
    signer, other = Client(**credentials("demo-4")), Client(**credentials("demo-3"))
    other.order_limit_sell(symbol=SYMBOL, quantity="0.01", price="50000")
    scenario.exact(signer.order_market_buy(symbol=SYMBOL, quantity="0.01"), "FILLED", "0.01", "500")
    ledger.trade("demo-4", "demo-3", "50000", "0.01")
    ledger.check("demo-4", signer.get_account()["balances"])
    SYNC.said("order_market_buy", "demo-4, signed with Ed25519: FILLED")


def market_data():
    """What anyone may ask, after the trades above."""
    anyone = Client()
    assert abs(anyone.get_server_time()["serverTime"] - anyone.get_exchange_info()["serverTime"]) < 60_000
    SYNC.said("get_server_time", "as exchangeInfo's")
    symbol = anyone.get_symbol_info(SYMBOL)
    filters = {row["filterType"]: row for row in symbol["filters"]}
    assert (filters["PRICE_FILTER"]["tickSize"], filters["LOT_SIZE"]["stepSize"]) == ("0.01000000", "0.00001000"), filters
    SYNC.said("get_symbol_info", f"{symbol['status']}, filters {sorted(filters)}")
    assert anyone.get_symbol_info("NOPEUSDT") is None
    trades = eventually(lambda: anyone.get_recent_trades(symbol=SYMBOL), lambda answer: len(answer) >= 10)
    old = anyone.get_historical_trades(symbol=SYMBOL, fromId=trades[0]["id"])
    assert old == trades, (old, trades)
    SYNC.said("get_recent_trades, get_historical_trades", f"{len(trades)} trades, the same")
    aggregated = list(anyone.aggregate_trade_iter(SYMBOL))
    from_rest = anyone.get_aggregate_trades(symbol=SYMBOL)
    volume = sum(Decimal(row["qty"]) for row in trades)
    assert sum(Decimal(row["q"]) for row in from_rest) == volume, from_rest
    assert aggregated == from_rest, (aggregated, from_rest)
    SYNC.said("get_aggregate_trades, aggregate_trade_iter", f"{len(from_rest)}, of {volume} BTC together")
    for method in ("get_klines", "get_ui_klines"):
        candles = getattr(anyone, method)(symbol=SYMBOL, interval=Client.KLINE_INTERVAL_1MINUTE)
        assert sum(Decimal(candle[5]) for candle in candles) == volume, candles
        assert all(candle[6] == candle[0] + 59_999 for candle in candles), candles
        SYNC.said(method, f"{len(candles)} candles, volume {volume}")
    history = anyone.get_historical_klines(SYMBOL, Client.KLINE_INTERVAL_1MINUTE, "1 hour ago UTC")
    assert sum(Decimal(candle[5]) for candle in history) == volume, history
    SYNC.said("get_historical_klines", f"the last hour: volume {volume}")
    ticker = anyone.get_ticker(symbol=SYMBOL)
    assert (Decimal(ticker["volume"]), ticker["count"]) == (volume, len(trades)), ticker
    SYNC.said("get_ticker", f"last {ticker['lastPrice']}, volume {ticker['volume']}")
    window = anyone.get_symbol_ticker_window(symbol=SYMBOL)
    assert Decimal(window["volume"]) == volume, window
    SYNC.said("get_symbol_ticker_window", f"volume {window['volume']}")
    last = trades[-1]["price"]
    assert anyone.get_symbol_ticker(symbol=SYMBOL) == {"symbol": SYMBOL, "price": last}
    assert {"symbol": SYMBOL, "price": last} in anyone.get_all_tickers()
    SYNC.said("get_symbol_ticker, get_all_tickers", last)
    average = anyone.get_avg_price(symbol=SYMBOL)
    assert 49_000 < Decimal(average["price"]) < 51_000, average
    SYNC.said("get_avg_price", average["price"])
    assert anyone.get_order_book(symbol=SYMBOL)["bids"] == []
    SYNC.said("get_order_book", "empty")
    assert anyone.get_orderbook_ticker(symbol=SYMBOL)["bidPrice"] == "0.00000000"
    assert any(row["symbol"] == SYMBOL for row in anyone.get_orderbook_tickers())
    SYNC.said("get_orderbook_ticker, get_orderbook_tickers", "no bid")
    SYNC.refused(BinanceAPIException, "get_order_book of no symbol", lambda: anyone.get_order_book(symbol="NOPEUSDT"))
    SYNC.refused(BinanceAPIException, "get_klines of no interval", lambda: anyone.get_klines(symbol=SYMBOL, interval="2m"))


def asynchronous(ledger, loop):
    """The asynchronous client by REST, then the WebSocket API by the same client: each a trading day."""
    maker, taker = (loop.run(AsyncClient.create(**credentials(account))) for account in ("demo-1", "demo-2"))
    for table, names in ((ASYNC, REST), (API, WEBSOCKET)):
        doors = [
            door(table, account, client, names, loop.wrap) for account, client in (("demo-1", maker), ("demo-2", taker))
        ]
        scenario.trading_day(ledger, *doors)
        scenario.cancel_of_a_filled_order(ledger, *doors)
        scenario.conditional_orders(ledger, *doors)
        scenario.refusals(ARGUMENTS, ledger, doors[0])
        strangers = [
            door(table, "demo-1", loop.run(AsyncClient.create(**credentials("demo-1", **changes))), names, loop.wrap)
            for changes in (
                {"secret": "0" * len(ARGUMENTS.keys["demo-1"]["secret"])},
                {"api_key": "A" * len(ARGUMENTS.keys["demo-1"]["api_key"])},
            )
        ]
        scenario.strangers(doors[0], *strangers, clock)
    websocket_reads(loop, maker)
    return maker, taker


def settled(anyone):
    """Waits until the depth, which moves ten times a second, shows the last change: it no longer moves."""
    book, same = None, 0
    while same < 5:
        last, book = book, anyone.get_order_book(symbol=SYMBOL)
        same = same + 1 if book == last else 0
        time.sleep(0.05)


def websocket_reads(loop, client):
    """Each read of the WebSocket API gives what REST gives."""
    anyone = Client()
    symbol = {"symbol": SYMBOL}
    settled(anyone)
    for method, parameters, same in (
        ("ws_get_order_book", symbol, anyone.get_order_book(**symbol)),
        ("ws_get_recent_trades", symbol, anyone.get_recent_trades(**symbol)),
        ("ws_get_historical_trades", {**symbol, "fromId": 1}, anyone.get_historical_trades(**symbol, fromId=1)),
        ("ws_get_aggregate_trades", symbol, anyone.get_aggregate_trades(**symbol)),
        ("ws_get_klines", {**symbol, "interval": "1h"}, anyone.get_klines(**symbol, interval="1h")),
        ("ws_get_uiKlines", {**symbol, "interval": "1h"}, anyone.get_ui_klines(**symbol, interval="1h")),
        ("ws_get_symbol_ticker", symbol, anyone.get_symbol_ticker(**symbol)),
        ("ws_get_orderbook_ticker", symbol, anyone.get_orderbook_ticker(**symbol)),
        ("ws_ping", {}, {}),
    ):
        answer = loop.run(getattr(client, method)(**parameters))
        assert answer == same, f"{method}: {answer} instead of {same}"
        API.said(method, "as REST says")
    assert loop.run(client.ws_get_avg_price(**symbol))["mins"] == anyone.get_avg_price(**symbol)["mins"]
    assert loop.run(client.ws_get_ticker(**symbol))["volume"] == anyone.get_ticker(**symbol)["volume"]
    assert loop.run(client.ws_get_symbol_ticker_window(**symbol))["volume"] == anyone.get_ticker(**symbol)["volume"]
    assert loop.run(client.ws_get_trading_day_ticker(**symbol))["volume"] == anyone.get_ticker(**symbol)["volume"]
    API.said("ws_get_avg_price, ws_get_ticker, ws_get_symbol_ticker_window, ws_get_trading_day_ticker", "as REST says")
    assert abs(loop.run(client.ws_get_time())["serverTime"] - anyone.get_server_time()["serverTime"]) < 60_000
    info = loop.run(client.ws_get_exchange_info())
    assert info["symbols"] == anyone.get_exchange_info()["symbols"]
    API.said("ws_get_time, ws_get_exchange_info", f"{len(info['symbols'])} symbols, as REST says")
    assert loop.run(client.ws_create_test_order(**scenario.terms())) == {}
    counts = loop.run(client.ws_get_account_rate_limits_orders())
    assert [row["interval"] for row in counts] == ["SECOND", "DAY"], counts
    rates = loop.run(client.ws_get_commission_rates(**symbol))
    assert rates["standardCommission"]["taker"] == "0.00100000", rates
    API.said("ws_create_test_order, ws_get_account_rate_limits_orders, ws_get_commission_rates", "as documented")
    assert loop.run(client.ws_get_prevented_matches(symbol=SYMBOL, preventedMatchId=1)) == []
    assert loop.run(client.ws_get_allocations(**symbol)) == []
    API.said("ws_get_prevented_matches, ws_get_allocations", "[]")


class Watch:
    """One socket, read until what is waited for has come."""

    def __init__(self, name, socket):
        self.name, self.socket, self.seen, self.may_break = name, socket, [], False

    async def until(self, condition, what):
        while not condition(self.seen):
            try:
                message = await asyncio.wait_for(self.socket.recv(), PATIENCE)
            except TimeoutError:
                raise AssertionError(f"{self.name}: {what} never came; seen {self.seen[-3:]}") from None
            if isinstance(message, dict) and message.get("e") == "error":
                assert self.may_break, f"{self.name}: {message}"
                continue
            self.seen.append(message)


async def sockets(client, taker):
    """Every spot socket while another account trades, and the depth cache."""
    manager = BinanceSocketManager(client)
    wanted = {
        "depth_socket 100 ms": manager.depth_socket(SYMBOL, interval=100),
        "depth_socket of 5": manager.depth_socket(SYMBOL, depth="5", interval=100),
        "trade_socket": manager.trade_socket(SYMBOL),
        "aggtrade_socket": manager.aggtrade_socket(SYMBOL),
        "kline_socket": manager.kline_socket(SYMBOL, interval="1m"),
        "symbol_ticker_socket": manager.symbol_ticker_socket(SYMBOL),
        "symbol_miniticker_socket": manager.symbol_miniticker_socket(SYMBOL),
        "miniticker_socket": manager.miniticker_socket(),
        "ticker_socket": manager.ticker_socket(),
        "symbol_book_ticker_socket": manager.symbol_book_ticker_socket(SYMBOL),
        "multiplex_socket": manager.multiplex_socket(["btcusdt@trade", "ethusdt@trade"]),
        "user_socket": manager.user_socket(),
    }
    watching = {name: Watch(name, await socket.__aenter__()) for name, socket in wanted.items()}
    cache = DepthCacheManager(client, SYMBOL, ws_interval=100)
    await cache.__aenter__()

    prices = [f"{price}.00000000" for price in range(50_001, 50_011)]
    resting = None
    for price in prices:
        resting = await client.order_limit_sell(symbol=SYMBOL, quantity="0.02", price=price)
        taken = await taker.order_limit_buy(symbol=SYMBOL, quantity="0.02", price=price)
        assert taken["status"] == "FILLED", taken
    await client.order_limit_buy(symbol=SYMBOL, quantity="0.5", price="49000")

    def prices_of(key):
        return lambda seen: [message[key] for message in seen][-len(prices):] == prices

    async def seen(name, condition, outcome):
        await watching[name].until(condition, outcome)
        SOCKETS.said(name, outcome)

    await seen("trade_socket", prices_of("p"), f"{len(prices)} trades, in order")
    ids = [message["t"] for message in watching["trade_socket"].seen]
    assert ids == list(range(ids[0], ids[0] + len(ids))), ids
    await seen("aggtrade_socket", prices_of("p"), f"{len(prices)} aggregate trades, in order")
    await seen("multiplex_socket", lambda all_: [row["data"]["p"] for row in all_] == prices, "the same, each with its stream's name")
    await seen("kline_socket", lambda all_: all_ and all_[-1]["k"]["c"] == prices[-1], f"a candle that closes at {prices[-1]}")
    for name in ("symbol_ticker_socket", "symbol_miniticker_socket"):
        await seen(name, lambda all_: all_ and all_[-1]["c"] == prices[-1], f"last {prices[-1]}")
    for name in ("miniticker_socket", "ticker_socket"):
        await seen(
            name, lambda all_: all_ and [row["c"] for row in all_[-1] if row["s"] == SYMBOL] == [prices[-1]], f"a list with last {prices[-1]}"
        )
    bid = ["49000.00000000", "0.50000000"]
    await seen("symbol_book_ticker_socket", lambda all_: all_ and [all_[-1]["b"], all_[-1]["B"]] == bid, f"bid {bid}")
    await seen("depth_socket of 5", lambda all_: all_ and all_[-1]["bids"] == [bid], f"the book: {bid}")
    await seen("depth_socket 100 ms", lambda all_: all_ and bid in all_[-1]["b"], f"the change: {bid}")
    changes = watching["depth_socket 100 ms"].seen
    assert all(later["U"] == earlier["u"] + 1 for earlier, later in zip(changes, changes[1:])), changes
    SOCKETS.said("depth_socket 100 ms", f"{len(changes)} changes, U = the last u + 1 in each")
    book = await asyncio.wait_for(cache.recv(), PATIENCE)
    while book.get_bids() != [[49_000.0, 0.5]] or book.get_asks():
        book = await asyncio.wait_for(cache.recv(), PATIENCE)
    SOCKETS.said("DepthCacheManager", f"bids {book.get_bids()}, asks {book.get_asks()}")
    await user_events(client, watching["user_socket"], prices, resting["orderId"])
    return wanted["user_socket"], watching["trade_socket"]


async def user_events(client, watch, prices, last_order):
    """Each order's life in order, and the balances after it."""
    def reports(seen, order=None):
        rows = [row for row in seen if row["e"] == "executionReport"]
        return [(row["x"], row["X"], row["L"]) for row in rows if order in (None, row["i"])]

    await watch.until(lambda seen: len(reports(seen)) == 2 * len(prices) + 1, "every report")
    filled = [price for kind, status, price in reports(watch.seen) if (kind, status) == ("TRADE", "FILLED")]
    assert filled == prices, filled
    life = [("NEW", "NEW"), ("TRADE", "FILLED")]
    assert [row[:2] for row in reports(watch.seen, last_order)] == life, reports(watch.seen, last_order)
    def balances(seen):
        positions = [row for row in seen if row["e"] == "outboundAccountPosition"]
        return {entry["a"]: (entry["f"], entry["l"]) for row in positions for entry in row["B"]}

    account = await client.get_account()
    must = {row["asset"]: (row["free"], row["locked"]) for row in account["balances"] if row["asset"] in ("BTC", "USDT")}
    await watch.until(lambda seen: must.items() <= balances(seen).items(), f"the balances {must}")
    SOCKETS.said("user_socket", f"balances as get_account says: {must}")
    SOCKETS.said("user_socket", f"{len(prices)} orders: NEW, then FILLED, at their prices")


async def over_a_restart(client, taker, user_socket, trades):
    """The exchange is killed and comes back. The trade socket connects again by itself; the user socket says
    that it was lost, and is opened again, as its documentation has it."""
    await asyncio.to_thread(restart)
    for name, socket in (("user_socket", user_socket), ("trade_socket", trades.socket)):
        while (message := await asyncio.wait_for(socket.recv(), PATIENCE)).get("e") != "error":
            pass
        SOCKETS.said(name, f"the exchange killed: told {message['type']}")
    before = await client.get_open_orders(symbol=SYMBOL)
    assert [(row["price"], row["origQty"]) for row in before] == [("49000.00000000", "0.50000000")], before
    ASYNC.said("get_open_orders", "after kill -9 and recovery: the order that rested still rests")
    # The client connects again by itself; who asks before it has may be answered on the connection it drops.
    while client.ws_api.ws_state != WSListenerState.STREAMING:
        await asyncio.sleep(0.1)
    user_socket = BinanceSocketManager(client).user_socket()
    await user_socket.__aenter__()
    watch = Watch("user_socket", user_socket)
    last = trades.seen[-1]["t"]
    trades.seen.clear()
    trades.may_break = True
    # Until the client has connected: each of these is a trade of its own.
    told = asyncio.create_task(trades.until(len, "a trade"))
    made = 0
    while not told.done():
        made += 1
        assert made < 2_000 and (await taker.order_market_sell(symbol=SYMBOL, quantity="0.001"))["status"] == "FILLED"
        await asyncio.wait([told], timeout=0.05)
    told.result()
    assert last < trades.seen[0]["t"] <= last + made, (last, made, trades.seen[0])
    SOCKETS.said("trade_socket", f"connected again by itself: trade {trades.seen[0]['t']}")

    def sold(seen):
        return [row["l"] for row in seen if row["e"] == "executionReport" and row["x"] == "TRADE"]

    await watch.until(lambda seen: len(sold(seen)) == made, "every fill")
    SOCKETS.said("user_socket", f"opened again: {made} fills of the order from before")
    await user_socket.__aexit__(None, None, None)
    SOCKETS.said("user_socket", "unsubscribed at its end")


def threaded():
    """The manager that calls back from a thread of its own."""
    heard = threading.Event()
    messages = []

    def hear(message):
        messages.append(message)
        heard.set()

    manager = ThreadedWebsocketManager(**credentials("demo-1"))
    manager.start()
    manager.start_multiplex_socket(callback=hear, streams=["btcusdt@bookTicker"])
    client = Client(**credentials("demo-1"))
    for number in range(200):
        order = client.order_limit_buy(symbol=SYMBOL, quantity="0.01", price=str(48_000 + number))
        if heard.wait(0.1):
            break
    client.cancel_all_open_orders(symbol=SYMBOL)
    assert heard.is_set() and messages[0]["stream"] == "btcusdt@bookTicker", (messages, order)
    SOCKETS.said("ThreadedWebsocketManager.start_multiplex_socket", f"{len(messages)} quotes")


def main():
    point_to_rialto()
    ledger = Ledger(["demo-1", "demo-2", "demo-3", "demo-4"])
    rest(ledger)
    market_data()
    threaded()
    loop = Loop()
    maker, taker = asynchronous(ledger, loop)
    user_socket, trades = loop.run(sockets(maker, taker))
    loop.run(over_a_restart(maker, taker, user_socket, trades))


run(main)
