"""A degrader learned from photographs: a TorchScript file, run on the image.

A model is a function of tensors alone: its noise comes from the stream, addressed by the pixel's place, and its example
from a folder of photographs. So a pair is made again to the bit, on one machine and kind of device.
"""

from degrade.ops.learned.op import Learned, LearnedDraw

__all__ = ["Learned", "LearnedDraw"]
