// Every kind of layer in a model that is trained: the loss falls, one thread and two give the same
// bits, and what is frozen stays as it is.
#include "layers/models.h"

#include <cajal/train.h>
#include <string.h>

enum { STEPS = 12, BATCH = 5 };

typedef struct trained {
    double before, after; // the loss
    cj_model *model;
    cj_layer *layer;
} trained;

static cj_dataset *data_of(const cj_model *model, const sample *s)
{
    cj_tensor *inputs[MODEL_INPUTS] = {NULL}, *y = helper_random(CJ_SHAPE(BATCH, 1), 9);
    model_inputs(model, s, BATCH, inputs);
    cj_dataset_args args = {CJ_DATASET_DEFAULTS, .y = {y}};
    memcpy(args.x, inputs, (size_t)cj_model_input_count(model) * sizeof *inputs);
    cj_dataset *data = cj_dataset_new(&args);
    assert_non_null(data);
    return data;
}

static double loss_of(const char *name, cj_model *model, cj_dataset *data)
{
    cj_results *results = NULL;
    if (cj_test_on_batch(model, data, &results) != CJ_OK)
        fail_msg("%s: %s", name, cj_error());
    const double loss = cj_results_value(results, "loss");
    cj_release(results);
    return loss;
}

static trained train(const sample *s, int threads, bool trainable)
{
    trained t = {0};
    t.model = model_of(s, true, &t.layer);
    if (!t.model)
        return t;
    cj_dataset *data = data_of(t.model, s);
    cj_pool *pool = cj_pool_new(threads);
    assert_int_equal(cj_model_set_seed(t.model, 4), CJ_OK);
    assert_int_equal(cj_model_reset_weights(t.model), CJ_OK);
    cj_set_trainable(t.layer, trainable);
    if (cj_compile(t.model, .optimizer = cj_adam(0.01), .loss = "mse", .pool = pool) != CJ_OK)
        fail_msg("%s: %s", s->class_name, cj_error());
    t.before = loss_of(s->class_name, t.model, data);
    for (int i = 0; i < STEPS; i++)
        if (cj_train_on_batch(t.model, data, NULL) != CJ_OK)
            fail_msg("%s: %s", s->class_name, cj_error());
    t.after = loss_of(s->class_name, t.model, data);
    cj_release(data);
    return t;
}

static bool same_bits(cj_variable *a, cj_variable *b)
{
    const cj_tensor *x = cj_variable_value(a), *y = cj_variable_value(b);
    return memcmp(x->data, y->data, (size_t)cj_tensor_count(x) * cj_dtype_size(x->dtype)) == 0;
}

static void the_loss_falls_with_the_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        trained one = train(&samples[i], 1, true), two = train(&samples[i], 2, true);
        if (!one.model)
            continue;
        if (!(one.after < one.before))
            fail_msg("%s: the loss was %g and is %g", samples[i].class_name, one.before, one.after);
        const cj_layer *a = cj_model_layer(one.model), *b = cj_model_layer(two.model);
        for (int v = 0; v < cj_layer_variable_count(a); v++)
            if (!same_bits(cj_layer_variable(a, v), cj_layer_variable(b, v)))
                fail_msg("%s: %s has other bits with two threads", samples[i].class_name,
                         cj_variable_name(cj_layer_variable(a, v)));
        cj_release(one.model);
        cj_release(two.model);
    }
}

// Of a layer that trains something changes; of a frozen one nothing does, but as in Keras the kernel that
// SpectralNormalization divides in every training step.
static void a_frozen_layer_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        trained on = train(&samples[i], 1, true), off = train(&samples[i], 1, false);
        if (!on.model)
            continue;
        cj_layer *layer;
        cj_model *fresh = model_of(&samples[i], true, &layer);
        assert_int_equal(cj_model_set_seed(fresh, 4), CJ_OK);
        assert_int_equal(cj_model_reset_weights(fresh), CJ_OK);
        int moved = 0;
        for (int v = 0; v < cj_layer_variable_count(layer); v++) {
            cj_variable *begun = cj_layer_variable(layer, v);
            moved += !same_bits(begun, cj_layer_variable(on.layer, v));
            if (strcmp(samples[i].class_name, "SpectralNormalization") != 0 &&
                !same_bits(begun, cj_layer_variable(off.layer, v)))
                fail_msg("%s: %s changed though it is frozen", samples[i].class_name,
                         cj_variable_name(begun));
        }
        cj_variable *weights[64];
        if (cj__layer_variables(layer, true, weights, 64) > 0 && moved == 0)
            fail_msg("%s: nothing was trained", samples[i].class_name);
        cj_release(fresh);
        cj_release(on.model);
        cj_release(off.model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loss_falls_with_the_same_bits_for_any_number_of_threads),
        cmocka_unit_test(a_frozen_layer_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
