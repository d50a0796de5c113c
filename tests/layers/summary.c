// The summary is Keras's table, character by character: Keras 3.15.1 printed these.
#define _POSIX_C_SOURCE 200809L
#include "layers/helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define assert_summary(model, expected) \
    assert_summary_with(model, &(cj_summary_args){CJ_SUMMARY_DEFAULTS}, expected)

static void assert_summary_with(cj_model *model, const cj_summary_args *args, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    assert_int_equal(cj_model_summary_with(model, stream, args), CJ_OK);
    fclose(stream);
    assert_string_equal(text, expected);
    free(text);
}

static void sequential_model_prints_three_columns(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(28, 28, 1), cj_conv2d(32, {3}, .activation = "relu"),
                                    cj_batch_normalization(), cj_max_pooling2d(), cj_flatten(),
                                    cj_dense(10, .name = "a_rather_long_name_of_a_layer_indeed"));
    assert_summary(model,
                   "Model: \"sequential\"\n"
                   "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n"
                   "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃\n"
                   "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n"
                   "│ conv2d (Conv2D)                 │ (None, 26, 26, 32)     │           320 │\n"
                   "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
                   "│ batch_normalization             │ (None, 26, 26, 32)     │           128 │\n"
                   "│ (BatchNormalization)            │                        │               │\n"
                   "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
                   "│ max_pooling2d (MaxPooling2D)    │ (None, 13, 13, 32)     │             0 │\n"
                   "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
                   "│ flatten (Flatten)               │ (None, 5408)           │             0 │\n"
                   "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
                   "│ a_rather_long_name_of_a_layer_… │ (None, 10)             │        54,090 │\n"
                   "│ (Dense)                         │                        │               │\n"
                   "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
                   " Total params: 54,538 (213.04 KB)\n"
                   " Trainable params: 54,474 (212.79 KB)\n"
                   " Non-trainable params: 64 (256.00 B)\n");
    cj_release(model);
}

static void branching_model_prints_what_is_connected(void **state)
{
    (void)state;
    cj_symbol *a = cj_input_symbol(3), *b = cj_input_symbol(2, .name = "noise");
    cj_symbol *c = cj_merge(cj_concatenate(), cj_apply(cj_dense(4), a), b);
    cj_symbol *y = cj_apply(cj_dense(2), c), *z = cj_apply(cj_dense(1, .name = "value"), c);
    cj_model *model = cj_functional(.inputs = {a, b}, .outputs = {y, z});
    assert_summary(model,
                   "Model: \"functional\"\n"
                   "┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┓\n"
                   "┃ Layer (type)        ┃ Output Shape      ┃    Param # ┃ Connected to      ┃\n"
                   "┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━┩\n"
                   "│ input_layer         │ (None, 3)         │          0 │ -                 │\n"
                   "│ (InputLayer)        │                   │            │                   │\n"
                   "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
                   "│ dense (Dense)       │ (None, 4)         │         16 │ input_layer[0][0] │\n"
                   "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
                   "│ noise (InputLayer)  │ (None, 2)         │          0 │ -                 │\n"
                   "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
                   "│ concatenate         │ (None, 6)         │          0 │ dense[0][0],      │\n"
                   "│ (Concatenate)       │                   │            │ noise[0][0]       │\n"
                   "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
                   "│ dense_1 (Dense)     │ (None, 2)         │         14 │ concatenate[0][0] │\n"
                   "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
                   "│ value (Dense)       │ (None, 1)         │          7 │ concatenate[0][0] │\n"
                   "└─────────────────────┴───────────────────┴────────────┴───────────────────┘\n"
                   " Total params: 37 (148.00 B)\n"
                   " Trainable params: 37 (148.00 B)\n"
                   " Non-trainable params: 0 (0.00 B)\n");
    cj_release(model);
}

static void unbuilt_model_prints_question_marks(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_dense(3), cj_dense(2));
    assert_summary(model,
                   "Model: \"sequential\"\n"
                   "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n"
                   "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃\n"
                   "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n"
                   "│ dense (Dense)                   │ ?                      │   0 (unbuilt) │\n"
                   "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
                   "│ dense_1 (Dense)                 │ ?                      │   0 (unbuilt) │\n"
                   "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
                   " Total params: 0 (0.00 B)\n"
                   " Trainable params: 0 (0.00 B)\n"
                   " Non-trainable params: 0 (0.00 B)\n");
    cj_release(model);
}

static void optimizer_is_counted_when_it_is_noted(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(1), cj_activation("relu"));
    cj__model_note_optimizer(model, 1300000, 5200000);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(cj_model_summary(model, stream), CJ_OK);
    fclose(stream);
    assert_non_null(strstr(text, " Total params: 1,300,000 (4.96 MB)\n"));
    assert_non_null(strstr(text, " Optimizer params: 1,300,000 (4.96 MB)\n"));
    free(text);
    cj_release(model);
}

static void nested_layers_and_what_trains_are_shown(void **state)
{
    (void)state;
    cj_model *inner = cj_sequential_new(&(cj_sequential_args){
        CJ_SEQUENTIAL_DEFAULTS, .layers = (cj_layer *[]){cj_input(4), cj_dense(3), cj_dense(2)},
        .layer_count = 3, .name = "inner"});
    cj_model *model = cj_sequential(cj_input(4), cj_model_layer(inner), cj_flatten(),
                                    cj_dense(1, .name = "last", .trainable = false));
    assert_summary_with(
        model,
        &(cj_summary_args){CJ_SUMMARY_DEFAULTS, .show_trainable = true, .expand_nested = true},
        "Model: \"sequential\"\n"
        "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━┓\n"
        "┃ Layer (type)                ┃ Output Shape          ┃    Param # ┃ Trai… ┃\n"
        "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━┩\n"
        "│ inner (Sequential)          │ (None, 2)             │         23 │   Y   │\n"
        "├─────────────────────────────┼───────────────────────┼────────────┼───────┤\n"
        "│    └ dense (Dense)          │ (None, 3)             │         15 │   Y   │\n"
        "├─────────────────────────────┼───────────────────────┼────────────┼───────┤\n"
        "│    └ dense_1 (Dense)        │ (None, 2)             │          8 │   Y   │\n"
        "├─────────────────────────────┼───────────────────────┼────────────┼───────┤\n"
        "│ flatten (Flatten)           │ (None, 2)             │          0 │   -   │\n"
        "├─────────────────────────────┼───────────────────────┼────────────┼───────┤\n"
        "│ last (Dense)                │ (None, 1)             │          3 │   N   │\n"
        "└─────────────────────────────┴───────────────────────┴────────────┴───────┘\n"
        " Total params: 26 (104.00 B)\n"
        " Trainable params: 23 (92.00 B)\n"
        " Non-trainable params: 3 (12.00 B)\n");
    assert_summary_with(
        model, &(cj_summary_args){CJ_SUMMARY_DEFAULTS, .width = 60, .show_trainable = true},
        "Model: \"sequential\"\n"
        "┏━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━┳━━━━━━━━━┳━━━━━┓\n"
        "┃ Layer (type)          ┃ Output Shape     ┃ Param # ┃ Tr… ┃\n"
        "┡━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━╇━━━━━━━━━╇━━━━━┩\n"
        "│ inner (Sequential)    │ (None, 2)        │      23 │  Y  │\n"
        "├───────────────────────┼──────────────────┼─────────┼─────┤\n"
        "│ flatten (Flatten)     │ (None, 2)        │       0 │  -  │\n"
        "├───────────────────────┼──────────────────┼─────────┼─────┤\n"
        "│ last (Dense)          │ (None, 1)        │       3 │  N  │\n"
        "└───────────────────────┴──────────────────┴─────────┴─────┘\n"
        " Total params: 26 (104.00 B)\n"
        " Trainable params: 23 (92.00 B)\n"
        " Non-trainable params: 3 (12.00 B)\n");
    assert_int_equal(cj_model_summary(model, stderr, .width = 8), CJ_INVALID_ARGUMENT);
    assert_error_contains("a width of 8 is too small");
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequential_model_prints_three_columns),
        cmocka_unit_test(branching_model_prints_what_is_connected),
        cmocka_unit_test(unbuilt_model_prints_question_marks),
        cmocka_unit_test(optimizer_is_counted_when_it_is_noted),
        cmocka_unit_test(nested_layers_and_what_trains_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
