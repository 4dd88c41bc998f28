-- RSA keys, the scope KEYS, keys that are disabled for a while or revoked for ever, and signatures that
-- have been used. A CHECK cannot be changed in place everywhere: the table is made again.

CREATE TABLE api_keys_next (
    api_key       TEXT   NOT NULL PRIMARY KEY,
    account_id    BIGINT NOT NULL REFERENCES accounts (account_id),
    key_type      TEXT   NOT NULL CHECK (key_type IN ('HMAC', 'ED25519', 'RSA')),
    -- HMAC: the secret, encrypted under the master key and bound to this api_key.
    sealed_secret TEXT   CHECK ((key_type = 'HMAC') = (sealed_secret IS NOT NULL)),
    -- ED25519: the 32 bytes of the public key. RSA: the public key in PKCS#1's form.
    public_key    TEXT   CHECK ((key_type <> 'HMAC') = (public_key IS NOT NULL)),
    -- READ = 1, TRADE = 2, WITHDRAW = 4, KEYS = 8, added.
    scopes        BIGINT NOT NULL CHECK (scopes BETWEEN 0 AND 15),
    -- Addresses and networks with a comma between; empty: from anywhere.
    ip_allow_list TEXT   NOT NULL,
    label         TEXT   NOT NULL,
    enabled       BIGINT NOT NULL CHECK (enabled IN (0, 1)),
    -- A revoked key is never enabled again.
    revoked       BIGINT NOT NULL CHECK (revoked IN (0, 1) AND (revoked = 0 OR enabled = 0)),
    created_at    BIGINT NOT NULL,
    -- Written from time to time, not on every request.
    last_used_at  BIGINT
);

-- Until now a key was only ever disabled for ever.
INSERT INTO api_keys_next
SELECT api_key, account_id, key_type, sealed_secret, public_key, scopes, ip_allow_list, label, enabled,
       1 - enabled, created_at, last_used_at
FROM api_keys;

DROP TABLE api_keys;
ALTER TABLE api_keys_next RENAME TO api_keys;
CREATE INDEX api_keys_by_account ON api_keys (account_id);

-- Signed requests that changed something, kept for as long as their timestamp would be taken.
CREATE TABLE spent_requests (
    -- SHA-256 of the key's name and the signed bytes.
    fingerprint TEXT   NOT NULL PRIMARY KEY,
    expires_at  BIGINT NOT NULL
);

CREATE INDEX spent_requests_by_expiry ON spent_requests (expires_at);
