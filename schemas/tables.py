"""The Arrow schema of every table, with its version. Flat columns only: nested structs break viewers and readers.

Each field carries its unit and its source in the field's metadata. Raise a table's version whenever its columns or the
meaning of one change: the version is part of every fingerprint, so that what was written before is made again.
"""

from dataclasses import dataclass

import pyarrow as pa

from schemas.statuses import ClipText

# Measured on text nodes; documents have their sums.
TEXT_COUNTS = (
    "words", "characters", "special_characters", "stop_words", "punctuation_marks", "common_words", "flagged_words",
    "spam_words", "alphabetic_words", "word_characters", "spaces", "digits", "uppercase_letters", "hash_marks",
    "ellipses", "curly_brackets", "lines", "bullet_lines", "ellipsis_lines", "terminal_lines", "sentences",
    "lorem_ipsum", "javascript", "policy_phrases", "navigation_phrases", "social_counters", "bylines", "dates",
    "emails", "ip_addresses", "phone_numbers", "card_numbers", "ibans",
)  # fmt: skip
REPETITIONS = ("character_repetition_ratio", "word_repetition_ratio")
# What Gopher measures on whole documents (arXiv 2112.11446, table A1); it cannot be summed from nodes.
DOCUMENT_REPETITIONS = (
    "duplicate_line_ratio", "duplicate_line_character_ratio", "duplicate_paragraph_ratio",
    "duplicate_paragraph_character_ratio",
    *(f"top_{n}gram_character_ratio" for n in (2, 3, 4)), *(f"duplicate_{n}gram_character_ratio" for n in range(5, 11)),
)  # fmt: skip
DOCUMENT_RATIOS = ("special_character_ratio", "stop_word_ratio", "punctuation_ratio", *REPETITIONS)


@dataclass(frozen=True)
class Table:
    """A table's contract. Its files are `NAME/<partition>.parquet` in the workspace."""

    name: str
    version: int
    schema: pa.Schema


def _field(name: str, kind: pa.DataType, source: str, unit: str = "", *, nullable: bool = True) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"source": source, "unit": unit})


def _table(name: str, version: int, *fields: pa.Field) -> Table:
    return Table(name, version, pa.schema(fields, metadata={"table": name, "version": str(version)}))


_string, _strings = pa.string(), pa.list_(pa.string())
_int, _ints = pa.int32(), pa.list_(pa.int32())
_long, _float, _floats = pa.int64(), pa.float32(), pa.list_(pa.float32())
_bool, _bools = pa.bool_(), pa.list_(pa.bool_())

PARTITIONS = _table(
    "partitions",
    2,
    _field("partition", _int, "number of the slice, the same in every table", nullable=False),
    _field("path", _string, "the WARC file", nullable=False),
    _field(
        "start", _long, "first byte of the slice; it owns the records that begin inside it", "bytes", nullable=False
    ),
    _field("end", _long, "first byte after the slice", "bytes", nullable=False),
    _field("file_bytes", _long, "size of the whole file", "bytes", nullable=False),
    _field("file_digest", _string, "SHA-256 over the size and the file's first and last 64 KiB", nullable=False),
    _field("file_version", _string, "ETag of a file in a store: while it is the same, the file is not read again"),
)

DOCUMENTS = _table(
    "documents",
    4,
    _field("doc_id", _string, "32 hex characters from WARC record id and URL", nullable=False),
    _field("url", _string, "WARC-Target-URI", nullable=False),
    _field("warc_path", _string, "the WARC file", nullable=False),
    _field("warc_offset", _long, "where the record begins in the file", "bytes", nullable=False),
    _field("crawled_at", pa.timestamp("ms", tz="UTC"), "WARC-Date"),
    _field("title", _string, "title element"),
    _field("language", _string, "fastText lid.176 on all texts", "ISO 639 code"),
    _field("language_score", _float, "fastText's probability", "probability"),
    _field("encoding", _string, "what the page was decoded with"),
    _field("directives", _strings, "noai, noimageai, tdm-reservation … from X-Robots-Tag, meta robots and TDMRep"),
    _field("licenses", _strings, "URLs of rel=license, else of the one Creative Commons licence that the page links"),
    _field("published_at", pa.timestamp("ms", tz="UTC"), "Open Graph, other meta elements or JSON-LD"),
    _field(
        "page_type", _string, "the likeliest of article, collection, documentation, forum, listing, product, service"
    ),
    _field("page_type_score", _float, "by the model of pages", "probability"),
    _field("text_density", _float, "characters of text by bytes of HTML", "share"),
    _field("link_density", _float, "characters of the texts that are inside links", "share"),
    _field("template_repetition", _float, "characters of the texts in blocks that look like nine others", "share"),
    _field("node_languages", _strings, "fastText on longer texts where the page mixes languages, else null"),
    _field("texts", _strings, "text of the node, or null where the node is an image"),
    _field("images", _strings, "absolute URL of the image, or null where the node is text"),
    _field("alts", _strings, "alternative text of the image"),
    _field("captions", _strings, "figcaption of the image"),
    _field("rendered_width", _ints, "width given by the page", "CSS pixels"),
    _field("rendered_height", _ints, "height given by the page", "CSS pixels"),
    *(_field(f"node_{name}", _ints, "measured on the text node", "count") for name in TEXT_COUNTS),
    *(_field(f"node_{name}", _floats, "measured on the text node", "share") for name in REPETITIONS),
    *(_field(name, _int, "summed over the text nodes", "count") for name in TEXT_COUNTS),
    *(_field(name, _float, "measured on all texts joined by blank lines", "share") for name in DOCUMENT_RATIOS),
    *(_field(name, _float, "measured on all texts (Gopher, table A1)", "share") for name in DOCUMENT_REPETITIONS),
    _field(
        "gopher_stop_words", _int, "how many of the, be, to, of, and, that, have, with; null if not English", "words"
    ),
    _field("node_perplexity", _floats, "KenLM on the text node's SentencePiece pieces, if the recipe names a model"),
    _field("perplexity", _float, "KenLM on all texts, if the recipe names a model"),
    _field("alignment_prior", _float, "by the model of curate prior that the recipe names", "probability"),
)

WARC_IMAGES = _table(
    "warc_images",
    1,
    _field("url", _string, "canonical form of WARC-Target-URI, as in documents.images", nullable=False),
    _field("record_url", _string, "WARC-Target-URI as it stands in the record", nullable=False),
    _field("warc_offset", _long, "where its record begins in the file", "bytes", nullable=False),
    _field("bytes", _long, "length of the record's content", "bytes"),
    _field("content_type", _string, "Content-Type of the response"),
)

HOSTS = _table(
    "hosts",
    1,
    _field("host", _string, "host and port of image URLs of this partition", nullable=False),
    _field("urls", _long, "distinct image URLs of this host, over all partitions (a URL counts once in each)", "count"),
    _field("partitions", _int, "partitions that want images of this host", "count"),
)

IMAGES = _table(
    "images",
    2,
    _field("key", _string, "partition and running number: img2dataset's key", nullable=False),
    _field("url", _string, "as in documents.images", nullable=False),
    _field("url_hash", _string, "first 32 hex characters of the URL's SHA-256", nullable=False),
    _field("caption", _string, "first alternative text on this partition's pages"),
    _field("status", _string, "ImageStatus: ok, or the reason why not", nullable=False),
    _field("error_message", _string, "what the failing part said"),
    _field("source", _string, "warc or network"),
    _field("http_status", _int, "last response's status code"),
    _field("final_url", _string, "after redirects; null where the same"),
    _field("sha256", _string, "of the stored bytes"),
    _field("phash", _string, "64-bit DCT perceptual hash of the first frame, transparency on white", "hex"),
    _field("width", _int, "of the stored image", "pixels"),
    _field("height", _int, "of the stored image", "pixels"),
    _field("original_width", _int, "before any resizing", "pixels"),
    _field("original_height", _int, "before any resizing", "pixels"),
    _field("format", _string, "from the file's header"),
    _field("frames", _int, "from the file's header", "frames"),
    _field("bytes", _long, "of the stored file", "bytes"),
    _field("shard", _string, "the tar that holds it"),
    _field("offset", _long, "of the image's bytes in the tar", "bytes"),
    _field("length", _long, "of the image's bytes in the tar", "bytes"),
    _field("robots_allowed", _bool, "robots.txt's answer; null where it was not asked"),
    _field("directives", _strings, "noai, noimageai … of the image's own response"),
    _field("tdm_reserved", _bool, "tdm-reservation of the image's own response; null where it gave none"),
)

IMAGE_SIGNALS = _table(
    "image_signals",
    1,
    _field("url", _string, "as in images, for its rows that are ok, in their order", nullable=False),
    _field("measure_status", _string, "ImageStatus: ok, or why the stored file could not be measured", nullable=False),
    _field("measure_message", _string, "what the failing part said"),
    _field("blur", _float, "variance of the Laplacian of the grey picture of at most 512 x 512 pixels", "grey levels²"),
    _field("entropy", _float, "Shannon entropy of its 256 grey levels", "bits"),
    _field("transparency", _float, "one minus the mean of alpha", "share"),
    _field("nsfw", _float, "by yahoo/open_nsfw; null where the recipe does not ask for it", "probability"),
)

_digest, _digests = pa.uint64(), pa.list_(pa.uint64())

DIGESTS = _table(
    "digests",
    1,
    _field("doc_id", _string, "the document, in the order of documents", nullable=False),
    _field("crawled", _long, "milliseconds since 1970; 0 where unknown", "ms", nullable=False),
    _field("quality", pa.float64(), "the signal by which the survivor of copies is chosen"),
    _field("url", _digest, "of the canonical URL", nullable=False),
    _field("text", _digest, "of the words in their order; null where there are none"),
    _field("image_set", _digest, "of the distinct image URLs; null where there are none"),
    _field("bands", _digests, "of the bands of the MinHash signature of word n-grams"),
    _field("paragraphs", _digests, "by position: of host and words of a text node; null where it has too few words"),
    _field("images", _digests, "by position: of the image's URL; null where the node is text"),
    _field("benchmarks", _strings, "evaluation sets with which the document shares n-grams"),
    _field("concepts", _ints, "concepts of the recipe's list that are found in it, by line"),
)

TEXT_DUPLICATES = _table(
    "text_duplicates",
    1,
    _field("doc_id", _string, "the copy", nullable=False),
    _field("position", _int, "node of the document, -1 for all of it", nullable=False),
    _field("kind", _string, "DuplicateKind", nullable=False),
    _field("survivor", _string, "doc_id of what is kept in its place, or the evaluation set; null: nothing is kept"),
)

FREQUENT_IMAGES = _table(
    "frequent_images",
    1,
    _field("url", _string, "an image URL of this partition that too many documents show", nullable=False),
    _field("documents", _long, "documents of the whole job that show it", "count", nullable=False),
)

BALANCE = _table(
    "balance",
    1,
    _field("doc_id", _string, "a document with a concept", nullable=False),
    _field("probability", _float, "min(1, sum of cap / max(count, cap) over its concepts)", "probability"),
    _field("draw", _float, "hash of the doc_id as a share; the document stays if below the probability", "share"),
)

IMAGE_DUPLICATES = _table(
    "image_duplicates",
    1,
    _field("url", _string, "an image with copies, as in documents.images", nullable=False),
    _field("kind", _string, "DuplicateKind: exact where its file equals the survivor's", nullable=False),
    _field("survivor", _string, "url_hash of the best copy, or the evaluation set", nullable=False),
    _field("copies", _long, "documents of the whole job that show it or a copy", "count"),
)

_EMBEDDING = pa.list_(pa.float16())

SCORES = _table(
    "scores",
    3,
    _field("doc_id", _string, "a document that takes part, in the order of documents", nullable=False),
    _field("position", _int, "node of an image that was got", nullable=False),
    _field("sha256", _string, "of the image's file, as in images", nullable=False),
    _field("score_status", _string, "ScoreStatus: ok, or why there is no score", nullable=False),
    _field("score_message", _string, "what the failing part said"),
    *(
        _field(f"similarity_{text}", _float, f"cosine of the embeddings of image and {text}", "cosine")
        for text in ClipText
    ),
    _field("clip_score", _float, "the best of the similarities", "cosine"),
    _field("clip_text", _string, "ClipText: which one that was"),
    _field("best_text", _string, "the words of it that the model saw"),
    _field("sentence_similarities", _EMBEDDING, "with each sentence of the page (filters.sentences)", "cosine"),
    _field("image_embedding", _EMBEDDING, "unit length"),
    _field("text_embedding", _EMBEDDING, "unit length, of best_text"),
)

ALIGNMENT = _table(
    "alignment",
    1,
    _field("doc_id", _string, "as in scores, for its rows that are ok, in their order", nullable=False),
    _field("position", _int, "node of the image", nullable=False),
    _field("alignment", _float, "cosine of the embeddings by the scorer that bootstrapping ended with", "cosine"),
)

TEXT_OVERLAP = _table(
    "text_overlap",
    1,
    _field("doc_id", _string, "as in scores, for its rows that are ok, in their order", nullable=False),
    _field("position", _int, "node of the image", nullable=False),
    _field("ocr_status", _string, "OcrStatus, or the ImageStatus that says why it could not be read", nullable=False),
    _field("ocr_message", _string, "what the failing part said"),
    _field("image_text", _string, "lines that were read in it, at most 4,000 characters; null where there are none"),
    _field("text_overlap", _float, "words of best_text that are among them; null: none that could be read", "share"),
)

SEMANTIC_DUPLICATES = _table(
    "semantic_duplicates",
    1,
    _field("doc_id", _string, "as in scores, for its rows that are ok, in their order", nullable=False),
    _field("position", _int, "node of the image", nullable=False),
    _field("semantic_similarity", _float, "of its embedding and the nearest better picture's; null: none", "cosine"),
    _field("nearest", _string, "url_hash of that picture"),
)

VERDICTS = _table(
    "verdicts",
    1,
    _field("doc_id", _string, "the document, in the order of documents", nullable=False),
    _field("kept", _bool, "whether the document goes into a shard", nullable=False),
    _field("node_kept", _bools, "by position; all false where the document is dropped", nullable=False),
    _field("failed_scope", _strings, "Scope of each failed rule; the five failed_ lists are parallel"),
    _field("failed_position", _ints, "node of the document, -1 for the document"),
    _field("failed_rule", _strings, "rule as in the recipe, such as image.width.min, or a DropReason"),
    _field("failed_value", _strings, "the measured value, as JSON"),
    _field("failed_bound", _strings, "the bound, as JSON"),
)

RULES = _table(
    "rules",
    1,
    _field("scope", _string, "Scope of the rule's list; rows are in the order in which rules judge", nullable=False),
    _field("rule", _string, "as in verdicts.failed_rule", nullable=False),
    _field("bound", _string, "as in verdicts.failed_bound", nullable=False),
    _field("judged", _long, "items of the partition that the rule speaks of", "count", nullable=False),
    _field("failed", _long, "items that it drops", "count", nullable=False),
    _field("first", _long, "items that it drops and no rule above it", "count", nullable=False),
    _field("alone", _long, "items that no other rule of the list drops", "count", nullable=False),
    _field("both", pa.list_(pa.int64()), "items dropped together with each rule of the list, in its order", "count"),
    _field(
        "candidates", _long, "items that could be kept: in no duplicate and past the screen", "count", nullable=False
    ),
    _field("regardless", _long, "candidates that no other rule drops, kept at any bound", "count", nullable=False),
    _field("curve_level", _int, "bits by which the bins of the curve are coarser than doubles", "bits", nullable=False),
    _field("curve_edges", pa.list_(pa.float64()), "lowest values of the bins: of candidates that no other rule drops"),
    _field("curve_counts", pa.list_(pa.int64()), "items in each bin", "count"),
    _field("pool", _long, "of keep_top: values of all partitions of which the top is kept, else null", "count"),
    _field("pool_kept", _long, "of keep_top: those at or above the threshold", "count"),
    _field("threshold", pa.float64(), "what keep_top came to; null where the pool is empty"),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        PARTITIONS, DOCUMENTS, WARC_IMAGES, DIGESTS, TEXT_DUPLICATES, FREQUENT_IMAGES, BALANCE, HOSTS, IMAGES,
        IMAGE_SIGNALS, SCORES, ALIGNMENT, TEXT_OVERLAP, IMAGE_DUPLICATES, SEMANTIC_DUPLICATES,
        VERDICTS, RULES,
    )
}  # fmt: skip
