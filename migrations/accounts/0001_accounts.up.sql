-- Accounts and the keys by which programs act for them.
-- Times are UTC nanoseconds since 1970; bytes are lowercase hexadecimal.

CREATE TABLE accounts (
    name           TEXT   NOT NULL PRIMARY KEY,
    -- The engine's id; NULL until the engine has answered the command of outbox_number.
    account_id     BIGINT UNIQUE CHECK (account_id > 0),
    -- The command that opens it in the engine: written with this row, sent after.
    outbox_number  BIGINT NOT NULL UNIQUE,
    created_at     BIGINT NOT NULL
);

CREATE TABLE api_keys (
    api_key       TEXT   NOT NULL PRIMARY KEY,
    account_id    BIGINT NOT NULL REFERENCES accounts (account_id),
    key_type      TEXT   NOT NULL CHECK (key_type IN ('HMAC', 'ED25519')),
    -- HMAC: the secret, encrypted under the master key and bound to this api_key.
    sealed_secret TEXT   CHECK ((key_type = 'HMAC') = (sealed_secret IS NOT NULL)),
    -- ED25519: the 32 bytes of the public key.
    public_key    TEXT   CHECK ((key_type = 'ED25519') = (public_key IS NOT NULL)),
    -- READ = 1, TRADE = 2, WITHDRAW = 4, added.
    scopes        BIGINT NOT NULL CHECK (scopes BETWEEN 0 AND 7),
    -- Addresses and networks with a comma between; empty: from anywhere.
    ip_allow_list TEXT   NOT NULL,
    label         TEXT   NOT NULL,
    enabled       BIGINT NOT NULL CHECK (enabled IN (0, 1)),
    created_at    BIGINT NOT NULL,
    -- Written from time to time, not on every request.
    last_used_at  BIGINT
);

CREATE INDEX api_keys_by_account ON api_keys (account_id);

-- A known text under the master key, so that a wrong one is told at the start, not at the first request.
CREATE TABLE master_key_check (
    id     BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed TEXT   NOT NULL
);
