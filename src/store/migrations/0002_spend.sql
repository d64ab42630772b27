-- What models may cost and have cost. An amount is reserved before a call and settled after it; a reservation that was never
-- settled (the process died) counts at its estimate, since the server may have charged for it.

CREATE TABLE spend (
    shop_id         TEXT    NOT NULL,
    run_id          TEXT    NOT NULL,
    call_no         INTEGER NOT NULL,
    flow            TEXT    NOT NULL,
    day             TEXT    NOT NULL,
    profile         TEXT    NOT NULL,
    reserved_micros BIGINT  NOT NULL,
    settled_micros  BIGINT,
    at              BIGINT  NOT NULL,
    PRIMARY KEY (shop_id, run_id, call_no)
);

-- Sums of the above by scope: `run/<run>`, `flow/<day>/<flow>`, `shop/<day>`, so that a reservation adds up nothing.
CREATE TABLE spend_totals (
    shop_id TEXT   NOT NULL,
    scope   TEXT   NOT NULL,
    micros  BIGINT NOT NULL,
    PRIMARY KEY (shop_id, scope)
);
