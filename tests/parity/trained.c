#include "trained.h"

#include "ops/variable.h"
#include "train/state.h"
#include <cajal.h>

#include <string.h>

// Entry `step` of a tensor (steps, ...).
static cj_tensor *entry(const cj_tensor *all, int64_t step)
{
    cj_shape shape = *cj_tensor_shape(all);
    cj_tensor *one = NULL;
    shape.rank--;
    memmove(shape.dims, shape.dims + 1, (size_t)shape.rank * sizeof shape.dims[0]);
    assert_int_equal(cj_tensor_new(cj_tensor_dtype(all), shape, &one), CJ_OK);
    const size_t bytes = (size_t)cj_tensor_count(one) * cj_dtype_size(cj_tensor_dtype(all));
    memcpy(cj_tensor_data(one), (const char *)all->data + (size_t)step * bytes, bytes);
    return one;
}

static cj_model *load(const fixture *file, const json_t *one)
{
    const char *json = fixture_text(one, "model"), *name = fixture_case_name(one);
    cj_model *model = cj_model_from_json(json, strlen(json));
    cj_layer *layer = model ? cj_model_layer(model) : NULL;
    bool right = layer && cj_layer_variable_count(layer) == (int)fixture_number(one, "weights");
    for (int i = 0; right && i < cj_layer_variable_count(layer); i++) {
        cj_tensor *value = fixture_tensor(file, name, fixture_part("b", i));
        right = cj_variable_assign(cj_layer_variable(layer, i), value) == CJ_OK;
        cj_release(value);
    }
    cj_optimizer *optimizer = right ? cj_optimizer_from_spec(fixture_text(one, "spec")) : NULL;
    const char *loss = *fixture_text(one, "loss") ? fixture_text(one, "loss") : "mse";
    if (optimizer && cj_compile(model, .optimizer = optimizer, .loss = loss) == CJ_OK)
        return model;
    cj_release(model);
    return NULL;
}

static bool train(const fixture *file, const json_t *one, cj_model *model)
{
    const char *name = fixture_case_name(one);
    cj_tensor *x = fixture_tensor(file, name, "x"), *y = fixture_tensor(file, name, "y"),
              *losses = fixture_tensor(file, name, "losses"),
              *weights = fixture_has(file, name, "s") ? fixture_tensor(file, name, "s") : NULL;
    bool right = true;
    for (int64_t step = 0; right && step < (int64_t)fixture_number(one, "steps"); step++) {
        cj_dataset *data = cj_dataset(.x = {entry(x, step)}, .y = {entry(y, step)},
                                      .sample_weight = weights ? entry(weights, step) : NULL);
        cj_results *results = NULL;
        right = cj_train_on_batch(model, data, &results) == CJ_OK &&
                fixture_near(file, name, fixture_part("loss of step ", (int)step),
                             cj_results_value(results, "loss"),
                             cj_tensor_get(losses, (int64_t[]){step}));
        cj_release(data);
        cj_release(results);
    }
    cj_release(x);
    cj_release(y);
    cj_release(losses);
    cj_release(weights);
    return right;
}

bool trained_equals_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    cj_model *model = load(file, one);
    bool right = model && train(file, one, model);
    for (int i = 0; right && i < (int)fixture_number(one, "weights"); i++)
        right = fixture_compare(file, name, fixture_part("w", i),
                                cj_variable_value(cj_layer_variable(cj_model_layer(model), i)));
    const cj__train_state *state = right ? cj__state_of(model) : NULL;
    const int kept = (int)fixture_number(one, "optimizer_variables");
    if (state && cj__state_variable_count(state) != kept) {
        print_message("%s: the optimizer has %d variables, Keras's has %d\n", name,
                      cj__state_variable_count(state), kept);
        right = false;
    }
    for (int i = 0; right && i < kept; i++)
        right = fixture_compare(file, name, fixture_part("o", i),
                                cj_variable_value(cj__state_variable(state, i)));
    cj_release(model);
    return right;
}
