// Texts taken apart: standardized, split into tokens, joined to n-grams, as TensorFlow's string ops
// do it (tf.strings.lower, regex_replace, split, unicode_split, ngrams). Nothing is copied: a token is
// a stretch of its text, read through a filter.
#ifndef CJ_OPS_TOKENS_H
#define CJ_OPS_TOKENS_H

#include "ops/vocabulary.h"

// What is done to a text. `lower` makes A to Z small, no other letters, as Keras's layer does;
// `strip` takes out the 32 marks of ASCII that are no letters, digits or spaces.
enum { CJ__SPLIT_NONE, CJ__SPLIT_WHITESPACE, CJ__SPLIT_CHARACTER };
enum { CJ__NGRAM_MAX = 8 };
typedef struct cj__text_rules {
    uint8_t lower, strip;
    uint8_t split;                 // CJ__SPLIT_...
    uint8_t ngram_count;           // 0: tokens as they are
    uint8_t ngrams[CJ__NGRAM_MAX]; // widths, in the order in which n-grams are listed
} cj__text_rules;

// A token: the bytes from `begin` to `end`, which the filter lets through or changes.
typedef struct cj__token {
    const char *begin, *end;
} cj__token;

// One token, or several with spaces between, of a list.
typedef struct cj__ngram {
    const cj__text_rules *rules;
    const cj__token *tokens;
    int count;
} cj__ngram;

// Calls `visit` with each n-gram of `count` texts, which are split one by one, in Keras's order: all
// of the first width, then those of the next. Ends early when `visit` returns false.
void cj__each_ngram(const cj__text_rules *rules, const cj_text *texts, int64_t count,
                    bool (*visit)(void *context, const cj__ngram *ngram), void *context);

// Its place in a vocabulary, or -1.
int64_t cj__ngram_find(const cj__ngram *ngram, const cj__vocabulary *vocabulary);
// Its length in bytes, and the bytes, written to `bytes`.
size_t cj__ngram_length(const cj__ngram *ngram);
void cj__ngram_copy(const cj__ngram *ngram, char *bytes);

#endif
