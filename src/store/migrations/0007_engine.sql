-- The engine: the chained audit trail, the lease of the active process, versioned timers, failed tries, pruned journals.

-- A keyed hash over the row and the commitment of the row before it; the key stands in the data folder, not here.
ALTER TABLE audit ADD COLUMN commitment TEXT;

-- Who drives runs now. Shop `*` is the whole installation: one active process.
CREATE TABLE leases (
    shop_id TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    holder  TEXT   NOT NULL,
    until   BIGINT NOT NULL,
    PRIMARY KEY (shop_id, name)
);

-- Every time a run was given to begin at, the newest version counts. A moved timer that fires all the same finds that out.
CREATE TABLE timers (
    shop_id  TEXT    NOT NULL,
    run_id   TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    due_at   BIGINT  NOT NULL,
    cause    TEXT    NOT NULL,
    set_at   BIGINT  NOT NULL,
    ended    TEXT,
    ended_at BIGINT,
    PRIMARY KEY (shop_id, run_id, version)
);
ALTER TABLE runs ADD COLUMN timer INTEGER NOT NULL DEFAULT 0;
-- Tries of the present step that failed in a row.
ALTER TABLE runs ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;

-- What is left of a journal that was pruned: enough to say what it was.
CREATE TABLE pruned_journals (
    shop_id   TEXT    NOT NULL,
    run_id    TEXT    NOT NULL,
    entries   INTEGER NOT NULL,
    head      TEXT    NOT NULL,
    pruned_at BIGINT  NOT NULL,
    PRIMARY KEY (shop_id, run_id)
);
