"""Perplexity against probabilities written down by hand, and what is said before a job starts if there is no model."""

import io
from pathlib import Path

import pytest

from curate.cli.main import main
from filters import perplexity
from pipelines.extract.stage import Extract
from pipelines.frame import partitions
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.run import plan_stage, run_stage
from pipelines.frame.stage import Job
from pipelines.frame.storage import Workspace
from schemas.recipe import PerplexitySettings, Recipe
from tests.archives import make_warc, response
from tests.test_extract_stage import ARTICLE, documents

kenlm = pytest.importorskip("kenlm")
sentencepiece = pytest.importorskip("sentencepiece")

# Letters are the pieces; "▁" begins a word. Bigrams of "▁ a" are likelier than what backs off.
_ARPA = """\\data\\
ngram 1=6
ngram 2=2

\\1-grams:
-2.0\t<unk>
0\t<s>\t-0.5
-1.0\t</s>
-0.7\t▁\t-0.25
-0.6\ta\t-0.1
-1.5\t0\t-0.3

\\2-grams:
-0.2\t<s> ▁
-0.3\t▁ a

\\end\\
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> PerplexitySettings:
    folder = tmp_path_factory.mktemp("models")
    (folder / "letters.arpa").write_text(_ARPA, encoding="utf-8")
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a 0 b c a b"] * 50), model_writer=trained, vocab_size=8, model_type="char",
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    (folder / "letters.model").write_bytes(trained.getvalue())
    return PerplexitySettings(model=str(folder / "letters.arpa"), sentencepiece=str(folder / "letters.model"))


def test_perplexity_is_what_the_models_probabilities_make(settings: PerplexitySettings) -> None:
    # <s> ▁ -0.2, ▁ a -0.3, then the end: a's back-off -0.1 and </s> -1.0; three events.
    assert perplexity.measure("a", settings) == pytest.approx(10 ** ((0.2 + 0.3 + 0.1 + 1.0) / 3), rel=1e-5)


def test_digits_and_typographic_marks_are_made_plain(settings: PerplexitySettings) -> None:
    same = perplexity.measure("a 0", settings)
    assert perplexity.measure("a\u30007\n", settings) == same
    assert perplexity.measure("a　٣", settings) == same
    assert perplexity.measure("‘a’ — 0…", settings) != same


def test_a_text_without_anything_has_none(settings: PerplexitySettings) -> None:
    assert [perplexity.measure(text, settings) for text in (None, "", " \n ", "\x07")] == [None] * 4


def test_extract_measures_documents_and_texts_where_the_recipe_names_a_model(
    settings: PerplexitySettings, tmp_path: Path
) -> None:
    path = make_warc(tmp_path / "a.warc.gz", [response("http://a.test/article", ARTICLE)])
    rows = {}
    for name, asked in (("with", settings.model_dump()), ("without", None)):
        recipe = Recipe.model_validate({"extract": {"perplexity": asked}})
        job = Job(Workspace(str(tmp_path / name)), recipe, tuple(partitions.plan([path], 0)))
        run_stage(plan_stage(Extract(), job), job, LocalEngine(workers=1))
        (rows[name],) = documents(job.workspace).to_pylist()
    texts = rows["with"]["texts"]
    assert rows["with"]["node_perplexity"] == pytest.approx([perplexity.measure(text, settings) for text in texts])
    whole = "\n\n".join(text for text in texts if text is not None)
    assert rows["with"]["perplexity"] == pytest.approx(perplexity.measure(whole, settings))
    assert rows["without"]["perplexity"] is None and set(rows["without"]["node_perplexity"]) == {None}


def test_a_missing_model_is_told_before_anything_is_written(
    settings: PerplexitySettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert perplexity.problem(settings) is None
    setting = f"extract.perplexity={{model: {tmp_path}/none.bin, sentencepiece: {settings.sentencepiece}}}"
    out = tmp_path / "out"
    status = main(["run", "default", "--input", str(Path(__file__)), "--output", str(out), "--set", setting])
    assert status != 0
    assert f"extract.perplexity: model: there is no file {tmp_path}/none.bin" in capsys.readouterr().err
    assert not out.exists()


def test_missing_packages_are_named_with_the_extra_that_brings_them(
    settings: PerplexitySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perplexity, "find_spec", lambda name: None if name == "kenlm" else object())
    assert perplexity.problem(settings) == "needs kenlm, which the extra curate[perplexity] brings"
