// An unmodified ccxt for JavaScript on a Rialto exchange: only its URLs and its key are given. And the lines
// that its calls come to: client | method | outcome.
//
// Knows nothing of what is then asked.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

// Where npm has installed it, which is not beside this file.
const ccxt = createRequire(`${process.env.RIALTO_CLIENTS}/package.json`)('ccxt');
const [, , address, keysFile] = process.argv;
const keys = Object.fromEntries(JSON.parse(readFileSync(keysFile)).map((key) => [key.account, key]));
const rest = `http://${address}`;
const sockets = `ws://${address}`;
const PATIENCE = 60_000;

export { ccxt, keys };

export const NAME = `ccxt JavaScript ${ccxt.version}`;

export function said(method, outcome) {
    console.log(`${NAME} | ${method} | ${String(outcome).replaceAll('\n', ' ')}`);
}

// A client with a key of the demo, or none.
export async function client(account, changes = {}) {
    const key = account === undefined ? {} : { ...keys[account], ...changes.key };
    const exchange = new ccxt.pro.binance({
        apiKey: key.api_key,
        secret: key.secret ?? key.private_key_pem,
        enableRateLimit: false,
        newUpdates: true,
        options: { fetchOpenOrders: { warnWithoutSymbol: false }, ...changes.options },
        urls: {
            api: {
                public: `${rest}/api/v3`,
                private: `${rest}/api/v3`,
                v1: `${rest}/api/v1`,
                sapi: `${rest}/sapi/v1`,
                sapiV2: `${rest}/sapi/v2`,
                sapiV3: `${rest}/sapi/v3`,
                sapiV4: `${rest}/sapi/v4`,
                fapiPublic: `${rest}/fapi/v1`,
                dapiPublic: `${rest}/dapi/v1`,
                ws: { spot: `${sockets}/stream/ws`, 'ws-api': { spot: `${sockets}/ws-api/v3` } },
            },
        },
    });
    // Without it, ccxt for JavaScript takes no ws:// URL; wss:// needs nothing.
    await exchange.loadHttpProxyAgent();
    return exchange;
}

// `call` must be refused with this very type of exception.
export async function refused(type, method, call) {
    let answer;
    try {
        answer = await call();
    } catch (error) {
        assert.equal(error.constructor.name, type.name, `${method}: ${error.stack}`);
        said(method, `${type.name}: ${error.message}`);
        return error;
    }
    assert.fail(`${method}: ${type.name} expected, but it answered ${JSON.stringify(answer)}`);
}

// Market data may be a moment behind: `call` until `condition` holds of its answer.
export async function eventually(call, condition) {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
        const answer = await call();
        if (condition(answer)) {
            return answer;
        }
        assert.ok(Date.now() < deadline, `it stayed ${JSON.stringify(answer)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

// Has the exchange killed as nobody can refuse (kill -9) and started again on the same addresses.
export async function restart() {
    const lines = createInterface({ input: process.stdin });
    const answer = new Promise((resolve) => lines.once('line', resolve));
    console.log('@restart');
    assert.equal(await answer, 'restarted');
    lines.close();
}
