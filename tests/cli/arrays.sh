#!/bin/sh
# Arrays, recordings, series and folders of texts, from training to predictions.
#   arrays.sh PROGRAM
. "$(dirname "$0")/common.sh"

python3 - <<'PYTHON'
import math, os, random, struct, zipfile
random.seed(5)

def npy(descr, shape, data):
    head = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, shape)).encode()
    head += b" " * ((-len(head) - 11) % 64) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data

def rows(count):
    x, y = [], []
    for _ in range(count):
        k = random.randrange(3)
        x += [random.gauss(3 * k, .5), random.gauss(0, 1)]
        y.append(k)
    return struct.pack("<%dd" % len(x), *x), y

data, labels = rows(300)
open("x.npy", "wb").write(npy("<f8", (300, 2), data))
open("y.npy", "wb").write(npy("<i8", (300,), struct.pack("<300q", *labels)))
open("z.npy", "wb").write(npy("<f4", (300, 1), struct.pack("<300f", *(2.5 * k + 1 for k in labels))))
open("new.npy", "wb").write(npy("<f4", (2, 2), struct.pack("<4f", 0, 0, 6, 0)))
with zipfile.ZipFile("all.npz", "w", zipfile.ZIP_DEFLATED) as archive:
    for part in ("train", "test"):
        data, labels = rows(200)
        archive.writestr(f"x_{part}.npy", npy("<f8", (200, 2), data))
        archive.writestr(f"y_{part}.npy", npy("|u1", (200,), bytes(labels)))
for name, pitch in (("low", 300), ("high", 2000)):
    os.makedirs(f"tones/{name}")
    for i in range(20):
        own = pitch * random.uniform(.9, 1.1)
        tone = [int(9000 * math.sin(2 * math.pi * own * t / 8000)) for t in range(4000)]
        body = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16) + b"data" + struct.pack("<I", 8000)
        body += struct.pack("<4000h", *tone)
        open(f"tones/{name}/{i}.wav", "wb").write(b"RIFF" + struct.pack("<I", len(body)) + body)
with open("waves.csv", "w") as f:
    f.write("time,height\n")
    for i in range(500):
        f.write(f"{i % 7},{math.sin(i / 3):.4f}\n" if i % 50 else f"{i % 7},\n")
for kind, words in (("good", "fine great lovely"), ("bad", "dull poor awful")):
    os.makedirs(f"reviews/{kind}")
    for i in range(30):
        open(f"reviews/{kind}/{i}.txt", "w").write(" ".join(random.choices(words.split(), k=6)))
open("lines.txt", "w").write("great lovely film\nawful dull film\n")
PYTHON
accuracy() { python3 -c 'import json, sys; sys.exit(json.load(open("out"))["accuracy"] < .9)' || fail "$1: $(cat out)"; }

# arrays: classes, an archive, numbers
"$program" train --data npy:x.npy,y.npy --epochs 20 --quiet --output a.safetensors >out 2>err
"$program" evaluate a.safetensors --json >out
accuracy arrays
"$program" predict a.safetensors new.npy >out
[ "$(grep -c 'class [02],' out)" = 2 ] || fail "arrays: $(cat out)"
"$program" train --data npy:all.npz --epochs 20 --quiet --output b.safetensors >out 2>err
"$program" evaluate b.safetensors --json >out
accuracy "an archive"
"$program" train --data npy:x.npy,z.npy --epochs 60 --quiet --output c.safetensors >out 2>err
"$program" predict c.safetensors new.npy --json >out
python3 -c 'import json; a, b = [r["outputs"][0] for r in json.load(open("out"))]; assert abs(a - 1) < 1 and abs(b - 6) < 1' ||
    fail "numbers: $(cat out)"
refused 1 'x_test' train --data npy:x.npy
refused 1 'none.npy' train --data npy:x.npy,none.npy
refused 1 'not an array' train --data npy:x.npy,waves.csv

# recordings
"$program" train --data wav:tones --epochs 25 --batch-size 8 --quiet --output d.safetensors >out 2>err
"$program" evaluate d.safetensors --json >out
accuracy recordings
"$program" predict d.safetensors tones/high/3.wav >out
grep -q '(high)' out || fail "recordings: $(cat out)"

# series
"$program" train --data series:waves.csv:height --window 12 --epochs 20 --quiet --output e.safetensors >out 2>err
"$program" evaluate e.safetensors --json >out
python3 -c 'import json; assert json.load(open("out"))["loss"] < .1' || fail "series: $(cat out)"
refused 1 'no column of numbers "depth"' train --data series:waves.csv:depth
refused 1 'too few' train --data series:waves.csv:height --window 1000

# a folder of texts
"$program" train text-words --data text:reviews --epochs 15 --quiet --output f.safetensors >out 2>err
"$program" evaluate f.safetensors --json >out
accuracy texts
"$program" predict f.safetensors lines.txt >out
grep -q '(good)' out && grep -q '(bad)' out || fail "texts: $(cat out)"
echo "arrays, recordings, series and texts are taken"
