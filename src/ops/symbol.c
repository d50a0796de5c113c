// The graph's objects, the builder, and the leaves' constructors.
//
// Freeing follows chains of any length, so it must not recurse: a node that has lost its last
// holder is put on a list, and the list is worked off by one loop, which drops holders by itself
// instead of calling cj_release().
#include "base/memory.h"
#include "ops/infer.h"
#include "ops/symbol.h"
#include "ops/variable.h"
#include <string.h>

// Removes a holder; whether it was the last.
static bool drop(cj__object *object)
{
    return atomic_fetch_sub_explicit(&object->holders, 1, memory_order_acq_rel) == 1;
}

// Frees a symbol without holders; its node goes onto the list if the symbol was its last holder.
static void free_symbol(cj_symbol *symbol, cj__node **dead)
{
    cj__node *node = symbol->node;
    if (node && drop(&node->object)) {
        node->next_dead = *dead;
        *dead = node;
    }
    cj_release(symbol->history);
    cj__free(symbol);
}

static void free_nodes(cj__node *dead)
{
    while (dead) {
        cj__node *node = dead;
        dead = node->next_dead;
        for (int i = 0; node->inputs && i < node->input_count; i++)
            if (node->inputs[i] && drop(&node->inputs[i]->object))
                free_symbol(node->inputs[i], &dead);
        cj_release(node->constant);
        cj_release(node->variable);
        cj_release(node->attrs_object);
        cj__free(node->name);
        cj__free(node->inputs);
        cj__free(node->types);
        cj__free(node);
    }
}

static void symbol_destroy(void *object)
{
    cj__node *dead = NULL;
    free_symbol(object, &dead);
    free_nodes(dead);
}

static void node_destroy(void *object)
{
    cj__node *node = object;
    node->next_dead = NULL;
    free_nodes(node);
}

const cj__class cj__symbol_class = {"symbol", symbol_destroy};
const cj__class cj__node_class = {"node", node_destroy};

const cj__type *cj__symbol_type(const cj_symbol *symbol)
{
    return &symbol->node->types[symbol->index];
}

bool cj__symbol_is(const cj_symbol *symbol, const cj__op *op)
{
    return symbol->node->op == op;
}

const void *cj__symbol_attrs(const cj_symbol *symbol)
{
    return symbol->node->attrs;
}

// A floating symbol for one output of a node, which it holds.
static cj_symbol *symbol_of(const cj__node *node, int index)
{
    cj_symbol *symbol = cj__object_new(&cj__symbol_class, sizeof *symbol);
    if (!symbol)
        return cj__build_failed(CJ__MADE_SYMBOL);
    symbol->node = cj__own(node);
    symbol->index = index;
    return symbol;
}

// A node of an op, its inputs held and its outputs' types inferred.
static cj_status node_new(const cj__op *op, const void *attrs, cj_symbol *const *inputs, int count,
                          cj__node **result)
{
    cj_status status = CJ_OUT_OF_MEMORY;
    cj__type few[CJ__OP_IO_MAX], *types = few;
    int outputs = CJ__OP_IO_MAX;
    cj__node *node = cj__object_new(&cj__node_class, sizeof *node);
    if (!node || !(node->inputs = cj__new((size_t)count, sizeof *node->inputs)))
        goto done;
    if (count > CJ__OP_IO_MAX && !(types = cj__new((size_t)count, sizeof *types)))
        goto done;
    node->op = op;
    if (attrs)
        memcpy(node->attrs, attrs, op->attrs_size);
    node->attrs_object = op->object ? cj_retain(op->object(node->attrs)) : NULL;
    for (int i = 0; i < count; i++) {
        node->inputs[node->input_count++] = cj__own(inputs[i]);
        types[i] = *cj__symbol_type(inputs[i]);
    }
    if (op->count_outputs)
        outputs = op->count_outputs(node->attrs, types);
    if (!(node->types = cj__new((size_t)outputs, sizeof *node->types)))
        goto done;
    cj__inference rule = {.op = op,
                          .attrs = node->attrs,
                          .inputs = types,
                          .input_count = count,
                          .outputs = node->types,
                          .output_count = 1};
    status = op->infer(&rule);
    node->output_count = status == CJ_OK ? rule.output_count : 0;
done:
    if (types != few)
        cj__free(types);
    if (status != CJ_OK)
        cj_release(node);
    else
        *result = node;
    return status;
}

// A node of a leaf op with one output of the given type.
static cj__node *leaf_new(const cj__op *op, const cj__type *type)
{
    cj__node *node = cj__object_new(&cj__node_class, sizeof *node);
    if (!node)
        return NULL;
    node->op = op;
    node->types = cj__new(1, sizeof *node->types);
    if (!node->types) {
        cj_release(node);
        return NULL;
    }
    node->types[0] = *type;
    node->output_count = 1;
    return node;
}

// The symbol of a leaf, which takes the node over: how a builder of a leaf ends. A NULL is its
// failure.
static cj_symbol *leaf_symbol(cj__node *node)
{
    cj_symbol *symbol = node ? symbol_of(node, 0) : NULL;
    if (symbol)
        return symbol;
    cj_release(node);
    return cj__build_failed(CJ__MADE_SYMBOL);
}

cj_symbol *cj__symbol_input(const cj__type *type, const char *name)
{
    cj__node *node = leaf_new(&cj__op_input, type);
    if (node && name && !(node->name = cj__copy_text(name))) {
        cj_release(node);
        node = NULL;
    }
    return leaf_symbol(node);
}

cj_symbol *cj_symbol_input(cj_dtype dtype, cj_shape shape, const char *name)
{
    bool valid = (unsigned)dtype < CJ_DTYPE_COUNT && shape.rank >= 0 && shape.rank <= CJ_MAX_RANK;
    for (int i = 0; valid && i < shape.rank; i++)
        valid = shape.dims[i] >= 0 || shape.dims[i] == CJ_BATCH;
    if (!valid) {
        cj__fail(CJ_INVALID_ARGUMENT, "input \"%s\": bad dtype, rank or length", name ? name : "");
        return cj__build_failed(CJ__MADE_SYMBOL);
    }
    if (cj__check_output(&(cj__inference){.op = &cj__op_input}, &shape) != CJ_OK)
        return cj__build_failed(CJ__MADE_SYMBOL);
    return cj__symbol_input(&(cj__type){dtype, shape}, name);
}

cj_symbol *cj_symbol_constant(cj_tensor *value)
{
    cj_tensor *block = value;
    if (!value) {
        cj__fail_missing(CJ__MADE_TENSOR, "constant: the tensor");
        return cj__build_failed(CJ__MADE_SYMBOL);
    }
    if (!cj_tensor_contiguous(value)) {
        block = NULL;
        cj_tensor_convert(value, value->dtype, &block);
        cj__drop_floating(value);
        if (!block)
            return cj__build_failed(CJ__MADE_SYMBOL);
    }
    cj__node *node = leaf_new(&cj__op_constant, &(cj__type){block->dtype, block->shape});
    if (!node)
        cj__drop_floating(block);
    else
        node->constant = cj__own(block);
    return leaf_symbol(node);
}

cj_symbol *cj_symbol_scalar(cj_dtype dtype, double value)
{
    cj_tensor *tensor;
    if (cj_tensor_new(dtype, (cj_shape){0}, &tensor) != CJ_OK)
        return cj__build_failed(CJ__MADE_SYMBOL);
    cj__element_set(dtype, tensor->data, 0, value);
    return cj_symbol_constant(tensor);
}

cj_symbol *cj_symbol_variable(cj_variable *variable)
{
    if (!variable) {
        cj__fail_missing(CJ__MADE_VARIABLE, "symbol: the variable");
        return cj__build_failed(CJ__MADE_SYMBOL);
    }
    const cj__type type = cj__variable_type(variable);
    cj__node *node = leaf_new(&cj__op_variable, &type);
    if (!node)
        cj__drop_floating(variable);
    else
        node->variable = cj__own(variable);
    return leaf_symbol(node);
}

cj_status cj__build_end(cj__build *build)
{
    const cj_status status = build->status;
    for (size_t i = build->count; i-- > 0;)
        cj_release(build->symbols[i]);
    cj__free(build->symbols);
    for (size_t i = 0; i < build->block_count; i++)
        cj__free(build->blocks[i]);
    cj__free(build->blocks);
    *build = (cj__build){0};
    return status;
}

void *cj__build_memory(cj__build *build, size_t count, size_t size)
{
    if (build->status != CJ_OK)
        return NULL;
    void *block = cj__reserve((void **)&build->blocks, &build->block_capacity,
                              build->block_count + 1, sizeof *build->blocks) ?
                      cj__new(count, size) :
                      NULL;
    if (block)
        build->blocks[build->block_count++] = block;
    else
        build->status = CJ_OUT_OF_MEMORY;
    return block;
}

void cj__build_refuse(cj__build *build, cj_status status)
{
    if (build->status == CJ_OK)
        build->status = status;
}

static void build_given_nulls(cj__build *build, int count)
{
    if (build->status == CJ_OK)
        build->status = cj__fail_missing_some(CJ__MADE_SYMBOL, count, "a symbol that is needed");
}

cj_symbol *cj__build_keep(cj__build *build, cj_symbol *symbol)
{
    if (!symbol) {
        build_given_nulls(build, 1);
        return NULL;
    }
    if (build->status == CJ_OK && !cj__reserve((void **)&build->symbols, &build->capacity,
                                               build->count + 1, sizeof *build->symbols))
        cj__build_refuse(build, CJ_OUT_OF_MEMORY);
    if (build->status != CJ_OK) {
        cj__drop_floating(symbol);
        return NULL;
    }
    return build->symbols[build->count++] = cj__own(symbol);
}

// Drops what floats. A symbol may be given twice, or be what keeps another one alive, so all are
// held meanwhile.
static void drop_all(cj_symbol *const *symbols, int count)
{
    for (int i = 0; i < count; i++)
        cj_retain(symbols[i]);
    for (int i = 0; i < count; i++)
        cj__drop_floating(symbols[i]);
    for (int i = 0; i < count; i++)
        cj_release(symbols[i]);
}

cj_status cj__build_take(cj__build *build, cj_symbol *const *symbols, int count)
{
    int missing = 0;
    for (int i = 0; i < count; i++)
        missing += !symbols[i];
    if (missing > 0)
        build_given_nulls(build, missing);
    else if (!cj__reserve((void **)&build->symbols, &build->capacity, build->count + (size_t)count,
                          sizeof *build->symbols))
        cj__build_refuse(build, CJ_OUT_OF_MEMORY);
    if (build->status != CJ_OK) {
        drop_all(symbols, count);
        return build->status;
    }
    for (int i = 0; i < count; i++)
        build->symbols[build->count++] = cj__own(symbols[i]);
    return build->status;
}

cj_symbol *cj__build_result(cj__build *build, cj_symbol *symbol)
{
    cj_symbol *result = NULL;
    if (symbol && build->status == CJ_OK) {
        result = symbol_of(symbol->node, symbol->index);
        if (result && symbol->history) {
            result->history = cj_retain(symbol->history);
            result->history_index = symbol->history_index;
        }
    }
    cj__build_end(build);
    return result ? result : cj__build_failed(CJ__MADE_SYMBOL);
}

cj_symbol *cj__node_output(cj__build *build, const cj__node *node, int index)
{
    return build->status == CJ_OK ? cj__build_keep(build, symbol_of(node, index)) : NULL;
}

// A new node of an op, which the caller holds; NULL after a failure.
static cj__node *append_node(cj__build *build, const cj__op *op, const void *attrs,
                             cj_symbol *const *inputs, int count)
{
    cj__node *node = NULL;
    for (int i = 0; i < count && build->status == CJ_OK; i++)
        if (!inputs[i])
            build_given_nulls(build, 1);
    if (build->status == CJ_OK && (count < op->min_inputs || count > op->max_inputs))
        cj__build_refuse(build, cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, needs %d to %d",
                                         op->name, count, op->min_inputs, op->max_inputs));
    if (build->status != CJ_OK)
        return NULL;
    cj__build_refuse(build, node_new(op, attrs, inputs, count, &node));
    return build->status == CJ_OK ? cj__own(node) : NULL;
}

cj_status cj__append_many(cj__build *build, const cj__op *op, const void *attrs,
                          cj_symbol *const *inputs, int count, cj_symbol **outputs)
{
    cj__node *node = append_node(build, op, attrs, inputs, count);
    for (int i = 0; node && i < node->output_count; i++)
        outputs[i] = cj__node_output(build, node, i);
    cj_release(node);
    return build->status;
}

cj_symbol *cj__append(cj__build *build, const cj__op *op, const void *attrs,
                      cj_symbol *const *inputs, int count)
{
    cj__node *node = append_node(build, op, attrs, inputs, count);
    cj_symbol *output = node ? cj__node_output(build, node, 0) : NULL;
    cj_release(node);
    return output;
}

cj_status cj__append_like(cj__build *build, const cj__node *node, cj_symbol *const *inputs,
                          cj_symbol **outputs)
{
    return cj__append_many(build, node->op, node->attrs, inputs, node->input_count, outputs);
}
