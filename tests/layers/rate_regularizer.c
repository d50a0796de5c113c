// The regularizer of spikes towards a rate: its value, its gradient by training, and what it refuses.
#include "support.h"

#include <cajal.h>

enum { STEPS = 8 };

// Two neurons that fire in every second step and in each one.
static double penalty_of(const char *spec)
{
    cj_tensor *x = NULL, *y = NULL;
    cj_results *results = NULL;
    cj_model *model = cj_sequential(
        cj_input(STEPS, 2),
        cj_integrate_fire(.firing = "reached", .reset_time = "same", .activity_regularizer = spec));
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(3, STEPS, 2), &x), CJ_OK);
    for (int i = 0; i < 3 * STEPS * 2; i++)
        ((float *)cj_tensor_data(x))[i] = i % 2 ? 1 : 0.5f;
    if (!model || cj_predict(model, x, &y) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
    assert_int_equal(cj_compile(model, .loss = "mean_squared_error"), CJ_OK);
    assert_int_equal(cj_evaluate(model, data, &results), CJ_OK);
    const double loss = cj_results_value(results, "loss");
    cj_release(results), cj_release(data), cj_release(model);
    return loss;
}

static void it_is_the_mean_square_distance_of_the_rates(void **state)
{
    (void)state;
    assert_near(penalty_of("spike_rate(rate=0.1, factor=2)"), 2 * (0.16 + 0.81) / 2, 1e-6, 0);
    assert_near(penalty_of("spike_rate(rate=0.5, factor=1)"), 0.125, 1e-6, 0);
    assert_near(penalty_of("spike_rate"), 0.01 * (0.16 + 0.81) / 2, 1e-8, 0);
}

static double rate_after(const char *spec)
{
    cj_dataset *train, *test;
    cj_model *model =
        cj_sequential(cj_input(28, 28, 1), cj_rescaling(1.0 / 255), cj_flatten(), cj_dense(20),
                      cj_lif(0.9, .steps = 10, .activity_regularizer = spec), cj_dense(10),
                      cj_lif(0.9, .output = "membrane"));
    cj_spike_activity rows[3];
    int count = 0;
    assert_int_equal(cj_load_digits(&train, &test, .train_count = 512, .test_count = 64), CJ_OK);
    assert_int_equal(cj_compile(model, .optimizer = cj_adam(5e-3), .loss = "step_crossentropy"),
                     CJ_OK);
    assert_int_equal(cj_fit(model, train, .epochs = 6), CJ_OK);
    assert_int_equal(cj_spike_activities(model, cj_dataset_x(test, 0), rows, 3, &count), CJ_OK);
    cj_release(train), cj_release(test), cj_release(model);
    return rows[1].rate;
}

static void training_brings_rates_to_what_is_wanted(void **state)
{
    (void)state;
    const double free = rate_after(NULL), low = rate_after("spike_rate(rate=0.05, factor=50)");
    print_message("rate %.3f, with 0.05 wanted %.3f\n", free, low);
    assert_true(low < 0.5 * free);
    assert_near(low, 0.05, 0.05, 0);
}

static void what_is_no_sequence_is_refused(void **state)
{
    (void)state;
    cj_model *flat =
        cj_sequential(cj_input(4), cj_lif(0.9, .steps = 3, .return_sequences = false,
                                          .activity_regularizer = "spike_rate(rate=0.1)"));
    assert_null(flat);
    assert_error_contains("spike_rate is for sequences");
    assert_null(cj_lif(0.9, .activity_regularizer = "spike_rate(rate=-1)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_mean_square_distance_of_the_rates),
        cmocka_unit_test(training_brings_rates_to_what_is_wanted),
        cmocka_unit_test(what_is_no_sequence_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
