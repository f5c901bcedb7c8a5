#include "weights/torch_program.h"

#include "weights/probabilities.h"

#include <string.h>

/* A module that PyTorch has not, or not in each version that is in use. */
struct own_class {
    const char *use; /* how modules begin that are of it */
    const char *lines;
};

static const struct own_class own_classes[] = {
    {"Residual(", "class Residual(nn.Sequential):\n"
                  "    def forward(self, x):\n"
                  "        return x + super().forward(x)\n"},
    {"Keep(", "kept = {}\n"
              "class Keep(nn.Module):\n"
              "    def __init__(self, kept, name):\n"
              "        super().__init__()\n"
              "        self.kept, self.name = kept, name\n"
              "    def forward(self, x):\n"
              "        self.kept[self.name] = x\n"
              "        return x\n"},
    {"Concat(", "class Concat(nn.Module):\n"
                "    def __init__(self, kept, name, axis):\n"
                "        super().__init__()\n"
                "        self.kept, self.name, self.axis = kept, name, axis\n"
                "    def forward(self, x):\n"
                "        return torch.cat((x, self.kept[self.name]), self.axis)\n"},
    {"Mean(", "class Mean(nn.Module):\n"
              "    def forward(self, x):\n"
              "        return x.mean(1)\n"},
    {"RMSNorm(", "class RMSNorm(nn.Module):\n"
                 "    def __init__(self, sizes, eps):\n"
                 "        super().__init__()\n"
                 "        self.weight, self.eps = nn.Parameter(torch.ones(sizes)), eps\n"
                 "    def forward(self, x):\n"
                 "        over = tuple(range(-self.weight.dim(), 0))\n"
                 "        return x * torch.rsqrt((x * x).mean(over, keepdim=True) + self.eps) * self.weight\n"},
    {"SequenceNorm(", "class SequenceNorm(nn.BatchNorm1d):\n"
                      "    def forward(self, x):\n"
                      "        return super().forward(x.transpose(1, 2)).transpose(1, 2)\n"},
    {"SequenceUpsample(", "class SequenceUpsample(nn.Upsample):\n"
                          "    def forward(self, x):\n"
                          "        return super().forward(x.transpose(1, 2)).transpose(1, 2)\n"},
    {"SequenceConv(", "class SequenceConv(nn.Conv1d):\n"
                      "    def forward(self, x):\n"
                      "        return super().forward(x.transpose(1, 2)).transpose(1, 2)\n"},
    {"Positions(", "class Positions(nn.Module):\n"
                   "    def __init__(self, positions, channels):\n"
                   "        super().__init__()\n"
                   "        self.weight = nn.Parameter(torch.zeros(positions, channels))\n"
                   "    def forward(self, x):\n"
                   "        return x + self.weight[:x.shape[1]]\n"},
    {"Attend(", "class Attend(nn.Module):\n"
                "    def __init__(self, heads, causal):\n"
                "        super().__init__()\n"
                "        self.heads, self.causal = heads, causal\n"
                "    def forward(self, x):\n"
                "        q, k, v = (y.unflatten(2, (self.heads, -1)).transpose(1, 2) for y in x.chunk(3, 2))\n"
                "        scores = q @ k.transpose(2, 3) / q.shape[3] ** 0.5\n"
                "        if self.causal:\n"
                "            ahead = torch.ones(scores.shape[2:], dtype=torch.bool, device=x.device).triu(1)\n"
                "            scores = scores.masked_fill(ahead, float(\"-inf\"))\n"
                "        return (scores.softmax(3) @ v).transpose(1, 2).flatten(2)\n"},
};
#define OWN_CLASSES (sizeof own_classes / sizeof *own_classes)

bool torch_softmax(const struct model *model, struct text *modules, struct error *error)
{
    struct probabilities own;
    const struct shape *out = &model->layers[model->count - 1].out;
    if (!probabilities_of(model, &own, error))
        return false;
    bool is_last = own.width == out->size[out->dims - 1]; /* the classes of a term are one axis */
    if (own.sigmoid)
        text_append(modules, "    nn.Sigmoid(),\n");
    else if (own.planes)
        text_append(modules, "    nn.Softmax(1),\n");
    else if (is_last)
        text_append(modules, "    nn.Softmax(-1),\n");
    else
        text_append(modules, "    nn.Flatten(),\n    nn.Unflatten(1, (%zu, %zu)),\n    nn.Softmax(-1),\n", own.terms,
                    own.width);
    return true;
}

void torch_program(const struct text *modules, const char *file, struct text *program)
{
    text_append(program, "import torch\nfrom torch import nn\nfrom safetensors.torch import load_file\n\n");
    for (size_t i = 0; i < OWN_CLASSES; i++) {
        struct text use; /* a module stands alone in its line */
        text_init(&use);
        text_append(&use, " %s", own_classes[i].use);
        if (strstr(text_bytes(modules), text_bytes(&use)))
            text_append(program, "%s\n", own_classes[i].lines);
        text_release(&use);
    }
    text_append(program, "model = nn.Sequential(\n%s)\nmodel.load_state_dict(load_file(", text_bytes(modules));
    text_append_json(program, file);
    text_append(program, "))\nmodel.eval()\n");
}
