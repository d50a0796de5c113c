// Cells of registered classes: a model with one is trained, saved, loaded and cloned as any other.
#include "support.h"
#include <cajal.h>
#include <cajal/clone.h>
#include <math.h>
#include <string.h>

// h = decay h + (1 - decay) tanh(x W + b); the output is h, and a second state counts steps.
typedef struct leaky {
    int64_t units;
    double decay;
} leaky;

static const leaky leaky_defaults = {.units = 3, .decay = 0.5};
static const cj_setting leaky_settings[] = {CJ_SETTING_IN(leaky, units, 1, 1024),
                                            CJ_SETTING_IN(leaky, decay, 0, 1)};

static int leaky_states(const void *settings, int64_t *sizes)
{
    sizes[0] = ((const leaky *)settings)->units;
    sizes[1] = 1;
    return 2;
}

static cj_status leaky_build(cj_layer *layer, const void *settings, const cj_shape *inputs,
                             int input_count)
{
    const int64_t units = ((const leaky *)settings)->units;
    assert_int_equal(input_count, 3);
    CJ_TRY(cj_add_weight(layer, "kernel", CJ_SHAPE(inputs[0].dims[1], units), NULL, NULL, true));
    return cj_add_weight(layer, "bias", CJ_SHAPE(units), "zeros", NULL, true);
}

static cj_symbol *leaky_call(const cj_layer_call *c)
{
    const leaky *s = c->settings;
    cj_symbol *x = cj_op_activation(
        "tanh", cj_op_add(cj_op_matmul(c->inputs[0], c->weights[0]), c->weights[1]));
    cj_symbol *h = cj_op_add(cj_op_multiply(c->inputs[1], cj_symbol_scalar(CJ_F32, s->decay)),
                             cj_op_multiply(x, cj_symbol_scalar(CJ_F32, 1 - s->decay)));
    c->more_outputs[0] = h;
    c->more_outputs[1] = cj_op_add(c->inputs[2], cj_symbol_scalar(CJ_F32, 1));
    return h;
}

static const cj_custom_layer_class leaky_class =
    CJ_CUSTOM_LAYER("LeakyCell", CJ_SETTINGS(leaky_settings, leaky_defaults), .build = leaky_build,
                    .call = leaky_call, .states = leaky_states);

static cj_layer *leaky_cell(int64_t units)
{
    return cj_custom_layer(&leaky_class, &(leaky){units, 0.25}, NULL);
}

static cj_model *model_of(cj_layer *recurrent)
{
    cj_model *model = cj_sequential(cj_input(5, 2), recurrent, cj_dense(1));
    if (!model)
        fail_msg("%s", cj_error());
    return model;
}

static cj_tensor *sequences(void)
{
    float values[4 * 5 * 2];
    cj_tensor *x = NULL;
    for (int i = 0; i < 40; i++)
        values[i] = (float)(i * 7 % 11) / 11 - 0.5f;
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(4, 5, 2), values, 40, &x), CJ_OK);
    return x;
}

static void assert_same(cj_model *a, cj_model *b)
{
    cj_tensor *x = sequences(), *of_a = NULL, *of_b = NULL;
    if (!a || !b)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_predict(a, x, &of_a), CJ_OK);
    assert_int_equal(cj_predict(b, x, &of_b), CJ_OK);
    assert_memory_equal(cj_tensor_data(of_a), cj_tensor_data(of_b), 4 * sizeof(float));
    cj_release(x), cj_release(of_a), cj_release(of_b);
}

static void a_step_is_what_the_class_says(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(5, 2), *y[3];
    cj_layer *recurrent = cj_rnn(leaky_cell(1), .return_state = true);
    assert_int_equal(cj_apply_many(recurrent, &x, 1, y, 3), CJ_OK);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {y[0], y[2]});
    assert_non_null(model);
    cj_tensor *given = sequences(), *made[2] = {NULL};
    assert_int_equal(cj_predict_many(model, &given, made), CJ_OK);
    const float *w = cj_tensor_data(cj_variable_value(cj_layer_variable(recurrent, 0))),
                *in = cj_tensor_data(given);
    for (int sample = 0; sample < 4; sample++) {
        double h = 0;
        for (int t = 0; t < 5; t++) {
            const float *at = in + (sample * 5 + t) * 2;
            h = 0.25 * h + 0.75 * tanh((double)at[0] * (double)w[0] + (double)at[1] * (double)w[1]);
        }
        assert_near((double)((float *)cj_tensor_data(made[0]))[sample], h, 1e-6, 1e-6);
        assert_near((double)((float *)cj_tensor_data(made[1]))[sample], 5, 0, 1e-7);
    }
    cj_release(given), cj_release(made[0]), cj_release(made[1]), cj_release(y[1]);
    cj_release(model);
}

static void it_is_trained_saved_loaded_and_cloned(void **state)
{
    (void)state;
    cj_layer *const recurrent[3] = {cj_rnn(leaky_cell(4)), cj_bidirectional(cj_rnn(leaky_cell(3))),
                                    cj_rnn(cj_stacked_rnn_cells({cj_gru_cell(2), leaky_cell(3)}))};
    for (int i = 0; i < 3; i++) {
        cj_model *model = model_of(recurrent[i]);
        cj_tensor *y = NULL;
        char *json = NULL;
        assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(4, 1), (float[]){0, 1, 0, -1}, 4, &y),
                         CJ_OK);
        cj_dataset *data = cj_dataset(.x = {sequences()}, .y = {y});
        cj_history *history = NULL;
        assert_int_equal(cj_compile(model, .optimizer = cj_adam(0.05), .loss = "mse"), CJ_OK);
        assert_int_equal(cj_fit(model, data, .epochs = 40, .history = &history), CJ_OK);
        assert_true(cj_history_value(history, "loss", 39) <
                    0.7 * cj_history_value(history, "loss", 0));
        const char *path = support_path("cell.safetensors");
        if (cj_save(model, path) != CJ_OK)
            fail_msg("%s", cj_error());
        cj_model *loaded = cj_load(path), *clone = cj_clone(model, .weights = true);
        assert_same(model, loaded);
        assert_same(model, clone);
        assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
        assert_non_null(strstr(json, "LeakyCell"));
        assert_non_null(strstr(json, "\"decay\": 0.25"));
        cj_free(json);
        cj_release(history), cj_release(data), cj_release(loaded), cj_release(clone);
        cj_release(model);
    }
}

static int no_states(const void *settings, int64_t *sizes)
{
    (void)settings, (void)sizes;
    return 0;
}

static int empty_state(const void *settings, int64_t *sizes)
{
    (void)settings;
    sizes[0] = 0;
    return 1;
}

static int many_states(const void *settings, int64_t *sizes)
{
    (void)settings, (void)sizes;
    return 9;
}

static void states_that_cannot_be_are_refused(void **state)
{
    (void)state;
    cj_custom_layer_class c = leaky_class;
    c.name = "NoCell", c.states = no_states;
    assert_null(cj_custom_layer(&c, NULL, NULL));
    assert_error_contains("a cell of 0 states, needed are 1 to 8");
    c.name = "EmptyCell", c.states = empty_state;
    assert_null(cj_custom_layer(&c, NULL, NULL));
    assert_error_contains("state 0 has 0 entries");
    c.name = "ManyCell", c.states = many_states;
    assert_null(cj_custom_layer(&c, NULL, NULL));
    assert_error_contains("a cell of 9 states");
    cj_symbol *x = cj_input_symbol(2), *h = cj_input_symbol(3);
    assert_null(cj_merge(leaky_cell(3), x, h));
    assert_error_contains("a cell needs its states: 3");
    cj_release(x), cj_release(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_what_the_class_says),
        cmocka_unit_test(it_is_trained_saved_loaded_and_cloned),
        cmocka_unit_test(states_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
