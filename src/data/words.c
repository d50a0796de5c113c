// Open addressing with linear probing; at most half of the slots are taken. The hash is FNV-1a
// (Fowler, Noll, Vo) with a last mix.
#include "data/words.h"

#include "base/error.h"
#include "base/memory.h"
#include <string.h>

enum { FIRST_SLOTS = 64 };

static uint64_t hash(const char *text, size_t length)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
    return (h ^ h >> 32) * 0x9e3779b97f4a7c15u;
}

// The slot where a text is, or where it would be.
static int64_t find_slot(const cj__words *w, const char *text, size_t length)
{
    const uint64_t mask = (uint64_t)w->slot_count - 1;
    uint64_t slot = hash(text, length) >> 20 & mask;
    for (; w->slots[slot] >= 0; slot = (slot + 1) & mask) {
        const char *there = w->bytes + w->begins[w->slots[slot]];
        if (strncmp(there, text, length) == 0 && !there[length])
            break;
    }
    return (int64_t)slot;
}

static cj_status grow_slots(cj__words *w)
{
    const int64_t count = w->slot_count > 0 ? 2 * w->slot_count : FIRST_SLOTS;
    int32_t *slots = cj__new((size_t)count, sizeof *slots);
    if (!slots)
        return CJ_OUT_OF_MEMORY;
    memset(slots, 0xff, (size_t)count * sizeof *slots);
    cj__free(w->slots);
    w->slots = slots;
    w->slot_count = count;
    for (int64_t i = 0; i < w->count; i++) {
        const char *text = w->bytes + w->begins[i];
        w->slots[find_slot(w, text, strlen(text))] = (int32_t)i;
    }
    return CJ_OK;
}

cj_status cj__words_index(cj__words *w, const char *text, size_t length, int32_t *index)
{
    if (2 * (w->count + 1) > w->slot_count)
        CJ_TRY(grow_slots(w));
    const int64_t slot = find_slot(w, text, length);
    if (w->slots[slot] < 0) {
        if (w->count == INT32_MAX / 2)
            return cj__fail(CJ_UNSUPPORTED, "more than %d different texts in a column",
                            INT32_MAX / 2);
        if (!cj__reserve((void **)&w->begins, &w->begin_room, (size_t)w->count + 1,
                         sizeof *w->begins) ||
            !cj__reserve((void **)&w->bytes, &w->room, w->used + length + 1, 1))
            return CJ_OUT_OF_MEMORY;
        memcpy(w->bytes + w->used, text, length);
        w->bytes[w->used + length] = '\0';
        w->begins[w->count] = w->used;
        w->used += length + 1;
        w->slots[slot] = (int32_t)w->count++;
    }
    *index = w->slots[slot];
    return CJ_OK;
}

const char *cj__words_text(const cj__words *words, int64_t index)
{
    return words->bytes + words->begins[index];
}

void cj__words_free(cj__words *words)
{
    cj__free(words->bytes);
    cj__free(words->begins);
    cj__free(words->slots);
    *words = (cj__words){0};
}
