// TextVectorization: texts standardized, split and looked up in one op, so that nothing is copied.
#include "layers/lookup.h"

#include <string.h>

CJ__DEFAULTS(text_vectorization, TEXT_VECTORIZATION)

static const char *const standards[] = {"lower_and_strip_punctuation", "lower", "strip_punctuation",
                                        NULL};
static const char *const splits[] = {"whitespace", "character", NULL};
static const char *const modes[] = {"int", "multi_hot", "count", "tf_idf", NULL};

static const cj__field fields[] = {
    CJ__FIELD(cj_text_vectorization_args, max_tokens, CJ__FIELD_SEED),
    CJ__FIELD(cj_text_vectorization_args, standardize, CJ__FIELD_TEXT, .words = standards),
    CJ__FIELD(cj_text_vectorization_args, split, CJ__FIELD_TEXT, .words = splits),
    CJ__FIELD(cj_text_vectorization_args, ngrams, CJ__FIELD_LIST, .low = 1, .high = CJ__NGRAM_MAX,
              .up_to = true),
    CJ__FIELD(cj_text_vectorization_args, output_mode, CJ__FIELD_TEXT, .required = true,
              .words = modes),
    CJ__FIELD(cj_text_vectorization_args, output_sequence_length, CJ__FIELD_SEED),
    CJ__FIELD(cj_text_vectorization_args, pad_to_max_tokens, CJ__FIELD_BOOL),
    CJ__FIELD(cj_text_vectorization_args, vocabulary, CJ__FIELD_TEXTS),
    CJ__FIELD(cj_text_vectorization_args, idf_weights, CJ__FIELD_NUMBERS),
    CJ__LAYER_FIELDS(cj_text_vectorization_args),
};

static const cj__config_key keys[] = {
    CJ__KEY_ONLY("sparse", "false"),          CJ__KEY_ONLY("ragged", "false"),
    CJ__KEY_ONLY("encoding", "utf-8"),        CJ__KEY_HARMLESS("vocabulary_size"),
    CJ__KEY_HARMLESS("has_input_vocabulary"), {.key = NULL},
};

cj__text_rules cj__text_rules_of(const cj_layer *layer)
{
    const cj_text_vectorization_args *a = layer->args;
    const char *standard = a->standardize ? a->standardize : "";
    cj__text_rules rules = {.lower = strncmp(standard, "lower", 5) == 0,
                            .strip = strstr(standard, "strip") != NULL,
                            .split = !a->split                     ? CJ__SPLIT_NONE :
                                     strcmp(a->split, "character") ? CJ__SPLIT_WHITESPACE :
                                                                     CJ__SPLIT_CHARACTER};
    for (int i = 0; i < CJ__NGRAM_MAX && a->ngrams[i] != 0; i++)
        rules.ngrams[rules.ngram_count++] = (uint8_t)a->ngrams[i];
    return rules;
}

static cj_status check(cj_layer *layer)
{
    const cj_text_vectorization_args *a = layer->args;
    const bool whole = strcmp(a->output_mode, "int") == 0;
    if (a->output_sequence_length == 0 || a->output_sequence_length > INT32_MAX)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: output_sequence_length %lld, needs 1 or more, or -1 for none",
                        layer->name, (long long)a->output_sequence_length);
    if (a->output_sequence_length != -1 && !whole)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: output_sequence_length needs output_mode \"int\", not \"%s\"",
                        layer->name, a->output_mode);
    return cj__lookup_check(layer);
}

static cj__text_attrs attrs_of(const cj_layer *layer, int64_t size)
{
    const cj_text_vectorization_args *a = layer->args;
    return (cj__text_attrs){.lookup = cj__lookup_attrs_of(layer),
                            .rules = cj__text_rules_of(layer),
                            .once = strcmp(a->output_mode, "multi_hot") == 0,
                            .size = size};
}

cj_symbol *cj__token_indices(cj__layer_context *c, int64_t size)
{
    const cj__text_attrs attrs = attrs_of(c->layer, size);
    cj_symbol *x = c->inputs[0].symbol;
    return cj__append(c->build, &cj__op_token_indices, &attrs, &x, 1);
}

static cj_status call(cj__layer_context *c)
{
    const cj_text_vectorization_args *a = c->layer->args;
    cj_symbol *x = c->inputs[0].symbol;
    CJ_TRY(cj__layer_need_rank(c->layer, cj__value_shape(&c->inputs[0]), 1, 2));
    CJ_TRY(cj__lookup_need(c->layer, c->trace->running));
    cj__lookup_note(c);
    if (strcmp(a->output_mode, "int") != 0) {
        const cj__text_attrs attrs = attrs_of(c->layer, cj__lookup_depth(c->layer));
        c->outputs[0].symbol =
            cj__lookup_weigh(c, cj__append(c->build, &cj__op_token_counts, &attrs, &x, 1));
        return CJ_OK;
    }
    if (a->output_sequence_length == -1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: in a model every text has as many indices: give it "
                        ".output_sequence_length",
                        c->layer->name);
    c->outputs[0].symbol = cj__token_indices(c, a->output_sequence_length);
    return CJ_OK;
}

const cj__layer_kind cj__layer_text_vectorization = {
    .choice =
        CJ__CHOICE("text_vectorization", "TextVectorization", fields, text_vectorization_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check,
    .adapt = cj__lookup_adapt,
    .copy_state = cj__lookup_copy_state,
    .call = call,
    .free = cj__lookup_free,
    .mask = CJ__MASK_DROP,
    .size = sizeof(cj__lookup),
    .any_dtype = true,
};

CJ__CONSTRUCTOR(text_vectorization)
