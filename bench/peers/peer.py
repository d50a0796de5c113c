"""The worker's protocol for peers in Python: see bench/worker/worker.c. A peer gives make(kind, settings) -> step()."""
import json
import resource
import sys
import time


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def serve(name, version, settings, make):
    def say(**what):
        print(json.dumps(what), flush=True)

    say(name=name, version=version, settings=settings)
    step, each = None, 1.0
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "quit":
                return
            if words[0] == "memory":
                say(peak_kib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            elif words[0] == "prepare":
                pairs = dict(w.split("=") for w in words[2:])
                step = None
                step = make(words[1], {k: int(v) if v.isdigit() else v for k, v in pairs.items()})
                begun, done = time.perf_counter(), 0
                while done < 3 or time.perf_counter() - begun < 0.1:  # the first ones compile: no measure of a step
                    before = time.perf_counter()
                    step()
                    each = time.perf_counter() - before
                    done += 1
                say(ready=True)
            else:
                steps = max(1, int(float(words[1]) / each))
                was, begun = faults(), time.perf_counter()
                for _ in range(steps):
                    step()
                each = (time.perf_counter() - begun) / steps
                say(seconds=each, steps=steps, faults=(faults() - was) / steps)
        except Exception as problem:  # told, and the next line is served
            say(error=f"{type(problem).__name__}: {problem}"[:300])
