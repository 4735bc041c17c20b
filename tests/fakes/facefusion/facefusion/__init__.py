"""A stand-in for FaceFusion: its command line, its job files, its words and its known faults, without its models.

It is written after what the real program was seen to do, and holds none of its code. Modules that a driver may reach
for (core, download, program, content_analyser, state_manager, logger, ...) bear FaceFusion's names.

    stand_in      what the test wishes: version, costs, fault (stand_in.toml)
    traits        how the versions differ
    faults        what goes wrong on purpose
    options       the options and their choices
    program       the command line
    core          the commands
    jobs          job files and their run
    models        which model files there are, and how big the real ones would be
    download      whether they are right; where missing ones come from
    workflows     one image, one video
    pictures      reads, looks at and swaps pictures
    ffprobe, ffmpeg   what is done here with PyAV
"""
