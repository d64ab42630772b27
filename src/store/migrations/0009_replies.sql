-- Replies to text messages, each taken once. Neither the words nor the number are kept.
CREATE TABLE sms_replies (
    shop_id     TEXT   NOT NULL,
    reply_id    TEXT   NOT NULL,
    effect      TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (shop_id, reply_id)
);
