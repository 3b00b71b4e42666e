"""The loader as torch's DataLoader wants it: an IterableDataset. Imported only where torch is installed."""

from torch.utils.data import IterableDataset

from curate.loader import Document, Documents


class TorchDocuments(Documents, IterableDataset[Document]):
    """Documents that a DataLoader recognises; each of its workers iterates over its own share."""
