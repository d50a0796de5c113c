// Words that cut, join, repeat and regroup elements: cajal/ops_shape.h.
#include "ops/word_rows.h"

#include "base/error.h"
#include "base/memory.h"
#include <cajal/operators.h>
#include <cajal/ops_shape.h>
#include <math.h>
#include <limits.h>

#define OF_X CJ__NAMES("x")

static const cj__places_settings no_places = {.parts = NAN};

// ---- Axes ----

static const cj__field shape_fields[] = {CJ__KEYED(cj__places_settings, first, "shape",
                                                   CJ__FIELD_NUMBERS, .whole = true,
                                                   .required = true, .low = -1, .high = INT32_MAX)};
CJ__MAKE(broadcast_to)
{
    CJ__SETTINGS(cj__places_settings);
    cj_shape shape = {0};
    shape.rank = cj__word_whole("broadcast_to", "shape", &s->first, shape.dims, 1, CJ_MAX_RANK);
    return shape.rank >= 0 ? cj_op_broadcast_to(x[0], shape) : cj__word_drop_made(x, n);
}
CJ__ROW(broadcast_to, "BroadcastTo", CJ__NUMPY, OF_X, 1, shape_fields, no_places,
        CJ__DOES(broadcast_to))

CJ__UNARY_WORD(ravel, "Ravel", CJ__NUMPY, "x")
CJ__UNARY_WORD(fliplr, "Fliplr", CJ__NUMPY, "x")
CJ__UNARY_WORD(flipud, "Flipud", CJ__NUMPY, "x")

static const cj__field moveaxis_fields[] = {
    CJ__KEYED(cj__places_settings, first, "source", CJ__FIELD_NUMBERS, .whole = true,
              .scalar = true, .required = true, CJ__AN_AXIS),
    CJ__KEYED(cj__places_settings, second, "destination", CJ__FIELD_NUMBERS, .whole = true,
              .scalar = true, .required = true, CJ__AN_AXIS),
};
CJ__MAKE(moveaxis)
{
    CJ__SETTINGS(cj__places_settings);
    int source[CJ_MAX_RANK], destination[CJ_MAX_RANK];
    const int64_t count = s->first.count;
    if (count != s->second.count || count > CJ_MAX_RANK) {
        cj__fail(CJ_INVALID_ARGUMENT, "moveaxis: %lld axes to %lld places", (long long)count,
                 (long long)s->second.count);
        return cj__word_drop_made(x, n);
    }
    for (int64_t i = 0; i < count; i++) {
        source[i] = (int)s->first.values[i];
        destination[i] = (int)s->second.values[i];
    }
    return cj_op_moveaxis(x[0], source, destination, (int)count);
}
CJ__ROW(moveaxis, "Moveaxis", CJ__NUMPY, OF_X, 1, moveaxis_fields, no_places, CJ__DOES(moveaxis))

static const cj__diagonal_settings first_two = {0, 0, 1};
static const cj__field swapaxes_fields[] = {
    CJ__FIELD(cj__diagonal_settings, axis1, CJ__FIELD_INT, CJ__AN_AXIS),
    CJ__FIELD(cj__diagonal_settings, axis2, CJ__FIELD_INT, CJ__AN_AXIS),
};
CJ__MADE(swapaxes, cj__diagonal_settings, cj_op_swapaxes(x[0], (int)s->axis1, (int)s->axis2))
CJ__ROW(swapaxes, "Swapaxes", CJ__NUMPY, OF_X, 1, swapaxes_fields, first_two, CJ__DOES(swapaxes))

static const cj__rot90_settings rot90_defaults = {1, {2, 0, 1}};
static const cj__field rot90_fields[] = {
    CJ__FIELD(cj__rot90_settings, k, CJ__FIELD_INT),
    CJ__FIELD(cj__rot90_settings, axes, CJ__FIELD_AXES),
};
CJ__MAKE(rot90)
{
    CJ__SETTINGS(cj__rot90_settings);
    if (s->axes[0] == 2)
        return cj_op_rot90(x[0], (int)(s->k % 4), (int)s->axes[1], (int)s->axes[2]);
    cj__fail(CJ_INVALID_ARGUMENT, "rot90: %lld axes, needed are 2", (long long)s->axes[0]);
    return cj__word_drop_made(x, n);
}
CJ__ROW(rot90, "Rot90", CJ__NUMPY, CJ__NAMES("array"), 1, rot90_fields, rot90_defaults,
        CJ__DOES(rot90))

// ---- Parts ----

static const cj__places_settings cut_defaults = {.parts = NAN, .axis = {1, 0}};
#define PLACES                                                                                     \
    CJ__KEYED(cj__places_settings, first, "indices_or_sections", CJ__FIELD_NUMBERS, .whole = true, \
              .single = offsetof(cj__places_settings, parts), .required = true)
static const cj__field cut_fields[] = {PLACES,
                                       CJ__FIELD(cj__places_settings, axis, CJ__FIELD_AXES)};
static const cj__field places_fields[] = {PLACES};

// How many parts; 0 for a number that cannot be meant.
static int64_t parts_of(cj_symbol *const *x, const void *settings)
{
    enum { PARTS_MAX = 1 << 20 };
    const cj__places_settings *s = settings;
    const double parts = s->first.count > 0 ? (double)s->first.count + 1 : s->parts;
    (void)x;
    return parts >= 1 && parts <= PARTS_MAX ? (int64_t)parts : 0;
}

static cj_status no_parts(const char *who, const cj__places_settings *s, cj_symbol *const *x, int n)
{
    cj__word_drop_made(x, n);
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: an axis is not cut into %g parts", who, s->parts);
}

static cj_status split_at(cj_symbol *x, const cj_numbers *given, int axis, cj_symbol **results)
{
    const int count = (int)given->count;
    int64_t *places = cj__new((size_t)count, sizeof *places);
    if (!places) {
        cj__word_drop_made(&x, 1);
        return CJ_OUT_OF_MEMORY;
    }
    for (int i = 0; i < count; i++)
        places[i] = (int64_t)given->values[i];
    const cj_status status = cj_op_split_at(x, places, count, axis, results);
    cj__free(places);
    return status;
}

// In equal parts by a function of its own, or at places along an axis.
#define CUT(name, class, fields, along, whole)                                          \
    CJ__MAKE_MANY(name)                                                                 \
    {                                                                                   \
        CJ__SETTINGS(cj__places_settings);                                              \
        *count = (int)parts_of(x, s);                                                   \
        if (*count == 0)                                                                \
            return no_parts(#name, s, x, n);                                            \
        if (s->first.count == 0)                                                        \
            return whole;                                                               \
        return split_at(x[0], &s->first, along, results);                               \
    }                                                                                   \
    CJ__ROW(name, class, CJ__NUMPY, OF_X, 1, fields, cut_defaults, CJ__DOES_MANY(name), \
            .many = parts_of)
CUT(split, "Split", cut_fields, (int)s->axis[1],
    cj_op_split(x[0], *count, (int)s->axis[1], results))
CUT(array_split, "ArraySplit", cut_fields, (int)s->axis[1],
    cj_op_array_split(x[0], *count, (int)s->axis[1], results))
CUT(vsplit, "Vsplit", places_fields, 0, cj_op_vsplit(x[0], *count, results))
CUT(hsplit, "Hsplit", places_fields, cj_symbol_shape(x[0])->rank > 1,
    cj_op_hsplit(x[0], *count, results))
CUT(dsplit, "Dsplit", places_fields, 2, cj_op_dsplit(x[0], *count, results))

static const cj__axis_settings first_axis = {.axis = 0};
static const cj__field axis_fields[] = {
    CJ__FIELD(cj__axis_settings, axis, CJ__FIELD_INT, CJ__AN_AXIS)};
static const cj__config_key unstack_keys[] = {CJ__KEY_HARMLESS("num"), {.key = NULL}};
static int64_t length_of(cj_symbol *const *x, const void *settings)
{
    const int64_t axis = ((const cj__axis_settings *)settings)->axis;
    const cj_shape *shape = cj_symbol_shape(x[0]);
    const int64_t place = axis < 0 ? axis + shape->rank : axis;
    const int64_t length = place >= 0 && place < shape->rank ? shape->dims[place] : 0;
    return length > 0 && length < INT32_MAX ? length : 0;
}
CJ__MAKE_MANY(unstack)
{
    CJ__SETTINGS(cj__axis_settings);
    *count = (int)length_of(x, s);
    return cj_op_unstack(x[0], (int)s->axis, results);
}
CJ__ROW(unstack, "Unstack", CJ__CORE, OF_X, 1, axis_fields, first_axis, CJ__DOES_MANY(unstack),
        .many = length_of, .keys = unstack_keys)

// ---- Side by side ----

#define STACK(name, class)                                                          \
    static cj_symbol *make_##name(const cj__word *word, cj_symbol *const *x, int n, \
                                  const void *settings)                             \
    {                                                                               \
        (void)word, (void)settings;                                                 \
        return cj_op_##name(x, n);                                                  \
    }                                                                               \
    const cj__word cj__word_##name = {.choice = CJ__PLAIN_CHOICE(#name, class),     \
                                      .module = CJ__NUMPY,                          \
                                      .operands = CJ__NAMES("xs"),                  \
                                      .lists = 1,                                   \
                                      .least = 1,                                   \
                                      .most = INT_MAX,                              \
                                      .make = make_##name};
STACK(vstack, "Vstack")
STACK(hstack, "Hstack")
STACK(dstack, "Dstack")

static const cj__axes_settings no_axis = {{0}, false};
static const cj__field line_fields[] = {
    CJ__FIELD(cj__axes_settings, axis, CJ__FIELD_AXES, .optional = true)};
CJ__MAKE(append)
{
    int axis = 0;
    CJ__SETTINGS(cj__axes_settings);
    cj_symbol *first = cj__word_line("append", x[0], s->axis, &axis);
    return cj_op_append(first, s->axis[0] ? x[1] : cj_op_ravel(x[1]), axis);
}
CJ__ROW(append, "Append", CJ__NUMPY, CJ__NAMES("x1", "x2"), 2, line_fields, no_axis,
        CJ__DOES(append))

static const cj__field repeat_fields[] = {
    CJ__KEYED(cj__places_settings, first, "repeats", CJ__FIELD_NUMBERS, .whole = true,
              .scalar = true, .required = true, .low = 0, .high = INT32_MAX),
    CJ__FIELD(cj__places_settings, axis, CJ__FIELD_AXES, .optional = true),
};
CJ__MAKE(repeat)
{
    int axis = 0;
    CJ__SETTINGS(cj__places_settings);
    int64_t *times = cj__new((size_t)s->first.count, sizeof *times);
    for (int64_t i = 0; times && i < s->first.count; i++)
        times[i] = (int64_t)s->first.values[i];
    cj_symbol *y = cj__word_line("repeat", x[0], s->axis, &axis);
    y = cj_op_repeat(y, times, (int)s->first.count, axis);
    cj__free(times);
    return y;
}
CJ__ROW(repeat, "Repeat", CJ__NUMPY, OF_X, 1, repeat_fields, no_places, CJ__DOES(repeat))

static const cj__field starts_fields[] = {
    CJ__KEYED(cj__places_settings, first, "start_indices", CJ__FIELD_NUMBERS, .whole = true)};
CJ__MAKE(slice_update)
{
    CJ__SETTINGS(cj__places_settings);
    int64_t starts[CJ_MAX_RANK] = {0};
    const int count =
        cj__word_whole("slice_update", "start_indices", &s->first, starts, 1, CJ_MAX_RANK);
    return count >= 0 ? cj_op_slice_update(x[0], starts, count, x[1]) : cj__word_drop_made(x, n);
}
const cj__word cj__word_slice_update = {
    .choice = CJ__CHOICE("slice_update", "SliceUpdate", starts_fields, no_places),
    .module = CJ__CORE,
    .operands = CJ__NAMES("inputs", "updates"),
    .least = 2,
    .most = 2,
    .by_place = 1,
    .call = CJ__NAMES("inputs", "start_indices", "updates"),
    .call_settings = CJ__NAMES("start_indices"),
    .make = make_slice_update};

// ---- Regrouped ----

static const cj__rearrange_settings rearrange_defaults = {NULL, NULL};
static const cj__field rearrange_fields[] = {
    CJ__FIELD(cj__rearrange_settings, pattern, CJ__FIELD_TEXT),
    CJ__FIELD(cj__rearrange_settings, lengths, CJ__FIELD_TEXT),
};
CJ__MADE(rearrange, cj__rearrange_settings, cj_op_rearrange(x[0], s->pattern, s->lengths))
CJ__ROW(rearrange, "Rearrange", "keras.src.ops.einops", CJ__NAMES("tensor"), 1, rearrange_fields,
        rearrange_defaults, CJ__DOES(rearrange), .call_settings = CJ__NAMES("pattern", "lengths"),
        .pairs = "lengths")

static const cj__block_settings block_defaults = {1, NULL};
static const cj__field block_fields[] = {
    CJ__FIELD(cj__block_settings, block_size, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj__block_settings, data_format, CJ__FIELD_TEXT),
};
#define BLOCKS(name, class)                                                               \
    CJ__MADE(name, cj__block_settings, cj_op_##name(x[0], s->block_size, s->data_format)) \
    CJ__ROW(name, class, CJ__NN, OF_X, 1, block_fields, block_defaults, CJ__DOES(name))
BLOCKS(depth_to_space, "DepthToSpace")
BLOCKS(space_to_depth, "SpaceToDepth")

#define TWO(member)                                                                          \
    CJ__FIELD(cj__unfold_settings, member, CJ__FIELD_NUMBERS, .whole = true, .scalar = true, \
              .low = 0, .high = INT16_MAX)
static const cj__unfold_settings unfold_defaults = {.output_size = {NULL, 0}};
static const cj__field unfold_fields[] = {TWO(kernel_size), TWO(dilation), TWO(padding),
                                          TWO(stride)};
static const cj__field fold_fields[] = {TWO(output_size), TWO(kernel_size), TWO(dilation),
                                        TWO(padding), TWO(stride)};

// Two numbers of settings, `otherwise` for none.
static bool pair_of(const char *who, const char *what, const cj_numbers *numbers, int64_t otherwise,
                    int64_t *out)
{
    out[0] = out[1] = otherwise;
    return numbers->count == 0 || cj__word_whole(who, what, numbers, out, 2, 2) >= 0;
}

static bool windows_of(const char *who, const cj__unfold_settings *s, cj_windows *windows)
{
    return pair_of(who, "kernel_size", &s->kernel_size, 0, windows->kernel) &&
           pair_of(who, "dilation", &s->dilation, 1, windows->dilation) &&
           pair_of(who, "padding", &s->padding, 0, windows->padding) &&
           pair_of(who, "stride", &s->stride, 1, windows->stride);
}

CJ__MAKE(unfold)
{
    cj_windows windows;
    CJ__SETTINGS(cj__unfold_settings);
    return windows_of("unfold", s, &windows) ? cj_op_unfold(x[0], windows) :
                                               cj__word_drop_made(x, n);
}
CJ__ROW(unfold, "Unfold", CJ__NN, OF_X, 1, unfold_fields, unfold_defaults, CJ__DOES(unfold))
CJ__MAKE(fold)
{
    cj_windows windows;
    int64_t size[2];
    CJ__SETTINGS(cj__unfold_settings);
    return windows_of("fold", s, &windows) &&
                   pair_of("fold", "output_size", &s->output_size, 0, size) ?
               cj_op_fold(x[0], size[0], size[1], windows) :
               cj__word_drop_made(x, n);
}
CJ__ROW(fold, "Fold", CJ__NN, OF_X, 1, fold_fields, unfold_defaults, CJ__DOES(fold))

static const cj__sequences_settings sequences_defaults = {0};
static const cj__field sequences_fields[] = {
    CJ__FIELD(cj__sequences_settings, sequence_length, CJ__FIELD_INT),
    CJ__FIELD(cj__sequences_settings, sequence_stride, CJ__FIELD_INT),
};
CJ__MADE(extract_sequences, cj__sequences_settings,
         cj_op_extract_sequences(x[0], s->sequence_length, s->sequence_stride))
CJ__ROW(extract_sequences, "ExtractSequences", CJ__MATH, OF_X, 1, sequences_fields,
        sequences_defaults, CJ__DOES(extract_sequences))
