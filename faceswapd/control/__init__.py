"""LISTENS AND ANSWERS. One application, whatever the door.

messages  the wire; standard library only, since the client imports it
address   where the socket is found; likewise
live      what is known beside the ledger: how things go right now
handlers  one function a request
server    the application on the Unix socket
"""
