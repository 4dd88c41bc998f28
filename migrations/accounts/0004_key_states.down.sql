-- Back to keys that are HMAC or ED25519 and, once disabled, so for ever. It fails, and changes nothing,
-- while there is an RSA key or one with the scope KEYS: revoking them is not enough, they must go first.

CREATE TABLE api_keys_before (
    api_key       TEXT   NOT NULL PRIMARY KEY,
    account_id    BIGINT NOT NULL REFERENCES accounts (account_id),
    key_type      TEXT   NOT NULL CHECK (key_type IN ('HMAC', 'ED25519')),
    sealed_secret TEXT   CHECK ((key_type = 'HMAC') = (sealed_secret IS NOT NULL)),
    public_key    TEXT   CHECK ((key_type = 'ED25519') = (public_key IS NOT NULL)),
    scopes        BIGINT NOT NULL CHECK (scopes BETWEEN 0 AND 7),
    ip_allow_list TEXT   NOT NULL,
    label         TEXT   NOT NULL,
    enabled       BIGINT NOT NULL CHECK (enabled IN (0, 1)),
    created_at    BIGINT NOT NULL,
    last_used_at  BIGINT
);

INSERT INTO api_keys_before
SELECT api_key, account_id, key_type, sealed_secret, public_key, scopes, ip_allow_list, label, enabled,
       created_at, last_used_at
FROM api_keys;

DROP TABLE api_keys;
ALTER TABLE api_keys_before RENAME TO api_keys;
CREATE INDEX api_keys_by_account ON api_keys (account_id);

DROP TABLE spent_requests;
