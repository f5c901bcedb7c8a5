/* Functions that look at neighbours: convolutions, pools, upsample. */
#include "export/c_functions.h"

#include <stddef.h>

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
