/**
 * @file timeline.h
 * The time line of a run: when steps ran, when they waited for data, and what threads read meanwhile.
 */
#ifndef CAJAL_TIMELINE_H
#define CAJAL_TIMELINE_H

#include <cajal/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A callback that writes the time line of cj_fit() to `path` when the run ends, in Chrome's format of
 * traces: JSON that chrome://tracing and ui.perfetto.dev show. Lane "training" has the spans "step" (with
 * the number of its batch), "wait" (a step whose data had not been read yet), "gather" (samples in memory
 * copied to a batch), "callbacks" and "validate"; the lanes "reading 1" and on are the threads that read
 * ahead of the steps (streams.h), with the spans "read". Times are microseconds. A run of more than a
 * million spans leaves out later ones, and says in "left_out" how many.
 *
 * What a run has waited in all is cj_data_wait(), and a line of progress says it of an epoch.
 *
 * NULL with CJ_INVALID_ARGUMENT (no path) or CJ_OUT_OF_MEMORY. cj_fit() fails with CJ_IO where the file
 * cannot be written. A run that ends early, by a failure or because it was cancelled, is written too.
 */
CJ_API cj_callback *cj_timeline(const char *path);

#ifdef __cplusplus
}
#endif
#endif
