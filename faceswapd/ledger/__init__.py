"""The SQLite record of everything, and the only SQL of the program.

connection  open, lock, one writer and one reader; the unit of work that survives a cancel
migration   the schema, by number
admission   a target becomes a job; sightings
claims      what could start, and the claim of it; recovery
outcomes    how an execution ended; cancel, requeue, assign: every move of the table in core.job
reports     what status, jobs and show read
standing    what outlives the daemon: pauses, faces, the daemon's own row
"""
