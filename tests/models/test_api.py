"""The API backends against a real HTTP server on this machine that misbehaves on demand."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from xlutils.errors import XlError
from xlutils.models import http as client
from xlutils.models import load_model

KEY = "sk-a-very-secret-key"


def vector_of(text, dim):
    return np.random.default_rng(sum(text.encode())).standard_normal(dim).tolist()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.requests.append((self.path, dict(self.headers), body))
        trick = server.tricks.pop(0) if server.tricks else None
        if trick == "hang up":
            self.connection.close()
        elif trick == "sleep":
            time.sleep(1.5)
            self.connection.close()
        elif trick == "garbage":
            self.answer(200, b"<html>a proxy's greeting</html>")
        elif isinstance(trick, tuple):
            status, headers, content = trick
            self.answer(status, json.dumps(content).encode(), headers)
        else:
            self.answer(200, json.dumps(server.reply(body, trick)).encode())

    def answer(self, status, content, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


def openai_reply(body, trick):
    data = [{"index": i, "embedding": vector_of(text, 1536)} for i, text in enumerate(body["input"])]
    if trick == "short":
        data.pop()
    if trick == "another format":
        return {"result": data}
    return {"data": data[::-1]}  # order is not promised


def gemini_reply(body, trick):
    texts = [request["content"]["parts"][0]["text"] for request in body["requests"]]
    return {"embeddings": [{"values": vector_of(text, 3072)} for text in texts]}


@pytest.fixture
def server(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.tricks, server.reply = [], [], openai_reply
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("OPENAI_BASE_URL", f"{base}/v1/")
    monkeypatch.setenv("GEMINI_BASE_URL", f"{base}/v1beta")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("XL_RETRY_SECONDS", "0.01")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("XL_CACHE", str(tmp_path))


def expected(texts, dim):
    vectors = np.array([vector_of(text, dim) for text in texts])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_openai(server):
    texts = [f"text {number}" for number in range(250)]
    model = load_model("OpenAI-3-small")
    assert np.allclose(model.encode(texts, "word"), expected(texts, 1536), atol=1e-6)
    path, headers, body = server.requests[0]
    assert path == "/v1/embeddings"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert body["model"] == "text-embedding-3-small"
    assert [len(body["input"]) for _, _, body in server.requests] == [100, 100, 50]
    model.encode(texts, "word")
    assert len(server.requests) == 3  # the second time comes from the store


def test_gemini(server):
    server.reply = gemini_reply
    texts = ["one", "two"]
    vectors = load_model("Gemini-001").encode(texts, "query")
    assert np.allclose(vectors, expected(texts, 3072), atol=1e-6)
    path, headers, body = server.requests[0]
    assert path == "/v1beta/models/gemini-embedding-001:batchEmbedContents"
    assert headers["x-goog-api-key"] == KEY
    assert KEY not in path
    assert {request["taskType"] for request in body["requests"]} == {"RETRIEVAL_QUERY"}


def test_long_texts_make_small_requests(server):
    load_model("OpenAI-3-small").encode([f"{number} " + "x" * 25_000 for number in range(5)])
    assert [len(body["input"]) for _, _, body in server.requests] == [2, 2, 1]


@pytest.mark.parametrize(
    "tricks",
    [
        [(429, {"Retry-After": "0"}, {})],
        [(429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, {}), (503, {}, {})],
        [(500, {}, {}), (502, {}, {}), (504, {}, {}), (408, {}, {})],
        ["hang up", "garbage", "hang up"],
        ["sleep"],
    ],
    ids=str,
)
def test_what_may_pass_is_tried_again(server, tricks, monkeypatch):
    monkeypatch.setattr(client, "_TIMEOUT_SECONDS", 0.5)
    server.tricks += tricks
    vectors = load_model("OpenAI-3-small").encode(["a", "b"])
    assert np.allclose(vectors, expected(["a", "b"], 1536), atol=1e-6)
    assert len(server.requests) == len(tricks) + 1


def test_the_server_says_how_long_to_wait(server):
    server.tricks.append((429, {"Retry-After": "0.7"}, {}))
    started = time.monotonic()
    load_model("OpenAI-3-small").encode(["a"])
    assert time.monotonic() - started >= 0.7


def test_it_gives_up_at_last_and_goes_on_where_it_was(server):
    texts = [f"text {number}" for number in range(250)]
    server.tricks += ["fine", "fine", *[(503, {}, {})] * 6]
    with pytest.raises(XlError, match="failed 6 times, last with: status 503") as caught:
        load_model("OpenAI-3-small").encode(texts)
    assert KEY not in str(caught.value)
    server.requests.clear()
    assert np.allclose(load_model("OpenAI-3-small").encode(texts), expected(texts, 1536), atol=1e-6)
    assert [len(body["input"]) for _, _, body in server.requests] == [50]  # only what was missing


@pytest.mark.parametrize(
    ("trick", "message"),
    [
        ((401, {}, {"error": {"message": f"bad key {KEY}"}}), "refused the API key"),
        ((400, {}, {"error": {"message": f"no such\nmodel for {KEY}"}}), r"status 400\): no such model for \*\*\*"),
        ((404, {}, ["no dictionary"]), "status 404"),
        ("short", "not its documented format"),
        ("another format", "not its documented format"),
    ],
    ids=str,
)
def test_what_cannot_pass_is_one_clear_line_without_the_key(server, trick, message, caplog):
    server.tricks.append(trick)
    with pytest.raises(XlError, match=message) as caught:
        load_model("OpenAI-3-small").encode(["a", "b"])
    assert len(server.requests) == 1
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value) + caplog.text


def test_another_dimension_is_noticed(server):
    server.reply = lambda body, trick: {"data": [{"index": 0, "embedding": [0.5, 0.5]}]}
    with pytest.raises(XlError, match=r"expected \(1, 1536\)"):
        load_model("OpenAI-3-small").encode(["a"])


@pytest.mark.parametrize(("name", "variable"), [("OpenAI-3-large", "OPENAI_API_KEY"), ("Gemini-001", "GEMINI_API_KEY")])
def test_a_missing_key_is_one_clear_line(name, variable, monkeypatch):
    monkeypatch.setenv(variable, " ")
    with pytest.raises(XlError, match=f"set the environment variable {variable}"):
        load_model(name)


def test_nobody_listens(server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(XlError, match="ConnectError"):
        load_model("OpenAI-3-small").encode(["a"])


def test_the_key_is_nowhere_in_the_encoder_or_the_store(server, tmp_path):
    model = load_model("OpenAI-3-small")
    model.encode(["a"])
    assert KEY not in repr(model)
    assert all(KEY.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
