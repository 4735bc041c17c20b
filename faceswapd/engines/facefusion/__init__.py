"""FaceFusion, the program that swaps for real: found, probed, fed and understood.

We call an unmodified installation of the user's own and ship none of its code. Its content check is never weakened: a
refusal is final.

    find          where an installation could be, and which Python belongs to it
    probe         asks an installation once what it is and can -> installation
    providers     which execution providers truly run, and on which devices
    options       a preset, on a device, in the words of this version
    step          the template of a job's step, asked from the installation
    models        which files a preset needs (model_needs asks), and whether they are whole
    pulling       fetches them; licences, releases: what is known of them and of newer versions
    model_store   the models of all presets, for the door that faceswapctl uses
    site          one installation, as the engines of all slots share it
    driver        runs inside FaceFusion's own Python and takes one job after the other
    runner        the child that runs command lines, warm by the driver or cold by the launcher
    batch         several jobs for one FaceFusion
    transcript    what FaceFusion wrote to stderr, as lines and bars; hearing tells it on as progress
    verdict       what an ended run was: done, or which failure (signs: by which words)
    engine        the door: `await engine.run(work, report)`
"""
