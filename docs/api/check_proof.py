#!/usr/bin/env python3
"""Checks a Rialto proof of liabilities (docs/api/proof.md) with nothing but Python.

    python3 check_proof.py ACCOUNT.json [ROOT.json]

Exit status: 0 the account is counted as the file says, 1 it is not, 2 the file cannot be read.
"""

import hashlib
import json
import sys

MOST = 2**63


def number(text):
    value = int(text)
    if value < 0 or value > MOST or str(value) != text:
        raise ValueError(f"{text} is no amount")
    return value


def hashed(label, *parts):
    return hashlib.sha256(b"rialto-proof-1 " + label + b"\n" + b"".join(parts)).digest()


def sums_bytes(sums):
    return b"".join(value.to_bytes(8, "big") for value in sums)


def check(file):
    published, proof = file["published"], file["proof"]
    if published["format"] != "rialto-proof-1":
        raise ValueError("another format")
    assets = len(published["assets"])
    if len(published["scales"]) != assets:
        raise ValueError("not one scale for each asset")

    def amounts(texts):
        if len(texts) != assets:
            raise ValueError("not one amount for each asset")
        return [number(text) for text in texts]

    sums = amounts(proof["balances"])
    account = hashed(b"account", proof["account"].to_bytes(4, "big"), bytes.fromhex(proof["nonce"]))
    node = hashed(b"leaf", account, sums_bytes(sums))
    for step in proof["path"]:
        other, other_sums = bytes.fromhex(step["hash"]), amounts(step["sums"])
        here, there = node + sums_bytes(sums), other + sums_bytes(other_sums)
        node = hashed(b"node", *((there, here) if step["side"] == "left" else (here, there)))
        sums = [one + another for one, another in zip(sums, other_sums)]
        if any(value > MOST for value in sums):
            raise ValueError("a sum is too large")
    return node.hex() == published["root"] and sums == amounts(published["totals"])


def main():
    try:
        with open(sys.argv[1], encoding="utf-8") as opened:
            file = json.load(opened)
        holds = check(file)
        if len(sys.argv) > 2:
            with open(sys.argv[2], encoding="utf-8") as opened:
                holds = holds and json.load(opened) == file["published"]
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        print(f"cannot be checked: {error}", file=sys.stderr)
        return 2
    print("the account is counted" if holds else "the account is NOT counted as the file says")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
