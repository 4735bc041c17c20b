"""What is said, and where: the messages of requests and answers, those of each noun in a file, and how a client finds
the socket. Standard library only, since faceswapctl imports this and nothing else of the daemon."""
