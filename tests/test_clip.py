"""The scorer against open_clip's own towers, one item at a time; and models that cannot be used."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from filters.clip import ClipModel, ScorerUnusable, problem, weights_digest
from filters.clip_picture import clip_picture
from filters.extras import missing_packages
from filters.image_header import Unusable
from schemas.recipe import ScoreSettings
from schemas.statuses import ImageStatus
from tests.image_server import picture
from tests.tiny_clip import CONTEXT, SIZE, WIDTH, make_tiny_clip

pytestmark = pytest.mark.skipif(bool(missing_packages("score")), reason="without the extra score")
TEXTS = [
    "a harbour at low tide",
    "x",
    "",
    "Ebbe und Flut — 潮の満ち引き",
    "boats " * 100,
    "one two three four five six seven",
]
SIZES = [(200, 160), (33, 300), (20, 20), (640, 480), (64, 64)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_clip(tmp_path_factory.mktemp("clip") / "tiny")


@pytest.fixture
def model(folder: Path) -> ClipModel:
    return ClipModel(ScoreSettings(model=str(folder), batch_images=3, batch_texts=4), "cpu")


def files() -> list[bytes]:
    kinds = ("PNG", "JPEG", "WEBP", "PNG", "JPEG")
    return [picture(kind, size, number) for number, (kind, size) in enumerate(zip(kinds, SIZES, strict=True))]


def shaped(model: ClipModel, contents: Sequence[bytes]) -> list[Any]:
    return [clip_picture(content, 10**7, model.image_size, model.preprocess) for content in contents]


def by_open_clip(folder: Path, contents: Sequence[bytes], texts: Sequence[str]) -> tuple[Any, Any]:
    """Embeddings by open_clip as its README has it: each image and each text alone."""
    import open_clip
    import torch

    own, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    own.eval()
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    with torch.no_grad():
        opened = [preprocess(Image.open(io.BytesIO(content)).convert("RGB")) for content in contents]
        images = [own.encode_image(image[None], normalize=True)[0].numpy() for image in opened]
        found = [own.encode_text(tokenizer([text]), normalize=True)[0].numpy() for text in texts]
    return np.stack(images), np.stack(found)


def test_embeddings_are_open_clips_own_whatever_they_share_a_batch_with(folder: Path, model: ClipModel) -> None:
    images, texts = by_open_clip(folder, files(), TEXTS)
    assert images.shape == (len(SIZES), WIDTH)
    np.testing.assert_allclose(model.embed_images(shaped(model, files())), images, atol=1e-5)
    np.testing.assert_allclose(model.embed_texts(TEXTS), texts, atol=1e-5)


def test_a_tower_that_sees_the_padding_gets_all_of_it(tmp_path: Path) -> None:
    folder = make_tiny_clip(tmp_path / "siglip", no_causal_mask=True)
    model = ClipModel(ScoreSettings(model=str(folder)), "cpu")
    _, texts = by_open_clip(folder, files()[:1], TEXTS)
    np.testing.assert_allclose(model.embed_texts(TEXTS), texts, atol=1e-5)


@pytest.mark.parametrize("kind", ["images", "texts"])
def test_a_batch_for_which_there_is_no_memory_is_halved_and_nothing_is_lost(
    model: ClipModel, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    import torch

    expected = model.embed_images(shaped(model, files())), model.embed_texts(TEXTS)
    for name in ("encode_image", "encode_text"):
        whole = getattr(model._model, name)

        def limited(batch: Any, whole: Any = whole) -> Any:
            if len(batch) > 1:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return whole(batch)

        monkeypatch.setattr(model._model, name, limited)
    found = model.embed_images(shaped(model, files())) if kind == "images" else model.embed_texts(TEXTS)
    np.testing.assert_allclose(found, expected[kind == "texts"], atol=1e-5)
    assert model.halved[kind] == {"images": 1, "texts": 2}[kind]


def test_one_item_that_does_not_fit_is_said_so(model: ClipModel, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def never(batch: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(model._model, "encode_image", never)
    with pytest.raises(ScorerUnusable, match="no memory for one of the images"):
        model.embed_images(shaped(model, files()))


def test_nothing_to_embed_is_no_error(model: ClipModel) -> None:
    assert len(model.embed_images([])) == len(model.embed_texts([])) == 0


def test_transparency_shows_white_and_photographs_stand_upright(model: ClipModel) -> None:
    shape = (3, SIZE, SIZE)
    clear, turned = io.BytesIO(), io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(clear, "PNG")
    half = Image.new("RGB", (64, 64), "white")
    half.paste((0, 0, 0), (0, 0, 64, 32))  # black above
    exif = Image.Exif()
    exif[0x0112] = 3  # to be turned by half
    half.save(turned, "PNG", exif=exif)
    white, upside = shaped(model, [clear.getvalue(), turned.getvalue()])
    assert white.shape == upside.shape == shape and white.min() == 255
    assert upside[:, : SIZE // 2 - 4].min() == 255 and upside[:, SIZE // 2 + 4 :].max() == 0


def test_a_file_that_is_no_picture_is_a_status(model: ClipModel) -> None:
    damaged, bomb = shaped(model, [picture("PNG", (100, 100), 1)[:200]])[0], clip_picture(
        picture("PNG", (100, 100), 1), 99, model.image_size, model.preprocess
    )  # fmt: skip
    assert isinstance(damaged, Unusable) and damaged.status is ImageStatus.UNDECODABLE
    assert isinstance(bomb, Unusable) and bomb.status is ImageStatus.TOO_MANY_PIXELS


def test_weights_of_another_width_are_said_so(folder: Path, tmp_path: Path) -> None:
    other = make_tiny_clip(tmp_path / "wider", width=32)
    (other / "open_clip_pytorch_model.bin").write_bytes((folder / "open_clip_pytorch_model.bin").read_bytes())
    with pytest.raises(ScorerUnusable, match=r"wider cannot be loaded: .*width"):
        ClipModel(ScoreSettings(model=str(other)), "cpu")


def test_what_is_wrong_with_a_model_is_known_before_anything_runs(folder: Path, tmp_path: Path) -> None:
    bare, broken = tmp_path / "bare", tmp_path / "broken"
    bare.mkdir()
    broken.mkdir()
    (bare / "open_clip_config.json").write_text(json.dumps({"model_cfg": {}}))
    (broken / "open_clip_config.json").write_text("{")

    def said(model: str, pretrained: str | None = None) -> str:
        return problem(ScoreSettings(model=model, pretrained=pretrained)) or ""

    assert said(str(folder)) == said("hf-hub:timm/any") == said("ViT-B-32", "openai") == ""
    assert "no such folder" in said(str(tmp_path / "none"))
    assert "has no open_clip_config.json" in said(str(tmp_path))
    assert "has no weights" in said(str(bare))
    assert "no JSON" in said(str(broken))
    assert "weights of its own" in said(str(folder), "openai")
    assert "did you mean 'ViT-B-32'?" in said("ViT-B-33", "openai")
    assert "scores at random" in said("ViT-B-32")
    assert "no weights 'opeani'; did you mean 'openai'?" in said("ViT-B-32", "opeani")
    assert "no such file" in said("ViT-B-32", str(tmp_path / "weights.pt"))


def test_other_weights_are_told_apart(folder: Path, tmp_path: Path) -> None:
    other = make_tiny_clip(tmp_path / "other", seed=1)
    digests = {weights_digest(ScoreSettings(model=str(some))) for some in (folder, folder, other)}
    assert len(digests) == 2
    assert weights_digest(ScoreSettings(model="ViT-B-32", pretrained="openai")) is None


def test_tokens_are_counted_as_the_tokenizer_makes_them(model: ClipModel) -> None:
    assert model.room == CONTEXT - 2
    assert [model.count_tokens(text) for text in ("a harbour", "", "boats boats")] == [2, 0, 2]


def test_words_that_were_seen_are_forgotten_in_time(model: ClipModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filters.clip_tokens._KNOWN_WORDS", 50)
    before = model.embed_texts(["a harbour at low tide"])
    for number in range(200):
        model.count_tokens(f"word{number:x}letters harbour{number}")
    assert len(model.tokenizer.cache) < 60
    np.testing.assert_array_equal(model.embed_texts(["a harbour at low tide"]), before)
