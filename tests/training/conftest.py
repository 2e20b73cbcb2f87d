import copy

import pytest
import torch
from tiny import make_tiny_model


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Threads only wait for each other in so small a model, and the same number gives the same bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def untrained(tmp_path_factory):
    return make_tiny_model(tmp_path_factory.mktemp("tiny")).eval()


@pytest.fixture
def tiny_model(untrained):
    return copy.deepcopy(untrained)
