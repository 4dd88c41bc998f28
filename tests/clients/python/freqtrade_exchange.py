"""freqtrade's exchange class, unmodified, in live mode: what the bot asks of an exchange, each call asserted.
Only its URLs are changed, in its configuration.

Usage: freqtrade_exchange.py ADDRESS KEYS_FILE ADMIN. One line for each call: client | method | outcome.
"""

import importlib.metadata
import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from freqtrade.enums import CandleType
from freqtrade.exceptions import InsufficientFundsError, InvalidOrderException, RetryableOrderError
from freqtrade.resolvers import ExchangeResolver

from connect import urls
from ledger import Ledger
from outcomes import Arguments, Table, eventually, run
from plain import Plain

ARGUMENTS = Arguments()
TABLE = Table(f"freqtrade {importlib.metadata.version('freqtrade')} Exchange")
PAIR = "BTC/USDT"


def configuration():
    key = ARGUMENTS.keys["demo-1"]
    return {
        "dry_run": False,
        "runmode": "live",
        "stake_currency": "USDT",
        "stake_amount": 100,
        "trading_mode": "spot",
        "margin_mode": "",
        "candle_type_def": CandleType.SPOT,
        "timeframe": "1m",
        "user_data_dir": ".",
        "internals": {},
        "entry_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
        "exit_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
        "order_types": {"entry": "limit", "exit": "limit", "stoploss": "limit", "stoploss_on_exchange": False},
        "exchange": {
            "name": "binance",
            "key": key["api_key"],
            "secret": key["secret"],
            "pair_whitelist": [PAIR],
            "only_from_ccxt": True,
            "enable_ws": True,
            "ccxt_config": {"urls": urls(ARGUMENTS.address), "enableRateLimit": False},
        },
    }


def order(exchange, side, amount, rate, order_type="limit", time_in_force="GTC"):
    placed = exchange.create_order(
        pair=PAIR, ordertype=order_type, side=side, amount=amount, rate=rate, leverage=1.0, time_in_force=time_in_force
    )
    TABLE.said("create_order", f"{order_type} {side} {amount} at {rate} {time_in_force}: {placed['status']}, filled {placed['filled']}")
    return placed


def check(exchange, ledger):
    """The bot's own balances, and the exchange's, to the last unit."""
    ledger.check("demo-1", exchange._api.fetch_balance()["info"]["balances"])
    balances = exchange.get_balances()
    for asset in ("BTC", "USDT"):
        must = ledger.total["demo-1"][asset]
        assert abs(Decimal(str(balances[asset]["total"])) - must) < Decimal("0.000001"), (balances[asset], must)
    TABLE.said("get_balances", {asset: balances[asset] for asset in ("BTC", "USDT")})


def start():
    exchange = ExchangeResolver.load_exchange(configuration(), validate=True)
    assert exchange.name == "Binance" and PAIR in exchange.get_markets(quote_currencies=["USDT"], tradable_only=True), exchange.markets
    TABLE.said("load_exchange", f"validated, live; markets {sorted(exchange.markets)}")
    assert (exchange.get_precision_amount(PAIR), exchange.get_precision_price(PAIR)) == (0.00001, 0.01)
    assert exchange.get_min_pair_stake_amount(PAIR, 50_000, 0) > 5
    TABLE.said("get_min_pair_stake_amount", f"{exchange.get_min_pair_stake_amount(PAIR, 50_000, 0)} USDT")
    assert exchange.get_fee(PAIR) == 0.001 and exchange.check_delisting_time(PAIR) is None
    TABLE.said("get_fee, check_delisting_time", "0.001; none")
    return exchange


def trade(exchange, other, ledger):
    """Entry and exit by limit orders, as the bot does; a market order; what each cost."""
    since = datetime.now(UTC) - timedelta(seconds=5)
    entry = order(exchange, "buy", 0.3, 50_000.0)
    assert (entry["status"], entry["remaining"]) == ("open", 0.3), entry
    other.limit("SELL", "0.1", "50000")
    ledger.trade("demo-1", "demo-2", "50000", "0.1")
    ledger.lock("demo-1", "USDT", 10_000)
    found = exchange.fetch_order(entry["id"], PAIR)
    assert (found["status"], found["filled"], found["remaining"]) == ("open", 0.1, 0.2), found
    check(exchange, ledger)
    cancelled = exchange.cancel_order_with_result(entry["id"], PAIR, 0.3)
    assert (cancelled["status"], cancelled["filled"]) == ("canceled", 0.1), cancelled
    TABLE.said("cancel_order_with_result", f"{cancelled['status']}, filled {cancelled['filled']}")
    ledger.lock("demo-1", "USDT", -10_000)
    check(exchange, ledger)
    trades = exchange.get_trades_for_order(entry["id"], PAIR, since)
    assert [(row["price"], row["amount"], row["fee"]["cost"]) for row in trades] == [(50_000, 0.1, 0.0001)], trades
    TABLE.said("get_trades_for_order", f"0.1 at 50000, fee {trades[0]['fee']}")

    other.limit("BUY", "0.5", "49990")
    exit_ = order(exchange, "sell", 0.05, 49_990.0)
    assert (exit_["status"], exit_["average"], exit_["cost"]) == ("closed", 49_990, 2_499.5), exit_
    ledger.trade("demo-2", "demo-1", "49990", "0.05")
    exit_ = order(exchange, "sell", 0.02, 49_000.0, "market")
    assert (exit_["status"], exit_["average"]) == ("closed", 49_990), exit_
    ledger.trade("demo-2", "demo-1", "49990", "0.02")
    assert exchange.extract_cost_curr_rate(exit_["fee"], PAIR, exit_["cost"], exit_["amount"]) == (0.9998, "USDT", 0.001)
    TABLE.said("extract_cost_curr_rate", "0.9998 USDT, a rate of 0.001")
    killed = order(exchange, "sell", 1.0, 49_990.0, time_in_force="FOK")
    assert (killed["status"], killed["filled"]) == ("expired", 0), killed
    post_only = order(exchange, "buy", 0.01, 49_000.0, time_in_force="PO")
    exchange.cancel_order(post_only["id"], PAIR)
    TABLE.said("cancel_order", f"{post_only['id']}: canceled")
    check(exchange, ledger)
    orders = exchange.fetch_orders(PAIR, since)
    assert [row["status"] for row in orders] == ["canceled", "closed", "closed", "expired", "canceled"], orders
    TABLE.said("fetch_orders", [row["status"] for row in orders])
    return entry, exit_


def stoploss(exchange, other, ledger):
    """The stop on the exchange, as the bot places it: STOP_LOSS_LIMIT; triggered by a trade; and one cancelled."""
    # What of 49,990 is left would be sold to first.
    other.cancel_all()
    types = {**exchange._config["order_types"], "stoploss": "limit", "stoploss_on_exchange_limit_ratio": 0.99}

    def place(stop):
        return exchange.create_stoploss(PAIR, 0.02, stop, types, "sell", 1.0)

    placed = place(49_900.0)
    found = exchange.fetch_stoploss_order(placed["id"], PAIR)
    assert (found["status"], found["stopPrice"], found["info"]["type"]) == ("open", 49_900, "STOP_LOSS_LIMIT"), found
    assert exchange.stoploss_adjust(49_950.0, found, "sell") and not exchange.stoploss_adjust(49_900.0, found, "sell")
    ledger.lock("demo-1", "BTC", "0.02")
    check(exchange, ledger)
    TABLE.said("create_stoploss", f"STOP_LOSS_LIMIT at {found['stopPrice']}, limit {found['price']}: open")
    TABLE.refused(InvalidOrderException, "create_stoploss that would trigger at once", lambda: place(50_500.0))
    other.limit("BUY", "0.03", "49850")
    exit_ = order(exchange, "sell", 0.01, 49_850.0)
    assert exit_["status"] == "closed", exit_
    found = exchange.fetch_stoploss_order(placed["id"], PAIR)
    assert (found["status"], found["average"], found["filled"]) == ("closed", 49_850, 0.02), found
    ledger.lock("demo-1", "BTC", "-0.02")
    for quantity in ("0.01", "0.02"):
        ledger.trade("demo-2", "demo-1", "49850", quantity)
    TABLE.said("fetch_stoploss_order", "triggered by a trade at 49850: closed there")
    placed = place(49_000.0)
    cancelled = exchange.cancel_stoploss_order_with_result(placed["id"], PAIR, 0.02)
    assert cancelled["status"] == "canceled", cancelled
    TABLE.said("cancel_stoploss_order_with_result", cancelled["status"])
    check(exchange, ledger)


def refusals(exchange, filled, ledger):
    # `count` is how often the bot asks again, longer and longer after: not here.
    for error, case, call in (
        (InsufficientFundsError, "create_order beyond the balance", lambda: order(exchange, "buy", 90.0, 50_000.0)),
        (InvalidOrderException, "create_order far from the price", lambda: order(exchange, "buy", 0.1, 1_000.0)),
        (RetryableOrderError, "fetch_order of none", lambda: exchange.fetch_order("999999999", PAIR, count=0)),
        (InvalidOrderException, "cancel_order of a filled order", lambda: exchange.cancel_order(filled["id"], PAIR)),
        (InvalidOrderException, "create_order post-only that would take", lambda: order(exchange, "sell", 0.01, 49_990.0, time_in_force="PO")),
    ):
        TABLE.refused(error, case, call)
    check(exchange, ledger)


def market_data(exchange, other):
    """Pair lists, prices and candles, with the socket that keeps them."""
    book = eventually(lambda: exchange.fetch_l2_order_book(PAIR, 20), lambda book: book["bids"] == [[49_990, 0.43]])
    TABLE.said("fetch_l2_order_book", f"bids {book['bids']}, asks {book['asks']}")
    assert exchange.get_rate(PAIR, refresh=True, side="entry", is_short=False) == 49_990
    TABLE.said("get_rate", "entry at the bid: 49990")
    ticker = eventually(lambda: exchange.fetch_ticker(PAIR), lambda ticker: ticker["last"] == 49_990)
    assert ticker["baseVolume"] == 0.17, ticker
    assert {PAIR, "ETH/USDT", "ETH/BTC"} == set(exchange.get_tickers(cached=False))
    assert exchange.fetch_bids_asks()[PAIR]["bid"] == 49_990
    TABLE.said("fetch_ticker, get_tickers, fetch_bids_asks", f"last {ticker['last']}, volume {ticker['baseVolume']}")
    key = (PAIR, "1m", CandleType.SPOT)
    candles = exchange.refresh_latest_ohlcv([key], since_ms=None, cache=True, drop_incomplete=False)[key]
    assert candles["volume"].sum().round(8) == 0.17 and candles["high"].max() == 50_000, candles
    TABLE.said("refresh_latest_ohlcv", f"{len(candles)} candles, volume 0.17")
    hour_ago = int((datetime.now(UTC) - timedelta(hours=1)).timestamp() * 1000)
    history = exchange.get_historic_ohlcv(PAIR, "1m", hour_ago, CandleType.SPOT)
    assert len(history) <= len(candles) + 1, history
    TABLE.said("get_historic_ohlcv", f"{len(history)} whole candles")
    trades = exchange.get_historic_trades(PAIR, since=hour_ago)[1]
    assert [float(row[5]) for row in trades] == [0.1, 0.05, 0.02], trades
    TABLE.said("get_historic_trades", f"{len(trades)} trades, as made")


def main():
    logging.disable(logging.CRITICAL)
    ledger = Ledger(["demo-1", "demo-2"])
    exchange = start()
    other = Plain(ARGUMENTS, "demo-2")
    _, filled = trade(exchange, other, ledger)
    refusals(exchange, filled, ledger)
    market_data(exchange, other)
    stoploss(exchange, other, ledger)
    exchange.close()


run(main)
