-- On which file systems an inbox or the faces folder lay when it was last well: on another one, what is missing is not
-- taken for removed.
CREATE TABLE footings (
    folder BLOB NOT NULL,                        -- its path
    number INTEGER NOT NULL,                     -- 0: its own; above: what is mounted below it
    point  BLOB NOT NULL,                        -- where it is mounted
    kind   TEXT NOT NULL,
    source BLOB NOT NULL,
    root   BLOB NOT NULL,
    device TEXT NOT NULL,                        -- major:minor
    system TEXT NOT NULL,                        -- the file system's own number, of 64 bits without a sign
    PRIMARY KEY (folder, number)
) STRICT;
