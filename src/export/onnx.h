/* A model as a file of ONNX (onnx.ai, "Open Neural Network Exchange", onnx.proto): operators of opset 17, IR version 8,
 * which ONNX Runtime 1.12 and Debian's python3-onnx know. Input `x` [N, ...] (or `tokens`, int64), output `y`; N is
 * whatever comes. What inputs, targets, classes or characters are called stands in its metadata, each a list of JSON.
 */
#ifndef EXPORT_ONNX_H
#define EXPORT_ONNX_H

#include "base/text.h"
#include "export/graph.h"

/* Local. Appends the file. ERROR_USAGE names a layer of which nobody has said what it is in ONNX, or says that the loss
 * knows no probabilities, or that the file would be larger than 2 GB. */
bool onnx_model(const struct export_request *request, struct text *file, struct error *error) WARN_UNUSED;

#endif
