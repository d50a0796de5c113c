// What the worker and the peers in C share: the settings of a piece of work, "net=w3 batch=64
// threads=2", and memory.
#ifndef BENCH_SETTINGS_H
#define BENCH_SETTINGS_H

#include <stdint.h>

enum { SETTINGS_MAX = 24 };

// "key=value" words; texts belong to the caller.
typedef struct settings {
    int count;
    const char *words[SETTINGS_MAX];
} settings;

int64_t setting(const settings *s, const char *key, int64_t otherwise);
const char *setting_text(const settings *s, const char *key, const char *otherwise);

// The greatest resident size of this process in KiB, 0 where the system does not tell. Not
// getrusage(): its ru_maxrss counts what the process that started this one had.
long peak_kib(void);

int ascending(const void *a, const void *b); // of doubles, for qsort()

#endif
