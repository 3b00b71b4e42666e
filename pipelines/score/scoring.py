"""Rows of scores from documents: candidate texts of all images of many pages embedded together, then compared."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from filters.candidate_texts import PageTexts
from filters.clip import ClipModel
from filters.image_header import Unusable
from pipelines.frame.task import Task
from pipelines.score.embeddings import EmbeddingFile, text_key
from pipelines.score.pictures import NOT_FINITE, Unusables, fetched_files
from schemas.statuses import ClipText, ScoreStatus

Row = Mapping[str, Any]
Vector = npt.NDArray[np.float32]
# What is cut off is where processors' kernels may differ.
_DECIMALS = 4


@dataclass(frozen=True)
class Page:
    """A document with the images of it that were got: (position, SHA-256)."""

    doc_id: str
    sentences: Sequence[str]
    images: Sequence[tuple[int, str]]
    candidates: Mapping[int, Mapping[ClipText, Sequence[str]]]

    def all_texts(self) -> Iterator[str]:
        """Sentences and candidate texts, some of them more than once."""
        yield from self.sentences
        for kinds in self.candidates.values():
            for pieces in kinds.values():
                yield from pieces


class Scorer:
    """Scores a task's documents, block by block; embeddings are kept for the whole partition."""

    def __init__(self, task: Task, model: ClipModel, images: EmbeddingFile, texts: EmbeddingFile) -> None:
        assert task.recipe.score is not None
        self._task, self._settings, self._model = task, task.recipe.score, model
        self._files, self._images, self._texts = fetched_files(task), images, texts

    def read(self, documents: Sequence[Row]) -> list[Page]:
        """The documents that have an image that was got, with all their texts embedded."""
        pages = [page for document in documents if (page := self._page(document)).images]
        self._embed_texts(text for page in pages for text in page.all_texts())
        return pages

    def rows(self, page: Page, unusable: Unusables) -> Iterator[dict[str, Any]]:
        """A row for every image of a page that was got, in their order; all of these are embedded or `unusable`."""
        images = self._images.take(sha256 for _, sha256 in page.images)
        texts = self._texts.take(text_key(text) for text in page.all_texts())
        for position, sha256 in page.images:
            row = {"doc_id": page.doc_id, "position": position, "sha256": sha256}
            if sha256 not in images:
                yield row | _without_picture(unusable[sha256])
            elif position not in page.candidates:
                yield row | {"score_status": ScoreStatus.ERROR.value, "score_message": "see the errors file"}
            else:
                yield row | self._compared(images[sha256], page, position, texts)

    def _page(self, document: Row) -> Page:
        images = [(at, self._files[url]) for at, url in enumerate(document["images"]) if url in self._files]
        page = Page(document["doc_id"], (), images, {})
        with self._task.guard("documents", document["url"]):
            texts = PageTexts(document, self._settings, self._model.room, self._model.count_tokens)
            candidates = {at: texts.candidates(at) for at, _ in images}
            page = replace(page, sentences=texts.sentences, candidates=candidates)
            self._task.tally("documents").keep()
        return page

    def _embed_texts(self, texts: Iterable[str]) -> None:
        new = {key: text for text in texts if (key := text_key(text)) not in self._texts}
        self._texts.add(list(new), self._model.embed_texts(list(new.values())))

    def _compared(
        self, image: Vector, page: Page, position: int, texts: Mapping[str | bytes, Vector]
    ) -> dict[str, Any]:
        """Similarities with each candidate text, the best piece of each counting, and the best of all."""
        pieces = dict(page.candidates[position])
        if page.sentences:
            pieces[ClipText.SENTENCE] = page.sentences
        if not pieces:
            return {"score_status": ScoreStatus.NO_TEXT.value}
        similarities = {
            kind: np.array([round(float(image @ texts[text_key(text)]), _DECIMALS) for text in some])
            for kind, some in pieces.items()
        }
        best = {kind: int(np.argmax(np.nan_to_num(found, nan=-np.inf))) for kind, found in similarities.items()}
        scores = {kind: float(similarities[kind][number]) for kind, number in best.items()}
        finite = {kind: score for kind, score in scores.items() if np.isfinite(score)}
        if not finite:
            return {"score_status": ScoreStatus.NOT_FINITE.value, "score_message": "the embeddings of all its texts"}
        kind = max((kind for kind in ClipText if kind in finite), key=lambda kind: finite[kind])
        text = pieces[kind][best[kind]]
        sentences = similarities.get(ClipText.SENTENCE)
        return {
            "score_status": ScoreStatus.OK.value,
            **{f"similarity_{kind}": score for kind, score in finite.items()},
            "clip_score": finite[kind],
            "clip_text": kind.value,
            "best_text": text,
            "sentence_similarities": None if sentences is None else sentences.astype(np.float16),
            "image_embedding": image.astype(np.float16),
            "text_embedding": texts[text_key(text)].astype(np.float16),
        }


def _without_picture(why: Unusable) -> dict[str, Any]:
    if why is NOT_FINITE:
        return {"score_status": ScoreStatus.NOT_FINITE.value, "score_message": why.message}
    return {"score_status": ScoreStatus.UNDECODABLE.value, "score_message": f"{why.status}: {why.message}"}
