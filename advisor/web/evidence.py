"""The evidence behind an answer: one card a source, with the words marked that carry each sentence."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.models import Answer, Citation
from advisor.text import STOPWORDS, WORD, stem, stems
from advisor.web.sanitize import is_link, text
from advisor.web.words import CHECKS, EVIDENCE, KINDS, KINDS_EXPLAINED, readable_date

# Small words between two marked ones are marked with them, so that phrases are seen and not loose words.
LONGEST_BRIDGE = 3


def panel_markup() -> str:
    """The empty panel: its heading and close button, the place for cards, and what the kinds mean."""
    kinds = "".join(f'<li><span class="kind kind-{kind}">{word}</span> {text(KINDS_EXPLAINED[kind])}</li>' for kind, word in KINDS.items())
    return (
        '<header class="panel-head"><h2 id="panel-title">Evidence</h2>'
        '<button type="button" class="quiet close" data-close="evidence" aria-label="Close the evidence panel">Close</button></header>'
        '<div class="cards" id="cards"></div>'
        '<div class="legend" id="legend"><p>Each number in an answer opens the passage behind it here, with who published it and what '
        f"they stand to gain.</p><h3>Kinds of source</h3><ul>{kinds}</ul></div>"
    )


def cards_markup(answer: Answer) -> str:
    """All cards of an answer, hidden inside its turn; the page shows copies of them in the panel."""
    cards = "".join(_card(citation, dict(_sentences_citing(answer, citation.number))) for citation in answer.citations)
    return f'<div class="evidence-store" hidden>{cards}</div>' if cards else ""


def _sentences_citing(answer: Answer, number: int) -> Iterator[tuple[str, str]]:
    """The key and text of each sentence that cites this number."""
    for s, section in enumerate(answer.sections):
        for n, sentence in enumerate(section.sentences):
            if number in sentence.citations:
                yield sentence_key(s, n), sentence.text


def sentence_key(section: int, sentence: int) -> str:
    """The name by which a citation button and the passage variants of its card find each other."""
    return f"{section}-{sentence}"


def _card(citation: Citation, citing: dict[str, str]) -> str:
    passages = "".join(
        f'<p class="passage" data-sentence="{key}" hidden>{marked(citation.quote, sentence)}</p>' for key, sentence in citing.items()
    )
    published = readable_date(citation.published)
    where = f'<p class="where"><b>Where</b> {text(citation.where)}</p>' if citation.where else ""
    title = text(citation.title)
    if is_link(citation.url):
        title = f'<a href="{text(citation.url)}">{title}<span class="unseen"> (opens the source in a new tab)</span></a>'
    return (
        f'<section class="card kind-{citation.kind}" data-cite="{citation.number}" tabindex="-1" '
        f'aria-label="Source {citation.number}: {text(citation.publisher)}">'
        f'<p class="card-top"><span class="number">{citation.number}</span> '
        f'<span class="kind kind-{citation.kind}">{KINDS[citation.kind]}</span> <span class="date">{text(published)}</span></p>'
        f'<h3>{text(citation.publisher)}</h3><p class="title">{title}</p>'
        f'<p class="interest"><b>Interest</b> {text(citation.interest)}</p>'
        f'<p class="passage" data-sentence="">{text(citation.quote)}</p>{passages}'
        f'<p class="grades"><span><b>Evidence</b> {EVIDENCE[citation.evidence]}</span> '
        f'<span class="verdict verdict-{citation.check}"><b>Check</b> {CHECKS[citation.check]}</span></p>{where}'
        f'<p class="more"><a href="#/source/{text(citation.passage_id)}">All of this source in the Library</a></p></section>'
    )


def marked(passage: str, sentence: str) -> str:
    """The passage as HTML with `mark` around the words whose stems the sentence shares."""
    parts: list[str] = []
    end = 0
    for start, stop in _runs(passage, frozenset(stems(sentence))):
        parts += [_keeping_edges(passage[end:start]), f"<mark>{text(passage[start:stop])}</mark>"]
        end = stop
    return "".join([*parts, _keeping_edges(passage[end:])])


def _runs(passage: str, wanted: frozenset[str]) -> list[tuple[int, int]]:
    """Where the shared words stand; those parted only by a few small words are one run."""
    runs: list[tuple[int, int]] = []
    for match in WORD.finditer(_lower(passage)):
        word = match.group()
        if word in STOPWORDS or stem(word) not in wanted:
            continue
        if runs and _is_bridge(passage[runs[-1][1] : match.start()]):
            runs[-1] = (runs[-1][0], match.end())
        else:
            runs.append((match.start(), match.end()))
    return runs


def _is_bridge(gap: str) -> bool:
    between = WORD.findall(_lower(gap))
    return len(between) <= LONGEST_BRIDGE and all(word in STOPWORDS for word in between) and not set(gap) & set(".;:!?()")


def _lower(value: str) -> str:
    """Lower case with every character in its place: a few letters would become two."""
    return "".join(low if len(low := ch.lower()) == 1 else ch for ch in value.replace("’", "'"))


def _keeping_edges(part: str) -> str:
    """Escaped text whose outer spaces stay, since it stands between marked words."""
    before = " " if part[:1].isspace() else ""
    after = " " if part[-1:].isspace() and part.strip() else ""
    return f"{before}{text(part)}{after}"
