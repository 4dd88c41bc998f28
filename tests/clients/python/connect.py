"""An unmodified ccxt client of a Rialto exchange: only its URLs and its key are given.

Knows nothing of what is then asked.
"""

import json
import sys


def arguments():
    """The address to connect to and the demo's keys by account, from the command line."""
    address, keys_file = sys.argv[1:3]
    with open(keys_file, encoding="utf-8") as file:
        return address, {key["account"]: key for key in json.load(file)}


def urls(address):
    """What of ccxt's `urls` leads to the exchange at `address`."""
    rest, sockets = f"http://{address}", f"ws://{address}"
    return {
        "api": {
            "public": f"{rest}/api/v3",
            "private": f"{rest}/api/v3",
            "v1": f"{rest}/api/v1",
            "sapi": f"{rest}/sapi/v1",
            "sapiV2": f"{rest}/sapi/v2",
            "sapiV3": f"{rest}/sapi/v3",
            "sapiV4": f"{rest}/sapi/v4",
            "fapiPublic": f"{rest}/fapi/v1",
            "dapiPublic": f"{rest}/dapi/v1",
            # ccxt tells spot from futures by "/stream" in this URL.
            "ws": {"spot": f"{sockets}/stream/ws", "ws-api": {"spot": f"{sockets}/ws-api/v3"}},
        }
    }


def client(kind, address, key=None, **changes):
    """A ccxt client of `kind` with a key of the demo, or none."""
    config = {"urls": urls(address), "enableRateLimit": False}
    if key is not None:
        config["apiKey"] = key["api_key"]
        config["secret"] = key.get("secret") or key["private_key_pem"]
    return kind({**config, **changes})
