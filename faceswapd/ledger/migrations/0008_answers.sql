-- What was answered to a request that bore an Idempotency-Key, for a day.
CREATE TABLE answers (
    key     TEXT PRIMARY KEY,
    request TEXT NOT NULL,                       -- a hash of all that it asked for
    status  INTEGER NOT NULL,
    body    TEXT NOT NULL,                       -- JSON
    headers TEXT NOT NULL,                       -- JSON: those beside the usual ones
    at      REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_at ON answers (at);                                                   -- what is forgotten
