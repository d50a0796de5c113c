// Architectures have the published numbers of parameters, and take other images and classes.
#include "layers/layer.h"
#include "ops/variable.h"
#include "support.h"

#include <cajal.h>
#include <stdlib.h>
#include <string.h>

static int64_t trainable_params(const cj_model *model)
{
    const cj_layer *layer = cj_model_layer(model);
    const int count = cj__layer_variables(layer, true, NULL, 0);
    cj_variable **variables = malloc((size_t)count * sizeof *variables);
    int64_t sum = 0;
    cj__layer_variables(layer, true, variables, count);
    for (int i = 0; i < count; i++)
        sum += cj__variable_count(variables[i]);
    free(variables);
    return sum;
}

// Sources: the papers, and torchvision's and Keras's tables of models, which agree.
static const struct {
    const char *name;
    int64_t params;
} published[] = {
    {"lenet5", 61706},      {"alexnet", 61100840},     {"vgg11", 132863336},
    {"vgg16", 138357544},   {"vgg19", 143667240},      {"googlenet", 6998552},
    {"resnet18", 11689512}, {"resnet34", 21797672},    {"resnet50", 25557032},
    {"resnet20", 269722},   {"mobilenet_v1", 4231976}, {"gpt", 875264},
    {"gpt2", 124439808},
};
enum { PUBLISHED = sizeof published / sizeof *published };

// Drawing the weights of the large ones takes seconds; their numbers are asked for with
// CAJAL_SLOW_TESTS alone, and `cajal summary NAME` shows them at any time.
static void parameter_counts_are_the_published_ones(void **state)
{
    (void)state;
    for (int i = 0; i < PUBLISHED; i++) {
        if (published[i].params > 30000000 && !getenv("CAJAL_SLOW_TESTS")) {
            print_message("skipped: %s (CAJAL_SLOW_TESTS is not set)\n", published[i].name);
            continue;
        }
        cj_model *model = cj_architecture(published[i].name);
        assert_non_null(model);
        assert_int_equal(trainable_params(model), published[i].params);
        cj_release(model);
    }
}

static void every_row_is_in_the_table_above(void **state)
{
    (void)state;
    int rows = 0;
    for (; cj_architecture_name(rows); rows++) {
        bool found = false;
        for (int i = 0; i < PUBLISHED; i++)
            found = found || strcmp(published[i].name, cj_architecture_name(rows)) == 0;
        assert_true(found);
        assert_true(strlen(cj_architecture_meaning(rows)) > 10);
    }
    assert_null(cj_architecture_name(-1));
    assert_null(cj_architecture_meaning(rows));
}

static void a_small_one_learns(void **state)
{
    (void)state;
    static uint8_t pixels[8 * 16 * 16 * 3], labels[8];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 24);
    for (int i = 0; i < 8; i++)
        labels[i] = (uint8_t)(i % 4);
    cj_tensor *x, *y;
    assert_int_equal(cj_tensor_from(CJ_U8, CJ_SHAPE(8, 16, 16, 3), pixels, sizeof pixels, &x),
                     CJ_OK);
    assert_int_equal(cj_tensor_from(CJ_U8, CJ_SHAPE(8), labels, 8, &y), CJ_OK);
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
    cj_model *model = cj_architecture("resnet20", .input_shape = {16, 16, 3}, .classes = 4,
                                      .input_dtype = "uint8");
    assert_non_null(model);
    assert_int_equal(
        cj_compile(model, .optimizer = cj_adam(0.01), .loss = "sparse_categorical_crossentropy"),
        CJ_OK);
    cj_history *history = NULL;
    assert_int_equal(cj_fit(model, data, .epochs = 12, .batch_size = 8, .history = &history),
                     CJ_OK);
    assert_true(cj_history_value(history, "loss", 11) < cj_history_value(history, "loss", 0));
    cj_release(history);
    cj_release(model);
    cj_release(data); // and with it the tensors
}

// A pattern of four tokens, whose next one it is to say.
static void a_small_gpt_learns_what_comes_next(void **state)
{
    (void)state;
    enum { SAMPLES = 8, CONTEXT = 12 };
    static int32_t tokens[SAMPLES][CONTEXT], positions[SAMPLES][CONTEXT], next[SAMPLES][CONTEXT];
    cj_tensor *x, *p, *y;
    for (int i = 0; i < SAMPLES; i++)
        for (int j = 0; j < CONTEXT; j++) {
            tokens[i][j] = (i + j) % 4;
            next[i][j] = (i + j + 1) % 4;
            positions[i][j] = j;
        }
    const cj_shape shape = CJ_SHAPE(SAMPLES, CONTEXT);
    assert_int_equal(cj_tensor_from(CJ_I32, shape, tokens, SAMPLES * CONTEXT, &x), CJ_OK);
    assert_int_equal(cj_tensor_from(CJ_I32, shape, positions, SAMPLES * CONTEXT, &p), CJ_OK);
    assert_int_equal(cj_tensor_from(CJ_I32, shape, next, SAMPLES * CONTEXT, &y), CJ_OK);
    cj_dataset *data = cj_dataset(.x = {x, p}, .y = {y});
    cj_model *model = cj_architecture("gpt", .input_shape = {CONTEXT}, .classes = 4);
    cj_history *history = NULL;
    assert_non_null(model);
    assert_int_equal(cj_compile(model, .optimizer = cj_adam(0.003),
                                .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}),
                     CJ_OK);
    assert_int_equal(cj_fit(model, data, .epochs = 15, .batch_size = 8, .history = &history),
                     CJ_OK);
    assert_true(cj_history_value(history, "accuracy", 14) > 0.9);
    cj_release(history);
    cj_release(model);
    cj_release(data);
    assert_null(cj_architecture("gpt", .input_shape = {8, 8, 1}));
    assert_error_contains("takes sequences");
}

static void lenet_takes_28x28(void **state)
{
    (void)state;
    cj_model *model = cj_architecture("lenet5", .input_shape = {28, 28, 1});
    assert_non_null(model);
    assert_int_equal(trainable_params(model), 61706);
    cj_release(model);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    assert_null(cj_architecture("resnet19"));
    assert_int_equal(cj_error_status(), CJ_NOT_FOUND);
    assert_non_null(strstr(cj_error(), "resnet18"));
    assert_null(cj_architecture(NULL));
    assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
    assert_null(cj_architecture("lenet5", .input_shape = {32, 32}));
    assert_int_equal(cj_error_status(), CJ_SHAPE_MISMATCH);
    assert_null(cj_architecture("lenet5", .input_shape = {32, -1, 1}));
    assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
    assert_null(cj_architecture("lenet5", .classes = -2));
    assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
    assert_null(cj_architecture("lenet5", .input_dtype = "int32"));
    assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
    assert_null(cj_architecture("alexnet", .input_shape = {16, 16, 3}));
    assert_int_equal(cj_error_status(), CJ_SHAPE_MISMATCH);
}

static cj_status make_lenet(void *context)
{
    (void)context;
    cj_model *model = cj_architecture("lenet5");
    if (!model)
        return cj_error_status();
    cj_release(model);
    return CJ_OK;
}

static void failed_allocations_leak_nothing(void **state)
{
    (void)state;
    support_fail_each_allocation(make_lenet, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameter_counts_are_the_published_ones),
        cmocka_unit_test(every_row_is_in_the_table_above),
        cmocka_unit_test(a_small_one_learns),
        cmocka_unit_test(a_small_gpt_learns_what_comes_next),
        cmocka_unit_test(lenet_takes_28x28),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(failed_allocations_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
