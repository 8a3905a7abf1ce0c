"""Code that does more than compute one tensor from others is refused, with its line."""

from __future__ import annotations

import pytest

from degrade.gate_torchscript.code import RefusedError, check_source

NAME = "__torch__.tests.Net"
HEAD = """\
class Net(Module):
  __parameters__ = []
  __buffers__ = []
  def forward(self: __torch__.tests.Net,
    image: Tensor,
    noise: Tensor) -> Tensor:
"""


def checked(*lines: str, head: str = HEAD, end: str = "    return image\n") -> tuple[str, ...]:
    body = "".join(f"    {line}\n" for line in lines)
    return check_source((head + body + end).encode(), qualified_name=NAME, num_constants=2)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["x = torch.conv2d(torch.cat([image, noise], 1), CONSTANTS.c0, CONSTANTS.c1, [1, 1], [1, 1])"],
        ["h, w, = torch.slice(torch.size(image), 2)", "x = torch.pad(image, [0, torch.remainder(w, 2), 0, -1])"],
        ["kept = annotate(List[Tensor], [])", "_0 = torch.append(kept, image)", "x = torch.cat(kept, 1)"],
        ["x = torch.slice(image, 0, 0, 9223372036854775807)", "y = torch.leaky_relu(x, 0.20000000000000001)"],
        ["x = torch.conv2d(image, CONSTANTS.c0)", "y = torch.relu_(x)", "z = torch.add_(torch.view(y, [1]), image)"],
        ["if torch.ne(torch.dim(image), 4):", "  x = torch.neg(image)", "else:", "  pass"],
        ['_0 = "it\\\'s {}"', 'ops.prim.RaiseException(torch.format(_0, 1), "builtins.ValueError")'],
        ["s = torch.size(image)", "n = torch.__range_length(2, torch.len(s), 1)", "for i in range(n):", "  k = s[i]"],
        ["x = torch.batch_norm(image, None, None, CONSTANTS.c0, CONSTANTS.c1, False, 0.1, 1e-05, True)"],
        ["x = torch.instance_norm(image, None, None, None, None, True, 0.1, 1e-05, True)"],
        ["x = torch.tensor([0.5], dtype=None, device=ops.prim.device(image))", "n = int(torch.size(image, 2))"],
    ],
)
def test_what_honest_degraders_say_is_accepted(lines: list[str]) -> None:
    assert checked(*lines) == ("image", "noise")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        # files, processes, devices
        ('torch.save(image, "canary")', "torch.save is not an operator"),
        ('x = torch.from_file("canary", True, 8)', "torch.from_file is not an operator"),
        ('x = ops.aten.save(image, "canary")', "ops.aten.save is not an operator"),
        ('x = ops.prim.rpc_async("worker", image)', "ops.prim.rpc_async is not an operator"),
        ("x = ops.c10d.broadcast_(image, 0)", "ops.c10d.broadcast_ is not an operator"),
        ("x = ops.symm_mem.one_shot_all_reduce(image)", "is not an operator"),
        ("x = torch.classes.fb.Net()", "torch.classes.fb.Net is not an operator"),
        ("print(image)", "print is not an operator"),
        ("ops.prim.Print(image)", "ops.prim.Print is not an operator"),
        # randomness and state
        ("x = torch.rand([1])", "torch.rand is not an operator"),
        ("x = torch.dropout(image, 0.5, True)", "torch.dropout is not an operator"),
        ("torch.manual_seed(1)", "torch.manual_seed is not an operator"),
        ("x = torch.relu_(image)", "may not be its own"),
        ("x = torch.add_(CONSTANTS.c0, image)", "may not be its own"),
        ("x = torch.relu_(torch.view(CONSTANTS.c0, [-1]))", "may not be its own"),
        ("x = torch.add(image, noise, out=CONSTANTS.c0)", "the argument out may not be used"),
        (
            "x = torch.batch_norm(image, None, None, CONSTANTS.c0, CONSTANTS.c1, True, 0.1, 1e-05, True)",
            "training mode",
        ),
        (
            "x = torch.batch_norm(image, None, None, CONSTANTS.c0, CONSTANTS.c1, noise, 0.1, 1e-05, True)",
            "training mode",
        ),
        ("x = torch.instance_norm(image, None, None, CONSTANTS.c0, CONSTANTS.c1, False, 0.1, 0.1, True)", "statistics"),
        ("x = torch.append(CONSTANTS.c0, image)", "only to a list of its own"),
        # what is hidden
        ('x = getattr(image, "data")', "getattr is not an operator"),
        ('x = getattr(torch, "save")', "getattr is not an operator"),
        ("x = self.weight", "`self.weight` may not be used"),
        ("x = image.data", "`image.data` may not be used"),
        ("x = (image).numpy()", "image.numpy is not an operator"),
        ("save = torch.save", "`torch.save` may not be used"),
        ("x = torch", "`torch` may not be used"),
        ("torch = image", "a variable named torch"),
        ("torch, x, = torch.size(image)", "a variable named torch"),
        ("x = __torch__.tests.evil(image)", "__torch__.tests.evil is not an operator"),
        ("x = image(noise)", "image is not an operator"),
        ("x = fork(image)", "fork is not an operator"),
        ("x = CONSTANTS.c2", "`CONSTANTS.c2` may not be used"),
        ("x = CONSTANTS", "`CONSTANTS` may not be used"),
        ("x = unknown", "`unknown` may not be used"),
        ("image.data = noise", "an assignment to image.data"),
        ("x = y = image", "an assignment to several targets"),
        ("x = unchecked_cast(__torch__.tests.Evil, image)", "the type __torch__.tests.Evil"),
        ("x = annotate(__torch__.torch.classes.fb.Net, image)", "the type"),
        ('ops.prim.RaiseException("no", "os.system")', "only an exception of Python's own"),
        # time and memory
        ("while True:", "may not be used"),
        ("for i in range(4097):", "a loop that may run for long"),
        ("for i in range(torch.size(image, 2)):", "a loop that may run for long"),
        ("for i in range(image):", "a loop that may run for long"),
        ("for i in [1, 2]:", "a loop that may run for long"),
        ("x = torch.zeros([1099511627776])", "torch.zeros is not an operator"),
        ("x = torch.arange(1099511627776)", "`1099511627776` may not be used"),
        ("x = torch.pad(image, [-1099511627776, 0])", "`1099511627776` may not be used"),
        # another language
        ("import os", "may not be used"),
        ("del image", "may not be used"),
        ("assert image", "may not be used"),
        ("raise image", "may not be used"),
        ("global torch", "may not be used"),
        ("with image:", "may not be used"),
        ("x : int = 1", "may not be used"),
        ("x = [y for y in image]", "may not be used"),
        ("x = lambda: image", "may not be used"),
        ("x = image if noise else image", "may not be used"),
        ("x = image.__class__", "may not be used"),
        ("x = [0][torch.save]", "may not be used"),
        ('"text"', "may not be used"),
        # text that two parsers could read in two ways
        ("pass # comment", "characters not used here"),
        ("pass; pass", "characters not used here"),
        ("x = 'text'", "characters not used here"),
        ('x = """text"""', "characters not used here"),
        ('x = f"{image}"', "characters not used here"),
        ('x = r"text"', "characters not used here"),
        ('x = "a\\\\"', "characters not used here"),
        ('x = "a\\"b"', "characters not used here"),
        ("x = torch.\\", "characters not used here"),
        ("x\t= image", "characters not used here"),
        ('x = "\t"', "characters not used here"),
        ("x = image\r", "characters not used here"),
        ("x = image\x0c", "characters not used here"),
        ("x = imåge", "outside ASCII"),
        ("x = 1_000", "characters not used here"),
        ("x = 0x10", "characters not used here"),
        ("x = 1j", "characters not used here"),
        ("x = image @ noise", "characters not used here"),
        ("x = image - noise", "may not be used"),
        ("x = (image", "cannot be read"),
    ],
)
def test_everything_else_is_refused_with_its_line(line: str, said: str) -> None:
    body = f"{line}\n      pass" if line.endswith(":") else line
    with pytest.raises(RefusedError) as refusal:
        checked("x = torch.neg(image)", body)
    assert said in refusal.value.what
    assert refusal.value.line in {8, 9} or "cannot be read" in said


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["if noise:", "  y = torch.neg(image)", "else:", '  torch.save(image, "canary")'], "torch.save"),
        (["def f(x: Tensor) -> Tensor:", "  return x"], "may not be used"),
        (["class Evil(Module):", "  pass"], "may not be used"),
        (["for i in range(2):", "  for j in range(2):", "    pass"], "a loop that may run for long"),
        (["l = [image]", "for i in range(4096):", "  _0 = torch.append(l, image)"], "a loop that may run for long"),
        (["n = torch.len([image])", "n = torch.len([image])", "for i in range(n):", "  pass"], "may run for long"),
        (["n = torch.len([image])", "n = torch.mul(n, 65536)", "for i in range(n):", "  pass"], "may run for long"),
        (["x = torch.neg(image)", "x = image", "y = torch.relu_(x)"], "may not be its own"),
        (["x = torch.add(image, 1)", "y = torch.relu_(x)", "x = image"], "may not be its own"),
        (["l = [image]", "x = torch.relu_(l[0])"], "may not be its own"),
        (["a, b, = torch.split(image, 1)", "x = torch.relu_(a)"], "may not be its own"),
    ],
)
def test_what_needs_more_than_a_line_is_seen(lines: list[str], said: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        checked(*lines)
    assert said in refusal.value.what


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("class Net(Module)", "class Evil(Module)", "expected class Net(Module)"),
        ("class Net(Module)", "class Net(NamedTuple)", "expected class Net(Module)"),
        ("class Net(Module)", "class Net(Module, metaclass=Evil)", "decorators or options"),
        ("class Net(", "x = 1\nclass Net(", "expected one class and nothing else"),
        ("__buffers__ = []\n", "__buffers__ = []\n  weight : Tensor\n", "not frozen"),
        ("__buffers__ = []\n", '__buffers__ = ["running_mean", ]\n', "not frozen"),
        ("__buffers__ = []\n", '__buffers__ = []\n  __annotations__["0"] = Tensor\n', "not frozen"),
        ("__buffers__ = []\n", "__buffers__ = []\n  __forward_hooks__ = []\n", "not frozen"),
        ("  def forward", "  def __setstate__", "a method __setstate__, only forward"),
        ("  def forward", "  def f(self: Net) -> int:\n    return 1\n  def forward", "a method f, only forward"),
        ("tests.Net,", "tests.Evil,", "forward: expected self"),
        ("noise: Tensor)", "noise: Optional[Tensor]=None)", "without defaults"),
        ("noise: Tensor)", "noise: Tensor=image)", "without defaults"),
        ("noise: Tensor)", "noise: List[Tensor])", "expected tensors in"),
        ("noise: Tensor)", "torch: Tensor)", "an argument named torch"),
        ("noise: Tensor)", "CONSTANTS: Tensor)", "an argument named CONSTANTS"),
        ("-> Tensor", "-> List[Tensor]", "one tensor out"),
    ],
)
def test_anything_but_one_class_with_one_forward_is_refused(before: str, after: str, said: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        checked(head=HEAD.replace(before, after))
    assert said in refusal.value.what


def test_deep_and_long_code_ends_in_a_refusal() -> None:
    for lines in (["x = " + "[" * 5000 + "]" * 5000], ["x = " + "1" * 5000], ["x = " + "torch.neg(" * 150 + "image"]):
        with pytest.raises(RefusedError):
            checked(*lines)
    chain = [f"x{n} = torch.view(x{n - 1}, [1])" for n in range(1, 300) for _ in range(2)]  # 2**300 ways back
    with pytest.raises(RefusedError, match=r"may not be its own|too deep"):
        checked("x0 = torch.neg(image)", *chain, "x = torch.relu_(x299)")


def test_a_forward_that_returns_nothing_is_refused() -> None:
    with pytest.raises(RefusedError, match="returns nothing"):
        checked(end="    pass\n")
