"""`curate prior`: trains a classifier of texts on what a job's pictures were worth, for the next crawl."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from curate.cli.arguments import Subparsers, add_command
from curate.errors import UserError

if TYPE_CHECKING:
    from curate.prior import Trained


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "prior",
        "train a classifier that guesses from texts alone how well a page's pictures go with them",
        "curate prior out --output prior.ftz",
    )
    parser.add_argument("job", metavar="OUT", help="the output folder of a job that has been scored")
    parser.add_argument("--output", metavar="FILE", required=True, help="where the model goes, such as prior.ftz")
    parser.add_argument(
        "--share", type=_share(0.5), default=0.3, metavar="S",
        help="documents in the top share are learnt against those in the bottom share (default: 0.3)",
    )  # fmt: skip
    parser.add_argument(
        "--recall", type=_share(1.0), default=0.9, metavar="R",
        help="share of the top documents that the threshold has to keep (default: 0.9)",
    )  # fmt: skip
    parser.add_argument(
        "--documents", type=int, default=100_000, metavar="N", help="at most, by a hash of their ids (default: 100000)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Train, and print what it is worth."""
    output = Path(arguments.output)
    if not output.absolute().parent.is_dir():
        raise UserError(f"--output {output}: there is no folder {output.absolute().parent}")
    from curate.job import open_job
    from curate.prior import train_prior
    from pipelines.frame.arrow import leave_pandas_out

    leave_pandas_out()
    found = train_prior(open_job(arguments.job), output, arguments.share, arguments.recall, arguments.documents)
    print(json.dumps(asdict(found), indent=1) if arguments.json else "\n".join(_lines(found, output, arguments)))
    return 0


def _lines(found: "Trained", output: Path, arguments: argparse.Namespace) -> list[str]:
    figures = found.figures
    others = "of other hosts" if found.by_host else "of the same hosts, as there are too few to hold some out"
    return [
        f"{found.documents:,} documents of {found.hosts:,} hosts have {found.signal}",
        f"trained on {found.trained:,}: the top {arguments.share:.0%} (from {found.high:.4g} on) against the bottom "
        f"{arguments.share:.0%} (up to {found.low:.4g})",
        f"measured on {figures.documents:,} {others}, {figures.high_share:.1%} of which are as high",
        f"  area under the ROC curve   {figures.auc or 0:.3f}",
        f"  threshold                  {figures.threshold:.6f} for a recall of {arguments.recall:.0%}, set on others",
        f"  recall                     {figures.recall:.1%}",
        f"  precision                  {figures.precision:.1%}",
        f"  pictures not scored        {figures.saved:.1%}",
        f"{output} has {output.stat().st_size / 1e6:.1f} MB",
    ]


def _share(most: float) -> Callable[[str], float]:
    def share(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value <= most:
            raise argparse.ArgumentTypeError(f"expected a share above 0 and up to {most:g}, not {text!r}")
        return value

    return share
