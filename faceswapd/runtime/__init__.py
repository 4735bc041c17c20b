"""KEEPS THINGS MOVING. One loop a file: inbox, scheduler, readings; and what they do on the way.

inbox      files become jobs           listing, watching, ground, faces, notes serve it
fleet      which engine swaps, on which devices: the slots
scheduler  carries out what core.plan decides
execution  one claimed segment, from its scratch folder to its record; course is how it goes meanwhile
outbox     a proved output is put into place, and the target goes where the policy says
readings   the machine, and the gate
recovery   what an earlier life of the daemon left
"""
