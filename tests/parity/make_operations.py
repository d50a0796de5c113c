"""Writes fixtures/operations.json: functional models of real Keras with operators between layers, eight to a model, as
their to_json() has them, and what they compute. KERAS_BACKEND=jax python tests/parity/make_operations.py"""

import json
from pathlib import Path

import keras
import numpy as np
from keras import ops

from generator.store import compact

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
f32 = lambda y: ops.cast(y, "float32")
# (3, 4) without a free axis, and what has none as a row for each sample
fixed = lambda x: ops.mean(x, axis=0)
def spread(x, y):
    n = int(np.prod(y.shape)) if y.shape else 1
    return ops.reshape(f32(y), (1, n)) * ops.expand_dims(ops.sum(x, axis=(1, 2)), -1)

KERNEL = (np.arange(24).reshape(3, 4, 2) * 5 % 11 / 8 - 0.6).astype("float32")
whole = lambda x: ops.cast(x * 5, "int32")
HARD = np.array([4, 6, 9, 12], "int32")
heads = lambda x: ops.reshape(x, (-1, 3, 2, 2))
CASES |= {
    "round": lambda x: ops.round(x * 7.3, 1), "isclose": lambda x: f32(ops.isclose(x, x * 1.1, rtol=0.05, atol=0.06)),
    "allclose": lambda x: spread(x, ops.reshape(f32(ops.all(ops.isclose(fixed(x), fixed(x)))), (1,))),
    "nan_to_num": lambda x: ops.nan_to_num(x / f32(x > 0.5), posinf=9.0), "full_like": lambda x: ops.full_like(x, 2.5),
    "saturate_cast": lambda x: f32(ops.saturate_cast(x * 200, "uint8")),
    "select": lambda x: ops.select([x > 1.5, x > 0.5], [x, -x], default=7.0), "signbit": lambda x: f32(ops.signbit(x - 1)),
    "isfinite": lambda x: f32(ops.isfinite(x / f32(x > 0.5))), "isinf": lambda x: f32(ops.isinf(x / f32(x > 0.5))),
    "isnan": lambda x: f32(ops.isnan(x)), "divide_no_nan": lambda x: ops.divide_no_nan(x, f32(x > 1)),
    "heaviside": lambda x: ops.heaviside(x - 1, np.float32(ROW)), "ldexp": lambda x: ops.ldexp(x, np.array([2, 1, 0, 3], "int32")),
    "gcd": lambda x: f32(ops.gcd(whole(x), HARD)), "lcm": lambda x: f32(ops.lcm(whole(x), HARD)),
    "bitwise": lambda x: f32(ops.bitwise_xor(ops.bitwise_and(whole(x), HARD), ops.bitwise_or(whole(x), HARD))),
    "invert": lambda x: f32(ops.bitwise_invert(whole(x))), "shift": lambda x: f32(ops.left_shift(whole(x), HARD)),
    "count_nonzero": lambda x: f32(ops.count_nonzero(x > 1, axis=1)), "average": lambda x: ops.average(x, axis=2, weights=ROW),
    "average_plain": lambda x: ops.average(x, axis=1), "moments": lambda x: ops.concatenate(ops.moments(x, [1], keepdims=True), 1),
    "quantile": lambda x: ops.quantile(x, 0.3, axis=1), "quantiles": lambda x: ops.sum(ops.quantile(x, np.array([0.25, 0.5]), axis=-1, keepdims=True), axis=0),
    "percentile": lambda x: ops.percentile(x, 40.0, axis=2, method="nearest"), "nanargmax": lambda x: f32(ops.nanargmax(x, axis=-1)),
    "normalize": lambda x: ops.normalize(x, axis=1, order=3), "nancumsum": lambda x: ops.nancumsum(x, axis=1),
    "diff": lambda x: ops.diff(x, n=2, axis=-1), "trapezoid": lambda x: ops.trapezoid(x, dx=0.5, axis=1),
    "segment_sum": lambda x: spread(x, ops.segment_sum(fixed(x), np.array([1, 0, 1], "int32"), 3)),
    "segment_max": lambda x: spread(x, ops.segment_max(fixed(x), np.array([1, 0, 1], "int32"), 2)),
    "broadcast_to": lambda x: spread(x, ops.broadcast_to(fixed(x), (2, 3, 4))), "ravel": lambda x: spread(x, ops.ravel(fixed(x))),
    "moveaxis": lambda x: ops.moveaxis(x, 1, -1), "moveaxis_two": lambda x: ops.moveaxis(heads(x), (1, 2), (3, 1)),
    "swapaxes": lambda x: ops.swapaxes(x, 1, -1), "rot90": lambda x: ops.rot90(x, k=3, axes=(1, 2)), "fliplr": lambda x: ops.fliplr(x),
    "split": lambda x: ops.split(x, 2, axis=-1)[1], "split_at": lambda x: ops.concatenate(ops.split(x, [1, 3], axis=2)[::-1], 2),
    "array_split": lambda x: ops.array_split(x, 3, axis=2)[0], "hsplit": lambda x: ops.hsplit(x, 3)[1], "dsplit": lambda x: ops.dsplit(x, [1])[1],
    "unstack": lambda x: ops.unstack(x, axis=1)[2], "hstack": lambda x: ops.hstack([x, x * 2]), "dstack": lambda x: ops.dstack([x, -x]),
    "append": lambda x: ops.append(x, x * 3, axis=1), "repeat": lambda x: ops.repeat(x, 2, axis=1),
    "item_step": lambda x: x[:, ::2, ::-2], "slice_update": lambda x: spread(x, ops.slice_update(fixed(x), [1, 1], np.ones((1, 2), "float32"))),
    "tril": lambda x: ops.tril(x, k=-1), "triu": lambda x: ops.triu(x, k=1), "diag": lambda x: spread(x, ops.diag(fixed(x), k=1)),
    "diagonal": lambda x: ops.diagonal(x, offset=1, axis1=1, axis2=2), "trace": lambda x: ops.trace(x, axis1=1, axis2=2),
    "depth_to_space": lambda x: ops.depth_to_space(ops.expand_dims(x, 2), 2), "space_to_depth": lambda x: ops.space_to_depth(ops.reshape(x, (-1, 2, 2, 3)), 2),
    "unfold": lambda x: ops.unfold(ops.expand_dims(x, 1), 2, padding=1, stride=(2, 1)), "extract_sequences": lambda x: ops.extract_sequences(x, 2, 1),
    "dot": lambda x: ops.dot(x, ROW), "inner": lambda x: ops.inner(x, ROW), "outer": lambda x: spread(x, ops.outer(fixed(x), ROW)),
    "vdot": lambda x: spread(x, ops.vdot(fixed(x), fixed(x))), "kron": lambda x: spread(x, ops.kron(fixed(x), np.array([[1.0, 2.0]], "float32"))),
    "cdist": lambda x: ops.cdist(x, x * 2), "tensordot": lambda x: ops.tensordot(x, np.outer(ROW, ROW).astype("float32"), axes=1),
    "tensordot_axes": lambda x: spread(x, ops.tensordot(fixed(x), fixed(x), axes=[[0, 1], [0, 1]])),
    "cross": lambda x: ops.cross(x, x * x, axis=1), "vander": lambda x: spread(x, ops.vander(ops.ravel(fixed(x)), N=3, increasing=True)),
    "sort": lambda x: ops.sort(x, axis=1), "argsort": lambda x: f32(ops.argsort(x)), "top_k": lambda x: ops.add(*[f32(t) for t in ops.top_k(x, 2)]),
    "searchsorted": lambda x: f32(ops.searchsorted(np.array([0.5, 1.0, 1.5], "float32"), x, side="right")),
    "digitize": lambda x: f32(ops.digitize(x, np.array([0.5, 0.75, 1.5]))), "isin": lambda x: f32(ops.isin(whole(x), HARD, invert=True)),
    "take_axis": lambda x: ops.take(x, np.array([[2, 0], [1, 1]]), axis=1), "scatter_update": lambda x: spread(x, ops.scatter_update(fixed(x), np.array([[1, 2], [0, 1]]), fixed(x)[1, :2])),
    "scatter": lambda x: spread(x, ops.scatter(np.array([[1, 2], [0, 1]]), fixed(x)[1, :2], (2, 3))),
    "conv": lambda x: ops.conv(x, KERNEL, strides=2, padding="same"), "depthwise_conv": lambda x: ops.depthwise_conv(x, KERNEL[:2]),
    "separable_conv": lambda x: ops.separable_conv(x, KERNEL[:2, :, :1], KERNEL[:1, :, :2]),
    "conv_transpose": lambda x: ops.conv_transpose(x, KERNEL.transpose(0, 2, 1), strides=2, output_padding=1),
    "max_pool": lambda x: ops.max_pool(ops.expand_dims(x, -1), (2, 3), strides=(1, 2), padding="same"),
    "average_pool": lambda x: ops.average_pool(x, (2,), strides=(1,), data_format="channels_last"), "adaptive_max_pool": lambda x: ops.adaptive_max_pool(ops.expand_dims(x, -1), (2, 2), data_format="channels_last"),
    "batch_normalization": lambda x: ops.batch_normalization(x, np.float32(ROW), np.abs(ROW), axis=-1, scale=np.float32(ROW)),
    "layer_normalization": lambda x: ops.layer_normalization(x, None, np.float32(ROW), axis=-1, epsilon=1e-3),
    "layer_normalization_axes": lambda x: ops.layer_normalization(x, axis=[1, 2], epsilon=1e-2), "rms_normalization": lambda x: ops.rms_normalization(x, np.float32(ROW), axis=-1),
    "binary_crossentropy": lambda x: ops.binary_crossentropy(f32(x > 1), x, from_logits=True),
    "categorical_crossentropy": lambda x: ops.categorical_crossentropy(x, x * x, axis=1), "sparsemax": lambda x: ops.sparsemax(x, axis=1),
    "attention_bias": lambda x: ops.dot_product_attention(*[heads(x)] * 3, bias=ops.expand_dims(x[..., :3], 1)),
    "attention_mask": lambda x: ops.dot_product_attention(*[heads(x)] * 3, mask=ops.expand_dims(x[..., :3] > 0.5, 1)),
    "psnr": lambda x: spread(x, ops.psnr(fixed(x), fixed(x) * 0.9, 2.0)),
    **{f"pad_{mode}": (lambda mode: lambda x: ops.pad(x, ((0, 0), (2, 1), (1, 5)), mode=mode))(mode)
       for mode in ("edge", "reflect", "symmetric", "wrap", "maximum", "minimum", "mean", "median", "linear_ramp")},
    "pad_value": lambda x: ops.pad(x, ((0, 0), (2, 1), (1, 5)), constant_values=2.5),
    "flip_axes": lambda x: ops.flip(x, axis=(1, -1)), "flip_all": lambda x: spread(x, ops.flip(fixed(x))),
    "roll_axes": lambda x: ops.roll(x, (1, 2), axis=(1, 2)), "roll_flat": lambda x: spread(x, ops.roll(fixed(x), 5)),
    "expand_axes": lambda x: ops.expand_dims(x, (1, -1)), "squeeze_all": lambda x: ops.squeeze(ops.expand_dims(x, (1, -1))),
    "cross_from_logits": lambda x: ops.categorical_crossentropy(x, x * x, from_logits=True),
    "argmax_all": lambda x: spread(x, ops.reshape(ops.argmax(fixed(x)), (1,))), "sort_flat": lambda x: spread(x, ops.sort(ops.ravel(fixed(x)), axis=-1)),
    "repeat_flat": lambda x: spread(x, ops.repeat(fixed(x), 2)), "take_flat": lambda x: spread(x, ops.take(fixed(x), np.array([7, 0]))),
    "softmax_axis": lambda x: ops.softmax(x, axis=1), "log_softmax_axis": lambda x: ops.log_softmax(x, axis=-2),
    "glu_axis": lambda x: ops.glu(ops.concatenate([x, x * x], axis=1), axis=1), "convert": lambda x: ops.convert_to_tensor(x) * 2,
    "convert_dtype": lambda x: ops.convert_to_tensor(x > 1, dtype="float32"),
    "cumsum_flat": lambda x: spread(x, ops.cumsum(fixed(x))), "append_flat": lambda x: spread(x, ops.append(fixed(x), np.float32(ROW))),
}
WITH_INDICES = {
    "one_hot": lambda i: ops.one_hot(i, 3), "cast": lambda i: ops.cast(i, "float32") + 1,
    "take": lambda i: ops.take(np.outer(ROW, ROW), i, axis=0), "multi_hot": lambda i: ops.multi_hot(i, 4),
    "take_along_axis": lambda i: ops.take_along_axis(f32(i) * 2, i, axis=1),
    "count_weights": lambda i: keras.layers.CategoryEncoding(4, output_mode="count")(i, count_weights=f32(i) + 0.5),
    "sparse_categorical_crossentropy": lambda i: ops.sparse_categorical_crossentropy(i, ops.one_hot(i, 3) * 0.7 + 0.1),
    "in_top_k": lambda i: f32(ops.in_top_k(i[:, 0], f32(i), 2)),
    "ctc_loss": lambda i: ops.ctc_loss(i[:, :1] * 0 + 1, ops.one_hot(i, 3), i[:, 0] * 0 + 1, i[:, 0] * 0 + 3),
    "ctc_decode": lambda i: f32(ops.ctc_decode(ops.one_hot(i, 3), i[:, 0] * 0 + 3)[0][0]),
}

rng = np.random.default_rng(7)
x = rng.uniform(0.1, 2, (2, 3, 4)).astype("float32")
i = rng.integers(0, 3, (2, 3)).astype("int32")
out = {"x": x.ravel().tolist(), "i": i.ravel().tolist(), "cases": []}
failed = []
# Values are made eagerly: in a model some words of Keras 3.15.1 fail with JAX, for lists that are not hashed.
for table, source, value in ((CASES, x_of, x), (WITH_INDICES, i_of, i)):
    names = list(table)
    for at in range(0, len(names), 8):
        keras.backend.clear_session()
        symbol, group, outputs, ys = source(), names[at:at + 8], [], []
        for name in group:
            try:
                outputs.append(table[name](symbol))
                ys.append(np.asarray(table[name](ops.convert_to_tensor(value)), "float32"))
            except Exception as error:  # printed, so that one run shows all
                failed.append(f"{name}: {str(error)[:200]}")
        model = keras.Model(symbol, outputs)
        out["cases"].append({"names": group, "model": compact(json.loads(model.to_json())), "shapes": [list(y.shape) for y in ys],
                             "y": [[float(f"{v:.6g}") for v in y.ravel()] for y in ys]})
if failed:
    raise SystemExit("\n".join(failed))
path = Path(__file__).parent / "fixtures/operations.json"
path.write_text(json.dumps(out, separators=(",", ":")))
print(sum(len(c["names"]) for c in out["cases"]), "cases,", path.stat().st_size, "bytes")
