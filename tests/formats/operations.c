// Words of keras.ops between the layers of a functional model: each is a layer of Keras's class, comes
// back from JSON as it was and computes the same; what no file can hold, or names no operation, gets
// its sentence. With a folder as argument the JSON of each case is put there with its numbers, for
// tests/parity/load_operations.py.
#include "support.h"

#include "layers/operation.h"
#include <cajal.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BATCH = 2, ROWS = 3, COLUMNS = 4, MOST = 64 };

static const char *folder;

// What cases are built from: reals (None, 3, 4), in (0.1, 2); whole numbers 0..2 (None, 3); booleans like
// the reals; a constant (4).
typedef struct operands {
    cj_symbol *x, *y, *i, *b, *c;
} operands;

static cj_symbol *constant(void)
{
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(COLUMNS), &tensor), CJ_OK);
    for (int j = 0; j < COLUMNS; j++)
        ((float *)cj_tensor_data(tensor))[j] = 0.5F + (float)j;
    return cj_symbol_constant(tensor);
}

// What only Keras writes: there is no function for it.
static cj_symbol *converted(cj_symbol *x, const char *dtype)
{
    const struct {
        const char *dtype;
    } settings = {dtype};
    return cj__word_convert_to_tensor.make(&cj__word_convert_to_tensor, &x, 1, &settings);
}

// An activation over another axis than the last, which files alone have.
static cj_symbol *along(const char *name, cj_symbol *x, int64_t axis)
{
    const cj__word *word = cj__word_of_activation(name);
    return word->make(word, &x, 1, &(cj__axis_settings){.axis = axis});
}

static cj_symbol *number(double value)
{
    return cj_symbol_scalar(CJ_F32, value);
}

typedef struct word_case {
    const char *name, *class_name;
    cj_symbol *(*make)(const operands *o);
} word_case;

#include "word_cases.h"

#define CASES(F)                                                                              \
    F(add, "Add", cj_op_add(o->x, number(2.5)))                                               \
    F(add_constant, "Add", cj_op_add(o->c, o->x))                                             \
    F(subtract, "Subtract", cj_op_subtract(number(1), o->x))                                  \
    F(multiply, "Multiply", cj_op_multiply(o->x, o->y))                                       \
    F(divide, "Divide", cj_op_divide(o->x, o->y))                                             \
    F(maximum, "Maximum", cj_op_maximum(o->x, number(1)))                                     \
    F(minimum, "Minimum", cj_op_minimum(o->x, o->y))                                          \
    F(power, "Power", cj_op_power(o->x, number(2)))                                           \
    F(matmul, "Matmul", cj_op_matmul(o->x, cj_op_transpose(o->y, (int[]){0, 2, 1}, 3)))       \
    F(equal, "Equal", cj_op_equal(o->x, o->y))                                                \
    F(not_equal, "NotEqual", cj_op_not_equal(o->x, number(0)))                                \
    F(greater, "Greater", cj_op_greater(o->x, number(1)))                                     \
    F(greater_equal, "GreaterEqual", cj_op_greater_equal(o->x, o->y))                         \
    F(less, "Less", cj_op_less(o->x, o->y))                                                   \
    F(less_equal, "LessEqual", cj_op_less_equal(o->x, number(1)))                             \
    F(logical_and, "LogicalAnd", cj_op_logical_and(o->b, cj_op_less(o->x, number(1.5))))      \
    F(logical_or, "LogicalOr", cj_op_logical_or(o->b, cj_op_less(o->x, number(0.5))))         \
    F(logical_xor, "LogicalXor", cj_op_logical_xor(o->b, cj_op_less(o->x, number(1.5))))      \
    F(logical_not, "LogicalNot", cj_op_logical_not(o->b))                                     \
    F(negative, "Negative", cj_op_negative(o->x))                                             \
    F(exp, "Exp", cj_op_exp(o->x))                                                            \
    F(log, "Log", cj_op_log(o->x))                                                            \
    F(sqrt, "Sqrt", cj_op_sqrt(o->x))                                                         \
    F(square, "Square", cj_op_square(o->x))                                                   \
    F(absolute, "Absolute", cj_op_absolute(o->x))                                             \
    F(relu, "Relu", cj_op_relu(cj_op_subtract(o->x, number(1))))                              \
    F(sign, "Sign", cj_op_sign(cj_op_subtract(o->x, number(1))))                              \
    F(log1p, "Log1p", cj_op_log1p(o->x))                                                      \
    F(rsqrt, "Rsqrt", cj_op_rsqrt(o->x))                                                      \
    F(reciprocal, "Reciprocal", cj_op_reciprocal(o->x))                                       \
    F(zeros_like, "ZerosLike", cj_op_zeros_like(o->x))                                        \
    F(ones_like, "OnesLike", cj_op_ones_like(o->x))                                           \
    F(stop_gradient, "StopGradient", cj_op_stop_gradient(o->x))                               \
    F(where, "Where", cj_op_where(o->b, o->x, number(7)))                                     \
    F(reduce_sum, "Sum", cj_op_reduce_sum(o->x, (int[]){1}, 1))                               \
    F(reduce_mean, "Mean", cj_op_reduce_mean(o->x, (int[]){1, -1}, 2))                        \
    F(reduce_max, "Max", cj_op_reduce_max(o->x, (int[]){-1}, 1))                              \
    F(reduce_min, "Min", cj_op_reduce_min(o->x, (int[]){2}, 1))                               \
    F(var, "Var", cj_op_var(o->x, (int[]){1}, 1))                                             \
    F(std, "Std", cj_op_std(o->x, (int[]){-1}, 1))                                            \
    F(logsumexp, "Logsumexp", cj_op_logsumexp(o->x, (int[]){2}, 1))                           \
    F(norm, "Norm", cj_op_norm(o->x, (int[]){2}, 1))                                          \
    F(any, "Any", cj_op_any(o->b, (int[]){2}, 1))                                             \
    F(all, "All", cj_op_all(o->b, (int[]){2}, 1))                                             \
    F(argmax, "Argmax", cj_op_argmax(o->x, -1))                                               \
    F(argmin, "Argmin", cj_op_argmin(o->x, 1))                                                \
    F(cumsum, "Cumsum", cj_op_cumsum(o->x, 1))                                                \
    F(cast, "Cast", cj_op_cast(o->b, CJ_F32))                                                 \
    F(convert, "ConvertToTensor", converted(o->x, NULL))                                      \
    F(convert_dtype, "ConvertToTensor", converted(o->i, "float32"))                           \
    F(clip, "Clip", cj_op_clip(o->x, 0.5, 1.25))                                              \
    F(concatenate, "Concatenate", cj_op_concatenate((cj_symbol *[]){o->x, o->y}, 2, -1))      \
    F(stack, "Stack", cj_op_stack((cj_symbol *[]){o->x, o->y}, 2, 1))                         \
    F(attention, "DotProductAttention",                                                       \
      cj_op_attention(heads(o->x), heads(o->y), heads(o->x), NAN, false))                     \
    F(causal_attention, "DotProductAttention",                                                \
      cj_op_attention(heads(o->x), heads(o->y), heads(o->x), 0.5, true))                      \
    F(einsum, "Einsum", cj_op_einsum("abc,adc->abd", o->x, o->y))                             \
    F(expand_dims, "ExpandDims", cj_op_expand_dims(o->x, 1))                                  \
    F(squeeze, "Squeeze", cj_op_squeeze(cj_op_expand_dims(o->x, -1), -1))                     \
    F(flip, "Flip", cj_op_flip(o->x, 2))                                                      \
    F(slice, "GetItem", cj_op_slice(o->x, -1, 1, 2))                                          \
    F(slice_rows, "GetItem", cj_op_slice(o->x, 1, 0, 2))                                      \
    F(one_hot, "OneHot", cj_op_one_hot(o->i, 3))                                              \
    F(take, "Take", cj_op_take(table(), o->i))                                                \
    F(pad, "Pad", cj_op_pad(o->x, 1, 1, 2))                                                   \
    F(reshape, "Reshape", cj_op_reshape(o->x, CJ_SHAPE(CJ_BATCH, 2, -1)))                     \
    F(roll, "Roll", cj_op_roll(o->x, 3, 2))                                                   \
    F(tile, "Tile", cj_op_tile(o->x, 3, 1))                                                   \
    F(transpose, "Transpose", cj_op_transpose(o->x, (int[]){0, 2, 1}, 3))                     \
    F(activation_relu, "ReLU", cj_op_activation("relu(max_value=1.5)", o->x))                 \
    F(leaky_relu, "LeakyRelu", cj_op_activation("leaky_relu(0.1)", o->x))                     \
    F(relu6, "Relu6", cj_op_activation("relu6", o->x))                                        \
    F(elu, "Elu", cj_op_activation("elu(alpha=0.5)", shifted(o->x)))                          \
    F(selu, "Selu", cj_op_activation("selu", shifted(o->x)))                                  \
    F(softmax, "Softmax", cj_op_activation("softmax", o->x))                                  \
    F(log_softmax, "LogSoftmax", cj_op_activation("log_softmax", o->x))                       \
    F(softmax_axis, "Softmax", along("softmax", o->x, 1))                                     \
    F(softmax_last, "Softmax", along("softmax", o->x, 2))                                     \
    F(log_softmax_axis, "LogSoftmax", along("log_softmax", o->x, -2))                         \
    F(glu_axis, "Glu", along("glu", cj_op_concatenate((cj_symbol *[]){o->x, o->y}, 2, 1), 1)) \
    F(softplus, "Softplus", cj_op_activation("softplus", o->x))                               \
    F(softsign, "Softsign", cj_op_activation("softsign", shifted(o->x)))                      \
    F(tanh, "Tanh", cj_op_activation("tanh", o->x))                                           \
    F(tanh_shrink, "TanhShrink", cj_op_activation("tanh_shrink", o->x))                       \
    F(sigmoid, "Sigmoid", cj_op_activation("sigmoid", o->x))                                  \
    F(hard_sigmoid, "HardSigmoid", cj_op_activation("hard_sigmoid", o->x))                    \
    F(silu, "Silu", cj_op_activation("swish", o->x))                                          \
    F(hard_silu, "HardSilu", cj_op_activation("hard_silu", o->x))                             \
    F(gelu, "Gelu", cj_op_activation("gelu(approximate=true)", shifted(o->x)))                \
    F(gelu_exact, "Gelu", cj_op_activation("gelu", shifted(o->x)))                            \
    F(mish, "Mish", cj_op_activation("mish", shifted(o->x)))                                  \
    F(exponential, "Exp", cj_op_activation("exponential", o->x))                              \
    F(celu, "Celu", cj_op_activation("celu(alpha=2)", shifted(o->x)))                         \
    F(hard_tanh, "HardTanh", cj_op_activation("hard_tanh", o->x))                             \
    F(hard_shrink, "HardShrink", cj_op_activation("hard_shrink", shifted(o->x)))              \
    F(soft_shrink, "SoftShrink", cj_op_activation("soft_shrink(0.25)", shifted(o->x)))        \
    F(threshold, "Threshold", cj_op_activation("threshold(1, 3)", o->x))                      \
    F(log_sigmoid, "LogSigmoid", cj_op_activation("log_sigmoid", o->x))                       \
    F(sparse_plus, "SparsePlus", cj_op_activation("sparse_plus", shifted(o->x)))              \
    F(sparse_sigmoid, "SparseSigmoid", cj_op_activation("sparse_sigmoid", shifted(o->x)))     \
    F(sin, "Sin", cj_op_sin(o->x))                                                            \
    F(cos, "Cos", cj_op_cos(o->x))                                                            \
    F(tan, "Tan", cj_op_tan(o->x))                                                            \
    F(arcsin, "Arcsin", cj_op_arcsin(cj_op_multiply(o->x, number(0.4))))                      \
    F(arccos, "Arccos", cj_op_arccos(cj_op_multiply(o->x, number(0.4))))                      \
    F(arctan, "Arctan", cj_op_arctan(o->x))                                                   \
    F(sinh, "Sinh", cj_op_sinh(o->x))                                                         \
    F(cosh, "Cosh", cj_op_cosh(o->x))                                                         \
    F(arcsinh, "Arcsinh", cj_op_arcsinh(o->x))                                                \
    F(arccosh, "Arccosh", cj_op_arccosh(cj_op_add(o->x, number(1))))                          \
    F(arctanh, "Arctanh", cj_op_arctanh(cj_op_multiply(o->x, number(0.4))))                   \
    F(expm1, "Expm1", cj_op_expm1(o->x))                                                      \
    F(exp2, "Exp2", cj_op_exp2(o->x))                                                         \
    F(log2, "Log2", cj_op_log2(o->x))                                                         \
    F(log10, "Log10", cj_op_log10(o->x))                                                      \
    F(cbrt, "Cbrt", cj_op_cbrt(o->x))                                                         \
    F(erf, "Erf", cj_op_erf(o->x))                                                            \
    F(erfc, "Erfc", cj_op_erfc(o->x))                                                         \
    F(erfinv, "Erfinv", cj_op_erfinv(cj_op_multiply(o->x, number(0.4))))                      \
    F(i0, "I0", cj_op_i0(o->x))                                                               \
    F(floor, "Floor", cj_op_floor(cj_op_multiply(shifted(o->x), number(1.7))))                \
    F(ceil, "Ceil", cj_op_ceil(cj_op_multiply(shifted(o->x), number(1.7))))                   \
    F(trunc, "Trunc", cj_op_trunc(cj_op_multiply(o->x, number(1.7))))                         \
    F(fabs, "Fabs", cj_op_fabs(o->x))                                                         \
    F(deg2rad, "Deg2rad", cj_op_deg2rad(o->x))                                                \
    F(rad2deg, "Rad2deg", cj_op_rad2deg(o->x))                                                \
    F(sinc, "Sinc", cj_op_sinc(o->x))                                                         \
    F(arctan2, "Arctan2", cj_op_arctan2(o->x, o->y))                                          \
    F(hypot, "Hypot", cj_op_hypot(o->x, o->y))                                                \
    F(logaddexp, "Logaddexp", cj_op_logaddexp(o->x, o->y))                                    \
    F(logaddexp2, "Logaddexp2", cj_op_logaddexp2(o->x, o->y))                                 \
    F(floor_divide, "FloorDivide", cj_op_floor_divide(o->x, o->y))                            \
    F(mod, "Mod", cj_op_mod(o->x, o->y))                                                      \
    F(fmod, "Fmod", cj_op_fmod(o->x, o->y))                                                   \
    F(fmax, "Fmax", cj_op_fmax(o->x, o->y))                                                   \
    F(fmin, "Fmin", cj_op_fmin(o->x, o->y))                                                   \
    F(nextafter, "Nextafter", cj_op_nextafter(o->x, o->y))                                    \
    F(cumprod, "Cumprod", cj_op_cumprod(o->x, 1))                                             \
    F(prod, "Prod", cj_op_prod(o->x, (int[]){2}, 1))                                          \
    F(amax, "Amax", cj_op_amax(o->x, (int[]){2}, 1))                                          \
    F(amin, "Amin", cj_op_amin(o->x, (int[]){2}, 1))                                          \
    F(median, "Median", cj_op_median(o->x, (int[]){2}, 1))                                    \
    F(ptp, "Ptp", cj_op_ptp(o->x, (int[]){2}, 1))                                             \
    F(nansum, "Nansum", cj_op_nansum(o->x, (int[]){2}, 1))                                    \
    F(nanmean, "Nanmean", cj_op_nanmean(o->x, (int[]){2}, 1))                                 \
    F(nanmax, "Nanmax", cj_op_nanmax(o->x, (int[]){2}, 1))                                    \
    F(nanmin, "Nanmin", cj_op_nanmin(o->x, (int[]){2}, 1))                                    \
    F(nanprod, "Nanprod", cj_op_nanprod(o->x, (int[]){2}, 1))                                 \
    F(nanvar, "Nanvar", cj_op_nanvar(o->x, (int[]){2}, 1))                                    \
    F(nanstd, "Nanstd", cj_op_nanstd(o->x, (int[]){2}, 1))                                    \
    F(nanmedian, "Nanmedian", cj_op_nanmedian(o->x, (int[]){2}, 1))                           \
    F(squareplus, "Squareplus", cj_op_activation("squareplus(b=2)", shifted(o->x)))           \
    F(glu, "Glu", cj_op_activation("glu", o->x))

static cj_symbol *heads(cj_symbol *x) // (None, 3, 4) as (None, 3, 2, 2)
{
    return cj_op_reshape(x, CJ_SHAPE(CJ_BATCH, ROWS, 2, 2));
}

static cj_symbol *shifted(cj_symbol *x) // some below 0
{
    return cj_op_subtract(x, number(1));
}

static cj_symbol *table(void) // (3, 2)
{
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(3, 2), &tensor), CJ_OK);
    for (int j = 0; j < 6; j++)
        ((float *)cj_tensor_data(tensor))[j] = (float)j / 4;
    return cj_symbol_constant(tensor);
}

#define CASE(name, class, expression)                \
    static cj_symbol *make_##name(const operands *o) \
    {                                                \
        return expression;                           \
    }
CASES(CASE)
WORD_CASES(CASE)
#undef CASE

static const word_case cases[] = {
#define CASE(name, class, expression) {#name, class, make_##name},
    CASES(CASE) WORD_CASES(CASE)
#undef CASE
};
enum { CASE_COUNT = sizeof cases / sizeof cases[0] };

// A layer before the word and one after it, so that it stands between layers.
static cj_model *model_of(const word_case *c)
{
    cj_symbol *x = cj_input_symbol(ROWS, COLUMNS, .name = "x"),
              *i = cj_input_symbol(ROWS, .dtype = "int32", .name = "i");
    cj_symbol *y = cj_apply(cj_rescaling(0.5, .offset = 0.25), x);
    operands o = {.x = x, .y = y, .i = i, .c = constant()};
    cj_take(o.x);
    cj_take(o.y);
    cj_take(o.i);
    cj_take(o.c);
    o.b = cj_op_greater(x, cj_symbol_scalar(CJ_F32, 1));
    cj_take(o.b);
    cj_symbol *made = c->make(&o);
    if (!made)
        print_message("%s: %s\n", c->name, cj_error());
    // all inputs are read
    cj_symbol *result = cj_op_cast(made, CJ_F32);
    cj_symbol *rest =
        cj_op_reduce_sum(cj_op_multiply(o.y, cj_symbol_scalar(CJ_F32, 0)), (int[]){1, 2}, 2);
    cj_symbol *indices = cj_op_reduce_sum(cj_op_cast(o.i, CJ_F32), (int[]){1}, 1);
    cj_model *model =
        cj_functional(.inputs = {x, i}, .outputs = {result, cj_op_add(rest, indices)});
    if (!model)
        print_message("%s: %s\n", c->name, cj_error());
    cj_release(o.x);
    cj_release(o.y);
    cj_release(o.i);
    cj_release(o.b);
    cj_release(o.c);
    return model;
}

static cj_tensor *inputs[2];

static cj_tensor *predict(cj_model *model)
{
    cj_tensor *outputs[2] = {NULL, NULL};
    if (cj_predict_many(model, inputs, outputs) != CJ_OK)
        return NULL;
    cj_release(outputs[1]);
    return outputs[0];
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(BATCH, ROWS, COLUMNS), &inputs[0]), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_I32, CJ_SHAPE(BATCH, ROWS), &inputs[1]), CJ_OK);
    for (int j = 0; j < BATCH * ROWS * COLUMNS; j++)
        ((float *)cj_tensor_data(inputs[0]))[j] = 0.1F + (float)(j * 7 % 19) / 10;
    for (int j = 0; j < BATCH * ROWS; j++)
        ((int32_t *)cj_tensor_data(inputs[1]))[j] = j % 3;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cj_release(inputs[0]);
    cj_release(inputs[1]);
    return 0;
}

static bool has_class(const cj_model *model, const char *class_name)
{
    for (int i = 0; i < cj_model_layer_count(model); i++)
        if (strcmp(cj_layer_class(cj_model_layer_at(model, i)), class_name) == 0)
            return true;
    return false;
}

static void put(const word_case *c, const char *json, const cj_tensor *out)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.json", folder, c->name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(json, file);
    fclose(file);
    snprintf(path, sizeof path, "%s/%s.txt", folder, c->name);
    file = fopen(path, "w");
    assert_non_null(file);
    for (int64_t i = 0; i < cj_tensor_count(out); i++)
        fprintf(file, "%.9g\n", (double)((const float *)cj_tensor_data(out))[i]);
    fclose(file);
}

// The model's JSON, the model that it is read as, and what both compute.
static bool comes_back(const word_case *c, cj_model *model)
{
    char *json = NULL, *again = NULL;
    cj_model *read = NULL;
    cj_tensor *out = NULL, *same = NULL;
    bool good = has_class(model, c->class_name);
    if (!good)
        print_message("%s: no layer of class %s\n", c->name, c->class_name);
    if (good && (cj_model_to_json(model, &json) != CJ_OK ||
                 !(read = cj_model_from_json(json, strlen(json))) ||
                 cj_model_to_json(read, &again) != CJ_OK || !(out = predict(model)) ||
                 !(same = predict(read)))) {
        print_message("%s: %s\n", c->name, cj_error());
        good = false;
    }
    if (good &&
        (strcmp(json, again) != 0 || !cj_shape_equal(cj_tensor_shape(out), cj_tensor_shape(same)) ||
         memcmp(cj_tensor_data(out), cj_tensor_data(same),
                (size_t)cj_tensor_count(out) * sizeof(float)) != 0)) {
        print_message("%s: it comes back as another one\n", c->name);
        good = false;
    }
    if (good && folder)
        put(c, json, out);
    cj_release(out);
    cj_release(same);
    cj_release(read);
    cj_free(json);
    cj_free(again);
    return good;
}

static void every_word_comes_back_from_json(void **state)
{
    int wrong = 0;
    (void)state;
    for (int i = 0; i < CASE_COUNT; i++) {
        cj_model *model = model_of(&cases[i]);
        wrong += !model || !comes_back(&cases[i], model);
        cj_release(model);
    }
    assert_int_equal(wrong, 0);
}

static void every_word_has_a_case(void **state)
{
    (void)state;
    for (int i = 0; cj__word_at(i); i++) {
        bool found = false;
        for (int j = 0; j < CASE_COUNT; j++)
            found = found || strcmp(cases[j].class_name, cj__word_at(i)->choice.class_name) == 0;
        if (!found)
            print_message("word %s has no case\n", cj__word_at(i)->choice.name);
        assert_true(found);
    }
}

int main(int count, char **arguments)
{
    folder = count > 1 ? arguments[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_comes_back_from_json),
        cmocka_unit_test(every_word_has_a_case),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
