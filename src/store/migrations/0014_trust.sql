-- What people decided about messages of flows: one row a request that somebody approved, rejected or edited. Kept apart from
-- the requests, so that it stays when a person is erased.
CREATE TABLE trust_evidence (
    shop_id     TEXT    NOT NULL,
    approval_id TEXT    NOT NULL,
    flow        TEXT    NOT NULL,
    release     TEXT    NOT NULL,
    model       TEXT    NOT NULL,
    verdict     TEXT    NOT NULL,
    at          BIGINT  NOT NULL,
    PRIMARY KEY (shop_id, approval_id)
);
CREATE INDEX trust_evidence_by_flow ON trust_evidence (shop_id, flow, release, model, at);

-- How far a flow is trusted under one release and with one model. No row: every message is approved.
CREATE TABLE trust_levels (
    shop_id TEXT   NOT NULL,
    flow    TEXT   NOT NULL,
    release TEXT   NOT NULL,
    model   TEXT   NOT NULL,
    level   TEXT   NOT NULL,
    set_by  TEXT   NOT NULL,
    why     TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (shop_id, flow, release, model)
);
