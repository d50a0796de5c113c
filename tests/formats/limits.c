// What saving writes, loading reads: many layers, deep nests, shared layers, odd names. What is
// beyond the limits is refused before it costs anything.
#define _XOPEN_SOURCE 700
#include "support.h"

#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define assert_ok(call) support_ok(call, __FILE__, __LINE__)
static void support_ok(cj_status status, const char *file, int line)
{
    if (status != CJ_OK) {
        print_error("%s: %s\n", cj_status_name(status), cj_error());
        _fail(file, line);
    }
}

// Saves, loads and saves again: the same bytes. Returns the loaded model.
static cj_model *there_and_back(cj_model *model)
{
    void *first = NULL, *second = NULL;
    size_t first_size = 0, second_size = 0;
    assert_ok(model ? CJ_OK : cj_error_status());
    assert_ok(cj_save_memory(model, &first, &first_size));
    cj_model *loaded = cj_load_memory(first, first_size);
    assert_ok(loaded ? CJ_OK : cj_error_status());
    assert_ok(cj_save_memory(loaded, &second, &second_size));
    assert_int_equal(first_size, second_size);
    assert_memory_equal(first, second, first_size);
    cj_free(first), cj_free(second);
    return loaded;
}

static void many_layers_come_back(void **state)
{
    (void)state;
    enum { LAYERS = 12000 };
    cj_layer **layers = calloc(LAYERS, sizeof *layers);
    layers[0] = cj_input(1);
    for (int i = 1; i < LAYERS; i++)
        layers[i] = i % 100 == 0 ? cj_dense(1) : cj_activation("relu");
    cj_sequential_args args = {CJ_SEQUENTIAL_DEFAULTS, .layers = layers, .layer_count = LAYERS};
    cj_model *model = cj_sequential_new(&args), *loaded = there_and_back(model);
    assert_int_equal(cj_model_layer_count(loaded), LAYERS - 1);
    cj_release(model), cj_release(loaded);
    free(layers);
}

// Each layer is listed before the one that it reads.
static void layers_in_reverse_order_are_read_in_one_pass(void **state)
{
    (void)state;
    enum { LAYERS = 4000, ENTRY = 300 };
    char *json = malloc((size_t)LAYERS * ENTRY), *at = json;
    at +=
        sprintf(at, "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": [");
    for (int i = LAYERS - 1; i > 0; i--)
        at += sprintf(at,
                      "{\"class_name\": \"Activation\", \"name\": \"a%d\", \"config\": {\"name\": "
                      "\"a%d\", \"activation\": \"relu\"}, \"inbound_nodes\": [[[\"a%d\", 0, 0, "
                      "{}]]]},",
                      i, i, i - 1);
    sprintf(at,
            "{\"class_name\": \"InputLayer\", \"name\": \"a0\", \"config\": {\"name\": \"a0\", "
            "\"batch_shape\": [null, 2]}, \"inbound_nodes\": []}], \"input_layers\": [[\"a0\", 0, "
            "0]], \"output_layers\": [[\"a%d\", 0, 0]]}}",
            LAYERS - 1);
    cj_model *model = cj_model_from_json(json, strlen(json));
    assert_ok(model ? CJ_OK : cj_error_status());
    assert_int_equal(cj_model_layer_count(model), LAYERS);
    free(json);
    cj_release(model);
}

static cj_model *nest(int depth)
{
    cj_model *model = cj_sequential(cj_input(2), cj_dense(2));
    for (int i = 1; i < depth; i++)
        model = cj_sequential(cj_input(2), cj_model_layer(model));
    return model;
}

// The deepest that can be built is the deepest that can be read.
static void the_deepest_nest_comes_back(void **state)
{
    (void)state;
    cj_model *model = nest(64), *loaded = there_and_back(model);
    cj_release(model), cj_release(loaded);
    assert_null(nest(65));
    assert_error_contains("nested 65 deep");
}

static void a_nest_of_5000_models_in_json_is_refused(void **state)
{
    (void)state;
    enum { DEPTH = 5000, ENTRY = 80 };
    char *json = malloc((size_t)DEPTH * ENTRY), *at = json;
    for (int i = 0; i < DEPTH; i++)
        at += sprintf(at, "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [");
    for (int i = 0; i < DEPTH; i++)
        at += sprintf(at, "]}}");
    assert_null(cj_model_from_json(json, strlen(json)));
    assert_error_contains("deep");
    free(json);
}

// Two nested models with one layer: one set of weights, before and after.
static void layers_that_nested_models_share_come_back_shared(void **state)
{
    (void)state;
    cj_layer *shared = cj_dense(2, .name = "shared");
    cj_symbol *u = cj_input_symbol(2), *v = cj_input_symbol(2), *w = cj_input_symbol(2);
    cj_model *left = cj_functional(.inputs = {u}, .outputs = {cj_apply(shared, u)}, .name = "l");
    cj_model *right =
        cj_functional(.inputs = {v}, .outputs = {cj_apply(cj_dense(2), cj_apply(shared, v))},
                      .name = "r");
    cj_symbol *h = cj_apply(shared, cj_apply(cj_model_layer(left), w));
    cj_model *model = cj_functional(.inputs = {w}, .outputs = {cj_apply(cj_model_layer(right), h)});
    cj_model *loaded = there_and_back(model);
    assert_int_equal(cj_layer_variable_count(cj_model_layer(loaded)), 4);
    assert_ptr_equal(cj_model_find_layer(loaded, "l/shared"),
                     cj_model_find_layer(loaded, "r/shared"));
    assert_ptr_equal(cj_model_find_layer(loaded, "l/shared"),
                     cj_model_find_layer(loaded, "shared"));
    cj_release(model), cj_release(loaded);
}

static void odd_names_come_back(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(
        cj_input(2), cj_dense(1, .name = "a, b(c) \"d\" = \\ \xC3\xA9 \xF0\x9F\x90\x9F"));
    assert_ok(cj_compile(model, .loss = "mse",
                         .optimizer = cj_adam(.name = "my, own (adam) \"=\\", .clipnorm = 1)));
    cj_release(there_and_back(model));
    cj_release(model);
}

static void names_that_are_not_utf8_are_refused_when_given(void **state)
{
    (void)state;
    static const char *const names[] = {"\xFF", "caf\xE9", "\xC0\xAF", "\xED\xA0\x80", "a\xF0\x9F"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cj_error_clear();
        assert_null(cj_dense(1, .name = names[i]));
        assert_error_contains("UTF-8");
        assert_null(cj_adam(.name = names[i]));
        assert_error_contains("UTF-8");
    }
}

// ---- Small files, large bills ----

static size_t largest; // request of memory

static void *measured_resize(void *context, void *block, size_t size)
{
    (void)context;
    largest = size > largest ? size : largest;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

static void load_cheaply(const char *path, const char *sentence)
{
    largest = 0;
    cj_set_memory_hook(&(cj_memory_hook){measured_resize, NULL});
    cj_model *model = cj_load(path);
    cj_set_memory_hook(NULL);
    assert_null(model);
    assert_error_contains(sentence);
    assert_true(largest < 100000);
}

// A header with that content after it, in a file of `size` bytes, or as long as it is.
static const char *craft(const char *header, size_t size)
{
    const char *path = support_path("crafted.safetensors");
    char bytes[2048] = {0};
    const size_t length = strlen(header);
    bytes[0] = (char)(length & 255), bytes[1] = (char)(length >> 8);
    memcpy(bytes + 8, header, length);
    support_write(path, bytes, 8 + length);
    if (size)
        assert_int_equal(truncate(path, (off_t)size), 0);
    return path;
}

#define METADATA                                                                                   \
    "\"__metadata__\":{\"format\":\"cajal\",\"version\":\"1\",\"seed\":\"1\",\"model\":"           \
    "\"{\\\"class_name\\\":\\\"Sequential\\\",\\\"config\\\":{\\\"layers\\\":[{\\\"class_name\\\"" \
    ":\\\"InputLayer\\\",\\\"config\\\":{\\\"batch_shape\\\":[null,12000]}},{\\\"class_name\\\":"  \
    "\\\"Dense\\\",\\\"config\\\":{\\\"name\\\":\\\"d\\\",\\\"units\\\":100000}}]}}\"}"

static void weights_that_the_file_has_not_are_not_allocated(void **state)
{
    (void)state;
    load_cheaply(craft("{" METADATA "}", 0),
                 "d: the file has no 1200000000 numbers for its kernel");
}

// Also where the header says that they follow.
static void a_sparse_file_is_not_read(void **state)
{
    (void)state;
    load_cheaply(craft("{" METADATA "}", (size_t)8 << 30), "belong to no tensor");
    load_cheaply(craft("{\"x\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":"
                       "[0,8]}}",
                       0),
                 "lies outside the file");
    const char *path = support_path("long.safetensors");
    support_write(path, "\0\0\0\x7f\0\0\0\0{", 9);
    assert_int_equal(truncate(path, (off_t)8 << 30), 0);
    load_cheaply(path, "the header claims");
}

static void metadata_may_be_null(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(1), cj_dense(1));
    const char *path = craft("{\"__metadata__\":null,\"dense/kernel\":{\"dtype\":\"F32\",\"shape\":"
                             "[1,1],\"data_offsets\":[0,4]},\"dense/bias\":{\"dtype\":\"F32\","
                             "\"shape\":[1],\"data_offsets\":[4,8]}}",
                             0);
    FILE *file = fopen(path, "ab");
    const float numbers[] = {0.5f, 2};
    fwrite(numbers, sizeof numbers, 1, file);
    fclose(file);
    assert_ok(cj_load_weights(model, path));
    const cj_variable *kernel = cj_layer_variable(cj_model_layer(model), 0);
    assert_true(*(const float *)cj_tensor_data(cj_variable_value(kernel)) == 0.5f);
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_layers_come_back),
        cmocka_unit_test(layers_in_reverse_order_are_read_in_one_pass),
        cmocka_unit_test(the_deepest_nest_comes_back),
        cmocka_unit_test(a_nest_of_5000_models_in_json_is_refused),
        cmocka_unit_test(layers_that_nested_models_share_come_back_shared),
        cmocka_unit_test(odd_names_come_back),
        cmocka_unit_test(names_that_are_not_utf8_are_refused_when_given),
        cmocka_unit_test(weights_that_the_file_has_not_are_not_allocated),
        cmocka_unit_test(a_sparse_file_is_not_read),
        cmocka_unit_test(metadata_may_be_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
