/**
 * @file events.h
 * Event streams: what a camera for changes gives, a list of pixels that became brighter or darker, each at
 * a time of its own (Lichtsteiner, Posch and Delbruck 2008, "A 128x128 120 dB 15 us Latency Asynchronous
 * Temporal Contrast Vision Sensor").
 *
 * A list of events is a tensor (events, 4) whose columns are time, x, y and polarity: x is the column of the
 * pixel and y its row, from 0, and a polarity above 0 is brighter. Spiking layers take sequences, so a list
 * is cut into steps of equal time, or of as many events each.
 */
#ifndef CAJAL_EVENTS_H
#define CAJAL_EVENTS_H

#include <cajal/tensor.h>
#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Reads a list of events from a file, as a new float64 tensor (events, 4).
 *
 * - "name.bin": five bytes an event, as N-MNIST has them (Orchard and others 2015, "Converting Static Image
 *   Datasets to Spiking Neuromorphic Datasets Using Saccades"): x, y, then a bit of polarity and 23 bits of
 *   time in microseconds, the highest first. Entries with y = 240 are no events, but add 2^13 us to the time
 *   of all that follow, and are left out.
 * - any other name: text, a line an event: time, x, y, polarity, with commas, semicolons, tabs or blanks
 *   between. A first line of names says another order: "t", "time", "timestamp"; "x"; "y"; "p", "pol",
 *   "polarity". Other columns that have names are left out.
 *
 * @param path   the file
 * @param events receives the tensor, in the order of the file
 * @return CJ_OK; CJ_INVALID_ARGUMENT (NULL); CJ_NOT_FOUND; CJ_IO; CJ_BAD_FILE (what is no event, with the
 *         line; a file with none); CJ_UNSUPPORTED (a line of millions of bytes); CJ_OUT_OF_MEMORY
 */
CJ_API cj_status cj_load_events(const char *path, cj_tensor **events);

/** The arguments of cj_event_frames(). */
typedef struct cj_event_frames_args {
    size_t size;    ///< bytes of the struct
    int _;          ///< what follows may be given by position
    int64_t steps;  ///< required: into how many steps the list is cut
    int64_t height; ///< required: of the camera, in pixels
    int64_t width;  ///< required
    const char
        *by;      ///< "time" (default): steps of equal time; "count": steps of equally many events
    double begin; ///< when the first step begins; default -INFINITY: at the earliest event
    double end;   ///< when the last step ends; default INFINITY: at the latest event
    double step_time; ///< the time of a step, in the place of `end`; default 0: what `end` makes it
    bool binary;      ///< default false: counts; true: 1 where there is any event
} cj_event_frames_args;
/** The defaults of cj_event_frames_args. */
#define CJ_EVENT_FRAMES_DEFAULTS \
    .size = sizeof(cj_event_frames_args), .by = "time", .begin = -INFINITY, .end = INFINITY
/** Sets `args` to CJ_EVENT_FRAMES_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_event_frames_defaults(cj_event_frames_args *args);
/**
 * Makes a sequence of a list of events: how many events of each polarity each pixel has in each step.
 *
 * By time, step k takes the events from begin + k d to below begin + (k + 1) d, where d is the time of a step;
 * an event at `end` itself belongs to the last step. By count, the n events between begin and end, in the
 * order of their times, are cut after each n / steps of them, rounded down. Events before `begin` and after
 * `end` do not count. A list without events gives zeros.
 *
 * @param events (events, 4), real numbers: time, x, y, polarity, in any order of time
 * @param frames receives a new float32 tensor (steps, height, width, 2): darker, then brighter
 * @param args   the settings
 * @return CJ_OK; CJ_INVALID_ARGUMENT (a NULL; sizes that are not positive; a pixel that the camera does not
 *         have; a time that is not finite; a polarity that is no number; an end before the beginning, or
 *         more than 1e300 after it); CJ_SHAPE_MISMATCH (no list of events); CJ_OUT_OF_MEMORY
 */
CJ_API cj_status cj_event_frames_with(const cj_tensor *events, cj_tensor **frames,
                                      const cj_event_frames_args *args);
/** `cj_event_frames(events, &frames, .steps = 20, .height = 34, .width = 34)` */
#define cj_event_frames(events, ...)      \
    cj_event_frames_with(                 \
        events, CJ__HEAD(__VA_ARGS__, ~), \
        &(cj_event_frames_args){CJ_EVENT_FRAMES_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

#ifdef __cplusplus
}
#endif

#endif
