-- The one database. The shop leads every primary key and unique index (tests/architecture/schema.rs reads this).
-- Times are microseconds since 1970 UTC; money is minor units; JSON columns hold versioned wire forms.
-- Portable subset: no SQLite-only types, functions or triggers, so that the same statements can run on PostgreSQL.

CREATE TABLE shops (
    shop_id        TEXT   NOT NULL PRIMARY KEY,
    name           TEXT   NOT NULL,
    active_release TEXT   NOT NULL,
    limits         TEXT   NOT NULL,
    created_at     BIGINT NOT NULL
);

-- A release: one content-hashed set of prompts, rules, policy and settings.
CREATE TABLE releases (
    shop_id    TEXT   NOT NULL,
    release    TEXT   NOT NULL,
    files      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (shop_id, release)
);

CREATE TABLE customers (
    shop_id      TEXT    NOT NULL,
    customer_id  TEXT    NOT NULL,
    email        TEXT,
    email_key    TEXT,
    first_name   TEXT,
    language     TEXT    NOT NULL,
    country      TEXT,
    time_zone    TEXT    NOT NULL,
    loyalty_tier TEXT,
    vip          INTEGER NOT NULL,
    created_at   BIGINT  NOT NULL,
    erased_at    BIGINT,
    PRIMARY KEY (shop_id, customer_id)
);
CREATE INDEX customers_by_email ON customers (shop_id, email_key);

-- Append only: the proof of who agreed to what, when, where and in which words. The newest row of a channel counts.
CREATE TABLE consents (
    shop_id     TEXT   NOT NULL,
    customer_id TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    state       TEXT   NOT NULL,
    source      TEXT   NOT NULL,
    wording     TEXT   NOT NULL,
    PRIMARY KEY (shop_id, customer_id, channel, at)
);

CREATE TABLE suppressions (
    shop_id     TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    destination TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (shop_id, channel, destination)
);

CREATE TABLE orders (
    shop_id        TEXT   NOT NULL,
    order_id       TEXT   NOT NULL,
    customer_id    TEXT   NOT NULL,
    cart_id        TEXT,
    placed_at      BIGINT NOT NULL,
    currency       TEXT   NOT NULL,
    total_minor    BIGINT NOT NULL,
    discount_minor BIGINT NOT NULL,
    cancelled_at   BIGINT,
    cancel_reason  TEXT,
    fulfilled_at   BIGINT,
    PRIMARY KEY (shop_id, order_id)
);
CREATE INDEX orders_by_customer ON orders (shop_id, customer_id, placed_at);

CREATE TABLE order_lines (
    shop_id     TEXT    NOT NULL,
    order_id    TEXT    NOT NULL,
    line_no     INTEGER NOT NULL,
    product_id  TEXT    NOT NULL,
    category    TEXT    NOT NULL,
    quantity    INTEGER NOT NULL,
    price_minor BIGINT  NOT NULL,
    returned    INTEGER NOT NULL,
    PRIMARY KEY (shop_id, order_id, line_no)
);

-- Browsing, searching, carts: first-party events only.
CREATE TABLE activity (
    shop_id     TEXT    NOT NULL,
    customer_id TEXT    NOT NULL,
    at          BIGINT  NOT NULL,
    seq         INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    product_id  TEXT,
    category    TEXT,
    dwell_s     INTEGER NOT NULL,
    PRIMARY KEY (shop_id, customer_id, at, seq)
);

CREATE TABLE tickets (
    shop_id     TEXT   NOT NULL,
    ticket_id   TEXT   NOT NULL,
    customer_id TEXT   NOT NULL,
    opened_at   BIGINT NOT NULL,
    closed_at   BIGINT,
    PRIMARY KEY (shop_id, ticket_id)
);
CREATE INDEX tickets_open ON tickets (shop_id, customer_id, closed_at);

-- Price and stock stand beside the product: they change often and the ledger compares them in its transaction.
CREATE TABLE products (
    shop_id     TEXT   NOT NULL,
    product_id  TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    currency    TEXT   NOT NULL,
    price_minor BIGINT NOT NULL,
    stock       BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (shop_id, product_id)
);

-- Inbound events, stored before anything is done about them.
CREATE TABLE inbox (
    shop_id      TEXT   NOT NULL,
    event_id     TEXT   NOT NULL,
    source       TEXT   NOT NULL,
    topic        TEXT   NOT NULL,
    body         BLOB   NOT NULL,
    triggered_at BIGINT NOT NULL,
    received_at  BIGINT NOT NULL,
    state        TEXT   NOT NULL,
    note         TEXT,
    PRIMARY KEY (shop_id, event_id)
);
CREATE INDEX inbox_by_state ON inbox (shop_id, state, triggered_at);

-- A run: one execution of a flow for one customer. Unique per occasion, so two triggers make one run.
CREATE TABLE runs (
    shop_id     TEXT    NOT NULL,
    run_id      TEXT    NOT NULL,
    flow        TEXT    NOT NULL,
    customer_id TEXT    NOT NULL,
    occasion    TEXT    NOT NULL,
    step        INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    wake_at     BIGINT,
    wait_for    TEXT,
    release     TEXT    NOT NULL,
    plan        TEXT    NOT NULL,
    outcome     TEXT,
    created_at  BIGINT  NOT NULL,
    updated_at  BIGINT  NOT NULL,
    PRIMARY KEY (shop_id, run_id)
);
CREATE UNIQUE INDEX runs_once ON runs (shop_id, flow, customer_id, occasion, step);
CREATE INDEX runs_due ON runs (shop_id, state, wake_at);
CREATE INDEX runs_by_customer ON runs (shop_id, customer_id, state);
CREATE INDEX runs_by_time ON runs (shop_id, created_at);

-- One row per performed step: what was asked (hash) and what happened. Append only.
CREATE TABLE journal (
    shop_id    TEXT    NOT NULL,
    run_id     TEXT    NOT NULL,
    seq        INTEGER NOT NULL,
    step       TEXT    NOT NULL,
    input_hash TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    at         BIGINT  NOT NULL,
    PRIMARY KEY (shop_id, run_id, seq)
);

-- One versioned machine state per park: what a newer binary migrates from.
CREATE TABLE parked_states (
    shop_id TEXT    NOT NULL,
    run_id  TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body    TEXT    NOT NULL,
    PRIMARY KEY (shop_id, run_id)
);

-- The run's own inbox: approvals, cancellations. Consumed when the journal row that answers them is written.
CREATE TABLE signals (
    shop_id  TEXT    NOT NULL,
    run_id   TEXT    NOT NULL,
    seq      INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    at       BIGINT  NOT NULL,
    consumed INTEGER NOT NULL,
    PRIMARY KEY (shop_id, run_id, seq)
);

CREATE TABLE approvals (
    shop_id     TEXT    NOT NULL,
    approval_id TEXT    NOT NULL,
    run_id      TEXT    NOT NULL,
    envelope    TEXT    NOT NULL,
    terms       TEXT    NOT NULL,
    draft       TEXT    NOT NULL,
    summary     TEXT    NOT NULL,
    reasons     TEXT    NOT NULL,
    authors     TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    created_at  BIGINT  NOT NULL,
    expires_at  BIGINT  NOT NULL,
    decided_by  TEXT,
    decided_at  BIGINT,
    reason      TEXT,
    used_by     TEXT,
    PRIMARY KEY (shop_id, approval_id)
);
-- One open question about one thing; once it is decided the same thing may be asked again.
CREATE UNIQUE INDEX approvals_once ON approvals (shop_id, run_id, envelope) WHERE state = 'pending';
CREATE INDEX approvals_by_state ON approvals (shop_id, state, expires_at);

-- The ledger. The primary key is what makes a second send of the same occasion impossible.
CREATE TABLE sends (
    shop_id      TEXT    NOT NULL,
    dedupe_key   TEXT    NOT NULL,
    run_id       TEXT    NOT NULL,
    customer_id  TEXT    NOT NULL,
    flow         TEXT    NOT NULL,
    occasion     TEXT    NOT NULL,
    step         INTEGER NOT NULL,
    channel      TEXT    NOT NULL,
    destination  TEXT    NOT NULL,
    release      TEXT    NOT NULL,
    approval_id  TEXT,
    request      TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    detail       TEXT,
    reserved_at  BIGINT  NOT NULL,
    attempted_at BIGINT,
    settled_at   BIGINT,
    PRIMARY KEY (shop_id, dedupe_key)
);
-- The same occasion stays the same when the person's address changes between a crash and the restart.
CREATE UNIQUE INDEX sends_once ON sends (shop_id, customer_id, channel, flow, occasion, step);
CREATE INDEX sends_by_destination ON sends (shop_id, destination, reserved_at);
CREATE INDEX sends_by_customer ON sends (shop_id, customer_id, reserved_at);
CREATE INDEX sends_by_state ON sends (shop_id, state);
CREATE INDEX sends_by_release ON sends (shop_id, flow, release);
CREATE INDEX sends_by_run ON sends (shop_id, run_id);

CREATE TABLE offers_granted (
    shop_id     TEXT   NOT NULL,
    code        TEXT   NOT NULL,
    customer_id TEXT   NOT NULL,
    run_id      TEXT   NOT NULL,
    step        TEXT   NOT NULL,
    granted_at  BIGINT NOT NULL,
    PRIMARY KEY (shop_id, code)
);
CREATE INDEX offers_by_step ON offers_granted (shop_id, step);
CREATE INDEX offers_by_customer ON offers_granted (shop_id, customer_id, granted_at);

-- A row is a switch that is on. Shop `*` is the whole installation.
CREATE TABLE kill_switches (
    shop_id TEXT   NOT NULL,
    scope   TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    set_by  TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (shop_id, scope)
);

CREATE TABLE audit (
    shop_id TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    at      BIGINT  NOT NULL,
    who     TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    PRIMARY KEY (shop_id, seq)
);
