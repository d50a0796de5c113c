"""Prints tests/train/weights_keras.h: what Keras logs, and what its first kernel becomes, with sample weights of each output
and of each step. KERAS_BACKEND=jax python make_weights.py > ../train/weights_keras.h"""
import keras
import numpy as np


def numbers(shape, period):
    count = int(np.prod(shape))
    return (np.arange(count) * 7 % period / period - 0.5).astype("float32").reshape(shape)


def weights(shape, period):
    return numbers(shape, period) + 0.5


def model():
    x = keras.Input((5, 4))
    h = keras.layers.Dense(3, activation="tanh", name="h")
    a, b, c = (keras.layers.Dense(2, name="a"), keras.layers.Dense(1, name="b"),
               keras.layers.Dense(3, activation="softmax", name="c"))
    y = h(x)
    made = keras.Model(x, [a(y), b(keras.layers.GlobalAveragePooling1D(name="mean")(y)), c(y)])
    for layer, shape, period in ((h, (4, 3), 11), (a, (3, 2), 13), (b, (3, 1), 17), (c, (3, 3), 19)):
        layer.kernel.assign(numbers(shape, period))
    return made


X = numbers((6, 5, 4), 23)
Y = [numbers((6, 5, 2), 9), numbers((6, 1), 5), (np.arange(30) * 7 % 3).reshape(6, 5)]
CASES = {
    "each": [weights((6, 1), 11), weights((6,), 5), weights((6, 1), 4)],
    "steps": [weights((6, 5), 11), weights((6,), 5), weights((6, 5), 13)],
}
print("// Made by tests/parity/make_weights.py with Keras " + keras.__version__ + ".")
for name, given in CASES.items():
    made = model()
    made.compile(optimizer=keras.optimizers.SGD(0.1), loss=["mse", "mae", "sparse_categorical_crossentropy"],
                 loss_weights=[1, 0.5, 2], metrics=[["mae"], [], ["accuracy"]],
                 weighted_metrics=[["mse"], ["mse"], ["accuracy"]])
    results = made.evaluate(X, Y, sample_weight=given, batch_size=4, verbose=0, return_dict=True)
    print(f"static const expected {name}_logs[] = {{")
    for key in results:
        print(f'    {{"{key}", {results[key]:.8g}}},')
    print("};")
    made.fit(X, Y, sample_weight=given, batch_size=4, epochs=3, shuffle=False, verbose=0)
    kernel = np.asarray(made.get_layer("h").kernel).ravel()
    print(f"static const double {name}_kernel[] = {{" + ", ".join(f"{v:.8g}" for v in kernel) + "};")
