"""Weights as other programs see them. Nothing here was written with the sources of lockstep in mind: files are read by
h5py and NumPy, and by a reader of safetensors made from the published format; models are run as their own formulas say.

    weights.py data                                  makes the images, labels and text of the test
    weights.py own CHECKPOINT ARRAY FILE...          FILE holds /model (ARRAY: params) or /optimizer/ARRAY by our names
    weights.py same CHECKPOINT FILE...               the lockstep weights in FILE are the checkpoint's
    weights.py began CHECKPOINT OTHER                the weights of OTHER are the checkpoint's, and so are its averages
    weights.py keras CHECKPOINT FILE LOSS            the network of the test, channels last, has that validation loss
    weights.py gpt CHECKPOINT FILE LOSS GELU         GPT-2, as Hugging Face has it, has that validation loss
    weights.py c LIBRARY LOSS                        cnn_predict in it has that validation loss, in probabilities
    weights.py write CHECKPOINT KIND FILE            writes the checkpoint's weights as other programs would
"""
import ctypes
import json
import math
import struct
import sys

import h5py
import numpy as np


def safetensors(path):
    """https://huggingface.co/docs/safetensors: tensors by name, and the metadata."""
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    assert data[8:9] == b"{" and length % 8 == 0, "the header begins with { and keeps the data aligned"
    metadata, end, tensors = header.pop("__metadata__", {}), 0, {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, last = entry["data_offsets"]
        assert begin == end, "no gaps"
        end = last
        assert entry["dtype"] == "F32"
        tensors[name] = np.frombuffer(data[8 + length + begin:8 + length + last], "<f4").reshape(entry["shape"])
    assert 8 + length + end == len(data), "nothing behind the data"
    assert all(isinstance(value, str) for value in metadata.values())
    return tensors, metadata


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)


def tensors_of(path):
    if path.endswith(".npz"):
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    if path.endswith(".safetensors"):
        return safetensors(path)[0]
    with h5py.File(path, "r") as file:
        return {name: file["model"][name][...] for name in file["model"]}


def checkpoint(path, array="params"):
    with h5py.File(path, "r") as file:
        group = file["model"] if array == "params" else file["optimizer"][array]
        return {name: group[name][...] for name in group}


def assert_equal(found, expected):
    assert set(found) == set(expected), sorted(set(found) ^ set(expected))
    for name in expected:
        assert found[name].dtype == np.float32 and found[name].shape == expected[name].shape, name
        assert np.array_equal(found[name], expected[name]), name


def assert_loss(found, expected):
    assert abs(found - float(expected)) < 2e-5 * (1 + abs(found)), (found, expected)


# ---- data ----

def write_idx(path, array):
    array = np.asarray(array)
    kind = 0x08 if array.dtype == np.uint8 else 0x0D
    with open(path, "wb") as file:
        file.write(struct.pack(">HBB", 0, kind, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape))
        file.write(array.astype(">f4").tobytes() if kind == 0x0D else array.tobytes())


def make_data():
    rng = np.random.default_rng(1)
    images = rng.normal(size=(96, 2, 9, 7)).astype(np.float32)
    labels = (images[:, 0].mean((1, 2)) > images[:, 1].mean((1, 2))).astype(np.uint8)
    labels += 2 * (images[:, 0, :4].mean((1, 2)) > 0).astype(np.uint8)
    write_idx("images", images)
    write_idx("labels", labels)
    words = "the quick brown fox jumps over a lazy dog and naps".split()
    text = " ".join(rng.choice(words, 400))
    open("text", "w").write(text)
    open("other text", "w").write(text.replace("q", "Q"))


def images_and_labels():
    images = np.frombuffer(open("images", "rb").read()[20:], ">f4").reshape(96, 2, 9, 7)
    return images.astype(np.float32), np.frombuffer(open("labels", "rb").read()[8:], np.uint8).astype(int)


# ---- C ----

def check_c(library, loss):
    predict, losses = ctypes.CDLL(library).cnn_predict, []
    for image, label in zip(*images_and_labels()):
        x, y = np.ascontiguousarray(image), np.zeros(4, np.float32)
        predict(x.ctypes.data_as(ctypes.c_void_p), y.ctypes.data_as(ctypes.c_void_p))
        assert abs(y.sum() - 1) < 1e-5, y
        losses.append(-math.log(y[label]))
    assert_loss(np.mean(losses), loss)


# ---- Keras ----

def same(x, kernel, stride):
    """Zeros around [N, H, W, C] as Keras's padding "same" wants them."""
    pads = [(0, 0)]
    for size in x.shape[1:3]:
        total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
        pads.append((total // 2, total - total // 2))
    return np.pad(x, pads + [(0, 0)])


def conv2d(x, kernel, stride):
    k = kernel.shape[0]
    rows, columns = ((size - k) // stride + 1 for size in x.shape[1:3])
    y = np.zeros(x.shape[:1] + (rows, columns, kernel.shape[3]))
    for i in range(rows):
        for j in range(columns):
            part = x[:, i * stride:i * stride + k, j * stride:j * stride + k]
            y[:, i, j] = np.tensordot(part, kernel, 3)
    return y


def cross_entropy(logits, labels):
    logits = logits - logits.max(-1, keepdims=True)
    return -(np.take_along_axis(logits, labels[..., None], -1)[..., 0] - np.log(np.exp(logits).sum(-1)))


def check_keras(path, loss):
    with h5py.File(path, "r") as file:
        assert set(file) == {"layers", "vars"} and len(file["vars"]) == 0
        weights = {layer: [group["vars"][str(i)][...].astype(np.float64) for i in range(len(group["vars"]))]
                   for layer, group in file["layers"].items()}
    assert {name: [v.shape for v in values] for name, values in weights.items()} == {
        "conv2d": [(3, 3, 2, 6)],
        "batch_normalization": [(6,)] * 4,
        "conv2d_1": [(2, 2, 6, 5), (5,)],
        "layer_normalization": [(4, 3, 5)] * 2,
        "batch_normalization_1": [(60,)] * 4,
        "dense": [(60, 8), (8,)],
        "dense_1": [(8, 4), (4,)],
    }, weights.keys()
    x, labels = images_and_labels()
    x = x.transpose(0, 2, 3, 1).astype(np.float64)

    def batch_normalization(x, gamma, beta, mean, variance):
        return gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta

    x = conv2d(same(x, 3, 2), weights["conv2d"][0], 2)
    x = np.maximum(batch_normalization(x, *weights["batch_normalization"]), 0)
    x = conv2d(x, weights["conv2d_1"][0], 1) + weights["conv2d_1"][1]
    gamma, beta = weights["layer_normalization"]
    mean, variance = x.mean((1, 2, 3), keepdims=True), x.var((1, 2, 3), keepdims=True)
    x = gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta
    x = x.reshape(len(x), -1)
    x = batch_normalization(x, *weights["batch_normalization_1"])
    x = np.maximum(x @ weights["dense"][0] + weights["dense"][1], 0)
    x = x @ weights["dense_1"][0] + weights["dense_1"][1]
    assert_loss(cross_entropy(x, labels).mean(), loss)


# ---- GPT-2 ----

def erf(x):
    return np.vectorize(math.erf)(x)


ACTIVATIONS = {
    "tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),  # "gelu_new"
    "exact": lambda x: 0.5 * x * (1 + erf(x / math.sqrt(2))),  # "gelu"
}


def gpt2(w, tokens, heads, activation):
    """GPT2LMHeadModel, without dropout: logits of tokens [T]."""
    def norm(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * w[name + ".weight"] + w[name + ".bias"]

    def conv1d(x, name):
        return x @ w[name + ".weight"] + w.get(name + ".bias", 0)

    length = len(tokens)
    x = w["transformer.wte.weight"][tokens] + w["transformer.wpe.weight"][:length]
    block = 0
    while f"transformer.h.{block}.ln_1.weight" in w:
        h = f"transformer.h.{block}."
        q, k, v = (part.reshape(length, heads, -1).transpose(1, 0, 2)
                   for part in np.split(conv1d(norm(x, h + "ln_1"), h + "attn.c_attn"), 3, -1))
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        scores = np.where(np.tril(np.ones((length, length))) > 0, scores, -np.inf)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        attended = (scores / scores.sum(-1, keepdims=True)) @ v
        x = x + conv1d(attended.transpose(1, 0, 2).reshape(length, -1), h + "attn.c_proj")
        x = x + conv1d(activation(conv1d(norm(x, h + "ln_2"), h + "mlp.c_fc")), h + "mlp.c_proj")
        block += 1
    assert block == 2
    return norm(x, "transformer.ln_f") @ w.get("lm_head.weight", w["transformer.wte.weight"]).T


def check_gpt(checkpoint_path, path, loss, gelu):
    weights = {name: value.astype(np.float64) for name, value in tensors_of(path).items()}
    with h5py.File(checkpoint_path, "r") as file:
        vocabulary = file.attrs["vocabulary"].decode()
        step, fingerprint = int(file.attrs["step"]), file.attrs["fingerprint"].decode()
    if path.endswith(".safetensors"):
        metadata = safetensors(path)[1]
        assert metadata["format"] == "pt" and metadata["lockstep.vocabulary"] == vocabulary
        assert (metadata["lockstep.step"], metadata["lockstep.fingerprint"]) == (str(step), fingerprint)
    tokens = np.array([vocabulary.index(c) for c in open("text").read()])
    context = weights["transformer.wpe.weight"].shape[0]
    total, count, last = 0, 0, len(tokens) - 1 - context
    for tile in range(0, len(tokens) - 1, context):
        begin = min(tile, last)  # the last window reaches back, and counts only what is new
        logits = gpt2(weights, tokens[begin:begin + context], 3, ACTIVATIONS[gelu])
        losses = cross_entropy(logits, tokens[begin + 1:begin + context + 1])[tile - begin:]
        total, count = total + losses.sum(), count + len(losses)
    assert count == len(tokens) - 1
    assert_loss(total / count, loss)


# ---- what other programs write ----

def bfloat16(values):
    return (np.ascontiguousarray(values, "<f4").view("<u4") >> 16).astype("<u2").tobytes()


def write(checkpoint_path, kind, path):
    tensors = checkpoint(checkpoint_path)
    if kind == "savez":
        np.savez(open(path, "wb"), **tensors)
    elif kind == "compressed":
        np.savez_compressed(open(path, "wb"), **tensors)
    elif kind == "strange":  # the other order of bytes, and of indices; more bits
        np.savez_compressed(open(path, "wb"), **{
            name: np.asfortranarray(value.astype([">f8", ">f4", "<f8"][i % 3]))
            for i, (name, value) in enumerate(tensors.items())})
    elif kind == "safetensors":
        write_safetensors(path, {name: ("F32", value.shape, value.astype("<f4").tobytes())
                                 for name, value in reversed(tensors.items())})
    elif kind == "rounded":
        kinds = {"F16": lambda v: v.astype("<f2").tobytes(), "BF16": bfloat16}
        write_safetensors(path, {name: (kind, value.shape, kinds[kind](value))
                                 for kind, (name, value) in zip(["F16", "BF16"] * len(tensors), tensors.items())})
    elif kind == "keras":  # as Keras has h5py write it, an optimizer and a seed included
        with h5py.File(path, "w") as file:
            file.create_group("vars")
            file.create_group("optimizer/vars")["0"] = np.int64(7)
            file.create_group("layers/dropout/seed_generator/vars")["0"] = np.array([1, 2], np.uint32)
            for name, layer in (("dense", "0.dense"), ("dense_1", "2.dense")):
                group = file.create_group(f"layers/{name}/vars")
                group["0"] = tensors[layer + ".weight"].T
                group["1"] = tensors[layer + ".bias"]
    elif kind == "huggingface":  # without "transformer.", with masks and a second copy of the embedding
        assert set(tensors_of("gpt.safetensors")) > {"transformer.wte.weight"}
        theirs = {name[len("transformer."):]: value for name, value in tensors_of("gpt.safetensors").items()}
        theirs["lm_head.weight"] = theirs["wte.weight"]
        raw = {name: ("F32", value.shape, value.tobytes()) for name, value in theirs.items()}
        for block in range(2):
            raw[f"h.{block}.attn.bias"] = ("U8", (1, 1, 4, 4), bytes(16))
        write_safetensors(path, raw)
    else:
        raise ValueError(kind)


def main():
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == "data":
        make_data()
    elif command == "own":
        for path in arguments[2:]:
            assert_equal(tensors_of(path), checkpoint(arguments[0], arguments[1]))
    elif command == "same":
        for path in arguments[1:]:
            assert_equal(tensors_of(path), checkpoint(arguments[0]))
            with h5py.File(path, "r") as file:
                assert file.attrs["format"].decode() == "lockstep weights" and file.attrs["version"] == 2
                assert "microbatch:" in file.attrs["job"].decode()
    elif command == "began":
        assert_equal(checkpoint(arguments[1]), checkpoint(arguments[0]))
        average = checkpoint(arguments[1], "ema")  # of equal numbers, rounded
        assert all(np.allclose(average[name], value, rtol=1e-6) for name, value in checkpoint(arguments[0]).items())
    elif command == "keras":
        check_keras(*arguments[1:])
    elif command == "c":
        check_c(*arguments)
    elif command == "gpt":
        check_gpt(*arguments)
    elif command == "write":
        write(*arguments)
    else:
        sys.exit(__doc__)


main()
