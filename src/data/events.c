// Lists of events as sequences of images of counts. See include/cajal/events.h.
#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "tensor/tensor.h"

#include <cajal/events.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TIME, X, Y, POLARITY, COLUMNS };
enum { MOST_STEPS = 1 << 24, MOST_PIXELS = 1 << 20 };

// A span of time that no number of steps makes infinite.
static const double LONGEST_SPAN = 1e300;

static const cj_event_frames_args frames_defaults = {CJ_EVENT_FRAMES_DEFAULTS};

void cj_event_frames_defaults(cj_event_frames_args *args)
{
    if (args)
        *args = frames_defaults;
}

typedef struct frames {
    cj_event_frames_args a;
    const cj_tensor *events;
    int64_t count;
    double begin, end;
    float *pixels; // (steps, height, width, 2)
} frames;

static double number_at(const frames *f, int64_t event, int column)
{
    return cj__element_get(f->events->dtype, f->events->data, event * COLUMNS + column);
}

static cj_status check_settings(const cj_event_frames_args *a)
{
    if (a->steps < 1 || a->height < 1 || a->width < 1 || a->steps > MOST_STEPS ||
        a->height > MOST_PIXELS || a->width > MOST_PIXELS)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_event_frames: %lld steps of %lld x %lld pixels, needed are 1 to %d steps "
            "and 1 to %d pixels along each side",
            (long long)a->steps, (long long)a->height, (long long)a->width, (int)MOST_STEPS,
            (int)MOST_PIXELS);
    if (!a->by || (strcmp(a->by, "time") != 0 && strcmp(a->by, "count") != 0))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_event_frames: cut by \"%s\", needed is \"time\" or \"count\"",
                        a->by ? a->by : "");
    if (!(a->begin < INFINITY) || !(a->end > -INFINITY) || !(a->step_time >= 0) ||
        isinf(a->step_time))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_event_frames: steps from %g to %g of %g each, needed are numbers, a "
                        "begin below infinity, an end above -infinity and a step_time of 0 or more",
                        a->begin, a->end, a->step_time);
    if (a->step_time > 0 && (!isinf(a->end) || strcmp(a->by, "count") == 0))
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_event_frames: step_time is given with %s",
                        isinf(a->end) ? "steps by count, which have no time" : "an end");
    return CJ_OK;
}

static cj_status check_events(const cj_tensor *events)
{
    const cj_shape *shape = &events->shape;
    char text[CJ_MAX_RANK * 24];
    if (shape->rank == 2 && shape->dims[1] == COLUMNS && events->dtype != CJ_STRING &&
        events->dtype != CJ_BOOL && cj_tensor_contiguous(events))
        return CJ_OK;
    return cj__fail(
        CJ_SHAPE_MISMATCH,
        "cj_event_frames: events of shape %s and dtype %s, needed are numbers (events, 4): "
        "time, x, y, polarity",
        cj_shape_text(shape, text, sizeof text), cj_dtype_name(events->dtype));
}

static cj_status check_event(const frames *f, int64_t i)
{
    const double time = number_at(f, i, TIME), x = number_at(f, i, X), y = number_at(f, i, Y);
    if (!isfinite(time))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_event_frames: the time of event %lld is not finite", (long long)i);
    if (!(x >= 0 && x < (double)f->a.width && y >= 0 && y < (double)f->a.height))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_event_frames: event %lld is at column %g, row %g, outside %lld x %lld "
                        "pixels (height x width)",
                        (long long)i, x, y, (long long)f->a.height, (long long)f->a.width);
    if (isnan(number_at(f, i, POLARITY)))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_event_frames: the polarity of event %lld is not a number",
                        (long long)i);
    return CJ_OK;
}

// When the first step begins and the last one ends.
static cj_status settle_span(frames *f)
{
    double first = INFINITY, last = -INFINITY;
    for (int64_t i = 0; i < f->count; i++) {
        CJ_TRY(check_event(f, i));
        first = fmin(first, number_at(f, i, TIME));
        last = fmax(last, number_at(f, i, TIME));
    }
    f->begin = isinf(f->a.begin) ? first : f->a.begin;
    f->end = f->a.step_time > 0 ? f->begin + f->a.step_time * (double)f->a.steps :
             isinf(f->a.end)    ? last :
                                  f->a.end;
    if (f->count == 0)
        return CJ_OK;
    if (!(f->end >= f->begin))
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_event_frames: the steps end at %g and begin at %g",
                        f->end, f->begin);
    if (strcmp(f->a.by, "time") == 0 && !(f->end - f->begin <= LONGEST_SPAN))
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_event_frames: the steps go from %g to %g, needed is a span of at most %g", f->begin,
            f->end, LONGEST_SPAN);
    return CJ_OK;
}

static bool is_within(const frames *f, int64_t event)
{
    const double time = number_at(f, event, TIME);
    return time >= f->begin && time <= f->end;
}

static void put(frames *f, int64_t event, int64_t step)
{
    const int64_t x = (int64_t)number_at(f, event, X), y = (int64_t)number_at(f, event, Y);
    float *pixel = &f->pixels[((step * f->a.height + y) * f->a.width + x) * 2 +
                              (number_at(f, event, POLARITY) > 0)];
    *pixel = f->a.binary ? 1 : *pixel + 1;
}

// When step k begins.
static double begin_of(const frames *f, int64_t k)
{
    return f->begin + (f->a.step_time > 0 ? (double)k * f->a.step_time :
                                            (double)k * (f->end - f->begin) / (double)f->a.steps);
}

// The step of a time within the span. A quotient may be rounded to the other side of a boundary, so
// it is compared with the boundaries themselves. What comes after the last step gives its number.
static int64_t step_at(const frames *f, double time)
{
    if (!(f->end > f->begin))
        return 0;
    const double share = (time - f->begin) / (f->end - f->begin);
    int64_t step = (int64_t)(share * (double)f->a.steps);
    while (step > 0 && time < begin_of(f, step))
        step--;
    while (step < f->a.steps && time >= begin_of(f, step + 1))
        step++;
    return step;
}

static void cut_by_time(frames *f)
{
    for (int64_t i = 0; i < f->count; i++) {
        if (!is_within(f, i))
            continue;
        const int64_t step = step_at(f, number_at(f, i, TIME));
        // With the time of a step given, what comes at the end of the last belongs to the next one.
        if (step < f->a.steps || !(f->a.step_time > 0))
            put(f, i, step < f->a.steps ? step : f->a.steps - 1);
    }
}

// An event and its time: events of one time stay in the order of the list.
typedef struct moment {
    double time;
    int64_t event;
} moment;

static int by_time(const void *a, const void *b)
{
    const moment *x = a, *y = b;
    return x->time < y->time ? -1 :
           x->time > y->time ? 1 :
                               (x->event > y->event) - (x->event < y->event);
}

static cj_status cut_by_count(frames *f)
{
    moment *moments = cj__new((size_t)f->count + 1, sizeof *moments);
    int64_t count = 0;
    if (!moments)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < f->count; i++)
        if (is_within(f, i))
            moments[count++] = (moment){number_at(f, i, TIME), i};
    qsort(moments, (size_t)count, sizeof *moments, by_time);
    for (int64_t step = 0, i = 0; step < f->a.steps; step++)
        for (; i < (int64_t)((double)count * (double)(step + 1) / (double)f->a.steps); i++)
            put(f, moments[i].event, step);
    cj__free(moments);
    return CJ_OK;
}

cj_status cj_event_frames_with(const cj_tensor *events, cj_tensor **sequence,
                               const cj_event_frames_args *args)
{
    frames f = {.events = events};
    cj_tensor *made = NULL;
    if (!sequence)
        return cj__fail_null("cj_event_frames: the place for the frames");
    *sequence = NULL;
    CJ_TRY(cj__args_read("cj_event_frames", args, &frames_defaults, sizeof f.a, &f.a));
    if (!events)
        return cj__fail_missing(CJ__MADE_TENSOR, "cj_event_frames: the events");
    CJ_TRY(check_settings(&f.a));
    CJ_TRY(check_events(events));
    f.count = events->shape.dims[0];
    CJ_TRY(settle_span(&f));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(f.a.steps, f.a.height, f.a.width, 2), &made));
    f.pixels = (void *)made->data;
    cj_status status = CJ_OK;
    if (strcmp(f.a.by, "count") == 0)
        status = cut_by_count(&f);
    else
        cut_by_time(&f);
    if (status == CJ_OK)
        *sequence = made;
    else
        cj_release(made);
    return status;
}
