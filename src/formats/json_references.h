// What an application of a layer refers to, in the JSON of functional models.
#ifndef CJ_FORMATS_JSON_REFERENCES_H
#define CJ_FORMATS_JSON_REFERENCES_H

#include "formats/json_model.h"
#include "layers/history.h"

typedef struct cj__references {
    const json_t **items;    // ["layer", node, output, ...]; NULL for
    const json_t **literals; // what an operation is given instead of a tensor
    int count;
    size_t item_capacity, literal_capacity;
} cj__references;

// Frees the lists; what they point to is the file's.
void cj__references_free(cj__references *refs);

// Each of these sets `refs` anew. `who` begins the sentence of a failure.
//
// A node: {"args", "kwargs"} since Keras 3, and a list of ["layer", node, output, {}] before. `kind` may
// be NULL.
cj_status cj__references_read_node(const json_t *object, const char *who,
                                   const cj__layer_kind *kind, cj__references *refs);
// The operands of an application of an operation.
cj_status cj__references_read_operands(cj_layer *layer, const json_t *call, cj__references *refs);
// Adds a tensor to `refs`.
cj_status cj__references_add(cj__references *refs, const json_t *tensor, const char *who);
// An object of triples, the inputs or outputs of the model; Keras takes them in the order of their names.
cj_status cj__references_read_named(const json_t *ends, cj__references *refs);

// json_given_masks.c: the symbols of the nodes that were applied.
typedef struct cj__json_symbols {
    const cj__json_layers *layers;
    void *context;
    cj_symbol *(*find)(void *context, const json_t *triple); // NULL if there is none yet
} cj__json_symbols;

// Adds the masks that a node is given, and that its inputs, which are in `refs` and applied, do not
// carry; *on gets the call settings that say so.
cj_status cj__json_given_masks(const cj__json_symbols *symbols, const json_t *node,
                               const cj__layer_kind *kind, const char *who, cj__references *refs,
                               uint32_t *on);

#endif
