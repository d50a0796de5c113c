// Open addressing with linear probing, at most half full.
#include "layers/index.h"

#include "base/memory.h"
#include <stdint.h>
#include <string.h>

// FNV-1a for texts, a multiplication by the golden ratio for addresses.
static size_t hash(const cj__index *index, const void *key)
{
    uint64_t h = 0xcbf29ce484222325u;
    if (index->texts) {
        for (const unsigned char *c = key; *c; c++)
            h = (h ^ *c) * 0x100000001b3u;
    } else {
        h = (uint64_t)(uintptr_t)key * 0x9e3779b97f4a7c15u;
    }
    return (size_t)(h ^ h >> 32);
}

// The row of a key, or the free row where it would stand. There is always a free row.
static struct cj__index_row *row_of(const cj__index *index, const void *key)
{
    size_t at = hash(index, key) & (index->capacity - 1);
    while (index->rows[at].key) {
        const void *other = index->rows[at].key;
        if (other == key || (index->texts && strcmp(other, key) == 0))
            break;
        at = (at + 1) & (index->capacity - 1);
    }
    return &index->rows[at];
}

int *cj__index_find(const cj__index *index, const void *key)
{
    struct cj__index_row *row = index->rows ? row_of(index, key) : NULL;
    return row && row->key ? &row->value : NULL;
}

static bool grow(cj__index *index)
{
    cj__index larger = {.texts = index->texts, .count = index->count};
    larger.capacity = index->capacity ? 2 * index->capacity : 16;
    if (!(larger.rows = cj__new(larger.capacity, sizeof *larger.rows)))
        return false;
    for (size_t i = 0; i < index->capacity; i++)
        if (index->rows[i].key)
            *row_of(&larger, index->rows[i].key) = index->rows[i];
    cj__free(index->rows);
    *index = larger;
    return true;
}

bool cj__index_add(cj__index *index, const void *key, int value)
{
    if (2 * (index->count + 1) > index->capacity && !grow(index))
        return false;
    *row_of(index, key) = (struct cj__index_row){key, value};
    index->count++;
    return true;
}

void cj__index_free(cj__index *index)
{
    cj__free(index->rows);
    *index = (cj__index){.texts = index->texts};
}
