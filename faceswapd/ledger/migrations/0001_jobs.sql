-- The ledger's first schema. Times are seconds since 1970. Paths are BLOBs: a file name is bytes, and need not
-- be UTF-8. States and their moves are told in core/job.py.

CREATE TABLE jobs (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    state               TEXT NOT NULL
                        CHECK (state IN ('parked', 'queued', 'running', 'succeeded', 'failed', 'cancelled')),
    kind                TEXT NOT NULL CHECK (kind IN ('image', 'video')),
    inbox               TEXT NOT NULL,
    target              BLOB NOT NULL,
    relative            BLOB NOT NULL,           -- the target's path below its inbox
    face                TEXT,
    bundle              BLOB,                    -- the folder whose face* and source* photos are the face
    preset              TEXT NOT NULL,
    priority            INTEGER NOT NULL,
    afterwards          TEXT NOT NULL CHECK (afterwards IN ('keep', 'archive', 'delete')),
    rule                TEXT,                    -- the rule that gave it its face
    fingerprint         TEXT,                    -- content, face and preset; NULL while parked
    content             TEXT,                    -- BLAKE2b-256 of the target
    size                INTEGER NOT NULL DEFAULT 0,
    width               INTEGER NOT NULL DEFAULT 0,
    height              INTEGER NOT NULL DEFAULT 0,
    frames              INTEGER NOT NULL DEFAULT 0,
    duration            REAL,
    rotation            INTEGER NOT NULL DEFAULT 0,
    audio               INTEGER NOT NULL DEFAULT 0,
    parked              TEXT CHECK (parked IN ('needs_face', 'unreadable', 'incomplete')),
    category            TEXT,                    -- of the failure
    reason              TEXT,                    -- one sentence: why it is parked, waits, failed or was cancelled
    output              BLOB,
    output_content      TEXT,
    created_at          REAL NOT NULL,
    started_at          REAL,
    finished_at         REAL,
    cancel_requested_at REAL,
    CHECK ((state = 'parked') = (parked IS NOT NULL)),
    CHECK (state IN ('parked', 'cancelled') OR (face IS NOT NULL AND fingerprint IS NOT NULL)),
    CHECK (state <> 'succeeded' OR (output IS NOT NULL AND output_content IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX jobs_fingerprint ON jobs (fingerprint) WHERE fingerprint IS NOT NULL;  -- one job, however often dropped
CREATE UNIQUE INDEX jobs_parked_target ON jobs (target) WHERE state = 'parked';            -- a target is parked once
CREATE INDEX jobs_by_state ON jobs (state, id);                                            -- `jobs --state`, status
CREATE INDEX jobs_failed ON jobs (finished_at, id) WHERE state = 'failed';                 -- what failed last
CREATE INDEX jobs_target ON jobs (target);                                                 -- explain, find
CREATE INDEX jobs_output_content ON jobs (output_content) WHERE output_content IS NOT NULL;  -- an output dropped back
CREATE INDEX jobs_cancel ON jobs (id) WHERE state = 'running' AND cancel_requested_at IS NOT NULL;  -- what is to stop

CREATE TABLE segments (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    job           INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number        INTEGER NOT NULL,
    state         TEXT NOT NULL
                  CHECK (state IN ('parked', 'queued', 'running', 'succeeded', 'failed', 'cancelled')),
    inbox         TEXT NOT NULL,                 -- the job's, here so that one index serves the claim
    priority      INTEGER NOT NULL,              -- the job's, likewise
    attempt       INTEGER NOT NULL DEFAULT 0,    -- executions so far that count
    interruptions INTEGER NOT NULL DEFAULT 0,    -- executions that the daemon's end cut off
    not_before    REAL,                          -- a retry waits until then; NULL: it may start
    progress      REAL NOT NULL DEFAULT 0,
    phase         TEXT,
    UNIQUE (job, number)
) STRICT;

CREATE INDEX segments_ready ON segments (inbox, priority DESC, job, number)
    WHERE state = 'queued' AND not_before IS NULL;                                         -- what starts next
CREATE INDEX segments_due ON segments (not_before) WHERE state = 'queued' AND not_before IS NOT NULL;  -- retries

CREATE TABLE executions (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    segment       INTEGER NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
    attempt       INTEGER NOT NULL,
    boot          TEXT NOT NULL,                 -- the life of the daemon that ran it
    slot          INTEGER NOT NULL,
    engine        TEXT NOT NULL,
    device        TEXT NOT NULL,
    kind          TEXT NOT NULL,                 -- the job's, here so that one index serves the time left
    preset        TEXT NOT NULL,                 -- the job's, likewise
    pid           INTEGER,
    pid_started   REAL,
    started_at    REAL NOT NULL,
    finished_at   REAL,
    outcome       TEXT CHECK (outcome IN ('succeeded', 'failed', 'retried', 'released', 'cancelled')),
    frames        INTEGER,
    seconds       REAL,                          -- spent on the frames
    peak_memory   INTEGER,                       -- bytes
    category      TEXT,
    sentence      TEXT,
    log           TEXT,
    publishing    BLOB,                          -- where its output is about to appear,
    publishing_content TEXT,                     -- and its hash: a crash in between finds its own file
    CHECK ((finished_at IS NULL) = (outcome IS NULL))
) STRICT;

CREATE INDEX executions_segment ON executions (segment);
CREATE UNIQUE INDEX executions_open ON executions (segment) WHERE finished_at IS NULL;     -- recovery; never two at once
CREATE INDEX executions_speed ON executions (engine, kind, preset, id) WHERE outcome = 'succeeded';  -- time left

CREATE TABLE faces (
    name    TEXT PRIMARY KEY,
    photos  INTEGER NOT NULL,
    problem TEXT,
    seen_at REAL NOT NULL
) STRICT;

-- What was taken from where, so that a start does not read ten thousand files again.
CREATE TABLE sightings (
    target   BLOB PRIMARY KEY,
    inode    INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    modified INTEGER NOT NULL,                   -- nanoseconds since 1970
    job      INTEGER REFERENCES jobs (id) ON DELETE SET NULL,  -- the file has been dealt with all the same
    note     TEXT                                -- why there is no job of its own: a duplicate, an output
) STRICT;

CREATE INDEX sightings_job ON sightings (job);

CREATE TABLE events (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    at   REAL NOT NULL,
    job  INTEGER REFERENCES jobs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE INDEX events_job ON events (job, id);

-- The daemon's own row: what must outlive it.
CREATE TABLE daemon (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    boot      TEXT NOT NULL,
    pid       INTEGER NOT NULL,
    paused_at REAL,
    gate      TEXT,                              -- why the gate is closed; NULL: it is open
    stopped_at REAL                              -- NULL: it runs, or it died
) STRICT;

CREATE TABLE paused_inboxes (
    inbox     TEXT PRIMARY KEY,
    paused_at REAL NOT NULL
) STRICT;

-- Jobs and frames by state and sort of work, kept by triggers: counting a million rows takes 400 ms, reading this
-- 4 us for each row.
CREATE TABLE job_counts (
    state  TEXT NOT NULL,
    kind   TEXT NOT NULL,
    preset TEXT NOT NULL,
    jobs   INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    PRIMARY KEY (state, kind, preset)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER jobs_counted_in AFTER INSERT ON jobs BEGIN
    INSERT INTO job_counts VALUES (NEW.state, NEW.kind, NEW.preset, 1, NEW.frames)
    ON CONFLICT DO UPDATE SET jobs = jobs + 1, frames = frames + excluded.frames;
END;

CREATE TRIGGER jobs_counted_over AFTER UPDATE OF state, kind, preset, frames ON jobs
WHEN (OLD.state, OLD.kind, OLD.preset, OLD.frames) <> (NEW.state, NEW.kind, NEW.preset, NEW.frames) BEGIN
    UPDATE job_counts SET jobs = jobs - 1, frames = frames - OLD.frames
    WHERE state = OLD.state AND kind = OLD.kind AND preset = OLD.preset;
    INSERT INTO job_counts VALUES (NEW.state, NEW.kind, NEW.preset, 1, NEW.frames)
    ON CONFLICT DO UPDATE SET jobs = jobs + 1, frames = frames + excluded.frames;
END;

CREATE TRIGGER jobs_counted_out AFTER DELETE ON jobs BEGIN
    UPDATE job_counts SET jobs = jobs - 1, frames = frames - OLD.frames
    WHERE state = OLD.state AND kind = OLD.kind AND preset = OLD.preset;
END;
