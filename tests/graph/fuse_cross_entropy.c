// The pass fuse_cross_entropy: loss, probabilities and gradient have the bits of the ops one by one,
// whatever else reads them.
#include "fixture.h"

enum { RESULTS = 4 };

// Where the share of a sample in the total comes from. From the loss itself, the gradient cannot go
// before it.
typedef enum weighting { BY_INPUT, BY_MEAN, BY_LOSS, WEIGHTINGS } weighting;

typedef struct way {
    cj_dtype dtype;
    int64_t rows, classes;
    weighting weighting;
    bool shows; // the probabilities and a softmax of its own are wanted too
} way;

static const struct {
    int64_t rows, classes;
} sizes[] = {{1, 1}, {1, 10}, {3, 2}, {70, 13}, {33, 16}, {7, 101}, {1001, 10}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static cj_symbol *total_of(fixture *f, const way *w, cj_symbol *loss, cj_symbol *share)
{
    if (w->weighting == BY_MEAN)
        return cj__mean(&f->g, loss, cj__all_axes(loss), false);
    cj_symbol *weighted = cj__mul(&f->g, loss, w->weighting == BY_LOSS ? loss : share);
    return cj__sum(&f->g, weighted, cj__all_axes(weighted), false);
}

// Inputs: logits, labels, shares of samples. Outputs: the loss, the gradient by the logits, and
// what is shown.
static cj_function *make(const way *w, const char *off, int threads)
{
    fixture f = {.pool = cj_pool_new(threads)};
    cj_symbol *z = fixture_input_of(&f, w->dtype, CJ_SHAPE(CJ_BATCH, w->classes));
    cj_symbol *labels = fixture_input_of(&f, CJ_I32, CJ_SHAPE(CJ_BATCH));
    cj_symbol *share = fixture_input_of(&f, w->dtype, CJ_SHAPE(CJ_BATCH));
    cj_symbol *loss = cj__softmax_cross_entropy(&f.g, z, labels),
              *total = total_of(&f, w, loss, share);
    fixture_output(&f, loss);
    assert_int_equal(cj__gradients(&f.g, total, &z, 1, f.outputs + 1), CJ_OK);
    f.output_count = 2;
    if (w->shows) {
        fixture_output(&f, cj__softmax(&f.g, z));
        fixture_output(&f, cj__node_output(&f.g, loss->node, 1));
    }
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

static void call(cj_function *function, const way *w, cj_tensor **results)
{
    const cj_shape logits = CJ_SHAPE(w->rows, w->classes), rows = CJ_SHAPE(w->rows);
    cj_tensor *in[3] = {fixture_tensor_of(w->dtype, logits), fixture_tensor_of(CJ_I32, rows),
                        fixture_tensor_of(w->dtype, rows)};
    fixture_fill(in[0], 5);
    fixture_fill(in[2], 6);
    for (int64_t i = 0; i < w->rows; i++)
        ((int32_t *)cj_tensor_data(in[1]))[i] = (int32_t)(i * 7 % w->classes);
    for (int i = 0; i < RESULTS; i++)
        results[i] = fixture_tensor_of(w->dtype, i == 0 ? rows : logits);
    assert_int_equal(cj_function_call(function, in, results), CJ_OK);
    for (int i = 0; i < 3; i++)
        cj_release(in[i]);
}

// The plan without the pass has neither what it makes nor the softmax merged, and the plan with it
// has both, where the share of a sample is known before the loss.
static void expect_plans(const way *w, cj_function *apart, cj_function *fused)
{
    const bool fuses = w->weighting != BY_LOSS;
    assert_int_equal(fixture_planned(apart, w->rows, " softmax_cross_entropy_both "), 0);
    assert_int_equal(fixture_planned(apart, w->rows, " softmax_cross_entropy_grad "), 1);
    assert_int_equal(fixture_planned(apart, w->rows, " softmax "), w->shows);
    assert_int_equal(fixture_planned(fused, w->rows, " softmax_cross_entropy_both "), fuses);
    assert_int_equal(fixture_planned(fused, w->rows, " softmax_cross_entropy_grad "), !fuses);
    assert_int_equal(fixture_planned(fused, w->rows, " softmax "), 0);
}

static void compare(const way *w, int threads)
{
    cj_tensor *by_apart[RESULTS], *by_fused[RESULTS];
    cj_function *apart = make(w, "-fuse_cross_entropy", 1), *fused = make(w, NULL, threads);
    expect_plans(w, apart, fused);
    call(apart, w, by_apart);
    call(fused, w, by_fused);
    for (int i = 0; i < RESULTS; i++) {
        if (i < 2 || w->shows)
            fixture_expect_same(by_apart[i], by_fused[i]);
        cj_release(by_apart[i]);
        cj_release(by_fused[i]);
    }
    cj_release(apart);
    cj_release(fused);
}

static void fused_and_apart_give_the_same_bits(void **state)
{
    (void)state;
    for (int i = 0; i < SIZES * WEIGHTINGS * 4; i++) {
        const way w = {.dtype = i & 1 ? CJ_F64 : CJ_F32,
                       .rows = sizes[i / 4 % SIZES].rows,
                       .classes = sizes[i / 4 % SIZES].classes,
                       .weighting = (weighting)(i / 4 / SIZES),
                       .shows = i & 2};
        compare(&w, 1);
        compare(&w, 3);
    }
}

// Two totals of one loss have two gradients, and only one could go into the loss.
static void a_loss_with_two_gradients_stays_apart(void **state)
{
    (void)state;
    cj_tensor *results[2][3];
    for (int off = 0; off < 2; off++) {
        fixture f = {0};
        cj_symbol *z = fixture_input(&f, CJ_SHAPE(CJ_BATCH, 5));
        cj_symbol *labels = fixture_input_of(&f, CJ_I32, CJ_SHAPE(CJ_BATCH));
        cj_symbol *loss = cj__softmax_cross_entropy(&f.g, z, labels),
                  *twice = cj__scale(&f.g, loss, 2);
        cj_symbol *totals[2] = {cj__mean(&f.g, loss, 1, false), cj__sum(&f.g, twice, 1, false)};
        fixture_output(&f, loss);
        for (int i = 0; i < 2; i++)
            assert_int_equal(cj__gradients(&f.g, totals[i], &z, 1, f.outputs + 1 + i), CJ_OK);
        f.output_count = 3;
        cj_function *function = fixture_function(&f, off ? "-fuse_cross_entropy" : NULL);
        assert_non_null(function);
        assert_int_equal(fixture_planned(function, 9, " softmax_cross_entropy_grad "), 2);
        cj_tensor *in[2] = {fixture_tensor(CJ_SHAPE(9, 5), NULL),
                            fixture_tensor_of(CJ_I32, CJ_SHAPE(9))};
        fixture_fill(in[0], 3);
        for (int i = 0; i < 3; i++)
            results[off][i] = fixture_tensor(i ? CJ_SHAPE(9, 5) : CJ_SHAPE(9), NULL);
        assert_int_equal(cj_function_call(function, in, results[off]), CJ_OK);
        cj_release(in[0]), cj_release(in[1]), cj_release(function);
    }
    for (int i = 0; i < 3; i++) {
        fixture_expect_same(results[0][i], results[1][i]);
        cj_release(results[0][i]), cj_release(results[1][i]);
    }
}

// Fused or not, a label that is no class is refused with the same words.
static void labels_out_of_range_are_refused(void **state)
{
    (void)state;
    const way w = {.dtype = CJ_F32, .rows = 5, .classes = 3};
    cj_function *function = make(&w, NULL, 1);
    assert_int_equal(fixture_planned(function, 5, " softmax_cross_entropy_both "), 1);
    cj_tensor *in[3] = {fixture_tensor(CJ_SHAPE(5, 3), NULL),
                        fixture_tensor_of(CJ_I32, CJ_SHAPE(5)), fixture_tensor(CJ_SHAPE(5), NULL)};
    static const int32_t wrong[] = {-1, 3};
    for (int i = 0; i < 2; i++) {
        ((int32_t *)cj_tensor_data(in[1]))[4] = wrong[i];
        assert_int_equal(cj_function_call(function, in, NULL), CJ_INVALID_ARGUMENT);
        assert_error_contains("of sample 4 is outside 0..2");
    }
    cj_release(in[0]), cj_release(in[1]), cj_release(in[2]), cj_release(function);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused_and_apart_give_the_same_bits),
        cmocka_unit_test(a_loss_with_two_gradients_stays_apart),
        cmocka_unit_test(labels_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
