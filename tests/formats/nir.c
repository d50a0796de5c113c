// Files of NIR that are damaged, or say what cannot be: each gets a sentence and a status, and none
// does harm. What NIR has no words for is not saved. Numbers: tests/parity/nir.c.
#define _XOPEN_SOURCE 700
#include "base/memory.h"
#include "formats/hdf5.h"
#include "support.h"

#include <cajal.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(name_, ...)                                                     \
    {                                                                        \
        .name = name_, .kind = CJ__HDF5_TEXT, .texts = (const char *const[]) \
        {                                                                    \
            __VA_ARGS__                                                      \
        }                                                                    \
    }
#define FLOATS(name_, count, ...)                                          \
    {                                                                      \
        .name = name_, .kind = CJ__HDF5_FLOAT, .rank = 1, .dims = {count}, \
        .floats = (const float[])                                          \
        {                                                                  \
            __VA_ARGS__                                                    \
        }                                                                  \
    }
#define SHAPE(count, ...)                                                      \
    {                                                                          \
        .name = "shape", .kind = CJ__HDF5_INTEGER, .rank = 1, .dims = {count}, \
        .integers = (const int64_t[])                                          \
        {                                                                      \
            __VA_ARGS__                                                        \
        }                                                                      \
    }
#define GROUP(name_, ...)                                                                    \
    {                                                                                        \
        .name = name_, .members = (const cj__hdf5_item[]){__VA_ARGS__},                      \
        .member_count = sizeof((const cj__hdf5_item[]){__VA_ARGS__}) / sizeof(cj__hdf5_item) \
    }
#define EDGES(count, ...)                                                      \
    {                                                                          \
        .name = "edges", .kind = CJ__HDF5_TEXT, .rank = 2, .dims = {count, 2}, \
        .texts = (const char *const[])                                         \
        {                                                                      \
            __VA_ARGS__                                                        \
        }                                                                      \
    }
#define INPUT  GROUP("input", TEXT("type", "Input"), SHAPE(1, 2))
#define OUTPUT GROUP("output", TEXT("type", "Output"), SHAPE(1, 2))
#define LIF(name_, tau, threshold)                                                      \
    GROUP(name_, TEXT("type", "LIF"), FLOATS("tau", 2, tau, tau), FLOATS("r", 2, 1, 1), \
          FLOATS("v_leak", 2, 0, 0), FLOATS("v_threshold", 2, threshold, threshold))
#define LINEAR(name_)                    \
    GROUP(name_, TEXT("type", "Linear"), \
          {.name = "weight",             \
           .kind = CJ__HDF5_FLOAT,       \
           .rank = 2,                    \
           .dims = {2, 2},               \
           .floats = (const float[]){1, 2, 3, 4}})

// A file whose graph has these nodes and edges, and is loaded.
static cj_model *load(cj__hdf5_item nodes, cj__hdf5_item edges)
{
    const cj__hdf5_item root =
        GROUP("", TEXT("version", "1.0.8"), GROUP("node", TEXT("type", "NIRGraph"), nodes, edges));
    cj__sink sink = {0};
    assert_int_equal(cj__sink_end(&sink, cj__hdf5_write(&root, &sink)), CJ_OK);
    cj_model *model = cj_load_memory(sink.bytes, sink.used);
    cj__free(sink.bytes);
    return model;
}

static void refused(cj_model *model, cj_status status, const char *sentence)
{
    assert_null(model);
    assert_int_equal(cj_error_status(), status);
    assert_error_contains(sentence);
}
#define NODES(...) (cj__hdf5_item) GROUP("nodes", __VA_ARGS__)
#define PAIRS(...) (cj__hdf5_item) EDGES(__VA_ARGS__)
#define CHAIN      PAIRS(2, "input", "n", "n", "output")

static void a_graph_is_loaded(void **state)
{
    (void)state;
    cj_model *model = load(NODES(INPUT, LIF("n", 3e-4f, 1), OUTPUT), CHAIN);
    if (!model)
        fail_msg("%s", cj_error());
    assert_non_null(cj_model_find_layer(model, "n"));
    assert_string_equal(cj_model_note(model, "nir/version"), "1.0.8");
    assert_string_equal(cj_model_note(model, "nir/dt"), "0.0001");
    cj_release(model);
}

static void graphs_that_make_no_sense_have_a_sentence(void **state)
{
    (void)state;
    refused(load(NODES(INPUT, GROUP("n", TEXT("type", "LIFF")), OUTPUT), CHAIN), CJ_BAD_FILE,
            "unknown type of node \"LIFF\": did you mean \"LIF\"?");
    refused(load(NODES(INPUT, GROUP("n", TEXT("type", "LIF")), OUTPUT), CHAIN), CJ_BAD_FILE,
            "node \"n\" (LIF): it has no \"tau\"");
    refused(load(NODES(INPUT, GROUP("n", SHAPE(1, 2)), OUTPUT), CHAIN), CJ_BAD_FILE,
            "node \"n\": there is no text \"type\"");
    refused(load(NODES(INPUT, LIF("n", 3e-4f, 1), OUTPUT), PAIRS(2, "input", "m", "n", "output")),
            CJ_BAD_FILE, "an edge names the node \"m\", which is not there");
    refused(load(NODES(INPUT, LIF("n", 3e-4f, 1), OUTPUT), PAIRS(1, "n", "output")), CJ_BAD_FILE,
            "no edge leads to node \"n\" (LIF)");
    refused(load(NODES(INPUT, LIF("n", 3e-4f, 1)), PAIRS(1, "input", "n")), CJ_BAD_FILE,
            "the graph has no Output");
    refused(load(NODES(LIF("n", 3e-4f, 1), OUTPUT), PAIRS(2, "n", "n", "n", "output")), CJ_BAD_FILE,
            "no edge leads to node \"n\"");
    refused(load(NODES(INPUT, LIF("n", 3e-4f, 1), OUTPUT),
                 PAIRS(3, "input", "n", "input", "n", "n", "output")),
            CJ_BAD_FILE, "two edges from \"input\" to \"n\"");
    refused(load(NODES(INPUT, LIF("n", 3e-5f, 1), OUTPUT), CHAIN), CJ_UNSUPPORTED,
            "take a smaller dt");
    refused(load(NODES(INPUT, LIF("n", NAN, 1), OUTPUT), CHAIN), CJ_BAD_FILE, "not finite");
    refused(
        load(NODES(GROUP("input", TEXT("type", "Input"), SHAPE(1, 3)), LIF("n", 3e-4f, 1), OUTPUT),
             CHAIN),
        CJ_SHAPE_MISMATCH, "\"tau\", of 2 numbers, does not fit what comes to it, (3,)");
    refused(load(NODES(GROUP("input", TEXT("type", "Input"), SHAPE(1, -3)), OUTPUT),
                 PAIRS(1, "input", "output")),
            CJ_BAD_FILE, "positive lengths");
}

// A few bytes that stand for many numbers.
static void small_files_do_not_ask_for_much_memory(void **state)
{
    (void)state;
#define BIG GROUP("input", TEXT("type", "Input"), SHAPE(2, 1 << 30, 2))
    const char *sentence = "more numbers than a file of this size can mean";
    refused(load(NODES(BIG, LIF("n", 3e-4f, 1),
                       GROUP("s", TEXT("type", "Scale"), FLOATS("scale", 1, 2)), OUTPUT),
                 PAIRS(3, "input", "s", "s", "n", "n", "output")),
            CJ_BAD_FILE, sentence);
    refused(load(NODES(BIG, GROUP("n", TEXT("type", "Threshold"), FLOATS("threshold", 2, 1, 2)),
                       OUTPUT),
                 CHAIN),
            CJ_BAD_FILE, sentence);
    refused(load(NODES(BIG, GROUP("n", TEXT("type", "Delay"), FLOATS("delay", 2, 0, 0.1f)), OUTPUT),
                 CHAIN),
            CJ_BAD_FILE, sentence);
    refused(load(NODES(BIG, LIF("n", 3e-4f, 1), OUTPUT),
                 PAIRS(3, "input", "n", "n", "n", "n", "output")),
            CJ_BAD_FILE, sentence);
    refused(load(NODES(GROUP("input", TEXT("type", "Input"), SHAPE(3, 1 << 30, 1 << 30, 1 << 30)),
                       OUTPUT),
                 PAIRS(1, "input", "output")),
            CJ_BAD_FILE, "positive lengths");
}

static void cycles_that_cannot_be_run_have_a_sentence(void **state)
{
    (void)state;
    refused(load(NODES(INPUT, LINEAR("a"), LINEAR("b"), OUTPUT),
                 PAIRS(3, "a", "b", "b", "a", "b", "output")),
            CJ_BAD_FILE, "nothing leads to the cycle of node \"a\"");
    refused(load(NODES(INPUT, LINEAR("a"), LINEAR("b"), OUTPUT),
                 PAIRS(4, "input", "a", "a", "b", "b", "a", "input", "output")),
            CJ_BAD_FILE, "nothing comes out of the cycle");
    refused(load(NODES(INPUT, LINEAR("a"), OUTPUT),
                 PAIRS(4, "input", "a", "a", "output", "output", "a", "a", "a")),
            CJ_BAD_FILE, "the wrong side of \"output\"");
    refused(load(NODES(INPUT, LIF("m", 3e-4f, 1),
                       GROUP("d", TEXT("type", "Delay"), FLOATS("delay", 2, 1e-4f, 3e-4f)), OUTPUT),
                 PAIRS(4, "input", "m", "m", "d", "d", "m", "m", "output")),
            CJ_UNSUPPORTED, "delays that differ cannot be part of a cycle");
    refused(load(NODES(INPUT, LIF("m", 3e-4f, 1), GROUP("d", TEXT("type", "Delay")), OUTPUT),
                 PAIRS(4, "input", "m", "m", "d", "d", "m", "m", "output")),
            CJ_BAD_FILE, "node \"d\" (Delay): it has no \"delay\"");
    refused(load(NODES(INPUT, LIF("m", 3e-4f, 1), LINEAR("w"),
                       GROUP("f", TEXT("type", "Linear"),
                             {.name = "weight",
                              .kind = CJ__HDF5_FLOAT,
                              .rank = 2,
                              .dims = {3, 2},
                              .floats = (const float[]){1, 2, 3, 4, 5, 6}}),
                       OUTPUT),
                 PAIRS(5, "input", "m", "m", "w", "w", "f", "f", "m", "m", "output")),
            CJ_SHAPE_MISMATCH, "another shape");
}

// Two neurons that excite each other: one that fires makes the other fire in the same step, which is
// read one step later. The network is saved, read again, trained and explained.
static void a_cycle_is_a_layer_like_others(void **state)
{
    (void)state;
    cj_tensor *x, *y = NULL, *again = NULL;
    cj_model *model = load(NODES(INPUT, LIF("m", 1e-4f, 0.5f), LIF("n", 1e-4f, 0.5f), OUTPUT),
                           PAIRS(4, "input", "m", "m", "n", "n", "m", "n", "output"));
    if (!model)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(1, 6, 2), &x), CJ_OK);
    cj_tensor_fill(x, 0);
    ((float *)cj_tensor_data(x))[2] = 1; // neuron 0 in step 1
    assert_int_equal(cj_predict(model, x, &y), CJ_OK);
    for (int t = 0; t < 6; t++)
        for (int i = 0; i < 2; i++)
            assert_true(fabsf(((float *)cj_tensor_data(y))[2 * t + i] - (t > 0 && i == 0)) < 1e-6f);
    for (int i = 0; i < 2; i++) {
        const char *path = support_path(i == 0 ? "c.nir" : "c.safetensors");
        if (cj_save(model, path) != CJ_OK)
            fail_msg("%s", cj_error());
        cj_model *loaded = cj_load(path);
        if (!loaded || cj_predict(loaded, x, &again) != CJ_OK)
            fail_msg("%s: %s", path, cj_error());
        assert_memory_equal(cj_tensor_data(again), cj_tensor_data(y), 12 * sizeof(float));
        cj_release(again), cj_release(loaded);
        again = NULL;
    }
    FILE *stream = fopen("/dev/null", "w");
    assert_non_null(stream);
    if (cj_explain(model, &x, stream) != CJ_OK)
        fail_msg("%s", cj_error());
    fclose(stream);
    cj_dataset *data = cj_dataset(.x = {cj_retain(x)}, .y = {cj_retain(y)});
    assert_int_equal(cj_compile(model, .optimizer = cj_sgd(0.1), .loss = "mse"), CJ_OK);
    assert_int_equal(cj_fit(model, data, .epochs = 2, .verbose = CJ_SILENT), CJ_OK);
    cj_release(data), cj_release(x), cj_release(y), cj_release(model);
}

static void wrong_arguments_have_a_sentence(void **state)
{
    (void)state;
    refused(cj_load_nir(NULL), CJ_INVALID_ARGUMENT, "the path is NULL");
    refused(cj_load_nir("/nowhere.nir"), CJ_NOT_FOUND, "/nowhere.nir");
    cj_model *model = cj_sequential(cj_input(CJ_ANY, 2), cj_dense(2));
    assert_int_equal(cj_save_nir(model, support_path("x.nir")), CJ_OK);
    refused(cj_load_nir(support_path("x.nir"), .preset = "nengo"), CJ_INVALID_ARGUMENT,
            "unknown preset \"nengo\"");
    refused(cj_load_nir(support_path("x.nir"), .dt = -1), CJ_INVALID_ARGUMENT, "dt is -1");
    assert_int_equal(cj_save_nir(model, support_path("x.nir"), .preset = "x"), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_save_nir(NULL, support_path("x.nir")), CJ_INVALID_ARGUMENT);
    cj_release(model);
}

// ---- Saving ----

static void not_saved(cj_model *model, const char *sentence)
{
    if (!model)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_save(model, support_path("y.nir")), CJ_UNSUPPORTED);
    assert_error_contains(sentence);
    cj_release(model);
}

// A loop of one's own does not say which edges of a file would be read late.
static void cycles_of_a_program_are_not_saved(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(1, 2), *h = cj_input_symbol(1, 2);
    cj_symbol *sum = cj_merge(cj_add(), x, cj_apply(cj_dense(2), h));
    cj_model *step = cj_functional(.inputs = {x, h}, .outputs = {sum, sum});
    not_saved(
        cj_sequential(cj_input(CJ_ANY, 2), cj_recurrent_model(cj_model_layer(step), .states = 1)),
        "which edges are read late");
}

static void what_nir_has_no_words_for_is_refused(void **state)
{
    (void)state;
    not_saved(cj_sequential(cj_input(CJ_ANY, 2), cj_dense(2, .activation = "relu")),
              "NIR has no nodes for activations");
    not_saved(cj_sequential(cj_input(CJ_ANY, 2), cj_lif(0.9)),
              "its reset is by subtraction in the step after the spike");
    not_saved(cj_sequential(cj_input(CJ_ANY, 2), cj_lif(0.9, .preset = "nir", .refractory = 2)),
              "it rests after a spike");
    not_saved(cj_sequential(cj_input(CJ_ANY, 2), cj_alif(0.9, .rho = 0.5)),
              "NIR has no such neuron");
    not_saved(cj_sequential(cj_input(CJ_ANY, 2), cj_gru(3, .return_sequences = true)),
              "NIR has no such node");
    cj_model *model = cj_sequential(cj_dense(2));
    assert_int_equal(cj_save_nir(model, support_path("y.nir")), CJ_NOT_BUILT);
    cj_release(model);
}

// Settings that would be lost, and layers that work along time.
static void nothing_is_left_out_without_a_word(void **state)
{
    (void)state;
    not_saved(
        cj_sequential(cj_input(CJ_ANY, 2), cj_lif(.beta = 0, .preset = "nir", .reset = "none",
                                                  .input_scale = "none", .recurrent = "dense")),
        "it is never reset");
    not_saved(cj_sequential(cj_input(CJ_ANY, 4, 4, 2),
                            cj_time_distributed(cj_zero_padding2d({{1, 1}, {1, 1}})),
                            cj_permute({1, 4, 2, 3}), cj_reshape({-1, 72})),
              "what comes before it has no node");
    not_saved(cj_sequential(cj_input(8, 6, 2), cj_average_pooling2d({2, 2})),
              "it works along time");
    not_saved(cj_sequential(cj_input(8, 6, 2), cj_depthwise_conv2d({2, 2})), "it works along time");
    not_saved(cj_sequential(cj_input(10, 4), cj_reshape({20, 2})), "it merges the axis of time");
}

// Convolutions, a flattening in the order here, a constant current: the same spikes after saving.
static void a_network_of_this_library_is_read_back(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(
        cj_input(6, 6, 2), cj_conv2d(3, {3, 3}, .padding = "same"), cj_average_pooling2d({2, 2}),
        cj_flatten(), cj_dense(8, .kernel_initializer = "random_normal(stddev=0.6)"),
        cj_lif(.tau = 5e-4, .dt = 1e-4, .preset = "nir", .resistance = 20, .steps = 7),
        cj_dense(3, .kernel_initializer = "random_uniform(minval=0, maxval=1)"), cj_dropout(0.5),
        cj_cuba_lif(.tau = 5e-4, .tau_syn = 3e-4, .dt = 1e-4, .preset = "nir", .resistance = 30));
    cj_tensor *x = NULL, *y = NULL, *again = NULL, *sequence = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 6, 6, 2), &x), CJ_OK);
    assert_int_equal(cj_tensor_fill_uniform(x, 3, 0, 2), CJ_OK);
    assert_int_equal(cj_predict(model, x, &y), CJ_OK);
    if (cj_save(model, support_path("z.nir")) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_model *loaded = cj_load(support_path("z.nir"));
    if (!loaded)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 7, 6, 6, 2), &sequence), CJ_OK);
    for (int t = 0; t < 7; t++) {
        cj_tensor *place = NULL, *entry = NULL;
        assert_int_equal(cj_tensor_slice(sequence, 1, t, 1, &place), CJ_OK);
        assert_int_equal(cj_tensor_reshape(x, CJ_SHAPE(2, 1, 6, 6, 2), &entry), CJ_OK);
        assert_int_equal(cj_tensor_copy(place, entry), CJ_OK);
        cj_release(place), cj_release(entry);
    }
    assert_int_equal(cj_predict(loaded, sequence, &again), CJ_OK);
    assert_int_equal(cj_tensor_count(again), cj_tensor_count(y));
    double sum = 0;
    for (int64_t i = 0; i < cj_tensor_count(y); i++) {
        assert_true(((float *)cj_tensor_data(y))[i] - ((float *)cj_tensor_data(again))[i] == 0);
        sum += (double)((float *)cj_tensor_data(y))[i];
    }
    assert_true(sum > 0);
    cj_release(x), cj_release(y), cj_release(again), cj_release(sequence);
    cj_release(model), cj_release(loaded);
}

// ---- Training ----

static void a_loaded_network_trains_on_and_is_saved(void **state)
{
    (void)state;
    cj_model *model = load(NODES(INPUT, LINEAR("fc"), LIF("n", 3e-4f, 1), OUTPUT),
                           PAIRS(3, "input", "fc", "fc", "n", "n", "output"));
    cj_tensor *x = NULL, *y = NULL;
    assert_non_null(model);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(8, 5, 2), &x), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_I32, CJ_SHAPE(8), &y), CJ_OK);
    assert_int_equal(cj_tensor_fill_uniform(x, 3, 0, 1), CJ_OK);
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
    assert_int_equal(
        cj_compile(model, .optimizer = cj_adam(0.01), .loss = "spike_count_crossentropy"), CJ_OK);
    const float before = ((float *)cj_tensor_data(
        cj_variable_value(cj_layer_variable(cj_model_find_layer(model, "fc"), 0))))[0];
    assert_int_equal(cj_fit(model, data, .epochs = 2, .verbose = CJ_SILENT), CJ_OK);
    const float after = ((float *)cj_tensor_data(
        cj_variable_value(cj_layer_variable(cj_model_find_layer(model, "fc"), 0))))[0];
    assert_true(before < after || before > after);
    assert_int_equal(cj_save_nir(model, support_path("trained.nir")), CJ_OK);
    cj_release(data), cj_release(model);
}

// ---- Harm ----

static void damaged_files_do_no_harm(void **state)
{
    (void)state;
    const cj__hdf5_item nodes = NODES(INPUT, LINEAR("fc"), LIF("n", 3e-4f, 1), OUTPUT);
    const cj__hdf5_item edges = PAIRS(4, "input", "fc", "fc", "n", "n", "output", "n", "n");
    const cj__hdf5_item root =
        GROUP("", TEXT("version", "1.0.8"), GROUP("node", TEXT("type", "NIRGraph"), nodes, edges));
    cj__sink sink = {0};
    assert_int_equal(cj__sink_end(&sink, cj__hdf5_write(&root, &sink)), CJ_OK);
    for (size_t size = 0; size < sink.used; size++) {
        char *copy = malloc(size + 1);
        assert_non_null(copy);
        memcpy(copy, sink.bytes, size);
        assert_null(cj_load_memory(copy, size));
        assert_true(cj_error()[0] != 0);
        free(copy);
    }
    // Elements have no checksum, so most changes of them are other files.
    for (size_t at = 0; at < sink.used; at++) {
        const char byte = sink.bytes[at];
        for (int change = 1; change < 256; change = change * 4 + 3) {
            sink.bytes[at] = (char)(byte ^ change);
            cj_error_clear();
            cj_model *model = cj_load_memory(sink.bytes, sink.used);
            assert_true(model || cj_error()[0] != 0);
            cj_release(model);
        }
        sink.bytes[at] = byte;
    }
    cj__free(sink.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_graph_is_loaded),
        cmocka_unit_test(graphs_that_make_no_sense_have_a_sentence),
        cmocka_unit_test(small_files_do_not_ask_for_much_memory),
        cmocka_unit_test(cycles_that_cannot_be_run_have_a_sentence),
        cmocka_unit_test(a_cycle_is_a_layer_like_others),
        cmocka_unit_test(cycles_of_a_program_are_not_saved),
        cmocka_unit_test(wrong_arguments_have_a_sentence),
        cmocka_unit_test(what_nir_has_no_words_for_is_refused),
        cmocka_unit_test(nothing_is_left_out_without_a_word),
        cmocka_unit_test(a_network_of_this_library_is_read_back),
        cmocka_unit_test(a_loaded_network_trains_on_and_is_saved),
        cmocka_unit_test(damaged_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
