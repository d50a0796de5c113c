// Layers whose inputs are arguments of a call: saved and loaded with all weights, and what Keras's
// JSON says of the call.
#include "support.h"

#include <cajal.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A block with a mask, a causal layer with scores, and one that is applied twice.
static cj_model *transformer(void)
{
    cj_symbol *words = cj_input_symbol(5, .dtype = "int32"), *mask = cj_input_symbol(5, 5);
    cj_symbol *x = cj_apply(cj_embedding(7, 4, .mask_zero = true), words), *both[2];
    cj_layer *shared = cj_multi_head_attention(2, 3, .use_causal_mask = true, .name = "shared");
    x = cj_merge(shared, x, x);
    x = cj_merge(cj_add(), x, cj_merge(shared, x, x));
    x = cj_merge(cj_multi_head_attention(1, 2, .use_gate = true), x, x, x, mask);
    if (cj_apply_many(cj_multi_head_attention(2, 2, .return_attention_scores = true),
                      (cj_symbol *[]){x, x}, 2, both, 2) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_symbol *y = cj_apply(cj_einsum_dense("...x,xy->...y", {3}, .bias_axes = "y"), both[0]);
    cj_model *model = cj_functional(.inputs = {words, mask}, .outputs = {y, both[1]});
    if (!model)
        fail_msg("%s", cj_error());
    return model;
}

static void saved_models_predict_the_same_bits(void **state)
{
    (void)state;
    cj_model *model = transformer(), *loaded = NULL;
    void *data = NULL;
    size_t size = 0;
    assert_int_equal(cj_model_set_seed(model, 9), CJ_OK);
    assert_int_equal(cj_save_memory(model, &data, &size), CJ_OK);
    loaded = cj_load_memory(data, size);
    if (!loaded)
        fail_msg("%s", cj_error());
    cj_tensor *x[2] = {NULL, NULL}, *a[2] = {NULL, NULL}, *b[2] = {NULL, NULL};
    assert_int_equal(cj_tensor_new(CJ_I32, CJ_SHAPE(2, 5), &x[0]), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 5, 5), &x[1]), CJ_OK);
    memcpy(cj_tensor_data(x[0]), (int32_t[]){1, 2, 3, 0, 0, 6, 5, 4, 3, 2}, 10 * sizeof(int32_t));
    for (int i = 0; i < 50; i++)
        ((float *)cj_tensor_data(x[1]))[i] = (float)(i % 3 != 0);
    assert_int_equal(cj_predict_many(model, x, a), CJ_OK);
    assert_int_equal(cj_predict_many(loaded, x, b), CJ_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cj_tensor_count(a[i]), i ? 2 * 2 * 5 * 5 : 2 * 5 * 3);
        assert_memory_equal(cj_tensor_data(a[i]), cj_tensor_data(b[i]),
                            (size_t)cj_tensor_count(a[i]) * sizeof(float));
        cj_release(a[i]);
        cj_release(b[i]);
    }
    cj_release(x[0]);
    cj_release(x[1]);
    cj_free(data);
    cj_release(loaded);
    cj_release(model);
}

static void calls_are_written_and_read(void **state)
{
    (void)state;
    cj_model *model = transformer();
    char *json = NULL, *again = NULL;
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    assert_non_null(strstr(json, "\"use_causal_mask\": true"));
    assert_non_null(strstr(json, "\"attention_mask\": {"));
    cj_model *read = cj_model_from_json(json, strlen(json));
    if (!read)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_model_to_json(read, &again), CJ_OK);
    assert_string_equal(json, again);
    // the second application of the shared layer without the mask of the first
    char *at = strstr(strstr(json, "\"use_causal_mask\": true") + 1, "\"use_causal_mask\": true");
    assert_non_null(at);
    memcpy(at, "\"use_causal_mask\":false ", strlen("\"use_causal_mask\": true"));
    cj_model *other = cj_model_from_json(json, strlen(json));
    if (!other)
        fail_msg("%s", cj_error());
    cj_free(again);
    assert_int_equal(cj_model_to_json(other, &again), CJ_OK);
    assert_non_null(strstr(again, "\"use_causal_mask\": true"));
    assert_null(
        strstr(strstr(again, "\"use_causal_mask\": true") + 1, "\"use_causal_mask\": true"));
    cj_free(json);
    cj_free(again);
    cj_release(other);
    cj_release(read);
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_models_predict_the_same_bits),
        cmocka_unit_test(calls_are_written_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
