#!/usr/bin/env python3
"""Writes folders.txt: how jax.image.resize (Keras's own resize on that back end) and NumPy resize a small image, and how
numpy.random.RandomState shuffles. Needs numpy and jax, and tensorflow-cpu for tf.image.resize_with_pad, by which Keras's loader pads."""
import pathlib

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
NAMES = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5"}


def area(image, height, width):
    def matrix(n, m):
        a = np.zeros((m, n))
        for i in range(m):
            low, high = i * n / m, (i + 1) * n / m
            for k in range(n):
                a[i, k] = max(0.0, min(k + 1, high) - max(k, low)) * m / n
        return a
    return np.einsum("yi,xj,ijc->yxc", matrix(image.shape[0], height), matrix(image.shape[1], width), image)


def resize(image, method, height, width):
    image = image.astype("float64")
    if method == "area":
        return area(image, height, width)
    return np.asarray(jax.image.resize(image, (height, width, image.shape[2]), NAMES[method], antialias=False))


def crop(image, height, width):
    h, w = image.shape[:2]
    ch, cw = max(min(h, int(w * height / width)), 1), max(min(w, int(h * width / height)), 1)
    y, x = int((h - ch) / 2), int((w - cw) / 2)
    return image[y:y + ch, x:x + cw]


def pad(image, method, height, width):
    import tensorflow as tf
    return tf.image.resize_with_pad(image, height, width, method=method).numpy()


def main():
    lines = []
    image = np.random.RandomState(3).randint(0, 256, (7, 11, 1)).astype("uint8")
    lines.append("image 7 11 1 " + " ".join(map(str, image.ravel())))
    for height, width in [(4, 5), (16, 9), (1, 1), (3, 20)]:
        for method in [*NAMES, "area"]:
            for fit, change in [("stretch", lambda i, h, w: i), ("crop", crop), ("pad", None)]:
                if not change and (height, width) == (1, 1):
                    continue  # TensorFlow refuses what becomes no pixel
                got = resize(change(image, height, width), method, height, width) if change else pad(image, method, height, width)
                got = np.clip(got, 0, 255)
                lines.append(f"resize {method} {fit} {height} {width} " + " ".join(f"{v:.2f}" for v in got.ravel()))
    for seed, count in [(4294967295, 100), (0, 100), (7, 100)]:
        order = list(range(count))
        np.random.RandomState(seed).shuffle(order)
        lines.append(f"shuffle {seed} {count} " + " ".join(map(str, order)))
    pathlib.Path(__file__).with_name("folders.txt").write_text("\n".join(lines) + "\n")


main()
