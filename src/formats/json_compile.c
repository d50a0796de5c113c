// Reading and writing Keras's compile_config. Losses and metrics are a name, an object of a class, a
// list with an entry for each output, or an object with an entry for each output's name.
#include "formats/json_compile.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/warning.h"
#include "formats/json_fields.h"
#include "train/losses.h"
#include "train/metrics.h"
#include "train/outputs.h"
#include "train/state.h"

#include <math.h>
#include <string.h>

// ---- Writing ----

// The first row of a catalog that does the same, and has a class: that of "mse" is
// "mean_squared_error". The row itself if there is none, as for a class of the program.
static const cj__choice *class_row(const cj__catalog *catalog, const cj__choice *choice)
{
    const size_t head = sizeof *choice;
    for (int i = 0; i < catalog->count; i++) {
        const char *row = (const char *)catalog->rows + (size_t)i * catalog->stride;
        const cj__choice *other = (const cj__choice *)(const void *)row;
        if (other->class_name && other->fields == choice->fields &&
            other->defaults == choice->defaults &&
            memcmp(row + head, (const char *)choice + head, catalog->stride - head) == 0)
            return other;
    }
    return choice;
}

static bool is_registered(const cj__catalog *catalog, const cj__choice *choice)
{
    const char *begin = catalog->rows, *at = (const char *)choice;
    return at < begin || at >= begin + (size_t)catalog->count * catalog->stride;
}

// The setting of Muon that Keras has as a list of words and Cajal as one text.
static const char words_key[] = "exclude_layers";

static json_t *words_to_json(cj__json *b, const char *text)
{
    json_t *list = cj__json_list(b);
    while (text && *text) {
        char word[256];
        const size_t length = strcspn(text, "|");
        snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word - 1),
                 text);
        cj__json_append(b, list, cj__json_text(b, word));
        text += length + (text[length] == '|');
    }
    return list;
}

static json_t *class_to_json(cj__json *b, const cj__catalog *catalog, const cj__chosen *chosen)
{
    char module[64], registered[160];
    const bool own = is_registered(catalog, chosen->choice);
    const cj__choice *row = own ? chosen->choice : class_row(catalog, chosen->choice);
    const char *class_name = row->class_name ? row->class_name : row->name;
    json_t *config = cj__json_object(b), *object = cj__json_object(b);
    const bool metric = catalog == &cj__metrics && row->args_size > 0;
    const char *name = metric ? ((const cj__loss_args *)(const void *)chosen->args)->name : NULL;
    if (metric) // under which it is logged
        cj__json_set(b, config, "name", cj__json_text(b, name ? name : chosen->choice->name));
    cj__fields_to_json(b, row->fields, row->field_count, chosen->args, config);
    json_t *words = json_object_get(config, words_key);
    if (words)
        cj__json_set(b, config, words_key, words_to_json(b, json_string_value(words)));
    if (catalog->module)
        snprintf(module, sizeof module, "%.60s", catalog->module);
    else
        snprintf(module, sizeof module, "keras.%.40s%s", catalog->what,
                 catalog == &cj__losses ? "es" : "s");
    snprintf(registered, sizeof registered, "Custom>%.120s", class_name);
    cj__json_set(b, object, "module", cj__json_text(b, own ? NULL : module));
    cj__json_set(b, object, "class_name", cj__json_text(b, class_name));
    cj__json_set(b, object, "config", config);
    cj__json_set(b, object, "registered_name", cj__json_text(b, own ? registered : NULL));
    return object;
}

// A name where all settings are the defaults, else an object; null for NULL.
static json_t *spec_to_json(cj__json *b, const cj__catalog *catalog, const char *spec)
{
    cj__chosen chosen;
    if (!spec || b->status != CJ_OK)
        return b->status == CJ_OK ? cj__json_null(b) : NULL;
    b->status = cj__spec_parse(catalog, spec, catalog->what, &chosen);
    if (b->status != CJ_OK)
        return NULL;
    char *text = cj__spec_text(chosen.choice, chosen.args);
    json_t *value = NULL;
    const cj__choice *known =
        chosen.choice->class_name ? chosen.choice : class_row(catalog, chosen.choice);
    if (!text)
        b->status = CJ_OUT_OF_MEMORY;
    else if (strcmp(text, chosen.choice->name) == 0)
        value = cj__json_text(b, known->name);
    else if (!chosen.choice->class_name && !known->class_name) // "accuracy" under another name
        value = cj__json_text(b, chosen.choice->name);
    else
        value = class_to_json(b, catalog, &chosen);
    cj__free(text);
    cj__chosen_free(&chosen);
    return value;
}

static json_t *specs_to_json(cj__json *b, const cj__specs *specs)
{
    json_t *list = cj__json_list(b);
    for (int i = 0; i < specs->count; i++)
        cj__json_append(b, list, spec_to_json(b, &cj__metrics, specs->items[i]));
    return list;
}

// Entries of all outputs under their names, or as a list where two outputs have one name.
typedef struct entries {
    cj__json *b;
    const cj_model *model;
    bool named;
    json_t *all;
} entries;

static entries entries_of(cj__json *b, const cj_model *model)
{
    const int count = cj__outputs_count(model);
    entries e = {.b = b, .model = model, .named = true};
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++)
            e.named = e.named && strcmp(cj__output_name(model, i), cj__output_name(model, j)) != 0;
    e.all = e.named ? cj__json_object(b) : cj__json_list(b);
    return e;
}

static void add_entry(entries *e, int output, json_t *value)
{
    if (e->named)
        cj__json_set(e->b, e->all, cj__output_name(e->model, output), value);
    else
        cj__json_append(e->b, e->all, value);
}

static json_t *losses_to_json(cj__json *b, const cj_model *model, const cj__settings *settings)
{
    const int count = cj__outputs_count(model);
    if (count == 1)
        return spec_to_json(b, &cj__losses, cj__settings_loss(settings, 0));
    entries e = entries_of(b, model);
    for (int i = 0; i < count; i++)
        add_entry(&e, i, spec_to_json(b, &cj__losses, cj__settings_loss(settings, i)));
    return e.all;
}

static json_t *weights_to_json(cj__json *b, const cj_model *model, const cj__settings *settings)
{
    const int count = cj__outputs_count(model);
    if (!settings->loss_weights)
        return cj__json_null(b);
    entries e = count > 1 ? entries_of(b, model) :
                            (entries){.b = b, .model = model, .all = cj__json_list(b)};
    for (int i = 0; i < count; i++)
        add_entry(&e, i, cj__json_real(b, cj__settings_loss_weight(settings, i)));
    return e.all;
}

static json_t *metrics_to_json(cj__json *b, const cj_model *model, const cj__settings *settings,
                               const cj__specs *(*of)(const cj__settings *settings, int output))
{
    const int count = cj__outputs_count(model);
    bool any = false;
    for (int i = 0; i < count; i++)
        any = any || of(settings, i)->count > 0;
    if (!any)
        return cj__json_null(b);
    if (count == 1)
        return specs_to_json(b, of(settings, 0));
    entries e = entries_of(b, model);
    for (int i = 0; i < count; i++)
        add_entry(&e, i, specs_to_json(b, of(settings, i)));
    return e.all;
}

static json_t *optimizer_to_json(cj__json *b, const cj_optimizer *optimizer)
{
    cj__chosen chosen;
    char *text;
    json_t *object = NULL;
    const cj_status status = cj__optimizer_chosen(optimizer, &chosen, &text);
    if (status == CJ_OK)
        object = class_to_json(b, &cj__optimizers, &chosen);
    else if (b->status == CJ_OK)
        b->status = status;
    cj__free(text);
    return object;
}

json_t *cj__compile_to_json(cj__json *b, const cj_model *model)
{
    const cj__train_state *state = cj__state_of(model);
    if (!state || !state->settings.optimizer)
        return NULL;
    const cj__settings *settings = &state->settings;
    json_t *all = cj__json_object(b);
    cj__json_set(b, all, "optimizer", optimizer_to_json(b, settings->optimizer));
    cj__json_set(b, all, "loss", losses_to_json(b, model, settings));
    cj__json_set(b, all, "loss_weights", weights_to_json(b, model, settings));
    cj__json_set(b, all, "metrics", metrics_to_json(b, model, settings, cj__settings_metrics));
    cj__json_set(b, all, "weighted_metrics",
                 metrics_to_json(b, model, settings, cj__settings_weighted_metrics));
    cj__json_set(b, all, "run_eagerly", cj__json_bool(b, false));
    cj__json_set(b, all, "steps_per_execution", cj__json_int(b, 1));
    cj__json_set(b, all, "jit_compile", cj__json_bool(b, false));
    return all;
}

// ---- Reading ----

static const char who[] = "compile_config";

typedef struct reading {
    const cj_model *model;
    int outputs;
    cj__texts texts; // what the arguments point to
    cj_compile_args args;
} reading;

// A metric of Keras 2: {"class_name": "MeanMetricWrapper", "config": {"name", "fn"}}.
static cj_status read_wrapper(reading *r, const json_t *config, const char **spec)
{
    const char *name = json_string_value(json_object_get(config, "name")),
               *fn = json_string_value(json_object_get(config, "fn"));
    if (!fn)
        return cj__fail(CJ_UNSUPPORTED, "%s: a MeanMetricWrapper without the name of a function",
                        who);
    const cj__choice *choice = cj__catalog_find(&cj__metrics, fn);
    cj__loss_args *args;
    _Alignas(16) unsigned char room[CJ__ARGS_MAX] = {0};
    if (!choice)
        return cj__fail_in(CJ_UNSUPPORTED, "%s", who);
    memcpy(room, choice->defaults, choice->args_size);
    args = (cj__loss_args *)(void *)room;
    if (choice->args_size > 0 && name && strcmp(name, choice->name) != 0)
        args->name = name;
    *spec = cj__texts_keep(&r->texts, cj__spec_text(choice, room));
    return *spec ? CJ_OK : CJ_OUT_OF_MEMORY;
}

// A loss of Keras 2 says "auto" for the reduction that is the usual one.
static bool drop_reduction(cj__json *b, json_t *config)
{
    (void)b;
    json_object_del(config, "reduction");
    return true;
}

// A list of words as one text: "head|logits".
static bool join_words(cj__json *b, json_t *config)
{
    const json_t *list = json_object_get(config, words_key);
    cj__text text = {0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        if (!word)
            return cj__text_free(&text), false;
        cj__text_add(&text, "%s%s", i ? "|" : "", word);
    }
    if (cj__text_status(&text) != CJ_OK)
        b->status = CJ_OUT_OF_MEMORY;
    cj__json_set(b, config, words_key,
                 json_array_size(list) ? cj__json_text(b, text.data) : cj__json_null(b));
    cj__text_free(&text);
    return true;
}

// The spec of an object whose config is changed before.
static cj_status read_changed(reading *r, const cj__catalog *catalog, const json_t *value,
                              bool (*change)(cj__json *b, json_t *config), const char **spec)
{
    cj__json b = {0};
    json_t *config = json_deep_copy(json_object_get(value, "config"));
    if (!config)
        return CJ_OUT_OF_MEMORY;
    const bool good = change(&b, config);
    json_t *object = cj__json_object(&b);
    cj__json_set(&b, object, "class_name", json_incref(json_object_get(value, "class_name")));
    cj__json_set(&b, object, "config", config);
    object = cj__json_end(&b, object);
    cj_status status = b.status;
    if (status == CJ_OK && !good)
        status = cj__fail(CJ_BAD_FILE, "%s: \"%s\" of the optimizer is no list of texts", who,
                          words_key);
    if (status == CJ_OK)
        status = cj__spec_from_json(catalog, object, spec, &r->texts, who);
    json_decref(object);
    return status;
}

// The spec of an entry; NULL for null.
static cj_status read_spec(reading *r, const cj__catalog *catalog, const json_t *value,
                           const char **spec)
{
    const json_t *config = json_object_get(value, "config");
    const char *class_name = json_string_value(json_object_get(value, "class_name")),
               *reduction = json_string_value(json_object_get(config, "reduction"));
    *spec = NULL;
    if (value && !json_is_null(value) && !json_is_string(value) && !class_name)
        return cj__fail(CJ_BAD_FILE, "%s: a %s is neither a name nor an object of a class", who,
                        catalog->what);
    if (class_name && strcmp(class_name, "MeanMetricWrapper") == 0 && catalog == &cj__metrics)
        return read_wrapper(r, config, spec);
    if (reduction && strcmp(reduction, "auto") == 0 && catalog == &cj__losses)
        return read_changed(r, catalog, value, drop_reduction, spec);
    if (json_is_array(json_object_get(config, words_key)) && catalog == &cj__optimizers)
        return read_changed(r, catalog, value, join_words, spec);
    return cj__spec_from_json(catalog, value, spec, &r->texts, who);
}

// A dictionary with an entry for each output, and not the object of a class.
static bool is_dictionary(const json_t *value)
{
    return json_is_object(value) && !json_object_get(value, "class_name");
}

// The entry of an output in a list, or in a dictionary by its name; NULL if there is none.
static const json_t *entry_of(const reading *r, const json_t *value, int output)
{
    return json_is_array(value) ? json_array_get(value, (size_t)output) :
                                  json_object_get(value, cj__output_name(r->model, output));
}

// Whether a list or a dictionary is one of the model's outputs.
static cj_status check_entries(const reading *r, const json_t *value, const char *what)
{
    const char *key;
    const json_t *entry;
    if (json_is_array(value) && json_array_size(value) != (size_t)r->outputs)
        return cj__fail(CJ_BAD_FILE, "%s: a list of %zu %s, the model has %d outputs", who,
                        json_array_size(value), what, r->outputs);
    if (!json_is_object(value))
        return CJ_OK;
    for (void *at = json_object_iter((json_t *)(uintptr_t)value); at;
         at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
        bool known = false;
        key = json_object_iter_key(at);
        entry = json_object_iter_value(at);
        for (int i = 0; i < r->outputs; i++)
            known = known || strcmp(cj__output_name(r->model, i), key) == 0;
        if (!known && !json_is_null(entry))
            return cj__fail(CJ_BAD_FILE, "%s: the %s are those of \"%.100s\", which is no output",
                            who, what, key);
    }
    return CJ_OK;
}

static cj_status read_losses(reading *r, const json_t *value)
{
    if (!json_is_array(value) && !is_dictionary(value))
        return read_spec(r, &cj__losses, value, &r->args.loss);
    CJ_TRY(check_entries(r, value, "losses"));
    const char **losses = cj__texts_room(&r->texts, (size_t)r->outputs, sizeof *losses);
    if (!losses)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < r->outputs; i++)
        CJ_TRY(read_spec(r, &cj__losses, entry_of(r, value, i), &losses[i]));
    r->args.losses_list = losses;
    r->args.losses_count = r->outputs;
    return CJ_OK;
}

static cj_status read_weights(reading *r, const json_t *value)
{
    if (!value || json_is_null(value))
        return CJ_OK;
    double *weights = cj__texts_room(&r->texts, (size_t)r->outputs, sizeof *weights);
    if (!weights)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(check_entries(r, value, "loss weights"));
    for (int i = 0; i < r->outputs; i++) {
        const json_t *entry = json_is_number(value) ? value : entry_of(r, value, i);
        if (entry && !json_is_number(entry) && !json_is_null(entry))
            return cj__fail(CJ_BAD_FILE, "%s: a loss weight is no number", who);
        weights[i] = json_is_number(entry) ? json_number_value(entry) : 1;
    }
    r->args.loss_weights_list = weights;
    r->args.loss_weights_count = r->outputs;
    return CJ_OK;
}

// The metrics of one output: one, or a list.
static cj_status read_row(reading *r, const json_t *value, cj_output_metrics *row)
{
    const size_t count = json_is_array(value)          ? json_array_size(value) :
                         value && !json_is_null(value) ? 1 :
                                                         0;
    if (count == 0)
        return CJ_OK;
    const char **specs = cj__texts_room(&r->texts, count, sizeof *specs);
    if (!specs)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        CJ_TRY(read_spec(r, &cj__metrics, json_is_array(value) ? json_array_get(value, i) : value,
                         &specs[i]));
        if (!specs[i])
            return cj__fail(CJ_BAD_FILE, "%s: a metric is null", who);
    }
    row->metrics_list = specs;
    row->metrics_count = (int)count;
    return CJ_OK;
}

// Whether a list of metrics has an entry for each output. Keras takes a list of as many metrics as
// there are outputs for one.
static bool is_by_output(const reading *r, const json_t *value)
{
    bool lists = false;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *entry = json_array_get(value, i);
        lists = lists || json_is_array(entry) || json_is_null(entry);
    }
    return lists || r->outputs > 1;
}

static cj_status read_metrics(reading *r, const json_t *value, const cj_output_metrics **rows,
                              int *count)
{
    const bool any = json_array_size(value) + json_object_size(value) > 0;
    if (!value || json_is_null(value) || (!any && (json_is_array(value) || json_is_object(value))))
        return CJ_OK;
    cj_output_metrics *made = cj__texts_room(&r->texts, (size_t)r->outputs, sizeof *made);
    if (!made)
        return CJ_OUT_OF_MEMORY;
    *rows = made;
    *count = r->outputs;
    if (r->outputs == 1 && !is_dictionary(value) &&
        !(json_is_array(value) && is_by_output(r, value)))
        return read_row(r, value, made);
    if (!json_is_array(value) && !is_dictionary(value))
        return cj__fail(CJ_BAD_FILE, "%s: metrics are neither a list nor a dictionary", who);
    CJ_TRY(check_entries(r, value, "metrics"));
    for (int i = 0; i < r->outputs; i++)
        CJ_TRY(read_row(r, entry_of(r, value, i), &made[i]));
    return CJ_OK;
}

static cj_status read_optimizer(reading *r, const json_t *config)
{
    const json_t *value = json_object_get(config, "optimizer");
    const char *spec = NULL;
    if (!value)
        value = json_object_get(config, "optimizer_config");
    CJ_TRY(read_spec(r, &cj__optimizers, value, &spec));
    r->args.optimizer = spec ? cj_optimizer_from_spec(spec) : cj_rmsprop();
    return r->args.optimizer ? CJ_OK : cj__fail_missing(CJ__MADE_OPTIMIZER, who);
}

static cj_status read_all(reading *r, const json_t *config)
{
    CJ_TRY(read_losses(r, json_object_get(config, "loss")));
    CJ_TRY(read_weights(r, json_object_get(config, "loss_weights")));
    CJ_TRY(read_metrics(r, json_object_get(config, "metrics"), &r->args.output_metrics,
                        &r->args.output_metrics_count));
    CJ_TRY(read_metrics(r, json_object_get(config, "weighted_metrics"),
                        &r->args.output_weighted_metrics, &r->args.output_weighted_metrics_count));
    CJ_TRY(read_optimizer(r, config));
    return cj_compile_with((cj_model *)(uintptr_t)r->model, &r->args);
}

cj_status cj__compile_from_json(cj_model *model, const json_t *config)
{
    reading r = {
        .model = model, .outputs = cj__outputs_count(model), .args = {CJ_COMPILE_DEFAULTS}};
    if (!json_is_object(config))
        return cj__fail(CJ_BAD_FILE, "%s: it is no object", who);
    const cj_status status = read_all(&r, config);
    cj__texts_free(&r.texts);
    return status;
}

cj_status cj__compile_if_possible(cj_model *model, const json_t *config)
{
    if (!config || json_is_null(config))
        return CJ_OK;
    const cj_status status = cj__compile_from_json(model, config);
    if (status == CJ_OK || status == CJ_OUT_OF_MEMORY)
        return status;
    cj__warn("model \"%s\" is not compiled: %s", cj_layer_name(cj_model_layer(model)), cj_error());
    cj_error_clear();
    return CJ_OK;
}
