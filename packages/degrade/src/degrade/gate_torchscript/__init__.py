"""The static gate in front of `torch.jit.load`: what a TorchScript file may hold, checked without torch.

TorchScript is code, and loading already runs some of it: `__setstate__` of its classes, with operators that write any
file. So the gate accepts one shape of file and no other: a frozen module. That is one class without attributes, with
one method `forward`, whose weights are constants. Such a file runs nothing when it is loaded, and `forward` may only
call the operators of a list (`operators.py`).

The gate is the second lock, not the only one: a file must also be trusted (`degrade.trust`), since two readers of one
file can differ, and an honest operator can still ask for much memory.
"""

from degrade.gate_torchscript.check import Checked, check, check_code
from degrade.gate_torchscript.operators import OPERATORS

__all__ = ["OPERATORS", "Checked", "check", "check_code"]
