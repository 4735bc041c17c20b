"""A video read frame by frame, each picture upright, with the sound's packets between them."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import av
import av.error
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import Type
from av.stream import Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from faceswapd.children.serve import Refusal
from faceswapd.engines.preview.detect import Picture
from faceswapd.engines.preview.refusals import unreadable

# Only files, and only containers that hold the media themselves: a playlist that is named .mp4 stays shut.
OPEN_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegvideo,mpegts,mxf,asf",
}


# For each of decoder and encoder. Left to themselves they take more than one a core, and on a large machine their
# stacks alone would fill the child's address space.
CODEC_THREADS = min(8, os.cpu_count() or 1)

# Quoted, since only the stubs know a packet's class as generic.
Sound: TypeAlias = "Packet[AudioStream]"
Item: TypeAlias = "av.VideoFrame | Packet[AudioStream]"


@dataclass(frozen=True, slots=True)
class Target:
    """An opened video."""

    path: Path
    container: InputContainer
    video: VideoStream  # the main one
    sounds: tuple[AudioStream, ...]  # all of them

    def __iter__(self) -> Iterator[Item]:
        """Every frame that can be decoded and every packet of sound, as they come.

        Damaged frames are left out. Raises Refusal when the file breaks off before the first frame.
        """
        frames = 0
        try:
            for packet in self.container.demux(self.video, *self.sounds):
                if packet.stream.index != self.video.index:
                    if packet.size:  # the last one, empty, only says that the stream ends
                        yield cast("Sound", packet)
                    continue
                for frame in _decoded(packet):
                    frames += 1
                    yield frame
        except MemoryError:
            raise
        except IndexError:
            return  # PyAV, at the end, when a stream appeared that had not been there at the start
        except (av.error.FFmpegError, OSError) as error:  # which of them, decides the damage
            if not frames:
                raise unreadable(self.path, error) from error


def open_video(path: Path) -> Target:
    """Open a video without trusting it. The caller closes its container. Raises Refusal."""
    try:
        container = av.open(path, "r", options=OPEN_OPTIONS)
    except FileNotFoundError:
        raise Refusal("target_missing", "The target is not there any more.") from None
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        why = error if isinstance(error, av.error.FFmpegError) else "its texts are damaged"
        raise unreadable(path, why) from error
    pictures = [stream for stream in container.streams.video if _is_moving(stream)]
    if not pictures:
        container.close()
        raise unreadable(path, "it holds no video")
    main = max(pictures, key=_rank)
    main.thread_type = "AUTO"
    main.codec_context.thread_count = CODEC_THREADS
    return Target(path, container, main, tuple(container.streams.audio))


def upright(frame: av.VideoFrame) -> Picture:
    """The frame's picture as a player shows it: (height, width, 3), BGR, 8 bits."""
    picture = np.asarray(frame.to_ndarray(format="bgr24", threads=1), np.uint8)
    return np.ascontiguousarray(turn_of(frame)(picture))


def turn_of(frame: av.VideoFrame) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """What a player does to the coded picture: a turn by right angles, perhaps mirrored."""
    return _TURNS.get(_signs(frame), _as_it_is)


def is_sideways(frame: av.VideoFrame) -> bool:
    """Whether a player shows the coded picture's width as its height."""
    return _signs(frame)[0] == 0


def _signs(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """The display matrix's four numbers a, b, c, d as signs: a pixel's (x, y) goes to (ax + cy, bx + dy)."""
    for data in frame.side_data:
        if getattr(data, "type", None) == Type.DISPLAYMATRIX:
            a, b, _, c, d = np.frombuffer(bytes(data)[:20], np.int32) / 65536  # type: ignore[arg-type]
            signs = (_sign(a), _sign(b), _sign(c), _sign(d))
            return signs if signs in _TURNS else (1, 0, 0, 1)
    return (1, 0, 0, 1)


def _sign(value: float) -> int:
    return 0 if abs(value) < 0.7 else 1 if value > 0 else -1  # turns by odd angles count as none


def _as_it_is(picture: NDArray[Any]) -> NDArray[Any]:
    return picture


_TURNS: dict[tuple[int, ...], Callable[[NDArray[Any]], NDArray[Any]]] = {
    (1, 0, 0, 1): _as_it_is,
    (0, 1, -1, 0): lambda picture: np.rot90(picture, 3),
    (-1, 0, 0, -1): lambda picture: np.rot90(picture, 2),
    (0, -1, 1, 0): lambda picture: np.rot90(picture, 1),
    (-1, 0, 0, 1): lambda picture: picture[:, ::-1],
    (1, 0, 0, -1): lambda picture: picture[::-1],
    (0, 1, 1, 0): lambda picture: np.swapaxes(picture, 0, 1),
    (0, -1, -1, 0): lambda picture: np.swapaxes(picture, 0, 1)[::-1, ::-1],
}


def _decoded(packet: "Packet[Any]") -> list[av.VideoFrame]:
    try:
        return [frame for frame in packet.decode() if isinstance(frame, av.VideoFrame)]
    except MemoryError:
        raise
    except av.error.FFmpegError:  # a damaged frame, whatever FFmpeg calls it: the next ones may be whole
        return []


def _is_moving(stream: VideoStream) -> bool:
    """Whether the stream is a video that can be decoded, and no cover."""
    known: object = stream.codec_context  # None for a codec that FFmpeg does not know, which the stubs leave out
    return known is not None and not stream.disposition & Disposition.attached_pic


def _rank(stream: VideoStream) -> tuple[bool, int, int]:
    return bool(stream.disposition & Disposition.default), stream.width * stream.height, -stream.index
