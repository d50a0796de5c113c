// A set of different texts, each with an index in order of first appearance.
#ifndef CJ_DATA_WORDS_H
#define CJ_DATA_WORDS_H

#include <cajal/base.h>

typedef struct cj__words {
    char *bytes; // all texts, each with a 0 byte at its end
    size_t used, room;
    size_t *begins; // of each text in `bytes`
    size_t begin_room;
    int64_t count;
    int32_t *slots; // a hash table of indices, -1 where empty
    int64_t slot_count;
} cj__words;

// The index of a text, which is added if it is new. CJ_UNSUPPORTED, CJ_OUT_OF_MEMORY.
cj_status cj__words_index(cj__words *words, const char *text, size_t length, int32_t *index);
// The text of an index that is there.
const char *cj__words_text(const cj__words *words, int64_t index);
void cj__words_free(cj__words *words);

#endif
