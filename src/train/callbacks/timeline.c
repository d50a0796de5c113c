// cj_timeline(): the spans that a run and its readers have added, as JSON. Times are whole microseconds
// and three digits of their parts, written without the locale.
#include <cajal/timeline.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/timeline.h"
#include "train/callbacks.h"
#include "train/state.h"

#include <inttypes.h>

typedef struct line {
    char *path;
    cj__timeline *spans; // of the run under way
} line;

static void write_time(FILE *out, const char *key, int64_t nanoseconds)
{
    fprintf(out, ",\"%s\":%" PRId64 ".%03d", key, nanoseconds / 1000, (int)(nanoseconds % 1000));
}

static void write_lane(FILE *out, int lane)
{
    fprintf(out,
            "{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"args\":{\"name\":\"",
            lane);
    if (lane == CJ__LANE_TRAINING)
        fputs("training", out);
    else
        fprintf(out, "reading %d", lane);
    fputs("\"}}", out);
}

static void write_spans(FILE *out, const cj__timeline *timeline)
{
    const cj__lane_span *spans;
    int64_t left_out;
    const int64_t count = cj__timeline_spans(timeline, &spans, &left_out);
    int64_t start = INT64_MAX;
    int lanes = 1;
    for (int64_t i = 0; i < count; i++) {
        start = spans[i].begin < start ? spans[i].begin : start;
        lanes = spans[i].lane >= lanes ? spans[i].lane + 1 : lanes;
    }
    fprintf(out, "{\"left_out\":%" PRId64 ",\"traceEvents\":[\n", left_out);
    for (int lane = 0; lane < lanes; lane++) {
        write_lane(out, lane);
        fputs(lane + 1 < lanes || count > 0 ? ",\n" : "\n", out);
    }
    for (int64_t i = 0; i < count; i++) {
        const cj__lane_span *s = &spans[i];
        fprintf(out, "{\"name\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":%d", s->name, s->lane);
        write_time(out, "ts", s->begin - start);
        write_time(out, "dur", s->end - s->begin);
        fprintf(out, ",\"args\":{\"number\":%" PRId64 "}}%s\n", s->number,
                i + 1 < count ? "," : "");
    }
    fputs("]}\n", out);
}

// Writes what there is and begins anew.
static cj_status finish(line *l)
{
    cj__output output = {0};
    if (!l->spans)
        return CJ_OK;
    cj_status status = cj__output_open(&output, l->path);
    if (status == CJ_OK) {
        write_spans(output.stream, l->spans);
        status = cj__output_commit(&output);
    }
    cj__timeline_free(l->spans);
    l->spans = NULL;
    return status;
}

static cj_status timeline_begin(void *self, cj_model *model, cj_logs *logs)
{
    line *l = self;
    (void)logs;
    cj__timeline_free(l->spans);
    l->spans = cj__timeline_new();
    cj__state_of(model)->timeline = l->spans;
    return l->spans ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status timeline_end(void *self, cj_model *model, cj_logs *logs)
{
    (void)logs;
    cj__state_of(model)->timeline = NULL;
    return finish(self);
}

static void timeline_free(void *self)
{
    line *l = self;
    if (finish(l) != CJ_OK)
        cj__error_forget(); // the run has failed by something else
    cj__free(l->path);
    cj__free(l);
}

static const cj_callback_methods timeline_methods = {
    .size = sizeof(cj_callback_methods),
    .name = "Timeline",
    .train_begin = timeline_begin,
    .train_end = timeline_end,
    .free = timeline_free,
};

cj_callback *cj_timeline(const char *path)
{
    if (!path || !*path) {
        cj__fail_null("cj_timeline: the path");
        return cj__build_failed(CJ__MADE_CALLBACK);
    }
    line *l = cj__new(1, sizeof *l);
    if (!l)
        return cj__build_failed(CJ__MADE_CALLBACK);
    if (!(l->path = cj__copy_text(path))) {
        cj__free(l);
        return cj__build_failed(CJ__MADE_CALLBACK);
    }
    return cj__callback_make(&timeline_methods, l);
}
