// What happens when in a run, for cj_timeline(): spans of time, each in a lane. Lane 0 is the thread that
// trains; the threads that read ahead have the lanes from 1 on. Several threads add spans.
#ifndef CJ_DATA_TIMELINE_H
#define CJ_DATA_TIMELINE_H

#include <cajal/base.h>

enum { CJ__LANE_TRAINING = 0, CJ__LANE_READING = 1 };

typedef struct cj__lane_span {
    const char *name; // static: "step", "wait", "read", ...
    int lane;
    int64_t begin, end; // nanoseconds of cj__clock()
    int64_t number;     // of the batch in its pass, or of the epoch
} cj__lane_span;

typedef struct cj__timeline cj__timeline;

cj__timeline *cj__timeline_new(void); // NULL without memory
// Adds a span that ends now. Of more than a million, and without memory, the later ones are left out; a
// NULL timeline is fine.
void cj__timeline_add(cj__timeline *timeline, const char *name, int lane, int64_t begin,
                      int64_t number);
// The spans so far, and how many were left out. They are read when nobody adds.
int64_t cj__timeline_spans(const cj__timeline *timeline, const cj__lane_span **spans,
                           int64_t *left_out);
void cj__timeline_free(cj__timeline *timeline);

#endif
