-- The log of cvco-reconciled: what happened, in order. Append-only and hash-chained.
-- Keys are sequential and no index has a row for each entry: a key in random order would cost a third of the rate.

CREATE TABLE log (
  seq            INTEGER PRIMARY KEY,  -- 1, 2, 3 … without a gap
  at             TEXT NOT NULL,        -- when it was appended, UTC; never before the entry above, but for kind 'clock'
  kind           TEXT NOT NULL,        -- notification, hint, answer, order, act, close, time …
  content        TEXT NOT NULL,        -- what it says: JSON of allow-listed fields
  payload_sha256 TEXT,                 -- of the raw bytes that it was read from
  chain_hash     TEXT NOT NULL         -- SHA-256 over the chain_hash above and all columns of this row
) STRICT;

-- From one of these to the next, dates never go back.
CREATE INDEX clock_corrections ON log (seq) WHERE kind = 'clock';

CREATE TRIGGER log_is_append_only_update BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_is_append_only_delete BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- INSERT OR REPLACE would delete without asking the trigger above.
CREATE TRIGGER log_has_no_gap BEFORE INSERT ON log
WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM log)
BEGIN SELECT RAISE(ABORT, 'the log is append-only and has no gap'); END;

CREATE TABLE payloads (
  seq    INTEGER PRIMARY KEY REFERENCES log (seq),
  sealed BLOB NOT NULL                 -- the request, AES-256-GCM under the payload key, bound to payload_sha256
) STRICT;

CREATE TRIGGER payloads_are_written_once BEFORE UPDATE ON payloads
BEGIN SELECT RAISE(ABORT, 'payloads are written once'); END;

-- What is known of the log as a whole; one row.
CREATE TABLE meta (
  one             INTEGER PRIMARY KEY CHECK (one = 1),
  log_id          TEXT NOT NULL,       -- tells this log from any other
  key_fingerprint TEXT,                -- of the payload key
  alive_at        TEXT                 -- when the daemon last showed that it can write here
) STRICT;
