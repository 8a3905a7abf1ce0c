"""The blur kernels that a degrader of DML's kind mixes, and how much of each a pixel gets, taken out of its file.

Such a degrader filters by a few kernels and sums up the results, weighed pixel by pixel by a network that sees the
image (Xiao et al., "Degradation model learning for real-world single image super-resolution", equations 2 and 3). A
frozen module gives that sum alone. But its code is plain text, and the sum, the product and the filters stand in it. So
the same file with another last line, `return` of the weights or of the filters, gives these to the bit, whatever
network it is. The changed code passes the gate once more, of a file that is trusted.

Other ways would need another format (numbers in the card, a second method), ask to be believed (the card's), or give
something else: the derivative of LR by the image contains that of the weights.
"""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from degrade.archive import Archive, unpacked
from degrade.errors import UsageError
from degrade.gate_torchscript import check
from degrade.image import Image
from degrade.ops.learned.model import result_of
from degrade.trust import admit

_CONVOLUTIONS = {"torch.conv2d", "torch._convolution"}  # of a scripted module, of a traced one


@dataclass(frozen=True)
class Mixture:
    """`basis` (N, K, K), taps as the pixels they weigh; `maps` (N, H, W): the weight of each kernel at every pixel."""

    basis: NDArray[np.float32]
    maps: NDArray[np.float32]

    def kernel(self, y: int, x: int) -> NDArray[np.float32]:
        """(K, K): what blurs the pixel (y, x)."""
        return np.tensordot(self.maps[:, y, x], self.basis, 1)

    def mean_kernel(self) -> NDArray[np.float32]:
        """(K, K): the mean over all pixels."""
        return np.tensordot(self.maps.mean((1, 2)), self.basis, 1)


def mixture_of(path: Path, image: Image) -> Mixture:
    """What the degrader file `path` mixes for `image` (H, W, 3), whose sides are multiples that its card asks for.

    Raises:
        UsageError: no such file, no torch, or a degrader that mixes no kernels.
        IntegrityError: no degrader file; UnsafeFileError: refused, or not trusted.
    """
    archive = unpacked(path, admit(path).data)
    (source,) = (name for name in archive.entries if name.startswith("code/") and name.endswith(".py"))
    code = archive.entries[source].decode()
    terms = set(_mixed(ast.parse(code)))
    if len(terms) == 1:
        weights, filters = terms.pop()
        planes = np.ascontiguousarray(image.transpose(2, 0, 1), np.float32)
        kernels = result_of(_returning(archive, source, filters), planes)
        if kernels.ndim == 4 and kernels.shape[1] == 1 and kernels.shape[2] == kernels.shape[3] > 1:
            return Mixture(kernels[:, 0], result_of(_returning(archive, source, weights), planes)[0])
    raise UsageError(path, "mixes no kernels", "give a degrader of DML's kind (network `basis_kernels`)")


def _mixed(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Weights and filters, as the code calls them, of each sum over the channels of weights times filtered image."""
    if sum(isinstance(node, ast.Return) for node in ast.walk(tree)) != 1:
        return
    values = _values(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(args=[summed, ast.List(elts=[ast.Constant(value=1)]), *_]) if _is_call(node, {"torch.sum"}):
                product = _meant(summed, values)
                if isinstance(product, ast.Call) and _is_call(product, {"torch.mul"}) and len(product.args) == 2:
                    for weights, filtered in (product.args, product.args[::-1]):
                        made = _meant(filtered, values)
                        if isinstance(made, ast.Call) and _is_call(made, _CONVOLUTIONS) and _is_constant(made.args[1]):
                            yield ast.unparse(weights), ast.unparse(made.args[1])


def _values(tree: ast.Module) -> Mapping[str, ast.expr]:
    """What stands behind each variable that is assigned once."""
    assigned: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned.setdefault(node.targets[0].id, []).append(node.value)
    return {name: values[0] for name, values in assigned.items() if len(values) == 1}


def _meant(node: ast.expr, values: Mapping[str, ast.expr]) -> ast.expr:
    return values.get(node.id, node) if isinstance(node, ast.Name) else node


def _is_call(node: ast.Call, names: set[str]) -> bool:
    return ast.unparse(node.func) in names


def _is_constant(node: ast.expr) -> bool:
    return ast.unparse(node).startswith("CONSTANTS.")


def _returning(archive: Archive, source: str, expression: str) -> bytes:
    """The file whose `forward` ends by returning `expression`, which the gate has let in."""
    code = archive.entries[source].decode()
    (last,) = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Return))
    lines = code.splitlines()
    lines[last.lineno - 1 : last.end_lineno] = [f"{' ' * last.col_offset}return {expression}"]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        for name, data in {**archive.entries, source: ("\n".join(lines) + "\n").encode()}.items():
            written.writestr(zipfile.ZipInfo(f"degrader/{name}"), data)
    check(unpacked(archive.path, file.getvalue()))
    return file.getvalue()
