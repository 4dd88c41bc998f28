-- The books of record: what follows from the engine's events. Every row can be made again from the
-- first event, so nothing here is written by any other hand.
--
-- Money and quantities are whole numbers: ledger units of an asset, price and quantity units of an
-- instrument. Times are UTC nanoseconds since 1970. Enums are the numbers that protocol gives them.
-- An event's place is (sequence, event_index): its command, and which of the command's events, from 0.

-- Up to which command the books are. It moves in the transaction that writes the command's rows.
CREATE TABLE position (
    engine_id BIGINT NOT NULL PRIMARY KEY,
    epoch     BIGINT NOT NULL,
    sequence  BIGINT NOT NULL CHECK (sequence >= 0),
    -- The time of that command.
    time      BIGINT NOT NULL
);

CREATE TABLE assets (
    asset            INTEGER  NOT NULL PRIMARY KEY,
    name             TEXT     NOT NULL,
    -- A ledger unit is 10^-scale.
    scale            SMALLINT NOT NULL,
    -- The account that stands for the world outside; its balance is negative.
    external_account BIGINT   NOT NULL,
    max_supply       BIGINT   NOT NULL,
    created_at       BIGINT   NOT NULL
);

CREATE TABLE instruments (
    instrument     INTEGER  NOT NULL PRIMARY KEY,
    symbol         TEXT     NOT NULL,
    base           INTEGER  NOT NULL,
    quote          INTEGER  NOT NULL,
    -- A price unit is 10^-price_scale of the quote, a quantity unit 10^-quantity_scale of the base.
    price_scale    SMALLINT NOT NULL,
    quantity_scale SMALLINT NOT NULL,
    -- Ledger units of the quote that one quantity unit costs at price 1; of the base in a quantity unit.
    quote_per_unit BIGINT   NOT NULL,
    base_per_unit  BIGINT   NOT NULL,
    -- InstrumentStatus.
    status         SMALLINT NOT NULL,
    -- All of it, its filters and fees too: the JSON of protocol's Instrument.
    definition     TEXT     NOT NULL,
    created_at     BIGINT   NOT NULL,
    updated_at     BIGINT   NOT NULL
);

-- Accounts that a command opened; fees (1), suspense (2) and the external ones are there from the start.
CREATE TABLE accounts (
    account     BIGINT   NOT NULL PRIMARY KEY,
    trade_group BIGINT   NOT NULL,
    fee_tier    SMALLINT NOT NULL,
    -- 1 while it is.
    suspended   SMALLINT NOT NULL,
    kill_switch SMALLINT NOT NULL,
    opened_at   BIGINT   NOT NULL,
    updated_at  BIGINT   NOT NULL
);

-- What each account has of each asset now; invariant: the sum over all accounts is zero per asset.
CREATE TABLE balances (
    account   BIGINT  NOT NULL,
    asset     INTEGER NOT NULL,
    available BIGINT  NOT NULL,
    held      BIGINT  NOT NULL,
    -- The command that last changed it, and when.
    sequence  BIGINT  NOT NULL,
    time      BIGINT  NOT NULL,
    PRIMARY KEY (account, asset)
);

CREATE TABLE orders (
    -- Grows with the time of acceptance.
    order_id              BIGINT   NOT NULL PRIMARY KEY,
    account               BIGINT   NOT NULL,
    instrument            INTEGER  NOT NULL,
    -- Side, OrderType, TimeInForce, SelfTradePrevention, QuantityKind.
    side                  SMALLINT NOT NULL,
    order_type            SMALLINT NOT NULL,
    time_in_force         SMALLINT NOT NULL,
    self_trade_prevention SMALLINT NOT NULL,
    quantity_kind         SMALLINT NOT NULL,
    -- 0 PENDING_NEW, 1 NEW, 2 PARTIALLY_FILLED, 3 FILLED, 4 CANCELED, 5 EXPIRED, 6 EXPIRED_IN_MATCH.
    status                SMALLINT NOT NULL,
    -- OrderPhase.
    phase                 SMALLINT NOT NULL,
    -- 1 while it is in the book.
    is_resting            SMALLINT NOT NULL,
    -- CloseReason; NULL unless it ended unfilled.
    close_reason          SMALLINT,
    -- Its limit, 0 where it has none; and the price that what it holds is reckoned at.
    price                 BIGINT   NOT NULL,
    hold_price            BIGINT   NOT NULL,
    -- What was asked: quantity units, or ledger units of the quote as quantity_kind says. An amend changes it.
    quantity              BIGINT   NOT NULL,
    executed              BIGINT   NOT NULL,
    -- Ledger units of the quote, before fees.
    quote_executed        BIGINT   NOT NULL,
    leaves                BIGINT   NOT NULL,
    -- What of leaves an iceberg keeps out of sight.
    hidden                BIGINT   NOT NULL,
    -- What self-trade prevention kept from trading.
    prevented             BIGINT   NOT NULL,
    created_at            BIGINT   NOT NULL,
    updated_at            BIGINT   NOT NULL,
    -- NULL while it waits.
    working_at            BIGINT,
    -- NULL: it does not expire by itself.
    expires_at            BIGINT,
    -- The commands that made it and that last changed it.
    sequence              BIGINT   NOT NULL,
    updated_sequence      BIGINT   NOT NULL,
    -- What its client called it; NULL: it is shown as rialto-<order_id>.
    client_order_id       TEXT,
    -- What only some orders have; NULL is none.
    list_id               BIGINT,
    stop_price            BIGINT,
    trailing_delta        BIGINT,
    trailing_since        BIGINT,
    trigger_price         BIGINT,
    visible_quantity      BIGINT,
    session               BIGINT,
    strategy_id           BIGINT,
    strategy_type         BIGINT,
    -- PegPrice.
    peg                   SMALLINT,
    peg_offset            SMALLINT,
    -- What self-trade prevention last did to it.
    prevented_match_id    BIGINT,
    prevented_order_id    BIGINT,
    prevented_quantity    BIGINT,
    prevented_price       BIGINT
);

-- An account's orders in an instrument, paged by id. By time: the first order_id of a time is found by
-- orders_by_time, because ids grow with time.
CREATE INDEX orders_by_account ON orders (account, instrument, order_id);
CREATE INDEX orders_by_time ON orders (created_at, order_id);
CREATE INDEX orders_by_client_order_id ON orders (account, client_order_id, order_id)
    WHERE client_order_id IS NOT NULL;
-- What a writer reads at its start.
CREATE INDEX orders_open ON orders (order_id) WHERE status <= 2;

CREATE TABLE order_lists (
    list_id         BIGINT   NOT NULL PRIMARY KEY,
    account         BIGINT   NOT NULL,
    instrument      INTEGER  NOT NULL,
    -- Contingency, OrderListStatus (2 is done).
    contingency     SMALLINT NOT NULL,
    status          SMALLINT NOT NULL,
    -- NULL: it is shown as rialto-list-<list_id>.
    client_order_id TEXT,
    -- In the order they were placed in.
    first_order     BIGINT   NOT NULL,
    second_order    BIGINT   NOT NULL,
    third_order     BIGINT,
    created_at      BIGINT   NOT NULL,
    updated_at      BIGINT   NOT NULL,
    sequence        BIGINT   NOT NULL
);

CREATE INDEX order_lists_by_account ON order_lists (account, list_id);
CREATE INDEX order_lists_by_client_order_id ON order_lists (account, client_order_id, list_id)
    WHERE client_order_id IS NOT NULL;
CREATE INDEX order_lists_open ON order_lists (list_id) WHERE status < 2;

-- Orders that became smaller.
CREATE TABLE amendments (
    order_id        BIGINT  NOT NULL,
    -- Twice the event's number in the engine's count of events: what clients page by.
    execution_id    BIGINT  NOT NULL,
    account         BIGINT  NOT NULL,
    instrument      INTEGER NOT NULL,
    -- NULL: rialto-<order_id>.
    name_before     TEXT,
    name_after      TEXT,
    quantity_before BIGINT  NOT NULL,
    quantity_after  BIGINT  NOT NULL,
    sequence        BIGINT  NOT NULL,
    event_index     INTEGER NOT NULL,
    time            BIGINT  NOT NULL,
    PRIMARY KEY (order_id, execution_id)
);

-- Matches that self-trade prevention stopped.
CREATE TABLE prevented_matches (
    prevented_match_id BIGINT   NOT NULL PRIMARY KEY,
    instrument         INTEGER  NOT NULL,
    taker_order_id     BIGINT   NOT NULL,
    taker_account      BIGINT   NOT NULL,
    taker_side         SMALLINT NOT NULL,
    maker_order_id     BIGINT   NOT NULL,
    maker_account      BIGINT   NOT NULL,
    -- SelfTradePrevention.
    mode               SMALLINT NOT NULL,
    price              BIGINT   NOT NULL,
    quantity           BIGINT   NOT NULL,
    -- Taken from the maker's order without a trade.
    maker_decrement    BIGINT   NOT NULL,
    sequence           BIGINT   NOT NULL,
    event_index        INTEGER  NOT NULL,
    time               BIGINT   NOT NULL
);

CREATE INDEX prevented_matches_by_taker ON prevented_matches (taker_account, instrument, prevented_match_id);
CREATE INDEX prevented_matches_by_maker ON prevented_matches (maker_account, instrument, prevented_match_id);

-- Candles with trades; those between are flat and made when read. A candle says its first and last trade,
-- so it is also the way from a time to a trade_id.
CREATE TABLE candles (
    instrument         INTEGER  NOT NULL,
    -- 0 1s, 1 1m, 2 3m, 3 5m, 4 15m, 5 30m, 6 1h, 7 2h, 8 4h, 9 6h, 10 8h, 11 12h, 12 1d, 13 3d, 14 1w, 15 1M.
    interval_number    SMALLINT NOT NULL,
    open_time          BIGINT   NOT NULL,
    -- When the next one opens.
    end_time           BIGINT   NOT NULL,
    open               BIGINT   NOT NULL,
    high               BIGINT   NOT NULL,
    low                BIGINT   NOT NULL,
    close              BIGINT   NOT NULL,
    -- Sums over a month may pass 64 bits: decimal digits. Quantity units, and ledger units of the quote.
    volume             TEXT     NOT NULL,
    quote_volume       TEXT     NOT NULL,
    taker_volume       TEXT     NOT NULL,
    taker_quote_volume TEXT     NOT NULL,
    trades             BIGINT   NOT NULL,
    first_trade        BIGINT   NOT NULL,
    last_trade         BIGINT   NOT NULL,
    PRIMARY KEY (instrument, interval_number, open_time)
);
