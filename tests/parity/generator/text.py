"""Layers of texts and look-ups: vocabularies, indices, counts, bins, by a real Keras with TensorFlow beside it.

Lists of texts stand in the case "lists", by their numbers; others refer to them.

A case has the config of a model of one layer, without an input, as Keras writes it; texts as hexadecimal bytes, or whole
numbers; and what came out. Parts: y0. With "adapt" the layer learns that first, and "vocabulary" is what it learnt.
TensorFlow is needed: pip install tensorflow-cpu. Without it the fixture is left as it is.
"""

import json
import random

import keras
import numpy as np
from keras import layers as L

from .store import Fixture

WORDS = ("the cat sat on The mat, and a dog (named Rex!) barked: \"stop\" it's e-mail café CAFÉ naïve 東京 ÄÖÜ über x1 2nd "
         "a_b c/d 3.14 -- ... ok OK Ok").split(" ")


def lines(seed, count, longest=9):
    rng = random.Random(seed)
    return [" ".join(rng.choice(WORDS) for _ in range(rng.randrange(longest))) for _ in range(count)]


ODD = [b"", b" ", b"\t\n\v\f\r ", b"a\0b c", b"\xff\xfe bad \xc3", b"\xc3\xa9t\xc3\xa9", b"\xed\xa0\x80x", b"\xf0\x9f\x98\x80 smile",
       b"\xe2\x82", b"x" * 300, b"\xc2\xa0nbsp\xc2\xa0", b"\xe3\x80\x80wide", b"a" + b" " * 50 + b"b", b"!!!", b"A.B.C", b"\xf8\x88\x80\x80\x80",
       b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe0\x80\x80", b"tail\xf0\x9f\x98"]


def hexes(texts):
    return [(t if isinstance(t, bytes) else t.encode()).hex() for t in texts]


LISTS = []


def listed(texts):
    """The number of a list."""
    if hexes(texts) not in LISTS:
        LISTS.append(hexes(texts))
    return LISTS.index(hexes(texts))


def record(fixture, name, layer, data, adapt=None):
    """`data`: texts, or an array of whole numbers, or of texts of more axes."""
    config = json.loads(keras.Sequential([layer], name="s").to_json())
    more = {}
    if adapt is not None:
        layer.adapt(np.array([t if isinstance(t, bytes) else t.encode() for t in adapt], dtype=object)
                    if not isinstance(adapt, np.ndarray) else adapt)
        vocabulary = layer.get_vocabulary()
        whole = isinstance(adapt, np.ndarray)
        more["adapt"] = adapt.tolist() if whole else listed(adapt)
        more["vocabulary"] = [int(v) for v in vocabulary] if whole else listed(vocabulary)
    parts = {}
    if isinstance(data, np.ndarray):
        given = data
        if data.dtype == object:
            more["texts"], more["shape"] = listed(data.reshape(-1).tolist()), list(data.shape)
        else:  # too large for a part's int32
            more["numbers"], more["shape"] = data.reshape(-1).tolist(), list(data.shape)
    else:
        given = np.array([t if isinstance(t, bytes) else t.encode() for t in data], dtype=object)
        if getattr(layer, "_split", "") is None:  # else all texts are one sample
            given = given.reshape(-1, 1)
        more["texts"], more["shape"] = listed(data), list(given.shape)
    if getattr(layer, "invert", False):  # JAX has no texts
        given = keras.src.utils.module_utils.tensorflow.constant(given)
    result = np.asarray(layer(given))
    if result.dtype.kind in "OSU":
        more["result"] = listed([r if isinstance(r, bytes) else str(r) for r in result.reshape(-1).tolist()])
    else:
        parts["y0"] = result.astype("float32") if result.dtype.kind == "f" else result.astype("int32")
    fixture.add(name, parts, config=config, **more)


def vectorization(f):
    learn, read = lines(1, 40), lines(2, 12) + ["", "unknown words only", "the the the cat"]
    for standard in ("lower_and_strip_punctuation", "lower", "strip_punctuation", None):
        for split in ("whitespace", "character", None):
            layer = L.TextVectorization(standardize=standard, split=split, output_sequence_length=7)
            record(f, f"vectorize_{standard}_{split}", layer, read, learn)
            # broken UTF-8 cannot be given back by get_vocabulary(): the vocabulary is that of whole texts
            layer = L.TextVectorization(standardize=standard, split=split, output_sequence_length=12)
            record(f, f"vectorize_odd_{standard}_{split}", layer, ODD, learn + ["\ufffd x bad nbsp smile été a b A"] * 3)
    for ngrams in (2, (2,), (1, 3), (3, 1)):
        for mode in ("int", "count"):
            record(f, f"ngrams_{ngrams}_{mode}".replace(" ", ""), L.TextVectorization(ngrams=ngrams, output_mode=mode), read, learn)
    record(f, "ngrams_characters", L.TextVectorization(ngrams=2, split="character", output_sequence_length=9), read, learn)
    for mode in ("multi_hot", "count", "tf_idf"):
        record(f, f"vectorize_{mode}", L.TextVectorization(output_mode=mode), read, learn)
        record(f, f"vectorize_{mode}_few", L.TextVectorization(6, output_mode=mode), read, learn)
        record(f, f"vectorize_{mode}_padded", L.TextVectorization(90, output_mode=mode, pad_to_max_tokens=True), read, learn)
    record(f, "vectorize_few", L.TextVectorization(5, output_sequence_length=4), read, learn)
    record(f, "vectorize_free_length", L.TextVectorization(), read, learn)
    record(f, "vectorize_given", L.TextVectorization(vocabulary=["the", "cat", "東京"], output_sequence_length=3), read)
    record(f, "vectorize_given_special", L.TextVectorization(vocabulary=["", "[UNK]", "the", "cat"], output_sequence_length=3), read)
    record(f, "vectorize_given_idf", L.TextVectorization(vocabulary=["the", "cat", "a"], idf_weights=[0.5, 1.5, 0.25], output_mode="tf_idf"), read)
    record(f, "vectorize_given_idf_padded", L.TextVectorization(7, vocabulary=["the", "cat", "a"], idf_weights=[0.5, 1.5, 0.25],
                                                               output_mode="tf_idf", pad_to_max_tokens=True), read)
    record(f, "vectorize_given_idf_special", L.TextVectorization(vocabulary=["[UNK]", "the", "a"], idf_weights=[0.5, 1.5, 0.25], output_mode="tf_idf"), read)


def lookups(f):
    learn = " ".join(lines(3, 30)).split()
    read = " ".join(lines(4, 8)).split() + ["", "[UNK]", "nowhere", "#"]
    table = np.array((read * 4)[:24], dtype=object).reshape(6, 4)
    for mask in (None, "", "the"):
        for oov in (1, 3):
            record(f, f"strings_mask_{mask}_oov_{oov}", L.StringLookup(mask_token=mask, num_oov_indices=oov), read, learn)
    record(f, "strings_oov_0", L.StringLookup(num_oov_indices=0, vocabulary=sorted(set(read))), read)
    record(f, "strings_salted", L.StringLookup(num_oov_indices=5, vocabulary=["cat"], salt=[133, 137]), read)
    record(f, "strings_salt_one", L.StringLookup(num_oov_indices=4, vocabulary=["cat"], salt=7), read)
    record(f, "strings_odd", L.StringLookup(num_oov_indices=9, vocabulary=["cat", "x" * 300]), ODD)
    for mode in ("one_hot", "multi_hot", "count", "tf_idf"):
        for mask in (None, "the"):
            record(f, f"strings_{mode}_{mask}", L.StringLookup(output_mode=mode, mask_token=mask, num_oov_indices=2, max_tokens=9), table, learn)
        record(f, f"strings_{mode}_padded", L.StringLookup(30, output_mode=mode, pad_to_max_tokens=True), table[:, :1] if mode == "one_hot" else table, learn)
    record(f, "strings_idf", L.StringLookup(vocabulary=["cat", "dog"], idf_weights=[0.25, 2.0], output_mode="tf_idf"), table)
    numbers = np.array([0, 1, 2, 3, 4, 7, -1, 100])
    record(f, "strings_inverted", L.StringLookup(vocabulary=["cat", "dog", "é"], invert=True), numbers)
    record(f, "strings_inverted_mask", L.StringLookup(vocabulary=["cat", "dog"], invert=True, mask_token="", num_oov_indices=2, oov_token="?"), numbers)
    rng = np.random.default_rng(5)
    learnt, seen = rng.integers(-5, 9, 60), np.concatenate([rng.integers(-20, 20, 20), [2**40, -2**40]])
    grid = rng.integers(-3, 9, (5, 4))
    for mask in (None, 0, 4):
        for oov in (1, 3):
            record(f, f"integers_mask_{mask}_oov_{oov}", L.IntegerLookup(mask_token=mask, num_oov_indices=oov), seen, learnt)
    record(f, "integers_farmhash", L.IntegerLookup(num_oov_indices=7, vocabulary=[1, 2], oov_method="farmhash"), seen)
    record(f, "integers_salted", L.IntegerLookup(num_oov_indices=7, vocabulary=[1, 2], oov_method="farmhash", salt=[1, 2]), seen)
    for mode in ("one_hot", "multi_hot", "count", "tf_idf"):
        record(f, f"integers_{mode}", L.IntegerLookup(output_mode=mode, num_oov_indices=2, max_tokens=8), grid, learnt)
        record(f, f"integers_{mode}_mask", L.IntegerLookup(output_mode=mode, mask_token=3), grid, learnt)
    record(f, "integers_inverted", L.IntegerLookup(vocabulary=[12, -5, 900], invert=True, mask_token=7), numbers)


def hashing(f):
    read = " ".join(lines(6, 8)).split() + ["", "#"] + ["y" * n for n in (15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 191, 192, 193, 1000)]
    table = np.array(read[:24], dtype=object).reshape(6, 4)
    numbers = np.array([0, 1, -1, 7, 10**9, -10**15, 5, 5])
    for bins in (1, 3, 1000, 2**31 - 1):
        record(f, f"hash_{bins}", L.Hashing(bins), read)
    record(f, "hash_odd", L.Hashing(10**6), ODD)
    record(f, "hash_salted", L.Hashing(10**6, salt=[133, 137]), read + [ODD[3]])
    record(f, "hash_salt_one", L.Hashing(10**6, salt=11), ODD)
    record(f, "hash_mask", L.Hashing(11, mask_value=""), read)
    record(f, "hash_mask_one_bin", L.Hashing(1, mask_value="cat"), read)
    record(f, "hash_numbers", L.Hashing(1000), numbers)
    record(f, "hash_numbers_mask", L.Hashing(7, mask_value=5), numbers)
    record(f, "hash_numbers_salted", L.Hashing(1000, salt=[3, 9]), numbers)
    for mode in ("one_hot", "multi_hot", "count"):
        record(f, f"hash_{mode}", L.Hashing(5, output_mode=mode), table)
        record(f, f"hash_{mode}_single", L.Hashing(5, output_mode=mode), table[:, :1])


def crossing(f):
    words = np.array("a b a c the cat".split(), dtype=object)
    numbers = np.array([101, 101, -5, 102, 0, 2**40])
    for name, features in (("words", (words, words[::-1].copy())), ("mixed", (words, numbers)), ("numbers", (numbers, numbers[::-1].copy())),
                         ("three", (words, numbers, words))):
        for mode in ("int", "one_hot"):
            for column in (False, True):
                given = [np.reshape(x, (-1, 1)) if column else x for x in features]
                layer = L.HashedCrossing(17, output_mode=mode)
                result = np.asarray(layer([keras.src.utils.module_utils.tensorflow.constant(x.tolist()) for x in given]))
                parts = {"y0": result.astype("float32" if mode == "one_hot" else "int32")}
                inputs = [listed(x.reshape(-1).tolist()) if x.dtype == object else x.reshape(-1).tolist() for x in given]
                f.add(f"cross_{name}_{mode}_{'column' if column else 'row'}", parts, word="HashedCrossing", inputs=inputs, column=column, mode=mode,
                      bins=17)


def make():
    try:
        import tensorflow  # noqa: F401  (Keras's layers need it)
    except ImportError:
        print("text: left as it is: TensorFlow is not installed")
        return []
    fixture = Fixture("text", "texts and look-ups: vocabularies, indices, counts, bins", 1e-6, 1e-7,
                      "whole numbers but for weights of tf_idf, which Keras averages in float32 and Cajal in float64")
    for part in (vectorization, lookups, hashing, crossing):
        part(fixture)
    fixture.add("lists", {}, lists=LISTS)
    return [fixture]
