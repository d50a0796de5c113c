/**
 * @file graph.h
 * Symbols, gradients and functions: what layers and training are made of, and what a user's own
 * loop is written with.
 *
 * A *symbol* is a typed, shaped value that has not been computed: an input, a variable, a constant,
 * or the result of an op applied to other symbols. Symbols form a graph without cycles.
 * cj_gradients() extends the graph by the derivatives of a scalar; cj_function() turns a part of
 * the graph into something that runs. The axis of length CJ_BATCH is free until a function is
 * called: one function serves every batch size, and plans each size once.
 *
 * Symbols are counted objects and start floating (base.h): the op that uses a symbol keeps it.
 */
#ifndef CAJAL_GRAPH_H
#define CAJAL_GRAPH_H

#include <cajal/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A value in a graph. */
typedef struct cj_symbol cj_symbol;

/**
 * A named tensor that functions read and update: a weight, a moving average, an optimizer's slot.
 */
typedef struct cj_variable cj_variable;

/** A part of a graph, ready to run. */
typedef struct cj_function cj_function;

/**
 * A symbol whose value is given when a function is called. `shape` includes the batch axis,
 * CJ_BATCH where it is free; `name` is copied, NULL for none. NULL with CJ_INVALID_ARGUMENT or
 * CJ_OUT_OF_MEMORY, as every function here that returns a symbol.
 */
CJ_API cj_symbol *cj_symbol_input(cj_dtype dtype, cj_shape shape, const char *name);

/** A symbol whose value is the given tensor, which it keeps and which must not change. */
CJ_API cj_symbol *cj_symbol_constant(cj_tensor *value);

/** A rank-0 constant of the given float dtype. */
CJ_API cj_symbol *cj_symbol_scalar(cj_dtype dtype, double value);

/**
 * A symbol whose value is that of `variable` when a function is called; it holds the variable.
 * Several symbols may read one variable: they are one value to cj_gradients().
 */
CJ_API cj_symbol *cj_symbol_variable(cj_variable *variable);

/** The dtype of a symbol; CJ_F32 for NULL. */
CJ_API cj_dtype cj_symbol_dtype(const cj_symbol *symbol);

/**
 * The shape of a symbol, CJ_BATCH for a free length; valid as long as the symbol. NULL for NULL.
 */
CJ_API const cj_shape *cj_symbol_shape(const cj_symbol *symbol);

/**
 * A variable named `name` (copied) whose initial value is the tensor `value`, which it takes over.
 * A variable does not float: it belongs to its maker, who releases it, before or after the symbols
 * and functions that use it, which hold it too. NULL with a sentence on failure.
 */
CJ_API cj_variable *cj_variable_new(const char *name, cj_tensor *value);

/** The name of a variable, such as "dense/kernel"; valid as long as the variable. "" for NULL. */
CJ_API const char *cj_variable_name(const cj_variable *variable);

/**
 * The current value: the variable's own tensor, valid as long as the variable; NULL for NULL. Do
 * not write to it while a function that uses the variable runs. Of a variable on a device with
 * memory of its own it is a copy in the host's memory, as of this call: ask again after a step, and
 * give new values with cj_variable_assign(); NULL with a sentence if the device cannot be read. From
 * this call on functions take it that the value may change between runs without their knowledge,
 * and make anew what they would otherwise keep of it, which costs time in predictions of few samples.
 */
CJ_API cj_tensor *cj_variable_value(const cj_variable *variable);

/**
 * Copies `value`, converted to the variable's dtype, into the variable. One of CJ_OK,
 * CJ_INVALID_ARGUMENT (a NULL), CJ_SHAPE_MISMATCH, CJ_OUT_OF_MEMORY. Not while a function that uses
 * the variable runs.
 */
CJ_API cj_status cj_variable_assign(cj_variable *variable, const cj_tensor *value);

/**
 * Element-wise a + b, a - b, a * b, a / b, max and min, with numpy's broadcasting, in the dtype that
 * both have in common: the greater of bool, uint8, int32, int64, float32 and float64. Booleans count as
 * int32, integers wrap round, and a quotient of integers is float32. NULL with a sentence if shapes
 * clash.
 */
CJ_API cj_symbol *cj_op_add(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_subtract(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_multiply(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_divide(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_maximum(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_minimum(cj_symbol *a, cj_symbol *b);

/**
 * Element-wise -x, exp(x), log(x), sqrt(x), x², |x|, and max(x, 0). Of integers exp, log and sqrt are
 * float32; the others stay integers, which are exact up to 2^53.
 */
CJ_API cj_symbol *cj_op_negative(cj_symbol *x);
CJ_API cj_symbol *cj_op_exp(cj_symbol *x);
CJ_API cj_symbol *cj_op_log(cj_symbol *x);
CJ_API cj_symbol *cj_op_sqrt(cj_symbol *x);
CJ_API cj_symbol *cj_op_square(cj_symbol *x);
CJ_API cj_symbol *cj_op_absolute(cj_symbol *x);
CJ_API cj_symbol *cj_op_relu(cj_symbol *x);

/**
 * Any element-wise function by its Keras name, such as "sigmoid" or "gelu"; also "softmax" over the
 * last axis.
 */
CJ_API cj_symbol *cj_op_activation(const char *name, cj_symbol *x);

/**
 * The matrix product over the last axis of `a` and the last but one of `b`: (..., m, k) by (..., k, n)
 * is (..., m, n). Leading axes broadcast as in NumPy; those of a product with a `b` of two axes belong
 * to its rows. Both need two axes at least.
 */
CJ_API cj_symbol *cj_op_matmul(cj_symbol *a, cj_symbol *b);

/**
 * Einstein's sum of products, as in NumPy and Keras: `equation` names each axis of both operands and
 * of the result by a letter, as in "abc,cd->abd"; products are summed over the letters that the
 * result lacks. "..." stands for any axes, which broadcast. Spaces are ignored. The result must be
 * given ("->"), and a letter may stand once in an operand (no diagonals). Up to 8 axes each.
 *
 * Fails with CJ_INVALID_ARGUMENT for an equation that says something else, and CJ_SHAPE_MISMATCH
 * where it does not fit the shapes. Gradients of any order pass.
 */
CJ_API cj_symbol *cj_op_einsum(const char *equation, cj_symbol *a, cj_symbol *b);

/**
 * Scaled dot-product attention (Vaswani et al., "Attention Is All You Need", 2017, equation 1):
 * softmax(scale query key') value for each head, without the matrix of scores in memory.
 *
 * Shapes: query (batch, t, heads, depth), key (batch, s, key heads, depth), value (batch, s, key
 * heads, width); the result is (batch, t, heads, width). The number of heads is a multiple of that of
 * key heads, which groups of heads share (grouped-query attention). `scale` NAN means 1 /
 * sqrt(depth). `causal`: query i sees keys 0 to i only.
 *
 * Fails with CJ_SHAPE_MISMATCH where shapes or dtypes do not fit. Gradients of any order pass.
 */
CJ_API cj_symbol *cj_op_attention(cj_symbol *query, cj_symbol *key, cj_symbol *value, double scale,
                                  bool causal);

/**
 * The same with a mask of booleans of four axes, (batch, heads, t, s), of which any may be 1: a query does
 * not see the keys where it is false. A query that sees no key gets the mean of all values.
 */
CJ_API cj_symbol *cj_op_masked_attention(cj_symbol *query, cj_symbol *key, cj_symbol *value,
                                         cj_symbol *mask, double scale, bool causal);

/**
 * The same elements in another shape; one length may be -1 and is worked out, CJ_BATCH stays where
 * the input has it.
 */
CJ_API cj_symbol *cj_op_reshape(cj_symbol *x, cj_shape shape);

/**
 * Sum or mean over all axes (`axes` NULL) or over `count` axes (negative ones from the end), which
 * are dropped.
 */
CJ_API cj_symbol *cj_op_reduce_sum(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_reduce_mean(cj_symbol *x, const int *axes, int count);

/** The same elements in another dtype; gradients pass between float dtypes and stop at integers. */
CJ_API cj_symbol *cj_op_cast(cj_symbol *x, cj_dtype dtype);

/** x, but no gradient passes back through it. */
CJ_API cj_symbol *cj_op_stop_gradient(cj_symbol *x);

/**
 * The derivatives of the scalar `y` with respect to `count` symbols (variables' symbols, inputs, or
 * any others), by reverse-mode differentiation. gradients[i] has the shape of xs[i], and is zero
 * where y does not depend on it. For a symbol that reads a variable it is the gradient by the
 * variable, over all symbols through which y reads it, those of layers included. The gradients are
 * symbols in the same graph, may be differentiated again, and are handed to the caller floating.
 * CJ_INVALID_ARGUMENT if a symbol is missing, y is not a real scalar, or an x is not real;
 * CJ_UNSUPPORTED if an op on the way has no derivative; CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_gradients(cj_symbol *y, cj_symbol *const *xs, int count, cj_symbol **gradients);

/**
 * What a function assigns to a variable at the end of a call. An entry of an array: its size is
 * fixed for ever.
 */
typedef struct cj_update {
    cj_variable *variable; ///< what is updated
    cj_symbol *value;      ///< its new value, of the same dtype and shape
} cj_update;

/**
 * The arguments of cj_function(). Arrays are read during the call only; the objects in them are
 * retained.
 */
typedef struct cj_function_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    /** symbols from cj_symbol_input(), in the order in which a call gives them */
    cj_symbol *const *inputs;
    int input_count;           ///< how many inputs
    cj_symbol *const *outputs; ///< what a call computes, in order
    int output_count;          ///< how many outputs
    /** what a call writes to variables; all reads of a call see the values before it */
    const cj_update *updates;
    int update_count; ///< how many updates
    /**
     * threads to run on; default &cj_default_pool: a pool of the default size, made at the first
     * call; NULL is refused
     */
    cj_pool *pool;
} cj_function_args;
/** The defaults of cj_function_args. */
#define CJ_FUNCTION_DEFAULTS .size = sizeof(cj_function_args), .pool = &cj_default_pool
/** Sets `args` to CJ_FUNCTION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_function_defaults(cj_function_args *args);

/**
 * Makes a function of the part of the graph that the outputs and updates need. NULL with
 * CJ_INVALID_ARGUMENT (a list that is missing; an input that is needed and not given; CAJAL_PLAN
 * with an unknown name), CJ_SHAPE_MISMATCH (an update of another shape or dtype) or
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_function *cj_function_new(const cj_function_args *args);
/** `cj_function(.inputs = &x, .input_count = 1, .outputs = &y, .output_count = 1)`. */
#define cj_function(...) \
    cj_function_new(&(cj_function_args){CJ_FUNCTION_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Runs a function. `inputs[i]` must have the dtype and, but for the free axis, the shape of input
 * i; all free axes the same length. `outputs[i]`, if not NULL, must be a contiguous tensor of
 * output i's dtype and shape and is written. The first call for a batch size plans it; later ones
 * allocate nothing. All run in the memory that the largest batch so far needs, which the function
 * keeps. Calls from several threads at once are safe for a function without updates, and need
 * memory for each. Denormal numbers, below 2^-126 in float32 and 2^-1022 in float64, count as 0 and
 * become 0, on processors that can (x86-64, AArch64); with CAJAL_DENORMALS=keep in the environment
 * they are kept. One of CJ_OK, CJ_INVALID_ARGUMENT (a NULL; an output with gaps; a label or index
 * out of range among the values), CJ_SHAPE_MISMATCH, CJ_OUT_OF_MEMORY. On failure no variable has
 * changed.
 */
CJ_API cj_status cj_function_call(cj_function *function, cj_tensor *const *inputs,
                                  cj_tensor *const *outputs);

#ifdef __cplusplus
}
#endif
#endif
