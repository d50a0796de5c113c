// cj_save, cj_load and their kin: choosing a format. The rows of formats that this version cannot
// read or write are here, so that their files are called by their names.
#include "formats/format.h"

#include <cajal/clone.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "layers/layer.h"

#include <ctype.h>
#include <string.h>

// ---- Telling formats apart ----

static bool has(const unsigned char *bytes, size_t size, size_t at, const char *magic,
                size_t length)
{
    return size >= at + length && memcmp(bytes + at, magic, length) == 0;
}
#define HAS(at, magic) has(bytes, size, at, magic, sizeof(magic) - 1)

// A zip archive's first entry: its name begins at byte 30, its length stands at byte 26.
static bool first_entry(const unsigned char *bytes, size_t size, const char *part)
{
    char name[CJ__FORMAT_HEAD + 1] = "";
    if (!HAS(0, "PK\3\4") || size < 31)
        return false;
    const size_t length = bytes[26] | (size_t)bytes[27] << 8, room = size - 30;
    memcpy(name, bytes + 30, length < room ? length : room);
    return strstr(name, part);
}

static bool is_zip(const unsigned char *bytes, size_t size, uint64_t file_size)
{
    (void)file_size;
    return HAS(0, "PK\3\4") || HAS(0, "PK\5\6");
}

static bool is_keras(const unsigned char *bytes, size_t size, uint64_t file_size)
{
    (void)file_size;
    return first_entry(bytes, size, "metadata.json") || first_entry(bytes, size, "config.json") ||
           first_entry(bytes, size, "model.weights.h5");
}

static bool is_torch(const unsigned char *bytes, size_t size, uint64_t file_size)
{
    (void)file_size;
    return first_entry(bytes, size, "data.pkl") || first_entry(bytes, size, "/.format_version") ||
           HAS(0, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9");
}

static bool is_numpy(const unsigned char *bytes, size_t size, uint64_t file_size)
{
    (void)file_size;
    return HAS(0, "\x93NUMPY") || first_entry(bytes, size, ".npy");
}

static bool is_hdf5(const unsigned char *bytes, size_t size, uint64_t file_size)
{
    (void)file_size;
    return HAS(0, "\x89HDF\r\n\x1a\n");
}

// Protocol buffers have no magic: field 1 is the version of the layout, 1 in a SavedModel and more
// in ONNX, field 2 follows.
static bool is_onnx(const unsigned char *bytes, size_t size, uint64_t file_size)
{
    (void)file_size;
    return size > 4 && bytes[0] == 0x08 && bytes[1] > 1 && bytes[1] < 0x40 &&
           (bytes[2] == 0x12 || bytes[2] == 0x1a || bytes[2] == 0x3a || bytes[2] == 0x42);
}

static bool is_saved_model(const unsigned char *bytes, size_t size, uint64_t file_size)
{
    (void)file_size;
    return HAS(0, "\x08\x01\x12");
}

static bool is_tflite(const unsigned char *bytes, size_t size, uint64_t file_size)
{
    (void)file_size;
    return HAS(4, "TFL3");
}

static bool is_gguf(const unsigned char *bytes, size_t size, uint64_t file_size)
{
    (void)file_size;
    return HAS(0, "GGUF");
}

static bool is_json(const unsigned char *bytes, size_t size, uint64_t file_size)
{
    size_t at = 0;
    (void)file_size;
    while (at < size && isspace(bytes[at]))
        at++;
    return at < size && bytes[at] == '{';
}

static const cj__format formats_known[] = {
    {.name = "a Keras file", .extensions = {".keras"}, .recognise = is_keras},
    {.name = "an HDF5 file", .extensions = {".h5", ".hdf5"}, .recognise = is_hdf5},
    {.name = "a PyTorch file", .extensions = {".pt", ".pth", ".ckpt"}, .recognise = is_torch},
    {.name = "a NumPy file", .extensions = {".npz", ".npy"}, .recognise = is_numpy},
    {.name = "a zip archive", .extensions = {".zip"}, .recognise = is_zip},
    {.name = "an ONNX file", .extensions = {".onnx"}, .recognise = is_onnx},
    {.name = "a TensorFlow file", .extensions = {".pb"}, .recognise = is_saved_model},
    {.name = "a TensorFlow Lite file", .extensions = {".tflite"}, .recognise = is_tflite},
    {.name = "a GGUF file", .extensions = {".gguf"}, .recognise = is_gguf},
    {.name = "a JSON file",
     .extensions = {".json"},
     .recognise = is_json,
     .instead = "cj_model_to_json() and cj_model_from_json() write and read an architecture"},
};

enum { KNOWN_COUNT = sizeof formats_known / sizeof formats_known[0], COUNT = KNOWN_COUNT + 2 };

// The formats that this version reads and writes come first: those of the others are guesses.
static const cj__format *format_at(int index)
{
    return index == 0 ? &cj__format_native :
           index == 1 ? &cj__format_nir :
                        &formats_known[index - 2];
}

cj_status cj__format_of(const cj__input *input, const cj__format **format)
{
    unsigned char head[CJ__FORMAT_HEAD];
    const size_t size = input->size < sizeof head ? (size_t)input->size : sizeof head;
    *format = NULL;
    CJ_TRY(cj__input_read(input, 0, head, size));
    for (int i = 0; i < COUNT && !*format; i++)
        if (format_at(i)->recognise(head, size, input->size))
            *format = format_at(i);
    return CJ_OK;
}

static bool ends_with(const char *path, const char *extension)
{
    const size_t length = strlen(path), last = strlen(extension);
    if (length < last)
        return false;
    for (size_t i = 0; i < last; i++)
        if (tolower((unsigned char)path[length - last + i]) != extension[i])
            return false;
    return true;
}

// The row that claims a name's extension; the native format takes what no other claims.
static const cj__format *by_extension(const char *path)
{
    for (int i = 0; i < COUNT; i++)
        for (const char *const *extension = format_at(i)->extensions; *extension; extension++)
            if (ends_with(path, *extension))
                return format_at(i);
    return &cj__format_native;
}

// ---- Sentences ----

// "safetensors (.safetensors)", for each format that can be read, or written.
static void list_formats(bool writing, char *text, size_t size)
{
    size_t used = 0;
    for (int i = 0; i < COUNT && used < size; i++) {
        const cj__format *format = format_at(i);
        if (writing ? !format->save : !format->load)
            continue;
        const int more = snprintf(text + used, size - used, "%s%s (%s)", used != 0 ? ", " : "",
                                  strchr(format->name, ' ') + 1, format->extensions[0]);
        used += more > 0 ? (size_t)more : 0;
    }
}

// `what` is the file in a sentence: a path in quotes, or "the data".
static cj_status cannot_read(const char *what, const cj__format *format)
{
    char readable[200];
    list_formats(false, readable, sizeof readable);
    if (!format)
        return cj__fail(CJ_BAD_FILE,
                        "%s is not a model file of a known format; this version reads %s", what,
                        readable);
    return cj__fail(CJ_UNSUPPORTED, "%s is %s, which this version does not read as a model; %s%s",
                    what, format->name, format->instead ? "" : "it reads ",
                    format->instead ? format->instead : readable);
}

static cj_status cannot_write(const char *path, const cj__format *format)
{
    char writable[200];
    list_formats(true, writable, sizeof writable);
    return cj__fail(CJ_UNSUPPORTED,
                    "\"%s\": its extension asks for %s, which this version does not write; %s%s",
                    path, format->name, format->instead ? "" : "it writes ",
                    format->instead ? format->instead : writable);
}

// ---- Saving ----

cj_status cj_save(cj_model *model, const char *path)
{
    if (!model || !path)
        return model ? cj__fail_null("cj_save: the path") :
                       cj__fail_missing(CJ__MADE_MODEL, "cj_save: the model");
    const cj__format *format = by_extension(path);
    if (!format->save)
        return cannot_write(path, format);
    cj__sink sink = {.path = path};
    CJ_TRY(cj__use_to_read(cj__model_use(model), "cj_save"));
    const cj_status status = cj__sink_end(&sink, format->save(model, &sink));
    cj__use_read(cj__model_use(model));
    return status;
}

cj_status cj_save_weights(cj_model *model, const char *path)
{
    if (!model || !path)
        return model ? cj__fail_null("cj_save_weights: the path") :
                       cj__fail_missing(CJ__MADE_MODEL, "cj_save_weights: the model");
    const cj__format *format = by_extension(path);
    if (!format->save_weights)
        return cannot_write(path, format);
    if (cj_model_input_count(model) == 0)
        return cj__fail(
            CJ_NOT_BUILT,
            "cj_save_weights: model \"%s\" has no weights yet: give it an input layer or "
            "data",
            cj_layer_name(cj_model_layer(model)));
    cj__sink sink = {.path = path};
    CJ_TRY(cj__use_to_read(cj__model_use(model), "cj_save_weights"));
    const cj_status status = cj__sink_end(&sink, format->save_weights(model, &sink));
    cj__use_read(cj__model_use(model));
    return status;
}

cj_status cj_save_memory(cj_model *model, void **data, size_t *size)
{
    if (data)
        *data = NULL;
    if (size)
        *size = 0;
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, "cj_save_memory: the model");
    if (!data || !size)
        return cj__fail_null("cj_save_memory: the place of the result");
    cj__sink sink = {0};
    CJ_TRY(cj__use_to_read(cj__model_use(model), "cj_save_memory"));
    const cj_status status = cj__sink_end(&sink, cj__format_native.save(model, &sink));
    cj__use_read(cj__model_use(model));
    CJ_TRY(status);
    *data = sink.bytes;
    *size = sink.used;
    return CJ_OK;
}

// ---- Loading ----

// Loads from an input that `what` names.
static cj_model *load(const cj__input *input, const char *what)
{
    const cj__format *format = NULL;
    cj_model *model = NULL;
    cj_status status = cj__format_of(input, &format);
    if (status == CJ_OK && (!format || !format->load))
        status = cannot_read(what, format);
    else if (status == CJ_OK && (status = format->load(input, &model)) != CJ_OK)
        cj__fail_in(status, "%s", what);
    return status == CJ_OK ? model : cj__build_failed(CJ__MADE_MODEL);
}

static char *quoted(const char *path)
{
    cj__text text = {0};
    cj__text_add(&text, "\"%s\"", path);
    if (cj__text_status(&text) != CJ_OK)
        cj__text_free(&text);
    return text.data;
}

cj_model *cj_load(const char *path)
{
    cj__input input;
    cj_model *model = NULL;
    if (!path) {
        cj__fail_null("cj_load: the path");
        return cj__build_failed(CJ__MADE_MODEL);
    }
    char *what = quoted(path);
    if (what && cj__input_open(&input, path) == CJ_OK) {
        model = load(&input, what);
        cj__input_close(&input);
    }
    cj__free(what);
    return model ? model : cj__build_failed(CJ__MADE_MODEL);
}

cj_model *cj_load_memory(const void *data, size_t size)
{
    if (!data) {
        cj__fail_null("cj_load_memory: the data");
        return cj__build_failed(CJ__MADE_MODEL);
    }
    const cj__input input = cj__input_memory(data, size);
    return load(&input, "the data");
}

// With `loaded` those that match, which it counts.
static cj_status load_weights(cj_model *model, const char *path, const char *who, int *loaded)
{
    if (!model || !path)
        return model ? cj__fail_null_of(who, "the path") :
                       cj__fail_missing_of(CJ__MADE_MODEL, who, "the model");
    const cj__format *format = NULL;
    cj__input input;
    CJ_TRY(cj__use_to_write(cj__model_use(model), who));
    char *what = quoted(path);
    cj_status status = what ? cj__input_open(&input, path) : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK) {
        status = cj__format_of(&input, &format);
        const bool can =
            format && (loaded ? format->load_matching != NULL : format->load_weights != NULL);
        if (status == CJ_OK && !can)
            status = cannot_read(what, format);
        else if (status == CJ_OK &&
                 (status = loaded ? format->load_matching(model, &input, loaded) :
                                    format->load_weights(model, &input)) != CJ_OK)
            cj__fail_in(status, "%s", what);
        cj__input_close(&input);
    }
    cj__free(what);
    cj__use_written(cj__model_use(model));
    return status;
}

cj_status cj_load_weights(cj_model *model, const char *path)
{
    return load_weights(model, path, "cj_load_weights", NULL);
}

cj_status cj_load_matching_weights(cj_model *model, const char *path, int *loaded)
{
    int count = 0;
    const cj_status status = load_weights(model, path, "cj_load_matching_weights", &count);
    if (loaded)
        *loaded = count;
    return status;
}
