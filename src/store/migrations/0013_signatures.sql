-- Signatures of an approval's sections, of messages and of campaigns. A request is approved in the transaction in which the
-- last one comes that the policy asks for; until then they count for nothing.
CREATE TABLE approval_signatures (
    shop_id     TEXT   NOT NULL,
    approval_id TEXT   NOT NULL,
    section     TEXT   NOT NULL,
    signer      TEXT   NOT NULL,
    standing    TEXT   NOT NULL,
    seen        TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (shop_id, approval_id, section, signer)
);

-- When somebody noted that nobody had decided in time: once for each request.
ALTER TABLE approvals ADD COLUMN escalated_at BIGINT;
ALTER TABLE campaign_approvals ADD COLUMN escalated_at BIGINT;

-- A shop of one person: an admin lets authors approve their own work, and the approval says that it was given so.
ALTER TABLE shops ADD COLUMN solo INTEGER NOT NULL DEFAULT 0;
ALTER TABLE approvals ADD COLUMN own_work INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaign_approvals ADD COLUMN own_work INTEGER NOT NULL DEFAULT 0;
