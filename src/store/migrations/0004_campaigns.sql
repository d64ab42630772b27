-- Text messages: where they go and where the person is. Beside the customer's other columns, filled by their own writes.
ALTER TABLE customers ADD COLUMN phone TEXT;
ALTER TABLE customers ADD COLUMN region TEXT;
CREATE INDEX customers_by_phone ON customers (shop_id, phone);

-- Short links of text messages: one row an address, the same for every reader.
CREATE TABLE short_links (
    shop_id    TEXT   NOT NULL,
    code       TEXT   NOT NULL,
    url        TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (shop_id, code)
);

-- A campaign: a brief on its way to a frozen audience.
CREATE TABLE campaigns (
    shop_id     TEXT   NOT NULL,
    campaign_id TEXT   NOT NULL,
    title       TEXT   NOT NULL,
    brief       TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    frozen      TEXT   NOT NULL,
    release     TEXT   NOT NULL,
    owner       TEXT   NOT NULL,
    why         TEXT,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (shop_id, campaign_id)
);
CREATE INDEX campaigns_by_time ON campaigns (shop_id, created_at);

-- A message class: what its people have in common, and what was written for them.
CREATE TABLE campaign_classes (
    shop_id     TEXT   NOT NULL,
    campaign_id TEXT   NOT NULL,
    class_id    TEXT   NOT NULL,
    facts       TEXT   NOT NULL,
    people      BIGINT NOT NULL,
    copy        TEXT,
    PRIMARY KEY (shop_id, campaign_id, class_id)
);

-- The frozen audience, in the order of its digest. A person stands here once.
CREATE TABLE campaign_recipients (
    shop_id     TEXT   NOT NULL,
    campaign_id TEXT   NOT NULL,
    customer_id TEXT   NOT NULL,
    place       BIGINT NOT NULL,
    class_id    TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    offer       TEXT,
    destination TEXT   NOT NULL,
    due_at      BIGINT NOT NULL,
    until_at    BIGINT NOT NULL,
    state       TEXT   NOT NULL,
    detail      TEXT,
    subject     BIGINT,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (shop_id, campaign_id, customer_id)
);
CREATE INDEX campaign_recipients_due ON campaign_recipients (shop_id, campaign_id, state, due_at);
CREATE INDEX campaign_recipients_by_place ON campaign_recipients (shop_id, campaign_id, place);

-- One approval of a whole campaign. Used by the campaign, and by it alone.
CREATE TABLE campaign_approvals (
    shop_id     TEXT   NOT NULL,
    approval_id TEXT   NOT NULL,
    campaign_id TEXT   NOT NULL,
    envelope    TEXT   NOT NULL,
    terms       TEXT   NOT NULL,
    authors     TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    decided_by  TEXT,
    decided_at  BIGINT,
    reason      TEXT,
    used_by     TEXT,
    PRIMARY KEY (shop_id, approval_id)
);
CREATE UNIQUE INDEX campaign_approvals_once ON campaign_approvals (shop_id, campaign_id, envelope) WHERE state = 'pending';
CREATE INDEX campaign_approvals_by_state ON campaign_approvals (shop_id, state);
