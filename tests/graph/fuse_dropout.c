// The pass fuse_dropout: gradients have the bits of those that make the mask again, whatever the
// numbers are; where something else comes in, the mask is made again.
#include "fixture.h"

#include <math.h>
#include <string.h>

enum { ROWS = 33, SIDE = 6, CHANNELS = 5, FILTERS = 4, POOLED = SIDE / 2 * (SIDE / 2) * FILTERS };

typedef enum form {
    RELU,     // d = dropout(relu(x))
    RESHAPED, // a reshape between
    ROUNDED,  // a rounding to bfloat16
    POOL,     // relu and a pool in a convolution, and a reshape
    LAST_FUSED = POOL,
    SIGMOID,   // another activation
    ADDED,     // somebody else reads what ReLU gives, and its gradient is added
    NO_PLACES, // a pool without ReLU
    FORMS
} form;

static cj_shape input_shape(int64_t batch)
{
    return CJ_SHAPE(batch, SIDE, SIDE, CHANNELS);
}

static bool pools(form f)
{
    return f == POOL || f == NO_PLACES;
}

static cj_shape result_shape(form f, int64_t batch)
{
    if (f == RESHAPED)
        return CJ_SHAPE(batch, SIDE * SIDE * CHANNELS);
    return pools(f) ? CJ_SHAPE(batch, POOLED) : input_shape(batch);
}

// The activations that dropout gets.
static cj_symbol *activations(fixture *x, form f, cj_symbol *in, cj_symbol *w, cj_symbol *bias)
{
    cj__build *g = &x->g;
    const cj_shape flat = result_shape(f, CJ_BATCH);
    if (!pools(f)) {
        cj_symbol *y =
            cj__apply_unary(g, f == SIGMOID ? CJ__UNARY_sigmoid : CJ__UNARY_relu, in, 0, 0);
        return f == RESHAPED ? cj__reshape(g, y, &flat) : f == ROUNDED ? cj__round_bf16(g, y) : y;
    }
    const cj__conv2d_attrs attrs = {
        .strides = {1, 1}, .dilation = {1, 1}, .groups = 1, .same = true};
    cj_symbol *y = cj__add(g, cj__conv2d_symbol(g, in, w, &attrs), bias);
    y = f == POOL ? cj__apply_unary(g, CJ__UNARY_relu, y, 0, 0) : y;
    y = cj__max_pool2d(g, y, &(cj__pool2d_attrs){.size = {2, 2}, .strides = {2, 2}});
    return cj__reshape(g, y, &flat);
}

// The result d, and the gradients of sum(d slope) by the input, filters and bias.
static cj_function *make(form f, double rate, const char *off, int threads, cj_variable *step)
{
    fixture x = {.pool = cj_pool_new(threads)};
    cj_symbol *in = fixture_input(&x, input_shape(CJ_BATCH)),
              *slope = fixture_input(&x, result_shape(f, CJ_BATCH));
    cj_symbol *xs[3] = {in, fixture_input(&x, CJ_SHAPE(3, 3, CHANNELS, FILTERS)),
                        fixture_input(&x, CJ_SHAPE(FILTERS))};
    cj_symbol *y = activations(&x, f, in, xs[1], xs[2]);
    cj_symbol *d = cj__dropout(&x.g, y, fixture_read(&x, step), 77, rate);
    cj_symbol *loss = cj__sum(&x.g, cj__mul(&x.g, d, slope), cj__all_axes(d), false);
    if (f == ADDED)
        loss = cj__add(&x.g, loss, cj__sum(&x.g, cj__mul(&x.g, y, slope), cj__all_axes(y), false));
    fixture_output(&x, d);
    assert_int_equal(cj__gradients(&x.g, loss, xs, pools(f) ? 3 : 1, x.outputs + 1), CJ_OK);
    x.output_count = pools(f) ? 4 : 2;
    cj_function *function = fixture_function(&x, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

static cj_variable *step_of(int64_t value)
{
    cj_variable *step = fixture_scalar(CJ_I64);
    *(int64_t *)cj_tensor_data(cj_variable_value(step)) = value;
    return step;
}

// Some numbers that are none, infinite ones and zeros of both signs, in slopes and, where nothing
// sums them, inputs too.
static void spoil(cj_tensor *tensor, int64_t every)
{
    static const float odd[] = {NAN, -0.0f, INFINITY, 0, -INFINITY, 1e-38f, 3e38f};
    float *x = cj_tensor_data(tensor);
    for (int64_t i = 0; i < cj_tensor_count(tensor); i += every)
        x[i] = odd[i / every % (int64_t)(sizeof odd / sizeof odd[0])];
}

static void run(form f, double rate, const char *off, int threads, cj_tensor *results[4])
{
    const cj_shape shapes[4] = {input_shape(ROWS), result_shape(f, ROWS),
                                CJ_SHAPE(3, 3, CHANNELS, FILTERS), CJ_SHAPE(FILTERS)};
    cj_variable *step = step_of(9);
    cj_tensor *in[4];
    for (unsigned i = 0; i < 4; i++) {
        in[i] = fixture_tensor(shapes[i], NULL);
        fixture_fill(in[i], 3 + i);
    }
    if (!pools(f))
        spoil(in[0], 5), spoil(in[1], 3);
    const int order[4] = {1, 0, 2, 3};
    for (int i = 0; i < 4; i++)
        results[i] = fixture_tensor(shapes[order[i]], NULL);
    cj_function *function = make(f, rate, off, threads, step);
    assert_int_equal(cj_function_call(function, in, results), CJ_OK);
    cj_release(function);
    cj_release(step);
    for (int i = 0; i < 4; i++)
        cj_release(in[i]);
}

static void fused_and_apart_give_the_same_bits(void **state)
{
    static const double rates[] = {0, 0.3, 0.9, 1};
    (void)state;
    for (int way = 0; way < FORMS * 4 * 2; way++) {
        const form f = (form)(way / 8);
        const double rate = rates[way / 2 % 4];
        cj_tensor *apart[4], *fused[4];
        run(f, rate, "-fuse_dropout", 1, apart);
        run(f, rate, NULL, way % 2 ? 3 : 1, fused);
        for (int i = 0; i < 4; i++) {
            const size_t bytes = (size_t)cj_tensor_count(apart[i]) * sizeof(float);
            if (memcmp(apart[i]->data, fused[i]->data, bytes) != 0)
                fail_msg("form %d, rate %g: result %d differs", (int)f, rate, i);
            cj_release(apart[i]), cj_release(fused[i]);
        }
    }
}

static void masks_are_made_again_only_where_they_must(void **state)
{
    (void)state;
    for (form f = 0; f < FORMS; f++) {
        cj_variable *step = step_of(0);
        cj_function *fused = make(f, 0.5, NULL, 1, step),
                    *apart = make(f, 0.5, "-fuse_dropout", 1, step);
        if ((fixture_planned(fused, ROWS, "relu_dropout_grad") > 0) != (f <= LAST_FUSED))
            fail_msg("form %d is%s fused", (int)f, f <= LAST_FUSED ? " not" : "");
        assert_int_equal(fixture_planned(apart, ROWS, "relu_dropout_grad"), 0);
        cj_release(fused);
        cj_release(apart);
        cj_release(step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused_and_apart_give_the_same_bits),
        cmocka_unit_test(masks_are_made_again_only_where_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
