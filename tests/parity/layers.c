// Layers against Keras: outputs, gradients by inputs and weights, penalties, moving averages; see
// generator/layers.py.
#include "fixture.h"
#include "layers/layer.h"

#include <cajal/files.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };

// What a case is made of: symbols of the traced model, and the tensors that go in and come out.
typedef struct bench {
    cj_model *model;
    cj__trace trace;
    cj_symbol *inputs[2 * MOST]; // x0.., dy0..
    cj_tensor *given[2 * MOST];
    int input_count;
    cj_symbol *outputs[4 * MOST];
    char parts[4 * MOST][16];
    cj_tensor *results[4 * MOST];
    int output_count;
    cj_function *function;
} bench;

// The model's variable called LAYER/VARIABLE, as the case lists it in place `index`: the second one
// of a name is that where the list has it for the second time.
static cj_variable *variable_at(cj_model *model, const json_t *weights, int index)
{
    cj_layer *layer = cj_model_layer(model);
    const char *name = json_string_value(json_array_get(weights, (size_t)index));
    int before = 0;
    for (int i = 0; i < index; i++)
        before += strcmp(json_string_value(json_array_get(weights, (size_t)i)), name) == 0;
    for (int i = 0; i < cj_layer_variable_count(layer); i++) {
        cj_variable *variable = cj_layer_variable(layer, i);
        const char *own = cj_variable_name(variable);
        size_t longer = strlen(own), length = strlen(name);
        // of whole names: depthwise_conv2d/kernel is none of conv2d
        const bool whole = longer == length || (longer > length && own[longer - length - 1] == '/');
        if (whole && strcmp(own + longer - length, name) == 0 && before-- == 0)
            return variable;
    }
    return NULL;
}

static void want(bench *b, cj_symbol *symbol, const char *part)
{
    b->outputs[b->output_count] = symbol;
    const size_t size = strlen(part) + 1;
    assert_true(size <= sizeof b->parts[0]);
    memcpy(b->parts[b->output_count++], part, size);
}

// The scalar that the case differentiates: sum of y dy over the outputs, and every penalty.
static cj_symbol *scalar_of(bench *b, const cj__value *outputs, int count,
                            cj_symbol *const *upstream, bool compared)
{
    cj__build *g = &b->trace.build;
    cj_symbol *sum = NULL;
    for (int i = 0; i < count; i++) {
        cj_symbol *product = cj__mul(g, outputs[i].symbol, upstream[i]);
        cj_symbol *term = product ? cj__sum(g, product, cj__all_axes(product), false) : NULL;
        sum = sum ? cj__add(g, sum, term) : term;
    }
    bool any = false;
    cj_symbol *penalty = cj__layer_losses(cj_model_layer(b->model), &b->trace, &any);
    penalty = any ? penalty : NULL;
    for (int i = 0; i < b->trace.loss_count; i++)
        penalty = penalty ? cj__add(g, penalty, b->trace.losses[i]) : b->trace.losses[i];
    if (compared)
        want(b, cj__reshape(g, penalty, &CJ_SHAPE(1)), "penalty");
    return penalty ? cj__add(g, sum, penalty) : sum;
}

static bool gradients_of(bench *b, cj_symbol *scalar, const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    const json_t *weights = json_object_get(one, "weights");
    cj_symbol *by[2 * MOST], *gradients[2 * MOST];
    char parts[2 * MOST][16];
    int count = 0;
    for (int i = 0; i < (int)json_array_size(weights); i++)
        if (fixture_has(file, name, fixture_part("dw", i))) {
            cj_variable *v = variable_at(b->model, weights, i);
            by[count] = v ? cj__trace_variable(&b->trace, v) : NULL;
            snprintf(parts[count++], sizeof parts[0], "%s", fixture_part("dw", i));
        }
    for (int i = 0; i < (int)fixture_number(one, "inputs"); i++)
        if (fixture_has(file, name, fixture_part("dx", i))) {
            by[count] = b->inputs[i];
            snprintf(parts[count++], sizeof parts[0], "%s", fixture_part("dx", i));
        }
    if (cj__gradients(&b->trace.build, scalar, by, count, gradients) != CJ_OK)
        return false;
    for (int i = 0; i < count; i++)
        want(b, gradients[i], parts[i]);
    return true;
}

static bool set_weights(bench *b, const fixture *file, const json_t *one)
{
    const json_t *weights = json_object_get(one, "weights");
    for (int i = 0; i < (int)json_array_size(weights); i++) {
        const char *name = json_string_value(json_array_get(weights, (size_t)i));
        cj_variable *variable = variable_at(b->model, weights, i);
        if (!variable) {
            print_message("there is no variable %s\n", name);
            return false;
        }
        cj_tensor *value = fixture_tensor(file, fixture_case_name(one), fixture_part("w", i));
        cj_status status = cj_variable_assign(variable, value);
        cj_release(value);
        if (status != CJ_OK)
            return false;
    }
    return true;
}

static cj_symbol *give(bench *b, const fixture *file, const char *name, const char *part)
{
    cj_tensor *tensor = fixture_tensor(file, name, part);
    cj_shape shape = *cj_tensor_shape(tensor);
    shape.dims[0] = CJ_BATCH;
    b->given[b->input_count] = tensor;
    return b->inputs[b->input_count++] = cj__build_keep(
               &b->trace.build, cj_symbol_input(cj_tensor_dtype(tensor), shape, part));
}

// Step 0, after all other inputs.
static void give_step(bench *b)
{
    const int64_t zero = 0;
    assert_int_equal(cj_tensor_from(CJ_I64, (cj_shape){0}, &zero, 1, &b->given[b->input_count]),
                     CJ_OK);
    b->trace.step = b->inputs[b->input_count++] =
        cj__build_keep(&b->trace.build, cj_symbol_input(CJ_I64, (cj_shape){0}, "step"));
}

// The sum of the squares of the gradients by all inputs: what a case of second.py differentiates.
static cj_symbol *squares_of_gradients(bench *b, cj_symbol *scalar, int inputs)
{
    cj__build *g = &b->trace.build;
    cj_symbol *gradients[MOST], *sum = NULL;
    if (cj__gradients(g, scalar, b->inputs, inputs, gradients) != CJ_OK)
        return NULL;
    for (int i = 0; i < inputs; i++) {
        cj_symbol *squares = cj__apply_unary(g, CJ__UNARY_square, gradients[i], 0, 0);
        cj_symbol *term = squares ? cj__sum(g, squares, cj__all_axes(squares), false) : NULL;
        sum = sum ? cj__add(g, sum, term) : term;
    }
    want(b, cj__reshape(g, sum, &CJ_SHAPE(1)), "p");
    return sum;
}

static bool trace(bench *b, const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    int inputs = (int)fixture_number(one, "inputs"), outputs = (int)fixture_number(one, "outputs");
    cj_symbol *upstream[MOST];
    cj__value *values = NULL;
    b->trace.training = fixture_flag(one, "training");
    for (int i = 0; i < inputs; i++)
        give(b, file, name, fixture_part("x", i));
    for (int i = 0; i < outputs; i++)
        upstream[i] = give(b, file, name, fixture_part("dy", i));
    if (b->trace.training) // random layers ask
        give_step(b);
    if (cj__model_trace(b->model, &b->trace, b->inputs, &values) != CJ_OK)
        return false;
    for (int i = 0; i < outputs; i++)
        want(b, values[i].symbol, fixture_part("y", i));
    // Keras lists the penalties of weights only outside a call: those of outputs are seen in the
    // gradients.
    cj_symbol *scalar = scalar_of(b, values, outputs, upstream, fixture_has(file, name, "penalty"));
    if (scalar && fixture_flag(one, "second"))
        scalar = squares_of_gradients(b, scalar, inputs);
    return scalar && gradients_of(b, scalar, file, one);
}

static bool add_updates(bench *b, const fixture *file, const json_t *one)
{
    const json_t *weights = json_object_get(one, "weights");
    for (int i = 0; i < (int)json_array_size(weights); i++) {
        const char *part = fixture_part("after", i);
        if (!fixture_has(file, fixture_case_name(one), part))
            continue;
        cj_variable *v = variable_at(b->model, weights, i);
        want(b, cj__trace_latest(&b->trace, v), part);
    }
    return true;
}

// Makes the function of everything wanted, calls it, and compares.
static bool run(bench *b, const fixture *file, const json_t *one)
{
    b->function = cj_function(.inputs = b->inputs, .input_count = b->input_count,
                              .outputs = b->outputs, .output_count = b->output_count);
    if (!b->function)
        return false;
    const char *name = fixture_case_name(one);
    for (int i = 0; i < b->output_count; i++)
        b->results[i] = fixture_tensor(file, name, b->parts[i]);
    if (cj_function_call(b->function, b->given, b->results) != CJ_OK)
        return false;
    bool right = true;
    for (int i = 0; i < b->output_count; i++)
        right &= fixture_compare(file, name, b->parts[i], b->results[i]);
    return right;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    bench b = {0};
    char *config = json_dumps(json_object_get(one, "config"), JSON_COMPACT);
    assert_non_null(config);
    b.model = cj_model_from_json(config, strlen(config));
    free(config);
    bool right = b.model && set_weights(&b, file, one) && trace(&b, file, one) &&
                 add_updates(&b, file, one) && run(&b, file, one);
    cj_release(b.function);
    for (int i = 0; i < b.input_count; i++)
        cj_release(b.given[i]);
    for (int i = 0; i < b.output_count; i++)
        cj_release(b.results[i]);
    cj__trace_end(&b.trace);
    cj_release(b.model);
    return right;
}

// What generator/*.py left for this program: a test each, one a line.
// clang-format off
static const char *const fixtures[] = {
    "layers",
    "convolutions",
    "gated",
    "wrappers",
    "cells",
    "attention",
    "masks",
    "calls",
    "choices",
    "residuals",
    "normalization",
    "core",
    "mixed",
    "preprocessing",
    "augmentation",
    "spectrograms",
    "warps",
    "second",
    "settings",
    "settings_images",
    "spiking",
};
// clang-format on
enum { FIXTURES = sizeof fixtures / sizeof *fixtures };

static void equal_keras(void **state)
{
    fixture_run(*state, equals_keras);
}

// `layers FOLDER` compares the random models that random_models.py left there, and nothing else.
int main(int argc, char **argv)
{
    const struct CMUnitTest drawn[] = {{"random", equal_keras, NULL, NULL, "random"}};
    struct CMUnitTest tests[FIXTURES];
    if (argc == 2) {
        fixture_folder = argv[1];
        return cmocka_run_group_tests(drawn, NULL, NULL);
    }
    for (int i = 0; i < FIXTURES; i++)
        tests[i] = (struct CMUnitTest){fixtures[i], equal_keras, NULL, NULL, (void *)fixtures[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
