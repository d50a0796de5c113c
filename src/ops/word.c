#include "ops/word.h"

#include "base/memory.h"
#include "ops/build.h"
#include "ops/word_rows.h"
#include "ops/words.h"
#include <cajal/operators.h>
#include <cajal/ops_shape.h>
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
    const bool has_settings = cj__word_settings(word)->field_count > 0 || word->by_key;
    if (applied->inputs && has_settings)
        applied->settings = cj__word_resolve(word, settings, word->choice.name);
    if (applied->inputs && (applied->settings || !has_settings))
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

// Gives a symbol its history.
static void remember(cj_symbol *y, cj__applied *applied, int index)
{
    cj_release(y->history);
    y->history = cj_retain(applied);
    y->history_index = index;
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
        if (complete && applied)
            remember(y[i], applied, i);
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

cj_status cj__word_give_as(cj__build *g, cj_symbol *const *symbols, int results,
                           cj_symbol **outputs, const cj__word *word, cj_symbol *const *inputs,
                           int count, const void *settings)
{
    cj__applied *applied = NULL;
    if (g->status == CJ_OK && is_of_model(inputs, count) &&
        !(applied = applied_new(word, inputs, count, settings)))
        cj__build_refuse(g, cj_error_status());
    const cj_status status = cj__word_give(g, symbols, results, outputs);
    for (int i = 0; applied && status == CJ_OK && i < results; i++)
        remember(outputs[i], applied, i);
    cj_release(applied);
    return status;
}

// ---- For rows ----

cj_symbol *cj__word_drop_made(cj_symbol *const *x, int n)
{
    for (int i = 0; i < n; i++)
        cj__drop_floating(x[i]);
    return cj__build_failed(CJ__MADE_SYMBOL);
}

cj_symbol *cj__word_line(const char *who, cj_symbol *x, const int64_t *axes, int *axis)
{
    *axis = axes[0] == 1 ? (int)axes[1] : 0;
    if (axes[0] == 0)
        return cj_symbol_shape(x)->rank == 1 ? x : cj_op_ravel(x);
    if (axes[0] == 1)
        return x;
    cj__fail(CJ_UNSUPPORTED, "%s: along %lld axes, possible is one", who, (long long)axes[0]);
    return cj__word_drop_made(&x, 1);
}

const int *cj__word_axes_list(const int64_t *axes, int *list)
{
    for (int i = 0; i < CJ_MAX_RANK && i < (int)axes[0]; i++)
        list[i] = (int)axes[1 + i];
    return axes[0] > 0 ? list : NULL;
}

bool cj__word_dtype(const char *who, const char *name, cj_dtype *dtype)
{
    for (*dtype = 0; *dtype < CJ_DTYPE_COUNT; ++*dtype)
        if (strcmp(cj_dtype_name(*dtype), name) == 0)
            return true;
    cj__fail(CJ_UNSUPPORTED, "%s: there is no dtype \"%.40s\" here", who, name);
    return false;
}

int cj__word_whole(const char *who, const char *what, const cj_numbers *numbers, int64_t *out,
                   int least, int most)
{
    if (numbers->count < 1 || numbers->count > most) {
        cj__fail(CJ_INVALID_ARGUMENT, "%s: %s has %lld numbers, needed are 1 to %d", who, what,
                 (long long)numbers->count, most);
        return -1;
    }
    const int count = (int)numbers->count;
    for (int i = 0; i < (count > least ? count : least); i++)
        out[i] = (int64_t)numbers->values[i < count ? i : count - 1];
    return count;
}

cj_numbers cj__numbers_of(const int64_t *numbers, int count, double *out)
{
    for (int i = 0; i < count; i++)
        out[i] = (double)numbers[i];
    return (cj_numbers){out, count};
}

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
