-- Files that were handed over by hand, wherever they lie, and the jobs that each of them wanted. A job that was made for
-- one belongs to no inbox: its `inbox` is ''. A job of an inbox may do for a submitted file as well.

CREATE TABLE submissions (
    target   BLOB NOT NULL,
    job      INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    inode    INTEGER NOT NULL,                   -- the file as it was then
    size     INTEGER NOT NULL,
    modified INTEGER NOT NULL,                   -- nanoseconds since 1970
    relative BLOB NOT NULL,                      -- where its result belongs, as if it had lain there below an inbox
    at       REAL NOT NULL,                      -- when it was submitted last
    PRIMARY KEY (target, job)
) STRICT, WITHOUT ROWID;

CREATE INDEX submissions_job ON submissions (job);                                         -- which other file a job has
