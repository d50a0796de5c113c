// What a worker measures: a kind of work, made from settings ("net=w3 batch=64 threads=2") and then
// stepped.
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "settings.h"

#include <cajal.h>
#include <stdatomic.h>

// Both models of a generative adversarial network, with their batches.
typedef struct adversaries {
    cj_model *generator, *discriminator, *both; // the last holds the first two
    cj_tensor *noise, *images;
    cj_dataset *judged, *made;
} adversaries;

// Multiply-adds in registers, FLOP/s of a thread: median and greatest of many short bursts. A
// processor that changes its clock all the time has the greatest for some microseconds only.
typedef struct peaks {
    double usual, best;
} peaks;

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
    peaks peak; // what "peak" found
    adversaries gan;
    struct kernel_work *kernel; // of kernel.c
    // Blocks taken a step where a run of steps takes some of its own: cj_fit() does when it begins.
    // Counted after its first step, by `blocks`, the counter of the memory hook. NULL where nothing
    // but the steps takes any.
    cj_status (*count)(struct workload *self, const atomic_llong *blocks, int64_t steps,
                       double *each);
} workload;

// CJ_INVALID_ARGUMENT for a kind or a setting that does not exist; the sentence is in *why where
// cj_error() has none.
cj_status workload_make(workload *w, const char *kind, const settings *s, const char **why);
void workload_free(workload *w);
// How many numbers the variables of its network hold; 0 for work without a network.
int64_t workload_parameters(const workload *w);

// What the samples of a network are made of.
typedef enum content {
    BYTES,
    WORDS,  // int32 below `words`
    PADDED, // the same, with zeros at the end of a sample, half of it at most
    TEXT,   // the same; the second input has the positions, and each word has a label
    REALS,  // floats from -1 to 1
} content;

// A network, and the random data and the rule that it is trained with.
typedef struct network {
    const char *name;
    cj_model *(*make)(void);
    cj_shape sample, second; // of one sample of each input, without the batch; rank 0: no second
    content content;
    int64_t words;
    int64_t classes; // of the labels; 0: the target is the input, from 0 to 1, or 0 and 1
    // NULL: of labels; "binary_crossentropy" has targets of 0 and 1, with classes one a sample
    const char *loss;
    int64_t batch;                    // unless the setting `batch` says otherwise
    cj_optimizer *(*optimizer)(void); // NULL: Adam
    cj_status (*train)(workload *w, const struct network *net); // NULL: cj_fit()
} network;

// data.c: numbers between -1 and 1 or, with `below`, integers from 0 to below - 1: the same for each
// seed on every machine. And data to train a network with, or one input of it.
cj_status random_tensor(cj_dtype dtype, cj_shape shape, int64_t below, uint64_t seed,
                        cj_tensor **tensor);
cj_status random_input(const network *net, int index, int64_t count, cj_tensor **tensor);
cj_status random_data(const network *net, int64_t count, cj_dataset **data);
// The type of input `index` of a network, with `count` samples; and how many inputs it has.
cj_dtype input_dtype(const network *net);
cj_shape input_shape(const network *net, int index, int64_t count);
int input_count(const network *net);

// networks.c: the row of the setting `net`, NULL with *why set if there is none of that name. And
// its model with the dtype policy of the settings, NULL with a sentence in cj_error().
const network *find_net(const settings *s, const char **why);
cj_model *make_net(const network *net, const settings *s);
// zoo.c: networks as people build them, through the public API alone.
extern const network zoo[];
extern const int zoo_count;
// kernel.c: one kernel without a graph around it.
cj_status make_conv(workload *w, const settings *s, const char **why);
cj_status make_gemm(workload *w, const settings *s, const char **why);
void free_kernel(struct kernel_work *kernel);

// adversaries.c: takes both models over. Makes the work of a training step of both, w->batch at once.
cj_status make_contest(workload *w, cj_model *generator, cj_model *discriminator);
void gan_free(adversaries *gan);

peaks peak_rates(cj_pool *pool, int threads); // of as many threads at the same time

#endif
