-- What FaceFusion needs to be remembered: options of a single job, the rung of the resource ladder on which a segment
-- runs, and on which one the last of its sort succeeded.

ALTER TABLE jobs ADD COLUMN options TEXT NOT NULL DEFAULT '';  -- laid over the preset's: JSON pairs; '': none
ALTER TABLE segments ADD COLUMN rung INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN rung INTEGER NOT NULL DEFAULT 0;
ALTER TABLE daemon ADD COLUMN breaker TEXT;                    -- why the breaker holds the queue; NULL: it does not

CREATE TABLE rungs (
    device     TEXT NOT NULL,
    preset     TEXT NOT NULL,
    resolution TEXT NOT NULL,                                  -- core.ladder.bucket
    rung       INTEGER NOT NULL,
    at         REAL NOT NULL,
    PRIMARY KEY (device, preset, resolution)
) STRICT, WITHOUT ROWID;
