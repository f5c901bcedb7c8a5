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

const struct c_function c_conv2d = {
    "conv2d",
    "/* y [O, Y, X] from x [C, H, W], with w [O, C, k, k], b [O] or NULL, and zeros above and on the left. */\n"
    "static void conv2d(int C, int H, int W, int O, int Y, int X, int k, int stride, int top, int left,\n"
    "                   const float *x, const float *w, const float *b, float *y)\n"
    "{\n"
    "    for (int o = 0; o < O; o++, y += Y * X) {\n"
    "        for (int i = 0; i < Y * X; i++)\n"
    "            y[i] = b ? b[o] : 0;\n"
    "        for (int tap = 0; tap < C * k * k; tap++, w++) {\n"
    "            int down = tap / k % k - top, right = tap % k - left, first = 0, last = X;\n"
    "            while (first < X && first * stride + right < 0)\n"
    "                first++;\n"
    "            while (last > first && (last - 1) * stride + right >= W)\n"
    "                last--;\n"
    "            for (int row = 0; row < Y; row++) {\n"
    "                int from = row * stride + down;\n"
    "                const float *plane = x + (long)(tap / (k * k)) * H * W;\n"
    "                for (int column = first; from >= 0 && from < H && column < last; column++)\n"
    "                    y[row * X + column] += *w * plane[from * W + column * stride + right];\n"
    "            }\n"
    "        }\n"
    "    }\n"
    "}\n",
    NULL,
};

const struct c_function c_conv1d = {
    "conv1d",
    "/* y [U, O] from x [T, C], with w [O, C, k], b [O] or NULL, and zeros in front. */\n"
    "static void conv1d(int T, int C, int U, int O, int k, int stride, int before, const float *x, const float *w,\n"
    "                   const float *b, float *y)\n"
    "{\n"
    "    for (int i = 0; i < U * O; i++) {\n"
    "        int o = i % O, first = i / O * stride - before;\n"
    "        float sum = b ? b[o] : 0;\n"
    "        for (int tap = 0; tap < C * k; tap++) {\n"
    "            int at = first + tap % k;\n"
    "            if (at >= 0 && at < T)\n"
    "                sum += w[(long)o * C * k + tap] * x[(long)at * C + tap / k];\n"
    "        }\n"
    "        y[i] = sum;\n"
    "    }\n"
    "}\n",
    NULL,
};

const struct c_function c_conv3d = {
    "conv3d",
    "/* y [O, Z, Y, X] from x [C, D, H, W], with w [O, C, k, k, k], b [O] or NULL, and zeros in front of each side. */\n"
    "static void conv3d(int C, int D, int H, int W, int O, int Z, int Y, int X, int k, int stride, int front, int top,\n"
    "                   int left, const float *x, const float *w, const float *b, float *y)\n"
    "{\n"
    "    for (int o = 0; o < O; o++, y += (long)Z * Y * X) {\n"
    "        for (long i = 0; i < (long)Z * Y * X; i++)\n"
    "            y[i] = b ? b[o] : 0;\n"
    "        for (int tap = 0; tap < C * k * k * k; tap++, w++)\n"
    "            for (int row = 0; row < Z * Y; row++) {\n"
    "                int deep = row / Y * stride + tap / (k * k) % k - front;\n"
    "                int down = row % Y * stride + tap / k % k - top, right = tap % k - left;\n"
    "                const float *line = x + (((long)(tap / (k * k * k)) * D + deep) * H + down) * W;\n"
    "                if (deep < 0 || deep >= D || down < 0 || down >= H)\n"
    "                    continue;\n"
    "                for (int column = 0; column < X; column++) {\n"
    "                    int at = column * stride + right;\n"
    "                    if (at >= 0 && at < W)\n"
    "                        y[(long)row * X + column] += *w * line[at];\n"
    "                }\n"
    "            }\n"
    "    }\n"
    "}\n",
    NULL,
};

static const struct c_function window = {
    "window",
    "/* Where in x [D, H, W] the window of output i of [Z, Y, X] begins. */\n"
    "static const float *window(int i, int H, int W, int Y, int X, int stride, const float *x)\n"
    "{\n"
    "    return x + ((long)(i / (Y * X)) * stride * H + i / X % Y * stride) * W + i % X * stride;\n"
    "}\n",
    NULL,
};

const struct c_function c_max_pool = {
    "max_pool",
    "/* y [C, Z, Y, X] from x [C, D, H, W]: the largest value of each window. */\n"
    "static void max_pool(int C, int D, int H, int W, int Z, int Y, int X, int deep, int size, int stride,\n"
    "                     const float *x, float *y)\n"
    "{\n"
    "    for (int c = 0; c < C; c++, x += (long)D * H * W)\n"
    "        for (int i = 0; i < Z * Y * X; i++) {\n"
    "            const float *at = window(i, H, W, Y, X, stride, x);\n"
    "            float largest = *at;\n"
    "            for (int tap = 1; tap < deep * size * size; tap++) {\n"
    "                float value = at[((long)(tap / (size * size)) * H + tap / size % size) * W + tap % size];\n"
    "                largest = value > largest ? value : largest;\n"
    "            }\n"
    "            *y++ = largest;\n"
    "        }\n"
    "}\n",
    &window,
};

const struct c_function c_avg_pool = {
    "avg_pool",
    "/* y [C, Z, Y, X] from x [C, D, H, W]: the mean of each window. */\n"
    "static void avg_pool(int C, int D, int H, int W, int Z, int Y, int X, int deep, int size, int stride,\n"
    "                     const float *x, float *y)\n"
    "{\n"
    "    for (int c = 0; c < C; c++, x += (long)D * H * W)\n"
    "        for (int i = 0; i < Z * Y * X; i++) {\n"
    "            const float *at = window(i, H, W, Y, X, stride, x);\n"
    "            float sum = 0;\n"
    "            for (int tap = 0; tap < deep * size * size; tap++)\n"
    "                sum += at[((long)(tap / (size * size)) * H + tap / size % size) * W + tap % size];\n"
    "            *y++ = sum / (float)(deep * size * size);\n"
    "        }\n"
    "}\n",
    &window,
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

static const struct c_function place = {
    "place",
    "/* Where output o of a side of n that becomes f times as long lies: from input *low on, by how much of the way to\n"
    " * the next. */\n"
    "static float place(int o, int n, int f, int linear, int *low, int *high)\n"
    "{\n"
    "    float at = linear ? ((float)o + 0.5f) / (float)f - 0.5f : (float)(o / f);\n"
    "    at = at < 0 ? 0 : at;\n"
    "    *low = (int)at;\n"
    "    *high = *low + 1 < n ? *low + 1 : *low;\n"
    "    return at - (float)*low;\n"
    "}\n",
    NULL,
};

static const struct c_function between = {
    "between",
    "/* The value of a plane [H, W] at output (row, column) of [f H, g W]. */\n"
    "static float between(int row, int column, int H, int W, int f, int g, int linear, const float *plane)\n"
    "{\n"
    "    int up, down, left, right;\n"
    "    float below = place(row, H, f, linear, &up, &down), beside = place(column, W, g, linear, &left, &right);\n"
    "    const float *a = plane + (long)up * W, *b = plane + (long)down * W;\n"
    "    float above = (1 - beside) * a[left] + beside * a[right];\n"
    "    return (1 - below) * above + below * ((1 - beside) * b[left] + beside * b[right]);\n"
    "}\n",
    &place,
};

const struct c_function c_upsample = {
    "upsample",
    "/* Blocks [n, D, H, W] to [n, e D, f H, g W]: nearest, or with lines in between. */\n"
    "static void upsample(int n, int D, int H, int W, int e, int f, int g, int linear, const float *x, float *y)\n"
    "{\n"
    "    for (int row = 0; row < n * e * D * f * H; row++) {\n"
    "        int first, next, line = row % (f * H), deep = row / (f * H) % (e * D);\n"
    "        float behind = place(deep, D, e, linear, &first, &next);\n"
    "        const float *block = x + (long)(row / (f * H) / (e * D)) * D * H * W;\n"
    "        const float *a = block + (long)first * H * W, *b = block + (long)next * H * W;\n"
    "        for (int column = 0; column < g * W; column++) {\n"
    "            float front = between(line, column, H, W, f, g, linear, a);\n"
    "            float back = behind > 0 ? between(line, column, H, W, f, g, linear, b) : 0;\n"
    "            *y++ = (1 - behind) * front + behind * back;\n"
    "        }\n"
    "    }\n"
    "}\n",
    &between,
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
