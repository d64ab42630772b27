-- What content is checked against: prices as they were, and what offers have cost.

-- One row whenever a price changes: former prices are shown only where this proves them.
CREATE TABLE price_history (
    shop_id     TEXT   NOT NULL,
    product_id  TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    currency    TEXT   NOT NULL,
    price_minor BIGINT NOT NULL,
    PRIMARY KEY (shop_id, product_id, at)
);

-- What of a budget is spoken for. A row per budget and period, such as `month:2026-11`; raised and compared in one statement.
CREATE TABLE offer_budgets (
    shop_id     TEXT   NOT NULL,
    budget      TEXT   NOT NULL,
    spent_minor BIGINT NOT NULL,
    PRIMARY KEY (shop_id, budget)
);

-- The one offer of a run, with what it may cost.
CREATE TABLE offer_holds (
    shop_id     TEXT   NOT NULL,
    run_id      TEXT   NOT NULL,
    customer_id TEXT   NOT NULL,
    step        TEXT   NOT NULL,
    code        TEXT   NOT NULL,
    currency    TEXT   NOT NULL,
    cost_minor  BIGINT NOT NULL,
    held_at     BIGINT NOT NULL,
    PRIMARY KEY (shop_id, run_id)
);

-- Wishes beyond the ladder: a person decides.
CREATE TABLE offer_requests (
    shop_id     TEXT   NOT NULL,
    run_id      TEXT   NOT NULL,
    step        TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    asked_at    BIGINT NOT NULL,
    PRIMARY KEY (shop_id, run_id, step)
);
