// Products of bfloat16 numbers in pairs equal the float products with roundings around them: values
// and gradients.
#include "fixture.h"

#include "kernels/kernels.h"
#include <math.h>

enum { ROWS = 40, IN = 50, UNITS = 70 };

// y = round(relu(round(x) round(w) + bias)) and the gradients of sum y^2 by x and w.
static void run(const char *off, cj_tensor **out)
{
    fixture f = {0};
    cj_symbol *xs[] = {fixture_input(&f, CJ_SHAPE(CJ_BATCH, IN)),
                       fixture_input(&f, CJ_SHAPE(IN, UNITS)), fixture_input(&f, CJ_SHAPE(UNITS))};
    cj_symbol *u =
        cj__matmul(&f.g, cj__round_bf16(&f.g, xs[0]), cj__round_bf16(&f.g, xs[1]), false, false);
    cj_symbol *y = cj__apply_unary(&f.g, CJ__UNARY_relu, cj__add(&f.g, u, xs[2]), 0, 0);
    y = cj__round_bf16(&f.g, y);
    fixture_output(&f, y);
    cj_symbol *loss = cj__sum(&f.g, cj__mul(&f.g, y, y), cj__all_axes(y), false);
    assert_int_equal(cj__gradients(&f.g, loss, xs, 2, f.outputs + 1), CJ_OK);
    f.output_count = 3;
    cj_function *function = fixture_function(&f, off);
    assert_non_null(function);
    // All three products, where the machine multiplies in pairs at all.
    const cj__gemm forward = {
        .m = ROWS, .n = UNITS, .k = IN, .lda = IN, .ldb = UNITS, .ldc = UNITS};
    const bool pays = cj__kernels_for(sizeof(float))->gemm_bf16_pays(&forward);
    assert_int_equal(fixture_planned(function, ROWS, ", bf16 "), !off && pays ? 3 : 0);
    const cj_shape shapes[] = {CJ_SHAPE(ROWS, IN), CJ_SHAPE(IN, UNITS), CJ_SHAPE(UNITS)};
    cj_tensor *in[3];
    for (unsigned i = 0; i < 3; i++) {
        in[i] = fixture_tensor(shapes[i], NULL);
        fixture_fill(in[i], 3 + i);
    }
    out[0] = fixture_tensor(CJ_SHAPE(ROWS, UNITS), NULL);
    out[1] = fixture_tensor(shapes[0], NULL);
    out[2] = fixture_tensor(shapes[1], NULL);
    if (cj_function_call(function, in, out) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < 3; i++)
        cj_release(in[i]);
    cj_release(function);
}

// Sums in another order may fall to the neighbouring bfloat16, 2^-7 relative, and sums of such
// carry it on; where terms cancel that is a share of the terms (here up to 8 each, some 50 of
// them).
static void equal_those_without_the_pass(void **state)
{
    (void)state;
    cj_tensor *pairs[3], *floats[3];
    run(NULL, pairs);
    run("-bf16_products", floats);
    for (int i = 0; i < 3; i++) {
        const float *a = cj_tensor_data(pairs[i]), *b = cj_tensor_data(floats[i]);
        for (int64_t k = 0; k < cj_tensor_count(pairs[i]); k++)
            if (!(fabsf(a[k] - b[k]) <= 0x1p-7f * fabsf(b[k]) + (i ? 0x1p-4f : 0x1p-20f)))
                fail_msg("output %d: %g and %g at %lld", i, (double)a[k], (double)b[k],
                         (long long)k);
        cj_release(pairs[i]), cj_release(floats[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equal_those_without_the_pass)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
