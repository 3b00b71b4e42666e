"""What several modules of tests share because it takes long to start."""

from collections.abc import Iterator

import pytest

from tests.spark_cluster import SparkCluster, spark_cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    """A Spark cluster with two workers."""
    with spark_cluster(tmp_path_factory.mktemp("spark")) as running:
        yield running
