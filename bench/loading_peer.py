#!/usr/bin/env python3
"""What bench/loading.c is measured against, and the data for both.

    loading_peer.py write FOLDER [COUNT]       COUNT photos of 500 x 375 (1000) as JPEG in FOLDER/photos, and a table of
                                               COUNT x 100 rows of 30 numbers as FOLDER/table.csv
    loading_peer.py torch FOLDER/photos [SIDE] [WORKERS]    torch.utils.data.DataLoader over Pillow
    loading_peer.py keras FOLDER/photos [SIDE]              keras.utils.image_dataset_from_directory on TensorFlow
    loading_peer.py pandas FOLDER/table.csv"""
import pathlib
import sys
import time


def write(folder, count=1000):
    import numpy as np
    from PIL import Image
    random = np.random.default_rng(1)
    folder = pathlib.Path(folder)
    for kind in "ab":
        (folder / "photos" / kind).mkdir(parents=True, exist_ok=True)
    for i in range(int(count)):
        small = random.integers(0, 255, (25, 19, 3), "u1")  # smooth, with some grain, as photos are
        photo = np.asarray(Image.fromarray(small).resize((500, 375), Image.BICUBIC)).astype("i2")
        photo = np.clip(photo + random.integers(-12, 12, photo.shape), 0, 255).astype("u1")
        Image.fromarray(photo).save(folder / "photos" / "ab"[i % 2] / f"{i:06}.jpg", quality=90)
    rows = random.normal(size=(int(count) * 100, 30))
    np.savetxt(folder / "table.csv", rows, fmt="%.6g", delimiter=",", header=",".join(f"c{i}" for i in range(30)), comments="")


def tell(count, took):
    print(f"{count} in {took:.3f} s, {count / took:.0f} a second")


def torch(folder, side=64, workers=2):
    import numpy as np
    import torch as t
    from PIL import Image

    class Photos(t.utils.data.Dataset):
        def __init__(self):
            self.paths = sorted(pathlib.Path(folder).glob("*/*.jpg"))

        def __len__(self):
            return len(self.paths)

        def __getitem__(self, index):
            photo = Image.open(self.paths[index]).convert("RGB").resize((int(side), int(side)), Image.BILINEAR, reducing_gap=None)
            return t.from_numpy(np.array(photo)), int(self.paths[index].parent.name == "b")

    loader = t.utils.data.DataLoader(Photos(), batch_size=32, num_workers=int(workers), persistent_workers=int(workers) > 0)
    for _ in range(2):  # the first pass starts the workers
        begin, count = time.perf_counter(), 0
        for x, _y in loader:
            count += len(x)
        tell(count, time.perf_counter() - begin)


def keras(folder, side=64):
    import keras as k
    data = k.utils.image_dataset_from_directory(folder, image_size=(int(side), int(side)), shuffle=False, verbose=False)
    for _ in range(2):
        begin, count = time.perf_counter(), 0
        for x, _y in data:
            count += len(x)
        tell(count, time.perf_counter() - begin)


def pandas(path):
    import pandas as p
    begin = time.perf_counter()
    rows = len(p.read_csv(path))
    took = time.perf_counter() - begin
    print(f"{rows} rows in {took:.3f} s, {pathlib.Path(path).stat().st_size / took * 1e-6:.0f} MB a second")


if __name__ == "__main__":
    {"write": write, "torch": torch, "keras": keras, "pandas": pandas}[sys.argv[1]](*sys.argv[2:])
