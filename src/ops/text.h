// Ops on texts and on what is looked up: their attributes. Inputs are CJ_STRING or CJ_I64, results
// int32 or float32. None has a gradient.
#ifndef CJ_OPS_TEXT_H
#define CJ_OPS_TEXT_H

#include "ops/build.h"
#include "ops/tokens.h"

// How a token that is not in the vocabulary, or anything that is put into bins, is spread over them:
// by the remainder of its number, or by a hash of its text, numbers written in digits.
enum { CJ__HASH_REMAINDER, CJ__HASH_FINGERPRINT, CJ__HASH_SALTED };

// What token 0 of a vocabulary is.
enum { CJ__TOKEN_PLAIN, CJ__TOKEN_MASK, CJ__TOKEN_DROPPED };

// The vocabulary, NULL for one without tokens; eight bytes on every machine.
typedef union cj__vocabulary_ref {
    cj__vocabulary *vocabulary;
    uint64_t bits;
} cj__vocabulary_ref;

// Indices. Where token 0 is a mask, its index is 0, or -1 where it is dropped, and the vocabulary's
// next token has the index `first`. Tokens that are not in it have `oov` to oov + oov_count - 1; if
// oov_count is 0 they fail the run.
typedef struct cj__lookup_attrs {
    cj__vocabulary_ref tokens;
    int64_t first, oov, oov_count;
    int64_t mask; // CJ__TOKEN_...
    int64_t hash; // CJ__HASH_...
    uint64_t salt[2];
} cj__lookup_attrs;
CJ__NO_PADDING(cj__lookup_attrs, 8 * sizeof(int64_t));

// Tokens of texts: `size` indices a sample, or counts of `size` indices (`once`: whether there is one).
typedef struct cj__text_attrs {
    cj__lookup_attrs lookup;
    cj__text_rules rules;
    uint32_t once;
    int64_t size;
} cj__text_attrs;
CJ__NO_PADDING(cj__text_attrs, sizeof(cj__lookup_attrs) + sizeof(cj__text_rules) +
                                   sizeof(uint32_t) + sizeof(int64_t));

// Bins from 0 to size - 1. With a mask, token 0 of `mask`, that has bin 0, and all else the others.
typedef struct cj__bins_attrs {
    cj__vocabulary_ref mask;
    int64_t size;
    int64_t hash;
    uint64_t salt[2];
} cj__bins_attrs;
CJ__NO_PADDING(cj__bins_attrs, 5 * sizeof(int64_t));

// One hash of the elements at one place of several inputs: begins with the seed, and takes in one after
// another.
#define CJ__CROSSING_SEED UINT64_C(0xdecafcaffe)
uint64_t cj__cross_text(uint64_t hash, cj_text text);
uint64_t cj__cross_number(uint64_t hash, int64_t number);

// The bin of one element.
int32_t cj__bin_of_text(const cj__bins_attrs *attrs, cj_text text);
int32_t cj__bin_of_number(const cj__bins_attrs *attrs, int64_t number);
// The index of one text as `lookup` has it; INT32_MIN for one that fails the run.
int32_t cj__index_of_text(const cj__lookup_attrs *attrs, cj_text text);
int32_t cj__index_of_number(const cj__lookup_attrs *attrs, int64_t number);

// The indices of a sample of `count` texts: writes the first `size` to `indices`, and returns how many
// there are, or with `indices` NULL all that there are.
int64_t cj__text_indices(const cj__text_attrs *attrs, const cj_text *texts, int64_t count,
                         int32_t *indices);

#endif
