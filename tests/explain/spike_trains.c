// What the neurons of a model do: pictures, counts of spikes and of operations, and rates for currents.
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <cajal.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

static void set(cj_layer *layer, int index, const float *values)
{
    cj_variable *variable = cj_layer_variable(layer, index);
    const cj_shape *shape = cj_tensor_shape(cj_variable_value(variable));
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_from(CJ_F32, *shape, values, (size_t)cj_shape_count(shape), &tensor),
                     CJ_OK);
    assert_int_equal(cj_variable_assign(variable, tensor), CJ_OK);
    cj_release(tensor);
}

static cj_tensor *tensor_of(cj_shape shape, const float *values)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_from(CJ_F32, shape, values, (size_t)cj_shape_count(&shape), &tensor),
                     CJ_OK);
    return tensor;
}

// Neurons with currents 0.5, 1 and 0 over four steps: without a leak they fire twice, four times, never.
static cj_model *three_neurons(void)
{
    static const float kernel[] = {0.5f, 1, 0, 0, 0, 0}, second[] = {1, 2, 3, 4, 5, 6};
    cj_model *model = cj_sequential(
        cj_input(2), cj_dense(3, .use_bias = false),
        cj_integrate_fire(.steps = 4, .firing = "reached", .reset_time = "same", .name = "first"),
        cj_dense(2, .name = "second"), cj_leaky_integrator(1, .name = "read"));
    if (!model)
        fail_msg("%s", cj_error());
    set(cj_model_layer_at(model, 0), 0, kernel);
    set(cj_model_layer_at(model, 2), 0, second);
    return model;
}

static void spikes_and_operations_are_counted(void **state)
{
    static const float samples[] = {1, 0, 1, 0, 0, 1};
    cj_spike_activity rows[4];
    int count = 0;
    (void)state;
    cj_model *model = three_neurons();
    cj_tensor *x = tensor_of(CJ_SHAPE(3, 2), samples); // the third gives no current
    assert_int_equal(cj_spike_activities(model, x, rows, 4, &count), CJ_OK);
    assert_int_equal(count, 3);
    assert_near(rows[0].operations, 3, 1e-6, 0); // one of two inputs is 0
    assert_near(rows[0].all, 6, 1e-6, 0);
    assert_string_equal(rows[1].layer, "first");
    assert_int_equal(rows[1].neurons, 3);
    assert_int_equal(rows[1].steps, 4);
    assert_near(rows[1].spikes, 6.0 * 2 / 3, 1e-6, 0);
    assert_near(rows[1].rate, 4.0 / 12, 1e-6, 0);
    assert_near(rows[1].silent, 1.0 / 3, 1e-6, 0);
    assert_string_equal(rows[2].layer, "second");
    assert_near(rows[2].operations, 4 * 2, 1e-6, 0); // each spike reaches two neurons
    assert_near(rows[2].all, 4 * 3 * 2, 1e-6, 0);
    cj_release(model), cj_release(x);
}

// The edges of a padded convolution, strides, and steps of time.
static void operations_of_convolutions_are_counted_with_their_edges(void **state)
{
    cj_spike_activity rows[3];
    cj_tensor *x = NULL;
    int count = 0;
    (void)state;
    cj_model *model = cj_sequential(
        cj_input(5, 4, 4, 2),
        cj_time_distributed(cj_conv2d(3, {3, 3}, .padding = "same", .activation = "relu")),
        cj_lif(0.5, .name = "lif"));
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 5, 4, 4, 2), &x), CJ_OK);
    cj_tensor_fill(x, 0);
    ((float *)cj_tensor_data(x))[0] = 1;                // a corner is read by four windows
    ((float *)cj_tensor_data(x))[(1 * 4 + 1) * 2] = -2; // nine
    assert_int_equal(cj_spike_activities(model, x, rows, 3, &count), CJ_OK);
    assert_int_equal(count, 2);
    assert_near(rows[0].operations, (4 + 9) * 3 / 2.0, 1e-6, 0);
    assert_near(rows[0].all, 5 * 100 * 2 * 3, 1e-6, 0); // 16 windows of 9, less the edges: 100
    cj_release(model), cj_release(x);
}

// Both kernels of a separable convolution: the second takes what the first gives, of which two are 0.
static void a_separable_convolution_is_two(void **state)
{
    static const float pixels[] = {0, 0, 0, 0, 1, 0, 0, 0, 0}, kernel[] = {1, 0, 0, 2};
    cj_spike_activity rows[2];
    int count = 0;
    (void)state;
    cj_model *model =
        cj_sequential(cj_input(3, 3, 1), cj_separable_conv2d(2, {2, 2}), cj_lif(0.5, .steps = 2));
    set(cj_model_layer_at(model, 0), 0, kernel);
    cj_tensor *x = tensor_of(CJ_SHAPE(1, 3, 3, 1), pixels);
    assert_int_equal(cj_spike_activities(model, x, rows, 2, &count), CJ_OK);
    assert_int_equal(count, 2);
    assert_near(rows[0].operations, 4 + 2 * 2, 1e-5, 0);
    assert_near(rows[0].all, 16 + 4 * 2, 1e-5, 0);
    cj_release(model), cj_release(x);
}

// Neurons that fire in steps 2 and 4, in all, and never: all but the spikes of step 4 are heard.
static void recurrent_input_is_counted(void **state)
{
    static const float samples[] = {1, 0}, first[] = {0.5f, 1, 0, 0, 0, 0}, none[9] = {0};
    (void)state;
    for (int dense = 0; dense < 2; dense++) {
        cj_spike_activity rows[3];
        int count = 0;
        cj_model *model =
            cj_sequential(cj_input(2), cj_dense(3, .use_bias = false),
                          cj_integrate_fire(.steps = 4, .firing = "reached", .reset_time = "same",
                                            .recurrent = dense ? "dense" : "one_to_one"));
        set(cj_model_layer_at(model, 0), 0, first);
        set(cj_model_layer_at(model, 1), 0, none);
        cj_tensor *x = tensor_of(CJ_SHAPE(1, 2), samples);
        assert_int_equal(cj_spike_activities(model, x, rows, 3, &count), CJ_OK);
        assert_int_equal(count, 2);
        assert_near(rows[1].spikes, 6, 1e-6, 0);
        assert_near(rows[1].operations, (1 + 3) * (dense ? 3 : 1), 1e-6, 0);
        assert_near(rows[1].all, 4 * 3 * (dense ? 3 : 1), 1e-6, 0);
        cj_release(model), cj_release(x);
    }
}

static char *printed(cj_model *model, const cj_tensor *x)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(cj_spike_activities_print(model, x, stream), CJ_OK);
    fclose(stream);
    return text;
}

static void the_table_has_the_totals(void **state)
{
    static const float samples[] = {1, 0};
    (void)state;
    cj_model *model = three_neurons();
    cj_tensor *x = tensor_of(CJ_SHAPE(1, 2), samples);
    char *text = printed(model, x);
    assert_non_null(strstr(text,
                           "A sample: 6.0 spikes; 15 multiplications with an input that is not "
                           "0, of 30: 50.0 % saved\n"));
    free(text);
    cj_release(model), cj_release(x);
}

// ---- Pictures ----

static char *plotted(cj_model *model, const cj_tensor *x, const char *layer)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (cj_model_spikes_plot(model, x, stream, .layer = layer) != CJ_OK)
        fail_msg("%s", cj_error());
    fclose(stream);
    return text;
}

static void each_layer_of_neurons_has_its_part(void **state)
{
    static const float sample[] = {1, 0};
    (void)state;
    cj_model *model = three_neurons();
    cj_tensor *x = tensor_of(CJ_SHAPE(2), sample), *batch = tensor_of(CJ_SHAPE(1, 2), sample);
    char *all = plotted(model, x, NULL), *same = plotted(model, batch, NULL),
         *one = plotted(model, x, "first");
    assert_string_equal(all, same);
    assert_non_null(strstr(all, ">first (IntegrateFire): 3 neurons, 4 steps, 6 spikes</text>"));
    assert_non_null(strstr(all, ">read (LeakyIntegrator): 2 neurons, 4 steps</text>"));
    assert_int_equal(count_of(all, "v4"), 6);
    assert_int_equal(count_of(all, ">neuron "), 3 + 2);
    assert_null(strstr(one, "read"));
    assert_int_equal(count_of(one, ">neuron "), 3);
    free(all), free(same), free(one);
    cj_release(model), cj_release(x), cj_release(batch);
}

// ---- Rates ----

// Brian2's closed form: 1 / (t_ref + tau ln(v0 / (v0 - v_th))), 83.81 Hz.
static void the_curve_is_that_of_the_closed_form(void **state)
{
    const double currents[] = {0, 9, 12, 20, 40};
    double rates[5];
    (void)state;
    cj_layer *lif = cj_take(cj_lif(.tau = 0.01, .dt = 1e-5, .threshold = 10, .reset = "value",
                                   .reset_time = "same", .input_scale = "leak",
                                   .discretization = "exact", .refractory = 500));
    assert_int_equal(cj_neuron_rates(lif, 0, currents, rates, 5, 100000), CJ_OK);
    assert_near(rates[0], 0, 0, 0);
    assert_near(rates[1], 0, 0, 0);
    for (int i = 2; i < 5; i++)
        assert_near(rates[i], 1 / (0.005 + 0.01 * log(currents[i] / (currents[i] - 10))), 1.1, 0);
    assert_near(rates[3], 83.81, 1.1, 0);
    cj_release(lif);
}

static void a_neuron_has_its_own_numbers(void **state)
{
    static const float thresholds[] = {1, 2};
    const double current = 1;
    double rate[2];
    (void)state;
    cj_model *model =
        cj_sequential(cj_input(3, 2), cj_integrate_fire(.per_neuron = true, .learn_threshold = true,
                                                        .firing = "reached", .recurrent = "dense"));
    cj_layer *layer = cj_model_layer_at(model, 0);
    set(layer, 0, thresholds);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cj_neuron_rates(layer, i, &current, &rate[i], 1, 100), CJ_OK);
    assert_near(rate[0], 1, 0.011, 0);
    assert_near(rate[1], 0.5, 0.011, 0);
    assert_int_equal(cj_neuron_rates(layer, 2, &current, rate, 1, 100), CJ_INVALID_ARGUMENT);
    assert_error_contains("neuron 2 of integrate_fire, which has 2");
    cj_release(model);
}

// A learnt alpha beyond 1 counts as 1, and a constant one as it is.
static void a_learnt_alpha_is_explained_as_it_is_read(void **state)
{
    static const float sample[] = {0.5f}, beyond[] = {1.5f};
    FILE *stream = tmpfile();
    (void)state;
    cj_model *model =
        cj_sequential(cj_input(1), cj_cuba_lif(.beta = 0.5, .alpha = 0.9, .learn_alpha = true,
                                               .steps = 5, .output = "membrane"));
    set(cj_model_layer_at(model, 0), 0, beyond);
    cj_tensor *x = tensor_of(CJ_SHAPE(1, 1), sample);
    if (cj_explain(model, (cj_tensor *[]){x}, stream) != CJ_OK)
        fail_msg("%s", cj_error());
    fclose(stream);
    cj_release(model), cj_release(x);
}

// ---- Refused ----

static void what_has_no_neurons_is_refused(void **state)
{
    static const float sample[] = {1, 0};
    const double current = 1;
    double rate;
    int count;
    (void)state;
    cj_tensor *x = tensor_of(CJ_SHAPE(1, 2), sample), *wide = tensor_of(CJ_SHAPE(2, 1), sample);
    cj_model *plain = cj_sequential(cj_input(2), cj_dense(3)), *model = three_neurons();
    cj_layer *read = cj_model_find_layer(model, "read");
    assert_int_equal(cj_spike_activities(plain, x, NULL, 0, &count), CJ_UNSUPPORTED);
    assert_error_contains("has no layer of neurons");
    assert_int_equal(cj_model_spikes_plot(plain, x, stderr), CJ_UNSUPPORTED);
    assert_int_equal(cj_model_spikes_plot(model, x, stderr, .layer = "third"), CJ_NOT_FOUND);
    assert_error_contains("no layer of neurons has the name \"third\"");
    assert_int_equal(cj_model_spikes_plot(model, x, stderr, .rows = -1), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_model_spikes_plot(model, wide, stderr), CJ_SHAPE_MISMATCH);
    assert_int_equal(cj_spike_activities(model, wide, NULL, 0, &count), CJ_SHAPE_MISMATCH);
    assert_int_equal(cj_neuron_rates(read, 0, &current, &rate, 1, 9), CJ_INVALID_ARGUMENT);
    assert_error_contains("read (LeakyIntegrator) is no layer of neurons that fire");
    assert_int_equal(cj_neuron_rates(cj_model_layer_at(model, 1), 0, &current, &rate, 0, 9),
                     CJ_INVALID_ARGUMENT);
    cj_release(x), cj_release(wide), cj_release(plain), cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spikes_and_operations_are_counted),
        cmocka_unit_test(operations_of_convolutions_are_counted_with_their_edges),
        cmocka_unit_test(a_separable_convolution_is_two),
        cmocka_unit_test(recurrent_input_is_counted),
        cmocka_unit_test(the_table_has_the_totals),
        cmocka_unit_test(each_layer_of_neurons_has_its_part),
        cmocka_unit_test(the_curve_is_that_of_the_closed_form),
        cmocka_unit_test(a_neuron_has_its_own_numbers),
        cmocka_unit_test(a_learnt_alpha_is_explained_as_it_is_read),
        cmocka_unit_test(what_has_no_neurons_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
