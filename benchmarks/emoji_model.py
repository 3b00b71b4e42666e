"""The small CLIP itself: its shape, its tokenizer's cut merge list, and the folder that open_clip loads it from."""

import gzip
import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from emoji_pictures import SIDE
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer, default_bpe
from safetensors.torch import save_file

MERGES_FILE = "bpe_merges.txt.gz"
VOCABULARY = 4096
# Bytes, bytes at a word's end, and the two marks of a text's begin and end are tokens without a merge.
MERGES = VOCABULARY - 2 * 256 - 2
CONTEXT = 24
MODEL: dict[str, Any] = {
    "embed_dim": 192,
    "vision_cfg": {"image_size": SIDE, "layers": [1, 1, 1, 1], "width": 24, "head_width": 64},
    "text_cfg": {"context_length": CONTEXT, "vocab_size": VOCABULARY, "width": 128, "heads": 4, "layers": 4},
}
PREPROCESSING: dict[str, Any] = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


def new_model(seed: int) -> CLIP:
    """An untrained model."""
    torch.manual_seed(seed)
    return CLIP(**MODEL)


def write_merges(path: Path) -> None:
    """The first merges of CLIP's own byte pair encoding; the rest is left out with most of the token embeddings.

    The last line ends without a newline: open_clip's reader would make one more, empty, merge of it. The file's bytes
    do not depend on when it is written.
    """
    with gzip.open(default_bpe(), "rt", encoding="utf-8") as lines:
        kept = [line.rstrip("\n") for line, _ in zip(lines, range(MERGES + 1), strict=False)]
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write("\n".join(kept).encode())


def new_tokenizer(folder: Path) -> SimpleTokenizer:
    """The tokenizer for training, its merge list written to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_merges(folder / MERGES_FILE)
    tokenizer = SimpleTokenizer(bpe_path=str(folder / MERGES_FILE), context_length=CONTEXT)
    assert tokenizer.vocab_size == VOCABULARY
    return tokenizer


def write_model(model: CLIP, folder: Path) -> None:
    """Weights in half precision and the configuration, beside the merge list."""
    halves = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in model.state_dict().items()
    }
    save_file(halves, folder / "open_clip_model.safetensors", metadata={"format": "pt"})
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPROCESSING}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")


def load_model(folder: Path) -> tuple[CLIP, Any, SimpleTokenizer]:
    """The model in evaluation mode, its preprocessing of pictures and its tokenizer, as anyone loads them."""
    name = f"local-dir:{folder}"
    model, preprocess = open_clip.create_model_from_pretrained(name, return_transform=True)
    tokenizer = open_clip.get_tokenizer(name, bpe_path=str(folder / MERGES_FILE))
    return model.eval(), preprocess, tokenizer
