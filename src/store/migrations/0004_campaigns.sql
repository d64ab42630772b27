-- Text messages: where they go and where the person is. Beside the customer's other columns, filled by their own writes.
ALTER TABLE customers ADD COLUMN phone TEXT;
ALTER TABLE customers ADD COLUMN region TEXT;
CREATE INDEX customers_by_phone ON customers (shop_id, phone);

-- Short links of text messages: one row an address, the same for every reader.
CREATE TABLE short_links (
    shop_id    TEXT   NOT NULL,
    code       TEXT   NOT NULL,
    url        TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (shop_id, code)
);
