-- Briefs of campaigns. The conversation itself is a run with its journal; these rows are what is listed and written from.
CREATE TABLE briefs (
    shop_id    TEXT   NOT NULL,
    brief_id   TEXT   NOT NULL,
    owner      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (shop_id, brief_id)
);
CREATE INDEX briefs_by_time ON briefs (shop_id, created_at);

-- Every version a brief ever had, with the one that undoing it goes back to.
CREATE TABLE brief_versions (
    shop_id  TEXT   NOT NULL,
    brief_id TEXT   NOT NULL,
    version  BIGINT NOT NULL,
    parent   BIGINT NOT NULL,
    turn     BIGINT NOT NULL,
    made_by  TEXT   NOT NULL,
    digest   TEXT   NOT NULL,
    body     TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (shop_id, brief_id, version)
);
