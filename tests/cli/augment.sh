#!/bin/sh
# Training data that is changed by chance, schedules of learning rates and smoothed labels at the shell.
#   augment.sh PROGRAM
. "$(dirname "$0")/common.sh"

python3 - <<'PYTHON'
import os, random
random.seed(3)
for c, colour in {"red": (200, 40, 40), "green": (40, 200, 40)}.items():
    os.makedirs(f"photos/{c}")
    for i in range(40):
        pixels = bytes(min(255, max(0, colour[k % 3] + random.randrange(-40, 40))) for k in range(3 * 12 * 12))
        open(f"photos/{c}/{i}.ppm", "wb").write(b"P6\n12 12\n255\n" + pixels)
PYTHON
layers="zero_padding2d(2), random_flip(horizontal), random_crop(12, 12)"
train() { "$program" train image-cnn --data folder:photos --image-size 12 --batch-size 16 --quiet "$@" >out 2>err || { cat err; fail "train $*"; }; }
# The same results, where the files differ by how settings were written.
same() {
    "$program" evaluate "$1" --json >same1
    "$program" evaluate "$2" --json >same2
    cmp -s same1 same2
}

# The same command gives the same weights, in one list or several, by any number of threads; others without it.
train --epochs 2 --augment "$layers" --output a.safetensors
train --epochs 2 --augment "zero_padding2d(2)" --augment "random_flip(horizontal), random_crop(12, 12)" --threads 1 --output b.safetensors
cmp a.safetensors b.safetensors || fail "the list in two options"
train --epochs 2 --output c.safetensors
same a.safetensors c.safetensors && fail "augmentation changes nothing"
train --epochs 2 --augment "$layers" --stream --output d.safetensors
same a.safetensors d.safetensors || fail "images that are streamed train to other weights"

train --epochs 6 --augment "$layers" --output e.safetensors
"$program" evaluate e.safetensors --json >out
python3 -c 'import json; assert json.load(open("out"))["accuracy"] > .9' || fail "augmented: $(cat out)"

# A resumed run goes on to the same bits, validation from the end of the data included.
for split in 0 0.25; do
    train --epochs 3 --augment "$layers" --seed 5 --validation-split $split --output whole.safetensors
    train --epochs 1 --augment "$layers" --seed 5 --validation-split $split --output part.safetensors
    "$program" train --resume part.safetensors --epochs 3 --quiet --output part.safetensors >out 2>err || { cat err; fail resume; }
    cmp whole.safetensors part.safetensors || fail "a resumed run with --validation-split $split ends elsewhere"
done
refused 1 'the run that goes on was trained with "zero_padding2d(2), random_flip' train --resume part.safetensors --epochs 4 --augment "random_flip(horizontal)"
train --epochs 1 --output plain.safetensors
refused 1 'the run that goes on was trained with none' train --resume plain.safetensors --epochs 2 --augment "random_flip(horizontal)"

# Layers that cannot be.
refused 1 '--augment: unknown layer "random_flop": did you mean "random_flip"?' train --data folder:photos --augment "random_flop(horizontal)"
refused 1 '--augment: ' train --data folder:photos --augment "random_flip(sideways)"
refused 1 'does not begin with the name of a layer' train --data folder:photos --augment "random_flip(horizontal),,random_crop(3,3)"
refused 1 'does not begin with the name of a layer' train --data folder:photos --augment ""
refused 1 'have shape (12, 12, 3), and after "random_crop(8, 8)" (8, 8, 3)' train --data folder:photos --image-size 12 --augment "random_crop(8, 8)"
refused 1 'which is --mix' train --data folder:photos --augment "random_flip(horizontal), cut_mix"
refused 1 'zero_padding2d' train --data folder:photos --augment "zero_padding2d(1,2,3)"
printf 'good\tyes\nbad\tno\n%.0s' 1 2 3 4 5 >lines.tsv
refused 1 '--augment: ' train --data text:lines.tsv --augment "random_flip(horizontal)"

# Schedules: over the whole run, in epochs, and what is none.
train --epochs 3 --optimizer "sgd(momentum=0.9)" --schedule "one_cycle(0.1)" --output one.safetensors
train --epochs 3 --optimizer "sgd(momentum=0.9)" --schedule "one_cycle(0.1, 3 epochs)" --output three.safetensors
same one.safetensors three.safetensors || fail "one_cycle over the run is not one_cycle over its epochs"
train --epochs 3 --optimizer "sgd(momentum=0.9, learning_rate=one_cycle(0.1, 12))" --output steps.safetensors
same one.safetensors steps.safetensors || fail "64 samples in batches of 16 are not 4 steps an epoch"
train --epochs 2 --schedule "piecewise_constant_decay([1 epoch, 1.5 epochs], [0.01, 0.001, 0.0001])" --output p.safetensors
train --epochs 2 --schedule "piecewise_constant_decay([4, 6], [0.01, 0.001, 0.0001])" --output q.safetensors
same p.safetensors q.safetensors || fail "epochs in a list"
train --epochs 2 --schedule "cosine_decay(0.01, warmup_target=0.1, warmup_steps=1 epoch)"
refused 1 '--schedule: ' train --data folder:photos --schedule "two_cycle(0.1)"
refused 1 '--schedule: ' train --data folder:photos --schedule "one_cycle"
refused 1 '--schedule: ' train --data folder:photos --schedule "one_cycle(0.1"
refused 1 '--schedule: ' train --data folder:photos --schedule "one_cycle(0.1, 99999999999999999999 epochs)"
refused 1 '--schedule: ' train --data folder:photos --schedule "one_cycle(0.1, epochs)"
refused 2 'two rates' train --data folder:photos --schedule "one_cycle(0.1)" --learning-rate 1
refused 2 'keeps its own learning rates' train --resume one.safetensors --schedule "one_cycle(0.1)"

# Smoothed labels: class numbers become vectors, when the model is evaluated as well.
train --epochs 6 --loss "categorical_crossentropy(label_smoothing=0.1)" --report report --output s.safetensors
"$program" evaluate s.safetensors --json >out
python3 -c 'import json; assert json.load(open("out"))["accuracy"] > .9' || fail "smoothed labels: $(cat out)"
[ -s report/confusion.csv ] || fail "no report with smoothed labels"

# Channels with mean 0 and variance 1.
train --epochs 2 --normalize --output n.safetensors
"$program" summary n.safetensors | grep -q 'Normalization' || fail "--normalize has no layer"
"$program" predict n.safetensors photos/red/1.ppm >/dev/null
refused 1 'leave out --stream' train --data folder:photos --image-size 12 --normalize --stream
refused 2 'keeps its own model' train --resume n.safetensors --normalize
refused 1 'has no place for it' train text-gru --data text:lines.tsv --normalize
printf 'a,b\n1,2\n%.0s' 1 2 3 4 5 6 7 8 9 | awk 'NR == 1 || NR % 2 == 0' >numbers.csv
refused 1 'the columns of a table' train --data csv:numbers.csv:b --normalize
