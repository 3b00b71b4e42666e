"""curate turns web archives into interleaved image-text training data.

`curate.load(shards)` reads what a job has written; everything else is the command line, `curate --help`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curate.loader import Document, Documents, load

__all__ = ["Document", "Documents", "load"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the loader when it is first asked for, so that `import curate` costs nothing."""
    if name in __all__:
        from curate import loader

        return getattr(loader, name)
    raise AttributeError(f"module 'curate' has no attribute {name!r}")
