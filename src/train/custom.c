// Losses and metrics of a program's own: each registered class is a row beside those of the catalogs,
// made when the class is registered and kept as long as the process. Its arguments begin as those of
// all losses and metrics; the class itself follows, by which the row's functions find it, and then
// its settings.
#include "train/custom.h"

#include "base/args.h"
#include "base/class_settings.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/registry.h"
#include "train/metrics.h"
#include <cajal/custom.h>
#include <math.h>
#include <string.h>

typedef struct custom custom;

typedef struct head {
    const char *reduction, *name;
    const custom *class;
} head;

enum { SETTINGS_AT = (sizeof(head) + 15) / 16 * 16, SETTINGS_MAX = 256 };
_Static_assert(SETTINGS_AT + SETTINGS_MAX <= CJ__ARGS_MAX, "settings of a loss fit into a spec");

// What losses and metrics say.
typedef struct functions {
    cj_symbol *(*values)(const void *settings, cj_symbol *y_true, cj_symbol *y_pred);
    cj_symbol *(*states)(const void *settings, cj_symbol *y_true, cj_symbol *y_pred,
                         cj_symbol *weights);
    double (*result)(const void *settings, const double *states, int count);
    cj_targets targets;
    bool rises;
} functions;

// A registered class as a row.
struct custom {
    cj__metric_row row;
    functions functions;
    cj__class_settings settings;
    unsigned char *standard; // the defaults as arguments
    cj__field *fields;
    char *name;
};

static cj__registry losses = CJ__REGISTRY_INIT, metrics = CJ__REGISTRY_INIT;

static const void *settings_of(const void *args)
{
    return (const char *)args + SETTINGS_AT;
}

static const custom *class_of(const void *args)
{
    return ((const head *)args)->class;
}

// ---- The functions of a row ----

static cj_symbol *keep(cj__build *g, const void *args, cj_symbol *made, const char *what)
{
    if (made)
        return cj__build_keep(g, made);
    char who[160];
    snprintf(who, sizeof who, "%s: the %s", class_of(args)->name, what);
    cj__build_refuse(g, cj__fail_missing(CJ__MADE_SYMBOL, who));
    return NULL;
}

// The values of a sample have the batch axis first; a scalar counts as one value of all samples.
static cj_symbol *values(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    cj_symbol *y =
        keep(g, args, class_of(args)->functions.values(settings_of(args), t, p), "values");
    if (!y)
        return NULL;
    const cj_shape *shape = cj_symbol_shape(y), *of = cj_symbol_shape(p);
    if (shape->rank == 0) {
        const uint32_t others = cj__all_axes(p) & ~1u;
        return cj__broadcast_like(g, cj__cast(g, y, cj_symbol_dtype(p)),
                                  others ? cj__mean(g, p, others, false) : p);
    }
    if (shape->dims[0] == of->dims[0])
        return cj__cast(g, y, cj_symbol_dtype(p));
    char text[2][CJ_MAX_RANK * 24];
    cj__build_refuse(g,
                     cj__fail(CJ_SHAPE_MISMATCH,
                              "%s: its values %s do not begin with the batch axis of the "
                              "predictions %s",
                              class_of(args)->name, cj_shape_text(shape, text[0], sizeof text[0]),
                              cj_shape_text(of, text[1], sizeof text[1])));
    return NULL;
}

static cj_symbol *states(cj__build *g, const void *args, const cj__metric_inputs *in)
{
    cj_symbol *y = keep(g, args,
                        class_of(args)->functions.states(settings_of(args), in->targets,
                                                         in->predictions, in->weights),
                        "states");
    if (!y)
        return NULL;
    const cj_shape *shape = cj_symbol_shape(y);
    if (shape->rank == 1 && shape->dims[0] > 0)
        return cj__cast(g, y, cj_symbol_dtype(in->predictions));
    char text[CJ_MAX_RANK * 24];
    cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                 "%s: its states have the shape %s, needed is one axis of a known "
                                 "length",
                                 class_of(args)->name, cj_shape_text(shape, text, sizeof text)));
    return NULL;
}

static int finish(const void *args, const double *sums, int count, double *results)
{
    if (results)
        *results = class_of(args)->functions.result(settings_of(args), sums, count);
    return 1;
}

// ---- Registering ----

const cj__choice *cj__custom_loss_find(const char *name)
{
    return cj__registry_find(&losses, name);
}

const cj__choice *cj__custom_metric_find(const char *name)
{
    return cj__registry_find(&metrics, name);
}

static void custom_free(custom *c)
{
    if (!c)
        return;
    cj__class_settings_free(&c->settings);
    cj__free(c->standard);
    cj__free(c->fields);
    cj__free(c->name);
    cj__free(c);
}

static void fill_row(custom *c, bool loss)
{
    static const char *const reductions[] = {"sum_over_batch_size",     "mean", "sum",
                                             "mean_with_sample_weight", "none", NULL};
    static const cj__field reduction =
        CJ__FIELD(head, reduction, CJ__FIELD_TEXT, .words = reductions);
    static const cj__field name = CJ__FIELD(head, name, CJ__FIELD_TEXT);
    static const cj__target targets[] = {[CJ_TARGETS_LIKE_PREDICTIONS] = CJ__TARGET_SAME,
                                         [CJ_TARGETS_LABELS] = CJ__TARGET_LABELS,
                                         [CJ_TARGETS_AS_GIVEN] = CJ__TARGET_GIVEN};
    const head first = {.reduction = loss ? "sum_over_batch_size" : NULL, .class = c};
    const int own = cj__class_settings_fields(&c->settings, SETTINGS_AT, c->fields);
    c->fields[own] = loss ? reduction : name;
    memcpy(c->standard, &first, sizeof first);
    memcpy(c->standard + SETTINGS_AT, c->settings.defaults, c->settings.size);
    c->row.of = (cj__loss){.choice = {.name = c->name,
                                      .class_name = c->name,
                                      .fields = c->fields,
                                      .field_count = own + 1,
                                      .defaults = c->standard,
                                      .args_size = SETTINGS_AT + c->settings.size},
                           .target = targets[c->functions.targets],
                           .values = c->functions.values ? values : NULL,
                           .rises = c->functions.rises,
                           .of_classes = c->functions.targets == CJ_TARGETS_LABELS};
    c->row.states = c->functions.states ? states : NULL;
    c->row.finish = c->functions.states ? finish : NULL;
}

static custom *custom_new(const char *name, const functions *given,
                          const cj__class_settings *settings, bool loss)
{
    custom *c = cj__new(1, sizeof *c);
    if (!c)
        return NULL;
    c->functions = *given;
    if (cj__class_settings_copy(settings, &c->settings) == CJ_OK &&
        (c->standard = cj__new(SETTINGS_AT + settings->size, 1)) &&
        (c->fields = cj__new((size_t)settings->count + 1, sizeof *c->fields)) &&
        (c->name = cj__copy_text(name))) {
        fill_row(c, loss);
        return c;
    }
    custom_free(c);
    return NULL;
}

static bool is_same(const custom *c, const functions *f, const cj__class_settings *settings)
{
    return c->functions.values == f->values && c->functions.states == f->states &&
           c->functions.result == f->result && c->functions.targets == f->targets &&
           c->functions.rises == f->rises && cj__class_settings_equal(&c->settings, settings);
}

static bool is_taken(const cj__catalog *catalog, const char *name)
{
    for (int i = 0; i < catalog->count; i++) {
        const cj__choice *choice =
            (const void *)((const char *)catalog->rows + (size_t)i * catalog->stride);
        if (strcmp(choice->name, name) == 0 ||
            (choice->class_name && strcmp(choice->class_name, name) == 0))
            return true;
    }
    return false;
}

static cj_status check_class(const char *who, const cj__catalog *catalog, const char *name,
                             const functions *f, const cj__class_settings *settings)
{
    CJ_TRY(cj__registry_check_name(who, name));
    if (is_taken(catalog, name))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: \"%s\" is the name of a %s of the library", who,
                        name, catalog->what);
    if (f->targets < CJ_TARGETS_LIKE_PREDICTIONS || f->targets > CJ_TARGETS_AS_GIVEN)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: class \"%s\" has %d for its targets, which is "
                        "none of cj_targets",
                        who, name, (int)f->targets);
    if (!f->values == !f->states || !f->states != !f->result)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        catalog == &cj__losses ?
                            "%s: class \"%s\" has no values" :
                            "%s: class \"%s\" needs either values, or states and a result",
                        who, name);
    return cj__class_settings_check(settings, name, SETTINGS_MAX, false);
}

static cj_status enter(const char *who, const cj__catalog *catalog, const char *name,
                       const functions *f, const cj__class_settings *settings)
{
    cj__registry *registry = catalog == &cj__losses ? &losses : &metrics;
    CJ_TRY(check_class(who, catalog, name, f, settings));
    void *before = cj__registry_find(registry, name);
    if (!before) {
        custom *made = custom_new(name, f, settings, catalog == &cj__losses);
        if (!made)
            return CJ_OUT_OF_MEMORY;
        const cj_status status = cj__registry_add(registry, made->name, made, &before);
        if (status == CJ_OK && !before)
            return CJ_OK;
        custom_free(made);
        CJ_TRY(status);
    }
    return is_same(before, f, settings) ?
               CJ_OK :
               cj__fail(CJ_INVALID_ARGUMENT, "%s: another class \"%s\" is registered already", who,
                        name);
}

cj_status cj_register_loss(const cj_custom_loss_class *loss_class)
{
    static const cj_custom_loss_class standard = {.size = sizeof standard};
    cj_custom_loss_class c;
    CJ_TRY(cj__args_read("cj_register_loss", loss_class, &standard, sizeof c, &c));
    const functions f = {.values = c.values, .targets = c.targets};
    const cj__class_settings settings = {c.settings, c.setting_count, c.defaults, c.settings_size};
    return enter("cj_register_loss", &cj__losses, c.name, &f, &settings);
}

cj_status cj_register_metric(const cj_custom_metric_class *metric_class)
{
    static const cj_custom_metric_class standard = {.size = sizeof standard};
    cj_custom_metric_class c;
    CJ_TRY(cj__args_read("cj_register_metric", metric_class, &standard, sizeof c, &c));
    const functions f = {c.values, c.states, c.result, c.targets, c.rises};
    const cj__class_settings settings = {c.settings, c.setting_count, c.defaults, c.settings_size};
    return enter("cj_register_metric", &cj__metrics, c.name, &f, &settings);
}
