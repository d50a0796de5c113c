// Ops with effects: they run in every run, in order, once each; work that is started goes on beside
// other calls and is awaited where its result is read.
#include "fixture.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 4, COLS = 8, LOG = 512 };

// A counted object that the attributes of the ops below refer to: what was done, as letters.
typedef struct journal {
    cj__object object;
    char text[LOG];
    int polls; // how often work under way was poked
    bool *gone;
} journal;

static void journal_destroy(void *object)
{
    *((journal *)object)->gone = true;
    cj__free(object);
}

static const cj__class journal_class = {"journal", journal_destroy};

static journal *journal_new(bool *gone)
{
    journal *made = cj__object_new(&journal_class, sizeof *made);
    assert_non_null(made);
    made->gone = gone;
    *gone = false;
    return made;
}

typedef struct entry_attrs {
    journal *to;
    char letter;
    bool fails;
} entry_attrs;

static void write_down(const entry_attrs *a, const char *what)
{
    const size_t length = strlen(a->to->text);
    snprintf(a->to->text + length, LOG - length, "%s%c ", what, a->letter);
}

static void *journal_of(const void *attrs)
{
    return ((const entry_attrs *)attrs)->to;
}

static cj_status infer_same(cj__inference *r)
{
    r->outputs[0] = r->inputs[0];
    return CJ_OK;
}

// y = x; writes its letter down.
static cj_status run_entry(const cj__call *call)
{
    const entry_attrs *a = call->attrs;
    if (a->fails)
        return cj__fail(CJ_INVALID_ARGUMENT, "entry %c fails", a->letter);
    memcpy(call->outputs[0].data, call->inputs[0].data, (size_t)ROWS * COLS * sizeof(float));
    write_down(a, "");
    return CJ_OK;
}

static void pass_on(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    (void)g, (void)node;
    dx[0] = dy[0];
}

#define TRAITS                                                                                 \
    .samples = CJ__WHOLE_BATCH, .on_blocks = CJ__ON_BLOCKS_NO, .identity = CJ__IDENTITY_NEVER, \
    .bf16 = CJ__BF16_NEVER, .attrs_size = sizeof(entry_attrs), .min_inputs = 1,                \
    .object = journal_of

static const cj__op entry_op = {
    .name = "entry",
    .flags = CJ__OP_EFFECT,
    .max_inputs = 1,
    TRAITS,
    .infer = infer_same,
    .gradient = pass_on,
    .run = run_entry,
};

// A "transfer": the start writes into its request what it will do, the await does it: y = 2 x. So a
// result that is read before the await, or operands that are overwritten before it, show.
static cj_status infer_start(cj__inference *r)
{
    r->outputs[0] = r->inputs[0];
    r->outputs[1] = (cj__type){CJ_U8, CJ_SHAPE(sizeof(void *))};
    r->output_count = 2;
    return CJ_OK;
}

static cj_status run_start(const cj__call *call)
{
    memset(call->outputs[0].data, 0xff, (size_t)ROWS * COLS * sizeof(float)); // not a number
    memcpy(call->outputs[1].data, &call->inputs[0].data, sizeof(void *));
    write_down(call->attrs, "<");
    return CJ_OK;
}

static const cj__op start_op = {
    .name = "transfer_start",
    .flags = CJ__OP_EFFECT | CJ__OP_START,
    .max_inputs = 1,
    TRAITS,
    .infer = infer_start,
    .run = run_start,
};

static cj_status run_await(const cj__call *call)
{
    const float *x;
    memcpy(&x, call->inputs[1].data, sizeof x);
    float *y = call->outputs[0].data;
    assert_ptr_equal(y, call->inputs[0].data);
    for (int i = 0; i < ROWS * COLS; i++)
        y[i] = 2 * x[i];
    write_down(call->attrs, ">");
    return CJ_OK;
}

static void poke_await(const cj__call *call)
{
    ((const entry_attrs *)call->attrs)->to->polls++;
}

static const cj__op await_op = {
    .name = "transfer_await",
    .flags = CJ__OP_EFFECT | CJ__OP_AWAIT,
    .max_inputs = 2,
    TRAITS,
    .infer = infer_same,
    .poke = poke_await,
    .run = run_await,
};

static cj_symbol *entry(fixture *f, cj_symbol *x, journal *to, char letter, bool fails)
{
    return cj__append(&f->g, &entry_op, &(entry_attrs){to, letter, fails}, &x, 1);
}

static cj_symbol *transfer(fixture *f, cj_symbol *x, journal *to, char letter)
{
    const entry_attrs attrs = {to, letter, false};
    cj_symbol *started[2] = {NULL, NULL};
    cj__append_many(&f->g, &start_op, &attrs, &x, 1, started);
    return cj__append(&f->g, &await_op, &attrs, started, 2);
}

static cj_symbol *input_of(fixture *f)
{
    return fixture_input(f, CJ_SHAPE(CJ_BATCH, COLS));
}

// Calls a function of one input of ones, whose outputs are all given or all left out.
static cj_status call(cj_function *function, int outputs, bool given, float *first)
{
    cj_tensor *in = fixture_tensor(CJ_SHAPE(ROWS, COLS), NULL), *out[MOST_IO] = {NULL};
    for (int i = 0; i < ROWS * COLS; i++)
        ((float *)cj_tensor_data(in))[i] = 1;
    for (int i = 0; i < outputs && given; i++)
        out[i] = fixture_tensor(CJ_SHAPE(ROWS, COLS), NULL);
    const cj_status status = cj_function_call(function, &in, out);
    for (int i = 0; i < outputs && given; i++) {
        if (first)
            first[i] = ((const float *)cj_tensor_data(out[i]))[ROWS * COLS - 1];
        cj_release(out[i]);
    }
    cj_release(in);
    return status;
}

static void equal_effects_all_run_in_the_order_of_the_outputs(void **state)
{
    bool gone;
    journal *log = cj__own(journal_new(&gone));
    fixture f = {0};
    cj_symbol *x = input_of(&f);
    (void)state;
    fixture_output(&f, entry(&f, x, log, 'a', false));
    fixture_output(&f, entry(&f, x, log, 'a', false)); // the same twice
    fixture_output(&f, entry(&f, entry(&f, x, log, 'b', false), log, 'c', false));
    cj_function *function = fixture_function(&f, NULL);
    assert_non_null(function);
    assert_int_equal(call(function, 3, false, NULL), CJ_OK); // nobody wants the outputs
    assert_string_equal(log->text, "a a b c ");
    assert_int_equal(call(function, 3, true, NULL), CJ_OK);
    assert_string_equal(log->text, "a a b c a a b c ");
    cj_release(function);
    cj_release(log);
    assert_true(gone);
}

// What reads the entry's result goes with the pass "identity".
static void an_effect_whose_readers_are_dropped_still_runs(void **state)
{
    bool gone;
    journal *log = cj__own(journal_new(&gone));
    fixture f = {0};
    cj_symbol *x = input_of(&f);
    (void)state;
    cj_symbol *shape = entry(&f, x, log, 'a', false);
    const cj__stretch_attrs attrs = {
        false}; // an identity: of its second operand it reads the shape
    fixture_output(&f,
                   cj__append(&f.g, &cj__op_broadcast_like, &attrs, (cj_symbol *[]){x, shape}, 2));
    cj_function *function = fixture_function(&f, NULL);
    assert_int_equal(call(function, 1, true, NULL), CJ_OK);
    assert_string_equal(log->text, "a ");
    cj_release(function);
    cj_release(log);
}

static void attributes_hold_their_object(void **state)
{
    bool gone;
    journal *log = journal_new(&gone); // floating
    fixture f = {0};
    (void)state;
    fixture_output(&f, entry(&f, input_of(&f), cj__own(log), 'a', false));
    cj_function *function = fixture_function(&f, NULL);
    cj_release(log);
    assert_false(gone);
    assert_int_equal(call(function, 1, true, NULL), CJ_OK);
    assert_string_equal(log->text, "a ");
    cj_release(function);
    assert_true(gone);
}

// exp(x), computed between start and await, and the sum at the end.
static void work_goes_on_while_other_calls_run(void **state)
{
    bool gone;
    journal *log = cj__own(journal_new(&gone));
    fixture f = {0};
    cj_symbol *x = input_of(&f);
    float y[1];
    (void)state;
    cj_symbol *sent = cj__mul(&f.g, x, cj__scalar(&f.g, CJ_F32, 3));
    cj_symbol *other = cj__apply_unary(&f.g, CJ__UNARY_square, x, 0, 0);
    for (int i = 0; i < 3; i++)
        other = cj__softmax(&f.g, other); // not element-wise: calls of their own
    cj_symbol *got = transfer(&f, sent, log, 't');
    fixture_output(&f, cj__add(&f.g, got, other));
    cj_function *function = fixture_function(&f, NULL);
    assert_int_equal(call(function, 1, true, y), CJ_OK);
    assert_string_equal(log->text, "<t >t ");
    assert_true(y[0] >= 6.124f && y[0] <= 6.126f); // 2 * 3 + 1 / 8
    assert_true(log->polls >= 3);
    cj_release(function);
    cj_release(log);
}

// What was sent must not be overwritten meanwhile: here by an element-wise op that would take the
// memory of an operand that nobody else reads.
static void operands_live_until_the_await(void **state)
{
    bool gone;
    journal *log = cj__own(journal_new(&gone));
    fixture f = {0};
    cj_symbol *x = input_of(&f);
    float y[2];
    (void)state;
    cj_symbol *sent = cj__mul(&f.g, x, cj__scalar(&f.g, CJ_F32, 3));
    cj_symbol *got = transfer(&f, sent, log, 't');
    cj_symbol *after = cj__apply_unary(&f.g, CJ__UNARY_negative, sent, 0, 0);
    fixture_output(&f, cj__softmax(&f.g, after));
    fixture_output(&f, cj__add(&f.g, got, got));
    cj_function *function = fixture_function(&f, NULL);
    assert_int_equal(call(function, 2, true, y), CJ_OK);
    assert_true(y[1] >= 12 && y[1] <= 12);
    cj_release(function);
    cj_release(log);
}

static void starts_are_in_order_and_before_all_awaits_that_can_wait(void **state)
{
    bool gone;
    journal *log = cj__own(journal_new(&gone));
    fixture f = {0};
    cj_symbol *x = input_of(&f), *all = NULL;
    float y[1];
    (void)state;
    for (int i = 0; i < 3; i++) {
        cj_symbol *sent = cj__mul(&f.g, x, cj__scalar(&f.g, CJ_F32, i + 1));
        cj_symbol *got = transfer(&f, sent, log, (char)('a' + i));
        all = all ? cj__add(&f.g, all, got) : cj__softmax(&f.g, got);
    }
    fixture_output(&f, all);
    cj_function *function = fixture_function(&f, NULL);
    assert_int_equal(call(function, 1, true, y), CJ_OK);
    assert_string_equal(log->text, "<a >a <b >b <c >c ");
    assert_true(y[0] >= 10.124f && y[0] <= 10.126f);
    cj_release(function);
    cj_release(log);
}

static void what_is_under_way_is_awaited_after_a_failure(void **state)
{
    bool gone;
    journal *log = cj__own(journal_new(&gone));
    fixture f = {0};
    cj_symbol *x = input_of(&f);
    (void)state;
    cj_symbol *got = transfer(&f, x, log, 't');
    cj_symbol *bad = entry(&f, cj__softmax(&f.g, x), log, 'f', true);
    fixture_output(&f, cj__add(&f.g, got, bad));
    cj_function *function = fixture_function(&f, NULL);
    for (int i = 0; i < 2; i++) {
        log->text[0] = '\0';
        assert_int_equal(call(function, 1, true, NULL), CJ_INVALID_ARGUMENT);
        assert_string_equal(log->text, "<t >t ");
        assert_string_equal(cj_error(), "entry f fails");
    }
    cj_release(function);
    cj_release(log);
}

static void an_effect_in_an_update_runs_before_it(void **state)
{
    bool gone;
    journal *log = cj__own(journal_new(&gone));
    fixture f = {0};
    float start[ROWS * COLS] = {0};
    cj_variable *v = fixture_variable("v", CJ_SHAPE(ROWS, COLS), start);
    cj_symbol *x = fixture_input(&f, CJ_SHAPE(ROWS, COLS));
    (void)state;
    fixture_update(&f, v, cj__add(&f.g, fixture_read(&f, v), transfer(&f, x, log, 't')));
    cj_function *function = fixture_function(&f, NULL);
    assert_int_equal(call(function, 0, false, NULL), CJ_OK);
    assert_int_equal(call(function, 0, false, NULL), CJ_OK);
    assert_string_equal(log->text, "<t >t <t >t ");
    assert_true(((const float *)cj_tensor_data(cj_variable_value(v)))[7] >= 4 &&
                ((const float *)cj_tensor_data(cj_variable_value(v)))[7] <= 4);
    cj_release(function);
    cj_release(v);
    cj_release(log);
}

static cj_status whole_life(void *context)
{
    cj__build g = {0};
    bool gone;
    (void)context;
    journal *log = cj__object_new(&journal_class, sizeof *log);
    if (!log)
        return CJ_OUT_OF_MEMORY;
    log->gone = &gone;
    cj__own(log);
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F32, CJ_SHAPE(ROWS, COLS), "x"));
    const entry_attrs attrs = {log, 'a', false};
    cj_symbol *started[2] = {NULL, NULL};
    cj__append_many(&g, &start_op, &attrs, &x, 1, started);
    cj_symbol *y = cj__append(&g, &await_op, &attrs, started, 2);
    cj_function *function = NULL;
    if (y)
        function = cj_function(.inputs = &x, .input_count = 1, .outputs = &y, .output_count = 1);
    cj_status status = cj__build_end(&g);
    if (status == CJ_OK)
        status = function ? CJ_OK : cj_error_status();
    float numbers[ROWS * COLS] = {0};
    const void *in = numbers;
    void *out = numbers;
    if (status == CJ_OK)
        status = cj__function_run(function, 1, &in, &out);
    cj_release(function);
    cj_release(log);
    return status;
}

static void each_failing_allocation_leaks_nothing(void **state)
{
    (void)state;
    support_fail_each_allocation(whole_life, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_effects_all_run_in_the_order_of_the_outputs),
        cmocka_unit_test(an_effect_whose_readers_are_dropped_still_runs),
        cmocka_unit_test(attributes_hold_their_object),
        cmocka_unit_test(work_goes_on_while_other_calls_run),
        cmocka_unit_test(operands_live_until_the_await),
        cmocka_unit_test(starts_are_in_order_and_before_all_awaits_that_can_wait),
        cmocka_unit_test(what_is_under_way_is_awaited_after_a_failure),
        cmocka_unit_test(an_effect_in_an_update_runs_before_it),
        cmocka_unit_test(each_failing_allocation_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
