#!/usr/bin/env python3
"""Writes photos/*.jpg and photos.txt: what keras.utils.image_dataset_from_directory makes of JPEG files of several kinds.
Needs keras, tensorflow-cpu, numpy and pillow."""
import pathlib
import shutil
import tempfile

import keras
import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).parent
PHOTOS = HERE / "photos"


def write():
    PHOTOS.mkdir(exist_ok=True)
    random = np.random.default_rng(5)

    def photo(width, height):
        small = random.integers(0, 255, (height // 8 + 2, width // 8 + 2, 3), "u1")
        return Image.fromarray(small).resize((width, height), Image.BICUBIC)
    photo(67, 45).save(PHOTOS / "half.jpg", quality=85, subsampling="4:2:0")
    photo(64, 50).save(PHOTOS / "whole.jpg", quality=95, subsampling="4:4:4")
    photo(50, 97).save(PHOTOS / "across.jpg", quality=80, subsampling="4:2:2")
    photo(70, 61).save(PHOTOS / "progressive.jpg", quality=85, progressive=True)
    photo(39, 41).convert("L").save(PHOTOS / "grey.jpg", quality=90)
    photo(48, 33).convert("CMYK").save(PHOTOS / "inks.jpg", quality=90)
    photo(1, 1).save(PHOTOS / "dot.jpg")
    Image.fromarray(np.array([[[200, 100, 50, 0], [10, 20, 30, 128]]], "u1"), "RGBA").save(PHOTOS / "clear.png")
    y, x = np.mgrid[:4, :5]
    Image.fromarray((7777 * y + 1000 * x + 3).astype("uint16")).save(PHOTOS / "deep.png")


def rows(name, mode, method, height, width, change):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "a").mkdir()
        shutil.copy(PHOTOS / name, pathlib.Path(folder) / "a" / name)
        settings = {"crop": {"crop_to_aspect_ratio": True}, "pad": {"pad_to_aspect_ratio": True}, "stretch": {}}[change]
        data = keras.utils.image_dataset_from_directory(folder, label_mode=None, color_mode=mode, image_size=(height, width), interpolation=method,
                                                        shuffle=False, verbose=False, **settings)
        numbers = next(iter(data)).numpy()[0]
    return f"{name} {mode} {method} {change} {height} {width} " + " ".join(f"{v:.2f}" for v in numbers.ravel())


def main():
    write()
    lines = []
    for path in sorted(PHOTOS.glob("*.jpg")):
        for mode in ["rgb", "grayscale"]:
            if path.name == "inks.jpg" and mode == "grayscale":
                continue  # TensorFlow does not make grey of CMYK
            lines.append(rows(path.name, mode, "bilinear", 7, 9, "stretch"))
        lines.append(rows(path.name, "rgb", "bilinear", 8, 5, "pad"))
        lines.append(rows(path.name, "rgb", "bilinear", 5, 8, "crop"))
    lines.append(rows("clear.png", "rgb", "bilinear", 1, 2, "stretch"))
    for method in ["nearest", "bicubic", "area", "lanczos3", "lanczos5"]:
        lines.append(rows("half.jpg", "rgb", method, 6, 11, "stretch"))
    for size in [(45, 67), (50, 9), (44, 20)]:  # as it is, larger, and every row needed
        lines.append(rows("half.jpg", "grayscale", "bilinear", *size, "stretch"))
    (HERE / "photos.txt").write_text("\n".join(lines) + "\n")


main()
