// The masks that a node of a functional model is given. Keras writes the masks that inputs carry as if
// the call had been given them; here layers pass those on by themselves. What differs from what the
// inputs carry was given by the program, and becomes an input of the application (layers/given_masks.c).
#include "formats/json_references.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

enum { NODES_MAX = 4096 }; // looked at for one mask

// Whether `symbol` is computed from what `node` computes, as far as is looked.
static bool reaches(const cj_symbol *symbol, const cj__node *node, int *left)
{
    if (symbol->node == node)
        return true;
    if (--*left < 0)
        return false;
    for (int i = 0; i < symbol->node->input_count; i++)
        if (reaches(symbol->node->inputs[i], node, left))
            return true;
    return false;
}

// Whether `mask` is the one that its input carries.
static bool is_carried(const cj__json_symbols *symbols, const json_t *mask,
                       const cj_symbol *carried)
{
    const json_t *source = NULL;
    int left = NODES_MAX;
    if (!cj__json_is_mask(symbols->layers, mask, &source))
        return false;
    if (!source) // joined from others: none is carried where all of it would be true
        return true;
    const cj_symbol *from = symbols->find(symbols->context, source);
    return carried && from && reaches(carried, from->node, &left);
}

// What a node gives as "mask", by its name or behind the inputs; NULL for nothing.
static const json_t *mask_of(const json_t *node, const cj__layer_kind *kind)
{
    const json_t *args = json_object_get(node, "args"),
                 *named = json_object_get(json_object_get(node, "kwargs"), "mask");
    for (size_t i = kind->more_inputs ? 2 : 1; !named && i < json_array_size(args); i++)
        if (!json_is_null(json_array_get(args, i)))
            named = json_array_get(args, i);
    return json_is_null(named) ? NULL : named;
}

// What a node gives as the mask of that row; NULL for nothing.
static const json_t *given(const json_t *node, const cj__layer_kind *kind,
                           const cj__given_mask *row)
{
    if (kind->masks_in_list)
        return json_array_get(mask_of(node, kind), (size_t)row->input);
    return kind->arguments ? json_object_get(json_object_get(node, "kwargs"), row->name) :
                             mask_of(node, kind);
}

static cj_symbol *symbol_of(const cj__json_symbols *symbols, const cj__references *refs, int input)
{
    return input < refs->count && refs->items[input] ?
               symbols->find(symbols->context, refs->items[input]) :
               NULL;
}

// Whether the node says another thing about its masks than its inputs do.
static bool differs(const cj__json_symbols *symbols, const json_t *node, const cj__layer_kind *kind,
                    const cj__references *refs, const cj__given_mask *row)
{
    const json_t *mask = given(node, kind, row);
    const cj__value input = cj__symbol_value(symbol_of(symbols, refs, row->input));
    if (!input.symbol)
        return false;
    if (!mask || json_is_null(mask))
        return kind->masks_in_list && input.mask;
    if (kind->more_inputs && refs->count > 1) // it would see none without this
        return true;
    return !is_carried(symbols, mask, input.mask);
}

cj_status cj__json_given_masks(const cj__json_symbols *symbols, const json_t *node,
                               const cj__layer_kind *kind, const char *who, cj__references *refs,
                               uint32_t *on)
{
    bool any = false;
    const int inputs = refs->count;
    *on = 0;
    if (kind->given_masks && kind->masks_in_list && mask_of(node, kind) &&
        !json_is_array(mask_of(node, kind)))
        return cj__fail(CJ_BAD_FILE, "%s: its \"mask\" is not a list", who);
    for (const cj__given_mask *row = kind->given_masks; row && row->name; row++)
        any = any || differs(symbols, node, kind, refs, row);
    for (const cj__given_mask *row = kind->given_masks; any && row->name; row++) {
        const json_t *mask = given(node, kind, row);
        if (!mask || json_is_null(mask) || row->input >= inputs ||
            (!kind->masks_in_list && !differs(symbols, node, kind, refs, row)))
            continue;
        CJ_TRY(cj__references_add(refs, mask, who));
        *on |= cj__call_setting_bit(kind, row->name);
    }
    return CJ_OK;
}
