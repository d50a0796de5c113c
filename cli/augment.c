// See augment.h. Layers run on the side of the data (cj_dataset_augment()), a sample at a time: the
// model file that a run leaves does not contain them, as its predictions do not need them.
#include "augment.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// ---- Lists of layers ----

// The end of an entry of a list: the next comma outside parentheses and quotes, or the end of the text.
static const char *entry_end(const char *at)
{
    int depth = 0;
    char quote = '\0';
    for (; *at != '\0' && (*at != ',' || depth > 0 || quote); at++) {
        if (quote)
            quote = *at == quote ? '\0' : quote;
        else if (*at == '"' || *at == '\'')
            quote = *at;
        else
            depth += (*at == '(' || *at == '[') - (*at == ')' || *at == ']');
    }
    return at;
}

// A layer of a list; NULL after a failure. Samples come one by one, so that nothing can be mixed.
static cj_layer *layer_of(const char *spec)
{
    cj_layer *layer = cj_layer_from_spec(spec);
    const char *class = layer ? cj_layer_class(layer) : "";
    if (strcmp(class, "MixUp") != 0 && strcmp(class, "CutMix") != 0)
        return layer;
    cj_release(layer);
    cj_fail(CJ_INVALID_ARGUMENT, "%s mixes the images of a batch, which is --mix", class);
    return NULL;
}

// The layers of a list, one after another; NULL after a failure.
static cj_model *model_of(const char *specs)
{
    enum { MOST = 32 };
    cj_layer *layers[MOST];
    char spec[sizeof((augmentation *)0)->specs];
    int count = 0;
    const char *at = specs, *end = at;
    bool good = true;
    for (bool more = true; more && good; at = end + 1) {
        end = entry_end(at);
        more = *end == ',';
        snprintf(spec, sizeof spec, "%.*s", (int)(end - at), at);
        if (count == MOST)
            cj_fail(CJ_INVALID_ARGUMENT, "more than %d layers", MOST);
        good = count < MOST && (layers[count] = layer_of(spec));
        count += good;
    }
    if (good)
        return cj_sequential_new(
            &(cj_sequential_args){CJ_SEQUENTIAL_DEFAULTS, .layers = layers, .layer_count = count});
    for (int i = 0; i < count; i++)
        cj_release(layers[i]);
    return NULL;
}

static cj_status failed(void)
{
    const cj_status status = cj_error_status();
    return cj_fail(status, "--augment: %s", cj_error());
}

cj_status read_augmentation(augmentation *a)
{
    size_t length = 0;
    for (int i = 0; i < a->given.count; i++) {
        const char *text = a->given.items[i];
        while (isspace((unsigned char)*text))
            text++;
        length += (size_t)snprintf(a->specs + length, sizeof a->specs - length, "%s%s",
                                   length > 0 ? ", " : "", text);
        if (length >= sizeof a->specs)
            return cj_fail(CJ_INVALID_ARGUMENT,
                           "--augment: the lists have more than %zu characters",
                           sizeof a->specs - 1);
    }
    if (a->given.count == 0)
        return CJ_OK;
    cj_model *model = model_of(a->specs);
    if (!model)
        return failed();
    cj_release(model);
    return CJ_OK;
}

// ---- Samples ----

// What a function that makes samples anew must know: how much it copies, and its own change.
typedef struct change {
    size_t x[CJ_IN_BRACES], y[CJ_IN_BRACES]; // bytes of each input and target before
    int x_count, y_count;
    int64_t classes; // of a target that becomes a vector
    cj_dtype dtype;  // that it has before
} change;

static size_t bytes_of(const cj_part *part)
{
    return (size_t)cj_shape_count(&part->shape) * cj_dtype_size(part->dtype);
}

static change *change_of(const cj_dataset *data)
{
    cj_part part;
    change *c = calloc(1, sizeof *c);
    if (!c) {
        cj_fail(CJ_OUT_OF_MEMORY, "out of memory");
        return NULL;
    }
    while (c->x_count < CJ_IN_BRACES && cj_dataset_input(data, c->x_count, &part) == CJ_OK)
        c->x[c->x_count++] = bytes_of(&part);
    while (c->y_count < CJ_IN_BRACES && cj_dataset_target(data, c->y_count, &part) == CJ_OK)
        c->y[c->y_count++] = bytes_of(&part);
    cj_error_clear();
    return c;
}

static void copy_parts(void *const *to, const void *const *from, const size_t *bytes, int first,
                       int count)
{
    for (int i = first; i < count; i++)
        memcpy(to[i], from[i], bytes[i]);
}

static cj_status to_bytes(void *context, const cj_sample_map *sample)
{
    const change *c = context;
    const float *from = sample->x[0];
    uint8_t *to = sample->to_x[0];
    for (size_t i = 0; i < c->x[0] / sizeof *from; i++) {
        const float value = from[i];
        to[i] = !(value > 0) ? 0 : value >= 255 ? 255 : (uint8_t)(value + 0.5f);
    }
    copy_parts(sample->to_x, sample->x, c->x, 1, c->x_count);
    copy_parts(sample->to_y, sample->y, c->y, 0, c->y_count);
    return CJ_OK;
}

// The first input as bytes again, so that the model sees the type that it was made for.
static cj_dataset *as_bytes(cj_dataset *data)
{
    change *c = change_of(data);
    cj_part x[CJ_IN_BRACES] = {{0}};
    cj_dataset_map_args args = {CJ_DATASET_MAP_DEFAULTS, .call = to_bytes, .context = c,
                                .free = free};
    if (!c) {
        cj_release(data);
        return NULL;
    }
    for (int i = 0; i < c->x_count; i++)
        cj_dataset_input(data, i, &x[i]);
    x[0].dtype = CJ_U8;
    memcpy(args.x, x, sizeof x);
    args.x_count = c->x_count;
    return cj_dataset_map_with(data, &args);
}

cj_status augment(const augmentation *a, cj_dataset **data)
{
    cj_part before, after;
    char given[256], needed[256];
    if (*a->specs == '\0')
        return CJ_OK;
    cj_model *model = model_of(a->specs);
    if (!model)
        return failed();
    cj_status status = cj_model_set_seed(model, a->seed);
    if (status == CJ_OK)
        status = cj_dataset_input(*data, 0, &before);
    if (status != CJ_OK) {
        cj_release(model);
        return status;
    }
    cj_dataset *changed = cj_dataset_augment(*data, model);
    *data = NULL;
    if (!changed)
        return failed();
    status = cj_dataset_input(changed, 0, &after);
    if (status == CJ_OK && !cj_shape_equal(&before.shape, &after.shape))
        status = cj_fail(CJ_SHAPE_MISMATCH,
                         "--augment: the samples of the data have shape %s, and after \"%s\" %s",
                         cj_shape_text(&before.shape, needed, sizeof needed), a->specs,
                         cj_shape_text(&after.shape, given, sizeof given));
    if (status == CJ_OK && before.dtype == CJ_U8 && after.dtype == CJ_F32) {
        changed = as_bytes(changed);
        status = changed ? CJ_OK : failed();
    }
    *data = changed;
    return status;
}

cj_status split_samples(double share, cj_dataset **data, cj_dataset **rest)
{
    const int64_t count = cj_dataset_count(*data),
                  first = (int64_t)floor((double)count * (1 - share));
    cj_dataset *kept = NULL;
    if (!(share > 0))
        return CJ_OK;
    if (first < 1 || first >= count)
        return cj_fail(CJ_INVALID_ARGUMENT,
                       "--validation-split %g of %lld samples leaves none for %s", share,
                       (long long)count, first < 1 ? "training" : "validation");
    CJ_TRY(cj_dataset_slice(*data, 0, first, &kept));
    const cj_status status = cj_dataset_slice(*data, first, count - first, rest);
    cj_release(*data);
    *data = kept;
    return status;
}

// ---- Targets ----

static cj_status to_vector(void *context, const cj_sample_map *sample)
{
    const change *c = context;
    float *to = sample->to_y[0];
    const int64_t class = c->dtype == CJ_U8  ? *(const uint8_t *)sample->y[0] :
                          c->dtype == CJ_I32 ? *(const int32_t *)sample->y[0] :
                                               *(const int64_t *)sample->y[0];
    if (class < 0 || class >= c->classes)
        return cj_fail(CJ_INVALID_ARGUMENT, "class %lld, and the model has %lld", (long long)class,
                       (long long)c->classes);
    for (int64_t i = 0; i < c->classes; i++)
        to[i] = i == class;
    copy_parts(sample->to_x, sample->x, c->x, 0, c->x_count);
    return CJ_OK;
}

cj_status fit_targets(const cj_model *model, cj_dataset **data)
{
    static const char needs[] = "categorical_";
    const char *loss = cj_model_loss(model, 0);
    const cj_shape *output = cj_model_output_shape(model, 0);
    cj_part part;
    if (!loss || strncmp(loss, needs, strlen(needs)) != 0 || !output || output->rank != 2 ||
        cj_dataset_target(*data, 0, &part) != CJ_OK)
        return CJ_OK;
    const bool several = cj_dataset_target(*data, 1, &(cj_part){0}) == CJ_OK;
    cj_error_clear();
    const bool single = part.shape.rank == 0 || (part.shape.rank == 1 && part.shape.dims[0] == 1);
    if (several || !single || (part.dtype != CJ_U8 && part.dtype != CJ_I32 && part.dtype != CJ_I64))
        return CJ_OK;
    change *c = change_of(*data);
    if (!c)
        return cj_error_status();
    c->classes = output->dims[1];
    c->dtype = part.dtype;
    *data = cj_dataset_map(*data, .call = to_vector, .context = c, .free = free,
                           .y = {{CJ_F32, CJ_SHAPE(c->classes)}}, .y_count = 1);
    return *data ? CJ_OK : cj_error_status();
}

cj_status targets_of(const cj_model *model, cj_dataset *data, cj_dataset **fitted)
{
    *fitted = data;
    const cj_status status = fit_targets(model, fitted);
    if (*fitted == data)
        cj_retain(data);
    return status;
}

// ---- Notes ----

static cj_status note_number(cj_model *model, const char *name, int64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)number);
    return cj_model_set_note(model, name, text);
}

cj_status note_augmentation(cj_model *model, const augmentation *a, int64_t samples)
{
    CJ_TRY(note_number(model, "samples", samples));
    if (*a->specs == '\0')
        return CJ_OK;
    CJ_TRY(note_number(model, "augment/seed", (int64_t)a->seed));
    return cj_model_set_note(model, "augment", a->specs);
}

cj_status noted_augmentation(const cj_model *model, augmentation *a)
{
    const char *specs = cj_model_note(model, "augment"),
               *seed = cj_model_note(model, "augment/seed");
    specs = specs ? specs : "";
    if (a->given.count > 0 && strcmp(specs, a->specs) != 0)
        return cj_fail(CJ_INVALID_ARGUMENT,
                       "--augment \"%s\": the run that goes on was trained with %s%s%s", a->specs,
                       *specs ? "\"" : "", *specs ? specs : "none", *specs ? "\"" : "");
    if (snprintf(a->specs, sizeof a->specs, "%s", specs) >= (int)sizeof a->specs)
        return cj_fail(CJ_INVALID_ARGUMENT, "the model file's note \"augment\" is too long");
    a->seed = seed ? strtoull(seed, NULL, 10) : 0;
    return CJ_OK;
}

int64_t noted_samples(const cj_model *model, int64_t otherwise)
{
    const char *text = cj_model_note(model, "samples");
    const int64_t samples = text ? strtoll(text, NULL, 10) : 0;
    return samples > 0 ? samples : otherwise;
}
