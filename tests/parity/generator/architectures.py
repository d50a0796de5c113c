"""Architectures: model.to_json() of the tutorial's models and of harder graphs, each with the facts that a loader must find."""

import json
from pathlib import Path

import keras
from keras import layers as L

from .activations import ELEMENTWISE
from .models import gan_models


def tutorial():
    yield "feedforward", keras.Sequential([keras.Input((28, 28)), L.Flatten(), L.Dense(128, activation="relu"),
                                           L.Dense(10, activation="softmax")])
    yield "recurrent", keras.Sequential([keras.Input((1, 2)), L.SimpleRNN(16), L.Dense(1)])
    for name, first, second, hidden, size in (("convolution", 10, 20, 50, 5), ("convolution_deep", 32, 64, 128, 3)):
        yield name, keras.Sequential([
            keras.Input((28, 28, 1)), L.Conv2D(first, kernel_size=(size, size), activation="relu"), L.MaxPooling2D(pool_size=(2, 2)),
            L.Conv2D(second, kernel_size=(size, size), activation="relu"), L.MaxPooling2D(pool_size=(2, 2)), L.Flatten(),
            L.Dense(hidden, activation="relu"), L.Dense(10, activation="softmax")])


def graphs():
    generator, discriminator = gan_models()
    noise = keras.Input((100,), name="noise")
    yield "adversarial", keras.Model(noise, discriminator(generator(noise)), name="gan")

    a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
    shared = L.Dense(4, activation="relu", name="shared", kernel_regularizer="l2")
    ha, hb = shared(a), shared(b)
    joined = L.Concatenate(name="joined")([ha, hb])
    total = L.Add(name="total")([ha, hb])
    yield "two_in_two_out_shared", keras.Model([a, b], [L.Dense(3, activation="softmax", name="o1")(joined),
                                                       L.Dense(1, name="o2")(total)], name="two")

    x = keras.Input((6,), name="x")
    inner_in = keras.Input((4,), name="inner_in")
    inner = keras.Model(inner_in, L.Dense(4, activation="tanh", name="inner_dense")(inner_in), name="inner")
    chain = keras.Sequential([keras.Input((4,)), L.Dense(2, name="chain_dense")], name="chain")
    h = L.Dense(4, name="first")(x)
    yield "nested", keras.Model({"x": x}, {"twice": inner(inner(h)), "end": chain(inner(h))}, name="outer")

    words = keras.Input((6,), dtype="int32", name="words")
    h = L.Embedding(20, 8, mask_zero=True, name="table")(words)
    h, state = L.SimpleRNN(5, return_sequences=True, return_state=True, name="rnn")(h)
    h = L.SimpleRNN(5, name="second")(h)
    yield "masked_states", keras.Model(words, L.Add(name="sum")([h, state]), name="masked")

    x = keras.Input((8, 8, 3), name="image", dtype="uint8")
    h = L.Rescaling(1 / 255, name="scale")(x)
    h = L.Conv2D(4, (3, 2), strides=(2, 1), padding="same", use_bias=False, name="conv", groups=1,
                 kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.1),
                 kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02))(h)
    h = L.BatchNormalization(momentum=0.9, epsilon=0.01, name="bn")(h)
    h = L.LeakyReLU(negative_slope=0.2, name="leaky")(h)
    h = L.AveragePooling2D((2, 3), strides=(1, 2), padding="same", name="pool")(h)
    h = L.Dropout(0.25, name="drop")(h)
    h = L.GlobalAveragePooling2D(name="mean")(h)
    yield "settings", keras.Model(x, L.Softmax(name="soft")(L.ELU(alpha=0.5, name="elu")(h)), name="settings")


    words, other = keras.Input((6,), dtype="int32", name="words"), keras.Input((6, 5), name="other")
    h = L.Embedding(20, 8, mask_zero=True, name="table")(words)
    h = L.MultiHeadAttention(2, 4, name="itself")(h, h, use_causal_mask=True)
    y, scores = L.MultiHeadAttention(3, 2, value_dim=5, dropout=0.1, output_shape=(2, 3), name="across")(
        other, h, return_attention_scores=True)
    mask = keras.Input((6, 6), dtype="bool", name="mask")
    z = L.MultiHeadAttention(2, 3, use_gate=True, use_bias=False, sliding_window=3, name="masked")(other, other, attention_mask=mask)
    z = L.EinsumDense("abc,cde->abde", (6, 2, 3), bias_axes="de", name="heads")(z)
    yield "attention", keras.Model([words, other, mask], [y, scores, z], name="attention")


def merging():
    a, b, c = keras.Input((3, 4), name="a"), keras.Input((3, 4), name="b"), keras.Input((4,), name="c")
    h = [L.Subtract(name="difference")([a, b]), L.Multiply(name="product")([a, b, c]), L.Average(name="mean")([a, b]),
         L.Maximum(name="greatest")([a, b, c]), L.Minimum(name="least")([a, b])]
    h = L.Concatenate(axis=1, name="beside")([*h, L.Concatenate(name="alone")([a]), L.Add(name="single")([b])])
    pair = L.Dot(axes=(2, 1), normalize=True, name="cosine")([h, c])
    yield "merging", keras.Model([a, b, c], [h, L.Dot(axes=-1, name="square")([h, h]), L.Dense(2, name="end")(pair)], name="merging")


def curves():
    names = [*ELEMENTWISE, "softmax", "log_softmax"]
    layers = [L.Dense(4, activation=name, name=f"dense_{name}") for name in names] + [L.Activation(name, name=name) for name in names]
    yield "activations", keras.Sequential([keras.Input((6, 4)), *layers, L.PReLU(shared_axes=[1]), L.Identity()])


def small():
    x = keras.Input((6, 8, 3), name="x")
    h = L.UpSampling2D((2, 1), interpolation="bilinear")(L.SpatialDropout2D(0.3, seed=5)(x))
    h = L.AdaptiveAveragePooling2D((5, 3))(L.AdaptiveMaxPooling2D((7, 4))(L.GaussianNoise(0.2)(h)))
    h = L.ActivityRegularization(l1=0.01)(L.Permute((3, 1, 2))(L.GaussianDropout(0.1)(h)))
    h = L.AlphaDropout(0.2, noise_shape=(None, 8))(L.Dense(8, activation="selu")(L.Flatten()(h)))
    h = L.SpatialDropout1D(0.1)(L.RepeatVector(3)(h))
    yield "small_layers", keras.Model(x, h, name="small")


def preprocessing():
    image, numbers = keras.Input((9, 8, 3), name="image"), keras.Input((4,), name="numbers")
    h = L.Rescaling([0.5, 1.0, 2.0], offset=[0.0, 1.0, -1.0], name="scale")(image)
    for layer in (L.Resizing(10, 9, interpolation="bicubic", pad_to_aspect_ratio=True, name="resize"), L.RandomFlip(name="flip"),
                  L.RandomRotation(0.1, name="turn"), L.RandomZoom((-0.2, 0.1), name="zoom"), L.RandomTranslation(0.1, 0.2, name="shift"),
                  L.RandomContrast(0.2, name="contrast"), L.RandomBrightness(0.1, value_range=(0, 1), name="brightness"),
                  L.RandomCrop(7, 6, seed=4, name="crop"), L.CenterCrop(5, 5, name="middle"), L.Flatten(name="flat")):
        h = layer(h)
    bins = L.Discretization(bin_boundaries=[-1.0, 0.0, 2.5], name="bins")(numbers)
    given = L.Normalization(mean=[0.0, 1.0, 2.0, 3.0], variance=[1.0, 2.0, 3.0, 4.0], name="given")(numbers)
    parts = [h, L.CategoryEncoding(num_tokens=4, output_mode="count", name="classes")(bins), given, L.Normalization(axis=None, name="all")(numbers)]
    yield "preprocessing", keras.Model([image, numbers], L.Dense(2, name="end")(L.Concatenate(name="joined")(parts)), name="preprocessing")


def augmentation():
    image, labels = keras.Input((9, 8, 3), name="image"), keras.Input((4,), name="labels")
    v = {"value_range": (0, 1)}
    h = image
    for layer in (L.RandomHue(0.2, name="hue"), L.RandomSaturation((0.4, 0.6), seed=3, name="saturation"),
                  L.RandomColorJitter(brightness_factor=0.1, hue_factor=(0.1, 0.2), name="jitter", **v), L.RandomGrayscale(0.3, name="grey"),
                  L.RandomColorDegeneration(0.3, name="degeneration", **v), L.RandomSharpness(0.2, name="sharpness", **v),
                  L.RandomPosterization(4, name="posterization", **v), L.RandomInvert(0.2, name="invert", **v),
                  L.Solarization(0.1, (0.4, 0.9), name="solarization", **v), L.RandomErasing((0.2, 0.4), scale=(0.1, 0.2), name="noise", **v),
                  L.RandomErasing(fill_value=0.5, name="value", **v), L.AutoContrast(name="contrast", **v), L.RandomGaussianBlur(sigma=0.5, name="blur", **v), L.RandomShear((0.1, 0.2), name="shear"),
                  L.RandomPerspective(0.5, scale=0.2, name="perspective"), L.RandomElasticTransform(scale=(0.1, 0.2), fill_mode="mirror", name="elastic", **v),
                  L.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=3.0, tile_grid_size=(2, 3), name="clahe", **v), L.MixUp(0.3, name="mix"), L.CutMix(name="cut")):
        h = layer(h)
    both = L.MixUp(name="both")({"images": h, "labels": labels})
    sound = keras.Input((40,), name="sound")
    spectra = L.STFTSpectrogram("magnitude", 8, frame_step=3, fft_length=16, window="hamming", name="stft")(L.Reshape((40, 1), name="column")(sound))
    mel = L.MelSpectrogram(16, 5, num_mel_bins=4, sampling_rate=4000, name="mel")(sound)
    parts = [L.Flatten(name="flat")(both["images"]), both["labels"], L.Flatten(name="spectra")(spectra), L.Flatten(name="mels")(mel)]
    yield "augmentation", keras.Model([image, labels, sound], L.Dense(2, name="end")(L.Concatenate(name="joined")(parts)), name="augmentation")


def texts():
    """Needs TensorFlow beside Keras."""
    try:
        import tensorflow  # noqa: F401
    except ImportError:
        print("texts.json: left as it is: TensorFlow is not installed")
        return
    review, word, number = (keras.Input((1,), dtype=d, name=n) for d, n in (("string", "review"), ("string", "word"), ("int64", "number")))
    words = ["good", "bad", "good film"]
    read = L.TextVectorization(20, ngrams=2, output_sequence_length=6, vocabulary=words, name="read")(review)
    parts = [L.Flatten(name="flat")(L.Embedding(20, 3, name="table")(read)),
             L.StringLookup(vocabulary=["a", "é"], mask_token="", num_oov_indices=2, salt=[1, 2], output_mode="one_hot", name="looked")(word),
             L.IntegerLookup(vocabulary=[5, -7], mask_token=0, oov_method="farmhash", num_oov_indices=3, output_mode="multi_hot", name="ids")(number),
             L.Hashing(4, mask_value="", salt=7, output_mode="count", name="bins")(word),
             L.Hashing(3, mask_value=5, output_mode="one_hot", name="number_bins")(number),
             L.HashedCrossing(6, output_mode="one_hot", name="crossed")([word, number])]
    yield "texts", keras.Model([review, word, number], L.Dense(2, name="end")(L.Concatenate(name="joined")(parts)), name="texts")


def make(folder):
    """Writes one file a model, and index.json: parameters, weight shapes, input and output shapes, layer names and classes."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index = {}
    keras.backend.clear_session()
    for name, model in [*tutorial(), *graphs(), *merging(), *curves(), *small(), *preprocessing(), *augmentation(), *texts()]:
        (folder / f"{name}.json").write_text(model.to_json(indent=1) + "\n")
        index[name] = {
            "class": type(model).__name__, "parameters": model.count_params(),
            "trainable": int(sum(v.value.size for v in model.trainable_weights)),
            "weights": {v.path: list(v.shape) for v in model.weights if "seed_generator" not in v.path},
            "inputs": [[d or -1 for d in t.shape] for t in model.inputs],
            "outputs": [[d or -1 for d in t.shape] for t in model.outputs],
            "layers": [[layer.name, type(layer).__name__] for layer in model.layers],
        }
    known = json.loads((folder / "index.json").read_text()) if (folder / "index.json").exists() else {}
    if "texts" in known:  # where there is no TensorFlow
        index.setdefault("texts", known["texts"])
    (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    return len(index)
