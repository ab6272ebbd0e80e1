"""Reading the corpus: YAML cards in, a checked `Corpus` out. Each problem is reported with its file and line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar, cast

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from advisor.errors import CorpusError
from advisor.knowledge.references import reference_problems
from advisor.models import (
    Check,
    Corpus,
    Dispute,
    EvidenceGrade,
    Gain,
    Guidance,
    Kind,
    Passage,
    PassageRole,
    Position,
    Scope,
    Sentence,
    Source,
    Stance,
    UncoveredTopic,
    Verdict,
)

# The C loader is six times faster; it is missing only where PyYAML was built without libyaml.
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _one_line(text: str) -> str:
    folded = " ".join(text.split())
    if not folded:
        raise ValueError("must not be empty")
    return folded


Text = Annotated[str, AfterValidator(_one_line)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")]
Reference = Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")]
Business = Literal["any", "local", "shop", "software", "publisher", "agency"]
Stage = Literal["any", "new", "established"]


class _Card(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


C = TypeVar("C", bound=_Card)
T = TypeVar("T")


class CheckCard(_Card):
    verdict: Verdict
    because: tuple[Reference, ...] = ()
    note: str = ""

    @model_validator(mode="after")
    def _decided(self) -> CheckCard:
        if self.verdict in ("qualified", "contradicted", "unsupported") and not (self.because and self.note.strip()):
            raise ValueError(f"a verdict of {self.verdict!r} needs `because` (the passages that decide it) and a `note`")
        return self


class PassageCard(_Card):
    id: Slug
    role: PassageRole
    stance: Stance
    text: Text
    where: Text
    evidence: EvidenceGrade
    check: CheckCard
    topics: tuple[Text, ...] = Field(min_length=1)
    asks: tuple[Text, ...] = Field(min_length=1, max_length=6)
    via: str = ""


class SourceCard(_Card):
    id: Slug
    title: Text
    publisher: Text
    author: str = ""
    url: str = Field(pattern=r"^https?://\S+$")
    published: str
    kind: Kind
    interest: Text
    gains_from: tuple[Gain, ...]
    standing: Text
    via: str = ""
    review_by: str = Field(pattern=r"^\d{4}(-\d{2}){0,2}$")
    passages: tuple[PassageCard, ...] = Field(min_length=1)


class SentenceCard(_Card):
    text: Text
    rests_on: tuple[Reference, ...] = Field(min_length=1)


class StepCard(SentenceCard):
    measure: Text


class AppliesTo(_Card):
    business: Business = "any"
    stage: Stage = "any"


class GuidanceCard(_Card):
    id: Slug
    asks: tuple[Text, ...] = Field(min_length=2)
    applies_to: AppliesTo = AppliesTo()
    answer: tuple[SentenceCard, ...] = Field(min_length=1, max_length=3)
    for_links: tuple[SentenceCard, ...] = ()
    for_signals: tuple[SentenceCard, ...] = ()
    evidence: tuple[SentenceCard, ...] = ()
    steps: tuple[StepCard, ...] = ()
    cautions: tuple[SentenceCard, ...] = ()
    disputes: tuple[Slug, ...] = ()


class PositionCard(_Card):
    says: Text
    holders: tuple[Reference, ...] = Field(min_length=1)
    interest: Text


class DisputeCard(_Card):
    id: Slug
    question: Text
    positions: tuple[PositionCard, ...] = Field(min_length=2)
    record: Text
    record_rests_on: tuple[Reference, ...] = Field(min_length=1)
    would_settle: Text


class UncoveredCard(_Card):
    topic: Text
    examples: tuple[Text, ...] = Field(min_length=1)


class ScopeCard(_Card):
    covered: tuple[Text, ...] = ()
    off_topic: tuple[Text, ...]
    uncovered: tuple[UncoveredCard, ...]


def corpus_files(folder: Path) -> tuple[Path, ...]:
    """All card files of a corpus folder in a fixed order."""
    found = [*sorted(folder.glob("sources/*.yaml")), *sorted(folder.glob("guidance/*.yaml"))]
    return (*found, *(path for name in ("disputes.yaml", "scope.yaml") if (path := folder / name).is_file()))


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
    sources = [card for path in sorted(folder.glob("sources/*.yaml")) for card in reader.one(path, SourceCard)]
    guidance = [card for path in sorted(folder.glob("guidance/*.yaml")) for card in reader.many(path, GuidanceCard)]
    disputes = list(reader.many(folder / "disputes.yaml", DisputeCard))
    scope = next(iter(reader.one(folder / "scope.yaml", ScopeCard)), ScopeCard(off_topic=(), uncovered=()))
    if reader.problems:
        raise CorpusError(reader.problems)
    corpus = _assemble(sources, guidance, disputes, scope, fingerprint)
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
    wanted = f"id: {passage or card}"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip().removeprefix("- ").replace('"', "") == wanted:
            return number
    return 0


def _assemble(
    sources: list[SourceCard], guidance: list[GuidanceCard], disputes: list[DisputeCard], scope: ScopeCard, fingerprint: str
) -> Corpus:
    read: list[Source] = []
    passages: list[Passage] = []
    for card in sources:
        source = Source(**card.model_dump(exclude={"passages"}))
        read.append(source)
        passages += [_passage(source, p) for p in card.passages]
    return Corpus(
        sources=tuple(read),
        passages=tuple(passages),
        guidance=tuple(_guidance(card) for card in guidance),
        disputes=tuple(_dispute(card) for card in disputes),
        scope=Scope(
            covered=scope.covered,
            off_topic=scope.off_topic,
            uncovered=tuple(UncoveredTopic(topic=u.topic, examples=u.examples) for u in scope.uncovered),
        ),
        fingerprint=fingerprint,
    )


def _passage(source: Source, card: PassageCard) -> Passage:
    check = Check(verdict=card.check.verdict, because=card.check.because, note=" ".join(card.check.note.split()))
    fields = card.model_dump(exclude={"id", "check"})
    return Passage(id=f"{source.id}/{card.id}", source=source, check=check, **fields)


def _guidance(card: GuidanceCard) -> Guidance:
    parts = ("answer", "for_links", "for_signals", "evidence", "steps", "cautions")
    sentences = {part: tuple(Sentence(**s.model_dump()) for s in getattr(card, part)) for part in parts}
    return Guidance(
        id=card.id,
        asks=card.asks,
        business=card.applies_to.business,
        stage=card.applies_to.stage,
        disputes=card.disputes,
        **sentences,
    )


def _dispute(card: DisputeCard) -> Dispute:
    positions = tuple(Position(**p.model_dump()) for p in card.positions)
    return Dispute(positions=positions, **card.model_dump(exclude={"positions"}))
