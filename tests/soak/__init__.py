"""Soak: the real daemon for an hour, with all that can happen to it at random, and books that must balance.

`python -m tests.soak --seconds 3600 --seed 7`, or `make soak`. The folders:

    dice      chances that a seed repeats
    wares     media to drop, each with content of its own
    book      what was dropped where, kept by us and by nobody else
    farm      folders, settings and the stand-in; as root on a small disk
    life      the daemon as a process, one life after the other, as a service manager does it
    skewed    starts the daemon with a clock that can jump
    drops     ways in which people leave files, move them and take them away
    orders    what people ask by the control socket
    damage    what happens to machines
    readings  memory, descriptors and threads, and whether they grow
    balance   the book against the ledger, the outbox and the machine
"""
