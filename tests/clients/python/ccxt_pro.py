"""ccxt.pro, unmodified, watches while the other account trades, and goes on when the exchange was killed and has come
back: nothing missing, nothing twice, the book as it is.

Usage: ccxt_pro.py ADDRESS KEYS_FILE ADMIN. One line for each call: client | method | outcome.
"""

import asyncio
from decimal import Decimal

import ccxt.pro

from connect import arguments, client
from outcomes import Table, restart, run

SYMBOL = "BTC/USDT"
TABLE = Table(f"ccxt.pro {ccxt.pro.__version__}")
said = TABLE.said
# Trades made once everyone watches; each has a price of its own.
TRADES = 20
# Changes of the book, each in a message of its own.
BOOKS = 20
PATIENCE = 90


class Watch:
    """Calls one `watch_…` for ever, and keeps what it gave."""

    def __init__(self, method, call, keep):
        self.method = method
        # Set while the exchange is known to be down: nobody calls it then.
        self.paused = False
        self.seen = []
        self.failed = None
        self._call, self._keep = call, keep
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def _run(self):
        try:
            while True:
                while self.paused and self.failed is not None:
                    await asyncio.sleep(0.01)
                try:
                    answer = await self._call()
                except ccxt.pro.NetworkError as error:
                    if not self.paused:
                        raise
                    self.failed = error
                    continue
                self.seen.extend(self._keep(answer))
                self._changed.set()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # told to whoever waits
            self.failed = error
            self._changed.set()

    async def until(self, condition, what):
        """Waits until `condition` holds for what was seen."""
        while True:
            if self.failed is not None:
                raise AssertionError(f"{self.method} failed: {self.failed!r}") from self.failed
            if condition(self.seen):
                return
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), PATIENCE / 3)
            except TimeoutError:
                raise AssertionError(f"{self.method}: {what} never came; seen {self.seen[-5:]}") from None

    async def stop(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class Venue:
    """Two accounts: demo-1 rests and watches, demo-2 takes."""

    def __init__(self):
        address, keys = arguments()
        self.maker = client(ccxt.pro.binance, address, keys["demo-1"])
        self.taker = client(ccxt.pro.binance, address, keys["demo-2"])
        self.stranger = client(ccxt.pro.binance, address)
        self.clients = [self.maker, self.taker, self.stranger]

    async def trade(self, price, amount):
        """demo-1 sells `amount` to demo-2 at `price`; returns both orders' ids."""
        resting = await self.maker.create_order(SYMBOL, "limit", "sell", amount, price)
        taking = await self.taker.create_order(SYMBOL, "limit", "buy", amount, price)
        assert taking["status"] == "closed", taking
        return resting["id"], taking["id"]

    async def close(self):
        await asyncio.gather(*(each.close() for each in self.clients))


def watches(venue):
    """Everything that is watched, by method."""
    stranger, maker = venue.stranger, venue.maker

    def one(answer):
        return [dict(answer)]

    def book(answer):
        # A copy: ccxt goes on changing its own.
        return [{"nonce": answer["nonce"], "bids": list(map(list, answer["bids"])), "asks": list(map(list, answer["asks"]))}]

    # Each call gives only what is new since the one before.
    for each in (stranger, maker):
        each.newUpdates = True
    return {
        watch.method: watch
        for watch in (
            Watch("watch_order_book", lambda: stranger.watch_order_book(SYMBOL), book),
            Watch("watch_trades", lambda: stranger.watch_trades(SYMBOL), list),
            Watch("watch_ticker", lambda: stranger.watch_ticker(SYMBOL), one),
            Watch("watch_bids_asks", lambda: stranger.watch_bids_asks([SYMBOL]), lambda answer: list(answer.values())),
            Watch("watch_ohlcv", lambda: stranger.watch_ohlcv(SYMBOL, "1m"), lambda answer: [list(row) for row in answer]),
            Watch("watch_orders", lambda: maker.watch_orders(SYMBOL), lambda answer: [dict(row) for row in answer]),
            Watch("watch_my_trades", lambda: maker.watch_my_trades(SYMBOL), list),
            Watch("watch_balance", maker.watch_balance, one),
        )
    }


async def everyone_watches(venue, watching):
    """Trades until each watch has given something: from then on none may miss anything."""
    trades = 0
    while not all(watch.seen for watch in watching.values()):
        for watch in watching.values():
            if watch.failed is not None:
                await watch.until(lambda _: False, "anything")
        await venue.trade(50_000, 0.001)
        trades += 1
        # An order left on both sides and taken away again: a new best bid and offer.
        order = await venue.maker.create_order(SYMBOL, "limit", "sell", 0.001, 50_100)
        await venue.maker.cancel_order(order["id"], SYMBOL)
    said("all watches", f"each has given something after {trades} trades")


async def watch_trades_in_order(venue, watching):
    """Then a fixed list of trades: each must be told once, in order, by every watch that tells trades."""
    prices = [50_000 + number for number in range(1, TRADES + 1)]
    for price in prices:
        await venue.trade(price, 0.01)
    # The last, so that it is known when all has been seen.
    last = prices[-1]
    for method, watch in (("watch_trades", watching["watch_trades"]), ("watch_my_trades", watching["watch_my_trades"])):
        await watch.until(lambda seen: seen[-1]["price"] == last, f"the trade at {last}")
        ids = [int(trade["id"]) for trade in watch.seen]
        assert ids == list(range(ids[0], ids[0] + len(ids))), f"{method}: trade ids have gaps or repeats: {ids}"
        assert [trade["price"] for trade in watch.seen][-TRADES:] == prices, watch.seen[-TRADES:]
        said(method, f"{len(ids)} trades, ids {ids[0]} to {ids[-1]} without a gap")
    mine = watching["watch_my_trades"].seen[-1]
    assert mine["takerOrMaker"] == "maker" and mine["side"] == "sell" and mine["amount"] == 0.01, mine
    assert Decimal(mine["info"]["n"]) == Decimal(last) * Decimal("0.01") * Decimal("0.001"), mine["info"]
    assert mine["fee"]["currency"] == "USDT", mine


async def watch_orders(venue, watching):
    """An order's whole life: accepted, filled in part, cancelled; and that of the orders traded above."""
    watch = watching["watch_orders"]
    resting = await venue.maker.create_order(SYMBOL, "limit", "sell", 0.05, 50_500)
    stages = [("open", 0), ("open", 0.02), ("canceled", 0.02)]
    steps = [
        lambda: venue.taker.create_order(SYMBOL, "limit", "buy", 0.02, 50_500),
        lambda: venue.maker.cancel_order(resting["id"], SYMBOL),
    ]

    def life(seen):
        return [(order["status"], order["filled"]) for order in seen if order["id"] == resting["id"]]

    for number, stage in enumerate(stages):
        # ccxt keeps the latest of each order: one that came before this was seen would hide it.
        await watch.until(lambda seen, stage=stage: stage in life(seen), f"{stage}")
        if number < len(steps):
            await steps[number]()
    assert life(watch.seen) == stages, life(watch.seen)
    said("watch_orders", f"{resting['id']}: {life(watch.seen)}")


async def watch_balance(venue, watching):
    """The balance told last is the balance."""
    watch = watching["watch_balance"]
    actual = await venue.maker.fetch_balance()

    def told(seen):
        return {asset: seen[-1][asset] for asset in ("BTC", "USDT")} == {asset: actual[asset] for asset in ("BTC", "USDT")}

    await watch.until(told, f"a balance of {actual['BTC']} and {actual['USDT']}")
    said("watch_balance", f"BTC {actual['BTC']}, USDT {actual['USDT']}, as fetch_balance says")


async def watch_book(venue, watching):
    """The book as ccxt keeps it from differences, checked by it for gaps, becomes the book."""
    watch = watching["watch_order_book"]
    bids = [49_000 + number for number in range(BOOKS)]
    for price in bids:
        await venue.maker.create_order(SYMBOL, "limit", "buy", 0.01, price)
        # Seen before the next: each is a difference of its own.
        await watch.until(lambda seen, price=price: seen[-1]["bids"][:1] == [[price, 0.01]], f"a bid at {price}")
    await venue.maker.create_order(SYMBOL, "limit", "sell", 0.02, 51_000)
    expected = ([[price, 0.01] for price in reversed(bids)], [[51_000, 0.02]])
    await watch.until(lambda seen: (seen[-1]["bids"], seen[-1]["asks"]) == expected, "the whole book")
    # What the stream has told, the snapshot has too: it is of the version told last.
    actual = await venue.stranger.fetch_order_book(SYMBOL)
    assert (actual["bids"], actual["asks"]) == expected, actual
    nonces = [book["nonce"] for book in watch.seen]
    assert all(earlier <= later for earlier, later in zip(nonces, nonces[1:])), nonces
    said("watch_order_book", f"{len(nonces)} books to version {nonces[-1]}, no gap; the last is as fetch_order_book says")

    best = watching["watch_bids_asks"]
    await best.until(lambda seen: (seen[-1]["bid"], seen[-1]["ask"]) == (bids[-1], 51_000), "the best bid and offer")
    said("watch_bids_asks", f"{len(best.seen)} quotes, the last {bids[-1]} and 51000")


async def watch_prices(venue, watching):
    """Candles and ticker follow the trades."""
    candles, ticker = watching["watch_ohlcv"], watching["watch_ticker"]
    # Until here the last trade was at 50,500.
    await candles.until(lambda seen: seen[-1][4] == 50_500, "a candle that closes at 50500")
    for candle in candles.seen:
        assert candle[0] % 60_000 == 0 and candle[3] <= candle[4] <= candle[2], candle
    said("watch_ohlcv", f"{len(candles.seen)} updates, the last {candles.seen[-1]}")
    await ticker.until(lambda seen: seen[-1]["last"] == 50_500, "a ticker with the last price 50500")
    actual = await venue.stranger.fetch_ticker(SYMBOL)
    assert ticker.seen[-1]["baseVolume"] == actual["baseVolume"], (ticker.seen[-1], actual)
    said("watch_ticker", f"{len(ticker.seen)} updates, last {ticker.seen[-1]['last']}, volume {ticker.seen[-1]['baseVolume']}")


async def watch_trade_requests(venue):
    """Orders and reads over the WebSocket API itself."""
    maker, stranger = venue.maker, venue.stranger
    order = await maker.create_order_ws(SYMBOL, "limit", "buy", 0.01, 45_000)
    assert order["status"] == "open", order
    said("create_order_ws", f"{order['id']}: open")
    found = await maker.fetch_order_ws(order["id"], SYMBOL)
    assert found["price"] == 45_000, found
    said("fetch_order_ws", f"{order['id']}: {found['status']}")
    edited = await maker.edit_order_ws(order["id"], SYMBOL, "limit", "buy", 0.02, 45_100)
    assert (edited["price"], edited["amount"]) == (45_100, 0.02), edited
    said("edit_order_ws", f"{order['id']} became {edited['id']}")
    for method, what in (("fetch_open_orders_ws", "open"), ("fetch_orders_ws", "all"), ("fetch_closed_orders_ws", "closed")):
        orders = await getattr(maker, method)(SYMBOL)
        assert (edited["id"] in [row["id"] for row in orders]) is (what != "closed"), orders
        said(method, f"{len(orders)} orders")
    trades = await maker.fetch_my_trades_ws(SYMBOL)
    assert trades[-1]["price"] == 50_500, trades[-1]
    said("fetch_my_trades_ws", f"{len(trades)} trades")
    balance, actual = await maker.fetch_balance_ws(), await maker.fetch_balance()
    # ccxt 4.5 reads a spot answer as a futures one here: what it was told is right, what it makes of that is empty.
    assert balance["info"]["balances"] == actual["info"]["balances"], balance
    said("fetch_balance_ws", f"info as fetch_balance's: {actual['USDT']}")
    # ccxt asks for the book and the ticker this way only of futures.
    candles, public = await stranger.fetch_ohlcv_ws(SYMBOL, "1h"), await stranger.fetch_trades_ws(SYMBOL)
    assert candles[-1][4] == 50_500 and public[-1]["price"] == 50_500, (candles, public)
    said("fetch_ohlcv_ws, fetch_trades_ws", "last 50500")
    cancelled = await maker.cancel_order_ws(edited["id"], SYMBOL)
    assert cancelled["id"] == edited["id"], cancelled
    said("cancel_order_ws", f"{edited['id']}: {cancelled['status']}")
    for error, case, call in (
        (ccxt.InsufficientFunds, "create_order_ws beyond the balance", maker.create_order_ws(SYMBOL, "limit", "buy", 90, 50_000)),
        (ccxt.OrderNotFound, "cancel_order_ws of a cancelled order", maker.cancel_order_ws(edited["id"], SYMBOL)),
    ):
        try:
            answer = await call
        except error as raised:
            assert type(raised) is error, raised
            said(case, f"{error.__name__}: {raised}")
        else:
            raise AssertionError(f"{case} was answered with {answer}")


async def over_a_restart(venue, watching):
    """The exchange is killed and comes back: each watch is told, and the next call connects and subscribes again."""
    before = await venue.maker.fetch_open_orders(SYMBOL)
    for watch in watching.values():
        watch.paused = True
    await asyncio.to_thread(restart)
    for watch in watching.values():
        for _ in range(1_000):
            if watch.failed is not None:
                break
            await asyncio.sleep(0.02)
        assert isinstance(watch.failed, ccxt.NetworkError), f"{watch.method}: {watch.failed!r}"
    said("all watches", f"the exchange killed: each told {type(watch.failed).__name__}")
    after = await venue.maker.fetch_open_orders(SYMBOL)
    assert [order["id"] for order in after] == [order["id"] for order in before], after
    said("fetch_open_orders", f"after kill -9 and recovery: the same {len(after)} orders")
    for watch in watching.values():
        watch.seen.clear()
        watch.failed, watch.paused = None, False
    await venue.maker.cancel_all_orders(SYMBOL)
    await everyone_watches(venue, watching)
    resting, _ = await venue.trade(50_700, 0.01)
    await watching["watch_orders"].until(
        lambda seen: any(order["id"] == resting and order["status"] == "closed" for order in seen), "the fill"
    )
    await watching["watch_my_trades"].until(lambda seen: seen[-1]["price"] == 50_700, "the trade")
    said("watch_orders, watch_my_trades", "subscribed again: the fill after recovery")
    await watch_balance(venue, watching)
    await watch_book(venue, watching)


async def main():
    venue = Venue()
    try:
        for each in venue.clients:
            await each.load_markets()
        said("load_markets", sorted(venue.stranger.markets))
        watching = watches(venue)
        try:
            await everyone_watches(venue, watching)
            await watch_trades_in_order(venue, watching)
            await watch_orders(venue, watching)
            await watch_balance(venue, watching)
            await watch_prices(venue, watching)
            await watch_book(venue, watching)
            await watch_trade_requests(venue)
            await over_a_restart(venue, watching)
        finally:
            await asyncio.gather(*(watch.stop() for watch in watching.values()))
    finally:
        await venue.close()


run(lambda: asyncio.run(asyncio.wait_for(main(), PATIENCE)))
