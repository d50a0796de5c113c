// Functions on devices: what a device gets to do for a plan, and what is refused before anything
// runs.
#define _POSIX_C_SOURCE 200809L
#include "mapped.h"
#include "problems.h"

#include "graph/arena.h"
#include "graph/graph.h"
#include "ops/variable.h"
#include "train/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 5, FEATURES = 7, UNITS = 9 };

// ---- A step of one's own: y = tanh(x w), w - 0.1 dy/dw ----

typedef struct step {
    cj_variable *w;
    cj_symbol *x, *y;
    cj_function *function;
} step;

static cj_tensor *numbers(cj_shape shape, int seed)
{
    cj_tensor *tensor;
    assert_ok(cj_tensor_new(CJ_F32, shape, &tensor));
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++)
        ((float *)cj_tensor_data(tensor))[i] = (float)((i * 37 + seed) % 101 - 50) / 50;
    return tensor;
}

static cj_variable *variable_new(const char *name, int seed)
{
    return cj_variable_new(name, numbers(CJ_SHAPE(FEATURES, UNITS), seed));
}

static cj_function *function_of(cj_symbol *x, cj_symbol *y, const cj_update *updates, int count)
{
    return cj_function(CJ_FUNCTION_DEFAULTS, ._ = 0, .inputs = &x, .input_count = 1, .outputs = &y,
                       .output_count = 1, .updates = updates, .update_count = count);
}

static step step_new(cj__device *device)
{
    step s = {.w = variable_new("w", 3)};
    if (device)
        assert_ok(cj__variable_place(s.w, device));
    s.x = cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, FEATURES), "x");
    cj_symbol *w = cj__own(cj_symbol_variable(s.w)), *gradient = NULL;
    s.y = cj_op_activation("tanh", cj_op_matmul(s.x, w));
    cj_symbol *sum = cj__own(cj_op_reduce_sum(s.y, NULL, 0));
    assert_ok(cj_gradients(sum, &w, 1, &gradient));
    const cj_update update = {
        s.w, cj_op_subtract(w, cj_op_multiply(gradient, cj_symbol_scalar(CJ_F32, 0.1)))};
    s.function = function_of(s.x, s.y, &update, 1);
    cj_release(sum);
    cj_release(w);
    return s;
}

static void step_free(step *s)
{
    cj_release(s->function);
    cj_release(s->w);
}

static cj_status call(const step *s, cj_tensor *y)
{
    cj_tensor *x = numbers(CJ_SHAPE(ROWS, FEATURES), 1);
    const cj_status status = cj_function_call(s->function, &x, &y);
    cj_release(x);
    return status;
}

static void a_function_runs_where_its_variables_are(void **state)
{
    (void)state;
    cj__device *device = cj__own(mapped_new(2));
    cj_tensor *a = numbers(CJ_SHAPE(ROWS, UNITS), 0), *b = numbers(CJ_SHAPE(ROWS, UNITS), 0);
    step here = step_new(NULL), there = step_new(device);
    assert_non_null(here.function);
    assert_non_null(there.function);
    for (int i = 0; i < 3; i++) {
        assert_ok(call(&here, a));
        assert_ok(call(&there, b));
        assert_memory_equal(cj_tensor_data(a), cj_tensor_data(b), ROWS * UNITS * sizeof(float));
        assert_memory_equal(cj_variable_value(here.w)->data, cj_variable_value(there.w)->data,
                            cj__variable_bytes(here.w));
    }
    assert_int_equal(mapped_counts_of(device).runs, 3);
    step_free(&here);
    step_free(&there);
    assert_int_equal(mapped_counts_of(device).allocated, mapped_counts_of(device).freed);
    cj_release(a);
    cj_release(b);
    cj_release(device);
}

static void a_variable_that_moved_is_found(void **state)
{
    (void)state;
    cj__device *device = cj__own(mapped_new(2));
    cj_tensor *y = numbers(CJ_SHAPE(ROWS, UNITS), 0);
    step s = step_new(NULL);
    assert_ok(call(&s, y));
    assert_ok(cj__variable_place(s.w, device));
    assert_int_equal(call(&s, y), CJ_INVALID_ARGUMENT);
    assert_non_null(strstr(cj_error(), "\"w\" was moved"));
    assert_ok(cj__variable_place(s.w, NULL));
    assert_ok(call(&s, y));
    step_free(&s);
    cj_release(y);
    cj_release(device);
}

static void variables_of_two_devices_are_refused(void **state)
{
    (void)state;
    cj__device *device = cj__own(mapped_new(1));
    cj_variable *a = variable_new("a", 1), *b = variable_new("b", 2);
    assert_ok(cj__variable_place(a, device));
    cj_symbol *x = cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, FEATURES), "x");
    cj_symbol *y = cj_op_matmul(x, cj_op_add(cj_symbol_variable(a), cj_symbol_variable(b)));
    assert_null(function_of(x, y, NULL, 0));
    assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
    assert_non_null(strstr(cj_error(), "\"b\" is not on the device \"mapped\""));
    cj_release(a);
    cj_release(b);
    cj_release(device);
}

static void a_copy_that_fails_leaves_the_variables(void **state)
{
    (void)state;
    cj__device *device = cj__own(mapped_new(2));
    cj_tensor *y = numbers(CJ_SHAPE(ROWS, UNITS), 0), *before = NULL;
    step s = step_new(device);
    assert_ok(call(&s, y));
    assert_ok(cj_tensor_convert(cj_variable_value(s.w), CJ_F32, &before));
    mapped_fail_copy(device, 1);
    assert_int_equal(call(&s, y), CJ_IO);
    assert_memory_equal(cj_variable_value(s.w)->data, cj_tensor_data(before),
                        cj__variable_bytes(s.w));
    assert_ok(call(&s, y));
    step_free(&s);
    cj_release(before);
    cj_release(y);
    cj_release(device);
}

// ---- Models ----

static cj_model *model_new(cj__device *device)
{
    cj_model *model = cj_sequential(
        cj_input(8, 8, 1), cj_conv2d(4, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}),
        cj_flatten(), cj_dense(6, .activation = "relu"), cj_dense(4, .activation = "softmax"));
    assert_ok(cj_model_set_seed(model, 3));
    if (device)
        assert_ok(cj__model_set_device(model, device));
    assert_ok(cj_compile(model, .optimizer = cj_adam(), .loss = "sparse_categorical_crossentropy"));
    return model;
}

static cj_dataset *data_new(void)
{
    cj_tensor *x, *y;
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(20, 8, 8, 1), &x));
    assert_ok(cj_tensor_new(CJ_I32, CJ_SHAPE(20), &y));
    for (int i = 0; i < 20 * 64; i++)
        ((float *)cj_tensor_data(x))[i] = (float)(i * 7919 % 256) / 256;
    for (int i = 0; i < 20; i++)
        ((int32_t *)cj_tensor_data(y))[i] = i % 4;
    return cj_dataset(.x = {x}, .y = {y});
}

// A device without kernel tables that runs lists at once: the bits of the CPU with the same passes.
static void lists_are_run_at_once_with_the_passes_of_the_device(void **state)
{
    (void)state;
    cj_dataset *data = data_new();
    cj__device *device = cj__own(mapped_listing_new(2, NULL));
    assert_int_equal(setenv("CAJAL_PLAN",
                            "-blocks,-bf16_products,-winograd,-winograd4,-split_batch,"
                            "-keep_prepared,-fuse_round,-fuse_accuracy,-fuse_pool,-fuse_dropout,"
                            "-fuse_bias_grad,-dead_pixels,-fuse_pool_grad,-fuse_step,"
                            "-round_elements,-factor_sums,-fold_scale,-fuse_elements",
                            1),
                     0);
    cj_model *here = model_new(NULL);
    assert_ok(cj_fit(here, data, .epochs = 2, .batch_size = 8));
    unsetenv("CAJAL_PLAN");
    cj_model *there = model_new(device);
    assert_ok(cj_fit(there, data, .epochs = 2, .batch_size = 8));
    assert_true(problem_same_weights(here, there));
    const mapped_counts counts = mapped_counts_of(device);
    assert_int_equal(counts.lists, 2 * counts.runs);
    cj_release(here);
    cj_release(there);
    cj_release(device);
    cj_release(data);
}

static void an_op_without_a_kernel_is_named(void **state)
{
    (void)state;
    cj_dataset *data = data_new();
    cj__device *device = cj__own(mapped_listing_new(2, "max_pool2d_grad"));
    cj_model *model = model_new(device);
    cj_tensor *output = NULL;
    assert_ok(cj_predict(model, cj_dataset_x(data, 0), &output)); // has no gradients
    assert_int_equal(cj_fit(model, data), CJ_UNSUPPORTED);
    assert_non_null(strstr(cj_error(), "device \"listing\" has no kernel for max_pool2d_grad"));
    cj_release(output);
    cj_release(model);
    cj_release(device);
    cj_release(data);
}

static void plans_are_printed_and_timed(void **state)
{
    (void)state;
    cj_dataset *data = data_new();
    cj__device *device = cj__own(mapped_new(2));
    cj_model *model = model_new(device);
    assert_ok(cj_fit(model, data, .epochs = 1, .batch_size = 8));
    cj_variable *w = cj_layer_variable(cj_model_layer(model), 0);
    cj_tensor *before = NULL;
    char *text = NULL;
    size_t size = 0;
    assert_ok(cj_tensor_convert(cj_variable_value(w), CJ_F32, &before));
    FILE *stream = open_memstream(&text, &size);
    assert_ok(cj_plan(model, .batch_size = 8, .training = true, .rounds = 2, .stream = stream));
    fclose(stream);
    assert_non_null(strstr(text, "calls on 2 threads"));
    assert_memory_equal(cj_variable_value(w)->data, cj_tensor_data(before), cj__variable_bytes(w));
    free(text);
    cj_release(before);
    cj_release(model);
    cj_release(device);
    cj_release(data);
}

// ---- Kinds ----

static void a_pass_that_is_none_is_refused(void **state)
{
    static const char *const passes[] = {"dead", "deadd", NULL};
    cj__device_kind kind = cj__cpu_kind;
    (void)state;
    kind.passes = passes;
    cj__cpu *cpu = cj__device_new(&kind, sizeof *cpu);
    cj__arenas *arenas = cj__own(cj__arenas_new(&cpu->device));
    kind.host_memory = false; // so that functions run on it
    cj_symbol *x = cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH), "x");
    cj_symbol *y = cj_op_negative(x);
    assert_null(cj__function_new(&(cj_function_args){CJ_FUNCTION_DEFAULTS, ._ = 0, .inputs = &x,
                                                     .input_count = 1, .outputs = &y,
                                                     .output_count = 1, .pool = NULL},
                                 arenas));
    assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
    assert_non_null(strstr(cj_error(), "\"deadd\": did you mean \"dead\"?"));
    cj_release(arenas);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_runs_where_its_variables_are),
        cmocka_unit_test(a_variable_that_moved_is_found),
        cmocka_unit_test(variables_of_two_devices_are_refused),
        cmocka_unit_test(a_copy_that_fails_leaves_the_variables),
        cmocka_unit_test(lists_are_run_at_once_with_the_passes_of_the_device),
        cmocka_unit_test(an_op_without_a_kernel_is_named),
        cmocka_unit_test(plans_are_printed_and_timed),
        cmocka_unit_test(a_pass_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
