#!/usr/bin/env python3
"""Writes tests/data/pictures/: GIF and WebP files, and pictures.txt with the RGBA numbers that PIL reads from them.

    tests/data/make_pictures.py            needs Pillow"""
import pathlib
import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent / "pictures"
WIDTH, HEIGHT = 7, 11


def main():
    HERE.mkdir(exist_ok=True)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    colour = np.stack([x * 36, y * 23, (x * y) % 11 * 20], -1).astype("u1")
    alpha = ((x + y) % 3 * 100 + 55).astype("u1")
    rgba = Image.fromarray(np.dstack([colour, alpha]))
    rgb = Image.fromarray(colour)
    palette = rgb.quantize(16)
    hole = Image.fromarray(((x + 2 * y) % 8).astype("u1"), "P")
    hole.putpalette([v for i in range(8) for v in (i * 30, 255 - i * 30, i * i)])
    palette.save(HERE / "plain.gif", interlace=0)
    palette.save(HERE / "interlaced.gif", interlace=1)
    hole.save(HERE / "transparent.gif", transparency=3, interlace=0)
    palette.save(HERE / "animated.gif", save_all=True, append_images=[palette.rotate(180)], duration=50, interlace=0)
    rgb.save(HERE / "lossy.webp", quality=80)
    rgb.save(HERE / "lossless.webp", lossless=True)
    rgba.save(HERE / "alpha.webp", lossless=True, exact=True)
    rgba.save(HERE / "alpha.png")
    Image.fromarray(np.dstack([alpha, 255 - alpha]), "LA").save(HERE / "grey_alpha.png")
    lines = []
    for path in sorted(HERE.glob("*.*")):
        if path.suffix != ".txt":
            pixels = np.asarray(Image.open(path).convert("RGBA"))
            lines += [f"{path.name} {HEIGHT} {WIDTH}", " ".join(map(str, pixels.ravel()))]
    (HERE / "pictures.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
