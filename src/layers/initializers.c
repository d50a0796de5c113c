// Initializers: the initial values of variables (keras/src/initializers). Values are computed in
// double from a counter-based stream, so that they depend on the key and the index alone, and are
// then converted.
#include "base/memory.h"
#include "base/random.h"
#include "layers/initializer.h"
#include "layers/kind.h"
#include <math.h>
#include <string.h>

typedef struct value_args {
    double value;
} value_args;
static const value_args value_defaults = {.value = 0};
typedef struct normal_args {
    double mean;
    double stddev;
} normal_args;
static const normal_args normal_defaults = {.mean = 0, .stddev = 0.05};
typedef struct uniform_args {
    double minval, maxval;
} uniform_args;
static const uniform_args uniform_defaults = {.minval = -0.05, .maxval = 0.05};
typedef cj__scaling_args scaling_args;
static const scaling_args scaling_defaults = {
    .scale = 1, .mode = "fan_in", .distribution = "truncated_normal"};
typedef cj__pattern_args gain_args;
static const gain_args gain_defaults = {.gain = 1};
static const cj__pattern_args edge_defaults = {.gain = 1, .axis = -1},
                              blur_defaults = {.gain = 1, .sigma = 1};
static const cj__stft_args stft_defaults = {.side = "real", .window = "hann", .scaling = "density"};

typedef cj__initializer initializer;

typedef double (*draw)(uint64_t key, uint64_t index, double a, double b);

static double draw_constant(uint64_t key, uint64_t index, double value, double unused)
{
    (void)key, (void)index, (void)unused;
    return value;
}

static double draw_uniform(uint64_t key, uint64_t index, double low, double high)
{
    return low + (high - low) * cj__random_uniform(key, 0, index);
}

static cj_status fill_each(cj_tensor *tensor, draw one, uint64_t key, double a, double b)
{
    const int64_t count = cj_tensor_count(tensor);
    for (int64_t i = 0; i < count; i++)
        cj__element_set(tensor->dtype, tensor->data, i, one(key, (uint64_t)i, a, b));
    return CJ_OK;
}

// Normal numbers, four at a time. Truncated ones are drawn again while they are more than two
// standard deviations away; each attempt is a step of the stream.
static cj_status fill_normals(cj_tensor *tensor, uint64_t key, double mean, double stddev,
                              bool truncated)
{
    const int64_t count = cj_tensor_count(tensor);
    double four[4] = {0};
    for (int64_t i = 0; i < count; i++) {
        if (i % 4 == 0)
            cj__random_normals(key, 0, (uint64_t)i / 4, four);
        double x = four[i % 4];
        for (uint64_t attempt = 1; truncated && fabs(x) > 2; attempt++)
            x = attempt < 64 ? cj__random_normal(key, attempt, (uint64_t)i) :
                               0; // of probability 0.0455^64
        cj__element_set(tensor->dtype, tensor->data, i, mean + stddev * x);
    }
    return CJ_OK;
}

static cj_status fill_zeros(const initializer *row, const void *args, cj_tensor *tensor,
                            uint64_t key)
{
    (void)row, (void)args;
    return fill_each(tensor, draw_constant, key, 0, 0);
}

static cj_status fill_ones(const initializer *row, const void *args, cj_tensor *tensor,
                           uint64_t key)
{
    (void)row, (void)args;
    return fill_each(tensor, draw_constant, key, 1, 0);
}

static cj_status fill_constant(const initializer *row, const void *args, cj_tensor *tensor,
                               uint64_t key)
{
    (void)row;
    return fill_each(tensor, draw_constant, key, ((const value_args *)args)->value, 0);
}

static cj_status fill_normal(const initializer *row, const void *args, cj_tensor *tensor,
                             uint64_t key)
{
    const normal_args *a = args;
    (void)row;
    return fill_normals(tensor, key, a->mean, a->stddev, false);
}

static cj_status fill_truncated(const initializer *row, const void *args, cj_tensor *tensor,
                                uint64_t key)
{
    const normal_args *a = args;
    (void)row;
    return fill_normals(tensor, key, a->mean, a->stddev, true);
}

static cj_status fill_uniform(const initializer *row, const void *args, cj_tensor *tensor,
                              uint64_t key)
{
    const uniform_args *a = args;
    (void)row;
    return fill_each(tensor, draw_uniform, key, a->minval, a->maxval);
}

// Keras's fans: (in, out) of a matrix; of a kernel its channels times the size of its window; of a
// vector its length twice.
static void fans(const cj_shape *shape, double *in, double *out)
{
    double window = 1;
    for (int i = 0; i + 2 < shape->rank; i++)
        window *= (double)shape->dims[i];
    *in =
        shape->rank == 0 ? 1 : (double)shape->dims[shape->rank >= 2 ? shape->rank - 2 : 0] * window;
    *out = shape->rank == 0 ? 1 : (double)shape->dims[shape->rank - 1] * window;
}

static cj_status scaled(const scaling_args *s, cj_tensor *tensor, uint64_t key)
{
    static const struct {
        const char *name;
        double in, out;
    } modes[] = {{"fan_in", 1, 0}, {"fan_out", 0, 1}, {"fan_avg", 0.5, 0.5}};
    double in, out, n = 0;
    fans(&tensor->shape, &in, &out);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(s->mode, modes[i].name) == 0)
            n = fmax(1, in * modes[i].in + out * modes[i].out);
    if (n <= 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "variance_scaling: mode \"%.40s\" is not fan_in, fan_out or fan_avg",
                        s->mode);
    const double variance = s->scale / n, limit = sqrt(3 * variance);
    if (strcmp(s->distribution, "uniform") == 0)
        return fill_each(tensor, draw_uniform, key, -limit, limit);
    if (strcmp(s->distribution, "untruncated_normal") == 0)
        return fill_normals(tensor, key, 0, sqrt(variance), false);
    if (strcmp(s->distribution, "truncated_normal") == 0 || strcmp(s->distribution, "normal") == 0)
        // the standard deviation of a normal distribution truncated at 2
        return fill_normals(tensor, key, 0, sqrt(variance) / 0.87962566103423978, true);
    return cj__fail(CJ_INVALID_ARGUMENT, "variance_scaling: unknown distribution \"%.40s\"",
                    s->distribution);
}

static cj_status fill_scaled(const initializer *row, const void *args, cj_tensor *tensor,
                             uint64_t key)
{
    return scaled(row->scaling.mode ? &row->scaling : args, tensor, key);
}

// Makes the `count` vectors of `length` at q (one after the other) orthonormal by the modified
// Gram-Schmidt process, each vector twice (Giraud et al. 2005: twice is enough). The diagonal of R,
// the lengths, is positive, which settles the signs.
static void orthonormalize(double *q, int64_t count, int64_t length)
{
    for (int64_t i = 0; i < count; i++) {
        double *v = q + i * length, norm = 0;
        for (int64_t j = 0; j < 2 * i; j++) {
            const double *u = q + j % i * length;
            double dot = 0;
            for (int64_t k = 0; k < length; k++)
                dot += u[k] * v[k];
            for (int64_t k = 0; k < length; k++)
                v[k] -= dot * u[k];
        }
        for (int64_t k = 0; k < length; k++)
            norm += v[k] * v[k];
        norm = sqrt(norm);
        for (int64_t k = 0; norm > 0 && k < length; k++)
            v[k] /= norm;
    }
}

// Q of the QR decomposition of a random normal matrix (product of all but the last axis, last axis);
// of its transpose if it has more columns than rows.
static cj_status fill_orthogonal(const initializer *row, const void *args, cj_tensor *tensor,
                                 uint64_t key)
{
    const cj_shape *shape = &tensor->shape;
    (void)row;
    if (shape->rank < 2)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "orthogonal: a tensor of rank %d was given, needs at least 2", shape->rank);
    const int64_t all = cj_tensor_count(tensor), cols = shape->dims[shape->rank - 1],
                  rows = cols ? all / cols : 0;
    const int64_t count = rows < cols ? rows : cols, length = rows < cols ? cols : rows;
    double *q = cj__new((size_t)all, sizeof *q);
    if (!q)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < all; i++)
        q[i] = cj__random_normal(key, 0, (uint64_t)i);
    orthonormalize(q, count, length);
    for (int64_t i = 0; i < all; i++) {
        const int64_t r = i / cols, c = i % cols;
        const double x = rows < cols ? q[r * length + c] : q[c * length + r];
        cj__element_set(tensor->dtype, tensor->data, i, ((const gain_args *)args)->gain * x);
    }
    cj__free(q);
    return CJ_OK;
}

static const cj__field value_fields[] = {CJ__FIELD(value_args, value, CJ__FIELD_NUMBER)};
static const cj__field normal_fields[] = {
    CJ__FIELD(normal_args, mean, CJ__FIELD_NUMBER),
    CJ__FIELD(normal_args, stddev, CJ__FIELD_NUMBER, .low = 0, .high = 1e30)};
static const cj__field uniform_fields[] = {CJ__FIELD(uniform_args, minval, CJ__FIELD_NUMBER),
                                           CJ__FIELD(uniform_args, maxval, CJ__FIELD_NUMBER)};
static const char *const modes[] = {"fan_in", "fan_out", "fan_avg", NULL};
static const char *const distributions[] = {"truncated_normal", "untruncated_normal", "uniform",
                                            "normal", NULL};
static const cj__field scaling_fields[] = {
    CJ__FIELD(scaling_args, scale, CJ__FIELD_NUMBER, .low = 0, .high = 1e30),
    CJ__FIELD(scaling_args, mode, CJ__FIELD_TEXT, .required = true, .words = modes),
    CJ__FIELD(scaling_args, distribution, CJ__FIELD_TEXT, .required = true,
              .words = distributions)};
static const cj__field gain_fields[] = {CJ__FIELD(gain_args, gain, CJ__FIELD_NUMBER)};
static const cj__field edge_fields[] = {CJ__FIELD(cj__pattern_args, axis, CJ__FIELD_INT),
                                        CJ__FIELD(cj__pattern_args, gain, CJ__FIELD_NUMBER)};
static const cj__field blur_fields[] = {
    CJ__FIELD(cj__pattern_args, sigma, CJ__FIELD_NUMBER, .low = 1e-3, .high = 1e30),
    CJ__FIELD(cj__pattern_args, gain, CJ__FIELD_NUMBER)};
static const char *const sides[] = {"real", "imag", NULL};
static const char *const scalings[] = {"density", "spectrum", "none", NULL};
static const char *const windows[] = {"hann", "hamming", "blackman", "bartlett", "boxcar", NULL};
static const cj__field stft_fields[] = {
    CJ__FIELD(cj__stft_args, side, CJ__FIELD_TEXT, .required = true, .words = sides),
    CJ__FIELD(cj__stft_args, window, CJ__FIELD_TEXT, .required = true, .words = windows),
    CJ__FIELD(cj__stft_args, scaling, CJ__FIELD_TEXT, .required = true, .words = scalings),
    CJ__FIELD(cj__stft_args, periodic, CJ__FIELD_BOOL)};

#define ROW(keras, class, table, standard, how)                          \
    {                                                                    \
        .choice = CJ__CHOICE(keras, class, table, standard), .fill = how \
    }
#define PLAIN(keras, class, how)                                    \
    {                                                               \
        .choice = {.name = keras, .class_name = class}, .fill = how \
    }
#define SCALED(keras, class, ...)                                                         \
    {                                                                                     \
        .choice = {.name = keras, .class_name = class}, .fill = fill_scaled, .scaling = { \
            __VA_ARGS__                                                                   \
        }                                                                                 \
    }

enum { GLOROT_UNIFORM = 6 };
static const initializer rows[] = {
    PLAIN("zeros", "Zeros", fill_zeros),
    PLAIN("ones", "Ones", fill_ones),
    ROW("constant", "Constant", value_fields, value_defaults, fill_constant),
    ROW("random_normal", "RandomNormal", normal_fields, normal_defaults, fill_normal),
    ROW("random_uniform", "RandomUniform", uniform_fields, uniform_defaults, fill_uniform),
    ROW("truncated_normal", "TruncatedNormal", normal_fields, normal_defaults, fill_truncated),
    [GLOROT_UNIFORM] = SCALED("glorot_uniform", "GlorotUniform", 1, "fan_avg", "uniform"),
    SCALED("glorot_normal", "GlorotNormal", 1, "fan_avg", "truncated_normal"),
    SCALED("he_uniform", "HeUniform", 2, "fan_in", "uniform"),
    SCALED("he_normal", "HeNormal", 2, "fan_in", "truncated_normal"),
    SCALED("lecun_uniform", "LecunUniform", 1, "fan_in", "uniform"),
    SCALED("lecun_normal", "LecunNormal", 1, "fan_in", "truncated_normal"),
    ROW("variance_scaling", "VarianceScaling", scaling_fields, scaling_defaults, fill_scaled),
    ROW("orthogonal", "Orthogonal", gain_fields, gain_defaults, fill_orthogonal),
    ROW("identity", "Identity", gain_fields, gain_defaults, cj__fill_identity),
    ROW("stft", "STFT", stft_fields, stft_defaults, cj__fill_stft),
    ROW("sobel", "Sobel", edge_fields, edge_defaults, cj__fill_sobel),
    ROW("prewitt", "Prewitt", edge_fields, edge_defaults, cj__fill_prewitt),
    ROW("laplacian", "Laplacian", gain_fields, gain_defaults, cj__fill_laplacian),
    ROW("gaussian", "Gaussian", blur_fields, blur_defaults, cj__fill_gaussian),
    ROW("identity", "IdentityInitializer", gain_fields, gain_defaults, cj__fill_identity),
    ROW("orthogonal", "OrthogonalInitializer", gain_fields, gain_defaults, fill_orthogonal),
    ROW("stft", "STFTInitializer", stft_fields, stft_defaults, cj__fill_stft),
    PLAIN("zero", "Zeros", fill_zeros),
    PLAIN("one", "Ones", fill_ones),
    ROW("normal", "RandomNormal", normal_fields, normal_defaults, fill_normal),
    ROW("uniform", "RandomUniform", uniform_fields, uniform_defaults, fill_uniform),
};

// A seed of one's own would fix what follows from the model's seed here.
static const cj__config_key keys[] = {CJ__KEY_HARMLESS("seed"),
                                      CJ__KEY_HARMLESS("dtype"),
                                      CJ__KEY_ONLY("input_axes", "null"),
                                      CJ__KEY_ONLY("output_axes", "null"),
                                      {.key = NULL}};

const cj__catalog cj__initializers = {.what = "initializer",
                                      .rows = rows,
                                      .stride = sizeof rows[0],
                                      .count = sizeof rows / sizeof rows[0],
                                      .keys = keys};

// The tensor as a matrix (inputs, outputs), whose fans are those of the given input axes. What is
// drawn depends on an element's place in memory alone.
static cj_tensor as_matrix(const cj_tensor *tensor, uint32_t input_axes)
{
    cj_tensor matrix = *tensor;
    matrix.shape = CJ_SHAPE(1, 1);
    for (int i = 0; i < tensor->shape.rank; i++)
        matrix.shape.dims[input_axes >> i & 1 ? 0 : 1] *= tensor->shape.dims[i];
    return matrix;
}

cj_status cj__initialize_by_axes(cj_tensor *tensor, const char *spec, const char *who, uint64_t key,
                                 uint32_t input_axes)
{
    cj__chosen chosen;
    CJ_TRY(cj__spec_parse(&cj__initializers, spec, who, &chosen));
    const initializer *row =
        chosen.choice ? (const initializer *)(const void *)chosen.choice : &rows[GLOROT_UNIFORM];
    cj_tensor matrix = as_matrix(tensor, input_axes);
    const bool by_fans = input_axes && row->fill == fill_scaled;
    const cj_status status = row->fill(row, chosen.args, by_fans ? &matrix : tensor, key);
    cj__chosen_free(&chosen);
    return status;
}

cj_status cj__initialize(cj_tensor *tensor, const char *spec, const char *who, uint64_t key)
{
    return cj__initialize_by_axes(tensor, spec, who, key, 0);
}
