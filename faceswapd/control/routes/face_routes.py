"""Faces over the API: photos come, are looked at and shown, and persons go."""

import asyncio
import contextlib
import shutil
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from faceswapd.children.shield import to_the_end
from faceswapd.control import requests
from faceswapd.control.files import face_folder
from faceswapd.control.files.face_folder import LinkError
from faceswapd.control.files.form import MEDIA_TYPE, Begun, Data, form_of, lingering
from faceswapd.control.files.photos import begin_photo, check_photos
from faceswapd.control.files.places import ElsewhereError, Found, open_below
from faceswapd.control.files.receiving import Receiving, check_room
from faceswapd.control.live import House
from faceswapd.control.operation import Hears, Operation, Parameter
from faceswapd.control.refusal import Refused
from faceswapd.control.routes.file_routes import picture, storage_of
from faceswapd.control.views import faces_told
from faceswapd.control.wire.face_messages import FaceAdded, FaceRemoved
from faceswapd.core.face_name import problem_of
from faceswapd.core.intake import is_photo
from faceswapd.ledger import files, standing

MOST_PHOTOS: Final = 20  # of one request
_SHOWN: Final = 5


def _name_of(request: Request) -> str:
    """The face that the path names, as it may be called. Raises Refused."""
    name: str = request.path_params["name"]
    problem = problem_of(name)
    if problem is not None:
        raise Refused(400, f"A face cannot be called {name[:40]!r}: the name {problem}.")
    return name


def _faces_of(house: House) -> Path:
    """The faces folder. Raises Refused where nobody knows what lies there."""
    problem = faces_told(house.live())
    if problem is not None:
        raise Refused(409, problem, "Ask again when it is there.")
    return storage_of(house).settings.faces


async def _add(house: House, request: Request) -> FaceAdded:
    name, faces = _name_of(request), _faces_of(house)
    try:
        await asyncio.to_thread(face_folder.name_of, faces, name)  # before anything is sent in vain
        aside = await asyncio.to_thread(face_folder.aside, faces)
    except LinkError:
        raise _is_link(name) from None
    except OSError as error:
        raise Refused(409, f"The faces folder cannot be written to: {error.strerror}.") from None
    try:
        photos = await _received(house, request, aside)
        await check_photos(house, photos)
        try:
            placed = await to_the_end(asyncio.to_thread(face_folder.place, faces, name, [one.path for one in photos]))
            there = await asyncio.to_thread(face_folder.name_of, faces, name)
        except LinkError:
            raise _is_link(name) from None
        except OSError as error:
            raise Refused(409, f"The photos cannot be put into the faces folder: {error.strerror}.") from None
    finally:
        await to_the_end(asyncio.to_thread(shutil.rmtree, aside, ignore_errors=True))
    house.orders.look()
    count = "1 photo was" if len(placed) == 1 else f"{len(placed)} photos were"
    return FaceAdded(there or name, placed, f"{count} added to the face '{there or name}'.")


def _is_link(name: str) -> Refused:
    return Refused(409, f"In the faces folder '{name}' is a link.", "Put a folder in its place.")


async def _received(house: House, request: Request, folder: Path) -> list[Receiving]:
    """All photos of the form, written aside. Raises Refused."""
    kept_free = int(storage_of(house).settings.limits.disk_free)
    await asyncio.to_thread(check_room, folder, requests.length(request), kept_free)
    photos: list[Receiving] = []
    try:
        async for event in form_of(request):
            match event:
                case Begun(part, file):
                    if part != "photo" or file is None:
                        raise Refused(400, f"The form has a part {part[:40]!r}; it is to have files called `photo`.")
                    photos.append(await begin_photo(folder, len(photos), file, MOST_PHOTOS, kept_free))
                case Data(data):
                    await photos[-1].add(data)
                case _:
                    await photos[-1].finish()
    finally:
        for one in photos:
            one.close()
    if not photos:
        raise Refused(400, "The form has no file called `photo`.")
    return photos


async def _remove(house: House, request: Request) -> FaceRemoved:
    name, faces = _name_of(request), _faces_of(house)
    needing = await files.jobs_needing_face(house.ledger, name)
    if needing:
        numbers = ", ".join(str(one) for one in needing[:_SHOWN]) + (" ..." if len(needing) > _SHOWN else "")
        which = f"Job {numbers} needs" if len(needing) == 1 else f"{len(needing)} jobs ({numbers}) need"
        raise Refused(409, f"{which} the face '{name}'.", "Cancel them, or wait until they have ended.")
    try:
        gone = await to_the_end(asyncio.to_thread(face_folder.remove, faces, name))
    except OSError as error:
        raise Refused(409, f"The face '{name}' cannot be removed: {error.strerror}.") from None
    if not gone:
        raise Refused(404, f"There is no face '{name}'.")
    await standing.forget_face(house.ledger, name)
    house.orders.look()
    return FaceRemoved(name, f"The face '{name}' is removed, with its photos.")


async def _photo(house: House, request: Request) -> Response:
    name, faces = _name_of(request), _faces_of(house)
    photo: str = request.path_params["photo"]
    if not is_photo(photo) or not photo.isprintable() or "/" in photo:
        raise Refused(404, f"The face '{name}' has no photo {photo[:40]!r}.")
    storage = storage_of(house)
    found = await requests.while_heard(request, _opened(faces, name, photo))
    status = found.status
    key = f"{status.st_dev}-{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"
    return await picture(storage, request, found, key)


async def _opened(faces: Path, name: str, photo: str) -> Found:
    def find() -> Found:
        folder = face_folder.name_of(faces, name)
        if folder is not None:
            with contextlib.suppress(FileNotFoundError):
                return open_below([faces / folder], str(faces / folder / photo))
        if photo in face_folder.loose_photos(faces, name):
            return open_below([faces], str(faces / photo))
        raise FileNotFoundError

    try:
        return await asyncio.to_thread(find)
    except (OSError, ElsewhereError, LinkError):
        raise Refused(404, f"The face '{name}' has no photo {photo[:40]!r}.") from None


NAME = Parameter("name", {"type": "string", "minLength": 1}, "the face's name", "path", required=True)
PHOTO = Parameter("photo", {"type": "string", "minLength": 1}, "the photo's file name", "path", required=True)
PHOTOS = Hears(
    MEDIA_TYPE,
    {
        "type": "object",
        "required": ["photo"],
        "properties": {
            "photo": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_PHOTOS,
                "items": {"type": "string", "format": "binary"},
            }
        },
    },
)

OPERATIONS = (
    Operation(
        "POST", "/api/faces/{name}", lingering(_add), "Photos are added to a face, which is made where it lacks.",
        FaceAdded, PHOTOS, parameters=(NAME,), status=201, refusals=(400, 408, 409, 413, 415, 422, 507),
    ),
    Operation(
        "DELETE", "/api/faces/{name}", _remove, "A face is removed, with its photos.", FaceRemoved,
        parameters=(NAME,), refusals=(400, 404, 409),
    ),
    Operation(
        "GET", "/api/faces/{name}/photos/{photo}", _photo, "A small picture of a face's photo.", "image/jpeg",
        parameters=(NAME, PHOTO), refusals=(400, 404, 409, 422),
    ),
)  # fmt: skip
