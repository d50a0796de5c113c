// The pass keep_prepared: with what a run keeps of the filters, the next gives the bits of one that
// prepares them anew, and a change of the filters is seen, whoever makes it.
#include "fixture.h"

#include "kernels/kernels.h"
#include <string.h>

enum { N = 2, OUTPUTS = 2 };

// How the filters come to the convolutions; ALONE: rounded, for the forward one, and there is no
// other; DERIVED: by many steps, of which each reads the last one twice.
typedef enum source { OF_A_VARIABLE, ROUNDED, ALONE, UPDATED, GIVEN, DERIVED } source;
enum { DERIVED_STEPS = 40 };

// Shapes in Winograd's form and in the direct one.
static const struct shape {
    int64_t size, c, f;
} shapes[] = {{9, 32, 40}, {7, 3, 5}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

// y = conv(x, w), 3 x 3, and the gradient of sum y dy by x.
static cj_function *make(const struct shape *s, source from, cj_variable *w, const char *off,
                         int threads)
{
    fixture f = {.pool = cj_pool_new(threads)};
    const cj__conv2d_attrs conv = {.strides = {1, 1}, .dilation = {1, 1}, .groups = 1};
    const int64_t out = s->size - 2;
    cj_symbol *x = fixture_input(&f, CJ_SHAPE(CJ_BATCH, s->size, s->size, s->c));
    cj_symbol *dy = fixture_input(&f, CJ_SHAPE(CJ_BATCH, out, out, s->f));
    cj_symbol *filters =
        from == GIVEN ? fixture_input(&f, CJ_SHAPE(3, 3, s->c, s->f)) : fixture_read(&f, w);
    if (from == UPDATED)
        fixture_update(&f, w, cj__scale(&f.g, filters, 0.5));
    if (from == ROUNDED || from == ALONE)
        filters = cj__round_bf16(&f.g, filters);
    for (int i = 0; from == DERIVED && i < DERIVED_STEPS; i++)
        filters = cj__add(&f.g, cj__scale(&f.g, filters, 0.5), filters);
    cj_symbol *y = cj__conv2d_symbol(&f.g, x, filters, &conv);
    cj_symbol *loss = cj__sum(&f.g, cj__mul(&f.g, y, dy), cj__all_axes(y), false);
    fixture_output(&f, y);
    if (from == ALONE)
        f.outputs[1] = cj__scale(&f.g, x, 2);
    else
        assert_int_equal(cj__gradients(&f.g, loss, &x, 1, f.outputs + 1), CJ_OK);
    f.output_count = OUTPUTS;
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

typedef struct operands {
    cj_variable *w;
    cj_tensor *in[3], *kept[OUTPUTS], *anew[OUTPUTS];
} operands;

static void take_images(int64_t n, const struct shape *s, operands *o)
{
    const int64_t out = s->size - 2;
    const cj_shape x = CJ_SHAPE(n, s->size, s->size, s->c), y = CJ_SHAPE(n, out, out, s->f);
    o->w = fixture_variable("w", CJ_SHAPE(3, 3, s->c, s->f), NULL);
    fixture_fill(cj_variable_value(o->w), 1);
    o->in[0] = fixture_tensor(x, NULL);
    o->in[1] = fixture_tensor(y, NULL);
    o->in[2] = cj_retain(cj_variable_value(o->w));
    fixture_fill(o->in[0], 2);
    fixture_fill(o->in[1], 3);
    o->kept[0] = fixture_tensor(y, NULL), o->anew[0] = fixture_tensor(y, NULL);
    o->kept[1] = fixture_tensor(x, NULL), o->anew[1] = fixture_tensor(x, NULL);
}

static void take(const struct shape *s, operands *o)
{
    take_images(N, s, o);
}

static void release(operands *o)
{
    for (int i = 0; i < 3; i++)
        cj_release(o->in[i]);
    for (int i = 0; i < OUTPUTS; i++)
        cj_release(o->kept[i]), cj_release(o->anew[i]);
    cj_release(o->w);
}

static void expect_same_results(cj_function *keeps, cj_function *makes, operands *o)
{
    assert_int_equal(cj_function_call(keeps, o->in, o->kept), CJ_OK);
    assert_int_equal(cj_function_call(makes, o->in, o->anew), CJ_OK);
    for (int i = 0; i < OUTPUTS; i++)
        fixture_expect_same(o->kept[i], o->anew[i]);
}

static void changes_are_seen(void **state)
{
    (void)state;
    for (const struct shape *s = shapes; s < shapes + SHAPES; s++) {
        for (int form = 0; form < 6; form++) {
            const source from = (source)(form % 3);
            operands o;
            take(s, &o);
            cj_function *keeps = make(s, from, o.w, NULL, form < 3 ? 1 : 3);
            cj_function *makes = make(s, from, o.w, "-keep_prepared", 1);
            float *w = cj_tensor_data(cj_variable_value(o.w)),
                  *last = w + cj_tensor_count(cj_variable_value(o.w)) - 1;
            expect_same_results(keeps, makes, &o);
            expect_same_results(keeps, makes, &o); // with what the first run kept
            *last += 1;                            // by a pointer that the user has
            expect_same_results(keeps, makes, &o);
            *w = -3;
            expect_same_results(keeps, makes, &o);
            *last -= 1, *w = 3;
            expect_same_results(keeps, makes, &o);
            cj_tensor *other = fixture_tensor(cj_variable_value(o.w)->shape, NULL);
            fixture_fill(other, 9);
            assert_int_equal(cj_variable_assign(o.w, other), CJ_OK);
            expect_same_results(keeps, makes, &o);
            fixture_fill(o.in[0], 7); // other images, the same filters
            expect_same_results(keeps, makes, &o);
            cj_release(other), cj_release(keeps), cj_release(makes);
            release(&o);
        }
    }
}

// Kept are filters that the program does not change; those of Winograd's form and turned ones,
// where there are such.
static void only_what_stays_is_kept(void **state)
{
    (void)state;
    const cj__kernels *kernels = cj__kernels_for(sizeof(float));
    const bool turns = strcmp(kernels->isa, "ref") != 0, transforms = kernels->lanes > 1;
    for (int i = 0; i < SHAPES; i++) {
        operands o;
        take(&shapes[i], &o);
        for (source from = OF_A_VARIABLE; from <= GIVEN; from++) {
            cj_function *keeps = make(&shapes[i], from, o.w, NULL, 1);
            cj_function *makes = make(&shapes[i], from, o.w, "-keep_prepared", 1);
            const int winograd = fixture_planned(keeps, N, ", winograd");
            assert_int_equal(fixture_planned(keeps, N, "round_bf16, kept "),
                             from == ALONE && winograd > 0);
            if (from == ALONE) {
                cj_release(keeps), cj_release(makes);
                continue;
            }
            assert_int_equal(winograd, transforms && i == 0 ? 2 : 0);
            assert_int_equal(fixture_planned(keeps, N, ", kept "), from > ROUNDED || !turns ? 0 :
                                                                   winograd > 0             ? 2 :
                                                                                              1);
            assert_int_equal(fixture_planned(makes, N, ", kept "), 0);
            cj_release(keeps), cj_release(makes);
        }
        release(&o);
    }
}

// Where each weight is used often, preparing is no matter; nor is more memory taken than a plan may
// keep.
static void what_costs_more_than_it_saves_is_not_kept(void **state)
{
    (void)state;
    static const struct shape large = {5, 1024, 2048}; // 72 MiB of filters
    cj_variable *w = fixture_variable("w", CJ_SHAPE(3, 3, shapes[0].c, shapes[0].f), NULL);
    cj_function *function = make(&shapes[0], OF_A_VARIABLE, w, NULL, 1);
    assert_int_equal(fixture_planned(function, 43, ", kept "), 0); // 43 x 7 x 7 uses
    cj_release(function), cj_release(w);
    w = fixture_variable("w", CJ_SHAPE(3, 3, large.c, large.f), NULL);
    function = make(&large, OF_A_VARIABLE, w, NULL, 1);
    assert_int_equal(fixture_planned(function, 1, ", kept "), 0);
    cj_release(function), cj_release(w);
}

// A batch that is cut (split_batch): the last part is smaller and prepares for itself, so it needs
// the rounded filters.
static void every_part_has_its_filters(void **state)
{
    (void)state;
    enum { IMAGES = 70 };
    for (source from = OF_A_VARIABLE; from <= ALONE; from++) {
        operands o;
        take_images(IMAGES, &shapes[0], &o);
        cj_function *keeps = make(&shapes[0], from, o.w, NULL, 1);
        cj_function *makes = make(&shapes[0], from, o.w, "-keep_prepared", 1);
        assert_true(fixture_planned(keeps, IMAGES, ", by ") >= 2);
        operands others; // run in the same memory between, and leave it full of other numbers
        take_images(IMAGES + 30, &shapes[0], &others);
        for (int i = 0; i < 3; i++) {
            expect_same_results(keeps, makes, &o);
            expect_same_results(keeps, makes, &others);
        }
        cj_release(keeps), cj_release(makes);
        release(&o), release(&others);
    }
}

// A search along every path from the filters back would take 2 to the power of the steps.
static void filters_of_many_steps_are_kept(void **state)
{
    (void)state;
    operands o;
    take(&shapes[0], &o);
    cj_function *keeps = make(&shapes[0], DERIVED, o.w, NULL, 1);
    cj_function *makes = make(&shapes[0], DERIVED, o.w, "-keep_prepared", 1);
    if (cj__kernels_for(sizeof(float))->lanes > 1)
        assert_int_equal(fixture_planned(keeps, N, ", kept "), 2);
    expect_same_results(keeps, makes, &o);
    expect_same_results(keeps, makes, &o);
    cj_release(keeps), cj_release(makes);
    release(&o);
}

static void trained_filters_are_seen(void **state)
{
    (void)state;
    operands o;
    take(&shapes[0], &o);
    cj_function *keeps = make(&shapes[0], OF_A_VARIABLE, o.w, NULL, 1);
    cj_function *makes = make(&shapes[0], OF_A_VARIABLE, o.w, "-keep_prepared", 1);
    cj_function *halves = make(&shapes[0], UPDATED, o.w, NULL, 1);
    for (int i = 0; i < 3; i++) {
        expect_same_results(keeps, makes, &o);
        assert_int_equal(cj_function_call(halves, o.in, o.kept), CJ_OK);
    }
    cj_release(keeps), cj_release(makes), cj_release(halves);
    release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_seen),
        cmocka_unit_test(only_what_stays_is_kept),
        cmocka_unit_test(what_costs_more_than_it_saves_is_not_kept),
        cmocka_unit_test(every_part_has_its_filters),
        cmocka_unit_test(filters_of_many_steps_are_kept),
        cmocka_unit_test(trained_filters_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
