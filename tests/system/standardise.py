"""The table of the test `standardise`, and what NumPy says about it.

    standardise.py write                                 table.csv
    standardise.py channels CHECKPOINT FILE SHAPE       those of inputs [N, SHAPE] that a model reads as such (1x4x3)
   standardise.py compare CHECKPOINT METRICS ANSWERS    those of a run on its first 80 %, and the predictions for all of it
"""
import csv
import json
import sys

import numpy as np

COLOURS = ["blue", "green", "red"]
SAMPLES, TRAINED = 1000, 800


def write():
    random = np.random.default_rng(4)
    with open("table.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["weight", "current", "colour", "lens", "price", "size"])
        for _ in range(SAMPLES):
            weight, current, colour = random.normal(1000, 30), random.uniform(-1e-4, 1e-4), random.integers(3)
            table.writerow([weight, current, COLOURS[colour], 0.1, 5e4 + 100 * weight + 1e7 * current + 500 * colour,
                            1e-3 * current * weight])


    # Sequences and volumes, as they come without a dimension of channels, or with one.
    x = random.normal([1, -20, 300], [0.5, 4, 60], (64, 8, 3)).astype("f4")
    np.save("sequences.npy", x)
    np.save("sequences1.npy", x[:, None])
    np.save("sequence_labels.npy", (x[:, :, 1].mean(1) > -20).astype("i4"))
    x = (random.normal(5, 3, (64, 4, 6, 5)) + np.arange(4)[:, None, None]).astype("f4")
    np.save("volumes.npy", x)
    np.save("volumes1.npy", x[:, None])
    np.save("volume_labels.npy", (x.mean((1, 2, 3)) > 6.5).astype("i4"))


def channels(checkpoint, file, shape):
    about, x, sizes = about_of(checkpoint), np.load(file).astype(float), [int(size) for size in shape.split("x")]
    if about["input"] != sizes:
        sys.exit(f"inputs are {about['input']}, not {sizes}")
    x = x.reshape(len(x), *sizes)
    axes = (0, 1) if len(sizes) == 2 else (0, 2, 3, 4)
    close("means of channels", about["input_mean"], x.mean(axes), 1e-6)
    close("deviations of channels", about["input_scale"], x.std(axes), 1e-6)


def about_of(checkpoint):
    import h5py

    with h5py.File(checkpoint, "r") as file:
        data = file.attrs["data"]
        return json.loads(data if isinstance(data, str) else data.decode())


def columns():
    with open("table.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    number = lambda name: np.array([row[name] for row in rows], np.float32).astype(float)
    kinds = [np.array([row["colour"] == colour for row in rows], float) for colour in COLOURS]
    return (np.stack([number("weight"), number("current"), *kinds, number("lens")], 1),
            np.stack([number("price"), number("size")], 1))


def close(what, found, expected, tolerance):
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    if not np.all(np.abs(found - expected) <= tolerance * np.abs(expected)):
        sys.exit(f"{what}: {found} where NumPy has {expected}")


def compare(checkpoint, metrics, answers):
    import h5py

    x, y = columns()
    mean, scale = x[:TRAINED].mean(0), x[:TRAINED].std(0)
    mean[2:5], scale[2:6] = 0, 1 # categories, and what is constant
    about = about_of(checkpoint)
    with h5py.File(checkpoint, "r") as file:
        weights = {name: np.array(tensor, float) for name, tensor in file["model"].items()}
    close("means of inputs", about["input_mean"], mean, 1e-6)
    close("deviations of inputs", about["input_scale"], scale, 1e-6)
    close("means of targets", about["target_mean"], y[:TRAINED].mean(0), 1e-6)
    close("deviations of targets", about["target_scale"], y[:TRAINED].std(0), 1e-6)

    input_mean, input_scale, target_mean, target_scale = (
        np.array(about[key]) for key in ("input_mean", "input_scale", "target_mean", "target_scale"))
    hidden = np.tanh((x[TRAINED:] - input_mean) / input_scale @ weights["0.dense.weight"].T + weights["0.dense.bias"])
    outputs = hidden @ weights["2.dense.weight"].T + weights["2.dense.bias"]
    error, there = outputs * target_scale + target_mean - y[TRAINED:], y[TRAINED:] - y[TRAINED:].mean(0)
    close("answers", np.load(answers)[TRAINED:], outputs * target_scale + target_mean, 1e-4)
    with open(metrics) as file:
        last = [line for line in map(json.loads, file) if line.get("event") == "validation"][-1]
    close("mae", last["mae"], np.abs(error).mean(), 1e-4)
    close("rmse", last["rmse"], np.sqrt((error**2).mean()), 1e-4)
    close("r2", last["r2"], 1 - (error**2).sum() / (there**2).sum(), 1e-5)
    close("loss", last["loss"], ((error / target_scale) ** 2).mean(), 1e-4)


if sys.argv[1] == "write":
    write()
elif sys.argv[1] == "channels":
    channels(*sys.argv[2:])
else:
    compare(*sys.argv[2:])
