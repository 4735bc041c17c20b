-- What a sidecar asks of a job, and a fourth reason to park one: a sidecar with a mistake. SQLite changes no CHECK in
-- place: the table is made anew, with foreign keys off, as its documents say.

CREATE TABLE jobs_anew (
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
    parked              TEXT CHECK (parked IN ('needs_face', 'unreadable', 'incomplete', 'mistaken')),
    category            TEXT,                    -- of the failure
    reason              TEXT,                    -- one sentence: why it is parked, waits, failed or was cancelled
    output              BLOB,
    output_content      TEXT,
    created_at          REAL NOT NULL,
    started_at          REAL,
    finished_at         REAL,
    cancel_requested_at REAL,
    options             TEXT NOT NULL DEFAULT '',  -- laid over the preset's: JSON pairs; '': none
    wish                TEXT NOT NULL DEFAULT '',  -- trim, output, persons, not_before: JSON; '': none
    CHECK ((state = 'parked') = (parked IS NOT NULL)),
    CHECK (state IN ('parked', 'cancelled') OR (face IS NOT NULL AND fingerprint IS NOT NULL)),
    CHECK (state <> 'succeeded' OR (output IS NOT NULL AND output_content IS NOT NULL))
) STRICT;

INSERT INTO jobs_anew (
    id, state, kind, inbox, target, relative, face, bundle, preset, priority, afterwards, rule, fingerprint,
    content, size, width, height, frames, duration, rotation, audio, parked, category, reason, output,
    output_content, created_at, started_at, finished_at, cancel_requested_at, options
) SELECT
    id, state, kind, inbox, target, relative, face, bundle, preset, priority, afterwards, rule, fingerprint,
    content, size, width, height, frames, duration, rotation, audio, parked, category, reason, output,
    output_content, created_at, started_at, finished_at, cancel_requested_at, options
FROM jobs;

DROP TABLE jobs;
ALTER TABLE jobs_anew RENAME TO jobs;

CREATE UNIQUE INDEX jobs_fingerprint ON jobs (fingerprint) WHERE fingerprint IS NOT NULL;  -- one job, however often dropped
CREATE UNIQUE INDEX jobs_parked_target ON jobs (target) WHERE state = 'parked';            -- a target is parked once
CREATE INDEX jobs_by_state ON jobs (state, id);                                            -- `jobs --state`, status
CREATE INDEX jobs_failed ON jobs (finished_at, id) WHERE state = 'failed';                 -- what failed last
CREATE INDEX jobs_target ON jobs (target);                                                 -- explain, find
CREATE INDEX jobs_output_content ON jobs (output_content) WHERE output_content IS NOT NULL;  -- an output dropped back
CREATE INDEX jobs_cancel ON jobs (id) WHERE state = 'running' AND cancel_requested_at IS NOT NULL;  -- what is to stop

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

-- What was said about a file when it was taken, as one text: should that change, it is a new question.
ALTER TABLE sightings ADD COLUMN sidecar TEXT NOT NULL DEFAULT '';
