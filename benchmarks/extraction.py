"""Speed and quality of our extraction against its peers, over the same pages in one process.

    uv run --with trafilatura --with rs-trafilatura python benchmarks/extraction.py [--help]

What is compared, and how, is said in `extraction_peers`, `extraction_speed` and `extraction_quality`.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from extraction_cases import cases_in, sample
from extraction_peers import installed
from extraction_quality import measure_quality
from extraction_speed import Rates, measure_speed, pages_of

_ROUNDS = 5
_BASE = "trafilatura"
_SEEN = "* curate's models were trained on these pages: see benchmarks/train_blocks.py, which cross-validates"


def main() -> None:
    """Measure what was asked for, print the tables, write the JSON file."""
    options = _options()
    extractors = installed()
    versions = {extractor.name: _version(extractor.package) for extractor in extractors}
    report: dict[str, Any] = {"python": platform.python_version(), "versions": versions}
    if options.only != "quality":
        pages = sample(pages_of(options.warc), options.pages) or sys.exit(f"{options.warc} holds no HTML pages")
        print(f"speed: {len(pages):,} pages of {options.warc.name}, {sum(len(p.body) for p in pages) / 1e6:.1f} MB")
        rates = measure_speed(extractors, pages, options.rounds)
        report["speed"] = {"pages": len(pages), "rounds": options.rounds, "rates": rates}
        _print_speed(rates, versions)
    if options.only != "speed":
        readers = [extractor for extractor in extractors if extractor.extracts]
        report["quality"] = measure_quality(readers, cases_in(options.cases, options.pages))
        _print_quality(report["quality"], [reader.name for reader in readers])
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")


def _options() -> argparse.Namespace:
    corpora = Path(os.environ.get("CURATE_CORPORA") or Path(__file__).resolve().parents[2] / "shared" / "corpora")
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="example: python benchmarks/extraction.py --only speed --rounds 3 --pages 100 --json speed.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--warc", type=Path, default=corpora / "warcs" / "realpages-dev.warc.gz", help="for speed (%(default)s)")
    add("--cases", type=Path, default=corpora / "extraction", help="for quality (%(default)s)")
    add("--only", choices=("speed", "quality"), help="measure only one of the two")
    add("--rounds", type=_positive, metavar="N", default=_ROUNDS, help="passes over the pages (%(default)s)")
    add("--pages", type=_positive, metavar="N", help="a sample, always the same: N pages, and N of each set of cases")
    add("--json", type=Path, metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    if options.only != "quality" and not options.warc.is_file():
        parser.error(f"{options.warc} is not there: name a WARC with --warc, or the corpora's folder in CURATE_CORPORA")
    if options.only != "speed" and not options.cases.is_dir():
        parser.error(f"{options.cases} is not there: name a folder with --cases, or the corpora's in CURATE_CORPORA")
    return options


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "-"


def _print_speed(rates: dict[str, Rates], versions: dict[str, str]) -> None:
    base = rates.get(_BASE)
    header = ["extractor", "version", "best", "median", "cold", "p50 ms", "p99 ms", "errors"]
    rows = []
    for name, rate in rates.items():
        speeds = [f"{rate[key]:,.1f}" for key in ("best", "median", "cold")]
        ratios = [f"{rate[key] / base[key]:.2f}x" if base else "-" for key in ("best", "median", "cold")]
        both = [f"{speed} {ratio:>7}" for speed, ratio in zip(speeds, ratios, strict=True)]
        milliseconds = [f"{rate[key]:.2f}" for key in ("p50_ms", "p99_ms")]
        rows.append([name, versions[name], *both, *milliseconds, str(rate["errors"])])
    _print_table(header, rows)
    print(f"pages a second of one core, and to {_BASE}; cold: the first round; ms a page: handed over one by one\n")


def _print_quality(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    cells = [[row["measure"], str(row["pages"]), *(_figure(row, name) for name in names)] for row in rows]
    _print_table(["measure", "pages", *names], cells)
    print(_SEEN)


def _figure(row: dict[str, Any], name: str) -> str:
    value = row["figures"][name]
    if not isinstance(value, float):
        return "-" if value is None else f"{value} "
    return f"{value:.3f}" + ("*" if name == "curate" else " ")


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for cells in (header, *rows):
        rest = (f"{cell:>{width}}" for cell, width in zip(cells[1:], widths[1:], strict=True))
        print("  ".join([f"{cells[0]:{widths[0]}}", *rest]))


if __name__ == "__main__":
    main()
