-- Webhooks over HTTP: who may send them, what came, who was erased; tokens of the API; links in mails.

-- A digest of the body: the same event may come twice, another body under the same id may not.
ALTER TABLE inbox ADD COLUMN body_hash TEXT;
-- Whom the event is about, once it was worked in: what an erasure empties.
ALTER TABLE inbox ADD COLUMN customer_id TEXT;
CREATE INDEX inbox_by_body ON inbox (shop_id, topic, body_hash);
CREATE INDEX inbox_by_customer ON inbox (shop_id, customer_id);

-- A shop system that may send webhooks. The secret is in a file of the data folder or in the environment, never here.
CREATE TABLE connections (
    shop_id       TEXT   NOT NULL,
    connection_id TEXT   NOT NULL,
    source        TEXT   NOT NULL,
    domain        TEXT   NOT NULL,
    secret_env    TEXT,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (shop_id, connection_id)
);

-- Tokens of the API, as digests of 256 random bits.
CREATE TABLE api_tokens (
    shop_id    TEXT   NOT NULL,
    token_id   TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (shop_id, token_id)
);
CREATE INDEX api_tokens_by_hash ON api_tokens (hash);

-- Digests of ids and addresses that were erased: what comes back under them is not taken in.
CREATE TABLE erasures (
    shop_id TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (shop_id, subject)
);

-- Unsubscribe links that are in mails.
CREATE TABLE unsubscribe_links (
    shop_id     TEXT NOT NULL,
    token       TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    PRIMARY KEY (shop_id, token)
);

-- When the tables came out of a backup: what began before may have gone out already, whatever the ledger says.
CREATE TABLE restores (
    shop_id  TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    taken_at BIGINT NOT NULL,
    PRIMARY KEY (shop_id, at)
);
