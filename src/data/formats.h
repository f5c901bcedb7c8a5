/* The formats of the house: a new one is a new file, which defines dataset_NAME, and a new row here. A program can add
 * formats of its own: dataset_register. */
#ifndef DATA_FORMATS_H
#define DATA_FORMATS_H

#include "data/dataset.h"

/* In the order in which messages list them. */
#define DATASET_FORMATS(ROW) ROW(idx) ROW(digits) ROW(text) ROW(tokens) ROW(csv) ROW(npy) ROW(npz) ROW(hdf5) ROW(folder)

#define DATASET_FORMAT_DECLARED(name) extern const struct dataset_class dataset_##name;
DATASET_FORMATS(DATASET_FORMAT_DECLARED)

#endif
