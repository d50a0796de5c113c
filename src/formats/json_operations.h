// Keras's operations, words of keras.ops between layers, in the JSON of functional models: objects
// {"module": "keras.src.ops...", "class_name", "config", "name", "inbound_nodes"}. Their operands are
// tensors, numbers, or arrays.
#ifndef CJ_FORMATS_JSON_OPERATIONS_H
#define CJ_FORMATS_JSON_OPERATIONS_H

#include "formats/json_model.h"

// Whether an object is an operation, and not a layer.
bool cj__json_is_operation(const json_t *object);

// The object of an operation without "name" and "inbound_nodes".
json_t *cj__operation_to_json(cj__json *b, const cj_layer *layer);
// One application: {"args", "kwargs"}. `operands` are taken over.
json_t *cj__operation_node(cj__json *b, const cj_layer *layer, json_t *const *operands, int count);
// A constant as an operand: a number, or an array of numpy.
json_t *cj__json_literal(cj__json *b, const cj_tensor *value);

// A floating layer from an object; NULL with a sentence.
cj_layer *cj__operation_from_json(const json_t *object);

// The operands of an application in the order of the word's symbols, tensors and literals alike; the
// caller frees the list (cj__free). Settings that are arguments of the call are set in the layer.
cj_status cj__operation_read_node(cj_layer *layer, const json_t *node, const json_t ***operands,
                                  int *count);
// A literal as a constant beside operands of that dtype, floating; NULL with a sentence.
cj_symbol *cj__literal_symbol(const cj_layer *layer, const json_t *literal, cj_dtype dtype);
// The dtype of the constants at place `index` among operands, of which those that are tensors are given,
// the others NULL.
cj_dtype cj__literal_dtype(const cj_layer *layer, cj_symbol *const *operands, int count, int index);

#endif
