"""`curate explain`: each node of a page, kept or with the rule, the value and the bound that dropped it."""

import argparse
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curate.cli.arguments import Subparsers, add_command

_SHOWN = 100


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "explain",
        "show for a page what was kept of it, and which rule dropped the rest",
        "curate explain out https://example.org/page",
    )
    parser.add_argument("output", metavar="OUT", help="the output folder of a job")
    parser.add_argument("url", metavar="URL", help="the page's URL")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Print the explanation; 1 where no document has that URL."""
    from curate.explaining import explain, similar_urls
    from curate.job import open_job

    workspace = open_job(arguments.output)
    found = explain(workspace, arguments.url)
    if arguments.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    elif found:
        print("\n\n".join("\n".join(_lines(capture)) for capture in found))
    else:
        print(f"no document has the URL {arguments.url}")
        for similar in similar_urls(workspace, arguments.url):
            print(f"  similar: {similar}")
        print(f"pages that became no document are counted by reason: curate status {arguments.output}")
    return 0 if found else 1


def _lines(capture: Mapping[str, Any]) -> Iterator[str]:
    score = f" {capture['language_score']:.2f}" if capture["language_score"] is not None else ""
    yield f"{capture['url']}\n{capture['title'] or '(no title)'} [{capture['language']}{score}], {capture['warc']}"
    yield f"document {capture['doc_id']}: {_verdict(capture['kept'], capture['failed'])}"
    for node in capture["nodes"]:
        yield f"{node['position']:4} {_content(node)}"
        with_document = node["kept"] is False and not node["failed"]
        yield f"       {'dropped with its document' if with_document else _verdict(node['kept'], node['failed'])}"


def _verdict(kept: bool | None, failed: Sequence[Mapping[str, str]]) -> str:
    if kept is None:
        return "not judged yet"
    from curate.rule_report import bound_in_words

    why = "; ".join(f"{f['rule']}: {_found(f)}, bound {bound_in_words(f['bound'])}" for f in failed)
    return "kept" if kept else f"dropped by {why}"


def _found(failed: Mapping[str, str]) -> str:
    copy_of = failed.get("copy_of")
    return f"a copy of {copy_of}" if copy_of else failed["value"]


def _content(node: Mapping[str, Any]) -> str:
    if "text" in node:
        return textwrap.shorten(node["text"], _SHOWN, placeholder=" …")
    size = f" {node['width']}x{node['height']} {node['format']}" if node["width"] else ""
    score = f" clip_score {node['clip_score']:.3f} ({node['clip_text']})" if "clip_score" in node else ""
    return f"[image] {node['image']}{size}{score}"
