-- What a hold took of which budget: a basket that became dearer in another month took of that month's as well. Given back when
-- what holds it ends and nothing was sent; the hold itself stays, since its code is nobody else's.
CREATE TABLE offer_charges (
    shop_id    TEXT   NOT NULL,
    run_id     TEXT   NOT NULL,
    budget     TEXT   NOT NULL,
    paid_minor BIGINT NOT NULL,
    PRIMARY KEY (shop_id, run_id, budget)
);
ALTER TABLE offer_holds ADD COLUMN given_back_at BIGINT;
