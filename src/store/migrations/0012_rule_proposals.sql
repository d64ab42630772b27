-- Rules that people's decisions suggested and a marketer did not want: they are not suggested again.
CREATE TABLE declined_rules (
    shop_id     TEXT   NOT NULL,
    rule        TEXT   NOT NULL,
    declined_by TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    declined_at BIGINT NOT NULL,
    PRIMARY KEY (shop_id, rule)
);
