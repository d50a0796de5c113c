// The settings of a piece of work, "net=w3 batch=64 threads=2", as the worker and the peers in C read them.
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

#endif
