// Optimizers: SGD, Adagrad, Adadelta, RMSprop, Adam. Formulas are in
// cajal/optimizers.h, and the ops that compute them in ops/update.c; this file says which slots each
// rule keeps, their initial values, and how gradients are clipped.
#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "train/optimizer.h"
#include <math.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

CJ__DEFAULTS(sgd, SGD)
CJ__DEFAULTS(adagrad, ADAGRAD)
CJ__DEFAULTS(adadelta, ADADELTA)
CJ__DEFAULTS(rmsprop, RMSPROP)
CJ__DEFAULTS(adam, ADAM)

#define NUMBER(args, member) CJ__FIELD(args, member, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE)
#define SHARE(args, member)  CJ__FIELD(args, member, CJ__FIELD_NUMBER, CJ__SHARE)
#define FLAG(args, member)   CJ__FIELD(args, member, CJ__FIELD_BOOL)
#define LIMIT(args, member)  CJ__FIELD(args, member, CJ__FIELD_LIMIT, CJ__NOT_NEGATIVE)
// The rows of CJ_OPTIMIZER_MEMBERS.
#define MEMBERS(args)                                                                \
    NUMBER(args, weight_decay), LIMIT(args, clipnorm), LIMIT(args, global_clipnorm), \
        LIMIT(args, clipvalue), CJ__FIELD(args, name, CJ__FIELD_TEXT, .required = true)

static const cj__field sgd_fields[] = {NUMBER(cj_sgd_args, learning_rate),
                                       SHARE(cj_sgd_args, momentum), FLAG(cj_sgd_args, nesterov),
                                       MEMBERS(cj_sgd_args)};
static const cj__field adagrad_fields[] = {
    NUMBER(cj_adagrad_args, learning_rate), NUMBER(cj_adagrad_args, initial_accumulator_value),
    NUMBER(cj_adagrad_args, epsilon), MEMBERS(cj_adagrad_args)};
static const cj__field adadelta_fields[] = {
    NUMBER(cj_adadelta_args, learning_rate), SHARE(cj_adadelta_args, rho),
    NUMBER(cj_adadelta_args, epsilon), MEMBERS(cj_adadelta_args)};
static const cj__field rmsprop_fields[] = {
    NUMBER(cj_rmsprop_args, learning_rate), SHARE(cj_rmsprop_args, rho),
    SHARE(cj_rmsprop_args, momentum),       NUMBER(cj_rmsprop_args, epsilon),
    FLAG(cj_rmsprop_args, centered),        MEMBERS(cj_rmsprop_args)};
static const cj__field adam_fields[] = {
    NUMBER(cj_adam_args, learning_rate), SHARE(cj_adam_args, beta_1), SHARE(cj_adam_args, beta_2),
    NUMBER(cj_adam_args, epsilon),       FLAG(cj_adam_args, amsgrad), MEMBERS(cj_adam_args)};

// Slots and attributes
// ----------------------------------------------------------------------------------------------

static int sgd_slots(const void *args, cj__slot *slots)
{
    slots[0] = (cj__slot){"momentum", 0};
    return ((const cj_sgd_args *)args)->momentum > 0;
}

static void sgd_attrs(const void *args, cj__update_attrs *attrs)
{
    const cj_sgd_args *a = args;
    attrs->momentum = a->momentum;
    attrs->nesterov = a->nesterov;
}

static int adagrad_slots(const void *args, cj__slot *slots)
{
    slots[0] =
        (cj__slot){"accumulator", ((const cj_adagrad_args *)args)->initial_accumulator_value};
    return 1;
}

static void adagrad_attrs(const void *args, cj__update_attrs *attrs)
{
    attrs->epsilon = ((const cj_adagrad_args *)args)->epsilon;
}

static int adadelta_slots(const void *args, cj__slot *slots)
{
    (void)args;
    slots[0] = (cj__slot){"accumulated_grad", 0};
    slots[1] = (cj__slot){"accumulated_delta_var", 0};
    return 2;
}

static void adadelta_attrs(const void *args, cj__update_attrs *attrs)
{
    const cj_adadelta_args *a = args;
    attrs->rho = a->rho;
    attrs->epsilon = a->epsilon;
}

static int rmsprop_slots(const void *args, cj__slot *slots)
{
    const cj_rmsprop_args *a = args;
    int count = 0;
    slots[count++] = (cj__slot){"velocity", 0};
    if (a->momentum > 0)
        slots[count++] = (cj__slot){"momentum", 0};
    if (a->centered)
        slots[count++] = (cj__slot){"average_gradient", 0};
    return count;
}

static void rmsprop_attrs(const void *args, cj__update_attrs *attrs)
{
    const cj_rmsprop_args *a = args;
    attrs->rho = a->rho;
    attrs->momentum = a->momentum;
    attrs->epsilon = a->epsilon;
    attrs->centered = a->centered;
}

static int adam_slots(const void *args, cj__slot *slots)
{
    slots[0] = (cj__slot){"momentum", 0};
    slots[1] = (cj__slot){"velocity", 0};
    slots[2] = (cj__slot){"velocity_hat", 0};
    return ((const cj_adam_args *)args)->amsgrad ? 3 : 2;
}

static void adam_attrs(const void *args, cj__update_attrs *attrs)
{
    const cj_adam_args *a = args;
    attrs->beta_1 = a->beta_1;
    attrs->beta_2 = a->beta_2;
    attrs->epsilon = a->epsilon;
}

#define RULE(type, class, joined, stepped)                                                        \
    {                                                                                             \
        .choice = CJ__CHOICE(#type, class, type##_fields, type##_defaults), .op = &cj__op_##type, \
        .together = joined, .needs_step = stepped, .slots = type##_slots, .attrs = type##_attrs   \
    }

static const cj__rule rules[] = {
    RULE(sgd, "SGD", 1, false),           RULE(adagrad, "Adagrad", 1, false),
    RULE(adadelta, "Adadelta", 2, false), RULE(rmsprop, "RMSprop", 1, false),
    RULE(adam, "Adam", 2, true),
};

const cj__catalog cj__optimizers = {
    .what = "optimizer", .rows = rules, .stride = sizeof rules[0], .count = COUNT(rules)};

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

cj_optimizer cj_default_optimizer = {.rule = NULL}; // known by its address

static cj_optimizer *try_optimizer(const char *name, const void *args)
{
    const cj__rule *rule = (const cj__rule *)cj__catalog_find(&cj__optimizers, name);
    cj_optimizer *optimizer = rule ? cj__object_new(&cj__optimizer_class, sizeof *optimizer) : NULL;
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
        status = check_clipping(optimizer);
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
    cj_optimizer *optimizer = cj__object_new(&cj__optimizer_class, sizeof *optimizer);
    if (!optimizer)
        return NULL;
    if (cj__spec_parse(&cj__optimizers, spec, "optimizer", &chosen) != CJ_OK || !chosen.choice) {
        cj_release(optimizer);
        return NULL;
    }
    optimizer->rule = (const cj__rule *)chosen.choice; // the strings of the arguments change hands
    memcpy(optimizer->args, chosen.args, sizeof optimizer->args);
    if (check_clipping(optimizer) == CJ_OK)
        return optimizer;
    cj_release(optimizer);
    return NULL;
}

cj_optimizer *cj_optimizer_from_spec(const char *spec)
{
    cj_optimizer *optimizer = from_spec(spec);
    return optimizer ? optimizer : cj__build_failed(CJ__MADE_OPTIMIZER);
}

char *cj__optimizer_spec(const cj_optimizer *optimizer)
{
    return cj__spec_text(&optimizer->rule->choice, optimizer->args);
}

double cj__optimizer_rate(const cj_optimizer *optimizer)
{
    return *(const double *)(const void *)(optimizer->args +
                                           optimizer->rule->choice.fields[0].offset);
}

int cj__optimizer_slots(const cj_optimizer *optimizer, cj__slot *slots)
{
    return optimizer->rule->slots(optimizer->args, slots);
}

int cj__optimizer_place(const cj_optimizer *optimizer, int variable, int slot, int count)
{
    const int together = optimizer->rule->together;
    return slot < together ? variable * together + slot : slot * count + variable;
}

// In the graph
// ------------------------------------------------------------------------------------------------------

// g * limit / max(norm, limit): unchanged below the limit, of the limit's length above.
static cj_symbol *shorten(cj__build *g, cj_symbol *gradient, cj_symbol *norm, double limit)
{
    cj_symbol *longest =
        cj__apply_binary(g, CJ__BINARY_maximum, norm, cj__scalar_like(g, norm, limit));
    return cj__mul(g, gradient, cj__div(g, cj__scalar_like(g, norm, limit), longest));
}

static cj_symbol *norm_squared(cj__build *g, cj_symbol *x)
{
    return cj__append(g, &cj__op_norm_squared, NULL, &x, 1);
}

void cj__optimizer_clip(const cj_optimizer *optimizer, cj__build *g, cj_symbol **gradients,
                        int count)
{
    const cj__optimizer_members *common = cj__optimizer_common(optimizer);
    cj_symbol *all = NULL;
    for (int i = 0; i < count; i++) {
        if (!isinf(common->clipnorm)) {
            cj_symbol *norm =
                cj__apply_unary(g, CJ__UNARY_sqrt, norm_squared(g, gradients[i]), 0, 0);
            gradients[i] = shorten(g, gradients[i], norm, common->clipnorm);
        } else if (!isinf(common->global_clipnorm)) {
            cj_symbol *one = norm_squared(g, gradients[i]);
            all = all ? cj__add(g, all, one) : one;
        } else if (!isinf(common->clipvalue)) {
            gradients[i] = cj__apply_unary(g, CJ__UNARY_clip, gradients[i], -common->clipvalue,
                                           common->clipvalue);
        }
    }
    if (!all)
        return;
    cj_symbol *norm = cj__apply_unary(g, CJ__UNARY_sqrt, all, 0, 0);
    for (int i = 0; i < count; i++)
        gradients[i] = shorten(g, gradients[i], norm, common->global_clipnorm);
}

cj_status cj__optimizer_step(const cj_optimizer *optimizer, cj__build *g, cj_symbol *weights,
                             cj_symbol *gradient, cj_symbol *rate, cj_symbol *step,
                             cj_symbol *const *slots, cj_symbol **outputs)
{
    const cj__rule *rule = optimizer->rule;
    cj__update_attrs attrs = {.weight_decay = cj__optimizer_common(optimizer)->weight_decay};
    cj__slot kept[CJ__MAX_SLOTS];
    cj_symbol *inputs[4 + CJ__MAX_SLOTS] = {weights, gradient, rate};
    int count = 3;
    rule->attrs(optimizer->args, &attrs);
    if (rule->needs_step)
        inputs[count++] = step;
    const int slot_count = cj__optimizer_slots(optimizer, kept);
    for (int i = 0; i < slot_count; i++)
        inputs[count++] = slots[i];
    return cj__append_many(g, rule->op, &attrs, inputs, count, outputs);
}
