"""Writes fixtures/operations.json: functional models of real Keras with operators between layers, as their to_json()
has them, and what they compute. KERAS_BACKEND=jax python tests/parity/make_operations.py"""

import json
from pathlib import Path

import keras
import numpy as np
from keras import ops

ROW = np.array([0.5, 1.5, -2.5, 3.5], "float32")
x_of = lambda: keras.Input((3, 4), name="x")
i_of = lambda: keras.Input((3,), dtype="int32", name="i")

CASES = {
    "add_number": lambda x: x + 2.5, "add_whole_number": lambda x: x + 2, "number_minus": lambda x: 1 - x,
    "add_array": lambda x: ops.add(x, ROW), "array_first": lambda x: ops.subtract(ROW, x),
    "multiply": lambda x: x * ops.exp(x), "divide": lambda x: ops.divide(x, 3.0), "true_divide": lambda x: x / 4,
    "power": lambda x: x ** 2, "negative": lambda x: -x, "abs": lambda x: ops.absolute(x - 1),
    "maximum": lambda x: ops.maximum(x, 0.75), "minimum": lambda x: ops.minimum(x, ROW),
    "matmul": lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))), "matmul_array": lambda x: ops.matmul(x, np.outer(ROW, ROW[:2])),
    "greater": lambda x: ops.where(x > 1, x, 0.0), "less_equal": lambda x: ops.cast(x <= 1, "float32"),
    "equal": lambda x: ops.cast(ops.equal(x, x), "float32"), "not_equal": lambda x: ops.cast(ops.not_equal(x, 0.0), "float32"),
    "logic": lambda x: ops.cast(ops.logical_or(ops.logical_and(x > 1, x < 1.5), ops.logical_not(x > 0.5)), "float32"),
    "xor": lambda x: ops.cast(ops.logical_xor(x > 1, x < 1.5), "float32"),
    "log": lambda x: ops.log(x), "sqrt": lambda x: ops.sqrt(x), "square": lambda x: ops.square(x), "log1p": lambda x: ops.log1p(x),
    "rsqrt": lambda x: ops.rsqrt(x), "reciprocal": lambda x: ops.reciprocal(x), "sign": lambda x: ops.sign(x - 1),
    "relu": lambda x: ops.relu(x - 1), "zeros_like": lambda x: ops.zeros_like(x), "ones_like": lambda x: ops.ones_like(x),
    "stop_gradient": lambda x: ops.stop_gradient(x), "clip": lambda x: ops.clip(x, 0.5, 1.25),
    "sum": lambda x: ops.sum(x, axis=1), "sum_keepdims": lambda x: ops.sum(x, axis=(1, 2), keepdims=True),
    "sum_last": lambda x: ops.sum(x, -1, keepdims=True), "mean": lambda x: ops.mean(x, axis=[1, -1]), "max": lambda x: ops.max(x, axis=-1),
    "min": lambda x: ops.min(x, axis=1, keepdims=True), "var": lambda x: ops.var(x, axis=2), "std": lambda x: ops.std(x, axis=1),
    "logsumexp": lambda x: ops.logsumexp(x, axis=-1, keepdims=True),
    "any": lambda x: ops.cast(ops.any(x > 1.8, axis=2), "float32"), "all": lambda x: ops.cast(ops.all(x > 0.2, axis=1), "float32"),
    "argmax": lambda x: ops.cast(ops.argmax(x, axis=-1), "float32"), "argmin": lambda x: ops.cast(ops.argmin(x, axis=1, keepdims=True), "float32"),
    "cumsum": lambda x: ops.cumsum(x, axis=1), "concatenate": lambda x: ops.concatenate([x, x * 2, ops.abs(x)], axis=1),
    "stack": lambda x: ops.stack([x, -x], axis=2), "einsum": lambda x: ops.einsum("abc,adc->abd", x, x * 2),
    "expand_dims": lambda x: ops.expand_dims(x, 1), "squeeze": lambda x: ops.squeeze(ops.expand_dims(x, -1), -1),
    "flip": lambda x: ops.flip(x, axis=1), "roll": lambda x: ops.roll(x, 3, axis=-1), "tile": lambda x: ops.tile(x, (1, 2, 3)),
    "pad": lambda x: ops.pad(x, ((0, 0), (1, 0), (2, 1))), "reshape": lambda x: ops.reshape(x, (-1, 2, 6)),
    "reshape_rest": lambda x: ops.reshape(x, (-1, 12)), "transpose": lambda x: ops.transpose(x, (0, 2, 1)),
    "item": lambda x: x[:, 1], "item_last": lambda x: x[:, -1, :2], "item_slice": lambda x: x[:, 1:, -3:-1],
    "item_rest": lambda x: x[..., 2], "item_new": lambda x: x[:, None, :, 1:3], "item_back": lambda x: x[:, ::-1],
    "item_open": lambda x: x[:, :-1], "softmax": lambda x: ops.softmax(x), "log_softmax": lambda x: ops.log_softmax(x),
    "sigmoid": lambda x: ops.sigmoid(x - 1), "tanh": lambda x: ops.tanh(x), "gelu": lambda x: ops.gelu(x - 1),
    "gelu_exact": lambda x: keras.activations.gelu(x - 1), "silu": lambda x: ops.silu(x), "elu": lambda x: ops.elu(x - 1, alpha=0.5),
    "leaky_relu": lambda x: ops.leaky_relu(x - 1, 0.1), "relu_of": lambda x: keras.activations.relu(x, max_value=1.0, threshold=0.5),
    "softplus": lambda x: ops.softplus(x), "selu": lambda x: ops.selu(x - 1),
    "hard_sigmoid": lambda x: ops.hard_sigmoid(x), "threshold": lambda x: ops.threshold(x, 1.0, 3.0),
    "squareplus": lambda x: ops.squareplus(x, b=2), "glu": lambda x: ops.glu(x), "hard_shrink": lambda x: ops.hard_shrink(x - 1),
    "attention": lambda x: ops.dot_product_attention(*[ops.reshape(x, (-1, 3, 2, 2))] * 3, scale=0.5),
    "attention_causal": lambda x: ops.dot_product_attention(*[ops.reshape(x, (-1, 3, 2, 2))] * 3, is_causal=True),
    "layers_around": lambda x: keras.layers.Rescaling(2.0)(ops.relu(keras.layers.Rescaling(0.5)(x) - 0.3)) + x,
}
WITH_INDICES = {
    "one_hot": lambda i: ops.one_hot(i, 3), "cast": lambda i: ops.cast(i, "float32") + 1,
    "take": lambda i: ops.take(np.outer(ROW, ROW), i, axis=0),
}

rng = np.random.default_rng(7)
x = rng.uniform(0.1, 2, (2, 3, 4)).astype("float32")
i = rng.integers(0, 3, (2, 3)).astype("int32")
out = {"x": x.ravel().tolist(), "i": i.ravel().tolist(), "cases": []}
for table, source, value in ((CASES, x_of, x), (WITH_INDICES, i_of, i)):
    for name, function in table.items():
        keras.backend.clear_session()
        symbol = source()
        try:
            model = keras.Model(symbol, function(symbol))
        except Exception as error:
            raise SystemExit(f"{name}: {str(error)[:300]}")
        y = np.asarray(model(value), "float32")
        out["cases"].append({"name": name, "model": json.loads(model.to_json()), "shape": list(y.shape), "y": [float(f"{v:.8g}") for v in y.ravel()]})
path = Path(__file__).parent / "fixtures/operations.json"
path.write_text(json.dumps(out, separators=(",", ":")))
print(len(out["cases"]), "cases,", path.stat().st_size, "bytes")
