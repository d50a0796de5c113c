#include "train/history.h"
#include "base/memory.h"
#include "base/object.h"
#include <math.h>
#include <string.h>

typedef struct column {
    char *name;
    double *values;
    size_t capacity;
} column;

struct cj_history {
    cj__object object;
    column *columns;
    size_t capacity;
    int names, epochs;
};

static void history_destroy(void *object)
{
    cj_history *history = object;
    for (int i = 0; i < history->names; i++) {
        cj__free(history->columns[i].name);
        cj__free(history->columns[i].values);
    }
    cj__free(history->columns);
    cj__free(history);
}

static const cj__class history_class = {"history", history_destroy};

cj_history *cj__history_new(void)
{
    return cj__object_new(&history_class, sizeof(cj_history));
}

static column *find(const cj_history *history, const char *name)
{
    for (int i = 0; i < history->names; i++)
        if (strcmp(history->columns[i].name, name) == 0)
            return &history->columns[i];
    return NULL;
}

static column *need_column(cj_history *history, const char *name)
{
    column *found = find(history, name);
    if (found)
        return found;
    if (!cj__reserve((void **)&history->columns, &history->capacity, (size_t)history->names + 1,
                     sizeof(column)))
        return NULL;
    found = &history->columns[history->names];
    *found = (column){.name = cj__copy_text(name)};
    if (!found->name)
        return NULL;
    history->names++;
    return found;
}

cj_status cj__history_add(cj_history *history, const cj_logs *logs)
{
    for (int i = 0; i < logs->count; i++)
        if (!need_column(history, logs->names[i]))
            return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < history->names; i++) {
        column *c = &history->columns[i];
        const size_t had = c->capacity;
        if (!cj__reserve((void **)&c->values, &c->capacity, (size_t)history->epochs + 1,
                         sizeof(double)))
            return CJ_OUT_OF_MEMORY;
        for (size_t row = had; row < c->capacity; row++)
            c->values[row] = NAN;
    }
    for (int i = 0; i < logs->count; i++)
        find(history, logs->names[i])->values[history->epochs] = logs->values[i];
    history->epochs++;
    return CJ_OK;
}

int cj_history_epochs(const cj_history *history)
{
    return history ? history->epochs : 0;
}

int cj_history_names(const cj_history *history)
{
    return history ? history->names : 0;
}

const char *cj_history_name(const cj_history *history, int index)
{
    return history && index >= 0 && index < history->names ? history->columns[index].name : NULL;
}

double cj_history_value(const cj_history *history, const char *name, int epoch)
{
    const column *found = history && name ? find(history, name) : NULL;
    return found && epoch >= 0 && epoch < history->epochs ? found->values[epoch] : (double)NAN;
}
