"""The worker's protocol for peers in Python: see bench/worker/worker.c. A peer gives make(kind, settings), which returns
step(), or step() and wait() where step() only puts work in a queue: wait() then ends each round inside of its time."""
import json
import resource
import sys
import time


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def age():
    """Seconds since this process began, the interpreter's own start included; to 10 ms. None where /proc does not tell."""
    try:
        with open("/proc/self/stat", encoding="ascii") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / 100
    except (OSError, ValueError, IndexError, AttributeError):
        return None


class Work:
    """What was prepared, warm. The first step is done at once, so that its end can be told from the process's start."""

    def __init__(self, made):
        self.step, self.wait = made if isinstance(made, tuple) else (made, lambda: None)
        self.run(1)
        self.first = age()
        done, begun = 0, time.perf_counter()
        # Some compile more than once, or tune themselves; a step of seconds does not.
        while (done < 3 and time.perf_counter() - begun < 2) or time.perf_counter() - begun < 0.3:
            self.each = self.run(1)
            done += 1

    def run(self, steps):
        begun, step = time.perf_counter(), self.step
        for _ in range(steps):
            step()
        self.wait()
        self.each = (time.perf_counter() - begun) / steps
        return self.each


def serve(name, version, settings, make):
    def say(**what):
        print(json.dumps(what), flush=True)

    say(name=name, version=version, settings=settings)
    work, first = None, {}
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "quit":
                return
            if words[0] == "memory":
                say(peak_kib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, **first)
            elif words[0] == "prepare":
                pairs = dict(w.split("=") for w in words[2:])
                fresh, work = work is None, None
                work = Work(make(words[1], {k: int(v) if v.isdigit() else v for k, v in pairs.items()}))
                if fresh and work.first is not None:
                    first = {"first_ms": work.first * 1e3}
                parameters = getattr(work.step, "parameters", None)
                say(ready=True, **({"parameters": parameters} if parameters else {}))
            else:
                steps = max(1, int(float(words[1]) / work.each))
                was = faults()
                seconds = work.run(steps)
                say(seconds=seconds, steps=steps, faults=(faults() - was) / steps)
        except Exception as problem:  # told, and the next line is served
            say(error=f"{type(problem).__name__}: {problem}"[:300])
