"""Prints tests/train/outputs_keras.h: what Keras logs for a model of three outputs, whose losses and metrics are given by
name. KERAS_BACKEND=jax python make_outputs.py > ../train/outputs_keras.h"""
import keras
import numpy as np


def numbers(shape, period):
    count = int(np.prod(shape))
    return (np.arange(count) * 7 % period / period - 0.5).astype("float32").reshape(shape)


def model():
    x = keras.Input((4,))
    h = keras.layers.Dense(5, activation="tanh", name="h")
    a, b, c = (keras.layers.Dense(2, name="a"), keras.layers.Dense(1, name="b"),
               keras.layers.Dense(3, activation="softmax", name="c"))
    y = h(x)
    made = keras.Model(x, [c(y), b(y), a(y)])
    for layer, shape, period in ((h, (4, 5), 11), (a, (5, 2), 13), (b, (5, 1), 17), (c, (5, 3), 19)):
        layer.kernel.assign(numbers(shape, period))
    return made


X, Y = numbers((6, 4), 23), [np.array([0, 1, 2, 0, 1, 2]), numbers((6, 1), 5), numbers((6, 2), 9)]
WEIGHTS = np.array([0.25, 0.5, 1, 2, 0, 1.25], "float32")
CASES = {
    "by_name": {"loss": {"a": "mse", "b": "mae", "c": "sparse_categorical_crossentropy"},
                "loss_weights": {"a": 0.5, "b": 1, "c": 2}, "metrics": {"a": ["mae", "mse"], "c": ["accuracy"]},
                "weighted_metrics": {"a": ["mae"], "b": ["mse"]}},
    "without_b": {"loss": {"a": "mse", "b": None, "c": "sparse_categorical_crossentropy"}},
}
print("// Made by tests/parity/make_outputs.py with Keras " + keras.__version__ + ".")
for name, settings in CASES.items():
    results = []
    for weights in (None, WEIGHTS):
        made = model()
        made.compile(optimizer="sgd", **settings)
        results.append(made.evaluate(X, Y, sample_weight=weights, batch_size=4, verbose=0, return_dict=True))
    print(f"static const expected {name}[] = {{")
    for key in results[0]:
        print(f'    {{"{key}", {results[0][key]:.8g}, {results[1][key]:.8g}}},')
    print("};")
