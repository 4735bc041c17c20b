"""The built-in engine: face swaps of preview quality on a fresh machine, with no model to download.

It finds faces with OpenCV's own cascades, lays the source's picture of a face over each of them, in the
target's colour and light, blends it in bands and follows it through the video. It does not turn the source's
head, and it does not change the expression: that is what FaceFusion is for. Every picture that it makes says
so in a visible label.

    engine  the daemon's side; light, it decodes nothing
    child   the child's main; everything below runs in it alone
    video, image      one target, read and written
    source            the best of a person's photos
    detect, track     where the faces are; where they are from frame to frame
    person            the one of them that is meant, where only one is
    swap, label       one face laid over; the words that are burnt in
    refusals          what goes wrong with files, in plain sentences
"""
