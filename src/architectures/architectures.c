#include "architectures/architectures.h"
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/text.h"

#include <cajal/convolutions.h>
#include <string.h>

CJ__DEFAULTS(architecture, ARCHITECTURE)

#define CJ__ARCHITECTURE(name, meaning, classes, ...) \
    {#name, meaning, {__VA_ARGS__}, classes, cj__architecture_##name, NULL},
#define CJ__SEQUENCE(name, meaning, classes, ...) \
    {#name, meaning, {__VA_ARGS__}, classes, NULL, cj__architecture_##name},
static const cj__architecture rows[] = {
#include "architectures/architectures.def"
};
#undef CJ__ARCHITECTURE
#undef CJ__SEQUENCE
enum { ROWS = sizeof rows / sizeof *rows };

const char *cj_architecture_name(int index)
{
    return index >= 0 && index < ROWS ? rows[index].name : NULL;
}

const char *cj_architecture_meaning(int index)
{
    return index >= 0 && index < ROWS ? rows[index].meaning : NULL;
}

// ---- Shared by the builders ----

cj_symbol *cj__relu_layer(cj_symbol *x)
{
    return cj_apply(cj_activation("relu"), x);
}

cj_symbol *cj__conv_relu(cj_symbol *x, int64_t filters, int64_t kernel, int64_t stride)
{
    return cj_apply(cj_conv2d(filters, {kernel, kernel}, {stride, stride}, .padding = "same",
                              .activation = "relu", .kernel_initializer = "he_normal"),
                    x);
}

cj_symbol *cj__pool(cj_symbol *x, int64_t window, int64_t stride, const char *padding)
{
    return cj_apply(
        cj_max_pooling2d({window, window}, .strides = {stride, stride}, .padding = padding), x);
}

cj_symbol *cj__classify(cj_symbol *x, int64_t classes)
{
    return cj_apply(cj_dense(classes, .activation = "softmax"), x);
}

// ---- A model by name ----

// The input layer's settings: the caller's shape, else the row's.
static cj_status choose_input(const cj__architecture *row, const cj_architecture_args *given,
                              cj_input_args *input)
{
    const int64_t *shape = given->input_shape[0] ? given->input_shape : row->input_shape;
    for (int i = 0; i < CJ_MAX_RANK && shape[i] != 0; i++) {
        if (shape[i] < 0)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: a length of %lld was given, needs 1 or more",
                            row->name, (long long)shape[i]);
        input->shape[i] = shape[i];
    }
    if (row->build && (input->shape[3] || !input->shape[2]))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: takes images (height, width, channels)", row->name);
    if (row->build_sequence && input->shape[1])
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: takes sequences (tokens)", row->name);
    if (given->classes < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %lld classes were given, needs 1 or more",
                        row->name, (long long)given->classes);
    const char *dtype = given->input_dtype ? given->input_dtype : "float32";
    if (strcmp(dtype, "float32") != 0 && strcmp(dtype, "uint8") != 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: input_dtype \"%s\", needs float32 or uint8",
                        row->name, dtype);
    input->dtype = row->build ? dtype : "int32";
    return CJ_OK;
}

// A model of tokens and their positions.
static cj_model *make_sequence(const cj__architecture *row, cj_input_args *input, int64_t classes)
{
    input->name = "tokens";
    cj_symbol *tokens = cj_input_symbol_new(input);
    input->name = "positions";
    cj_symbol *positions = cj_input_symbol_new(input);
    cj_symbol *y = row->build_sequence(tokens, positions, classes);
    return cj_functional(.inputs = {tokens, positions}, .outputs = {y}, .name = row->name);
}

cj_model *cj_architecture_new(const char *name, const cj_architecture_args *args)
{
    cj_architecture_args given;
    if (!name) {
        cj__fail_null("cj_architecture: the name");
        return NULL;
    }
    if (cj__args_read("cj_architecture", args, &architecture_defaults, sizeof given, &given) !=
        CJ_OK)
        return NULL;
    const cj__architecture *row = NULL;
    for (int i = 0; i < ROWS; i++)
        row = strcmp(name, rows[i].name) == 0 ? &rows[i] : row;
    if (!row) {
        cj__fail_unknown(CJ_NOT_FOUND, "architecture", name, rows, sizeof *rows, ROWS);
        return NULL;
    }
    cj_input_args input = {CJ_INPUT_DEFAULTS};
    if (choose_input(row, &given, &input) != CJ_OK)
        return NULL;
    if (row->build_sequence)
        return make_sequence(row, &input, given.classes ? given.classes : row->classes);
    cj_symbol *x = cj_input_symbol_new(&input), *y = x;
    if (strcmp(input.dtype, "uint8") == 0)
        y = cj_apply(cj_rescaling(1.0 / 255), y);
    y = row->build(y, given.classes ? given.classes : row->classes);
    return cj_functional(.inputs = {x}, .outputs = {y}, .name = row->name);
}
