"""What accounts must have, to the last unit: kept by hand beside the exchange, from the rules alone.

Knows no client; amounts are decimals.
"""

from decimal import ROUND_UP, Decimal

UNIT = Decimal("0.00000001")
FEE = Decimal("0.001")
START = {"USDT": Decimal(1_000_000), "BTC": Decimal(100), "ETH": Decimal(1_000)}


def fee(received):
    """The commission on what is received: 0.1 %, rounded up to the next unit."""
    return (received * FEE).quantize(UNIT, rounding=ROUND_UP)


class Ledger:
    """Total and locked of each account and asset, and the commission taken."""

    def __init__(self, accounts):
        self.total = {account: dict(START) for account in accounts}
        self.locked = {account: dict.fromkeys(START, Decimal(0)) for account in accounts}
        self.fees = dict.fromkeys(START, Decimal(0))

    def trade(self, buyer, seller, price, quantity, base="BTC", quote="USDT"):
        """`buyer` buys from `seller`."""
        price, quantity = Decimal(price), Decimal(quantity)
        self._move(seller, buyer, base, quantity)
        self._move(buyer, seller, quote, price * quantity)

    def lock(self, account, asset, amount):
        """An open order of `account` holds `amount` more; less if it is negative."""
        self.locked[account][asset] += Decimal(amount)

    def _move(self, giver, receiver, asset, amount):
        charged = fee(amount)
        self.total[giver][asset] -= amount
        self.total[receiver][asset] += amount - charged
        self.fees[asset] += charged

    def check(self, account, balances):
        """`balances` are the exchange's own: `[{asset, free, locked}]`, as text."""
        found = {row["asset"]: (Decimal(row["free"]), Decimal(row["locked"])) for row in balances}
        for asset, total in self.total[account].items():
            locked = self.locked[account][asset]
            assert found[asset] == (total - locked, locked), (
                f"{account} has {found[asset]} {asset} free and locked, must have {(total - locked, locked)}"
            )

    def check_sums(self):
        """Nothing was made and nothing was lost."""
        for asset, start in START.items():
            total = sum(account[asset] for account in self.total.values()) + self.fees[asset]
            assert total == start * len(self.total), f"{asset}: {total}"
