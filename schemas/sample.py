"""The JSON of a sample in a shard, as a JSON Schema, and the names of its members.

A sample is `KEY.json`, `KEY.00.jpg`, `KEY.01.png` … with a key of 32 hex characters: no dots, since loaders cut a
member's name at the first one.
"""

from typing import Any

# Formats of images that are kept, and what their files end in: what browsers show and training loaders read.
EXTENSIONS = {"jpeg": "jpg", "png": "png", "webp": "webp", "gif": "gif", "avif": "avif", "bmp": "bmp"}
KEY_PATTERN = "^[0-9a-f]{32}$"
_PART = {"type": ["string", "null"], "pattern": rf"^\d{{2,}}\.({'|'.join(EXTENSIONS.values())})$"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_NUMBER_OR_NULL = {"type": ["number", "null"]}
_IMAGE_METADATA = {
    "type": ["object", "null"],
    "required": ["url", "sha256", "width", "height", "format", "bytes", "alt", "caption"],
    "properties": {
        "url": {"type": "string"},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "phash": _TEXT_OR_NULL,
        "width": {"type": "integer", "minimum": 1},
        "height": {"type": "integer", "minimum": 1},
        "format": {"type": "string"},
        "bytes": {"type": "integer", "minimum": 1},
        "alt": _TEXT_OR_NULL,
        "caption": _TEXT_OR_NULL,
        "clip_score": _NUMBER_OR_NULL,
        "clip_text": _TEXT_OR_NULL,
    },
    "additionalProperties": False,
}
_GENERAL_METADATA = {
    "type": "object",
    "required": ["url", "warc_filename", "warc_offset", "crawled_at", "language", "language_score", "title"],
    "properties": {
        "url": {"type": "string"},
        "warc_filename": {"type": "string"},
        "warc_offset": {"type": "integer", "minimum": 0},
        "crawled_at": _TEXT_OR_NULL,
        "language": _TEXT_OR_NULL,
        "language_score": _NUMBER_OR_NULL,
        "title": _TEXT_OR_NULL,
    },
    "additionalProperties": False,
}
SAMPLE_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["texts", "images", "image_members", "metadata", "general_metadata"],
    "properties": {
        "texts": {"type": "array", "items": _TEXT_OR_NULL},
        "images": {"type": "array", "items": _PART},
        "image_members": {"type": "array", "items": _TEXT_OR_NULL},
        "metadata": {"type": "array", "items": _IMAGE_METADATA},
        "general_metadata": _GENERAL_METADATA,
    },
    "additionalProperties": False,
}
