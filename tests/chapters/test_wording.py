import pandas as pd
import pytest

from xlutils.chapters.wording import about_data, language_names, never_learned, with_margin
from xlutils.results.record import Record, write_record


def test_languages_have_names_and_an_unknown_code_stays():
    assert language_names("en+zh") == "English + Chinese"
    assert language_names("zz") == "zz"


def test_a_margin_is_half_the_interval_and_zero_has_no_sign():
    assert with_margin(0.87, 0.81, 0.89) == "0.87 ± 0.04"
    assert with_margin(-0.001, -0.1, 0.1, digits=1) == "0.0 ± 0.1"


def test_the_data_of_records_are_described_once_each(tmp_path):
    model = {"name": "m", "revision": "1", "source": "here", "fingerprint": "0" * 16}
    metrics = pd.DataFrame([{"kind": "multi", "metric": "mrr", "value": 0.5}])

    def write(name, variant, **params):
        data = {"name": name, "sha256": "0" * 64, "languages": ["en", "zh", "ar"], "size": 1190}
        return write_record(tmp_path, Record("mixed-retrieval", model, data, params, metrics, variant=variant))

    paths = [write("xquad", "a"), write("xquad", "b", passages=240), write("xquad", "c"), write("mini", "d")]
    assert about_data([*paths, paths[0]]) == (
        "xquad: 1,190 questions about 240 passages, in English, Chinese and Arabic; "
        "mini: 1,190 questions, in English, Chinese and Arabic"
    )
    assert about_data([]) == ""


@pytest.mark.parametrize(
    ("model", "text"),
    [("use-multilingual-v3", "; never learned: Vietnamese"), ("multilingual-e5-small-q4", ""), ("org/unknown", "")],
)
def test_languages_never_learned_are_named(model, text):
    assert never_learned({"model": {"name": model}, "dataset": {"languages": ["en", "vi", "th"]}}) == text
