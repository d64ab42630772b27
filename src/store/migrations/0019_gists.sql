-- What texts from outside are about, in closed words: a customer's notes and tickets, and reviews that a model has read. The words
-- themselves stand in the event (or the catalogue) alone; `words` is their digest, by which a change is seen.
CREATE TABLE gists (
    shop_id     TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    source_id   TEXT   NOT NULL,
    customer_id TEXT,
    event_id    TEXT,
    words       TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    topics      TEXT   NOT NULL,
    tone        TEXT   NOT NULL,
    read_by     TEXT,
    tries       BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (shop_id, kind, source_id, words)
);
CREATE INDEX gists_by_customer ON gists (shop_id, customer_id, at);
CREATE INDEX gists_unread ON gists (shop_id, at) WHERE read_by IS NULL;
