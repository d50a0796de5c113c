// A builder that fails marks its cause: whatever is then given the NULL keeps status and sentence.
#include "support.h"
#include <cajal.h>
#include <stdio.h>
#include <string.h>

static cj_model *model; // sequential: "a" (4 to 3)

static int set_up(void **state)
{
    (void)state;
    model = cj_sequential(cj_input(4), cj_dense(3, .name = "a"));
    return !model;
}

static int tear_down(void **state)
{
    (void)state;
    cj_release(model);
    return 0;
}

static cj_symbol *x(int64_t length)
{
    return cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, length), "x");
}

// Each gives the NULL of a builder that failed for another reason than a NULL.
static const void *layer(void)
{
    return cj_conv2d(2, {3}, .padding = "sam");
}
static const void *input(void)
{
    return cj_input(-3);
}
static const void *input_symbol(void)
{
    return cj_input_symbol(3, .dtype = "flaot32");
}
static const void *applied(void)
{
    cj_symbol *y = cj_apply(cj_conv2d(2, {3}), cj_input_symbol(3));
    return cj_functional(.inputs = {cj_input_symbol(3)}, .outputs = {y}); // lets go of it all
}
static const void *sequential(void)
{
    return cj_sequential(cj_input(4), cj_dense(2, .name = "b"), cj_dense(2, .name = "b"));
}
static const void *functional(void)
{
    cj_symbol *a = cj_input_symbol(3), *b = cj_input_symbol(3);
    return cj_functional(.inputs = {a}, .outputs = {cj_apply(cj_dense(2), b)});
}
static const void *found(void)
{
    return cj_model_find_layer(model, "nowhere");
}
static const void *output(void)
{
    return cj_layer_output(model, "nowhere");
}
static const void *no_model(void)
{
    return cj_layer_model(cj_model_find_layer(model, "a"));
}
static const void *sum(void)
{
    return cj_op_add(x(3), x(4));
}
static const void *product(void)
{
    return cj_op_matmul(x(3), x(4));
}
static const void *reshaped(void)
{
    return cj_op_reshape(x(3), CJ_SHAPE(CJ_BATCH, 7));
}
static const void *reduced(void)
{
    return cj_op_reduce_sum(x(3), (const int[]){5}, 1);
}
static const void *activated(void)
{
    return cj_op_activation("rellu", x(3));
}
static const void *of_no_dtype(void)
{
    return cj_op_cast(x(3), (cj_dtype)77);
}
static const void *scalar(void)
{
    return cj_symbol_scalar((cj_dtype)77, 1);
}
static const void *given(void)
{
    return cj_symbol_input((cj_dtype)77, CJ_SHAPE(1), "x");
}
static const void *function(void)
{
    cj_symbol *a = x(3), *y = cj_op_exp(a);
    return cj_function(.outputs = &y, .output_count = 1); // its input is not given
}
static const void *optimizer(void)
{
    return cj_adam(.beta_1 = 2);
}
static const void *clipped_twice(void)
{
    return cj_sgd(.clipnorm = 1, .clipvalue = 1);
}
static const void *from_spec(void)
{
    return cj_optimizer_from_spec("adma");
}
static const void *stopping(void)
{
    return cj_early_stopping(.mode = "mni");
}
static const void *plateau(void)
{
    return cj_reduce_lr_on_plateau(.factor = 2);
}
static const void *checkpoint(void)
{
    return cj_model_checkpoint("x", .save_freq = -1);
}
static const void *data_set(void)
{
    return cj_dataset();
}
static const void *classifier(void)
{
    return cj_knn(.metric = "l7");
}
static const void *loaded(void)
{
    return cj_load(support_path("nothing.safetensors"));
}
static const void *from_memory(void)
{
    return cj_load_memory("rubbish", 7);
}
static const void *from_json(void)
{
    return cj_model_from_json("{\"class_name\": \"Nothing\"}", 25);
}
static const void *pool(void)
{
    return cj_pool_new(-1);
}

static cj_status without_layer(void)
{
    return cj_set_trainable(NULL, true);
}
static cj_status without_model(void)
{
    return cj_save(NULL, "x");
}
static cj_status without_symbol(void)
{
    cj_symbol *one = x(1), *gradient;
    const cj_status status = cj_gradients(NULL, &one, 1, &gradient);
    cj_release(one);
    return status;
}
static cj_status without_function(void)
{
    return cj_function_call(NULL, NULL, NULL);
}
static cj_status without_optimizer(void)
{
    return cj_compile(model, .optimizer = NULL);
}
static cj_status without_pool(void)
{
    return cj_compile(model, .pool = NULL);
}
static cj_status without_callback(void)
{
    return cj_fit(model, NULL, .callbacks = {NULL});
}
static cj_status without_data(void)
{
    return cj_fit(model, NULL);
}
static cj_status without_knn(void)
{
    return cj_knn_fit(NULL, NULL);
}

static const struct {
    const char *name;
    const void *(*build)(void);
    cj_status (*give)(void); // to a function that gives a status
} builders[] = {
    {"cj_conv2d", layer, without_layer},
    {"cj_input", input, without_layer},
    {"cj_input_symbol", input_symbol, without_symbol},
    {"cj_apply", applied, without_model},
    {"cj_sequential", sequential, without_model},
    {"cj_functional", functional, without_model},
    {"cj_model_find_layer", found, without_layer},
    {"cj_layer_output", output, without_symbol},
    {"cj_layer_model", no_model, without_model},
    {"cj_op_add", sum, without_symbol},
    {"cj_op_matmul", product, without_symbol},
    {"cj_op_reshape", reshaped, without_symbol},
    {"cj_op_reduce_sum", reduced, without_symbol},
    {"cj_op_activation", activated, without_symbol},
    {"cj_op_cast", of_no_dtype, without_symbol},
    {"cj_symbol_scalar", scalar, without_symbol},
    {"cj_symbol_input", given, without_symbol},
    {"cj_function", function, without_function},
    {"cj_adam", optimizer, without_optimizer},
    {"cj_sgd", clipped_twice, without_optimizer},
    {"cj_optimizer_from_spec", from_spec, without_optimizer},
    {"cj_early_stopping", stopping, without_callback},
    {"cj_reduce_lr_on_plateau", plateau, without_callback},
    {"cj_model_checkpoint", checkpoint, without_callback},
    {"cj_dataset", data_set, without_data},
    {"cj_knn", classifier, without_knn},
    {"cj_load", loaded, without_model},
    {"cj_load_memory", from_memory, without_model},
    {"cj_model_from_json", from_json, without_model},
    {"cj_pool_new", pool, without_pool},
};

static void the_first_cause_survives_every_builder(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++) {
        cj_error_clear();
        const void *made = builders[i].build();
        const cj_status status = cj_error_status();
        char sentence[1024];
        snprintf(sentence, sizeof sentence, "%s", cj_error());
        builders[i].build(); // now nobody reads its sentence
        const bool good = !made && status != CJ_OK && *sentence && builders[i].give() == status &&
                          strcmp(sentence, cj_error()) == 0;
        if (!good)
            print_message("%s: %s\"%s\", then \"%s\"\n", builders[i].name,
                          made ? "no failure, " : "", sentence, cj_error());
        wrong += !good;
    }
    assert_int_equal(wrong, 0);
}

// What fails after that has a cause of its own.
static void a_later_failure_has_its_own_sentence(void **state)
{
    (void)state;
    cj_dtype dtype;
    assert_null(cj_dense(-1));
    assert_int_equal(cj_dtype_from_name("flaot32", &dtype), CJ_INVALID_ARGUMENT);
    assert_error_contains("flaot32");
    assert_int_equal(cj_save(NULL, "x"), CJ_INVALID_ARGUMENT);
    assert_error_contains("is NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_cause_survives_every_builder),
        cmocka_unit_test(a_later_failure_has_its_own_sentence),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
