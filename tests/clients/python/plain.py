"""The other side of a trade: REST as the dialect has it, signed with HMAC, with nothing but the standard
library. For scripts whose own client trades one account only."""

import hashlib
import hmac
import json
import time
import urllib.parse
import urllib.request


class Plain:
    """One account."""

    def __init__(self, arguments, account):
        self._rest, self._key, self.account = arguments.rest, arguments.keys[account], account

    def ask(self, method, path, **parameters):
        """One signed call; a refusal is `urllib.error.HTTPError`."""
        query = urllib.parse.urlencode({**parameters, "timestamp": int(time.time() * 1000)})
        signature = hmac.new(self._key["secret"].encode(), query.encode(), hashlib.sha256).hexdigest()
        request = urllib.request.Request(
            f"{self._rest}{path}?{query}&signature={signature}", method=method, headers={"X-MBX-APIKEY": self._key["api_key"]}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def limit(self, side, quantity, price, symbol="BTCUSDT", **parameters):
        order = {"symbol": symbol, "side": side, "type": "LIMIT", "timeInForce": "GTC", "quantity": quantity, "price": price}
        return self.ask("POST", "/api/v3/order", **order, **parameters)

    def cancel_all(self, symbol="BTCUSDT"):
        return self.ask("DELETE", "/api/v3/openOrders", symbol=symbol)

    def balances(self):
        return self.ask("GET", "/api/v3/account")["balances"]
