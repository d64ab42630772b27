-- An occasion whose run ended without a message, for a cause that has passed, may be taken up once more: another run of the
-- same occasion, counted from 1. That an occasion has one message is held by the ledger (sends_once), not by this index.
ALTER TABLE runs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
DROP INDEX runs_once;
CREATE UNIQUE INDEX runs_once ON runs (shop_id, flow, customer_id, occasion, step, attempt);
