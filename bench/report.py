"""What bench/run writes of its measurements: a table a workload, and at the end what the goals ask for."""
import math
import statistics

import workloads

HEAD = ["| | threads | ms a step | {unit} | against ours | share of peak | faults | allocations | first step ms | peak MiB |",
        "|---|---|---|---|---|---|---|---|---|---|"]


def spread(values, scale, digits=3):
    return f"{statistics.median(values) * scale:.{digits}f} ({min(values) * scale:.{digits}f}-{max(values) * scale:.{digits}f})"


def median(row):
    """Seconds a step; None where the row could not be measured."""
    return None if "error" in row or not row["rounds"] else statistics.median(r["seconds"] for r in row["rounds"])


def ratios(found):
    """Each peer's time by ours, so that above 1 we are faster."""
    ours = median(found["cajal"])
    return {name: median(row) / ours for name, row in found.items() if ours and name != "cajal" and median(row)}


def share(kind, settings, row, threads, of="peak"):
    """Of the peak of the same moments, or of that of the same threads right `after` the work: the median over rounds."""
    work = workloads.flops(kind, settings)
    parts = [work / r["seconds"] / (r[of] * threads) for r in row["rounds"] if r.get(of)] if work and median(row) else []
    return statistics.median(parts) if parts else None


def peaks(result):
    """What the peak was in the rounds of ours: a line for each number of threads."""
    lines = []
    for threads in result["threads"]:
        each = [r["peak"] * 1e-9 for w in result["workloads"] for r in w["threads"][threads]["cajal"]["rounds"] if r.get("peak")]
        if each:
            lines.append(f"- {threads} thread{'s' if threads > 1 else ''}: the peak was {statistics.median(each):.1f} GFLOP/s a "
                         f"thread ({min(each):.1f} to {max(each):.1f} in {len(each)} rounds of ours)")
    return lines


def line(name, row, kind, settings, found, threads):
    if not median(row):
        return f"| {name} | {threads} | {row.get('error', 'not measured')} |" + " |" * 7
    times, ratio, unit = [r["seconds"] for r in row["rounds"]], ratios(found).get(name), workloads.unit(kind, settings)
    part = share(kind, settings, row, threads)
    count = [f"{statistics.median(r[k] for r in row['rounds']):.3g}" if k in row["rounds"][0] else "-"
             for k in ("faults", "allocations")]
    cells = [name, threads, spread(times, 1e3), f"{statistics.median(times) * unit[1]:.2f}" if unit else "-",
             f"{ratio:.2f}x" if ratio else "", f"{100 * part:.1f} %" if part else "-", *count,
             f"{row['first_ms']:.1f}" if "first_ms" in row else "-",
             f"{row['peak_kib'] / 1024:.0f}" if "peak_kib" in row else "-"]
    return "| " + " | ".join(map(str, cells)) + " |"


def table(title, kind, settings, rows):
    work, bytes_ = workloads.flops(kind, settings), workloads.moved(kind, settings)
    unit = workloads.unit(kind, settings)
    lines = [f"### {title}", "", " ".join(f"{k}={v}" for k, v in settings.items())
             + (f"; {work / 1e6:.2f} MFLOP" if work else "") + (f", {bytes_ / 1e6:.2f} MB of operands" if bytes_ else ""), "",
             HEAD[0].format(unit=unit[0] if unit else "each"), HEAD[1]]
    for threads, found in rows.items():
        lines += [line(name, row, kind, settings, found, threads) for name, row in found.items()]
        against = ratios(found)
        if against:
            best = min(against, key=against.get)
            lines.append(f"| **ours against the best peer, {best}** | {threads} | | | **{against[best]:.2f}x** | | | | | |")
    return lines + [""]


def against(result, peer, kind):
    """Lines on all rows of one kind against one peer: the geometric mean of the ratios, and each below 0.8."""
    lines = []
    for threads in result["threads"]:
        each = {w["name"]: ratios(w["threads"][threads])[peer] for w in result["workloads"]
                if w["kind"] == kind and peer in ratios(w["threads"][threads])}
        if not each:
            continue
        mean = math.exp(statistics.fmean(math.log(r) for r in each.values()))
        below = sorted((r, name) for name, r in each.items() if r < 0.8)
        lines += [f"- {threads} thread{'s' if threads > 1 else ''}: geometric mean of {peer}'s time by ours over "
                  f"{len(each)} rows of {kind}: **{mean:.3f}**; {len(below)} below 0.8"]
        lines += [f"  - {ratio:.2f} {name}" for ratio, name in below]
    return lines


def below_peak(result, title, bound, counts):
    lines = []
    for threads in result["threads"]:
        rows = [(w["kind"], w["settings"], w["threads"][threads]["cajal"], threads) for w in result["workloads"]]
        parts = [(share(*row), share(*row, of="after") or 0, w["name"]) for row, w in zip(rows, result["workloads"])
                 if counts(*row[:2]) and share(*row)]
        below = sorted(p for p in parts if p[0] < bound)
        if parts:
            lines += [f"- {threads} thread{'s' if threads > 1 else ''}: {title}: {len(parts) - len(below)} of {len(parts)} "
                      f"reach {100 * bound:.0f} % of the peak of as many threads, {sum(p[1] >= bound for p in parts)} that of "
                      f"the same threads right after the work (in brackets)"]
            lines += [f"  - {100 * part:.1f} % ({100 * after:.1f} %) {name}" for part, after, name in below]
    return lines


GOAL = 1.3  # of the best peer's time by ours, for each row of the zoo


def best_peer(found):
    """The best peer's time by ours, and who it is; None where none was measured."""
    each = ratios(found)
    return min((ratio, name) for name, ratio in each.items()) if each else None


def zoo(result):
    """A row a network, a column a kind of work and number of threads: the best peer's time by ours; then the geometric mean of
    each column, and each below the goal."""
    nets, columns = {}, {}
    for w in result["workloads"]:
        if w["set"] != "zoo":
            continue
        work = "train" if w["kind"] == "train" else f"predict@{w['settings']['batch']}"
        for threads in result["threads"]:
            found = best_peer(w["threads"][threads])
            if found:
                nets.setdefault(w["settings"]["net"], {})[work, threads] = found
                columns.setdefault((work, threads), []).append(found[0])
    if not nets:
        return []
    names = [f"{work}, {threads} thread{'s' if threads > 1 else ''}" for work, threads in columns]
    means = [f"**{math.exp(statistics.fmean(map(math.log, each))):.2f}**" for each in columns.values()]
    lines = ["| the best peer's time by ours | " + " | ".join(names) + " |", "|" + "---|" * (1 + len(names))]
    lines += [f"| {net} | " + " | ".join(f"{row[c][0]:.2f} ({row[c][1]})" if c in row else "-" for c in columns) + " |"
              for net, row in nets.items()]
    lines += ["| **geometric mean** | " + " | ".join(means) + " |", ""]
    below = sorted((row[c][0], row[c][1], net, name) for net, row in nets.items() for c, name in zip(columns, names)
                   if c in row and row[c][0] < GOAL)
    lines += [f"{len(below)} of {sum(map(len, columns.values()))} are below {GOAL}:", ""] if below else []
    return lines + [f"- {ratio:.2f} {net}, {name}, against {peer}" for ratio, peer, net, name in below]


def by_batch(result, threads):
    """By network: ours, seconds a step of each batch from 32 up, and of the optimizer's update alone (0 if not measured)."""
    steps, update = {}, {}
    for w in result["workloads"]:
        time, net = median(w["threads"][threads]["cajal"]), w["settings"].get("net")
        if w["set"] == "batches" and time and w["kind"] == "adam":
            update[net] = time
        elif w["set"] == "batches" and time and w["settings"]["batch"] >= 32:
            steps.setdefault(net, {})[w["settings"]["batch"]] = time
    return {net: (each, update.get(net, 0)) for net, each in steps.items() if len(each) > 1}


def apart(steps, less):
    """Cells of the table below, after `less` seconds are taken from each step."""
    each = [1e6 * (time - less) / batch for batch, time in steps.items()]
    low, high = min(each), max(each)
    return f"{low:.2f}", f"{high:.2f}", f"{100 * (high / low - 1):.1f} %", f"{100 * (high - low) / (high + low):.1f} %"


def flatness(result):
    """How far apart the time of an image is over batches, as it is and without the update, which a step has once. The middle
    is that of the least and the greatest."""
    lines = ["| us an image | threads | batches | least | greatest | greatest / least - 1 | off the middle | Adam, us a step "
             "| without it: least | greatest | greatest / least - 1 | off the middle |", "|" + "---|" * 12]
    for threads in result["threads"]:
        for net, (steps, update) in by_batch(result, threads).items():
            cells = [net.upper(), str(threads), ", ".join(map(str, steps)), *apart(steps, 0)]
            cells += [f"{1e6 * update:.1f}", *apart(steps, update)] if update else ["-"] * 5
            lines.append("| " + " | ".join(cells) + " |")
    return lines[2:] and lines + [""]


def by_parameter(result):
    """Time of a parameter over the sizes of the set `adam`."""
    lines = []
    for threads in result["threads"]:
        each = [median(w["threads"][threads]["cajal"]) * 1e9 / w["settings"]["params"] for w in result["workloads"]
                if w["set"] == "adam" and median(w["threads"][threads]["cajal"])]
        if len(each) > 1:
            lines.append(f"- Adam, {threads} thread{'s' if threads > 1 else ''}: {min(each):.3f} to {max(each):.3f} ns a "
                         f"parameter, {100 * (max(each) / min(each) - 1):.0f} % apart")
    return lines


def by_length(result):
    """Time of a step of the sequence over the lengths of the set `lengths`."""
    lines = []
    for threads in result["threads"]:
        each = {w["settings"]["steps"]: median(w["threads"][threads]["cajal"]) * 1e6 / w["settings"]["steps"]
                for w in result["workloads"] if w["set"] == "lengths" and median(w["threads"][threads]["cajal"])}
        if len(each) > 1:
            lines.append(f"- LSTM, {threads} thread{'s' if threads > 1 else ''}, us a step of the sequence: "
                         + ", ".join(f"{us:.2f} of {steps:,}" for steps, us in each.items())
                         + f"; {100 * (max(each.values()) / min(each.values()) - 1):.0f} % apart")
    return lines


def summary(result):
    found = []
    for title, lines in (
            ("The zoo", zoo(result)),
            ("Against oneDNN's primitives", against(result, "onednn", "conv") + against(result, "onednn", "gemm")),
            ("Against OpenBLAS", against(result, "openblas", "gemm")),
            ("Share of peak", peaks(result) + below_peak(result, "convolutions of 8 channels and more", 0.75,
                                         lambda kind, s: kind == "conv" and s["c"] >= 8)
             + below_peak(result, "square products from 512 up", 0.9,
                          lambda kind, s: kind == "gemm" and s["m"] == s["k"] == s["n"] >= 512)),
            ("Cost by size", flatness(result) + by_parameter(result) + by_length(result))):
        if lines:
            found += [f"### {title}", "", *lines, ""]
    return found
