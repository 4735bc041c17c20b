"""faceswapd: leave files with it overnight, find verified, labelled face swaps in the morning.

The house, from the ground up; a room uses only rooms below it (`docs/architecture.md`):

    core       decides: jobs and their states, what starts next, the gate, retries, whose face a target gets
    ledger     the SQLite record, and the only SQL
    settings   the configuration: TOML and environment, checked
    children   operating-system processes: started, limited, spoken to in JSON lines, ended for certain
    engines    do the swap, behind one door; `preview` is built in
    media      knows files: probes and proves them, in a limited child
    runtime    keeps things moving, one loop a file: files become jobs, jobs are run, others are told of it
    control    listens and answers: one application on the Unix socket and the TCP port
    daemon     knits the rooms together and takes them apart again in order
    cli        the command `faceswapd`: init, setup, run, demo, check, doctor, service
    ctl        the command `faceswapctl`: standard library only

The data's way: runtime.intake sees a file, core.intake decides when it is complete and whose face it gets,
ledger.admission makes it a job, core.plan decides what starts, runtime.jobs.execution runs an engine, media
proves the output, runtime.jobs.outbox puts it in place by one atomic step, ledger.outcomes records it.

Loops never call each other: they write a row, and the ledger's bell rings.
"""

__version__ = "0.1.0"
