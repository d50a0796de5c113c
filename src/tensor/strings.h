// Texts as elements of tensors (CJ_STRING). An element is a pointer to a text that something else
// owns: the tensor that was made from texts, a vocabulary, or the tensor that this one was copied
// from. NULL is the empty text, so that zeroed memory is good elements. Texts never change, so
// elements are moved as any others of eight bytes; what outlives the owner makes them its own.
#ifndef CJ_TENSOR_STRINGS_H
#define CJ_TENSOR_STRINGS_H

#include "tensor/tensor.h"
#include <cajal/texts.h>

// The bytes of a text, with a 0 after them.
typedef struct cj__string {
    int64_t length;
    char bytes[];
} cj__string;

// An element. Eight bytes on every machine.
typedef union cj__string_slot {
    const cj__string *string;
    uint64_t bits;
} cj__string_slot;

// Element `index` of contiguous texts.
static inline cj_text cj__string_at(const void *slots, int64_t index)
{
    const cj__string *string = ((const cj__string_slot *)slots)[index].string;
    return string ? (cj_text){string->bytes, string->length} : (cj_text){"", 0};
}

// Copies the texts that a contiguous tensor's elements point to into a block of its own; after a
// failure they are empty. Nothing for tensors of numbers.
cj_status cj__strings_own(cj_tensor *tensor);

// A new contiguous tensor of texts.
cj_status cj__strings_from(const cj_shape *shape, const cj_texts *texts, cj_tensor **tensor);

#endif
