#!/usr/bin/env python3
"""Writes the files of tests/fuzz/corpus that no other script makes: tables, BMP images and a JPEG with Exif.

    tests/fuzz/make_corpus.py            needs Pillow"""
import pathlib
import struct
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent / "corpus"
TABLES = {
    "plain.csv": b"size,kind,price\n1.5,a,3\n2,b,4e2\n,a,-5\n",
    "quotes.csv": b'\xef\xbb\xbf"a ""b""";"c;d";e\r\n"x\r\ny";1;"2"\r\n"";NA;"z"\r\n',
    "tabs.tsv": b"1\t2\t3\n4\t5\t6\n",
    "ragged.csv": b"a,b\n1\n1,2,3\n1,2\n",
    "return.csv": b"a|b\r1|2\r3|?\r",
}


def main():
    for name, table in TABLES.items():
        (HERE / "csv").mkdir(exist_ok=True)
        (HERE / "csv" / name).write_bytes(table)
    picture = Image.new("RGB", (5, 3))
    picture.putdata([(i * 16, 255 - i * 9, i * i) for i in range(15)])
    picture.save(HERE / "image/colour.bmp")
    picture.quantize(7).save(HERE / "image/palette.bmp")
    picture.convert("1").save(HERE / "image/bits.bmp")
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x112, 3, 1, 6, 0, 0)
    picture.save(HERE / "image/exif.jpg", exif=exif)


if __name__ == "__main__":
    main()
