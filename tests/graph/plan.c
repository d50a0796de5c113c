// Plans: memory that is shared never shows. Random graphs give the same bits with and without
// passes, and whether only the last values are wanted (so that memory is used again) or all of them
// (so that nothing is).
#include "fixture.h"

#include <stdio.h>
#include <string.h>

enum { NODES = 30, ROWS = 4, COLS = 6 };

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 9;
}

// One more value of shape (None, 6) from those before it.
static cj_symbol *grow(cj__build *g, cj_symbol *const *v, int count, unsigned *seed)
{
    cj_symbol *a = v[next_random(seed) % (unsigned)count],
              *b = v[count - 1 - (int)(next_random(seed) % (count > 3 ? 3u : 1u))];
    switch (next_random(seed) % 9) {
    case 0:
        return cj__add(g, a, b);
    case 1:
        return cj__sub(g, a, cj__scale(g, b, 0.5));
    case 2:
        return cj__apply_unary(g, CJ__UNARY_tanh, b, 0, 0);
    case 3: // two views, one of which a later op may want to write over
        return cj__reshape(g,
                           cj__apply_unary(g, CJ__UNARY_sigmoid,
                                           cj__reshape(g, b, &CJ_SHAPE(CJ_BATCH, 2, 3)), 0, 0),
                           &CJ_SHAPE(CJ_BATCH, 6));
    case 4:
        return cj__mul(g, a, cj__mean(g, b, 2, true));
    case 5:
        return cj__reverse(g, b, 1);
    case 6:
        return cj__concat(g, (cj_symbol *[]){cj__slice(g, a, 1, 3, 3), cj__slice(g, b, 1, 0, 3)}, 2,
                          1);
    case 7:
        return cj__apply_binary(g, CJ__BINARY_maximum, a, b);
    default:
        return cj__reshape(g, b, &CJ_SHAPE(CJ_BATCH, 6));
    }
}

// The last value of a random graph, or each value beside it, into `last` (ROWS x COLS).
static void run(unsigned seed, const char *off, bool keep_all, float *last)
{
    cj_symbol *values[NODES];
    cj_tensor *out[NODES] = {NULL}, *in = fixture_tensor(CJ_SHAPE(ROWS, COLS), NULL);
    fixture f = {0};
    values[0] = fixture_input(&f, CJ_SHAPE(CJ_BATCH, COLS));
    for (int i = 1; i < NODES; i++)
        values[i] = grow(&f.g, values, i, &seed);
    for (int i = 0; i < (keep_all ? NODES : 1); i++)
        fixture_output(&f, values[NODES - 1 - i]);
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    fixture_fill(in, 9);
    out[0] = fixture_tensor(CJ_SHAPE(ROWS, COLS), NULL);
    for (int round = 0; round < 2; round++) // the second call finds what the first left
        assert_int_equal(cj_function_call(function, &in, out), CJ_OK);
    memcpy(last, cj_tensor_data(out[0]), ROWS * COLS * sizeof *last);
    cj_release(in);
    cj_release(out[0]);
    cj_release(function);
}

static void expect_same_bits(const char *off, bool keep_all)
{
    for (unsigned seed = 1; seed <= 150; seed++) {
        float plain[ROWS * COLS], other[ROWS * COLS];
        run(seed, NULL, false, plain);
        run(seed, off, keep_all, other);
        if (memcmp(plain, other, sizeof plain) != 0)
            fail_msg("graph %u differs with %s", seed, off ? off : "every value kept");
    }
}

static void using_memory_again_never_shows(void **state)
{
    (void)state;
    expect_same_bits(NULL, true);
}

static void each_pass_may_be_switched_off(void **state)
{
    (void)state;
    expect_same_bits("-identity", false);
    expect_same_bits("-cse", false);
    expect_same_bits("-dead", false);
    expect_same_bits("-fuse_bias_act", true);
    expect_same_bits("-identity,-cse,-dead,-fuse_bias_act", true);
}

// A gradient of a network that each pass has something to do in, and an optimizer's step in place.
static cj_function *training_step(cj_variable *const *v, const char *off)
{
    fixture f = {0};
    const cj__update_attrs attrs = {.momentum = 0.9};
    cj_symbol *x = fixture_input(&f, CJ_SHAPE(CJ_BATCH, 4)), *w = fixture_read(&f, v[0]),
              *b = fixture_read(&f, v[1]);
    cj_symbol *xs[] = {w, b}, *gradients[2] = {NULL}, *made[CJ__OP_IO_MAX];
    cj_symbol *y = cj__apply_unary(
        &f.g, CJ__UNARY_relu,
        cj__add(&f.g, cj__matmul(&f.g, x, w, false, false), fixture_read(&f, v[1])), 0, 0);
    cj_symbol *loss =
        cj__mean(&f.g, cj__mul(&f.g, cj__scale(&f.g, y, 1), cj__stop_gradient(&f.g, y)), 3, false);
    xs[1] = f.g.status == CJ_OK ? y->node->inputs[0]->node->inputs[1] : b;
    assert_int_equal(cj__gradients(&f.g, loss, xs, 2, gradients), CJ_OK);
    for (int i = 0; i < 2; i++) {
        cj_symbol *in[] = {i ? xs[1] : w, gradients[i], cj__scalar(&f.g, CJ_F32, 0.1),
                           fixture_read(&f, v[2 + i])};
        assert_int_equal(cj__append_many(&f.g, &cj__op_sgd, &attrs, in, 4, made), CJ_OK);
        fixture_update(&f, v[i], made[0]);
        fixture_update(&f, v[2 + i], made[1]);
    }
    fixture_output(&f, loss);
    return fixture_function(&f, off);
}

static void train(const char *off, float *result)
{
    const cj_shape shapes[] = {CJ_SHAPE(4, 3), CJ_SHAPE(3), CJ_SHAPE(4, 3), CJ_SHAPE(3)};
    cj_variable *v[4];
    cj_tensor *x = fixture_tensor(CJ_SHAPE(8, 4), NULL);
    for (int i = 0; i < 4; i++) {
        v[i] = fixture_variable("v", shapes[i], NULL);
        if (i < 2)
            fixture_fill(cj_variable_value(v[i]), 5);
    }
    cj_function *function = training_step(v, off);
    assert_non_null(function);
    fixture_fill(x, 6);
    for (int step = 0; step < 10; step++)
        assert_int_equal(cj_function_call(function, &x, NULL), CJ_OK);
    memcpy(result, cj_tensor_data(cj_variable_value(v[0])), 12 * sizeof *result);
    memcpy(result + 12, cj_tensor_data(cj_variable_value(v[1])), 3 * sizeof *result);
    for (int i = 0; i < 4; i++)
        cj_release(v[i]);
    cj_release(x);
    cj_release(function);
}

// y = tanh(x) tanh(x) by two nodes, through a reshape, a factor of one and stop_gradient, which
// change nothing.
static cj_function *twice_the_same(const char *off)
{
    fixture f = {0};
    cj_symbol *x = fixture_input(&f, CJ_SHAPE(CJ_BATCH, COLS)), *branch[2];
    for (int i = 0; i < 2; i++) {
        cj_symbol *y = cj__apply_unary(&f.g, CJ__UNARY_tanh, cj__scale(&f.g, x, 1), 0, 0);
        y = cj__reshape(&f.g, y, &CJ_SHAPE(CJ_BATCH, COLS));
        branch[i] = cj__stop_gradient(&f.g, y);
    }
    fixture_output(&f, cj__mul(&f.g, branch[0], branch[1]));
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

// Each of the small passes does its work, and not where it is switched off; values stay. Some
// others call "dead" as well.
static void small_passes_do_their_work(void **state)
{
    static const struct {
        const char *off;
        int tanhs, stops, calls;
    } rows[] = {
        {"-fuse_elements", 1, 0, 2},
        {"-fuse_elements,-identity", 1, 1, 5},
        {"-fuse_elements,-cse", 2, 0, 3},
        {"-fuse_elements,-dead,-fuse_round,-fuse_accuracy,-fuse_dropout,-bf16_products", 2, 0, 3},
        {"-fuse_elements,-fuse_round,-fuse_accuracy,-fuse_dropout,-bf16_products", 1, 0, 2},
        {"-fuse_elements,-identity,-cse", 2, 2, 9},
    };
    cj_tensor *x = fixture_tensor(CJ_SHAPE(ROWS, COLS), NULL), *first = NULL;
    (void)state;
    fixture_fill(x, 4);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char calls[32];
        cj_function *function = twice_the_same(rows[i].off);
        cj_tensor *y = fixture_tensor(CJ_SHAPE(ROWS, COLS), NULL);
        snprintf(calls, sizeof calls, ": %d calls", rows[i].calls);
        assert_int_equal(fixture_planned(function, ROWS, " tanh "), rows[i].tanhs);
        assert_int_equal(fixture_planned(function, ROWS, " stop_gradient "), rows[i].stops);
        if (fixture_planned(function, ROWS, calls) != 1)
            fail_msg("\"%s\":\n%s", rows[i].off ? rows[i].off : "", fixture_plan(function, ROWS));
        assert_int_equal(cj_function_call(function, &x, &y), CJ_OK);
        if (first)
            fixture_expect_same(y, first);
        first = first ? first : cj_retain(y);
        cj_release(y), cj_release(function);
    }
    cj_release(first), cj_release(x);
}

static void training_is_the_same_with_each_pass_off(void **state)
{
    static const char *const off[] = {"-identity", "-cse", "-dead", "-fuse_bias_act",
                                      "-identity,-cse,-dead,-fuse_bias_act"};
    float plain[15], other[15];
    (void)state;
    train(NULL, plain);
    for (size_t i = 0; i < sizeof off / sizeof off[0]; i++) {
        train(off[i], other);
        assert_all_near(other, plain, 15, 1e-5, 1e-5);
    }
}

static void a_long_chain_is_planned_and_run(void **state)
{
    fixture f = {0};
    cj_tensor *x = fixture_tensor(CJ_SHAPE(1), NULL), *y = fixture_tensor(CJ_SHAPE(1), NULL);
    cj_symbol *one, *chain = fixture_input(&f, CJ_SHAPE(1));
    (void)state;
    one = cj__scalar(&f.g, CJ_F32, 1);
    for (int i = 0; i < 20000; i++)
        chain = cj__add(&f.g, chain, one);
    fixture_output(&f, chain);
    cj_function *function = fixture_function(&f, NULL);
    assert_non_null(function);
    assert_int_equal(cj_function_call(function, &x, &y), CJ_OK);
    fixture_expect(y, (float[]){20000});
    cj_release(x);
    cj_release(y);
    cj_release(function);
}

// y = t w and z = w w, where w is (96, 64) and t (96, 96, 64): y's rows want all of w, z's the same
// row, over which z could be written. In parts, the second would find what the first left.
static cj_tensor *products(const char *off, cj_tensor *const *in, bool *cut)
{
    enum { R = 96, C = 64, K = 3 };
    fixture f = {0};
    cj_symbol *t = fixture_input(&f, CJ_SHAPE(R, R, C)), *a = fixture_input(&f, CJ_SHAPE(R, K));
    cj_symbol *b = fixture_input(&f, CJ_SHAPE(K, C)), *w = cj__matmul(&f.g, a, b, false, false);
    cj_symbol *y = cj__apply_unary(&f.g, CJ__UNARY_tanh, cj__mul(&f.g, t, w), 0, 0);
    fixture_output(&f, cj__add(&f.g, y, cj__sum(&f.g, cj__mul(&f.g, w, w), 1, false)));
    cj_function *function = fixture_function(&f, off);
    assert_non_null(function);
    cj_tensor *out = fixture_tensor(CJ_SHAPE(R, R, C), NULL);
    assert_int_equal(cj_function_call(function, in, &out), CJ_OK);
    *cut = fixture_planned(function, 1, ", by ") > 0;
    cj_release(function);
    return out;
}

static void parts_do_not_overwrite_what_the_next_reads(void **state)
{
    (void)state;
    cj_tensor *in[] = {fixture_tensor(CJ_SHAPE(96, 96, 64), NULL),
                       fixture_tensor(CJ_SHAPE(96, 3), NULL),
                       fixture_tensor(CJ_SHAPE(3, 64), NULL)};
    bool cut, uncut;
    for (unsigned i = 0; i < 3; i++)
        fixture_fill(in[i], i + 1);
    cj_tensor *parts = products("-fuse_elements", in, &cut),
              *whole = products("-fuse_elements,-split_batch", in, &uncut);
    assert_true(cut && !uncut);
    fixture_expect_same(parts, whole);
    cj_release(parts), cj_release(whole);
    for (int i = 0; i < 3; i++)
        cj_release(in[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(using_memory_again_never_shows),
        cmocka_unit_test(each_pass_may_be_switched_off),
        cmocka_unit_test(small_passes_do_their_work),
        cmocka_unit_test(training_is_the_same_with_each_pass_off),
        cmocka_unit_test(a_long_chain_is_planned_and_run),
        cmocka_unit_test(parts_do_not_overwrite_what_the_next_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
