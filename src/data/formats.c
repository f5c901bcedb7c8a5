#include "data/formats.h"

#include "base/registry.h"
#include "base/rows.h"
#include "data/recognise.h"

const struct option_row dataset_rows[] = {
    {"format",
     "how the data is stored, and what a sample of it is; without it what the other keys, or else the file, can only mean",
     KIND(struct dataset_spec, class, settings, &dataset_registry), .guess = recognise_keys},
    KIND_KEYS,
    {0},
};

#define KIND_OF_FORMAT(name) &dataset_##name.kind,

struct registry dataset_registry = {
    .role = "data format", .keys = dataset_rows, .kinds = {DATASET_FORMATS(KIND_OF_FORMAT)}};

bool dataset_register(const struct dataset_class *class, struct error *error)
{
    if (!class->open || !class->close || !class->read)
        return error_set(error, ERROR_USAGE, "data format %.40s: it must have open, close and read",
                         class->kind.name ? class->kind.name : "");
    return registry_add(&dataset_registry, &class->kind, error);
}
