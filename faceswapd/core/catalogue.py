"""The catalogue of failures as one table: what can go wrong, whether trying again can help, and what to do.

The sentence is said where the case itself says nothing more exact; the cause is for docs/failures.md only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FailureClass(StrEnum):
    """What a failure means for the job and for the queue."""

    TRANSIENT = "transient"  # trying again can help
    PERMANENT = "permanent"  # trying again gives the same result
    RESOURCE = "resource"  # the machine was too small for it: the next attempt asks for less
    ENVIRONMENT = "environment"  # the surroundings are broken: the queue is held, and it costs the job no attempt


@dataclass(frozen=True, slots=True)
class Category:
    """One row of the catalogue."""

    failure_class: FailureClass
    sentence: str  # what happened, where nothing more exact is known
    advice: str  # what the user can do, in one or two sentences
    cause: str = ""  # why it happens, for the document
    final: bool = False  # nobody can ask for another attempt, through no door


_T, _P, _R, _E = FailureClass.TRANSIENT, FailureClass.PERMANENT, FailureClass.RESOURCE, FailureClass.ENVIRONMENT

_AGAIN = "It is tried again by itself."
_LOG = f"{_AGAIN} If it keeps failing, see the log of the job."

CATALOGUE: Mapping[str, Category] = {
    # what the user dropped
    "no_source_face": Category(
        _P,
        "No face was found in the photos of this face.",
        "Add a photo that shows the whole face from the front, with some space around it, then retry the job.",
        "The photo is cut too close, shows the face from the side, covered or very small, or holds no face at all.",
    ),
    "source_unreadable": Category(
        _P,
        "A photo of this face is missing or is no picture.",
        "Open the photos in the face's folder, put good copies in their place, then retry the job.",
        "The photo was removed while the job waited, or its content is not what its name says.",
    ),
    "no_target_face": Category(
        _P,
        "No face was found in the target.",
        "Use a target in which a face is seen from the front and is not too small.",
    ),
    "nobody_swapped": Category(
        _P,
        "The result shows the same faces as the target: nobody was swapped.",
        "Raise `reference_face_distance` to 0.6, or set `face_selector_mode` to `one`, then retry the job.",
        "The engine looked for one certain face and did not meet it, or was too strict in comparing.",
    ),
    "content_declined": Category(
        _P,
        "FaceFusion's content check declined this target.",
        "Use other material. This check cannot be switched off, and another attempt gives the same answer.",
        "FaceFusion looks at an image, or at one picture of each second of a video, and declines nudity.",
        final=True,
    ),
    "target_missing": Category(
        _P, "The target is no longer there.", "Drop the file into the inbox, or submit it, once more."
    ),
    "target_changed": Category(
        _P,
        "The target was changed while its job waited.",
        "Nothing to do in an inbox: the new content is a job of its own. What was submitted must be submitted again.",
    ),
    "target_unreadable": Category(
        _P,
        "The target cannot be read.",
        "Play the file to see whether it is whole, then drop a good copy of it.",
        "The file was cut off while it was copied, is damaged, or is something else than its name says.",
    ),
    "target_too_large": Category(_P, "The picture is too large.", "Make the picture smaller and drop it again."),
    "unsupported": Category(
        _P,
        "The engine does not take this kind of target.",
        "Convert the target to mp4, mkv, webm, jpg or png and drop it again.",
    ),
    "extension_mismatch": Category(
        _P,
        "The target and its result must have the same kind of file name.",
        "Rename the target so that its ending fits its content, for example `.jpg`, and drop it again.",
    ),
    "probe_failed": Category(
        _P,
        "The video does not say how long it is.",
        "Copy the video into a new container, for example with `ffmpeg -i in.mkv -c copy out.mp4`, and drop that.",
        "Recordings that were broken off, and some streams, carry no duration.",
    ),
    "path_unicode": Category(
        _P,
        "The engine cannot open a file because of the letters in its name.",
        "Rename the folder of the scratch or of FaceFusion so that it has plain letters only, then retry the job.",
    ),
    "audio_lost": Category(
        _P,
        "The sound of the target could not be kept.",
        "Convert the target to mp4 or mkv, which hold every kind of sound, and drop it again.",
        "The container does not allow the sound's coding.",
    ),
    "preset_unknown": Category(
        _P,
        "The preset of the job is no longer in the configuration.",
        "Put the preset back into the configuration and start the daemon again, then retry the job.",
    ),
    "person_missing": Category(
        _P,
        "The frame that the sidecar names does not show as many faces as its position counts.",
        "Name a frame in which every person is seen well from the front, and count the faces from the left, then retry "
        "the job.",
        "A `[[map]]` says by a frame, and a position among its faces, which person is meant.",
    ),
    # what the child did
    "child_died": Category(_T, "The engine's program ended in the middle of its work.", _LOG),
    "child_rubbish": Category(_T, "The engine's program gave an answer that makes no sense.", _LOG),
    "child_start": Category(
        _E,
        "The engine's program could not be started.",
        "Run `faceswapd doctor`: the engine's program could not be started.",
    ),
    "crashed": Category(
        _T,
        "The engine crashed.",
        f"{_AGAIN} If it keeps crashing, update the graphics driver.",
        "A fault in a driver or in a library, not in Python: the system ended the program.",
    ),
    "killed": Category(
        _R,
        "The engine was killed from outside.",
        "Close other programs, or lower `engine.slots` in the configuration. The next attempt asks for less memory.",
        "This is how Linux ends a program when the memory runs out.",
    ),
    "stopped": Category(_T, "The engine was asked to stop before it was done.", f"{_AGAIN} Nothing is to be done."),
    "stalled": Category(
        _T,
        "The engine made no progress.",
        f"{_AGAIN} If the machine was busy, raise `timeouts.no_progress`.",
    ),
    "slow_start": Category(
        _T,
        "The engine gave no sign of life.",
        f"{_AGAIN} If it keeps failing, raise `timeouts.first_output`: TensorRT can take minutes before its first job.",
    ),
    "overtime": Category(
        _P,
        "The job took longer than it may.",
        "Raise `timeouts.wall` in the configuration, or cut the video, then retry the job.",
    ),
    "interrupted": Category(
        _P,
        "The daemon went down too often in this job.",
        "The daemon went down three times in this job: try a smaller target, then retry.",
    ),
    "fast_fail": Category(
        _E,
        "Different jobs fail one after the other as soon as they start.",
        "Run `faceswapd doctor` to see what is broken. The queue goes on by itself when a job succeeds.",
        "Something in the installation or in the configuration is wrong for every job.",
    ),
    "out_of_memory": Category(
        _R,
        "The machine had too little memory.",
        "Close other programs or lower `engine.slots` in the configuration, then retry.",
        "Large pictures, many threads, or frames that are made faster than the encoder takes them.",
    ),
    "too_many_files": Category(
        _E,
        "The engine may not open as many files as it needs.",
        "Raise the limit of open files for the daemon, in systemd with `LimitNOFILE=65536`, and start it again.",
    ),
    # models
    "model_missing": Category(
        _E,
        "A model that FaceFusion needs is not there.",
        "Run `faceswapctl models pull`; `faceswapctl models` lists them. The queue goes on when all are there.",
        "The models were never fetched, were removed, or are fetched by a machine that has no network.",
    ),
    "model_corrupt": Category(
        _E,
        "A model file is damaged.",
        "Run `faceswapctl models pull`: it is fetched anew. The queue goes on when the model is there.",
        "A download was broken off, two programs fetched the same file at once, or the disk damaged it.",
    ),
    "model_load": Category(
        _R,
        "A model could not be loaded.",
        "Close other programs that use the graphics card. The next attempt asks for less memory.",
        "FaceFusion does not say why. Most often the graphics memory is full, else the file or the provider is broken.",
    ),
    "download_stalled": Category(
        _E,
        "The download of a model came to a stop.",
        "Look at the network and the space on the disk. The queue goes on by itself.",
        "FaceFusion waits for ever for a download that has died, so it was ended.",
    ),
    "download_failed": Category(
        _E,
        "A model could not be downloaded.",
        "Look at the network and the proxy, or bring the model's files by hand. The queue goes on by itself.",
    ),
    # the graphics card
    "gpu_oom": Category(
        _R,
        "The graphics card had too little memory.",
        "Close other programs that use the graphics card, or use the preset `fast`. The next attempt asks for less.",
        "Each thread costs about a gigabyte, and the pixel boost and the enhancer more.",
    ),
    "gpu_lost": Category(
        _E,
        "The graphics card stopped answering.",
        "Run `nvidia-smi`: when it fails, start the machine or the container again. The queue goes on by itself.",
        "A fault of the driver, a card that is too hot, or a container that lost its card.",
    ),
    "gpu_arch": Category(
        _E,
        "The installed ONNX Runtime has no code for this graphics card.",
        "Install FaceFusion again with another ONNX Runtime: `cuda@13` for new cards, `cuda@12` for old ones.",
    ),
    "gpu_runtime_missing": Category(
        _E,
        "The CUDA libraries do not fit the installed ONNX Runtime.",
        "Run `faceswapd doctor`: it names the pair of CUDA and cuDNN that is needed.",
        "A library of CUDA or cuDNN is missing, has another version, or the driver is too old.",
    ),
    "trt_missing": Category(
        _E,
        "The TensorRT libraries are missing.",
        "Take `tensorrt` out of `engine.facefusion.providers`, or install TensorRT for FaceFusion.",
    ),
    "provider_unavailable": Category(
        _E,
        "The installed FaceFusion does not offer this execution provider.",
        "Run `faceswapd doctor`: it names the providers that are offered. Else install FaceFusion again for your card.",
        "Its ONNX Runtime was installed for another kind of card, or was replaced by another package.",
    ),
    "provider_failed": Category(
        _T,
        "The execution provider could not compute a model.",
        f"{_AGAIN} If it keeps failing, set `engine.facefusion.providers` to `cpu`.",
        "Some models have parts that a provider, most often CoreML or DirectML, does not understand.",
    ),
    "silent_cpu": Category(
        _E,
        "FaceFusion runs on the processor although the graphics card was asked for.",
        "Run `faceswapd doctor`: it says which providers truly run. Update the driver, or choose `cpu`.",
        "The card's provider could not be started, and FaceFusion goes on without it and without a word.",
    ),
    "fp16_unsupported": Category(
        _P,
        "This graphics card cannot compute the half-precision model: faces come out black.",
        "Use the swapper model `inswapper_128` in place of `inswapper_128_fp16`, then retry the job.",
    ),
    "nvenc_limit": Category(
        _R,
        "The graphics card's video encoder could not be opened.",
        "Set `output_video_encoder` to `libx264`, or close other programs that record video.",
        "Cards allow few encodings at once, and the encoder needs a driver of its own.",
    ),
    # writing the result
    "encoder_missing": Category(
        _E,
        "FaceFusion's ffmpeg does not have the encoder that is asked for.",
        "Set `output_video_encoder` to `libx264`, or install an ffmpeg that has the encoder.",
    ),
    "encode_failed": Category(
        _R,
        "The frames could not be made into a video.",
        "Set `output_video_encoder` to `libx264` and look at the space on the disk.",
        "The encoder refused or ended; FaceFusion does not say why. A full disk looks the same.",
    ),
    "extract_failed": Category(
        _T,
        "The frames of the video could not be written to the disk.",
        f"{_AGAIN} If it keeps failing, convert the video to mp4 and drop it again.",
    ),
    "image_failed": Category(
        _T,
        "The picture could not be written.",
        f"{_AGAIN} If it keeps failing, convert the picture to png and drop it again.",
    ),
    "output_place": Category(
        _T,
        "The engine could not put its result where it belongs.",
        _LOG,
        "The folder of the result is gone, or another program touched it.",
    ),
    "nothing_made": Category(_T, "The engine ended without a result and without a reason.", _LOG),
    "output_damaged": Category(_T, "The result is not whole.", _LOG),
    # the installation
    "engine_missing": Category(
        _E,
        "FaceFusion is not where the configuration says.",
        "Set `engine.facefusion.root` to the folder that holds facefusion.py, then run `faceswapd doctor`.",
    ),
    "engine_altered": Category(
        _E,
        "FaceFusion's content check has been changed, and FaceFusion refuses to work.",
        "Install FaceFusion again, unchanged. The queue goes on by itself.",
        "FaceFusion compares the file of its content check with the one that it was released with.",
    ),
    "engine_python": Category(
        _E,
        "FaceFusion's Python lacks something that FaceFusion needs.",
        "Set `engine.facefusion.python` to the Python that FaceFusion was installed with, then run `faceswapd doctor`.",
    ),
    "engine_fault": Category(_T, "FaceFusion stumbled over a fault of its own.", _LOG),
    "dependency_missing": Category(
        _E,
        "A program that FaceFusion needs is not installed.",
        "Install ffmpeg (it brings ffprobe) and curl, and see that the daemon finds them on its PATH.",
    ),
    "numpy_abi": Category(
        _E,
        "FaceFusion's Python packages do not fit each other.",
        "Run FaceFusion's `install.py` again in its own environment, then run `faceswapd doctor`.",
        "A package that was built for one major version of NumPy met another.",
    ),
    "option_unknown": Category(
        _E,
        "The installed FaceFusion does not know an option.",
        "Run `faceswapd doctor`: the options of your presets may not fit this version of FaceFusion.",
    ),
    "bad_ini": Category(
        _E,
        "FaceFusion ended before it began, without a word.",
        "Look into `facefusion.ini` in FaceFusion's folder for a value that this machine does not offer, and empty it.",
        "A default in that file, such as an encoder of another machine, ends FaceFusion in silence.",
    ),
    "job_file": Category(
        _E,
        "FaceFusion did not take the job that it was given.",
        "Run `faceswapd doctor`: FaceFusion may have been updated. The queue goes on by itself.",
        "The job was written for another version, or FaceFusion was started in another folder.",
    ),
    # the surroundings
    "disk_full": Category(_E, "The disk is full.", "Make space on the disk. The queue goes on by itself."),
    "not_writable": Category(
        _E,
        "A folder does not allow writing.",
        "Give the daemon's user the right to write there. The queue goes on by itself.",
    ),
    "unknown": Category(_T, "It failed for a reason that is not known.", _LOG),
}
