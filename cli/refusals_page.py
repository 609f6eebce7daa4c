"""`docs/refusals.md`: every code by which anything is refused, read out of the places where it is refused.

No register is kept beside the code: it would be one more list to forget. A refusal whose code cannot be told from where
it is made stops the making of the page; so does one that has no words for whoever is refused.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple, get_args

from domain.policy.access import State
from domain.rule_set.model import RuleSet
from ingest.source_record import REMEDIES, Code

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("domain", "ingest", "projections", "adapters", "cli")
_TESTS_ALONE: Final = ("adapters/memory/",)
_ROOT_CLASS: Final = "ContactPointError"
_STATUS: Final = {"BadInput": 2, "Refused": 1}
_FAILED: Final = 3
_ADDED: Final = "…"
"""Stands for what is put into the words when they are said: never a value that was typed, by the rule for errors."""
_REMEDIES: Final = {str(code): words for code, words in REMEDIES.items()}


class Refusal(NamedTuple):
    """One way of being refused: the code, the status it ends with, and the words."""

    code: str
    status: int
    words: str


@dataclass(frozen=True, slots=True)
class _Maker:
    """What makes a refusal when it is called: an error class, or a function that hands code and words on to one.

    codes: the code where none is given; words: those it says itself, None where they are given with the call.
    """

    status: int
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] | None = None
    code_at: tuple[int | None, str] = (None, "code")
    words_at: tuple[int | None, str] = (0, "message")


@dataclass
class _Module:
    """One file: its constants, the names it imports, and what is in it."""

    path: str
    tree: ast.Module
    constants: dict[str, ast.expr] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, root: Path) -> "_Module":
        module = cls(path.relative_to(root).as_posix(), ast.parse(path.read_text("utf-8")))
        for node in module.tree.body:
            if isinstance(node, ast.AnnAssign | ast.Assign) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        module.constants[target.id] = node.value
            if isinstance(node, ast.ImportFrom) and node.module:
                place = node.module.replace(".", "/") + ".py"
                module.imported.update({one.asname or one.name: (place, one.name) for one in node.names})
        return module

    @cached_property
    def functions(self) -> list[ast.FunctionDef]:
        """Every function and method of the file."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)]

    @cached_property
    def calls(self) -> list[tuple[ast.Call, ast.FunctionDef | None]]:
        """Every call that is written in the file, with the function it stands in."""
        return list(_calls_within(self.tree))


class _Source:
    """The product's own text, as far as it is needed to find what it refuses with."""

    def __init__(self, root: Path) -> None:
        paths = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
        modules = [_Module.read(path, root) for path in paths]
        self.modules = {one.path: one for one in modules if not one.path.startswith(_TESTS_ALONE)}

    # Values

    def texts(self, value: ast.expr | None, module: _Module, within: ast.FunctionDef | None) -> set[str]:
        """Every text that an expression may be, as far as that is written; empty where it is not."""
        match value:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.JoinedStr(values=parts):
                return {"".join(self._part(part, module, within) for part in parts)}
            case ast.BinOp(left=left, right=right):
                ends = self.texts(right, module, within) or {_ADDED}
                begins = self.texts(left, module, within) or {_ADDED}
                return {begin + end for begin in begins for end in ends}
            case ast.IfExp(body=one, orelse=other):
                return self.texts(one, module, within) | self.texts(other, module, within)
            case ast.Name(id=name):
                return self._named(name, module, within)
            case ast.Attribute(value=ast.Name(id="Code"), attr=member):
                return {str(Code[member])}
            case ast.Call(func=ast.Name(id=name)):
                return self._returned(name, module)
            case _:
                return set()

    def _part(self, part: ast.expr, module: _Module, within: ast.FunctionDef | None) -> str:
        if isinstance(part, ast.FormattedValue):
            written = self.texts(part.value, module, within) if isinstance(part.value, ast.Name) else set()
            return next(iter(written)) if len(written) == 1 else _ADDED
        return next(iter(self.texts(part, module, within)))

    def _named(self, name: str, module: _Module, within: ast.FunctionDef | None) -> set[str]:
        found: set[str] = set()
        for node in ast.walk(within) if within else ():
            match node:
                case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                    found |= self.texts(value, module, within)
                case ast.AnnAssign(target=ast.Name(id=target), value=value) if target == name:
                    found |= self.texts(value, module, within)
                case _:
                    pass
        if found:
            return found
        if name in module.constants:
            return self.texts(module.constants[name], module, None)
        place, theirs = module.imported.get(name, ("", ""))
        return self._named(theirs, self.modules[place], None) if place in self.modules else set()

    def _returned(self, name: str, module: _Module) -> set[str]:
        place, theirs = module.imported.get(name, (module.path, name))
        there = self.modules.get(place)
        found: set[str] = set()
        for one in there.functions if there else ():
            if one.name == theirs:
                for node in ast.walk(one):
                    if isinstance(node, ast.Return):
                        found |= self.texts(node.value, there or module, one)
        return found

    # Who makes a refusal

    @cached_property
    def classes(self) -> dict[str, _Maker]:
        """Every error class, with its code, its status and, where it says them itself, its words."""
        makers = {_ROOT_CLASS: _Maker(_FAILED, ("error",))}
        defined = [
            (module, node)
            for module in self.modules.values()
            for node in module.tree.body
            if isinstance(node, ast.ClassDef)
        ]
        while True:
            before = len(makers)
            for module, node in defined:
                if node.name not in makers:
                    above = [makers[_name(base)] for base in node.bases if _name(base) in makers]
                    if above:
                        makers[node.name] = self._class(node, above[0], module)
            if len(makers) == before:
                return makers

    def _class(self, node: ast.ClassDef, above: _Maker, module: _Module) -> _Maker:
        codes, words = above.codes, above.words
        for one in node.body:
            match one:
                case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                    codes = (code,)
                case ast.FunctionDef(name="__init__") if node.name != _ROOT_CLASS:
                    said = [first for call in ast.walk(one) if (first := _said_by_itself(call)) is not None]
                    own = tuple(text for first in said for text in self.texts(first, module, one))
                    words = own or words
                case _:
                    pass
        return _Maker(_STATUS.get(node.name, above.status), codes, words)

    def makers(self, module: _Module) -> dict[str, _Maker]:
        """The same and, of this file, the functions that hand a code on to one of them."""
        found = dict(self.classes)
        found["Permission"] = _Maker(1, words_at=(2, "message"), code_at=(1, "rule"))
        while True:
            before = len(found)
            for call, within in module.calls:
                maker = found.get(_name(call.func))
                if maker and within and within.name not in found and within.name != "__init__":
                    found.update(self._handing_on(call, maker, module, within))
            if len(found) == before:
                return found

    def _handing_on(
        self, call: ast.Call, maker: _Maker, module: _Module, within: ast.FunctionDef
    ) -> dict[str, _Maker]:
        code, words = _argument(call, maker.code_at), _argument(call, maker.words_at)
        taken = [argument.arg for argument in within.args.args if argument.arg != "self"]
        given = code.id if isinstance(code, ast.Name) and code.id in taken else None
        says = words.id if isinstance(words, ast.Name) and words.id in taken else None
        if given is None and says is None:
            return {}
        return {
            within.name: _Maker(
                maker.status,
                codes=() if given else tuple(self.texts(code, module, within)) or maker.codes,
                words=None if says else tuple(self.texts(words, module, within)),
                code_at=_place(taken, given),
                words_at=_place(taken, says),
            )
        }

    # What is refused

    def refusals(self) -> Iterator[Refusal]:
        """Every refusal there is. Raises TypeError where a code or the words cannot be told from the place."""
        for module in self.modules.values():
            makers = self.makers(module)
            for call, within in module.calls:
                maker = makers.get(_name(call.func))
                if maker is not None and not _allows(call):
                    yield from self._made(call, maker, module, within, makers)

    def _made(
        self,
        call: ast.Call,
        maker: _Maker,
        module: _Module,
        within: ast.FunctionDef | None,
        makers: dict[str, _Maker],
    ) -> Iterator[Refusal]:
        given = _argument(call, maker.code_at)
        codes = self.texts(given, module, within) if given is not None else set(maker.codes)
        if not codes:
            if isinstance(given, ast.Attribute | ast.Call) or (within and within.name in makers):
                return  # handed on from where it was made, which is read by itself
            raise TypeError(f"{module.path}:{call.lineno}: write the code where the refusal is made")
        if maker.words is not None:
            words = set(maker.words)
        else:
            written = _argument(call, maker.words_at)
            words = self.texts(written, module, within)
            if not words and not isinstance(written, ast.Attribute | ast.Name | ast.Call):
                raise TypeError(f"{module.path}:{call.lineno}: write the words where the refusal is made")
        for code in codes:
            for one in words or {""}:
                yield Refusal(code, maker.status, one or _REMEDIES.get(code, ""))


def _calls_within(
    node: ast.AST, within: ast.FunctionDef | None = None
) -> Iterator[tuple[ast.Call, ast.FunctionDef | None]]:
    for below in ast.iter_child_nodes(node):
        if isinstance(below, ast.Call):
            yield below, within
        yield from _calls_within(below, below if isinstance(below, ast.FunctionDef) else within)


def _name(expression: ast.expr) -> str:
    match expression:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _argument(call: ast.Call, at: tuple[int | None, str]) -> ast.expr | None:
    place, name = at
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[place] if place is not None and place < len(call.args) else None


def _place(taken: Sequence[str], name: str | None) -> tuple[int | None, str]:
    return (None, "") if name is None else (taken.index(name), name)


def _said_by_itself(node: ast.AST) -> ast.expr | None:
    """The words that an error class gives to the class above it."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super"))), args=[first, *_]):
            return first
        case _:
            return None


def _allows(call: ast.Call) -> bool:
    """Whether this is the decision that somebody may."""
    allowed = _argument(call, (0, "allowed"))
    return isinstance(allowed, ast.Constant) and allowed.value is True


def refusals(root: Path = ROOT) -> list[Refusal]:
    """Every refusal of commands, by code, status and words; without those that today's conditions of access give."""
    return sorted(set(_Source(root).refusals()))


def conditions(rules: RuleSet) -> list[str]:
    """The codes of conditions of access that do not hold."""
    states = [state for state in get_args(State) if state != "holds"]
    return [
        f"{code}-{state}"
        for code, one in rules.conditions.items()
        if one.of != "authority"
        for state in states
    ]


def listed(rules: RuleSet) -> frozenset[str]:
    """Every code by which a command may be refused."""
    of_files = {str(code) for code in REMEDIES}
    return frozenset({one.code for one in refusals()} | set(conditions(rules)) | of_files)


def page(rules: RuleSet) -> str:
    """The document, of these rules."""
    return "\n".join([*_commands(), *_conditions(rules), *_items(), ""])


def _commands() -> Iterator[str]:
    yield "# Refusals"
    yield ""
    yield (
        "Made by `./dev docs` from the places in the code where anything is refused. Programs go by the code, which "
        "stays as it is; the words are for people and may be put better. Every refusal says what to do, and none holds "
        "a name, a day of birth, an address or a number of anybody. `…` stands for what is filled in: choices there "
        "are, a day of the rules, the name of a file or part of the system."
    )
    yield ""
    yield (
        "The status is the command's exit status: 1, it is not so or not allowed; 2, it was typed wrongly; 3, the "
        "system could not do it, and nothing was half done."
    )
    yield ""
    yield "| code | status | says |"
    yield "|---|--:|---|"
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for code, status, words in refusals():
        if words:
            found[code, status].append(_cell(words))
        else:
            found.setdefault((code, status), [])
    for (code, status), said in found.items():
        yield f"| `{code}` | {status} | {'<br>'.join(said) or 'what made it, in its own words'} |"
    yield ""


def _conditions(rules: RuleSet) -> Iterator[str]:
    yield "## Conditions of access"
    yield ""
    yield (
        "Where a condition of access does not hold, the code names it and how it stands (status 1); "
        "[who is let in](access.md) says what each is. A mediator's and a second person's own are told to themselves "
        "alone."
    )
    yield ""
    yield from _wrapped(conditions(rules))
    yield ""


def _items() -> Iterator[str]:
    yield "## Items of files"
    yield ""
    yield (
        "`load` refuses single items and takes the rest; each refusal names file, line, code and field. Where a person "
        "decides on an item that was held back, the command is refused with the same code (status 1)."
    )
    yield ""
    yield "| code | says |"
    yield "|---|---|"
    for code, words in sorted(REMEDIES.items()):
        yield f"| `{code}` | {_cell(words)} |"


def _wrapped(codes: Sequence[str]) -> Iterator[str]:
    yield ", ".join(f"`{code}`" for code in codes) + "."


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")
