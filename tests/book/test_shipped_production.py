"""What chapter 8 says in words, against the records that ship."""

from pathlib import Path

import pytest

from xlutils.chapters.adapting_tables import transfer_matrices
from xlutils.chapters.gate_record import release_lines
from xlutils.chapters.map_tables import LEARNED, NEVER_LEARNED, learned_parts, states_of
from xlutils.chapters.production import newer, production_claims, read_part
from xlutils.chapters.remedies import CHANGE
from xlutils.chapters.smaller_tables import change_table, group_means
from xlutils.models.catalogue import CATALOGUE
from xlutils.results.record import find_records, read_record

RECORDS = Path(__file__).resolve().parents[2] / "book/records"
E5, USE, ENGLISH = "multilingual-e5-small-q4", "use-multilingual-v3", "all-MiniLM-L6-v2"
BOTH = (USE, E5)
NORM = "max@r_norm/per-query"
SECOND = 43


def part(name):
    return read_part(RECORDS, name)


def wide(content, metric):
    return states_of(content, metric).pivot_table("value", "language", "state", sort=False)


def of_all(content, metric):
    rows = content["metrics"].query("kind == 'all' and metric == @metric")
    return rows.set_index("state")[["value", "low", "high"]]


@pytest.mark.parametrize("model", BOTH)
def test_every_part_is_recorded_with_both_models(model):
    for name, data in (("smaller", "cldr"), ("smaller", "xquad"), ("leaks", "cldr"), ("domains", "domains")):
        assert (model, data) in part(name)
    assert len(newer(part("upgrade"))) == 3
    assert len(production_claims(RECORDS)) > 80


@pytest.mark.parametrize("model", BOTH)
def test_eight_bits_cost_next_to_nothing_and_one_bit_little_after_centring_and_scoring_again(model):
    for data in ("cldr", "xquad"):
        means = group_means(part("smaller")[model, data]).set_index("state")
        assert (means.loc[["int8" + CHANGE], "low"] > -0.01).all()
    names = group_means(part("smaller")[model, "cldr"]).set_index("state")
    rescored = f"binary, centred, rescored with int8{CHANGE}"
    assert names.loc[[rescored], "low"].min() > -0.01
    assert names.loc[[f"binary, centred{CHANGE}"], "value"].max() < names.loc[[rescored], "value"].min()


def test_signs_say_little_in_e5_until_it_is_centred():
    table = group_means(part("smaller")[E5, "cldr"]).pivot_table("value", "group", "state")
    assert (table["binary, change"] < 3 * table["binary, centred, change"]).all()


def test_a_pca_costs_e5_far_more_in_mixed_pools_and_signs_of_its_directions_gain():
    names, pools = (group_means(part("smaller")[E5, data]) for data in ("cldr", "xquad"))
    lost = [one.loc[one["state"] == f"PCA 128{CHANGE}", "value"].min() for one in (names, pools)]
    assert lost[1] < 2 * lost[0] < 0
    table = wide(part("smaller")[E5, "xquad"], NORM)
    assert table["PCA 256, binary"].mean() > table["centred"].mean()


@pytest.mark.parametrize("model", BOTH)
def test_with_signs_strong_languages_lose_more_and_weak_ones_a_larger_share(model):
    content = part("smaller")[model, "cldr"]
    assert of_all(content, "strength/lost").loc["binary", "low"] > 0
    assert of_all(content, "strength/share").loc["binary", "high"] < 0


def test_weights_of_eight_bits_cost_more_than_vectors_of_eight_bits_and_those_of_sixteen_nothing():
    weights = states_of(part("smaller-weights")[E5, "cldr"], "accuracy").set_index("state")
    half = weights.loc["bfloat16 weights" + CHANGE]
    assert half["low"].min() > -0.02
    assert abs(half["value"].mean()) < 0.002
    change = weights.loc["int8 weights" + CHANGE]
    assert change["value"].mean() < -0.01
    assert (change["high"] > 0).mean() > 0.5  # most single languages cannot be told from no change


def test_four_bits_cost_full_weights_something_in_three_languages_and_eight_bits_some_more_than_others():
    by_model = {}
    for model in (E5, ENGLISH):
        rows = states_of(part("smaller-weights")[model, "xquad"], NORM)
        by_model[model] = {state: table.set_index("language") for state, table in rows.groupby("state")}
    four = by_model[ENGLISH][f"int4 weights{CHANGE}"]
    assert set(four.index[four["high"] < -0.5]) == {"es", "de", "ar"}
    assert four["value"].between(-2.5, 0.5).all()
    assert four.loc[["zh", "th", "vi"], "high"].min() > 0
    assert by_model[ENGLISH][f"int8 weights{CHANGE}"]["value"].abs().mean() < 0.3
    names = states_of(part("smaller-weights")[ENGLISH, "cldr"], "accuracy").set_index("state")
    assert abs(names.loc[f"int4 weights{CHANGE}", "value"].mean()) < 0.005
    for tables in by_model.values():
        assert tables[f"bfloat16 weights{CHANGE}"]["value"].abs().max() < 0.1
    eight = by_model[E5][f"int8 weights{CHANGE}"]
    assert (eight["high"] < 0).all()
    assert eight.loc[["th", "vi"], "high"].max() < eight.loc[["de", "es"], "low"].min()
    assert by_model[E5][f"int4 weights{CHANGE}"]["value"].min() > -1  # they had four bits before


@pytest.mark.parametrize("model", BOTH)
def test_scoring_again_repairs_less_in_the_pool_of_all_languages(model):
    recall = group_means(part("smaller-indexes")[model, "cldr"]).set_index("state")
    assert recall.loc["binary, centred, rescored with float32", "value"].max() < 0.97
    assert (change_table(part("smaller")[model, "cldr"])["bytes"] > 0).all()


@pytest.mark.parametrize("student", ["static", "static-whitened"])
def test_a_static_student_is_fast_loses_more_across_and_cannot_tell_roles(student):
    content = part("student")[E5, student]
    seconds = content["timing"]
    for what in ("passage", "name"):
        teacher, small = (seconds[f"{side} per {what}"] for side in ("teacher", "student"))
        assert teacher / small > 30
    across, within = (states_of(content, metric).set_index(["state", "language"]) for metric in ("across", "within"))
    lost = f"student{CHANGE}"
    assert (across.loc[lost, "high"] < 0).all()
    assert (within.loc[lost, "high"] < 0).all()
    assert (across.loc[lost, "value"] < within.loc[lost, "value"].reindex(across.loc[lost].index)).all()
    assert wide(content, "roles")["student"].eq(0.5).all()
    assert (across.loc["student centred", "value"] > across.loc["student", "value"]).all()


def test_four_layers_keep_more_across_and_less_within_than_a_table_of_tokens():
    content = part("student")[E5, "4-layers"]
    seconds = content["timing"]
    for what in ("passage", "name"):
        assert 0.25 < seconds[f"student per {what}"] / seconds[f"teacher per {what}"] < 0.45  # a third of the time
    lost = f"student{CHANGE}"
    across, within = (states_of(content, metric).set_index(["state", "language"]) for metric in ("across", "within"))
    assert (within.loc[lost, "value"].reindex(across.loc[lost].index) < across.loc[lost, "value"]).all()
    assert abs(states_of(content, "antonyms").set_index("state").loc[lost, "value"].mean()) < 0.01
    roles = wide(content, "roles").mean()
    assert 0.5 < roles["student"] < roles[""] < 0.6
    for name in ("static", "static-whitened"):
        other = part("student")[E5, name]
        assert wide(content, "across")["student"].mean() > wide(other, "across")["student"].mean()
        assert wide(content, "within")["student"].mean() < wide(other, "within")["student"].mean()
    done = content["params"]["done"]
    assert done["processor-seconds"] < 20 * 60
    assert not {"cldr", "xquad", "relations"} & {done["trained_on"]["name"]}


def test_the_gate_lets_no_student_pass_and_four_layers_break_the_fewest_languages():
    records = [read_record(path) for path in find_records(RECORDS, "gate")]
    worse, within = {}, {}
    for record in records:
        name, metrics = record["model"]["name"].split("@")[0], record["metrics"]
        learned = {code for code in set(metrics["language"]) if CATALOGUE[E5].learned(code)}
        worse[name] = len(learned & {*record["params"]["worse"]})
        rows = metrics[(metrics["metric"] == "within") & metrics["language"].isin(learned)]
        within[name] = rows.groupby("state")["value"].mean()
    assert len(worse) == 3
    assert 0 < worse["e5-4-layers"] < worse["e5-static-whitened"] < worse["e5-static"]
    four = within.pop("e5-4-layers")
    assert 0.45 < four["after"] / four["before"] < 0.6  # half of them
    assert all(table["after"] > 1.3 * four["after"] for table in within.values())
    lines = release_lines(RECORDS, "across")
    for table in lines.values():
        assert table["value"].is_monotonic_decreasing
        assert table["value"].iloc[-1] < 0.36 * table["value"].iloc[0]


def test_a_product_quantiser_finds_more_than_signs_as_they_come_and_less_than_centred_ones():
    found = group_means(part("smaller-indexes")[E5, "cldr"]).groupby("state")["value"]
    assert found.max()["binary"] < found.min()["product quantiser"]
    assert found.max()["product quantiser"] < found.min()["binary, centred"]


def test_whitening_brings_part_of_both_back():
    plain, whitened = (part("student")[E5, name] for name in ("static", "static-whitened"))
    for metric in ("within", "across"):
        assert (wide(whitened, metric)["student"] > wide(plain, metric)["student"]).all()


def test_within_a_language_no_map_comes_back_to_the_old_model():
    for content in newer(part("upgrade")).values():
        table = wide(content, "within/first")
        maps = table.drop(columns=["", "new"])
        assert (maps.max(axis=1) < table[""]).all()


def test_a_map_of_english_opens_an_english_index_and_one_of_all_languages_ruins_it():
    upgrades = newer(part("upgrade"))
    table = wide(upgrades[ENGLISH, E5], "across/first")
    english = table["ridge, pivot questions, 500 texts"]
    assert (english > table[""] + 0.1).all()
    largest = [state for state in table if state.startswith("ridge, all questions")][-1]
    assert (table[largest] < table[""]).all()
    of_use = wide(upgrades[USE, E5], "across/first").loc["vi"]
    assert of_use["ridge, pivot questions, 500 texts"] > of_use["ridge, all questions, 4000 texts"] > of_use[""]


def test_with_as_many_texts_english_alone_teaches_more_and_only_the_mixture_has_thousands():
    table = wide(newer(part("upgrade"))[USE, E5], "within/first")
    for size in (100, 500):
        one, other = (table[f"ridge, {kind} questions, {size} texts"] for kind in ("pivot", "all"))
        assert (one > other).all()
    assert "ridge, pivot questions, 2000 texts" not in table
    assert (table["ridge, all questions, 4000 texts"] > table["ridge, pivot questions, 500 texts"]).all()


@pytest.mark.parametrize("model", BOTH)
def test_names_are_the_hardest_domain_wherever_a_language_was_learned(model):
    content = part("domains")[model, "domains"]
    table = wide(content, "accuracy/25")[["names", "law", "news", "encyclopedic"]]
    codes = [code for code in learned_parts(content)[LEARNED] if code in table.index]
    learned = table.loc[codes]
    assert (learned["names"] < learned.drop(columns="names").min(axis=1)).all()
    assert learned.drop(columns="names").min().min() > 0.85
    if model == E5:
        assert learned["law"].mean() == learned.drop(columns="names").mean().min()


def test_where_use_never_learned_a_language_news_is_far_above_law():
    content = part("domains")[USE, "domains"]
    table = wide(content, "accuracy/25").loc[learned_parts(content)[NEVER_LEARNED]]
    assert (table["news"] > 2 * table["law"]).all()


def test_the_first_language_repairs_the_others_and_later_steps_move_little():
    (content,) = part("forgetting").values()
    tables = transfer_matrices(content)
    alone, maps = tables["training alone"], tables["maps"]
    assert alone.loc[:, "Chinese"].iloc[1] - alone.loc[:, "Chinese"].iloc[0] > 40
    assert (alone.iloc[-1] - alone.iloc[1]).abs().max() < 3
    assert maps.loc[:, "Chinese"].iloc[:-1].nunique() == 1


def test_how_far_a_model_is_moved_decides_what_it_forgets():
    (content,) = part("adapters").values()
    lost, gained = (of_all(content, metric)["value"] for metric in ("within/untrained", "complete@10/trained"))
    everything, biases, layers, gentle = (
        f"{way}, mixed{CHANGE}"
        for way in ("all weights", "biases", "last 2 layers", "all weights, a fifth of the rate")
    )
    assert gained[gentle] > gained[layers] - 0.5
    assert max(abs(lost[gentle]), abs(lost[layers])) < 0.25 * abs(lost[everything])
    assert gained[biases] > 0.9 * gained[everything]
    assert 0.4 < lost[biases] / lost[everything] < 0.6
    for loss in ("triplet", "mixup", "paraphrases"):
        assert gained[f"all weights with {loss}, mixed{CHANGE}"] < gained[everything] + 1
    reworded = f"all weights with paraphrases, mixed{CHANGE}"
    for metric in ("within/trained", "within/untrained"):
        assert of_all(content, metric)["value"][reworded] < of_all(content, metric)["value"][everything] - 0.01


def test_a_second_seed_moves_all_weights_more_than_the_way_of_adapting_does():
    (content,) = part("adapters").values()
    gained = of_all(content, "complete@10/trained")["value"]
    ways = ("all weights", "LoRA", "biases", "last 2 layers")
    first, second = ({way: gained[f"{way}, mixed{end}{CHANGE}"] for way in ways} for end in ("", f", seed {SECOND}"))
    apart = {way: abs(first[way] - second[way]) for way in ways}
    assert apart["all weights"] > max(first[way] for way in ways[:3]) - min(first[way] for way in ways[:3])
    assert max(apart["biases"], apart["last 2 layers"]) < 0.5
    for metric in ("within/trained", "within/untrained"):
        lost = of_all(content, metric)["value"]
        for end in ("", f", seed {SECOND}"):  # who forgets least does not depend on it
            everything, lora, biases, layers = (lost[f"{way}, mixed{end}{CHANGE}"] for way in ways)
            assert max(everything, lora) < biases - 0.02 < layers - 0.03


def test_topics_that_use_finds_in_languages_that_it_never_learned():
    content = part("domains")[USE, "domains"]
    table = wide(content, "accuracy/25").loc[["sw", "yo", "vi"]]
    found, lost = (
        table[[f"news on {topic}" for topic in topics]]
        for topics in (("politics", "sports", "geography"), ("health", "science and technology", "travel"))
    )
    assert (found.min(axis=1) > lost.max(axis=1) + 0.1).all()


def test_passages_of_an_encyclopedia_are_vietnamese_where_use_never_learned():
    content = part("domains")[USE, "domains"]
    gains = states_of(content, "gain")
    gains = gains[gains["state"].str.endswith("on encyclopedic")]
    assert set(gains["language"]) & set(learned_parts(content)[NEVER_LEARNED]) == {"vi"}


@pytest.mark.parametrize("data", ["cldr", "sib200"])
@pytest.mark.parametrize("model", BOTH)
def test_what_leaks_and_what_hides_it(model, data):
    content = part("leaks")[model, data]
    read, kept = (of_all(content, f"{metric}/learned")["value"] for metric in ("read", "across"))
    for state in ("float16", "int8", "rotated", "64 dimensions"):
        assert abs(read[state + CHANGE]) < 0.02
    for state in ("sign", *(f"noise {strength}" for strength in (0.05, 0.1, 0.2, 0.4, 0.8))):
        assert read[state] > 0.5 * read[""] or kept[state] < kept[""] - 0.02  # half is never gone at no cost
        assert of_all(content, "language/learned")["value"][state] > 0.3
    probe, near = (of_all(content, f"{metric}/learned")["value"] for metric in ("language", "language-near"))
    guess = of_all(content, "language").loc["chance", "value"]
    assert probe["centred"] < 0.5 * probe[""]
    assert near["centred"] > 2 * guess
    topics = of_all(content, "topic/learned")["value"]
    assert topics[""] > 2 * of_all(content, "topic").loc["chance", "value"]
    assert topics["centred"] > topics[""] - 0.02
    for metric in ("topic", "read"):
        assert (
            of_all(content, f"{metric}/never-learned").loc["", "value"]
            < of_all(content, f"{metric}/learned").loc["", "value"]
        )
