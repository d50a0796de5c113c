// cajal bench: how long a step of a model takes on this machine, through the calls that a user
// makes.
#define _POSIX_C_SOURCE 200809L
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_ROUNDS = 1000, MOST_BATCHES = 64, MOST_BYTES = 64 << 20 };

typedef struct settings {
    const char *name;
    int64_t batch_size, threads, rounds;
    double seconds;
    bool training;
} settings;

// A model with data made for it: training goes through `data`, prediction through one batch of
// inputs.
enum { MAX_IO = 16 }; // the most inputs, or outputs, of a model

typedef struct bench {
    cj_model *model;
    cj_pool *pool;
    cj_dataset *data;
    cj_tensor *inputs[MAX_IO];
    int64_t batches; // that `data` holds
    const char *loss;
} bench;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// The greatest resident size of this process alone, in MiB: getrusage() would count what was there
// before exec as well. 0 where the system does not tell.
static double peak_memory(void)
{
    char line[256];
    double kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "VmHWM: %lf", &kib) == 1)
            break;
    }
    if (file)
        fclose(file);
    return kib / 1024;
}

// ---- Data ----

static int64_t sample_size(const cj_shape *shape)
{
    int64_t size = 1;
    for (int axis = 1; axis < shape->rank; axis++)
        size *= shape->dims[axis] > 0 ? shape->dims[axis] : 1;
    return size;
}

// Numbers from 0 to 1, bytes from 0 to 255, and for labels and indices whole numbers below
// `classes`.
static cj_status make_tensor(cj_dtype dtype, cj_shape shape, int64_t classes, cj_tensor **tensor)
{
    uint64_t state = 1;
    CJ_TRY(cj_tensor_new(dtype, shape, tensor));
    for (int64_t i = 0; i < cj_tensor_count(*tensor); i++) {
        state = state * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX generator
        const uint64_t high = state >> 40;
        if (dtype == CJ_F32)
            ((float *)cj_tensor_data(*tensor))[i] = (float)high / 16777216;
        else if (dtype == CJ_U8)
            ((uint8_t *)cj_tensor_data(*tensor))[i] = (uint8_t)(high % (uint64_t)classes);
        else
            ((int32_t *)cj_tensor_data(*tensor))[i] = (int32_t)(high % (uint64_t)classes);
    }
    return CJ_OK;
}

// Texts of twenty words.
static cj_status make_texts(cj_shape shape, cj_tensor **tensor)
{
    enum { WORDS = 20, SIZE = WORDS * 8 };
    const int64_t count = cj_shape_count(&shape);
    uint64_t state = 1;
    char *bytes = calloc((size_t)count + 1, SIZE);
    const char **values = calloc((size_t)count + 1, sizeof *values);
    for (int64_t i = 0; bytes && values && i < count; i++) {
        char *at = bytes + i * SIZE;
        values[i] = at;
        for (int j = 0; j < WORDS; j++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            at += sprintf(at, "w%d ", (int)(state >> 40) % 10000);
        }
    }
    const cj_status status = bytes && values ?
                                 cj_tensor_from(CJ_STRING, shape, values, (size_t)count, tensor) :
                                 cj_fail(CJ_OUT_OF_MEMORY, "no memory for texts");
    free(values);
    free(bytes);
    return status;
}

// The dtype that input `index` declares, as the architecture's JSON has it; floats where it does
// not say.
static cj_dtype input_dtype(const json_t *architecture, int index)
{
    size_t at;
    json_t *layer;
    const json_t *layers = json_object_get(json_object_get(architecture, "config"), "layers");
    json_array_foreach (layers, at, layer) {
        const char *class_name = json_string_value(json_object_get(layer, "class_name"));
        const char *dtype =
            json_string_value(json_object_get(json_object_get(layer, "config"), "dtype"));
        if (!class_name || strcmp(class_name, "InputLayer") != 0 || index-- != 0)
            continue;
        if (dtype && strcmp(dtype, "uint8") == 0)
            return CJ_U8;
        if (dtype && strcmp(dtype, "string") == 0)
            return CJ_STRING;
        return dtype && strncmp(dtype, "int", 3) == 0 ? CJ_I32 : CJ_F32;
    }
    return CJ_F32;
}

static cj_status make_inputs(bench *b, int64_t samples)
{
    char *text = NULL;
    CJ_TRY(cj_model_to_json(b->model, &text));
    json_t *architecture = json_loads(text, 0, NULL);
    cj_free(text);
    cj_status status = CJ_OK;
    for (int i = 0; i < cj_model_input_count(b->model) && i < MAX_IO && status == CJ_OK; i++) {
        cj_shape shape = *cj_model_input_shape(b->model, i);
        const cj_dtype dtype = input_dtype(architecture, i);
        shape.dims[0] = samples;
        for (int axis = 1; axis < shape.rank; axis++)
            shape.dims[axis] = shape.dims[axis] > 0 ? shape.dims[axis] : 28; // a free length
        status = dtype == CJ_STRING ?
                     make_texts(shape, &b->inputs[i]) :
                     make_tensor(dtype, shape, dtype == CJ_U8 ? 256 : 2, &b->inputs[i]);
        if (status == CJ_OK)
            status = learn_words(b->model, b->inputs[i]);
    }
    json_decref(architecture);
    return status;
}

// Labels for a softmax over classes, otherwise values of each output's shape.
static cj_status make_targets(bench *b, int64_t samples)
{
    cj_tensor *x[MAX_IO] = {NULL}, *y[MAX_IO] = {NULL};
    const cj_shape *first = cj_model_output_shape(b->model, 0);
    const int outputs = cj_model_output_count(b->model);
    const bool labels = outputs == 1 && first->rank == 2 && first->dims[1] > 1;
    b->loss = labels ? "sparse_categorical_crossentropy" : "mse";
    cj_status status = CJ_OK;
    for (int i = 0; i < outputs && i < MAX_IO && status == CJ_OK; i++) {
        cj_shape shape = *cj_model_output_shape(b->model, i);
        shape.dims[0] = samples;
        status = labels ? make_tensor(CJ_I32, CJ_SHAPE(samples), first->dims[1], &y[i]) :
                          make_tensor(CJ_F32, shape, 1, &y[i]);
    }
    for (int i = 0; i < MAX_IO; i++)
        x[i] = b->inputs[i] ? cj_retain(b->inputs[i]) : NULL;
    if (status != CJ_OK)
        return status;
    b->data = cj_dataset(.x_list = x, .x_count = cj_model_input_count(b->model), .y_list = y,
                         .y_count = outputs);
    return b->data ? CJ_OK : cj_error_status();
}

// ---- Steps ----

static cj_status run_steps(bench *b, const settings *s, int64_t steps)
{
    for (int64_t done = 0; done < steps && !s->training; done++) {
        cj_tensor *outputs[MAX_IO] = {0};
        CJ_TRY(cj_predict_many(b->model, b->inputs, outputs, .batch_size = s->batch_size));
        for (int i = 0; i < MAX_IO; i++)
            cj_release(outputs[i]);
    }
    for (int64_t done = 0; done < steps && s->training;) {
        const int64_t count = steps - done < b->batches ? steps - done : b->batches;
        CJ_TRY(cj_fit(b->model, b->data, .batch_size = s->batch_size, .steps_per_epoch = count,
                      .verbose = CJ_SILENT));
        done += count;
    }
    return CJ_OK;
}

static cj_status prepare(bench *b, settings *s)
{
    b->model = is_model_file(s->name) ? cj_load(s->name) : make_model(s->name, NULL, false);
    if (!b->model)
        // told by make_model()
        return cj_error_status() != CJ_OK ? cj_error_status() : CJ_INVALID_ARGUMENT;
    if (cj_model_input_count(b->model) < 1 || !cj_model_input_shape(b->model, 0)) {
        fprintf(stderr,
                "cajal bench: \"%s\" does not say the shape of its input; give it an InputLayer\n",
                s->name);
        return CJ_NOT_BUILT;
    }
    if ((b->pool = cj_retain(cj_pool_new((int)s->threads))) == NULL)
        return cj_error_status();
    s->batch_size = s->batch_size ? s->batch_size : batch_of(b->model, 32);
    int64_t size = 0;
    for (int i = 0; i < cj_model_input_count(b->model); i++)
        size += 4 * sample_size(cj_model_input_shape(b->model, i));
    b->batches = MOST_BYTES / (size * s->batch_size);
    b->batches = !s->training || b->batches < 1 ? 1 :
                 b->batches > MOST_BATCHES      ? MOST_BATCHES :
                                                  b->batches;
    CJ_TRY(make_inputs(b, b->batches * s->batch_size));
    CJ_TRY(make_targets(b, b->batches * s->batch_size));
    return cj_compile(b->model, .optimizer = cj_adam(), .loss = b->loss, .pool = b->pool);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static cj_status measure(settings *s, double begun)
{
    static double times[MOST_ROUNDS];
    bench b = {0};
    cj_status status = prepare(&b, s);
    if (status == CJ_OK)
        status = run_steps(&b, s, 1);
    const double first = now() - begun;
    double step = 1;
    // Warm: the second step tells how long one takes, then a tenth of a second settles the clock.
    for (int i = -2; i < s->rounds && status == CJ_OK; i++) {
        const double wanted = (i == -2 ? 0 : i == -1 ? 0.1 : s->seconds) / step;
        const int64_t steps = wanted < 1 ? 1 : (int64_t)wanted;
        const double from = now();
        status = run_steps(&b, s, steps);
        step = (now() - from) / (double)steps;
        if (i >= 0)
            times[i] = step;
    }
    if (status == CJ_OK) {
        const size_t rounds = (size_t)s->rounds;
        qsort(times, rounds, sizeof *times, ascending);
        const double median = times[rounds / 2];
        printf("%s of \"%s\", batches of %lld%s%s\n", s->training ? "training" : "prediction",
               s->name, (long long)s->batch_size, s->training ? ", adam and " : "",
               s->training ? b.loss : "");
        printf("  a step      %.4f ms (%.4f to %.4f, %lld rounds)\n", 1e3 * median, 1e3 * times[0],
               1e3 * times[rounds - 1], (long long)s->rounds);
        printf("  samples     %.0f a second\n", (double)s->batch_size / median);
        printf("  first step  %.1f ms after the start\n", 1e3 * first);
        printf("  peak memory %.1f MiB\n", peak_memory());
        printf("  threads     %d\n  kernels     %s\n", cj_pool_threads(b.pool), cj_isa());
    }
    for (int i = 0; i < MAX_IO; i++)
        cj_release(b.inputs[i]);
    cj_release(b.data);
    cj_release(b.model);
    cj_release(b.pool);
    return status;
}

int run_bench(int argc, char **argv)
{
    const double begun = now();
    settings s = {.rounds = 11, .seconds = 0.2};
    const option options[] = {
        INT_OPTION("batch-size", "N", &s.batch_size, 1, BATCH_SIZE_MAX,
                   "samples of a step (the model's, else 32)"),
        THREADS_OPTION(&s.threads),
        FLAG_OPTION("training", &s.training, "measure training steps; else prediction"),
        INT_OPTION("rounds", "N", &s.rounds, 1, MOST_ROUNDS,
                   "how many times to measure; the median counts (11)"),
        REAL_OPTION("seconds", "S", &s.seconds, 0, 3600, "about how long a round takes (0.2)"),
    };
    const int done = read_options(find_command("bench"), options,
                                  sizeof(options) / sizeof options[0], argc, argv, 1, 1, &s.name);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    return finish(measure(&s, begun));
}
