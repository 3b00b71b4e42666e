"""A CLIP model of open_clip as a scorer: its files checked, loaded once a process, images and texts to embeddings.

Preprocessing, tokens and towers are open_clip's own (https://github.com/mlfoundations/open_clip, MIT). What is ours is
what a scorer of whole crawls needs: pixels come as 8 bits and are normalised on the device, texts are not padded to the
longest one that there could be, and a batch that does not fit into the device's memory is halved.
"""

import contextlib
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from filters.clip_tokens import TextTokens
from schemas.recipe import ScoreSettings
from schemas.section import nearest

if TYPE_CHECKING:
    import torch

Embeddings = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

_CONFIG, _MERGES = "open_clip_config.json", "bpe_merges.txt.gz"
_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth")
_NO_PART_OF_IT = ("README", "LICENSE")
_HUB = "hf-hub:"
# Models that come with curate, by name.
PACKAGED = {"emoji-clip": Path(__file__).parent / "data" / "emoji-clip"}
_END = 1 << 20
# Larger ones are no faster on a CPU: of 22,000 sentences 1,024 at once take a third longer than 32, which stay in its
# caches.
_CPU_BATCHES = {"images": 64, "texts": 32}
_GPU_BATCHES = {"images": 256, "texts": 1024}


class ScorerUnusable(RuntimeError):
    """A model that cannot be loaded; the message says which, and what is wrong with it."""


def problem(settings: ScoreSettings) -> str | None:
    """Why a model cannot be used, as far as that can be said without loading it; None where nothing is wrong."""
    folder = folder_of(settings.model)
    if folder is not None:
        return _problem_of_folder(folder) or (
            "pretrained: a folder has weights of its own; leave pretrained out" if settings.pretrained else None
        )
    if settings.model.startswith(_HUB):
        return None
    return _problem_of_name(settings.model, settings.pretrained)


def folder_of(model: str) -> Path | None:
    """The folder that a model is in, if it is in one."""
    if model in PACKAGED:
        return PACKAGED[model]
    if model.startswith(_HUB):
        return None
    return Path(model) if "/" in model or Path(model).is_dir() else None


def weights_digest(settings: ScoreSettings) -> str | None:
    """What tells local weights from others: sizes, beginnings and ends of files; None for weights that have a tag."""
    folder = folder_of(settings.model)
    files = sorted(folder.iterdir()) if folder else [Path(settings.pretrained or "")]
    digest = hashlib.sha256()
    for file in files:
        if file.is_file() and not file.name.startswith(_NO_PART_OF_IT):
            digest.update(f"{file.name} {file.stat().st_size} ".encode())
            with file.open("rb") as content:
                digest.update(content.read(_END))
                content.seek(max(0, file.stat().st_size - _END))
                digest.update(content.read(_END))
    return digest.hexdigest() if any(file.is_file() for file in files) else None


def _problem_of_folder(folder: Path) -> str | None:
    if not folder.is_dir():
        return f"model: {folder}: there is no such folder"
    try:
        described = json.loads((folder / _CONFIG).read_text())
    except FileNotFoundError:
        return f"model: {folder} has no {_CONFIG}"
    except ValueError as error:
        return f"model: {folder / _CONFIG} is no JSON: {error}"
    if not isinstance(described, dict) or "model_cfg" not in described:
        return f"model: {folder / _CONFIG} has no model_cfg"
    return None if any(any(folder.glob(kind)) for kind in _WEIGHTS) else f"model: {folder} has no weights"


def _problem_of_name(model: str, pretrained: str | None) -> str | None:
    import open_clip

    if model not in open_clip.list_models():
        known = [*open_clip.list_models(), *PACKAGED]
        return f"model: open_clip has no model {model!r}; {nearest(model, known)}"
    if pretrained is None:
        tags = open_clip.list_pretrained_tags_by_model(model)
        return (
            f"pretrained: {model} without weights scores at random; give a checkpoint file, or one of {', '.join(tags)}"
        )
    if "/" in pretrained or pretrained.endswith((".pt", ".pth", ".bin", ".safetensors")):
        return None if Path(pretrained).is_file() else f"pretrained: {pretrained}: there is no such file"
    if not open_clip.get_pretrained_cfg(model, pretrained):
        tags = open_clip.list_pretrained_tags_by_model(model)
        return f"pretrained: {model} has no weights {pretrained!r}; {nearest(pretrained, tags)}"
    return None


class ClipModel:
    """A model on a device. Embeddings are (n, width) in float32, of unit length; not finite ones are left as they are.

    `halved` counts how often a batch of images or texts had to be made smaller.
    """

    def __init__(self, settings: ScoreSettings, device: str) -> None:
        import torch

        self.device = torch.device(device)
        if self.device.type == "cpu":
            torch.set_num_threads(1)  # there is a worker for every core, and sums do not depend on how they are split
        self._model, self.tokenizer = _load(settings, self.device)
        self._dtype = _autocast_dtype(settings.precision, self.device)
        usual = _CPU_BATCHES if self.device.type == "cpu" else _GPU_BATCHES
        asked = {"images": settings.batch_images, "texts": settings.batch_texts}
        self.batch_sizes = {kind: asked[kind] or usual[kind] for kind in usual}
        steps, mean, std = _preprocessing(self._model)
        self.preprocess: Callable[[Any], Any] = steps
        self._mean, self._scale = (
            torch.tensor([255 * value for value in values], device=self.device).view(1, -1, 1, 1)
            for values in (mean, std)
        )
        self.image_size = int(max(_pair(self._model.visual.image_size)))
        self.text_tokens = TextTokens(self.tokenizer)
        self._mask = _trimmable_mask(self._model.text)
        self.halved: Counter[str] = Counter()
        # Batches of both towers at the same time would share a GPU's memory, and which of them is halved be chance.
        self._alone = threading.Lock() if self.device.type == "cuda" else contextlib.nullcontext()

    @property
    def room(self) -> int:
        """Tokens of a text that the model sees, beside those that mark its ends."""
        return self.text_tokens.context_length - 2

    def count_tokens(self, text: str) -> int:
        """How many of these a text would need."""
        return self.text_tokens.count(text)

    def embed_images(self, pictures: Sequence[Picture]) -> Embeddings:
        """Embeddings of pictures of one size, each (3, h, w) as `filters.clip_picture` makes them."""
        return self._embedded("images", pictures, lambda some: self.image_features(self.pixels(some)))

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings of texts; what is longer than the context is cut off."""
        order = sorted(range(len(texts)), key=lambda number: self.count_tokens(texts[number]))
        by_length = [texts[number] for number in order]
        found = self._embedded("texts", by_length, lambda some: self.text_features(self.tokens(some)))
        embeddings = np.empty_like(found)
        embeddings[order] = found
        return embeddings

    def pixels(self, pictures: Sequence[Picture]) -> "torch.Tensor":
        """What the image tower takes, (n, 3, h, w), on the device."""
        import torch

        batch = torch.from_numpy(np.stack(pictures))
        if self.device.type == "cuda":
            batch = batch.pin_memory().to(self.device, non_blocking=True)
        return (batch.float() - self._mean) / self._scale

    def tokens(self, texts: Sequence[str]) -> "torch.Tensor":
        """What the text tower takes, (n, length), on the device: of sorted texts, little of it is padding."""
        import torch

        tokens = self.text_tokens.rows(texts)
        if self._mask is not None:
            tokens = tokens[:, : max(map(self.count_tokens, texts)) + 2]
        return torch.from_numpy(tokens).to(self.device)

    def image_features(self, pixels: "torch.Tensor") -> "torch.Tensor":
        """What comes out of the image tower."""
        features: torch.Tensor = self._model.encode_image(pixels)
        return features

    def text_features(self, tokens: "torch.Tensor") -> "torch.Tensor":
        """What comes out of the text tower."""
        if self._mask is not None:
            self._model.text.attn_mask = self._mask[: tokens.shape[1], : tokens.shape[1]]
        features: torch.Tensor = self._model.encode_text(tokens)
        return features

    def inference(self) -> contextlib.AbstractContextManager[Any]:
        """Within this, towers compute in the precision of the settings and remember nothing."""
        import torch

        stack = contextlib.ExitStack()
        stack.enter_context(torch.inference_mode())
        if self._dtype is not None:
            stack.enter_context(torch.autocast(self.device.type, self._dtype))
        return stack

    def _embedded(
        self, kind: str, items: Sequence[Any], embed: Callable[[Sequence[Any]], "torch.Tensor"]
    ) -> Embeddings:
        import torch

        found: list[Embeddings] = []
        done = 0
        with self.inference():
            while done < len(items):
                some = items[done : done + self.batch_sizes[kind]]
                try:
                    with self._alone:
                        found.append(torch.nn.functional.normalize(embed(some).float(), dim=-1).cpu().numpy())
                except torch.OutOfMemoryError:
                    self._halve(kind, len(some))
                    continue
                done += len(some)
        return np.concatenate(found) if found else np.zeros((0, 0), np.float32)

    def _halve(self, kind: str, size: int) -> None:
        """Let later batches be half of one that did not fit into the device's memory.

        Raises:
            ScorerUnusable: not even one item fits.
        """
        import torch

        if size == 1:
            raise ScorerUnusable(f"score: {self.device} has no memory for one of the {kind}; give it a smaller model")
        torch.cuda.empty_cache()
        self.batch_sizes[kind] = size // 2
        self.halved[kind] += 1


@cache
def shared_model(settings: ScoreSettings, device: str) -> ClipModel:
    """The model of this process.

    Raises:
        ScorerUnusable: see there.
    """
    return ClipModel(settings, device)


def name_of(settings: ScoreSettings) -> tuple[str, dict[str, str]]:
    """The name by which open_clip makes a model and its tokenizer, and further arguments of the latter."""
    folder = folder_of(settings.model)
    if folder is None:
        return settings.model, {}
    merges = folder / _MERGES  # a path in the configuration would be relative to nothing
    return f"local-dir:{folder}", {"bpe_path": str(merges)} if merges.exists() else {}


def _load(settings: ScoreSettings, device: "torch.device") -> tuple[Any, Any]:
    import open_clip

    name, merges = name_of(settings)
    try:
        # The text tower as a part of its own, which takes texts that are not padded.
        model = open_clip.create_model(
            name,
            settings.pretrained,
            device=device,
            force_custom_text=True,
            force_quick_gelu=_trained_with_quick_gelu(settings),
            require_pretrained=True,
        )
        return model.eval(), open_clip.get_tokenizer(name, **merges)
    except Exception as error:
        where = " ".join(filter(None, (settings.model, settings.pretrained)))
        raise ScorerUnusable(f"score: {where} cannot be loaded: {type(error).__name__}: {error}"[:1000]) from error


def _trained_with_quick_gelu(settings: ScoreSettings) -> bool:
    """Whether weights by tag belong to another activation than that of the model's name, as OpenAI's own do.

    open_clip only warns and scores with the wrong one, unless asked for ViT-L-14-quickgelu and the like.
    """
    import open_clip

    return bool((open_clip.get_pretrained_cfg(settings.model, settings.pretrained or "") or {}).get("quick_gelu"))


def _autocast_dtype(precision: str, device: "torch.device") -> "torch.dtype | None":
    import torch

    if precision == "auto":
        if device.type != "cuda":
            return None
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision)


def _preprocessing(model: Any) -> tuple[Callable[[Any], Any], Sequence[float], Sequence[float]]:
    """The model's own steps from an RGB image to one of its size, and what it is then normalised by."""
    from open_clip.transform import PreprocessCfg, image_transform_v2
    from torchvision.transforms import Compose, Normalize, ToTensor

    steps = image_transform_v2(PreprocessCfg(**model.visual.preprocess_cfg), is_train=False).transforms
    normalising = next(step for step in steps if isinstance(step, Normalize))
    shaping = steps[: next(number for number, step in enumerate(steps) if isinstance(step, ToTensor))]
    return Compose(shaping), normalising.mean, normalising.std


def _trimmable_mask(text: Any) -> "torch.Tensor | None":
    """The causal mask of a text tower in which what stands behind a text's end changes nothing; else None."""
    from open_clip.transformer import TextTransformer

    plain = isinstance(text, TextTransformer) and text.cls_emb is None and text.pool_type in ("argmax", "eos", "first")
    return text.attn_mask if plain else None


def _pair(size: Any) -> tuple[int, int]:
    return tuple(size) if isinstance(size, (tuple, list)) else (size, size)
