// What a worker measures: a kind of work, made from settings ("net=w3 batch=64 threads=2") and then stepped.
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "settings.h"

#include <cajal.h>

// A prepared piece of work. Objects are released by workload_free(), inputs and outputs too.
typedef struct workload {
    cj_status (*run)(struct workload *self, int64_t steps);
    cj_pool *pool;
    cj_model *model;
    cj_function *function;
    cj_dataset *data;
    cj_knn *knn;
    cj_tensor *inputs[3], *output;
    int64_t batch, threads;
    double rate; // what "peak" found, in FLOP/s
} workload;

// CJ_INVALID_ARGUMENT for a kind or a setting that does not exist; the sentence is in *why where cj_error() has none.
cj_status workload_make(workload *w, const char *kind, const settings *s, const char **why);
void workload_free(workload *w);

// Multiply-adds in registers: FLOP/s of one thread of this processor, at best.
double peak_rate(void);

#endif
