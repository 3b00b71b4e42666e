"""Every status and reason that a count, a table or a report may carry. A reason that is not here cannot be given.

The values are stable: they are written into tables and ledgers, and people filter by them.
"""

from enum import StrEnum


class StageName(StrEnum):
    """The stages in the order of the data.

    `digest` makes what duplicates are found by, `balance` caps concepts, `hosts` counts URLs by host so that `fetch`
    can share out its rate, `measure` looks at pixels, `score` compares pictures with texts, `bootstrap` fits the scorer
    to the corpus, `ocr` reads pictures, `dedup_semantic` finds pictures of nearly the same embedding.
    """

    EXTRACT = "extract"
    DIGEST = "digest"
    DEDUP_TEXT = "dedup_text"
    BALANCE = "balance"
    HOSTS = "hosts"
    FETCH = "fetch"
    MEASURE = "measure"
    SCORE = "score"
    BOOTSTRAP = "bootstrap"
    OCR = "ocr"
    DEDUP_IMAGES = "dedup_images"
    DEDUP_SEMANTIC = "dedup_semantic"
    SELECT = "select"
    PACK = "pack"


class RecordOutcome(StrEnum):
    """What became of one WARC record. The first three are kept, the others are reasons why not."""

    DOCUMENT = "document"
    PDF = "pdf"
    IMAGE = "image"
    WARCINFO = "warcinfo"
    REQUEST = "request"
    METADATA = "metadata"
    RESOURCE = "resource"
    REVISIT = "revisit"
    CONVERSION = "conversion"
    CONTINUATION = "continuation"
    UNKNOWN_TYPE = "unknown_record_type"
    NOT_HTTP = "not_http"
    BAD_HTTP = "bad_http_header"
    REDIRECT = "redirect"
    HTTP_ERROR = "http_error"
    OTHER_CONTENT = "other_content_type"
    EMPTY = "empty"
    TRUNCATED = "truncated_record"
    UNDECODABLE = "undecodable_payload"
    TOO_LARGE = "too_many_bytes"
    TOO_MANY_NODES = "too_many_nodes"
    TOO_DEEP = "too_deep"
    NO_CONTENT = "no_content"
    DUPLICATE_RECORD = "duplicate_record"
    ERROR = "error"


class SkipReason(StrEnum):
    """Why a stretch of a WARC file could not be read as records."""

    DAMAGED_GZIP = "damaged_gzip"
    DAMAGED_RECORD = "damaged_record"
    DAMAGED_ARC = "damaged_arc"
    NOT_AN_ARCHIVE = "not_an_archive"
    UNREADABLE_REMAINDER = "unreadable_remainder"


class ImageStatus(StrEnum):
    """How the attempt to get one image ended."""

    OK = "ok"
    NOT_REQUESTED = "not_requested"
    TOO_FREQUENT = "too_frequent"
    BAD_URL = "bad_url"
    BLOCKED_HOST = "blocked_host"
    PRIVATE_ADDRESS = "private_address"
    PAGE_OPTED_OUT = "page_opted_out"
    ROBOTS_DISALLOWED = "robots_disallowed"
    ROBOTS_UNREACHABLE = "robots_unreachable"
    OPTED_OUT = "opted_out"
    TDM_RESERVED = "tdm_reserved"
    DNS_ERROR = "dns_error"
    CONNECTION_ERROR = "connection_error"
    TLS_ERROR = "tls_error"
    TIMEOUT = "timeout"
    HOST_UNREACHABLE = "host_unreachable"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    EMPTY = "empty"
    TOO_LARGE = "too_many_bytes"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TOO_MANY_PIXELS = "too_many_pixels"
    UNDECODABLE = "undecodable"
    RESIZE_FAILED = "resize_failed"
    ERROR = "error"


class OcrStatus(StrEnum):
    """What came of reading a picture; one that cannot be decoded has its ImageStatus instead."""

    READ = "read"
    NO_TEXT = "no_text"


class ScoreStatus(StrEnum):
    """How the attempt to score one image node ended. Similarities are null unless it is ok."""

    OK = "ok"
    NO_TEXT = "no_text"
    UNDECODABLE = "undecodable"
    NOT_FINITE = "not_finite"
    ERROR = "error"


class ClipText(StrEnum):
    """Candidate texts of an image, in the order in which the first of equally similar ones is taken."""

    ALT = "alt"
    CAPTION = "caption"
    PRECEDING = "preceding"
    FOLLOWING = "following"
    SENTENCE = "sentence"


class DuplicateKind(StrEnum):
    """By which comparison a duplicate was found; the first four are of whole documents."""

    URL = "url"
    EXACT = "exact"
    NEAR = "near"
    IMAGE_SET = "image_set"
    BENCHMARK = "benchmark"
    PARAGRAPH = "paragraph"
    PERCEPTUAL = "perceptual"


class Scope(StrEnum):
    """What a signal or a rule speaks of: a whole document, one of its text nodes, or one of its images."""

    DOCUMENT = "document"
    NODE = "node"
    IMAGE = "image"


class DropReason(StrEnum):
    """Reasons in a verdict that no rule of the recipe gave."""

    IMAGE_STATUS = "image.status"
    DUPLICATE_RECORD = "document.duplicate_record"
    DUPLICATE = "document.duplicate"
    BENCHMARK = "document.benchmark"
    BALANCE = "document.balance"
    PARAGRAPH = "node.duplicate"
    PICTURE_IN_DOCUMENT = "image.duplicate.in_document"
    PICTURE_IN_BENCHMARK = "image.benchmark"
    DOCUMENT_DROPPED = "document_dropped"
