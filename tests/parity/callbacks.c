// EarlyStopping and ReduceLROnPlateau against Keras, on scripted values of "loss"; see
// generator/callbacks.py. Before each epoch ends the model's one weight is set to the epoch's
// number, which shows whose weights come back.
#include "fixture.h"
#include "base/object.h"
#include "train/callbacks.h"

#include <string.h>

// An option, or its default where the case does not give it.
static double option_or(const json_t *options, const char *key, double standard)
{
    return json_object_get(options, key) ? fixture_number(options, key) : standard;
}

static cj_callback *make(const json_t *one)
{
    const json_t *options = json_object_get(one, "options");
    const char *mode = fixture_text(options, "mode");
    mode = *mode ? mode : "auto";
    if (strcmp(fixture_text(one, "callback"), "EarlyStopping") == 0)
        return cj_early_stopping(.monitor = "loss", .mode = mode,
                                 .patience = (int)fixture_number(options, "patience"),
                                 .min_delta = fixture_number(options, "min_delta"),
                                 .baseline = json_object_get(options, "baseline") ?
                                                 fixture_number(options, "baseline") :
                                                 (double)NAN,
                                 .restore_best_weights =
                                     fixture_flag(options, "restore_best_weights"),
                                 .start_from_epoch =
                                     (int)fixture_number(options, "start_from_epoch"));
    return cj_reduce_lr_on_plateau(.monitor = "loss", .mode = mode,
                                   .factor = option_or(options, "factor", 0.1),
                                   .patience = (int)option_or(options, "patience", 10),
                                   .min_delta = option_or(options, "min_delta", 1e-4),
                                   .cooldown = (int)fixture_number(options, "cooldown"),
                                   .min_lr = fixture_number(options, "min_lr"));
}

static float *weight_of(cj_model *model)
{
    return cj_tensor_data(cj_variable_value(cj_layer_variable(cj_model_layer(model), 0)));
}

// Runs the epochs as cj_fit() would, comparing the learning rate after each; *ran counts them.
static bool drive(cj_callback *callback, cj_model *model, const fixture *file, const json_t *one,
                  int *ran)
{
    const char *name = fixture_case_name(one), *const names[] = {"loss"};
    cj_tensor *values = fixture_tensor(file, name, "values"),
              *rates = fixture_tensor(file, name, "rates");
    const int count = (int)cj_tensor_count(values);
    double value = 0;
    cj_logs logs = {.names = names, .values = &value, .epochs = count};
    bool right =
        cj__callbacks_tell(&callback, 0, 1, CJ__MOMENT_TRAIN_BEGIN, model, &logs, NULL) == CJ_OK;
    for (int epoch = 0; right && epoch < count && !logs.stop; epoch++) {
        logs.epoch = epoch;
        logs.count = 0;
        right = cj__callbacks_tell(&callback, 0, 1, CJ__MOMENT_EPOCH_BEGIN, model, &logs, NULL) ==
                CJ_OK;
        weight_of(model)[0] = (float)epoch;
        logs.count = 1;
        value = cj_tensor_get(values, (int64_t[]){epoch});
        right = right && cj__callbacks_tell(&callback, 0, 1, CJ__MOMENT_EPOCH_END, model, &logs,
                                            NULL) == CJ_OK;
        *ran = epoch + 1;
        if (right && epoch < (int)cj_tensor_count(rates)) {
            const double rate = cj_tensor_get(rates, (int64_t[]){epoch});
            right = fixture_near(file, name, fixture_part("rate", epoch), cj_learning_rate(model),
                                 rate);
        }
    }
    right = right &&
            cj__callbacks_tell(&callback, 0, 1, CJ__MOMENT_TRAIN_END, model, &logs, NULL) == CJ_OK;
    cj_release(values);
    cj_release(rates);
    return right;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    cj_model *model = cj_sequential(cj_input(1), cj_dense(1, .use_bias = false));
    cj_callback *callback = cj__own(make(one));
    int ran = 0;
    bool right = model && callback &&
                 cj_compile(model, .optimizer = cj_sgd(0.1), .loss = "mae") == CJ_OK &&
                 drive(callback, model, file, one, &ran);
    const int epochs = (int)fixture_number(one, "epochs"), best = (int)fixture_number(one, "best");
    if (right && (ran != epochs || (int)weight_of(model)[0] != best)) {
        print_message("%s: %d epochs and the weights of %d, Keras has %d and %d\n",
                      fixture_case_name(one), ran, (int)weight_of(model)[0], epochs, best);
        right = false;
    }
    cj_release(callback);
    cj_release(model);
    return right;
}

static void callbacks_equal_keras(void **state)
{
    (void)state;
    fixture_run("callbacks", equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(callbacks_equal_keras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
