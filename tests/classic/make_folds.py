#!/usr/bin/env python3
"""Writes folds.txt: which fold scikit-learn tests each sample in. A case is a line of "kind folds shuffle seed", a line of
labels and a line of folds. Needs scikit-learn."""
import pathlib

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

random = np.random.RandomState(11)


def folds_of(splitter, labels):
    of = np.full(len(labels), -1)
    for fold, (_, tested) in enumerate(splitter.split(np.zeros(len(labels)), labels)):
        of[tested] = fold
    return of


def main():
    lines = []
    cases = []
    for samples, folds in (2, 2), (10, 3), (43, 5), (64, 7), (9, 9):
        cases.append(("plain", folds, random.randint(0, 3, samples)))
    for classes, shares in (2, None), (3, [0.7, 0.2, 0.1]), (5, None):
        labels = random.choice(classes, 47, p=shares)
        cases += [("stratified", folds, labels) for folds in (2, 3, 5)]
    cases.append(("stratified", 4, np.sort(random.randint(0, 4, 30))))
    cases.append(("stratified", 5, 7 * random.randint(2, 5, 26) - 3))
    for kind, folds, labels in cases:
        for shuffle, seed in (0, 0), (1, 0), (1, 12345):
            make = KFold if kind == "plain" else StratifiedKFold
            splitter = make(folds, shuffle=bool(shuffle), random_state=seed if shuffle else None)
            lines.append(f"{kind} {folds} {shuffle} {seed}")
            lines.append(" ".join(map(str, labels)))
            lines.append(" ".join(map(str, folds_of(splitter, labels))))
    path = pathlib.Path(__file__).with_name("folds.txt")
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
