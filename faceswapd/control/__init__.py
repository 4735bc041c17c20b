"""LISTENS AND ANSWERS. One application, whatever the door.

wire         the messages, and where the socket is; standard library only, since the client imports it
doors        who is let in
routes       who answers which request; all of them stand in routes.table
files        what comes as a file, and what goes out as one
live         what is known beside the ledger: how things go right now
views        how records become what a client sees
feed         what happens, told once for all who listen
application  one for all doors; server has it on the Unix socket and the TCP port
static       the dashboard
"""
