-- The ledger of cvco-reconciled: what the log amounts to, in one SQLite file beside it.
--
-- Everything here is made from the log, entry by entry, and `rebuild` makes it again at any time; but for the tables
-- "beside the fold", which can be forgotten.
--
-- progress       how far the log was folded, and under which settings
-- notifications  what became of each call
-- orders …       orders, the facts about them, and what these come to
-- statements …   what ANCV and the bank paid out, and which order each line is about
-- entries …      what was booked when a period was closed; never changed
-- owed, mails    e-mails that are owed, and those that left
-- relays         notifications that go on to the shop's own handlers
-- acct_*         the views for accountants. Stable: columns are only ever added.
--
-- Amounts are integer cents. Times are UTC, RFC 3339, always of the same width. `seq` is an entry's number in the log.
-- "order" in the sense of an accountant is table `orders`; a payment without an order reference is an order
-- of its own there, with its PSP and call number in place of a reference.

-- ───────────────────────────── the fold ─────────────────────────────

CREATE TABLE progress (
  one        INTEGER PRIMARY KEY CHECK (one = 1),
  log_id     TEXT NOT NULL,            -- which log this is a fold of
  program    TEXT NOT NULL,            -- version of the program that folded it
  seq        INTEGER NOT NULL,         -- last entry that was folded
  chain_hash TEXT NOT NULL,            -- its link of the chain
  at         TEXT NOT NULL,            -- its date
  policy     TEXT NOT NULL,            -- the settings in force: JSON
  held_since TEXT,                     -- after a pause: rules of time see this instant …
  held_until TEXT,                     -- … until this one, so that calls that wait are heard first
  news_seq   INTEGER NOT NULL,         -- the last entry that says more than that time went by or that a mail left
  news_at    TEXT NOT NULL             -- its date
) STRICT;

-- What became of each notification, hint and unread message.
CREATE TABLE notifications (
  seq            INTEGER PRIMARY KEY,
  received_at    TEXT NOT NULL,
  endpoint       TEXT NOT NULL,
  psp            TEXT NOT NULL,
  origin         TEXT NOT NULL,        -- call, mail, log, shop
  verdict        TEXT NOT NULL,        -- genuine, duplicate, ignored, hint, unread
  events         INTEGER NOT NULL,     -- how many facts it states
  remark         TEXT,
  payload_sha256 TEXT,
  chain_hash     TEXT NOT NULL
) STRICT;

-- Entries that could not be folded, or that are genuine and were not understood.
CREATE TABLE set_aside (
  seq      INTEGER PRIMARY KEY,
  at       TEXT NOT NULL,
  kind     TEXT NOT NULL,
  endpoint TEXT,
  reason   TEXT NOT NULL               -- in English
) STRICT;

-- What people asked for and the rules do not allow: it stands in the log, and changes nothing.
CREATE TABLE refused (
  seq    INTEGER PRIMARY KEY,
  reason TEXT NOT NULL                 -- in English
) STRICT;

CREATE TABLE orders (
  order_id      INTEGER PRIMARY KEY,
  shop          TEXT NOT NULL,
  reference     TEXT,                  -- NULL for a payment without one
  ancv_prefix   TEXT,                  -- its first 20 characters: all that ANCV keeps
  psp           TEXT,                  -- only where reference is NULL
  call_number   TEXT,                  -- only where reference is NULL
  state         TEXT NOT NULL,         -- unpaid, part_paid, or what its payments come to together
  gap_cents     INTEGER,               -- of a registered one: what was paid minus what is expected
  next_check_at TEXT,                  -- when time alone may change its assessment
  awaited_since TEXT                   -- when it was registered, as long as no payment of it is known
) STRICT;
CREATE INDEX orders_awaited ON orders (awaited_since) WHERE awaited_since IS NOT NULL;
CREATE UNIQUE INDEX orders_by_reference ON orders (shop, reference) WHERE reference IS NOT NULL;
CREATE UNIQUE INDEX orders_by_call ON orders (shop, psp, call_number) WHERE reference IS NULL;
CREATE INDEX orders_by_prefix ON orders (shop, ancv_prefix) WHERE reference IS NOT NULL;
CREATE INDEX orders_lacking ON orders (order_id) WHERE state IN ('part_paid', 'unbalanced');
CREATE INDEX orders_to_check ON orders (next_check_at) WHERE next_check_at IS NOT NULL;

CREATE TABLE order_versions (
  order_id      INTEGER NOT NULL REFERENCES orders (order_id),
  version       INTEGER NOT NULL,      -- 1, 2, 3 …
  seq           INTEGER NOT NULL,
  total_cents   INTEGER NOT NULL,
  currency      TEXT NOT NULL,
  due           TEXT,
  instalments   TEXT,                  -- JSON: [{"cents", "due"}], together the total; NULL: paid at once
  registered_at TEXT NOT NULL,
  PRIMARY KEY (order_id, version)
) STRICT, WITHOUT ROWID;

-- What is known of an order: one row for each event that brought news, as the ledger's own copy.
CREATE TABLE facts (
  order_id       INTEGER NOT NULL REFERENCES orders (order_id),
  seq            INTEGER NOT NULL,
  position       INTEGER NOT NULL,     -- which of the entry's events
  received_at    TEXT NOT NULL,
  source         TEXT NOT NULL,        -- notification, confirmation
  psp            TEXT NOT NULL,
  endpoint       TEXT NOT NULL,
  endpoint_mode  TEXT NOT NULL,
  has_reference  INTEGER NOT NULL,     -- 1: the event names the order by its reference
  call_number    TEXT NOT NULL,
  tender_id      TEXT,
  instrument     TEXT NOT NULL,
  brand          TEXT NOT NULL,
  operation      TEXT NOT NULL,        -- debit, credit, chargeback
  refunds        TEXT,                 -- the transaction that a credit gives back, where the PSP names it
  amount_cents   INTEGER NOT NULL,
  amount_from    TEXT NOT NULL,
  running_total_cents INTEGER,
  currency       TEXT NOT NULL,
  state          TEXT NOT NULL,
  status         TEXT NOT NULL,        -- the PSP's own word or number
  status_reading TEXT NOT NULL,
  authorisation  TEXT,                 -- NULL: not stated; empty: the tender has none
  contract       TEXT,
  mode           TEXT,
  complement     INTEGER NOT NULL,
  order_total_cents INTEGER,
  itemised       INTEGER NOT NULL,
  parts_announced INTEGER,
  occurred_at    TEXT,                 -- when the state came about, by the PSP's clock
  accepted_at    TEXT,                 -- when the tender was accepted, where a message about a later state tells it
  revised        INTEGER NOT NULL,     -- 1: the merchant changed the amount at the PSP
  PRIMARY KEY (order_id, seq, position)
) STRICT, WITHOUT ROWID;

-- Payments that are told of under several references: each claims it, and it counts for one of them.
CREATE TABLE claims (
  psp      TEXT NOT NULL,
  payment  TEXT NOT NULL,              -- the PSP's number of it
  order_id INTEGER NOT NULL REFERENCES orders (order_id),
  PRIMARY KEY (psp, payment, order_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_by_order ON claims (order_id);

CREATE TABLE records (
  order_id       INTEGER NOT NULL REFERENCES orders (order_id),
  psp            TEXT NOT NULL,
  call_number    TEXT NOT NULL,
  endpoint       TEXT NOT NULL,
  mode           TEXT NOT NULL,
  currency       TEXT NOT NULL,
  expected_cents INTEGER,
  expected_from  TEXT,
  voucher_cents  INTEGER NOT NULL,
  card_cents     INTEGER NOT NULL,
  paid_cents     INTEGER NOT NULL,
  refunded_cents INTEGER NOT NULL,
  taken_back_cents INTEGER NOT NULL,   -- of that by banks (chargebacks)
  refunding_cents INTEGER NOT NULL DEFAULT 0,  -- asked for, not made yet
  counts         INTEGER NOT NULL,     -- 0: a trial beside real money, or at an endpoint for real money
  state          TEXT NOT NULL,
  first_seen_at  TEXT NOT NULL,
  authorised_at  TEXT,
  captured_at    TEXT,
  settled_at     TEXT,
  PRIMARY KEY (order_id, psp, call_number)
) STRICT, WITHOUT ROWID;
CREATE INDEX records_by_state ON records (state, first_seen_at);
CREATE INDEX records_by_call ON records (call_number);
CREATE INDEX records_by_time ON records (first_seen_at);
-- Months first: what is entered today lies close together, however many years there are.
CREATE INDEX records_by_amount ON records (substr(first_seen_at, 1, 7), paid_cents, first_seen_at DESC);

CREATE TABLE tenders (
  order_id       INTEGER NOT NULL,
  psp            TEXT NOT NULL,
  call_number    TEXT NOT NULL,
  position       INTEGER NOT NULL,     -- vouchers first
  tender_id      TEXT,                 -- the PSP's transaction; NULL for an attempt that never became one
  instrument     TEXT NOT NULL,
  brand          TEXT NOT NULL,
  issuer         TEXT NOT NULL,        -- who owes it: ancv, bank, or the name of another
  amount_cents   INTEGER NOT NULL,
  currency       TEXT NOT NULL,
  refunded_cents INTEGER NOT NULL,
  taken_back_cents INTEGER NOT NULL,   -- of that by the card's bank (a chargeback)
  state          TEXT NOT NULL,
  authorisation  TEXT,
  contract       TEXT,
  endpoint       TEXT NOT NULL,
  complement     INTEGER NOT NULL,     -- 1 for a card part that exists only beside a voucher
  first_seen_at  TEXT NOT NULL,
  authorised_at  TEXT,
  captured_at    TEXT,
  refunded_at    TEXT,
  received_on    TEXT,                 -- the accounting day (Paris) on which it counts; NULL: not in the books
  settled_cents  INTEGER NOT NULL DEFAULT 0,  -- what statements pay out of it
  settled_on     TEXT,                 -- when the last of that was paid out, whatever was taken back since
  PRIMARY KEY (order_id, psp, call_number, position),
  FOREIGN KEY (order_id, psp, call_number) REFERENCES records (order_id, psp, call_number)
) STRICT, WITHOUT ROWID;
CREATE INDEX tenders_by_transaction ON tenders (tender_id);
CREATE INDEX tenders_by_amount ON tenders (substr(first_seen_at, 1, 7), amount_cents, first_seen_at DESC);
CREATE INDEX tenders_by_day ON tenders (received_on) WHERE received_on IS NOT NULL;

-- What was given back or cancelled, by accounting day.
CREATE TABLE returns (
  order_id     INTEGER NOT NULL,
  psp          TEXT NOT NULL,
  call_number  TEXT NOT NULL,
  position     INTEGER NOT NULL,       -- of the tender
  number       INTEGER NOT NULL,       -- 1, 2, 3 …
  returned_on  TEXT NOT NULL,
  cause        TEXT NOT NULL,          -- refund, chargeback, cancellation
  amount_cents INTEGER NOT NULL,
  PRIMARY KEY (order_id, psp, call_number, position, number),
  FOREIGN KEY (order_id, psp, call_number, position) REFERENCES tenders (order_id, psp, call_number, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX returns_by_day ON returns (returned_on);

CREATE TABLE discrepancies (
  id             INTEGER PRIMARY KEY,
  kind           TEXT NOT NULL,
  severity       TEXT NOT NULL,
  shop           TEXT,                 -- NULL: it concerns the daemon as a whole
  endpoint       TEXT,                 -- of a discrepancy of an endpoint
  order_id       INTEGER REFERENCES orders (order_id),  -- of a discrepancy of an order
  psp            TEXT,
  call_number    TEXT,                 -- of a discrepancy of one record
  subject        TEXT NOT NULL,        -- tells two of one kind on one record apart
  former_subject TEXT,                 -- what it was before its part went by another name
  expected_cents INTEGER,
  actual_cents   INTEGER,
  opened_expected_cents INTEGER,       -- the two figures as they were when it opened
  opened_actual_cents   INTEGER,
  detail_json    TEXT NOT NULL,        -- the particulars as data
  detail         TEXT NOT NULL,        -- the same in a short line
  opened_at      TEXT NOT NULL,
  closed_at      TEXT,
  acked_at       TEXT,
  acked_by       TEXT,
  acked_note     TEXT,
  snoozed_until  TEXT,                 -- when a person wants to be reminded of it; NULL once it has closed
  reminded_for   TEXT,                 -- snooze_over, figures_changed, graver: why people were last reminded of it
  closes_at      TEXT,                 -- when it closes by itself, if time alone closes it
  escalate_at    TEXT,                 -- when others are told of it, unless a person has seen it by then
  escalated_at   TEXT                  -- when they were
) STRICT;
CREATE INDEX discrepancies_open_by_order ON discrepancies (order_id) WHERE closed_at IS NULL AND order_id IS NOT NULL;
CREATE INDEX discrepancies_open_by_endpoint ON discrepancies (endpoint) WHERE closed_at IS NULL AND order_id IS NULL;
CREATE INDEX discrepancies_open ON discrepancies (severity) WHERE closed_at IS NULL;
CREATE INDEX discrepancies_open_by_kind ON discrepancies (kind) WHERE closed_at IS NULL;
CREATE INDEX discrepancies_by_order ON discrepancies (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX discrepancies_to_remind_of ON discrepancies (snoozed_until) WHERE snoozed_until IS NOT NULL;
CREATE INDEX discrepancies_to_escalate ON discrepancies (escalate_at) WHERE escalate_at IS NOT NULL AND escalated_at IS NULL;
CREATE INDEX discrepancies_unseen ON discrepancies (id) WHERE severity = 'urgent' AND closed_at IS NULL
  AND acked_at IS NULL AND snoozed_until IS NULL AND escalate_at IS NULL AND escalated_at IS NULL;
CREATE INDEX discrepancies_to_close ON discrepancies (closes_at) WHERE closes_at IS NOT NULL AND closed_at IS NULL;

-- What people did about discrepancies.
CREATE TABLE acts (
  seq            INTEGER PRIMARY KEY,
  at             TEXT NOT NULL,
  discrepancy_id INTEGER REFERENCES discrepancies (id),  -- NULL: the rules of today never raised it
  act            TEXT NOT NULL,        -- acknowledged, noted, snoozed, withdrawn
  by             TEXT NOT NULL,        -- name of the system account
  note           TEXT,
  until          TEXT                  -- of a snooze
) STRICT;
CREATE INDEX acts_by_discrepancy ON acts (discrepancy_id);

-- What a PSP's own API is asked about. Two with the same topic and subject at one endpoint are one.
CREATE TABLE questions (
  endpoint    TEXT NOT NULL,
  topic       TEXT NOT NULL,           -- session, transaction, payment, order, window
  subject     TEXT NOT NULL,
  shop        TEXT NOT NULL,
  psp         TEXT NOT NULL,
  order_id    INTEGER REFERENCES orders (order_id),  -- as soon as it is known
  asked_at    TEXT NOT NULL,           -- when it was last raised, or from when on it may be asked; an answer sought before that is not the last word
  state       TEXT NOT NULL,           -- open, unsettled, settled, unknown, given_up, withdrawn
  answered_at TEXT,
  settled_at  TEXT,                    -- the last answer that left nothing open, whatever was asked since
  overdue_at  TEXT,                    -- when a person is told that the answer is missing
  overdue     INTEGER NOT NULL,        -- 1: that time is over
  vouched     INTEGER NOT NULL,        -- 1: not only a call that nobody signed gave the reason to ask
  PRIMARY KEY (endpoint, topic, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX questions_by_order ON questions (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX questions_pending ON questions (endpoint, asked_at) WHERE state IN ('open', 'unsettled');
CREATE INDEX questions_to_look_at ON questions (overdue_at) WHERE overdue_at IS NOT NULL;
CREATE INDEX questions_overdue ON questions (endpoint, asked_at, topic, subject, state, order_id) WHERE overdue = 1;

-- When each endpoint was heard: its habit, against which its silence is measured.
CREATE TABLE endpoints (
  endpoint       TEXT PRIMARY KEY,
  shop           TEXT NOT NULL,
  psp            TEXT NOT NULL,
  first_heard_at TEXT NOT NULL,
  heard_at       TEXT NOT NULL,        -- the last time
  look_at        TEXT                  -- when its silence may be too long; NULL: it is, and a person was told
) STRICT, WITHOUT ROWID;
CREATE INDEX endpoints_to_look_at ON endpoints (look_at) WHERE look_at IS NOT NULL;

CREATE TABLE heard_hours (
  endpoint TEXT NOT NULL REFERENCES endpoints (endpoint),
  hour     INTEGER NOT NULL,           -- since 1970, UTC
  calls    INTEGER NOT NULL,
  PRIMARY KEY (endpoint, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE statements (
  statement_id     INTEGER PRIMARY KEY,
  shop             TEXT NOT NULL,
  issuer           TEXT NOT NULL,      -- ancv, bank, or the name of another
  number           TEXT NOT NULL,
  paid_on          TEXT NOT NULL,
  commission_cents INTEGER,            -- where it is stated of the whole only
  file_sha256      TEXT NOT NULL,      -- of the file that brought it first
  imported_by      TEXT NOT NULL,      -- the account of whoever brought that file
  UNIQUE (shop, issuer, number)
) STRICT;
CREATE INDEX statements_by_day ON statements (paid_on);

CREATE TABLE statement_lines (
  statement_id     INTEGER NOT NULL REFERENCES statements (statement_id),
  position         INTEGER NOT NULL,   -- 1, 2, 3 … as they were imported
  seq              INTEGER NOT NULL,
  shop             TEXT NOT NULL,
  issuer           TEXT NOT NULL,
  paid_on          TEXT NOT NULL,
  transaction_id   TEXT,
  reference        TEXT,
  ancv_prefix      TEXT,               -- its first 20 characters
  authorisation    TEXT,
  contract         TEXT,
  dated            TEXT,
  amount_cents     INTEGER NOT NULL,
  stated_commission_cents INTEGER,     -- NULL: the line does not say
  commission_cents INTEGER NOT NULL,   -- its share of what the issuer kept
  order_id         INTEGER REFERENCES orders (order_id),  -- NULL: not known
  matched_by       TEXT,               -- transaction, authorisation, reference_and_amount, reference
  PRIMARY KEY (statement_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX statement_lines_by_order ON statement_lines (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX statement_lines_unknown ON statement_lines (shop, ancv_prefix) WHERE order_id IS NULL;
CREATE INDEX statement_lines_unknown_by_transaction ON statement_lines (transaction_id)
  WHERE order_id IS NULL AND transaction_id IS NOT NULL;

-- What a line pays out of each part of its order: of one part all of it, of several what falls to each.
CREATE TABLE payout_shares (
  statement_id     INTEGER NOT NULL,
  position         INTEGER NOT NULL,   -- of the line
  order_id         INTEGER NOT NULL,
  psp              TEXT NOT NULL,
  call_number      TEXT NOT NULL,
  tender_position  INTEGER NOT NULL,
  amount_cents     INTEGER NOT NULL,
  commission_cents INTEGER NOT NULL,
  PRIMARY KEY (statement_id, position, psp, call_number, tender_position),
  FOREIGN KEY (statement_id, position) REFERENCES statement_lines (statement_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX payout_shares_by_order ON payout_shares (order_id);

-- A period that was closed. Its entries never change.
CREATE TABLE closings (
  period    TEXT PRIMARY KEY,          -- 2026-03
  seq       INTEGER NOT NULL,
  closed_at TEXT NOT NULL,
  closed_by TEXT NOT NULL,             -- an account
  manifest  TEXT NOT NULL,             -- JSON: numbers, totals, chain head
  exports   TEXT                       -- JSON: SHA-256 of each export, once they were rendered
) STRICT, WITHOUT ROWID;

-- The last number of each series of entries, and of the letters.
CREATE TABLE numbers (
  series TEXT PRIMARY KEY,
  last   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Orders and statements of closed periods of which something was learned since: the next close looks at them.
CREATE TABLE reopened (
  order_id     INTEGER REFERENCES orders (order_id),
  statement_id INTEGER REFERENCES statements (statement_id),
  UNIQUE (order_id, statement_id)
) STRICT;

CREATE TABLE entries (
  line          INTEGER PRIMARY KEY,   -- in the order of validation
  period        TEXT NOT NULL,
  shop          TEXT NOT NULL,
  order_id      INTEGER REFERENCES orders (order_id),
  statement_id  INTEGER REFERENCES statements (statement_id),
  movement      TEXT NOT NULL,         -- receipt, return, payout
  leg           TEXT NOT NULL,         -- voucher, other_voucher, card, customer, suspense, bank, commission, vat
  psp           TEXT,
  order_ref     TEXT,
  call_number   TEXT,
  tender_id     TEXT,
  brand         TEXT,
  contract      TEXT,
  JournalCode   TEXT NOT NULL, JournalLib  TEXT NOT NULL,
  EcritureNum   TEXT NOT NULL, EcritureDate TEXT NOT NULL,
  CompteNum     TEXT NOT NULL, CompteLib   TEXT NOT NULL,
  PieceRef      TEXT NOT NULL, PieceDate   TEXT NOT NULL,
  EcritureLib   TEXT NOT NULL,
  Debit         INTEGER NOT NULL, Credit   INTEGER NOT NULL,  -- cents
  EcritureLet   TEXT, DateLet TEXT,
  lettered_in   TEXT,                  -- the period whose close gave the letter
  ValidDate     TEXT NOT NULL
) STRICT;
CREATE INDEX entries_by_order ON entries (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX entries_by_statement ON entries (statement_id) WHERE statement_id IS NOT NULL;
CREATE INDEX entries_by_date ON entries (EcritureDate);
CREATE INDEX entries_in_suspense ON entries (order_id) WHERE leg = 'suspense' AND order_id IS NOT NULL;

-- Which channels are told what, beside e-mail: as the settings in force have it.
CREATE TABLE audiences (
  way      TEXT NOT NULL,              -- the channel
  severity TEXT NOT NULL,
  shop     TEXT                        -- NULL: every shop, and the daemon as a whole
) STRICT;

-- News that people are owed, on each way. What came and went before a message was intended needs none.
CREATE TABLE owed (
  id             INTEGER PRIMARY KEY,
  way            TEXT NOT NULL,        -- mail, or a channel
  shop           TEXT,                 -- NULL: it concerns the daemon as a whole
  discrepancy_id INTEGER NOT NULL REFERENCES discrepancies (id),
  news           TEXT NOT NULL CHECK (news IN ('opened', 'reminded', 'escalated', 'closed')),
  urgent         INTEGER NOT NULL,     -- 1: at once; 0: with the next digest
  owed_at        TEXT NOT NULL,
  message_id     TEXT,                 -- the message that tells it
  done_at        TEXT,                 -- it left, or is no longer worth sending
  outcome        TEXT CHECK (outcome IN ('sent', 'superseded'))
) STRICT;
CREATE INDEX owed_waiting ON owed (way, id) WHERE done_at IS NULL;
CREATE INDEX owed_by_discrepancy ON owed (discrepancy_id);
CREATE INDEX owed_by_message ON owed (message_id) WHERE message_id IS NOT NULL;

-- E-mails and messages on channels, from the intent on.
CREATE TABLE mails (
  message_id  TEXT PRIMARY KEY,
  way         TEXT NOT NULL,
  shop        TEXT,
  class       TEXT NOT NULL CHECK (class IN ('urgent', 'digest', 'escalation', 'anchor', 'week')),
  intended_at TEXT NOT NULL,
  told_at     TEXT                     -- when the mail server, or the channel, took it
) STRICT, WITHOUT ROWID;
CREATE INDEX mails_under_way ON mails (way, intended_at) WHERE told_at IS NULL;
CREATE INDEX mails_by_time ON mails (way, intended_at);

-- Weeks that are summed up for people, shop by shop. The shop '' marks the instant from which on they are.
CREATE TABLE weeks (
  until_at   TEXT NOT NULL,            -- a Monday, 07:00 in Paris
  shop       TEXT NOT NULL,
  message_id TEXT,
  PRIMARY KEY (until_at, shop)
) STRICT;

-- Notifications that go on to the shop's own handlers, byte for byte.
CREATE TABLE relays (
  seq            INTEGER NOT NULL,     -- of the notification
  target         TEXT NOT NULL,        -- which of its endpoint's handlers
  shop           TEXT NOT NULL,
  endpoint       TEXT NOT NULL,
  psp            TEXT NOT NULL,
  mode           TEXT NOT NULL,
  order_ref      TEXT,
  call_number    TEXT,
  lane           TEXT NOT NULL,        -- what is delivered one after the other: an order, else a payment
  part           TEXT CHECK (part IN ('voucher', 'complement')),  -- a complement that came before its voucher
  payload_sha256 TEXT NOT NULL,
  owed_at        TEXT NOT NULL,
  asked_at       TEXT,                 -- when a person last asked for it
  state          TEXT NOT NULL CHECK (state IN ('owed', 'delivered', 'refused', 'parked', 'dropped')),
  done_at        TEXT,
  attempts       INTEGER,              -- until it was done
  status         INTEGER,              -- what the handler answered then
  reason         TEXT,                 -- in English
  PRIMARY KEY (seq, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX relays_owed ON relays (seq, target) WHERE state = 'owed';
CREATE INDEX relays_in_vain ON relays (endpoint, target, state, owed_at) WHERE state <> 'delivered';
CREATE INDEX relays_awaiting ON relays (call_number) WHERE part = 'complement' AND state = 'owed';
CREATE INDEX relays_by_payload ON relays (endpoint, payload_sha256);

-- Links of the chain for people to keep: one for each day in Paris that brought news.
CREATE TABLE anchors (
  seq        INTEGER PRIMARY KEY,      -- the last entry before that midnight
  chain_hash TEXT NOT NULL,
  first_seq  INTEGER NOT NULL,         -- the first entry since the anchor before
  first_day  TEXT NOT NULL,            -- days in Paris, from the first …
  day        TEXT NOT NULL,            -- … to the last
  message_id TEXT
) STRICT;

-- ───────────────────────────── beside the fold ─────────────────────────────

-- How often something that is owed was tried, and what went wrong last: a question to an API, a mail, a relay.
CREATE TABLE attempts (
  what       TEXT PRIMARY KEY,         -- a message id, or: endpoint, topic, subject; or: relay, entry, target
  attempts   INTEGER NOT NULL,
  attempt_at TEXT NOT NULL,            -- not before
  last_error TEXT
) STRICT, WITHOUT ROWID;

-- A bounded sample of calls that were refused.
CREATE TABLE rejections (
  id             INTEGER PRIMARY KEY,
  received_at    TEXT NOT NULL,
  endpoint       TEXT NOT NULL,
  psp            TEXT NOT NULL,
  reason         TEXT NOT NULL,        -- in English, without any value from outside
  grounds        TEXT NOT NULL,        -- the same as JSON, for pages in other languages
  caller         TEXT NOT NULL,        -- the address that it came from
  payload_sha256 TEXT NOT NULL
) STRICT;

-- ───────────────────────────── for accountants ─────────────────────────────

CREATE VIEW acct_orders AS
SELECT o.shop, o.reference, v.total_cents, v.currency, v.version, v.registered_at, v.due,
       COALESCE((SELECT SUM(r.paid_cents) FROM records r WHERE r.order_id = o.order_id AND r.counts), 0) AS paid_cents,
       o.state,
       COALESCE((SELECT SUM(r.refunded_cents) FROM records r WHERE r.order_id = o.order_id AND r.counts), 0)
         AS refunded_cents,
       -- what the customer still has to pay: a refund is no debt, but what a bank took back is
       MAX(-o.gap_cents, 0) AS owed_cents,
       -- what is missing (below zero) or too much, less what was given back of it
       o.gap_cents,
       v.instalments,
       -- of what was paid: an order in another currency may have been paid in euros
       (SELECT MIN(r.currency) FROM records r WHERE r.order_id = o.order_id AND r.paid_cents > 0 AND r.counts) AS paid_currency,
       -- of refunded_cents, what a card's bank took back: a chargeback is no refund
       COALESCE((SELECT SUM(r.taken_back_cents) FROM records r WHERE r.order_id = o.order_id AND r.counts), 0)
         AS taken_back_cents
FROM orders o
JOIN order_versions v ON v.order_id = o.order_id
 AND v.version = (SELECT MAX(version) FROM order_versions WHERE order_id = o.order_id);

CREATE VIEW acct_register AS
SELECT o.shop, r.psp, r.endpoint, r.mode, o.reference AS order_ref, r.call_number, r.currency,
       r.expected_cents, r.expected_from, r.voucher_cents, r.card_cents, r.paid_cents, r.refunded_cents,
       r.paid_cents - r.expected_cents AS gap_cents,
       r.state, r.first_seen_at, r.authorised_at, r.captured_at, r.settled_at,
       (SELECT COUNT(*) FROM discrepancies d
         WHERE d.order_id = r.order_id AND d.closed_at IS NULL
           AND (d.call_number IS NULL OR (d.psp = r.psp AND d.call_number = r.call_number))
       ) AS open_discrepancies,
       r.paid_cents - r.refunded_cents AS kept_cents,
       r.refunding_cents,  -- refunds asked for, not made yet
       (SELECT MIN(t.received_on) FROM tenders t
         WHERE t.order_id = r.order_id AND t.psp = r.psp AND t.call_number = r.call_number) AS received_on,
       (SELECT e.EcritureNum FROM entries e
         WHERE e.order_id = r.order_id AND e.psp = r.psp AND e.call_number = r.call_number AND e.movement = 'receipt'
         ORDER BY e.line LIMIT 1) AS entry,
       r.taken_back_cents  -- of refunded_cents, by the card's bank
FROM records r JOIN orders o USING (order_id);

CREATE VIEW acct_tenders AS
SELECT o.shop, t.psp, t.endpoint, r.mode, o.reference AS order_ref, t.call_number,
       t.tender_id, t.instrument, t.brand, t.amount_cents, t.refunded_cents, t.state,
       t.authorisation, t.contract, t.authorised_at, t.captured_at, t.refunded_at, t.currency,
       t.received_on, t.settled_cents, t.settled_on,
       t.issuer,  -- who owes it: ancv, bank, or the name of another
       t.taken_back_cents  -- of refunded_cents, by the card's bank
FROM tenders t JOIN records r USING (order_id, psp, call_number) JOIN orders o USING (order_id);

-- A discrepancy of an order as a whole is shown with the PSP, or the payment, where the order has only one.
CREATE VIEW acct_discrepancies AS
SELECT d.id, d.kind, d.severity, d.shop,
       COALESCE(d.psp, o.psp, (SELECT MIN(r.psp) FROM records r WHERE r.order_id = d.order_id AND r.paid_cents > 0
                               HAVING COUNT(DISTINCT r.psp) = 1)) AS psp,
       o.reference AS order_ref,
       COALESCE(d.call_number, o.call_number,
                (SELECT MIN(r.call_number) FROM records r WHERE r.order_id = d.order_id AND r.paid_cents > 0
                 HAVING COUNT(*) = 1)) AS call_number,
       d.opened_at, d.closed_at, d.expected_cents, d.actual_cents, d.detail, d.acked_at, d.acked_note,
       d.acked_by, d.endpoint, d.snoozed_until,
       (SELECT a.note FROM acts a WHERE a.discrepancy_id = d.id AND a.note IS NOT NULL
         ORDER BY a.seq DESC LIMIT 1) AS last_note
FROM discrepancies d LEFT JOIN orders o USING (order_id);

CREATE VIEW acct_acknowledgements AS
SELECT a.seq, a.at, a.act, a.by AS "by", a.discrepancy_id, d.kind, d.shop, o.reference AS order_ref,
       COALESCE(d.call_number, o.call_number) AS call_number, a.note, a.until
FROM acts a LEFT JOIN discrepancies d ON d.id = a.discrepancy_id
LEFT JOIN orders o USING (order_id);

CREATE VIEW acct_entries AS
SELECT JournalCode, JournalLib, EcritureNum, EcritureDate, CompteNum, CompteLib, NULL AS CompAuxNum, NULL AS CompAuxLib,
       PieceRef, PieceDate, EcritureLib, Debit, Credit, EcritureLet, DateLet, ValidDate, NULL AS Montantdevise,
       NULL AS Idevise,
       shop, psp, order_ref, call_number, contract, leg, period
FROM entries;

-- Received or given back, and not paid out, as of today.
CREATE VIEW acct_ageing AS
SELECT *, kept_cents - settled_cents AS open_cents,
       CASE WHEN age_days <= 7 THEN '0-7' WHEN age_days <= 15 THEN '8-15' WHEN age_days <= 30 THEN '16-30'
            WHEN age_days <= 60 THEN '31-60' ELSE '>60' END AS age
FROM (
  SELECT o.shop, t.psp, o.reference AS order_ref, t.call_number, t.tender_id, t.instrument, t.contract,
         COALESCE(t.received_on, b.returned_on) AS received_on,
         IIF(t.received_on IS NULL, 0, t.amount_cents) - COALESCE(b.returned_cents, 0) AS kept_cents, t.settled_cents,
         CAST(julianday(date('now', 'localtime')) - julianday(COALESCE(t.received_on, b.returned_on)) AS INTEGER) AS age_days
  FROM tenders t JOIN orders o USING (order_id)
  LEFT JOIN (SELECT order_id, psp, call_number, position, SUM(amount_cents) AS returned_cents,
                    MIN(returned_on) AS returned_on
             FROM returns GROUP BY order_id, psp, call_number, position) b USING (order_id, psp, call_number, position)
  WHERE t.received_on IS NOT NULL OR b.returned_on IS NOT NULL)
WHERE kept_cents <> settled_cents;

-- What came in and went back, and what was paid out of it, by accounting day, PSP and contract.
CREATE VIEW acct_totals AS
SELECT day, shop, psp, contract,
       SUM(issuer = 'ancv' AND received) AS voucher_count, SUM(IIF(issuer = 'ancv', in_cents, 0)) AS voucher_cents,
       SUM(issuer = 'bank' AND received) AS card_count, SUM(IIF(issuer = 'bank', in_cents, 0)) AS card_cents,
       SUM(IIF(issuer = 'ancv', back_cents, 0)) AS voucher_returned_cents,
       SUM(IIF(issuer = 'bank', back_cents, 0)) AS card_returned_cents,
       SUM(paid_cents) AS paid_out_cents, SUM(kept_cents) AS commission_cents,
       -- meal vouchers and gift cards: what other issuers owe
       SUM(issuer NOT IN ('ancv', 'bank') AND received) AS other_voucher_count,
       SUM(IIF(issuer NOT IN ('ancv', 'bank'), in_cents, 0)) AS other_voucher_cents,
       SUM(IIF(issuer NOT IN ('ancv', 'bank'), back_cents, 0)) AS other_voucher_returned_cents,
       -- of card_returned_cents: what cards' banks took back
       SUM(taken_cents) AS card_taken_back_cents
FROM (
  SELECT t.received_on AS day, o.shop, t.psp, t.contract, t.issuer, 1 AS received, t.amount_cents AS in_cents,
         0 AS back_cents, 0 AS taken_cents, 0 AS paid_cents, 0 AS kept_cents
  FROM tenders t JOIN orders o USING (order_id) WHERE t.received_on IS NOT NULL
  UNION ALL
  SELECT b.returned_on, o.shop, t.psp, t.contract, t.issuer, 0, 0, b.amount_cents,
         IIF(b.cause = 'chargeback', b.amount_cents, 0), 0, 0
  FROM returns b JOIN tenders t USING (order_id, psp, call_number, position) JOIN orders o USING (order_id)
  UNION ALL
  SELECT l.paid_on, l.shop, t.psp, t.contract, t.issuer, 0, 0, 0, 0, p.amount_cents, p.commission_cents
  FROM statement_lines l JOIN payout_shares p USING (statement_id, position)
  JOIN tenders t ON t.order_id = p.order_id AND t.psp = p.psp AND t.call_number = p.call_number
   AND t.position = p.tender_position)
GROUP BY day, shop, psp, contract;

-- The lines of statements, each with the order that it was found to be about. A line that pays out several parts has a row
-- for each of them, with what falls to it.
CREATE VIEW acct_settlements AS
SELECT l.shop, l.issuer, s.number AS statement, l.position AS line, l.paid_on, l.transaction_id, l.reference, l.authorisation,
       l.contract, l.dated, COALESCE(p.amount_cents, l.amount_cents) AS amount_cents,
       COALESCE(p.commission_cents, l.commission_cents) AS commission_cents,
       COALESCE(p.amount_cents - p.commission_cents, l.amount_cents - l.commission_cents) AS net_cents,
       l.matched_by, o.reference AS order_ref, p.psp, p.call_number,
       (SELECT tender_id FROM tenders t WHERE t.order_id = p.order_id AND t.psp = p.psp AND t.call_number = p.call_number
           AND t.position = p.tender_position) AS tender_id
FROM statement_lines l JOIN statements s USING (statement_id) LEFT JOIN orders o USING (order_id)
LEFT JOIN payout_shares p ON p.statement_id = l.statement_id AND p.position = l.position;

CREATE VIEW acct_notifications AS
SELECT seq, received_at, endpoint, psp, verdict, events, payload_sha256, chain_hash, remark AS reason, origin,
       NULL AS caller
FROM notifications
UNION ALL
SELECT NULL, received_at, endpoint, psp, 'rejected', 0, payload_sha256, NULL, reason, 'call', caller FROM rejections;

CREATE VIEW acct_confirmations AS
SELECT q.shop, q.psp, q.endpoint, q.topic, q.subject, o.reference AS order_ref, q.asked_at, q.state, q.answered_at,
       a.attempts, a.attempt_at AS next_attempt_at, a.last_error
FROM questions q
LEFT JOIN attempts a ON a.what = q.endpoint || ' ' || q.topic || ' ' || q.subject
LEFT JOIN orders o USING (order_id);

-- Entries of the log that the ledger could not fold or understand; a later program reads them again.
CREATE VIEW acct_set_aside AS
SELECT seq, at, kind, endpoint, reason FROM set_aside;

-- What is owed to people and to shops' handlers, and what became of it.
CREATE VIEW acct_deliveries AS
SELECT CASE o.way WHEN 'mail' THEN 'mail' ELSE 'channel' END AS what, o.shop, o.discrepancy_id, o.news, o.message_id,
       o.owed_at, o.done_at, o.outcome,
       COALESCE(a.attempts, 0) AS attempts, a.last_error, NULL AS notification, NULL AS handler, NULL AS order_ref, o.way
FROM owed o LEFT JOIN attempts a ON a.what = o.message_id
UNION ALL
SELECT 'relay', r.shop, NULL, NULL, NULL, r.owed_at, r.done_at, NULLIF(r.state, 'owed'),
       COALESCE(r.attempts, a.attempts, 0), COALESCE(r.reason, a.last_error), r.seq, r.target, r.order_ref, 'relay'
FROM relays r LEFT JOIN attempts a ON a.what = 'relay ' || r.seq || ' ' || r.target;
