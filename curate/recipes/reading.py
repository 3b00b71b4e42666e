"""The one place that reads recipes: YAML with the line of every value, `--set` on top, checked before anything runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from curate.errors import UserError
from schemas.recipe import Recipe
from schemas.section import nearest

Location = tuple[str | int, ...]
_SHOWN = 5
_SET = "--set "
# That of libyaml is ten times as fast, where PyYAML was built with it.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass
class RecipeText:
    """A recipe's plain data, and where each value stands."""

    name: str
    data: dict[str, Any]
    lines: dict[Location, str] = field(default_factory=dict)

    def where(self, location: Location) -> str:
        """File and line of a value, or of what is nearest around it; a setting inside it comes first."""
        inside = [said for at, said in self.lines.items() if at[: len(location)] == location and said.startswith(_SET)]
        if inside:
            return inside[-1]
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, self.name)


def shipped() -> dict[str, Path]:
    """Recipes that come with curate, by name."""
    folder = Path(str(files("curate.recipes")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def read_recipe(recipe: str, settings: Sequence[str] = ()) -> Recipe:
    """A recipe by name or path, with `a.b=c` settings applied.

    Raises:
        UserError: where there is none, or it is wrong; the message names file, line and the nearest valid name.
    """
    return _validated(_read(_find(recipe)), settings)


def change_recipe(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """A recipe with `a.b=c` settings applied.

    Raises:
        UserError: where a setting is wrong.
    """
    data = recipe.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return _validated(RecipeText(f"recipe {recipe.name}", data), settings)


def _validated(text: RecipeText, settings: Sequence[str]) -> Recipe:
    for setting in settings:
        _apply(text, setting)
    try:
        return Recipe.model_validate(text.data)
    except ValidationError as error:
        raise UserError(_explain(error, text)) from error


def _find(recipe: str) -> Path:
    known = shipped()
    if recipe in known:
        return known[recipe]
    path = Path(recipe)
    if path.is_file():
        return path
    if path.suffix in (".yaml", ".yml") or "/" in recipe:
        raise UserError(f"there is no recipe file {recipe}")
    raise UserError(f"there is no recipe {recipe!r} and no such file; {nearest(recipe, list(known))}")


def _read(path: Path) -> RecipeText:
    text = RecipeText(str(path), {})
    try:
        loader = LOADER(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        if root is None:
            return text
        if not isinstance(root, yaml.MappingNode):
            raise UserError(f"{path}:1: a recipe is a mapping of sections such as fetch and select")
        _note_lines(root, (), text)
        text.data = loader.construct_document(root)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{path}:{line}: not valid YAML: {error.problem}") from error
    return text


def _note_lines(node: yaml.Node, location: Location, text: RecipeText) -> None:
    text.lines.setdefault(location, f"{text.name}:{node.start_mark.line + 1}")
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*location, key.value)
            if inner in text.lines:
                raise UserError(f"{text.name}:{key.start_mark.line + 1}: {key.value} is given twice")
            text.lines[inner] = f"{text.name}:{key.start_mark.line + 1}"
            _note_lines(value, inner, text)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*location, index), text)


def _apply(text: RecipeText, setting: str) -> None:
    """Apply one `a.b=c`. Within a list of rules a step is the signal's name: select.image.width.min=200."""
    path, equals, value = setting.partition("=")
    steps = path.strip().split(".")
    if not equals or not all(steps):
        raise UserError(f"--set {setting}: expected name=value, such as fetch.retries=3")
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UserError(f"--set {setting}: the value is not valid YAML") from error
    target: Any = text.data
    location: Location = ()
    for step in steps[:-1]:
        target, key = _step_into(target, step, setting)
        location = (*location, key)
    target[steps[-1]] = parsed
    text.lines[(*location, steps[-1])] = f"{_SET}{setting}"


def _step_into(target: Any, step: str, setting: str) -> tuple[Any, str | int]:
    if isinstance(target, list):
        for index, rule in enumerate(target):
            if isinstance(rule, dict) and step in (rule.get("signal"), str(index)):
                return rule, index
        target.append({"signal": step})
        return target[-1], len(target) - 1
    if target.get(step) is None:
        target[step] = [] if step in ("node", "image", "document") else {}
    inner = target[step]
    if not isinstance(inner, dict | list):
        raise UserError(f"--set {setting}: {step} is a value, not a section")
    return inner, step


def _explain(error: ValidationError, text: RecipeText) -> str:
    problems = [_explain_one(dict(problem), text) for problem in error.errors()]
    more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
    return "\n".join([*problems[:_SHOWN], *more])


def _explain_one(problem: dict[str, Any], text: RecipeText) -> str:
    location: Location = problem["loc"]
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = f"unknown name; {nearest(str(location[-1]), _names_at(location[:-1]))}"
    elif problem["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:]}, not {problem['input']!r}"
    named = ".".join(str(part) for part in location)
    return f"{text.where(location)}: {named}: {message}"


def _names_at(location: Iterable[str | int]) -> list[str]:
    """Valid names of the section at a location."""
    model: Any = Recipe
    for part in location:
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            info = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
            model = _section_in(info.annotation) if info else None
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [info.alias or name for name, info in model.model_fields.items()]


def _section_in(annotation: Any) -> Any:
    """The section class inside an annotation such as tuple[Rule, ...] or Section | None."""
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _section_in(inner)
        if found is not None:
            return found
    return None
