"""Records to make boards of."""

import pandas as pd

from xlutils.results.record import Record

HOSTILE = '<script>document.title="broken"</script><img src=x onerror="document.title=\'broken\'">'


def sa_record(name, value, half=0.01, lexicon="everyday", fingerprint="0123456789abcdef", sha="a" * 64, **dataset):
    model = {"name": name, "revision": "1", "source": name, "fingerprint": fingerprint}
    about = {"name": lexicon, "sha256": sha, "languages": ["en", "zh"], "size": 10} | dataset
    row = {"kind": "all", "metric": "sa_pairs", "value": value, "low": value - half, "high": value + half}
    return Record("semantic-affinity", model, about, {"distance": "cosine"}, pd.DataFrame([row]))


def retrieval_record(name, values, protocol="unique", **timing):
    """Complete@10, and mining as good, by language, each with an interval of one point on either side."""
    model = {"name": name, "revision": "1", "source": name, "fingerprint": "0123456789abcdef"}
    dataset = {"name": "xquad", "sha256": "b" * 64, "languages": ["en", *values], "size": 1190}
    rows = [{"pool": f"en+{code}", "query": code, "value": value} for code, value in values.items()]
    rows.append({"value": sum(values.values()) / len(values)})
    table = pd.DataFrame(rows).assign(kind="multi", metric="complete@10")
    table = table.assign(low=table["value"] - 1, high=table["value"] + 1)
    table.loc[len(table)] = {"kind": "multi", "metric": "own-first", "value": 0.7}
    mined = [{"pool": f"en+{code}", "value": value / 100} for code, value in values.items()]
    mined = pd.DataFrame([*mined, {"value": sum(values.values()) / len(values) / 100}])
    mined = mined.assign(kind="mining", metric="margin-accuracy", low=mined["value"] - 0.01, high=mined["value"] + 0.01)
    table = pd.concat([table, mined])
    params = {"protocol": protocol, "k": 10}
    return Record("mixed-retrieval", model, dataset, params, table, timing, variant=protocol)
