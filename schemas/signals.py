"""The registry of signals: every name that a rule may bound, what it measures, and where its definition comes from.

Values are measured by `filters/`; this is only the list, so that a recipe can be checked before anything runs.
"""

from dataclasses import dataclass
from typing import Literal

from schemas.statuses import Scope

Kind = Literal["number", "text"]


@dataclass(frozen=True)
class Signal:
    """One measurable property. `early` signals exist before any image is fetched, so `screen` may use them."""

    name: str
    scope: Scope
    kind: Kind
    unit: str
    meaning: str
    early: bool = True


_OBELICS = "OBELICS, utils/filtering_utils.py"
_GOPHER = "Gopher, arXiv 2112.11446, A.1.1"
_C4 = "C4, arXiv 1910.10683, and its c4_utils.py"
_OMNICORPUS = "OmniCorpus, text_filter/filters.py"
_PII = "see docs/signals.md for what is taken for one"
_TEXT: tuple[tuple[str, str, str], ...] = (
    (
        "words",
        "words",
        "whitespace-separated tokens with a letter or digit; each character of a script without spaces",
    ),
    ("characters", "characters", "Unicode code points, whitespace included"),
    ("special_character_ratio", "share", f"whitespace, digits, punctuation and symbols among characters ({_OBELICS})"),
    (
        "stop_word_ratio",
        "share",
        f"stop words of the document's language among words ({_OBELICS}); null without a list",
    ),
    ("punctuation_ratio", "share", f"marks , ; : ? ! . and their CJK forms among words and marks ({_OBELICS})"),
    ("character_repetition_ratio", "share", f"mass of the most frequent 10-grams of characters ({_OBELICS})"),
    ("word_repetition_ratio", "share", f"mass of the 5-grams of words that occur more than once ({_OBELICS})"),
    ("flagged_word_ratio", "share", f"obscene words among words ({_OBELICS}); null without a list for the language"),
    (
        "common_word_ratio",
        "share",
        f"words that wordfreq knows among words with a letter ({_OBELICS}); null without a list for the language",
    ),
    (
        "spam_word_ratio",
        "share",
        "words of sign-up and share boxes among words (OBELICS, build 13); null if not English",
    ),
    ("perplexity", "perplexity", f"KenLM on SentencePiece pieces ({_OBELICS}); null unless the recipe names a model"),
    ("stop_words", "words", f"stop words of the document's language ({_GOPHER}: at least 2); null without a list"),
    ("mean_word_length", "characters", f"characters of words by words ({_GOPHER})"),
    ("alphabetic_word_ratio", "share", f"words with a letter among words ({_GOPHER})"),
    ("symbol_word_ratio", "symbols a word", f"# or ellipses, whichever are more, by words ({_GOPHER})"),
    ("lines", "lines", "lines that are not empty"),
    ("bullet_line_ratio", "share", f"lines that begin with a bullet among lines ({_GOPHER})"),
    ("ellipsis_line_ratio", "share", f"lines that end in an ellipsis among lines ({_GOPHER})"),
    ("terminal_line_ratio", "share", f"lines that end in a full stop, question, exclamation or quotation mark ({_C4})"),
    ("sentences", "sentences", f"runs of . ! ? before a space or closing mark, and a rest without one ({_C4})"),
    ("curly_brackets", "characters", f"{{ and }} ({_C4})"),
    ("lorem_ipsum", "phrases", f"lorem ipsum ({_C4})"),
    ("javascript", "words", f"the word javascript ({_C4})"),
    ("policy_phrases", "phrases", f"terms of use, privacy policy, use cookies and the like, in English ({_C4})"),
    ("navigation_phrases", "phrases", f"sign in, sign up, read more, items in cart ({_OMNICORPUS})"),
    ("social_counters", "texts", f"texts that end in likes, followers, share, comments ({_OMNICORPUS})"),
    ("bylines", "texts", f"texts that begin with by ({_OMNICORPUS})"),
    ("dates", "dates", f"dates and times of day as figures or in English ({_OMNICORPUS})"),
    ("uppercase_ratio", "share", f"capital letters among characters that are no whitespace ({_OMNICORPUS})"),
    ("digit_ratio", "share", f"digits among characters ({_OMNICORPUS})"),
    ("emails", "addresses", f"e-mail addresses; {_PII}"),
    ("ip_addresses", "addresses", f"public IPv4 and IPv6 addresses; {_PII}"),
    ("phone_numbers", "numbers", f"phone and fax numbers; {_PII}"),
    ("card_numbers", "numbers", f"payment card numbers; {_PII}"),
    ("ibans", "numbers", f"bank account numbers (IBAN); {_PII}"),
)
# Of whole documents only: these cannot be summed from nodes, so rules see what extract measured before any was dropped.
_WHOLE: tuple[tuple[str, str, str], ...] = (
    ("duplicate_line_ratio", "share", "lines that were there before among lines (Gopher, table A1)"),
    ("duplicate_line_character_ratio", "share", "characters of such lines among characters (Gopher, table A1)"),
    ("duplicate_paragraph_ratio", "share", "texts that were there before among texts (Gopher, table A1)"),
    ("duplicate_paragraph_character_ratio", "share", "characters of such texts among characters (Gopher, table A1)"),
    *(
        (f"top_{n}gram_character_ratio", "share", f"characters of the most frequent {n} words (Gopher, table A1)")
        for n in (2, 3, 4)
    ),
    *(
        (
            f"duplicate_{n}gram_character_ratio",
            "share",
            f"characters of {n} words that were there before (Gopher, table A1)",
        )
        for n in range(5, 11)
    ),
    (
        "gopher_stop_words",
        "words",
        f"different ones of the, be, to, of, and, that, have, with ({_GOPHER}); English only",
    ),
)


def _text(scope: Scope) -> tuple[Signal, ...]:
    return tuple(Signal(name, scope, "number", unit, meaning) for name, unit, meaning in _TEXT)


_DOCUMENT = (
    Signal("language", Scope.DOCUMENT, "text", "ISO 639 code", "fastText lid.176 on the document's text"),
    Signal("language_score", Scope.DOCUMENT, "number", "probability", "fastText's probability for that language"),
    Signal(
        "alignment_prior",
        Scope.DOCUMENT,
        "number",
        "probability",
        "that its pictures go with its texts, from words alone; null unless the recipe names a model (curate prior)",
    ),
    Signal("texts", Scope.DOCUMENT, "number", "nodes", "text nodes that are kept (all of them in screen)"),
    Signal("images", Scope.DOCUMENT, "number", "nodes", "image nodes that are kept (all of them in screen)"),
    Signal(
        "page_type",
        Scope.DOCUMENT,
        "text",
        "name",
        "article, collection, documentation, forum, listing, product, service",
    ),
    Signal("page_type_score", Scope.DOCUMENT, "number", "probability", "the model's probability for that page type"),
    Signal("text_density", Scope.DOCUMENT, "number", "share", "characters of text by bytes of the page's HTML"),
    Signal("link_density", Scope.DOCUMENT, "number", "share", "characters of the page's texts that are inside links"),
    Signal(
        "template_repetition",
        Scope.DOCUMENT,
        "number",
        "share",
        "characters of texts in blocks that look like nine others",
    ),
    Signal(
        "published_year",
        Scope.DOCUMENT,
        "number",
        "year",
        "when the page says it was published; null where it does not",
    ),
    Signal("licensed", Scope.DOCUMENT, "number", "0 or 1", "the page links a licence (rel=license, Creative Commons)"),
    Signal("noai", Scope.DOCUMENT, "number", "0 or 1", "the page carries noai in X-Robots-Tag or meta robots"),
    Signal("tdm_reserved", Scope.DOCUMENT, "number", "0 or 1", "the page reserves text and data mining (TDMRep)"),
)
_DOCUMENT_TEXT = (
    *(Signal(name, Scope.DOCUMENT, "number", unit, meaning) for name, unit, meaning in _WHOLE),
    Signal("longest_text_words", Scope.DOCUMENT, "number", "words", f"words of the longest text ({_OMNICORPUS})"),
    Signal("mean_text_words", Scope.DOCUMENT, "number", "words", f"words by texts ({_OMNICORPUS})"),
    Signal(
        "words_per_image", Scope.DOCUMENT, "number", "words", f"words by images; null without images ({_OMNICORPUS})"
    ),
)
_NODE = (
    Signal(
        "image_distance", Scope.NODE, "number", "nodes", "places to the nearest image; null on pages without images"
    ),
)
_IMAGE = (
    Signal("width", Scope.IMAGE, "number", "pixels", "width of the fetched image", early=False),
    Signal("height", Scope.IMAGE, "number", "pixels", "height of the fetched image", early=False),
    Signal("aspect_ratio", Scope.IMAGE, "number", "ratio", "longer side over shorter side", early=False),
    Signal("bytes", Scope.IMAGE, "number", "bytes", "size of the fetched file", early=False),
    Signal(
        "format", Scope.IMAGE, "text", "name", "jpeg, png, webp, gif, avif or bmp, from the file's header", early=False
    ),
    Signal("frames", Scope.IMAGE, "number", "frames", "frames of the file; more than one is an animation", early=False),
    Signal(
        "copies",
        Scope.IMAGE,
        "number",
        "documents",
        "documents of the job that show the picture or a copy of it",
        early=False,
    ),
    Signal(
        "rendered_width", Scope.IMAGE, "number", "CSS pixels", "width that the page gives; null where it gives none"
    ),
    Signal("rendered_height", Scope.IMAGE, "number", "CSS pixels", "height that the page gives; null where none"),
    Signal("image_url", Scope.IMAGE, "text", "URL", "absolute URL of the image"),
    Signal(
        "blur",
        Scope.IMAGE,
        "number",
        "grey levels squared",
        "variance of the Laplacian at 512 x 512 pixels or less, low where blurred (Pertuz et al. 2013, LAPV)",
        early=False,
    ),
    Signal(
        "entropy",
        Scope.IMAGE,
        "number",
        "bits",
        "Shannon entropy of the 256 grey levels, 0 where all is one grey, at most 8 (Pillow, Image.entropy)",
        early=False,
    ),
    Signal(
        "transparency", Scope.IMAGE, "number", "share", "how much of the image the page shines through", early=False
    ),
    Signal(
        "nsfw",
        Scope.IMAGE,
        "number",
        "probability",
        "that it is not safe for work, by yahoo/open_nsfw; null without measure.nsfw",
        early=False,
    ),
    Signal(
        "clip_score",
        Scope.IMAGE,
        "number",
        "cosine",
        "similarity to the best of its texts by the recipe's scorer; null without one, or without a text",
        early=False,
    ),
    Signal(
        "alignment",
        Scope.IMAGE,
        "number",
        "cosine",
        "similarity to that text by the scorer that bootstrapping ended with; null without it",
        early=False,
    ),
    Signal(
        "text_overlap",
        Scope.IMAGE,
        "number",
        "share",
        "words of its best text that are written in the picture (as T-MARS, arXiv 2307.03132); null without ocr",
        early=False,
    ),
    Signal(
        "semantic_similarity",
        Scope.IMAGE,
        "number",
        "cosine",
        "to the embedding of the nearest picture that is better (SemDeDup, arXiv 2303.09540); null without "
        "dedup.semantic",
        early=False,
    ),
    Signal("alt_words", Scope.IMAGE, "number", "words", "words of the alternative text; null where there is none"),
)

SIGNALS: dict[tuple[Scope, str], Signal] = {
    (signal.scope, signal.name): signal
    for signal in (*_text(Scope.NODE), *_NODE, *_text(Scope.DOCUMENT), *_DOCUMENT, *_DOCUMENT_TEXT, *_IMAGE)
}


def names(scope: Scope, *, early_only: bool = False) -> list[str]:
    """Names of the signals of a scope, sorted; with `early_only` those known before any image is fetched."""
    return sorted(s.name for s in SIGNALS.values() if s.scope == scope and (s.early or not early_only))
