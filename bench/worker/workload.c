// The kinds of work, each a row of a table. Networks and Adam go through the graph: whatever the
// plan chooses is what is measured. Products and convolutions are single kernels (kernel.c).
#include "workload.h"

#include "base/memory.h"
#include "base/object.h"
#include "ops/build.h"
#include "ops/variable.h"
#include "train/optimizer.h"

#include <stdlib.h>
#include <string.h>

// Kinds -------------------------------------------------------------------------------------------

static cj_status call_function(workload *w, int64_t steps)
{
    for (int64_t i = 0; i < steps; i++)
        CJ_TRY(cj_function_call(w->function, w->inputs, &w->output));
    return CJ_OK;
}

enum { STEPS_HELD = 64 }; // batches in memory, gone through again and again

static cj_status fit(workload *w, int64_t steps)
{
    return cj_fit(w->model, w->data, .batch_size = w->batch, .steps_per_epoch = steps,
                  .verbose = CJ_SILENT);
}

typedef struct counting {
    const atomic_llong *blocks;
    long long after_first, after_last;
} counting;

static cj_status count_batch(void *self, cj_model *model, cj_logs *logs)
{
    counting *c = self;
    (void)model;
    c->after_last = atomic_load(c->blocks);
    if (logs->batch == 0)
        c->after_first = c->after_last;
    return CJ_OK;
}

static cj_status count_fit(workload *w, const atomic_llong *blocks, int64_t steps, double *each)
{
    static const cj_callback_methods methods = {
        .size = sizeof(cj_callback_methods), .name = "count", .batch_end = count_batch};
    counting c = {.blocks = blocks};
    const int64_t least = steps < 8 ? 8 : steps > 2 * STEPS_HELD ? 2 * STEPS_HELD : steps;
    CJ_TRY(cj_fit(w->model, w->data, .batch_size = w->batch, .steps_per_epoch = least,
                  .verbose = CJ_SILENT, .callbacks = {cj_callback_new(&methods, &c)}));
    *each = (double)(c.after_last - c.after_first) / (double)(least - 1);
    return CJ_OK;
}

static cj_status compile(cj_model *model, const network *net, cj_pool *pool)
{
    cj_optimizer *optimizer = net->optimizer ? net->optimizer() : cj_adam();
    if (net->loss)
        return cj_compile(model, .optimizer = optimizer, .loss = net->loss, .pool = pool);
    return cj_compile(model, .optimizer = optimizer, .loss = "sparse_categorical_crossentropy",
                      .metrics = {"accuracy"}, .pool = pool);
}

// A training step as cj_fit() does it, shuffling and gathering of integers included, or a network's
// own.
static cj_status make_train(workload *w, const settings *s, const char **why)
{
    const network *net = find_net(s, why);
    if (!net)
        return CJ_INVALID_ARGUMENT;
    w->batch = setting(s, "batch", net->batch);
    if (net->train)
        return net->train(w, net);
    if ((w->model = make_net(net, s)) == NULL)
        return cj_error_status();
    w->run = fit;
    w->count = count_fit;
    CJ_TRY(random_data(net, w->batch * STEPS_HELD, &w->data));
    return compile(w->model, net, w->pool);
}

// A function of one output over the inputs that w has.
static cj_status make_function(workload *w, cj_symbol *const *inputs, int count, cj_symbol *output,
                               cj_shape shape)
{
    w->function = cj_function(.inputs = inputs, .input_count = count, .outputs = &output,
                              .output_count = 1, .pool = w->pool);
    if (!w->function)
        return cj_error_status();
    w->run = call_function;
    return cj_tensor_new(CJ_F32, shape, &w->output);
}

static cj_status make_predict(workload *w, const settings *s, const char **why)
{
    const network *net = find_net(s, why);
    if (!net)
        return CJ_INVALID_ARGUMENT;
    if ((w->model = make_net(net, s)) == NULL)
        return cj_error_status();
    w->batch = setting(s, "batch", 1);
    cj_symbol *x[2], *y = NULL;
    const int count = input_count(net);
    for (int i = 0; i < count; i++) {
        CJ_TRY(random_input(net, i, w->batch, &w->inputs[i]));
        x[i] = cj_symbol_input(input_dtype(net), input_shape(net, i, CJ_BATCH), NULL);
    }
    CJ_TRY(cj_apply_many(cj_model_layer(w->model), x, count, &y, 1));
    cj_shape shape = *cj_symbol_shape(y);
    shape.dims[0] = w->batch;
    return make_function(w, x, count, y, shape);
}

// Adam alone, on one variable of `params` elements: what each parameter costs beside its gradient.
static cj_status make_adam(workload *w, const settings *s, const char **why)
{
    const cj_shape shape = CJ_SHAPE(setting(s, "params", 1000000));
    cj_tensor *value = NULL;
    (void)why;
    CJ_TRY(cj_tensor_new(CJ_F32, shape, &value));        // zeros
    cj_variable *variable = cj_variable_new("w", value); // the maker's, not floating
    cj_symbol *gradient = cj_retain(cj_symbol_input(CJ_F32, shape, "gradient"));
    cj_updates *updates = cj_retain(cj_optimizer_updates(cj_adam(), &variable, &gradient, 1));
    if (updates)
        w->function =
            cj_function(.inputs = &gradient, .input_count = 1, .updates = cj_updates_list(updates),
                        .update_count = cj_updates_count(updates), .pool = w->pool);
    w->run = call_function;
    cj_release(updates);
    cj_release(gradient);
    cj_release(variable);
    CJ_TRY(random_tensor(CJ_F32, shape, 0, 1, &w->inputs[0]));
    return w->function ? CJ_OK : cj_error_status();
}

static cj_status search(workload *w, int64_t steps)
{
    for (int64_t i = 0; i < steps; i++) {
        cj_tensor *labels = NULL;
        CJ_TRY(cj_knn_predict(w->knn, w->inputs[0], &labels));
        cj_release(labels);
    }
    return CJ_OK;
}

static cj_status make_knn(workload *w, const settings *s, const char **why)
{
    (void)why;
    const int64_t size = setting(s, "size", 3072);
    w->run = search;
    w->knn = cj_knn(.k = 5, .metric = "l2", .pool = w->pool);
    const network rows = {.sample = CJ_SHAPE(size), .classes = 10};
    CJ_TRY(random_data(&rows, setting(s, "samples", 50000), &w->data));
    CJ_TRY(
        random_tensor(CJ_U8, CJ_SHAPE(setting(s, "queries", 1000), size), 256, 3, &w->inputs[0]));
    return w->knn ? cj_knn_fit(w->knn, w->data) : cj_error_status();
}

static cj_status measure_peak(workload *w, int64_t steps)
{
    for (int64_t i = 0; i < steps; i++)
        w->peak = peak_rates(w->pool, (int)w->threads);
    return CJ_OK;
}

static cj_status make_peak(workload *w, const settings *s, const char **why)
{
    (void)s, (void)why;
    w->run = measure_peak;
    return CJ_OK;
}

static const struct {
    const char *name;
    cj_status (*make)(workload *w, const settings *s, const char **why);
} kinds[] = {{"train", make_train}, {"predict", make_predict}, {"gemm", make_gemm},
             {"conv", make_conv},   {"adam", make_adam},       {"knn", make_knn},
             {"peak", make_peak}};

cj_status workload_make(workload *w, const char *kind, const settings *s, const char **why)
{
    *w = (workload){.threads = setting(s, "threads", 1)};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kind, kinds[i].name) != 0)
            continue;
        if ((w->pool = cj__own(cj_pool_new((int)w->threads))) == NULL)
            return cj_error_status();
        return kinds[i].make(w, s, why);
    }
    *why = "no such kind of work: train, predict, gemm, conv, adam, knn or peak";
    return CJ_INVALID_ARGUMENT;
}

int64_t workload_parameters(const workload *w)
{
    const cj_layer *layer = cj_model_layer(w->model ? w->model : w->gan.both);
    int64_t parameters = 0;
    for (int i = 0; i < cj_layer_variable_count(layer); i++)
        parameters += cj__variable_count(cj_layer_variable(layer, i));
    return parameters;
}

void workload_free(workload *w)
{
    cj_release(w->function);
    cj_release(w->model);
    cj_release(w->data);
    cj_release(w->knn);
    for (int i = 0; i < 3; i++)
        cj_release(w->inputs[i]);
    cj_release(w->output);
    gan_free(&w->gan);
    free_kernel(w->kernel);
    cj_release(w->pool);
    *w = (workload){0};
}
