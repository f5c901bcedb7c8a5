/* What each layer is in ONNX. */
#ifndef EXPORT_ONNX_LAYERS_H
#define EXPORT_ONNX_LAYERS_H

#include "export/onnx_nodes.h"

/* Local. Appends the operation. False: not known. */
bool onnx_layer(struct onnx_step *step);

#endif
