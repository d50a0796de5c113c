// See compile.h.
#include "compile.h"
#include "schedule.h"
#include "table.h"

#include <string.h>

// ---- targets ----

// Whether each row of a target has one 1 and zeros.
static bool is_one_hot(const cj_tensor *y)
{
    const cj_shape *shape = cj_tensor_shape(y);
    if (shape->rank != 2 || shape->dims[1] < 2)
        return false;
    for (int64_t i = 0; i < shape->dims[0]; i++) {
        int64_t ones = 0;
        for (int64_t c = 0; c < shape->dims[1]; c++) {
            const double value = cj_tensor_get(y, (int64_t[]){i, c});
            const bool one = value >= 1 && value <= 1;
            if (!one && !(value >= 0 && value <= 0))
                return false;
            ones += one;
        }
        if (ones != 1)
            return false;
    }
    return true;
}

// Whole numbers that may count classes: not negative, and not by far more classes than samples.
static bool are_classes(const cj_tensor *y)
{
    enum { MANY = 1000 };
    const int64_t count = cj_tensor_count(y);
    const cj_shape *shape = cj_tensor_shape(y);
    if (shape->rank == 0 || shape->rank > 2 || shape->dims[0] != count)
        return false;
    for (int64_t i = 0; i < count; i++) {
        const double value = cj_tensor_get(y, (int64_t[]){i, 0});
        if (!(value >= 0) || (value > (double)count && value > MANY))
            return false;
    }
    return true;
}

target_kind kind_of_target(const own_data *own, const cj_dataset *data)
{
    const cj_tensor *y = cj_dataset_y(data, 0);
    const cj_dtype dtype = cj_tensor_dtype(y);
    if (own->tokens)
        return TARGET_TOKENS;
    if (own->schema)
        return is_regression(own->schema) ? TARGET_NUMBERS : TARGET_CLASSES;
    if (!y)
        return TARGET_CLASSES;
    if (is_one_hot(y))
        return TARGET_ONE_HOT;
    if (cj_dataset_class_count(data) > 0)
        return TARGET_CLASSES;
    return dtype == CJ_F32 || dtype == CJ_F64 || !are_classes(y) ? TARGET_NUMBERS : TARGET_CLASSES;
}

const char *metric_of(const cj_model *model, target_kind kind)
{
    return kind == TARGET_NUMBERS                       ? "mean_absolute_error" :
           kind == TARGET_CLASSES && gives_steps(model) ? "spike_count_accuracy" :
                                                          "accuracy";
}

// ---- models ----

cj_optimizer *make_optimizer(const char *spec, const char *learning_rate)
{
    if (!learning_rate)
        return cj_optimizer_from_spec(spec);
    char text[1024];
    const size_t length = strlen(spec);
    const bool open = length != 0 && spec[length - 1] == ')';
    if (snprintf(text, sizeof text, "%.*s%slearning_rate=%s)", (int)(open ? length - 1 : length),
                 spec, open ? ", " : "(", learning_rate) < (int)sizeof text)
        return cj_optimizer_from_spec(text);
    cj_fail(CJ_INVALID_ARGUMENT, "the spec of the optimizer is too long");
    return NULL;
}

// The optimizer of a recipe, for so many samples.
static cj_optimizer *optimizer_of(const recipe *r, const cj_model *model, int64_t samples)
{
    char rate[512];
    const int64_t batch = r->batch_size ? r->batch_size : batch_of(model, 32);
    if (r->schedule && fit_schedule(r->schedule, (samples + batch - 1) / batch, r->epochs, rate,
                                    sizeof rate) != CJ_OK)
        return NULL;
    if (!r->schedule)
        snprintf(rate, sizeof rate, "%.17g", r->learning_rate);
    return make_optimizer(r->optimizer, r->schedule || !isnan(r->learning_rate) ? rate : NULL);
}

cj_status learn_from(cj_model *model, const cj_tensor *input)
{
    for (int i = 0; i < cj_model_layer_count(model); i++) {
        cj_layer *layer = cj_model_layer_at(model, i);
        const char *class = cj_layer_class(layer);
        if (strcmp(class, "Normalization") == 0 || strcmp(class, "TextVectorization") == 0)
            CJ_TRY(cj_adapt(layer, input));
    }
    return CJ_OK;
}

bool learns_anew(const recipe *r, const own_data *own)
{
    const bool table = own->schema && strcmp(r->name, "auto") == 0;
    return !table && !strpbrk(r->name, "./");
}

static cj_status compile(const recipe *r, target_kind kind, int64_t samples, cj_model *model)
{
    static const char *const losses[] = {"sparse_categorical_crossentropy",
                                         "categorical_crossentropy", "mean_squared_error",
                                         "sparse_categorical_crossentropy"};
    if (r->mix && kind == TARGET_CLASSES) // classes become vectors when batches are mixed
        kind = TARGET_ONE_HOT;
    cj_pool *pool = cj_pool_new((int)r->threads);
    cj_optimizer *optimizer = pool ? optimizer_of(r, model, samples) : NULL;
    if (!optimizer) {
        cj_release(pool);
        return cj_error_status();
    }
    const bool spikes = kind == TARGET_CLASSES && gives_steps(model);
    const char *loss = r->loss ? r->loss : spikes ? "step_crossentropy" : losses[kind];
    return cj_compile(model, .optimizer = optimizer, .loss = loss,
                      .metrics = {metric_of(model, kind)}, .pool = pool, .mix = r->mix);
}

// What --normalize asks for must be there: a layer that learns mean and variance.
static cj_status check_normalized(const recipe *r, const own_data *own, const cj_tensor *input,
                                  const cj_model *model)
{
    if (own->schema)
        return cj_fail(CJ_INVALID_ARGUMENT,
                       "--normalize is for images and rows of numbers; the columns of a table "
                       "have mean 0 and variance 1 without it");
    if (!input)
        return cj_fail(CJ_UNSUPPORTED,
                       "--normalize reads all samples before training, and these are read while "
                       "it runs: leave out --stream");
    for (int i = 0; i < cj_model_layer_count(model); i++)
        if (strcmp(cj_layer_class(cj_model_layer_at(model, i)), "Normalization") == 0)
            return CJ_OK;
    return cj_fail(CJ_INVALID_ARGUMENT, "--normalize: model \"%s\" has no place for it", r->name);
}

cj_status check_classes(const own_data *own, const cj_dataset *data, target_kind kind)
{
    const cj_tensor *y = cj_dataset_y(data, 0);
    if (kind != TARGET_CLASSES || (!y && cj_dataset_class_count(data) != 1))
        return CJ_OK;
    const double first = y ? cj_tensor_get(y, (int64_t[]){0, 0}) : 0;
    bool several = cj_dataset_class_count(data) > 1 ||
                   (own->schema && json_array_size(json_object_get(own->schema, "classes")) > 1);
    for (int64_t i = 1; y && !several && i < cj_tensor_count(y); i++)
        several = fabs(cj_tensor_get(y, (int64_t[]){i, 0}) - first) > 0;
    return several ? CJ_OK :
                     cj_fail(CJ_INVALID_ARGUMENT, "all samples are of one class; a model learns to "
                                                  "tell two or more apart");
}

cj_status make_compiled(const recipe *r, const own_data *own, cj_dataset *train, cj_model **model)
{
    const target_kind kind = kind_of_target(own, train);
    const bool table = own->schema && strcmp(r->name, "auto") == 0;
    *model = (table        ? make_table_model(own->schema, train) :
              r->normalize ? make_normalized_model(r->name, train, kind == TARGET_NUMBERS) :
                             make_model(r->name, train, kind == TARGET_NUMBERS));
    if (!*model)
        return cj_error_status();
    const cj_tensor *input = cj_dataset_x(train, 0);
    if (r->normalize)
        CJ_TRY(check_normalized(r, own, input, *model));
    CJ_TRY(learns_anew(r, own) ? learn_from(*model, input) : learn_words(*model, input));
    CJ_TRY(cj_set_dtype_policy(cj_model_layer(*model), r->dtype));
    CJ_TRY(cj_model_set_seed(*model, (uint64_t)r->seed));
    return compile(r, kind, cj_dataset_count(train), *model);
}
