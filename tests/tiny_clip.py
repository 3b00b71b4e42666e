"""A CLIP model of open_clip with random weights, in a folder as open_clip writes it: small, and the same each time."""

import json
from pathlib import Path
from typing import Any

WIDTH, SIZE, CONTEXT = 16, 32, 24
CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": WIDTH,
        "vision_cfg": {"image_size": SIZE, "layers": 1, "width": 32, "patch_size": 8, "head_width": 16},
        "text_cfg": {"context_length": CONTEXT, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
    },
    "preprocess_cfg": {
        "mean": [0.5, 0.4, 0.3], "std": [0.3, 0.25, 0.2], "interpolation": "bicubic", "resize_mode": "shortest",
    },
}  # fmt: skip


def make_tiny_clip(folder: Path, seed: int = 0, **text: Any) -> Path:
    """Write a model; `text` replaces settings of its text tower."""
    import open_clip
    import torch

    folder.mkdir(parents=True)
    config = {**CONFIG, "model_cfg": {**CONFIG["model_cfg"], "text_cfg": {**CONFIG["model_cfg"]["text_cfg"], **text}}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(seed)
    model = open_clip.create_model(f"local-dir:{folder}")
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    return folder
