// A map from addresses to small numbers: which place a node has in a list. Open addressing, powers of two.
#ifndef CJ_GRAPH_MAP_H
#define CJ_GRAPH_MAP_H

#include <cajal/base.h>

typedef struct cj__map {
    const void **keys;
    int *values;
    size_t capacity, count;
} cj__map; // starts as {0}

bool cj__map_put(cj__map *map, const void *key, int value); // false without memory
int cj__map_get(const cj__map *map, const void *key);       // -1 if there is none
void cj__map_free(cj__map *map);

#endif
