"""binance-connector, unmodified: REST, the WebSocket API, and the market streams. Only its URLs are changed.

Usage: binance_connector.py ADDRESS KEYS_FILE ADMIN. One line for each call: client | method | outcome.
"""

import importlib.metadata
import itertools
import json
import queue
import time
from decimal import Decimal

from binance.error import ClientError, ParameterRequiredError
from binance.spot import Spot
from binance.websocket.spot.websocket_api import SpotWebsocketAPIClient
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient

import scenario
from ledger import Ledger
from outcomes import Arguments, Table, clock, eventually, run

ARGUMENTS = Arguments()
SYMBOL = scenario.SYMBOL
VERSION = importlib.metadata.version("binance-connector")
REST, API = Table(f"binance-connector {VERSION} Spot"), Table(f"binance-connector {VERSION} SpotWebsocketAPIClient")
STREAMS = Table(f"binance-connector {VERSION} SpotWebsocketStreamClient")
PATIENCE = 60
REST_NAMES = {
    "place": "new_order",
    "order": "get_order",
    "cancel": "cancel_order",
    "cancel_all": "cancel_open_orders",
    "open_orders": "get_open_orders",
    "all_orders": "get_orders",
    "trades": "my_trades",
    "account": "account",
    "replace": "cancel_and_replace",
    "book": "depth",
    "place_oco": "new_oco_order",
    "place_oto": "new_oto_order",
    "list": "get_oco_order",
    "open_lists": "get_oco_open_orders",
    "cancel_list": "cancel_oco_order",
}
API_NAMES = {
    **REST_NAMES,
    "all_orders": "order_history",
    "replace": "cancel_replace_order",
    "book": "order_book",
    "open_lists": "get_open_oco_orders",
}


def spot(account=None, **changes):
    if account is None:
        return Spot(base_url=ARGUMENTS.rest)
    key = {**ARGUMENTS.keys[account], **changes}
    if key["key_type"] == "Ed25519":
        return Spot(api_key=key["api_key"], private_key=key["private_key_pem"], base_url=ARGUMENTS.rest)
    return Spot(api_key=key["api_key"], api_secret=key["secret"], base_url=ARGUMENTS.rest)


def refusal(error):
    if isinstance(error, ClientError):
        return type(error).__name__, error.error_code, error.error_message
    if isinstance(error, Refused):
        return "error frame", error.args[0]["code"], error.args[0]["msg"]
    return None


class Refused(Exception):
    """The client hands its frames on as they came: this holds the error of one."""


class Frames:
    """The WebSocket API's client, asked one thing at a time."""

    def __init__(self, account, **changes):
        key = {**ARGUMENTS.keys[account], **changes}
        self._answers = queue.Queue()
        self._ids = itertools.count(1)
        self.client = SpotWebsocketAPIClient(
            stream_url=f"{ARGUMENTS.sockets}/ws-api/v3",
            api_key=key["api_key"],
            api_secret=key["secret"],
            on_message=lambda _, message: self._answers.put(json.loads(message)),
        )

    def ask(self, name, **parameters):
        number = f"frame-{next(self._ids)}"
        getattr(self.client, name)(id=number, **parameters)
        answer = self._answers.get(timeout=PATIENCE)
        assert answer["id"] == number, answer
        if answer["status"] != 200:
            raise Refused(answer["error"])
        return answer["result"]

    def calls(self):
        def one(name):
            return lambda **parameters: self.ask(name, **parameters)

        return {role: (name, one(name)) for role, name in API_NAMES.items()}


def rest_door(account, client):
    calls = {role: (name, getattr(client, name)) for role, name in REST_NAMES.items()}
    return scenario.Door(REST, account, calls, refusal)


def api_door(account, **changes):
    return scenario.Door(API, account, Frames(account, **changes).calls(), refusal)


def trade(ledger):
    """A trading day and every refusal by each door."""
    key = ARGUMENTS.keys["demo-1"]
    forged, unknown = {"secret": "0" * len(key["secret"])}, {"api_key": "A" * len(key["api_key"])}
    by_rest = [rest_door(account, spot(account)) for account in ("demo-1", "demo-2")]
    by_frames = [api_door(account) for account in ("demo-1", "demo-2")]
    for doors, door in ((by_rest, lambda **changes: rest_door("demo-1", spot("demo-1", **changes))), (by_frames, lambda **changes: api_door("demo-1", **changes))):
        scenario.trading_day(ledger, *doors)
        scenario.cancel_of_a_filled_order(ledger, *doors)
        scenario.conditional_orders(ledger, *doors)
        scenario.refusals(ARGUMENTS, ledger, doors[0])
        scenario.strangers(doors[0], door(**forged), door(**unknown), clock)
    return by_rest


def account_pages(ledger):
    client = spot("demo-1")
    assert client.new_order_test(**scenario.terms()) == {}
    REST.said("new_order_test", "{}: nothing placed")
    rates = client.query_commission_rates(SYMBOL)
    assert rates["standardCommission"]["maker"] == "0.00100000", rates
    REST.said("query_commission_rates", rates["standardCommission"])
    limits = client.get_order_rate_limit()
    assert [row["interval"] for row in limits] == ["SECOND", "DAY"], limits
    REST.said("get_order_rate_limit", [(row["interval"], row["count"]) for row in limits])
    assert client.query_allocations(SYMBOL) == []
    assert client.query_prevented_matches(SYMBOL, preventedMatchId=1) == []
    REST.said("query_allocations, query_prevented_matches", "[]")
    assert client.system_status()["msg"] == "normal" and client.account_status()["data"] == "Normal"
    REST.said("system_status, account_status", "normal")
    assert client.api_trading_status()["data"]["isLocked"] is False
    assert client.api_key_permissions()["enableReading"] is True
    REST.said("api_trading_status, api_key_permissions", "not locked; reads")
    assert {coin["coin"] for coin in client.coin_info()} == {"BTC", "ETH", "USDT"}
    fee = client.trade_fee(symbol=SYMBOL)
    assert [Decimal(row["takerCommission"]) for row in fee] == [Decimal("0.001")], fee
    REST.said("coin_info, trade_fee", fee[0])
    assets = {row["asset"]: row["free"] for row in client.user_asset()}
    assert Decimal(assets["BTC"]) == ledger.total["demo-1"]["BTC"], assets
    REST.said("user_asset", assets)
    assert client.deposit_history() == [] and client.withdraw_history() == [] and client.delist_schedule_symbols() == []
    REST.said("deposit_history, withdraw_history, delist_schedule_symbols", "[]")
    REST.refused(ParameterRequiredError, "new_order without a symbol", lambda: client.new_order(symbol="", side="BUY", type="LIMIT"))
    gone = REST.refused(ClientError, "new_listen_key", client.new_listen_key)
    assert gone.status_code == 410, gone.status_code
    signer, other = spot("demo-4"), spot("demo-3")
    other.new_order(**scenario.terms(side="SELL", price="50000", quantity="0.01"))
    scenario.exact(signer.new_order(**scenario.terms(price="50000", quantity="0.01")), "FILLED", "0.01", "500")
    ledger.trade("demo-4", "demo-3", "50000", "0.01")
    ledger.check("demo-4", signer.account()["balances"])
    REST.said("new_order", "demo-4, signed with Ed25519: FILLED")


def market_data():
    """The same by both doors."""
    client, frames = spot(), Frames("demo-1")
    last = eventually(lambda: client.trades(SYMBOL), lambda answer: len(answer) > 10)[-1]
    symbol = {"symbol": SYMBOL}
    for name, parameters, other in (
        ("trades", symbol, "recent_trades"),
        ("agg_trades", symbol, "aggregate_trades"),
        ("klines", {**symbol, "interval": "1m"}, "klines"),
        ("ui_klines", {**symbol, "interval": "1h"}, "ui_klines"),
        ("depth", symbol, "order_book"),
        ("ticker_price", symbol, "ticker_price"),
        ("book_ticker", symbol, "ticker_book"),
        ("ping", {}, "ping_connectivity"),
    ):
        both = lambda: (getattr(client, name)(**parameters), frames.ask(other, **parameters))
        # Books are published by the clock: the doors may be asked on either side of a publication.
        by_rest, by_frame = eventually(both, lambda answers: answers[0] == answers[1]) if name == "depth" else both()
        assert by_rest == by_frame, f"{name}: {by_rest} and {by_frame}"
        REST.said(name, f"as {other} of the WebSocket API")
        API.said(other, f"as {name} of REST")
    assert client.ticker_price(SYMBOL)["price"] == last["price"]
    assert client.avg_price(SYMBOL)["mins"] == frames.ask("avg_price", symbol=SYMBOL)["mins"]
    assert client.ticker_24hr(SYMBOL)["volume"] == frames.ask("ticker_24hr", symbol=SYMBOL)["volume"]
    assert client.rolling_window_ticker(SYMBOL)["volume"] == frames.ask("ticker", symbol=SYMBOL)["volume"]
    assert client.trading_day_ticker(SYMBOL)["lastPrice"] == last["price"]
    REST.said("avg_price, ticker_24hr, rolling_window_ticker, trading_day_ticker", f"last {last['price']}")
    API.said("avg_price, ticker_24hr, ticker", "as REST says")
    assert abs(client.time()["serverTime"] - frames.ask("server_time")["serverTime"]) < 60_000
    info = client.exchange_info(symbol=SYMBOL)
    assert [row["symbol"] for row in info["symbols"]] == [SYMBOL]
    assert len(client.exchange_info(symbols=["BTCUSDT", "ETHBTC"])["symbols"]) == 2
    # The client counts the frame's id as a parameter, and takes no second one.
    assert frames.ask("exchange_info")["symbols"] == client.exchange_info()["symbols"]
    REST.said("time, exchange_info", "of one symbol and of two")
    assert frames.ask("new_order_test", **scenario.terms()) == {}
    assert [row["interval"] for row in frames.ask("order_rate_limit")] == ["SECOND", "DAY"]
    API.said("server_time, exchange_info, new_order_test, order_rate_limit", "as REST says")
    old = spot("demo-1").historical_trades(SYMBOL, fromId=last["id"])
    assert [row["id"] for row in old] == [last["id"]], old
    REST.said("historical_trades", f"from {last['id']}: 1")
    frames.client.stop()


# Each stream by the client's own call; what must be so of one of its messages after the trade at 50,001.
PRICE = "50001.00000000"
STREAM_CALLS = (
    ("trade", "btcusdt@trade", {}, lambda data: data["p"] == PRICE),
    ("agg_trade", "btcusdt@aggTrade", {}, lambda data: data["p"] == PRICE),
    ("kline", "btcusdt@kline_1m", {"interval": "1m"}, lambda data: data["k"]["c"] == PRICE),
    ("mini_ticker", "btcusdt@miniTicker", {}, lambda data: data["c"] == PRICE),
    ("ticker", "btcusdt@ticker", {}, lambda data: data["c"] == PRICE),
    ("book_ticker", "btcusdt@bookTicker", {}, lambda data: data["b"] == "49000.00000000"),
    ("partial_book_depth", "btcusdt@depth5@100ms", {"level": 5, "speed": 100}, lambda data: data["bids"] == [["49000.00000000", "0.02000000"]]),
    ("diff_book_depth", "btcusdt@depth@100ms", {"speed": 100}, lambda data: ["49000.00000000", "0.02000000"] in data["b"]),
    ("diff_book_depth", "btcusdt@depth@1000ms", {"speed": 1000}, lambda data: ["49000.00000000", "0.02000000"] in data["b"]),
    ("rolling_window_ticker", "btcusdt@ticker_1h", {"windowSize": "1h"}, lambda data: data["c"] == PRICE),
)


def answered(messages, number):
    """The answer to a request; streams that are subscribed to already may speak before."""
    while (message := messages.get(timeout=PATIENCE)).get("id") != number:
        assert "stream" in message, message
    return message


def streams(doors):
    """Every stream of the client on one combined connection."""
    maker, taker = doors
    messages = queue.Queue()
    client = SpotWebsocketStreamClient(
        stream_url=ARGUMENTS.sockets, is_combined=True, on_message=lambda _, message: messages.put(json.loads(message))
    )
    for number, (name, stream, parameters, _) in enumerate(STREAM_CALLS, 1):
        getattr(client, name)(symbol=SYMBOL, id=number, **parameters)
        answered(messages, number)
        if number % 4 == 0:
            # The exchange takes no more than 5 messages a second, and closes the connection of who sends more.
            time.sleep(1)
    wanted = {stream: (name, condition) for name, stream, _, condition in STREAM_CALLS}
    maker.ask("place", **scenario.terms(side="SELL", price="50001", quantity="0.01"))
    taker.ask("place", **scenario.terms(side="BUY", price="50001", quantity="0.01"))
    maker.ask("place", **scenario.terms(side="BUY", price="49000", quantity="0.02"))
    missing = dict(wanted)
    while missing:
        try:
            message = messages.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"never came: {sorted(missing)}") from None
        name, condition = wanted[message["stream"]]
        if message["stream"] in missing and condition(message["data"]):
            del missing[message["stream"]]
            STREAMS.said(f"{name} {message['stream']}", f"{json.dumps(message['data'])[:120]}")
    client.list_subscribe(id=99)
    message = answered(messages, 99)
    assert sorted(message["result"]) == sorted(wanted), message
    STREAMS.said("list_subscribe", f"{len(message['result'])} streams")
    client.stop()
    maker.ask("cancel_all", symbol=SYMBOL)


def main():
    ledger = Ledger(["demo-1", "demo-2", "demo-3", "demo-4"])
    doors = trade(ledger)
    account_pages(ledger)
    market_data()
    streams(doors)


run(main)
