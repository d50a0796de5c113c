// The passes winograd and winograd4: convolutions and both gradients take the form that is asked
// for, and differ from the direct form by no more than docs/kernels.md says.
#include "fixture.h"

#include "kernels/kernels.h"
#include <math.h>

// Shapes that both tiles pay for: 8 x 8 images, as in docs/kernels.md, and others. Those may err by
// twice as much: at the border a sum by the input has few terms, but the errors of its tile.
static const struct shape {
    int64_t n, size, c, f;
    bool same;
    int allowance;
    int64_t depth; // of volumes, with kernels of depth 3; 0 for images
} shapes[] = {{16, 8, 16, 64, true, 1, 0},  {16, 8, 64, 64, true, 1, 0},
              {16, 8, 128, 96, true, 1, 0}, {32, 13, 32, 64, false, 2, 0},
              {16, 15, 40, 48, true, 2, 0}, {3, 8, 16, 32, true, 2, 5},
              {4, 13, 10, 48, false, 2, 6}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], RESULTS = 3 };

static const char *const names[RESULTS] = {"forward", "by the input", "by the filters"};

// y = conv(x, w) and the gradients of sum y dy by x and w.
static cj_function *make(const struct shape *s, const char *off, int threads)
{
    fixture f = {.pool = cj_pool_new(threads)};
    const int64_t out = s->same ? s->size : s->size - 2;
    const cj__conv2d_attrs conv = {
        .strides = {1, 1}, .dilation = {1, 1}, .groups = 1, .same = s->same};
    const cj__conv3d_attrs conv3d = {
        .strides = {1, 1, 1}, .dilation = {1, 1, 1}, .groups = 1, .same = s->same};
    const int64_t deep = s->same ? s->depth : s->depth - 2;
    const cj_shape x = s->depth ? CJ_SHAPE(CJ_BATCH, s->depth, s->size, s->size, s->c) :
                                  CJ_SHAPE(CJ_BATCH, s->size, s->size, s->c);
    const cj_shape w = s->depth ? CJ_SHAPE(3, 3, 3, s->c, s->f) : CJ_SHAPE(3, 3, s->c, s->f);
    cj_symbol *xs[] = {fixture_input(&f, x), fixture_input(&f, w)};
    cj_symbol *dy = fixture_input(&f, s->depth ? CJ_SHAPE(CJ_BATCH, deep, out, out, s->f) :
                                                 CJ_SHAPE(CJ_BATCH, out, out, s->f));
    cj_symbol *y = s->depth ? cj__conv3d(&f.g, xs[0], xs[1], &conv3d) :
                              cj__conv2d_symbol(&f.g, xs[0], xs[1], &conv);
    cj_symbol *loss = cj__sum(&f.g, cj__mul(&f.g, y, dy), cj__all_axes(y), false);
    fixture_output(&f, y);
    assert_int_equal(cj__gradients(&f.g, loss, xs, 2, f.outputs + 1), CJ_OK);
    f.output_count = RESULTS;
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

// Operands between -1 and 1, or their magnitudes: then the results are the sums of magnitudes.
static void run(const struct shape *s, const char *off, int threads, bool magnitudes,
                cj_tensor **out)
{
    cj_function *function = make(s, off, threads);
    cj_tensor *in[RESULTS];
    for (int i = 0; i < RESULTS; i++) {
        cj_shape shape = cj__function_input(function, i)->shape;
        shape.dims[0] = i == 1 ? 3 : s->n;
        in[i] = fixture_tensor(shape, NULL);
        fixture_fill(in[i], 11 + (unsigned)i);
        float *values = cj_tensor_data(in[i]);
        for (int64_t k = 0; magnitudes && k < cj_tensor_count(in[i]); k++)
            values[k] = fabsf(values[k]);
    }
    out[0] = fixture_tensor(in[2]->shape, NULL);
    out[1] = fixture_tensor(in[0]->shape, NULL);
    out[2] = fixture_tensor(in[1]->shape, NULL);
    assert_int_equal(cj_function_call(function, in, out), CJ_OK);
    for (int i = 0; i < RESULTS; i++)
        cj_release(in[i]);
    cj_release(function);
}

static void release(cj_tensor **results)
{
    for (int i = 0; i < RESULTS; i++)
        cj_release(results[i]);
}

// How many of the three convolutions have tiles of 2 x 2, and of 4 x 4.
static void expect_tiles(const struct shape *s, const char *off, int twos, int fours)
{
    cj_function *function = make(s, off, 1);
    const int all = fixture_planned(function, s->n, ", winograd");
    const int four = fixture_planned(function, s->n, ", winograd 4x4");
    if (four != fours || all - four != twos ||
        fixture_planned(function, s->n, ", direct") != RESULTS - twos - fours)
        fail_msg("shape %d, \"%s\": %d tiles of 2 x 2, %d of 4 x 4", (int)(s - shapes),
                 off ? off : "", all - four, four);
    cj_release(function);
}

static void tiles_are_those_asked_for(void **state)
{
    (void)state;
    const int64_t lanes = cj__kernels_for(sizeof(float))->lanes;
    for (const struct shape *s = shapes; s < shapes + SHAPES; s++) {
        expect_tiles(s, "-winograd", 0, 0);
        expect_tiles(s, "-winograd,-winograd4", 0, 0);
        if (lanes == 1)
            continue;
        expect_tiles(s, "-winograd4", RESULTS, 0);
        expect_tiles(s, NULL, lanes < 16 ? RESULTS : 0, lanes < 16 ? 0 : RESULTS);
    }
}

// The greatest errors of docs/kernels.md, in epsilons of the sums of magnitudes: direct, 2 x 2 and
// 4 x 4.
static const double errors[RESULTS][3] = {{2.5, 1.2, 7.4}, {2.5, 1.2, 2.9}, {1.5, 1.9, 3.4}};

enum { DIRECT, TWOS, FOURS, FORMS };

// Two forms differ by the errors of both at most, and differ: else they are one.
static void expect_near(const struct shape *s, cj_tensor *results[FORMS][RESULTS], int form,
                        int other, cj_tensor *const *magnitudes)
{
    for (int i = 0; i < RESULTS; i++) {
        const float *x = cj_tensor_data(results[form][i]), *y = cj_tensor_data(results[other][i]);
        const float *m = cj_tensor_data(magnitudes[i]);
        const double most = s->allowance * (errors[i][form] + errors[i][other]);
        bool differ = false;
        for (int64_t k = 0; k < cj_tensor_count(magnitudes[i]); k++) {
            const double error = fabs((double)x[k] - (double)y[k]) / (double)m[k] * 0x1p23;
            differ = differ || error > 0;
            if (!(error <= most))
                fail_msg(
                    "shape %d %s, forms %d and %d: element %lld is %g and %g, %g epsilons of %g",
                    (int)(s - shapes), names[i], form, other, (long long)k, (double)x[k],
                    (double)y[k], error, most);
        }
        assert_true(differ);
    }
}

static void forms_agree_as_documented(void **state)
{
    (void)state;
    static const char *const offs[FORMS] = {"-winograd", "-winograd4", NULL};
    const int64_t lanes = cj__kernels_for(sizeof(float))->lanes;
    if (lanes == 1)
        support_skip("plain C has the direct form alone");
    for (const struct shape *s = shapes; s < shapes + SHAPES; s++) {
        cj_tensor *magnitudes[RESULTS], *results[FORMS][RESULTS];
        run(s, "-winograd", 1, true, magnitudes);
        for (int form = DIRECT; form < FORMS; form++)
            run(s, offs[form], 1, false, results[form]);
        expect_near(s, results, TWOS, DIRECT, magnitudes);
        if (lanes >= 16) {
            expect_near(s, results, FOURS, DIRECT, magnitudes);
            expect_near(s, results, FOURS, TWOS, magnitudes);
        }
        for (int form = DIRECT; form < FORMS; form++)
            release(results[form]);
        release(magnitudes);
    }
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    static const char *const offs[] = {NULL, "-winograd4"};
    for (const struct shape *s = shapes; s < shapes + SHAPES; s++)
        for (int i = 0; i < 2; i++) {
            cj_tensor *one[RESULTS], *three[RESULTS];
            run(s, offs[i], 1, false, one);
            run(s, offs[i], 3, false, three);
            for (int k = 0; k < RESULTS; k++)
                fixture_expect_same(one[k], three[k]);
            release(one), release(three);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_are_those_asked_for),
        cmocka_unit_test(forms_agree_as_documented),
        cmocka_unit_test(threads_do_not_change_a_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
