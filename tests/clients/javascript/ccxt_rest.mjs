// ccxt for JavaScript, unmodified, trades by REST: every call asserted, to the last unit.
//
// Usage: ccxt_rest.mjs ADDRESS KEYS_FILE ADMIN. One line for each call: client | method | outcome.

import assert from 'node:assert/strict';
import { Ledger, product, units } from './ledger.mjs';
import { ccxt, client, eventually, keys, refused, said } from './venue.mjs';

const SYMBOL = 'BTC/USDT';

class Trader {
    constructor(account, exchange) {
        this.account = account;
        this.exchange = exchange;
    }

    async order(type, side, amount, price, params = {}) {
        const order = await this.exchange.createOrder(SYMBOL, type, side, amount, price, params);
        const terms = JSON.stringify(params);
        said('createOrder', `${this.account} ${type} ${side} ${amount} at ${price} ${terms}: ${order.status}, filled ${order.filled}`);
        return order;
    }

    async check(ledger) {
        ledger.check(this.account, (await this.exchange.fetchBalance()).info.balances);
    }
}

function exact(order, status, filled, cost) {
    const { executedQty, cummulativeQuoteQty } = order.info;
    assert.deepEqual([order.status, units(executedQty), units(cummulativeQuoteQty)], [status, units(filled), units(cost)]);
}

async function publicCalls() {
    const stranger = await client();
    const markets = await stranger.loadMarkets();
    assert.deepEqual(Object.keys(markets).sort(), ['BTC/USDT', 'ETH/BTC', 'ETH/USDT']);
    const market = stranger.market(SYMBOL);
    assert.ok(market.spot && market.active && !market.margin);
    assert.deepEqual([market.precision.price, market.precision.amount, market.limits.cost.min], [0.01, 0.00001, 5]);
    said('loadMarkets', `without a key: ${Object.keys(markets)}`);
    assert.ok(Math.abs((await stranger.fetchTime()) - Date.now()) < 60_000);
    said('fetchTime', 'now');
    assert.equal((await stranger.fetchStatus()).status, 'ok');
    said('fetchStatus', 'ok');
    return stranger;
}

async function limitOrders(ledger, maker, taker) {
    const first = await maker.order('limit', 'sell', 0.3, 50_000);
    const second = await maker.order('limit', 'sell', 0.00123, 50_000.01);
    exact(first, 'open', '0', '0');
    ledger.lock('demo-1', 'BTC', units('0.30123'));
    await maker.check(ledger);
    const order = await taker.order('limit', 'buy', 0.5, 50_000.01);
    exact(order, 'open', '0.30123', '15061.5000123');
    assert.deepEqual(order.info.fills.map((fill) => [fill.price, fill.qty, fill.commission, fill.commissionAsset]), [
        ['50000.00000000', '0.30000000', '0.00030000', 'BTC'],
        ['50000.01000000', '0.00123000', '0.00000123', 'BTC'],
    ]);
    ledger.lock('demo-1', 'BTC', -units('0.30123'));
    ledger.trade('demo-2', 'demo-1', '50000', '0.3');
    ledger.trade('demo-2', 'demo-1', '50000.01', '0.00123');
    ledger.lock('demo-2', 'USDT', product('50000.01', '0.19877'));
    await maker.check(ledger);
    await taker.check(ledger);
    said('fetchBalance', 'both accounts to the last unit');
    exact(await maker.exchange.fetchOrder(first.id, SYMBOL), 'closed', '0.3', '15000');
    exact(await maker.exchange.fetchOrder(second.id, SYMBOL), 'closed', '0.00123', '61.5000123');
    said('fetchOrder', `${first.id} and ${second.id}: closed`);
    for (const [trader, side, role, charged] of [
        [maker, 'sell', 'maker', ['15.00000000', '0.06150002']],
        [taker, 'buy', 'taker', ['0.00030000', '0.00000123']],
    ]) {
        const trades = await trader.exchange.fetchMyTrades(SYMBOL);
        assert.deepEqual(trades.map((trade) => [trade.side, trade.takerOrMaker, trade.price, trade.amount]), [
            [side, role, 50_000, 0.3],
            [side, role, 50_000.01, 0.00123],
        ]);
        assert.deepEqual(trades.map((trade) => trade.info.commission), charged);
        said('fetchMyTrades', `${trader.account}: 2 as ${role}, commission ${charged}`);
    }
    assert.equal((await taker.exchange.fetchOrderTrades(order.id, SYMBOL)).length, 2);
    said('fetchOrderTrades', '2 trades');
    const open = await taker.exchange.fetchOpenOrders(SYMBOL);
    assert.deepEqual(open.map((row) => [row.id, row.remaining]), [[order.id, 0.19877]]);
    said('fetchOpenOrders', `${order.id}, 0.19877 left`);
    exact(await taker.exchange.cancelOrder(order.id, SYMBOL), 'canceled', '0.30123', '15061.5000123');
    said('cancelOrder', `${order.id}: canceled`);
    ledger.lock('demo-2', 'USDT', -product('50000.01', '0.19877'));
    await taker.check(ledger);
    await refused(ccxt.OrderNotFound, 'cancelOrder of a cancelled order', () => taker.exchange.cancelOrder(order.id, SYMBOL));
    await refused(ccxt.OrderNotFound, 'cancelOrder of a filled order', () => maker.exchange.cancelOrder(first.id, SYMBOL));
}

async function marketOrders(ledger, maker, taker) {
    await maker.order('limit', 'sell', 0.5, 50_010);
    const bought = await taker.order('market', 'buy', 0.2);
    exact(bought, 'closed', '0.2', '10002');
    ledger.trade('demo-2', 'demo-1', '50010', '0.2');
    const cost = await taker.exchange.createMarketBuyOrderWithCost(SYMBOL, 1_000);
    exact(cost, 'closed', '0.01999', '999.6999');
    said('createMarketBuyOrderWithCost', `1000: filled ${cost.filled}, cost ${cost.cost}`);
    ledger.trade('demo-2', 'demo-1', '50010', '0.01999');
    exact(await taker.order('limit', 'buy', 0.5, 50_010, { timeInForce: 'IOC' }), 'expired', '0.28001', '14003.3001');
    ledger.trade('demo-2', 'demo-1', '50010', '0.28001');
    await maker.order('limit', 'buy', 0.4, 49_990);
    exact(await taker.order('limit', 'sell', 0.5, 49_990, { timeInForce: 'FOK' }), 'expired', '0', '0');
    exact(await taker.order('market', 'sell', 0.4), 'closed', '0.4', '19996');
    ledger.trade('demo-1', 'demo-2', '49990', '0.4');
    await maker.check(ledger);
    await taker.check(ledger);
    said('fetchBalance', 'after market orders, IOC and FOK: to the last unit');
}

async function changes(ledger, maker) {
    const order = await maker.order('limit', 'buy', 0.1, 48_000, { postOnly: true });
    const edited = await maker.exchange.editOrder(order.id, SYMBOL, 'limit', 'buy', 0.2, 48_100);
    assert.deepEqual([edited.price, edited.amount], [48_100, 0.2]);
    assert.notEqual(edited.id, order.id);
    said('editOrder', `${order.id} became ${edited.id}, 0.2 at 48100`);
    ledger.lock('demo-1', 'USDT', product('48100', '0.2'));
    await maker.check(ledger);
    assert.equal((await maker.exchange.cancelAllOrders(SYMBOL)).length, 1);
    assert.deepEqual(await maker.exchange.fetchOpenOrders(), []);
    said('cancelAllOrders', '1 order cancelled, none left');
    ledger.lock('demo-1', 'USDT', -product('48100', '0.2'));
    await maker.check(ledger);
    await refused(ccxt.OrderNotFound, 'cancelAllOrders of none', () => maker.exchange.cancelAllOrders(SYMBOL));
    const statuses = (await maker.exchange.fetchOrders(SYMBOL)).map((row) => row.status);
    assert.deepEqual(statuses, ['closed', 'closed', 'closed', 'closed', 'canceled', 'canceled']);
    said('fetchOrders', statuses);
    assert.equal((await maker.exchange.fetchClosedOrders(SYMBOL)).length, 4);
    assert.equal((await maker.exchange.fetchCanceledOrders(SYMBOL)).length, 2);
    said('fetchClosedOrders, fetchCanceledOrders', '4 and 2');
}

// Stops, take-profits, trailing stops and icebergs by ccxt's own parameters; the book is empty around it.
async function conditionalOrders(ledger, maker, taker) {
    const priceAt = async (price) => {
        await maker.order('limit', 'sell', 0.001, price);
        await taker.order('limit', 'buy', 0.001, price);
        ledger.trade('demo-2', 'demo-1', String(price), '0.001');
    };
    await priceAt(50_000);
    const stop = await taker.order('limit', 'sell', 0.02, 49_800, { stopLossPrice: 49_900 });
    const profit = await taker.order('market', 'sell', 0.01, undefined, { takeProfitPrice: 50_200 });
    for (const [order, trigger] of [[stop, 49_900], [profit, 50_200]]) {
        const found = await taker.exchange.fetchOrder(order.id, SYMBOL);
        assert.deepEqual([found.status, found.triggerPrice], ['open', trigger]);
    }
    ledger.lock('demo-2', 'BTC', units('0.03'));
    await taker.check(ledger);
    await refused(ccxt.OrderImmediatelyFillable, 'createOrder stopLossPrice that would trigger', () =>
        taker.exchange.createOrder(SYMBOL, 'limit', 'sell', 0.02, 49_800, { stopLossPrice: 50_100 }),
    );
    await maker.order('limit', 'buy', 0.03, 49_850);
    await taker.order('limit', 'sell', 0.01, 49_850);
    exact(await taker.exchange.fetchOrder(stop.id, SYMBOL), 'closed', '0.02', '997');
    ledger.trade('demo-1', 'demo-2', '49850', '0.01');
    ledger.trade('demo-1', 'demo-2', '49850', '0.02');
    await maker.order('limit', 'buy', 0.01, 50_150);
    await priceAt(50_250);
    exact(await taker.exchange.fetchOrder(profit.id, SYMBOL), 'closed', '0.01', '501.5');
    ledger.trade('demo-1', 'demo-2', '50150', '0.01');
    ledger.lock('demo-2', 'BTC', -units('0.03'));
    await maker.check(ledger);
    await taker.check(ledger);
    said('createOrder stopLossPrice, takeProfitPrice', 'triggered and sold, to the last unit');
    const trailing = await taker.order('limit', 'sell', 0.02, 45_000, { trailingPercent: 2, stopLossOrTakeProfit: 'stopLoss' });
    assert.equal(Number(trailing.info.trailingDelta), 200);
    await taker.exchange.cancelOrder(trailing.id, SYMBOL);
    const iceberg = await maker.order('limit', 'sell', 0.5, 50_500, { icebergAmount: 0.1 });
    const seen = JSON.stringify([[50_500, 0.1]]);
    await eventually(() => maker.exchange.fetchOrderBook(SYMBOL), (book) => JSON.stringify(book.asks) === seen);
    said('createOrder icebergAmount', `0.1 of 0.5 seen: ${seen}`);
    await maker.exchange.cancelOrder(iceberg.id, SYMBOL);
    await maker.check(ledger);
    await taker.check(ledger);
}

async function marketViews(stranger) {
    const amounts = ['0.3', '0.00123', '0.2', '0.01999', '0.28001', '0.4'];
    const volume = amounts.reduce((all, amount) => all + units(amount), 0n);
    const trades = await eventually(() => stranger.fetchTrades(SYMBOL), (answer) => answer.length === amounts.length);
    assert.deepEqual(trades.map((trade) => trade.amount), amounts.map(Number));
    said('fetchTrades', `${trades.length} trades, as made`);
    const ticker = await eventually(() => stranger.fetchTicker(SYMBOL), (answer) => answer.info.count === amounts.length);
    assert.deepEqual([ticker.open, ticker.last, ticker.high, ticker.low], [50_000, 49_990, 50_010, 49_990]);
    assert.equal(units(ticker.info.volume), volume);
    said('fetchTicker', `last ${ticker.last}, volume ${ticker.info.volume}`);
    assert.equal(Object.keys(await stranger.fetchTickers()).length, 3);
    assert.equal((await stranger.fetchLastPrices([SYMBOL]))[SYMBOL].price, 49_990);
    said('fetchTickers, fetchLastPrices', '3 markets; 49990');
    const candles = await stranger.fetchOHLCV(SYMBOL, '1m');
    assert.ok(Math.abs(candles.reduce((all, candle) => all + candle[5], 0) - Number(volume) / 1e8) < 1e-9);
    said('fetchOHLCV', `${candles.length} candles, volume ${ticker.info.volume}`);
}

async function refusals(ledger, maker) {
    const place = (...order) => () => maker.exchange.createOrder(SYMBOL, ...order);
    const raw = (changed) => () =>
        maker.exchange.privatePostOrder({ symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '0.1', price: '40000', ...changed });
    await maker.order('limit', 'sell', 0.1, 50_100);
    for (const [type, what, call] of [
        [ccxt.InsufficientFunds, 'createOrder beyond the balance', place('limit', 'buy', 90, 50_000)],
        [ccxt.InsufficientFunds, 'createOrder sell beyond the balance', place('limit', 'sell', 150, 50_000)],
        [ccxt.OrderImmediatelyFillable, 'createOrder postOnly that would take', place('limit', 'buy', 0.1, 50_100, { postOnly: true })],
        [ccxt.InvalidOrder, 'createOrder far from the price', place('limit', 'buy', 0.1, 1_000)],
        [ccxt.InvalidOrder, 'price between ticks', raw({ price: '40000.001' })],
        [ccxt.InvalidOrder, 'quantity between lots', raw({ quantity: '0.100001' })],
        [ccxt.BadRequest, 'below the least notional', raw({ quantity: '0.0001' })],
        [ccxt.BadRequest, 'nine decimals', raw({ quantity: '0.100000001' })],
        [ccxt.BadSymbol, 'depth of no symbol', () => maker.exchange.publicGetDepth({ symbol: 'NOPEUSDT' })],
        [ccxt.BadSymbol, 'createOrder of no symbol', () => maker.exchange.createOrder('NOPE/USDT', 'limit', 'buy', 1, 1)],
        [ccxt.OrderNotFound, 'fetchOrder of none', () => maker.exchange.fetchOrder('999999999', SYMBOL)],
        [ccxt.OrderNotFound, 'cancelOrder of none', () => maker.exchange.cancelOrder('999999999', SYMBOL)],
    ]) {
        await refused(type, what, call);
    }
    await maker.order('limit', 'buy', 0.1, 40_000, { clientOrderId: 'the-same-name' });
    await refused(ccxt.InvalidOrder, "createOrder under an open order's name", place('limit', 'buy', 0.1, 40_000, { clientOrderId: 'the-same-name' }));
    await maker.exchange.cancelAllOrders(SYMBOL);
    const forged = await client('demo-1', { key: { secret: '0'.repeat(keys['demo-1'].secret.length) } });
    await refused(ccxt.AuthenticationError, 'fetchBalance signed with another secret', () => forged.fetchBalance());
    const unknown = await client('demo-1', { key: { api_key: 'A'.repeat(keys['demo-1'].api_key.length) } });
    await refused(ccxt.AuthenticationError, 'fetchBalance with an unknown key', () => unknown.fetchBalance());
    for (const [what, timeDifference] of [['ahead', -30_000], ['behind', 30_000]]) {
        const skewed = await client('demo-1', { options: { timeDifference } });
        await refused(ccxt.InvalidNonce, `fetchBalance by a clock 30 s ${what}`, () => skewed.fetchBalance());
    }
    await maker.check(ledger);
    said('fetchBalance', 'after all refusals: nothing moved');
}

async function ed25519(ledger) {
    const signer = new Trader('demo-4', await client('demo-4'));
    const other = new Trader('demo-3', await client('demo-3'));
    await other.order('limit', 'sell', 0.1, 50_000);
    exact(await signer.order('market', 'buy', 0.1), 'closed', '0.1', '5000');
    ledger.trade('demo-4', 'demo-3', '50000', '0.1');
    await signer.check(ledger);
    await other.check(ledger);
    said('createOrder', 'signed with Ed25519: to the last unit');
    const fee = await signer.exchange.fetchTradingFee(SYMBOL);
    assert.deepEqual([fee.maker, fee.taker], [0.001, 0.001]);
    said('fetchTradingFee', 'maker 0.001, taker 0.001');
}

const ledger = new Ledger(['demo-1', 'demo-2', 'demo-3', 'demo-4']);
const stranger = await publicCalls();
const [maker, taker] = await Promise.all(['demo-1', 'demo-2'].map(async (account) => new Trader(account, await client(account))));
await maker.exchange.loadMarkets();
said('loadMarkets', `with a key: currencies ${Object.keys(maker.exchange.currencies).sort()}`);
await limitOrders(ledger, maker, taker);
await marketOrders(ledger, maker, taker);
await changes(ledger, maker);
await marketViews(stranger);
await conditionalOrders(ledger, maker, taker);
await refusals(ledger, maker);
await ed25519(ledger);
ledger.checkSums();
said('all', 'every balance as it must be; the sum of each asset as at the start');
process.exit(0);
