import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from click.testing import CliRunner

from xlutils.cli import main
from xlutils.datasets.triples import load_triples
from xlutils.errors import XlError
from xlutils.training.translate import chat_translator, seq2seq_translator, translate_pairs

PAIRS = [("what is the tide", "The tide is the rise of the sea."), ("who", "She did."), ("why\u2028so", "The moon.")]


class Chat(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, self.headers["Authorization"], body))
        system, user = (message["content"] for message in body["messages"])
        text = "" if self.server.silent else f" {system.split()[-1]}: {user} "
        content = json.dumps(
            {"choices": [{"message": {"content": text}}]} if not self.server.odd else {"x": 1}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    server.requests, server.silent, server.odd = [], False, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    yield server
    server.shutdown()
    server.server_close()


def test_a_chat_model_translates_with_the_published_instruction(server, tmp_path):
    translate_pairs(PAIRS, ["German", "fr"], chat_translator("gpt-4o"), tmp_path)
    triples = load_triples(tmp_path, ["de", "fr"]).rows
    assert [row.passage_tgt for row in triples if row.lang == "de"] == [f"German: {passage}" for _, passage in PAIRS]
    assert [(row.query_en, row.passage_en) for row in triples if row.lang == "fr"] == PAIRS
    path, key, body = server.requests[0]
    assert (path, key, body["model"]) == ("/v1/chat/completions", "Bearer sk-secret", "gpt-4o")
    instruction = "#Instructions\nTranslate the following English passage fully and accurately into German"
    assert body["messages"][0] == {"role": "system", "content": instruction}
    assert body["messages"][1] == {"role": "user", "content": PAIRS[0][1]}


def test_a_stopped_run_goes_on_where_it_was(server, tmp_path):
    def stops(texts, language):
        yield "eins"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        translate_pairs(PAIRS, ["de"], stops, tmp_path)
    with (tmp_path / "train.de.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"query_en": "who", "pass')  # a kill in the middle of a line
    translate_pairs(PAIRS, ["de"], chat_translator("m"), tmp_path)
    assert len(server.requests) == 2
    assert load_triples(tmp_path, ["de"]).rows[0].passage_tgt == "eins"
    assert len(load_triples(tmp_path, ["de"]).rows) == 3
    translate_pairs(PAIRS, ["de"], chat_translator("m"), tmp_path)
    assert len(server.requests) == 2  # nothing is left to do


def test_answers_that_are_no_translation(server, tmp_path, monkeypatch):
    server.odd = True
    with pytest.raises(XlError, match="other than the documented one"):
        translate_pairs(PAIRS, ["de"], chat_translator("m"), tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(XlError, match="OPENAI_API_KEY"):
        chat_translator("m")


def test_a_translation_that_is_none_is_left_out_and_tried_again(server, tmp_path):
    answers = iter(["潮汐", "", "Die Flut", *["潮汐"] * 3])
    (line,) = translate_pairs(PAIRS, ["zh"], lambda texts, _: (next(answers) for _ in texts), tmp_path)
    reason = f"{PAIRS[1][1][:40]!r}: passage_tgt is empty"
    assert line == f"zh: left out 2 ({reason}); run it again to translate them anew"
    assert len(load_triples(tmp_path, ["zh"]).rows) == 1
    assert translate_pairs(PAIRS, ["zh"], lambda texts, _: (next(answers) for _ in texts), tmp_path) == []
    assert [row.passage_tgt for row in load_triples(tmp_path, ["zh"]).rows] == ["潮汐"] * 3
    server.silent = True
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(json.dumps({"query_en": "tide?", "passage_en": "the tide"}))
    words = ["triples", "de", "--translator", "m", "--chat", "--pairs", str(pairs), "--out", str(tmp_path / "none")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    assert "de: left out 1 " in result.output


def test_the_command_translates_pairs_and_continues(server, tmp_path):
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("\n".join(json.dumps({"query_en": query, "passage_en": text}) for query, text in PAIRS))
    out = tmp_path / "triples"

    def run(*options):
        words = ["triples", *options, "--pairs", str(pairs), "--out", str(out)]
        return CliRunner().invoke(main, words)

    for limit, requests in (("2", 2), ("2", 2), ("9", 3)):
        result = run("German", "--translator", "m", "--chat", "--limit", limit)
        assert result.exit_code == 0, result.output
        assert f"{min(int(limit), 3)} triples" in result.output
        assert len(server.requests) == requests
    rows = load_triples(out, ["de"]).rows
    assert [row.passage_tgt for row in rows] == [f"German: {passage}" for _, passage in PAIRS]
    for language, translator, line in (
        ("en", ["m", "--chat"], "every triple contains English already"),
        ("klingon", ["m", "--chat"], "klingon"),
        ("de", [str(tmp_path)], "could not load the translator"),
    ):
        result = run(language, "--translator", *translator)
        assert result.exit_code == 1
        assert line in result.output
        assert len(result.output.splitlines()) == 1
    pairs.unlink()
    assert "pairs.jsonl" in run("de", "--translator", "m", "--chat").output


@pytest.fixture
def nllb(tmp_path):
    """A translator in the hub's format: NLLB's tokenizer and a model with random weights."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import M2M100Config, M2M100ForConditionalGeneration, PreTrainedTokenizerFast

    words = ["<s>", "<pad>", "</s>", "<unk>", "the", "tide", "moon", "sea", "deu_Latn", "eng_Latn"]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        additional_special_tokens=["deu_Latn", "eng_Latn"],
    ).save_pretrained(tmp_path / "nllb")
    torch.manual_seed(0)
    config = M2M100Config(
        vocab_size=len(words),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_position_embeddings=64,
        max_length=12,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        decoder_start_token_id=2,
    )
    M2M100ForConditionalGeneration(config).save_pretrained(tmp_path / "nllb")
    return str(tmp_path / "nllb")


def test_a_seq2seq_model_from_a_folder(nllb):
    translate = seq2seq_translator(nllb, "cpu", max_tokens=8)
    texts = ["the tide the moon", "sea", "the sea"] * 4  # more than one batch
    first, again = (list(translate(texts, "de")) for _ in range(2))
    assert len(first) == 12
    assert first == again
    assert first[:3] == first[3:6]
    assert "deu_Latn" not in " ".join(first)
    with pytest.raises(XlError, match="does not know Japanese"):
        list(translate(texts, "ja"))


def test_a_translator_that_could_not_be_loaded_is_named(tmp_path):
    with pytest.raises(XlError, match="could not load the translator"):
        seq2seq_translator(str(tmp_path))
