"""Duplicates, evaluation sets and balance from WARC to shards: every verdict is explained, and all of it adds up."""

import gzip
import hashlib
import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from curate.cli.main import main
from filters.image_header import ImageFacts, inspect
from tests.archives import DATE, make_warc, response
from tests.image_server import picture
from tests.shard_members import members

HOST, OTHER = "http://news.example", "http://blog.example"
LATER = "2024-09-09T09:09:09Z"
QUESTION = "Which of the seven harbours on the northern coast was the first to build a lighthouse of red stone"
NOTICE = "Subscribe to the letter of this paper and read every story a day before everybody else does."
_NOUNS = "harbour garden oven lighthouse museum bridge forest kiln river meadow tower orchard village market".split()
_ADJECTIVES = "old quiet narrow famous wooden northern empty painted crowded distant".split()
_VERBS = "built sold painted closed measured described visited forgotten".split()


def sentences(seed: object, count: int) -> str:
    """Plain English that a page could have, the same for the same seed."""
    rng = random.Random(str(seed))

    def place() -> str:
        return f"{rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)}"

    return " ".join(
        f"The {place()} near the {place()} was {rng.choice(_VERBS)} in the year {rng.randrange(1200, 1999)}, and "
        "people still talk about it."
        for _ in range(count)
    )


def article(url: str, parts: Sequence[str], date: str = DATE) -> bytes:
    """A response record of a page of paragraphs and images (parts that begin with a slash or with http)."""
    body = "".join(
        f'<img src="{part}" alt="A picture of the place">' if part.startswith(("/", "http")) else f"<p>{part}</p>"
        for part in parts
    )
    html = f"<!DOCTYPE html><html><head><title>{url}</title></head><body><article>{body}</article></body></html>"
    made = response(url, html.encode(), identity=f"<urn:uuid:{hashlib.md5((url + date).encode()).hexdigest()}>")
    return gzip.compress(gzip.decompress(made).replace(DATE.encode(), date.encode()), mtime=0)


def an_image(url: str, content: bytes) -> bytes:
    return response(url, content, [("Content-Type", "image/jpeg")])


def shot(seed: int, kind: str = "JPEG") -> bytes:
    return picture(kind, (400, 300), seed)


IMAGES = {
    "/one.jpg": shot(1), "/two.jpg": shot(2), "/again.jpg": shot(1), "/one.png": shot(1, "PNG"), "/quiz.jpg": shot(7),
    "/map.jpg": shot(9), **{f"/{n}.jpg": shot(20 + n) for n in range(9)},
    **{f"/b{n}.jpg": shot(40 + n) for n in range(8)},
}  # fmt: skip


def crawl() -> list[bytes]:
    """Pages of which each but a few goes for a reason of its own."""
    story = sentences("story", 40)
    records = [
        article(f"{HOST}/story", [story, "/one.jpg", sentences("more", 3)]),
        article(f"{HOST}/story?utm_source=mail", [sentences("later", 8), "/two.jpg"], LATER),
        article(f"{OTHER}/copied", [story, "/one.jpg", sentences("more", 3)]),
        article(f"{OTHER}/original", [story, "/one.jpg", sentences("more", 3)]),
        article(f"{OTHER}/nearly", [story, "/one.jpg", sentences("more", 1)]),
        article(f"{HOST}/set-a", [sentences("set a", 8), "/0.jpg", "/1.jpg"]),
        article(f"{HOST}/set-b", [sentences("set b", 8), "/1.jpg", "/0.jpg"]),
        article(f"{HOST}/quiz", [sentences("quiz", 8), QUESTION, "/2.jpg"]),
        article(f"{HOST}/pictures", [sentences("pictures", 8), "/one.jpg", "/again.jpg", "/one.png", "/quiz.jpg"]),
        *[article(f"{HOST}/{n}", [sentences(n, 8), NOTICE, f"/{n}.jpg", "/map.jpg"]) for n in range(4, 9)],
        article(f"{HOST}/short", [NOTICE, "/one.jpg"]),
        *[
            article(f"{OTHER}/badger-{n}", [f"A badger. {sentences(('b', n), 8)}", f"{HOST}/b{n}.jpg"])
            for n in range(8)
        ],
    ]
    return [*records, *[an_image(f"{HOST}{path}", content) for path, content in IMAGES.items()]]


PAGES = (
    *((HOST, f"/{name}") for name in ("story", "story?utm_source=mail", "set-a", "set-b", "quiz", "pictures", "short")),
    *((HOST, f"/{n}") for n in range(4, 9)), *((OTHER, f"/{name}") for name in ("copied", "original", "nearly")),
    *((OTHER, f"/badger-{n}") for n in range(8)),
)  # fmt: skip


def a_recipe(folder: Path) -> str:
    facts = inspect(IMAGES["/quiz.jpg"], max_pixels=1 << 20)
    assert isinstance(facts, ImageFacts)
    (folder / "questions.jsonl").write_text(json.dumps({"question": QUESTION}) + "\n")
    (folder / "hashes.txt").write_text(facts.phash + "\n")
    (folder / "concepts.txt").write_text("badger\nunheard of\n")
    recipe: dict[str, Any] = {
        "name": "everything",
        "screen": {"document": [{"signal": "words", "min": 60}]},
        "dedup": {
            "text": {
                "url": True, "exact": True, "near": {"jaccard": 0.7}, "image_sets": True, "paragraphs": {},
                "max_image_documents": 4,
            },
            "images": {"perceptual_distance": 2, "in_document": "exact"},
        },
        "decontaminate": [
            {"name": "questions", "texts": str(folder / "questions.jsonl")},
            {"name": "photos", "images": str(folder / "hashes.txt")},
        ],
        "balance": {"concepts": str(folder / "concepts.txt"), "cap": 2},
        "fetch": {"enabled": False},
        "select": {"image": [{"signal": "copies", "max": 30}], "document": [{"signal": "words", "min": 5}]},
    }  # fmt: skip
    path = folder / "everything.yaml"
    path.write_text(yaml.safe_dump(recipe))
    return str(path)


def run(folder: Path, out: Path, *settings: str, workers: int = 1, split: int = 0) -> int:
    options = [word for setting in (f"input.split_bytes={split}", *settings) for word in ("--set", setting)]
    warc = str(folder / "crawl.warc.gz")
    recipe = str(folder / "everything.yaml")
    return main(["run", recipe, "--input", warc, "--output", str(out), "--workers", str(workers), *options])


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_warc(folder / "crawl.warc.gz", crawl())
    a_recipe(folder)
    return folder


@pytest.fixture(scope="module")
def done(inputs: Path) -> Path:
    assert run(inputs, inputs / "out") == 0
    return inputs / "out"


def explained(out: Path, url: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["explain", str(out), url, "--json"]) == 0
    (capture,) = json.loads(capsys.readouterr().out)
    return dict(capture)


def stages_run(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.split()[0] for line in capsys.readouterr().err.splitlines() if " partitions in " in line]


def shards(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / "shards").iterdir())}


def test_every_document_that_went_says_why_and_what_stays_for_it(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captures = {url: explained(done, url, capsys) for url in map("".join, PAGES) if "badger" not in url}
    kept = {url for url, capture in captures.items() if capture["kept"]}
    equal = sorted([f"{OTHER}/copied", f"{OTHER}/original"], key=lambda url: captures[url]["doc_id"])
    sets = sorted([f"{HOST}/set-a", f"{HOST}/set-b"], key=lambda url: captures[url]["doc_id"])
    ids = {url: capture["doc_id"] for url, capture in captures.items()}
    expected = {
        f"{HOST}/story": ("document.duplicate.url", ids[f"{HOST}/story?utm_source=mail"]),
        equal[1]: ("document.duplicate.exact", ids[equal[0]]),
        f"{OTHER}/nearly": ("document.duplicate.near", ids[equal[0]]),
        sets[1]: ("document.duplicate.image_set", ids[sets[0]]),
        f"{HOST}/quiz": ("document.benchmark", "questions"),
    }
    for url, (rule, survivor) in expected.items():
        (failed,) = captures[url]["failed"]
        assert (failed["rule"], json.loads(failed["value"])) == (rule, survivor)
    assert kept == set(captures) - set(expected) - {f"{HOST}/short"}
    assert [failed["rule"] for failed in captures[f"{HOST}/short"]["failed"]] == ["screen.document.words.min"]


def test_paragraphs_and_pictures_that_went_say_why(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    captures = [explained(done, f"{HOST}/{n}", capsys) for n in range(4, 9)]
    best = min(captures, key=lambda capture: (-round(capture["language_score"], 1), capture["doc_id"]))
    words = [sum(node.get("words") or 0 for node in capture["nodes"]) for capture in captures]
    assert len(set(words)) == 1, "the pages are to be equally good"
    for capture in captures:
        (notice,) = (node for node in capture["nodes"] if node.get("text") == NOTICE)
        (often,) = (node for node in capture["nodes"] if node.get("image", "").endswith("map.jpg"))
        survivors = [(failed["rule"], json.loads(failed["value"])) for failed in notice["failed"]]
        assert survivors == ([] if capture is best else [("node.duplicate", best["doc_id"])])
        (failed,) = often["failed"]
        assert (failed["rule"], json.loads(failed["value"])) == ("image.status", "too_frequent")
        assert often["error_message"] == "in 5 documents"
    nodes = explained(done, f"{HOST}/pictures", capsys)["nodes"]
    by_name = {node["image"].rsplit("/", 1)[1]: node for node in nodes if "image" in node}
    assert (by_name["one.jpg"]["kept"], by_name["one.png"]["kept"]) == (True, True)
    assert [failed["rule"] for failed in by_name["again.jpg"]["failed"]] == ["image.duplicate.in_document"]
    (failed,) = by_name["quiz.jpg"]["failed"]
    assert (failed["rule"], json.loads(failed["value"])) == ("image.benchmark", "photos")


def test_of_a_concept_about_as_many_documents_stay_as_its_cap_says(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captures = [explained(done, f"{OTHER}/badger-{n}", capsys) for n in range(8)]
    reasons = [[failed["rule"] for failed in capture["failed"]] for capture in captures]
    assert {tuple(rules) for rules in reasons} == {(), ("document.balance",)}
    (report,) = json.loads((done / "concepts.json").read_text())
    assert report == {"concept": "badger", "documents": 8, "kept": reasons.count([])}
    for capture in captures:
        for failed in capture["failed"]:
            draw, _, probability = json.loads(failed["value"]).partition(", with a probability of ")
            assert float(draw) >= float(probability) == 0.25


def test_explain_prints_the_kind_and_what_stays(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = explained(done, f"{HOST}/story?utm_source=mail", capsys)
    assert main(["explain", str(done), f"{HOST}/story"]) == 0
    said = capsys.readouterr().out
    assert "document.duplicate.url" in said
    assert f"a copy of {later['url']}" in said


def test_the_counts_add_up_and_name_every_reason(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["status", str(done), "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["adds_up"], status["problems"]
    stages = {stage["stage"]: stage["counts"] for stage in status["stages"]}
    documents = stages["extract"]["documents"]["out"]
    assert documents == len(PAGES)
    for stage in ("digest", "dedup_text", "fetch", "select"):
        assert stages[stage]["documents"]["in"] == documents
    reasons = stages["select"]["documents"]["reasons"]
    assert {name: count for name, count in reasons.items() if name != "document.balance"} == {
        "document.duplicate.url": 1, "document.duplicate.exact": 1, "document.duplicate.near": 1,
        "document.duplicate.image_set": 1, "document.benchmark": 1, "screen.document.words.min": 1,
    }  # fmt: skip
    assert stages["fetch"]["documents"]["reasons"] == {k.removeprefix("screen."): n for k, n in reasons.items()}
    of_copies = {k: n for k, n in reasons.items() if k != "document.balance" and not k.startswith("screen.")}
    assert stages["dedup_text"]["documents"]["reasons"] == {**of_copies, "screen": 1}
    assert stages["balance"]["documents"]["in"] == documents - 6
    assert stages["balance"]["documents"]["reasons"]["document.balance"] == reasons["document.balance"]
    assert stages["fetch"]["images"]["reasons"]["too_frequent"] == 1
    assert stages["dedup_images"]["pictures"]["in"] == stages["fetch"]["images"]["out"]
    assert main(["validate", str(done)]) == 0


def test_a_second_run_does_nothing_and_no_scratch_is_left(
    inputs: Path, done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()}
    assert not [path for path in before if "scratch" in path.parts]
    capsys.readouterr()
    assert run(inputs, done) == 0
    assert "nothing to do" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("setting", "first", "untouched"),
    [
        ("dedup.text.near.ngram=4", "digest", {"extract"}),
        ("dedup.text.near.jaccard=0.99", "dedup_text", {"extract", "digest"}),
        ("dedup.text.max_image_documents=5", "dedup_text", {"extract", "digest", "balance"}),
        ("dedup.text.paragraphs.copies=9", "dedup_text", {"extract", "digest"}),
        ("balance.cap=1", "balance", {"extract", "digest", "dedup_text"}),
        ("dedup.images.perceptual_distance=4", "dedup_images",
         {"extract", "digest", "dedup_text", "balance", "hosts", "fetch", "measure"}),
        ("dedup.images.in_document=perceptual", "select",
         {"extract", "digest", "dedup_text", "balance", "hosts", "fetch", "measure", "dedup_images"}),
        ("select.image.copies.max=3", "select",
         {"extract", "digest", "dedup_text", "balance", "hosts", "fetch", "measure", "dedup_images"}),
    ],
)  # fmt: skip
def test_a_changed_setting_runs_what_depends_on_it_and_back_again_the_same_comes_out(
    inputs: Path,
    done: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    setting: str,
    first: str,
    untouched: set[str],
) -> None:
    out = tmp_path / "out"
    shutil.copytree(done, out)
    capsys.readouterr()
    assert run(inputs, out, setting) == 0
    ran = stages_run(capsys)
    assert ran[0] == first
    assert not untouched & set(ran)
    assert "select" in ran
    assert run(inputs, out) == 0
    assert shards(out) == shards(done)


def test_another_slice_size_gives_the_same_samples_and_two_workers_the_same_bytes(
    inputs: Path, done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(inputs, tmp_path / "one", split=20_000) == 0
    assert run(inputs, tmp_path / "two", split=20_000, workers=2) == 0
    partitions = len(list((tmp_path / "one" / "text_duplicates").iterdir()))
    assert partitions > 3
    capsys.readouterr()
    assert main(["status", str(tmp_path / "one"), "--rules", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["partitions"] == {"judged": partitions, "all": partitions}
    assert members(tmp_path / "one") == members(done)
    assert shards(tmp_path / "one") == shards(tmp_path / "two")


def test_dedup_off_keeps_what_it_drops(inputs: Path, tmp_path: Path) -> None:
    recipe = yaml.safe_load((inputs / "everything.yaml").read_text())
    for section in ("dedup", "decontaminate", "balance"):
        del recipe[section]
    shutil.copy(inputs / "crawl.warc.gz", tmp_path)
    (tmp_path / "everything.yaml").write_text(yaml.safe_dump(recipe))
    assert run(tmp_path, tmp_path / "out") == 0
    samples = [name for name in members(tmp_path / "out") if name.endswith(".json")]
    assert len(samples) == len(PAGES) - 1


@pytest.mark.parametrize(
    ("setting", "missing"),
    [
        ("decontaminate", {"name": "lost", "texts": "{}/lost.jsonl"}),
        ("decontaminate", {"name": "lost", "images": "{}/lost-hashes.txt"}),
        ("balance", {"concepts": "{}/lost.txt"}),
    ],
)
def test_a_list_that_is_missing_is_named_before_anything_runs(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, missing: dict[str, str]
) -> None:
    described = {name: value.format(tmp_path) for name, value in missing.items()}
    path = next(value for value in described.values() if "/" in value)
    shutil.copy(inputs / "crawl.warc.gz", tmp_path)
    (tmp_path / "everything.yaml").write_text(
        yaml.safe_dump({setting: [described] if setting == "decontaminate" else described})
    )
    capsys.readouterr()
    assert run(tmp_path, tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert path in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_list_of_hashes_with_something_else_in_it_is_named_before_anything_runs(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "hashes.txt"
    listed.write_text("8f373714acfcf4d0\nnot a hash\n")
    shutil.copy(inputs / "crawl.warc.gz", tmp_path)
    (tmp_path / "everything.yaml").write_text(
        yaml.safe_dump({"decontaminate": [{"name": "quiz", "images": str(listed)}]})
    )
    capsys.readouterr()
    assert run(tmp_path, tmp_path / "out") == 2
    assert "'not a hash' is no perceptual hash" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
