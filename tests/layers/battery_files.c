// Every kind of layer through a model file and through JSON, there and back: the same bits, the same
// text.
#include "layers/models.h"

#include <cajal/files.h>
#include <cajal/train.h>
#include <stdlib.h>
#include <string.h>

static cj_tensor *predicted(cj_model *model, const sample *s)
{
    cj_tensor *inputs[MODEL_INPUTS], *y = NULL;
    model_inputs(model, s, 3, inputs);
    if (cj_predict_many(model, inputs, &y) != CJ_OK)
        fail_msg("%s: %s", s->class_name, cj_error());
    model_inputs_free(model, inputs);
    return y;
}

static void assert_same_bits(const char *what, const cj_tensor *a, const cj_tensor *b)
{
    const cj_shape *shape = cj_tensor_shape(a);
    if (!cj_shape_equal(shape, cj_tensor_shape(b)) || cj_tensor_dtype(a) != cj_tensor_dtype(b) ||
        memcmp(cj_tensor_data((cj_tensor *)(uintptr_t)a), cj_tensor_data((cj_tensor *)(uintptr_t)b),
               (size_t)cj_tensor_count(a) * cj_dtype_size(cj_tensor_dtype(a))) != 0)
        fail_msg("%s: the results differ", what);
}

static void every_kind_is_saved_and_loaded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        cj_layer *layer;
        void *data = NULL;
        size_t size = 0;
        cj_model *model = model_of(&samples[i], true, &layer);
        if (!model)
            continue;
        const cj_status status = cj_save_memory(model, &data, &size);
        if (layer->kind->of_program) {
            assert_int_equal(status, CJ_UNSUPPORTED);
            cj_release(model);
            continue;
        }
        if (status != CJ_OK)
            fail_msg("%s: %s", samples[i].class_name, cj_error());
        cj_model *again = cj_load_memory(data, size);
        if (!again)
            fail_msg("%s: %s", samples[i].class_name, cj_error());
        cj_tensor *a = predicted(model, &samples[i]), *b = predicted(again, &samples[i]);
        assert_same_bits(samples[i].class_name, a, b);
        cj_release(a), cj_release(b);
        cj_release(model), cj_release(again);
        cj_free(data);
    }
}

static void json_comes_back_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        cj_layer *layer;
        char *first = NULL, *second = NULL;
        cj_model *model = model_of(&samples[i], true, &layer);
        if (!model)
            continue;
        if (layer->kind->of_program) {
            cj_release(model);
            continue;
        }
        if (cj_model_to_json(model, &first) != CJ_OK)
            fail_msg("%s: %s", samples[i].class_name, cj_error());
        cj_model *again = cj_model_from_json(first, strlen(first));
        if (!again || cj_model_to_json(again, &second) != CJ_OK)
            fail_msg("%s: %s\n%s", samples[i].class_name, cj_error(), first);
        assert_string_equal(first, second);
        cj_free(first), cj_free(second);
        cj_release(model), cj_release(again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_saved_and_loaded),
        cmocka_unit_test(json_comes_back_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
