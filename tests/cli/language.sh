#!/bin/sh
# A model of language at the shell: it learns a text, is saved, resumed and evaluated, and writes on.
#   language.sh PROGRAM
. "$(dirname "$0")/common.sh"

python3 - <<'PYTHON'
open("song.txt", "w").write("the cat sat on the mat. the dog sat on the log. " * 60)
open("short.txt", "w").write("too short")
open("lines.txt", "w").write("".join(f"{'ab'[i % 2]}\t{'good' if i % 2 else 'bad'} {i}\n" for i in range(40)))
PYTHON

"$program" train gpt --data text:song.txt --window 16 --limit 128 --epochs 3 --batch-size 16 --quiet \
    --timeline line.json --output g.safetensors >out
python3 - <<'PYTHON' || fail "the text is not learned: $(cat out)"
import json, re
assert float(re.search(r"test loss ([\d.]+)", open("out").read())[1]) < 3.2
events = json.load(open("line.json"))["traceEvents"]
assert sum(e["name"] == "step" for e in events) == 24 and all(e.get("dur", 0) >= 0 for e in events)
PYTHON
"$program" evaluate g.safetensors --json >out
python3 -c 'import json; assert json.load(open("out"))["loss"] < 3.2' || fail "evaluate: $(cat out)"

# the same seed and any number of threads write the same text; another seed another one
"$program" predict g.safetensors --generate 40 --prompt "the " --top-k 5 --seed 1 >one
"$program" predict g.safetensors --generate 40 --prompt "the " --top-k 5 --seed 1 >two
"$program" predict g.safetensors --generate 40 --prompt "the " --top-k 5 --seed 2 >three
cmp -s one two || fail "the same seed writes another text"
cmp -s one three && fail "another seed writes the same text"
grep -q '^the ' one || fail "the prompt is not there: $(cat one)"
"$program" predict g.safetensors --generate 30 --temperature 0 --json >out
python3 -c 'import json; assert json.load(open("out"))["prompt"] == ""' || fail "json: $(cat out)"

"$program" train --resume g.safetensors --epochs 4 --quiet --output g.safetensors >out || fail "resume: $(cat out)"

# windows are cut when they are needed: 32 MiB more of text take no more than half as much again; what is wrong
# with the loss is told when the text is there
python3 - "$program" <<'PYTHON' || fail "memory of a long text"
import os, subprocess, sys
def peak(mebibytes):
    with open("long.txt", "w") as file:
        for _ in range(mebibytes): # in pieces: what this process holds counts for those that it starts
            file.write("the cat sat on a mat. A dog too\n" * (1 << 15))
    run = subprocess.Popen([sys.argv[1], "train", "gpt", "--data", "text:long.txt", "--loss", "none"], stderr=subprocess.PIPE)
    assert b'loss "none"' in run.stderr.read()
    return os.wait4(run.pid, 0)[2].ru_maxrss / 1024
few, many = peak(1), peak(33)
assert many - few < 48, (few, many)
PYTHON
rm long.txt

refused 1 'too short for windows of 128' train gpt --data text:short.txt
refused 1 'learns from one text' train gpt --data digits
refused 1 'is for bytes of images' train gpt --data text:song.txt --normalize
refused 1 'cannot be read' train gpt --data text:none.txt
refused 2 'an input is needed, or --generate' predict g.safetensors
refused 2 'are for --generate' predict g.safetensors x.png --prompt a
refused 2 'takes no input' predict g.safetensors x.png --generate 3
"$program" train --data text:lines.txt --epochs 1 --quiet --output t.safetensors >out 2>err || fail "labelled lines"
refused 1 'models of language' predict t.safetensors --generate 3
echo "a model of language learns and writes"
