"""Writes a C program that calls every public function with NULL in each pointer argument in turn, the others valid: once
alone, where NULL is a mistake of the caller, and once after a builder failed. None may crash; where an object, a string
or an output is due the call fails with a sentence about the NULL. But where an object is due and a builder of such
objects failed, the NULL is that builder's result, and the call fails with its sentence; so does what is given the NULL
that the call returns. Each call runs in a process of its own."""
import sys

from declarations import functions

# Arguments that may be NULL: the call must only not crash.
OPTIONAL = {
    ("cj_train_on_batch", "results"), ("cj_test_on_batch", "results"), ("cj_tensor_borrow", "released"),
    ("cj_tensor_borrow", "context"), ("cj_op_reduce_sum", "axes"), ("cj_op_reduce_mean", "axes"),
    ("cj_load_texts_with", "validation"), ("cj_set_memory_hook", "hook"), ("cj_set_warning_handler", "handler"), ("cj_set_warning_handler", "context"),
    ("cj_callback_new", "self"), ("cj_learning_rate_scheduler", "context"), ("cj_knn_neighbors", "distances"),
    ("cj_knn_neighbors", "indices"), ("cj_folds_split", "train"), ("cj_folds_split", "test"), ("cj_load_image_folder_with", "validation"), ("cj_symbol_input", "name"),
    ("cj_function_call", "outputs"), ("cj_retain", "object"), ("cj_release", "object"), ("cj_take", "object"),
    ("cj_free", "block"), ("cj_fail", "format"), ("cj_loss_value", "sample_weight"), ("cj_loss_value", "mask"),
    ("cj_metric_update", "sample_weight"), ("cj_custom_layer", "settings"), ("cj_custom_layer", "name"),
    ("cj_add_weight", "initializer"), ("cj_add_weight", "regularizer"),
    *((f"cj_op_{name}", "axes") for name in ("reduce_max", "reduce_min", "var", "std", "logsumexp", "norm", "any", "all",
      "reduce", "prod", "amax", "amin", "ptp", "count_nonzero", "median", "quantile", "percentile", "nansum", "nanmean",
      "nanmax", "nanmin", "nanprod", "nanvar", "nanstd", "nanmedian", "nanquantile", "nanpercentile", "average", "moments")),
    *((f"cj_op_{name}", "method") for name in ("quantile", "percentile", "nanquantile", "nanpercentile")),
    *((f"cj_op_{name}s", setting) for name in ("quantile", "percentile", "nanquantile", "nanpercentile")
      for setting in ("method", "axes")),
    ("cj_op_average", "weights"), ("cj_op_trapezoid", "x"), ("cj_op_meshgrid", "indexing"), ("cj_op_rearrange", "lengths"),
    ("cj_op_depth_to_space", "data_format"), ("cj_op_space_to_depth", "data_format"), ("cj_op_correlate", "mode"), ("cj_op_pads", "mode"),
    ("cj_op_random_dropout_shaped", "step"),
    ("cj_op_batch_normalization", "offset"), ("cj_op_batch_normalization", "scale"), ("cj_op_layer_normalization", "gamma"),
    ("cj_op_layer_normalization", "beta"), ("cj_op_layer_normalization", "axes"), ("cj_op_rms_normalization", "scale"),
    ("cj_op_rms_normalization", "axes"), ("cj_op_ctc_decode", "strategy"), ("cj_op_dot_product_attention", "bias"),
    ("cj_op_dot_product_attention", "mask"), ("cj_op_adaptive_max_pool", "data_format"),
    ("cj_op_adaptive_average_pool", "data_format"),
    *((f"cj_op_random_{name}", "step") for name in ("uniform", "normal", "truncated_normal", "randint", "categorical", "gamma",
                                                    "beta", "binomial", "shuffle", "dropout")),
    ("cj_op_scatter_update", "reduction"), ("cj_op_searchsorted", "side"),
    ("cj_load_wav_with", "rate"), ("cj_load_sound_folder_with", "validation"), ("cj_load_text_folder_with", "validation"), ("cj_timeseries_dataset_with", "targets"),
    ("cj_spikes_plot", "membranes"), ("cj_data_wait", "model"), ("cj_apply_with", "settings"), ("cj_apply_many_with", "settings"),
    ("cj_load_matching_weights", "loaded"),
}
# Functions that answer NULL with a neutral value and no sentence: getters.
GETTERS = {
    "cj_vocabulary_token", "cj_vocabulary_size", "cj_dataset_x", "cj_dataset_y", "cj_dataset_sample_weight", "cj_dataset_sample_weights", "cj_layer_variable", "cj_model_layer_at",
    "cj_variable_value", "cj_model_layer", "cj_tensor_data", "cj_updates_learning_rate", "cj_metric_result",
    "cj_metric_results", "cj_cross_scores_history",
}
# Builders that fail, by the type of what they do not make.
FAILING = {
    "cj_layer *": "cj_dense(-7)", "cj_model *": "cj_sequential(cj_dense(-7))",
    "cj_symbol *": "cj_apply(cj_dense(-7), w.symbol)", "cj_dataset *": "cj_dataset()", "cj_tensor *": "cj_dataset()",
    "cj_optimizer *": "cj_adam(.beta_1 = 7)", "cj_callback *": 'cj_early_stopping(.mode = "mni")',
    "cj_pool *": "cj_pool_new(-1)", "cj_knn *": "cj_knn(.k = 0)", "cj_function *": "cj_function(.input_count = -1)",
    "cj_variable *": "cj_variable_new(NULL, w.x)",
    "cj_metric *": 'cj_metric_new("accurcy")',
    "cj_updates *": "cj_optimizer_updates(cj_adam(.beta_1 = 7), &w.variable, &w.symbol, 1)",
}
# Whether what is given a builder's NULL fails, by the type of the NULL.
PASSED_ON = {
    "cj_layer *": "cj_set_trainable(NULL, true) != CJ_OK", "cj_model *": "cj_model_summary(NULL, w.stream) != CJ_OK",
    "cj_symbol *": "cj_gradients(NULL, &w.symbol, 1, (cj_symbol *[1]){NULL}) != CJ_OK",
    "cj_dataset *": "cj_fit(w.model, NULL) != CJ_OK", "cj_optimizer *": "cj_compile(w.model, .optimizer = NULL) != CJ_OK",
    "cj_callback *": "cj_fit(w.model, w.data, .callbacks = {NULL}) != CJ_OK",
    "cj_metric *": "cj_metric_update(NULL, w.x, w.x, NULL) != CJ_OK",
    "cj_pool *": "cj_compile(w.model, .pool = NULL) != CJ_OK", "cj_knn *": "cj_knn_fit(NULL, w.data) != CJ_OK",
    "cj_function *": "cj_function_call(NULL, NULL, NULL) != CJ_OK",
    "cj_variable *": "cj_variable_assign(NULL, w.x) != CJ_OK", "cj_updates *": "!cj_function(.updates = NULL)",
}
# C expressions by type, by name, by function and name: the last that is there counts.
TYPES = {
    "cj_model *": "w.model", "cj_layer *": "w.layer", "cj_symbol *": "w.symbol", "cj_tensor *": "w.x",
    "cj_dataset *": "w.data", "cj_variable *": "w.variable", "cj_function *": "w.function",
    "cj_optimizer *": "cj_sgd()", "cj_callback *": "cj_terminate_on_nan()", "cj_history *": "w.history",
    "cj_results *": "w.results", "cj_knn *": "w.knn", "cj_knn_scores *": "w.scores", "cj_folds *": "w.folds", "cj_cross_scores *": "w.cross_scores", "cj_pool *": "w.pool",
    "cj_tensor **": "(cj_tensor *[4]){NULL}", "cj_dataset **": "(cj_dataset *[1]){NULL}",
    "cj_spike_activity *": "(cj_spike_activity[1]){{.neurons = 0}}",
    "cj_symbol **": "(cj_symbol *[4]){NULL}", "cj_results **": "(cj_results *[1]){NULL}",
    "cj_knn_scores **": "(cj_knn_scores *[1]){NULL}", "cj_folds **": "(cj_folds *[1]){NULL}", "cj_cross_scores **": "(cj_cross_scores *[1]){NULL}", "cj_tensor *const *": "(cj_tensor *[]){w.x}",
    "cj_symbol *const *": "(cj_symbol *[]){w.symbol}", "cj_updates *": "NULL",
    "cj_metric *": "cj_metric_new(\"mean_squared_error\")", "cj_table *": "NULL", "cj_table **": "(cj_table *[1]){NULL}",
    "cj_variable *const *": "&w.variable", "char *": "w.text", "char **": "(char *[1]){NULL}",
    "void **": "(void *[1]){NULL}", "void *": "w.floats", "size_t *": "(size_t[1]){0}", "double *": "w.numbers",
    "int *": "(int[8]){0, 1, 2}", "int64_t *": "(int64_t[8]){1, 1}", "cj_shape *": "&(cj_shape){2, {1, 4}}",
    "cj_dtype *": "(cj_dtype[1]){CJ_F32}", "FILE *": "w.stream", "bool *": "(bool[1]){false}", "float *": "w.floats",
    "uint64_t *": "(uint64_t[1]){0}", "int": "1", "int64_t": "1", "size_t": "sizeof w.text", "double": "0.5",
    "cj_texts": "CJ_TEXTS(\"a\", \"b\", \"c\", \"d\")", "cj_numbers": "(cj_numbers){0}", "bool": "true", "cj_dtype": "CJ_F32", "cj_shape": "CJ_SHAPE(1, 4)", "uint64_t": "1", "cj_status": "CJ_IO",
    "cj_op_window": "(cj_op_window){{0}, {0}, NULL, NULL, {0}}", "cj_windows": "(cj_windows){{1, 1}, {1, 1}, {0, 0}, {1, 1}}",
    "cj_custom_layer_class *": "&null_layer", "cj_layer_call *": "&null_call",
    "cj_part *": "(cj_part[1]){{CJ_F32, {0}}}", "cj_memory_hook *": "NULL", "cj_callback_methods *": "&(cj_callback_methods){.size = sizeof(cj_callback_methods)}",
}
NAMES = {"path": "w.path", "name": '"dense"', "spec": '"adam"', "policy": '"float32"', "index": "(int64_t[8]){0}"}
PLACES = {
    ("cj_dtype_from_name", "name"): '"float32"', ("cj_op_activation", "name"): '"relu"', ("cj_op_loss", "spec"): '"mse"', ("cj_loss_value", "spec"): '"mse"',
    ("cj_metric_new", "spec"): '"mse"', ("cj_op_reduce", "name"): '"sum"', ("cj_op_ctc_decode", "strategy"): '"greedy"', ("cj_op_get_item", "key"): '"..."',
    ("cj_op_rearrange", "pattern"): '"a b -> b a"',
    ("cj_op_spike", "surrogate"): '"atan"',
   
    ("cj_load_dataset", "name"): '"digits"', ("cj_model_from_json", "json"): '"{}"', ("cj_fail", "format"): '"x"',
    ("cj_retain", "object"): "w.x", ("cj_release", "object"): "cj_retain(w.x)", ("cj_take", "object"): "w.x",
    ("cj_free", "block"): "NULL", ("cj_tensor_from", "count"): "4", ("cj_model_from_json", "length"): "2",
}
ARGS = {
    "input": ".shape = {3}", "rescaling": ".scale = 2", "dense": ".units = 3", "conv2d": ".filters = 2, .kernel_size = {3}",
    "reshape": ".target_shape = {2}", "activation": '.activation = "relu"', "embedding": ".input_dim = 4, .output_dim = 2", "reversible_embedding": ".input_dim = 4, .output_dim = 2",
    "conv1d": ".filters = 2, .kernel_size = 3", "conv3d": ".filters = 2, .kernel_size = {3}",
    "conv1d_transpose": ".filters = 2, .kernel_size = 3", "conv2d_transpose": ".filters = 2, .kernel_size = {3}",
    "conv3d_transpose": ".filters = 2, .kernel_size = {3}",
    "depthwise_conv1d": ".kernel_size = 3", "depthwise_conv2d": ".kernel_size = {3}",
    "separable_conv1d": ".filters = 2, .kernel_size = 3", "separable_conv2d": ".filters = 2, .kernel_size = {3}",
    "einsum_dense": '.equation = "ab,bc->ac", .output_shape = {2}',
    "multi_head_attention": ".num_heads = 2, .key_dim = 2",
    "group_query_attention": ".head_dim = 2, .num_query_heads = 4, .num_key_value_heads = 2",
    "simple_rnn": ".units = 2", "lstm": ".units = 2", "gru": ".units = 2",
    "csv_logger": ".filename = w.path", "model_checkpoint": ".filepath = w.path", "backup_and_restore": ".backup_dir = w.path",
    "dataset": ".x = {w.x}, .y = {w.y}", "functional": ".inputs = {w.symbol}, .outputs = {w.symbol}",
    "sequential": ".layers = &w.layer, .layer_count = 1", "compile": '.loss = "mse"',
    "function": ".inputs = &w.symbol, .input_count = 1, .outputs = &w.symbol, .output_count = 1",
    "dataset_batch": ".batch_size = 1", "timeseries_dataset": ".sequence_length = 1",
    "dataset_map": ".call = null_map", "dataset_batch": ".batch_size = 1",
    "load_digits": ".train_count = 1, .test_count = 1", "fit": ".epochs = 1", "knn_cross_validate": ".k = {1}, .folds = 2",
    "k_fold": ".folds = 2", "cross_validate": ".folds = 2",
}

HEAD = """// Written by tests/headers/make_nulls.py: do not change.
#define _POSIX_C_SOURCE 200809L
#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// Something valid of each kind. Children of fork() use it and throw it away.
typedef struct world {
    cj_model *model;
    cj_layer *layer;
    cj_symbol *symbol;
    cj_tensor *x, *y;
    cj_dataset *data;
    cj_variable *variable;
    cj_function *function;
    cj_history *history;
    cj_results *results;
    cj_knn *knn;
    cj_knn_scores *scores;
    cj_folds *folds;
    cj_cross_scores *cross_scores;
    cj_pool *pool;
    FILE *stream;
    char path[64], text[256];
    float floats[64];
    double numbers[64];
} world;
static world w;

// The sentence of the builder that failed before the call; empty where none did, or none of what is
// NULL.
static char cause[1024];

static cj_status null_map(void *context, const cj_sample_map *sample)
{
    (void)context, (void)sample;
    return CJ_OK;
}

// A class of the program's own, and a call that is none.
static cj_symbol *null_output(const cj_layer_call *call)
{
    return call->inputs[0];
}
static const cj_custom_layer_class null_layer = CJ_CUSTOM_LAYER("NullLayer", .call = null_output);
static const cj_layer_call null_call;

static cj_status make(void)
{
    const uint8_t labels[8] = {0, 1, 2, 0, 1, 2, 0, 1};
    snprintf(w.path, sizeof w.path, "/tmp/cajal-nulls-%ld", (long)getpid());
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(8, 4), &w.x));
    CJ_TRY(cj_tensor_from(CJ_U8, CJ_SHAPE(8), labels, 8, &w.y));
    cj_take(w.x), cj_take(w.y);
    w.pool = cj_take(cj_pool_new(1));
    w.data = cj_take(cj_dataset(.x = {w.x}, .y = {w.y}));
    w.model = cj_take(cj_sequential(cj_input(4), cj_dense(3, .activation = "softmax")));
    CJ_TRY(cj_compile(w.model, .loss = "sparse_categorical_crossentropy", .pool = w.pool));
    CJ_TRY(cj_fit(w.model, w.data, .history = &w.history));
    CJ_TRY(cj_evaluate(w.model, w.data, &w.results));
    w.layer = cj_model_layer_at(w.model, 0);
    w.variable = cj_layer_variable(w.layer, 0);
    w.symbol = cj_take(cj_input_symbol(4));
    w.function = cj_take(cj_function(.inputs = &w.symbol, .input_count = 1, .outputs = &w.symbol,
                                     .output_count = 1, .pool = w.pool));
    w.knn = cj_take(cj_knn(.k = 1, .pool = w.pool));
    CJ_TRY(cj_knn_fit(w.knn, w.data));
    CJ_TRY(cj_knn_cross_validate(w.data, &w.scores, .k = {1}, .folds = 2, .pool = w.pool));
    CJ_TRY(cj_k_fold(w.data, &w.folds, .folds = 2));
    CJ_TRY(cj_cross_validate(w.model, w.data, &w.cross_scores, .folds = 2));
    w.stream = tmpfile();
    return w.data && w.model && w.symbol && w.function && w.knn && w.stream ? CJ_OK : CJ_OUT_OF_MEMORY;
}




static int wrong(const char *what, bool after)
{
    fprintf(stderr, "%s%s: %s; the sentence is \\"%s\\"\\n", what, after ? ", after a failed builder" : "",
            "no failure, or not the right sentence", cj_error());
    return 1;
}

// Whether the failure has its sentence.
static bool told(void)
{
    return *cause ? strcmp(cj_error(), cause) == 0 : strstr(cj_error(), "NULL") != NULL;
}

"""

TAIL = """
static int run(int index, bool after)
{
    const pid_t child = fork();
    int status = 0;
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout))
            _exit(2);
        cj_error_clear();
        if (after && !cases[index].fail())
            _exit(2);
        _exit(cases[index].call(cases[index].name, after));
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 1;
    if (WIFSIGNALED(status))
        fprintf(stderr, "%s%s: signal %d\\n", cases[index].name, after ? ", after a failed builder" : "",
                WTERMSIG(status));
    return status != 0;
}

int main(void)
{
    const int count = (int)(sizeof cases / sizeof *cases);
    int failures = 0;
    if (make() != CJ_OK)
        return cj_report(cj_error_status());
    for (int i = 0; i < count; i++)
        failures += run(i, false) + run(i, true);
    remove(w.path);
    printf("%d calls with NULL, twice each: %d wrong\\n", count, failures);
    return failures != 0;
}
"""


def value(function, parameter):
    plain = parameter.type.replace("const ", "", 1) if parameter.type.startswith("const ") else parameter.type
    if (function.name, parameter.name) in PLACES:
        return PLACES[function.name, parameter.name]
    if parameter.function:
        return "NULL"
    if plain.startswith("cj_") and plain.endswith("_args *"):
        name = plain[3:-len("_args *")]
        own = f", {ARGS[name]}" if name in ARGS else ""
        cast = f"({plain[:-2]})" + "{" + f"CJ_{name.upper()}_DEFAULTS{own}" + "}"
        return "&" + cast
    if parameter.type == "const char *":
        return NAMES.get(parameter.name, '"text"')
    if parameter.name in NAMES and parameter.pointer:
        return NAMES[parameter.name]
    if plain not in TYPES:
        sys.exit(f"make_nulls.py: {function.name} takes a {parameter.type}: say in TYPES what a valid one is")
    return TYPES[plain]


def main(path):
    out, rows = [HEAD], []
    for function in functions():
        for index, parameter in enumerate(function.parameters):
            if not parameter.pointer:
                continue
            given = [f"(({p.type})NULL)" if i == index and not p.function else "NULL" if i == index else value(function, p)
                     for i, p in enumerate(function.parameters)]
            call = f"{function.name}({', '.join(given)})"
            optional = (function.name, parameter.name) in OPTIONAL
            name = f"case_{len(rows)}"
            if not optional and function.result == "cj_status":
                body = f"    return {call} != CJ_OK && told() ? 0 : wrong(what, after);\n"
            elif (not optional and function.result.startswith("cj_") and function.result.endswith("*")
                  and function.name not in GETTERS):
                passed_on = f"{PASSED_ON[function.result]} && told()"
                body = f"    return !{call} && {passed_on} ? 0 : wrong(what, after);\n"
            else:
                body = f"    (void)what, (void)after;\n    (void){call};\n    return 0;\n"
            out.append(f"static int {name}(const char *what, bool after)\n{{\n{body}}}\n\n")
            made = FAILING.get(parameter.type.replace("const ", "", 1))
            fails = f"    if ({made or FAILING['cj_layer *']})\n        return false;\n"
            if made:
                fails += f'    snprintf(cause, sizeof cause, "%s", cj_error());\n    return !{made};\n'
            else:
                fails += "    return true;\n"
            out.append(f"static bool fail_{len(rows)}(void)\n{{\n{fails}}}\n\n")
            rows.append(f'    {{"{function.name}, {parameter.name} NULL", {name}, fail_{len(rows)}}},\n')
    out.append("static const struct {\n    const char *name;\n    int (*call)(const char *what, bool after);\n    bool (*fail)(void);\n} cases[] = {\n")
    out += rows + ["};\n", TAIL]
    with open(path, "w") as file:
        file.write("".join(out))


main(sys.argv[1])
