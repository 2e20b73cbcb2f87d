import pytest

from xlutils.datasets.scenarios import KINDS, Scenario, make_scenarios
from xlutils.errors import XlError


def test_the_scenarios_of_two_targets():
    names = {kind: [scenario.name for scenario in make_scenarios([kind], ["zh", "de"])] for kind in KINDS}
    assert names["mono-same"] == ["mono-same/en/en", "mono-same/zh/zh", "mono-same/de/de"]
    assert set(names["mono-cross"]) == {"mono-cross/en/zh", "mono-cross/zh/en", "mono-cross/en/de", "mono-cross/de/en"}
    assert names["multi"] == ["multi/en+zh/en", "multi/en+zh/zh", "multi/en+de/en", "multi/en+de/de"]
    assert names["multi-1"][1] == "multi-1/en+zh/zh"
    assert names["no-english"] == ["multi/zh+de/zh", "multi/zh+de/de"]
    assert names["wide"] == [f"multi/en+zh+de/{language}" for language in ("en", "zh", "de")]
    assert names["third"] == ["multi/en+zh/de", "multi/en+de/zh"]
    for kind in KINDS:
        assert {scenario.group for scenario in make_scenarios([kind], ["zh", "de"])} == {kind}
    assert Scenario("multi-1", ("en", "zh"), "zh").golds == ("en",)


@pytest.mark.parametrize(
    ("kinds", "targets", "message"),
    [
        (["multi"], ["en", "zh"], "English is in every pool already"),
        (["mixed"], ["zh"], "unknown scenario 'mixed'; known: mono-same"),
        (["wide", "third", "no-english"], ["zh"], "need two languages besides English"),
    ],
)
def test_impossible_scenarios_are_refused(kinds, targets, message):
    with pytest.raises(XlError, match=message):
        make_scenarios(kinds, targets)
