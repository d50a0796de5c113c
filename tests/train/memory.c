// Every allocation failed in turn while a model is built, compiled, trained for one step and read:
// a status with a sentence each time, and nothing left behind.
#include "problems.h"

static cj_status build_and_train(void *context)
{
    cj_dataset *data = context;
    cj_model *model = cj_sequential(
        cj_input(4), cj_dense(5, .activation = "relu"), cj_batch_normalization(), cj_dropout(0.2),
        cj_dense(3, .activation = "softmax", .kernel_regularizer = "l2"));
    cj_optimizer *optimizer = cj_adam(.clipnorm = 1);
    cj_pool *pool = cj_pool_new(1);
    cj_results *results = NULL;
    if (!model || !optimizer || !pool) {
        cj_release(model), cj_release(optimizer), cj_release(pool);
        return cj_error_status();
    }
    cj_status status =
        cj_compile(model, .optimizer = optimizer, .loss = "sparse_categorical_crossentropy",
                   .metrics = {"accuracy"}, .pool = pool);
    if (status == CJ_OK)
        status = cj_train_on_batch(model, data, &results);
    cj_release(results);
    cj_release(model);
    return status;
}

static cj_status fit_and_predict(void *context)
{
    cj_dataset *data = context;
    cj_model *model =
        cj_sequential(cj_input(4), cj_dense(3), cj_batch_normalization(), cj_activation("softmax"));
    cj_pool *pool = cj_pool_new(1);
    cj_tensor *output = NULL;
    if (!model || !pool) {
        cj_release(model), cj_release(pool);
        return cj_error_status();
    }
    cj_status status = cj_compile(model, .loss = "sparse_categorical_crossentropy", .pool = pool);
    if (status == CJ_OK)
        status = cj_fit(model, data, .batch_size = 3, .validation_split = 0.5);
    if (status == CJ_OK)
        status = cj_predict(model, cj_dataset_x(data, 0), &output);
    cj_release(output);
    cj_release(model);
    return status;
}

static void failing_allocations_of_a_step(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(6);
    support_fail_each_allocation(build_and_train, data);
    cj_release(data);
}

static void failing_allocations_of_fit_and_predict(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(8);
    support_fail_each_allocation(fit_and_predict, data);
    cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing_allocations_of_a_step),
        cmocka_unit_test(failing_allocations_of_fit_and_predict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
