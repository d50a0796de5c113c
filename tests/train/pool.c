// cj_model_set_pool(): other threads, the same bits.
#include "support.h"
#include <cajal.h>
#include <string.h>

enum { SAMPLES = 64, WIDTH = 40 };

static cj_dataset *make_data(void)
{
    cj_tensor *x, *y;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, WIDTH), &x), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, 1), &y), CJ_OK);
    for (int i = 0; i < SAMPLES * WIDTH; i++)
        ((float *)cj_tensor_data(x))[i] = (float)(i % 17) / 17;
    for (int i = 0; i < SAMPLES; i++)
        ((float *)cj_tensor_data(y))[i] = (float)(i % 5) / 5;
    return cj_take(cj_dataset(.x = {x}, .y = {y}));
}

static cj_model *make_model(void)
{
    cj_model *model = cj_sequential(cj_input(WIDTH), cj_dense(300, .activation = "relu"),
                                    cj_dropout(0.3), cj_dense(1));
    assert_int_equal(
        cj_compile(model, .optimizer = cj_adam(), .loss = "mse", .pool = cj_pool_new(1)), CJ_OK);
    return model;
}

static void other_threads_give_the_same_bits(void **state)
{
    (void)state;
    cj_dataset *data = make_data();
    cj_model *one = make_model(), *other = make_model();
    cj_tensor *a, *b;
    assert_int_equal(cj_fit(one, data, .epochs = 4), CJ_OK);
    assert_int_equal(cj_fit(other, data, .epochs = 2), CJ_OK);
    assert_int_equal(cj_model_set_pool(other, cj_pool_new(3)), CJ_OK);
    assert_int_equal(cj_fit(other, data, .epochs = 1), CJ_OK);
    assert_int_equal(cj_model_set_pool(other, &cj_default_pool), CJ_OK);
    assert_int_equal(cj_fit(other, data, .epochs = 1), CJ_OK);
    assert_int_equal(cj_predict(one, cj_dataset_x(data, 0), &a), CJ_OK);
    assert_int_equal(cj_predict(other, cj_dataset_x(data, 0), &b), CJ_OK);
    assert_memory_equal(cj_tensor_data(a), cj_tensor_data(b), SAMPLES * sizeof(float));
    cj_release(a);
    cj_release(b);
    cj_release(one);
    cj_release(other);
    cj_release(data);
}

static void what_is_not_compiled_has_no_threads(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(3), cj_dense(1));
    assert_int_equal(cj_model_set_pool(model, cj_pool_new(1)), CJ_NOT_BUILT);
    assert_int_equal(cj_model_set_pool(model, NULL), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_model_set_pool(NULL, cj_pool_new(1)), CJ_INVALID_ARGUMENT);
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_threads_give_the_same_bits),
        cmocka_unit_test(what_is_not_compiled_has_no_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
