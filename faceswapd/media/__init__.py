"""KNOWS FILES. What comes from outside is decoded in a child with limits, never in the daemon.

examiner   the daemon's side: asks the child, one question at a time
child      the child's side; probe and verify are its two questions
probe      what a file is: signature, extent, outline, image, video serve it
verify     whether an output is whole
drawn      faces of nobody, for the demo and the tests; drawn_scene sets them in motion
comparison source, target and output side by side
"""
