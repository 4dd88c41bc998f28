-- Commands that a service has promised to the engine: written here first, sent until answered.

CREATE TABLE outbox (
    source       TEXT   NOT NULL,
    -- The source's own number: dense, from 1.
    number       BIGINT NOT NULL CHECK (number > 0),
    -- SHA-256 of the command's bytes, hexadecimal as they are.
    content_hash TEXT   NOT NULL,
    command      TEXT   NOT NULL,
    -- The engine's answer; NULL while there is none.
    outcome      TEXT,
    PRIMARY KEY (source, number)
);

CREATE INDEX outbox_unanswered ON outbox (source, number) WHERE outcome IS NULL;
