"""The code of a frozen TorchScript module against a list: one class, one `forward`, known operators.

The text is read with Python's parser, the file later by TorchScript's own. So first the text itself is held to tokens
that both read alike: no comments, no prefixes of strings, no escapes but `\\'`, no continued lines.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from degrade.gate_torchscript.operators import (
    CASTS,
    FRESH,
    IN_PLACE,
    KEYWORDS,
    OPERATORS,
    PRIMITIVES,
    RESERVED,
    TYPES,
    VIEWS,
)

MAX_BYTES = 1 << 20  # a hundred layers are 20,000
MAX_NUMBER = 1 << 16  # of whole numbers: sizes, strides and paddings are small
MAX_ROUNDS = 4096  # of a loop
_TO_THE_END = (1 << 63) - 1  # how a slice without an end is written

_TOKEN = re.compile(
    r"[A-Za-z_][A-Za-z0-9_]*(?![A-Za-z0-9_\"'])"
    r"|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.\"'])"
    r"|\"(?:[ !#-\[\]-~]|\\')*\"(?!\")"
    r"|->|[()\[\].,:=\- \n]"
)
_CONSTANT = re.compile(r"c(?:0|[1-9][0-9]{0,4})")
_BODY = ("__parameters__ = []", "__buffers__ = []")


class RefusedError(Exception):
    """What may not stand in the code, and in which line."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(line, what)
        self.line, self.what = line, what


def check_source(source: bytes, *, qualified_name: str, num_constants: int) -> tuple[str, ...]:
    """The names of the tensors that `forward` takes, if `source` is the code of a frozen module and nothing else.

    Args:
        source: of the class `qualified_name`, such as `__torch__.srzoo.degraders.h2l.H2L`.
        num_constants: how many tensors the file holds beside the code.

    Raises:
        RefusedError: anything else stands there.
    """
    tree = _parsed(source)
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.ClassDef):
        raise RefusedError(_line(tree.body[-1]) if tree.body else 1, "expected one class and nothing else")
    forward = _only_method(tree.body[0], qualified_name.rpartition(".")[2])
    names = _parameters(forward, qualified_name)
    try:
        _Body(forward, names, num_constants).check()
    except RecursionError:
        raise RefusedError(forward.lineno, "nested too deep") from None
    return names


def _parsed(source: bytes) -> ast.Module:
    if len(source) > MAX_BYTES:
        raise RefusedError(1, f"{len(source):,} bytes of code, at most {MAX_BYTES:,} are read")
    place = 0
    try:
        text = source.decode("ascii")
    except UnicodeDecodeError as error:
        raise RefusedError(source[: error.start].count(b"\n") + 1, "a character outside ASCII") from None
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise RefusedError(text[:place].count("\n") + 1, f"characters not used here: {text[place : place + 20]!r}")
        place = token.end()
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise RefusedError(error.lineno or 1, f"cannot be read: {error.msg}") from None
    except (RecursionError, MemoryError, ValueError):
        raise RefusedError(1, "cannot be read: nested too deep, or a number too long") from None


def _only_method(cls: ast.ClassDef, name: str) -> ast.FunctionDef:
    if cls.name != name or [ast.unparse(base) for base in cls.bases] != ["Module"]:
        raise RefusedError(cls.lineno, f"expected class {name}(Module)")
    if cls.keywords or cls.decorator_list or getattr(cls, "type_params", None):
        raise RefusedError(cls.lineno, "a class with decorators or options")
    *attributes, method = cls.body
    for statement in cls.body:
        if isinstance(statement, ast.FunctionDef) and statement.name != "forward":
            raise RefusedError(statement.lineno, f"a method {statement.name}, only forward may be there")
    if tuple(map(ast.unparse, attributes)) != _BODY:
        raise RefusedError(cls.lineno, "a class with attributes or more than one method: not frozen")
    if not isinstance(method, ast.FunctionDef):
        raise RefusedError(_line(method), "expected the method forward")
    return method


def _parameters(forward: ast.FunctionDef, qualified_name: str) -> tuple[str, ...]:
    """`image` and what follows it; each a tensor, without default."""
    given, line = forward.args, forward.lineno
    if forward.decorator_list or getattr(forward, "type_params", None):
        raise RefusedError(line, "forward: decorators or type parameters")
    if given.posonlyargs or given.vararg or given.kwonlyargs or given.kwarg or given.defaults or not given.args:
        raise RefusedError(line, "forward: expected plain arguments, without defaults")
    kinds = [ast.unparse(argument.annotation) if argument.annotation else "nothing" for argument in given.args]
    returned = ast.unparse(forward.returns) if forward.returns else "nothing"
    if given.args[0].arg != "self" or kinds[0] != qualified_name:
        raise RefusedError(line, f"forward: expected self: {qualified_name}")
    if {*kinds[1:], returned} != {"Tensor"} or len(kinds) == 1:
        raise RefusedError(line, f"forward: expected tensors in and one tensor out, got {kinds[1:]} and {returned}")
    names = tuple(argument.arg for argument in given.args[1:])
    for name in names:
        if name in RESERVED:
            raise RefusedError(line, f"forward: an argument named {name}")
    return names


class _Body:
    """The statements of one `forward`."""

    def __init__(self, forward: ast.FunctionDef, parameters: Sequence[str], num_constants: int) -> None:
        self.statements = forward.body
        self.num_constants = num_constants
        self.own: set[str] = set()  # variables known to hold memory made here
        self.values: dict[str, list[ast.expr | None]] = {name: [None] for name in parameters}  # None: not known
        for node in ast.walk(forward):
            if isinstance(node, ast.Assign):
                for name in _targets(node.targets):
                    value = node.value if isinstance(node.targets[0], ast.Name) else None
                    self.values.setdefault(name, []).append(value)
            elif isinstance(node, ast.For):
                for name in _targets([node.target]):
                    self.values.setdefault(name, []).append(None)

    def check(self) -> None:
        self._block(self.statements)
        if not isinstance(self.statements[-1], ast.Return):
            raise RefusedError(_line(self.statements[-1]), "forward returns nothing")

    def _block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            match statement:
                case ast.Pass():
                    continue
                case ast.Assign(value=value) | ast.Return(value=ast.expr() as value):
                    self._expression(value)
                case ast.Expr(value=ast.Call() as call):
                    self._expression(call)
                case ast.If(test=test, body=body, orelse=orelse):
                    self._expression(test)
                    self._block(body)
                    self._block(orelse)
                case ast.For(target=ast.Name(), orelse=[]):
                    self._check_bounded(statement)
                    self._block(statement.body)
                case _:
                    raise RefusedError(_line(statement), f"{_called(statement)} may not be used")

    def _expression(self, node: ast.expr) -> None:
        match node:
            case ast.Constant(value=bool() | str() | None, kind=None) | ast.Constant(value=float()):
                return
            case ast.Constant(value=int() as number) if number <= MAX_NUMBER or number == _TO_THE_END:
                return
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float()) as number):
                self._expression(number)
            case ast.Name(id=name) if name in self.values:
                return
            case ast.Attribute(value=ast.Name(id="CONSTANTS"), attr=name) if self._is_constant(name):
                return
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                for part in parts:
                    self._expression(part)
            case ast.Subscript(value=ast.Name() as name, slice=(ast.Name() | ast.Constant() | ast.UnaryOp()) as index):
                self._expression(name)
                self._expression(index)
            case ast.Call():
                self._call(node)
            case _:
                raise RefusedError(_line(node), f"{_called(node)} may not be used")

    def _call(self, call: ast.Call) -> None:
        name, arguments = ast.unparse(call.func), call.args
        kind, _, operator = name.rpartition(".")
        for keyword in call.keywords:
            if keyword.arg not in KEYWORDS:
                raise RefusedError(call.lineno, f"{name}: the argument {keyword.arg} may not be used")
            self._expression(keyword.value)
        if name == "uninitialized":
            raise RefusedError(call.lineno, "a value that is never set; trace the module instead of scripting it")
        if name in {"annotate", "unchecked_cast"} and len(arguments) == 2:
            _check_type(arguments[0])
            arguments = arguments[1:]
        elif kind == "torch" and operator in IN_PLACE:
            self._check_own(call, name)
        elif name == "torch.append":
            if not arguments or not isinstance(arguments[0], ast.Name):
                raise RefusedError(call.lineno, "torch.append: only to a list of its own")
        elif name == "torch.batch_norm":
            if len(arguments) != 9 or call.keywords or not _is(arguments[5], False):
                raise RefusedError(call.lineno, "torch.batch_norm: in training mode it changes its own statistics")
        elif name == "torch.instance_norm":
            if len(arguments) != 9 or call.keywords or not (_is(arguments[3], None) and _is(arguments[4], None)):
                raise RefusedError(call.lineno, "torch.instance_norm: with running statistics it may change them")
        elif name == "ops.prim.RaiseException":
            self._check_message(call)
        elif not (
            (kind == "torch" and operator in OPERATORS)
            or (kind == "ops.prim" and operator in PRIMITIVES)
            or (name in CASTS and len(arguments) == 1)
        ):
            raise RefusedError(call.lineno, f"{name[:60]} is not an operator that a degrader may use")
        for argument in arguments:
            self._expression(argument)

    def _is_constant(self, name: str) -> bool:
        return _CONSTANT.fullmatch(name) is not None and int(name[1:]) < self.num_constants

    def _check_own(self, call: ast.Call, name: str) -> None:
        if not call.args or not self._is_own(call.args[0]):
            raise RefusedError(call.lineno, f"{name}: overwrites a tensor that may not be its own")

    def _is_own(self, value: ast.expr | None) -> bool:
        """The value was made here: neither an input nor a weight, nor a view of them."""
        match value:
            case ast.Name(id=name):
                values = [] if name in self.own else self.values.get(name, [None])
                self.own.add(name)  # a first false ends the check, so nobody sees it if that was too early
                return all(map(self._is_own, values))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr=operator), args=[first, *_]):
                return operator in FRESH | IN_PLACE or (operator in VIEWS and self._is_own(first))
        return False

    def _check_bounded(self, loop: ast.For) -> None:
        """It runs over the length of a list that does not grow meanwhile, and holds no loop."""
        match loop.iter:
            case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int() as rounds)], keywords=[]):
                is_bounded = rounds <= MAX_ROUNDS
            case ast.Call(func=ast.Name(id="range"), args=[ast.Name(id=name)], keywords=[]):
                values = self.values.get(name, [])
                is_bounded = len(values) == 1 and isinstance(values[0], ast.Call) and _is_length(values[0])
            case _:
                is_bounded = False
        for node in ast.walk(loop):
            is_inner = isinstance(node, ast.For) and node is not loop
            if is_inner or (isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.append"):
                is_bounded = False
        if not is_bounded:
            raise RefusedError(loop.lineno, "a loop that may run for long")

    def _check_message(self, call: ast.Call) -> None:
        kind = call.args[1] if len(call.args) == 2 else None
        if not isinstance(kind, ast.Constant) or not str(kind.value).startswith("builtins."):
            raise RefusedError(call.lineno, "ops.prim.RaiseException: only an exception of Python's own")


def _targets(targets: list[ast.expr]) -> Iterator[str]:
    """The variables that are assigned to."""
    if len(targets) != 1:
        raise RefusedError(_line(targets[0]), "an assignment to several targets")
    parts = targets[0].elts if isinstance(targets[0], ast.Tuple) else targets
    for part in parts:
        if not isinstance(part, ast.Name):
            raise RefusedError(_line(part), f"an assignment to {ast.unparse(part)[:60]}, not a variable")
        if part.id in RESERVED:
            raise RefusedError(part.lineno, f"a variable named {part.id}")
        yield part.id


def _is_length(value: ast.Call) -> bool:
    """The value is the length of a list, or of a stretch of it."""
    name = ast.unparse(value.func)
    if name == "torch.len":
        return True
    match value.args:
        case [ast.Constant(value=int()), ast.Call() as length, ast.Constant(value=int() as step)]:
            return name == "torch.__range_length" and step > 0 and ast.unparse(length.func) == "torch.len"
    return False


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _check_type(node: ast.expr) -> None:
    for part in ast.walk(node):
        named = isinstance(part, ast.Name) and part.id in TYPES
        if not named and not isinstance(part, ast.Subscript | ast.Tuple | ast.Load):
            raise RefusedError(_line(node), f"the type {ast.unparse(node)[:60]} may not be used")


def _called(node: ast.AST) -> str:
    """What the reader of an error finds in that line."""
    text = ast.unparse(node).splitlines()[0]
    return f"`{text[:60]}`"


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 1)
