// Optimizers against Keras: the weights along some steps with given gradients, and what is kept at
// the end; see generator/optimizers.py.
#include "fixture.h"

#include "ops/variable.h"
#include <cajal.h>

#include <string.h>

enum { VARIABLES = 3 };
static const char *const names[VARIABLES] = {"layer/kernel", "layer/bias", "layer/table"};

typedef struct bench {
    cj_tensor *gradients[VARIABLES], *history[VARIABLES]; // (steps, ...), Keras's
    cj_variable *variables[VARIABLES];
    cj_updates *updates;
    cj_function *function;
} bench;

static void free_bench(bench *b)
{
    for (int v = 0; v < VARIABLES; v++) {
        cj_release(b->gradients[v]);
        cj_release(b->history[v]);
        cj_release(b->variables[v]);
    }
    cj_release(b->updates);
    cj_release(b->function);
}

// The shape of an entry of a tensor (steps, ...).
static cj_shape shape_of(const cj_tensor *all)
{
    cj_shape shape = *cj_tensor_shape(all);
    shape.rank--;
    memmove(shape.dims, shape.dims + 1, (size_t)shape.rank * sizeof shape.dims[0]);
    return shape;
}

// Entry `step` of a tensor (steps, ...), times a factor.
static cj_tensor *entry(const cj_tensor *all, int step, float factor)
{
    cj_tensor *one = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, shape_of(all), &one), CJ_OK);
    const int64_t count = cj_tensor_count(one);
    for (int64_t i = 0; i < count; i++)
        ((float *)cj_tensor_data(one))[i] = ((const float *)all->data)[step * count + i] * factor;
    return cj__own(one);
}

// Inputs: the gradients.
static bool make_function(bench *b, const fixture *file, const json_t *one)
{
    cj_symbol *inputs[VARIABLES];
    cj_optimizer *optimizer = cj_optimizer_from_spec(fixture_text(one, "spec"));
    if (!optimizer)
        return false;
    for (int v = 0; v < VARIABLES; v++) {
        b->gradients[v] = fixture_tensor(file, "common", fixture_part("g", v));
        b->history[v] = fixture_tensor(file, fixture_case_name(one), fixture_part("w", v));
        cj_tensor *weights = fixture_tensor(file, "common", fixture_part("w", v));
        b->variables[v] = cj_variable_new(names[v], weights); // the maker's, not floating
        cj_release(weights);
        inputs[v] = cj__own(cj_symbol_input(CJ_F32, shape_of(b->gradients[v]), "gradient"));
    }
    b->updates = cj__own(cj_optimizer_updates(optimizer, b->variables, inputs, VARIABLES));
    if (b->updates)
        b->function = cj__own(cj_function(.inputs = inputs, .input_count = VARIABLES,
                                          .updates = cj_updates_list(b->updates),
                                          .update_count = cj_updates_count(b->updates)));
    for (int v = 0; v < VARIABLES; v++)
        cj_release(inputs[v]);
    return b->function;
}

static bool take_step(bench *b, int step, float scale)
{
    cj_tensor *given[VARIABLES];
    for (int v = 0; v < VARIABLES; v++)
        given[v] = entry(b->gradients[v], step, scale);
    const bool right = cj_function_call(b->function, given, NULL) == CJ_OK;
    for (int v = 0; v < VARIABLES; v++)
        cj_release(given[v]);
    return right;
}

// The weights, with those of entry `at` of Keras's.
static bool compare(const bench *b, const fixture *file, const char *name, int at)
{
    bool right = true;
    for (int v = 0; v < VARIABLES; v++) {
        cj_tensor *expected = entry(b->history[v], at, 1);
        const float *a = (const float *)(const void *)cj_variable_value(b->variables[v])->data,
                    *e = cj_tensor_data(expected);
        for (int64_t i = 0; right && i < cj_tensor_count(expected); i++)
            right = fixture_near(file, name, fixture_part("w", v), (double)a[i], (double)e[i]);
        cj_release(expected);
    }
    return right;
}

// What the optimizer keeps stands between the variables and the count of steps.
static bool compare_kept(const bench *b, const fixture *file, const json_t *one)
{
    const int kept = (int)fixture_number(one, "kept");
    const cj_update *rows = cj_updates_list(b->updates) + VARIABLES;
    bool right = cj_updates_count(b->updates) == VARIABLES + kept + 1;
    if (!right)
        print_message("%d variables are kept, Keras has %d\n",
                      cj_updates_count(b->updates) - VARIABLES - 1, kept);
    for (int i = 0; right && i < kept; i++)
        right = fixture_compare(file, fixture_case_name(one), fixture_part("o", i),
                                cj_variable_value(rows[i].variable));
    return right;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    const json_t *common = fixture_find(file, "common"),
                 *stored = json_object_get(common, "stored");
    bench b = {0};
    if (strcmp(name, "common") == 0)
        return true;
    bool right = make_function(&b, file, one);
    size_t next = 0;
    for (int step = 0; right && step < (int)fixture_number(common, "steps"); step++) {
        right = take_step(&b, step, (float)fixture_number(one, "scale"));
        if (right && step == (int)json_integer_value(json_array_get(stored, next)))
            right = compare(&b, file, name, (int)next++);
        if (!right)
            print_message("%s: at step %d\n", name, step);
    }
    right = right && compare_kept(&b, file, one);
    free_bench(&b);
    return right;
}

static void optimizers_equal_keras(void **state)
{
    (void)state;
    fixture_run("optimizers", equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(optimizers_equal_keras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
