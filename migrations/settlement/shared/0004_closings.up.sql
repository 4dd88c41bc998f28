-- What every account had at the end of a day (UTC), and when the books were found to be the engine's.

CREATE TABLE closings (
    -- Days since 1970; the closing is at the midnight that ends it.
    day      BIGINT NOT NULL PRIMARY KEY,
    -- The last command before that midnight that moved money.
    sequence BIGINT NOT NULL,
    accounts BIGINT NOT NULL,
    -- The root of the proof of liabilities, 64 hexadecimal digits.
    root     TEXT   NOT NULL,
    made_at  BIGINT NOT NULL
);

CREATE TABLE closing_balances (
    day       BIGINT  NOT NULL,
    account   BIGINT  NOT NULL,
    asset     INTEGER NOT NULL,
    available BIGINT  NOT NULL,
    held      BIGINT  NOT NULL,
    PRIMARY KEY (day, account, asset)
);

CREATE TABLE reconciliations (
    made_at     BIGINT   NOT NULL,
    -- Up to which command, and that command's time.
    sequence    BIGINT   NOT NULL,
    time        BIGINT   NOT NULL,
    -- 1 when the engine's balances were compared too.
    with_engine SMALLINT NOT NULL,
    balances    BIGINT   NOT NULL,
    postings    BIGINT   NOT NULL,
    breaks      BIGINT   NOT NULL,
    -- In words; NULL when there was none.
    first_break TEXT,
    PRIMARY KEY (made_at, sequence)
);
