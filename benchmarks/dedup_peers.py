"""Peers that find near-duplicate texts, set up as ours is: word 5-grams, the same bands of as many permutations.

Each gets texts and an empty folder and returns its work: to be called once, it gives the root of each copy's component.
datasketch gets words by a regular expression, as its users do, and its own estimate of similarity checks candidates;
datatrove takes every pair that agrees in a bucket, as its users do, and cuts words by spaCy unless said otherwise.
"""

import json
import re
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.frame.components import stars
from schemas.recipe import NearSettings

_WORD = re.compile(r"\w+")
Work = Callable[[], dict[int, int]]
Peer = Callable[[Sequence[str], Path, NearSettings], Work]


def datasketch(texts: Sequence[str], scratch: Path, near: NearSettings) -> Work:
    """MinHash as its documentation shows, by its own hash (SHA-1), then MinHashLSH in memory."""
    from datasketch.hashfunc import sha1_hash32

    return _datasketch(texts, near, sha1_hash32)


def datasketch_by_xxhash(texts: Sequence[str], scratch: Path, near: NearSettings) -> Work:
    """The same with the fastest hash function that can be given to it."""
    import xxhash

    return _datasketch(texts, near, xxhash.xxh32_intdigest)


def _datasketch(texts: Sequence[str], near: NearSettings, hashed: Callable[[bytes], int]) -> Work:
    from datasketch import MinHash, MinHashLSH

    def shingles(text: str) -> list[bytes]:
        words = _WORD.findall(text.lower())
        return [" ".join(words[i : i + near.ngram]).encode() for i in range(max(1, len(words) - near.ngram + 1))]

    def work() -> dict[int, int]:
        rows = near.permutations // near.bands
        index = MinHashLSH(num_perm=near.permutations, params=(near.bands, rows))
        signatures: list[Any] = []
        left: list[int] = []
        right: list[int] = []
        made = MinHash.generator(map(shingles, texts), num_perm=near.permutations, hashfunc=hashed)
        for number, signature in enumerate(made):
            for other in index.query(signature):
                if signature.jaccard(signatures[other]) >= near.jaccard:
                    left.append(other)
                    right.append(number)
            index.insert(number, signature, check_duplication=False)
            signatures.append(signature)
        return _roots(left, right)

    return work


def datatrove(texts: Sequence[str], scratch: Path, near: NearSettings) -> Work:
    """Signatures, buckets and clusters by its local executor, one worker, with words by spaCy."""
    return _datatrove(texts, scratch, near)


def datatrove_by_spaces(texts: Sequence[str], scratch: Path, near: NearSettings) -> Work:
    """The same with words cut at spaces, which is no option of its own: what is left when spaCy costs nothing."""
    return _datatrove(texts, scratch, near, str.split)


def _datatrove(
    texts: Sequence[str], scratch: Path, near: NearSettings, cut: Callable[[str], list[str]] | None = None
) -> Work:
    import xxhash
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.utils.logging import logger
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Cut(WordTokenizer):
        """Words by a function; to it a text is one sentence."""

        def word_tokenize(self, text: str) -> list[str]:
            return cut(text) if cut else []

        def sent_tokenize(self, text: str) -> list[str]:
            return [text]

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            return [(0, len(text))]

    logger.remove()
    config = MinhashConfig(
        n_grams=near.ngram, num_buckets=near.bands, hashes_per_bucket=near.permutations // near.bands
    )
    names = ("texts", "signatures", "buckets", "clusters")
    folders = {name: str(scratch / name) for name in names}
    Path(folders["texts"]).mkdir(parents=True)
    with (scratch / "texts" / "texts.jsonl").open("w") as file:
        file.writelines(json.dumps({"id": number, "text": text}) + "\n" for number, text in enumerate(texts))

    def run(tasks: int, *steps: Any) -> None:
        LocalPipelineExecutor(
            list(steps), tasks=tasks, workers=1, logging_dir=str(scratch / f"log-{steps[-1].name}")
        ).run()

    def work() -> dict[int, int]:
        signature = MinhashDedupSignature(folders["signatures"], config)
        signature._hash_func = lambda gram: xxhash.xxh64_intdigest(gram.encode())  # its own fails with xxhash 4
        if cut:
            signature.word_tokenizer = Cut()
        run(1, JsonlReader(folders["texts"]), signature)
        run(near.bands, MinhashDedupBuckets(folders["signatures"], folders["buckets"], config=config))
        run(1, MinhashDedupCluster(folders["buckets"], folders["clusters"], config, save_cluster_id=True))
        stored = Path(folders["clusters"], "000000.clusters")
        return dict(struct.iter_unpack("<2I", stored.read_bytes())) if stored.exists() else {}

    return work


def _roots(left: list[int], right: list[int]) -> dict[int, int]:
    nodes, roots = stars(np.array(left, np.uint64), np.array(right, np.uint64))
    return {
        **dict(zip(roots.tolist(), roots.tolist(), strict=True)),
        **dict(zip(nodes.tolist(), roots.tolist(), strict=True)),
    }


PEERS: dict[str, Peer] = {
    "datasketch": datasketch,
    "datasketch, by xxhash": datasketch_by_xxhash,
    "datatrove": datatrove,
    "datatrove, words at spaces": datatrove_by_spaces,
}
