// The pass fuse_elements over entries of an unstacked value: they are read where they lie, with the
// bits of the copies, wherever the axis is, and copied where anybody else wants them.
#include "fixture.h"

#include <string.h>

enum { GATES = 4, RESULTS = 3 };

// What becomes of the entries of x + y: two outputs and a sum over all; also of what else.
typedef enum also { ALONE, ENTRY_READ, SUM_READ, UNARY_FIRST, THREE_OPERANDS } also;
enum { ALSOS = THREE_OPERANDS + 1 };
static const bool copies[ALSOS] = {[ENTRY_READ] = true};

typedef struct form {
    cj_shape shape; // of x and y
    int axis;
    cj_dtype dtype;
} form;

static cj_function *make(const form *s, also what, const char *off, int threads)
{
    fixture f = {.pool = cj_pool_new(threads)};
    cj__build *g = &f.g;
    cj_symbol *x = fixture_input_of(&f, s->dtype, s->shape),
              *y = fixture_input_of(&f, s->dtype, s->shape), *e[GATES] = {NULL};
    cj_shape split = {.rank = s->shape.rank + 1};
    for (int i = 0; i < split.rank; i++)
        split.dims[i] = s->shape.dims[i < s->axis ? i : i - 1];
    split.dims[s->axis] = GATES;
    split.dims[s->axis + 1] /= GATES;
    cj_symbol *z = cj__add(g, x, y);
    assert_int_equal(cj__unstack(g, cj__reshape(g, z, &split), s->axis, e), CJ_OK);
    cj_symbol *a = cj__mul(g, what == UNARY_FIRST ? e[0] : cj__sub(g, e[0], e[1]), e[2]);
    cj_symbol *b = cj__add(g, cj__apply_unary(g, CJ__UNARY_tanh, e[3], 0, 0), a);
    if (what == THREE_OPERANDS)
        b = cj__select(g, cj__compare(g, CJ__COMPARISON_greater, e[1], e[0]), b, e[2]);
    fixture_output(&f, cj__mul(g, a, b));
    fixture_output(&f, b);
    fixture_output(&f, cj__sum(g, cj__mul(g, b, e[1]), cj__all_axes(b), false));
    if (what == ENTRY_READ)
        fixture_output(&f, e[2]);
    if (what == SUM_READ)
        fixture_output(&f, z);
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

// The results of the first run, with what lay beside it in `more`.
static void run(const form *s, also what, cj_function *function, int64_t batch, cj_tensor **out)
{
    cj_shape in = s->shape, entry = s->shape;
    in.dims[0] = entry.dims[0] = batch;
    entry.dims[s->axis] /= GATES;
    cj_tensor *given[2] = {fixture_tensor_of(s->dtype, in), fixture_tensor_of(s->dtype, in)};
    fixture_fill_whole(given[0], 3, 4), fixture_fill_whole(given[1], 5, 4);
    out[0] = fixture_tensor_of(s->dtype, entry), out[1] = fixture_tensor_of(s->dtype, entry);
    out[2] = fixture_tensor_of(s->dtype, (cj_shape){0});
    if (what == ENTRY_READ)
        out[RESULTS] = fixture_tensor_of(s->dtype, entry);
    if (what == SUM_READ)
        out[RESULTS] = fixture_tensor_of(s->dtype, in);
    if (cj_function_call(function, given, out) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(given[0]), cj_release(given[1]);
}

static void compare(const form *s, also what, int64_t batch, int threads)
{
    cj_tensor *one[RESULTS + 1] = {NULL}, *whole[RESULTS + 1] = {NULL};
    cj_function *joined = make(s, what, NULL, threads),
                *single = make(s, what, "-fuse_elements", 1);
    run(s, what, joined, batch, one);
    run(s, what, single, batch, whole);
    for (int i = 0; i <= RESULTS; i++) {
        if (i == 2) // in another order
            assert_near(fixture_get(one[i], 0), fixture_get(whole[i], 0), 1e-4, 1e-3);
        else if (one[i])
            fixture_expect_same(one[i], whole[i]);
        cj_release(one[i]), cj_release(whole[i]);
    }
    if (fixture_planned(joined, batch, " unstack") != copies[what]) {
        char *plan = fixture_plan(joined, batch);
        fail_msg("%d of what is read is copied:\n%s", (int)what, plan);
    }
    assert_int_equal(fixture_planned(single, batch, " unstack"), 1);
    assert_int_equal(fixture_planned(joined, batch, " reshape "), copies[what] || what == SUM_READ);
    cj_release(joined), cj_release(single);
}

#define S(...)                                                                                     \
    {                                                                                              \
        .rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .dims = { __VA_ARGS__ } \
    }
static const form forms[] = {
    {S(CJ_BATCH, GATES * 64), 1, CJ_F32},       {S(CJ_BATCH, GATES * 37), 1, CJ_F32},
    {S(CJ_BATCH, GATES * 300), 1, CJ_F64},      {S(CJ_BATCH, GATES * 2300), 1, CJ_F32},
    {S(CJ_BATCH, 5, GATES * 40), 2, CJ_F32},    {S(CJ_BATCH, GATES * 3, 21), 1, CJ_F32},
    {S(CJ_BATCH, 3, GATES * 2, 70), 2, CJ_F64}, {S(CJ_BATCH, GATES, 130), 1, CJ_F32},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

static void entries_have_the_bits_of_copies(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 3, 16};
    for (int i = 0; i < FORMS; i++)
        for (int what = 0; what < ALSOS; what++)
            compare(&forms[i], (also)what, 6, threads[(i + what) % 4]);
}

static void large_batches_are_shared(void **state)
{
    (void)state;
    compare(&forms[0], ALONE, 3000, 3);
    compare(&forms[4], UNARY_FIRST, 700, 2);
}

// Of the leading axis an entry is a block of memory; it is copied, as it always was.
static void entries_of_the_first_axis_are_copied(void **state)
{
    (void)state;
    fixture f = {.pool = cj_pool_new(1)};
    cj_symbol *x = fixture_input(&f, CJ_SHAPE(2, CJ_BATCH, 200)), *e[2] = {NULL};
    assert_int_equal(cj__unstack(&f.g, x, 0, e), CJ_OK);
    fixture_output(&f, cj__mul(&f.g, cj__add(&f.g, e[0], e[1]), e[1]));
    cj_function *function = fixture_function(&f, NULL);
    assert_non_null(function);
    assert_int_equal(fixture_planned(function, 3, " unstack"), 1);
    cj_release(function);
}

// Of the last axis the elements of an entry do not lie side by side: it is copied.
static void entries_of_the_last_axis_are_copied(void **state)
{
    (void)state;
    static const cj_shape shapes[] = {S(CJ_BATCH, 5, 2), S(CJ_BATCH, 3, 4, 2), S(CJ_BATCH, 2, 1),
                                      S(CJ_BATCH, 7, 2, 1)};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        cj_tensor *out[2] = {NULL};
        for (int k = 0; k < 2; k++) {
            fixture f = {.pool = cj_pool_new(1)};
            cj_shape in = shapes[i], entry = in;
            const int axis = in.dims[in.rank - 1] == 1 ? in.rank - 2 : in.rank - 1;
            in.dims[0] = entry.dims[0] = 3;
            entry.rank--;
            entry.dims[axis] = in.dims[in.rank - 1]; // the 1 behind it, if there is one
            cj_symbol *x = fixture_input(&f, shapes[i]), *e[2] = {NULL};
            assert_int_equal(cj__unstack(&f.g, x, axis, e), CJ_OK);
            fixture_output(&f, cj__sub(&f.g, cj__mul(&f.g, e[0], e[0]), e[1]));
            cj_function *function = fixture_function(&f, k ? "-fuse_elements" : NULL);
            assert_non_null(function);
            assert_int_equal(fixture_planned(function, 3, " unstack"), 1);
            cj_tensor *given = fixture_tensor_of(CJ_F32, in);
            fixture_fill_whole(given, 3, 4);
            out[k] = fixture_tensor_of(CJ_F32, entry);
            assert_int_equal(cj_function_call(function, &given, &out[k]), CJ_OK);
            cj_release(given), cj_release(function);
        }
        fixture_expect_same(out[0], out[1]);
        cj_release(out[0]), cj_release(out[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_have_the_bits_of_copies),
        cmocka_unit_test(large_batches_are_shared),
        cmocka_unit_test(entries_of_the_first_axis_are_copied),
        cmocka_unit_test(entries_of_the_last_axis_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
