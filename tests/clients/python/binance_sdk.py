"""binance-sdk-spot, the official SDK, unmodified: REST, the WebSocket API and the market streams. Only its
URLs are changed. The SDK has a model for each answer, and only warns when one does not fit; here that is a
failure.

Usage: binance_sdk.py ADDRESS KEYS_FILE ADMIN. One line for each call: client | method | outcome.
"""

import asyncio
import importlib.metadata
import logging
import re
import tempfile
import threading
from decimal import Decimal

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_common.errors import BadRequestError, ClientError, NotFoundError, UnauthorizedError
from binance_sdk_spot import Spot

import scenario
from ledger import Ledger
from outcomes import Arguments, Table, clock, eventually, run

ARGUMENTS = Arguments()
SYMBOL = scenario.SYMBOL
VERSION = importlib.metadata.version("binance-sdk-spot")
REST, API = Table(f"binance-sdk-spot {VERSION} rest_api"), Table(f"binance-sdk-spot {VERSION} websocket_api")
STREAMS = Table(f"binance-sdk-spot {VERSION} websocket_streams")
PATIENCE = 60
REST_NAMES = {
    "place": "new_order",
    "order": "get_order",
    "cancel": "delete_order",
    "cancel_all": "delete_open_orders",
    "open_orders": "get_open_orders",
    "all_orders": "all_orders",
    "trades": "my_trades",
    "account": "get_account",
    "replace": "order_cancel_replace",
    "amend": "order_amend_keep_priority",
    "book": "depth",
    "place_oco": "order_list_oco",
    "place_oto": "order_list_oto",
    "list": "get_order_list",
    "open_lists": "open_order_list",
    "cancel_list": "delete_order_list",
}
API_NAMES = {
    "place": "order_place",
    "order": "order_status",
    "cancel": "order_cancel",
    "cancel_all": "open_orders_cancel_all",
    "open_orders": "open_orders_status",
    "all_orders": "all_orders",
    "trades": "my_trades",
    "account": "account_status",
    "replace": "order_cancel_replace",
    "amend": "order_amend_keep_priority",
    "book": "depth",
    "place_oco": "order_list_place_oco",
    "place_oto": "order_list_place_oto",
    "list": "order_list_status",
    "open_lists": "open_order_lists_status",
    "cancel_list": "order_list_cancel",
}


class Strict(logging.Handler):
    """What the SDK only warns of: an answer that does not fit its model."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        text = record.getMessage()
        if "did not match" in text or "Failed to parse" in text or "Error in callback" in text:
            self.said.append(text)


STRICT = Strict()


def snake(parameters):
    """The dialect's names as Python's."""
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in parameters.items()}


def plain(data):
    """A model as the JSON that it was made from."""
    if isinstance(data, list):
        return [plain(each) for each in data]
    instance = getattr(data, "actual_instance", None)
    if instance is not None:
        return plain(instance)
    if hasattr(data, "model_dump"):
        data = data.model_dump(by_alias=True, exclude_none=True)
    if isinstance(data, dict):
        # Models of parts keep what they do not know under this name, empty here.
        return {name: plain(value) for name, value in data.items() if name != "additional_properties"}
    return data


class Refused(Exception):
    """The WebSocket API's client gives the error of a frame as its answer: this holds it."""


def refusal(error):
    if isinstance(error, (BadRequestError, UnauthorizedError, NotFoundError, ClientError)):
        return type(error).__name__, error.status_code, error.error_message
    if isinstance(error, Refused):
        return "error", error.args[0]["code"], error.args[0]["msg"]
    return None


def credentials(account, **changes):
    key = {**ARGUMENTS.keys[account], **changes}
    if key["key_type"] == "Ed25519":
        # The SDK takes a path, or the bytes.
        with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False) as file:
            file.write(key["private_key_pem"])
        return {"api_key": key["api_key"], "private_key": file.name}
    return {"api_key": key["api_key"], "api_secret": key["secret"]}


def rest(account=None, **changes):
    given = credentials(account, **changes) if account else {}
    return Spot(config_rest_api=ConfigurationRestAPI(base_path=ARGUMENTS.rest, timeout=20_000, **given)).rest_api


def asked(client, name):
    def ask(**parameters):
        answer = plain(getattr(client, name)(**snake(parameters)).data())
        assert not STRICT.said, f"{name}: {STRICT.said}"
        return answer

    return ask


def rest_door(account, **changes):
    client = rest(account, **changes)
    return scenario.Door(REST, account, {role: (name, asked(client, name)) for role, name in REST_NAMES.items()}, refusal)


class Loop:
    """An event loop that runs beside: asynchronous calls as if they were not."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)


class Frames:
    """The WebSocket API's client, asked as if it were not asynchronous."""

    def __init__(self, loop, account, **changes):
        self.loop = loop
        configuration = ConfigurationWebSocketAPI(stream_url=f"{ARGUMENTS.sockets}/ws-api/v3", **credentials(account, **changes))
        self.client = Spot(config_ws_api=configuration).websocket_api
        loop.run(self.client.create_connection())

    def ask(self, name, **parameters):
        data = self.loop.run(getattr(self.client, name)(**snake(parameters))).data()
        answer = plain(data)
        assert not STRICT.said, f"{name}: {STRICT.said}"
        if "error" in answer:
            raise Refused(answer["error"])
        # The SDK's model of exchange_info looks for its fields beside the result, and leaves that aside whole.
        return answer["result"] if "result" in answer else data.additional_properties["result"]

    def asked(self, name):
        return lambda **parameters: self.ask(name, **parameters)

    def door(self, account):
        return scenario.Door(API, account, {role: (name, self.asked(name)) for role, name in API_NAMES.items()}, refusal)


def trade(ledger, loop):
    """A trading day, every refusal and every stranger, by REST and by frames."""
    key = ARGUMENTS.keys["demo-1"]
    forged, unknown = {"secret": "0" * len(key["secret"])}, {"api_key": "A" * len(key["api_key"])}

    def frames_door(account, **changes):
        return Frames(loop, account, **changes).door(account)

    for door in (rest_door, frames_door):
        maker, taker = door("demo-1"), door("demo-2")
        scenario.trading_day(ledger, maker, taker)
        scenario.cancel_of_a_filled_order(ledger, maker, taker)
        scenario.conditional_orders(ledger, maker, taker)
        scenario.refusals(ARGUMENTS, ledger, maker)
        scenario.strangers(maker, door("demo-1", **forged), door("demo-1", **unknown), clock)


def both(loop):
    """Each other call of REST, and the same of the WebSocket API."""
    client, frames = rest("demo-1"), Frames(loop, "demo-1")
    symbol = {"symbol": SYMBOL}
    last = eventually(lambda: asked(client, "get_trades")(**symbol), lambda answer: len(answer) > 10)[-1]
    candles = {**symbol, "interval": "1m"}
    for name, parameters, other in (
        ("get_trades", symbol, "trades_recent"),
        ("historical_trades", {**symbol, "fromId": last["id"]}, "trades_historical"),
        ("agg_trades", symbol, "trades_aggregate"),
        ("depth", symbol, "depth"),
        ("klines", candles, "klines"),
        ("ui_klines", candles, "ui_klines"),
        ("ticker_price", symbol, "ticker_price"),
        ("ticker_book_ticker", symbol, "ticker_book"),
        ("reference_price", symbol, "reference_price"),
        ("reference_price_calculation", symbol, "reference_price_calculation"),
        ("execution_rules", symbol, "execution_rules"),
        ("my_prevented_matches", {**symbol, "preventedMatchId": 1}, "my_prevented_matches"),
        ("my_allocations", symbol, "my_allocations"),
        ("account_commission", symbol, "account_commission"),
        ("order_amendments", {**symbol, "orderId": 1}, "order_amendments"),
        ("order_test", scenario.terms(), "order_test"),
        ("ping", {}, "ping"),
    ):
        both = lambda: (asked(client, name)(**parameters), frames.ask(other, **parameters))
        # Books are published by the clock: the doors may be asked on either side of a publication.
        by_rest, by_frame = eventually(both, lambda answers: answers[0] == answers[1]) if name == "depth" else both()
        # One answer holds the moment that it was made at.
        assert by_rest == by_frame or name == "reference_price", f"{name}: {by_rest} and {by_frame}"
        REST.said(name, str(by_rest)[:100])
        API.said(other, "as REST says")
    assert asked(client, "ticker_price")(**symbol)["price"] == last["price"]
    for name, parameters, other, key in (
        ("avg_price", symbol, "avg_price", "mins"),
        ("ticker24hr", symbol, "ticker24hr", "volume"),
        ("ticker", symbol, "ticker", "volume"),
        ("ticker_trading_day", symbol, "ticker_trading_day", "volume"),
    ):
        by_rest, by_frame = asked(client, name)(**parameters)[key], frames.ask(other, **parameters)[key]
        assert by_rest == by_frame, f"{name}: {by_rest} and {by_frame}"
        REST.said(name, f"{key} {by_rest}")
        API.said(other, f"{key} as REST says")
    filters = asked(client, "my_filters")(**symbol)
    assert filters["symbolFilters"], filters
    # Not by frame: there the SDK's model looks for the filters beside the result, and drops them.
    REST.said("my_filters", f"{len(filters['symbolFilters'])} of the symbol")
    for name, other in (("rate_limit_order", "account_rate_limits_orders"),):
        for table, rows in ((REST, asked(client, name)()), (API, frames.ask(other))):
            assert [row["interval"] for row in rows] == ["SECOND", "DAY"], rows
            table.said(name if table is REST else other, [(row["interval"], row["count"]) for row in rows])
    assert abs(asked(client, "time")()["serverTime"] - frames.ask("time")["serverTime"]) < 60_000

    def names(answer):
        return sorted(row["symbol"] for row in answer["symbols"])

    symbols = names(asked(client, "exchange_info")())
    assert {"BTCUSDT", "ETHBTC", "ETHUSDT"} <= set(symbols) and symbols == names(frames.ask("exchange_info")), symbols
    assert names(asked(client, "exchange_info")(symbols=["BTCUSDT", "ETHBTC"])) == ["BTCUSDT", "ETHBTC"]
    REST.said("time, exchange_info", f"{len(symbols)} symbols")
    API.said("time, exchange_info", "as REST says")


def sessions(ledger, loop):
    """Logged on with Ed25519, requests need no signature of their own; user events over the same connection."""
    other, frames = rest_door("demo-3"), Frames(loop, "demo-4")
    logged_on = frames.ask("session_logon")
    assert logged_on["apiKey"] == ARGUMENTS.keys["demo-4"]["api_key"], logged_on
    API.said("session_logon", "demo-4, with Ed25519")
    subscription = loop.run(frames.client.user_data_stream_subscribe())
    events = []
    subscription.stream.on("message", events.append)
    API.said("user_data_stream_subscribe", f"subscription {plain(subscription.response.data())['result']}")
    assert frames.ask("session_status")["userDataStream"] is True
    subscriptions = frames.ask("session_subscriptions")
    assert len(subscriptions) == 1, subscriptions
    API.said("session_status, session_subscriptions", subscriptions)
    other.limit("SELL", "0.01", "50000")
    order = frames.door("demo-4").limit("BUY", "0.01", "50000")
    scenario.exact(order, "FILLED", "0.01", "500")
    ledger.trade("demo-4", "demo-3", "50000", "0.01")
    ledger.check("demo-4", frames.ask("account_status")["balances"])
    API.said("order_place", "unsigned, after logon: FILLED; balances to the last unit")
    eventually(lambda: [plain(event) for event in events], lambda seen: len(seen) >= 3)
    kinds = [plain(event).get("e", type(event).__name__) for event in events]
    assert not STRICT.said, STRICT.said
    reports = [plain(event) for event in events if "x" in plain(event)]
    assert [(row["x"], row["X"]) for row in reports] == [("NEW", "NEW"), ("TRADE", "FILLED")], reports
    API.said("user_data_stream_subscribe", f"events {kinds}")
    frames.ask("user_data_stream_unsubscribe")
    frames.ask("session_logout")
    assert not frames.ask("session_status").get("apiKey")
    API.said("user_data_stream_unsubscribe, session_logout, session_status", "logged out")


async def streams(maker, taker):
    """Every market stream that Rialto has, by the SDK's own calls and models."""
    client = Spot(config_ws_streams=ConfigurationWebSocketStreams(stream_url=ARGUMENTS.sockets)).websocket_streams
    await client.create_connection()
    price, bid = "50001.00000000", "49000.00000000"
    seen = {}
    wanted = (
        ("trade", {}, lambda data: data["p"] == price),
        ("agg_trade", {}, lambda data: data["p"] == price),
        ("kline", {"interval": "1m"}, lambda data: data["k"]["c"] == price),
        ("kline_offset", {"interval": "1h"}, lambda data: data["k"]["c"] == price),
        ("mini_ticker", {}, lambda data: data["c"] == price),
        ("ticker", {}, lambda data: data["c"] == price),
        ("book_ticker", {}, lambda data: data["b"] == bid),
        ("partial_book_depth", {"levels": "5", "update_speed": "100ms"}, lambda data: data["bids"] == [[bid, "0.02000000"]]),
        ("diff_book_depth", {"update_speed": "100ms"}, lambda data: [bid, "0.02000000"] in data["b"]),
        ("rolling_window_ticker", {"window_size": "1h"}, lambda data: data["c"] == price),
        ("all_mini_ticker", None, lambda data: any(row["c"] == price for row in data)),
        ("avg_price", {}, lambda data: Decimal(data["w"]) > 49_000),
        ("reference_price", {}, lambda data: Decimal(data["r"]) > 1_000),
    )
    for number, (name, parameters, _) in enumerate(wanted, 1):
        given = {} if parameters is None else {"symbol": "btcusdt", **parameters}
        handle = await getattr(client, name)(**given)
        seen[name] = []
        handle.on("message", seen[name].append)
        if number % 4 == 0:
            # The exchange takes no more than 5 messages a second, and closes the connection of who sends more.
            await asyncio.sleep(1)
    await asyncio.to_thread(maker.limit, "SELL", "0.01", "50001")
    await asyncio.to_thread(taker.limit, "BUY", "0.01", "50001")
    await asyncio.to_thread(maker.limit, "BUY", "0.02", "49000")
    for name, _, condition in wanted:
        for _ in range(PATIENCE * 50):
            found = [plain(message) for message in seen[name] if condition(plain(message))]
            if found:
                break
            await asyncio.sleep(0.02)
        assert found and not STRICT.said, f"{name}: {STRICT.said}, {[plain(each) for each in seen[name][-3:]]}"
        STREAMS.said(name, str(found[0])[:100])
    await asyncio.to_thread(maker.ask, "cancel_all", symbol=SYMBOL)


def main():
    logging.getLogger().addHandler(STRICT)
    ledger = Ledger(["demo-1", "demo-2", "demo-3", "demo-4"])
    loop = Loop()
    trade(ledger, loop)
    both(loop)
    sessions(ledger, loop)
    loop.run(streams(rest_door("demo-1"), rest_door("demo-2")))


run(main)
