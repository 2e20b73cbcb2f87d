"""The claims of Hong et al., from planted items of records, in both directions."""

import numpy as np
import pandas as pd
import pytest

from xlutils.chapters.asked import gap_table, mean_interval, ratio_interval, read_asked
from xlutils.chapters.claims import NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED, claim_list
from xlutils.chapters.paper_tables import asked_table
from xlutils.chapters.retrieval_claims import STUDIED, check_retrieval, retrieval_claims
from xlutils.chapters.shapes import check_shapes, shapes_path
from xlutils.chapters.training_claims import Training, check_training, training_claims
from xlutils.chapters.wording import with_interval
from xlutils.metrics.uncertainty import bootstrap_ci
from xlutils.results.record import Record, find_records, write_record

TARGETS = ("de", "th")
RECIPE = {"losses": ["jsd", "nce"], "temperature": 1.0, "jsd_weight": 1.0, "learning_rate": 2e-5, "seed": 1}
WORDS = {"y": REPRODUCED, "n": NOT_REPRODUCED, "-": NOT_TESTABLE}


def planted(kind, metric, other, english=None, noise=0.0, seed=0):
    """Sixty questions about twenty passages, asked in each target and in English.

    :param other: Mean in the target language, one per target or one for both; `english` likewise.
    """
    rng, frames = np.random.default_rng(seed), []
    names = {
        "multi": ("multi/en+{0}/{0}", "multi/en+{0}/en"),
        "multi-1": ("multi-1/en+{0}/{0}", "multi-1/en+{0}/en"),
        "mono-same": ("mono-same/{0}/{0}", "mono-same/en/en"),
        "mono-cross": ("mono-cross/en/{0}", "mono-cross/{0}/en"),
    }[kind]
    for name, means in zip(names, (other, other if english is None else english), strict=True):
        for code, mean in zip(TARGETS, np.broadcast_to(means, 2), strict=True):
            values = mean + noise * rng.standard_normal(20).repeat(3)
            about = {"question": [f"q{number:02}" for number in range(60)], "passage": np.arange(20).repeat(3)}
            frames.append(pd.DataFrame({**about, "scenario": name.format(code), metric: values}))
    return pd.concat(frames).drop_duplicates(["question", "scenario"])


def joined(*frames):
    keys = ["question", "passage", "scenario", *(["side"] if "side" in frames[0] else [])]
    return pd.concat(frames).groupby(keys, as_index=False).first()


def models(clir=(3, 3), multi=(60, 20), english=(5, 5), share=0.9, noise=0.5):
    """Items of chapter 3."""
    counts = {"intruders/en": 10 * share, "intruders/de": 10 * (1 - share), "intruders/th": 10 * (1 - share)}
    return joined(
        planted("mono-cross", "max@r", clir, (3, 3), noise, seed=1),
        planted("multi", "max@r", multi, english, noise),
        *(planted("multi", name, count) for name, count in counts.items()),
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "y y y y y y y"),
        ({"multi": (3, 3), "english": (5, 5), "share": 0.1}, "n n n y n n n"),
        ({"multi": (5, 5), "noise": 3, "share": 0.5}, "n n n n n n n"),  # the intervals hold the limits
        ({"multi": (90, 4), "english": (5, 5), "share": 0.7}, "n y y y n y y"),  # one language alone decides
        ({"clir": (9, 3)}, "y y y n y y y"),
    ],
)
def test_a_claim_about_models_needs_its_whole_interval_and_most_pairs(values, expected):
    claims = check_retrieval(models(**values), k=10)
    assert [claim.verdict for claim in claims] == [WORDS[letter] for letter in expected.split()]


def test_what_prefers_the_language_of_the_question_is_said():
    claim = check_retrieval(models(share=0.1), k=10)[5]
    assert claim.verdict == NOT_REPRODUCED
    assert claim.value.startswith("0.10")
    assert claim.why.endswith("more are in the language of the question")


def test_without_pools_of_one_language_what_needs_them_is_not_testable():
    items = models()
    claims = check_retrieval(items[items["scenario"].str.startswith("multi/")], k=10)
    assert [claim.verdict for claim in claims] == [WORDS[letter] for letter in "y-y-yy-"]
    assert check_retrieval(items[items["scenario"].str.startswith("mono")], k=10) == []


def test_the_mean_of_ratios_counts_every_target_the_same():
    asked = read_asked(models(multi=(600, 20)), "multi", "max@r")
    value, low, high = ratio_interval(asked.other, asked.english, asked.clusters, 1)
    assert value == pytest.approx((asked.other.mean(axis=0) / asked.english.mean(axis=0)).mean())
    assert low < value < high
    expected = bootstrap_ci(asked.gap.mean(axis=1), seed=1, clusters=asked.clusters)
    assert mean_interval(asked.gap, asked.clusters, 1)[1:] == pytest.approx([*expected])


def plant(folder, experiment, items, name="m", protocol="unique", done=None):
    """Write a record whose rows do not matter."""
    model = {"name": name, "revision": "1", "source": "s", "fingerprint": "0" * 16}
    data = {"name": "xquad", "sha256": "0" * 64, "languages": ["en", *TARGETS], "size": 60}
    params = {"protocol": protocol, "k": 10, **({"done": done} if done else {})}
    rows = pd.DataFrame([{"kind": "multi", "metric": "max@r", "value": 2.0}])
    variant = f"{done['name']}.{protocol}" if done else protocol
    return write_record(folder, Record(experiment, model, data, params, rows, {}, variant), items)


def test_models_of_the_paper_are_not_testable_until_all_are_measured(tmp_path):
    paths = [plant(tmp_path, "mixed-retrieval", models(), name) for name in ("<b>mine</b>", *STUDIED[:3])]
    table = retrieval_claims(paths)
    assert table.loc[STUDIED[3], "verdict"] == NOT_TESTABLE
    assert set(table["verdict"].drop(STUDIED[3])) == {REPRODUCED}
    text = claim_list(table)
    assert text.count("Shown by:") == 8
    assert "\\<b\\>mine" in text
    paths += [plant(tmp_path, "mixed-retrieval", models(), name) for name in (STUDIED[3], "control-random")]
    assert NOT_TESTABLE not in set(retrieval_claims(paths)["verdict"])
    assert not any("control" in name for name in retrieval_claims(paths).index)


def test_what_the_language_of_the_question_changes_is_drawn_and_tabled(tmp_path):
    items = joined(models(), planted("multi", "complete@10", (30, 50), (40, 40)))
    path = plant(tmp_path, "mixed-retrieval", items, "bge-m3")
    gaps = gap_table([path], "multi")
    assert gaps.index.tolist() == ["German", "Thai"]
    assert gaps["value"].tolist() == pytest.approx([55, 15], abs=1)
    table = asked_table([path, plant(tmp_path, "finetune", items, done={"name": "not shown"})])["xquad"]
    assert table.index.tolist() == [("bge-m3", target, "unique", "measured") for target in ("German", "Thai")]
    assert table["Multi, Complete@10"].tolist() == ["-10.0 (-10.0 to -10.0)", "10.0 (10.0 to 10.0)"]
    texts = [with_interval(*gap, digits=1) for _, *gap in gaps[["value", "low", "high"]].itertuples()]
    assert table["Multi, Max@R"].tolist() == texts
    for code, text in zip(TARGETS, table["CLIR, Max@R"], strict=True):
        means = items.groupby("scenario")["max@r"].mean()
        assert text.startswith(f"{means[f'mono-cross/en/{code}'] - means[f'mono-cross/{code}/en']:.1f} (")


def test_a_gap_that_was_not_measured_has_no_column(tmp_path):
    path = plant(tmp_path, "mixed-retrieval", planted("multi", "max@r", (60, 20)))
    assert [*asked_table([path]).columns] == [("xquad", "Multi, Max@R")]


def sides(noise=0.01, **after):
    """Items of chapter 4: means after a training, of what differs from before."""
    before = {"max@r": 60, "complete@10": (20, 20), "multi-1": 0.3, "mono-same": 0.9, "mono-cross": 0.8}
    frames = []
    for number, (side, means) in enumerate({"before": before, "after": before | after}.items(), 4):
        english = (40, 40) if side == "before" else after.get("english", (40, 40))
        parts = [planted("multi", "max@r", means["max@r"], noise=noise, seed=number)]
        parts += [planted("multi", "complete@10", means["complete@10"], english, noise, number)]
        kinds = ("multi-1", "mono-same", "mono-cross")
        parts += [planted(kind, "ndcg@1", means[kind], noise=noise, seed=number) for kind in kinds]
        frames.append(joined(*parts).assign(side=side))
    return pd.concat(frames)


GOOD = {"max@r": 10, "complete@10": (70, 70), "english": (75, 75), "multi-1": 0.8, "mono-cross": 0.9}
BAD = {"max@r": 80, "complete@10": (10, 10), "multi-1": 0.1, "mono-same": 0.5, "mono-cross": 0.5}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (sides(**GOOD), "y y y y y y"),
        (sides(**BAD), "n n n n n n"),
        (sides(noise=1.0), "n n n n - n"),  # the intervals hold zero, and that of Mono-Same a loss too
        (sides(**{**GOOD, "max@r": (10, 90)}), "n y y y y y"),  # one language is worse
        (sides(**GOOD, **{"mono-same": 0.893}), "y y y y y y"),  # a loss that nobody notices
    ],
)
def test_a_claim_about_a_training_needs_its_whole_interval(items, expected):
    training = Training("m", "xquad", "t", RECIPE, ("debian", *TARGETS), {"paper": items}, 10)
    assert [claim.verdict for claim in check_training(training)] == [WORDS[letter] for letter in expected.split()]


def test_languages_that_were_not_trained_on_decide_nothing():
    one, other = sides(**GOOD), sides(**BAD)
    is_thai = one["scenario"].str.contains("th")
    items = pd.concat([one[~is_thai], other[is_thai]])
    german = Training("m", "xquad", "t", RECIPE, ("debian", "de"), {"paper": items}, 10)
    thai, chinese = (german._replace(trained_on=("debian", code)) for code in ("th", "zh"))
    for training, verdict in ((german, REPRODUCED), (thai, NOT_REPRODUCED), (chinese, NOT_TESTABLE)):
        verdicts = [claim.verdict for claim in check_training(training)]
        verdicts.pop(4 if training is thai else 0)  # half of Mono-Same is asked in English, in which both keep it
        assert set(verdicts) == {verdict}


@pytest.mark.parametrize(
    ("alone", "rate", "expected"), [(30, 2e-5, "y"), (5, 2e-5, "n"), (10, 2e-5, "n"), (30, 1e-4, "-")]
)
def test_losses_are_compared_where_all_other_settings_are_the_same(tmp_path, alone, rate, expected):
    about = {"trained_on": {"name": "debian", "languages": ["de", "th"]}}
    nce = RECIPE | {"losses": ["nce"], "jsd_weight": 9.0, "learning_rate": rate}  # its weight is not used
    done = {"name": "jsd+nce.seed-1", "recipe": RECIPE, **about}, {"name": "nce.seed-1", "recipe": nce, **about}
    items = sides(**GOOD), sides(**GOOD | {"max@r": alone}, noise=0.02)
    paths = [
        plant(tmp_path, "finetune", *part, protocol="paper", done=one)
        for part, one in zip([(part,) for part in items], done, strict=True)
    ]
    table = training_claims(paths)
    verdicts = table.set_index("claim")["verdict"]
    assert verdicts["JSD + InfoNCE is better than InfoNCE alone"] == WORDS[expected]
    assert verdicts["JSD + InfoNCE is better than JSD alone"] == NOT_TESTABLE
    why = table.set_index("claim")["why"]["Same cosine, different distribution: JSD brings those nearer"]
    assert why == "records hold no vectors, and no comparison of this training"


def test_the_table_is_read_in_the_protocol_in_which_the_paper_can_have_made_it():
    items = {"paper": sides(**GOOD | BAD), "unique": sides(**GOOD)}
    training = Training("m", "xquad", "t", RECIPE, ("debian", *TARGETS), items, 10)
    mixed, alone = training.read("multi", "max@r"), training.read("mono-cross", "ndcg@1")
    assert mixed[1].other.mean() == pytest.approx(80, abs=1)
    assert alone[1].other.mean() == pytest.approx(0.9, abs=0.1)


def test_seeds_stand_in_one_row_that_says_how_many_agree(tmp_path):
    about, paths = {"trained_on": {"name": "debian", "languages": ["de"]}}, []
    for seed, after in ((7, GOOD), (8, BAD), (9, GOOD)):
        done = {"name": f"jsd+nce.de.seed-{seed}", "recipe": RECIPE | {"seed": seed}, **about}
        paths.append(plant(tmp_path, "finetune", sides(**after), done=done))
    table = training_claims(paths)
    assert [name for name in set(table.index) if "seed" in name] == ["m on xquad, jsd+nce.de.seed-7"]
    tested = table[table["verdict"] == REPRODUCED]
    assert len(tested) == 6
    assert tested["why"].str.endswith("the same verdict with 1 of 2 other seeds").all()


def shape_rows(seed, lift, slope=-0.5, spread=0.2, count=200):
    """Questions of which the divergence falls with the cosine, and `lift` on top."""
    rng = np.random.default_rng(seed)
    cosine = 0.8 + spread * rng.uniform(-0.5, 0.5, count)
    jsd = 0.6 + slope * cosine + lift + rng.normal(0, 0.01, count)
    return pd.DataFrame({"state": "after", "cosine": cosine, "jsd": jsd, "distance": 1.0, "language": "de"})


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (shape_rows(1, -0.05), REPRODUCED),
        (shape_rows(1, 0.05), NOT_REPRODUCED),
        (shape_rows(1, 0.0), NOT_REPRODUCED),
        (
            shape_rows(1, 0.0).assign(
                cosine=lambda table: table["cosine"] + 0.1, jsd=lambda table: table["jsd"] - 0.05
            ),
            NOT_REPRODUCED,
        ),  # nearer, but no more than the cosine says
        (None, NOT_TESTABLE),
    ],
)
def test_divergence_is_compared_at_the_same_cosine(ours, expected):
    nce = shape_rows(0, 0.0)
    claim = check_shapes(ours, nce)
    assert claim.verdict == expected
    if ours is not None:
        slope, start = np.polyfit(nce["cosine"], nce["jsd"], 1)
        value = (ours["jsd"] - start - slope * ours["cosine"]).mean()
        assert float(claim.value.split()[0]) == pytest.approx(value, abs=6e-5)


def test_comparisons_lie_beside_the_records_of_their_training(tmp_path):
    about = {"trained_on": {"name": "debian", "languages": ["de"]}}
    for name, lift in (("jsd+nce", -0.05), ("nce", 0.0)):
        done = {"name": f"{name}.de.seed-1", "recipe": RECIPE | {"losses": name.split("+")}, **about}
        path = plant(tmp_path, "finetune", sides(**GOOD), done=done)
        shape_rows(len(name), lift).to_csv(shapes_path(path), index=False)
    table = training_claims(find_records(tmp_path, "finetune")).set_index("claim")
    claim = table.loc["Same cosine, different distribution: JSD brings those nearer"]
    assert claim["verdict"] == REPRODUCED
    shapes_path(path).unlink()
    table = training_claims(find_records(tmp_path, "finetune")).set_index("claim")
    assert table.loc["Same cosine, different distribution: JSD brings those nearer", "verdict"] == NOT_TESTABLE


@pytest.mark.parametrize(("after", "expected"), [(40, REPRODUCED), (100, NOT_REPRODUCED), (150, NOT_REPRODUCED)])
def test_infonce_of_passages_is_compared_with_the_model_as_published(tmp_path, after, expected):
    recipe = RECIPE | {"losses": ["nce-passage"]}
    done = {"name": "nce-passage.de.seed-1", "recipe": recipe, "trained_on": {"name": "debian", "languages": ["de"]}}
    paths = [plant(tmp_path, "finetune", sides(**GOOD | {"max@r": after}, noise=0.02), done=done)]
    table = training_claims(paths)
    row = table[table["claim"] == "InfoNCE of passages alone is better than no training"]
    assert row["verdict"].tolist() == [expected]
    assert row.index.tolist() == ["m on xquad, nce-passage.de.seed-1"]


def test_a_training_that_was_not_asked_in_its_language_says_so_once(tmp_path):
    done = {"name": "jsd+nce.ru.seed-1", "recipe": RECIPE, "trained_on": {"name": "debian", "languages": ["ru"]}}
    table = training_claims([plant(tmp_path, "finetune", sides(**GOOD), done=done)])
    rows = table.loc[["m on xquad, jsd+nce.ru.seed-1"]]
    assert rows["verdict"].tolist() == [NOT_TESTABLE]
    assert rows["why"].tolist() == ["no pool of this kind was measured in a language trained on"]
