"""Which model file is meant. Loads no torch: a mistyped name fails at once."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from degrade.schema import nearest
from srzoo.errors import UsageError

SUFFIX = ".safetensors"
SR_ROLES = ("generator", "l2h")  # names of products that make SR, first choice first
LR_ROLES = ("degrader", "h2l")
_FOREIGN = {".pth", ".pt", ".ckpt", ".bin", ".pkl"}  # read without running any code in them


def resolve_model(
    name: str | None = None,
    *,
    runs: Path = Path("runs"),
    option: str = "--model",
    roles: tuple[str, ...] = SR_ROLES,
) -> tuple[Path, str]:
    """The model file and a sentence that says which it is and why.

    Args:
        name: a model file or public checkpoint; a run folder, or `RUN:role` for another than its first product of
            `roles`; the name of a run below `runs`; the name of a shipped model. None: the run below `runs` whose
            network for SR was written last, else the shipped model.
        option: what the user wrote `name` after, for messages.
        roles: products that are meant where the user names none.

    Raises:
        UsageError: nothing of that name; the line names what there is.
    """
    if name is None:
        return _default(runs)
    path, _, role = name.partition(":")
    if Path(name).is_file():
        return Path(name), f"model {name}"
    for folder in (Path(name), Path(path), runs / path):
        if folder.is_dir():
            product = _product(folder, role if folder != Path(name) else "", roles)
            return product, f"model {product}"
    shipped = {key: file for file in shipped_models() for key in (file.stem, file.stem.partition("-")[2])}
    if name in shipped:
        return shipped[name], f"model {shipped[name].stem}, shipped with srzoo"
    if Path(name).suffix in {SUFFIX, *_FOREIGN} or "/" in name:
        raise UsageError(f"{option} {name}", "no such file or folder", "check the path")
    known = [folder.name for folder in _runs(runs)] + [file.stem for file in shipped_models()]
    cure = nearest(name, known) if known else "give a .safetensors or .pth file, or the folder of a run"
    raise UsageError(f"{option} {name}", "no such file, run or shipped model", cure)


def shipped_models() -> list[Path]:
    """The model files inside this package."""
    folder = resources.files("srzoo") / "weights"
    return sorted(Path(str(file)) for file in folder.iterdir() if file.name.endswith(SUFFIX)) if folder.is_dir() else []


def _default(runs: Path) -> tuple[Path, str]:
    found = _runs(runs)
    if found:
        newest = _product(found[-1], "", SR_ROLES)
        which = "the only run" if len(found) == 1 else f"the newest of {len(found)} runs"
        return newest, f"model {newest}, {which} under {runs}/"
    shipped = shipped_models()
    if not shipped:
        raise UsageError("--model", f"no run under {runs}/, and none is shipped", "give a .safetensors file or a run")
    return shipped[0], f"model {shipped[0].stem}, shipped with srzoo (no run under {runs}/)"


def _runs(runs: Path) -> list[Path]:
    """Run folders that have a network for SR, the one written last at the end."""
    files = [file for role in SR_ROLES for file in runs.glob(f"*/{role}{SUFFIX}") if file.is_file()]
    dated = {file.parent: file.stat().st_mtime_ns for file in files}
    return sorted(dated, key=lambda folder: (dated[folder], folder.name))


def _product(folder: Path, role: str, roles: tuple[str, ...]) -> Path:
    products = {file.stem: file for file in sorted(folder.glob(f"*{SUFFIX}"))}
    if not products:
        raise UsageError(folder, "has no model yet", "train it for longer, or choose another run")
    if role:
        if role not in products:
            raise UsageError(folder, f"has no '{role}'", nearest(role, products))
        return products[role]
    meant = next((products[one] for one in roles if one in products), None)
    if meant is not None:
        return meant
    if len(products) > 1:
        raise UsageError(folder, f"has {', '.join(products)}", f"say which, e.g. {folder}:{next(iter(products))}")
    return next(iter(products.values()))
