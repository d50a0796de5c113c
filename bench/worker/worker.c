// Measures Cajal. As a worker of bench/run it reads lines and answers each with one line of JSON:
//
//   prepare KIND key=value...   makes the work and runs it until it is warm
//   round SECONDS               runs it for about so long: seconds a step, page faults and
//                               allocations a step
//   memory                      the process's greatest resident size so far
//   quit
//
// For a quick look, and for the time from start to first step:
//
//   worker KIND key=value...          eleven rounds: median, least, greatest; worker train net=w3
//                                     batch=64 threads=2
//   worker first KIND key=value...    one step, then the same line as "memory"
//   worker plan KIND key=value...     the plan of a step of train or predict, with each kernel's
//                                     time in 10 runs
//   worker steps N KIND key=value...  one step, then N in one run, and nothing else:
//                                     bench/system_calls counts around it
#define _DEFAULT_SOURCE
#include "workload.h"

#include "graph/graph.h"

#include <stdatomic.h>
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

// realloc() that counts new and resized blocks; `context` is the counter.
static void *counted(void *context, void *block, size_t size)
{
    if (size == 0) {
        free(block);
        return NULL;
    }
    atomic_fetch_add_explicit((atomic_llong *)context, 1, memory_order_relaxed);
    return realloc(block, size);
}

typedef struct worker {
    workload work;
    bool ready;
    int64_t steps; // that take about `step_seconds` each
    double step_seconds;
    atomic_llong allocations;
    double steady; // allocations a step that the work counted itself, or below 0
} worker;

typedef struct measured {
    double seconds, faults, allocations; // a step
    int64_t steps;
} measured;

static cj_status measure(worker *self, double seconds, measured *m)
{
    struct rusage before, after;
    const double wanted = seconds / self->step_seconds;
    m->steps = wanted < 1 ? 1 : (int64_t)wanted;
    const long long blocks = atomic_load(&self->allocations);
    getrusage(RUSAGE_SELF, &before);
    const double begun = now();
    CJ_TRY(self->work.run(&self->work, m->steps));
    m->seconds = (now() - begun) / (double)m->steps;
    getrusage(RUSAGE_SELF, &after);
    m->faults = (double)(after.ru_minflt - before.ru_minflt) / (double)m->steps;
    m->allocations = self->steady >= 0 ?
                         self->steady :
                         (double)(atomic_load(&self->allocations) - blocks) / (double)m->steps;
    self->step_seconds = m->seconds;
    return CJ_OK;
}

static int sentence(const char *why)
{
    const char *text = why ? why : cj_error();
    printf("{\"error\": \"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        if ((unsigned char)*text >= ' ')
            putchar(*text);
    }
    printf("\"}\n");
    fflush(stdout);
    return EXIT_FAILURE;
}

// The words of a line or of a command line: a kind and its settings.
static int prepare(worker *self, int count, char **words, bool warm)
{
    settings s = {0};
    const char *why = NULL;
    measured m;
    workload_free(&self->work);
    self->ready = false;
    for (int i = 1; i < count && s.count < SETTINGS_MAX; i++)
        s.words[s.count++] = words[i];
    cj_error_clear();
    if (count == 0)
        return sentence("prepare needs a kind of work");
    if (workload_make(&self->work, words[0], &s, &why) != CJ_OK)
        return sentence(why);
    self->step_seconds = 1;
    self->ready = true;
    self->steady = -1;
    // One step plans; the second tells how long a step takes, and if that is long it is warm.
    for (int i = 0; warm && (i < 2 || (i < 3 && self->step_seconds < 0.1)); i++) {
        if (measure(self, i < 2 ? 1e-9 : 0.1, &m) != CJ_OK)
            return sentence(NULL);
    }
    if (warm && self->work.count) {
        const int64_t steps = (int64_t)(0.1 / self->step_seconds);
        if (self->work.count(&self->work, &self->allocations, steps, &self->steady) != CJ_OK)
            return sentence(NULL);
    }
    return EXIT_SUCCESS;
}

static int print_memory(void)
{
    printf("{\"peak_kib\": %ld}\n", peak_kib());
    fflush(stdout);
    return EXIT_SUCCESS;
}

// And what the same threads multiply and add right after the work, at the clock that it left them.
static void print_round(const worker *self, const measured *m)
{
    printf("{\"seconds\": %.9g, \"steps\": %lld, \"faults\": %.4g, \"allocations\": %.4g",
           m->seconds, (long long)m->steps, m->faults, m->allocations);
    if (self->work.peak.best > 0)
        printf(", \"usual\": %.6g, \"best\": %.6g", self->work.peak.usual, self->work.peak.best);
    else
        printf(", \"after\": %.6g", peak_rates(self->work.pool, (int)self->work.threads).usual);
    puts("}");
    fflush(stdout);
}

static void answer(worker *self, int count, char **words)
{
    measured m;
    if (strcmp(words[0], "prepare") == 0) {
        if (prepare(self, count - 1, words + 1, true) == EXIT_SUCCESS)
            printf("{\"ready\": true, \"parameters\": %lld}\n",
                   (long long)workload_parameters(&self->work));
        fflush(stdout);
    } else if (strcmp(words[0], "memory") == 0) {
        print_memory();
    } else if (strcmp(words[0], "round") != 0) {
        sentence("a line is prepare KIND key=value..., round SECONDS, memory or quit");
    } else if (!self->ready) {
        sentence("round before prepare");
    } else if (measure(self, count > 1 ? strtod(words[1], NULL) : 0.2, &m) != CJ_OK) {
        sentence(NULL);
    } else {
        print_round(self, &m);
    }
}

static int serve(worker *self)
{
    char line[1024];
    printf("{\"name\": \"Cajal\", \"version\": \"%s\", \"settings\": \"%s kernels\"}\n",
           cj_version(), cj_isa());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        char *words[SETTINGS_MAX + 2], *rest = NULL;
        int count = 0;
        for (char *word = strtok_r(line, " \n", &rest); word && count < SETTINGS_MAX + 2;
             word = strtok_r(NULL, " \n", &rest))
            words[count++] = word;
        if (count > 0 && strcmp(words[0], "quit") == 0)
            break;
        if (count > 0)
            answer(self, count, words);
    }
    return EXIT_SUCCESS;
}

static int look(worker *self, int argc, char **argv)
{
    enum { ROUNDS = 11 };
    double seconds[ROUNDS];
    measured m;
    if (prepare(self, argc, argv, true) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    for (int i = 0; i < ROUNDS; i++) {
        if (measure(self, 0.2, &m) != CJ_OK)
            return sentence(NULL);
        seconds[i] = m.seconds;
    }
    qsort(seconds, ROUNDS, sizeof *seconds, ascending);
    printf("%.6f ms a step (%.6f to %.6f), %.3g page faults, %.3g allocations a step",
           1e3 * seconds[ROUNDS / 2], 1e3 * seconds[0], 1e3 * seconds[ROUNDS - 1], m.faults,
           m.allocations);
    if (self->work.peak.best > 0)
        printf(", peak %.1f GFLOP/s a thread, at best %.1f", 1e-9 * self->work.peak.usual,
               1e-9 * self->work.peak.best);
    putchar('\n');
    return EXIT_SUCCESS;
}

// Page faults and blocks taken by the whole process: what N steps cost is the difference to a run
// of other N.
static int walk(worker *self, int64_t steps, int argc, char **argv)
{
    struct rusage use;
    if (prepare(self, argc, argv, false) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    if (self->work.run(&self->work, 1) != CJ_OK || self->work.run(&self->work, steps) != CJ_OK)
        return sentence(NULL);
    getrusage(RUSAGE_SELF, &use);
    printf("{\"faults\": %ld, \"allocations\": %lld}\n", use.ru_minflt,
           (long long)atomic_load(&self->allocations));
    return EXIT_SUCCESS;
}

static int show_plan(worker *self, int argc, char **argv)
{
    if (prepare(self, argc, argv, false) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    enum { ROUNDS = 10 };
    const workload *w = &self->work;
    if (!w->model)
        return sentence("plan is for train and predict of a network");
    const cj_status status =
        w->function ? cj__function_print(w->function, w->batch, ROUNDS, stdout) :
                      cj_plan(w->model, .batch_size = w->batch, .training = true, .rounds = ROUNDS);
    return status == CJ_OK ? EXIT_SUCCESS : sentence(NULL);
}

int main(int argc, char **argv)
{
    worker self = {0};
    int code;
    cj_set_memory_hook(&(cj_memory_hook){counted, &self.allocations});
    if (argc < 2) {
        code = serve(&self);
    } else if (strcmp(argv[1], "first") == 0) {
        code = prepare(&self, argc - 2, argv + 2, false);
        if (code == EXIT_SUCCESS)
            code = self.work.run(&self.work, 1) == CJ_OK ? print_memory() : sentence(NULL);
    } else if (strcmp(argv[1], "steps") == 0 && argc > 2) {
        code = walk(&self, strtoll(argv[2], NULL, 10), argc - 3, argv + 3);
    } else if (strcmp(argv[1], "plan") == 0) {
        code = show_plan(&self, argc - 2, argv + 2);
    } else {
        code = look(&self, argc - 1, argv + 1);
    }
    workload_free(&self.work);
    return code;
}
