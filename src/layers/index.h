// A map from pointers or texts to numbers, so that what is done for each layer of a model takes no
// longer in a large one: names that are taken, the application that made a symbol, layers that are
// in the list already.
#ifndef CJ_LAYERS_INDEX_H
#define CJ_LAYERS_INDEX_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cj__index {
    bool texts; // keys are compared as text, not as addresses
    struct cj__index_row {
        const void *key; // not copied; NULL is free
        int value;
    } * rows;
    size_t count, capacity; // a power of two
} cj__index;                // starts as {0}, or {.texts = true}

// The value of a key, which may be changed in place; NULL if there is none.
int *cj__index_find(const cj__index *index, const void *key);
// Adds a key that is not there. False without memory.
bool cj__index_add(cj__index *index, const void *key, int value);
void cj__index_free(cj__index *index);

#endif
