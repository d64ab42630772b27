-- Offers are held against the customer's own limit, and a code is one customer's alone: both are looked up in the holding
-- transaction.
CREATE INDEX offer_holds_by_customer ON offer_holds (shop_id, customer_id);
CREATE INDEX offer_holds_by_code ON offer_holds (shop_id, code);

-- A person's approval of what a flow sends when nobody decides in time, under one release. Its name follows from flow, release
-- and words, so that a change of any of them makes another one that nobody has approved.
CREATE TABLE controls (
    shop_id     TEXT   NOT NULL,
    control_id  TEXT   NOT NULL,
    flow        TEXT   NOT NULL,
    release     TEXT   NOT NULL,
    approved_by TEXT   NOT NULL,
    approved_at BIGINT NOT NULL,
    revoked_at  BIGINT,
    PRIMARY KEY (shop_id, control_id)
);

-- The control that a message is, where it went out in the place of one that nobody decided about.
ALTER TABLE approvals ADD COLUMN control_id TEXT;

-- When the words of a message that went out were let go by retention; the row itself stays.
ALTER TABLE sends ADD COLUMN emptied_at BIGINT;
