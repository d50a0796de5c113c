#!/bin/sh
# A user's own data: a folder of images and tables, from training to predictions.
#   data.sh PROGRAM
. "$(dirname "$0")/common.sh"

python3 - <<'PYTHON'
import os, random
random.seed(5)
for c, colour in {"red": (200, 40, 40), "green": (40, 200, 40)}.items():
    os.makedirs(f"photos/{c}")
    for i in range(40):
        pixels = bytes(min(255, max(0, colour[k % 3] + random.randrange(-40, 40))) for k in range(3 * 20 * 16))
        open(f"photos/{c}/{i}.ppm", "wb").write(b"P6\n20 16\n255\n" + pixels)
open("photos/red/broken.png", "w").write("no picture")
with open("houses.csv", "w") as f:
    f.write('size,town,note,price\n')
    for i in range(800):
        size, town = random.uniform(30, 200), random.choice(["Ulm", "Jena, East"])
        price = size * (3000 if town == "Ulm" else 2000)
        f.write(f'{size:.1f},"{town}",n{i},{price:.0f}\n' if i % 20 else f'NA,"{town}",n{i},{price:.0f}\n')
with open("kinds.csv", "w") as f:
    f.write("a;b;kind\n")
    for i in range(300):
        k = random.choice("xyz")
        f.write(f'{random.gauss("xyz".index(k), .2):.3f};{random.gauss(0, 1):.3f};{k}\n')
open("new.csv", "w").write('town,size\nUlm,100\n"Jena, East",100\nBonn,100\n')
open("kind.csv", "w").write("b,a\n0,0\n0,2\n")
PYTHON

# images
"$program" train --data folder:photos --image-size 12 --epochs 4 --quiet --output i.safetensors >out 2>err
grep -q 'left out: photos/red/broken.png' err || fail "the broken image is not named"
"$program" evaluate i.safetensors --json >out 2>err
python3 -c 'import json; assert json.load(open("out"))["accuracy"] > .9' || fail "folder: $(cat out)"
"$program" predict i.safetensors photos/green/3.ppm >out
grep -q 'class 0 (green)' out || fail "the class has no name: $(cat out)"
"$program" datasets info folder:photos 2>err | grep -q '64 samples' || fail "datasets info"
refused 1 'cannot be read' train --data folder:none
"$program" train --data folder:photos --image-size 12 --epochs 4 --quiet --stream --output j.safetensors >out2 2>err
"$program" evaluate j.safetensors --json >out
python3 -c 'import json; assert json.load(open("out"))["accuracy"] > .9' || fail "streamed: $(cat out)"
cmp -s i.safetensors j.safetensors || fail "images that are streamed train to other weights"

# a model sees a photo as it saw its folder: the loss on a folder of that photo alone is -log of the answer
for rules in "" --crop-to-aspect-ratio "--pad-to-aspect-ratio --interpolation bicubic"; do
    # shellcheck disable=SC2086 # no option, or some
    "$program" train --data folder:photos --image-size 7 --epochs 1 $rules --quiet --output n.safetensors >out 2>err
    mkdir -p "one/train" "one/test/green" "one/test/red"
    cp -r photos/green photos/red one/train
    cp photos/green/3.ppm "one/test/green/a photo.ppm"
    "$program" evaluate n.safetensors --data folder:one --json >loss.json 2>err
    "$program" predict n.safetensors --json "one/test/green/a photo.ppm" one/test >answer.json
    python3 - <<'PYTHON' || { cat loss.json answer.json; fail "a photo is seen otherwise than its folder: $rules"; }
import json, math
loss, (answer, same) = json.load(open("loss.json"))["loss"], json.load(open("answer.json"))
assert answer["outputs"] == same["outputs"] and same["input"] == "one/test/green/a photo.ppm"
assert abs(loss + math.log(answer["outputs"][0])) < 1e-6, (loss, -math.log(answer["outputs"][0]))
PYTHON
    rm -rf one
done
"$program" predict i.safetensors photos/ new.csv photos/red/1.ppm >out 2>err || true
[ "$(wc -l <out)" -eq 81 ] || fail "a folder of photos: $(wc -l <out)"
grep -q '^photos/green/3.ppm: class 0 (green), ' out || fail "a folder of photos: $(head -1 out)"
grep -q 'photos/red/broken.png' err || fail "the broken photo is not named: $(cat err)"
mkdir none_here
refused 1 'none_here: there are no images in it' predict i.safetensors none_here
refused 1 'did you mean "bicubic"' train --data folder:photos --interpolation cubic
refused 1 'only one of crop_to_aspect_ratio' train --data folder:photos --crop-to-aspect-ratio --pad-to-aspect-ratio

# numbers: the texts of "note" are all different and left out; a tenth of the sizes is missing
"$program" train --data csv:houses.csv:price --epochs 60 --quiet --output h.safetensors --report numbers >out 2>err
grep -q 'Loss and mean_absolute_error over 60 epochs' numbers/curve.svg || fail "the curve of a number has no error"
grep -q 'note has 800 different texts and is left out' err || fail "a column of texts: $(cat err)"
"$program" predict h.safetensors new.csv --json >out
python3 - <<'PYTHON' || { cat out; fail "prices"; }
import json
ulm, jena, bonn = (row["outputs"][0] for row in json.load(open("out")))
assert abs(ulm - 300000) < 40000 and abs(jena - 200000) < 40000, (ulm, jena)
PYTHON
"$program" evaluate h.safetensors | grep -q mean_absolute_error || fail "evaluate of a number"

"$program" train --resume h.safetensors --epochs 61 --quiet >out || fail "resume of a table: $(cat out)"
refused 1 'it needs one of each' knn --data csv:houses.csv:price

# packed, and from standard input
gzip -c new.csv >new.csv.gz
"$program" predict h.safetensors new.csv.gz | sed 's/new.csv.gz/-/' >packed
"$program" predict h.safetensors - <new.csv >out || fail "a table from standard input"
cmp packed out || fail "a packed table or standard input gives other prices"

# classes
"$program" train --data csv:kinds.csv:kind --epochs 20 --quiet --report report --output k.safetensors >out
"$program" predict k.safetensors kind.csv >out
grep -q 'kind.csv\[0\]: class . (x)' out || fail "classes: $(cat out)"
grep -q 'kind.csv\[1\]: class . (z)' out || fail "classes: $(cat out)"
refused 1 'the table has no column "a"' predict k.safetensors new.csv
refused 1 'there is no column "kond"' train --data csv:kinds.csv:kond
refused 1 'csv:houses.csv:price' train --data csv:kinds.csv
refused 1 'cannot read' train --data csv:none.csv:kind
printf 'a;b;kind\n1;2\n' >short.csv
refused 1 'line 2: 2 fields' train --data csv:short.csv:kind
echo "the user's own data is read"
