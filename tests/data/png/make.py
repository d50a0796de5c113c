"""Writes small PNG files of every kind that needs care, and what PIL reads from them laid over white.

For each NAME.png, NAME.raw has the bytes (height, width, 1 or 3) that cj_load_image() has to give.
Run in this folder with Pillow (the files here are of 13.0):  python3 make.py
"""
import struct
import zlib

from PIL import Image

SIDE = 4
SAMPLES = [0, 17 * 257, 0x1234, 0x80FF, 65535, 0x7F00, 0x00FF, 0xABCD,
           1, 255, 256, 257, 0x4000, 0xC000, 0xFFFE, 0x8000]
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(name, colour, depth, pixel, extra=b"", interlaced=False):
    """`pixel(x, y)` gives the samples of a pixel."""
    def row(xs, y):
        return b"\0" + b"".join(struct.pack(">H" if depth == 16 else "B", s) for x in xs for s in pixel(x, y))
    rows = b""
    for x0, y0, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        for y in range(y0, SIDE, dy):
            if x0 < SIDE:
                rows += row(range(x0, SIDE, dx), y)
    header = struct.pack(">IIBBBBB", SIDE, SIDE, depth, colour, 0, 0, int(interlaced))
    with open(name + ".png", "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows))
                + chunk(b"IEND", b""))
    expected(name)


def expected(name):
    image = Image.open(name + ".png")
    image.load()
    grey = image.mode in ("L", "LA", "I;16", "I", "1")
    if image.mode in ("I;16", "I"):  # PIL keeps 16 bits of grey; of colours it takes the upper byte
        image = Image.frombytes("L", image.size, bytes(v >> 8 for v in image.getdata()))
    if "transparency" in image.info or image.mode in ("LA", "RGBA", "PA"):
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, (255, 255, 255))
        paper.paste(image.convert("RGB"), mask=image.getchannel("A"))
        image = paper
    image = image.convert("L" if grey else "RGB")
    if grey:
        assert image.mode == "L"
    with open(name + ".raw", "wb") as f:
        f.write(image.tobytes())


def sample(x, y, shift=0):
    return SAMPLES[(y * SIDE + x + shift) % 16]


png("grey16", 0, 16, lambda x, y: [sample(x, y)])
png("rgb16", 2, 16, lambda x, y: [sample(x, y, k) for k in (0, 5, 9)])
png("rgba16", 6, 16, lambda x, y: [sample(x, y, k) for k in (0, 5, 9, 3)])
png("grey_alpha", 4, 8, lambda x, y: [sample(x, y) >> 8, sample(x, y, 7) >> 8])
png("rgba", 6, 8, lambda x, y: [sample(x, y, k) >> 8 for k in (0, 5, 9, 3)])
png("rgba_interlaced", 6, 8, lambda x, y: [sample(x, y, k) >> 8 for k in (0, 5, 9, 3)], interlaced=True)
png("grey_gamma", 0, 8, lambda x, y: [sample(x, y) >> 8], chunk(b"gAMA", struct.pack(">I", 100000)))
png("rgb_gamma", 2, 8, lambda x, y: [sample(x, y, k) >> 8 for k in (0, 5, 9)],
    chunk(b"gAMA", struct.pack(">I", 45455)))
png("palette", 3, 8, lambda x, y: [(x + y) % 4],
    chunk(b"PLTE", bytes([10, 20, 30, 200, 100, 0, 255, 255, 255, 1, 2, 3])) + chunk(b"tRNS", bytes([255, 128, 0, 7])))
