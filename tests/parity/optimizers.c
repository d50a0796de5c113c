// Optimizers against Keras: the weights after each of some steps with given gradients; see
// generator/optimizers.py.
#include "fixture.h"
#include "train/optimizer.h"

#include <string.h>

enum { VARIABLES = 3 };

// One variable of the run: its weights and slots, and where a step writes them.
typedef struct cell {
    cj_tensor *gradients, *history;                              // (steps, ...), Keras's
    cj_tensor *now[1 + CJ__MAX_SLOTS], *next[1 + CJ__MAX_SLOTS]; // weights, then slots
} cell;

typedef struct bench {
    cj_optimizer *optimizer;
    int slot_count;
    cell cells[VARIABLES];
    cj_tensor *rate, *step;
    cj_function *function;
} bench;

static cj_tensor *filled(cj_dtype dtype, cj_shape shape, double value)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_new(dtype, shape, &tensor), CJ_OK);
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++) {
        if (dtype == CJ_I64)
            ((int64_t *)cj_tensor_data(tensor))[i] = (int64_t)value;
        else
            ((float *)cj_tensor_data(tensor))[i] = (float)value;
    }
    return cj__own(tensor);
}

static void make_cells(bench *b, const fixture *file, const char *name)
{
    cj__slot slots[CJ__MAX_SLOTS];
    b->slot_count = cj__optimizer_slots(b->optimizer, slots);
    for (int v = 0; v < VARIABLES; v++) {
        cell *c = &b->cells[v];
        c->gradients = fixture_tensor(file, "common", fixture_part("g", v));
        c->history = fixture_tensor(file, name, fixture_part("w", v));
        c->now[0] = fixture_tensor(file, "common", fixture_part("w", v));
        c->next[0] = filled(CJ_F32, *cj_tensor_shape(c->now[0]), 0);
        for (int s = 0; s < b->slot_count; s++) {
            c->now[1 + s] = filled(CJ_F32, *cj_tensor_shape(c->now[0]), slots[s].initial);
            c->next[1 + s] = filled(CJ_F32, *cj_tensor_shape(c->now[0]), 0);
        }
    }
    b->rate = filled(CJ_F32, (cj_shape){0}, cj__optimizer_rate(b->optimizer));
    b->step = filled(CJ_I64, (cj_shape){0}, 0);
}

static void free_bench(bench *b)
{
    for (int v = 0; v < VARIABLES; v++) {
        cell *c = &b->cells[v];
        cj_release(c->gradients);
        cj_release(c->history);
        for (int s = 0; s < 1 + CJ__MAX_SLOTS; s++) {
            cj_release(c->now[s]);
            cj_release(c->next[s]);
        }
    }
    cj_release(b->rate);
    cj_release(b->step);
    cj_release(b->function);
    cj_release(b->optimizer);
}

// Inputs: rate, step, then for each variable its gradient, weights and slots. Outputs: weights and
// slots of each.
static bool make_function(bench *b)
{
    enum { MOST = 2 + VARIABLES * (2 + CJ__MAX_SLOTS) };
    cj__build g = {0};
    cj_symbol *inputs[MOST], *outputs[MOST], *gradients[VARIABLES];
    int ins = 0, outs = 0;
    inputs[ins++] = cj__build_keep(&g, cj_symbol_input(CJ_F32, (cj_shape){0}, "rate"));
    inputs[ins++] = cj__build_keep(&g, cj_symbol_input(CJ_I64, (cj_shape){0}, "step"));
    for (int v = 0; v < VARIABLES; v++) {
        for (int i = 0; i < 2 + b->slot_count; i++)
            inputs[ins++] = cj__build_keep(
                &g, cj_symbol_input(CJ_F32, *cj_tensor_shape(b->cells[v].now[0]), "value"));
        gradients[v] = inputs[ins - 2 - b->slot_count];
    }
    cj__optimizer_clip(b->optimizer, &g, gradients, VARIABLES);
    for (int v = 0; v < VARIABLES; v++) {
        cj_symbol **own = &inputs[2 + v * (2 + b->slot_count)];
        cj__optimizer_step(b->optimizer, &g, own[1], gradients[v], inputs[0], inputs[1], own + 2,
                           &outputs[outs]);
        outs += 1 + b->slot_count;
    }
    if (g.status == CJ_OK)
        b->function = cj_function(.inputs = inputs, .input_count = ins, .outputs = outputs,
                                  .output_count = outs);
    return cj__build_end(&g) == CJ_OK && b->function;
}

// Entry `step` of a tensor (steps, ...), as a tensor of its own.
static cj_tensor *entry(const cj_tensor *all, int step)
{
    cj_shape shape = *cj_tensor_shape(all);
    shape.rank--;
    memmove(shape.dims, shape.dims + 1, (size_t)shape.rank * sizeof shape.dims[0]);
    cj_tensor *one = filled(CJ_F32, shape, 0);
    const size_t count = (size_t)cj_tensor_count(one);
    memcpy(cj_tensor_data(one),
           (const float *)cj_tensor_data((cj_tensor *)(uintptr_t)all) + count * (size_t)step,
           count * sizeof(float));
    return one;
}

static bool take_step(bench *b, int step)
{
    cj_tensor *given[2 + VARIABLES * (2 + CJ__MAX_SLOTS)],
        *results[VARIABLES * (1 + CJ__MAX_SLOTS)];
    int ins = 2, outs = 0;
    ((int64_t *)cj_tensor_data(b->step))[0] = step;
    given[0] = b->rate;
    given[1] = b->step;
    for (int v = 0; v < VARIABLES; v++) {
        given[ins++] = entry(b->cells[v].gradients, step);
        for (int s = 0; s < 1 + b->slot_count; s++) {
            given[ins++] = b->cells[v].now[s];
            results[outs++] = b->cells[v].next[s];
        }
    }
    const bool right = cj_function_call(b->function, given, results) == CJ_OK;
    for (int v = 0; v < VARIABLES; v++) {
        cj_release(given[2 + v * (2 + b->slot_count)]);
        for (int s = 0; s < 1 + b->slot_count; s++) {
            cj_tensor *now = b->cells[v].now[s];
            b->cells[v].now[s] = b->cells[v].next[s];
            b->cells[v].next[s] = now;
        }
    }
    return right;
}

static bool compare(const bench *b, const fixture *file, const char *name, int step)
{
    bool right = true;
    for (int v = 0; v < VARIABLES; v++) {
        cj_tensor *expected = entry(b->cells[v].history, step);
        const float *a = cj_tensor_data(b->cells[v].now[0]), *e = cj_tensor_data(expected);
        for (int64_t i = 0; right && i < cj_tensor_count(expected); i++)
            right = fixture_near(file, name, fixture_part("w", v), (double)a[i], (double)e[i]);
        cj_release(expected);
    }
    return right;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    const int steps = (int)fixture_number(fixture_find(file, "common"), "steps");
    bench b = {0};
    if (strcmp(name, "common") == 0)
        return true;
    b.optimizer = cj__own(cj_optimizer_from_spec(fixture_text(one, "spec")));
    if (!b.optimizer)
        return false;
    make_cells(&b, file, name);
    bool right = make_function(&b);
    for (int step = 0; right && step < steps; step++) {
        right = take_step(&b, step) && compare(&b, file, name, step);
        if (!right)
            print_message("%s: at step %d\n", name, step);
    }
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
