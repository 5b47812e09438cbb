-- The log of several machines. Column for column it is what log.sqlite holds: the same bytes give the same hashes.
-- Keys are sequential, and nothing else is indexed: a key in random order would cost a third of the rate.

CREATE TABLE log (
  seq            bigint PRIMARY KEY,   -- 1, 2, 3 … without a gap
  at             text NOT NULL,        -- when it was appended, by the server's clock, UTC
  kind           text NOT NULL,
  content        text NOT NULL,        -- JSON as it was written; no JSON type, which would write it in another way
  payload_sha256 text,
  chain_hash     text NOT NULL
);

CREATE TABLE payloads (
  seq    bigint PRIMARY KEY,
  sealed bytea NOT NULL                -- sealed before PostgreSQL sees a byte
);
ALTER TABLE payloads ALTER COLUMN sealed SET STORAGE EXTERNAL;

-- The end of the chain; who appends locks this row first.
CREATE TABLE head (
  one          integer PRIMARY KEY CHECK (one = 1),
  seq          bigint NOT NULL,
  hash         text NOT NULL,
  at           text NOT NULL,
  fold_version integer NOT NULL        -- how the newest program folds the log; older ones append nothing
) WITH (fillfactor = 10);

-- Who leads, until when; each lead has a number of its own.
CREATE TABLE lease (
  name    text PRIMARY KEY,
  holder  text NOT NULL,
  epoch   bigint NOT NULL,
  expires timestamptz NOT NULL
) WITH (fillfactor = 10);

-- The machines, as they last showed themselves.
CREATE TABLE nodes (
  name    text PRIMARY KEY,
  seq     bigint NOT NULL,             -- how far its replica has come
  hash    text NOT NULL,
  version text NOT NULL,
  seen    timestamptz NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE meta (
  one             integer PRIMARY KEY CHECK (one = 1),
  log_id          text NOT NULL,
  format          integer NOT NULL,
  key_fingerprint text                 -- of the payload key, which is the same on every machine
);

CREATE FUNCTION log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the log is append-only';
END $$;
CREATE TRIGGER log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log
  FOR EACH STATEMENT EXECUTE FUNCTION log_is_append_only();

CREATE FUNCTION log_has_no_gap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT min(seq) <> (SELECT seq FROM head) + 1 OR max(seq) - min(seq) + 1 <> count(*) FROM added) THEN
    RAISE EXCEPTION 'the log has no gap';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER log_has_no_gap AFTER INSERT ON log REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION log_has_no_gap();

CREATE FUNCTION payloads_are_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'payloads are written once';
END $$;
CREATE TRIGGER payloads_are_written_once BEFORE UPDATE OR TRUNCATE ON payloads
  FOR EACH STATEMENT EXECUTE FUNCTION payloads_are_written_once();

CREATE FUNCTION head_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'the end of the log stays';
  END IF;
  IF NEW.seq < OLD.seq OR NEW.fold_version < OLD.fold_version THEN
    RAISE EXCEPTION 'the end of the log does not go back';
  END IF;
  IF (NEW.seq, NEW.hash, NEW.at) IS DISTINCT FROM (OLD.seq, OLD.hash, OLD.at)
     AND NOT EXISTS (SELECT 1 FROM log WHERE seq = NEW.seq AND chain_hash = NEW.hash AND at = NEW.at) THEN
    RAISE EXCEPTION 'the end of the log is one of its entries';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER head_goes_forward BEFORE UPDATE OR DELETE ON head
  FOR EACH ROW EXECUTE FUNCTION head_goes_forward();
CREATE TRIGGER head_stays BEFORE TRUNCATE ON head
  FOR EACH STATEMENT EXECUTE FUNCTION log_is_append_only();

INSERT INTO head VALUES (1, 0, repeat('0', 64), '1970-01-01T00:00:00.000Z', 0);
INSERT INTO lease VALUES ('leader', '', 0, '-infinity');
