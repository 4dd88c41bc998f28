"""Signs what schemathesis sends, so that it comes past the door: a key in the header, a timestamp and a signature
in the query. Some requests are left as they were made up, to see them refused."""

import hashlib
import hmac
import json
import os
import time
from urllib.parse import urlsplit, urlunsplit

import requests
import schemathesis

with open(os.environ["RIALTO_KEYS"], encoding="utf-8") as keys:
    KEY = next(key for key in json.load(keys) if key["account"] == "demo-1")

OWN = ("timestamp=", "signature=", "recvWindow=")


class Signed(requests.auth.AuthBase):
    """Replaces what was made up for the signed parts of a query by what is right."""

    def __call__(self, request):
        parts = urlsplit(request.url)
        pairs = [pair for pair in parts.query.split("&") if pair and not pair.startswith(OWN)]
        query = "&".join([*pairs, f"timestamp={int(time.time() * 1000)}"])
        body = request.body or b""
        payload = query.encode() + (body.encode() if isinstance(body, str) else body)
        signature = hmac.new(KEY["secret"].encode(), payload, hashlib.sha256).hexdigest()
        request.headers["X-MBX-APIKEY"] = KEY["api_key"]
        request.url = urlunsplit(parts._replace(query=f"{query}&signature={signature}"))
        return request


schemathesis.auth.set_from_requests(Signed())
