/* How a model's tensors are named and laid out elsewhere. */
#ifndef WEIGHTS_LAYOUT_H
#define WEIGHTS_LAYOUT_H

#include "base/text.h"
#include "nn/model.h"

#define LAYOUT_NAME  160 /* bytes */
#define LAYOUT_FIXED ((size_t)-1)

/* One tensor there. Its elements, row-major, are those of the model's tensor in the order of a walk (floats_gather)
 * whose indices may be finer than its shape. */
struct layout_row {
    char name[LAYOUT_NAME];
    size_t tensor; /* index in the model's table */
    size_t counts; /* the dimension that counts tokens or positions, of which a file may have more or fewer;
                    * LAYOUT_FIXED: none does */
    bool repeats;  /* a second copy of that tensor, which files may have and which must be equal */
    size_t dims;
    size_t shape[TENSOR_DIMS];
    size_t walk_dims;
    size_t sizes[TENSOR_DIMS], strides[TENSOR_DIMS];
};

struct layout {
    const char *name;
    struct layout_row *rows;
    size_t count, capacity;
    /* Whether a tensor of that name is nothing to be learned, so that nobody misses it here. NULL: all are missed. */
    bool (*ignores)(const char *name);
    const char *prefix;  /* which the names in a file may lack; "" or a part of each row's name */
    bool writes_repeats; /* whether files have second copies, too */
    bool in_order;       /* names are those of a file, whose modules were taken in the order in which they run */
};

/* Local. The model's own names and layouts, which are like PyTorch's: dense [out, in], conv2d [out, in, height, width].
 */
void layout_lockstep(struct layout *layout, const struct model *model);

/* Local. Those of GPT2LMHeadModel in Hugging Face's transformers: products [in, out], queries, keys and values side by
 * side. False (nothing stays) if the model has not that shape: embedding, position_embedding, blocks as `transformer`
 * makes them, layer_norm, lm_head; dropout anywhere. */
bool layout_gpt2(struct layout *layout, const struct model *model);

/* Local. The same as nanoGPT and minGPT have them, whose products are torch's: [out, in]. */
bool layout_nanogpt(struct layout *layout, const struct model *model);

/* Local. Those of a Sequential model in a .weights.h5 of Keras 3: channels last. ERROR_USAGE (nothing stays) names a
 * layer that has no counterpart there. */
bool layout_keras(struct layout *layout, const struct model *model, struct error *error) WARN_UNUSED;

/* Local. Those of a torch.nn.Sequential, which is told in `modules`: its arguments, appended as indented lines of
 * Python that end with commas. They may name classes of torch_program.c. ERROR_USAGE (nothing stays of the layout)
 * names a layer of which it is not known what it is in PyTorch. */
bool layout_torch(struct layout *layout, const struct model *model, struct text *modules,
                  struct error *error) WARN_UNUSED;

/* Local. A name without what PyTorch's wrappers and other programs put in front of all names: DistributedDataParallel,
 * compile, a model inside another one. */
const char *layout_bare(const char *name);

/* Local. Accepts a released layout. */
void layout_release(struct layout *layout);

/* Local, for the functions above. Adds a row for a tensor of the table, laid out as it is. The row is borrowed until
 * the next one. */
struct layout_row *layout_add(struct layout *layout, const struct model *model, size_t tensor, const char *name);

/* Local, for the functions above. [A, B] becomes [B, A]. */
void layout_transpose(struct layout_row *row);

#endif
