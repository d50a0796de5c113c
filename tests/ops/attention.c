// The word attention: its defaults, masks, what it refuses, and long rows of keys in several blocks.
// Values and derivatives of the op are in table.c.
#include "cases.h"

#include "graph/graph.h"
#include <math.h>

static cj_symbol *real(int64_t a, int64_t b, int64_t c, int64_t d)
{
    return cj_symbol_input(CJ_F64, CJ_SHAPE(a, b, c, d), "x");
}

static cj_symbol *mask_of(int64_t a, int64_t b, int64_t c, int64_t d)
{
    return cj_symbol_input(CJ_BOOL, CJ_SHAPE(a, b, c, d), "mask");
}

// The values and gradients of the sum of squares of y, by the three inputs.
typedef struct outcome {
    cj_tensor *of[4];
} outcome;

static outcome run(cj_symbol *const *x, int count, cj_symbol *y, cj_tensor *const *in, int threads)
{
    cj__build g = {0};
    cj_symbol *outputs[4] = {y};
    outcome result;
    cj_symbol *loss = cj__build_keep(&g, cj_op_reduce_sum(cj_op_square(y), NULL, 0));
    if (cj_gradients(loss, x, 3, outputs + 1) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < 4; i++)
        assert_int_equal(cj_tensor_new(CJ_F64, *cj_symbol_shape(outputs[i]), &result.of[i]), CJ_OK);
    cj_pool *pool = cj_pool_new(threads);
    cj_function *function = cj_function(.inputs = x, .input_count = count, .outputs = outputs,
                                        .output_count = 4, .pool = pool);
    assert_non_null(function);
    if (cj_function_call(function, in, result.of) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(function);
    assert_int_equal(cj__build_end(&g), CJ_OK);
    return result;
}

static void assert_close(const outcome *a, const outcome *b, double most)
{
    for (int k = 0; k < 4; k++)
        for (int64_t i = 0; i < cj_tensor_count(a->of[k]); i++)
            assert_true(fabs(case_get(a->of[k], i) - case_get(b->of[k], i)) <= most);
}

static void release(outcome *a)
{
    for (int k = 0; k < 4; k++)
        cj_release(a->of[k]);
}

// softmax(q k' / sqrt(depth)) v as an expression.
static cj_symbol *by_hand(cj_symbol *const *x)
{
    cj__build g = {0};
    const double scale = 1 / sqrt((double)cj_symbol_shape(x[0])->dims[3]);
    cj_symbol *scores = cj__scale(&g, cj__einsum(&g, "bthd,bshd->bhts", x[0], x[1]), scale);
    cj_symbol *y = cj__einsum(&g, "bhts,bshe->bthe", cj__softmax(&g, scores), x[2]);
    return cj__build_result(&g, y);
}

static void blocks_give_what_the_expression_gives(void **state)
{
    (void)state;
    static const int64_t keys[] = {1, 7, 300, 3000};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        cj_symbol *x[3] = {real(2, 150, 2, 5), real(2, keys[i], 2, 5), real(2, keys[i], 2, 3)};
        cj_tensor *in[3];
        for (int k = 0; k < 3; k++) {
            cj_retain(x[k]);
            assert_int_equal(cj_tensor_new(CJ_F64, *cj_symbol_shape(x[k]), &in[k]), CJ_OK);
            case_fill_weights(in[k], (unsigned)k + 1);
        }
        cj_symbol *y = cj_op_attention(x[0], x[1], x[2], NAN, false), *z = by_hand(x);
        assert_true(y && z);
        cj_retain(y), cj_retain(z);
        outcome fused = run(x, 3, y, in, 1), plain = run(x, 3, z, in, 1), two = run(x, 3, y, in, 3);
        assert_close(&fused, &plain, 1e-11);
        assert_close(&fused, &two, 0);
        release(&fused), release(&plain), release(&two);
        for (int k = 0; k < 3; k++)
            cj_release(in[k]), cj_release(x[k]);
        cj_release(y), cj_release(z);
    }
}

static void a_query_without_keys_gets_the_mean_and_passes_nothing(void **state)
{
    (void)state;
    cj_symbol *x[4] = {real(1, 2, 1, 2), real(1, 3, 1, 2), real(1, 3, 1, 1), mask_of(1, 1, 2, 3)};
    cj_tensor *in[4];
    for (int k = 0; k < 4; k++) {
        cj_retain(x[k]);
        assert_int_equal(cj_tensor_new(cj_symbol_dtype(x[k]), *cj_symbol_shape(x[k]), &in[k]),
                         CJ_OK);
        if (k < 3)
            case_fill_weights(in[k], (unsigned)k + 5);
    }
    uint8_t *seen = cj_tensor_data(in[3]);
    for (int i = 0; i < 6; i++)
        seen[i] = i == 4; // query 0 sees nothing, query 1 sees key 1
    cj_symbol *y = cj_op_masked_attention(x[0], x[1], x[2], x[3], NAN, false);
    assert_non_null(y);
    cj_retain(y);
    outcome o = run(x, 4, y, in, 1);
    const double mean = (case_get(in[2], 0) + case_get(in[2], 1) + case_get(in[2], 2)) / 3;
    assert_true(fabs(case_get(o.of[0], 0) - mean) < 1e-12);
    assert_true(case_get(o.of[0], 1) == case_get(in[2], 1));
    for (int i = 0; i < 4; i++)
        assert_true(case_get(o.of[1], i) == 0); // by queries
    release(&o);
    for (int k = 0; k < 4; k++)
        cj_release(in[k]), cj_release(x[k]);
    cj_release(y);
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    assert_null(cj_op_attention(real(2, 3, 4, 5), real(2, 3, 3, 5), real(2, 3, 3, 5), NAN, false));
    assert_error_contains("4 heads of queries are no multiple of 3 of keys");
    assert_null(cj_op_attention(real(2, 3, 4, 5), real(2, 3, 4, 6), real(2, 3, 4, 5), NAN, false));
    assert_error_contains("(2, 3, 4, 5) and (2, 3, 4, 6) do not fit");
    assert_null(cj_op_attention(real(2, 3, 4, 5), real(2, 3, 4, 5), real(2, 2, 4, 5), NAN, false));
    assert_error_contains("do not fit");
    assert_null(cj_op_masked_attention(real(2, 3, 4, 5), real(2, 6, 4, 5), real(2, 6, 4, 5),
                                       mask_of(2, 1, 3, 5), NAN, false));
    assert_error_contains("mask (2, 1, 3, 5) does not broadcast to scores (2, 4, 3, 6)");
    assert_null(cj_op_masked_attention(real(2, 3, 4, 5), real(2, 6, 4, 5), real(2, 6, 4, 5),
                                       real(2, 1, 3, 6), NAN, false));
    assert_error_contains("needs bool");
    assert_null(cj_op_attention(cj_symbol_input(CJ_F32, CJ_SHAPE(3), "x"), real(2, 6, 4, 5),
                                real(2, 6, 4, 5), NAN, false));
    assert_int_equal(cj_error_status(), CJ_SHAPE_MISMATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_give_what_the_expression_gives),
        cmocka_unit_test(a_query_without_keys_gets_the_mean_and_passes_nothing),
        cmocka_unit_test(what_does_not_fit_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
