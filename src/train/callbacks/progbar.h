// The progress bar's inside: its mode and its clock can be set, for tests.
#ifndef CJ_TRAIN_PROGBAR_H
#define CJ_TRAIN_PROGBAR_H

#include <cajal/train.h>

typedef enum cj__bar_mode { CJ__BAR_AUTO, CJ__BAR_REDRAWN, CJ__BAR_LINES } cj__bar_mode;

// CJ__BAR_AUTO draws a bar if the stream is a terminal and prints lines otherwise. NULL without
// memory.
cj_callback *cj__progress_bar_new(FILE *stream, cj__bar_mode mode);

// Replaces the clock of a bar: seconds from any moment on.
void cj__progress_bar_clock(cj_callback *bar, double (*clock)(void *context), void *context);

#endif
