"""The records of one slice to rows of documents and images and to a shard of PDFs; a batch of pages at a time."""

import json
from collections.abc import Sequence
from functools import partial

import pyarrow as pa

from filters.urls import canonical
from pipelines.extract.documents import ExtractedPage, document_id, to_batch
from pipelines.extract.page import Page, parse_pages
from pipelines.extract.records import HtmlPage, PdfFile, interpret, payload_cap
from pipelines.frame.shards import ShardWriter
from pipelines.frame.storage import file_name
from pipelines.frame.tables import TableWriter
from pipelines.frame.task import Task
from pipelines.frame.warc import Record, Slice, read_records
from schemas.ledger import Skip
from schemas.statuses import RecordOutcome
from schemas.tables import DOCUMENTS, WARC_IMAGES

# Pages parsed and measured at once: enough to spread NumPy's cost a call, few enough that they stay small in memory.
_BATCH = 128
_BATCH_CHARACTERS = 8_000_000


def extract_slice(task: Task) -> None:
    """Read the slice's records in their order and write what they are."""
    part = Slice(task.partition.path, task.partition.start, task.partition.end, task.partition.file_bytes)
    caps = task.recipe.extract
    with task.table(DOCUMENTS) as documents, task.table(WARC_IMAGES) as images, _pdf_shard(task) as pdfs:
        extraction = _Extraction(task, documents, images, pdfs)
        for item in read_records(part, partial(payload_cap, caps)):
            if isinstance(item, Skip):
                task.skips.append(item)
                continue
            with task.guard("records", f"{item.url} at {item.offset}"):
                extraction.take(item)
        extraction.flush()
    task.seam = part.seam
    task.bytes_in = task.partition.bytes


def _pdf_shard(task: Task) -> ShardWriter:
    return ShardWriter(task.file(f"pdfs/{task.number:05d}.tar"))


class _Extraction:
    """What is collected while the records of one slice go by."""

    def __init__(self, task: Task, documents: TableWriter, images: TableWriter, pdfs: ShardWriter) -> None:
        self._task, self._documents, self._images, self._pdfs = task, documents, images, pdfs
        self._tally = task.tally("records")
        self._seen: set[str] = set()
        self._pages: list[HtmlPage] = []
        self._characters = 0

    def take(self, record: Record) -> None:
        """Take in one record and count what became of it."""
        found = interpret(record, self._task.recipe.extract)
        if found is RecordOutcome.IMAGE:
            self._index_image(record)
        elif isinstance(found, RecordOutcome):
            self._tally.drop(found)
        elif document_id(record) in self._seen:
            self._tally.drop(RecordOutcome.DUPLICATE_RECORD)
        elif isinstance(found, PdfFile):
            self._seen.add(found.key)
            self._add_pdf(found)
        else:
            self._seen.add(found.doc_id)
            self._pages.append(found)
            self._characters += len(found.source.html)
            if len(self._pages) >= _BATCH or self._characters >= _BATCH_CHARACTERS:
                self.flush()

    def flush(self) -> None:
        """Parse, measure and write the pages collected; if that fails, one by one, so that only the culprit is lost."""
        pages, self._pages, self._characters = self._pages, [], 0
        try:
            extracted, outcomes = self._extract(pages)
            batch = to_batch(extracted, self._task.recipe.extract) if extracted else None
        except Exception:  # noqa: BLE001 - raised again below, for the page that it comes from
            for page in pages:
                with self._task.guard("records", page.record.url):
                    alone, outcomes = self._extract([page])
                    self._write(alone, to_batch(alone, self._task.recipe.extract) if alone else None, outcomes)
        else:
            self._write(extracted, batch, outcomes)

    def _extract(self, pages: Sequence[HtmlPage]) -> tuple[list[ExtractedPage], list[RecordOutcome]]:
        """What the pages hold, and the outcomes of those that hold nothing."""
        extracted, outcomes = [], []
        for page, found in zip(pages, parse_pages([p.source for p in pages], self._task.recipe.extract), strict=True):
            if isinstance(found, Page):
                path = self._task.partition.path
                extracted.append(ExtractedPage(page.doc_id, page.record, path, page.encoding, found))
            else:
                outcomes.append(found)
        return extracted, outcomes

    def _write(
        self, pages: Sequence[ExtractedPage], batch: pa.RecordBatch | None, outcomes: Sequence[RecordOutcome]
    ) -> None:
        if batch is not None:
            self._documents.write_batch(batch)
        for outcome in outcomes:
            self._tally.drop(outcome)
        for found in pages:
            self._tally.keep()
            self._task.tally("documents").keep()
            self._count_nodes(found.page)

    def _count_nodes(self, page: Page) -> None:
        texts = sum(node.text is not None for node in page.nodes)
        self._task.tally("texts").keep(texts)
        images = self._task.tally("images")
        images.keep(len(page.nodes) - texts)
        for reason, count in page.dropped_images.items():
            if count:
                images.drop(reason, count)

    def _add_pdf(self, pdf: PdfFile) -> None:
        self._tally.keep()
        self._task.tally("pdfs").keep()
        described = {
            "url": pdf.record.url,
            "warc_filename": file_name(self._task.partition.path),
            "warc_offset": pdf.record.offset,
            "crawled_at": pdf.record.date.isoformat() if pdf.record.date else None,
        }
        self._pdfs.add(f"{pdf.key}.json", json.dumps(described, sort_keys=True).encode())
        self._pdfs.add(f"{pdf.key}.pdf", pdf.body)

    def _index_image(self, record: Record) -> None:
        url = canonical(record.url)
        assert record.head is not None
        if url is None:
            self._tally.drop(RecordOutcome.BAD_HTTP)
            return
        self._tally.keep()
        self._task.tally("warc_images").keep()
        size = record.head.get("content-length")
        row = {
            "url": url,
            "record_url": record.url,
            "warc_offset": record.offset,
            "bytes": int(size) if size.isdigit() else None,
            "content_type": record.head.content_type,
        }
        self._images.write_rows([row])
