-- Trades and postings in a partition for each month (UTC): a month is dropped whole when it is past its
-- retention. The writer makes the partitions, ahead of time. A partitioned table's key holds its time.

CREATE TABLE trades (
    instrument      INTEGER  NOT NULL,
    -- Consecutive from 1 within the instrument, and so growing with time.
    trade_id        BIGINT   NOT NULL,
    time            BIGINT   NOT NULL,
    sequence        BIGINT   NOT NULL,
    event_index     INTEGER  NOT NULL,
    -- Side of the order that came.
    taker_side      SMALLINT NOT NULL,
    -- 1: of a call auction.
    auction         SMALLINT NOT NULL,
    -- Fills of one taker at one price share it.
    aggregate_id    BIGINT   NOT NULL,
    price           BIGINT   NOT NULL,
    quantity        BIGINT   NOT NULL,
    quote_quantity  BIGINT   NOT NULL,
    maker_order_id  BIGINT   NOT NULL,
    taker_order_id  BIGINT   NOT NULL,
    maker_account   BIGINT   NOT NULL,
    taker_account   BIGINT   NOT NULL,
    -- Ledger units of the asset received; negative is a rebate.
    maker_fee       BIGINT   NOT NULL,
    taker_fee       BIGINT   NOT NULL,
    maker_fee_asset INTEGER  NOT NULL,
    taker_fee_asset INTEGER  NOT NULL,
    PRIMARY KEY (instrument, trade_id, time)
) PARTITION BY RANGE (time);

-- An account's trades in an instrument, by id, on either side; an order's trades; aggregate trades.
CREATE INDEX trades_by_maker ON trades (maker_account, instrument, trade_id);
CREATE INDEX trades_by_taker ON trades (taker_account, instrument, trade_id);
CREATE INDEX trades_by_maker_order ON trades (maker_order_id);
CREATE INDEX trades_by_taker_order ON trades (taker_order_id);
CREATE INDEX trades_by_aggregate ON trades (instrument, aggregate_id);
-- Small, because sequences lie in the order they were written in.
CREATE INDEX trades_by_sequence ON trades USING brin (sequence) WITH (pages_per_range = 16, autosummarize = on);

-- Every change of a balance, as double entry: the legs of one event sum to zero for each asset. The key
-- begins with the account, so that one index serves a statement, a balance at any time, and uniqueness.
CREATE TABLE postings (
    account         BIGINT   NOT NULL,
    time            BIGINT   NOT NULL,
    sequence        BIGINT   NOT NULL,
    -- Change of what may be spent and of what is set aside, and what both are after it.
    available       BIGINT   NOT NULL,
    held            BIGINT   NOT NULL,
    available_after BIGINT   NOT NULL,
    held_after      BIGINT   NOT NULL,
    -- Which order, trade, hold or list the event was about, as reason says; 0 is none.
    subject         BIGINT   NOT NULL,
    asset           INTEGER  NOT NULL,
    event_index     INTEGER  NOT NULL,
    -- Of an order or a trade.
    instrument      INTEGER,
    -- Which of the event's changes, from 0.
    leg             SMALLINT NOT NULL,
    -- EventKind: 1 an order was accepted, 3 a trade, 4 an order closed, 7 a transfer, ...
    reason          SMALLINT NOT NULL,
    -- The sender's business key of a transfer or a hold: 32 hexadecimal digits.
    reference       TEXT,
    PRIMARY KEY (account, asset, time, sequence, event_index, leg)
) PARTITION BY RANGE (time);

CREATE INDEX postings_by_sequence ON postings USING brin (sequence) WITH (pages_per_range = 16, autosummarize = on);

-- Room in the page, so that a row that changes needs no new index entries.
ALTER TABLE orders SET (fillfactor = 80);
ALTER TABLE balances SET (fillfactor = 50);
ALTER TABLE candles SET (fillfactor = 80);
ALTER TABLE position SET (fillfactor = 10);
