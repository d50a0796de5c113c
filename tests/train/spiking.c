// Losses and metrics of spiking networks against snnTorch 1.0.0 (its functional
// module, on the spikes and membranes below), codes against its spikegen
// module, and a network that learns.
#include "support.h"

#include <cajal.h>
#include <math.h>
#include <string.h>

enum { SAMPLES = 2, STEPS = 4, CLASSES = 3, COUNT = SAMPLES * STEPS * CLASSES };

static const float spikes[COUNT] = {1, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0,
                                    1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0};
static const float membranes[COUNT] = {
    0.44f, 1.17f, 1.77f,  -0.32f, -0.3f, -0.93f, 0.76f, 0.44f, 1.17f, -0.19f, -0.64f, 1.54f,
    -0.1f, 0.14f, -1.58f, 0.55f,  0.07f, -0.44f, 2.02f, 0.14f, 0.94f, -0.87f, -3.33f, -0.75f};
static const uint8_t labels[SAMPLES] = {2, 0};

static cj_tensor *tensor_of(const float *values)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(
        cj_tensor_from(CJ_F32, CJ_SHAPE(SAMPLES, STEPS, CLASSES), values, COUNT, &tensor), CJ_OK);
    return tensor;
}

static cj_tensor *label_tensor(void)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_from(CJ_U8, CJ_SHAPE(SAMPLES), labels, SAMPLES, &tensor), CJ_OK);
    return tensor;
}

static void losses_are_those_of_snntorch(void **state)
{
    static const struct {
        const char *spec;
        const float *values;
        double expected;
    } rows[] = {
        {"step_crossentropy", spikes, 1.3908741},
        {"step_crossentropy", membranes, 0.7454440},
        {"step_crossentropy(sum=true)", membranes, 4 * 0.7454440},
        {"spike_count_crossentropy", spikes, 2.2238121},
        {"max_membrane_crossentropy", membranes, 0.5244653},
        {"spike_count_mse(correct=0.8,incorrect=0.2)", spikes, 1.1666666},
        {"membrane_mse(correct=1.1)", membranes, 1.2282916},
        {"first_spike_crossentropy", spikes, 2.1055036},
        // first spikes of sample 0 in steps 0, 1, none (3), of sample 1 in 0, 1,
        // 0
        {"first_spike_mse", spikes, (1.0 + 4.0 / 9 + 1 + 0 + 4.0 / 9 + 1) / 6},
    };
    (void)state;
    cj_tensor *y = label_tensor();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cj_tensor *p = tensor_of(rows[i].values);
        double value = NAN;
        if (cj_loss_value(rows[i].spec, y, p, NULL, NULL, &value) != CJ_OK)
            fail_msg("%s: %s", rows[i].spec, cj_error());
        if (!(fabs(value - rows[i].expected) < 2e-6))
            fail_msg("%s is %.9g, snnTorch has %.9g", rows[i].spec, value, rows[i].expected);
        cj_release(p);
    }
    cj_release(y);
}

// Of equal membranes the gradient is shared here, so that one of them is less than the other.
static void gradients_are_those_of_snntorch(void **state)
{
    float distinct[COUNT];
    static const struct {
        const char *spec;
        const float *values;
        double expected[COUNT];
    } rows[] = {
        {"first_spike_crossentropy",
         spikes,
         {0.3526923,  0, 0,         0, 0.1297482, 0, 0, 0, 0, 0, 0, -0.4824405,
          -0.2888406, 0, 0.2111594, 0, 0.0776812, 0, 0, 0, 0, 0, 0, 0}},
        {"max_membrane_crossentropy",
         NULL,
         {0, 0.1434404, -0.2386346, 0, 0, 0, 0.0951942,  0, 0,         0, 0, 0,
          0, 0.0511297, 0,          0, 0, 0, -0.1649211, 0, 0.1137913, 0, 0, 0}},
    };
    (void)state;
    memcpy(distinct, membranes, sizeof distinct);
    distinct[19] = 0.13f;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cj_tensor *p = tensor_of(rows[i].values ? rows[i].values : distinct), *y = label_tensor(),
                  *dx = tensor_of(spikes);
        cj_symbol *x = cj_take(cj_symbol_input(CJ_F32, CJ_SHAPE(SAMPLES, STEPS, CLASSES), "x"));
        cj_symbol *t = cj_take(cj_symbol_input(CJ_U8, CJ_SHAPE(SAMPLES), "y")), *gradient = NULL;
        cj_symbol *loss = cj_take(cj_op_loss(rows[i].spec, t, x));
        assert_non_null(loss);
        assert_int_equal(cj_gradients(loss, &x, 1, &gradient), CJ_OK);
        cj_take(gradient);
        cj_symbol *inputs[] = {x, t};
        cj_function *f = cj_function(.inputs = inputs, .input_count = 2, .outputs = &gradient,
                                     .output_count = 1);
        assert_non_null(f);
        assert_int_equal(cj_function_call(f, (cj_tensor *[]){p, y}, &dx), CJ_OK);
        for (int k = 0; k < COUNT; k++) {
            // a neuron without a spike has no gradient here, where snnTorch gives it
            // to the last step
            const double expected = rows[i].expected[k];
            assert_near(((float *)cj_tensor_data(dx))[k], expected, 1e-6, 0);
        }
        cj_release(f), cj_release(gradient), cj_release(loss), cj_release(x), cj_release(t);
        cj_release(p), cj_release(y), cj_release(dx);
    }
}

static double metric_of(const char *spec, const float *values)
{
    cj_tensor *p = tensor_of(values), *y = label_tensor();
    cj_metric *metric = cj_metric_new(spec);
    assert_non_null(metric);
    if (cj_metric_update(metric, y, p, NULL) != CJ_OK)
        fail_msg("%s: %s", spec, cj_error());
    const double value = cj_metric_result(metric);
    cj_release(metric), cj_release(p), cj_release(y);
    return value;
}

static void metrics_count_spikes(void **state)
{
    (void)state;
    assert_near(metric_of("spike_count_accuracy", spikes), 0.5, 0, 0);
    assert_near(metric_of("first_spike_accuracy", spikes), 0.5, 0, 0);
    assert_near(metric_of("spikes_per_sample", spikes), 8.0 / 2, 1e-6, 0);
    assert_near(metric_of("spike_rate", spikes), 8.0 / 24, 1e-6, 0);
    // membranes above 1: three of class 2 in sample 0, one of class 0 in sample 1
    assert_near(metric_of("spike_count_accuracy(threshold=1)", membranes), 1, 0, 0);
}

static void predictions_without_steps_have_a_sentence(void **state)
{
    (void)state;
    cj_tensor *y = label_tensor(), *p = NULL;
    double value;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, CLASSES), &p), CJ_OK);
    assert_int_equal(cj_loss_value("step_crossentropy", y, p, NULL, NULL, &value),
                     CJ_SHAPE_MISMATCH);
    assert_error_contains("needed are (batch, steps, classes)");
    cj_release(p), cj_release(y);
}

// ---- Codes ----

static cj_tensor *coded(cj_layer *code, cj_shape shape, const float *values, size_t count)
{
    cj_tensor *x = NULL, *y = NULL;
    cj_input_args input = {CJ_INPUT_DEFAULTS};
    for (int i = 1; i < shape.rank; i++)
        input.shape[i - 1] = shape.dims[i];
    cj_model *model = cj_sequential(cj_input_new(&input), code);
    if (!model)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_tensor_from(CJ_F32, shape, values, count, &x), CJ_OK);
    assert_int_equal(cj_predict(model, x, &y), CJ_OK);
    cj_release(x), cj_release(model);
    return y;
}

static void expect(cj_tensor *y, const double *expected, int count, double tolerance)
{
    assert_int_equal(cj_tensor_count(y), count);
    for (int i = 0; i < count; i++)
        assert_near(((float *)cj_tensor_data(y))[i], expected[i], tolerance, 0);
    cj_release(y);
}

static void latencies_are_those_of_snntorch(void **state)
{
    static const float x[] = {0.02f, 0.5f, 1};
    (void)state;
    expect(coded(cj_latency_code(5, .normalize = true, .output = "times"), CJ_SHAPE(1, 3), x, 3),
           (double[]){4, 0.1166, 0.0580}, 3, 5e-5);
    expect(coded(cj_latency_code(5, .normalize = true), CJ_SHAPE(1, 3), x, 3),
           (double[]){0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0}, 15, 0);
    expect(coded(cj_latency_code(5, .normalize = true, .linear = true), CJ_SHAPE(1, 3), x, 3),
           (double[]){0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0}, 15, 0);
    expect(coded(cj_latency_code(5), CJ_SHAPE(1, 3), x, 3),
           (double[]){0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 15, 0);
    expect(coded(cj_latency_code(2, .clip = true), CJ_SHAPE(1, 2), (float[]){0.005f, 1}, 2),
           (double[]){0, 1, 0, 0}, 4, 0);
}

static void changes_are_those_of_snntorch(void **state)
{
    static const float x[] = {0, 0.2f, 0.9f, 0.9f, 0.3f, 1.2f};
    (void)state;
    expect(coded(cj_delta_code(0.3, .off_spike = true), CJ_SHAPE(1, 6, 1), x, 6),
           (double[]){0, 0, 1, 0, -1, 1}, 6, 0);
    expect(coded(cj_delta_code(0.3), CJ_SHAPE(1, 6, 1), x, 6), (double[]){0, 0, 1, 0, 0, 1}, 6, 0);
    expect(coded(cj_delta_code(0.3), CJ_SHAPE(1, 2, 1), (float[]){1, 1}, 2), (double[]){1, 0}, 2,
           0);
    expect(coded(cj_delta_code(0.3, .padding = true), CJ_SHAPE(1, 2, 1), (float[]){1, 1}, 2),
           (double[]){0, 0}, 2, 0);
}

static void a_population_has_centers_in_between(void **state)
{
    (void)state;
    expect(coded(cj_population_code(3), CJ_SHAPE(1, 1), (float[]){0.5f}, 1),
           (double[]){exp(-0.5), 1, exp(-0.5)}, 3, 1e-6);
}

// The share of spikes is the rate: within four standard deviations of 20,000
// draws.
static void rates_are_drawn(void **state)
{
    static const float x[] = {0, 0.1f, 0.5f, 0.9f, 1};
    (void)state;
    for (int poisson = 0; poisson < 2; poisson++) {
        cj_layer *code =
            cj_rate_code(20000, .seed = 3, .distribution = poisson ? "poisson" : "bernoulli");
        cj_tensor *y = coded(code, CJ_SHAPE(1, 5), x, 5);
        for (int i = 0; i < 5; i++) {
            const double p = poisson ? 1 - exp(-(double)x[i]) : (double)x[i];
            double sum = 0;
            for (int t = 0; t < 20000; t++)
                sum += (double)((float *)cj_tensor_data(y))[t * 5 + i];
            assert_near(sum / 20000, p, 4 * sqrt(p * (1 - p) / 20000), 0);
        }
        cj_release(y);
    }
}

// ---- Learning ----

// Two thirds of a sequence of 12 entries say which of three classes it is.
static void make_data(cj_dataset **data)
{
    cj_tensor *x = NULL, *y = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(96, 12, 3), &x), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_U8, CJ_SHAPE(96), &y), CJ_OK);
    uint32_t random = 5;
    for (int i = 0; i < 96; i++) {
        ((uint8_t *)cj_tensor_data(y))[i] = (uint8_t)(i % 3);
        for (int t = 0; t < 12; t++) {
            random = random * 1664525U + 1013904223U;
            const uint32_t one = (random >> 16) % 3,
                           at = one ? (uint32_t)(i % 3) : (random >> 24) % 3;
            ((float *)cj_tensor_data(x))[(i * 12 + t) * 3 + (int)at] = 1;
        }
    }
    *data = cj_dataset(.x = {x}, .y = {y});
    assert_non_null(*data);
}

static cj_model *learner(int threads)
{
    cj_model *model =
        cj_sequential(cj_input(12, 3), cj_dense(24),
                      cj_lif(0.9, .recurrent = "dense", .learn_beta = true, .refractory = 1,
                             .activity_regularizer = "l1(1e-5)"),
                      cj_dense(3), cj_cuba_lif(0.9, .alpha = 0.5, .learn_threshold = true));
    assert_non_null(model);
    assert_int_equal(cj_model_set_seed(model, 3), CJ_OK);
    assert_int_equal(cj_model_reset_weights(model), CJ_OK);
    if (cj_compile(model, .optimizer = cj_adam(0.01), .loss = "spike_count_crossentropy",
                   .metrics = {"spike_count_accuracy"}, .pool = cj_pool_new(threads)) != CJ_OK)
        fail_msg("%s", cj_error());
    return model;
}

static void a_network_learns_with_the_same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    cj_dataset *data;
    cj_results *before = NULL, *after = NULL;
    make_data(&data);
    cj_model *one = learner(1), *three = learner(3);
    assert_int_equal(cj_evaluate(one, data, &before), CJ_OK);
    assert_int_equal(cj_fit(one, data, .epochs = 12, .batch_size = 16), CJ_OK);
    assert_int_equal(cj_fit(three, data, .epochs = 12, .batch_size = 16), CJ_OK);
    assert_int_equal(cj_evaluate(one, data, &after), CJ_OK);
    assert_true(cj_results_value(after, "loss") < 0.5 * cj_results_value(before, "loss"));
    assert_true(cj_results_value(after, "spike_count_accuracy") > 0.9);
    const cj_layer *a = cj_model_layer(one), *b = cj_model_layer(three);
    for (int i = 0; i < cj_layer_variable_count(a); i++) {
        const cj_tensor *v = cj_variable_value(cj_layer_variable(a, i)),
                        *w = cj_variable_value(cj_layer_variable(b, i));
        assert_memory_equal(cj_tensor_data(v), cj_tensor_data(w),
                            (size_t)cj_tensor_count(v) * sizeof(float));
    }
    cj_release(before), cj_release(after), cj_release(one), cj_release(three), cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_those_of_snntorch),
        cmocka_unit_test(gradients_are_those_of_snntorch),
        cmocka_unit_test(metrics_count_spikes),
        cmocka_unit_test(predictions_without_steps_have_a_sentence),
        cmocka_unit_test(latencies_are_those_of_snntorch),
        cmocka_unit_test(changes_are_those_of_snntorch),
        cmocka_unit_test(a_population_has_centers_in_between),
        cmocka_unit_test(rates_are_drawn),
        cmocka_unit_test(a_network_learns_with_the_same_bits_on_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
