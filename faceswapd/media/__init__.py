"""KNOWS FILES. What comes from outside is decoded in a child with limits, never in the daemon.

examiner   the daemon's side: asks the child, one question at a time
child      the child's side; probe and verify are its two questions
probe      what a file is: signature, extent, outline, image, video serve it
verify     whether an output is whole
mender     the daemon's side of mending: what an engine can bear, and what it made put together with the rest
mending_child  the child's side; preparing and finishing (each with its _image) are its two questions
           timeline, recoding, tone serve the first; carrying, likeness, image_tags the second
drawn      faces of nobody, for the demo and the tests; drawn_scene sets them in motion
comparison source, target and output side by side
"""
