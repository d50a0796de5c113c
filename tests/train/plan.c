// cj_plan(): the kernels of a step as a table, without a trace left in the model.
#include "problems.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cj_model *pictures(void)
{
    return cj_sequential(cj_input(28, 28, 1, .dtype = "uint8"), cj_rescaling(1.0 / 255),
                         cj_conv2d(8, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                         cj_flatten(), cj_dense(10, .activation = "softmax"));
}

// What a plan prints. To be freed.
static char *print(cj_model *model, bool training, int rounds)
{
    const char *path = support_path("plan.txt");
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    assert_ok(
        cj_plan(model, .batch_size = 8, .training = training, .rounds = rounds, .stream = stream));
    fclose(stream);
    size_t size = 0;
    char *bytes = support_read(path, &size), *text = calloc(size + 1, 1);
    memcpy(text, bytes, size);
    free(bytes);
    return text;
}

static void a_prediction_is_listed(void **state)
{
    (void)state;
    cj_model *model = pictures();
    char *text = print(model, false, 0);
    assert_non_null(strstr(text, "conv2d_pool"));
    assert_non_null(strstr(text, "matmul_bias_act"));
    assert_non_null(strstr(text, "batch 8"));
    assert_null(strstr(text, "share"));
    assert_null(strstr(text, "adam"));
    free(text);
    cj_release(model);
}

static void a_training_step_is_timed_and_undone(void **state)
{
    (void)state;
    cj_model *model = pictures(), *same = pictures();
    assert_ok(cj_compile(model, .optimizer = cj_adam(), .loss = "sparse_categorical_crossentropy"));
    char *text = print(model, true, 3);
    assert_non_null(strstr(text, "share"));
    assert_non_null(strstr(text, "adam"));
    assert_non_null(strstr(text, "filter_grad"));
    assert_non_null(strstr(text, "softmax_cross_entropy_both"));
    assert_true(problem_same_weights(model, same));
    free(text);
    cj_release(model);
    cj_release(same);
}

static void what_has_no_plan_is_told(void **state)
{
    (void)state;
    cj_model *model = pictures(), *blank = cj_sequential(cj_dense(3));
    assert_int_equal(cj_plan(model, .training = true), CJ_NOT_BUILT);
    assert_int_equal(cj_plan(blank, .batch_size = 1), CJ_NOT_BUILT);
    assert_int_equal(cj_plan(model, .batch_size = -1), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_plan((cj_model *)NULL, .batch_size = 1), CJ_INVALID_ARGUMENT);
    cj_release(model);
    cj_release(blank);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prediction_is_listed),
        cmocka_unit_test(a_training_step_is_timed_and_undone),
        cmocka_unit_test(what_has_no_plan_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
