// Symbols: who holds whom, long chains, and the sentences of what does not fit.
#include "cases.h"

#include "graph/graph.h"
#include <limits.h>
#include <string.h>

static cj_symbol *input(int64_t rows, int64_t cols)
{
    return cj_symbol_input(CJ_F32, CJ_SHAPE(rows, cols), "x");
}

static void one_release_frees_a_whole_expression(void **state)
{
    (void)state;
    support_memory_begin(-1);
    cj_symbol *y =
        cj_op_reduce_mean(cj_op_relu(cj_op_matmul(input(CJ_BATCH, 3), input(3, 2))), NULL, 0);
    assert_non_null(y);
    cj_release(y);
    support_memory_end();
}

static void an_argument_may_be_used_twice(void **state)
{
    (void)state;
    support_memory_begin(-1);
    cj_symbol *x = input(2, 2), *square = cj_op_multiply(x, x);
    assert_non_null(square);
    cj_symbol *both = cj_op_add(square, cj_op_exp(square));
    assert_non_null(both);
    cj_release(both);
    support_memory_end();
}

static void a_held_symbol_outlives_its_users(void **state)
{
    (void)state;
    support_memory_begin(-1);
    cj_symbol *x = cj_retain(input(2, 3)), *y = cj_op_exp(x);
    cj_release(y);
    assert_int_equal(cj_symbol_shape(x)->dims[1], 3);
    cj_release(x);
    support_memory_end();
}

static void a_builder_that_fails_releases_what_floats(void **state)
{
    (void)state;
    support_memory_begin(-1);
    cj_symbol *kept = cj__own(input(2, 3));
    assert_null(cj_op_add(kept, input(2, 4)));
    assert_null(cj_op_matmul(input(2, 3), input(2, 3)));
    assert_null(cj_op_add(cj_op_add(input(2, 3), input(3, 2)), input(2, 2)));
    assert_null(cj_op_reshape(input(2, 3), CJ_SHAPE(4, 2)));
    cj_release(kept);
    support_memory_end();
}

static void the_first_sentence_of_nested_builders_stays(void **state)
{
    (void)state;
    cj_error_clear();
    assert_null(cj_op_exp(cj_op_add(cj_op_matmul(input(2, 3), input(2, 3)), input(2, 2))));
    assert_error_contains("matmul: (2, 3) and (2, 3) do not fit");
}

static void a_variable_is_held_by_what_reads_it(void **state)
{
    cj_tensor *value = NULL;
    (void)state;
    support_memory_begin(-1);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2), &value), CJ_OK);
    cj_variable *w = cj_variable_new("w", value);
    cj_symbol *x = cj_symbol_variable(w);
    cj_release(w);
    assert_string_equal(cj_variable_name(x->node->variable), "w");
    cj_release(x);
    support_memory_end();
}

static void a_shape_of_too_many_axes_is_refused(void **state)
{
    const cj_shape shape = {.rank = CJ_MAX_RANK + 1, .dims = {1, 1, 1, 1, 1, 1, 1, 1}};
    (void)state;
    assert_null(cj_op_reshape(input(2, 3), shape));
    assert_error_contains("reshape: a shape of 9 axes");
    assert_null(cj_op_reshape(input(2, 3), (cj_shape){.rank = INT_MAX}));
    assert_null(cj_op_reshape(input(2, 3), (cj_shape){.rank = -1}));
}

// The product of the lengths would overflow, and another length is 0.
static void a_shape_whose_size_overflows_is_refused(void **state)
{
    (void)state;
    assert_null(cj_op_reshape(input(2, 3), CJ_SHAPE((int64_t)1 << 40, (int64_t)1 << 40, 0)));
    assert_error_contains("reshape");
}

// The first cause survives every builder that is given the NULL.
static void null_goes_through_builders_with_the_first_cause(void **state)
{
    cj_symbol *gradient = NULL;
    (void)state;
    cj_symbol *bad = cj_op_matmul(input(2, 3), input(2, 3));
    assert_null(bad);
    assert_null(cj_op_reduce_sum(cj_op_exp(cj_op_add(bad, input(2, 3))), NULL, 0));
    assert_int_equal(cj_gradients(NULL, &gradient, 1, &gradient), CJ_SHAPE_MISMATCH);
    assert_error_contains("matmul: (2, 3) and (2, 3) do not fit");
    assert_null(cj_symbol_variable(cj_variable_new("w", NULL)));
    assert_error_contains("variable: the tensor is NULL"); // matmul's failure was reported
}

static void null_alone_is_refused_by_name(void **state)
{
    cj_symbol *x = cj__own(input(2, 3)), *out = NULL;
    (void)state;
    cj_error_clear();
    assert_null(cj_op_add(x, NULL));
    assert_error_contains("a symbol that is needed is NULL");
    assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
    assert_null(cj_symbol_shape(NULL));
    assert_int_equal(cj_symbol_dtype(NULL), CJ_F32);
    assert_string_equal(cj_variable_name(NULL), "");
    assert_null(cj_variable_value(NULL));
    assert_int_not_equal(cj_gradients(x, NULL, 1, &out), CJ_OK);
    assert_int_not_equal(cj_function_call(NULL, NULL, NULL), CJ_OK);
    cj_release(x);
}

// Freeing and differentiating are iterative: recursion this deep would overflow the stack.
static void a_chain_of_100000_is_differentiated_and_freed(void **state)
{
    cj_symbol *x = cj__own(cj_symbol_input(CJ_F32, (cj_shape){0}, "x")), *chain = x,
              *gradient = NULL;
    (void)state;
    support_memory_begin(-1);
    for (int i = 0; i < 100000; i++)
        chain = cj_op_negative(chain);
    chain = cj__own(chain);
    assert_int_equal(cj_gradients(chain, &x, 1, &gradient), CJ_OK);
    cj_release(chain);
    cj_release(gradient);
    support_memory_end();
    cj_release(x);
}

static void gradients_of_what_is_not_needed_are_zero(void **state)
{
    (void)state;
    support_memory_begin(-1);
    cj_symbol *xs[] = {cj__own(input(CJ_BATCH, 2)), cj__own(input(CJ_BATCH, 3))}, *gradients[2];
    cj_symbol *loss = cj__own(cj_op_reduce_sum(cj_op_square(xs[0]), NULL, 0));
    assert_int_equal(cj_gradients(loss, xs, 2, gradients), CJ_OK);
    assert_true(cj_shape_equal(cj_symbol_shape(gradients[1]), cj_symbol_shape(xs[1])));
    cj_symbol *all[] = {gradients[0], gradients[1], loss, xs[0], xs[1]};
    for (int i = 0; i < 5; i++)
        cj_release(all[i]);
    support_memory_end();
}

static void gradients_refuse_what_has_none(void **state)
{
    cj_symbol *x = cj__own(input(2, 2)),
              *n = cj__own(cj_op_cast(cj_op_reduce_sum(x, NULL, 0), CJ_I32)), *gradient = NULL;
    cj_symbol *loss = cj__own(cj_op_reduce_sum(x, NULL, 0));
    (void)state;
    assert_int_equal(cj_gradients(x, &x, 1, &gradient), CJ_INVALID_ARGUMENT);
    assert_error_contains("(2, 2)");
    assert_int_equal(cj_gradients(loss, &n, 1, &gradient), CJ_INVALID_ARGUMENT);
    assert_error_contains("int32");
    assert_null(gradient);
    cj_symbol *all[] = {loss, n, x};
    for (int i = 0; i < 3; i++)
        cj_release(all[i]);
}

// What a word of build.h is given, and part of what it says.
typedef cj_symbol *(*mistake)(cj__build *g);

static cj_symbol *real(cj__build *g, cj_shape shape)
{
    return cj__build_keep(g, cj_symbol_input(CJ_F32, shape, "x"));
}

static cj_symbol *integer(cj__build *g, cj_shape shape)
{
    return cj__build_keep(g, cj_symbol_input(CJ_I32, shape, "n"));
}

#define MISTAKES(M)                                                                               \
    M(add, cj__add(g, real(g, CJ_SHAPE(2, 3)), real(g, CJ_SHAPE(2, 4))), "(2, 4)")                \
    M(batch, cj__add(g, real(g, CJ_SHAPE(CJ_BATCH, 3)), real(g, CJ_SHAPE(4, 3))), "None")         \
    M(dtype, cj__add(g, real(g, CJ_SHAPE(2)), integer(g, CJ_SHAPE(2))), "add: input 1 is int32")  \
    M(exp, cj__apply_unary(g, CJ__UNARY_exp, integer(g, CJ_SHAPE(2)), 0, 0),                      \
      "needs float32 or float64")                                                                 \
    M(rank, cj__matmul(g, real(g, CJ_SHAPE(3)), real(g, CJ_SHAPE(3, 2)), false, false), "axes")   \
    M(axis, cj__sum(g, real(g, CJ_SHAPE(2, 3)), 4, false), "reduce_sum: an axis is outside")      \
    M(concat,                                                                                     \
      cj__concat(g, (cj_symbol *[]){real(g, CJ_SHAPE(2, 3)), real(g, CJ_SHAPE(3, 3))}, 2, 1),     \
      "concat")                                                                                   \
    M(free, cj__concat(g, (cj_symbol *[]){real(g, CJ_SHAPE(CJ_BATCH, 3))}, 1, 0), "concat")       \
    M(slice, cj__slice(g, real(g, CJ_SHAPE(2, 3)), 1, 2, 2),                                      \
      "2 entries from 2 do not lie in axis 1 of length 3")                                        \
    M(reshape, cj__reshape(g, real(g, CJ_SHAPE(2, 3)), &CJ_SHAPE(4, -1)),                         \
      "(2, 3) cannot be seen as")                                                                 \
    M(order, cj__transpose(g, real(g, CJ_SHAPE(2, 3)), (int[]){1, 1}),                            \
      "must name each of 2 axes once")                                                            \
    M(stack, cj__stack(g, (cj_symbol *[]){real(g, CJ_SHAPE(2)), real(g, CJ_SHAPE(3))}, 2, 0),     \
      "(2,) and (3,)")                                                                            \
    M(like, cj__sum_like(g, real(g, CJ_SHAPE(2, 3)), real(g, CJ_SHAPE(4))), "sum_like")           \
    M(labels, cj__softmax_cross_entropy(g, real(g, CJ_SHAPE(2, 3)), integer(g, CJ_SHAPE(3))),     \
      "softmax_cross_entropy")                                                                    \
    M(classes, cj__one_hot(g, integer(g, CJ_SHAPE(2)), 0, CJ_F32), "at least one class")          \
    M(top, cj__in_top_k(g, real(g, CJ_SHAPE(2, 3)), integer(g, CJ_SHAPE(2)), 0),                  \
      "k must be at least 1")                                                                     \
    M(window,                                                                                     \
      cj__max_pool2d(g, real(g, CJ_SHAPE(1, 2, 2, 1)),                                            \
                     &(cj__pool2d_attrs){.size = {3, 3}, .strides = {1, 1}}),                     \
      "window 3x3 does not fit input 2x2")                                                        \
    M(kernel,                                                                                     \
      cj__conv2d_symbol(g, real(g, CJ_SHAPE(1, 2, 2, 1)), real(g, CJ_SHAPE(3, 3, 1, 1)),          \
                        &(cj__conv2d_attrs){.strides = {1, 1}, .dilation = {1, 1}, .groups = 1}), \
      "kernel 3x3 does not fit input 2x2")                                                        \
    M(channels,                                                                                   \
      cj__conv2d_symbol(g, real(g, CJ_SHAPE(1, 4, 4, 3)), real(g, CJ_SHAPE(3, 3, 2, 1)),          \
                        &(cj__conv2d_attrs){.strides = {1, 1}, .dilation = {1, 1}, .groups = 1}), \
      "do not fit 3 channels")                                                                    \
    M(groups,                                                                                     \
      cj__conv2d_symbol(g, real(g, CJ_SHAPE(1, 4, 4, 4)), real(g, CJ_SHAPE(3, 3, 2, 3)),          \
                        &(cj__conv2d_attrs){.strides = {1, 1}, .dilation = {1, 1}, .groups = 2}), \
      "cannot be cut into 2 groups")                                                              \
    M(huge, cj__pad(g, real(g, CJ_SHAPE(1, 2147483647, 2147483647)), 0, 9, 0), "too large")

#define M(name, expression, part)                  \
    static cj_symbol *mistake_##name(cj__build *g) \
    {                                              \
        return expression;                         \
    }
MISTAKES(M)
#undef M

static void what_does_not_fit_is_named(void **state)
{
    static const struct {
        mistake make;
        const char *part;
    } rows[] = {
#define M(name, expression, part) {mistake_##name, part},
        MISTAKES(M)
#undef M
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cj__build g = {0};
        cj_error_clear();
        support_memory_begin(-1);
        assert_null(rows[i].make(&g));
        assert_int_not_equal(cj__build_end(&g), CJ_OK);
        support_memory_end();
        assert_error_contains(rows[i].part);
    }
}

static void reductions_take_axes_from_the_end_and_refuse_others(void **state)
{
    cj_symbol *x = cj__own(input(2, 3)), *y = cj_op_reduce_sum(x, (int[]){-1}, 1);
    (void)state;
    assert_int_equal(cj_symbol_shape(y)->rank, 1);
    assert_int_equal(cj_symbol_shape(y)->dims[0], 2);
    assert_null(cj_op_reduce_mean(x, (int[]){2}, 1));
    assert_error_contains("axis 2 is outside the 2 axes");
    cj_release(y);
    cj_release(x);
}

// An argument that keeps another one alive: whatever fails, each is released once.
static cj_status build_all(void *context)
{
    cj_tensor *value = NULL;
    cj_symbol *x = cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 4), "x"), *gradient = NULL;
    (void)context;
    cj_symbol *square = cj_op_square(x), *root = cj_op_sqrt(square);
    cj_symbol *y = root ? cj_op_multiply(root, square) : NULL;
    y = cj_op_reshape(
        cj_op_cast(cj_op_stop_gradient(cj_op_add(y, cj_symbol_scalar(CJ_F32, 2))), CJ_F64),
        CJ_SHAPE(CJ_BATCH, 2, 2));
    y = cj__own(cj_op_reduce_sum(y, NULL, 0));
    if (!y)
        return cj_error_status();
    cj_status status = cj_gradients(y, &y, 1, &gradient);
    if (status == CJ_OK)
        status = cj_tensor_new(CJ_F32, CJ_SHAPE(2), &value);
    if (status == CJ_OK) {
        cj_variable *w = cj_variable_new("w", value);
        cj_symbol *read = cj_symbol_variable(w);
        status = read ? CJ_OK : cj_error_status();
        cj_release(w);
        cj_release(read);
    }
    cj_release(gradient);
    cj_release(y);
    return status;
}

static void each_failing_allocation_leaks_nothing(void **state)
{
    (void)state;
    support_fail_each_allocation(build_all, NULL);
}

// Attributes on memory that held something else: all their bytes are those of the members, since equal
// ops are found by comparing bytes.
#define SAME_BYTES(type, ...)                                 \
    do {                                                      \
        type first, second;                                   \
        memset(&first, 0x11, sizeof first);                   \
        memset(&second, 0xee, sizeof second);                 \
        first = (type){__VA_ARGS__};                          \
        second = (type){__VA_ARGS__};                         \
        assert_memory_equal(&first, &second, sizeof first);   \
        assert_int_equal(CJ__ATTRS_SIZE(type), sizeof(type)); \
    } while (0)

static void equal_attributes_have_equal_bytes(void **state)
{
    (void)state;
    SAME_BYTES(cj__rescale_attrs, .scale = 2, .dtype = CJ_F32);
    SAME_BYTES(cj__slice_attrs, .axis = 1, .begin = 2, .length = 3);
    SAME_BYTES(cj__index_attrs, .size = 3, .dtype = CJ_F64);
    SAME_BYTES(cj__matmul_attrs, .trans_a = true, .epilogue.act = CJ__UNARY_relu);
    SAME_BYTES(cj__conv2d_attrs, .kernel = {3, 3}, .same = true, .chosen.sums_dbias = true);
    SAME_BYTES(cj__pool2d_attrs, .size = {2, 2}, .same = true);
    SAME_BYTES(cj__blocks_attrs, .images = 4, .lanes = 16, .dtype = CJ_BF16);
    SAME_BYTES(cj__update_attrs, .momentum = 0.5, .nesterov = true);
    SAME_BYTES(cj__matmul_step_attrs, .update.rho = 1);
    SAME_BYTES(cj__sweep_attrs, .members = 3);
}

// What a caller's shape holds beyond its rank, and between its members, is no attribute.
static void equal_shapes_are_equal_attributes(void **state)
{
    (void)state;
    cj_shape shapes[2];
    cj_symbol *y[2];
    cj__build g = {0};
    cj_symbol *x = cj__build_keep(&g, input(2, 3));
    for (int i = 0; i < 2; i++) {
        memset(&shapes[i], 0x11 + i, sizeof shapes[i]);
        shapes[i].rank = 1;
        shapes[i].dims[0] = 6;
        y[i] = cj__reshape(&g, x, &shapes[i]);
        assert_non_null(y[i]);
    }
    assert_memory_equal(y[0]->node->attrs, y[1]->node->attrs, sizeof y[0]->node->attrs);
    assert_int_equal(cj__build_end(&g), CJ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_attributes_have_equal_bytes),
        cmocka_unit_test(equal_shapes_are_equal_attributes),
        cmocka_unit_test(one_release_frees_a_whole_expression),
        cmocka_unit_test(a_shape_of_too_many_axes_is_refused),
        cmocka_unit_test(null_goes_through_builders_with_the_first_cause),
        cmocka_unit_test(null_alone_is_refused_by_name),
        cmocka_unit_test(a_shape_whose_size_overflows_is_refused),
        cmocka_unit_test(an_argument_may_be_used_twice),
        cmocka_unit_test(a_held_symbol_outlives_its_users),
        cmocka_unit_test(a_builder_that_fails_releases_what_floats),
        cmocka_unit_test(the_first_sentence_of_nested_builders_stays),
        cmocka_unit_test(a_variable_is_held_by_what_reads_it),
        cmocka_unit_test(a_chain_of_100000_is_differentiated_and_freed),
        cmocka_unit_test(gradients_of_what_is_not_needed_are_zero),
        cmocka_unit_test(gradients_refuse_what_has_none),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(reductions_take_axes_from_the_end_and_refuse_others),
        cmocka_unit_test(each_failing_allocation_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
