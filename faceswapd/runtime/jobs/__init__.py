"""Jobs run: who starts an execution, what it does, and where its output goes."""
