-- The ledger, version 2. Times are UTC text of fixed width (they compare as text), money is decimal text.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE legal_move (
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    PRIMARY KEY (from_state, to_state)
) STRICT, WITHOUT ROWID;

-- How far each feed was read; written with the messages that it covers.
CREATE TABLE feed (
    address  TEXT PRIMARY KEY,
    position TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE customer_order (
    seq           INTEGER PRIMARY KEY,
    order_id      TEXT NOT NULL UNIQUE,
    parent_id     TEXT NOT NULL DEFAULT '',
    first_seen_at TEXT NOT NULL,
    origin        TEXT NOT NULL,
    take_over_at  TEXT,
    taken         INTEGER NOT NULL DEFAULT 0,
    latest        TEXT NOT NULL,
    system        TEXT NOT NULL DEFAULT '',
    tenant        TEXT NOT NULL DEFAULT '',
    matter_id     TEXT NOT NULL DEFAULT '',
    matter_number TEXT NOT NULL DEFAULT '',
    pinned        INTEGER NOT NULL DEFAULT 0,
    reason        TEXT NOT NULL DEFAULT '',
    needs_plan    INTEGER NOT NULL DEFAULT 1,
    look_again_at TEXT
) STRICT;

CREATE INDEX order_by_plan ON customer_order (seq) WHERE needs_plan = 1;
CREATE INDEX order_by_look ON customer_order (look_again_at) WHERE look_again_at IS NOT NULL;
CREATE INDEX order_by_parent ON customer_order (parent_id) WHERE parent_id <> '';
CREATE INDEX order_without_matter ON customer_order (needs_plan) WHERE matter_id = '' AND pinned = 0;
CREATE INDEX order_by_number ON customer_order (matter_number);

-- What a message was like when it came, for good. A repeat (same digest) is not stored again.
CREATE TABLE message (
    seq           INTEGER PRIMARY KEY,
    order_id      TEXT NOT NULL REFERENCES customer_order (order_id),
    sequence      INTEGER,
    source        TEXT NOT NULL,
    digest        TEXT NOT NULL,
    body          TEXT NOT NULL,
    raw           BLOB NOT NULL,
    matter_number TEXT NOT NULL DEFAULT '',
    file_name     TEXT NOT NULL DEFAULT '',
    file          BLOB,
    received_at   TEXT NOT NULL,
    UNIQUE (order_id, digest)
) STRICT;

-- Messages of other installations that were seen and left alone until take_at.
CREATE TABLE sighting (
    order_id TEXT NOT NULL,
    digest   TEXT NOT NULL,
    seen_at  TEXT NOT NULL,
    take_at  TEXT NOT NULL,
    PRIMARY KEY (order_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery (
    seq           INTEGER PRIMARY KEY,
    key           TEXT NOT NULL UNIQUE,
    kind          TEXT NOT NULL CHECK (kind IN ('cost', 'document')),
    order_id      TEXT NOT NULL REFERENCES customer_order (order_id),
    part          TEXT NOT NULL CHECK (part IN ('R', 'S', 'T', 'D')),
    n             INTEGER NOT NULL CHECK (n >= 1),
    system        TEXT NOT NULL DEFAULT '',
    tenant        TEXT NOT NULL DEFAULT '',
    matter_id     TEXT NOT NULL DEFAULT '',
    matter_number TEXT NOT NULL DEFAULT '',
    state         TEXT NOT NULL,
    -- what it adds: without GST, its GST, and what the books hold for it (unit cost)
    amount        TEXT,
    gst           TEXT,
    cost          TEXT,
    gst_included  INTEGER NOT NULL DEFAULT 0,
    taxed         INTEGER NOT NULL DEFAULT 0,
    code          TEXT NOT NULL DEFAULT '',
    description   TEXT NOT NULL DEFAULT '',
    -- the rest of the line or document as it is to be sent, fixed when the row is made
    price         TEXT,
    on_day        TEXT,
    billable      INTEGER NOT NULL DEFAULT 1,
    note          TEXT NOT NULL DEFAULT '',
    title         TEXT NOT NULL DEFAULT '',
    folder        TEXT NOT NULL DEFAULT '',
    file_name     TEXT NOT NULL DEFAULT '',
    file_mark     TEXT NOT NULL DEFAULT '',
    file_message  INTEGER,
    download_url  TEXT NOT NULL DEFAULT '',
    -- where it stands
    hold          TEXT NOT NULL DEFAULT '',
    approved      INTEGER NOT NULL DEFAULT 0,
    person        INTEGER NOT NULL DEFAULT 0,
    touched       INTEGER NOT NULL DEFAULT 0,
    attempts      INTEGER NOT NULL DEFAULT 0,
    faults        INTEGER NOT NULL DEFAULT 0,
    fault_since   TEXT,
    reason        TEXT NOT NULL DEFAULT '',
    undo          TEXT NOT NULL DEFAULT '',
    remote_id     TEXT NOT NULL DEFAULT '',
    sent_at       TEXT,
    absent_at     TEXT,
    seen_at       TEXT,
    next_at       TEXT,
    deferred      INTEGER NOT NULL DEFAULT 0,
    by            TEXT NOT NULL DEFAULT '',
    created_at    TEXT NOT NULL,
    updated_at    TEXT NOT NULL,
    CHECK (key = 'IT-' || order_id || '-' || part || '-' || n),
    CHECK (state <> 'confirmed' OR seen_at IS NOT NULL),
    CHECK (state NOT IN ('queued', 'sending', 'unknown', 'accepted', 'confirmed') OR (matter_id <> '' AND system <> ''))
) STRICT;

CREATE INDEX delivery_by_order ON delivery (order_id);
CREATE INDEX delivery_by_state ON delivery (state, seq);
CREATE INDEX delivery_by_number ON delivery (matter_number);
CREATE INDEX delivery_waiting ON delivery (order_id) WHERE state IN ('held', 'rejected') OR person = 1;
CREATE INDEX delivery_by_matter ON delivery (system, tenant, matter_id, kind);
CREATE INDEX delivery_seen ON delivery (system, tenant, seen_at) WHERE state = 'confirmed';
CREATE INDEX delivery_in_flight ON delivery (system, tenant, matter_id, next_at)
    WHERE state IN ('queued', 'sending', 'unknown', 'accepted');

-- The file of a document, kept from before its first send so that every send is the same to the byte.
CREATE TABLE body (
    key       TEXT PRIMARY KEY REFERENCES delivery (key),
    content   BLOB NOT NULL,
    file_name TEXT NOT NULL,
    sha256    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What reads of the books showed under our keys, whoever posted it.
CREATE TABLE book_line (
    key       TEXT NOT NULL,
    system    TEXT NOT NULL,
    tenant    TEXT NOT NULL,
    matter_id TEXT NOT NULL,
    order_id  TEXT NOT NULL,
    part      TEXT NOT NULL,
    n         INTEGER NOT NULL,
    cost      TEXT,
    code      TEXT NOT NULL DEFAULT '',
    remote_id TEXT NOT NULL DEFAULT '',
    rows      INTEGER NOT NULL,
    seen_at   TEXT NOT NULL,
    PRIMARY KEY (key, system, tenant, matter_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX book_line_by_order ON book_line (order_id);
CREATE INDEX book_line_by_matter ON book_line (system, tenant, matter_id);

-- Small facts to keep: name and text.
CREATE TABLE memory (
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What happened, for good. Each row's hash covers the row and the hash before it.
CREATE TABLE trail (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    at         TEXT NOT NULL,
    order_id   TEXT NOT NULL,
    key        TEXT NOT NULL,
    what       TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    reason     TEXT NOT NULL,
    by         TEXT NOT NULL,
    hash       TEXT NOT NULL
) STRICT;

CREATE INDEX trail_by_order ON trail (order_id, seq);

CREATE TRIGGER trail_is_for_good_update BEFORE UPDATE ON trail
BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;

CREATE TRIGGER trail_is_for_good_delete BEFORE DELETE ON trail
BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;

CREATE TRIGGER message_is_for_good BEFORE DELETE ON message
BEGIN SELECT RAISE(ABORT, 'messages are kept'); END;

CREATE TRIGGER delivery_is_for_good BEFORE DELETE ON delivery
BEGIN SELECT RAISE(ABORT, 'deliveries are kept'); END;

CREATE TRIGGER delivery_key_is_for_good BEFORE UPDATE OF key, order_id, part, n, kind ON delivery
WHEN OLD.key <> NEW.key OR OLD.order_id <> NEW.order_id OR OLD.part <> NEW.part OR OLD.n <> NEW.n OR OLD.kind <> NEW.kind
BEGIN SELECT RAISE(ABORT, 'a delivery keeps its key'); END;

CREATE TRIGGER delivery_moves_legally BEFORE UPDATE OF state ON delivery
WHEN OLD.state <> NEW.state
 AND NOT EXISTS (SELECT 1 FROM legal_move WHERE from_state = OLD.state AND to_state = NEW.state)
BEGIN SELECT RAISE(ABORT, 'illegal move of a delivery'); END;

CREATE TRIGGER delivery_seen_is_never_sent_again BEFORE UPDATE OF state ON delivery
WHEN NEW.state = 'sending' AND OLD.seen_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a key that was seen in the books is never sent again'); END;

CREATE TRIGGER delivery_keeps_its_matter BEFORE UPDATE OF system, tenant, matter_id ON delivery
WHEN OLD.touched = 1 AND (OLD.system <> NEW.system OR OLD.tenant <> NEW.tenant OR OLD.matter_id <> NEW.matter_id)
BEGIN SELECT RAISE(ABORT, 'a delivery that may have been sent keeps its matter'); END;

CREATE TRIGGER delivery_made AFTER INSERT ON delivery
BEGIN
    INSERT INTO trail (at, order_id, key, what, from_state, to_state, reason, by, hash)
    VALUES (NEW.created_at, NEW.order_id, NEW.key, 'planned', '', NEW.state, NEW.reason, NEW.by,
        trail_link((SELECT hash FROM trail ORDER BY seq DESC LIMIT 1),
            NEW.created_at, NEW.order_id, NEW.key, 'planned', '', NEW.state, NEW.reason, NEW.by));
END;

CREATE TRIGGER delivery_moved AFTER UPDATE OF state ON delivery
WHEN OLD.state <> NEW.state
BEGIN
    INSERT INTO trail (at, order_id, key, what, from_state, to_state, reason, by, hash)
    VALUES (NEW.updated_at, NEW.order_id, NEW.key, 'moved', OLD.state, NEW.state, NEW.reason, NEW.by,
        trail_link((SELECT hash FROM trail ORDER BY seq DESC LIMIT 1),
            NEW.updated_at, NEW.order_id, NEW.key, 'moved', OLD.state, NEW.state, NEW.reason, NEW.by));
END;

-- The length and head of the trail, so that a cut-off end is noticed.
CREATE TRIGGER trail_head AFTER INSERT ON trail
BEGIN
    INSERT INTO meta (name, value) VALUES ('trail_head', NEW.seq || ' ' || NEW.hash)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value;
END;
