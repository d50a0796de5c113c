#include "graph/map.h"

#include "base/memory.h"

static size_t place(const void *key, size_t capacity)
{
    uint64_t hash = (uint64_t)(uintptr_t)key * 0x9E3779B97F4A7C15u; // Fibonacci hashing (Knuth, 6.4)
    return (size_t)(hash >> 20) & (capacity - 1);
}

static void insert(cj__map *map, const void *key, int value)
{
    size_t i = place(key, map->capacity);
    while (map->keys[i] != NULL && map->keys[i] != key)
        i = (i + 1) & (map->capacity - 1);
    map->count += map->keys[i] == NULL;
    map->keys[i] = key;
    map->values[i] = value;
}

static bool grow(cj__map *map)
{
    cj__map larger = {.capacity = map->capacity != 0 ? map->capacity * 2 : 64};
    larger.keys = cj__new(larger.capacity, sizeof(*larger.keys));
    larger.values = cj__new(larger.capacity, sizeof(*larger.values));
    if (larger.keys == NULL || larger.values == NULL) {
        cj__map_free(&larger);
        return false;
    }
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->keys[i] != NULL)
            insert(&larger, map->keys[i], map->values[i]);
    }
    cj__map_free(map);
    *map = larger;
    return true;
}

bool cj__map_put(cj__map *map, const void *key, int value)
{
    if (map->count * 2 >= map->capacity && !grow(map))
        return false;
    insert(map, key, value);
    return true;
}

int cj__map_get(const cj__map *map, const void *key)
{
    if (map->capacity == 0)
        return -1;
    size_t i = place(key, map->capacity);
    while (map->keys[i] != NULL && map->keys[i] != key)
        i = (i + 1) & (map->capacity - 1);
    return map->keys[i] == key ? map->values[i] : -1;
}

void cj__map_free(cj__map *map)
{
    cj__free(map->keys);
    cj__free(map->values);
    *map = (cj__map){0};
}
