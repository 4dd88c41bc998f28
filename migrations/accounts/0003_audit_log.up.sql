-- Who did what in administration. Each row's hash covers the row and the hash before it.

CREATE TABLE audit_log (
    -- Dense, from 1.
    id            BIGINT NOT NULL PRIMARY KEY CHECK (id > 0),
    -- UTC nanoseconds since 1970.
    time          BIGINT NOT NULL,
    actor         TEXT   NOT NULL,
    action        TEXT   NOT NULL,
    -- JSON.
    details       TEXT   NOT NULL,
    previous_hash TEXT   NOT NULL,
    hash          TEXT   NOT NULL
);
