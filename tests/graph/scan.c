// Loops: a scan gives what its steps give one after another, and so do its gradients of first and
// second order, which also equal differences.
#define _POSIX_C_SOURCE 200809L
#include "scan_cases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUTS = 2 * CASE_MOST + MOST_IO };

// A case with its results: last states and sequences, a loss, and the gradients by all inputs.
typedef struct trial {
    const scan_case *c;
    cj_function *function;
    cj_tensor *in[MOST_IO], *out[OUTPUTS];
    int in_count, out_count, loss;
} trial;

static cj_tensor *tensor_like(const cj_symbol *symbol)
{
    cj_shape shape = *cj_symbol_shape(symbol);
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = shape.dims[i] == CJ_BATCH ? CASE_BATCH : shape.dims[i];
    return fixture_tensor_of(cj_symbol_dtype(symbol), shape);
}

// The sum of all elements times weights that depend on the element alone.
static cj_symbol *loss_of(fixture *f, cj_symbol *const *symbols, int count)
{
    cj__build *g = &f->g;
    cj_symbol *loss = NULL;
    for (int i = 0; i < count; i++) {
        cj_symbol *w =
            fixture_input_of(f, cj_symbol_dtype(symbols[i]), *cj_symbol_shape(symbols[i]));
        cj_symbol *term = cj__sum(g, cj__mul(g, w, symbols[i]), cj__all_axes(symbols[i]), false);
        loss = loss ? cj__add(g, loss, term) : term;
    }
    return loss;
}

static void trial_begin(trial *t, const scan_case *c, const scan_form *form, int order,
                        cj_pool *pool)
{
    scan_graph graph;
    fixture *f = &graph.f;
    *t = (trial){.c = c};
    scan_build(c, form, &graph);
    f->pool = pool;
    const int xs = f->input_count;
    for (int k = 0; k < c->states; k++)
        fixture_output(f, graph.last[k]);
    for (int k = 0; k < c->outputs; k++)
        fixture_output(f, graph.sequences[k]);
    for (int i = 0; i < order && f->g.status == CJ_OK; i++) {
        // the weights come at the same places whatever the order: of the first, then of the second
        cj_symbol *gradients[MOST_IO], *from[OUTPUTS];
        const int first = i == 0 ? 0 : f->output_count - xs, count = f->output_count - first;
        memcpy(from, f->outputs + first, (size_t)count * sizeof *from);
        cj_symbol *loss = loss_of(f, from, count);
        if (cj__gradients(&f->g, loss, f->inputs, xs, gradients) != CJ_OK)
            fail_msg("%s: %s", c->name, cj_error());
        t->loss = f->output_count;
        fixture_output(f, loss);
        for (int k = 0; k < xs; k++)
            fixture_output(f, gradients[k]);
    }
    for (int i = 0; i < f->input_count; i++) {
        t->in[t->in_count++] = tensor_like(f->inputs[i]);
        fixture_fill(t->in[i], (unsigned)i + 5);
    }
    for (int i = 0; i < f->output_count; i++)
        t->out[t->out_count++] = tensor_like(f->outputs[i]);
    t->function = fixture_function(f, NULL);
    if (!t->function)
        fail_msg("%s: %s", c->name, cj_error());
}

static void trial_run(trial *t)
{
    if (cj_function_call(t->function, t->in, t->out) != CJ_OK)
        fail_msg("%s: %s", t->c->name, cj_error());
}

static void trial_end(trial *t)
{
    cj_release(t->function);
    for (int i = 0; i < t->in_count; i++)
        cj_release(t->in[i]);
    for (int i = 0; i < t->out_count; i++)
        cj_release(t->out[i]);
}

// In double: what differs is the order of sums over the steps.
static void expect_equal(const trial *a, const trial *b)
{
    assert_int_equal(a->out_count, b->out_count);
    for (int i = 0; i < a->out_count; i++) {
        const int64_t count = cj_tensor_count(a->out[i]);
        double scale = 1;
        for (int64_t j = 0; j < count; j++)
            scale = fmax(scale, fabs(fixture_get(b->out[i], j)));
        for (int64_t j = 0; j < count; j++)
            if (!support_near(fixture_get(a->out[i], j), fixture_get(b->out[i], j), 1e-12 * scale,
                              0))
                fail_msg("%s: result %d at %d is %.17g, step by step %.17g", a->c->name, i, (int)j,
                         fixture_get(a->out[i], j), fixture_get(b->out[i], j));
    }
}

static void a_scan_and_its_gradients_equal_the_steps_one_after_another(void **state)
{
    (void)state;
    const int64_t steps[] = {1, 2, 7};
    for (int i = 0; i < scan_case_count; i++) {
        for (int k = 0; k < 6; k++) {
            scan_form form = {steps[k / 2], k % 2 != 0, true, CJ_F64};
            trial one, all;
            trial_begin(&all, &scan_cases[i], &form, 2, NULL);
            form.unrolled = false;
            trial_begin(&one, &scan_cases[i], &form, 2, NULL);
            trial_run(&all);
            trial_run(&one);
            expect_equal(&one, &all);
            trial_end(&one);
            trial_end(&all);
        }
    }
}

static double loss_at(trial *t, int input, int64_t at, double value)
{
    cj_tensor *only[OUTPUTS] = {NULL};
    only[t->loss] = t->out[t->loss];
    ((double *)cj_tensor_data(t->in[input]))[at] = value;
    assert_int_equal(cj_function_call(t->function, t->in, only), CJ_OK);
    return fixture_get(t->out[t->loss], 0);
}

// Fourth-order central differences; their error is some 1e-9 for the numbers used here.
static void check_differences(trial *t, int input)
{
    cj_tensor *x = t->in[input], *dx = t->out[t->loss + 1 + input];
    const int64_t count = cj_tensor_count(x);
    for (int64_t i = 0; i < count; i += 1 + count / 8) {
        const double at = fixture_get(x, i), h = 1e-3, actual = fixture_get(dx, i);
        const double near = loss_at(t, input, i, at + h) - loss_at(t, input, i, at - h);
        const double far = loss_at(t, input, i, at + 2 * h) - loss_at(t, input, i, at - 2 * h);
        ((double *)cj_tensor_data(x))[i] = at;
        const double expected = (8 * near - far) / (12 * h);
        if (!support_near(actual, expected, 1e-6, 1e-6))
            fail_msg("%s: gradient by input %d at %d is %.12g, differences give %.12g", t->c->name,
                     input, (int)i, actual, expected);
    }
}

static void gradients_of_both_orders_equal_differences(void **state)
{
    (void)state;
    for (int i = 0; i < scan_case_count; i++) {
        const scan_case *c = &scan_cases[i];
        for (int k = 0; k < 4; k++) {
            const scan_form form = {5, k % 2 != 0, false, CJ_F64};
            trial t;
            trial_begin(&t, c, &form, 1 + k / 2, NULL);
            trial_run(&t);
            for (int input = 0; input < c->states + c->slices + c->fixed; input++)
                check_differences(&t, input);
            trial_end(&t);
        }
    }
}

static void threads_do_not_change_the_bits(void **state)
{
    (void)state;
    const int threads[] = {1, 2, 3, 16};
    for (int i = 0; i < scan_case_count; i++) {
        const scan_form form = {9, false, false, CJ_F32};
        trial first, t;
        for (int k = 0; k < 4; k++) {
            trial_begin(&t, &scan_cases[i], &form, 1, cj_pool_new(threads[k]));
            for (int run = 0; run < 3; run++)
                trial_run(&t);
            if (k == 0) {
                first = t;
                continue;
            }
            for (int j = 0; j < t.out_count; j++)
                fixture_expect_same(t.out[j], first.out[j]);
            trial_end(&t);
        }
        trial_end(&first);
    }
}

static void the_batch_may_differ_from_call_to_call(void **state)
{
    (void)state;
    fixture f = {.input_count = 0};
    cj__scan scan;
    cj_symbol *last = NULL;
    cj_symbol *x = fixture_input(&f, CJ_SHAPE(4, CJ_BATCH)),
              *h = fixture_input(&f, CJ_SHAPE(CJ_BATCH));
    cj__scan_begin(&scan, &f.g, 4, false);
    cj_symbol *sum = cj__scan_carry(&scan, h);
    cj__scan_next(&scan, sum, cj__add(&f.g, sum, cj__scan_slice(&scan, x)));
    cj__scan_end(&scan, &last, NULL);
    fixture_output(&f, last);
    cj_function *function = fixture_function(&f, NULL);
    assert_non_null(function);
    for (int64_t batch = 1; batch < 4; batch++) {
        cj_tensor *in[2] = {fixture_tensor(CJ_SHAPE(4, batch), NULL),
                            fixture_tensor(CJ_SHAPE(batch), NULL)};
        cj_tensor *out = fixture_tensor(CJ_SHAPE(batch), NULL);
        for (int64_t i = 0; i < 4 * batch; i++)
            ((float *)cj_tensor_data(in[0]))[i] = (float)(i / batch + i % batch);
        assert_int_equal(cj_function_call(function, in, &out), CJ_OK);
        for (int64_t i = 0; i < batch; i++)
            assert_near(fixture_get(out, i), (double)(6 + 4 * i), 0, 0);
        cj_release(in[0]), cj_release(in[1]), cj_release(out);
    }
    cj_release(function);
}

// ---- Plans ----

static int calls_of(cj_function *function)
{
    char *text = fixture_plan(function, CASE_BATCH);
    const char *found = strstr(text, "batch 3: ");
    assert_non_null(found);
    const int calls = atoi(found + strlen("batch 3: "));
    free(text);
    return calls;
}

static void a_long_sequence_has_no_more_calls_than_a_short_one(void **state)
{
    (void)state;
    trial brief, extended;
    trial_begin(&brief, &scan_cases[1], &(scan_form){10, false, false, CJ_F32}, 1, NULL);
    trial_begin(&extended, &scan_cases[1], &(scan_form){1000, false, false, CJ_F32}, 1, NULL);
    assert_in_range(calls_of(extended.function), 1, calls_of(brief.function));
    trial_end(&brief);
    trial_end(&extended);
}

static void a_plan_shows_the_body_of_a_loop_indented(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t, &scan_cases[0], &(scan_form){12, false, false, CJ_F32}, 1, NULL);
    assert_int_equal(fixture_planned(t.function, CASE_BATCH, "scan, 12 steps"), 2);
    assert_int_equal(fixture_planned(t.function, CASE_BATCH, "scan, 12 steps back"), 1);
    assert_int_equal(fixture_planned(t.function, CASE_BATCH, "   0   matmul"), 1);
    // the weights' gradient is one product after the loop
    assert_int_equal(fixture_planned(t.function, CASE_BATCH, "(12, 3, 4) (12, 3, 4) -> (4, 4)"), 1);
    trial_end(&t);
}

// A state that nobody reads, with its products, and sequences that nobody asked for.
static void what_nobody_reads_is_not_computed(void **state)
{
    (void)state;
    fixture f = {.input_count = 0};
    cj__scan scan;
    cj_symbol *last[2], *h = fixture_input(&f, CJ_SHAPE(CJ_BATCH, 4)),
                        *w = fixture_input(&f, CJ_SHAPE(4, 4));
    cj__scan_begin(&scan, &f.g, 5, false);
    cj_symbol *a = cj__scan_carry(&scan, h), *b = cj__scan_carry(&scan, h);
    cj__scan_next(&scan, a, cj__apply_unary(&f.g, CJ__UNARY_tanh, a, 0, 0));
    cj__scan_next(&scan, b, cj__add(&f.g, a, cj__matmul(&f.g, b, w, false, false)));
    cj__scan_end(&scan, last, NULL);
    fixture_output(&f, last[0]);
    cj_function *function = fixture_function(&f, NULL);
    assert_non_null(function);
    assert_int_equal(fixture_planned(function, CASE_BATCH, "tanh"), 1);
    assert_int_equal(fixture_planned(function, CASE_BATCH, "matmul"), 0);
    cj_release(function);
}

static void passes_do_not_change_what_a_loop_gives(void **state)
{
    (void)state;
    const char *off[] = {"-identity,-cse,-dead", "-fuse_bias_act,-blocks,-winograd,-split_batch"};
    for (int i = 0; i < scan_case_count; i++) {
        const scan_form form = {4, false, false, CJ_F64};
        trial with, without;
        trial_begin(&with, &scan_cases[i], &form, 1, NULL);
        trial_run(&with);
        for (int k = 0; k < 2; k++) {
            setenv("CAJAL_PLAN", off[k], 1);
            trial_begin(&without, &scan_cases[i], &form, 1, NULL);
            unsetenv("CAJAL_PLAN");
            trial_run(&without);
            expect_equal(&with, &without);
            trial_end(&without);
        }
        trial_end(&with);
    }
}

// ---- Failures ----

// The rows of a table at indices from the sequence, added up.
static cj_function *look_up(cj_variable *table, cj_variable *other)
{
    fixture f = {.input_count = 0};
    cj__scan scan;
    cj_symbol *last = NULL, *indices = fixture_input_of(&f, CJ_I32, CJ_SHAPE(3, CJ_BATCH));
    cj_symbol *first = fixture_input(&f, CJ_SHAPE(CJ_BATCH, 2));
    cj__scan_begin(&scan, &f.g, 3, false);
    cj_symbol *sum = cj__scan_carry(&scan, cj__mul(&f.g, first, fixture_read(&f, other)));
    cj_symbol *rows = cj__gather(&f.g, fixture_read(&f, table), cj__scan_slice(&scan, indices));
    cj__scan_next(&scan, sum, cj__mul(&f.g, cj__add(&f.g, sum, rows), fixture_read(&f, other)));
    cj__scan_end(&scan, &last, NULL);
    fixture_output(&f, last);
    return fixture_function(&f, NULL);
}

static void a_failure_in_a_step_comes_out_with_its_sentence(void **state)
{
    (void)state;
    cj_variable *other = fixture_variable("scale", CJ_SHAPE(2), (float[]){1, 1});
    cj_variable *table = fixture_variable("words", CJ_SHAPE(3, 2), (float[]){1, 2, 3, 4, 5, 6});
    cj_function *function = look_up(table, other);
    assert_non_null(function);
    cj_tensor *in[2] = {fixture_tensor_of(CJ_I32, CJ_SHAPE(3, 1)),
                        fixture_tensor(CJ_SHAPE(1, 2), NULL)};
    cj_tensor *out = fixture_tensor(CJ_SHAPE(1, 2), NULL);
    int32_t *indices = cj_tensor_data(in[0]);
    indices[0] = 1, indices[1] = 7;
    assert_int_equal(cj_function_call(function, in, &out), CJ_INVALID_ARGUMENT);
    assert_non_null(strstr(cj_error(), "words: "));
    assert_non_null(strstr(cj_error(), "7"));
    indices[1] = 2;
    assert_int_equal(cj_function_call(function, in, &out), CJ_OK);
    fixture_expect(out, (float[]){3 + 5 + 1, 4 + 6 + 2});
    cj_release(in[0]), cj_release(in[1]), cj_release(out);
    cj_release(function);
    cj_release(table), cj_release(other);
}

static void a_state_must_keep_its_shape(void **state)
{
    (void)state;
    fixture f = {.input_count = 0};
    cj__scan scan;
    cj_symbol *h = fixture_input(&f, CJ_SHAPE(CJ_BATCH, 4)), *w = fixture_input(&f, CJ_SHAPE(4, 5));
    cj__scan_begin(&scan, &f.g, 3, false);
    cj_symbol *a = cj__scan_carry(&scan, h);
    cj__scan_next(&scan, a, cj__matmul(&f.g, a, w, false, false));
    assert_int_equal(cj__scan_end(&scan, NULL, NULL), CJ_SHAPE_MISMATCH);
    assert_non_null(strstr(cj_error(), "a state is (None, 4) float32, but (None, 5) float32"));
    cj__build_end(&f.g);
}

static void a_sequence_needs_an_entry_for_each_step(void **state)
{
    (void)state;
    fixture f = {.input_count = 0};
    cj__scan scan;
    cj_symbol *x = fixture_input(&f, CJ_SHAPE(4, CJ_BATCH));
    cj__scan_begin(&scan, &f.g, 3, false);
    assert_null(cj__scan_slice(&scan, x));
    assert_int_equal(cj__scan_end(&scan, NULL, NULL), CJ_SHAPE_MISMATCH);
    assert_non_null(strstr(cj_error(), "a sequence of shape (4, None) has no entry for each of 3"));
    cj__build_end(&f.g);
}

static void a_state_without_a_next_value_is_refused(void **state)
{
    (void)state;
    fixture f = {.input_count = 0};
    cj__scan scan;
    cj__scan_begin(&scan, &f.g, 3, false);
    cj__scan_carry(&scan, fixture_input(&f, CJ_SHAPE(CJ_BATCH)));
    assert_int_equal(cj__scan_end(&scan, NULL, NULL), CJ_INVALID_ARGUMENT);
    assert_non_null(strstr(cj_error(), "a state has no value after a step"));
    cj__build_end(&f.g);
}

// Building, differentiating, planning and running.
static cj_status train_once(void *context)
{
    const scan_case *c = context;
    scan_graph graph;
    cj_symbol *gradients[MOST_IO];
    cj_tensor *in[MOST_IO] = {NULL}, *out[MOST_IO] = {NULL};
    scan_build(c, &(scan_form){3, false, false, CJ_F32}, &graph);
    fixture *f = &graph.f;
    const int xs = f->input_count;
    cj_symbol *y = graph.last[0];
    cj_symbol *loss = y ? cj__sum(&f->g, y, cj__all_axes(y), false) : NULL;
    cj_status status = f->g.status;
    if (status == CJ_OK)
        status = cj__gradients(&f->g, loss, f->inputs, xs, gradients);
    for (int i = 0; status == CJ_OK && i < xs; i++)
        fixture_output(f, gradients[i]);
    const int count = f->output_count;
    for (int i = 0; status == CJ_OK && i < xs + count; i++) {
        cj_shape shape = *cj_symbol_shape(i < xs ? f->inputs[i] : f->outputs[i - xs]);
        for (int axis = 0; axis < shape.rank; axis++)
            shape.dims[axis] = shape.dims[axis] == CJ_BATCH ? 2 : shape.dims[axis];
        status = cj_tensor_new(CJ_F32, shape, i < xs ? &in[i] : &out[i - xs]);
    }
    cj_function *function = NULL;
    if (status == CJ_OK) {
        f->pool = cj_pool_new(1);
        function = f->pool ? fixture_function(f, NULL) : NULL;
        status = function ? cj_function_call(function, in, out) : cj_error_status();
    }
    cj__build_end(&f->g);
    cj_release(function);
    for (int i = 0; i < MOST_IO; i++)
        cj_release(in[i]), cj_release(out[i]);
    return status;
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    support_fail_each_allocation(train_once, (void *)(uintptr_t)&scan_cases[1]);
    support_fail_each_allocation(train_once, (void *)(uintptr_t)&scan_cases[7]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scan_and_its_gradients_equal_the_steps_one_after_another),
        cmocka_unit_test(gradients_of_both_orders_equal_differences),
        cmocka_unit_test(threads_do_not_change_the_bits),
        cmocka_unit_test(the_batch_may_differ_from_call_to_call),
        cmocka_unit_test(a_long_sequence_has_no_more_calls_than_a_short_one),
        cmocka_unit_test(a_plan_shows_the_body_of_a_loop_indented),
        cmocka_unit_test(what_nobody_reads_is_not_computed),
        cmocka_unit_test(passes_do_not_change_what_a_loop_gives),
        cmocka_unit_test(a_failure_in_a_step_comes_out_with_its_sentence),
        cmocka_unit_test(a_state_must_keep_its_shape),
        cmocka_unit_test(a_sequence_needs_an_entry_for_each_step),
        cmocka_unit_test(a_state_without_a_next_value_is_refused),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
