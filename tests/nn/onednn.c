/* Our products and convolutions beside oneDNN's, for the shapes that standard input names, a line each as `lockstep
 * bench --json` lists them (scripts/bench --onednn writes them):
 *
 *   product COUNT m n k a_transposed b_transposed adds
 *   forward|dweight|dx COUNT samples channels height width filters out_height out_width kernel stride top left
 *
 * Of each, GFLOP/s of both, medians of interleaved calls on one thread (OMP_NUM_THREADS=1). oneDNN's products read and
 * write the same layouts as ours; its convolutions may choose theirs, and bringing them there does not count. A
 * benchmark: nothing of lockstep is linked with oneDNN. */
#include "base/clock.h"
#include "base/memory.h"
#include "nn/kernels/convolution.h"
#include "nn/kernels/numerics.h"

#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_S 5e-3 /* of calls that are timed together */
#define ROUNDS  15

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void need(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success)
        return;
    fprintf(stderr, "onednn: %s: status %d\n", what, (int)status);
    exit(1);
}

/* What is measured: one call of ours, one of theirs. */
struct pair {
    const char *kind;
    double flops;

    size_t m, n, k;
    struct matrix a, b;
    bool adds;
    float *c;

    struct convolution v;
    float *x, *weight, *y, *scratch;

    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[4];
};

static float *draw(size_t count)
{
    float *values = memory_need(count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(i * 2654435761U % 1000) / 500 - 1;
    return values;
}

static void run_ours(const struct pair *pair)
{
    const struct compute *compute = &compute_lockstep;
    const struct convolution *v = &pair->v;
    struct matrix weight = matrix_of(pair->weight, v->K, false);
    if (strcmp(pair->kind, "product") == 0)
        compute->product(compute, pair->m, pair->n, pair->k, pair->a, pair->b, pair->adds, pair->c, pair->n);
    else if (strcmp(pair->kind, "forward") == 0)
        compute->convolution_forward(compute, v, v->M, pair->x, weight, NULL, pair->scratch, pair->y);
    else if (strcmp(pair->kind, "dweight") == 0)
        compute->convolution_dweight(compute, v, v->M, pair->x, pair->y, pair->scratch, pair->weight, NULL);
    else
        compute->convolution_dx(compute, v, v->M, pair->y, weight, pair->scratch, pair->x);
}

static void run_theirs(const struct pair *pair)
{
    need(dnnl_primitive_execute(pair->primitive, stream, 3, pair->args), "execute");
    need(dnnl_stream_wait(stream), "wait");
}

static dnnl_exec_arg_t argument(int name, const dnnl_memory_desc_t *form, void *values)
{
    dnnl_exec_arg_t arg = {.arg = name};
    need(dnnl_memory_create(&arg.memory, form, engine, values), "memory");
    return arg;
}

/* ---- products ---- */

static dnnl_memory_desc_t matrix_form(size_t rows, size_t columns, bool transposed)
{
    dnnl_memory_desc_t form;
    const dnnl_dims_t sizes = {(dnnl_dim_t)rows, (dnnl_dim_t)columns};
    const dnnl_dims_t strides = {transposed ? 1 : (dnnl_dim_t)columns, transposed ? (dnnl_dim_t)rows : 1};
    need(dnnl_memory_desc_init_by_strides(&form, 2, sizes, dnnl_f32, strides), "layout");
    return form;
}

static void prepare_product(struct pair *pair)
{
    size_t m = pair->m, n = pair->n, k = pair->k;
    dnnl_memory_desc_t a = matrix_form(m, k, pair->a.transposed), b = matrix_form(k, n, pair->b.transposed),
                       c = matrix_form(m, n, false);
    dnnl_matmul_desc_t desc;
    dnnl_primitive_desc_t made;
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t behind;
    pair->flops = 2.0 * (double)m * (double)n * (double)k;
    pair->a = matrix_of(draw(m * k), pair->a.transposed ? m : k, pair->a.transposed);
    pair->b = matrix_of(draw(k * n), pair->b.transposed ? k : n, pair->b.transposed);
    pair->c = draw(m * n);
    need(dnnl_post_ops_create(&behind), "post-ops");
    if (pair->adds)
        need(dnnl_post_ops_append_sum(behind, 1), "sum");
    need(dnnl_primitive_attr_create(&attributes), "attributes");
    need(dnnl_primitive_attr_set_post_ops(attributes, behind), "attributes");
    need(dnnl_matmul_desc_init(&desc, &a, &b, NULL, &c), "matmul");
    need(dnnl_primitive_desc_create(&made, &desc, attributes, engine, NULL), "matmul");
    need(dnnl_primitive_create(&pair->primitive, made), "matmul");
    pair->args[0] = argument(DNNL_ARG_SRC, &a, (void *)(uintptr_t)pair->a.values);
    pair->args[1] = argument(DNNL_ARG_WEIGHTS, &b, (void *)(uintptr_t)pair->b.values);
    pair->args[2] = argument(DNNL_ARG_DST, &c, pair->c);
}

/* ---- convolutions ---- */

static dnnl_memory_desc_t any_form(size_t a, size_t b, size_t c, size_t d)
{
    dnnl_memory_desc_t form;
    const dnnl_dims_t sizes = {(dnnl_dim_t)a, (dnnl_dim_t)b, (dnnl_dim_t)c, (dnnl_dim_t)d};
    need(dnnl_memory_desc_init_by_tag(&form, 4, sizes, dnnl_f32, dnnl_format_tag_any), "layout");
    return form;
}

static dnnl_exec_arg_t own_argument(int name, const_dnnl_primitive_desc_t made, dnnl_query_t query)
{
    return argument(name, dnnl_primitive_desc_query_md(made, query, 0), DNNL_MEMORY_ALLOCATE);
}

static void prepare_convolution(struct pair *pair)
{
    const struct convolution *v = &pair->v;
    dnnl_memory_desc_t x = any_form(v->M, v->C, v->in[1], v->in[2]), y = any_form(v->M, v->O, v->out[1], v->out[2]),
                       w = any_form(v->O, v->C, v->kernel[1], v->kernel[2]);
    dnnl_dims_t strides, before, behind;
    for (size_t d = 0; d < 2; d++) {
        strides[d] = (dnnl_dim_t)v->stride[d + 1];
        before[d] = (dnnl_dim_t)v->before[d + 1];
        behind[d] = ((dnnl_dim_t)v->out[d + 1] - 1) * strides[d] + (dnnl_dim_t)v->kernel[d + 1] -
                    (dnnl_dim_t)(v->in[d + 1] + v->before[d + 1]);
    }
    const dnnl_alg_kind_t direct = dnnl_convolution_direct;
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t forward, made;
    pair->flops = 2.0 * (double)(v->M * convolution_outputs(v)) * (double)v->K;
    pair->x = draw(v->M * convolution_inputs(v));
    pair->y = draw(v->M * convolution_outputs(v));
    pair->weight = draw(v->O * v->K);
    pair->scratch = draw(compute_lockstep.convolution_scratch(&compute_lockstep, v));
    need(dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, direct, &x, &w, NULL, &y, strides, before,
                                            behind),
         "convolution");
    need(dnnl_primitive_desc_create(&forward, &desc, NULL, engine, NULL), "convolution");
    made = forward;
    if (strcmp(pair->kind, "forward") == 0) {
        pair->args[0] = own_argument(DNNL_ARG_SRC, made, dnnl_query_src_md);
        pair->args[1] = own_argument(DNNL_ARG_WEIGHTS, made, dnnl_query_weights_md);
        pair->args[2] = own_argument(DNNL_ARG_DST, made, dnnl_query_dst_md);
    } else if (strcmp(pair->kind, "dweight") == 0) {
        need(dnnl_convolution_backward_weights_desc_init(&desc, direct, &x, &w, NULL, &y, strides, before, behind),
             "dweight");
        need(dnnl_primitive_desc_create(&made, &desc, NULL, engine, forward), "dweight");
        pair->args[0] = own_argument(DNNL_ARG_SRC, made, dnnl_query_src_md);
        pair->args[1] = own_argument(DNNL_ARG_DIFF_WEIGHTS, made, dnnl_query_diff_weights_md);
        pair->args[2] = own_argument(DNNL_ARG_DIFF_DST, made, dnnl_query_diff_dst_md);
    } else {
        need(dnnl_convolution_backward_data_desc_init(&desc, direct, &x, &w, &y, strides, before, behind), "dx");
        need(dnnl_primitive_desc_create(&made, &desc, NULL, engine, forward), "dx");
        pair->args[0] = own_argument(DNNL_ARG_DIFF_SRC, made, dnnl_query_diff_src_md);
        pair->args[1] = own_argument(DNNL_ARG_WEIGHTS, made, dnnl_query_weights_md);
        pair->args[2] = own_argument(DNNL_ARG_DIFF_DST, made, dnnl_query_diff_dst_md);
    }
    need(dnnl_primitive_create(&pair->primitive, made), "primitive");
}

/* ---- time ---- */

static double seconds_of(void (*run)(const struct pair *pair), const struct pair *pair, size_t calls)
{
    double begin = clock_seconds();
    for (size_t i = 0; i < calls; i++)
        run(pair);
    return (clock_seconds() - begin) / (double)calls;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const struct pair *pair)
{
    double ours[ROUNDS], theirs[ROUNDS];
    seconds_of(run_theirs, pair, 1);
    size_t calls = (size_t)(ROUND_S / seconds_of(run_ours, pair, 2)) + 1;
    for (size_t i = 0; i < ROUNDS; i++) {
        ours[i] = seconds_of(run_ours, pair, calls);
        theirs[i] = seconds_of(run_theirs, pair, calls);
    }
    qsort(ours, ROUNDS, sizeof *ours, compare);
    qsort(theirs, ROUNDS, sizeof *theirs, compare);
    printf("%.9g %.9g\n", 1e-9 * pair->flops / ours[ROUNDS / 2], 1e-9 * pair->flops / theirs[ROUNDS / 2]);
    fflush(stdout);
}

static void release(struct pair *pair)
{
    for (size_t i = 0; i < 3; i++)
        dnnl_memory_destroy(pair->args[i].memory);
    dnnl_primitive_destroy(pair->primitive);
    memory_free((void *)(uintptr_t)pair->a.values);
    memory_free((void *)(uintptr_t)pair->b.values);
    memory_free(pair->c);
    memory_free(pair->x);
    memory_free(pair->y);
    memory_free(pair->weight);
    memory_free(pair->scratch);
}

int main(void)
{
    char line[400], kind[20];
    need(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine");
    need(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
    numerics_enter();
    while (fgets(line, sizeof line, stdin)) {
        struct pair pair = {.kind = kind};
        struct convolution *v = &pair.v;
        int a_transposed, b_transposed, adds;
        if (sscanf(line, "product %*u %zu %zu %zu %d %d %d", &pair.m, &pair.n, &pair.k, &a_transposed, &b_transposed,
                   &adds) == 6) {
            strcpy(kind, "product");
            pair.a.transposed = a_transposed;
            pair.b.transposed = b_transposed;
            pair.adds = adds;
            prepare_product(&pair);
        } else if (sscanf(line, "%19s %*u %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu", kind, &v->M, &v->C,
                          &v->in[1], &v->in[2], &v->O, &v->out[1], &v->out[2], &v->kernel[1], &v->kernel[2],
                          &v->stride[1], &v->stride[2], &v->before[1], &v->before[2]) == 14) {
            v->in[0] = v->out[0] = v->kernel[0] = v->stride[0] = v->groups = 1;
            v->dilation[0] = v->dilation[1] = v->dilation[2] = 1;
            v->K = v->C * v->kernel[1] * v->kernel[2];
            prepare_convolution(&pair);
        } else {
            fprintf(stderr, "onednn: not understood: %s", line);
            return 2;
        }
        measure(&pair);
        release(&pair);
    }
    return 0;
}
