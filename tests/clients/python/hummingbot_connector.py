"""hummingbot's binance connector, unmodified: it connects, quotes, takes and cancels on its own clock, and goes on
when the exchange was killed and has come back. Only its URLs are changed.

Usage: hummingbot_connector.py ADDRESS KEYS_FILE ADMIN. One line for each call: client | method | outcome.
"""

import asyncio
import importlib.metadata
import logging
import sys
from decimal import Decimal

import hummingbot.connector.exchange.binance.binance_constants as constants
from hummingbot.connector.exchange.binance.binance_exchange import BinanceExchange
from hummingbot.core.clock import Clock, ClockMode
from hummingbot.core.data_type.common import OrderType
from hummingbot.core.event.event_forwarder import EventForwarder
from hummingbot.core.event.events import MarketEvent

from ledger import Ledger
from outcomes import Arguments, Table, restart, run
from plain import Plain

ARGUMENTS = Arguments()
TABLE = Table(f"hummingbot {importlib.metadata.version('hummingbot')} binance connector")
PAIR = "BTC-USDT"
PATIENCE, LOOK = 60, 0.02
EVENTS = (
    MarketEvent.BuyOrderCreated,
    MarketEvent.SellOrderCreated,
    MarketEvent.BuyOrderCompleted,
    MarketEvent.SellOrderCompleted,
    MarketEvent.OrderFilled,
    MarketEvent.OrderCancelled,
    MarketEvent.OrderFailure,
)


def point_to_rialto():
    """The constants that lead to another exchange; this is all."""
    constants.REST_URL = f"{ARGUMENTS.rest}/api/"
    constants.WSS_URL = f"{ARGUMENTS.sockets}/ws"
    constants.WSS_API_URL = f"{ARGUMENTS.sockets}/ws-api/v3"


class Desk:
    """The connector, and what it has told."""

    def __init__(self):
        key = ARGUMENTS.keys["demo-1"]
        self.connector = BinanceExchange(
            binance_api_key=key["api_key"], binance_api_secret=key["secret"], trading_pairs=[PAIR]
        )
        self.told = []
        # The connector holds them only weakly.
        self._forwarders = [EventForwarder(self._keep(event)) for event in EVENTS]
        for event, forwarder in zip(EVENTS, self._forwarders):
            self.connector.add_listener(event, forwarder)

    def _keep(self, kind):
        return lambda event: self.told.append((kind.name, event))

    async def event(self, kind, order, count=1):
        """The `count`th event of this kind of this order."""

        def found():
            return [event for name, event in self.told if name == kind and event.order_id == order]

        await until(lambda: len(found()) >= count, lambda: f"{kind} of {order}; told {self.told[-4:]}")
        return found()[count - 1]


async def until(condition, what):
    for _ in range(int(PATIENCE / LOOK)):
        if condition():
            return
        await asyncio.sleep(LOOK)
    raise AssertionError(f"never: {what()}")


def balances(desk):
    """The connector's own idea of the account: available and total."""
    connector = desk.connector
    return {asset: (connector.get_available_balance(asset), connector.get_balance(asset)) for asset in ("BTC", "USDT")}


def balances_of(ledger):
    """What it must be."""
    total, locked = ledger.total["demo-1"], ledger.locked["demo-1"]
    return {asset: (total[asset] - locked[asset], total[asset]) for asset in ("BTC", "USDT")}


async def check(desk, ledger):
    """The connector's own idea of the account, to the last unit."""
    await until(lambda: balances(desk) == balances_of(ledger), lambda: f"{balances(desk)} instead of {balances_of(ledger)}")
    TABLE.said("get_balance, get_available_balance", f"to the last unit: {balances_of(ledger)}")


async def rest_and_fill(desk, other, ledger):
    """A limit order rests, is filled in two parts as maker, with its commission; then it is complete."""
    order = desk.connector.sell(PAIR, Decimal("0.3"), OrderType.LIMIT, Decimal("50000"))
    await desk.event("SellOrderCreated", order)
    TABLE.said("sell LIMIT", "SellOrderCreated")
    for number, (quantity, commission) in enumerate((("0.1", "5"), ("0.2", "10")), 1):
        await asyncio.to_thread(other.limit, "BUY", quantity, "50000")
        fill = await desk.event("OrderFilled", order, number)
        found = (fill.price, fill.amount, [(fee.token, fee.amount) for fee in fill.trade_fee.flat_fees])
        assert found == (50_000, Decimal(quantity), [("USDT", Decimal(commission))]), found
        ledger.trade("demo-2", "demo-1", "50000", quantity)
    complete = await desk.event("SellOrderCompleted", order)
    assert (complete.base_asset_amount, complete.quote_asset_amount) == (Decimal("0.3"), 15_000), complete
    TABLE.said("sell LIMIT", "OrderFilled twice: 0.1, 0.2 at 50000, commission 5 and 10 USDT; SellOrderCompleted: 15000 USDT")
    await check(desk, ledger)


async def take(desk, other, ledger):
    await asyncio.to_thread(other.limit, "SELL", "0.2", "50010")
    order = desk.connector.buy(PAIR, Decimal("0.2"), OrderType.MARKET, Decimal("50010"))
    fill = await desk.event("OrderFilled", order)
    found = (fill.price, fill.amount, [(fee.token, fee.amount) for fee in fill.trade_fee.flat_fees])
    assert found == (50_010, Decimal("0.2"), [("BTC", Decimal("0.0002"))]), found
    await desk.event("BuyOrderCompleted", order)
    ledger.trade("demo-1", "demo-2", "50010", "0.2")
    TABLE.said("buy MARKET", "OrderFilled 0.2 at 50010, commission 0.0002 BTC; BuyOrderCompleted")
    await check(desk, ledger)


async def change(desk, other, ledger):
    """Post-only: resting and cancelled; refused; and a cancel that comes too late."""
    order = desk.connector.buy(PAIR, Decimal("0.1"), OrderType.LIMIT_MAKER, Decimal("48000"))
    await desk.event("BuyOrderCreated", order)
    ledger.lock("demo-1", "USDT", 4_800)
    await check(desk, ledger)
    desk.connector.cancel(PAIR, order)
    await desk.event("OrderCancelled", order)
    ledger.lock("demo-1", "USDT", -4_800)
    TABLE.said("cancel", "OrderCancelled")
    await check(desk, ledger)
    await asyncio.to_thread(other.limit, "SELL", "0.1", "50100")
    for case, text, call in (
        ("buy LIMIT_MAKER that would take", "Order would immediately match and take.", lambda: desk.connector.buy(PAIR, Decimal("0.1"), OrderType.LIMIT_MAKER, Decimal("50100"))),
        ("buy LIMIT beyond the balance", "Account has insufficient balance for requested action.", lambda: desk.connector.buy(PAIR, Decimal("90"), OrderType.LIMIT, Decimal("50000"))),
        ("buy LIMIT far from the price", "Filter failure: PERCENT_PRICE_BY_SIDE", lambda: desk.connector.buy(PAIR, Decimal("0.1"), OrderType.LIMIT, Decimal("1000"))),
    ):
        failure = await desk.event("OrderFailure", call())
        assert text in failure.error_message, failure
        TABLE.said(case, f"OrderFailure: {text}")
    await asyncio.to_thread(other.cancel_all)
    await check(desk, ledger)


async def watch(desk, other):
    """The book as the connector keeps it from differences."""
    for number in range(10):
        await asyncio.to_thread(other.limit, "BUY", "0.01", str(49_000 + number))
    await asyncio.to_thread(other.limit, "SELL", "0.02", "51000")

    def book():
        book = desk.connector.get_order_book(PAIR)
        return [[(entry.price, entry.amount) for entry in side] for side in (book.bid_entries(), book.ask_entries())]

    must = [[(49_009.0 - number, 0.01) for number in range(10)], [(51_000.0, 0.02)]]
    await until(lambda: book() == must, lambda: f"{book()} instead of {must}")
    assert (desk.connector.get_price(PAIR, False), desk.connector.get_price(PAIR, True)) == (49_009, 51_000)
    TABLE.said("get_order_book, get_price", f"{len(must[0])} bids from 49009, {len(must[1])} offer at 51000")
    last = await desk.connector.get_last_traded_prices([PAIR])
    assert last == {PAIR: 50_010.0}, last
    TABLE.said("get_last_traded_prices", last)


async def over_a_restart(desk, other, ledger):
    """The exchange is killed and comes back: the connector subscribes again by itself, and hears of a fill."""
    order = desk.connector.sell(PAIR, Decimal("0.5"), OrderType.LIMIT, Decimal("50500"))
    await desk.event("SellOrderCreated", order)
    ledger.lock("demo-1", "BTC", "0.5")
    await asyncio.to_thread(restart)
    TABLE.said("all", "the exchange killed and recovered")
    heard = asyncio.create_task(desk.event("OrderFilled", order))
    filled = 0
    while not heard.done():
        await asyncio.to_thread(other.limit, "BUY", "0.001", "50500")
        filled += 1
        assert filled < 400, "no fill was told after the restart"
        await asyncio.wait([heard], timeout=0.1)
    TABLE.said("sell LIMIT", f"subscribed again: OrderFilled {heard.result().amount} at {heard.result().price}")
    for _ in range(filled):
        ledger.trade("demo-2", "demo-1", "50500", "0.001")
        ledger.lock("demo-1", "BTC", "-0.001")
    # It may have been told of that one over REST, before it has subscribed: a fill by the stream brings the
    # account with it.
    while balances(desk) != balances_of(ledger):
        await asyncio.to_thread(other.limit, "BUY", "0.001", "50500")
        ledger.trade("demo-2", "demo-1", "50500", "0.001")
        ledger.lock("demo-1", "BTC", "-0.001")
        filled += 1
        assert filled < 400, f"{balances(desk)} instead of {balances_of(ledger)}"
        await asyncio.sleep(LOOK * 10)
    await check(desk, ledger)


async def trade():
    point_to_rialto()
    ledger = Ledger(["demo-1", "demo-2"])
    desk, other = Desk(), Plain(ARGUMENTS, "demo-2")
    with Clock(ClockMode.REALTIME, tick_size=1.0) as clock:
        clock.add_iterator(desk.connector)
        ticking = asyncio.create_task(clock.run())
        await until(lambda: desk.connector.ready, lambda: desk.connector.status_dict)
        rule = desk.connector.trading_rules[PAIR]
        found = (rule.min_price_increment, rule.min_base_amount_increment, rule.min_notional_size)
        assert found == (Decimal("0.01"), Decimal("0.00001"), 5), found
        TABLE.said("start", f"ready: {desk.connector.status_dict}; tick, lot and least notional {[str(each.normalize()) for each in found]}")
        await check(desk, ledger)
        await rest_and_fill(desk, other, ledger)
        await take(desk, other, ledger)
        await change(desk, other, ledger)
        await watch(desk, other)
        await over_a_restart(desk, other, ledger)
        ledger.check("demo-1", Plain(ARGUMENTS, "demo-1").balances())
        TABLE.said("all", "balances at the exchange to the last unit")
        await desk.connector.cancel_all(10)
        await desk.connector.stop_network()
        ticking.cancel()
    assert Plain(ARGUMENTS, "demo-1").ask("GET", "/api/v3/openOrders") == []
    TABLE.said("cancel_all, stop_network", "nothing open is left")


def main():
    # hummingbot's own word for a connector without the bot's window around it.
    sys.argv.append("unittest")
    logging.disable(logging.CRITICAL)
    asyncio.run(trade())


run(main)
