// LossScaleOptimizer against Keras: see generator/scaling.py.
#include "fixture.h"
#include "ops/variable.h"
#include "train/state.h"

#include <cajal.h>
#include <stdlib.h>
#include <string.h>

// Entry `step` of a tensor (steps, ...).
static cj_tensor *entry(const cj_tensor *all, int step)
{
    cj_shape shape = *cj_tensor_shape(all);
    cj_tensor *one = NULL;
    shape.rank--;
    memmove(shape.dims, shape.dims + 1, (size_t)shape.rank * sizeof shape.dims[0]);
    assert_int_equal(cj_tensor_new(CJ_F32, shape, &one), CJ_OK);
    const int64_t count = cj_tensor_count(one);
    memcpy(cj_tensor_data(one), (const float *)all->data + step * count,
           (size_t)count * sizeof(float));
    return one;
}

static double kept(const cj__train_state *state, int which)
{
    for (int i = 0; i < state->slot_count; i++)
        if (state->kept[i].which == which && state->kept[i].variable < 0)
            return (double)*(const float *)cj__variable_read(state->slots[i])->data;
    return -1;
}

static bool scale_is(const fixture *file, const json_t *one, const cj_model *model, int step)
{
    static const char *const parts[] = {"scales", "counters"};
    static const int which[] = {CJ__KEPT_SCALE, CJ__KEPT_STEPS};
    const char *name = fixture_case_name(one);
    bool right = true;
    for (int i = 0; i < 2; i++) {
        cj_tensor *all = fixture_tensor(file, name, parts[i]);
        right &= fixture_near(file, name, parts[i], kept(cj__state_of(model), which[i]),
                              (double)((const float *)cj_tensor_data(all))[step]);
        cj_release(all);
    }
    return right;
}

static bool weights_are(const fixture *file, const json_t *one, const cj_layer *layer, int at)
{
    const char *name = fixture_case_name(one);
    bool right = true;
    for (int v = 0; v < (int)fixture_number(one, "weights"); v++) {
        cj_tensor *all = fixture_tensor(file, name, fixture_part("a", v)), *want = entry(all, at);
        const float *a = cj_tensor_data(cj_variable_value(cj_layer_variable(layer, v))),
                    *e = cj_tensor_data(want);
        for (int64_t i = 0; right && i < cj_tensor_count(want); i++)
            right = fixture_near(file, name, fixture_part("a", v), (double)a[i], (double)e[i]);
        cj_release(want);
        cj_release(all);
    }
    return right;
}

static bool train(const fixture *file, const json_t *one, cj_model *model)
{
    const char *name = fixture_case_name(one);
    const json_t *stored = json_object_get(one, "stored");
    cj_tensor *x = fixture_tensor(file, name, "x"), *y = fixture_tensor(file, name, "y");
    bool right = true;
    size_t next = 0;
    for (int step = 0; right && step < (int)cj_tensor_shape(x)->dims[0]; step++) {
        cj_dataset *batch = cj_dataset(.x = {entry(x, step)}, .y = {entry(y, step)});
        right = cj_fit(model, batch, .batch_size = 2, .shuffle = false, .verbose = 0) == CJ_OK;
        cj_release(batch);
        right = right && scale_is(file, one, model, step);
        if (right && step == (int)json_integer_value(json_array_get(stored, next)))
            right = weights_are(file, one, cj_model_layer(model), (int)next++);
        if (!right)
            print_message("%s: at step %d\n", name, step);
    }
    const int64_t *iterations =
        (const void *)cj__variable_read(cj__state_of(model)->iterations)->data;
    if (right && *iterations != (int64_t)fixture_number(one, "iterations")) {
        print_message("%s: %lld steps are counted\n", name, (long long)*iterations);
        right = false;
    }
    cj_release(x);
    cj_release(y);
    return right;
}

// The settings written and read again.
static cj_model *again(cj_model *model)
{
    char *json = NULL, *second = NULL;
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    cj_model *read = cj_model_from_json(json, strlen(json));
    assert_non_null(read);
    assert_int_equal(cj_model_to_json(read, &second), CJ_OK);
    assert_string_equal(json, second);
    assert_non_null(strstr(json, "\"class_name\": \"LossScaleOptimizer\""));
    cj_free(json);
    cj_free(second);
    return read;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    char *config = json_dumps(json_object_get(one, "config"), JSON_COMPACT);
    cj_model *model = cj_model_from_json(config, strlen(config));
    free(config);
    if (!model)
        return false;
    cj_model *read = again(model);
    cj_release(model);
    bool right = true;
    for (int i = 0; right && i < (int)fixture_number(one, "weights"); i++) {
        cj_tensor *value = fixture_tensor(file, fixture_case_name(one), fixture_part("w", i));
        right = cj_variable_assign(cj_layer_variable(cj_model_layer(read), i), value) == CJ_OK;
        cj_release(value);
    }
    right = right && train(file, one, read);
    cj_release(read);
    return right;
}

static void training_is_that_of_keras(void **state)
{
    fixture_run(*state, equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"scaling", training_is_that_of_keras, NULL, NULL, "scaling"}};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
