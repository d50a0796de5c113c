#!/bin/sh
# report.sh BENCH: the ratios, means and lists of bench/report.py, of times that are known.
set -u
command -v python3 >/dev/null 2>&1 || { echo "skipped: there is no python3"; exit 77; }
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$1 python3 - <<'PYTHON'
import report
import workloads


def row(seconds):
    return dict(rounds=[dict(seconds=s, faults=0, peak=12800 / 1.5, after=12800 / 1.8)
                        for s in (seconds, seconds * 0.9, seconds * 1.1)])


SETTINGS = dict(n=1, h=10, c=8, k=1, f=8, s=1, same=1, what="forward")  # 12,800 operations
assert workloads.flops("conv", SETTINGS) == 12800
slow = dict(cajal=row(2.0), onednn=row(1.0), pytorch=dict(rounds=[], error="has no conv"))
fast = dict(cajal=row(1.0), onednn=row(8.0))
result = dict(threads=[1], workloads=[
    dict(name="slow", set="conv", kind="conv", settings=SETTINGS, threads={1: slow}),
    dict(name="fast", set="conv", kind="conv", settings=SETTINGS, threads={1: fast})])
assert report.ratios(slow) == {"onednn": 0.5}
text = "\n".join(report.summary(result))
assert "over 2 rows of conv: **2.000**; 1 below 0.8" in text, text  # the geometric mean of 0.5 and 8
assert "  - 0.50 slow" in text and "0.50 fast" not in text, text
slow["cajal"] = row(2.1)  # 71 % of the peak; 75 % would be 2 s
text = "\n".join(report.summary(result))
assert "8 channels and more: 1 of 2 reach 75 % of the peak of as many threads, 2 that of the same threads" in text, text
assert "  - 71.4 % (85.7 %) slow" in text, text
lines = "\n".join(report.table("slow", "conv", SETTINGS, {1: slow}))
assert "| pytorch | 1 | has no conv |" in lines and "the best peer, onednn" in lines, lines
batches = [dict(name=f"w1@{n}", set="batches", kind="train", settings=dict(net="w1", batch=n),
                threads={1: dict(cajal=row(1e-6 * (100 + 4 * n)))}) for n in (8, 32, 128)]
batches.append(dict(name="adam", set="batches", kind="adam", settings=dict(net="w1"), threads={1: dict(cajal=row(1e-4))}))
flat = "\n".join(report.flatness(dict(threads=[1], workloads=batches)))
assert "| W1 | 1 | 32, 128 | 4.78 | 7.12 | 49.0 % | 19.7 % | 100.0 | 4.00 | 4.00 | 0.0 % |" in flat, flat
pets = [dict(name=f"{net} train", set="zoo", kind="train", settings=dict(net=net, batch=8), threads={1: found})
        for net, found in (("tame", dict(cajal=row(1.0), pytorch=row(4.0), jax=row(2.0))), ("wild", dict(cajal=row(1.0), pytorch=row(0.5))))]
table = "\n".join(report.zoo(dict(threads=[1], workloads=pets)))
assert "| tame | 2.00 (jax) |" in table and "| **geometric mean** | **1.00** |" in table, table
assert "1 of 2 are below 1.3:" in table and "- 0.50 wild, train, 1 thread, against pytorch" in table, table
names = [w[0] for rows in workloads.SETS.values() for w in rows]
assert len(names) == len(set(names)), "a name is there twice"
print("the report counts as it should")
PYTHON
