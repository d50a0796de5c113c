// The word einsum: equations as users write them, against plain loops; random ones in every order of
// axes; and the sentences of those that mean nothing.
#include "cases.h"

#include "graph/graph.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LETTERS_MOST = 6 };

static cj_tensor *numbers(cj_shape shape, unsigned seed)
{
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_new(CJ_F64, shape, &tensor), CJ_OK);
    case_fill_weights(tensor, seed);
    return tensor;
}

static cj_symbol *symbol_of(const cj_tensor *tensor, const char *name)
{
    return cj_symbol_input(CJ_F64, *cj_tensor_shape(tensor), name);
}

// What an equation, or with NULL a product, makes of two tensors.
static cj_tensor *result_of(const char *equation, cj_tensor *a, cj_tensor *b)
{
    cj_symbol *x[2] = {symbol_of(a, "a"), symbol_of(b, "b")};
    cj_symbol *y = equation ? cj_op_einsum(equation, x[0], x[1]) : cj_op_matmul(x[0], x[1]);
    if (!y)
        fail_msg("%s: %s", equation ? equation : "matmul", cj_error());
    cj_tensor *out;
    assert_int_equal(cj_tensor_new(CJ_F64, *cj_symbol_shape(y), &out), CJ_OK);
    cj_function *function =
        cj_function(.inputs = x, .input_count = 2, .outputs = &y, .output_count = 1);
    assert_non_null(function);
    assert_int_equal(cj_function_call(function, (cj_tensor *[]){a, b}, &out), CJ_OK);
    cj_release(function);
    return out;
}

// The place of an element in a tensor whose axes have letters, by the index of each letter; an axis
// of length 1 has one place.
static int64_t place(const cj_tensor *tensor, const char *letters, const char *all,
                     const int64_t *index)
{
    const cj_shape *shape = cj_tensor_shape(tensor);
    int64_t at = 0;
    for (int i = 0; i < shape->rank; i++)
        at = at * shape->dims[i] + (shape->dims[i] == 1 ? 0 : index[strchr(all, letters[i]) - all]);
    return at;
}

static void longest_of(const cj_tensor *tensor, const char *letters, const char *all,
                       int64_t *lengths)
{
    for (int i = 0; letters[i]; i++) {
        int64_t *length = &lengths[strchr(all, letters[i]) - all];
        const int64_t own = cj_tensor_shape(tensor)->dims[i];
        *length = own > *length ? own : *length;
    }
}

// Compares y with the sum over every combination of letters.
static void assert_sums(const char *const letters[3], const cj_tensor *a, const cj_tensor *b,
                        const cj_tensor *y)
{
    char all[3 * CJ_MAX_RANK + 1] = {0};
    int64_t lengths[3 * CJ_MAX_RANK] = {0}, total = 1;
    for (int k = 0; k < 2; k++)
        for (const char *p = letters[k]; *p; p++)
            if (!strchr(all, *p))
                all[strlen(all)] = *p;
    longest_of(a, letters[0], all, lengths);
    longest_of(b, letters[1], all, lengths);
    for (size_t i = 0; i < strlen(all); i++)
        total *= lengths[i];
    double *sums = calloc((size_t)cj_tensor_count(y), sizeof *sums);
    assert_non_null(sums);
    for (int64_t number = 0; number < total; number++) {
        int64_t index[3 * CJ_MAX_RANK], rest = number;
        for (size_t i = 0; i < strlen(all); i++) {
            index[i] = rest % lengths[i];
            rest /= lengths[i];
        }
        sums[place(y, letters[2], all, index)] += case_get(a, place(a, letters[0], all, index)) *
                                                  case_get(b, place(b, letters[1], all, index));
    }
    for (int64_t i = 0; i < cj_tensor_count(y); i++)
        assert_true(fabs(sums[i] - case_get(y, i)) < 1e-12);
    free(sums);
}

// An equation, what it means without dots, and the shapes.
#define SHAPE(...)                                                                                 \
    {                                                                                              \
        .rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .dims = { __VA_ARGS__ } \
    }
static const struct {
    const char *equation, *letters[3]; // no equation: matmul
    cj_shape a, b;
} written[] = {
    {"ab,bc->ac", {"ab", "bc", "ac"}, SHAPE(3, 4), SHAPE(4, 5)},
    {" ab , bc -> ca ", {"ab", "bc", "ca"}, SHAPE(3, 4), SHAPE(4, 5)},
    {"abc,cde->abde", {"abc", "cde", "abde"}, SHAPE(2, 3, 4), SHAPE(4, 5, 6)},
    {"abcd,cde->abe", {"abcd", "cde", "abe"}, SHAPE(2, 3, 4, 5), SHAPE(4, 5, 6)},
    {"aecd,abcd->acbe", {"aecd", "abcd", "acbe"}, SHAPE(2, 3, 4, 5), SHAPE(2, 6, 4, 5)},
    {"acbe,aecd->abcd", {"acbe", "aecd", "abcd"}, SHAPE(2, 4, 6, 3), SHAPE(2, 3, 4, 5)},
    {"...x,xy->...y", {"pqx", "xy", "pqy"}, SHAPE(2, 3, 4), SHAPE(4, 5)},
    {"...ab,...bc->...ac", {"pab", "qpbc", "qpac"}, SHAPE(3, 2, 4), SHAPE(2, 3, 4, 5)},
    {"...ab,...bc->...ac", {"qpab", "qpbc", "qpac"}, SHAPE(1, 3, 2, 4), SHAPE(2, 1, 4, 5)},
    {"a...b,b...->...a", {"aqb", "bpq", "pqa"}, SHAPE(3, 5, 4), SHAPE(4, 2, 5)},
    {"ab,bc->c", {"ab", "bc", "c"}, SHAPE(3, 4), SHAPE(4, 5)},
    {"ab,cd->ad", {"ab", "cd", "ad"}, SHAPE(3, 4), SHAPE(2, 5)},
    {"ab,ab->", {"ab", "ab", ""}, SHAPE(3, 4), SHAPE(3, 4)},
    {"ab,b->a", {"ab", "b", "a"}, SHAPE(3, 4), SHAPE(1)},
    {"a,b->ab", {"a", "b", "ab"}, SHAPE(3), SHAPE(4)},
    {"aB,Bc->ac", {"aB", "Bc", "ac"}, SHAPE(3, 4), SHAPE(4, 5)},
    {NULL, {"bij", "bjk", "bik"}, SHAPE(3, 2, 4), SHAPE(3, 4, 5)},
    {NULL, {"ij", "bjk", "bik"}, SHAPE(2, 4), SHAPE(3, 4, 5)},
    {NULL, {"cbij", "bjk", "cbik"}, SHAPE(2, 3, 2, 4), SHAPE(3, 4, 5)},
    {NULL, {"bij", "bjk", "bik"}, SHAPE(1, 2, 4), SHAPE(3, 4, 5)},
};

static void equations_mean_their_sums(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        cj_tensor *a = numbers(written[i].a, 1), *b = numbers(written[i].b, 2);
        cj_tensor *y = result_of(written[i].equation, a, b);
        assert_int_equal(cj_tensor_shape(y)->rank, strlen(written[i].letters[2]));
        assert_sums(written[i].letters, a, b, y);
        cj_release(y), cj_release(b), cj_release(a);
    }
}

static uint32_t draw(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

static void shuffle(char *letters, uint32_t *state)
{
    for (size_t left = strlen(letters); left > 1; left--) {
        const size_t other = draw(state, (uint32_t)left);
        const char last = letters[left - 1];
        letters[left - 1] = letters[other];
        letters[other] = last;
    }
}

// Letters of every kind, some of length 1, in any order.
static void any_order_of_axes_gives_the_same_sums(void **state)
{
    (void)state;
    static const int64_t some_lengths[] = {1, 2, 3, 5, 17};
    uint32_t random = 7;
    for (int round = 0; round < 600; round++) {
        char letters[3][LETTERS_MOST + 1] = {{0}}, equation[4 * LETTERS_MOST];
        int64_t lengths[LETTERS_MOST];
        const int count = 1 + (int)draw(&random, LETTERS_MOST);
        for (int i = 0; i < count; i++) {
            // 1: in a; 2: in b; 4: in y; never in y alone
            const uint32_t where = (uint32_t[]){3, 5, 6, 7, 1, 2}[draw(&random, i < 4 ? 4 : 6)];
            lengths[i] = some_lengths[draw(&random, 5)];
            for (int k = 0; k < 3; k++)
                if (where >> k & 1)
                    letters[k][strlen(letters[k])] = (char)('a' + i);
        }
        cj_shape shapes[2] = {{0}};
        for (int k = 0; k < 3; k++)
            shuffle(letters[k], &random);
        for (int k = 0; k < 2; k++)
            for (const char *p = letters[k]; *p; p++)
                shapes[k].dims[shapes[k].rank++] = lengths[*p - 'a'];
        snprintf(equation, sizeof equation, "%s,%s->%s", letters[0], letters[1], letters[2]);
        cj_tensor *a = numbers(shapes[0], 3), *b = numbers(shapes[1], 4);
        cj_tensor *y = result_of(equation, a, b);
        assert_sums((const char *const[]){letters[0], letters[1], letters[2]}, a, b, y);
        cj_release(y), cj_release(b), cj_release(a);
    }
}

static void a_free_axis_stays_free(void **state)
{
    (void)state;
    cj_symbol *q = cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 6, 2, 4), "q"),
              *k = cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 5, 2, 4), "k");
    cj_symbol *scores = cj_op_einsum("bqhd,bkhd->bhqk", q, k);
    assert_non_null(scores);
    assert_true(cj_shape_equal(cj_symbol_shape(scores), &CJ_SHAPE(CJ_BATCH, 2, 6, 5)));
    cj_release(scores);
}

static void refuse(const char *equation, cj_shape a, cj_shape b, cj_status status,
                   const char *sentence)
{
    assert_null(
        cj_op_einsum(equation, cj_symbol_input(CJ_F32, a, "a"), cj_symbol_input(CJ_F32, b, "b")));
    assert_error_contains(sentence);
    assert_int_equal(cj_error_status(), status);
}

static void equations_that_mean_nothing_are_refused(void **state)
{
    (void)state;
    const cj_shape two = CJ_SHAPE(3, 4), other = CJ_SHAPE(4, 5);
    refuse("ab,bc", two, other, CJ_INVALID_ARGUMENT, "\"ab,bc\" needs two operands and a result");
    refuse("ab->ba", two, other, CJ_INVALID_ARGUMENT, "needs two operands");
    refuse("", two, other, CJ_SHAPE_MISMATCH, "0 letters for an operand of 2 axes");
    refuse("ab,bc,cd->ad", two, other, CJ_INVALID_ARGUMENT, "needs two operands and a result");
    refuse("aa,ab->b", two, other, CJ_INVALID_ARGUMENT, "names an axis twice");
    refuse("ab,bc->aca", two, other, CJ_INVALID_ARGUMENT, "names an axis twice");
    refuse("ab,bc->az", two, other, CJ_INVALID_ARGUMENT, "in its result that no operand has");
    refuse("a1,1c->ac", two, other, CJ_INVALID_ARGUMENT, "more than letters");
    refuse("a......,bc->ac", two, other, CJ_INVALID_ARGUMENT, "more than letters");
    refuse("abc,bc->a", two, other, CJ_SHAPE_MISMATCH, "3 letters for an operand of 2 axes");
    refuse("...abc,bc->...a", two, other, CJ_SHAPE_MISMATCH, "3 letters for an operand of 2 axes");
    refuse("a...,bc->abc", two, other, CJ_INVALID_ARGUMENT, "has no \"...\" in its result");
    refuse("abcdefghi,bc->a", two, other, CJ_INVALID_ARGUMENT, "more than 8 letters");
    refuse("ab,cb->ac", two, other, CJ_SHAPE_MISMATCH, "has two lengths");
    refuse(NULL, two, other, CJ_INVALID_ARGUMENT, "equation is NULL");
    assert_null(cj_op_matmul(cj_symbol_input(CJ_F32, CJ_SHAPE(2, 3, 4), "a"),
                             cj_symbol_input(CJ_F32, CJ_SHAPE(5, 4, 2), "b")));
    assert_int_equal(cj_error_status(), CJ_SHAPE_MISMATCH);
}

static cj_status build_and_drop(void *unused)
{
    (void)unused;
    cj_symbol *a = cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 3, 4), "a");
    cj_symbol *b = a ? cj_symbol_input(CJ_F32, CJ_SHAPE(2, 4, 5), "b") : NULL;
    if (!a || !b) {
        cj_release(a);
        return CJ_OUT_OF_MEMORY;
    }
    cj_symbol *y = cj_op_einsum("abc,dce->ade", a, b);
    cj_release(y);
    return y ? CJ_OK : cj_error_status();
}

static void each_failing_allocation_leaks_nothing(void **state)
{
    (void)state;
    support_fail_each_allocation(build_and_drop, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equations_mean_their_sums),
        cmocka_unit_test(any_order_of_axes_gives_the_same_sums),
        cmocka_unit_test(a_free_axis_stays_free),
        cmocka_unit_test(equations_that_mean_nothing_are_refused),
        cmocka_unit_test(each_failing_allocation_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
