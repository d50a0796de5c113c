#!/bin/sh
# The tutorial's chapter 2 at the shell: k-nearest neighbours by turns and as pictures, cross-validation, a look at every
# kind of data, scores and losses by hand.
#   chapter2.sh PROGRAM
. "$(dirname "$0")/common.sh"
says() { grep -qE -- "$1" out || { cat out; fail "no \"$1\""; }; }
png_size() { # FILE WIDTHxHEIGHT
    python3 -c 'import struct, sys; b = open(sys.argv[1], "rb").read(24); print("%dx%d" % struct.unpack(">II", b[16:]))' "$1" | grep -qx "$2" ||
        fail "$1 is not $2"
}

python3 - <<'PYTHON'
import os, random, struct
random.seed(5)
for part, count in ("train", 30), ("test", 9):
    for c, colour in {"blue sky": (40, 40, 200), "green": (40, 200, 40), "red": (200, 40, 40)}.items():
        os.makedirs(f"photos/{part}/{c}")
        for i in range(count):
            pixels = bytes(min(255, max(0, colour[k % 3] + random.randrange(-90, 90))) for k in range(3 * 8 * 8))
            open(f"photos/{part}/{c}/{i}.ppm", "wb").write(b"P6\n8 8\n255\n" + pixels)
with open("houses.csv", "w") as f:
    f.write('size,town,note,price\n')
    for i in range(200):
        town = random.choice(["Ulm", "Jena, East"])
        f.write(f'{"NA" if i % 20 == 0 else i % 7},"{town}",n{i},{1000 * i}\n')
open("digits.idx", "wb").write(bytes([0, 0, 8, 3]) + struct.pack(">III", 7, 4, 5) + bytes(range(140)))
with open("films.tsv", "w") as f:
    for i in range(50):
        f.write(f"good\ta fine film, number {i}\nbad\tdull\n")
PYTHON

# a look at data
"$program" datasets show folder:photos --sheet sheet.png >out
says '^train: 90 samples$'
says '  input \(64, 64, 3\) uint8: 0 to 2[0-9]+, mean [0-9.]+, deviation [0-9.]+$'
says '3 classes$'
says ' 0 blue sky +30 +33\.3 %$'
says '^test: 27 samples$'
png_size sheet.png 784x208
"$program" datasets show folder:photos one.png --index 2 >out
png_size one.png 64x64
"$program" datasets show csv:houses.csv:price >out
says '^houses.csv: 200 rows, 4 columns$'
says '^  size +number +10  0 to 6, mean [0-9.]+, deviation [0-9.]+$'
says '^  town +category +0  2 different: (Ulm|Jena, East) [0-9]+, (Ulm|Jena, East) [0-9]+$'
says '^  note +text +0  200 different$'
says 'the target$'
"$program" datasets info csv:houses.csv >out
says '^houses.csv: 200 rows, 4 columns$'
"$program" datasets show text:films.tsv >out
says '  input \(1,\) string: 4 to [0-9]+ bytes, mean [0-9.]+; 1 to 5 words, mean [0-9.]+$'
says '2 classes$'
"$program" datasets show houses.csv >out
says '^houses.csv: 200 rows, 4 columns$'
"$program" datasets show photos/test/red/0.ppm >out
says '  pixels \(8, 8, 3\) uint8: [0-9]+ to [0-9]+, mean'
"$program" datasets show ./digits.idx --sheet sheet.png >out
says '^./digits.idx: IDX, 7 samples$'
says '  each \(4, 5\) uint8: 0 to 139, mean 69.5, deviation 40.4'
png_size sheet.png 244x204
refused 1 'films.tsv' datasets show films.tsv sheet.png
refused 1 'none.idx' datasets show none.idx
printf '\211PNG\r\n\032\n\0\0' >cut.png
refused 1 'cut.png' datasets show cut.png
refused 2 '--index is for data sets' datasets show ./digits.idx sheet.png --index 0
refused 1 'there is no column "cost"' datasets show csv:houses.csv:cost
refused 1 'is a table, of which there is no sheet' datasets show csv:houses.csv sheet.png
refused 1 'its samples are no images' datasets show text:films.tsv sheet.png

# k-nearest neighbours
"$program" knn --data folder:photos --k 1,3 --rotate --picture near.png --queries 4 --chart k.svg --quiet >out
says '^1,2,3,4,5 +test +[01]\.[0-9]{4} +[01]\.[0-9]{4}$'
says '^1,2,4,5,test +3 +[01]\.[0-9]{4} +[01]\.[0-9]{4}$'
[ "$(grep -cE '^[1-5],.*[01]\.[0-9]{4}$' out)" -eq 6 ] || fail "not six turns"
says '^mean +[01]\.'
says '^deviation +[01]\.'
png_size near.png 304x342
python3 -c 'import xml.dom.minidom as m; d = m.parse("k.svg"); assert len(d.getElementsByTagName("circle")) == 12' || fail "k.svg"
"$program" knn --data folder:photos --k 1,3 --folds 3 --stratified --json >out
python3 -c 'import json; r = json.load(open("out")); assert all(f > .9 for k in r["cross_validation"] for f in k["folds"]), r' || fail "stratified: $(cat out)"
"$program" knn --data folder:photos --rotate --json --threads 1 >out
"$program" knn --data folder:photos --rotate --json --threads 2 | cmp - out || fail "two threads give another table"
python3 -c 'import json; r = json.load(open("out")); assert len(r["cross_validation"][0]["folds"]) == 6 and "test" not in r' || fail "rotate --json"
python3 -c 'import sys; sys.stdout.buffer.write(bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 78, 32, 0, 0, 3, 232]) + bytes(20000 * 1000))' >tall.idx
refused 1 'a picture of 10044 x 200044 pixels would be too large' datasets show tall.idx --sheet sheet.png
refused 2 'two ways to cut' knn --data folder:photos --rotate --folds 3
refused 2 '--stratified needs --folds' knn --data folder:photos --stratified

# cross-validation of models, each a sensible one for its data
"$program" cross-validate --data folder:photos --image-size 8 --folds 3 --stratified --epochs 3 --seed 4 --threads 1 --quiet >out
says '^fold +loss +accuracy$'
[ "$(grep -cE '^[123] +[0-9.]+ +[01]\.[0-9]{4}$' out)" -eq 3 ] || fail "not three folds: $(cat out)"
says '^mean +[0-9.]+ +[01]\.'
says '^deviation +[0-9.]+ +0\.'
"$program" cross-validate --data folder:photos --image-size 8 --folds 3 --stratified --epochs 3 --seed 4 --threads 2 --quiet | cmp - out || fail "two threads give other bits"
"$program" cross-validate --data folder:photos --image-size 8 --rotate --epochs 1 --json >out
python3 -c 'import json; r = json.load(open("out")); assert len(r["accuracy"]["folds"]) == 6 and r["loss"]["deviation"] >= 0, r' || fail "rotate: $(cat out)"
"$program" cross-validate --data csv:houses.csv:price --epochs 1 --folds 2 --shuffle 2>/dev/null >out
says 'samples of "csv:houses.csv:price" in 2 folds, 1 epochs each'
says '^fold +loss +mean_absolute_error$'
"$program" cross-validate --data text:films.tsv --epochs 1 --folds 2 --quiet >out
says '^mean +[0-9.]+ +[01]\.'
refused 2 'takes the parts as they are' cross-validate --data folder:photos --rotate --folds 3
refused 1 '1000 folds of 90 samples' cross-validate --data folder:photos --folds 1000
refused 1 'there is no model "frob"' cross-validate frob --data folder:photos
refused 1 'lenet5 tells classes, and the targets are other numbers' cross-validate lenet5 --data csv:houses.csv:price

# auto
"$program" train --data folder:photos --epochs 4 --quiet --output auto.safetensors >/dev/null
"$program" summary auto.safetensors >out
says 'global_average_pooling2d'
"$program" evaluate auto.safetensors --json >out
python3 -c 'import json; assert json.load(open("out"))["accuracy"] > .9' || fail "auto: $(cat out)"
"$program" train auto --data text:films.tsv --epochs 2 --quiet >out
says 'test accuracy'

# scores and losses by hand
"$program" train mnist-mlp --data folder:photos --image-size 8 --epochs 1 --quiet --output m.safetensors >/dev/null
"$program" explain m.safetensors photos/test/red/0.ppm --layer dense_1 --every --label 2 >out
[ "$(grep -c 'so output\[' out)" -eq 3 ] || fail "not every score is derived"
says '^log probabilities, which are scores, of 3 classes; class red is the right one$'
says 'so the loss is -log\([0-9.e-]+\) = [0-9.e-]+$'
refused 1 'label 3 is none of 3 classes' explain m.safetensors photos/test/red/0.ppm --label 3
echo "chapter 2 is as it should be"
