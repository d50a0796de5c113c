// What the bodies of the public operators (operators*.c, words_*.c) share, and the
// functions for building the ops that only they need.
#ifndef CJ_OPS_WORDS_H
#define CJ_OPS_WORDS_H

#include "ops/build.h"
#include "ops/word_settings.h"

// int32, int64, uint8 or bool: what integers.c computes with.
bool cj__is_integer(cj_dtype dtype);

// Appends the ops of functions.c and integers.c.
cj_symbol *cj__apply_function(cj__build *g, cj__function function, cj_symbol *x);
cj_symbol *cj__apply_pair(cj__build *g, cj__function_pair function, cj_symbol *a, cj_symbol *b);
cj_symbol *cj__apply_integer(cj__build *g, cj__integer function, cj_symbol *a, cj_symbol *b);

// ---- Along an axis (along.c, recurrence.c) ----

typedef struct cj__along_attrs {
    int32_t axis;
    int32_t descending; // of argsort: not 0: from the greatest on
} cj__along_attrs;
CJ__NO_PADDING(cj__along_attrs, 2 * sizeof(int32_t));

typedef struct cj__recurrence_attrs {
    int32_t axis;
    int32_t reverse; // not 0: from the last entry to the first
} cj__recurrence_attrs;
CJ__NO_PADDING(cj__recurrence_attrs, 2 * sizeof(int32_t));

// y[.., j, ..] = x[.., i, ..], i = indices[.., j, ..]. The indices, int32, have x's rank, and along
// each other axis x's length or 1.
cj_symbol *cj__take_along(cj__build *g, cj_symbol *x, cj_symbol *indices, int axis);
// In `like`'s shape: dy's numbers added at their indices.
cj_symbol *cj__add_along(cj__build *g, cj_symbol *like, cj_symbol *indices, cj_symbol *dy,
                         int axis);
cj_symbol *cj__argsort(cj__build *g, cj_symbol *x, int axis, bool descending);
// s[t] = a[t] s[t - 1] + b[t], where a may be a scalar.
cj_symbol *cj__append_recurrence(cj__build *g, cj_symbol *a, cj_symbol *b, int axis, bool reverse);
// The sums and the products of the first 1, 2, ... entries.
cj_symbol *cj__running_sum(cj__build *g, cj_symbol *x, int axis);
cj_symbol *cj__running_product(cj__build *g, cj_symbol *x, int axis);

// ---- Segments and rows (segments.c) ----

typedef struct cj__segment_attrs {
    int64_t segments;
} cj__segment_attrs;
CJ__NO_PADDING(cj__segment_attrs, sizeof(int64_t));

cj_symbol *cj__segment_extreme(cj__build *g, cj_symbol *x, cj_symbol *ids, int64_t segments,
                               bool least);
// x (v, ...), indices (n), u (n, ...): x with rows set.
cj_symbol *cj__scatter_rows(cj__build *g, cj_symbol *x, cj_symbol *indices, cj_symbol *u);

// ---- Of networks (words_nn.c, words_windows_nn.c) ----

cj_symbol *cj__sparsemax(cj__build *g, cj_symbol *x, int axis);
// The zeros of the convolution whose gradient a transposed convolution is, along an axis: from those that
// Keras gives JAX before and after an input with strides - 1 zeros between its elements
// (keras/src/backend/common/backend_utils.py). `extra`: output padding, less than 0 for none.
void cj__transposed_padding(int64_t size, int64_t stride, int64_t dilation, bool same,
                            int64_t extra, int32_t *before, int32_t *after);

// ---- Random (distributions.c) ----

typedef struct cj__distribution_attrs {
    uint64_t key;
} cj__distribution_attrs;
CJ__NO_PADDING(cj__distribution_attrs, sizeof(uint64_t));

cj_symbol *cj__random_gamma(cj__build *g, cj_symbol *alpha, cj_symbol *step, uint64_t key);
cj_symbol *cj__random_binomial(cj__build *g, cj_symbol *counts, cj_symbol *probabilities,
                               cj_symbol *step, uint64_t key);

// ---- Arguments of words (words.c) ----

// Begins a word of one symbol, and ends it.
#define CJ__BEGIN                             \
    cj__build build = {0}, *const g = &build; \
    cj_symbol *y = NULL
#define CJ__TAKE(x) \
    CJ__BEGIN;      \
    if (cj__build_take(g, &(x), 1) == CJ_OK)
#define CJ__TAKE_2(a, b) \
    CJ__BEGIN;           \
    if (cj__build_take(g, (cj_symbol *[]){a, b}, 2) == CJ_OK)
#define CJ__TAKE_3(a, b, c) \
    CJ__BEGIN;              \
    if (cj__build_take(g, (cj_symbol *[]){a, b, c}, 3) == CJ_OK)
#define CJ__GIVE return cj__build_result(g, y)
// The same as a word with a row (word.h), of `count` operands, with its settings or NULL.
#define CJ__GIVE_WORD(name, operands, count, settings) \
    return cj__word_result(g, y, &cj__word_##name, operands, count, settings)
#define CJ__GIVE_OF(name, x, settings) CJ__GIVE_WORD(name, &(x), 1, settings)
#define CJ__GIVE_OF_2(name, a, b)      CJ__GIVE_WORD(name, ((cj_symbol *[]){a, b}), 2, NULL)
// Ends a word of several results: gives them floating, or NULL in all after a failure.
cj_status cj__word_give(cj__build *g, cj_symbol *const *symbols, int count, cj_symbol **outputs);

// The axis that `axis` means among `rank`, counted from the end if negative; false with a sentence. The
// second wants one of x's axes whose length is known.
bool cj__word_axis(cj__build *g, const char *who, int rank, int axis, int *place);
bool cj__word_fixed_axis(cj__build *g, const char *who, const cj_symbol *x, int axis, int *place);
// The mask of a list of axes; of NULL all.
bool cj__word_axes(cj__build *g, const char *who, const cj_symbol *x, const int *axes, int count,
                   uint32_t *mask);
// Refuses with a sentence and returns NULL: `return cj__word_refuse(g, cj__fail(...))`.
cj_symbol *cj__word_refuse(cj__build *g, cj_status status);
// Whether a list of 1 .. most symbols is there; refuses it if not.
bool cj__word_list(cj__build *g, const char *who, cj_symbol *const *xs, int count, int most);
// Whether all lengths of x are known; refuses it if not.
bool cj__word_known(cj__build *g, const char *who, const cj_symbol *x);

// x as reals: integers and booleans become float32, as in Keras.
cj_symbol *cj__word_real(cj__build *g, cj_symbol *x);
// The dtype that operands of both have in common, as in Keras: bool, uint8, int32, int64, float32,
// float64, the greater of the two.
cj_dtype cj__word_common(cj_dtype a, cj_dtype b);
// Casts both to it.
void cj__word_join(cj__build *g, cj_symbol **a, cj_symbol **b);
// A function of two operands of any dtypes: `real` where the common dtype is real, else `integer`.
// Booleans are made int32 first, unless `bits`.
cj_symbol *cj__word_compare(cj__build *g, cj__comparison real, cj_symbol *a, cj_symbol *b);
cj_symbol *cj__word_choose(cj__build *g, cj_symbol *condition, cj_symbol *a, cj_symbol *b);
cj_symbol *cj__word_binary(cj__build *g, cj__binary real, cj__integer integer, cj_symbol *a,
                           cj_symbol *b);
// x through float64 and back, for functions that integers have too.
cj_symbol *cj__word_wide(cj__build *g, cj_symbol *x);

// Constants: integers along one axis, a tensor (taken over), an int32 range begin, begin + 1, ... .
cj_symbol *cj__word_ints(cj__build *g, const int64_t *numbers, int64_t count);
cj_symbol *cj__word_tensor(cj__build *g, cj_status status, cj_tensor *tensor);
cj_symbol *cj__word_range(cj__build *g, int64_t begin, int64_t count);
// Entries of x at constant places along an axis of known length.
cj_symbol *cj__word_pick(cj__build *g, cj_symbol *x, int axis, const int64_t *places,
                         int64_t count);
// The first entry of x along an axis, `count` times.
cj_symbol *cj__word_copies(cj__build *g, cj_symbol *x, int axis, int64_t count);
// A symbol of x's rank with `numbers` (a 1-D symbol) along `axis` and 1 elsewhere.
cj_symbol *cj__word_along(cj__build *g, cj_symbol *numbers, int rank, int axis);
// Reshapes that put in, or take out, one axis of length 1.
cj_symbol *cj__word_expand(cj__build *g, cj_symbol *x, int axis);
cj_symbol *cj__word_drop(cj__build *g, cj_symbol *x, int axis);
// Axis `from` moved to place `to`, the others in order.
cj_symbol *cj__word_move(cj__build *g, cj_symbol *x, int from, int to);
// x stretched to the shape that it has with `like` by numpy's rules, of any dtype.
cj_symbol *cj__word_stretch(cj__build *g, cj_symbol *x, cj_symbol *like);
// x as one axis.
cj_symbol *cj__word_flat(cj__build *g, cj_symbol *x);

#endif
