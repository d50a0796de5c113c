// ZeroPadding, Cropping and UpSampling, 1-D to 3-D: an axis after another.
#include "layers/resample.h"

#include <string.h>

CJ__DEFAULTS(zero_padding1d, ZERO_PADDING1D)
CJ__DEFAULTS(zero_padding2d, ZERO_PADDING2D)
CJ__DEFAULTS(zero_padding3d, ZERO_PADDING3D)
CJ__DEFAULTS(cropping1d, CROPPING1D)
CJ__DEFAULTS(cropping2d, CROPPING2D)
CJ__DEFAULTS(cropping3d, CROPPING3D)
CJ__DEFAULTS(up_sampling1d, UP_SAMPLING1D)
CJ__DEFAULTS(up_sampling2d, UP_SAMPLING2D)
CJ__DEFAULTS(up_sampling3d, UP_SAMPLING3D)

static const cj__config_key keys[] = {
    CJ__KEY_RENAMED("length", "size"),
    CJ__KEY_ONLY("data_format", "channels_last"),
    CJ__KEY_ONLY("dim_ordering", "tf"),
    {.key = NULL},
};

// Lengths of all but the batch axis are known.
static cj_status check_input(const cj__layer_context *c, int axes)
{
    const cj_shape *x = cj__value_shape(c->inputs);
    CJ_TRY(cj__layer_need_rank(c->layer, x, axes + 2, axes + 2));
    for (int i = 1; i < x->rank; i++) {
        char text[CJ__SHAPE_WORDS];
        if (x->dims[i] <= 0)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: input %s must be known and positive but for the batch axis",
                            c->layer->name, cj_shape_text(x, text, sizeof text));
    }
    return CJ_OK;
}

// sides[2 i] zeros before and sides[2 i + 1] after axis i + 1.
static cj_status pad(cj__layer_context *c, int axes, const int64_t *sides)
{
    cj_symbol *x = c->inputs->symbol;
    CJ_TRY(check_input(c, axes));
    for (int i = 0; i < axes; i++)
        if (sides[2 * i] || sides[2 * i + 1])
            x = cj__pad(c->build, x, i + 1, sides[2 * i], sides[2 * i + 1]);
    c->outputs[0].symbol = x;
    return CJ_OK;
}

static cj_status crop(cj__layer_context *c, int axes, const int64_t *sides)
{
    cj_symbol *x = c->inputs->symbol;
    CJ_TRY(check_input(c, axes));
    const cj_shape shape = *cj_symbol_shape(x);
    for (int i = 0; i < axes; i++) {
        const int64_t left = shape.dims[i + 1] - sides[2 * i] - sides[2 * i + 1];
        if (left < 1)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: cropping %lld and %lld leaves nothing of the %lld of axis %d",
                            c->layer->name, (long long)sides[2 * i], (long long)sides[2 * i + 1],
                            (long long)shape.dims[i + 1], i + 1);
        if (left < shape.dims[i + 1])
            x = cj__slice(c->build, x, i + 1, sides[2 * i], left);
    }
    c->outputs[0].symbol = x;
    return CJ_OK;
}

enum { COPIES_MAX = 1 << 20 };

static cj_symbol *ones(cj__build *g, cj_dtype dtype, const cj_shape *shape)
{
    cj_tensor *tensor = NULL;
    const cj_status status = cj_tensor_new(dtype, *shape, &tensor);
    if (status != CJ_OK) {
        cj__build_refuse(g, status);
        return NULL;
    }
    cj_tensor_fill(tensor, 1);
    return cj__build_keep(g, cj_symbol_constant(tensor));
}

// Each element size[i] times along axis i + 1: (n, h, 1, w, 1, c) times ones of (1, sh, 1, sw, 1).
static cj_status repeat(cj__layer_context *c, int axes, const int64_t *size)
{
    CJ_TRY(check_input(c, axes));
    const cj_shape *x = cj__value_shape(c->inputs);
    cj_shape apart = {.rank = 1, .dims = {x->dims[0]}}, times = {.rank = 2 * axes + 1}, y = *x;
    int64_t copies = 1; // of an element: as many ones are kept
    for (int i = 0; i < axes; i++) {
        if (size[i] > COPIES_MAX / copies || x->dims[i + 1] > INT32_MAX)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: size %lld is too large: an element can be repeated %d times",
                            c->layer->name, (long long)size[i], COPIES_MAX);
        copies *= size[i];
        apart.dims[apart.rank++] = x->dims[i + 1];
        apart.dims[apart.rank++] = 1;
        times.dims[2 * i] = 1;
        times.dims[2 * i + 1] = size[i];
        y.dims[i + 1] = x->dims[i + 1] * size[i];
    }
    times.dims[2 * axes] = 1;
    apart.dims[apart.rank++] = x->dims[x->rank - 1];
    cj_symbol *repeated = cj__mul(c->build, cj__reshape(c->build, c->inputs->symbol, &apart),
                                  ones(c->build, cj_symbol_dtype(c->inputs->symbol), &times));
    c->outputs[0].symbol = cj__reshape(c->build, repeated, &y);
    return CJ_OK;
}

static const char *const interpolations[] = {"nearest",  "bilinear", "bicubic",
                                             "lanczos3", "lanczos5", NULL};

// Rows and columns made anew, one after the other.
static cj_status up_sample(cj__layer_context *c, int axes, const int64_t *size)
{
    const char *interpolation = ((const cj_up_sampling2d_args *)c->layer->args)->interpolation;
    cj_symbol *x = c->inputs->symbol;
    if (strcmp(interpolation, "nearest") == 0)
        return repeat(c, axes, size);
    CJ_TRY(check_input(c, axes));
    for (int i = 0; i < axes && x; i++) {
        const int64_t in = cj_symbol_shape(x)->dims[i + 1];
        if (in > COPIES_MAX / size[i])
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: size %lld of %lld pixels is too large",
                            c->layer->name, (long long)size[i], (long long)in);
        x = cj__interpolate(c->build, x, i + 1, in * size[i], interpolation, false);
    }
    c->outputs[0].symbol = x;
    return CJ_OK;
}

#define KIND(plain, class, checks)                                             \
    const cj__layer_kind cj__layer_##plain = {                                 \
        .choice = CJ__CHOICE(#plain, class, plain##_fields, plain##_defaults), \
        .keys = keys,                                                          \
        .min_inputs = 1,                                                       \
        .max_inputs = 1,                                                       \
        .check = checks,                                                       \
        .call = call_##plain,                                                  \
        .mask = CJ__MASK_DROP,                                                 \
    };                                                                         \
    CJ__CONSTRUCTOR(plain)
#define CALL(plain, member, axes, how)                    \
    static cj_status call_##plain(cj__layer_context *c)   \
    {                                                     \
        const cj_##plain##_args *a = c->layer->args;      \
        return how(c, axes, (const int64_t *)&a->member); \
    }
#define SIDES(plain, class, member, axes, kind_rows, kind_columns, how)            \
    static const cj__field plain##_fields[] = {                                    \
        CJ__FIELD(cj_##plain##_args, member, CJ__FIELD_AMOUNTS, .rows = kind_rows, \
                  .columns = kind_columns),                                        \
        CJ__LAYER_FIELDS(cj_##plain##_args),                                       \
    };                                                                             \
    CALL(plain, member, axes, how)                                                 \
    KIND(plain, class, NULL)
SIDES(zero_padding1d, "ZeroPadding1D", padding, 1, 2, 1, pad)
SIDES(zero_padding2d, "ZeroPadding2D", padding, 2, 2, 2, pad)
SIDES(zero_padding3d, "ZeroPadding3D", padding, 3, 3, 2, pad)
SIDES(cropping1d, "Cropping1D", cropping, 1, 2, 1, crop)
SIDES(cropping2d, "Cropping2D", cropping, 2, 2, 2, crop)
SIDES(cropping3d, "Cropping3D", cropping, 3, 3, 2, crop)

#define SIZES(plain, class, axes, lengths, how, ...)     \
    static const cj__field plain##_fields[] = {          \
        {.key = "size",                                  \
         .offset = offsetof(cj_##plain##_args, factors), \
         .kind = lengths,                                \
         CJ__POSITIVE},                                  \
        __VA_ARGS__ CJ__LAYER_FIELDS(cj_##plain##_args), \
    };                                                   \
    CALL(plain, factors, axes, how)                      \
    KIND(plain, class, NULL)
SIZES(up_sampling1d, "UpSampling1D", 1, CJ__FIELD_INT, repeat, )
SIZES(up_sampling2d, "UpSampling2D", 2, CJ__FIELD_PAIR, up_sample,
      CJ__FIELD(cj_up_sampling2d_args, interpolation, CJ__FIELD_TEXT, .required = true,
                .words = interpolations), )
SIZES(up_sampling3d, "UpSampling3D", 3, CJ__FIELD_TRIPLE, repeat, )
