-- Events whose details are fetched from the shop's API, and how that API is reached. The token is in a file or in the
-- environment, never here.
ALTER TABLE connections ADD COLUMN api_base TEXT;
ALTER TABLE connections ADD COLUMN api_token_env TEXT;
ALTER TABLE inbox ADD COLUMN fetch_at BIGINT;
ALTER TABLE inbox ADD COLUMN fetches BIGINT;
CREATE INDEX inbox_to_fetch ON inbox (shop_id, state, fetch_at);
