"""Operating-system processes that we start: limited, spoken to in JSON lines, and ended for certain.

child   the daemon's side: start, ask, stop
serve   the child's side: read questions, answer them, end with the daemon
limits  what a child may use; set by the child itself before it touches anything hostile
orphans what an earlier life of the daemon left running
shield  work that is done to its end, however often its caller is cancelled
"""
