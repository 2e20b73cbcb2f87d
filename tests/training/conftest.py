import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tiny import make_tiny_model


@pytest.fixture
def tiny_model(tmp_path_factory):
    model = make_tiny_model(tmp_path_factory.mktemp("tiny"))
    model.eval()  # no dropout
    return model
