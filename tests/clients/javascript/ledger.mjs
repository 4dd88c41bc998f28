// What accounts must have, to the last unit: as ../ledger.py, in whole units of 10^-8.
// Knows no client; amounts are text.

const ONE = 100_000_000n;
const ASSETS = ['USDT', 'BTC', 'ETH'];
const START = { USDT: 1_000_000n * ONE, BTC: 100n * ONE, ETH: 1_000n * ONE };

// An amount of 8 decimals at most, in units.
export function units(text) {
    const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,8}))?$/.exec(text) ?? fail(`${text} is no amount`);
    const amount = BigInt(whole) * ONE + BigInt(fraction.padEnd(8, '0'));
    return sign ? -amount : amount;
}

export function product(price, quantity) {
    const exact = units(price) * units(quantity);
    return exact % ONE === 0n ? exact / ONE : fail(`${price} x ${quantity} is no whole number of units`);
}

function fail(reason) {
    throw new Error(reason);
}

// 0.1 % of what is received, rounded up to the next unit.
const fee = (received) => (received + 999n) / 1_000n;

export class Ledger {
    constructor(accounts) {
        this.total = Object.fromEntries(accounts.map((account) => [account, { ...START }]));
        this.locked = Object.fromEntries(accounts.map((account) => [account, { USDT: 0n, BTC: 0n, ETH: 0n }]));
        this.fees = { USDT: 0n, BTC: 0n, ETH: 0n };
    }

    // `buyer` buys BTC from `seller` for USDT.
    trade(buyer, seller, price, quantity) {
        this.#move(seller, buyer, 'BTC', units(quantity));
        this.#move(buyer, seller, 'USDT', product(price, quantity));
    }

    // An open order of `account` holds so many units more; fewer if negative.
    lock(account, asset, amount) {
        this.locked[account][asset] += amount;
    }

    #move(giver, receiver, asset, amount) {
        const charged = fee(amount);
        this.total[giver][asset] -= amount;
        this.total[receiver][asset] += amount - charged;
        this.fees[asset] += charged;
    }

    // `balances` are the exchange's own: [{asset, free, locked}].
    check(account, balances) {
        for (const asset of ASSETS) {
            const row = balances.find((each) => each.asset === asset) ?? fail(`${account} is shown no ${asset}`);
            const locked = this.locked[account][asset];
            const must = [this.total[account][asset] - locked, locked];
            const has = [units(row.free), units(row.locked)];
            if (has[0] !== must[0] || has[1] !== must[1]) {
                fail(`${account} has ${has} ${asset} free and locked, must have ${must}`);
            }
        }
    }

    // Nothing was made and nothing was lost.
    checkSums() {
        for (const asset of ASSETS) {
            const accounts = Object.values(this.total);
            const sum = accounts.reduce((all, account) => all + account[asset], this.fees[asset]);
            if (sum !== START[asset] * BigInt(accounts.length)) {
                fail(`${asset}: ${sum}`);
            }
        }
    }
}
