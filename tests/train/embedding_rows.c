// Embeddings in training: a step costs the rows that the batch reads where the optimizer leaves the
// others alone, and the bits are those of the step of the whole table.
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 300, SAMPLES = 24 };

static cj_model *model_with(const char *optimizer, const char *regularizer)
{
    cj_model *model = cj_sequential(cj_input(4, .dtype = "int32"),
                                    cj_embedding(WORDS, 5, .embeddings_regularizer = regularizer),
                                    cj_flatten(), cj_dense(1));
    cj_optimizer *made = cj_optimizer_from_spec(optimizer);
    if (!model || !made || cj_model_set_seed(model, 3) != CJ_OK ||
        cj_compile(model, .optimizer = made, .loss = "mse") != CJ_OK)
        fail_msg("%s: %s", optimizer, cj_error());
    return model;
}

static void fit(cj_model *model)
{
    cj_tensor *x = NULL, *y = NULL;
    assert_int_equal(cj_tensor_new(CJ_I32, CJ_SHAPE(SAMPLES, 4), &x), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, 1), &y), CJ_OK);
    for (int i = 0; i < SAMPLES * 4; i++)
        ((int32_t *)cj_tensor_data(x))[i] = i % 5 == 0 ? 7 : i * 31 % WORDS;
    for (int i = 0; i < SAMPLES; i++)
        ((float *)cj_tensor_data(y))[i] = (float)(i % 3);
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
    if (cj_fit(model, data, .epochs = 2, .batch_size = 8, .verbose = 0) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(data); // and with it the tensors
}

// Whether the plan of a training step does the table row by row.
static bool by_rows(cj_model *model)
{
    char line[512];
    bool found = false;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(cj_plan(model, .batch_size = 8, .training = true, .stream = file), CJ_OK);
    rewind(file);
    while (fgets(line, sizeof line, file))
        found = found || strstr(line, "rows_step");
    fclose(file);
    return found;
}

static void tables_are_stepped_by_rows_where_that_is_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *optimizer, *regularizer;
        bool rows;
    } cases[] = {
        {"sgd(learning_rate=0.1)", NULL, true},
        {"adagrad(learning_rate=0.1)", NULL, true},
        {"sgd(learning_rate=0.1)", "l2(0.01)", false},
        {"sgd(learning_rate=0.1,momentum=0.9)", NULL, false},
        {"sgd(learning_rate=0.1,weight_decay=0.01)", NULL, false},
        {"sgd(learning_rate=0.1,clipnorm=1)", NULL, false},
        {"sgd(learning_rate=0.1,global_clipnorm=1)", NULL, false},
        {"sgd(learning_rate=0.1,clipvalue=0.1)", NULL, false},
        {"adam", NULL, false},
        {"rmsprop", NULL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cj_model *model = model_with(cases[i].optimizer, cases[i].regularizer);
        fit(model);
        if (by_rows(model) != cases[i].rows)
            fail_msg("%s: %s", cases[i].optimizer, cases[i].rows ? "whole table" : "by rows");
        cj_release(model);
    }
}

static void training_has_the_bits_of_the_whole_table(void **state)
{
    (void)state;
    static const char *const optimizers[] = {"sgd(learning_rate=0.1)",
                                             "adagrad(learning_rate=0.1)"};
    for (int i = 0; i < 2; i++) {
        cj_model *rows = model_with(optimizers[i], NULL);
        fit(rows);
        assert_int_equal(setenv("CAJAL_PLAN", "-fuse_rows", 1), 0);
        cj_model *whole = model_with(optimizers[i], NULL);
        fit(whole);
        assert_false(by_rows(whole));
        unsetenv("CAJAL_PLAN");
        for (int k = 0; k < cj_layer_variable_count(cj_model_layer(rows)); k++) {
            const cj_tensor *a = cj_variable_value(cj_layer_variable(cj_model_layer(rows), k)),
                            *b = cj_variable_value(cj_layer_variable(cj_model_layer(whole), k));
            assert_memory_equal(cj_tensor_data(a), cj_tensor_data(b),
                                (size_t)cj_tensor_count(a) * sizeof(float));
        }
        cj_release(rows);
        cj_release(whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_stepped_by_rows_where_that_is_the_same),
        cmocka_unit_test(training_has_the_bits_of_the_whole_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
