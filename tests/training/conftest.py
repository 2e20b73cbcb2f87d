import pytest
from tiny import make_tiny_model


@pytest.fixture
def tiny_model(tmp_path_factory):
    model = make_tiny_model(tmp_path_factory.mktemp("tiny"))
    model.eval()  # no dropout
    return model
