#include "formats/pointer_map.h"

#include "base/memory.h"

// Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): the low bits of an address
// hardly vary, the upper ones of the product do.
static size_t place_of(const cj__pointer_map *map, const void *key)
{
    const uint64_t hash = (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
    size_t place = (size_t)(hash >> 32) & (map->capacity - 1);
    while (map->keys[place] && map->keys[place] != key)
        place = (place + 1) & (map->capacity - 1);
    return place;
}

int cj__pointer_map_find(const cj__pointer_map *map, const void *key)
{
    if (map->capacity == 0)
        return -1;
    const size_t place = place_of(map, key);
    return map->keys[place] ? map->values[place] : -1;
}

static cj_status grow(cj__pointer_map *map)
{
    cj__pointer_map larger = {.capacity = map->capacity != 0 ? 2 * map->capacity : 64,
                              .count = map->count};
    larger.keys = cj__new(larger.capacity, sizeof *larger.keys);
    larger.values = cj__new(larger.capacity, sizeof *larger.values);
    if (!larger.keys || !larger.values) {
        cj__pointer_map_free(&larger);
        return CJ_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < map->capacity; i++) {
        if (!map->keys[i])
            continue;
        const size_t place = place_of(&larger, map->keys[i]);
        larger.keys[place] = map->keys[i];
        larger.values[place] = map->values[i];
    }
    cj__pointer_map_free(map);
    *map = larger;
    return CJ_OK;
}

cj_status cj__pointer_map_add(cj__pointer_map *map, const void *key, int value)
{
    if (2 * (map->count + 1) > map->capacity)
        CJ_TRY(grow(map));
    const size_t place = place_of(map, key);
    map->keys[place] = key;
    map->values[place] = value;
    map->count++;
    return CJ_OK;
}

void cj__pointer_map_free(cj__pointer_map *map)
{
    cj__free(map->keys);
    cj__free(map->values);
    *map = (cj__pointer_map){0};
}
