// Every kind of layer through a model file and through JSON, there and back: the same bits, the same
// text. With a folder as argument each layer is put there with its weights, inputs and output, for
// tests/parity/load_layers.py.
#include "layers/models.h"
#include "tensor/strings.h"

#include <cajal/files.h>
#include <cajal/train.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        cj_tensor *a = model_predicted(model, &samples[i]),
                  *b = model_predicted(again, &samples[i]);
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

static const char *folder;

// A text as JSON has it.
static void put_text(FILE *file, const char *text)
{
    fputc('"', file);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < ' ' || *c == '"' || *c == '\\')
            fprintf(file, "\\u%04x", *c);
        else
            fputc(*c, file);
    fputc('"', file);
}

static void put_tensor(FILE *file, const char *key, const cj_tensor *tensor)
{
    const cj_shape *shape = cj_tensor_shape(tensor);
    fprintf(file, "{\"key\": \"%s\", \"shape\": [", key);
    for (int i = 0; i < shape->rank; i++)
        fprintf(file, "%s%lld", i ? ", " : "", (long long)shape->dims[i]);
    fprintf(file, "], \"values\": [");
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++) {
        fputs(i ? ", " : "", file);
        if (cj_tensor_dtype(tensor) == CJ_STRING)
            put_text(file, cj__string_at(tensor->data, i).data);
        else
            fprintf(file, "%.9g", cj__element_get(cj_tensor_dtype(tensor), tensor->data, i));
    }
    fprintf(file, "]}");
}

static void put(const sample *s, cj_model *model)
{
    char path[512], *json = NULL;
    cj_tensor *inputs[MODEL_INPUTS], *y = NULL;
    snprintf(path, sizeof path, "%s/%s.json", folder, s->class_name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    model_inputs(model, s, 3, inputs);
    assert_int_equal(cj_predict_many(model, inputs, &y), CJ_OK);
    fprintf(file, "{\"model\": %s, \"weights\": [", json);
    for (int i = 0; i < cj_layer_variable_count(cj_model_layer(model)); i++) {
        fprintf(file, i ? ", " : "");
        put_tensor(file, "w", cj_variable_value(cj_layer_variable(cj_model_layer(model), i)));
    }
    fprintf(file, "], \"inputs\": [");
    for (int i = 0; i < cj_model_input_count(model); i++) {
        fprintf(file, i ? ", " : "");
        put_tensor(file, "x", inputs[i]);
    }
    fprintf(file, "], \"output\": ");
    put_tensor(file, "y", y);
    fprintf(file, "}");
    fclose(file);
    cj_free(json);
    cj_release(y);
    model_inputs_free(model, inputs);
}

static void every_kind_is_put(void **state)
{
    (void)state;
    for (size_t i = 0; folder && i < sample_count; i++) {
        cj_layer *layer;
        cj_model *model = model_of(&samples[i], false, &layer);
        if (model && !layer->kind->of_program)
            put(&samples[i], model);
        cj_release(model);
    }
}

int main(int count, char **arguments)
{
    folder = count > 1 ? arguments[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_put),
        cmocka_unit_test(every_kind_is_saved_and_loaded),
        cmocka_unit_test(json_comes_back_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
