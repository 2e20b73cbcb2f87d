import json

import numpy as np
import pytest
from click.testing import CliRunner

from xlutils import load_sentences
from xlutils.cli import main


@pytest.fixture(scope="module")
def articles(tmp_path_factory):
    """Canaries of one's own: half an article asks for the whole, with a language that has few."""
    data = load_sentences("udhr", ["en", "de", "sw"])
    path = tmp_path_factory.mktemp("mine") / "articles.csv"
    lines = ["id,language,query,document"]
    for code, texts in data.texts.items():
        for number, text in enumerate(texts[:10] if code == "sw" else texts):
            whole = text.replace('"', "'")
            lines.append(f'{number},{code},"{whole[len(whole) // 2 :]}","{whole}"')
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def gate(*arguments):
    result = CliRunner().invoke(main, ["gate", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


MODEL, BAD = "control-ngram-hash", "control-random"


def test_a_model_against_itself_is_safe_and_a_worse_one_is_not(articles, tmp_path):
    same = gate(MODEL, MODEL, "--canaries", articles, "--languages", "en")
    assert (same.exit_code, same.output[:5]) == (0, "SAFE:")
    files = {name: tmp_path / f"out/{name}" for name in ("html", "json", "junit")}
    options = [word for name, path in files.items() for word in (f"--{name}", path)]
    worse = gate(MODEL, BAD, "--canaries", articles, "--languages", "en", *options, "--records", tmp_path / "records")
    assert worse.exit_code == 1
    assert worse.output.startswith("WORSE: 1 of 1 languages got worse: English")
    assert json.loads(files["json"].read_text())["exit_code"] == 1
    assert "<table>" in files["html"].read_text()
    assert "<failure" in files["junit"].read_text()
    past = gate("--history", tmp_path / "records", "--html", tmp_path / "past.html")
    assert (past.exit_code, "worse: English" in past.output) == (0, True)
    page = (tmp_path / "past.html").read_text(encoding="utf-8")
    assert (page.count("<svg"), "worse: English" in page) == (1, True)


def test_a_language_with_too_few_canaries_is_not_called_safe(articles):
    result = gate(MODEL, MODEL, "--canaries", articles, "--languages", "sw")
    assert result.exit_code == 2
    assert result.output.startswith("COULD NOT JUDGE Swahili")


def test_the_shipped_canaries_need_no_file():
    assert gate("use-multilingual-v3", "use-multilingual-v3", "--languages", "de,zh").exit_code == 0


def test_another_prompt_is_noted(articles):
    prompt = ["--candidate-prompt", "query=Frage an alle: "]
    result = gate(MODEL, MODEL, "--canaries", articles, "--languages", "en", *prompt)
    assert "prompt of a query: '' before, 'Frage an alle: ' now" in result.output


def save(folder, vectors, keys):
    folder.mkdir()
    np.save(folder / "vectors.npy", vectors)
    rows = "".join(f"{','.join(key)}\n" for key in keys)
    (folder / "texts.csv").write_text(f"id,language,role\n{rows}", encoding="utf-8")
    return folder


def test_folders_of_vectors_are_compared_without_a_model(tmp_path):
    keys = [(str(n), code, "document") for code in ("en", "sw") for n in range(40)]
    meanings = np.tile(np.random.default_rng(0).standard_normal((40, 8)), (2, 1))
    half = meanings.copy()
    half[40:60] = half[40:60] @ np.linalg.qr(np.random.default_rng(1).standard_normal((8, 8)))[0]
    old, new = save(tmp_path / "old", meanings, keys), save(tmp_path / "new", half, keys)
    assert gate(old, old).exit_code == 0
    mixed = gate(old, new)
    assert (mixed.exit_code, "got worse: Swahili" in mixed.output) == (1, True)
    live = save(tmp_path / "live", half[40:60] + 2, keys[40:60])
    drifted = gate(old, old, "--live", live)
    assert (drifted.exit_code, "live vectors drifted in Swahili" in drifted.output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "xl gate BASE CANDIDATE"),
        ([MODEL], "xl gate BASE CANDIDATE"),
        (["no-such-model", MODEL], "no-such-model"),
        ([MODEL, MODEL, "--languages", "klingonese"], "unknown language"),
        ([MODEL, MODEL, "--languages", "aa"], "cldr has no language aa"),
        ([MODEL, MODEL, "--canaries", "missing.csv"], "no file missing.csv"),
        ([MODEL, MODEL, "--languages", "de", "--margin", "2"], "margin"),
        ([MODEL, MODEL, "--base-prompt", "query"], "give ROLE=TEXT"),
        ([MODEL, MODEL, "--base-prompt", "question=a"], "unknown role 'question'"),
        ([MODEL, MODEL, "--live", "nowhere"], "nowhere/vectors.npy cannot be read"),
        (["--history", "nowhere"], "no record of a gate"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message):
    result = gate(*arguments)
    assert result.exit_code == 2
    (line,) = result.output.strip().splitlines()
    assert message in line


def test_a_folder_of_vectors_beside_a_model_needs_the_texts(tmp_path):
    folder = save(tmp_path / "v", np.ones((1, 2)), [("a", "en", "query")])
    for words, message in (([], "--canaries"), (["--candidate-prompt", "query=x"], "no prompt any more")):
        result = gate(MODEL, folder, *words)
        assert (result.exit_code, message in result.output) == (2, True)
