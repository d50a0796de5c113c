// Hash tables of tokens: see vocabulary.h. Open addressing with linear probing, at most half full.
#include "ops/vocabulary.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

static void destroy(void *object)
{
    cj__vocabulary *v = object;
    cj_release(v->tokens);
    cj__free(v->slots);
    cj__free(v);
}

static const cj__class vocabulary_class = {"vocabulary", destroy};

static uint64_t hash_text(uint64_t hash, cj_text text)
{
    for (int64_t i = 0; i < text.length; i++)
        hash = cj__hash_byte(hash, (unsigned char)text.data[i]);
    return cj__hash_end(hash);
}

static uint64_t hash_number(uint64_t hash, int64_t number)
{
    return cj__hash_end((hash ^ (uint64_t)number) * UINT64_C(0xff51afd7ed558ccd));
}

static bool is_text(const void *context, cj_text token)
{
    const cj_text *text = context;
    return text->length == token.length &&
           memcmp(text->data, token.data, (size_t)token.length) == 0;
}

int64_t cj__vocabulary_find(const cj__vocabulary *v, uint64_t hash,
                            bool (*same)(const void *context, cj_text token), const void *context)
{
    for (uint64_t at = hash & v->last; v->slots[at]; at = (at + 1) & v->last) {
        const int64_t place = (int64_t)(v->slots[at] & UINT32_MAX) - 1;
        if (v->slots[at] >> 32 == hash >> 32 &&
            same(context, cj__string_at(v->tokens->data, place)))
            return place;
    }
    return -1;
}

int64_t cj__vocabulary_find_text(const cj__vocabulary *v, cj_text text)
{
    return v ? cj__vocabulary_find(v, hash_text(v->seed, text), is_text, &text) : -1;
}

int64_t cj__vocabulary_find_number(const cj__vocabulary *v, int64_t number)
{
    if (!v)
        return -1;
    const int64_t *numbers = (const int64_t *)(const void *)v->tokens->data;
    const uint64_t hash = hash_number(v->seed, number);
    for (uint64_t at = hash & v->last; v->slots[at]; at = (at + 1) & v->last) {
        const int64_t place = (int64_t)(v->slots[at] & UINT32_MAX) - 1;
        if (numbers[place] == number)
            return place;
    }
    return -1;
}

static cj_status repeated(const cj__vocabulary *v, int64_t place, const char *who)
{
    if (v->tokens->dtype == CJ_I64)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %lld is in the vocabulary twice", who,
                        (long long)((const int64_t *)(const void *)v->tokens->data)[place]);
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: \"%.100s\" is in the vocabulary twice", who,
                    cj__string_at(v->tokens->data, place).data);
}

static cj_status fill(cj__vocabulary *v, const char *who)
{
    const bool texts = v->tokens->dtype == CJ_STRING;
    for (int64_t i = 0; i < v->count; i++) {
        uint64_t hash;
        if (texts) {
            const cj_text text = cj__string_at(v->tokens->data, i);
            hash = hash_text(v->seed, text);
            if (cj__vocabulary_find(v, hash, is_text, &text) >= 0)
                return repeated(v, i, who);
        } else {
            const int64_t number = ((const int64_t *)(const void *)v->tokens->data)[i];
            hash = hash_number(v->seed, number);
            if (cj__vocabulary_find_number(v, number) >= 0)
                return repeated(v, i, who);
        }
        uint64_t at = hash & v->last;
        while (v->slots[at])
            at = (at + 1) & v->last;
        v->slots[at] = (hash & ~(uint64_t)UINT32_MAX) | (uint64_t)(i + 1);
    }
    return CJ_OK;
}

cj_status cj__vocabulary_new(cj_tensor *tokens, const char *who, cj__vocabulary **vocabulary)
{
    *vocabulary = NULL;
    const int64_t count = cj_tensor_count(tokens);
    cj__vocabulary *v = NULL;
    if (count > INT32_MAX / 2)
        cj__fail(CJ_UNSUPPORTED, "%s: a vocabulary of %lld tokens", who, (long long)count);
    else
        v = cj__object_new(&vocabulary_class, sizeof *v);
    if (!v) {
        cj_release(tokens);
        return cj_error_status();
    }
    v->tokens = tokens;
    v->count = count;
    for (v->last = 15; v->last < (uint64_t)count * 2; v->last = v->last * 2 + 1)
        ;
    v->slots = cj__new((size_t)v->last + 1, sizeof *v->slots);
    // Nobody can choose tokens that collide without knowing where the table lies.
    v->seed = cj__hash_end((uint64_t)(uintptr_t)v->slots + UINT64_C(0xcbf29ce484222325));
    const cj_status status = v->slots ? fill(v, who) : CJ_OUT_OF_MEMORY;
    if (status != CJ_OK)
        cj_release(v);
    else
        *vocabulary = v;
    return status;
}
