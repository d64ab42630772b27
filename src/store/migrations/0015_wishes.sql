-- What a person answered to a wish beyond the ladder. An answer grants nothing: offers come from the ladder alone.
ALTER TABLE offer_requests ADD COLUMN answer TEXT;
ALTER TABLE offer_requests ADD COLUMN answered_by TEXT;
ALTER TABLE offer_requests ADD COLUMN answered_at BIGINT;
ALTER TABLE offer_requests ADD COLUMN note TEXT;
