"""Models behind an API, against a real HTTP server on this machine that misbehaves on demand."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from xlutils.errors import XlError
from xlutils.models import api, load_model

pytest.importorskip("openai")

KEY = "sk-a-very-secret-key"
AT_ONCE = {"retry-after-ms": "1"}


def vector_of(text, dim):
    return np.random.default_rng(sum(text.encode())).standard_normal(dim).tolist()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, self.headers, body))
        trick = self.server.tricks.pop(0) if self.server.tricks else None
        if trick in ("hang up", "sleep"):
            time.sleep(0.6 if trick == "sleep" else 0)
            self.close_connection = True
        elif trick == "trickle":
            self.send_response(200)
            self.end_headers()
            for _ in range(40):
                self.wfile.write(b" ")
                time.sleep(0.05)
        elif trick == "garbage":
            self.answer(200, b"<html>a proxy's greeting</html>")
        elif isinstance(trick, tuple):
            status, headers, content = trick
            self.answer(status, json.dumps(content).encode(), headers)
        else:
            self.answer(200, json.dumps(self.server.reply(body, trick)).encode())

    def answer(self, status, content, headers=()):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **dict(headers)}.items():
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
    if trick == "surplus":
        data.append({"index": len(data), "embedding": vector_of("more", 1536)})
    if trick in ("null", "text"):
        data[0]["embedding"][3] = None if trick == "null" else "0.5"
    if trick == "same index":
        data[1]["index"] = 0
    if trick == "another format":
        return {"result": data}
    return {"data": data[::-1]}  # the protocol does not promise an order


def gemini_reply(body, trick):
    texts = [request["content"]["parts"][0]["text"] for request in body["requests"]]
    return {"embeddings": [{"values": vector_of(text, 3072)} for text in texts]}


@pytest.fixture
def server(monkeypatch, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.tricks, server.reply = [], [], openai_reply
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("XL_CACHE", str(tmp_path))
    monkeypatch.setenv("OPENAI_BASE_URL", f"{base}/v1/")
    monkeypatch.setenv("GEMINI_BASE_URL", f"{base}/v1beta")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    yield server
    server.shutdown()
    server.server_close()


def expected(texts, dim=1536):
    vectors = np.array([vector_of(text, dim) for text in texts])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_openai_gets_batches_and_returns_vectors_in_order(server, tmp_path):
    texts = [f"text {number}" for number in range(250)]
    model = load_model("OpenAI-3-small")
    assert np.allclose(model.encode(texts, "word"), expected(texts), atol=1e-6)
    path, headers, body = server.requests[0]
    assert path == "/v1/embeddings"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert body["model"] == "text-embedding-3-small"
    assert [len(body["input"]) for _, _, body in server.requests] == [100, 100, 50]
    model.encode(texts, "word")
    assert len(server.requests) == 3  # the second time they come from the store
    assert KEY not in repr(model)
    assert all(KEY.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_gemini_is_told_the_task(server):
    server.reply = gemini_reply
    texts = ["one", "two"]
    vectors = load_model("Gemini-001").encode(texts, "query")
    assert np.allclose(vectors, expected(texts, 3072), atol=1e-6)
    ((path, headers, body),) = server.requests
    assert path == "/v1beta/models/gemini-embedding-001:batchEmbedContents"
    assert headers["x-goog-api-key"] == KEY
    assert "Authorization" not in headers
    assert {request["taskType"] for request in body["requests"]} == {"RETRIEVAL_QUERY"}


def test_long_texts_make_small_requests(server):
    load_model("OpenAI-3-small").encode([f"{number} " + "x" * 25_000 for number in range(5)])
    assert [len(body["input"]) for _, _, body in server.requests] == [2, 2, 1]


@pytest.mark.parametrize(
    "tricks",
    [[(status, AT_ONCE, {}) for status in (429, 500, 502, 503, 504, 408)], ["hang up"], ["sleep"]],
    ids=["statuses", "hang up", "sleep"],
)
def test_what_may_pass_is_tried_again(server, tricks, monkeypatch):
    monkeypatch.setattr(api, "_TIMEOUT_SECONDS", 0.3)
    server.tricks += tricks
    assert np.allclose(load_model("OpenAI-3-small").encode(["a", "b"]), expected(["a", "b"]), atol=1e-6)
    assert len(server.requests) == len(tricks) + 1


def test_the_server_says_how_long_to_wait(server):
    server.tricks.append((429, {"Retry-After": "0.3"}, {}))
    started = time.monotonic()
    load_model("OpenAI-3-small").encode(["a"])
    assert time.monotonic() - started >= 0.3


def test_a_pause_that_is_no_number_is_not_waited_for(server):
    server.tricks += [(429, {"Retry-After": "nan"}, {}), (429, {"Retry-After": "a while"}, {})]
    assert np.allclose(load_model("OpenAI-3-small").encode(["a"]), expected(["a"]), atol=1e-6)


def test_a_server_that_never_ends_its_answer_is_left(server, monkeypatch):
    monkeypatch.setenv("XL_API_SECONDS", "0.4")
    server.tricks.append("trickle")
    with pytest.raises(XlError, match=r"did not finish its answer; XL_API_SECONDS allows more than 0\.4 seconds"):
        load_model("OpenAI-3-small").encode(["a"])
    for wrong in ("long", "nan", "inf", "-1"):
        monkeypatch.setenv("XL_API_SECONDS", wrong)
        with pytest.raises(XlError, match=f"XL_API_SECONDS is '{wrong}'; give a number"):
            load_model("OpenAI-3-small").encode(["a"])


def test_another_server_is_another_model(server, monkeypatch):
    one = load_model("OpenAI-3-small")
    one.encode(["a"])
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://user:{KEY}@localhost:{server.server_port}/v1?key={KEY}")
    other = load_model("OpenAI-3-small")
    assert other.revision == f"http://localhost:{server.server_port}/v1"
    assert one.fingerprint != other.fingerprint
    other.encode(["a"])
    assert len(server.requests) == 2  # nothing came from the store


@pytest.mark.parametrize("name", ["OpenAI-3-small", "Gemini-001"])
def test_a_base_url_without_a_scheme_is_one_clear_line(server, name, monkeypatch):
    variable = f"{name.split('-')[0].upper()}_BASE_URL"
    monkeypatch.setenv(variable, "localhost:8000/v1")
    with pytest.raises(XlError, match=f"{variable} must begin with http:// or https://"):
        load_model(name)


def test_a_run_that_gives_up_goes_on_where_it_stopped(server):
    texts = [f"text {number}" for number in range(250)]
    server.tricks += ["fine", "fine", *[(503, AT_ONCE, {})] * 7]
    with pytest.raises(XlError, match=r"failed \(status 503\); .*run the same command again") as caught:
        load_model("OpenAI-3-small").encode(texts)
    assert KEY not in str(caught.value)
    server.requests.clear()
    assert np.allclose(load_model("OpenAI-3-small").encode(texts), expected(texts), atol=1e-6)
    assert [len(body["input"]) for _, _, body in server.requests] == [50]  # only what was missing


@pytest.mark.parametrize(
    ("trick", "message"),
    [
        ((401, {}, {"error": {"message": f"bad key {KEY}"}}), "refused the API key"),
        (
            (400, {}, {"error": {"message": f"no such\nmodel for {KEY}"}}),
            r"400\): no such model for \*\*\*-key$",
        ),
        ((404, {}, ["not a dictionary"]), "status 404"),
        ("garbage", "in a format other than the documented one"),
        ("short", "in a format other than the documented one"),
        ("another format", "in a format other than the documented one"),
        *((trick, "in a format other") for trick in ("surplus", "null", "text", "same index")),
    ],
    ids=str,
)
def test_what_cannot_pass_is_one_clear_line_without_the_key(server, trick, message, caplog):
    caplog.set_level("DEBUG")
    server.tricks.append(trick)
    with pytest.raises(XlError, match=message) as caught:
        load_model("OpenAI-3-small").encode(["a", "b"])
    assert len(server.requests) == 1
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value) + caplog.text


@pytest.mark.parametrize(("name", "variable"), [("OpenAI-3-large", "OPENAI_API_KEY"), ("Gemini-001", "GEMINI_API_KEY")])
def test_a_missing_key_is_one_clear_line(name, variable, monkeypatch):
    monkeypatch.setenv(variable, " ")
    with pytest.raises(XlError, match=f"set the environment variable {variable}"):
        load_model(name)


def test_a_server_that_nobody_runs_is_one_clear_line(server, monkeypatch):
    monkeypatch.setattr(api, "_RETRIES", 0)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(XlError, match=r"127\.0\.0\.1 did not answer \(ConnectError\)"):
        load_model("OpenAI-3-small").encode(["a"])
