"""Shards as training loops read them: by webdataset alone, and by curate.load in a DataLoader, each document once."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import curate
from curate.cli.main import main
from curate.loader import Document, Documents, find_shards
from schemas.sample import KEY_PATTERN


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("loader") / "out"
    assert main(["demo", str(folder), "--workers", "1", "--set", "input.split_bytes=200000"]) == 0
    yield folder


def _keys(out: Path) -> list[str]:
    return [document.key for document in Documents(find_shards(out), "bytes", 0, 1)]


def test_documents_have_texts_and_images_in_parallel(out: Path) -> None:
    documents = list(curate.load(out))
    assert len(documents) == json.loads((out / "shards" / "manifest.json").read_text())["totals"]["samples"]
    for document in documents:
        assert len(document.texts) == len(document.images) == len(document.metadata)
        assert all(
            (text is None) != (image is None) for text, image in zip(document.texts, document.images, strict=True)
        )
        assert all(isinstance(image, Image.Image) and image.mode == "RGB" for image in document.images if image)
        assert len(list(document)) == len(document.texts)


def test_image_bytes_are_those_that_the_metadata_describe(out: Path) -> None:
    for document in curate.load(out, decode="bytes"):
        for image, metadata in zip(document.images, document.metadata, strict=True):
            if isinstance(image, bytes) and metadata is not None:
                assert Image.open(io.BytesIO(image)).size == (metadata["width"], metadata["height"])
                assert len(image) == metadata["bytes"]


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_a_dataloader_yields_each_document_once_with_any_number_of_workers(out: Path, workers: int) -> None:
    from torch.utils.data import DataLoader, IterableDataset

    documents = curate.load(out, decode="pil")
    assert isinstance(documents, IterableDataset)
    loader: DataLoader[Document] = DataLoader(documents, batch_size=3, num_workers=workers, collate_fn=list)
    seen = [document.key for batch in loader for document in batch]
    assert sorted(seen) == sorted(_keys(out))
    assert len(seen) == len(set(seen)) > 30


@pytest.mark.parametrize("world", [1, 2, 3, 7, 50])
def test_ranks_share_the_documents_without_overlap_or_loss(out: Path, world: int) -> None:
    shares = [[d.key for d in curate.load(out, decode="bytes", rank=rank, world_size=world)] for rank in range(world)]
    assert sorted(key for share in shares for key in share) == sorted(_keys(out))


def test_fewer_shards_than_readers_are_shared_by_samples(out: Path) -> None:
    shard = find_shards(out)[0]
    keys = [d.key for d in Documents([shard], "bytes", 0, 1)]
    shares = [[d.key for d in Documents([shard], "bytes", rank, 3)] for rank in range(3)]
    assert sorted(key for share in shares for key in share) == sorted(keys)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_iterating_again_starts_again(out: Path) -> None:
    documents = curate.load(out, decode="bytes")
    assert [d.key for d in documents] == [d.key for d in documents]


def test_webdataset_alone_reads_the_shards(out: Path) -> None:
    import re

    import webdataset as wds

    shards = find_shards(out)
    dataset = wds.WebDataset(shards, shardshuffle=False, empty_check=False).decode("pil")
    samples = list(dataset)
    assert sorted(sample["__key__"] for sample in samples) == sorted(_keys(out))
    for sample in samples:
        assert re.match(KEY_PATTERN, sample["__key__"])
        described = sample["json"]
        for part in filter(None, described["images"]):
            assert isinstance(sample[part], Image.Image)
        assert {name for name in sample if name[0].isdigit()} == set(filter(None, described["images"]))


def test_shards_are_read_from_a_store_by_url(out: Path) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    for shard in find_shards(out):
        store.put_file(shard, f"/bucket/out/shards/{Path(shard).name}")
    for url in ("memory://bucket/out", "memory://bucket/out/shards", "memory://bucket/out/shards/*.tar"):
        assert [document.key for document in curate.load(url, decode="bytes")] == _keys(out)


def test_a_path_without_shards_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no shards at"):
        curate.load(tmp_path)


def test_importing_curate_loads_nothing_heavy() -> None:
    program = (
        "import sys, curate, curate.loader\n"
        "print([name for name in ('apache_beam', 'torch', 'pyarrow', 'PIL', 'pydantic') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("damage", ["byte", "cut", "missing"])
def test_validate_finds_a_damaged_shard(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    shard = Path(find_shards(copy)[0])
    body = bytearray(shard.read_bytes())
    if damage == "byte":
        body[body.index(b"\xff\xd8\xff") + 200] ^= 0xFF
        shard.write_bytes(body)
    elif damage == "cut":
        shard.write_bytes(body[: len(body) // 2])
    else:
        shard.unlink()
    assert main(["validate", str(copy)]) == 1
    assert "wrong" in capsys.readouterr().out
