"""Reading the corpus: YAML cards in, a checked `Corpus` out. Each problem is reported with its file and line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar, cast

import yaml
from pydantic import TypeAdapter, ValidationError

from advisor.errors import CorpusError
from advisor.knowledge.convert import Cards, to_corpus
from advisor.knowledge.references import reference_problems
from advisor.knowledge.schema import Card, CurveCard, DisputeCard, GuidanceCard, PlaybookCard, ScopeCard, SourceCard, TermCard
from advisor.models import Corpus

C = TypeVar("C", bound=Card)
T = TypeVar("T")

# The C loader is six times faster; it is missing only where PyYAML was built without libyaml.
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def corpus_files(folder: Path) -> tuple[Path, ...]:
    """All card files of a corpus folder in a fixed order."""
    found = [path for name in ("sources", "guidance", "playbooks") for path in sorted(folder.glob(f"{name}/*.yaml"))]
    single = ("disputes.yaml", "glossary.yaml", "ctr-curves.yaml", "scope.yaml")
    return (*found, *(path for name in single if (path := folder / name).is_file()))


def corpus_fingerprint(folder: Path) -> str:
    """SHA-256 over the names and bytes of the card files.

    Raises:
        CorpusError: The folder holds no cards or cannot be read.
    """
    digest = hashlib.sha256()
    files = corpus_files(folder)
    if not files:
        raise CorpusError([f"{folder}: no cards here; set ADVISOR_CORPUS_DIR to the corpus folder"])
    for path in files:
        try:
            content = path.read_bytes()
        except OSError as exc:
            raise CorpusError([f"{path}: cannot be read: {exc.strerror}"]) from exc
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def read_corpus(folder: Path) -> Corpus:
    """Read and check every card.

    Raises:
        CorpusError: With one line ("file:line: what") for each problem in any file.
    """
    fingerprint = corpus_fingerprint(folder)
    reader = _Reader(folder)
    cards = Cards(
        sources=[card for path in sorted(folder.glob("sources/*.yaml")) for card in reader.one(path, SourceCard)],
        guidance=[card for path in sorted(folder.glob("guidance/*.yaml")) for card in reader.many(path, GuidanceCard)],
        playbooks=[card for path in sorted(folder.glob("playbooks/*.yaml")) for card in reader.one(path, PlaybookCard)],
        disputes=list(reader.many(folder / "disputes.yaml", DisputeCard)),
        terms=list(reader.many(folder / "glossary.yaml", TermCard)),
        curves=list(reader.many(folder / "ctr-curves.yaml", CurveCard)),
        scope=next(iter(reader.one(folder / "scope.yaml", ScopeCard)), ScopeCard(off_topic=(), uncovered=())),
    )
    if reader.problems:
        raise CorpusError(reader.problems)
    corpus = to_corpus(cards, fingerprint)
    problems = [reader.place(place, message) for place, message in reference_problems(corpus)]
    if problems:
        raise CorpusError(problems)
    return corpus


class _Reader:
    """Reads card files, gathers problems, and remembers on which line each card and passage stands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self._lines: dict[str, str] = {}

    def one(self, path: Path, card: type[C]) -> Iterator[C]:
        yield from self._read(path, TypeAdapter(card))

    def many(self, path: Path, card: type[C]) -> Iterator[C]:
        for cards in self._read(path, TypeAdapter(tuple[card, ...])):  # type: ignore[valid-type]
            yield from cast("tuple[C, ...]", cards)

    def place(self, ident: str, message: str) -> str:
        """A problem with the place of the card, passage or entry that has this id."""
        for path in corpus_files(self.folder):
            line = _line_of_id(path, ident)
            if line:
                return f"{path.relative_to(self.folder)}:{line}: {message}"
        return f"{ident}: {message}"

    def _read(self, path: Path, adapter: TypeAdapter[T]) -> Iterator[T]:
        if not path.is_file():
            return
        name = path.relative_to(self.folder)
        try:
            text = path.read_text(encoding="utf-8")
            content = yaml.load(text, Loader=_Loader)
        except UnicodeDecodeError as exc:
            self.problems.append(f"{name}:1: is not UTF-8 text (byte {exc.start})")
            return
        except yaml.YAMLError as exc:
            mark = getattr(exc, "problem_mark", None)
            line = mark.line + 1 if mark else 1
            self.problems.append(f"{name}:{line}: is not valid YAML: {getattr(exc, 'problem', None) or exc}")
            return
        try:
            yield adapter.validate_python(content)
        except ValidationError as exc:
            tree = yaml.compose(text)
            for error in exc.errors(include_url=False):
                where = ".".join(str(part) for part in error["loc"])
                message = error["msg"].removeprefix("Value error, ")
                self.problems.append(f"{name}:{_line(tree, error['loc'])}: {where or 'card'}: {message}")


def _line(node: yaml.Node | None, loc: tuple[int | str, ...]) -> int:
    """The line of the deepest node that a pydantic error location reaches; a missing field is placed at its card."""
    line = 1
    for part in loc:
        if node is None:
            break
        line = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == part]
            if not found:
                return line
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line


def _line_of_id(path: Path, ident: str) -> int:
    """The line on which a card or passage gives itself this id, or 0."""
    card, _, passage = ident.partition("/")
    if passage and path.stem != card:
        return 0
    wanted = {f"id: {passage or card}", f"term: {card}"}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip().removeprefix("- ").replace('"', "") in wanted:
            return number
    return 0
