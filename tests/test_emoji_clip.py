"""The packaged model of emoji: open_clip loads it, and it finds names for drawings in a hand it was not trained on.

The pictures are in `tests/emoji`, with their source and licence.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import filters

open_clip = pytest.importorskip("open_clip", reason="without the extra score")
torch = pytest.importorskip("torch", reason="without the extra score")

FOLDER = Path(filters.__file__).parent / "data" / "emoji-clip"
PICTURES = sorted((Path(__file__).parent / "emoji").glob("*.png"))
NAMES = [path.stem.replace("_", " ") for path in PICTURES]
MAX_BYTES = 12_000_000
# The packaged weights reach 0.962, 0.694 and 0.694 on these pictures; another build of PyTorch may turn one of them.
# Raise the floors with weights that are better; lower them only with a reason that is written here.
MIN_AREA, MIN_FOUND_NAMES, MIN_FOUND_PICTURES = 0.95, 0.66, 0.66


@dataclass(frozen=True)
class Loaded:
    model: Any
    preprocess: Any
    tokenizer: Any

    def texts(self, texts: list[str]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            return self.model.encode_text(self.tokenizer(texts), normalize=True).numpy()

    def pictures(self, paths: list[Path]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            ready = torch.stack([self.preprocess(Image.open(path).convert("RGB")) for path in paths])
            return self.model.encode_image(ready, normalize=True).numpy()


@pytest.fixture(scope="module")
def loaded() -> Iterator[Loaded]:
    name = f"local-dir:{FOLDER}"
    model, preprocess = open_clip.create_model_from_pretrained(name, return_transform=True)
    yield Loaded(model.eval(), preprocess, open_clip.get_tokenizer(name, bpe_path=str(FOLDER / "bpe_merges.txt.gz")))


@pytest.fixture(scope="module")
def cosines(loaded: Loaded) -> npt.NDArray[np.float32]:
    """Pictures in rows, names in columns, aligned on the diagonal."""
    return loaded.pictures(PICTURES) @ loaded.texts(NAMES).T


def test_it_is_small_enough_to_be_packaged() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MAX_BYTES


def test_the_cut_merges_and_the_model_agree_on_the_vocabulary(loaded: Loaded) -> None:
    text = json.loads((FOLDER / "open_clip_config.json").read_text())["model_cfg"]["text_cfg"]
    assert loaded.tokenizer.vocab_size == text["vocab_size"] == loaded.model.vocab_size
    tokens = loaded.tokenizer("a word, and so many more of them that no context holds them all " * 3)
    assert tokens.shape == (1, text["context_length"])
    assert tokens[0, -1] == loaded.tokenizer.eot_token_id


def test_pictures_are_prepared_at_the_size_that_it_was_trained_at(loaded: Loaded) -> None:
    assert loaded.preprocess(Image.new("RGB", (300, 200))).shape == (3, 64, 64)


@pytest.mark.parametrize("name", ["cat face", "bicycle", "airplane", "panda"])
def test_a_drawing_is_nearest_to_its_name(name: str, cosines: npt.NDArray[np.float32]) -> None:
    assert NAMES[int(np.argmax(cosines[NAMES.index(name)]))] == name


def test_a_drawn_cat_is_a_cat_in_a_sentence_too(loaded: Loaded) -> None:
    cat = loaded.pictures([PICTURES[NAMES.index("cat face")]])
    texts = ["We saw a cat face behind the house.", "We saw a rocket behind the house.", "We saw a key there."]
    assert int(np.argmax(cat @ loaded.texts(texts).T)) == 0


def test_aligned_pairs_are_above_others(cosines: npt.NDArray[np.float32]) -> None:
    aligned, others = np.diag(cosines), cosines[~np.eye(len(cosines), dtype=np.bool_)]
    assert np.mean(aligned[:, None] > others[None, :]) >= MIN_AREA


def test_names_are_found_by_pictures_and_pictures_by_names(cosines: npt.NDArray[np.float32]) -> None:
    own = np.arange(len(cosines))
    assert np.mean(np.argmax(cosines, axis=1) == own) >= MIN_FOUND_NAMES
    assert np.mean(np.argmax(cosines, axis=0) == own) >= MIN_FOUND_PICTURES
