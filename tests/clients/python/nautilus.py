"""nautilus_trader, unmodified: a TradingNode whose strategy watches, quotes, takes, cancels, is refused, and goes on
when the exchange was killed and has come back. Only its URLs are changed.

Usage: nautilus.py ADDRESS KEYS_FILE ADMIN. One line for each call: client | method | outcome.
"""

import asyncio
import importlib.metadata
from decimal import Decimal

from nautilus_trader.adapters.binance import (
    BINANCE,
    BinanceAccountType,
    BinanceDataClientConfig,
    BinanceExecClientConfig,
    BinanceKeyType,
    BinanceLiveDataClientFactory,
    BinanceLiveExecClientFactory,
)
from nautilus_trader.config import InstrumentProviderConfig, LiveExecEngineConfig, LiveRiskEngineConfig, LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import BookType, LiquiditySide, OrderSide, TimeInForce
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
)
from nautilus_trader.model.identifiers import InstrumentId, Venue
from nautilus_trader.trading.strategy import Strategy

from ledger import Ledger
from outcomes import Arguments, Table, restart, run
from plain import Plain

ARGUMENTS = Arguments()
TABLE = Table(f"nautilus_trader {importlib.metadata.version('nautilus_trader')} TradingNode")
INSTRUMENT = InstrumentId.from_str("BTCUSDT.BINANCE")
PATIENCE = 60
LOOK = 0.02


class Trader(Strategy):
    """Keeps what it is told; the steps below tell it what to do."""

    def __init__(self):
        super().__init__()
        # Every order's events, and how many of each order's were read.
        self.events, self.read = [], {}
        self.quotes, self.trades, self.bars = [], [], []
        self.started = asyncio.Event()

    def on_start(self):
        self.subscribe_quote_ticks(INSTRUMENT)
        self.subscribe_trade_ticks(INSTRUMENT)
        self.subscribe_order_book_deltas(INSTRUMENT, BookType.L2_MBP)
        self.subscribe_bars(BarType.from_str("BTCUSDT.BINANCE-1-MINUTE-LAST-EXTERNAL"))
        self.started.set()

    def on_quote_tick(self, tick):
        self.quotes.append((tick.bid_price.as_decimal(), tick.ask_price.as_decimal()))

    def on_trade_tick(self, tick):
        self.trades.append((int(str(tick.trade_id)), str(tick.price), str(tick.size)))

    def on_event(self, event):
        if isinstance(event, OrderEvent):
            self.events.append(event)

    def send(self, order):
        self.submit_order(order)
        return order

    def limit(self, side, quantity, price, **terms):
        instrument = self.cache.instrument(INSTRUMENT)
        return self.send(
            self.order_factory.limit(
                INSTRUMENT, side, instrument.make_qty(Decimal(quantity)), instrument.make_price(Decimal(price)), **terms
            )
        )

    def market(self, side, quantity, **terms):
        quantity = self.cache.instrument(INSTRUMENT).make_qty(Decimal(quantity))
        return self.send(self.order_factory.market(INSTRUMENT, side, quantity, **terms))

    async def told(self, kind, order):
        """The next event of this kind of this order; those before it are passed over."""

        def found():
            events = [event for event in self.events if event.client_order_id == order.client_order_id]
            for number, event in enumerate(events[self.read.get(order.client_order_id, 0) :], 1):
                assert kind is OrderRejected or not isinstance(event, OrderRejected), event
                if isinstance(event, kind):
                    return number, event
            return None

        await until(found, lambda: f"{kind.__name__} of {order}")
        number, event = found()
        self.read[order.client_order_id] = self.read.get(order.client_order_id, 0) + number
        return event


async def until(condition, what):
    for _ in range(int(PATIENCE / LOOK)):
        if condition():
            return
        await asyncio.sleep(LOOK)
    raise AssertionError(f"never: {what()}")


async def check(node, ledger):
    """The node's own idea of the account, to the last unit."""
    account = node.portfolio.account(Venue("BINANCE"))

    def found():
        return {
            currency.code: (account.balance_free(currency).as_decimal(), account.balance_locked(currency).as_decimal())
            for currency in (BTC, USDT)
        }

    def must():
        total, locked = ledger.total["demo-1"], ledger.locked["demo-1"]
        return {asset: (total[asset] - locked[asset], locked[asset]) for asset in ("BTC", "USDT")}

    await until(lambda: found() == must(), lambda: f"{found()} instead of {must()}")
    TABLE.said("portfolio.account", f"to the last unit: {found()}")


async def rest_and_fill(node, trader, other, ledger):
    """A limit order rests, is filled in two parts as maker, with its commission."""
    order = trader.limit(OrderSide.SELL, "0.3", "50000.00")
    await trader.told(OrderAccepted, order)
    TABLE.said("submit_order limit", "OrderAccepted")
    for quantity, commission in (("0.1", "5.00000000 USDT"), ("0.2", "10.00000000 USDT")):
        await asyncio.to_thread(other.limit, "BUY", quantity, "50000")
        fill = await trader.told(OrderFilled, order)
        found = (fill.last_px.as_decimal(), fill.last_qty.as_decimal(), str(fill.commission), fill.liquidity_side)
        assert found == (50_000, Decimal(quantity), commission, LiquiditySide.MAKER), found
        ledger.trade("demo-2", "demo-1", "50000", quantity)
    TABLE.said("submit_order limit", "OrderFilled twice as maker: 0.1, 0.2 at 50000.00, commission 5 and 10 USDT")
    await check(node, ledger)


async def take(node, trader, other, ledger):
    """Market orders by quantity and by cost; IOC and FOK."""
    await asyncio.to_thread(other.limit, "SELL", "1", "50010")
    # One after the other: the node sends what it is told at once on several connections.
    for send, quantity, commission in (
        (lambda: trader.market(OrderSide.BUY, "0.2"), "0.2", "0.00020000 BTC"),
        (lambda: trader.market(OrderSide.BUY, "1000", quote_quantity=True), "0.01999", "0.00001999 BTC"),
        (lambda: trader.limit(OrderSide.BUY, "0.5", "50010", time_in_force=TimeInForce.FOK), "0.5", "0.00050000 BTC"),
        (lambda: trader.limit(OrderSide.BUY, "0.5", "50010", time_in_force=TimeInForce.IOC), "0.28001", "0.00028001 BTC"),
    ):
        order = send()
        fill = await trader.told(OrderFilled, order)
        found = (fill.last_px.as_decimal(), fill.last_qty.as_decimal(), str(fill.commission), fill.liquidity_side)
        assert found == (50_010, Decimal(quantity), commission, LiquiditySide.TAKER), found
        ledger.trade("demo-1", "demo-2", "50010", quantity)
        TABLE.said(f"submit_order {order.info()}", f"OrderFilled {quantity} at 50010.00, commission {commission}")
    await trader.told(OrderExpired, order)
    TABLE.said("submit_order limit IOC", "OrderExpired: the rest")
    await check(node, ledger)


async def stop(node, trader, other, ledger):
    """A stop-limit order, triggered by a trade; an iceberg."""
    instrument = node.cache.instrument(INSTRUMENT)
    await asyncio.to_thread(other.limit, "BUY", "0.02", "49800")
    order = trader.send(
        trader.order_factory.stop_limit(
            INSTRUMENT, OrderSide.SELL, instrument.make_qty(Decimal("0.01")),
            price=instrument.make_price(49_700), trigger_price=instrument.make_price(49_900),
        )
    )
    await trader.told(OrderAccepted, order)
    ledger.lock("demo-1", "BTC", "0.01")
    await check(node, ledger)
    taken = trader.limit(OrderSide.SELL, "0.01", "49800")
    for each in (taken, order):
        fill = await trader.told(OrderFilled, each)
        assert (fill.last_px.as_decimal(), fill.last_qty.as_decimal()) == (49_800, Decimal("0.01")), fill
        ledger.trade("demo-2", "demo-1", "49800", "0.01")
    ledger.lock("demo-1", "BTC", "-0.01")
    TABLE.said("submit_order stop-limit", "OrderAccepted; triggered by a trade at 49800: OrderFilled there")
    await check(node, ledger)
    iceberg = trader.limit(OrderSide.SELL, "0.5", "50500", display_qty=instrument.make_qty(Decimal("0.1")))
    await trader.told(OrderAccepted, iceberg)
    ledger.lock("demo-1", "BTC", "0.5")
    await check(node, ledger)
    trader.cancel_order(iceberg)
    await trader.told(OrderCanceled, iceberg)
    ledger.lock("demo-1", "BTC", "-0.5")
    TABLE.said("submit_order limit with display_qty", "OrderAccepted, all of it held; cancelled")
    await check(node, ledger)


async def refuse(node, trader, other, ledger):
    """Refusals come as events, with the exchange's own reason."""
    await asyncio.to_thread(other.limit, "SELL", "0.1", "50100")
    crossing = trader.limit(OrderSide.BUY, "0.1", "50100", post_only=True)
    rejected = await trader.told(OrderRejected, crossing)
    assert rejected.due_post_only and "Order would immediately match and take." in rejected.reason, rejected
    TABLE.said("submit_order post-only that would take", f"OrderRejected, due_post_only: {rejected.reason}")
    for send, reason in (
        (lambda: trader.limit(OrderSide.BUY, "90", "50000"), "Account has insufficient balance for requested action."),
        (lambda: trader.limit(OrderSide.BUY, "0.1", "1000"), "Filter failure: PERCENT_PRICE_BY_SIDE"),
        (lambda: trader.limit(OrderSide.BUY, "0.0001", "40000"), "Filter failure: NOTIONAL"),
    ):
        rejected = await trader.told(OrderRejected, send())
        assert reason in rejected.reason and not rejected.due_post_only, rejected
        TABLE.said("submit_order", f"OrderRejected: {rejected.reason}")
    await asyncio.to_thread(other.cancel_all)
    await check(node, ledger)


async def change(node, trader, ledger):
    """Cancelled by itself, and with all; what spot does not have is refused as such."""
    order = trader.limit(OrderSide.BUY, "0.1", "48000")
    await trader.told(OrderAccepted, order)
    trader.modify_order(order, quantity=node.cache.instrument(INSTRUMENT).make_qty(Decimal("0.2")))
    refused = await trader.told(OrderModifyRejected, order)
    TABLE.said("modify_order", f"OrderModifyRejected: {refused.reason}")
    ledger.lock("demo-1", "USDT", 4_800)
    await check(node, ledger)
    trader.cancel_order(order)
    await trader.told(OrderCanceled, order)
    ledger.lock("demo-1", "USDT", -4_800)
    TABLE.said("cancel_order", "OrderCanceled")
    orders = [trader.limit(OrderSide.BUY, "0.1", price) for price in ("48000", "48001")]
    for order in orders:
        await trader.told(OrderAccepted, order)
    trader.cancel_all_orders(INSTRUMENT)
    for order in orders:
        await trader.told(OrderCanceled, order)
    TABLE.said("cancel_all_orders", "OrderCanceled of both")
    await check(node, ledger)


async def watch(node, trader, other):
    """Quotes, trades and the book as the node keeps them."""
    await until(lambda: len(trader.trades) >= 8, lambda: trader.trades)
    ids = [trade[0] for trade in trader.trades]
    assert ids == list(range(ids[0], ids[0] + len(ids))), ids
    TABLE.said("subscribe_trade_ticks", f"{len(ids)} trades, ids {ids[0]} to {ids[-1]} without a gap")
    for number in range(10):
        await asyncio.to_thread(other.limit, "BUY", "0.01", str(49_000 + number))
    await asyncio.to_thread(other.limit, "SELL", "0.02", "51000")
    await until(lambda: (49_009, 51_000) in trader.quotes, lambda: trader.quotes[-3:])
    TABLE.said("subscribe_quote_ticks", f"{len(trader.quotes)} quotes, the last {[str(each) for each in trader.quotes[-1]]}")

    def book():
        book = node.cache.order_book(INSTRUMENT)
        return [[(level.price.as_decimal(), Decimal(str(level.size()))) for level in side] for side in (book.bids(), book.asks())]

    must = [[(49_009 - number, Decimal("0.01")) for number in range(10)], [(51_000, Decimal("0.02"))]]
    await until(lambda: book() == must, lambda: f"{book()} instead of {must}")
    TABLE.said("subscribe_order_book_deltas", f"the book: {len(must[0])} bids from 49009.00, {len(must[1])} offer")


async def over_a_restart(node, trader, other, ledger):
    """The exchange is killed and comes back: the node logs on and subscribes again by itself."""
    resting = trader.limit(OrderSide.SELL, "0.5", "50500")
    await trader.told(OrderAccepted, resting)
    ledger.lock("demo-1", "BTC", "0.5")
    await asyncio.to_thread(restart)
    TABLE.said("all", "the exchange killed and recovered")
    quotes, told = len(trader.quotes), asyncio.create_task(trader.told(OrderFilled, resting))
    filled = 0
    # Until the node is back: what was filled before is not told on a new connection.
    while not told.done():
        await asyncio.to_thread(other.limit, "BUY", "0.001", "50500")
        filled += 1
        assert filled < 400, "no fill was told after the restart"
        await asyncio.wait([told], timeout=0.1)
    fill = told.result()
    # It may have been told of that one over REST, which says nothing of the account: one more comes by the
    # stream, and the account with it.
    await asyncio.to_thread(other.limit, "BUY", "0.001", "50500")
    filled += 1
    TABLE.said("submit_order limit", f"logged on and subscribed again: OrderFilled {fill.last_qty} at {fill.last_px}")
    await until(lambda: len(trader.quotes) > quotes, lambda: "quotes after the restart")
    TABLE.said("subscribe_quote_ticks", "connected again: quotes go on")
    for _ in range(filled):
        ledger.trade("demo-2", "demo-1", "50500", "0.001")
        ledger.lock("demo-1", "BTC", "-0.001")
    await check(node, ledger)


def make_node():
    key = ARGUMENTS.keys["demo-1"]
    shared = {
        "api_key": key["api_key"],
        "api_secret": key["secret"],
        "key_type": BinanceKeyType.HMAC,
        "account_type": BinanceAccountType.SPOT,
        "base_url_http": ARGUMENTS.rest,
        "instrument_provider": InstrumentProviderConfig(load_all=True),
    }
    node = TradingNode(
        TradingNodeConfig(
            trader_id="TESTER-001",
            logging=LoggingConfig(log_level="OFF", log_colors=False),
            # The exchange's own refusals are what is looked for.
            risk_engine=LiveRiskEngineConfig(bypass=True),
            exec_engine=LiveExecEngineConfig(reconciliation=True, reconciliation_lookback_mins=60),
            data_clients={BINANCE: BinanceDataClientConfig(base_url_ws=ARGUMENTS.sockets, **shared)},
            exec_clients={BINANCE: BinanceExecClientConfig(base_url_ws=f"{ARGUMENTS.sockets}/ws-api/v3", **shared)},
            timeout_connection=30.0,
            timeout_reconciliation=10.0,
            timeout_portfolio=10.0,
            timeout_disconnection=5.0,
            timeout_post_stop=1.0,
        )
    )
    trader = Trader()
    node.trader.add_strategy(trader)
    node.add_data_client_factory(BINANCE, BinanceLiveDataClientFactory)
    node.add_exec_client_factory(BINANCE, BinanceLiveExecClientFactory)
    node.build()
    return node, trader


async def trade():
    ledger = Ledger(["demo-1", "demo-2"])
    other, before = Plain(ARGUMENTS, "demo-2"), Plain(ARGUMENTS, "demo-1")
    left = before.limit("BUY", "0.1", "30000")
    node, trader = make_node()
    running = asyncio.create_task(node.run_async())
    await asyncio.wait([asyncio.create_task(trader.started.wait()), running], timeout=60, return_when=asyncio.FIRST_COMPLETED)
    assert trader.started.is_set(), f"the node did not start: {running}"
    instrument = node.cache.instrument(INSTRUMENT)
    found = [Decimal(str(value)) for value in (instrument.price_increment, instrument.size_increment, instrument.maker_fee)]
    assert found == [Decimal("0.01"), Decimal("0.00001"), Decimal("0.001")], found
    TABLE.said("start", f"connected; instruments {sorted(str(each.id) for each in node.cache.instruments())}, tick, lot and fee {[str(each.normalize()) for each in found]}")
    await until(lambda: len(node.cache.orders_open()) == 1, lambda: node.cache.orders())
    assert str(node.cache.orders_open()[0].venue_order_id) == str(left["orderId"])
    TABLE.said("reconciliation", f"the order from before, {left['orderId']}, is known as open")
    ledger.lock("demo-1", "USDT", 3_000)
    await check(node, ledger)
    before.cancel_all()
    ledger.lock("demo-1", "USDT", -3_000)
    await check(node, ledger)
    await rest_and_fill(node, trader, other, ledger)
    await take(node, trader, other, ledger)
    await stop(node, trader, other, ledger)
    await refuse(node, trader, other, ledger)
    await change(node, trader, ledger)
    await watch(node, trader, other)
    await over_a_restart(node, trader, other, ledger)
    ledger.check("demo-1", before.balances())
    TABLE.said("all", "balances at the exchange to the last unit")
    await asyncio.wait_for(node.stop_async(), PATIENCE)
    TABLE.said("stop", "in order")


def main():
    asyncio.run(trade())


run(main)
