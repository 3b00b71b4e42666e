"""A job in its output folder: made from a recipe and inputs, or opened again. Writes `job.yaml` and the partitions."""

import platform
import re
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

import yaml

import curate
from curate.errors import UserError
from curate.inputs import find_inputs
from curate.recipes.reading import DUMPER, LOADER
from filters import clip, perplexity
from filters.extras import missing_packages
from pipelines.frame import partitions, storage
from pipelines.frame.partitions import InputsChanged, Partition
from pipelines.frame.stage import Job
from pipelines.frame.storage import Workspace
from pipelines.frame.stores.locations import is_web
from schemas.recipe import Recipe
from schemas.tables import TABLES

JOB_FILE = "job.yaml"
_HASH = re.compile("[0-9a-fA-F]{16}|")
_NAMED_VERSIONS = (
    "apache-beam", "pyarrow", "pillow", "selectolax", "fastwarc", "wordfreq", "stopwordsiso", "glin-profanity",
    "phonenumbers",
)  # fmt: skip


def prepare(recipe: Recipe, inputs: Sequence[str], output: str, workers: int) -> Job:
    """A job ready to run. Nothing is written before everything that a person can get wrong has been checked.

    Raises:
        UserError: where inputs, models or output cannot be what was meant.
    """
    _check_packages(recipe)
    _check_models(recipe)
    _check_lists(recipe)
    files = find_inputs([*recipe.inputs, *inputs])
    workspace = _open_output(output)
    known = partitions.load(workspace)
    try:
        all_partitions = partitions.extend(known, partitions.plan(files, recipe.input.split_bytes, known))
    except FileNotFoundError as error:
        raise UserError(f"--input: there is no file {error.filename or error}") from error
    except InputsChanged as error:
        raise UserError(f"{error}; give the same inputs and slices, or another --output") from error
    try:
        if all_partitions != known:
            partitions.save(workspace, all_partitions)
        _write_job_file(workspace, recipe, all_partitions)
    except OSError as error:
        raise UserError(f"--output {output}: cannot be written: {error.strerror or error}") from error
    return Job(workspace, recipe, tuple(all_partitions), workers)


def _check_packages(recipe: Recipe) -> None:
    needed = {
        "measure.nsfw": ("nsfw", recipe.measure.nsfw),
        "score": ("score", recipe.score),
        "ocr": ("ocr", recipe.ocr),
    }
    for setting, (extra, wanted) in needed.items():
        missing = missing_packages(extra) if wanted else []
        if missing:
            raise UserError(
                f"{setting} needs {' and '.join(missing)}: install curate[{extra}], or take {setting} and the rules on "
                "what it measures out of the recipe"
            )


def _check_models(recipe: Recipe) -> None:
    asked = recipe.extract.perplexity
    reason = perplexity.problem(asked) if asked else None
    if reason:
        raise UserError(f"recipe {recipe.name}: extract.perplexity: {reason}")
    if recipe.extract.alignment_prior:
        from filters import prior  # with fastText

        reason = prior.problem(recipe.extract.alignment_prior)
        if reason:
            raise UserError(f"recipe {recipe.name}: extract.alignment_prior: {reason}")
    reason = clip.problem(recipe.score) if recipe.score else None
    if reason:
        raise UserError(f"recipe {recipe.name}: score: {reason}")


def _check_lists(recipe: Recipe) -> None:
    named = [(f"decontaminate: {b.name}: texts", b.texts) for b in recipe.decontaminate]
    named += [(f"decontaminate: {b.name}: images", b.images) for b in recipe.decontaminate]
    named += [("balance: concepts", recipe.balance.concepts)] if recipe.balance else []
    for where, path in named:
        if path is not None and not storage.exists(path):
            raise UserError(f"recipe {recipe.name}: {where}: {path}: there is no such file")
    for benchmark in recipe.decontaminate:
        if benchmark.images is not None and not storage.is_folder(benchmark.images):
            wrong = [line for line in storage.lines_in(benchmark.images) if not _HASH.fullmatch(line)]
            if wrong:
                raise UserError(
                    f"recipe {recipe.name}: decontaminate: {benchmark.name}: images: {benchmark.images}: {wrong[0]!r} "
                    "is no perceptual hash of 16 hex characters"
                )


def _open_output(output: str) -> Workspace:
    if is_web(output):
        raise UserError(f"--output {output}: a web server takes no files; give a folder, s3://… or gs://…")
    workspace = Workspace(output)
    if workspace.exists() and not is_job(workspace) and workspace.list(""):
        raise UserError(f"--output {output}: not empty, and not the output of a job; give another folder")
    return workspace


def is_job(workspace: Workspace) -> bool:
    """Whether a folder holds a job."""
    return workspace.exists(JOB_FILE)


def open_job(output: str) -> Workspace:
    """The workspace of a job that exists.

    Raises:
        UserError: where there is none.
    """
    workspace = Workspace(output)
    if not is_job(workspace):
        raise UserError(
            f"{output} holds no job (it has no {JOB_FILE}); give the folder that was --output of curate run"
        )
    return workspace


def read_recipe_of(workspace: Workspace) -> Recipe:
    """The resolved recipe of a job."""
    return Recipe.model_validate(_described(workspace)["recipe"])


def check_tables(workspace: Workspace, names: Iterable[str]) -> None:
    """Make sure that a job's tables are such as this version of curate reads.

    Raises:
        UserError: where one was written by another version.
    """
    written = _described(workspace)["tables"]
    for name in names:
        if name in TABLES and written.get(name) != TABLES[name].version:
            raise UserError(f"{workspace.root}: {name} is of another version of curate; curate run makes it again")


def _described(workspace: Workspace) -> dict[str, Any]:
    described: dict[str, Any] = yaml.load(workspace.read_text(JOB_FILE), LOADER)  # noqa: S506 - a safe one
    return described


def _write_job_file(workspace: Workspace, recipe: Recipe, all_partitions: Sequence[Partition]) -> None:
    files = {p.path: {"bytes": p.file_bytes, "digest": p.file_digest} for p in all_partitions}
    described: dict[str, Any] = {
        "curate": curate.__version__,
        "recipe": recipe.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "inputs": files,
        "tables": {name: table.version for name, table in TABLES.items()},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _NAMED_VERSIONS}},
    }
    text = yaml.dump(described, Dumper=DUMPER, sort_keys=False, allow_unicode=True, width=120)
    if not workspace.exists(JOB_FILE) or workspace.read_text(JOB_FILE) != text:
        workspace.write_text(JOB_FILE, text)
