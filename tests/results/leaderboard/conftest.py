import pytest
from boards import HOSTILE, retrieval_record, sa_record

from xlutils.results.record import write_record


@pytest.fixture
def records(tmp_path):
    """Four models: two that cannot be told apart, one surely worse, and one with a hostile name."""
    folder = tmp_path / "records"
    for lexicon in ("everyday", "culture", "untranslatable", "oracle-bone"):
        for name, value in (("LaBSE", 0.700), ("bge-m3", 0.695), ("org/new", 0.6), (HOSTILE, 0.55)):
            write_record(folder, sa_record(name, value, lexicon=lexicon))
    speed = {"encode": 2.0, "texts-per-second": 500.0}
    write_record(folder, retrieval_record("LaBSE", {"zh": 80.0, "th": 60.0}, **speed))
    write_record(folder, retrieval_record("bge-m3", {"zh": 90.0, "th": 80.0}))
    write_record(folder, retrieval_record("org/new", {"zh": 91.0, "th": 50.0}))
    return folder
