"""The extract stage on WARCs made by hand: a record for each outcome, and every record and node accounted for."""

import gzip
import json
import tarfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.extract.content import KINDS
from pipelines.extract.stage import Extract, SeamBroken
from pipelines.frame import ledger, partitions
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.run import plan_stage, run_stage
from pipelines.frame.stage import Job
from pipelines.frame.storage import Workspace
from pipelines.frame.warc import Archive, Record, Slice, read_records
from schemas.ledger import LedgerRecord
from schemas.recipe import Recipe
from schemas.statuses import RecordOutcome
from schemas.tables import DOCUMENTS, WARC_IMAGES
from tests.archives import HTML, make_arc, make_warc, page, pages, read_by_warcio, record, response
from tests.corpora import corpora, files_in

CAPS = {"max_page_bytes": 20_000, "max_nodes": 300, "max_depth": 40, "max_pdf_bytes": 500}
GZIPPED = (*HTML, ("Content-Encoding", "gzip"))
ARTICLE = b"""<!DOCTYPE html><html><head><title> A  walk </title><meta name="robots" content="noimageai"></head><body>
<p>The path follows the river for some time before it climbs into the hills, and nobody who walks it in spring goes
home with dry feet. The bridge at the mill was taken by the flood; there are stepping stones a little further up.</p>
<figure><img src="/hill.jpg" alt="A hill" width="640" height="480"><figcaption>The hill in May</figcaption></figure>
<p>From the top of the hill one can see the whole valley and the town, and on a clear morning also the sea behind it. A
stone bench stands there, and a table with the names of all the mountains that nobody can find again afterwards.</p>
<img src="data:image/png;base64,AAAA"><p>The way down is short and steep. It ends in the market square of the town,
where the bus goes back to the mill every hour until the evening, on Sundays until five.</p>
<img src="https://img.test/town.png#top"></body></html>"""


def html(body: bytes) -> bytes:
    return b"<html><body>%s</body></html>" % body


def chunked(body: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:99], body[99:])) + b"0\r\n\r\n"


def of(kind: str, body: bytes, content_type: str, status: str = "200 OK") -> bytes:
    return response(f"http://a.test/{kind}", body, (("Content-Type", content_type),), status)


OUTCOMES: dict[RecordOutcome, list[bytes]] = {
    RecordOutcome.DOCUMENT: [
        response("http://a.test/article", ARTICLE, identity="<urn:uuid:1>"),
        response("http://a.test/chunked", chunked(ARTICLE), (*HTML, ("Transfer-Encoding", "chunked"))),
        response("http://a.test/gzip", gzip.compress(ARTICLE), GZIPPED),
        response("http://a.test/gzip-undone", ARTICLE, GZIPPED),
        response("http://a.test/both", chunked(gzip.compress(ARTICLE)), (*GZIPPED, ("Transfer-Encoding", "chunked"))),
        of("xhtml", ARTICLE, "application/xhtml+xml"),
        response("http://a.test/no-type", ARTICLE, ()),
    ],
    RecordOutcome.PDF: [of("paper.pdf", b"%PDF-1.4 a paper", "application/pdf")],
    RecordOutcome.IMAGE: [of("hill.jpg", b"\xff\xd8\xff\xe0 a picture of a hill", "image/jpeg")],
    RecordOutcome.WARCINFO: [record("warcinfo", "", b"software: a crawler\r\n")],
    RecordOutcome.REQUEST: [record("request", "http://a.test/article", b"GET /article HTTP/1.1\r\n\r\n")],
    RecordOutcome.METADATA: [record("metadata", "http://a.test/article", b"fetchTimeMs: 12\r\n")],
    RecordOutcome.RESOURCE: [record("resource", "http://a.test/log.txt", b"a log")],
    RecordOutcome.REVISIT: [record("revisit", "http://a.test/article", b"HTTP/1.1 200 OK\r\n\r\n")],
    RecordOutcome.CONVERSION: [record("conversion", "http://a.test/article", b"The path follows the river")],
    RecordOutcome.CONTINUATION: [record("continuation", "http://a.test/article", b"the rest")],
    RecordOutcome.UNKNOWN_TYPE: [record("screenshot", "http://a.test/article", b"png")],
    RecordOutcome.NOT_HTTP: [record("response", "dns:a.test", b"20240506070809\na.test. 300 IN A 192.0.2.1\n")],
    RecordOutcome.BAD_HTTP: [record("response", "http://a.test/bad", b"ICY 200 OK\r\nContent-Type: a/b\r\n\r\nx")],
    RecordOutcome.REDIRECT: [
        of("moved", ARTICLE, "text/html", "301 Moved"),
        of("same", b"", "text/html", "304 Same"),
        of("stub", b"<meta HTTP-EQUIV=refresh content='0; URL=/new'><p>Redirect to: /new", "text/html"),
    ],
    RecordOutcome.HTTP_ERROR: [of(s, ARTICLE, "text/html", f"{s} No") for s in ("404", "500", "206")],
    RecordOutcome.OTHER_CONTENT: [
        of("a.json", b"{}", "application/json"),
        response("http://a.test/bare", b"hi", ()),
        of("feed", b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- by us --><rss version="2.0"><p>News</p>', "text/html"),
        of("old", b'<?xml version="1.0"?><!DOCTYPE rss SYSTEM "rss.dtd"><rss><p>News</p></rss>', "text/html"),
        of("atom", b'<feed xmlns="http://www.w3.org/2005/Atom"><p>News</p></feed>', "text/html"),
    ],
    RecordOutcome.EMPTY: [of("empty", b"", "text/html"), of("blank", b" \n", "text/html"), of("e", b"", "image/png")],
    RecordOutcome.UNDECODABLE: [response("http://a.test/noise", b"\x1f\x8b\x08\x00 no gzip at all", GZIPPED)],
    RecordOutcome.TOO_LARGE: [
        of("large", page(1, 20_500), "text/html"),
        response("http://a.test/bomb", gzip.compress(html(b"<p>x</p>" * 9999)), GZIPPED),
        of("large.pdf", b"%PDF" * 200, "application/pdf"),
    ],
    RecordOutcome.TOO_MANY_NODES: [of("nodes", html(b"<p>x" * 300), "text/html")],
    RecordOutcome.TOO_DEEP: [of("deep", html(b"<div>" * 60 + b"deep"), "text/html")],
    RecordOutcome.NO_CONTENT: [of("nothing", html(b"<script>var x</script><nav>Home</nav>"), "text/html")],
    RecordOutcome.DUPLICATE_RECORD: [response("http://a.test/article", page(7), identity="<urn:uuid:1>")],
    RecordOutcome.TRUNCATED: [of("cut", page(2, 9000), "text/html")[:-900]],  # the file ends in it
}  # fmt: skip
KEPT = (RecordOutcome.DOCUMENT, RecordOutcome.PDF, RecordOutcome.IMAGE)


def extract(root: Path, *paths: str, split: int = 0, **caps: int) -> tuple[Workspace, list[LedgerRecord]]:
    """Run the stage over files in this process."""
    recipe = Recipe.model_validate({"extract": {**CAPS, **caps}})
    job = Job(Workspace(str(root)), recipe, tuple(partitions.plan(paths, split)))
    run_stage(plan_stage(Extract(), job), job, LocalEngine(workers=1))
    return job.workspace, list(ledger.read_all(job.workspace, Extract.name).values())


def documents(workspace: Workspace) -> pa.Table:
    return pa.concat_tables(pq.read_table(workspace.path(name)) for name in workspace.list("documents"))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, LedgerRecord]:
    """All outcomes from one WARC."""
    folder = tmp_path_factory.mktemp("extract")
    path = make_warc(folder / "a.warc.gz", [item for items in OUTCOMES.values() for item in items])
    workspace, (done,) = extract(folder / "out", path)
    return workspace, done


def test_every_record_ends_as_what_it_is_and_is_counted_once(everything: tuple[Workspace, LedgerRecord]) -> None:
    records = everything[1].tallies["records"]
    expected = {outcome: len(items) for outcome, items in OUTCOMES.items() if outcome not in KEPT}
    assert Counter(records.reasons) == Counter(expected)
    assert records.out == sum(len(OUTCOMES[outcome]) for outcome in KEPT)
    assert records.taken == sum(map(len, OUTCOMES.values())) == len(read_by_warcio(warc_of(everything[0])))


def test_no_outcome_is_left_without_a_record_that_reaches_it() -> None:
    assert set(RecordOutcome) - set(OUTCOMES) == {RecordOutcome.ERROR}, "an exception, which no input should raise"


def warc_of(workspace: Workspace) -> str:
    return str(Path(workspace.root).parent / "a.warc.gz")


def test_tallies_add_up_and_agree_with_what_was_written(everything: tuple[Workspace, LedgerRecord]) -> None:
    workspace, done = everything
    table, tallies = documents(workspace), done.tallies
    assert done.errors == 0 and not done.skips and all(tally.adds_up for tally in tallies.values())
    assert tallies["documents"].out == table.num_rows == len(OUTCOMES[RecordOutcome.DOCUMENT])
    for kind in ("texts", "images"):
        assert tallies[kind].out == sum(node is not None for nodes in table[kind].to_pylist() for node in nodes)
    assert tallies["images"].reasons == {"inline_or_missing": table.num_rows}
    assert {o.path: o.counts for o in done.outputs if o.counts} == {
        "documents/00000.parquet": {"rows": table.num_rows}, "warc_images/00000.parquet": {"rows": 1},
    }  # fmt: skip
    assert done.bytes_in == Path(warc_of(workspace)).stat().st_size


def test_documents_have_the_schema_that_is_promised(everything: tuple[Workspace, LedgerRecord]) -> None:
    table = documents(everything[0])
    assert table.schema.names == DOCUMENTS.schema.names and table.schema.metadata == DOCUMENTS.schema.metadata
    promised = [DOCUMENTS.schema.field(field.name) for field in table.schema]
    assert [f.metadata for f in table.schema] == [f.metadata for f in promised]
    assert [(f, p) for f, p in zip(table.schema, promised, strict=True) if not f.equals(p)] == []
    assert len(set(table["doc_id"].to_pylist())) == table.num_rows
    assert all(len(key) == 32 and int(key, 16) for key in table["doc_id"].to_pylist())


def test_lists_of_a_document_are_parallel_and_each_node_is_a_text_or_an_image(
    everything: tuple[Workspace, LedgerRecord],
) -> None:
    table = documents(everything[0])
    of_pages = {"directives", "licenses"}
    lists = [field.name for field in table.schema if pa.types.is_list(field.type) and field.name not in of_pages]
    assert {"alts", "captions", "rendered_width", "node_words", "node_word_repetition_ratio"} <= set(lists)
    for row in table.to_pylist():
        given = [name for name in lists if name != "node_languages" or row[name] is not None]
        assert len({len(row[name]) for name in given}) == 1
        assert all((text is None) != (image is None) for text, image in zip(row["texts"], row["images"], strict=True))
        measured = [count is not None for count in row["node_words"]]
        assert measured == [text is not None for text in row["texts"]]
        assert row["words"] == sum(count or 0 for count in row["node_words"])


def test_a_page_is_the_same_document_however_it_was_sent(everything: tuple[Workspace, LedgerRecord]) -> None:
    rows = documents(everything[0]).to_pylist()
    same = [{k: v for k, v in row.items() if k not in ("doc_id", "url", "warc_offset")} for row in rows]
    assert all(row == same[0] for row in same)
    first = same[0]
    assert first["title"] == "A walk" and first["language"] == "en" and first["directives"] == ["noimageai"]
    assert [image for image in first["images"] if image] == ["http://a.test/hill.jpg", "https://img.test/town.png"]
    hill = first["images"].index("http://a.test/hill.jpg")
    assert (first["alts"][hill], first["captions"][hill]) == ("A hill", "The hill in May")
    assert (first["rendered_width"][hill], first["rendered_height"][hill]) == (640, 480)
    texts = [text.split()[:3] for text in first["texts"] if text not in (None, "The hill in May")]
    assert texts == [["The", "path", "follows"], ["From", "the", "top"], ["The", "way", "down"]]
    assert (first["texts"][0] or "").startswith("The path") and hill == 1 and first["images"][-1]
    assert first["crawled_at"].isoformat() == "2024-05-06T07:08:09+00:00"


def test_measures_of_a_page_are_shares_and_its_date_and_licence_are_read(tmp_path: Path) -> None:
    head = b"<meta property='article:published_time' content='2024-03-02T10:00:00+02:00'><link rel=license href=/terms>"
    dated = response("http://a.test/dated", ARTICLE.replace(b"</head>", head + b"</head>"))
    path = make_warc(tmp_path / "a.warc.gz", [dated, response("http://a.test/bare", ARTICLE)])
    first, second = documents(extract(tmp_path / "out", path)[0]).to_pylist()
    assert first["published_at"].isoformat() == "2024-03-02T08:00:00+00:00"
    assert first["licenses"] == ["http://a.test/terms"]
    assert (second["published_at"], second["licenses"]) == (None, [])
    for row in (first, second):
        assert row["page_type"] in KINDS and 1 / len(KINDS) <= row["page_type_score"] <= 1
        assert 0.4 < row["text_density"] < 1 and row["link_density"] == row["template_repetition"] == 0


def test_texts_of_a_page_in_two_languages_have_each_their_own(tmp_path: Path) -> None:
    german = """<p>Der Weg folgt lange dem Fluss, bevor er in die Hügel steigt, und niemand kommt im Frühling mit
    trockenen Füßen nach Hause. Die Brücke an der Mühle hat das Hochwasser geholt.</p><p>Von oben sieht man das ganze
    Tal und die Stadt, und an klaren Tagen auch das Meer dahinter. Dort steht eine steinerne Bank.</p>""".encode()
    mixed = response("http://a.test/mixed", ARTICLE.replace(b"<figure>", german + b"<figure>"))
    path = make_warc(tmp_path / "a.warc.gz", [mixed, response("http://a.test/bare", ARTICLE)])
    first, second = documents(extract(tmp_path / "out", path)[0]).to_pylist()
    assert second["node_languages"] is None and second["language_score"] >= 0.9
    assert len(first["node_languages"]) == len(first["texts"])
    found = {text.split()[0]: code for text, code in zip(first["texts"], first["node_languages"], strict=True) if text}
    assert (found["Der"], found["Von"], found["From"]) == ("de", "de", "en")


def test_offsets_lead_back_to_the_records(everything: tuple[Workspace, LedgerRecord]) -> None:
    workspace, _ = everything
    images = pq.read_table(workspace.path("warc_images/00000.parquet"))
    assert images.schema.equals(WARC_IMAGES.schema)
    for row in [*documents(workspace).to_pylist(), *images.to_pylist()]:
        with Archive(warc_of(workspace)) as archive:
            found = archive.record_at(row["warc_offset"], row["url"], 1 << 20)
        assert found is not None and found.url == row["url"]


def test_a_pdf_lies_in_the_shard_with_where_it_came_from(everything: tuple[Workspace, LedgerRecord]) -> None:
    with tarfile.open(everything[0].path("pdfs/00000.tar")) as tar:
        members = {member.name: tar.extractfile(member) for member in tar}
        described, body = (file.read() if file else b"" for file in members.values())
    keys = [name.split(".") for name in members]
    assert [ending for _, ending in keys] == ["json", "pdf"] and keys[0][0] == keys[1][0] and len(keys[0][0]) == 32
    assert body == b"%PDF-1.4 a paper" and json.loads(described)["url"] == "http://a.test/paper.pdf"


def test_caps_include_their_value(tmp_path: Path) -> None:
    sizes = [len(page(1)) + by for by in (-1, 0)]
    path = make_warc(
        tmp_path / "a.warc.gz", [of("page", page(1), "text/html"), of("p.pdf", page(1), "application/pdf")]
    )
    outs = [extract(tmp_path / f"{s}", path, max_page_bytes=s, max_pdf_bytes=s)[1][0] for s in sizes]
    assert [out.tallies["records"].reasons for out in outs] == [{RecordOutcome.TOO_LARGE: 2}, {}]


def test_slices_together_give_the_documents_of_the_whole_file(tmp_path: Path) -> None:
    path = make_warc(tmp_path / "a.warc.gz", [*pages(6), *OUTCOMES[RecordOutcome.TOO_LARGE], *pages(9)[6:]])
    whole, _ = extract(tmp_path / "whole", path)
    sliced, done = extract(tmp_path / "sliced", path, split=4000)
    assert len(done) > 3 and documents(sliced).equals(documents(whole)) and documents(whole).num_rows == 9
    assert sum(record.tallies["records"].taken for record in done if record.tallies) == 12


def test_a_damaged_stretch_is_in_the_ledger_and_the_pages_around_it_are_read(tmp_path: Path) -> None:
    members = [*pages(3), b"no record " * 30, *pages(5)[3:]]
    workspace, (done,) = extract(tmp_path / "out", make_warc(tmp_path / "a.warc.gz", members))
    assert [(skip.offset, skip.length) for skip in done.skips] == [(sum(map(len, members[:3])), 300)]
    assert documents(workspace)["title"].to_pylist() == ["0", "1", "2", "3", "4"]


def test_pages_of_an_arc_file_are_documents(tmp_path: Path) -> None:
    path = make_arc(tmp_path / "a.arc", map(page, range(3)))
    workspace, (done,) = extract(tmp_path / "out", path)
    assert done.tallies["records"].reasons == {RecordOutcome.WARCINFO: 1}
    assert documents(workspace)["title"].to_pylist() == ["0", "1", "2"]


HOSTILE: dict[str, bytes] = {
    "characters that UTF-7 leaves half": b"<meta charset=utf-7><p>\xff%s +2AA- end</p>" % (b"plain words " * 200),
    "a half character in an entity": b"<title>&#xD800;</title><p>&#xDFFF; &#0; &#x110000; words</p>",
    "an impossible URL": b"<base href='http://[::1'><p>words</p><img src='http://[x/a.jpg'><img src='//'>",
    "a width of many digits": b"<p>words</p><img src=a.jpg width=99999999999999999999 height=-5>",
    "null bytes": b"<p>a\x00b</p>\x00<img src='a\x00b.jpg'>",
    "an encoding that is none": b"<meta charset='rot13'><p>words \xe9</p>",
    "attributes without end": b"<p " + b"a=b " * 4000 + b">" + b"words " * 20 + b"</p>",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_page_raises_no_exception(tmp_path: Path, content: bytes) -> None:
    path = make_warc(tmp_path / "a.warc.gz", [of("hostile", content, "text/html")])
    workspace, (done,) = extract(tmp_path / "out", path)
    assert done.errors == 0 and documents(workspace).num_rows == 1


def test_a_url_that_is_not_utf_8_raises_no_exception(tmp_path: Path) -> None:
    plain = response("http://a.test/caf_", ARTICLE, compressed=False).replace(b"caf_", b"caf\xe9")
    workspace, (done,) = extract(tmp_path / "out", make_warc(tmp_path / "a.warc", [plain]))
    assert done.errors == 0 and documents(workspace).num_rows == 1


def test_slices_that_do_not_meet_stop_the_job_and_say_what_helps(tmp_path: Path) -> None:
    cut = partitions.plan([make_warc(tmp_path / "a.warc.gz", pages(3))], 4000)
    job = Job(Workspace(str(tmp_path)), Recipe(), tuple(cut))
    seams: Sequence[tuple[int, int]] = [(0, 4100), (4200, 7000)]
    records = {n: LedgerRecord(stage="extract", partition=n, fingerprint="", seam=seam) for n, seam in enumerate(seams)}
    with pytest.raises(SeamBroken, match=r"a\.warc\.gz: .* at 4100, .* at 4200; run with --set input\.split_bytes=0"):
        Extract().finish(job, records)


@pytest.mark.parametrize(
    "before", [b" \n" * 5_000_000, b"<!-- -->" * 1_000_000, b"<?x?> " * 1_000_000, b"<!--" * 2_000_000]
)
def test_whatever_a_page_begins_with_it_is_soon_known_what_it_is(tmp_path: Path, before: bytes) -> None:
    warc = tmp_path / "a.warc.gz"
    warc.write_bytes(of("late", before + ARTICLE, "text/html"))
    began = time.monotonic()
    _, done = extract(tmp_path / "out", str(warc), max_page_bytes=1 << 24, max_nodes=100_000)
    assert time.monotonic() - began < 5 and done[0].tallies["records"].taken == 1


def test_all_real_edge_cases_are_extracted_with_every_record_accounted_for(tmp_path: Path) -> None:
    folder = corpora() / "warc_edge"
    paths = [str(folder / name) for name in files_in("warc_edge")]
    workspace, done = extract(tmp_path / "out", *paths, max_page_bytes=1 << 24, max_nodes=100_000, max_depth=1000)
    assert len(done) == len(paths) == 39 and workspace.list("errors/extract") == []
    for path, each in zip(paths, done, strict=True):
        items = list(read_records(Slice(path), lambda _kind, _head: 0))
        assert each.tallies["records"].taken == sum(isinstance(item, Record) for item in items), path
        assert all(tally.adds_up for tally in each.tallies.values())
    kept = sum(each.tallies["records"].out for each in done)
    assert kept >= 108 and documents(workspace).num_rows >= 64  # what they held when this was written
    none = ("/u_1090813/article.html", "/user?destination=home", "https://kiwix.org/")  # an error, a log-in, a redirect
    assert not [url for url in documents(workspace)["url"].to_pylist() if url.endswith(none)]
