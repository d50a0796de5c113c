#!/usr/bin/env python3
"""Random command lines: whatever is asked, the program answers and ends with 0, 1 or 2.

random.py PROGRAM [COUNT] [SEED]
"""
import os
import random
import subprocess
import sys
import tempfile

WORDS = ["train", "evaluate", "predict", "summary", "bench", "explain", "knn", "datasets", "completion", "help",
         "--data", "--epochs", "--batch-size", "--optimizer", "--learning-rate", "--seed", "--threads", "--limit",
         "--output", "--report", "--resume", "--json", "--quiet", "--layer", "--index", "--k", "--folds", "--from",
         "--plan", "--training", "--rounds", "--invert", "--help", "-h", "--", "-", "--=", "--epochs=", "list", "info",
         "show", "fetch", "digits", "mnist-mlp", "adam", "sgd(momentum=)", "0", "-1", "1", "2", "1e999", "nan",
         "99999999999999999999", "1,2", ",", "", " ", "\x1b[2J", "\xff", "a" * 5000, "/", ".", "..", "/dev/null",
         "missing.safetensors",
         "--augment", "--schedule", "--normalize", "random_flip(horizontal),", "one_cycle(0.1, 2 epochs)",
         "x.json", "x.csv", "bash", "no.png", "(((", "%n%s", "mnist", "auto"]
# Command lines that do real work get little of it.
BOUND = ["--limit", "64"]


def main():
    program = os.path.abspath(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    dice = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        environment = {"HOME": folder, "PATH": os.environ["PATH"], "CAJAL_NUM_THREADS": "1"}
        for _ in range(count):
            words = [dice.choice(WORDS) for _ in range(dice.randrange(7))]
            if "train" in words[:1]:
                words += BOUND
            if words[:1] in (["knn"], ["bench"], ["evaluate"]) and "--help" not in words:
                words = words[:1] + ["--help"] + words[1:]
            try:
                run = subprocess.run([program] + [w.encode("latin-1") for w in words], stdin=subprocess.DEVNULL,
                                     capture_output=True, env=environment, timeout=120, check=False)
            except subprocess.TimeoutExpired:
                sys.exit(f"does not end: {words}")
            if run.returncode not in (0, 1, 2):
                sys.exit(f"ended with {run.returncode}: {words}\n{run.stderr[-2000:]!r}")
            if b"\x1b[2J" in run.stderr + run.stdout:
                sys.exit(f"control characters reach the terminal: {words}")
            if run.returncode != 0 and not run.stderr.strip():
                sys.exit(f"ended with {run.returncode} without a word: {words}")
    print(f"{count} command lines were answered")


main()
