-- What webhooks are to be told: for each of them how far it has read the events, and what is on its way. Both change in
-- one commit, so that no event is lost or sent under two ids, whenever the daemon ends.

CREATE TABLE webhooks (
    name            TEXT PRIMARY KEY,
    seen            INTEGER NOT NULL,            -- the last event that was made into a delivery, or was none for it
    delivered       INTEGER NOT NULL DEFAULT 0,  -- deliveries so far, also those that were pruned
    given_up        INTEGER NOT NULL DEFAULT 0,  -- likewise
    last_error      TEXT,                        -- one sentence
    last_error_at   REAL,
    last_success_at REAL
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook     TEXT NOT NULL REFERENCES webhooks (name) ON DELETE CASCADE,
    message     TEXT NOT NULL UNIQUE,            -- the webhook-id: the same at every try
    event       INTEGER NOT NULL,                -- of the history, whose line may be pruned before this one
    job         INTEGER NOT NULL,                -- 0: the daemon's own; a job's deliveries go one after the other
    type        TEXT NOT NULL,
    payload     TEXT NOT NULL,                   -- JSON
    at          REAL NOT NULL,                   -- of the event
    state       TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given_up')),
    attempt     INTEGER NOT NULL DEFAULT 0,      -- tries so far
    not_before  REAL NOT NULL,
    last_error  TEXT,                            -- one sentence
    finished_at REAL,
    UNIQUE (webhook, event),
    CHECK ((state = 'waiting') = (finished_at IS NULL))
) STRICT;

CREATE INDEX deliveries_due ON deliveries (webhook, not_before, id) WHERE state = 'waiting';   -- what is sent next
CREATE INDEX deliveries_order ON deliveries (webhook, job, id) WHERE state = 'waiting';        -- whether one is first
CREATE INDEX deliveries_ended ON deliveries (finished_at) WHERE finished_at IS NOT NULL;       -- pruning
