"""ccxt, unmodified, against an exchange with narrow limits: too many orders, too much weight, and going on after a
refusal, each told by ccxt's own type, with the time to wait.

Usage: ccxt_limits.py ADDRESS KEYS_FILE ADMIN. One line for each call: client | method | outcome.
"""

import ccxt

from connect import arguments, client
from outcomes import Table, run

SYMBOL = "BTC/USDT"
ADDRESS, KEYS = arguments()
TABLE = Table(f"ccxt {ccxt.__version__} against narrow limits")
# As the test's settings have it: orders in 10 seconds, weight in a minute.
ORDERS, WEIGHT = 5, 400
ATTEMPTS = 2_000


def until_refused(call):
    """How often `call` was answered, and what then was not."""
    for count in range(ATTEMPTS):
        try:
            call()
        except ccxt.BaseError as error:
            return count, error
    raise AssertionError(f"{ATTEMPTS} calls were answered")


def main():
    trader = client(ccxt.binance, ADDRESS, KEYS["demo-1"])
    trader.load_markets()
    count, error = until_refused(lambda: trader.create_order(SYMBOL, "limit", "buy", 0.001, 40_000))
    # The turn of the ten seconds, or of the minute, may come between.
    assert ORDERS <= count <= 2 * ORDERS and type(error) is ccxt.DDoSProtection and '"code":-1015' in str(error), (count, error)
    headers = trader.last_response_headers
    assert trader.last_http_response and int(headers["Retry-After"]) in range(1, 11), headers
    TABLE.said("create_order", f"{count} were taken, then {type(error).__name__}: {error}, Retry-After {headers['Retry-After']}")
    orders = trader.fetch_open_orders(SYMBOL)
    assert len(orders) == count, orders
    TABLE.said("fetch_open_orders", f"{len(orders)}: what was refused is not there")

    count, error = until_refused(trader.fetch_balance)
    assert isinstance(error, ccxt.DDoSProtection) and '"code":-1003' in str(error), error
    assert count * 20 <= 2 * WEIGHT, count
    wait = int(trader.last_response_headers["Retry-After"])
    assert wait in range(1, 61), wait
    TABLE.said("fetch_balance", f"{count} were answered, then {type(error).__name__}: {error}, Retry-After {wait}")
    # Who goes on all the same is shut out for longer: 418.
    count, error = until_refused(lambda: refused_with_429(trader))
    assert isinstance(error, ccxt.DDoSProtection) and "418" in str(error), error
    TABLE.said("fetch_balance", f"asked {count} times more, then {type(error).__name__}: {str(error)[:100]}")


def refused_with_429(trader):
    """Passes over the refusals that only say to wait."""
    try:
        trader.fetch_balance()
    except ccxt.DDoSProtection as error:
        if "418" in str(error):
            raise


run(main)
