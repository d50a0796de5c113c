// Roundings inside convolutions give the bits of roundings that are instructions, with and without a pool, in each form.
#include "fixture.h"

// y = round(pool(round(relu(conv(round(x), round(w)))))) and the gradients of sum y^2 by x and w.
static void run(int64_t channels, int64_t filters, bool pools, const char *off, cj_tensor **out)
{
    fixture f = {0};
    const cj_shape shapes[] = {CJ_SHAPE(20, 11, 11, channels), CJ_SHAPE(3, 3, channels, filters)};
    cj_symbol *xs[] = {fixture_input(&f, CJ_SHAPE(CJ_BATCH, 11, 11, channels)), fixture_input(&f, shapes[1])};
    const cj__conv2d_attrs conv = {.strides = {1, 1}, .dilation = {1, 1}, .groups = 1};
    cj_symbol *y = cj__conv2d_symbol(&f.g, cj__round_bf16(&f.g, xs[0]), cj__round_bf16(&f.g, xs[1]), &conv);
    y = cj__round_bf16(&f.g, cj__apply_unary(&f.g, CJ__UNARY_relu, y, 0, 0));
    if (pools)
        y = cj__round_bf16(&f.g, cj__max_pool2d(&f.g, y, &(cj__pool2d_attrs){.size = {2, 2}, .strides = {2, 2}}));
    fixture_output(&f, y);
    cj_symbol *loss = cj__sum(&f.g, cj__mul(&f.g, y, y), cj__all_axes(y), false);
    assert_int_equal(cj__gradients(&f.g, loss, xs, 2, f.outputs + 1), CJ_OK);
    f.output_count = 3;
    cj_function *function = fixture_function(&f, off);
    assert_non_null(function);
    cj_tensor *in[2];
    for (unsigned i = 0; i < 2; i++) {
        in[i] = fixture_tensor(shapes[i], NULL);
        fixture_fill(in[i], 3 + i);
        out[i + 1] = fixture_tensor(shapes[i], NULL);
    }
    out[0] = fixture_tensor(CJ_SHAPE(20, pools ? 4 : 9, pools ? 4 : 9, filters), NULL);
    if (cj_function_call(function, in, out) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(in[0]), cj_release(in[1]), cj_release(function);
}

static void compare(int64_t channels, int64_t filters, bool pools, const char *off, const char *off_too)
{
    cj_tensor *fused[3], *plain[3];
    run(channels, filters, pools, off, fused);
    run(channels, filters, pools, off_too, plain);
    for (int i = 0; i < 3; i++) {
        const size_t bytes = (size_t)cj_tensor_count(fused[i]) * sizeof(float);
        assert_memory_equal(cj_tensor_data(fused[i]), cj_tensor_data(plain[i]), bytes);
        cj_release(fused[i]), cj_release(plain[i]);
    }
}

// Without dead_pixels and the pool's gradient in the filters', whose sums have another order.
static void bits_are_those_of_the_unfused_plan(void **state)
{
    (void)state;
    for (int pools = 0; pools < 2; pools++) {
        compare(3, 40, pools, "-fuse_pool,-winograd,-blocks", "-fuse_round,-fuse_pool,-winograd,-blocks");
        compare(5, 10, pools, "-fuse_pool,-winograd", "-fuse_round,-fuse_pool,-winograd");
        compare(32, 32, pools, "-fuse_pool", "-fuse_round,-fuse_pool");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bits_are_those_of_the_unfused_plan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
