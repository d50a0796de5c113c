#!/bin/sh
# A spiking network at the shell: trained by its counts of spikes, its neurons drawn, counted and explained, and files
# of events.
#   spikes.sh PROGRAM
. "$(dirname "$0")/common.sh"

cat >net.json <<'JSON'
{"class_name": "Sequential", "config": {"name": "spiking", "layers": [
 {"class_name": "InputLayer", "config": {"batch_shape": [null, 28, 28, 1], "dtype": "float32", "name": "input"}},
 {"class_name": "Rescaling", "config": {"name": "rescaling", "scale": 0.004}},
 {"class_name": "Flatten", "config": {"name": "flatten"}},
 {"class_name": "Dense", "config": {"name": "dense", "units": 16}},
 {"class_name": "LIF", "config": {"name": "hidden", "beta": 0.9, "steps": 8}},
 {"class_name": "Dense", "config": {"name": "dense_1", "units": 10}},
 {"class_name": "LIF", "config": {"name": "last", "beta": 0.9}}]}}
JSON
cat >events.json <<'JSON'
{"class_name": "Sequential", "config": {"name": "events", "layers": [
 {"class_name": "InputLayer", "config": {"batch_shape": [null, 4, 3, 5, 2], "dtype": "float32", "name": "input"}},
 {"class_name": "Reshape", "config": {"name": "reshape", "target_shape": [4, 30]}},
 {"class_name": "LIF", "config": {"name": "hidden", "beta": 0.9}}]}}
JSON

"$program" train net.json --data digits --limit 256 --epochs 1 --quiet --output m.safetensors >trained
grep -q "spike_count_accuracy" trained || fail "training does not tell the accuracy by spikes"
"$program" evaluate m.safetensors --data digits --limit 64 --spikes >told
grep -q "^hidden  *16  *8 " told || fail "the neurons are not counted"
grep -q "multiplications with an input that is not 0" told || fail "no total"
[ "$(grep -c '^    [0-9]' told)" -eq 10 ] || fail "no confusion matrix of spikes"

seq -s, 1 784 >row.csv
"$program" plot m.safetensors s.svg --spikes row.csv
grep -q "hidden (LIF): 16 neurons, 8 steps" s.svg || fail "the layer is not drawn"
grep -q "last (LIF): 10 neurons" s.svg || fail "the last layer is not drawn"
"$program" plot m.safetensors one.svg --spikes row.csv --layer last --rows 3
grep -q "hidden" one.svg && fail "another layer is drawn"
"$program" plot net.json rates.svg --rates hidden --to 0.5
grep -q "spikes a unit of time" rates.svg || fail "no curve"
printf '0,1,2,1\n10,4,0,0\n40,0,0,1\n' >events.csv
"$program" plot events.json e.svg --spikes events.csv
grep -q "hidden (LIF): 30 neurons, 4 steps" e.svg || fail "events are not drawn"

refused 1 'no layer of neurons has the name "third"' plot m.safetensors x.svg --spikes row.csv --layer third
refused 1 'no layer of neurons' plot mnist-mlp x.svg --spikes row.csv
refused 1 'is no layer of neurons' plot net.json x.svg --rates dense
refused 1 'the second must be greater' plot net.json x.svg --rates hidden --from 3 --to 1
refused 1 'neuron 99 of hidden, which has 16' plot net.json x.svg --rates hidden --neuron 99
refused 2 'two pictures' plot net.json x.svg --rates hidden --spikes row.csv
printf '0,9,2,1\n' >outside.csv
refused 1 'event 0 is at column 9' plot events.json x.svg --spikes outside.csv
[ ! -e x.svg ] || fail "a picture that failed is there"
echo "spikes at the shell are as they should be"
