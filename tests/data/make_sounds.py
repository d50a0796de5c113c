#!/usr/bin/env python3
"""Writes tests/data/sounds/ and tests/data/sounds.txt: WAV files of every form with the numbers that TensorFlow or SciPy
read from them, sounds resampled by scipy.signal.resample_poly, windows of keras.utils.timeseries_dataset_from_array and
padded sequences of keras.utils.pad_sequences.

    tests/data/make_sounds.py            needs TensorFlow, Keras and SciPy"""
import pathlib
import struct
import keras
import numpy as np
import scipy.signal
import tensorflow as tf

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE / "sounds"
FRAMES, CHANNELS = 11, 2


def riff(fmt, data, extra=b""):
    body = b"WAVE" + extra + b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def plain(tag, bits, width):
    return struct.pack("<HHIIHH", tag, CHANNELS, 8000, 8000 * CHANNELS * width, CHANNELS * width, bits)


def extensible(tag, bits, width):
    guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
    return plain(0xFFFE, bits, width) + struct.pack("<HHI", 22, bits, 3) + guid


def wav_files(out):
    sound = np.sin(np.arange(FRAMES * CHANNELS) * 0.7).reshape(FRAMES, CHANNELS) * 0.9
    sound[0] = -1, 1
    for width in (1, 2, 3, 4):
        whole = np.clip(np.round(sound * 2 ** (8 * width - 1)), -2 ** (8 * width - 1), 2 ** (8 * width - 1) - 1).astype("i8")
        stored = whole + 128 if width == 1 else whole
        data = b"".join(int(v).to_bytes(width, "little", signed=width > 1) for v in stored.ravel())
        for name, fmt in (("plain", plain), ("extensible", extensible)):
            bytes_ = riff(fmt(1, 8 * width, width), data, b"LIST" + struct.pack("<I", 3) + b"abc\0")
            (FOLDER / f"int{8 * width}_{name}.wav").write_bytes(bytes_)
        values = whole / 2 ** (8 * width - 1)
        if width == 2:
            read, rate = tf.audio.decode_wav(riff(plain(1, 16, 2), data))
            assert rate == 8000 and np.array_equal(read.numpy(), values.astype("f4"))
        out(f"wav int{8 * width}", values.ravel())
    for width, kind in ((4, "<f4"), (8, "<f8")):
        data = sound.astype(kind).tobytes()
        (FOLDER / f"float{8 * width}_plain.wav").write_bytes(riff(plain(3, 8 * width, width), data))
        (FOLDER / f"float{8 * width}_extensible.wav").write_bytes(riff(extensible(3, 8 * width, width), data))
        out(f"wav float{8 * width}", sound.ravel())


def resampled(out):
    random = np.random.RandomState(1)
    for rate, new, frames in ((44100, 16000, 200), (16000, 44100, 40), (8000, 16000, 7), (48000, 8000, 100),
                              (44100, 48000, 50), (3, 2, 1), (2, 7, 5), (22050, 11025, 33)):
        sound = random.uniform(-1, 1, frames).astype("f4")
        out(f"resample {rate} {new} {frames}", sound)
        out("to", scipy.signal.resample_poly(sound.astype("f8"), new, rate))


def windows(out):
    series = np.arange(40 * 2).reshape(40, 2).astype("f4")
    targets = np.arange(40).astype("i4") * 10
    for length, stride, rate, start, end, shuffle, seed in (
            (3, 1, 1, None, None, False, 0), (4, 2, 3, None, None, False, 0), (5, 3, 2, 4, 33, False, 0),
            (3, 1, 1, None, None, True, 7), (2, 5, 4, 3, None, False, 0), (40, 1, 1, None, None, False, 0)):
        data = keras.utils.timeseries_dataset_from_array(series, targets, length, stride, rate, None, False, None, start, end)
        rows = [np.concatenate([x.numpy().ravel(), [y.numpy()]]) for x, y in data]
        if shuffle:  # what tf.data shuffles on top cannot be had elsewhere
            order = np.arange(len(rows))
            np.random.RandomState(seed).shuffle(order)
            rows = [rows[i] for i in order]
        out(f"windows {length} {stride} {rate} {start or 0} {-1 if end is None else end} {int(shuffle)} {seed} {len(rows)}",
            np.concatenate(rows))


def padded(out):
    lists = [[1], [2, 3], [4, 5, 6, 7, 8], [9, 10, 11]]
    for maxlen in (None, 3, 6):
        for padding in ("pre", "post"):
            for truncating in ("pre", "post"):
                made = keras.utils.pad_sequences(lists, maxlen, padding=padding, truncating=truncating, value=-1)
                out(f"pad {maxlen or 0} {padding} {truncating} {made.shape[1]}", made.ravel())


def main():
    FOLDER.mkdir(exist_ok=True)
    lines = []

    def out(head, numbers):
        lines.append(head)
        lines.append(" ".join(f"{n:.9g}" for n in np.asarray(numbers, "f8")))

    wav_files(out)
    resampled(out)
    windows(out)
    padded(out)
    (HERE / "sounds.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
