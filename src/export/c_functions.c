#include "export/c_functions.h"

#include <stddef.h>

const struct c_function c_standardise = {
    "standardise",
    "/* y = (x - mean) / scale of x [outer, c, inner], by its columns c. */\n"
    "static void standardise(int outer, int c, int inner, const float *mean, const float *scale, const float *x, float *y)\n"
    "{\n"
    "    for (int i = 0; i < outer * c * inner; i++)\n"
    "        y[i] = (x[i] - mean[i / inner % c]) * (1 / scale[i / inner % c]);\n"
    "}\n",
    NULL,
};

const struct c_function c_original = {
    "original",
    "/* y [c] in original units. */\n"
    "static void original(int c, const float *mean, const float *scale, float *y)\n"
    "{\n"
    "    for (int i = 0; i < c; i++)\n"
    "        y[i] = mean[i] + scale[i] * y[i];\n"
    "}\n",
    NULL,
};

const struct c_function c_dot = {
    "dot",
    "static float dot(int n, const float *a, const float *b)\n"
    "{\n"
    "    float parts[8] = {0}, sum = 0;\n"
    "    int i = 0;\n"
    "    for (; i + 8 <= n; i += 8)\n"
    "        for (int k = 0; k < 8; k++)\n"
    "            parts[k] += a[i + k] * b[i + k];\n"
    "    for (; i < n; i++)\n"
    "        sum += a[i] * b[i];\n"
    "    for (int k = 0; k < 8; k++)\n"
    "        sum += parts[k];\n"
    "    return sum;\n"
    "}\n",
    NULL,
};

const struct c_function c_dense = {
    "dense",
    "/* y [n, O] = x [n, I] w' + b, with w [O, I] and b [O] or NULL. */\n"
    "static void dense(int n, int I, int O, const float *x, const float *w, const float *b, float *y)\n"
    "{\n"
    "    for (int row = 0; row < n; row++, x += I, y += O)\n"
    "        for (int o = 0; o < O; o++)\n"
    "            y[o] = dot(I, x, w + (long)o * I) + (b ? b[o] : 0);\n"
    "}\n",
    &c_dot,
};

const struct c_function c_mean_of_channels = {
    "mean_of_channels",
    "/* y [C]: the mean over x [before, C, after]. */\n"
    "static void mean_of_channels(int before, int C, int after, const float *x, float *y)\n"
    "{\n"
    "    for (int c = 0; c < C; c++) {\n"
    "        double sum = 0;\n"
    "        for (int i = 0; i < before; i++)\n"
    "            for (int k = 0; k < after; k++)\n"
    "                sum += x[((long)i * C + c) * after + k];\n"
    "        y[c] = (float)(sum / before / after);\n"
    "    }\n"
    "}\n",
    NULL,
};

#define ELEMENTWISE(name, value)                                                                                       \
    name, "static void " name "(int n, const float *x, float *y)\n"                                                    \
          "{\n"                                                                                                        \
          "    for (int i = 0; i < n; i++)\n"                                                                          \
          "        y[i] = " value ";\n"                                                                                \
          "}\n"

const struct c_function c_relu = {ELEMENTWISE("relu", "x[i] > 0 ? x[i] : 0"), NULL};
const struct c_function c_gelu = {ELEMENTWISE("gelu", "0.5f * x[i] * (1 + erff(x[i] * 0.70710678f))"), NULL};
const struct c_function c_gelu_tanh = {
    ELEMENTWISE("gelu_tanh", "0.5f * x[i] * (1 + tanhf(0.79788456f * (x[i] + 0.044715f * x[i] * x[i] * x[i])))"), NULL};
const struct c_function c_tanh_of = {ELEMENTWISE("tanh_of", "tanhf(x[i])"), NULL};
const struct c_function c_sigmoid = {ELEMENTWISE("sigmoid", "1 / (1 + expf(-x[i]))"), NULL};
const struct c_function c_silu = {ELEMENTWISE("silu", "x[i] / (1 + expf(-x[i]))"), NULL};

const struct c_function c_add = {
    "add",
    "static void add(int n, const float *a, const float *b, float *y)\n"
    "{\n"
    "    for (int i = 0; i < n; i++)\n"
    "        y[i] = a[i] + b[i];\n"
    "}\n",
    NULL,
};

const struct c_function c_append = {
    "append",
    "/* Rows y [n, c + d] of x [n, c] and z [n, d]. */\n"
    "static void append(int n, int c, int d, const float *x, const float *z, float *y)\n"
    "{\n"
    "    for (int row = 0; row < n; row++, y += c + d) {\n"
    "        for (int i = 0; i < c; i++)\n"
    "            y[i] = *x++;\n"
    "        for (int i = 0; i < d; i++)\n"
    "            y[c + i] = *z++;\n"
    "    }\n"
    "}\n",
    NULL,
};

const struct c_function c_layer_norm = {
    "layer_norm",
    "/* Rows [n, C] to mean 0 and variance 1, then times w [C] plus b [C]. */\n"
    "static void layer_norm(int n, int C, float epsilon, const float *x, const float *w, const float *b, float *y)\n"
    "{\n"
    "    for (int row = 0; row < n; row++, x += C, y += C) {\n"
    "        double sum = 0, squares = 0;\n"
    "        for (int c = 0; c < C; c++)\n"
    "            sum += x[c];\n"
    "        float mean = (float)(sum / C);\n"
    "        for (int c = 0; c < C; c++)\n"
    "            squares += (x[c] - mean) * (x[c] - mean);\n"
    "        float r = 1 / sqrtf((float)(squares / C) + epsilon);\n"
    "        for (int c = 0; c < C; c++)\n"
    "            y[c] = (x[c] - mean) * r * w[c] + b[c];\n"
    "    }\n"
    "}\n",
    NULL,
};

const struct c_function c_rms_norm = {
    "rms_norm",
    "/* Rows [n, C] by the root of their mean square, then times w [C]. */\n"
    "static void rms_norm(int n, int C, float epsilon, const float *x, const float *w, float *y)\n"
    "{\n"
    "    for (int row = 0; row < n; row++, x += C, y += C) {\n"
    "        double squares = 0;\n"
    "        for (int c = 0; c < C; c++)\n"
    "            squares += x[c] * x[c];\n"
    "        float r = 1 / sqrtf((float)(squares / C) + epsilon);\n"
    "        for (int c = 0; c < C; c++)\n"
    "            y[c] = x[c] * r * w[c];\n"
    "    }\n"
    "}\n",
    NULL,
};

const struct c_function c_group_norm = {
    "group_norm",
    "/* G groups of D channels of n values to mean 0 and variance 1, then times w [G D] plus b [G D]. */\n"
    "static void group_norm(int G, int D, int n, float epsilon, const float *x, const float *w, const float *b,\n"
    "                       float *y)\n"
    "{\n"
    "    for (int group = 0; group < G; group++, x += D * n, y += D * n) {\n"
    "        double sum = 0, squares = 0;\n"
    "        for (int i = 0; i < D * n; i++)\n"
    "            sum += x[i];\n"
    "        float mean = (float)(sum / (D * n));\n"
    "        for (int i = 0; i < D * n; i++)\n"
    "            squares += (x[i] - mean) * (x[i] - mean);\n"
    "        float r = 1 / sqrtf((float)(squares / (D * n)) + epsilon);\n"
    "        for (int i = 0; i < D * n; i++)\n"
    "            y[i] = (x[i] - mean) * r * w[group * D + i / n] + b[group * D + i / n];\n"
    "    }\n"
    "}\n",
    NULL,
};

const struct c_function c_batch_norm = {
    "batch_norm",
    "/* Channels of [before, C, after] by the averages of training, then times w [C] plus b [C]. */\n"
    "static void batch_norm(int before, int C, int after, float epsilon, const float *x, const float *w, const float *b,\n"
    "                       const float *mean, const float *variance, float *y)\n"
    "{\n"
    "    for (int row = 0; row < before * C; row++, x += after, y += after) {\n"
    "        int c = row % C;\n"
    "        float slope = w[c] / sqrtf(variance[c] + epsilon);\n"
    "        for (int i = 0; i < after; i++)\n"
    "            y[i] = (x[i] - mean[c]) * slope + b[c];\n"
    "    }\n"
    "}\n",
    NULL,
};

const struct c_function c_embedding = {
    "embedding",
    "/* Rows [T, C] of w for T tokens. */\n"
    "static void embedding(int T, int C, const int *tokens, const float *w, float *y)\n"
    "{\n"
    "    for (int i = 0; i < T * C; i++)\n"
    "        y[i] = w[(long)tokens[i / C] * C + i % C];\n"
    "}\n",
    NULL,
};

const struct c_function c_attend = {
    "attend",
    "/* y [T, C] from queries, keys and values side by side [T, 3 C], of each head softmax(q k' / sqrt(D)) v. The sums\n"
    " * of a row grow with the keys; where a larger score comes, what is there becomes smaller. */\n"
    "static void attend(int T, int C, int heads, int causal, const float *x, float *y)\n"
    "{\n"
    "    int D = C / heads;\n"
    "    for (int row = 0; row < T * heads; row++) {\n"
    "        int position = row / heads, at = row % heads * D;\n"
    "        const float *q = x + (long)position * 3 * C + at;\n"
    "        float *out = y + (long)position * C + at, largest = -INFINITY, total = 0;\n"
    "        for (int d = 0; d < D; d++)\n"
    "            out[d] = 0;\n"
    "        for (int key = 0; key < (causal ? position + 1 : T); key++) {\n"
    "            const float *k = x + ((long)key * 3 + 1) * C + at, *v = k + C;\n"
    "            float score = dot(D, q, k) / sqrtf((float)D), top = score > largest ? score : largest;\n"
    "            float kept = expf(largest - top), p = expf(score - top);\n"
    "            for (int d = 0; d < D; d++)\n"
    "                out[d] = out[d] * kept + p * v[d];\n"
    "            total = total * kept + p;\n"
    "            largest = top;\n"
    "        }\n"
    "        for (int d = 0; d < D; d++)\n"
    "            out[d] /= total;\n"
    "    }\n"
    "}\n",
    &c_dot,
};

const struct c_function c_softmax = {
    "softmax",
    "/* Of n terms with K values each the probabilities that these mean. Terms begin `next` floats after each other, and\n"
    " * the values of one are `step` floats apart. */\n"
    "static void softmax(int n, int K, int next, int step, float *y)\n"
    "{\n"
    "    for (int term = 0; term < n; term++, y += next) {\n"
    "        float largest = y[0], sum = 0;\n"
    "        for (int k = 1; k < K; k++)\n"
    "            if (y[(long)k * step] > largest)\n"
    "                largest = y[(long)k * step];\n"
    "        for (int k = 0; k < K; k++)\n"
    "            sum += y[(long)k * step] = expf(y[(long)k * step] - largest);\n"
    "        for (int k = 0; k < K; k++)\n"
    "            y[(long)k * step] /= sum;\n"
    "    }\n"
    "}\n",
    NULL,
};
