-- Keys under which payloads about a person are sealed: one a subject (a customer, or the stand-in name of a conversation or a
-- message class), wrapped under `master.key` of the data folder. Erasing a person deletes their row. The row of shop `*` opens
-- under the right master key only: that is how another one is recognised.
CREATE TABLE sealing_keys (
    shop_id TEXT NOT NULL,
    key_id  TEXT NOT NULL,
    subject TEXT NOT NULL,
    wrapped TEXT NOT NULL,
    PRIMARY KEY (shop_id, key_id)
);
CREATE UNIQUE INDEX sealing_keys_by_subject ON sealing_keys (shop_id, subject);
