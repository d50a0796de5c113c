// The functions of text.h on layers: a vocabulary set and read, and a layer applied outside of a model.
#include "base/memory.h"
#include "layers/lookup.h"

#include <string.h>

static cj__lookup *texts_of(const cj_layer *layer)
{
    cj__lookup *l = cj__lookup_of(layer);
    return l && layer->kind != &cj__layer_integer_lookup ? l : NULL;
}

cj_status cj_set_vocabulary(cj_layer *layer, cj_texts vocabulary, cj_numbers idf_weights)
{
    static const cj__field rows[] = {
        {.key = "vocabulary",
         .kind = CJ__FIELD_TEXTS,
         .offset = offsetof(cj__learnt, texts),
         .required = true},
        {.key = "idf_weights", .kind = CJ__FIELD_NUMBERS, .offset = offsetof(cj__learnt, idf)},
    };
    cj__learnt copies = {.texts = vocabulary, .idf = idf_weights};
    if (!layer)
        return cj__fail_missing_of(CJ__MADE_LAYER, "cj_set_vocabulary", "the layer");
    if (!texts_of(layer))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: a %s has no vocabulary of texts", layer->name,
                        layer->kind->choice.class_name);
    CJ_TRY(cj__fields_resolve(rows, 2, &copies, layer->name));
    CJ_TRY(cj__lookup_replace(layer, copies.texts, copies.numbers, copies.idf));
    texts_of(layer)->given = true;
    return CJ_OK;
}

int64_t cj_vocabulary_size(const cj_layer *layer)
{
    return cj__lookup_of(layer) ? cj__lookup_size(layer) : 0;
}

const char *cj_vocabulary_token(const cj_layer *layer, int64_t index)
{
    const cj__lookup *l = texts_of(layer);
    if (!l || index < 0 || index >= cj__lookup_size(layer))
        return NULL;
    const cj__lookup_settings s = cj__lookup_settings_of(layer);
    const cj__lookup_attrs attrs = cj__lookup_attrs_of(layer);
    if (index < attrs.first)
        return s.masked && index < attrs.oov ? s.mask : s.oov ? s.oov : "";
    return cj__string_at(l->vocabulary->tokens->data, index - attrs.first + s.masked).data;
}

// ---- Applying ----

// The indices that the longest of the texts has, at least 1.
static int64_t longest(const cj_layer *layer, const cj_tensor *input)
{
    const cj__text_attrs attrs = {.rules = cj__text_rules_of(layer)};
    const int64_t count = cj_tensor_count(input),
                  samples = cj_tensor_shape(input)->rank ? cj_tensor_shape(input)->dims[0] : 1;
    int64_t most = 1;
    for (int64_t i = 0; i < samples; i++) {
        int64_t sum = 0;
        for (int64_t j = 0; j < count / samples; j++) {
            const cj_text text = cj__string_at(input->data, i * (count / samples) + j);
            sum += cj__text_indices(&attrs, &text, 1, NULL);
        }
        most = sum > most ? sum : most;
    }
    return most;
}

// Whether the length of rows is free.
static bool is_free(const cj_layer *layer)
{
    const cj_text_vectorization_args *a = layer->args;
    return layer->kind == &cj__layer_text_vectorization && a->output_sequence_length == -1 &&
           strcmp(a->output_mode, "int") == 0;
}

static cj_status append(cj_layer *layer, cj__trace *trace, const cj_tensor *input, cj_symbol *x,
                        cj_symbol **y)
{
    const cj__value given = {.symbol = x};
    cj__value outputs[CJ__LAYER_FEW] = {{NULL, NULL}};
    cj__layer_context c = {.layer = layer,
                           .trace = trace,
                           .build = &trace->build,
                           .inputs = &given,
                           .input_count = 1,
                           .outputs = outputs,
                           .output_count = 1};
    if (is_free(layer))
        outputs[0].symbol = cj__token_indices(&c, longest(layer, input));
    else
        CJ_TRY(layer->kind->call(&c));
    *y = c.outputs[0].symbol;
    return trace->build.status;
}

static cj_status run(cj_symbol *x, cj_symbol *y, cj_tensor *input, cj_tensor **output)
{
    const cj__type *type = cj__symbol_type(y);
    CJ_TRY(cj_tensor_new(type->dtype, type->shape, output));
    cj_function *function =
        cj_function(.inputs = &x, .input_count = 1, .outputs = &y, .output_count = 1);
    cj_status status = function ? cj_function_call(function, &input, output) : cj_error_status();
    cj_release(function);
    if (status != CJ_OK) {
        cj_release(*output);
        *output = NULL;
    }
    return status;
}

static cj_status check_layer(const cj_layer *layer, const cj_tensor *input)
{
    if (!cj__lookup_of(layer) && layer->kind != &cj__layer_hashing)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: a %s is applied within a model only; cj_vectorize() takes "
                        "TextVectorization, StringLookup, IntegerLookup and Hashing",
                        layer->name, layer->kind->choice.class_name);
    if (cj_tensor_count(input) < 1 || cj_tensor_shape(input)->rank < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: there is nothing to apply it to", layer->name);
    return cj__lookup_of(layer) ? cj__lookup_need(layer, true) : CJ_OK;
}

cj_status cj_vectorize(cj_layer *layer, const cj_tensor *input, cj_tensor **output)
{
    cj__trace trace = {.build = {0}};
    cj_tensor *whole = NULL;
    cj_symbol *y = NULL;
    if (!layer)
        return cj__fail_missing_of(CJ__MADE_LAYER, "cj_vectorize", "the layer");
    if (!input)
        return cj__fail_missing_of(CJ__MADE_TENSOR, "cj_vectorize", "the input");
    if (!output)
        return cj__fail_null("cj_vectorize: the place for the output");
    *output = NULL;
    CJ_TRY(check_layer(layer, input));
    if (!cj_tensor_contiguous(input))
        CJ_TRY(cj_tensor_convert(input, input->dtype, &whole));
    cj_tensor *given = whole ? whole : (cj_tensor *)(uintptr_t)input;
    cj_symbol *x =
        cj__build_keep(&trace.build, cj_symbol_input(given->dtype, given->shape, "input"));
    cj_status status = x ? append(layer, &trace, given, x, &y) : trace.build.status;
    if (status == CJ_OK)
        status = run(x, y, given, output);
    if (status != CJ_OK && status != CJ_OUT_OF_MEMORY &&
        strncmp(cj_error(), layer->name, strlen(layer->name)) != 0)
        status = cj__fail_in(status, "%s", layer->name);
    const cj_status ended = cj__trace_end(&trace);
    cj_release(whole);
    return status != CJ_OK ? status : ended;
}
