#!/bin/sh
# A user's session from end to end on few of the built-in digits: train, evaluate, predict, explain, resume, damage.
#   session.sh PROGRAM
. "$(dirname "$0")/common.sh"

"$program" datasets show digits digits.png
"$program" train mnist-mlp --data digits --limit 2000 --epochs 2 --seed 3 --output a.safetensors --report report --json >a.json
python3 -c 'import json; r = json.load(open("a.json")); assert len(r["epochs"]) == 2 and r["test"]["accuracy"] > 0.5, r'
for file in a.safetensors report/curve.svg report/confusion.csv report/mistakes.png; do
    [ -s "$file" ] || fail "$file is missing"
done

# The curve of a log, as cj_csv_logger() writes it, from its third epoch on; a value is missing.
printf 'epoch,accuracy,loss,val_accuracy,val_loss\n2,0.5,1.5,0.4,\n3,0.6,1.25,0.5,1.5\n' >log.csv
"$program" plot log.csv log.svg
grep -q 'Loss and accuracy over 2 epochs' log.svg && grep -q '>3</text>' log.svg || fail "the curve of a log"
printf 'epoch,<b>&"x,loss\n0,1,2\n' >tags.csv
"$program" plot tags.csv tags.svg
python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("tags.svg")' || fail "words of a log break its picture"
printf 'epoch,loss\n' >empty.csv
refused 1 'is not the log of a run' plot empty.csv x.svg
refused 1 'No such file' plot nothing.csv x.svg
refused 2 'its picture has no options' plot log.csv x.svg --no-shapes
[ ! -e x.svg ] && [ ! -e x.svg.part ] || fail "a picture was left"

# The same seed gives the same bits with another number of threads; a resumed run those of one that never stopped.
"$program" train mnist-mlp --data digits --limit 2000 --epochs 2 --seed 3 --threads 1 --output b.safetensors --quiet
cmp a.safetensors b.safetensors || fail "one thread gives other bits"
"$program" train mnist-mlp --data digits --limit 2000 --epochs 1 --seed 3 --output c.safetensors --quiet
"$program" train --data digits --limit 2000 --epochs 2 --resume c.safetensors --output d.safetensors --quiet
cmp a.safetensors d.safetensors || fail "resuming gives other bits"

"$program" evaluate a.safetensors --data digits | grep -q 'confusion matrix' || fail "evaluate"
"$program" evaluate a.safetensors --data digits --json | python3 -c 'import json, sys; json.load(sys.stdin)'
"$program" predict a.safetensors report/mistakes.png | grep -Eq 'class [0-9], probability [01]\.[0-9]{4}' || fail "predict"
"$program" predict a.safetensors report/mistakes.png --json | python3 -c 'import json, sys; assert len(json.load(sys.stdin)[0]["outputs"]) == 10'
"$program" explain a.safetensors report/mistakes.png --layer dense >explained || fail "explain"
grep -q 'dense' explained || fail "explain names no layer"
"$program" summary a.safetensors --json >model.json

# A file remembers its data set, and the names of its classes; a name that is no data set counts for nothing.
"$program" evaluate a.safetensors --limit 10 | grep -q '^on 10 test samples of digits' || fail "evaluate forgets the data set"
python3 - <<'END'
import json
data = open("a.safetensors", "rb").read()
n = int.from_bytes(data[:8], "little")
header = json.loads(data[8:8 + n])
assert json.loads(header["__metadata__"]["notes"])["data"] == "digits"
for name, notes in (("named", {"data": "../x", "classes": "\n".join("zero one two three four five six seven eight \x1b[1m".split())}),
                    ("few", {"classes": "zero\none"})):
    header["__metadata__"]["notes"] = json.dumps(notes)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    open(f"{name}.safetensors", "wb").write(len(text).to_bytes(8, "little") + text + data[8 + n:])
END
"$program" predict named.safetensors report/mistakes.png | grep -Eq 'class [0-9] \(([a-z]+|\\x1b\[1m)\), probability' || fail "predict names no class"
"$program" predict named.safetensors report/mistakes.png --json | grep -q '"name": ' || fail "predict --json names no class"
"$program" predict few.safetensors report/mistakes.png | grep -Eq 'class [0-9], probability' || fail "two names for ten classes"
"$program" evaluate named.safetensors --limit 10 >/dev/null || fail "a data set that is none"
for how in "" "--training"; do
    # shellcheck disable=SC2086 # no option, or one
    "$program" bench a.safetensors --batch-size 8 --threads 1 --rounds 1 --seconds 0 $how >benched || fail "bench $how"
    grep -Eq '^  a step +[0-9.]+ ms .* 1 rounds' benched || fail "bench prints no time"
done
"$program" train ./model.json --data digits --limit 200 --epochs 1 --quiet | grep -q 'test accuracy' || fail "train from JSON"

# Few samples have classes all the same.
"$program" cross-validate mnist-mlp --data digits --limit 4 --folds 2 --epochs 1 --quiet | grep -q 'accuracy$' || fail "four digits are no classes"

if CAJAL_PLAN=-fuse_pol "$program" evaluate a.safetensors --data digits 2>error; then fail "CAJAL_PLAN took what is no rewrite"; fi
grep -q 'CAJAL_PLAN "fuse_pol": did you mean "fuse_pool"' error || fail "the sentence does not name the rewrite"

"$program" train mnist-mlp --data digits --limit 200 --epochs 1 --seed 3 --dtype mixed_bfloat16 --output e.safetensors --quiet
"$program" explain e.safetensors report/mistakes.png >explained || fail "explain under mixed_bfloat16"
grep -q 'in bfloat16' explained || fail "explain does not say what it rounds"

# Texts: trained on labelled lines, answered line by line, from a file and from standard input.
i=0
while [ $i -lt 200 ]; do
    printf 'good\ta fine film, number %d\nbad\ta dull film, number %d\n' $((i % 7)) $((i % 5))
    i=$((i + 1))
done >films.tsv
printf 'fine\n\ndull and dull\n' >lines.txt
for model in text-gru text-words; do
    "$program" train $model --data text:films.tsv --epochs 4 --seed 1 --quiet --output t.safetensors --report texts >/dev/null
    "$program" evaluate t.safetensors | grep -q '^on 80 test samples of text:films.tsv' || fail "evaluate a model of texts"
    "$program" predict t.safetensors lines.txt >answers || fail "predict from lines"
    grep -q '^lines.txt\[0\]: class 1 (good), probability' answers || fail "the first line is not good"
    grep -q '^lines.txt\[2\]: class 0 (bad), probability' answers || fail "the third line is not bad"
    "$program" predict t.safetensors - <lines.txt | sed 's/^-/lines.txt/' | cmp - answers || fail "standard input gives other answers"
    "$program" explain t.safetensors lines.txt --layer text_vectorization | grep -q 'so output' || fail "explain a text"
done
if "$program" train text-gru --data text:lines.txt 2>error; then fail "lines without labels were accepted"; fi
grep -q 'line 1 has no label' error || fail "the sentence does not name the line"
if "$program" train mnist-mlp --data text:films.tsv --quiet 2>error; then fail "texts were taken for images"; fi
grep -q 'TextVectorization' error || fail "the sentence does not say what reads texts"

head -c 1000 a.safetensors >cut.safetensors
if "$program" evaluate cut.safetensors 2>error; then fail "a cut file was accepted"; fi
grep -q 'cut.safetensors' error || fail "the sentence does not name the file"
echo "the session went as it should"
