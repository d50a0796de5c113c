// Applications with settings of their own.
#define _POSIX_C_SOURCE 200809L // mkdtemp()
#include "layers/helpers.h"

#include <cajal/attention.h>
#include <cajal/clone.h>
#include <cajal/embeddings.h>
#include <cajal/explain.h>
#include <cajal/files.h>
#include <cajal/train.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cj_model *made(cj_model *model)
{
    if (!model)
        fail_msg("%s", cj_error());
    return model;
}

// Tokens to logits by one table.
static cj_model *language(void)
{
    cj_symbol *tokens = cj_input_symbol(3, .dtype = "int32");
    cj_layer *table = cj_reversible_embedding(7, 4, .name = "table");
    cj_symbol *hidden = cj_apply(cj_dense(4, .activation = "tanh"), cj_apply(table, tokens));
    cj_symbol *logits = cj_apply_with(table, "reverse", hidden);
    return made(cj_functional(.inputs = {tokens}, .outputs = {logits}));
}

static cj_tensor *tokens_of(cj_shape shape)
{
    const double numbers[] = {0, 3, 6, 1, 1, 5};
    return helper_tensor(CJ_I32, shape, numbers);
}

static void same_output(cj_model *a, cj_model *b)
{
    cj_tensor *x = tokens_of(CJ_SHAPE(2, 3)), *y = helper_predict(cj_model_layer(a), x),
              *z = helper_predict(cj_model_layer(b), x);
    assert_true(cj_shape_equal(cj_tensor_shape(y), &CJ_SHAPE(2, 3, 7)));
    assert_memory_equal(helper_floats(y), helper_floats(z), 42 * sizeof(float));
    cj_release(x);
    cj_release(y);
    cj_release(z);
}

static void one_table_is_counted_once(void **state)
{
    (void)state;
    cj_model *model = language();
    const cj_layer *layer = cj_model_layer(model);
    int64_t numbers = 0;
    for (int i = 0; i < cj_layer_variable_count(layer); i++)
        numbers += cj_tensor_count(cj_variable_value(cj_layer_variable(layer, i)));
    assert_int_equal(numbers, 7 * 4 + 4 * 4 + 4);
    cj_release(model);
}

static void reverse_is_the_product_with_the_table(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(2);
    cj_layer *table = cj_reversible_embedding(3, 2, .logit_soft_cap = 2);
    cj_model *model = made(
        cj_functional(.inputs = {x}, .outputs = {cj_apply_with(table, " reverse = true ", x)}));
    helper_assign(table, 0, (const double[]){1, 2, 0, -1, 3, 0.5});
    cj_tensor *in = helper_tensor(CJ_F32, CJ_SHAPE(1, 2), (const double[]){0.5, -1}),
              *y = helper_predict(cj_model_layer(model), in);
    const float products[] = {0.5F - 2, 1, 1.5F - 0.5F};
    for (int i = 0; i < 3; i++)
        assert_true(fabsf(helper_floats(y)[i] - 2 * tanhf(products[i] / 2)) <= 1e-6F);
    cj_release(in);
    cj_release(y);
    cj_release(model);
}

static void settings_of_a_call_are_kept_by_json_clones_and_symbols(void **state)
{
    (void)state;
    cj_model *model = language();
    char *json = NULL, *again = NULL;
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    assert_non_null(strstr(json, "\"reverse\": true"));
    cj_model *read = made(cj_model_from_json(json, strlen(json)));
    assert_int_equal(cj_model_to_json(read, &again), CJ_OK);
    assert_string_equal(json, again);
    cj_model *clone = made(cj_clone(model, .weights = true));
    same_output(model, clone);
    // the symbols are made again from the applications
    cj_symbol *logits = cj_model_output(model, 0);
    cj_model *rest = made(cj_functional(.inputs = {cj_model_input(model, 0)}, .outputs = {logits}));
    same_output(model, rest);
    cj_free(json);
    cj_free(again);
    cj_release(rest);
    cj_release(clone);
    cj_release(read);
    cj_release(model);
}

static void attention_may_be_causal_in_one_application_and_not_in_another(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(4, 3), *outputs[3] = {NULL};
    cj_layer *heads = cj_multi_head_attention(2, 3, .use_causal_mask = true);
    cj_symbol *pair[2] = {x, x};
    assert_int_equal(cj_apply_many_with(heads, "return_attention_scores, use_causal_mask=false",
                                        pair, 2, outputs, 3),
                     CJ_OK);
    assert_non_null(outputs[1]);
    assert_null(outputs[2]);
    cj_model *model = made(
        cj_functional(.inputs = {x}, .outputs = {outputs[0], outputs[1], cj_merge(heads, x, x)}));
    char *json = NULL;
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    cj_model *read = made(cj_model_from_json(json, strlen(json)));
    cj_tensor *in = helper_random(CJ_SHAPE(2, 4, 3), 5);
    for (int i = 0; i < 3; i++) {
        cj_model *both[2] = {model, read};
        cj_tensor *y[2];
        for (int k = 0; k < 2; k++)
            y[k] = helper_run(cj_model_layer(both[k]), &in, 1, i, false, 0);
        assert_true(cj_shape_equal(cj_tensor_shape(y[0]), cj_tensor_shape(y[1])));
        cj_release(y[0]);
        cj_release(y[1]);
    }
    cj_tensor *scores = helper_run(cj_model_layer(model), &in, 1, 1, false, 0),
              *free = helper_run(cj_model_layer(model), &in, 1, 0, false, 0),
              *causal = helper_run(cj_model_layer(model), &in, 1, 2, false, 0);
    assert_true(helper_floats(scores)[1] > 0); // the first query sees the second key
    const float *a = helper_floats(free), *b = helper_floats(causal);
    assert_memory_not_equal(a, b, 3 * sizeof(float));
    for (int i = 9; i < 12; i++) // the last query sees all in both
        assert_true(fabsf(a[i] - b[i]) <= 1e-6F);
    cj_release(scores);
    cj_release(free);
    cj_release(causal);
    cj_release(in);
    cj_free(json);
    cj_release(read);
    cj_release(model);
}

static void explain_of_logit(bool tied, double cap)
{
    cj_symbol *tokens = cj_input_symbol(3, .dtype = "int32");
    cj_layer *table =
        cj_reversible_embedding(7, 4, .tie_weights = tied, .logit_soft_cap = cap, .name = "table");
    cj_model *model =
        made(cj_functional(.inputs = {tokens},
                           .outputs = {cj_apply_with(table, "reverse", cj_apply(table, tokens))}));
    cj_tensor *sample = NULL;
    const int32_t numbers[] = {4, 0, 6};
    assert_int_equal(cj_tensor_from(CJ_I32, CJ_SHAPE(3), numbers, 3, &sample), CJ_OK);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    if (cj_explain(model, (cj_tensor *[]){sample}, stream) != CJ_OK)
        fail_msg("%s", cj_error());
    fclose(stream);
    assert_non_null(strstr(text, "of row 4 of the table is"));
    assert_non_null(strstr(text, tied ? "the input times row " : "the input times column "));
    assert_int_equal(strstr(text, "tanh(") != NULL, isfinite(cap));
    free(text);
    cj_release(sample);
    cj_release(model);
}

static void both_directions_are_explained(void **state)
{
    (void)state;
    explain_of_logit(true, INFINITY);
    explain_of_logit(true, 0.01);
    explain_of_logit(false, INFINITY);
}

static void refused(const char *settings, const char *sentence)
{
    cj_layer *table = cj_reversible_embedding(7, 4, .name = "table");
    cj_symbol *x = cj_input_symbol(4), *y = cj_apply_with(table, settings, x);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {y});
    assert_null(model);
    if (!strstr(cj_error(), sentence))
        fail_msg("\"%s\" gives \"%s\"", settings, cj_error());
}

static void settings_that_a_call_does_not_have_are_refused(void **state)
{
    (void)state;
    refused("revers", "table: unknown call setting \"revers\"");
    refused("reverse=yes", "table: call setting reverse is \"yes\", needs true or false");
    refused("reverse=", "table: call setting reverse is \"\", needs true or false");
    refused("reverse,reverse=false", "table: call setting reverse is given twice");
    refused(",", "table: unknown call setting \"\"");
    refused("=true", "table: unknown call setting \"\"");
    cj_symbol *x = cj_input_symbol(4);
    assert_null(
        cj_functional(.inputs = {x}, .outputs = {cj_apply_with(cj_dense(2), "reverse", x)}));
    assert_non_null(strstr(cj_error(), "Dense has no call setting \"reverse\", nor any other"));
    x = cj_input_symbol(4);
    assert_null(cj_functional(.inputs = {x}, .outputs = {cj_apply_with(NULL, "reverse", x)}));
    assert_non_null(strstr(cj_error(), "cj_apply: the layer is NULL"));
}

static void reverse_refuses_vectors_of_another_length(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(3, 5);
    cj_layer *table = cj_reversible_embedding(7, 4, .name = "table");
    assert_null(cj_functional(.inputs = {x}, .outputs = {cj_apply_with(table, "reverse", x)}));
    if (!strstr(cj_error(), "table: the reverse takes vectors of 4 numbers"))
        fail_msg("%s", cj_error());
    assert_null(cj_reversible_embedding(7, 4, .logit_soft_cap = 0));
    assert_non_null(strstr(cj_error(), "logit_soft_cap is 0, needs a positive number"));
    assert_null(cj_reversible_embedding(7, 4, .reverse_dtype = "float16"));
    assert_non_null(strstr(cj_error(), "reverse_dtype"));
}

static void a_tied_model_learns_and_is_saved(void **state)
{
    (void)state;
    char folder[] = "/tmp/cajal-calls-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/tied.safetensors", folder);
    cj_model *model = language();
    assert_int_equal(cj_compile(model, .optimizer = cj_adam(0.05),
                                .loss = "sparse_categorical_crossentropy(from_logits=true)"),
                     CJ_OK);
    cj_dataset *data =
        cj_dataset(.x = {tokens_of(CJ_SHAPE(2, 3))}, .y = {tokens_of(CJ_SHAPE(2, 3))});
    cj_history *history = NULL;
    if (cj_fit(model, data, .epochs = 30, .batch_size = 2, .verbose = 0, .history = &history) !=
        CJ_OK)
        fail_msg("%s", cj_error());
    assert_true(cj_history_value(history, "loss", 29) < 0.5);
    if (cj_save(model, path) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_model *loaded = made(cj_load(path));
    same_output(model, loaded);
    remove(path);
    remove(folder);
    cj_release(history);
    cj_release(data);
    cj_release(loaded);
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_table_is_counted_once),
        cmocka_unit_test(reverse_is_the_product_with_the_table),
        cmocka_unit_test(settings_of_a_call_are_kept_by_json_clones_and_symbols),
        cmocka_unit_test(attention_may_be_causal_in_one_application_and_not_in_another),
        cmocka_unit_test(both_directions_are_explained),
        cmocka_unit_test(settings_that_a_call_does_not_have_are_refused),
        cmocka_unit_test(reverse_refuses_vectors_of_another_length),
        cmocka_unit_test(a_tied_model_learns_and_is_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
