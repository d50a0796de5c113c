// Words with settings that move, choose or convert elements, and einsum.
#include "ops/word_rows.h"

#include "base/error.h"
#include "base/text.h"
#include "ops/build.h"
#include <cajal/operators.h>
#include <cajal/ops_shape.h>
#include <cajal/ops_wide.h>
#include <inttypes.h>
#include <math.h>
#include <limits.h>

#define OF_X CJ__NAMES("x")

// A word of one symbol, `make_NAME` before it.
#define SHAPED(name, class, of, fields, defaults, further) \
    CJ__ROW(name, class, of, OF_X, 1, fields, defaults, CJ__DOES(name), .keys = further)

// ---- Types and ranges ----

static const cj__cast_settings cast_defaults = {NULL};
static const cj__field cast_fields[] = {
    CJ__FIELD(cj__cast_settings, dtype, CJ__FIELD_TEXT, .required = true)};

CJ__MAKE(cast)
{
    cj_dtype dtype;
    CJ__SETTINGS(cj__cast_settings);
    return cj__word_dtype("cast", s->dtype, &dtype) ? cj_op_cast(x[0], dtype) :
                                                      cj__word_drop_made(x, n);
}
SHAPED(cast, "Cast", CJ__CORE, cast_fields, cast_defaults, NULL)

// What Keras writes of masks that pass an attention, and of ops.convert_to_tensor(): what is given, in
// another dtype where one is named.
static const cj__field convert_fields[] = {CJ__FIELD(cj__cast_settings, dtype, CJ__FIELD_TEXT)};
static const cj__config_key convert_keys[] = {
    CJ__KEY_ONLY("sparse", "false"), CJ__KEY_ONLY("ragged", "false"), {.key = NULL}};

CJ__MAKE(convert_to_tensor)
{
    cj__build g = {0};
    cj_symbol *given = x[0], *y = NULL;
    cj_dtype dtype = cj_symbol_dtype(given);
    CJ__SETTINGS(cj__cast_settings);
    if (s->dtype && !cj__word_dtype("convert_to_tensor", s->dtype, &dtype))
        return cj__word_drop_made(x, 1);
    if (cj__build_take(&g, &given, 1) == CJ_OK)
        y = cj__cast(&g, given, dtype);
    return cj__word_result(&g, y, word, &given, 1, s);
}
SHAPED(convert_to_tensor, "ConvertToTensor", CJ__CORE, convert_fields, cast_defaults, convert_keys)

// One value in x's shape, in another dtype where one is named.
static cj_symbol *filled(const cj__word *word, cj_symbol *x, const cj__cast_settings *s,
                         double value)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    cj_dtype dtype = CJ_F32;
    if (!cj__word_dtype(word->choice.name, s->dtype, &dtype))
        return cj__word_drop_made(&x, 1);
    if (cj__build_take(&g, &x, 1) == CJ_OK)
        y = cj__cast(&g, cj__broadcast_like(&g, cj__scalar(&g, CJ_F64, value), x), dtype);
    return cj__word_result(&g, y, word, &x, 1, s);
}

CJ__MAKE(zeros_like)
{
    CJ__SETTINGS(cj__cast_settings);
    return s->dtype ? filled(word, x[0], s, 0) : cj_op_zeros_like(x[0]);
}
SHAPED(zeros_like, "ZerosLike", CJ__NUMPY, convert_fields, cast_defaults, NULL)

CJ__MAKE(ones_like)
{
    CJ__SETTINGS(cj__cast_settings);
    return s->dtype ? filled(word, x[0], s, 1) : cj_op_ones_like(x[0]);
}
SHAPED(ones_like, "OnesLike", CJ__NUMPY, convert_fields, cast_defaults, NULL)

static const cj__clip_settings clip_defaults = {NAN, NAN};
static const cj__field clip_fields[] = {
    CJ__FIELD(cj__clip_settings, x_min, CJ__FIELD_NUMBER, .required = true),
    CJ__FIELD(cj__clip_settings, x_max, CJ__FIELD_NUMBER, .required = true),
};

CJ__MAKE(clip)
{
    CJ__SETTINGS(cj__clip_settings);
    return cj_op_clip(x[0], s->x_min, s->x_max);
}
SHAPED(clip, "Clip", CJ__NUMPY, clip_fields, clip_defaults, NULL)

// ---- Lists of symbols ----

static const cj__axis_settings first_axis = {.axis = 0};
static const cj__field axis_fields[] = {
    CJ__FIELD(cj__axis_settings, axis, CJ__FIELD_INT, CJ__AN_AXIS)};

#define LIST(name, class, operand)                                                                 \
    CJ__MAKE(name)                                                                                 \
    {                                                                                              \
        (void)word;                                                                                \
        return cj_op_##name(x, n, (int)((const cj__axis_settings *)settings)->axis);               \
    }                                                                                              \
    const cj__word cj__word_##name = {.choice = CJ__CHOICE(#name, class, axis_fields, first_axis), \
                                      .module = CJ__NUMPY,                                         \
                                      .operands = (const char *const[]){operand, NULL},            \
                                      .lists = 1,                                                  \
                                      .one_dtype = true,                                           \
                                      .least = 1,                                                  \
                                      .most = INT_MAX,                                             \
                                      .make = make_##name};
LIST(concatenate, "Concatenate", "xs")
LIST(stack, "Stack", "x")

// ---- Some axes ----

static const cj__axes_settings no_axes = {{0}, false};
static const cj__field axes_fields[] = {
    CJ__FIELD(cj__axes_settings, axis, CJ__FIELD_AXES, .optional = true)};

// The places of the axes of settings among `rank`, in rising order; -1 with a sentence.
static int places_of(const char *who, const int64_t *axes, int rank, int *places)
{
    bool named[CJ_MAX_RANK + 1] = {false};
    int count = 0;
    for (int i = 1; i <= (int)axes[0]; i++) {
        const int64_t place = axes[i] < 0 ? axes[i] + rank : axes[i];
        if (place < 0 || place >= rank || named[place]) {
            cj__fail(CJ_INVALID_ARGUMENT, "%s: axis %lld among %d axes, or named twice", who,
                     (long long)axes[i], rank);
            return -1;
        }
        named[place] = true;
    }
    for (int i = 0; i < rank; i++)
        if (named[i])
            places[count++] = i;
    return count;
}

// Each new axis at its place in the result.
CJ__MAKE(expand_dims)
{
    CJ__SETTINGS(cj__axes_settings);
    int places[CJ_MAX_RANK + 1];
    const int rank = cj_symbol_shape(x[0])->rank + (int)s->axis[0];
    const int count = rank > CJ_MAX_RANK ? 0 : places_of("expand_dims", s->axis, rank, places);
    cj_symbol *y = x[0];
    if (count < 1) {
        if (count == 0)
            cj__fail(CJ_INVALID_ARGUMENT,
                     "expand_dims: no axis is named, or there are more than %d", CJ_MAX_RANK);
        return cj__word_drop_made(x, n);
    }
    for (int i = 0; i < count; i++)
        y = cj_op_expand_dims(y, places[i]);
    return y;
}
SHAPED(expand_dims, "ExpandDims", CJ__NUMPY, axes_fields, no_axes, NULL)

CJ__MAKE(flip)
{
    CJ__SETTINGS(cj__axes_settings);
    const int rank = cj_symbol_shape(x[0])->rank;
    int places[CJ_MAX_RANK + 1];
    int count = places_of("flip", s->axis, rank, places);
    cj_symbol *y = x[0];
    if (count < 0)
        return cj__word_drop_made(x, n);
    for (; s->axis[0] == 0 && count < rank; count++) // none means all
        places[count] = count;
    for (int i = 0; i < count; i++)
        y = cj_op_flip(y, places[i]);
    return y;
}
SHAPED(flip, "Flip", CJ__NUMPY, axes_fields, no_axes, NULL)

// The last first, so that the places before it stay. None means all of length 1.
CJ__MAKE(squeeze)
{
    CJ__SETTINGS(cj__axes_settings);
    const cj_shape shape = *cj_symbol_shape(x[0]);
    int places[CJ_MAX_RANK + 1];
    int count = places_of("squeeze", s->axis, shape.rank, places);
    cj_symbol *y = x[0];
    if (count < 0)
        return cj__word_drop_made(x, n);
    for (int i = 0; s->axis[0] == 0 && i < shape.rank; i++)
        if (shape.dims[i] == 1)
            places[count++] = i;
    while (count > 0)
        y = cj_op_squeeze(y, places[--count]);
    return y;
}
SHAPED(squeeze, "Squeeze", CJ__NUMPY, axes_fields, no_axes, NULL)

static const cj__roll_settings roll_defaults = {{NULL, 0}, {0}};
static const cj__field roll_fields[] = {
    CJ__FIELD(cj__roll_settings, shift, CJ__FIELD_NUMBERS, .whole = true, .scalar = true,
              .required = true, .low = -1e15, .high = 1e15),
    CJ__FIELD(cj__roll_settings, axis, CJ__FIELD_AXES, .optional = true),
};

// Without an axis all elements are one line.
CJ__MAKE(roll)
{
    CJ__SETTINGS(cj__roll_settings);
    const cj_shape shape = *cj_symbol_shape(x[0]);
    const int count = (int)s->axis[0];
    cj_symbol *y = x[0];
    if (s->shift.count != 1 && s->shift.count != count) {
        cj__fail(CJ_INVALID_ARGUMENT, "roll: %lld shifts along %d axes", (long long)s->shift.count,
                 count);
        return cj__word_drop_made(x, n);
    }
    if (count == 0)
        return cj_op_reshape(cj_op_roll(cj_op_ravel(y), (int64_t)s->shift.values[0], 0), shape);
    for (int i = 0; i < count; i++)
        y = cj_op_roll(y, (int64_t)s->shift.values[s->shift.count > 1 ? i : 0],
                       (int)s->axis[1 + i]);
    return y;
}
SHAPED(roll, "Roll", CJ__NUMPY, roll_fields, roll_defaults, NULL)

static const cj__one_hot_settings one_hot_defaults = {.num_classes = 0};
static const cj__field one_hot_fields[] = {
    CJ__FIELD(cj__one_hot_settings, num_classes, CJ__FIELD_INT, .required = true, CJ__POSITIVE)};
static const cj__config_key one_hot_keys[] = {CJ__KEY_ONLY("axis", "-1"),
                                              CJ__KEY_ONLY("dtype", "float32"),
                                              CJ__KEY_ONLY("sparse", "false"),
                                              {.key = NULL}};

CJ__MAKE(one_hot)
{
    (void)word, (void)n;
    return cj_op_one_hot(x[0], ((const cj__one_hot_settings *)settings)->num_classes);
}
SHAPED(one_hot, "OneHot", CJ__NN, one_hot_fields, one_hot_defaults, one_hot_keys)

// ---- Shapes ----

static const cj__reshape_settings reshape_defaults = {{0}};
static const cj__field reshape_fields[] = {
    CJ__FIELD(cj__reshape_settings, newshape, CJ__FIELD_LIST, .required = true)};

// A -1 in the first place is the free axis if the lengths behind it are those of a sample.
CJ__MAKE(reshape)
{
    CJ__SETTINGS(cj__reshape_settings);
    cj_shape shape = {.rank = 0};
    while (shape.rank < CJ_MAX_RANK && s->newshape[shape.rank] != 0) {
        shape.dims[shape.rank] = s->newshape[shape.rank];
        shape.rank++;
    }
    return cj_op_reshape(x[0], shape);
}
SHAPED(reshape, "Reshape", CJ__NUMPY, reshape_fields, reshape_defaults, NULL)

static const cj__transpose_settings transpose_defaults = {{0}};
static const cj__field transpose_fields[] = {
    CJ__FIELD(cj__transpose_settings, axes, CJ__FIELD_AXES, .optional = true)};

CJ__MAKE(transpose)
{
    CJ__SETTINGS(cj__transpose_settings);
    const int rank = cj_symbol_shape(x[0])->rank;
    int order[CJ_MAX_RANK] = {0};
    for (int i = 0; i < CJ_MAX_RANK; i++)
        order[i] = s->axes[0] ? (int)s->axes[1 + i] : rank - 1 - i;
    return cj_op_transpose(x[0], order, s->axes[0] ? (int)s->axes[0] : rank);
}
SHAPED(transpose, "Transpose", CJ__NUMPY, transpose_fields, transpose_defaults, NULL)

static const cj__tile_settings tile_defaults = {{0}};
static const cj__field tile_fields[] = {
    CJ__FIELD(cj__tile_settings, repeats, CJ__FIELD_LIST, .required = true, CJ__POSITIVE)};

CJ__MAKE(tile)
{
    CJ__SETTINGS(cj__tile_settings);
    cj_symbol *y = x[0];
    int rank = 0;
    while (rank < CJ_MAX_RANK && s->repeats[rank])
        rank++;
    if (rank != cj_symbol_shape(y)->rank) {
        cj__fail(CJ_UNSUPPORTED, "tile: %d repeats for a symbol of %d axes, needed is one each",
                 rank, cj_symbol_shape(y)->rank);
        return cj__word_drop_made(x, n);
    }
    bool any = false;
    for (int i = 0; y && i < rank; i++) {
        if (s->repeats[i] == 1)
            continue;
        any = true;
        y = cj_op_tile(y, s->repeats[i] > 1000 ? 1000 : (int)s->repeats[i], i);
    }
    return any ? y : cj_op_tile(y, 1, 0);
}
SHAPED(tile, "Tile", CJ__NUMPY, tile_fields, tile_defaults, NULL)

static const char *const pad_modes[] = {"constant", "edge",        "reflect", "symmetric",
                                        "wrap",     "maximum",     "minimum", "mean",
                                        "median",   "linear_ramp", NULL};
static const cj__pad_settings pad_defaults = {{NULL, 0}, "constant", INFINITY};
static const cj__field pad_fields[] = {
    CJ__FIELD(cj__pad_settings, pad_width, CJ__FIELD_NUMBERS, .required = true, .columns = 2,
              .low = 0, .high = 1e9),
    CJ__FIELD(cj__pad_settings, mode, CJ__FIELD_TEXT, .words = pad_modes),
    CJ__FIELD(cj__pad_settings, constant_values, CJ__FIELD_LIMIT),
};

CJ__MAKE(pad)
{
    CJ__SETTINGS(cj__pad_settings);
    const int rank = cj_symbol_shape(x[0])->rank;
    int64_t widths[2 * CJ_MAX_RANK];
    if (s->pad_width.count != 2 * rank) {
        cj__fail(CJ_UNSUPPORTED, "pad: %lld widths for a symbol of %d axes, needed are two each",
                 (long long)s->pad_width.count, rank);
        return cj__word_drop_made(x, n);
    }
    for (int i = 0; i < 2 * rank; i++)
        widths[i] = (int64_t)s->pad_width.values[i];
    return cj_op_pads(x[0], widths, s->mode, isinf(s->constant_values) ? 0 : s->constant_values);
}

CJ__ROW(pad, "Pad", CJ__NUMPY, OF_X, 1, pad_fields, pad_defaults, CJ__DOES(pad),
        .call_settings = CJ__NAMES("constant_values"))

// ---- x[...] ----

static const cj__item_settings item_defaults = {.count = 0};

static void add_bound(cj__text *key, bool given, int64_t number)
{
    if (given)
        cj__text_add(key, "%" PRId64, number);
}

// The entries as cj_op_get_item() reads them.
CJ__MAKE(get_item)
{
    CJ__SETTINGS(cj__item_settings);
    cj__text key = {0};
    for (int64_t i = 0; i < s->count; i++) {
        const struct cj__item *item = &s->items[i];
        cj__text_add(&key, i ? ", " : "");
        if (item->kind == CJ__ITEM_NEW || item->kind == CJ__ITEM_REST)
            cj__text_add(&key, item->kind == CJ__ITEM_NEW ? "None" : "...");
        else
            add_bound(&key, item->kind == CJ__ITEM_INDEX || item->from, item->start);
        if (item->kind != CJ__ITEM_SLICE)
            continue;
        cj__text_add(&key, ":");
        add_bound(&key, item->to, item->stop);
        cj__text_add(&key, ":");
        add_bound(&key, item->step != 1, item->step);
    }
    cj_symbol *y = NULL;
    if (cj__text_status(&key) == CJ_OK)
        y = cj_op_get_item(x[0], key.data ? key.data : "...");
    else
        y = cj__word_drop_made(x, n);
    cj__text_free(&key);
    return y;
}

const cj__word cj__word_get_item = {.choice = {.name = "get_item",
                                               .class_name = "GetItem",
                                               .defaults = &item_defaults,
                                               .args_size = sizeof item_defaults},
                                    .module = CJ__NUMPY,
                                    .operands = OF_X,
                                    .least = 1,
                                    .most = 1,
                                    .by_key = true,
                                    .make = make_get_item};

// ---- Products with names ----

static const cj__einsum_settings einsum_defaults = {NULL};
static const cj__field einsum_fields[] = {
    CJ__FIELD(cj__einsum_settings, subscripts, CJ__FIELD_TEXT, .required = true)};

CJ__MAKE(einsum)
{
    (void)word, (void)n;
    return cj_op_einsum(((const cj__einsum_settings *)settings)->subscripts, x[0], x[1]);
}

const cj__word cj__word_einsum = {
    .choice = CJ__CHOICE("einsum", "Einsum", einsum_fields, einsum_defaults),
    .module = CJ__NUMPY,
    .operands = (const char *const[]){"a", "b", NULL}, // by their places
    .least = 2,
    .most = 2,
    .one_dtype = true,
    .make = make_einsum};
