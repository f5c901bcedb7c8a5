#include "data/formats.h"

#include "base/rows.h"

const struct option dataset_rows[] = {
    {"format", "how the data is stored, and what a sample of it is",
     KIND(struct dataset_spec, class, settings, &dataset_registry)},
    KIND_KEYS,
    {0},
};

#define KIND_OF_FORMAT(name) &dataset_##name.kind,

struct registry dataset_registry = {
    .role = "data format", .keys = dataset_rows, .kinds = {DATASET_FORMATS(KIND_OF_FORMAT)}};
