// Vocabularies: tokens, texts or whole numbers, with their places in order, and a hash table that
// finds the place of a token. A vocabulary never changes once it is made, so any number of threads
// may look things up. It is a counted object, since the attributes of ops refer to it.
#ifndef CJ_OPS_VOCABULARY_H
#define CJ_OPS_VOCABULARY_H

#include "tensor/strings.h"

typedef struct cj__vocabulary {
    cj__object object;
    cj_tensor *tokens; // held: contiguous (count), CJ_STRING or CJ_I64
    int64_t count;
    uint64_t seed;   // of the hash
    uint64_t *slots; // upper half: of the hash; lower half: the place, counted from 1; 0: free
    uint64_t last;   // slot: their number, a power of two, less 1
} cj__vocabulary;

// Makes one of distinct tokens, and takes the tensor over. Fails with CJ_INVALID_ARGUMENT and the
// token that comes twice; `who` is for sentences.
cj_status cj__vocabulary_new(cj_tensor *tokens, const char *who, cj__vocabulary **vocabulary);

// The hash of a text, byte after byte: begin with the vocabulary's seed.
static inline uint64_t cj__hash_byte(uint64_t hash, unsigned char byte)
{
    return (hash ^ byte) * UINT64_C(0x100000001b3); // FNV-1a
}
static inline uint64_t cj__hash_end(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

// The place of a token from 0, or -1. NULL is a vocabulary without tokens.
int64_t cj__vocabulary_find_text(const cj__vocabulary *vocabulary, cj_text text);
int64_t cj__vocabulary_find_number(const cj__vocabulary *vocabulary, int64_t number);
// The same for a text that is not in memory as it is meant: of a given hash, compared by `same`.
int64_t cj__vocabulary_find(const cj__vocabulary *vocabulary, uint64_t hash,
                            bool (*same)(const void *context, cj_text token), const void *context);

#endif
