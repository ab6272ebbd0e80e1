"""Understanding a question: cleaning, spelling, intent, and making a follow-up stand alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from advisor.answer.lexicon import FIELD_WORDS, Lexicon
from advisor.index.encoder import Encoder
from advisor.index.generation import GUIDANCE, Index
from advisor.models import Intent, Question, Turn
from advisor.text import clean, stem, stems, words

# A follow-up that is this near to a covered question by itself is a new question, whatever word it opens with; one that is short or
# points back with a pronoun must be nearer.
STANDS_ALONE_COSINE = 0.66
FRAGMENT_STANDS_ALONE_COSINE = 0.8
FRAGMENT_WORDS = 5
# A text of so many words that is so surely off topic is another subject, not a follow-up.
SHORTEST_SUBJECT_WORDS = 3
OTHER_SUBJECT_PROBABILITY = 0.9
# A word in fewer than about one passage in twenty: ln(1 + 20).
RARE_FROM = 3.0

INTENT_PATTERNS: Final[tuple[tuple[Intent, str], ...]] = (
    ("verify", r"\b(is it (really )?true|true or false|is it (a )?(myth|fact)|myth|debunk|fact.?check|i (read|heard|saw|was told)|"
               r"(someone|they|(my|our|an?|the) (boss|agency|client|seo|consultant|developer|friend|colleague|manager|guy|article|blog|post|vendor|seller|expert)) (says?|claims?|told (me|us)|said)|claims? that|who says|legit)\b"),
    ("compare", r"^(should|shall|do|does|is|are|can|could|would)\b.*\bor (?!(not|no|is|else|so|any)\b)|"
                r"\b(vs\.?|versus|compared? (to|with)|better than|or (should|fix|improve|work|focus|invest|rather)|rather than|instead of|"
                r"which (is|one|matters?|counts?|has|of)|more important|matters? more|difference between|balance|split|prioriti[sz]e|trade.?off)\b"),
    ("how_to", r"^(how (do|can|should|would|to|might)|what should|what (do|can) (i|we) do|what to do|where (do|should) (i|we) (start|begin))|"
               r"\b(step.by.step|steps|plan|checklist|help me|tips|best way|how (do|can|should) (i|we)|what (should|can|do) (i|we)|what next)\b"),
    ("figure", r"\b(how (many|much|long|often|fast|big|high|low|soon)|what (percent(age)?|share|number|rate|ctr)|average|typical|usual|normal|benchmark|(good|bad|low|high) (ctr|click.through rate|rate) (for|at|in)|"
               r"statistics?|percent(age)?)\b"),
    ("define", r"^(what('?s| is| are| does)( an?| the)? [\w\s/&-]{2,40}(mean|meaning|stand for)?\??$|define\b|meaning of|explain what)|"
               r"\b(meaning|definition|stands? for|what does .* mean)\b"),
    ("decide", r"^(should|can|could|do|does|did|is|are|was|were|will|would|has|have|am|may|must|ought)\b|"
               r"\b(should (i|we)|worth (it|the)|is it (ok|okay|safe|worth|bad|good|legal|allowed)|can (i|we)|do (i|we) (need|have))\b"),
)  # fmt: skip
_INTENTS: Final = tuple((intent, re.compile(pattern, re.IGNORECASE)) for intent, pattern in INTENT_PATTERNS)

GREETING = re.compile(
    r"^(hi+|hello+|hey+|hiya|good (morning|afternoon|evening|day)|greetings|howdy|yo|thanks?( you)?( (so|very) much| a lot)?|thx|ty|cheers|"
    r"(that('s| was| is) )?(great|perfect|awesome|nice|cool|helpful|very helpful)|ok(ay)?|got it|bye|goodbye|see you|"
    r"how are you( doing)?( today)?|who are you|what are you|what can you do|help)"
    r"([ ,!.?]+(there|all|everyone|advisor|again|thanks?( you)?|that('s| was| is) (great|helpful|perfect)|friend|a lot|so much|for (the|your) help))*[ !.?,]*$",
    re.IGNORECASE,
)
OPENER = re.compile(
    r"^(and|but|so|also|then|ok(ay)?|what about|how about|what if|and what|or|even|same|for|in case|if so|"
    r"why( not)?|how come|really|are you sure|since when|says who|who says|any (source|proof|evidence)|more|tell me more|explain)\b[,:]?",
    re.IGNORECASE,
)
BACK_REFERENCE = re.compile(
    r"\b(instead|otherwise|then|next|it|its|that|this|those|these|they|them|their|there|the same|one|ones|such|either|both|neither|above|former|latter)\b",
    re.I,
)
POINTS_BACK = re.compile(
    r"\b(it|its|that|they|them|those|these|ones?)\b(?! (true|ok|okay|safe|worth|possible|better|legal|bad|good)\b)", re.IGNORECASE
)
AUDIENCE = re.compile(r"^(and |but |what about |how about |what if (it'?s |i'?m |we'?re )?|so )*(for|with|on|in|as) ", re.IGNORECASE)
OPENING_WORDS = re.compile(r"^((and|but|so|also|then|ok(ay)?|or|what about|how about|and what about)\b[,:]?\s*)+", re.IGNORECASE)

BUSINESS: Final[dict[str, re.Pattern[str]]] = {
    "local": re.compile(r"\b(local|plumber|dentist|restaurant|cafe|salon|map pack|google maps|near me|brick.and.mortar|bakery|clinic|lawyer)\b", re.I),
    "shop": re.compile(r"\b(e-?commerce|online (shop|store)|web ?shop|shopify|product pages?|(my|our) (shop|store)|category pages?|retailer)\b", re.I),
    "software": re.compile(r"\b(saas|software|b2b|startup|app)\b", re.I),
    "publisher": re.compile(r"\b(publisher|news site|magazine|newspaper|bloggers?|media site|editorial site)\b", re.I),
    "agency": re.compile(r"\b(client|clients|agency owner|our agency)\b", re.I),
}  # fmt: skip


def intent_of(question: str) -> Intent:
    """What kind of answer a question asks for; the first pattern that fits decides."""
    return next((intent for intent, pattern in _INTENTS if pattern.search(question)), "explain")


def is_smalltalk(question: str) -> bool:
    """Whether this is a greeting, thanks, or a question about the advisor itself."""
    return bool(GREETING.match(question))


def business_of(question: str) -> str:
    """The kind of business that a question names, or "any"."""
    return next((kind for kind, pattern in BUSINESS.items() if pattern.search(question)), "any")


def understand(asked: str, history: Sequence[Turn], index: Index, encoder: Encoder, lexicon: Lexicon) -> Question:
    """The question as it will be searched: cleaned, spelt, and, when it leans on the conversation, made to stand alone."""
    question = lexicon.corrected(clean(asked))
    topic = next((turn.searched for turn in reversed(history) if turn.status == "answered"), "")
    if topic and _leans_on_conversation(question, index, encoder):
        searched = stand_alone(question, topic)
        bare = OPENING_WORDS.sub("", question)
        focus = tuple(s for s in _rare_stems(bare, index) if s not in stems(topic))
        parts = (bare,) if focus and not AUDIENCE.match(question) else ()
        return Question(
            asked=asked,
            searched=searched,
            intent=_follow_up_intent(question, topic),
            is_follow_up=True,
            parts=parts,
            focus=focus,
            shown=tuple(turn.guidance for turn in history[-2:] if turn.guidance) if _asks_for_more(bare) else (),
            spelled_out=lexicon.spelled_out(searched),
            names_a_term=lexicon.names_a_term(searched),
        )
    return Question(
        asked=asked,
        searched=question,
        intent=intent_of(question),
        spelled_out=lexicon.spelled_out(question),
        names_a_term=lexicon.names_a_term(question),
    )


def _follow_up_intent(question: str, topic: str) -> Intent:
    own = intent_of(question)
    return own if own != "explain" or re.match(r"(?i)why|how come|explain|any (source|proof)", question) else intent_of(topic)


def _leans_on_conversation(question: str, index: Index, encoder: Encoder) -> bool:
    """Whether a question makes sense only after another: by its opening, a pronoun, or its length, and only if nothing covers it alone."""
    bare = OPENING_WORDS.sub("", question)
    if _changes_the_subject(bare, index, encoder):
        return False
    if AUDIENCE.match(question):
        return True
    leans = bool(OPENER.match(question) or BACK_REFERENCE.search(question)) or len(words(question)) < FRAGMENT_WORDS
    if not leans:
        return False
    if len(stems(bare)) < 2 and len(words(bare)) < 4 and not _names_the_field(bare):
        return True
    hits = index.dense.search(GUIDANCE, encoder.encode([bare or question]), top_k=5)
    fragment = len(words(bare)) < FRAGMENT_WORDS or bool(POINTS_BACK.search(bare))
    return not hits or hits[0].cosine < (FRAGMENT_STANDS_ALONE_COSINE if fragment else STANDS_ALONE_COSINE)


def _asks_for_more(text: str) -> bool:
    """Whether a follow-up asks for something by itself: "how can I raise it" does, "why?" and "for a local shop" do not."""
    return bool(stems(text)) and not AUDIENCE.match(text)


def _changes_the_subject(text: str, index: Index, encoder: Encoder) -> bool:
    """Whether a text says enough by itself to be off topic, so that it must not borrow a topic from the conversation.

    Half of its content words must be such as no passage holds: "how long until it pays off" is off topic only by itself.
    """
    content = stems(text)
    foreign = sum(not index.passage_words.knows(s) for s in content)
    if 2 * foreign < max(len(content), 1) or POINTS_BACK.search(text) or len(words(text)) < SHORTEST_SUBJECT_WORDS:
        return False
    return index.scope.judge(encoder.encode([text])[0]).off_topic >= OTHER_SUBJECT_PROBABILITY


def _rare_stems(text: str, index: Index) -> tuple[str, ...]:
    """The stems of a text that some passages hold, but few: a search for one of them is a search for something."""
    known = (s for s in dict.fromkeys(stems(text)) if index.passage_words.knows(s))
    return tuple(s for s in known if index.passage_words.rarity(s) >= RARE_FROM)


def _names_the_field(text: str) -> bool:
    return any(w in FIELD_WORDS or stem(w) in {"link", "click", "ctr", "rank"} for w in words(text))


def stand_alone(follow_up: str, topic: str) -> str:
    """A follow-up joined to the question that it leans on."""
    topic = topic.split(" (about: ")[-1].rstrip(")") if " (about: " in topic else topic
    root = topic.rstrip(" ?.!")
    bare = OPENING_WORDS.sub("", follow_up).rstrip(" ?.!") or follow_up.rstrip(" ?.!")
    if AUDIENCE.match(follow_up):
        # "and for a local shop?" replaces an earlier audience rather than piling up.
        root = re.sub(r", (for|with|on|in|as) [^,]*$", "", root)
        return f"{root}, {bare[0].lower()}{bare[1:]}?"
    return f"{bare[0].upper()}{bare[1:]}? (about: {root}?)"
