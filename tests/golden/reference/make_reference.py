#!/usr/bin/python3
"""Reference numbers from PyTorch: six small models, each trained for ten steps by optimizers that PyTorch has.

    python3 make_reference.py [DIRECTORY]        DIRECTORY: default: where this script lies

Needs PyTorch 1.13 (Debian: python3-torch) and numpy; the tests (tests/train/test_reference.c) need only the output. All is
computed in double precision from values that a float can hold, and rounded to float once, at the end: what the tests measure is
the error of lockstep alone.

Output: MODEL.bin, little-endian floats, and MODEL.txt, a line for each array in it: NAME FIRST_FLOAT SHAPE. Names are those of
lockstep's tensors behind one of these:
    inputs, labels       [steps, batch, ...]; labels and tokens are whole numbers
    initial/TENSOR       parameters and statistics before the first step
    losses               [batch] of each sample of the first batch, as a model is used: running statistics
    gradient/TENSOR      of the mean loss of the first batch
    RECIPE/losses        [steps] of the batch of each step
    RECIPE/TENSOR        parameters and statistics after the last step
    RECIPE/used          [batch] as `losses`, after the last step
and class_weights.bin and .txt: outputs, weights, losses and gradients of terms (weighted_losses).
Weights decay; biases, norms and embeddings do not.
"""
import pathlib, sys

import numpy
import torch
from torch.nn import functional as F

STEPS = 10
RECIPES = {  # as in test_reference.c
    "sgd": (torch.optim.SGD, dict(lr=0.05, weight_decay=0.01)),
    "momentum": (torch.optim.SGD, dict(lr=0.05, weight_decay=0.01, momentum=0.9)),
    "nesterov": (torch.optim.SGD, dict(lr=0.05, weight_decay=0.01, momentum=0.9, nesterov=True)),
    "adam": (torch.optim.Adam, dict(lr=0.01, weight_decay=0.01, betas=(0.9, 0.99))),
    "adamw": (torch.optim.AdamW, dict(lr=0.01, weight_decay=0.1)),
    "clipped": (torch.optim.SGD, dict(lr=0.5, momentum=0.5)),
}
CLIP_NORM = {"clipped": 0.1}
FEW = ("momentum", "adamw")  # of models that are there for their layers


class Mlp:
    """8-16-4."""
    seed, batch, inputs, classes, terms = 1, 8, (8,), 4, ()
    shapes = {"0.dense.weight": (16, 8), "0.dense.bias": (16,), "2.dense.weight": (4, 16), "2.dense.bias": (4,)}

    def forward(self, p, x, training):
        return F.linear(F.relu(F.linear(x, p["0.dense.weight"], p["0.dense.bias"])), p["2.dense.weight"], p["2.dense.bias"])


class Cnn:
    """1x8x8; the convolutions before a batch norm have no bias, since none could have a gradient. Epsilon is so large
    that it shows."""
    seed, batch, inputs, classes, terms = 2, 8, (1, 8, 8), 3, ()
    shapes = {"0.conv2d.weight": (4, 1, 3, 3),
              **{f"1.batch_norm.{what}": (4,) for what in ("weight", "bias", "running_mean", "running_var")},
              "4.conv2d.weight": (8, 4, 3, 3),
              **{f"5.batch_norm.{what}": (8,) for what in ("weight", "bias", "running_mean", "running_var")},
              "7.conv2d.weight": (6, 8, 3, 3), "7.conv2d.bias": (6,),
              "10.dense.weight": (3, 6), "10.dense.bias": (3,)}

    def forward(self, p, x, training):
        def norm(name, x):
            return F.batch_norm(x, p[name + ".running_mean"], p[name + ".running_var"], p[name + ".weight"], p[name + ".bias"],
                                training=training, momentum=0.1, eps=1e-3)

        x = F.relu(norm("1.batch_norm", F.conv2d(x, p["0.conv2d.weight"], padding=1)))
        x = F.relu(norm("5.batch_norm", F.conv2d(F.max_pool2d(x, 2), p["4.conv2d.weight"], padding=1)))
        x = F.relu(F.conv2d(x, p["7.conv2d.weight"], p["7.conv2d.bias"], stride=2, padding=1))
        return F.linear(x.mean((2, 3)), p["10.dense.weight"], p["10.dense.bias"])


class Gpt:
    """2 blocks, 2 heads, 16 channels, context 8, 11 tokens; the head has the embedding's weights."""
    seed, batch, inputs, classes, terms = 3, 4, (8,), 11, (8,)
    width, heads = 16, 2
    shapes = {"0.embedding.weight": (11, 16), "1.position_embedding.weight": (8, 16)}
    for block in range(2):
        name = f"2.transformer.{block}."
        for what, units, fan in (("attention.qkv", 48, 16), ("attention.proj", 16, 16), ("up", 64, 16), ("down", 16, 64)):
            shapes.update({f"{name}{what}.weight": (units, fan), f"{name}{what}.bias": (units,)})
        for what in ("norm1", "norm2"):
            shapes.update({f"{name}{what}.weight": (16,), f"{name}{what}.bias": (16,)})
    shapes.update({"3.layer_norm.weight": (16,), "3.layer_norm.bias": (16,)})

    def forward(self, p, ids, training):
        def norm(name, x, epsilon=1e-5):
            return F.layer_norm(x, (self.width,), p[name + ".weight"], p[name + ".bias"], epsilon)

        def dense(name, x):
            return F.linear(x, p[name + ".weight"], p[name + ".bias"])

        def attention(name, x):
            x = x.transpose(0, 1)  # it wants [positions, batch, channels]
            later = torch.ones(len(x), len(x), dtype=torch.bool).triu(1)
            y, _ = F.multi_head_attention_forward(
                x, x, x, self.width, self.heads, p[name + ".qkv.weight"], p[name + ".qkv.bias"], None, None, False, 0.0,
                p[name + ".proj.weight"], p[name + ".proj.bias"], attn_mask=later, need_weights=False)
            return y.transpose(0, 1)

        x = F.embedding(ids, p["0.embedding.weight"]) + p["1.position_embedding.weight"]
        for block in range(2):
            name = f"2.transformer.{block}."
            x = x + attention(name + "attention", norm(name + "norm1", x))
            x = x + dense(name + "down", F.gelu(dense(name + "up", norm(name + "norm2", x))))
        return F.linear(norm("3.layer_norm", x, 1e-3), p["0.embedding.weight"])


class Sequence:
    """12 positions of 3 channels; ours are [positions, channels]."""
    seed, batch, inputs, classes, terms = 4, 8, (12, 3), 4, ()
    recipes = FEW
    shapes = {"0.conv1d.weight": (6, 3, 4), "0.conv1d.bias": (6,), "2.conv1d.weight": (5, 6, 3), "2.conv1d.bias": (5,),
              "4.conv1d.weight": (4, 5, 2), "7.dense.weight": (4, 4), "7.dense.bias": (4,)}

    def forward(self, p, x, training):
        x = F.pad(x.transpose(1, 2), (1, 2))  # padding: same has its odd zero behind
        x = torch.tanh(F.conv1d(x, p["0.conv1d.weight"], p["0.conv1d.bias"]))
        x = F.silu(F.conv1d(x, p["2.conv1d.weight"], p["2.conv1d.bias"], stride=2, padding=1))
        x = F.interpolate(F.conv1d(x, p["4.conv1d.weight"]), scale_factor=3, mode="linear")
        return F.linear(x.mean(2), p["7.dense.weight"], p["7.dense.bias"])


class Unet:
    """2x8x8, and a class of each pixel."""
    seed, batch, inputs, classes, terms = 5, 4, (2, 8, 8), 3, (8, 8)
    recipes = FEW
    shapes = {}
    for name, filters, channels, kernel in ((0, 4, 2, 3), (3, 6, 4, 3), (6, 6, 6, 3), (10, 4, 12, 3), (14, 3, 8, 1)):
        shapes.update({f"{name}.conv2d.weight": (filters, channels, kernel, kernel), f"{name}.conv2d.bias": (filters,)})

    def forward(self, p, x, training):
        def conv(name, x):
            weight = p[f"{name}.conv2d.weight"]
            return F.conv2d(x, weight, p[f"{name}.conv2d.bias"], padding=weight.shape[3] // 2)

        fine = F.silu(conv(0, x))
        coarse = F.silu(conv(3, F.max_pool2d(fine, 2)))
        x = torch.tanh(conv(6, F.max_pool2d(coarse, 2)))
        x = torch.cat([F.interpolate(x, scale_factor=2, mode="bilinear"), coarse], 1)
        x = torch.cat([F.interpolate(F.silu(conv(10, x)), scale_factor=2), fine], 1)
        return conv(14, x)


class Volume:
    """1x4x6x4, and a class of each voxel, of which some do not count."""
    seed, batch, inputs, classes, terms, ignored = 6, 4, (1, 4, 6, 4), 3, (4, 6, 4), 0.3
    recipes = FEW
    shapes = {"0.conv3d.weight": (4, 1, 3, 3, 3),
              **{f"1.batch_norm.{what}": (4,) for what in ("weight", "bias", "running_mean", "running_var")},
              "4.conv3d.weight": (5, 4, 2, 2, 2), "4.conv3d.bias": (5,),
              "9.conv3d.weight": (3, 9, 1, 1, 1), "9.conv3d.bias": (3,)}

    def forward(self, p, x, training):
        x = F.conv3d(x, p["0.conv3d.weight"], padding=1)
        fine = torch.tanh(F.batch_norm(x, p["1.batch_norm.running_mean"], p["1.batch_norm.running_var"],
                                       p["1.batch_norm.weight"], p["1.batch_norm.bias"], training=training, momentum=0.1,
                                       eps=1e-3))
        x = F.silu(F.conv3d(F.max_pool3d(fine, 2), p["4.conv3d.weight"], p["4.conv3d.bias"], padding=1))
        x = F.interpolate(F.avg_pool3d(x, 2, 1), scale_factor=2, mode="trilinear")
        return F.conv3d(torch.cat([x, fine], 1), p["9.conv3d.weight"], p["9.conv3d.bias"])


IGNORED = -1  # a label


def draw(model):
    """Parameters and statistics, inputs and labels; none of them is a special value, so that nothing can hide."""
    random = numpy.random.RandomState(model.seed)
    values = {}
    for name, shape in model.shapes.items():
        value = random.standard_normal(shape)
        if name.endswith("running_var"):
            value = 1 + 0.2 * abs(value)
        elif "norm" in name and name.endswith("weight"):
            value = 1 + 0.1 * value
        elif len(shape) == 1:
            value = 0.1 * value
        elif "embedding" in name:
            value = 0.3 * value
        else:
            value = value * numpy.prod(shape[1:]) ** -0.5
        values[name] = value.astype("<f4")
    shape = (STEPS, model.batch, *model.inputs)
    is_tokens = isinstance(model, Gpt)
    inputs = random.randint(0, model.classes, shape) if is_tokens else random.standard_normal(shape).astype("<f4")
    labels = random.randint(0, model.classes, (STEPS, model.batch, *model.terms))
    if hasattr(model, "ignored"):
        labels[random.random_sample(labels.shape) < model.ignored] = IGNORED
    return values, inputs, labels


def is_statistic(name):
    return "running" in name


def is_weight(name):
    return name.endswith("weight") and "norm" not in name and "embedding" not in name


class Run:
    """A model on its way from the initial values."""

    def __init__(self, model, values):
        self.model = model
        self.params = {name: torch.tensor(value, dtype=torch.float64, requires_grad=not is_statistic(name))
                       for name, value in values.items()}

    def loss(self, inputs, labels, training, reduction="mean"):
        x = torch.tensor(inputs, dtype=torch.int64 if isinstance(self.model, Gpt) else torch.float64)
        outputs = self.model.forward(self.params, x, training)
        if not isinstance(self.model, Gpt):
            outputs = outputs.movedim(1, -1)  # the classes last
        loss = F.cross_entropy(outputs.flatten(0, -2), torch.tensor(labels).flatten(), ignore_index=IGNORED, reduction=reduction)
        return loss.view(labels.shape) if reduction == "none" else loss

    def used(self, inputs, labels):
        with torch.no_grad():
            losses = self.loss(inputs, labels, False, "none").reshape(len(labels), -1)
            return losses.sum(1) / torch.tensor((labels != IGNORED).reshape(losses.shape).sum(1))

    def train(self, recipe, inputs, labels):
        kind, settings = RECIPES[recipe]
        learned = {name: p for name, p in self.params.items() if p.requires_grad}
        optimizer = kind([dict(params=[p for name, p in learned.items() if is_weight(name)]),
                          dict(params=[p for name, p in learned.items() if not is_weight(name)], weight_decay=0)], **settings)
        losses = []
        for step in range(STEPS):
            optimizer.zero_grad()
            loss = self.loss(inputs[step], labels[step], True)
            loss.backward()
            if recipe in CLIP_NORM:
                norm = torch.nn.utils.clip_grad_norm_(learned.values(), CLIP_NORM[recipe])
                assert norm > CLIP_NORM[recipe], "a norm that nothing clips tests nothing"
            optimizer.step()
            losses.append(loss.item())
        return losses


def reference(model):
    """All arrays of a model, by name."""
    values, inputs, labels = draw(model)
    arrays = {"inputs": inputs, "labels": labels, **{f"initial/{name}": value for name, value in values.items()}}
    first = Run(model, values)
    arrays["losses"] = first.used(inputs[0], labels[0])
    first.loss(inputs[0], labels[0], True).backward()
    arrays.update({f"gradient/{name}": p.grad for name, p in first.params.items() if p.requires_grad})
    for recipe in getattr(model, "recipes", RECIPES):
        run = Run(model, values)
        arrays[f"{recipe}/losses"] = run.train(recipe, inputs, labels)
        arrays.update({f"{recipe}/{name}": p.detach() for name, p in run.params.items()})
        arrays[f"{recipe}/used"] = run.used(inputs[0], labels[0])
    return arrays


def weighted_losses():
    """Terms of five classes, and of two with one output, whose losses count as often as the label's class weighs; a
    label of -1 does not count. (cross_entropy's own weights differ with label_smoothing: it weighs each class of the
    smoothed target, and not the term.)"""
    random = numpy.random.RandomState(4)
    weights, binary_weights = numpy.array([0.5, 2, 0, 1, 3.25], "<f4"), numpy.array([0.75, 4], "<f4")
    outputs, binary_outputs = (random.standard_normal(shape).astype("<f4") for shape in ((12, 5), (12,)))
    labels, binary_labels = numpy.arange(12) % 6 - 1, numpy.arange(12) % 2
    arrays = {"weights": weights, "outputs": outputs, "labels": labels, "binary/weights": binary_weights,
              "binary/outputs": binary_outputs, "binary/labels": binary_labels}
    for smoothing in (0, 0.1):
        z = torch.tensor(outputs, dtype=torch.float64, requires_grad=True)
        weight = torch.tensor(weights.astype("f8")[labels] * (labels >= 0))
        loss = weight * F.cross_entropy(z, torch.tensor(labels), reduction="none", ignore_index=-1, label_smoothing=smoothing)
        loss.sum().backward()
        if smoothing == 0:
            own = F.cross_entropy(z, torch.tensor(labels), torch.tensor(weights.astype("f8")), reduction="sum", ignore_index=-1)
            assert torch.allclose(own, loss.sum())
        arrays.update({f"{smoothing}/losses": loss.detach(), f"{smoothing}/gradient": z.grad})
    y = torch.tensor(binary_outputs, dtype=torch.float64, requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(y, torch.tensor(binary_labels.astype("f8")), reduction="none",
                                              weight=torch.tensor(binary_weights.astype("f8")[binary_labels]))
    loss.sum().backward()
    arrays.update({"binary/losses": loss.detach(), "binary/gradient": y.grad})
    return arrays


def write(path, arrays):
    place = 0
    with open(path.with_suffix(".bin"), "wb") as floats, open(path.with_suffix(".txt"), "w") as index:
        for name, array in arrays.items():
            array = numpy.asarray(array).astype("<f4")
            print(name, place, "x".join(map(str, array.shape)), file=index)
            floats.write(array.tobytes())
            place += array.size


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    torch.set_num_threads(1)
    for model in (Mlp(), Cnn(), Gpt(), Sequence(), Unet(), Volume()):
        write(directory / type(model).__name__.lower(), reference(model))
    write(directory / "class_weights", weighted_losses())


if __name__ == "__main__":
    main()
