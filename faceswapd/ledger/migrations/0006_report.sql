-- What was done, day by day, kept by triggers: to count a hundred thousand executions takes half a second, and pruning
-- takes old ones away. A day is one of the machine's own time zone. These rows stay: some ten a day.

CREATE TABLE ended_executions (
    day        TEXT NOT NULL,                    -- 2026-11-29
    outcome    TEXT NOT NULL,
    category   TEXT NOT NULL,                    -- of the failure; '': none
    engine     TEXT NOT NULL,
    device     TEXT NOT NULL,
    preset     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    slot       INTEGER NOT NULL,
    executions INTEGER NOT NULL,
    frames     INTEGER NOT NULL,
    seconds    REAL NOT NULL,                    -- spent on the frames
    busy       REAL NOT NULL,                    -- seconds from start to end
    PRIMARY KEY (day, outcome, category, engine, device, preset, kind, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE ended_jobs (
    day   TEXT NOT NULL,
    state TEXT NOT NULL,
    kind  TEXT NOT NULL,
    jobs  INTEGER NOT NULL,                      -- a job that is tried once more and ends again counts again
    video REAL NOT NULL,                         -- seconds of video
    PRIMARY KEY (day, state, kind)
) STRICT, WITHOUT ROWID;

INSERT INTO ended_executions
SELECT date(finished_at, 'unixepoch', 'localtime') AS day, outcome, coalesce(category, '') AS about, engine, device,
    preset, kind, slot, count(*), sum(coalesce(frames, 0)), sum(coalesce(seconds, 0.0)), sum(finished_at - started_at)
FROM executions WHERE finished_at IS NOT NULL GROUP BY day, outcome, about, engine, device, preset, kind, slot;

INSERT INTO ended_jobs
SELECT date(finished_at, 'unixepoch', 'localtime') AS day, state, kind, count(*),
    sum(iif(kind = 'video', coalesce(duration, 0.0), 0.0))
FROM jobs WHERE state IN ('succeeded', 'failed', 'cancelled') AND finished_at IS NOT NULL GROUP BY day, state, kind;

CREATE TRIGGER executions_ended AFTER UPDATE OF outcome ON executions
WHEN OLD.outcome IS NULL AND NEW.outcome IS NOT NULL BEGIN
    INSERT INTO ended_executions VALUES (
        date(NEW.finished_at, 'unixepoch', 'localtime'), NEW.outcome, coalesce(NEW.category, ''), NEW.engine,
        NEW.device, NEW.preset, NEW.kind, NEW.slot, 1, coalesce(NEW.frames, 0), coalesce(NEW.seconds, 0.0),
        NEW.finished_at - NEW.started_at
    )
    ON CONFLICT DO UPDATE SET executions = executions + 1, frames = frames + excluded.frames,
        seconds = seconds + excluded.seconds, busy = busy + excluded.busy;
END;

-- A job has ended when its state and its time both say so, in whichever order they are written.
CREATE TRIGGER jobs_ended AFTER UPDATE OF state, finished_at ON jobs
WHEN NEW.state IN ('succeeded', 'failed', 'cancelled') AND NEW.finished_at IS NOT NULL
    AND (OLD.state <> NEW.state OR OLD.finished_at IS NULL) BEGIN
    INSERT INTO ended_jobs VALUES (
        date(NEW.finished_at, 'unixepoch', 'localtime'), NEW.state, NEW.kind, 1,
        iif(NEW.kind = 'video', coalesce(NEW.duration, 0.0), 0.0)
    )
    ON CONFLICT DO UPDATE SET jobs = jobs + 1, video = video + excluded.video;
END;

CREATE INDEX jobs_failed_by_category ON jobs (category) WHERE state = 'failed';             -- metrics
CREATE INDEX jobs_by_face ON jobs (face, state) WHERE face IS NOT NULL;                     -- faces: jobs of each
