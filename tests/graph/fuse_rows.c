// The pass fuse_rows: a step of the rows that were read, or of all rows without a gradient in memory,
// leaves the same bits as the step of the whole table, for any number of threads.
#include "fixture.h"

#include <math.h>
#include <string.h>

enum { ROWS = 3700, WIDTH = 37, READ = 60, SLOTS_MAX = 4, STEPS = 3 };

typedef struct result {
    int64_t rows; // of the table; 0: ROWS
    cj_variable *variables[SLOTS_MAX];
    int count;
} result;

static void release(result *r)
{
    for (int i = 0; i < r->count; i++)
        cj_release(r->variables[i]);
}

// Some rows several times, one of them very often, the first and the last.
static cj_tensor *words(int64_t rows)
{
    cj_tensor *tensor = fixture_tensor_of(CJ_I32, CJ_SHAPE(4, READ / 4));
    int32_t *index = (void *)tensor->data;
    for (int i = 0; i < READ; i++)
        index[i] = i % 3 == 0 ? 17 : (int32_t)((i * 97 + 11) % rows);
    index[0] = (int32_t)rows - 1;
    index[READ - 1] = 0;
    return tensor;
}

// Zeros too.
static void fill_table(cj_tensor *table, unsigned seed)
{
    fixture_fill(table, seed);
    for (int64_t i = 0; i < cj_tensor_count(table); i += 5)
        if (table->dtype == CJ_F32)
            ((float *)(void *)table->data)[i] = 0;
        else
            ((double *)(void *)table->data)[i] = 0;
}

// Several steps of a table by a gradient of the rows that a gather has read. Returns whether they
// were done row by row.
static bool train(const fixture_optimizer *o, cj_dtype dtype, bool read_too, const char *off,
                  int threads, result *r)
{
    fixture f = {.pool = cj_pool_new(threads)};
    const cj_shape shape = CJ_SHAPE(4, READ / 4, WIDTH);
    cj_variable *rate = fixture_scalar(dtype), *steps = fixture_scalar(CJ_I64);
    cj_symbol *x = fixture_input_of(&f, CJ_I32, CJ_SHAPE(4, READ / 4)),
              *dy = fixture_input_of(&f, dtype, shape), *step = fixture_read(&f, steps);
    const int slots_from = o->counts ? 4 : 3;
    const int64_t table = r->rows > 0 ? r->rows : ROWS;
    cj_symbol *in[8] = {NULL, NULL, fixture_read(&f, rate), step};
    r->count = 1 + o->slots;
    for (int i = 0; i < r->count; i++) {
        r->variables[i] = fixture_variable_of(dtype, "v", CJ_SHAPE(table, WIDTH));
        if (i == 0)
            fill_table(cj_variable_value(r->variables[i]), 7);
        in[i == 0 ? 0 : slots_from + i - 1] = fixture_read(&f, r->variables[i]);
    }
    cj_symbol *y = cj__gather(&f.g, in[0], x);
    const cj__index_attrs rows = {.size = table};
    in[1] = cj__append(&f.g, &cj__op_gather_grad, &rows, (cj_symbol *[]){x, dy}, 2);
    fixture_output(&f, cj__sum(&f.g, y, cj__all_axes(y), false));
    if (read_too)
        fixture_output(&f, cj__sum(&f.g, in[1], 3, false));
    cj_symbol *w = cj__append(&f.g, o->op, &o->attrs, in, slots_from + o->slots);
    for (int i = 0; i < r->count && w; i++)
        fixture_update(&f, r->variables[i], cj__node_output(&f.g, w->node, i));
    fixture_update(&f, steps, cj__append(&f.g, &cj__op_increment, NULL, &step, 1));
    cj_tensor *given[2] = {words(table), fixture_tensor_of(dtype, shape)},
              *out[2] = {fixture_tensor_of(dtype, (cj_shape){0}),
                         fixture_tensor_of(dtype, (cj_shape){0})};
    fixture_fill(given[1], 2);
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    const bool by_rows = fixture_planned(function, 1, "rows_step, ");
    for (int i = 0; i < STEPS; i++)
        if (cj_function_call(function, given, out) != CJ_OK)
            fail_msg("%s", cj_error());
    // an index out of range fails, and changes nothing
    ((int32_t *)(void *)given[0]->data)[3] = (int32_t)table;
    assert_int_equal(cj_function_call(function, given, out), CJ_INVALID_ARGUMENT);
    cj_release(function);
    cj_release(rate);
    cj_release(steps);
    for (int i = 0; i < 2; i++) {
        cj_release(given[i]);
        cj_release(out[i]);
    }
    return by_rows;
}

// The optimizers of the fixture and SGD as plain as can be.
static const fixture_optimizer plain_sgd = {&cj__op_sgd, 0, false, {.momentum = 0}};
enum { OPTIMIZERS = FIXTURE_OPTIMIZERS + 1 };

static const fixture_optimizer *optimizer(size_t index)
{
    return index < FIXTURE_OPTIMIZERS ? &fixture_optimizers[index] : &plain_sgd;
}

static bool rests(const fixture_optimizer *o)
{
    return o->op->step->rests && o->op->step->rests(&o->attrs);
}

static void rows_have_the_bits_of_the_whole_table(void **state)
{
    (void)state;
    int taken = 0;
    for (int dtype = 0; dtype < 2; dtype++)
        for (size_t o = 0; o < OPTIMIZERS; o++) {
            const fixture_optimizer *one = optimizer(o);
            const cj_dtype type = dtype ? CJ_F64 : CJ_F32;
            result whole = {0}, rows = {0}, shared = {0};
            assert_false(train(one, type, false, "-fuse_rows", 1, &whole));
            assert_true(train(one, type, false, NULL, 1, &rows));
            train(one, type, false, NULL, 3, &shared);
            for (int i = 0; i < rows.count; i++) {
                fixture_expect_same(cj_variable_value(rows.variables[i]),
                                    cj_variable_value(whole.variables[i]));
                fixture_expect_same(cj_variable_value(rows.variables[i]),
                                    cj_variable_value(shared.variables[i]));
            }
            taken += rests(one);
            release(&whole);
            release(&rows);
            release(&shared);
        }
    assert_int_equal(taken, 4);
}

// SGD and Adagrad rest without momentum and decay; nobody else does.
static void only_steps_that_rest_are_taken(void **state)
{
    (void)state;
    const cj__update_attrs plain = {0}, moved = {.momentum = 0.9}, decayed = {.weight_decay = 0.1},
                           safe = {.epsilon = 1e-7}, both = {.epsilon = 1e-7, .weight_decay = 0.1};
    assert_true(cj__op_sgd.step->rests(&plain));
    assert_false(cj__op_sgd.step->rests(&moved));
    assert_false(cj__op_sgd.step->rests(&decayed));
    assert_true(cj__op_adagrad.step->rests(&safe));
    assert_false(cj__op_adagrad.step->rests(&plain));
    assert_false(cj__op_adagrad.step->rests(&both));
    assert_null(cj__op_adam.step->rests);
    assert_null(cj__op_rmsprop.step->rests);
    assert_null(cj__op_adadelta.step->rests);
}

static void a_gradient_that_is_read_too_is_made(void **state)
{
    (void)state;
    for (size_t o = 0; o < OPTIMIZERS; o++) {
        result r = {0};
        assert_false(train(optimizer(o), CJ_F32, true, NULL, 2, &r));
        release(&r);
    }
}

// There only steps that rest are taken: the others are a part of the sweep of all steps.
static void the_step_of_a_small_table_is_taken_if_it_rests(void **state)
{
    (void)state;
    for (size_t o = 0; o < OPTIMIZERS; o++) {
        result small = {.rows = 700}, whole = {.rows = 700};
        assert_int_equal(train(optimizer(o), CJ_F32, false, NULL, 2, &small), rests(optimizer(o)));
        train(optimizer(o), CJ_F32, false, "-fuse_rows", 1, &whole);
        for (int i = 0; i < small.count; i++)
            fixture_expect_same(cj_variable_value(small.variables[i]),
                                cj_variable_value(whole.variables[i]));
        release(&small);
        release(&whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_have_the_bits_of_the_whole_table),
        cmocka_unit_test(only_steps_that_rest_are_taken),
        cmocka_unit_test(a_gradient_that_is_read_too_is_made),
        cmocka_unit_test(the_step_of_a_small_table_is_taken_if_it_rests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
