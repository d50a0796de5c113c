// SpectralNormalization in training against Keras on PyTorch: see make_spectral.py.
#include "fixture.h"
#include "layers/layer.h"

#include <cajal/files.h>
#include <cajal/train.h>
#include <stdlib.h>
#include <string.h>

static bool weights_are(const fixture *file, const json_t *one, const cj_layer *layer)
{
    bool right = true;
    for (int i = 0; i < (int)fixture_number(one, "weights"); i++)
        right &= fixture_compare(file, fixture_case_name(one), fixture_part("after", i),
                                 cj_variable_value(cj_layer_variable(layer, i)));
    return right;
}

static bool losses_are(const fixture *file, const json_t *one, const cj_history *history)
{
    const char *name = fixture_case_name(one);
    cj_tensor *expected = fixture_tensor(file, name, "losses");
    const float *losses = cj_tensor_data(expected);
    bool right = true;
    for (int i = 0; i < (int)cj_tensor_count(expected); i++)
        right &= fixture_near(file, name, "losses", cj_history_value(history, "loss", i),
                              (double)losses[i]);
    cj_release(expected);
    return right;
}

static bool prepare(const fixture *file, const json_t *one, cj_model *model)
{
    cj_layer *layer = cj_model_layer(model);
    const json_t *frozen = json_object_get(one, "frozen");
    for (size_t i = 0; i < json_array_size(frozen); i++)
        cj_set_trainable(cj_model_find_layer(model, json_string_value(json_array_get(frozen, i))),
                         false);
    if (cj_layer_variable_count(layer) != (int)fixture_number(one, "weights"))
        return false;
    for (int i = 0; i < cj_layer_variable_count(layer); i++) {
        cj_tensor *value = fixture_tensor(file, fixture_case_name(one), fixture_part("w", i));
        const cj_status status = cj_variable_assign(cj_layer_variable(layer, i), value);
        cj_release(value);
        if (status != CJ_OK)
            return false;
    }
    return cj_compile(model, .optimizer = cj_sgd(0.1, .momentum = 0.9), .loss = "mse") == CJ_OK;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    char *config = json_dumps(json_object_get(one, "config"), JSON_COMPACT);
    cj_model *model = cj_model_from_json(config, strlen(config));
    free(config);
    if (!model || !prepare(file, one, model)) {
        cj_release(model);
        return false;
    }
    cj_tensor *x = fixture_tensor(file, name, "x"), *y = fixture_tensor(file, name, "y"),
              *losses = fixture_tensor(file, name, "losses"), *p = NULL;
    const int steps = (int)cj_tensor_count(losses);
    cj_release(losses);
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
    cj_history *history = NULL;
    bool right = cj_fit(model, data, .epochs = steps, .batch_size = 4, .shuffle = false,
                        .verbose = 0, .history = &history) == CJ_OK;
    right = right && losses_are(file, one, history);
    right = right && weights_are(file, one, cj_model_layer(model));
    right = right && cj_predict(model, x, &p) == CJ_OK && fixture_compare(file, name, "p", p);
    cj_release(p);
    cj_release(history);
    cj_release(data);
    cj_release(x);
    cj_release(y);
    cj_release(model);
    return right;
}

static void training_is_that_of_keras(void **state)
{
    fixture_run(*state, equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"spectral", training_is_that_of_keras, NULL, NULL, "spectral"}};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
