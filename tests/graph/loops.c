// The loop of cajal/scan.h against the same steps written one by one, its gradients included, and
// what is wrong with its arguments.
#include "support.h"

#include <cajal/scan.h>
#include <string.h>

enum { STEPS = 5, BATCH = 3, UNITS = 2 };

// h' = tanh(x + h w), and the output h' h
static cj_status step(void *context, const cj_scan_step *s)
{
    cj_symbol *w = context;
    s->next[0] = cj_op_activation("tanh", cj_op_add(s->entries[0], cj_op_matmul(s->states[0], w)));
    s->outputs[0] = cj_op_multiply(s->next[0], s->states[0]);
    return s->outputs[0] ? CJ_OK : cj_error_status();
}

static cj_tensor *numbers(cj_shape shape, int seed)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_new(CJ_F64, shape, &tensor), CJ_OK);
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++)
        ((double *)cj_tensor_data(tensor))[i] = (double)((i * 7 + seed * 5) % 13) / 8 - 0.7;
    return tensor;
}

typedef struct graph {
    cj_symbol *inputs[3], *scalar; // x, h, w
} graph;

static graph inputs(void)
{
    const graph g = {{cj_take(cj_symbol_input(CJ_F64, CJ_SHAPE(STEPS, CJ_BATCH, UNITS), "x")),
                      cj_take(cj_symbol_input(CJ_F64, CJ_SHAPE(CJ_BATCH, UNITS), "h")),
                      cj_take(cj_symbol_input(CJ_F64, CJ_SHAPE(UNITS, UNITS), "w"))},
                     NULL};
    return g;
}

// The sum of the squares of the last state, and of all outputs times the entries.
static graph as_loop(bool reverse)
{
    graph g = inputs();
    cj_symbol *last = NULL, *all = NULL;
    if (cj_scan(&last, &all, step, g.inputs[2], &g.inputs[1], 1, &g.inputs[0], 1, 1,
                .reverse = reverse) != CJ_OK)
        fail_msg("%s", cj_error());
    g.scalar = cj_take(cj_op_add(cj_op_reduce_sum(cj_op_square(last), NULL, 0),
                                 cj_op_reduce_sum(cj_op_multiply(all, g.inputs[0]), NULL, 0)));
    return g;
}

static graph by_hand(bool reverse)
{
    graph g = inputs();
    cj_symbol *h = g.inputs[1], *sum = NULL;
    for (int i = 0; i < STEPS; i++) {
        // entry t of x, by the only op that the public graph has for it
        const int t = reverse ? STEPS - 1 - i : i;
        cj_tensor *one = NULL;
        assert_int_equal(cj_tensor_new(CJ_F64, CJ_SHAPE(STEPS), &one), CJ_OK);
        for (int k = 0; k < STEPS; k++)
            ((double *)cj_tensor_data(one))[k] = k == t;
        cj_symbol *x = cj_op_einsum("t,tbu->bu", cj_symbol_constant(one), g.inputs[0]);
        cj_symbol *before = h;
        h = cj_op_activation("tanh", cj_op_add(x, cj_op_matmul(h, g.inputs[2])));
        cj_symbol *term = cj_op_reduce_sum(cj_op_multiply(cj_op_multiply(h, before), x), NULL, 0);
        sum = sum ? cj_op_add(sum, term) : term;
    }
    g.scalar = cj_take(cj_op_add(cj_op_reduce_sum(cj_op_square(h), NULL, 0), sum));
    return g;
}

enum { RESULTS = 6 };

// The scalar's gradients, and those of the sum of their squares.
static void results_of(graph g, cj_tensor **results)
{
    cj_symbol *first[3], *second[3], *sum = NULL, *outputs[RESULTS];
    if (!g.scalar || cj_gradients(g.scalar, g.inputs, 3, first) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < 3; i++) {
        cj_symbol *term = cj_op_reduce_sum(cj_op_square(first[i]), NULL, 0);
        sum = sum ? cj_op_add(sum, term) : term;
    }
    sum = cj_take(sum);
    if (cj_gradients(sum, g.inputs, 3, second) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < 3; i++)
        outputs[i] = first[i], outputs[3 + i] = second[i];
    cj_function *function = cj_function(.inputs = g.inputs, .input_count = 3, .outputs = outputs,
                                        .output_count = RESULTS);
    cj_tensor *given[3] = {numbers(CJ_SHAPE(STEPS, BATCH, UNITS), 1),
                           numbers(CJ_SHAPE(BATCH, UNITS), 2), numbers(CJ_SHAPE(UNITS, UNITS), 3)};
    for (int i = 0; i < RESULTS; i++)
        assert_int_equal(cj_tensor_new(CJ_F64, *cj_tensor_shape(given[i % 3]), &results[i]), CJ_OK);
    if (!function || cj_function_call(function, given, results) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < 3; i++)
        cj_release(given[i]), cj_release(g.inputs[i]);
    cj_release(sum), cj_release(function), cj_release(g.scalar);
}

static void a_loop_has_the_gradients_of_its_steps(void **state)
{
    (void)state;
    for (int reverse = 0; reverse < 2; reverse++) {
        cj_tensor *loop[RESULTS], *hand[RESULTS];
        results_of(as_loop(reverse), loop);
        results_of(by_hand(reverse), hand);
        for (int i = 0; i < RESULTS; i++) {
            for (int64_t k = 0; k < cj_tensor_count(loop[i]); k++)
                assert_near(((double *)cj_tensor_data(loop[i]))[k],
                            ((double *)cj_tensor_data(hand[i]))[k], 1e-12, 1e-12);
            cj_release(loop[i]), cj_release(hand[i]);
        }
    }
}

static cj_status sets_nothing(void *context, const cj_scan_step *s)
{
    (void)context, (void)s;
    return CJ_OK;
}

static cj_status fails(void *context, const cj_scan_step *s)
{
    (void)context;
    s->next[0] = cj_op_square(s->states[0]);
    cj_release(s->next[0]); // it is nobody's
    return CJ_UNSUPPORTED;
}

static cj_status says_no_status(void *context, const cj_scan_step *s)
{
    s->next[0] = s->states[0];
    return *(const cj_status *)context;
}

static cj_status widens(void *context, const cj_scan_step *s)
{
    (void)context;
    s->next[0] = cj_op_add(s->states[0], s->entries[0]);
    return CJ_OK;
}

static void wrong_arguments_get_their_sentence(void **state)
{
    (void)state;
    cj_symbol *x = cj_take(cj_symbol_input(CJ_F32, CJ_SHAPE(4, CJ_BATCH, 3), "x"));
    cj_symbol *y = cj_take(cj_symbol_input(CJ_F32, CJ_SHAPE(5, CJ_BATCH, 3), "y"));
    cj_symbol *h = cj_take(cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 1), "h"));
    cj_symbol *both[2] = {x, y}, *last = NULL;
    assert_int_equal(cj_scan(&last, NULL, NULL, .states = &h, .state_count = 1, .steps = 3),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("the body");
    assert_int_equal(cj_scan(&last, NULL, step, .states = &h, .state_count = 1),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("the number of steps is not known");
    assert_int_equal(cj_scan(NULL, NULL, step, .sequences = both, .sequence_count = 2),
                     CJ_SHAPE_MISMATCH);
    assert_error_contains("sequence 1 has shape (5, None, 3), needs 4 entries in axis 0");
    assert_int_equal(cj_scan(&last, NULL, sets_nothing, .states = &h, .state_count = 1, .steps = 3),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("what the body has to set");
    assert_int_equal(cj_scan(&last, NULL, fails, .states = &h, .state_count = 1, .steps = 3),
                     CJ_UNSUPPORTED);
    assert_error_contains("cj_scan: the body failed");
    assert_int_equal(cj_scan(&last, NULL, says_no_status, .context = &(cj_status){999},
                             .states = &h, .state_count = 1, .steps = 3),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("cj_scan: the body returned 999, which is no status");
    assert_int_equal(cj_scan(&last, NULL, widens, NULL, &h, 1, &x, 1), CJ_INVALID_ARGUMENT);
    assert_error_contains("state 0 is float32 (None, 3) after the step, not float32 (None, 1)");
    assert_null(last);
    cj_release(x), cj_release(y), cj_release(h);
}

static cj_status build(void *context)
{
    (void)context;
    cj_error_clear();
    graph g = inputs();
    cj_symbol *last = NULL, *all = NULL, *gradient = NULL;
    cj_status status =
        g.inputs[0] && g.inputs[1] && g.inputs[2] ?
            cj_scan(&last, &all, step, g.inputs[2], &g.inputs[1], 1, &g.inputs[0], 1, 1) :
            cj_error_status();
    if (status == CJ_OK) {
        g.scalar =
            cj_take(cj_op_add(cj_op_reduce_sum(last, NULL, 0), cj_op_reduce_sum(all, NULL, 0)));
        status = g.scalar ? cj_gradients(g.scalar, &g.inputs[2], 1, &gradient) : cj_error_status();
    }
    cj_release(gradient), cj_release(g.scalar);
    for (int i = 0; i < 3; i++)
        cj_release(g.inputs[i]);
    return status;
}

static void every_failed_allocation_leaves_nothing(void **state)
{
    (void)state;
    support_fail_each_allocation(build, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_has_the_gradients_of_its_steps),
        cmocka_unit_test(wrong_arguments_get_their_sentence),
        cmocka_unit_test(every_failed_allocation_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
