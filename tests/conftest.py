"""Every test runs without a hub and with a cache of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from filelock import FileLock

hypothesis.settings.register_profile("steady", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("steady")

os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"  # nothing listens there
for name in ("XL_DATA", "OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_BASE_URL"):
    os.environ.pop(name, None)

if "PYTEST_XDIST_WORKER_COUNT" in os.environ:  # else the workers' threads fight for the cores
    threads = max((os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"]), 1)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))

ROOT = Path(__file__).resolve().parents[1]


_SLOW_FIXTURES = {"site", "browser", "executed", "outcome"}  # the last one is a whole benchmark


def pytest_collection_modifyitems(items):
    """Mark what runs notebooks, a browser or a whole benchmark as slow."""
    for item in items:
        if _SLOW_FIXTURES & set(item.fixturenames) or item.path.is_relative_to(ROOT / "tests/notebooks"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder that all workers have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def _cache(shared):
    """One cache for all workers: the bundled model is converted once a run."""
    os.environ["XL_CACHE"] = str(shared / "cache")


@pytest.fixture(scope="session")
def site(shared):
    """The HTML, built once the way `make book` does, warnings as errors."""
    pages = shared / "site/_build/html"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    del environment["HF_ENDPOINT"]  # with it, the notebooks that `make book` has run would be run again
    with FileLock(shared / "site.lock"):
        if not (pages / "_static/fonts.css").exists():  # the last file that a build writes
            command = [sys.executable, "book/build.py", "--into", str(shared / "site")]
            result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
            assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return pages


@pytest.fixture(scope="session")
def executed(site):
    """The folder of the notebooks that the pages were made of, run with their defaults."""
    return site.parent / "stage/notebooks"


@pytest.fixture(scope="session")
def browser():
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: pages are not looked at in a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def troubles_of():
    """Collect what a browser page complains about, and every request that leaves the disk."""

    def watch(page):
        trouble = []
        page.on("request", lambda request: None if request.url.startswith("file:") else trouble.append(request.url))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
        return trouble

    return watch


@pytest.fixture(scope="session")
def make_trainable(tmp_path_factory):
    """Return a folder with a model of an architecture that trains in seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tests/training")
        from tiny import CHINESE_AND_ARABIC, make_tiny_model

    def make(architecture):
        folder = tmp_path_factory.mktemp("trainable") / "tiny"
        folder.mkdir()
        model = make_tiny_model(folder, CHINESE_AND_ARABIC, architecture)
        model.save_pretrained(str(folder), create_model_card=False)
        return folder

    return make


@pytest.fixture(scope="session")
def trainable(make_trainable):
    """A folder with a model that trains in seconds."""
    return make_trainable("bert")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of half a megabyte, where the system lets us have one."""
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(tmp_path)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)
