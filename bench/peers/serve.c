#define _DEFAULT_SOURCE
#include "serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

float *random_floats(size_t count, unsigned seed)
{
    const size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
    float *values = aligned_alloc(64, bytes != 0 ? bytes : 64);
    uint64_t state = seed * 2654435761u + 1u;
    for (size_t i = 0; values != NULL && i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX generator
        values[i] = (float)(state >> 40) * (2.0f / 16777216) - 1;
    }
    return values;
}

// Runs for about `seconds`, at `*step_seconds` a step, which is brought up to date.
static const char *measure(const peer *self, double seconds, double *step_seconds, bool tell)
{
    struct rusage before, after;
    const double wanted = seconds / *step_seconds;
    const long steps = wanted < 1 ? 1 : (long)wanted;
    getrusage(RUSAGE_SELF, &before);
    const double begun = now();
    for (long i = 0; i < steps; i++) {
        const char *why = self->step();
        if (why != NULL)
            return why;
    }
    *step_seconds = (now() - begun) / (double)steps;
    getrusage(RUSAGE_SELF, &after);
    if (tell)
        printf("{\"seconds\": %.9g, \"steps\": %ld, \"faults\": %.4g}\n", *step_seconds, steps,
               (double)(after.ru_minflt - before.ru_minflt) / (double)steps);
    return NULL;
}

static const char *prepare(const peer *self, const char *kind, const settings *s,
                           double *step_seconds)
{
    const char *why = self->make(kind, s);
    *step_seconds = 1;
    // The first step may set up; the second tells how long one takes, and if that is long it is
    // warm.
    for (int i = 0; why == NULL && (i < 2 || (i < 3 && *step_seconds < 0.1)); i++)
        why = measure(self, i < 2 ? 1e-9 : 0.1, step_seconds, false);
    if (why == NULL)
        puts("{\"ready\": true}");
    return why;
}

int serve(const peer *self)
{
    char line[1024], work[1024];
    double step_seconds = 0;
    bool ready = false;
    printf("{\"name\": \"%s\", \"version\": \"%s\", \"settings\": \"%s\"}\n", self->name,
           self->version, self->how);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        settings s = {0};
        const char *why = NULL;
        char *rest = NULL;
        memcpy(work, line, sizeof line);
        const char *verb = strtok_r(work, " \n", &rest), *first = strtok_r(NULL, " \n", &rest);
        if (verb == NULL)
            continue;
        if (strcmp(verb, "quit") == 0)
            break;
        for (const char *word = NULL;
             s.count < SETTINGS_MAX && (word = strtok_r(NULL, " \n", &rest)) != NULL;)
            s.words[s.count++] = word;
        if (strcmp(verb, "prepare") == 0) {
            why = first == NULL ? "prepare needs a kind of work" :
                                  prepare(self, first, &s, &step_seconds);
            ready = why == NULL;
        } else if (strcmp(verb, "memory") == 0) {
            printf("{\"peak_kib\": %ld}\n", peak_kib());
        } else if (strcmp(verb, "round") != 0) {
            why = "a line is prepare KIND key=value..., round SECONDS, memory or quit";
        } else {
            const double seconds = first != NULL ? strtod(first, NULL) : 0.2;
            why = !ready ? "round before prepare" : measure(self, seconds, &step_seconds, true);
        }
        if (why != NULL)
            printf("{\"error\": \"%s\"}\n", why);
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
