"""Records to make boards of."""

from xlutils.results.record import Record

HOSTILE = '<script>document.title="broken"</script><img src=x onerror="document.title=\'broken\'">'


def sa_record(name, value, half=0.01, lexicon="everyday", fingerprint="0123456789abcdef", sha="a" * 64, **dataset):
    model = {"name": name, "revision": "1", "source": name, "fingerprint": fingerprint}
    about = {"name": lexicon, "sha256": sha, "languages": ["en", "zh"], "size": 10} | dataset
    interval = {"sa": (value - half, value + half)}
    return Record("semantic-affinity", model, about, {"distance": "cosine"}, {"sa": value}, interval)


def retrieval_record(name, values, protocol="unique", **timing):
    """Complete@10 by language, each with an interval of one point on either side."""
    model = {"name": name, "revision": "1", "source": name, "fingerprint": "0123456789abcdef"}
    dataset = {"name": "xquad", "sha256": "b" * 64, "languages": ["en", *values], "size": 1190}
    metrics = {f"multi/en+{code}/{code}/complete@10": value for code, value in values.items()}
    metrics |= {"mean/multi/complete@10": sum(values.values()) / len(values), "mean/multi/own-first": 0.7}
    intervals = {metric: (value - 1, value + 1) for metric, value in metrics.items() if value > 1}
    params = {"protocol": protocol, "k": 10}
    return Record("mixed-retrieval", model, dataset, params, metrics, intervals, timing, variant=protocol)
