"""Who is let in: on the socket whom the system names, on the TCP port who has a key."""
