"""One kept document to the members of its sample. Pure but for reading image bytes where the row says they lie."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from filters import pii
from pipelines.frame.storage import file_name
from pipelines.pack.placement import Placed

Row = Mapping[str, Any]
_ALIGNED = ("texts", "images", "image_members", "metadata")


@dataclass
class Sample:
    """A sample: its key, its JSON, and (part, bytes) of its images in their order.

    `text_nodes` went into `texts` entries of the JSON, fewer where neighbours were merged. `replaced` counts the
    placeholders that took the place of personal data, by kind.
    """

    key: str
    json: bytes
    images: list[tuple[str, bytes]] = field(default_factory=list)
    text_nodes: int = 0
    texts: int = 0
    replaced: Counter[str] = field(default_factory=Counter)

    @property
    def members(self) -> list[tuple[str, bytes]]:
        """Names and contents, in the order in which they stand in the shard."""
        return [(f"{self.key}.json", self.json), *((f"{self.key}.{part}", body) for part, body in self.images)]


def make_sample(
    document: Row,
    placed: Iterable[Placed],
    images: Mapping[str, Row],
    read: Callable[[Row], bytes],
    *,
    merge_texts: bool,
    placeholders: Mapping[str, str],
    scores: Mapping[int, Row] | None = None,
) -> Sample:
    """The sample of a document: its nodes as they are placed, with placeholders for personal data.

    `scores` are those of images by position, where they were measured.
    """
    key = document["doc_id"]
    content: dict[str, Any] = {name: [] for name in _ALIGNED}
    sample = Sample(key, b"")

    def clean(text: str | None) -> str | None:
        if not text or not placeholders:
            return text
        replaced, counts = pii.replace(text, placeholders)
        if counts:
            sample.replaced += counts
        return replaced

    last = -1
    for node in placed:
        text = clean(node.text)
        if text is not None:
            sample.text_nodes += int(node.position != last)
            last = node.position
            _add_text(content, text, merge_texts)
        else:
            row = images[document["images"][node.position]]
            part = f"{len(sample.images):02d}.{row['extension']}"
            sample.images.append((part, read(row)))
            entry = (None, part, f"{key}.{part}", _image_metadata(document, node.position, row, clean, scores))
            for name, value in zip(_ALIGNED, entry, strict=True):
                content[name].append(value)
    sample.texts = sum(text is not None for text in content["texts"])
    content["general_metadata"] = _general_metadata(document) | {"title": clean(document["title"])}
    sample.json = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return sample


def _add_text(content: dict[str, Any], text: str, merge: bool) -> None:
    texts = content["texts"]
    if merge and texts and texts[-1] is not None:
        texts[-1] += f"\n\n{text}"
        return
    texts.append(text)
    for name in _ALIGNED[1:]:
        content[name].append(None)


def _image_metadata(
    document: Row,
    position: int,
    row: Row,
    clean: Callable[[str | None], str | None],
    scores: Mapping[int, Row] | None,
) -> dict[str, Any]:
    taken = ("url", "sha256", "phash", "width", "height", "format", "bytes")
    return {
        **{name: row[name] for name in taken},
        "alt": clean(document["alts"][position]),
        "caption": clean(document["captions"][position]),
        **({} if scores is None else _scores(scores.get(position, {}))),
    }


def _scores(row: Row) -> dict[str, Any]:
    """Rounded, since they are stored in 32 bits and would be written with the digits of 64."""
    score = row.get("clip_score")
    return {"clip_score": None if score is None else round(score, 4), "clip_text": row.get("clip_text")}


def _general_metadata(document: Row) -> dict[str, Any]:
    crawled, score = document["crawled_at"], document["language_score"]
    return {
        "url": document["url"],
        "warc_filename": file_name(document["warc_path"]),
        "warc_offset": document["warc_offset"],
        "crawled_at": crawled.isoformat() if crawled else None,
        "language": document["language"],
        "language_score": round(score, 4) if score is not None else None,
    }
