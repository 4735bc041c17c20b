"""Operating-system processes that we start: limited, spoken to in JSON lines, and ended for certain.

child   the daemon's side: start, ask, stop
keeper  keeps a child warm between two questions, and ends it when idle
serve   the child's side: read questions, answer them, end with the daemon
program a program that runs to its end, for those that do not speak our lines
launcher a child that starts such programs in its own group, so that they end with it
limits  what a child may use; set by the child itself before it touches anything hostile
kin     who belongs to a child, however far it has gone from it
control_group a control group for each child, where there is one to be had
memory  how much a child and all that it started held at most
orphans what an earlier life of the daemon left running
shield  work that is done to its end, however often its caller is cancelled
"""
