// See tokens.h.
#include "ops/tokens.h"

#include <string.h>

// ---- Bytes ----

static bool is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_mark(unsigned char c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
}

static bool passes(const cj__text_rules *rules, unsigned char c)
{
    return !(rules->strip && is_mark(c));
}

static unsigned char filtered(const cj__text_rules *rules, unsigned char c)
{
    return rules->lower && c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

// ---- Characters ----

// The bytes of the character at `at`. What is no UTF-8 (RFC 3629) is *broken: its bytes are then those
// that could have begun a character, at least one (Unicode 15, "substitution of maximal subparts").
static int character(const char *at, const char *end, bool *broken)
{
    const unsigned char *s = (const unsigned char *)at;
    const unsigned char c = s[0];
    *broken = false;
    if (c < 0x80)
        return 1;
    const int length = c >= 0xc2 && c <= 0xdf ? 2 :
                       c >= 0xe0 && c <= 0xef ? 3 :
                       c >= 0xf0 && c <= 0xf4 ? 4 :
                                                0;
    // the second byte's range excludes what is overlong, surrogates, and what is above U+10FFFF
    unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    int n = 1;
    while (n < length && at + n < end && s[n] >= low && s[n] <= high) {
        low = 0x80;
        high = 0xbf;
        n++;
    }
    *broken = length == 0 || n < length;
    return n;
}

// ---- Tokens ----

typedef struct scan {
    const cj__text_rules *rules;
    const char *at, *end;
    bool ended; // of a text that is not split: its one token has been given
} scan;

static bool next_word(scan *s, cj__token *token)
{
    const cj__text_rules *rules = s->rules;
    const char *at = s->at, *const end = s->end;
    while (at < end && (is_space((unsigned char)*at) || !passes(rules, (unsigned char)*at)))
        at++;
    token->begin = at;
    while (at < end && !is_space((unsigned char)*at))
        at++;
    token->end = s->at = at;
    return token->end > token->begin;
}

static bool next_character(scan *s, cj__token *token)
{
    static const char replacement[] = "\xef\xbf\xbd"; // U+FFFD
    while (s->at < s->end && !passes(s->rules, (unsigned char)*s->at))
        s->at++;
    if (s->at == s->end)
        return false;
    bool broken = false;
    const int length = character(s->at, s->end, &broken);
    *token =
        broken ? (cj__token){replacement, replacement + 3} : (cj__token){s->at, s->at + length};
    s->at += length;
    return true;
}

static bool next_token(scan *s, cj__token *token)
{
    if (s->rules->split == CJ__SPLIT_WHITESPACE)
        return next_word(s, token);
    if (s->rules->split == CJ__SPLIT_CHARACTER)
        return next_character(s, token);
    *token = (cj__token){s->at, s->end};
    const bool first = !s->ended;
    s->ended = true;
    return first;
}

// ---- N-grams ----

// All n-grams of one width: a window moves over the tokens.
static bool each_of_width(const cj__text_rules *rules, const cj_text *texts, int64_t count,
                          int width, bool (*visit)(void *, const cj__ngram *), void *context)
{
    cj__token window[CJ__NGRAM_MAX];
    int held = 0;
    for (int64_t i = 0; i < count; i++) {
        scan s = {.rules = rules, .at = texts[i].data, .end = texts[i].data + texts[i].length};
        while (next_token(&s, &window[held])) {
            if (++held < width)
                continue;
            if (!visit(context, &(cj__ngram){rules, window, width}))
                return false;
            held--;
            memmove(window, window + 1, (size_t)held * sizeof *window);
        }
    }
    return true;
}

void cj__each_ngram(const cj__text_rules *rules, const cj_text *texts, int64_t count,
                    bool (*visit)(void *context, const cj__ngram *ngram), void *context)
{
    if (rules->ngram_count == 0)
        each_of_width(rules, texts, count, 1, visit, context);
    for (int i = 0; i < rules->ngram_count; i++)
        if (!each_of_width(rules, texts, count, rules->ngrams[i], visit, context))
            return;
}

// ---- What n-grams are read for ----

static bool is_ngram(const void *context, cj_text token)
{
    const cj__ngram *ngram = context;
    const char *t = token.data, *const t_end = token.data + token.length;
    for (int i = 0; i < ngram->count; i++) {
        if (i > 0 && (t == t_end || *t++ != ' '))
            return false;
        for (const char *at = ngram->tokens[i].begin; at < ngram->tokens[i].end; at++) {
            if (!passes(ngram->rules, (unsigned char)*at))
                continue;
            if (t == t_end || (unsigned char)*t != filtered(ngram->rules, (unsigned char)*at))
                return false;
            t++;
        }
    }
    return t == t_end;
}

int64_t cj__ngram_find(const cj__ngram *ngram, const cj__vocabulary *vocabulary)
{
    if (!vocabulary)
        return -1;
    uint64_t hash = vocabulary->seed;
    for (int i = 0; i < ngram->count; i++) {
        if (i > 0)
            hash = cj__hash_byte(hash, ' ');
        for (const char *at = ngram->tokens[i].begin; at < ngram->tokens[i].end; at++)
            if (passes(ngram->rules, (unsigned char)*at))
                hash = cj__hash_byte(hash, filtered(ngram->rules, (unsigned char)*at));
    }
    return cj__vocabulary_find(vocabulary, cj__hash_end(hash), is_ngram, ngram);
}

size_t cj__ngram_length(const cj__ngram *ngram)
{
    size_t length = (size_t)ngram->count - 1;
    for (int i = 0; i < ngram->count; i++)
        for (const char *at = ngram->tokens[i].begin; at < ngram->tokens[i].end; at++)
            length += passes(ngram->rules, (unsigned char)*at);
    return length;
}

void cj__ngram_copy(const cj__ngram *ngram, char *bytes)
{
    for (int i = 0; i < ngram->count; i++) {
        if (i > 0)
            *bytes++ = ' ';
        for (const char *at = ngram->tokens[i].begin; at < ngram->tokens[i].end; at++)
            if (passes(ngram->rules, (unsigned char)*at))
                *bytes++ = (char)filtered(ngram->rules, (unsigned char)*at);
    }
}
