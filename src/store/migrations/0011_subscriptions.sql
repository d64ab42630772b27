-- Whose a subscription is, by the platform's id of it: when it is deleted, some platforms tell nothing else.
CREATE TABLE subscriptions (
    shop_id         TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    customer_id     TEXT NOT NULL,
    PRIMARY KEY (shop_id, subscription_id)
);
CREATE INDEX subscriptions_by_customer ON subscriptions (shop_id, customer_id);
