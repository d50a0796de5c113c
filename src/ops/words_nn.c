// The operators of cajal/ops_nn.h but for convolutions and pools (words_windows_nn.c).
#include "ops/ctc_decode.h"
#include "ops/infer.h"
#include "ops/word_settings.h"
#include "ops/words.h"
#include <cajal/ops_nn.h>
#include <math.h>
#include <string.h>

#define UNARY(name, x)     cj__apply_unary(g, CJ__UNARY_##name, x, 0, 0)
#define BINARY(name, a, b) cj__apply_binary(g, CJ__BINARY_##name, a, b)
#define NUMBER(x, value)   cj__scalar_like(g, x, value)

enum { MOST = 5 };

// Takes symbols over of which some may be NULL, and brings those that are there to x's common real dtype.
static bool take_some(cj__build *g, cj_symbol **symbols, int count)
{
    cj_symbol *given[MOST] = {NULL};
    int there = 0;
    cj_dtype dtype = CJ_F32;
    for (int i = 0; i < count; i++)
        if (symbols[i] || i == 0)
            given[there++] = symbols[i];
    if (cj__build_take(g, given, there) != CJ_OK)
        return false;
    for (int i = 0; i < there; i++)
        dtype = cj__word_common(dtype, cj_symbol_dtype(given[i]));
    for (int i = 0; i < count; i++)
        if (symbols[i])
            symbols[i] = cj__cast(g, symbols[i], dtype);
    return g->status == CJ_OK;
}

// Ends a normalization as a word of the operands that are there.
static cj_symbol *give_some(cj__build *g, cj_symbol *y, const cj__word *word,
                            cj_symbol *const *operands, int count, const int *axes, int axis_count,
                            double epsilon)
{
    const cj__axes_settings of = cj__axes_of(axes, axis_count);
    cj__normalization_settings settings = {.epsilon = epsilon};
    cj_symbol *given[MOST];
    int there = 0;
    memcpy(settings.axis, of.axis, sizeof settings.axis);
    for (int i = 0; i < count; i++)
        if (operands[i]) {
            settings.given |= 1 << i;
            given[there++] = operands[i];
        }
    return cj__word_result(g, y, word, given, there, &settings);
}

// ---- Normalizations ----

// A vector along an axis of x; false with a sentence if it is none of its length.
static bool along_axis(cj__build *g, const char *who, const cj_symbol *x, int axis,
                       cj_symbol **vector)
{
    const cj_shape *shape = *vector ? cj_symbol_shape(*vector) : NULL;
    if (!shape)
        return true;
    if (shape->rank != 1 || shape->dims[0] != cj_symbol_shape(x)->dims[axis]) {
        cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                     "%s: an operand is no vector of the length of axis %d", who,
                                     axis));
        return false;
    }
    *vector = cj__word_along(g, *vector, cj_symbol_shape(x)->rank, axis);
    return *vector;
}

// (x - mean) / sqrt(variance + epsilon) scale + offset, as Keras groups it.
static cj_symbol *normalized(cj__build *g, cj_symbol *x, cj_symbol *mean, cj_symbol *variance,
                             cj_symbol *scale, cj_symbol *offset, double epsilon)
{
    cj_symbol *factor = UNARY(rsqrt, cj__shift(g, variance, epsilon));
    factor = scale ? cj__mul(g, factor, scale) : factor;
    cj_symbol *rest = UNARY(negative, cj__mul(g, mean, factor));
    rest = offset ? cj__add(g, rest, offset) : rest;
    return cj__add(g, cj__mul(g, x, factor), rest);
}

cj_symbol *cj_op_batch_normalization(cj_symbol *x, cj_symbol *mean, cj_symbol *variance, int axis,
                                     cj_symbol *offset, cj_symbol *scale, double epsilon)
{
    cj_symbol *const operands[] = {x, mean, variance, offset, scale};
    cj_symbol *all[MOST] = {x, mean, variance, offset, scale};
    int place = 0;
    CJ__BEGIN;
    if (x && (!mean || !variance))
        all[0] = NULL; // one that must be there is not: all are dropped
    if (take_some(g, all, MOST) &&
        cj__word_axis(g, "batch_normalization", cj_symbol_shape(all[0])->rank, axis, &place)) {
        bool fits = true;
        for (int i = 1; i < MOST && fits; i++)
            fits = along_axis(g, "batch_normalization", all[0], place, &all[i]);
        if (fits)
            y = normalized(g, all[0], all[1], all[2], all[4], all[3], epsilon);
    }
    return give_some(g, y, &cj__word_batch_normalization, operands, MOST, &axis, 1, epsilon);
}

// The mask of the axes, the last if there is no list.
static bool last_axes(cj__build *g, const char *who, const cj_symbol *x, const int *axes, int count,
                      uint32_t *mask)
{
    const int last = -1;
    return cj__word_axes(g, who, x, axes ? axes : &last, axes ? count : 1, mask);
}

// A weight of the lengths of the axes of the mask, in x's axes.
static bool over_axes(cj__build *g, const char *who, const cj_symbol *x, uint32_t mask,
                      cj_symbol **weight)
{
    const cj_shape *shape = *weight ? cj_symbol_shape(*weight) : NULL;
    if (!shape)
        return true;
    cj_shape wide = *cj_symbol_shape(x);
    int next = 0;
    bool fits = true;
    for (int i = 0; i < wide.rank; i++) {
        wide.dims[i] = mask >> i & 1 ? wide.dims[i] : 1;
        if (mask >> i & 1) {
            fits = fits && next < shape->rank && shape->dims[next] == wide.dims[i];
            next++;
        }
    }
    if (!fits || next != shape->rank) {
        cj__build_refuse(
            g, cj__fail(CJ_SHAPE_MISMATCH, "%s: a weight has not the lengths of the axes", who));
        return false;
    }
    *weight = cj__reshape(g, *weight, &wide);
    return *weight;
}

cj_symbol *cj_op_layer_normalization(cj_symbol *x, cj_symbol *gamma, cj_symbol *beta,
                                     const int *axes, int count, double epsilon)
{
    cj_symbol *const operands[] = {x, gamma, beta};
    cj_symbol *all[] = {x, gamma, beta}, *mean = NULL, *variance = NULL;
    uint32_t mask = 0;
    CJ__BEGIN;
    if (take_some(g, all, 3) && last_axes(g, "layer_normalization", all[0], axes, count, &mask) &&
        over_axes(g, "layer_normalization", all[0], mask, &all[1]) &&
        over_axes(g, "layer_normalization", all[0], mask, &all[2])) {
        cj__moments(g, all[0], mask, true, &mean, &variance);
        y = normalized(g, all[0], mean, variance, all[1], all[2], epsilon);
    }
    const int last = -1;
    return give_some(g, y, &cj__word_layer_normalization, operands, 3, axes ? axes : &last,
                     axes ? count : 1, epsilon);
}

cj_symbol *cj_op_rms_normalization(cj_symbol *x, cj_symbol *scale, const int *axes, int count,
                                   double epsilon)
{
    cj_symbol *const operands[] = {x, scale};
    cj_symbol *all[] = {x, scale};
    uint32_t mask = 0;
    CJ__BEGIN;
    if (take_some(g, all, 2) && last_axes(g, "rms_normalization", all[0], axes, count, &mask) &&
        over_axes(g, "rms_normalization", all[0], mask, &all[1])) {
        y = cj__mean(g, UNARY(square, all[0]), mask, true);
        y = cj__mul(g, all[0], UNARY(rsqrt, cj__shift(g, y, epsilon)));
        y = all[1] ? cj__mul(g, y, all[1]) : y;
    }
    const int last = -1;
    return give_some(g, y, &cj__word_rms_normalization, operands, 2, axes ? axes : &last,
                     axes ? count : 1, epsilon);
}

// ---- Losses ----

static cj_symbol *clipped(cj__build *g, cj_symbol *x)
{
    return cj__apply_unary(g, CJ__UNARY_clip, x, 1e-7, 1 - 1e-7);
}

cj_symbol *cj_op_binary_crossentropy(cj_symbol *target, cj_symbol *output, bool from_logits)
{
    cj_symbol *const operands[] = {target, output};
    CJ__TAKE_2(target, output)
    {
        cj__word_join(g, &target, &output);
        target = cj__word_real(g, target), output = cj__word_real(g, output);
        if (!target || !output || !cj_shape_equal(cj_symbol_shape(target), cj_symbol_shape(output)))
            cj__build_refuse(g,
                             cj__fail(CJ_SHAPE_MISMATCH,
                                      "binary_crossentropy: targets and outputs differ in shape"));
        else if (from_logits)
            y = cj__sigmoid_cross_entropy(g, output, target);
        else {
            cj_symbol *p = clipped(g, output), *one = NUMBER(p, 1);
            cj_symbol *yes = cj__mul(g, target, UNARY(log, p));
            cj_symbol *no = cj__mul(g, cj__sub(g, one, target), UNARY(log, cj__sub(g, one, p)));
            y = UNARY(negative, cj__add(g, yes, no));
        }
    }
    CJ__GIVE_WORD(binary_crossentropy, operands, 2, (&(cj__entropy_settings){from_logits, -1}));
}

// The logarithms of probabilities along the last axis.
static cj_symbol *log_probabilities(cj__build *g, cj_symbol *x, bool from_logits)
{
    if (!x || from_logits)
        return cj__log_softmax(g, x);
    const uint32_t last = 1u << (cj_symbol_shape(x)->rank - 1);
    return UNARY(log, clipped(g, cj__div(g, x, cj__sum(g, x, last, true))));
}

cj_symbol *cj_op_categorical_crossentropy(cj_symbol *target, cj_symbol *output, bool from_logits,
                                          int axis)
{
    cj_symbol *const operands[] = {target, output};
    int place = 0;
    CJ__TAKE_2(target, output)
    {
        cj__word_join(g, &target, &output);
        target = cj__word_real(g, target), output = cj__word_real(g, output);
        if (!target || !output || !cj_shape_equal(cj_symbol_shape(target), cj_symbol_shape(output)))
            cj__build_refuse(
                g, cj__fail(CJ_SHAPE_MISMATCH,
                            "categorical_crossentropy: targets and outputs differ in shape"));
        else if (cj__word_axis(g, "categorical_crossentropy", cj_symbol_shape(output)->rank, axis,
                               &place)) {
            const int last = cj_symbol_shape(output)->rank - 1;
            y = log_probabilities(g, cj__word_move(g, output, place, last), from_logits);
            y = cj__mul(g, cj__word_move(g, target, place, last), y);
            y = UNARY(negative, cj__sum(g, y, 1u << last, false));
        }
    }
    CJ__GIVE_WORD(categorical_crossentropy, operands, 2,
                  (&(cj__entropy_settings){from_logits, axis}));
}

// A label that is no class counts nothing, as in Keras.
cj_symbol *cj_op_sparse_categorical_crossentropy(cj_symbol *target, cj_symbol *output,
                                                 bool from_logits)
{
    cj_symbol *const operands[] = {target, output};
    CJ__TAKE_2(target, output)
    {
        output = cj__word_real(g, output);
        const cj_shape *shape = cj_symbol_shape(output);
        const int last = shape->rank - 1;
        if (cj_symbol_shape(target)->rank == shape->rank && last >= 0 &&
            cj_symbol_shape(target)->dims[last] == 1)
            target = cj__word_drop(g, target, last);
        const cj_shape rows = last < 0 ? *shape : cj__reduced_shape(shape, 1u << last, false);
        if (last < 0 || shape->dims[last] < 0 || !target ||
            !cj_shape_equal(cj_symbol_shape(target), &rows)) {
            cj__build_refuse(g,
                             cj__fail(CJ_SHAPE_MISMATCH,
                                      "sparse_categorical_crossentropy: targets have not the shape "
                                      "of the outputs without their last axis"));
        } else {
            cj_symbol *own =
                cj__word_along(g, cj__word_range(g, 0, shape->dims[last]), last + 1, last);
            cj_symbol *label = cj__word_expand(g, cj__cast(g, target, CJ_I32), last);
            cj_symbol *is = cj__apply_integer(g, CJ__INTEGER_equal, label, own);
            y = log_probabilities(g, output, from_logits);
            y = cj__select(g, is, y, NUMBER(y, 0));
            y = UNARY(negative, cj__sum(g, y, 1u << last, false));
        }
    }
    CJ__GIVE_WORD(sparse_categorical_crossentropy, operands, 2,
                  (&(cj__entropy_settings){from_logits, -1}));
}

// ---- Temporal classification ----

// Booleans (batch, n): whether a place is within each sample's length.
static cj_symbol *within(cj__build *g, cj_symbol *lengths, int64_t n)
{
    cj_symbol *place = cj__word_along(g, cj__word_range(g, 0, n), 2, 1);
    return cj__apply_integer(g, CJ__INTEGER_less, place,
                             cj__word_expand(g, cj__cast(g, lengths, CJ_I32), 1));
}

static cj_symbol *integer(cj__build *g, int64_t value)
{
    return cj__word_ints(g, &value, 1);
}

// The op wants the blank as class 0, labels filled up with 0, and all steps: a step beyond the length
// is one whose blank is certain.
static cj_symbol *ctc_of(cj__build *g, cj_symbol *target, cj_symbol *output,
                         cj_symbol *target_length, cj_symbol *output_length, int blank)
{
    const int64_t steps = cj_symbol_shape(output)->dims[1],
                  classes = cj_symbol_shape(output)->dims[2],
                  most = cj_symbol_shape(target)->dims[1];
    cj_symbol *x = cj__log_softmax(g, output), *labels = cj__cast(g, target, CJ_I32);
    if (blank > 0) {
        cj_symbol *parts[3] = {cj__slice(g, x, 2, blank, 1), cj__slice(g, x, 2, 0, blank),
                               cj__slice(g, x, 2, blank + 1, classes - blank - 1)};
        cj_symbol *low = cj__apply_integer(g, CJ__INTEGER_less, labels, integer(g, blank));
        cj_symbol *up = cj__apply_integer(g, CJ__INTEGER_add, labels, integer(g, 1));
        x = cj__concat(g, parts, 3, 2);
        labels = cj__word_choose(g, low, up, labels);
    }
    labels = cj__word_choose(g, within(g, target_length, most), labels, integer(g, 0));
    cj_symbol *blank_only = cj__word_along(g, cj__word_range(g, 0, classes), 3, 2);
    blank_only = cj__apply_integer(g, CJ__INTEGER_equal, blank_only, integer(g, 0));
    cj_symbol *certain =
        cj__select(g, blank_only, cj__scalar_like(g, x, 0), cj__scalar_like(g, x, -1e30));
    x = cj__select(g, cj__word_expand(g, within(g, output_length, steps), 2), x, certain);
    return cj__ctc(g, x, labels);
}

cj_symbol *cj_op_ctc_loss(cj_symbol *target, cj_symbol *output, cj_symbol *target_length,
                          cj_symbol *output_length, int mask_index)
{
    cj_symbol *const operands[] = {target, output, target_length, output_length};
    CJ__BEGIN;
    if (cj__build_take(g, (cj_symbol *[]){target, output, target_length, output_length}, 4) ==
        CJ_OK) {
        const cj_shape *x = cj_symbol_shape(output), *labels = cj_symbol_shape(target);
        output = cj__word_real(g, output);
        const bool fits = x->rank == 3 && labels->rank == 2 && x->dims[1] > 0 && x->dims[2] > 0 &&
                          labels->dims[1] >= 0 && cj_symbol_shape(target_length)->rank == 1 &&
                          cj_symbol_shape(output_length)->rank == 1;
        if (!fits)
            cj__build_refuse(
                g, cj__fail(CJ_SHAPE_MISMATCH,
                            "ctc_loss: needed are labels (batch, n), outputs (batch, steps, "
                            "classes), and two lengths (batch)"));
        else if (mask_index < 0 || mask_index >= x->dims[2])
            cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                         "ctc_loss: mask index %d of %lld classes", mask_index,
                                         (long long)x->dims[2]));
        else
            y = ctc_of(g, target, output, target_length, output_length, mask_index);
    }
    CJ__GIVE_WORD(ctc_loss, operands, 4, (&(cj__number_settings){mask_index}));
}

cj_status cj_op_ctc_decode(cj_symbol *x, cj_symbol *lengths, const char *strategy, int beam_width,
                           int top_paths, bool merge_repeated, int mask_index, cj_symbol **labels,
                           cj_symbol **scores)
{
    cj__build build = {0}, *const g = &build;
    cj_symbol *both[2] = {NULL, NULL}, *given[2] = {NULL, NULL};
    const bool beams = strategy && strcmp(strategy, "beam_search") == 0;
    const cj__ctc_decode_attrs attrs = {beams ? beam_width : 0, beams ? top_paths : 1, mask_index,
                                        merge_repeated};
    if (cj__build_take(g, (cj_symbol *[]){x, lengths}, 2) == CJ_OK) {
        if (strategy && !beams && strcmp(strategy, "greedy") != 0)
            cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                         "ctc_decode: strategy \"%s\" is neither \"greedy\" nor "
                                         "\"beam_search\"",
                                         strategy));
        else if (beams && beam_width < 1)
            cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT, "ctc_decode: %d beams", beam_width));
        else if (!labels || !scores)
            cj__build_refuse(g, cj__fail_null_of("ctc_decode", "the place for a result"));
        cj_symbol *from = cj__word_real(g, x);
        from = beams ? cj__log_softmax(g, from) : from;
        cj__append_many(g, &cj__op_ctc_decode, &attrs,
                        (cj_symbol *[]){from, cj__cast(g, lengths, CJ_I32)}, 2, both);
    }
    const cj__decode_settings settings = {
        strategy ? strategy : "greedy", beam_width > 0 ? beam_width : 1,
        top_paths > 0 ? top_paths : 1, mask_index, merge_repeated};
    const cj_status status = cj__word_give_as(g, both, 2, given, &cj__word_ctc_decode,
                                              (cj_symbol *[]){x, lengths}, 2, &settings);
    if (labels)
        *labels = given[0];
    if (scores)
        *scores = given[1];
    return status;
}

// ---- Attention ----

// With a bias the scores are written out. A query that sees no key gets the mean of all values.
static cj_symbol *biased_attention(cj__build *g, cj_symbol *const *all, cj_symbol *mask,
                                   double scale, bool causal)
{
    const cj_shape *q = cj_symbol_shape(all[0]), *k = cj_symbol_shape(all[1]);
    const int64_t heads = q->dims[2], own = k->dims[2], t = q->dims[1], s = k->dims[1];
    cj_symbol *key = all[1], *value = all[2];
    if (own < 1 || heads < 1 || heads % own != 0 || t < 0 || s < 0)
        return cj__word_refuse(
            g, cj__fail(CJ_SHAPE_MISMATCH,
                        "dot_product_attention: %lld heads of queries, %lld of keys",
                        (long long)heads, (long long)own));
    if (heads != own) {
        cj_symbol *place = cj__word_range(g, 0, heads);
        place = cj__apply_integer(g, CJ__INTEGER_floor_divide, place, integer(g, heads / own));
        place = cj__word_along(g, place, 4, 2);
        key = cj__take_along(g, key, place, 2), value = cj__take_along(g, value, place, 2);
    }
    cj_symbol *scores = cj__scale(g, cj__einsum(g, "bthd,bshd->bhts", all[0], key), scale);
    scores = cj__add(g, scores, all[3]);
    cj_symbol *least = NUMBER(scores, -0.7 * 3.4028234663852886e38);
    if (mask)
        scores = cj__select(g, mask, scores, least);
    if (causal) {
        cj_symbol *row = cj__word_along(g, cj__word_range(g, 0, t), 2, 0);
        cj_symbol *column = cj__word_along(g, cj__word_range(g, 0, s), 2, 1);
        scores =
            cj__select(g, cj__apply_integer(g, CJ__INTEGER_less_equal, column, row), scores, least);
    }
    return cj__einsum(g, "bhts,bshe->bthe", cj__softmax(g, scores), value);
}

cj_symbol *cj_op_dot_product_attention(cj_symbol *query, cj_symbol *key, cj_symbol *value,
                                       cj_symbol *bias, cj_symbol *mask, double scale, bool causal)
{
    cj_symbol *all[] = {query, key, value, bias}, *operands[MOST] = {query, key, value};
    cj__attention_settings settings = {.given = 1 + 2 + 4 + (bias ? 8 : 0) + (mask ? 16 : 0),
                                       .scale = isnan(scale) ? (double)INFINITY : scale,
                                       .is_causal = causal};
    int there = 3;
    CJ__BEGIN;
    if (bias)
        operands[there++] = bias;
    if (mask)
        operands[there++] = mask;
    if (query && (!key || !value))
        all[0] = NULL;
    cj_symbol *seen[] = {mask};
    if (mask && cj__build_take(g, seen, 1) != CJ_OK)
        CJ__GIVE;
    if (take_some(g, all, 4)) {
        bool fits = true;
        for (int i = 0; i < 3; i++)
            fits = fits && cj_symbol_shape(all[i])->rank == 4;
        if (!fits) {
            cj__build_refuse(g,
                             cj__fail(CJ_SHAPE_MISMATCH,
                                      "dot_product_attention: queries, keys and values need four "
                                      "axes: batch, time, heads, depth"));
            CJ__GIVE;
        }
        const int64_t depth = cj_symbol_shape(all[0])->dims[3];
        scale = isnan(scale) ? 1 / sqrt((double)(depth > 0 ? depth : 1)) : scale;
        mask = mask ? cj__cast(g, mask, CJ_BOOL) : NULL;
        y = bias ? biased_attention(g, all, mask, scale, causal) :
                   cj__attention(g, all[0], all[1], all[2], mask, scale, causal);
    }
    CJ__GIVE_WORD(attention, operands, there, &settings);
}

// ---- Others ----

// With the entries in falling order, z[1] >= z[2] >= ..., those of the support are the first k, the ones
// for which 1 + i z[i] is above c[i], the sum of the first i. As Keras has it (keras/src/backend/jax/nn.py,
// sparsemax), tau = (c[1] + ... + c[k] - 1) / k, where the paper has c[k]: the same for k = 1.
cj_symbol *cj__sparsemax(cj__build *g, cj_symbol *x, int axis)
{
    if (!x)
        return NULL;
    const int rank = cj_symbol_shape(x)->rank;
    const int64_t n = cj_symbol_shape(x)->dims[axis];
    cj_symbol *z = cj__take_along(g, x, cj__argsort(g, x, axis, true), axis);
    cj_symbol *sums = cj__running_sum(g, z, axis);
    cj_symbol *number = cj__word_along(g, cj__word_range(g, 1, n), rank, axis);
    number = cj__cast(g, number, cj_symbol_dtype(x));
    cj_symbol *support =
        cj__compare(g, CJ__COMPARISON_greater, cj__shift(g, cj__mul(g, number, z), 1), sums);
    cj_symbol *count = cj__sum(g, cj__cast(g, support, cj_symbol_dtype(x)), 1u << axis, true);
    cj_symbol *total = cj__sum(g, cj__select(g, support, sums, NUMBER(x, 0)), 1u << axis, true);
    cj_symbol *tau = cj__div(g, cj__shift(g, total, -1), count);
    return UNARY(relu, cj__sub(g, x, tau));
}

cj_symbol *cj_op_sparsemax(cj_symbol *x, int axis)
{
    int place = 0;
    CJ__TAKE(x)
    {
        if (cj__word_fixed_axis(g, "sparsemax", x, axis, &place))
            y = cj__sparsemax(g, cj__word_real(g, x), place);
    }
    CJ__GIVE_OF(sparsemax, x, (&(cj__axis_settings){.axis = axis}));
}

cj_symbol *cj_op_psnr(cj_symbol *a, cj_symbol *b, double max_val)
{
    cj_symbol *const operands[] = {a, b};
    CJ__TAKE_2(a, b)
    {
        cj__word_join(g, &a, &b);
        a = cj__word_real(g, a), b = cj__word_real(g, b);
        if (!a || !b || !cj_shape_equal(cj_symbol_shape(a), cj_symbol_shape(b)) || !(max_val > 0))
            cj__build_refuse(g,
                             cj__fail(CJ_SHAPE_MISMATCH,
                                      "psnr: two symbols of one shape and a greatest value above 0 "
                                      "are needed"));
        else {
            y = cj__mean(g, UNARY(square, cj__sub(g, a, b)), cj__all_axes(a), false);
            y = cj__scale(g, cj__apply_function(g, CJ__FUNCTION_log10, y), -10);
            y = cj__shift(g, y, 20 * log10(max_val));
        }
    }
    CJ__GIVE_WORD(psnr, operands, 2, (&(cj__value_settings){max_val}));
}
