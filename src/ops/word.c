#include "ops/word.h"

#include "base/memory.h"
#include "ops/build.h"
#include <cajal/operators.h>
#include <string.h>

const cj__word *const cj__op_words[] = {
#define CJ__WORD(name) &cj__word_##name,
#include "ops/words.def"
#undef CJ__WORD
    NULL};

const cj__choice *cj__word_settings(const cj__word *word)
{
    return word->catalog ? cj__catalog_find(word->catalog, word->choice.name) : &word->choice;
}

void cj__word_free_settings(const cj__word *word, void *settings)
{
    const cj__choice *choice = cj__word_settings(word);
    if (settings)
        cj__fields_free(choice->fields, choice->field_count, settings);
    cj__free(settings);
}

void *cj__word_resolve(const cj__word *word, const void *settings, const char *who)
{
    const cj__choice *choice = cj__word_settings(word);
    void *copy = cj__copy_bytes(settings ? settings : choice->defaults, choice->args_size);
    if (copy && cj__fields_resolve(choice->fields, choice->field_count, copy, who) == CJ_OK)
        return copy;
    cj__free(copy);
    return NULL;
}

static void applied_destroy(void *object)
{
    cj__applied *applied = object;
    for (int i = 0; i < applied->input_count; i++)
        cj_release(applied->inputs[i]);
    cj__free(applied->inputs);
    cj__word_free_settings(applied->word, applied->settings);
    cj_release(applied->layer);
    cj__free(applied);
}

static const cj__class applied_class = {"application", applied_destroy};

cj__applied *cj__symbol_applied(const cj_symbol *symbol)
{
    return cj__is(symbol->history, &applied_class) ? symbol->history : NULL;
}

static cj__applied *applied_new(const cj__word *word, cj_symbol *const *inputs, int count,
                                const void *settings)
{
    cj__applied *applied = cj__object_new(&applied_class, sizeof *applied);
    if (!applied)
        return NULL;
    applied->word = word;
    applied->inputs = cj__new((size_t)count, sizeof *applied->inputs);
    for (int i = 0; applied->inputs && i < count; i++)
        applied->inputs[applied->input_count++] = cj_retain(inputs[i]);
    if (applied->inputs && cj__word_settings(word)->field_count + word->by_key > 0)
        applied->settings = cj__word_resolve(word, settings, word->choice.name);
    if (applied->inputs &&
        (applied->settings || cj__word_settings(word)->field_count + word->by_key == 0))
        return applied;
    cj_release(applied);
    return NULL;
}

// Whether a symbol of a model is among the operands.
static bool is_of_model(cj_symbol *const *inputs, int count)
{
    for (int i = 0; i < count; i++)
        if (inputs[i] && inputs[i]->history)
            return true;
    return false;
}

bool cj__word_results(cj__build *g, cj_symbol **y, int results, const cj__word *word,
                      cj_symbol *const *inputs, int count, const void *settings)
{
    cj__applied *applied = NULL;
    bool complete = g->status == CJ_OK;
    for (int i = 0; i < results; i++)
        complete = complete && y[i];
    if (complete && is_of_model(inputs, count) &&
        !(applied = applied_new(word, inputs, count, settings)))
        cj__build_refuse(g, cj_error_status());
    complete = complete && g->status == CJ_OK;
    for (int i = 0; i < results; i++) {
        cj__build one = {0};
        y[i] = complete ? cj__build_result(&one, y[i]) : NULL;
        complete = y[i];
        if (!complete || !applied)
            continue;
        cj_release(y[i]->history);
        y[i]->history = cj_retain(applied);
        y[i]->history_index = i;
    }
    cj_release(applied);
    for (int i = 0; i < results && !complete; i++) {
        cj_release(y[i]);
        y[i] = NULL;
    }
    cj__build_end(g);
    if (!complete)
        cj__build_failed(CJ__MADE_SYMBOL);
    return complete;
}

cj_symbol *cj__word_result(cj__build *g, cj_symbol *y, const cj__word *word,
                           cj_symbol *const *inputs, int count, const void *settings)
{
    return cj__word_results(g, &y, 1, word, inputs, count, settings) ? y : NULL;
}

// ---- For rows ----

cj__axes_settings cj__axes_of(const int *axes, int count)
{
    cj__axes_settings settings = {{0}, false};
    for (int i = 0; axes && i < count && i < CJ_MAX_RANK; i++)
        settings.axis[++settings.axis[0]] = axes[i];
    return settings;
}

cj_symbol *cj__make_reduction(cj_symbol *(*function)(cj_symbol *, const int *, int), cj_symbol *x,
                              const cj__axes_settings *settings)
{
    const int rank = cj_symbol_shape(x)->rank, count = (int)settings->axis[0];
    bool reduced[CJ_MAX_RANK] = {false};
    int axes[CJ_MAX_RANK] = {0};
    for (int i = 0; i < count; i++) {
        axes[i] = (int)settings->axis[1 + i];
        const int place = axes[i] < 0 ? axes[i] + rank : axes[i];
        if (place >= 0 && place < rank)
            reduced[place] = true;
    }
    cj_symbol *y = function(x, count > 0 ? axes : NULL, count);
    for (int i = 0; settings->keepdims && y && i < rank; i++)
        if (count == 0 || reduced[i])
            y = cj_op_expand_dims(y, i);
    return y;
}
