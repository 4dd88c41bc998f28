// ccxt.pro for JavaScript, unmodified, watches while another account trades, and goes on when the exchange
// was killed and has come back: nothing missing, nothing twice, the book as it is.
//
// Usage: ccxt_pro.mjs ADDRESS KEYS_FILE ADMIN. One line for each call: client | method | outcome.

import assert from 'node:assert/strict';
import { ccxt, client, eventually, refused, restart, said } from './venue.mjs';

const SYMBOL = 'BTC/USDT';
// Trades made once everyone watches; each has a price of its own.
const TRADES = 20;
const PATIENCE = 60_000;

// Open while the exchange is: nobody calls an exchange that is known to be down.
let door = Promise.resolve();

// Calls one `watch…` for ever, and keeps what it gave.
class Watch {
    constructor(method, call, keep) {
        this.method = method;
        this.seen = [];
        this.failures = [];
        this.stopped = false;
        this.changed = () => {};
        this.running = this.#run(call, keep);
    }

    async #run(call, keep) {
        while (!this.stopped) {
            await door;
            try {
                this.seen.push(...keep(await call()));
            } catch (error) {
                // The next call connects again; whoever waits is told what failed.
                this.failures.push(error);
            }
            this.changed();
        }
    }

    async until(condition, what) {
        const deadline = Date.now() + PATIENCE;
        while (!condition(this.seen)) {
            assert.ok(Date.now() < deadline, `${this.method}: ${what} never came; failures ${this.failures}; seen ${JSON.stringify(this.seen.slice(-3))}`);
            await new Promise((resolve) => {
                this.changed = resolve;
                setTimeout(resolve, 500);
            });
        }
    }
}

const [maker, taker, stranger] = await Promise.all(['demo-1', 'demo-2', undefined].map((account) => client(account)));
for (const each of [maker, taker, stranger]) {
    await each.loadMarkets();
}

async function trade(price) {
    const resting = await maker.createOrder(SYMBOL, 'limit', 'sell', 0.01, price);
    const taking = await taker.createOrder(SYMBOL, 'limit', 'buy', 0.01, price);
    assert.equal(taking.status, 'closed');
    return resting.id;
}

const copy = (value) => JSON.parse(JSON.stringify(value));
const watching = Object.fromEntries(
    [
        ['watchOrderBook', () => stranger.watchOrderBook(SYMBOL), (book) => [copy({ nonce: book.nonce, bids: book.bids, asks: book.asks })]],
        ['watchTrades', () => stranger.watchTrades(SYMBOL), (trades) => trades],
        ['watchTicker', () => stranger.watchTicker(SYMBOL), (ticker) => [copy(ticker)]],
        ['watchBidsAsks', () => stranger.watchBidsAsks([SYMBOL]), (quotes) => copy(Object.values(quotes))],
        ['watchOHLCV', () => stranger.watchOHLCV(SYMBOL, '1m'), (candles) => copy(candles)],
        ['watchOrders', () => maker.watchOrders(SYMBOL), (orders) => copy(orders)],
        ['watchMyTrades', () => maker.watchMyTrades(SYMBOL), (trades) => trades],
        ['watchBalance', () => maker.watchBalance(), (balance) => [copy(balance)]],
    ].map(([method, call, keep]) => [method, new Watch(method, call, keep)]),
);

async function everyoneWatches() {
    let trades = 0;
    while (!Object.values(watching).every((watch) => watch.seen.length > 0)) {
        await trade(50_000);
        trades += 1;
        const order = await maker.createOrder(SYMBOL, 'limit', 'sell', 0.001, 50_100);
        await maker.cancelOrder(order.id, SYMBOL);
        assert.ok(trades < 2_000, JSON.stringify(Object.values(watching).map((watch) => [watch.method, watch.seen.length, String(watch.failures)])));
    }
    said('all watches', `each has given something after ${trades} trades`);
}

async function tradesInOrder() {
    const prices = Array.from({ length: TRADES }, (_, number) => 50_001 + number);
    for (const price of prices) {
        await trade(price);
    }
    for (const method of ['watchTrades', 'watchMyTrades']) {
        const watch = watching[method];
        await watch.until((seen) => seen.at(-1)?.price === prices.at(-1), `the trade at ${prices.at(-1)}`);
        const ids = watch.seen.map((each) => Number(each.id));
        assert.deepEqual(ids, Array.from(ids, (_, number) => ids[0] + number), `${method}: gaps or repeats`);
        assert.deepEqual(watch.seen.slice(-TRADES).map((each) => each.price), prices);
        said(method, `${ids.length} trades, ids ${ids[0]} to ${ids.at(-1)} without a gap`);
    }
    const mine = watching.watchMyTrades.seen.at(-1);
    assert.deepEqual([mine.side, mine.takerOrMaker, mine.fee.currency, mine.info.n], ['sell', 'maker', 'USDT', '0.50020000']);
}

async function ordersAndBalance() {
    const watch = watching.watchOrders;
    const resting = await maker.createOrder(SYMBOL, 'limit', 'sell', 0.05, 50_500);
    const life = () => watch.seen.filter((order) => order.id === resting.id).map((order) => [order.status, order.filled]);
    const reached = (stage) => watch.until(() => life().some((each) => JSON.stringify(each) === JSON.stringify(stage)), stage);
    await reached(['open', 0]);
    await taker.createOrder(SYMBOL, 'limit', 'buy', 0.02, 50_500);
    await reached(['open', 0.02]);
    await maker.cancelOrder(resting.id, SYMBOL);
    await reached(['canceled', 0.02]);
    assert.deepEqual(life(), [['open', 0], ['open', 0.02], ['canceled', 0.02]]);
    said('watchOrders', `${resting.id}: ${JSON.stringify(life())}`);
    const actual = await maker.fetchBalance();
    const same = (seen) => ['BTC', 'USDT'].every((asset) => JSON.stringify(seen.at(-1)[asset]) === JSON.stringify(actual[asset]));
    await watching.watchBalance.until(same, JSON.stringify([actual.BTC, actual.USDT]));
    said('watchBalance', `BTC ${actual.BTC.total}, USDT ${actual.USDT.total}, as fetchBalance says`);
    await watching.watchTicker.until((seen) => seen.at(-1).last === 50_500, 'last 50500');
    await watching.watchOHLCV.until((seen) => seen.at(-1)[4] === 50_500, 'a candle that closes at 50500');
    said('watchTicker, watchOHLCV', 'last 50500');
}

async function book(bids) {
    for (const price of bids) {
        await maker.createOrder(SYMBOL, 'limit', 'buy', 0.01, price);
        await watching.watchOrderBook.until((seen) => JSON.stringify(seen.at(-1).bids[0]) === JSON.stringify([price, 0.01]), `a bid at ${price}`);
    }
    const last = watching.watchOrderBook.seen.at(-1);
    const actual = await stranger.fetchOrderBook(SYMBOL);
    assert.deepEqual([last.bids, last.asks], copy([actual.bids, actual.asks]));
    const nonces = watching.watchOrderBook.seen.map((each) => each.nonce);
    said('watchOrderBook', `${nonces.length} books to version ${nonces.at(-1)}, no gap; the last is as fetchOrderBook says`);
    await watching.watchBidsAsks.until((seen) => seen.at(-1).bid === bids.at(-1), `bid ${bids.at(-1)}`);
    said('watchBidsAsks', `${watching.watchBidsAsks.seen.length} quotes, the last bid ${bids.at(-1)}`);
}

async function requests() {
    const order = await maker.createOrderWs(SYMBOL, 'limit', 'buy', 0.01, 45_000);
    assert.equal(order.status, 'open');
    assert.equal((await maker.fetchOrderWs(order.id, SYMBOL)).price, 45_000);
    const edited = await maker.editOrderWs(order.id, SYMBOL, 'limit', 'buy', 0.02, 45_100);
    assert.equal(edited.price, 45_100);
    assert.equal((await maker.cancelOrderWs(edited.id, SYMBOL)).status, 'canceled');
    said('createOrderWs, fetchOrderWs, editOrderWs, cancelOrderWs', `${order.id} became ${edited.id}, then canceled`);
    await refused(ccxt.InsufficientFunds, 'createOrderWs beyond the balance', () => maker.createOrderWs(SYMBOL, 'limit', 'buy', 90, 50_000));
    await refused(ccxt.OrderNotFound, 'cancelOrderWs of a cancelled order', () => maker.cancelOrderWs(edited.id, SYMBOL));
}

// Everything connects and subscribes again by the next call; the book and the orders are as they were.
async function overARestart() {
    const before = await maker.fetchOpenOrders(SYMBOL);
    let open;
    door = new Promise((resolve) => {
        open = resolve;
    });
    await restart();
    for (const watch of Object.values(watching)) {
        await watch.until(() => watch.failures.length > 0, 'the loss of the connection');
        assert.ok(watch.failures[0] instanceof ccxt.NetworkError, `${watch.method}: ${watch.failures[0]}`);
        watch.seen = [];
    }
    open();
    said('all watches', `the exchange killed: each told ${watching.watchOrders.failures[0].constructor.name}`);
    const after = await eventually(() => maker.fetchOpenOrders(SYMBOL), () => true);
    assert.deepEqual(after.map((order) => order.id), before.map((order) => order.id));
    said('fetchOpenOrders', `after kill -9 and recovery: the same ${after.length} orders`);
    await everyoneWatches();
    const filled = await trade(50_700);
    await watching.watchOrders.until((seen) => seen.some((order) => order.id === filled && order.status === 'closed'), 'the fill');
    await watching.watchMyTrades.until((seen) => seen.at(-1)?.price === 50_700, 'the trade');
    said('watchOrders, watchMyTrades', 'subscribed again: the fill after recovery');
    await book([49_500, 49_501]);
}

await everyoneWatches();
await tradesInOrder();
await ordersAndBalance();
await book([49_000, 49_001, 49_002, 49_003, 49_004]);
await requests();
await overARestart();
process.exit(0);
