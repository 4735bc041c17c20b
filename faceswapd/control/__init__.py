"""LISTENS AND ANSWERS. One application, whatever the door.

wire         the messages, and where the socket is; standard library only, since the client imports it
doors        who is let in
routes       who answers which request; all of them stand in routes.table
files        what comes as a file, and what goes out as one
live         what is known beside the ledger: how things go right now
views        how records become what a client sees; estimates says when a job will be done
feed         what happens, told once for all who listen
metrics      the figures for Prometheus
operation    one row of the table of routes; requests reads what a request says, refusal is what is not carried out
openapi      the document of all that, made from the table
application  one for all doors; server has it on the Unix socket and the TCP port; own_link lets a client find it
static       the dashboard
"""
