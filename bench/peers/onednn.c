// oneDNN's own primitives, each at its best: operands lie in the layout that the primitive asks for
// (format any) or channels last, by the direct algorithm or Winograd's where it can be made,
// whichever is fastest here. Operands are brought into that layout, weights packed, before time is
// taken, and there is no bias: all in oneDNN's favour.
#define _POSIX_C_SOURCE 200809L
#include "serve.h"

#include <oneapi/dnnl/dnnl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// libgomp's, which oneDNN is built on; <omp.h> of another compiler would speak to another runtime.
void omp_set_num_threads(int threads);

#define TRY(call)                             \
    do {                                      \
        if ((call) != dnnl_success)           \
            return "oneDNN failed at " #call; \
    } while (0)

enum role { X, W, Y, ROLES };

// What a primitive reads (twice) and writes, and how each is called in it.
typedef struct operand {
    enum role role;
    int argument;
    dnnl_query_t query;
} operand;

static const struct direction {
    const char *what;
    operand operands[ROLES];
} directions[] = {
    {"forward",
     {{X, DNNL_ARG_SRC, dnnl_query_src_md},
      {W, DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
      {Y, DNNL_ARG_DST, dnnl_query_dst_md}}},
    {"input",
     {{Y, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
      {W, DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
      {X, DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md}}},
    {"weights",
     {{X, DNNL_ARG_SRC, dnnl_query_src_md},
      {Y, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
      {W, DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md}}},
};

// One product with its memory, ready to run.
typedef struct candidate {
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[ROLES];
    float *values[ROLES];
    dnnl_exec_arg_t arguments[ROLES];
} candidate;

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static candidate best;

static void drop(candidate *c)
{
    for (int i = 0; i < ROLES; i++) {
        if (c->memory[i] != NULL)
            dnnl_memory_destroy(c->memory[i]);
        free(c->values[i]);
    }
    if (c->primitive != NULL)
        dnnl_primitive_destroy(c->primitive);
    *c = (candidate){0};
}

// Random values in the given layout, by a reorder from the plain one, which also clears its
// padding.
static const char *fill(dnnl_memory_t to, const dnnl_memory_desc_t *layout, unsigned seed)
{
    size_t count = 1;
    dnnl_memory_desc_t plain;
    for (int i = 0; i < layout->ndims; i++)
        count *= (size_t)layout->dims[i];
    float *values = random_floats(count, seed);
    if (values == NULL)
        return "no memory";
    TRY(dnnl_memory_desc_init_by_tag(&plain, layout->ndims, layout->dims, dnnl_f32,
                                     layout->ndims == 2 ? dnnl_ab : dnnl_abcd));
    dnnl_memory_t from;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t reorder;
    TRY(dnnl_memory_create(&from, &plain, engine, values));
    TRY(dnnl_reorder_primitive_desc_create(&description, &plain, engine, layout, engine, NULL));
    TRY(dnnl_primitive_create(&reorder, description));
    TRY(dnnl_primitive_execute(reorder, stream, 2,
                               (dnnl_exec_arg_t[]){{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}));
    TRY(dnnl_stream_wait(stream));
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(description);
    dnnl_memory_destroy(from);
    free(values);
    return NULL;
}

static const char *allocate(candidate *c, dnnl_primitive_desc_t description,
                            const operand *operands)
{
    TRY(dnnl_primitive_create(&c->primitive, description));
    for (int i = 0; i < ROLES; i++) {
        const dnnl_memory_desc_t *layout =
            dnnl_primitive_desc_query_md(description, operands[i].query, 0);
        const size_t bytes = layout != NULL ? dnnl_memory_desc_get_size(layout) : 0;
        if (bytes == 0 || (c->values[i] = random_floats(bytes / sizeof(float) + 16, 1)) == NULL)
            return "no memory";
        TRY(dnnl_memory_create(&c->memory[i], layout, engine, c->values[i]));
        c->arguments[i] = (dnnl_exec_arg_t){operands[i].argument, c->memory[i]};
        const char *why = i < 2 ? fill(c->memory[i], layout, (unsigned)i + 1) : NULL;
        if (why != NULL)
            return why;
    }
    return NULL;
}

static const char *run(const candidate *c)
{
    TRY(dnnl_primitive_execute(c->primitive, stream, ROLES, c->arguments));
    TRY(dnnl_stream_wait(stream));
    return NULL;
}

// Seconds a step: the least of some short runs.
static double time_of(const candidate *c)
{
    double least = 1e30, spent = 0;
    for (int i = 0; i < 100 && (i < 3 || spent < 0.1); i++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        if (run(c) != NULL)
            return 1e30;
        clock_gettime(CLOCK_MONOTONIC, &to);
        const double seconds =
            (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
        spent += seconds;
        least = i > 0 && seconds < least ? seconds : least; // the first run sets up
    }
    return least;
}

// Keeps the faster of `c` and what there was; takes the description.
static const char *contend(dnnl_primitive_desc_t description, const operand *operands,
                           double *least)
{
    candidate c = {0};
    const char *why = allocate(&c, description, operands);
    const double seconds = why == NULL ? time_of(&c) : 1e30;
    dnnl_primitive_desc_destroy(description);
    if (seconds < *least) {
        candidate slower = best;
        best = c;
        c = slower;
        *least = seconds;
    }
    drop(&c);
    return why;
}

// Convolutions ------------------------------------------------------------------------------------

typedef struct shapes {
    dnnl_dims_t dims[ROLES], strides, low, high;
} shapes;

// (n, h, h, c) by (k, k, c, f), in oneDNN's order of axes; Keras's "same" pads less at the front.
static shapes conv_shapes(const settings *s)
{
    const int64_t n = setting(s, "n", 32), h = setting(s, "h", 28), c = setting(s, "c", 1),
                  k = setting(s, "k", 3);
    const int64_t f = setting(s, "f", 32), stride = setting(s, "s", 1),
                  same = setting(s, "same", 0);
    const int64_t out = same ? (h + stride - 1) / stride : (h - k) / stride + 1;
    const int64_t needed = (out - 1) * stride + k - h, pad = same && needed > 0 ? needed : 0;
    // below 0 where the last pixels are never read
    const int64_t high = (out - 1) * stride + k - h - pad / 2;
    return (shapes){.dims = {{n, c, h, h}, {f, c, k, k}, {n, f, out, out}},
                    .strides = {stride, stride},
                    .low = {pad / 2, pad / 2},
                    .high = {high, high}};
}

static dnnl_status_t describe_conv(const shapes *s, int direction, dnnl_alg_kind_t algorithm,
                                   dnnl_format_tag_t tag, dnnl_primitive_desc_t *description)
{
    dnnl_memory_desc_t m[ROLES];
    dnnl_convolution_desc_t op;
    dnnl_primitive_desc_t forward = NULL;
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < ROLES && status == dnnl_success; i++)
        status = dnnl_memory_desc_init_by_tag(&m[i], 4, s->dims[i], dnnl_f32,
                                              i == W ? dnnl_format_tag_any : tag);
    if (status == dnnl_success)
        status = dnnl_convolution_forward_desc_init(
            &op, direction == 0 ? dnnl_forward_inference : dnnl_forward_training, algorithm, &m[X],
            &m[W], NULL, &m[Y], s->strides, s->low, s->high);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(&forward, &op, NULL, engine, NULL);
    if (status != dnnl_success || direction == 0) {
        *description = forward;
        return status;
    }
    status = direction == 1 ?
                 dnnl_convolution_backward_data_desc_init(&op, algorithm, &m[X], &m[W], &m[Y],
                                                          s->strides, s->low, s->high) :
                 dnnl_convolution_backward_weights_desc_init(&op, algorithm, &m[X], &m[W], NULL,
                                                             &m[Y], s->strides, s->low, s->high);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(description, &op, NULL, engine, forward);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

static const char *make_conv(const settings *s, int direction, double *least)
{
    static const dnnl_alg_kind_t algorithms[] = {dnnl_convolution_direct,
                                                 dnnl_convolution_winograd};
    static const dnnl_format_tag_t tags[] = {dnnl_format_tag_any, dnnl_nhwc};
    const shapes sizes = conv_shapes(s);
    const char *why = "oneDNN makes no such convolution";
    for (int i = 0; i < 4; i++) {
        dnnl_primitive_desc_t description;
        if (describe_conv(&sizes, direction, algorithms[i / 2], tags[i % 2], &description) ==
            dnnl_success)
            why = contend(description, directions[direction].operands, least);
    }
    return why;
}

// Products ----------------------------------------------------------------------------------------

// Every direction is a product of its own: dY (m, n) by Bᵀ (n, k), Aᵀ (k, m) by dY (m, n). Layouts
// are oneDNN's choice, or plain with what is transposed by strides.
static const char *make_gemm(const settings *s, int direction, double *least)
{
    const int64_t sizes[ROLES] = {setting(s, "m", 512), setting(s, "k", 512), setting(s, "n", 512)};
    static const int order[][ROLES] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}}; // rows, summed, columns
    const int64_t rows = sizes[order[direction][0]], summed = sizes[order[direction][1]];
    const int64_t columns = sizes[order[direction][2]];
    const dnnl_dims_t dims[ROLES] = {{rows, summed}, {summed, columns}, {rows, columns}};
    const char *why = "oneDNN makes no such product";
    for (int plain = 0; plain < 2; plain++) {
        dnnl_memory_desc_t m[ROLES];
        dnnl_matmul_desc_t op;
        dnnl_primitive_desc_t description;
        for (int i = 0; i < ROLES; i++) {
            const bool transposed = (direction == 1 && i == W) || (direction == 2 && i == X);
            TRY(dnnl_memory_desc_init_by_tag(&m[i], 2, dims[i], dnnl_f32,
                                             !plain     ? dnnl_format_tag_any :
                                             transposed ? dnnl_ba :
                                                          dnnl_ab));
        }
        TRY(dnnl_matmul_desc_init(&op, &m[X], &m[W], NULL, &m[Y]));
        if (dnnl_primitive_desc_create(&description, &op, NULL, engine, NULL) == dnnl_success)
            why = contend(description, directions[0].operands, least);
    }
    return why;
}

static const struct {
    const char *name;
    const char *(*make)(const settings *s, int direction, double *least);
} kinds[] = {{"conv", make_conv}, {"gemm", make_gemm}};

static const char *make(const char *kind, const settings *s)
{
    const char *what = setting_text(s, "what", "forward");
    double least = 1e30;
    drop(&best);
    omp_set_num_threads((int)setting(s, "threads", 1));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (int direction = 0; direction < ROLES && strcmp(kind, kinds[i].name) == 0;
             direction++) {
            if (strcmp(what, directions[direction].what) == 0) {
                const char *why = kinds[i].make(s, direction, &least);
                return best.primitive != NULL ? NULL : why;
            }
        }
    }
    return "oneDNN has convolutions and products only";
}

static const char *step(void)
{
    return run(&best);
}

int main(void)
{
    char version[32];
    const dnnl_version_t *v = dnnl_version();
    snprintf(version, sizeof version, "%d.%d.%d", v->major, v->minor, v->patch);
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success) {
        puts("{\"error\": \"oneDNN has no engine for this processor\"}");
        return EXIT_FAILURE;
    }
    const char *how =
        "best of format any and nhwc, direct and winograd; reorders outside of the time";
    const int code = serve(&(peer){"oneDNN", version, how, make, step});
    drop(&best);
    dnnl_stream_destroy(stream);
    dnnl_engine_destroy(engine);
    return code;
}
