-- What reports, metrics and the list of faces ask for. Each of the indexes holds all that its query reads.

CREATE INDEX report_jobs_faces ON jobs (face, state) WHERE face IS NOT NULL;               -- faces: jobs of each
