// The worker's protocol (bench/worker/worker.c) for peers in C: a peer makes a piece of work and
// steps it.
#ifndef BENCH_PEERS_SERVE_H
#define BENCH_PEERS_SERVE_H

#include "../worker/settings.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct peer {
    const char *name, *version, *how;
    // NULL, or the sentence that says why not
    const char *(*make)(const char *kind, const settings *s);
    const char *(*step)(void); // the same
} peer;

int serve(const peer *self);

// `count` floats between -1 and 1 on a cache line's border, or NULL.
float *random_floats(size_t count, unsigned seed);

#endif
