// Schedules against Keras: rates at some steps, and models trained by them; see
// generator/schedules.py.
#include "trained.h"

#include <cajal.h>

static bool rates_equal_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    cj_tensor *steps = fixture_tensor(file, name, "steps"),
              *rates = fixture_tensor(file, name, "rates");
    bool right = true;
    for (int64_t i = 0; right && i < cj_tensor_count(steps); i++) {
        const int32_t step = ((const int32_t *)cj_tensor_data(steps))[i];
        double rate = 0;
        right = cj_schedule_rate(fixture_text(one, "spec"), step, &rate) == CJ_OK &&
                fixture_near(file, name, fixture_part("step ", step), rate,
                             (double)((const float *)cj_tensor_data(rates))[i]);
    }
    cj_release(steps);
    cj_release(rates);
    return right;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    return *fixture_text(one, "model") ? trained_equals_keras(file, one) :
                                         rates_equal_keras(file, one);
}

static void schedules_equal_keras(void **state)
{
    (void)state;
    fixture_run("schedules", equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(schedules_equal_keras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
