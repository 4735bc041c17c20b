"""Files that come over the API and go out by it. Names are never trusted, and no link leads out of the folders."""
