// The pass split_loop: a loop in which each sample goes its own way takes parts of the batch
// through all steps. It gives what the whole batch gives, and the same bits for any number of
// threads; where a step mixes samples the loop stays whole.
#include "fixture.h"

#include "graph/scan.h"
#include "kernels/kernels.h"

#include <stdio.h>
#include <string.h>

enum { RESULTS = 5, OPERANDS = 4, STEPS = 5 };

// What else a step does.
typedef enum extra {
    PLAIN,
    GATED,   // h' = select(h > 0, h u + x, h), cut into two entries and put together again
    CENTRED, // h u + x less its mean over the samples
    TURNED,  // h u + x, its samples in the opposite order
    CROSSED, // (h u + x) h' h
    DRAWN,   // with random numbers
    CASES
} extra;

typedef struct form {
    int64_t batch, units;
    cj_dtype dtype;
    extra extra;
    bool reverse;
    const char *by; // what the plan says of both loops; NULL: they are whole
} form;

static cj_symbol *gated(cj__build *g, cj_symbol *h, cj_symbol *next, int64_t units)
{
    cj_symbol *halves[2];
    const cj_shape two = CJ_SHAPE(CJ_BATCH, 2, units / 2), one = CJ_SHAPE(CJ_BATCH, units);
    if (cj__unstack(g, cj__reshape(g, next, &two), 1, halves) != CJ_OK)
        return next;
    halves[0] = cj__scale(g, halves[0], -1);
    cj_symbol *parts = cj__reshape(g, cj__stack(g, halves, 2, 1), &one);
    cj_symbol *positive = cj__compare(g, CJ__COMPARISON_greater, h, cj__scalar_like(g, h, 0));
    return cj__select(g, positive, parts, h);
}

static cj_symbol *step(const form *s, cj__build *g, cj_symbol *h, cj_symbol *u, cj_symbol *x)
{
    cj_symbol *next = cj__add(g, cj__matmul(g, h, u, false, false), x);
    switch (s->extra) {
    case GATED:
        return gated(g, h, next, s->units);
    case CENTRED:
        return cj__sub(g, next, cj__mean(g, next, 1, true));
    case TURNED:
        return cj__reverse(g, next, 0);
    case CROSSED:
        return cj__matmul(g, next, cj__matmul(g, h, h, true, false), false, false);
    case DRAWN:
        return cj__mul(g, next,
                       cj__random_uniform_like(g, next, cj__scalar(g, CJ_I64, 3), 7, 0, 1));
    default:
        return next;
    }
}

// The last state, all states, and the gradients of a weighted sum of both by the weights and by the
// first state.
static cj_function *make(const form *s, const char *off, int threads)
{
    fixture f = {.pool = cj_pool_new(threads)};
    cj__build *g = &f.g;
    const int64_t n = CJ_BATCH, units = s->units;
    cj_symbol *h0 = fixture_input_of(&f, s->dtype, CJ_SHAPE(n, units));
    cj_symbol *xs = fixture_input_of(&f, s->dtype, CJ_SHAPE(STEPS, n, units));
    cj_symbol *u = fixture_input_of(&f, s->dtype, CJ_SHAPE(units, units));
    cj_symbol *w = fixture_input_of(&f, s->dtype, CJ_SHAPE(STEPS, n, units));
    cj__scan scan;
    cj_symbol *last = NULL, *all = NULL, *by[3], *in[] = {u, h0, xs};
    cj__scan_begin(&scan, g, STEPS, s->reverse);
    cj_symbol *h = cj__scan_carry(&scan, h0);
    cj_symbol *next = step(s, g, h, u, cj__scan_slice(&scan, xs));
    cj__scan_next(&scan, h, next);
    cj__scan_output(&scan, next);
    cj__scan_end(&scan, &last, &all);
    cj_symbol *loss = cj__sum(g, cj__mul(g, w, all), cj__all_axes(all), false);
    if (cj__gradients(g, loss, in, 3, by) != CJ_OK)
        fail_msg("%s", cj_error());
    fixture_output(&f, last);
    fixture_output(&f, all);
    for (int i = 0; i < 3; i++)
        fixture_output(&f, by[i]);
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

typedef struct tensors {
    cj_tensor *in[OPERANDS], *out[RESULTS], *expected[RESULTS];
} tensors;

// Whole numbers, and one weight a row, so that sums are exact in any order.
static void take(const form *s, tensors *t)
{
    const cj_shape state = CJ_SHAPE(s->batch, s->units), all = CJ_SHAPE(STEPS, s->batch, s->units),
                   weights = CJ_SHAPE(s->units, s->units);
    const cj_shape in[OPERANDS] = {state, all, weights, all};
    const cj_shape out[RESULTS] = {state, all, weights, state, all};
    for (int i = 0; i < OPERANDS; i++) {
        t->in[i] = fixture_tensor_of(s->dtype, in[i]);
        fixture_fill_whole(t->in[i], (unsigned)i + 3, i == 2 ? 0 : 2);
    }
    for (int i = 0; i < RESULTS; i++) {
        t->out[i] = fixture_tensor_of(s->dtype, out[i]);
        t->expected[i] = fixture_tensor_of(s->dtype, out[i]);
    }
    for (int64_t i = 0; i < s->units; i++) {
        const int64_t at = i * s->units + (i + 3) % s->units;
        if (s->dtype == CJ_F32)
            ((float *)cj_tensor_data(t->in[2]))[at] = i % 3 == 0 ? -1 : 1;
        else
            ((double *)cj_tensor_data(t->in[2]))[at] = i % 3 == 0 ? -1 : 1;
    }
}

static void release(tensors *t)
{
    for (int i = 0; i < OPERANDS; i++)
        cj_release(t->in[i]);
    for (int i = 0; i < RESULTS; i++)
        cj_release(t->out[i]), cj_release(t->expected[i]);
}

static void call(cj_function *function, tensors *t, cj_tensor **out)
{
    if (cj_function_call(function, t->in, out) != CJ_OK)
        fail_msg("%s", cj_error());
}

static const form forms[] = {
    {64, 128, CJ_F32, PLAIN, false, "by 32"}, {33, 192, CJ_F32, GATED, false, "by 16"},
    {100, 128, CJ_F64, PLAIN, true, "by 33"}, {300, 128, CJ_F32, GATED, true, "by 37"},
    {33, 192, CJ_F64, GATED, false, "by 16"}, {64, 128, CJ_F32, TURNED, false, NULL},
    {31, 256, CJ_F32, PLAIN, false, NULL},    {64, 64, CJ_F32, PLAIN, false, NULL},
    {1, 512, CJ_F32, GATED, false, NULL},     {0, 128, CJ_F32, PLAIN, false, NULL},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

static void parts_give_what_the_batch_gives(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 3, 16};
    for (int i = 0; i < FORMS; i++) {
        tensors t;
        take(&forms[i], &t);
        cj_function *whole = make(&forms[i], "-split_loop", 1);
        call(whole, &t, t.expected);
        for (int k = 0; k < 4; k++) {
            cj_function *parts = make(&forms[i], NULL, threads[k]);
            for (int run = 0; run < 3; run++) {
                call(parts, &t, t.out);
                for (int j = 0; j < RESULTS; j++)
                    fixture_expect_same(t.out[j], t.expected[j]);
            }
            cj_release(parts);
        }
        cj_release(whole);
        release(&t);
    }
}

// Numbers of any kind: the same bits for any number of threads.
static void threads_change_no_bits(void **state)
{
    (void)state;
    static const int threads[] = {2, 3, 4, 5, 16};
    for (int i = 0; i < 4; i++) {
        tensors t;
        take(&forms[i], &t);
        for (int j = 0; j < OPERANDS; j++)
            fixture_fill(t.in[j], (unsigned)j + 1);
        cj_function *one = make(&forms[i], NULL, 1);
        call(one, &t, t.expected);
        for (int k = 0; k < 5; k++) {
            cj_function *several = make(&forms[i], NULL, threads[k]);
            call(several, &t, t.out);
            for (int j = 0; j < RESULTS; j++)
                fixture_expect_same(t.out[j], t.expected[j]);
            cj_release(several);
        }
        cj_release(one);
        release(&t);
    }
}

// Forward and backward.
static void plans_say_how_loops_are_cut(void **state)
{
    (void)state;
    for (int i = 0; i < FORMS; i++) {
        cj_function *parts = make(&forms[i], NULL, 2), *whole = make(&forms[i], "-split_loop", 2);
        char steps[40];
        snprintf(steps, sizeof steps, "%d steps", STEPS);
        assert_int_equal(fixture_planned(parts, forms[i].batch, steps), 2);
        assert_int_equal(fixture_planned(parts, forms[i].batch, " by "), forms[i].by ? 2 : 0);
        if (forms[i].by)
            assert_int_equal(fixture_planned(parts, forms[i].batch, forms[i].by), 2);
        assert_int_equal(fixture_planned(whole, forms[i].batch, " by "), 0);
        cj_release(parts), cj_release(whole);
    }
}

static void steps_that_mix_samples_stay_whole(void **state)
{
    (void)state;
    static const extra mixing[] = {CENTRED, TURNED, CROSSED, DRAWN};
    for (int i = 0; i < 4; i++) {
        const form s = {.batch = 96, .units = 256, .dtype = CJ_F32, .extra = mixing[i]};
        cj_function *function = make(&s, NULL, 2);
        assert_int_equal(fixture_planned(function, s.batch, "steps, by"), 0);
        if (mixing[i] != DRAWN) // backwards they are numbers like others
            assert_int_equal(fixture_planned(function, s.batch, "steps back, by"), 0);
        cj_release(function);
    }
}

// Each part would keep panels of its own.
static void large_weights_are_read_by_all_threads(void **state)
{
    (void)state;
    const bool packs = strcmp(cj__kernels_for(sizeof(float))->isa, "ref") != 0;
    const form s = {.batch = 128, .units = 1536, .dtype = CJ_F32};
    cj_function *function = make(&s, NULL, 2);
    assert_int_equal(fixture_planned(function, s.batch, " by "), packs ? 0 : 2);
    cj_release(function);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_give_what_the_batch_gives),
        cmocka_unit_test(threads_change_no_bits),
        cmocka_unit_test(plans_say_how_loops_are_cut),
        cmocka_unit_test(steps_that_mix_samples_stay_whole),
        cmocka_unit_test(large_weights_are_read_by_all_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
