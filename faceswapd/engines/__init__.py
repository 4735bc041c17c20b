"""DOES THE SWAP. Behind one door.

engine   the door: one verb, and the values that pass it
preview  the built-in engine
facefusion  the engine for real work: an installation of the user's own
"""
