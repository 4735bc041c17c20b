"""One function a request about FaceFusion's models."""

from faceswapd.control.live import House, ModelsDoor
from faceswapd.control.refusal import Refused
from faceswapd.control.wire import messages, model_messages
from faceswapd.engines.facefusion.model_store import Inventory, ModelLine, StoreRefused
from faceswapd.engines.facefusion.models import MEGABYTE, Condition


async def models(house: House) -> model_messages.Models:
    """GET /api/models."""
    try:
        return _told(await _door(house).list())
    except StoreRefused as error:
        raise _refusal(error) from error


async def pull(house: House) -> messages.Done:
    """POST /api/models/pull."""
    try:
        return messages.Done(await _door(house).pull())
    except StoreRefused as error:
        raise _refusal(error) from error


async def verify(house: House) -> model_messages.Models:
    """POST /api/models/verify."""
    try:
        return _told(await _door(house).verify())
    except StoreRefused as error:
        raise _refusal(error) from error


async def prune(house: House, *, remove: bool) -> model_messages.Pruned:
    """POST /api/models/prune."""
    try:
        pruned = await _door(house).prune(remove=remove)
    except StoreRefused as error:
        raise _refusal(error) from error
    size = sum(file.size for file in pruned.files)
    many = "1 file" if len(pruned.files) == 1 else f"{len(pruned.files)} files"
    if pruned.kept_apart:
        text = "The models' folder is a link to another place, so nothing of it is removed."
    elif not pruned.files:
        text = "There is nothing that no preset needs."
    elif pruned.removed:
        text = f"{many} that no preset needs ({size / MEGABYTE:,.0f} MB) removed."
    else:
        text = (
            f"{many} that no preset needs ({size / MEGABYTE:,.0f} MB). `faceswapctl models prune --yes` removes them."
        )
    files = [model_messages.Unneeded(str(file.path), file.size) for file in pruned.files]
    return model_messages.Pruned(files, size, pruned.removed, text)


def _door(house: House) -> ModelsDoor:
    if house.models is None:
        raise StoreRefused("No FaceFusion is set up, so there are no models.", "Run `faceswapd setup`.")
    return house.models


def _refusal(error: StoreRefused) -> Refused:
    return Refused(409, str(error), error.advice)


def _told(inventory: Inventory) -> model_messages.Models:
    pulling, failure = inventory.pulling, inventory.failure
    return model_messages.Models(
        facefusion=inventory.label,
        folder=str(inventory.folder),
        models=[_line(line) for line in inventory.lines],
        whole=inventory.whole,
        sentence=inventory.sentence,
        missing=inventory.missing,
        pulling=None if pulling is None else model_messages.Pulling(pulling.name, pulling.done, pulling.total),
        problem=None if failure is None else failure.sentence,
        advice=None if failure is None else failure.advice,
        notices=list(inventory.notices),
    )


def _line(line: ModelLine) -> model_messages.Model:
    state = line.state
    return model_messages.Model(
        name=state.file.name,
        path=str(state.file.path),
        state=str(state.condition),
        presets=list(line.presets),
        needed_by=state.file.needed_by,
        size=state.file.expected if state.condition is Condition.MISSING else state.size,
        licence=line.licence.name,
        non_commercial=line.licence.non_commercial,
    )
