"""Exported models, run: ONNX by what its specification says of each operator (https://onnx.ai/onnx/operators), written
with NumPy and nothing of lockstep in mind, C through ctypes, PyTorch by itself.

    exports.py data                   makes the inputs and targets of the test
    exports.py onnx|c|torch NAME...   says of NAME.x.npy what is in NAME.npy
    exports.py gpt LOSS               gpt.onnx has that loss over the windows of the text
"""
import ctypes
import json
import math
import sys

import numpy as np

TOLERANCE = 1e-5


def make_data():
    random = np.random.default_rng(1)

    def save(name, x, y):
        np.save(f"{name}.x.npy", x.astype("f4"))
        np.save(f"{name}.y.npy", y)

    x = random.normal(size=(48, 2, 8, 8))
    save("unet", x, np.digitize(x.sum(1), (-1, 1)).astype("u1"))
    x = random.normal(size=(48, 12, 3))
    save("sequence", x * [1, 30, 0.1] + [0, -50, 7], (x.mean((1, 2)) > 0) + 2 * (x[:, :4].mean((1, 2)) > 0).astype("i4"))
    x = random.normal(3, 2, size=(48, 1, 4, 6, 4))
    save("volume", x[:, 0], (10 * np.roll(x, 1, 3) + x ** 2).astype("f4"))
    open("text", "w").write(" ".join(random.choice("the quick brown fox jumps over a lazy dog".split(), 300)))


def assert_near(found, expected):
    assert found.shape == expected.shape, (found.shape, expected.shape)
    worst = np.abs(found - expected) / (1 + np.abs(expected))
    assert worst.max() <= TOLERANCE, (worst.max(), found[0].ravel()[:4], expected[0].ravel()[:4])


# ---- ONNX ----

def attributes_of(node):
    import onnx
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def windows_of(x, own, fill):
    """[N, C, places..., kernel...]"""
    kernel, sides = own["kernel_shape"], len(own["kernel_shape"])
    pads = own.get("pads", [0] * 2 * sides)
    x = np.pad(x, [(0, 0), (0, 0)] + list(zip(pads[:sides], pads[sides:])), constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, tuple(range(2, 2 + sides)))
    return windows[(slice(None), slice(None)) + tuple(slice(None, None, stride) for stride in own["strides"])]


def conv(own, x, w, b=None):
    sides = w.ndim - 2
    y = np.tensordot(windows_of(x, own, 0), w, ([1] + list(range(2 + sides, 2 + 2 * sides)), list(range(1, w.ndim))))
    return np.moveaxis(y if b is None else y + b, -1, 1)


def pool(of):
    return lambda own, x: of(windows_of(x, own, 0), tuple(range(-len(own["kernel_shape"]), 0)))


def norm(x, axes, epsilon):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def layer_norm(own, x, weight, bias=0):
    return norm(x, tuple(range(own["axis"] % x.ndim, x.ndim)), own["epsilon"]) * weight + bias


def by_channel(x, values):
    return values.reshape((-1,) + (1,) * (x.ndim - 2))


def instance_norm(own, x, weight, bias):
    return norm(x, tuple(range(2, x.ndim)), own["epsilon"]) * by_channel(x, weight) + by_channel(x, bias)


def batch_norm(own, x, weight, bias, mean, variance):
    slope = weight / np.sqrt(variance + own["epsilon"])
    return (x - by_channel(x, mean)) * by_channel(x, slope) + by_channel(x, bias)


def resize(own, x, roi, scales):
    assert roi is None
    mode, where = own["mode"], own["coordinate_transformation_mode"]
    for axis, scale in enumerate(scales):
        n = x.shape[axis]
        o = np.arange(int(n * scale))
        if (mode, where) == (b"nearest", b"asymmetric"):
            assert own["nearest_mode"] == b"floor"
            x = x.take(np.floor(o / scale).astype(int), axis)
        else:
            assert (mode, where) == (b"linear", b"half_pixel")
            at = (o + 0.5) / scale - 0.5
            low = np.floor(at).astype(int)
            share = (at - low).reshape((-1,) + (1,) * (x.ndim - 1 - axis))
            x = (1 - share) * x.take(low.clip(0, n - 1), axis) + share * x.take((low + 1).clip(0, n - 1), axis)
    return x


def softmax(own, x):
    shares = np.exp(x - x.max(own["axis"], keepdims=True))
    return shares / shares.sum(own["axis"], keepdims=True)


def reshape(own, x, shape):
    return x.reshape([x.shape[d] if size == 0 else size for d, size in enumerate(shape)])


def slice_of(own, x, begins, ends, axes):
    for begin, end, axis in zip(begins, ends, axes):
        x = x.take(range(begin, min(end, x.shape[axis])), axis)
    return x


def gemm(own, x, w, b=0):
    assert set(own) == {"transB"} and own["transB"] == 1
    return x @ w.T + b


OPERATORS = {
    "Add": lambda own, a, b: a + b,
    "AveragePool": pool(np.mean),
    "BatchNormalization": batch_norm,
    "Concat": lambda own, *parts: np.concatenate(parts, own["axis"]),
    "Conv": conv,
    "Div": lambda own, a, b: a / b,
    "Erf": lambda own, x: np.vectorize(math.erf)(x),
    "Flatten": lambda own, x: x.reshape(len(x), -1),
    "Gather": lambda own, rows, which: rows[which],
    "Gemm": gemm,
    "InstanceNormalization": instance_norm,
    "LayerNormalization": layer_norm,
    "MatMul": lambda own, a, b: a @ b,
    "MaxPool": pool(np.max),
    "Mul": lambda own, a, b: a * b,
    "ReduceMean": lambda own, x: x.mean(tuple(own["axes"]), keepdims=own.get("keepdims", 1) == 1),
    "Relu": lambda own, x: np.maximum(x, 0),
    "Reshape": reshape,
    "Resize": resize,
    "Sigmoid": lambda own, x: 1 / (1 + np.exp(-x)),
    "Slice": slice_of,
    "Softmax": softmax,
    "Sqrt": lambda own, x: np.sqrt(x),
    "Sub": lambda own, a, b: a - b,
    "Tanh": lambda own, x: np.tanh(x),
    "Transpose": lambda own, x: x.transpose(own["perm"]),
}


def run_onnx(path, **inputs):
    import onnx
    import onnx.numpy_helper
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    values = {"": None, **inputs}
    for tensor in model.graph.initializer:
        value = onnx.numpy_helper.to_array(tensor)
        values[tensor.name] = value.astype("f8") if value.dtype == "f4" else value
    for node in model.graph.node:
        values[node.output[0]] = OPERATORS[node.op_type](attributes_of(node), *(values[name] for name in node.input))
    for ends, name in (model.graph.output, "y"), (model.graph.input, next(iter(inputs))):
        sizes = [d.dim_value for d in ends[0].type.tensor_type.shape.dim]
        assert ends[0].name == name and sizes[1:] == list(values[name].shape[1:]), (name, sizes, values[name].shape)
    return values["y"]


def inputs_of(name):
    x = np.load(f"{name}.x.npy")
    return x[:, None] if name == "volume" else x  # an array [N, depth, height, width] has one channel


def check_onnx(name):
    assert_near(run_onnx(f"{name}.onnx", x=inputs_of(name).astype("f8")), np.load(f"{name}.npy"))


def check_gpt(loss):
    text = open("text").read()
    names = json.loads(json.dumps(sorted(set(text))))
    tokens = np.array([names.index(c) for c in text])
    total, count, context, last = 0, 0, 12, len(tokens) - 13
    for tile in range(0, len(tokens) - 1, context):
        begin = min(tile, last)  # the last window reaches back, and counts only what is new
        z = run_onnx("gpt.onnx", tokens=tokens[None, begin:begin + context])[0]
        logs = z - np.log(np.exp(z).sum(1, keepdims=True))
        losses = -logs[np.arange(context), tokens[begin + 1:begin + context + 1]][tile - begin:]
        total, count = total + losses.sum(), count + len(losses)
    assert abs(total / count - float(loss)) < 2e-5 * (1 + abs(float(loss))), (total / count, loss)


# ---- others ----

def check_c(name):
    inputs, expected = np.load(f"{name}.x.npy"), np.load(f"{name}.npy")
    shapes = {"unet": (48, 3, 8, 8), "sequence": (48, 4), "volume": np.load("volume.y.npy").shape}
    assert expected.shape == shapes[name], expected.shape
    predict = getattr(ctypes.CDLL(f"./{name}.so"), f"{name}_predict")
    found = np.zeros_like(expected)
    for x, y in zip(inputs, found):
        predict(np.ascontiguousarray(x).ctypes.data_as(ctypes.c_void_p), y.ctypes.data_as(ctypes.c_void_p))
    assert_near(found, expected)


def check_torch(name):
    import torch
    x, expected, program = inputs_of(name), np.load(f"{name}.npy"), {}
    try:
        import safetensors.torch  # noqa: F401
    except ImportError:  # its format is simple
        sys.modules["safetensors"] = sys.modules["safetensors.torch"] = type(sys)("safetensors.torch")
        sys.modules["safetensors.torch"].load_file = load_file
    exec(open(f"{name}.torch.py").read(), program)
    if name != "unet":  # what training has prepared, which --prepare does elsewhere
        axes = (0, 1) if name == "sequence" else None
        x = ((x.astype("f8") - x.mean(axes, "f8")) / x.std(axes, "f8")).astype("f4")
    if name == "volume":
        y = np.load(f"{name}.y.npy").astype("f8")
        expected = (expected - y.mean(0)) / y.std(0)
    with torch.no_grad():
        found = program["model"](torch.from_numpy(x)).numpy()
    assert np.abs(found.reshape(expected.shape) - expected).max() < 2e-5 * (1 + np.abs(expected).max())


def load_file(path):
    import torch
    data = open(path, "rb").read()
    length = int.from_bytes(data[:8], "little")
    header, tensors = json.loads(data[8:8 + length]), {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            values = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"]).copy()
            tensors[name] = torch.from_numpy(values)
    return tensors


def main():
    command, names = sys.argv[1], sys.argv[2:]
    if command == "data":
        make_data()
    elif command == "gpt":
        check_gpt(*names)
    else:
        for name in names:
            {"onnx": check_onnx, "c": check_c, "torch": check_torch}[command](name)


main()
