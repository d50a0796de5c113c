// Choosing a format: names that ask for a format which this version does not write are refused,
// files of other formats are called by their names, and memory serves like a file.
#define _XOPEN_SOURCE 700
#include "support.h"

#include <cajal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static cj_model *small(void)
{
    return cj_sequential(cj_input(3), cj_dense(2));
}

static void names_of_other_formats_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sentence;
    } cases[] = {
        {"m.keras", "a Keras file"},   {"m.h5", "an HDF5 file"},
        {"m.HDF5", "an HDF5 file"},    {"m.onnx", "an ONNX file"},
        {"m.pb", "a TensorFlow file"}, {"m.pt", "a PyTorch file"},
        {"m.pth", "a PyTorch file"},   {"m.tflite", "a TensorFlow Lite file"},
        {"m.npz", "a NumPy file"},     {"m.json", "cj_model_to_json"},
    };
    cj_model *model = small();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(cj_save(model, support_path(cases[i].name)), CJ_UNSUPPORTED);
        assert_error_contains(cases[i].sentence);
        assert_error_contains(cases[i].name);
        assert_int_not_equal(access(support_path(cases[i].name), F_OK), 0);
    }
    assert_int_equal(cj_save(model, support_path("h5")), CJ_OK); // a name, no extension
    assert_int_equal(cj_save(model, support_path("m.Safetensors")), CJ_OK);
    cj_release(model);
}

static void files_of_other_formats_are_called_by_their_names(void **state)
{
    (void)state;
#define CASE(bytes, sentence)              \
    {                                      \
        bytes, sizeof(bytes) - 1, sentence \
    }
    static const struct {
        const char *bytes;
        size_t size;
        const char *sentence;
    } cases[] = {
        CASE("PK\3\4\24\0\0\0\0\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\15\0\0\0metadata.json{",
             "is a Keras file"),
        CASE("PK\3\4\24\0\0\0\0\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\20\0\0\0archive/data.pkl\200",
             "is a PyTorch file"),
        CASE("PK\3\4\24\0\0\0\0\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0a.so", "is a zip archive"),
        CASE("PK\3\4", "is a zip archive"),
        CASE("\x89HDF\r\n\x1a\n\0\0\0\0", "the HDF5 file is damaged"),
        CASE("\x08\x07\x12\x07pytorch\x1a", "is an ONNX file"),
        CASE("\x08\x01\x12\x80\x01", "is a TensorFlow file"),
        CASE("\x1c\0\0\0TFL3\x14\0", "is a TensorFlow Lite file"),
        CASE("\x93NUMPY\1\0v\0", "is a NumPy file"),
        CASE("  {\"class_name\": \"Sequential\"}", "cj_model_from_json"),
        CASE("hello, this is no model", "not a model file of a known format"),
        CASE("", "not a model file of a known format"),
    };
#undef CASE
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        support_write(support_path("foreign"), cases[i].bytes, cases[i].size);
        assert_null(cj_load(support_path("foreign")));
        assert_error_contains(cases[i].sentence);
        assert_null(cj_load_memory(cases[i].bytes, cases[i].size));
        assert_error_contains(cases[i].sentence);
    }
    assert_null(cj_model_from_json("PK\3\4----", 8));
    assert_error_contains("zip archive");
}

static void memory_serves_like_a_file(void **state)
{
    (void)state;
    cj_model *model = small();
    void *data = NULL;
    size_t size = 0, file_size = 0;
    assert_int_equal(cj_save_memory(model, &data, &size), CJ_OK);
    assert_int_equal(cj_save(model, support_path("m.safetensors")), CJ_OK);
    char *file = support_read(support_path("m.safetensors"), &file_size);
    assert_int_equal(size, file_size);
    assert_memory_equal(data, file, size);
    cj_model *loaded = cj_load_memory(data, size);
    if (!loaded)
        fail_msg("%s", cj_error());
    memset(data, 0, size); // the model has a copy of what it needs
    cj_free(data);
    assert_int_equal(cj_save_memory(loaded, &data, &size), CJ_OK);
    assert_int_equal(size, file_size);
    assert_memory_equal(data, file, size);
    cj_free(data), free(file);
    cj_release(model), cj_release(loaded);
}

static void null_is_answered_with_a_sentence(void **state)
{
    (void)state;
    cj_model *model = small();
    void *data = &data;
    cj_error_clear();
    size_t size = 1;
    assert_int_equal(cj_save(model, NULL), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_save_memory(model, NULL, &size), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_save_memory(model, &data, NULL), CJ_INVALID_ARGUMENT);
    assert_null(data);
    assert_int_equal(cj_load_weights(model, NULL), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_model_to_json(model, NULL), CJ_INVALID_ARGUMENT);
    assert_null(cj_load(NULL));
    assert_error_contains("NULL");
    assert_null(cj_load_memory(NULL, 3));
    assert_error_contains("NULL");
    assert_null(cj_model_from_json(NULL, 3));
    assert_error_contains("NULL");
    cj_free(NULL);
    cj_release(model);
}

// What a builder said before stays: not the stale sentence of an earlier call.
static void stale_causes_are_not_repeated(void **state)
{
    (void)state;
    char *json = NULL;
    assert_null(cj_load(support_path("missing.safetensors")));
    assert_int_equal(cj_save(NULL, "m.safetensors"), CJ_NOT_FOUND); // that builder's cause
    cj_tensor *tensor = NULL;
    assert_int_not_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(-1), &tensor), CJ_OK);
    assert_int_equal(cj_save(NULL, "m.safetensors"), CJ_INVALID_ARGUMENT);
    assert_error_contains("NULL");
    assert_int_equal(cj_model_to_json(NULL, &json), CJ_INVALID_ARGUMENT);
}

static void a_fifo_is_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(support_path("fifo"), 0600), 0);
    assert_null(cj_load(support_path("fifo")));
    assert_error_contains("not a regular file");
    assert_null(cj_load(support_folder()));
    assert_error_contains("not a regular file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_other_formats_are_refused),
        cmocka_unit_test(files_of_other_formats_are_called_by_their_names),
        cmocka_unit_test(memory_serves_like_a_file),
        cmocka_unit_test(null_is_answered_with_a_sentence),
        cmocka_unit_test(stale_causes_are_not_repeated),
        cmocka_unit_test(a_fifo_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
