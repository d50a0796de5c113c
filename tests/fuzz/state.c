// What training keeps in a native file: the metadata "compile" and "training", put into a file that
// is otherwise right. An input that begins like JSON is these two, a line each; any other changes
// those of a model that was trained (mutate_json.h). What loads goes on training.
#include "mutate_json.h"
#include <cajal.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAMPLES = 8, FEATURES = 3, PREFIX = 8 };

static cj_dataset *samples(void)
{
    cj_tensor *x = NULL, *y = NULL;
    if (cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, FEATURES), &x) != CJ_OK ||
        cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, 1), &y) != CJ_OK)
        abort();
    cj_tensor_fill(x, 0.5);
    return cj_dataset(.x = {x}, .y = {y});
}

// A file with its header apart.
typedef struct parts {
    json_t *header;
    const char *payload;
    size_t payload_size;
} parts;

static parts make_parts(void)
{
    void *bytes = NULL;
    size_t size = 0, length = 0;
    cj_model *model = cj_sequential(cj_input(FEATURES), cj_dense(1));
    cj_dataset *data = samples();
    if (cj_compile(model, .loss = "mse", .metrics = {"mae"}) != CJ_OK ||
        cj_fit(model, data, .batch_size = 4, .epochs = 2,
               .callbacks = {cj_early_stopping(.monitor = "loss", .patience = 9,
                                               .restore_best_weights = true)}) != CJ_OK ||
        cj_save_memory(model, &bytes, &size) != CJ_OK)
        abort();
    for (int i = PREFIX - 1; i >= 0; i--)
        length = length << 8 | ((unsigned char *)bytes)[i];
    parts p = {.header = json_loadb((char *)bytes + PREFIX, length, 0, NULL),
               .payload = (char *)bytes + PREFIX + length,
               .payload_size = size - PREFIX - length};
    cj_release(model);
    cj_release(data);
    return p; // kept for all inputs
}

// Changes the metadata `key` of a header; the instructions are `data`.
static void mutate_text(json_t *metadata, const char *key, const uint8_t *data, size_t size)
{
    json_t *value = json_loads(json_string_value(json_object_get(metadata, key)), 0, NULL);
    mutate_json(value, data, size);
    char *text = json_dumps(value, JSON_COMPACT);
    json_object_set_new(metadata, key, json_string(text));
    free(text);
    json_decref(value);
}

// Gives a tensor that a callback remembers another shape or dtype of the same bytes.
static void reshape_remembered(json_t *header, uint8_t which)
{
    static const char *const names[] = {"callbacks/0", "callbacks/1"};
    json_t *entry = json_object_get(header, names[which % 2]);
    json_t *shape = json_object_get(entry, "shape");
    json_array_insert_new(shape, which / 2 % (json_array_size(shape) + 1), json_integer(1));
    if (which / 8 % 2)
        json_object_set_new(entry, "dtype", json_string("I32"));
}

// Puts an input into the metadata; false if it is no text.
static bool set_texts(json_t *header, const uint8_t *data, size_t size)
{
    json_t *metadata = json_object_get(header, "__metadata__");
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    const size_t first = end ? (size_t)(end - data) : size, rest = end ? size - first - 1 : 0;
    if (size && data[0] != '{') {
        if (size > 1 && data[0] % 8 == 0)
            reshape_remembered(header, data[1]);
        mutate_text(metadata, data[0] % 2 ? "training" : "compile", data + 1, size - 1);
        return true;
    }
    return json_object_set_new(metadata, "compile", json_stringn((const char *)data, first)) == 0 &&
           json_object_set_new(metadata, "training",
                               json_stringn(end ? (const char *)end + 1 : "", rest)) == 0;
}

// The file with its training metadata replaced; NULL if that is no text.
static char *assemble(const parts *p, const uint8_t *data, size_t size, size_t *whole)
{
    json_t *header = json_deep_copy(p->header);
    char *bytes = NULL;
    if (set_texts(header, data, size)) {
        char *text = json_dumps(header, JSON_COMPACT);
        const size_t length = strlen(text);
        *whole = PREFIX + length + p->payload_size;
        bytes = malloc(*whole);
        for (int i = 0; i < PREFIX; i++)
            bytes[i] = (char)(length >> (8 * i));
        memcpy(bytes + PREFIX, text, length);
        memcpy(bytes + PREFIX + length, p->payload, p->payload_size);
        free(text);
    }
    json_decref(header);
    return bytes;
}

// The run that the file stopped goes on, for what its settings allow.
static void train(cj_model *model)
{
    cj_dataset *data = samples();
    cj_fit(model, data, .batch_size = 4, .epochs = 3, .validation_data = data, .resume = true,
           .callbacks = {cj_early_stopping(.monitor = "loss", .restore_best_weights = true)});
    cj_release(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static parts p;
    size_t whole = 0, again_size = 0;
    void *again = NULL;
    if (!p.header)
        p = make_parts();
    char *bytes = assemble(&p, data, size, &whole);
    if (!bytes)
        return 0;
    cj_error_clear();
    cj_model *model = cj_load_memory(bytes, whole);
    free(bytes);
    if (!model)
        return *cj_error() ? 0 : (abort(), 1);
    for (int round = 0; round < 2; round++) {
        if (cj_save_memory(model, &again, &again_size) != CJ_OK)
            abort();
        cj_model *loaded = cj_load_memory(again, again_size);
        if (!loaded)
            abort();
        cj_release(loaded);
        cj_free(again);
        if (round == 0)
            train(model);
    }
    cj_release(model);
    return 0;
}
