#include "data/timeline.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/sync.h"
#include "base/system.h"

enum { SPANS_MAX = 1 << 20 };

struct cj__timeline {
    cj__mutex lock; // for all that follows
    cj__lane_span *spans;
    size_t count, capacity;
    int64_t left_out;
};

cj__timeline *cj__timeline_new(void)
{
    cj__timeline *t = cj__new(1, sizeof *t);
    if (t)
        cj__mutex_init(&t->lock);
    return t;
}

void cj__timeline_add(cj__timeline *t, const char *name, int lane, int64_t begin, int64_t number)
{
    if (!t)
        return;
    const cj__lane_span span = {name, lane, begin, cj__clock(), number};
    cj__mutex_lock(&t->lock);
    const bool room = t->count < SPANS_MAX &&
                      cj__reserve((void **)&t->spans, &t->capacity, t->count + 1, sizeof *t->spans);
    if (room)
        t->spans[t->count++] = span;
    else
        t->left_out++;
    cj__mutex_unlock(&t->lock);
    if (!room && t->count < SPANS_MAX)
        cj__error_forget(); // the run goes on without it
}

int64_t cj__timeline_spans(const cj__timeline *t, const cj__lane_span **spans, int64_t *left_out)
{
    *spans = t->spans;
    *left_out = t->left_out;
    return (int64_t)t->count;
}

void cj__timeline_free(cj__timeline *t)
{
    if (!t)
        return;
    cj__free(t->spans);
    cj__mutex_destroy(&t->lock);
    cj__free(t);
}
