// Constraints in training: after each step, of trained weights alone, and the same bits for any
// number of threads; their sentences.
#include "problems.h"

#include <math.h>
#include <string.h>

static const float *weight(const cj_model *model, int index)
{
    return cj_tensor_data(
        (cj_tensor *)(uintptr_t)cj_variable_value(cj_layer_variable(cj_model_layer(model), index)));
}

static double norm(const float *w, int64_t count, int64_t stride)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)w[i * stride] * (double)w[i * stride];
    return sqrt(sum);
}

static cj_model *classifier(cj_pool *pool)
{
    cj_model *model = cj_sequential(
        cj_input(4), cj_dense(8, .activation = "relu", .kernel_constraint = "max_norm(0.5)"),
        cj_dense(3, .activation = "softmax", .kernel_constraint = "unit_norm(axis=1)",
                 .bias_constraint = "non_neg"));
    assert_ok(cj_compile(model, .optimizer = cj_adam(.learning_rate = 0.01), .pool = pool,
                         .loss = "sparse_categorical_crossentropy"));
    return model;
}

static void weights_obey_after_every_step(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(32);
    cj_pool *pool = cj_pool_new(1);
    cj_model *model = classifier(pool);
    for (int step = 0; step < 5; step++) {
        assert_ok(cj_train_on_batch(model, data, NULL));
        for (int unit = 0; unit < 8; unit++) {
            assert_true(norm(weight(model, 0) + unit, 4, 8) <= 0.5 + 1e-6);
            assert_near(norm(weight(model, 2) + 3 * unit, 3, 1), 1, 1e-5, 0);
        }
        for (int unit = 0; unit < 3; unit++)
            assert_true(weight(model, 3)[unit] >= 0);
    }
    cj_release(model); // and with it the pool
    cj_release(data);
}

static void frozen_weights_are_left_alone(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(32);
    cj_pool *pool = cj_pool_new(1);
    cj_model *model = classifier(pool);
    float before[32];
    cj_set_trainable(cj_model_layer_at(model, 0), false);
    assert_ok(cj_compile(model, .optimizer = cj_sgd(), .loss = "sparse_categorical_crossentropy"));
    memcpy(before, weight(model, 0), sizeof before);
    assert_ok(cj_train_on_batch(model, data, NULL));
    assert_memory_equal(before, weight(model, 0), sizeof before);
    cj_release(model);
    cj_release(data);
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(200);
    cj_model *first = NULL;
    for (int threads = 1; threads < 6; threads += 2) {
        cj_pool *pool = cj_pool_new(threads);
        cj_model *model = classifier(pool);
        assert_ok(cj_fit(model, data, .epochs = 2, .batch_size = 16, .verbose = 0));
        assert_true(!first || problem_same_weights(first, model));
        if (first)
            cj_release(model);
        else
            first = model;
    }
    cj_release(first);
    cj_release(data);
}

static void wrong_constraints_are_answered_with_what_was_meant(void **state)
{
    (void)state;
    assert_null(cj_dense(3, .kernel_constraint = "maxnrom"));
    assert_error_contains("did you mean");
    assert_null(cj_dense(3, .kernel_constraint = "max_norm(max_valu=1)"));
    assert_error_contains("did you mean \"max_value\"");
    assert_null(cj_dense(3, .kernel_constraint = "max_norm(max_value=-1)"));
    assert_error_contains("max_value");
    assert_null(cj_dense(3, .kernel_constraint = "unit_norm(axis=9)"));
    assert_error_contains("axis has 9, which is the number of no axis");
    assert_null(cj_sequential(cj_input(4), cj_dense(2, .bias_constraint = "unit_norm(axis=1)")));
    assert_error_contains("dense: axis 1 of a constraint is none of a weight of 1 axes");
}

// A struct of a program that was built before there were constraints ends before them.
static void older_programs_have_no_constraints(void **state)
{
    (void)state;
    cj_dense_args args = {CJ_DENSE_DEFAULTS, .units = 2, .kernel_constraint = "nonsense"};
    args.size = offsetof(cj_dense_args, kernel_constraint);
    cj_layer *layer = cj_dense_new(&args);
    assert_non_null(layer);
    cj_release(layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_obey_after_every_step),
        cmocka_unit_test(frozen_weights_are_left_alone),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(wrong_constraints_are_answered_with_what_was_meant),
        cmocka_unit_test(older_programs_have_no_constraints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
