// A map from addresses to numbers: which objects have been met, and where they stand.
#ifndef CJ_FORMATS_POINTER_MAP_H
#define CJ_FORMATS_POINTER_MAP_H

#include <cajal/base.h>

typedef struct cj__pointer_map {
    const void **keys; // open addressing: NULL where a place is free
    int *values;
    size_t capacity, count; // capacity is 0 or a power of two
} cj__pointer_map;          // starts as {0}

// The number of an address, or -1.
int cj__pointer_map_find(const cj__pointer_map *map, const void *key);
// Adds an address that is not there.
cj_status cj__pointer_map_add(cj__pointer_map *map, const void *key, int value);
void cj__pointer_map_free(cj__pointer_map *map);

#endif
