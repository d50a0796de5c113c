// Architectures as JSON text: an input that begins like JSON is taken as it is, any other changes
// the architecture of a model of many kinds of layers (mutate_json.h). What is read is written and
// read again, to the same text.
#include "mutate_json.h"
#include <cajal.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *architecture(void)
{
    char *json = NULL;
    cj_layer *shared = cj_dense(4, .name = "shared", .kernel_regularizer = "l2(0.01)");
    cj_symbol *inner = cj_input_symbol(4), *image = cj_input_symbol(6, 6, 1),
              *words = cj_input_symbol(5);
    cj_model *nested =
        cj_functional(.inputs = {inner}, .outputs = {cj_apply(shared, inner)}, .name = "nested");
    cj_symbol *pixels = cj_apply(
        cj_dense(4),
        cj_apply(cj_flatten(),
                 cj_apply(cj_max_pooling2d(),
                          cj_apply(cj_batch_normalization(),
                                   cj_apply(cj_conv2d(2, {3, 3}, .activation = "relu"), image)))));
    cj_symbol *sense =
        cj_apply(cj_simple_rnn(4), cj_apply(cj_embedding(7, 3, .mask_zero = true), words));
    cj_symbol *sum =
        cj_merge(cj_add(), cj_apply(cj_model_layer(nested), pixels), cj_apply(shared, sense));
    cj_model *model =
        cj_functional(.inputs = {image, words}, .outputs = {cj_apply(cj_softmax(), sum), sense});
    if (!model || cj_model_to_json(model, &json) != CJ_OK)
        abort();
    cj_release(model);
    return json;
}

// The text that an input stands for; freed by the caller.
static char *text_of(const uint8_t *data, size_t size, size_t *length)
{
    static json_t *whole; // kept for all inputs
    if (!whole) {
        char *json = architecture();
        whole = json_loads(json, 0, NULL);
        cj_free(json);
    }
    if (size && strchr("{[\" \t\n", data[0])) {
        char *copy = malloc(size);
        memcpy(copy, data, size);
        *length = size;
        return copy;
    }
    json_t *changed = json_deep_copy(whole);
    mutate_json(changed, data, size);
    char *text = json_dumps(changed, JSON_COMPACT);
    json_decref(changed);
    *length = strlen(text);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *first = NULL, *second = NULL;
    size_t length = 0;
    char *text = text_of(data, size, &length);
    cj_error_clear();
    cj_model *model = cj_model_from_json(text, length);
    free(text);
    if (!model)
        return *cj_error() ? 0 : (abort(), 1);
    if (cj_model_to_json(model, &first) != CJ_OK) {
        fprintf(stderr, "%s\n", cj_error());
        abort();
    }
    cj_model *again = cj_model_from_json(first, strlen(first));
    if (!again || cj_model_to_json(again, &second) != CJ_OK || strcmp(first, second) != 0) {
        fprintf(stderr, "%s\n%s\n%s\n", cj_error(), first, second ? second : "");
        abort();
    }
    cj_release(again);
    cj_free(first);
    cj_free(second);
    cj_release(model);
    return 0;
}
