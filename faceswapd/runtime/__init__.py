"""KEEPS THINGS MOVING. One loop a file; the loops never call each other, they write to the ledger and its bell rings.

intake        files become jobs: inbox has the loop, listing and watching see, sidecars are heard, arrivals result
jobs          what waits is run: scheduler has the loop, execution and swapping do one, outbox puts its output in place
notifying     others are told: webhooks, posting, desktop
health        beats, watchdog, and the machine's readings with the gate
housekeeping  what has been kept for long enough goes
uploads       what was sent and is needed no more goes
notes         the small texts beside the files
lookout       a look at a disk that may never answer
"""
