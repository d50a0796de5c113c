// Optimizers as objects: settings, constructors and specs. Their rules are in optimizer_rules.c.
#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "train/loss_scale.h"
#include <math.h>
#include <string.h>

// The object
// --------------------------------------------------------------------------------------------------------

static void optimizer_destroy(void *object)
{
    cj_optimizer *optimizer = object;
    if (optimizer->rule)
        cj__fields_free(optimizer->rule->choice.fields, optimizer->rule->choice.field_count,
                        optimizer->args);
    cj__free(optimizer);
}

const cj__class cj__optimizer_class = {"optimizer", optimizer_destroy};

const cj__optimizer_members *cj__optimizer_common(const cj_optimizer *optimizer)
{
    return (const cj__optimizer_members *)(const void *)optimizer->args;
}

const cj__optimizer_later *cj__optimizer_later_of(const cj_optimizer *optimizer)
{
    return (const cj__optimizer_later *)(const void *)(optimizer->args + optimizer->rule->later);
}

const char *cj__optimizer_schedule(const cj_optimizer *optimizer)
{
    return cj__optimizer_later_of(optimizer)->learning_rate_schedule;
}

static cj_status check_clipping(const cj_optimizer *optimizer)
{
    const cj__optimizer_members *common = cj__optimizer_common(optimizer);
    if (!isinf(common->clipnorm) + !isinf(common->global_clipnorm) + !isinf(common->clipvalue) > 1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: only one of clipnorm, global_clipnorm and clipvalue can be set",
                        common->name);
    if (common->clipnorm <= 0 || common->global_clipnorm <= 0 || common->clipvalue <= 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: clipnorm, global_clipnorm and clipvalue must be positive; without a "
                        "limit they are INFINITY",
                        common->name);
    return CJ_OK;
}

static cj_status check_later(const cj_optimizer *optimizer)
{
    const cj__optimizer_later *later = cj__optimizer_later_of(optimizer);
    const char *name = cj__optimizer_common(optimizer)->name;
    if (later->ema_overwrite_frequency == 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: ema_overwrite_frequency must be at least 1, or -1 for none", name);
    if (later->gradient_accumulation_steps == 0 || later->gradient_accumulation_steps == 1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: gradient_accumulation_steps must be at least 2, or -1 for none, not "
                        "%lld",
                        name, (long long)later->gradient_accumulation_steps);
    if (later->loss_scale_factor <= 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: loss_scale_factor must be positive; without one it is INFINITY", name);
    return check_clipping(optimizer);
}

cj_optimizer cj_default_optimizer = {.rule = NULL}; // known by its address

enum { ROUNDED = (sizeof(cj_optimizer) + 15) / 16 * 16 };

// An optimizer without a rule, its arguments behind it.
static cj_optimizer *optimizer_alloc(void)
{
    cj_optimizer *optimizer = cj__object_new(&cj__optimizer_class, ROUNDED + CJ__ARGS_MAX);
    if (optimizer)
        optimizer->args = (unsigned char *)optimizer + ROUNDED;
    return optimizer;
}

static cj_optimizer *try_optimizer(const char *name, const void *args)
{
    const cj__rule *rule = (const cj__rule *)cj__catalog_find(&cj__optimizers, name);
    cj_optimizer *optimizer = rule ? optimizer_alloc() : NULL;
    if (!optimizer)
        return NULL;
    cj_status status =
        cj__args_read(name, args, rule->choice.defaults, rule->choice.args_size, optimizer->args);
    cj__optimizer_members *common = (cj__optimizer_members *)(void *)optimizer->args;
    if (status == CJ_OK && !common->name)
        common->name = name;
    if (status == CJ_OK)
        status = cj__fields_resolve(rule->choice.fields, rule->choice.field_count, optimizer->args,
                                    name);
    if (status == CJ_OK) {
        optimizer->rule = rule; // from here on the strings are the optimizer's
        status = check_later(optimizer);
    }
    if (status == CJ_OK)
        return optimizer;
    cj_release(optimizer);
    return NULL;
}

static cj_optimizer *optimizer_new(const char *name, const void *args)
{
    cj_optimizer *optimizer = try_optimizer(name, args);
    return optimizer ? optimizer : cj__build_failed(CJ__MADE_OPTIMIZER);
}

#define CONSTRUCTOR(type)                                       \
    cj_optimizer *cj_##type##_new(const cj_##type##_args *args) \
    {                                                           \
        return optimizer_new(#type, args);                      \
    }
CONSTRUCTOR(sgd)
CONSTRUCTOR(adagrad)
CONSTRUCTOR(adadelta)
CONSTRUCTOR(rmsprop)
CONSTRUCTOR(adam)
CONSTRUCTOR(adamw)
CONSTRUCTOR(adamax)
CONSTRUCTOR(nadam)
CONSTRUCTOR(ftrl)
CONSTRUCTOR(lion)
CONSTRUCTOR(lamb)
CONSTRUCTOR(adafactor)
CONSTRUCTOR(muon)
CONSTRUCTOR(schedule_free_adamw)

static cj_optimizer *from_spec(const char *spec);

static bool is_loss_scale(const cj__choice *choice)
{
    return !((const cj__rule *)(const void *)choice)->slots;
}

// The inner optimizer of a spec with the scaling that it says.
static cj_optimizer *scaled_from(cj__chosen *chosen)
{
    const cj__loss_scale_args *args = (const void *)chosen->args;
    cj_optimizer *inner = from_spec(args->inner_optimizer);
    cj_optimizer *made = inner ? cj__loss_scale_around(inner, args) : NULL;
    if (!made)
        cj_release(inner);
    cj__chosen_free(chosen);
    return made;
}

static cj_optimizer *from_spec(const char *spec)
{
    cj__chosen chosen;
    if (!spec) {
        cj__fail_null("optimizer: the spec");
        return NULL;
    }
    if (!*spec) {
        cj__fail(CJ_INVALID_ARGUMENT, "optimizer: a name is needed, such as \"adam\"");
        return NULL;
    }
    cj_optimizer *optimizer = optimizer_alloc();
    if (!optimizer)
        return NULL;
    if (cj__spec_parse(&cj__optimizers, spec, "optimizer", &chosen) != CJ_OK || !chosen.choice) {
        cj_release(optimizer);
        return NULL;
    }
    if (is_loss_scale(chosen.choice)) {
        cj_release(optimizer);
        return scaled_from(&chosen);
    }
    optimizer->rule = (const cj__rule *)chosen.choice; // the strings of the arguments change hands
    memcpy(optimizer->args, chosen.args, sizeof chosen.args);
    if (check_later(optimizer) == CJ_OK)
        return optimizer;
    cj_release(optimizer);
    return NULL;
}

cj_optimizer *cj_optimizer_from_spec(const char *spec)
{
    cj_optimizer *optimizer = from_spec(spec);
    return optimizer ? optimizer : cj__build_failed(CJ__MADE_OPTIMIZER);
}

cj_status cj__optimizer_chosen(const cj_optimizer *optimizer, cj__chosen *chosen, char **text)
{
    *chosen = (cj__chosen){.choice = &optimizer->rule->choice};
    *text = NULL;
    if (!optimizer->scaling.on) {
        memcpy(chosen->args, optimizer->args, sizeof chosen->args);
        return CJ_OK;
    }
    chosen->choice = cj__catalog_find(&cj__optimizers, "loss_scale_optimizer");
    *text = cj__spec_text(&optimizer->rule->choice, optimizer->args);
    const cj__loss_scale_args args = {"loss_scale_optimizer", *text,
                                      optimizer->scaling.initial_scale,
                                      optimizer->scaling.growth_steps};
    memcpy(chosen->args, &args, sizeof args);
    return *text ? CJ_OK : CJ_OUT_OF_MEMORY;
}

char *cj__optimizer_spec(const cj_optimizer *optimizer)
{
    cj__chosen chosen;
    char *inner, *spec = NULL;
    if (cj__optimizer_chosen(optimizer, &chosen, &inner) == CJ_OK)
        spec = cj__spec_text(chosen.choice, chosen.args);
    cj__free(inner);
    return spec;
}

double cj__optimizer_rate(const cj_optimizer *optimizer)
{
    return *(const double *)(const void *)(optimizer->args +
                                           optimizer->rule->choice.fields[0].offset);
}
