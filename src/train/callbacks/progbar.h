// The progress bar's inside: its mode and its clock can be set, for tests.
#ifndef CJ_TRAIN_PROGBAR_H
#define CJ_TRAIN_PROGBAR_H

#include "train/callbacks.h"

typedef enum cj__bar_mode { CJ__BAR_AUTO, CJ__BAR_REDRAWN, CJ__BAR_LINES } cj__bar_mode;

// CJ__BAR_AUTO draws a bar if the stream is a terminal and prints lines otherwise. NULL without
// memory.
cj_callback *cj__progress_bar_new(FILE *stream, cj__bar_mode mode);

// The bar of a call that does not train: one pass over batches, without a title.
typedef struct cj__progress {
    cj_callback *bar; // held; NULL shows nothing
    cj_logs logs;     // names and values, if there are any, are the caller's
} cj__progress;       // starts as {0}

// Refuses what is no cj_verbose, for the call `who`.
cj_status cj__check_verbose(cj_verbose verbose, const char *who);

// CJ_SILENT and CJ_AUTO show nothing; `stream` NULL is standard output.
cj_status cj__progress_open(cj__progress *progress, cj_verbose verbose, FILE *stream,
                            int64_t batches);
void cj__progress_batch(cj__progress *progress); // one more batch is done
// Ends the line; the last one is drawn only if all went well.
void cj__progress_close(cj__progress *progress, bool finished);

// Replaces what a bar found out about its terminal: whether it takes colours and UTF-8, and its
// width, 0 for any.
void cj__progress_bar_look(cj_callback *bar, bool coloured, bool utf8, int width);

// Replaces the clock of a bar: seconds from any moment on.
void cj__progress_bar_clock(cj_callback *bar, double (*clock)(void *context), void *context);

#endif
