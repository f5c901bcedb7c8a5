"""Files of weights as other programs write them, and what they mean here.

PyTorch's are of the real one if it is here, else of the same names and shapes. Keras' are written by h5py and zipfile
after Keras' own sources (keras-team/keras, src/saving/saving_lib.py, src/legacy/saving/legacy_h5_format.py), nanoGPT's
after karpathy/nanoGPT, model.py.

    weights_theirs.py write LOCKSTEP         writes all of them, and NAME.expected.npz of what they mean here
    weights_theirs.py same FILE EXPECTED     the lockstep weights in FILE are those
    weights_theirs.py equal FILE CHECKPOINT  they are the checkpoint's
    weights_theirs.py near LOSS LOSS
"""
import json
import pickle
import struct
import subprocess
import sys
import types
import zipfile

import h5py
import numpy as np

RNG = np.random.default_rng(3)


def random(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, value in sorted(tensors.items()):
        raw = np.ascontiguousarray(value, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)


# ---- the CNN of the test ----

LAYERS = [("0.conv2d", "conv2d", ["weight", "bias"]),
          ("1.batch_norm", "batch_normalization", ["weight", "bias", "running_mean", "running_var"]),
          ("3.conv2d", "conv2d", ["weight", "bias"]), ("5.conv2d", "conv2d", ["weight", "bias"]),
          ("7.dense", "dense", ["weight", "bias"]), ("9.dense", "dense", ["weight", "bias"]),
          ("11.dense", "dense", ["weight", "bias"])]
SHAPES = {"0.conv2d": (4, 2, 3, 3), "3.conv2d": (4, 4, 3, 3), "5.conv2d": (4, 4, 3, 3),
          "7.dense": (8, 4 * 7 * 5), "9.dense": (8, 8), "11.dense": (4, 8)}


def cnn():
    """Tensors by our names."""
    tensors = {}
    for layer, _, parts in LAYERS:
        shape = SHAPES.get(layer, (4,))
        for part in parts:
            tensors[f"{layer}.{part}"] = random(*(shape if part == "weight" else shape[:1]))
            if part == "running_var":
                tensors[f"{layer}.{part}"] = np.abs(tensors[f"{layer}.{part}"]) + 0.5
    return tensors


def named(modules, tensors):
    """The same by the names of torch's modules."""
    return {f"{module}.{part}": tensors[f"{layer}.{part}"]
            for module, (layer, _, parts) in zip(modules, LAYERS) for part in parts}


def images_and_labels():
    images = np.frombuffer(open("images", "rb").read()[20:], ">f4").reshape(96, 2, 9, 7)
    return images.astype(np.float32), np.frombuffer(open("labels", "rb").read()[8:], np.uint8).astype(int)


def torch_files():
    nested = ["0.0", "0.1", "1.0", "1.2", "4", "6", "10"]
    staged = ["features.0", "features.1", "features.3", "features.5", "classifier.1", "classifier.4", "classifier.10"]
    net = ["net.0", "net.1", "net.3", "net.5", "net.7", "net.9", "net.11"]
    state = {name: None for name in ("nested", "staged", "net")}
    try:
        import torch
        from torch import nn
    except ImportError:
        torch = None
    if torch:
        torch.manual_seed(4)

        def relu():
            return nn.ReLU()

        def norm():
            bn = nn.BatchNorm2d(4)
            bn.running_mean.normal_()
            bn.running_var.uniform_(0.5, 2)
            nn.init.normal_(bn.weight)
            nn.init.normal_(bn.bias)
            return bn

        def conv(inputs, padding):
            return nn.Conv2d(inputs, 4, 3, padding=padding)

        class Staged(nn.Module):  # as torchvision's AlexNet: the classifier is made first here, and comes last
            def __init__(self):
                super().__init__()
                self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(140, 8), relu(), nn.Dropout(), nn.Linear(8, 8),
                                                relu(), *[nn.Identity()] * 4, nn.Linear(8, 4))
                self.features = nn.Sequential(conv(2, 0), norm(), relu(), conv(4, 1), relu(), conv(4, 1))

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = nn.Sequential(conv(2, 0), norm(), relu(), conv(4, 1), relu(), conv(4, 1), nn.Flatten(),
                                         nn.Linear(140, 8), relu(), nn.Linear(8, 8), relu(), nn.Linear(8, 4))

        model = nn.Sequential(nn.Sequential(conv(2, 0), norm(), relu()), nn.Sequential(conv(4, 1), relu(), conv(4, 1)),
                              nn.Flatten(), nn.Dropout(), nn.Linear(140, 8), relu(), nn.Linear(8, 8), relu(),
                              nn.Identity(), nn.Identity(), nn.Linear(8, 4))
        for name, module in (("nested", model), ("staged", Staged()), ("net", nn.DataParallel(Net()))):
            state[name] = {key: value.numpy() for key, value in module.state_dict().items()}
        images, labels = images_and_labels()
        loss = nn.functional.cross_entropy(model.eval()(torch.from_numpy(images)), torch.from_numpy(labels))
        open("nested.loss", "w").write(str(loss.item()))
    for name, modules in (("nested", nested), ("staged", staged), ("net", net)):
        prefix = "module." if name == "net" else ""
        found = state[name] or {prefix + key: value for key, value in named(modules, cnn()).items()}
        expected = {f"{layer}.{part}": found[f"{prefix}{module}.{part}"]
                    for module, (layer, _, parts) in zip(modules, LAYERS) for part in parts}
        np.savez(f"{name}.expected.npz", **expected)
        if name == "staged":
            np.savez(f"{name}.npz", **found)
        else:
            write_safetensors(f"{name}.safetensors", found)
    np.savez("named.npz", **named(["conv1", "bn", "conv2", "conv3", "fc1", "fc2", "fc3"], cnn()))


# ---- Keras ----

def keras_layers(tensors):
    """[class, [variables]] in order; channels last."""
    layers = []
    for layer, kind, parts in LAYERS:
        values = [tensors[f"{layer}.{part}"] for part in parts]
        if kind == "conv2d":
            values[0] = values[0].transpose(2, 3, 1, 0)
        elif layer == "7.dense":
            values[0] = values[0].reshape(8, 4, 7, 5).transpose(2, 3, 1, 0).reshape(140, 8)
        elif kind == "dense":
            values[0] = values[0].T
        layers.append((kind, values))
    return layers


def config_of(kind, own, **more):
    classes = {"conv2d": "Conv2D", "batch_normalization": "BatchNormalization", "dense": "Dense", "relu": "ReLU",
               "flatten": "Flatten", "dropout": "Dropout", "input_layer": "InputLayer"}
    return {"module": "keras.layers", "class_name": classes[kind], "config": {"name": own, "trainable": True},
            "registered_name": None, **more}


def history(name):
    return [{"args": [{"class_name": "__keras_tensor__",
                       "config": {"shape": [None, 4], "dtype": "float32", "keras_history": [name, 0, 0]}}],
             "kwargs": {}}]


class Keras:
    """A model: its configuration, and what is saved of it."""

    def __init__(self, kind, name, layers):
        """layers: (class, name, variables) or another Keras."""
        self.kind, self.name, self.layers = kind, name, layers

    def config(self, inbound=None):
        found, before = [], None
        for layer in self.layers:
            inside = history(before) if before else []
            inner = {"inbound_nodes": inside, "name": layer.name if isinstance(layer, Keras) else layer[1]}
            if self.kind == "Sequential":
                inner = {}
            if isinstance(layer, Keras):
                found.append({**layer.config(), **inner})
                before = layer.name
            else:
                found.append(config_of(layer[0], layer[1], **inner))
                before = layer[1]
        return {"module": "keras", "class_name": self.kind, "config": {"name": self.name, "layers": found},
                "registered_name": self.kind}

    def has_weights(self):
        return any(layer.has_weights() if isinstance(layer, Keras) else layer[2] for layer in self.layers)

    def save(self, file, path="", container="layers", separator="/"):
        """saving_lib._save_state and _save_container_state. Keras 2 has another container, in which a layer stands a
        second time that has weights: passed over, but counted; on Windows it joins names by backslashes."""
        used = {}
        file.create_group(f"{path}/vars" if path else "vars")
        for layer in self.layers:
            name = layer.kind.lower() if isinstance(layer, Keras) else layer[0]
            if name in used:
                used[name] += 1
                name = f"{name}_{used[name]}"
            else:
                used[name] = 0
            if container != "layers" and (layer.has_weights() if isinstance(layer, Keras) else layer[2]):
                used[name.rstrip("0123456789").rstrip("_")] += 1
            inner = f"{path}{separator if path else ''}{container}{separator}{name}"
            if isinstance(layer, Keras):
                layer.save(file, inner, container, separator)
                continue
            variables = file.create_group(f"{inner}/vars")
            for i, value in enumerate(layer[2]):
                variables[str(i)] = value
            if layer[0] == "dropout" and container == "layers":
                file.create_group(f"{inner}/seed_generator/vars")["0"] = np.array([1, 2], np.uint32)


def write_keras(path, model, config=None, **save):
    with h5py.File("model.weights.h5", "w") as file:
        model.save(file, **save)
        file.create_group("optimizer/vars")["0"] = np.int64(7)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.3.3"}))
        archive.writestr("config.json", json.dumps(config or model.config()))
        archive.writestr("model.weights.h5", open("model.weights.h5", "rb").read())


def write_whole(path, model, suffix, only_weights=False):
    """legacy_h5_format.save_model_to_hdf5, or save_weights_to_hdf5_group; suffix: ':0' of Keras 2."""
    names = {"conv2d": ["kernel", "bias"], "dense": ["kernel", "bias"],
             "batch_normalization": ["gamma", "beta", "moving_mean", "moving_variance"]}

    def weights(layer, path=""):
        if isinstance(layer, Keras):
            return [pair for inner in layer.layers for pair in weights(inner, path if suffix else path + layer.name + "/")]
        return [(f"{path}{layer[1]}/{name}{suffix}", value) for name, value in zip(names.get(layer[0], []), layer[2])]

    with h5py.File(path, "w") as file:
        text = json.dumps(model.config()).encode()
        if not only_weights:
            file.attrs["model_config"] = np.bytes_(text) if suffix else text
        file.attrs["keras_version"] = b"2.11.0" if suffix else b"3.3.3"
        group = file if only_weights else file.create_group("model_weights")
        outer = [layer.name if isinstance(layer, Keras) else layer[1] for layer in model.layers]
        group.attrs["layer_names"] = [name.encode() for name in outer]
        for name, layer in sorted(zip(outer, model.layers), key=lambda pair: pair[0]):
            inner = group.create_group(name)
            pairs = sorted(weights(layer), key=lambda pair: "moving" in pair[0])  # what is trained comes first
            inner.attrs["weight_names"] = [key.encode() for key, _ in pairs]
            for key, value in pairs:
                inner.create_dataset(key, value.shape, value.dtype)[...] = value
        group.create_group("top_level_model_weights").attrs["weight_names"] = np.array([], "S1")
        if not only_weights:
            file.create_group("optimizer_weights")["iteration"] = np.int64(3)


def keras_files():
    tensors = cnn()
    np.savez("keras.expected.npz", **tensors)
    c0, b0, c1, c2, d0, d1, d2 = keras_layers(tensors)
    # Names that say the wrong order: what Keras calls a layer means nothing.
    conv = [("conv2d", "z", c0[1]), ("batch_normalization", "y", b0[1]), ("relu", "r", []), ("conv2d", "x", c1[1])]
    rest = [("conv2d", "a", c2[1]), ("flatten", "f", [])]
    dense = [("dropout", "drop", []), ("dense", "q", d0[1]), ("dense", "p", d1[1]), ("dense", "o", d2[1])]
    write_keras("flat.keras", Keras("Sequential", "s", conv + rest + dense))
    base = Keras("Functional", "base", [("input_layer", "i", [])] + conv)
    write_keras("nested.keras", Keras("Sequential", "s", [base] + rest + [Keras("Sequential", "head", dense)]))
    deep = Keras("Functional", "deep", [("input_layer", "j", []), base] + rest)
    model = Keras("Functional", "m", [("input_layer", "k", []), deep, Keras("Sequential", "top", dense[:2])] + dense[2:])
    write_keras("functional.keras", model)
    two = Keras("Sequential", "s", [Keras("Sequential", "no", [("relu", "r", [])]), base] + rest +
                [Keras("Sequential", "head", dense)])
    write_whole("whole2.h5", two, ":0")
    write_whole("old2.h5", two, ":0", only_weights=True)
    write_whole("oldorder.h5", Keras("Sequential", "s", [conv[1], conv[0]] + conv[2:] + rest + dense), ":0", True)
    write_whole("oldclass.h5", Keras("Sequential", "s", conv + rest + dense), ":0", True)
    with h5py.File("oldclass.h5", "r+") as file:
        file.move("q/q/kernel:0", "q/q/depthwise_kernel:0")
        file["q"].attrs["weight_names"] = [b"q/depthwise_kernel:0", b"q/bias:0"]
    write_keras("two.keras", two, container="_layer_checkpoint_dependencies")
    write_keras("windows.keras", model, container="_layer_checkpoint_dependencies", separator="\\")
    write_whole("whole3.h5", model, "")
    with h5py.File("nested.weights.h5", "w") as file:
        model.save(file)

    branched = model.config()
    layers = branched["config"]["layers"]
    layers[-1]["inbound_nodes"] = history(layers[-3]["name"])
    layers[-1]["config"]["name"] = "dense_1"
    write_keras("branched.keras", model, branched)
    write_keras("otherorder.keras", Keras("Sequential", "s", [conv[1], conv[0]] + conv[2:] + rest + dense))
    center = [conv[0], ("batch_normalization", "y", [b0[1][0]] + b0[1][2:])] + conv[2:]
    write_keras("center.keras", Keras("Sequential", "s", center + rest + dense))
    with h5py.File("center.weights.h5", "w") as file:
        Keras("Sequential", "s", center + rest + dense).save(file)
    raw = bytearray(open("flat.keras", "rb").read())
    raw[raw.index(b"\x89HDF") + 300] ^= 64
    open("damaged.keras", "wb").write(raw)


# ---- GPT ----

def gpt(tokens=11, positions=8):
    """By nanoGPT's names: torch's products, a head that is the embedding; and by ours."""
    width, theirs, ours = 6, {}, {}
    theirs["transformer.wte.weight"], theirs["transformer.wpe.weight"] = random(tokens, width), random(positions, width)
    ours["0.embedding.weight"] = theirs["transformer.wte.weight"][:11]
    ours["1.position_embedding.weight"] = theirs["transformer.wpe.weight"][:8]
    for block in range(2):
        there, here = f"transformer.h.{block}.", f"2.transformer.{block}."
        for name, own, shape in (("ln_1", "norm1", (width,)), ("attn.c_attn", "attention.qkv", (3 * width, width)),
                                 ("attn.c_proj", "attention.proj", (width, width)), ("ln_2", "norm2", (width,)),
                                 ("mlp.c_fc", "up", (4 * width, width)), ("mlp.c_proj", "down", (width, 4 * width))):
            for part, size in (("weight", shape), ("bias", shape[:1])):
                ours[f"{here}{own}.{part}"] = theirs[f"{there}{name}.{part}"] = random(*size)
        theirs[there + "attn.bias"] = np.tril(np.ones((1, 1, 8, 8), np.float32))
    for part in ("weight", "bias"):
        ours["3.layer_norm." + part] = theirs["transformer.ln_f." + part] = random(width)
    theirs["lm_head.weight"] = theirs["transformer.wte.weight"]
    return theirs, ours


def pickle_file(program, theirs):
    """What torch.save makes, and what the lines that the refusal tells make of it. safetensors' save_file takes neither
    tensors that share memory nor any that are not contiguous."""
    try:
        import torch
    except ImportError:
        return
    state = {name: torch.from_numpy(value) for name, value in theirs.items()}
    state["lm_head.weight"] = state["transformer.wte.weight"]
    state["transformer.h.0.attn.c_attn.weight"] = state["transformer.h.0.attn.c_attn.weight"].T.contiguous().T
    torch.save({"model": state, "iter_num": 3}, "real.pt")
    said = subprocess.run([program, "import", "real.pt", "--job", "gpt.yaml", "--output", "no"], stderr=subprocess.PIPE,
                          text=True)
    assert said.returncode == 2, said

    def save_file(tensors, path):
        assert all(tensor.is_contiguous() for tensor in tensors.values())
        assert len({tensor.data_ptr() for tensor in tensors.values()}) == len(tensors)
        write_safetensors(path, {name: tensor.numpy() for name, tensor in tensors.items()})

    for name in ("safetensors", "safetensors.torch"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["safetensors.torch"].save_file = save_file
    exec("\n".join(line.strip() for line in said.stderr.splitlines() if line.startswith("  ")), {})


def write_index(path, weight_map):
    json.dump({"metadata": {"total_size": 1}, "weight_map": weight_map}, open(path, "w"))


def gpt_files(program):
    np.arange(400, dtype=np.uint16).__mod__(11).astype("<u2").tofile("tokens.bin")
    theirs, ours = gpt()
    np.savez("gpt.expected.npz", **ours)
    write_safetensors("nanogpt.safetensors", theirs)
    np.savez("minigpt.npz", **{"model." + name: value for name, value in theirs.items()})
    pickle_file(program, theirs)
    names = sorted(name for name in theirs if name != "lm_head.weight")
    shards = [{name: theirs[name] for name in names[i::2]} for i in range(2)]
    files = [f"model-0000{i + 1}-of-00002.safetensors" for i in range(2)]
    for file, shard in zip(files, shards):
        write_safetensors(file, shard)
    where = {name: file for file, shard in zip(files, shards) for name in shard}
    write_index("model.safetensors.index.json", where)
    write_index("missing.index.json", {**where, "transformer.wpe.weight": "model-00009-of-00002.safetensors"})
    write_index("escaping.index.json", {**where, "transformer.wpe.weight": "../model-00001-of-00002.safetensors"})
    write_index("lying.index.json", {**where, "transformer.wte.weight": files[0]})
    write_index("itself.index.json", {**where, "transformer.wte.weight": "itself.index.json"})
    json.dump({"weights": where}, open("empty.index.json", "w"))

    padded = {**theirs, "transformer.wte.weight": np.vstack([theirs["transformer.wte.weight"], random(5, 6)]),
              "transformer.wpe.weight": np.vstack([theirs["transformer.wpe.weight"], random(12, 6)])}
    padded["lm_head.weight"] = padded["transformer.wte.weight"]
    write_safetensors("padded.safetensors", {"_orig_mod." + name: value for name, value in padded.items()})
    small = {**theirs, "transformer.wte.weight": theirs["transformer.wte.weight"][:9],
             "transformer.wpe.weight": theirs["transformer.wpe.weight"][:5]}
    small["lm_head.weight"] = small["transformer.wte.weight"]
    write_safetensors("small.safetensors", small)

    with zipfile.ZipFile("ckpt.pt", "w") as archive:  # as torch.save lays it out
        archive.writestr("ckpt/data.pkl", pickle.dumps({"model": {}}, 2))
        archive.writestr("ckpt/version", "3\n")
    open("old.pt", "wb").write(pickle.dumps(0x1950A86A20F9469CFC6C, 2))


def broken_files():
    for name, value in (("nan", np.nan), ("inf", -np.inf), ("huge", 1e39)):
        tensors = {key: array.astype(np.float64) for key, array in cnn().items()}
        tensors["0.conv2d.weight"][1, 0, 2, 1] = value
        np.savez(f"{name}.npz", **tensors)


def tensors_of(path):
    with h5py.File(path, "r") as file:
        return {name: file["model"][name][...] for name in file["model"]}


def assert_same(found, expected):
    assert set(found) == set(expected), sorted(set(found) ^ set(expected))
    for name in expected:
        assert np.array_equal(found[name], expected[name]), name


def main():
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == "write":
        torch_files()
        keras_files()
        gpt_files(arguments[0])
        broken_files()
    elif command == "same":
        assert_same(tensors_of(arguments[0]), dict(np.load(arguments[1])))
    elif command == "equal":
        assert_same(tensors_of(arguments[0]), tensors_of(arguments[1]))
    elif command == "near":
        assert abs(float(arguments[0]) - float(arguments[1])) < 1e-5 * float(arguments[1]), arguments
    else:
        sys.exit(__doc__)


main()
