#include "problems.h"
#include "base/random.h"
#include <string.h>

cj_tensor *problem_tensor(cj_shape shape, const float *values)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_from(CJ_F32, shape, values, (size_t)cj_shape_count(&shape), &tensor),
                     CJ_OK);
    return tensor;
}

cj_dataset *problem_classes(int64_t count)
{
    const uint64_t key = cj__key(3, "points");
    cj_tensor *x = NULL, *y = NULL;
    if (cj_tensor_new(CJ_F32, CJ_SHAPE(count, 4), &x) != CJ_OK ||
        cj_tensor_new(CJ_U8, CJ_SHAPE(count), &y) != CJ_OK) {
        cj_release(x);
        return NULL;
    }
    for (int64_t i = 0; i < count; i++) {
        const uint8_t class = (uint8_t)(cj__random_word(key, 1, (uint64_t)i) % 3);
        ((uint8_t *)cj_tensor_data(y))[i] = class;
        for (int64_t j = 0; j < 4; j++)
            ((float *)cj_tensor_data(x))[i * 4 + j] =
                (float)(0.4 * cj__random_normal(key, 2, (uint64_t)(i * 4 + j)) +
                        (j == class ? 1.5 : 0));
    }
    return cj_dataset(.x = {x}, .y = {y});
}

cj_dataset *problem_images(int64_t count)
{
    const uint64_t key = cj__key(4, "images");
    cj_tensor *x = NULL, *y = NULL;
    if (cj_tensor_new(CJ_U8, CJ_SHAPE(count, 8, 8, 1), &x) != CJ_OK ||
        cj_tensor_new(CJ_U8, CJ_SHAPE(count), &y) != CJ_OK) {
        cj_release(x);
        return NULL;
    }
    for (int64_t i = 0; i < count; i++) {
        const uint32_t class = cj__random_word(key, 1, (uint64_t)i) % 4;
        ((uint8_t *)cj_tensor_data(y))[i] = (uint8_t) class;
        for (uint32_t p = 0; p < 64; p++) {
            const bool bright = p / 32 == class / 2 && p % 8 / 4 == class % 2;
            ((uint8_t *)cj_tensor_data(x))[i * 64 + p] =
                (uint8_t)(cj__random_word(key, 2, (uint64_t)i * 64 + p) % 128 + (bright ? 100 : 0));
        }
    }
    return cj_dataset(.x = {x}, .y = {y});
}

cj_model *problem_model(void)
{
    cj_model *model = cj_sequential(cj_input(4), cj_dense(8, .activation = "relu"),
                                    cj_dense(3, .activation = "softmax"));
    return model;
}

bool problem_same_weights(const cj_model *a, const cj_model *b)
{
    const cj_layer *one = cj_model_layer(a), *two = cj_model_layer(b);
    bool same = cj_layer_variable_count(one) == cj_layer_variable_count(two);
    for (int i = 0; same && i < cj_layer_variable_count(one); i++) {
        const cj_tensor *x = cj_variable_value(cj_layer_variable(one, i));
        const cj_tensor *y = cj_variable_value(cj_layer_variable(two, i));
        same = cj_tensor_count(x) == cj_tensor_count(y) &&
               memcmp(cj_tensor_data(x), cj_tensor_data(y),
                      (size_t)cj_tensor_count(x) * cj_dtype_size(cj_tensor_dtype(x))) == 0;
    }
    return same;
}
