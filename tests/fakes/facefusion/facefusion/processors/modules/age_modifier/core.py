# ruff: noqa: TID252  a root stands alone: its package is not tests.fakes.facefusion.facefusion there
from ...processor import Processor

_PROCESSOR = Processor("age_modifier")
pre_check = _PROCESSOR.pre_check
pre_process = _PROCESSOR.pre_process
process_frame = _PROCESSOR.process_frame
post_process = _PROCESSOR.post_process
scale = _PROCESSOR.scale
