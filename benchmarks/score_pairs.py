"""How far a job's scores are from open_clip's own, computed one pair at a time in float32.

    python benchmarks/score_pairs.py OUT --pairs 200

OUT is the output of a job with `score`. For pairs drawn evenly over its rows the image is opened by Pillow at its full
size, upright and on white where it is transparent, goes through open_clip's own preprocessing, and the best text
through its tokenizer and tower, padded to the whole context. Exit status 1 where one differs by more than `--within`.
"""

import argparse
import io
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import open_clip
import torch
from PIL import Image, ImageOps

from curate.job import read_recipe_of
from filters.clip import name_of
from filters.image_header import Unusable
from filters.seen_picture import in_8_bits, on_white
from pipelines.frame import partitions, tables
from pipelines.frame.image_files import ImageFiles
from pipelines.frame.storage import Workspace
from schemas.statuses import ImageStatus, ScoreStatus
from schemas.tables import DOCUMENTS, IMAGES, SCORES


def main() -> None:
    """Print quantiles of the differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--within", type=float, default=1e-3)
    options = parser.parse_args()
    workspace = Workspace(options.output)
    settings = read_recipe_of(workspace).score
    assert settings is not None, "this job has no scores"
    name, merges = name_of(settings)
    model, _, preprocess = open_clip.create_model_and_transforms(name, settings.pretrained, require_pretrained=True)
    model, tokenizer = model.eval(), open_clip.get_tokenizer(name, **merges)
    pairs = list(_pairs(workspace))
    some = [pairs[place] for place in np.linspace(0, len(pairs) - 1, min(options.pairs, len(pairs))).astype(int)]
    differences = []
    with torch.no_grad():
        for content, text, score in some:
            image = model.encode_image(preprocess(_picture(content))[None], normalize=True)
            words = model.encode_text(tokenizer([text]), normalize=True)
            differences.append(abs(float((image @ words.T).item()) - score))
    found = np.array(differences)
    print(f"open_clip {open_clip.__version__}, {settings.model}, {len(found)} of {len(pairs)} pairs: differences "
          f"median {np.median(found):.5f}, 95 % {np.quantile(found, 0.95):.5f}, most {found.max():.5f}; "
          f"{np.mean(found <= options.within):.1%} within {options.within}")  # fmt: skip
    sys.exit(bool((found > options.within).any()))


def _pairs(workspace: Workspace) -> Iterator[tuple[bytes, str, float]]:
    for partition in partitions.load(workspace):
        number = partition.partition
        documents = {
            row["doc_id"]: row["images"]
            for row in tables.read_table(workspace, DOCUMENTS, number, ["doc_id", "images"]).to_pylist()
        }
        images: dict[str, Any] = {
            row["url"]: row
            for row in tables.read_table(workspace, IMAGES, number).to_pylist()
            if row["status"] == ImageStatus.OK.value
        }
        columns = ["doc_id", "position", "score_status", "best_text", "clip_score"]
        with ImageFiles(workspace) as files:
            for row in tables.read_table(workspace, SCORES, number, columns).to_pylist():
                if row["score_status"] == ScoreStatus.OK.value:
                    content = files.read(images[documents[row["doc_id"]][row["position"]]])
                    assert not isinstance(content, Unusable)
                    yield content, row["best_text"], row["clip_score"]


def _picture(content: bytes) -> Image.Image:
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    plain = in_8_bits(image)
    return on_white(plain.convert("RGBA")) if plain.has_transparency_data else plain.convert("RGB")


if __name__ == "__main__":
    main()
