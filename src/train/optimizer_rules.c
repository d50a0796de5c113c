// The rules of optimizers: which slots each keeps, their first values, and the op or the expression
// that is its step. Formulas are in cajal/optimizers.h, and the ops that compute them in
// ops/update.c; the expressions are in optimizer_formulas.c.
#include "train/loss_scale.h"
#include "train/optimizer_formulas.h"
#include "train/schedule.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

CJ__DEFAULTS(sgd, SGD)
CJ__DEFAULTS(adagrad, ADAGRAD)
CJ__DEFAULTS(adadelta, ADADELTA)
CJ__DEFAULTS(rmsprop, RMSPROP)
CJ__DEFAULTS(adam, ADAM)
CJ__DEFAULTS(adamw, ADAMW)
CJ__DEFAULTS(adamax, ADAMAX)
CJ__DEFAULTS(nadam, NADAM)
CJ__DEFAULTS(ftrl, FTRL)
CJ__DEFAULTS(lion, LION)
CJ__DEFAULTS(lamb, LAMB)
CJ__DEFAULTS(adafactor, ADAFACTOR)
CJ__DEFAULTS(muon, MUON)
CJ__DEFAULTS(schedule_free_adamw, SCHEDULE_FREE_ADAMW)

#define NUMBER(args, member) CJ__FIELD(args, member, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE)
#define SHARE(args, member)  CJ__FIELD(args, member, CJ__FIELD_NUMBER, CJ__SHARE)
#define FLAG(args, member)   CJ__FIELD(args, member, CJ__FIELD_BOOL)
#define LIMIT(args, member)  CJ__FIELD(args, member, CJ__FIELD_LIMIT, CJ__NOT_NEGATIVE)
#define REAL(args, member)   CJ__FIELD(args, member, CJ__FIELD_NUMBER)
// The rate is the first field of every rule: cj__optimizer_rate() relies on that.
#define RATE(args)                                                   \
    CJ__FIELD(args, learning_rate, CJ__FIELD_RATE, CJ__NOT_NEGATIVE, \
              .other = offsetof(args, learning_rate_schedule), .catalog = &cj__schedules)
// The rows of CJ_OPTIMIZER_MEMBERS and CJ_OPTIMIZER_LATER_MEMBERS.
#define MEMBERS(args)                                                                             \
    NUMBER(args, weight_decay), LIMIT(args, clipnorm), LIMIT(args, global_clipnorm),              \
        LIMIT(args, clipvalue), FLAG(args, use_ema), SHARE(args, ema_momentum),                   \
        CJ__FIELD(args, ema_overwrite_frequency, CJ__FIELD_SEED), LIMIT(args, loss_scale_factor), \
        CJ__FIELD(args, gradient_accumulation_steps, CJ__FIELD_SEED),                             \
        CJ__FIELD(args, exclude_from_weight_decay, CJ__FIELD_TEXT, .hidden = true),               \
        CJ__FIELD(args, learning_rate_schedule, CJ__FIELD_SPEC, .catalog = &cj__schedules,        \
                  .hidden = true),                                                                \
        CJ__FIELD(args, name, CJ__FIELD_TEXT, .required = true)

static const cj__field sgd_fields[] = {RATE(cj_sgd_args), SHARE(cj_sgd_args, momentum),
                                       FLAG(cj_sgd_args, nesterov), MEMBERS(cj_sgd_args)};
static const cj__field adagrad_fields[] = {
    RATE(cj_adagrad_args), NUMBER(cj_adagrad_args, initial_accumulator_value),
    NUMBER(cj_adagrad_args, epsilon), MEMBERS(cj_adagrad_args)};
static const cj__field adadelta_fields[] = {RATE(cj_adadelta_args), SHARE(cj_adadelta_args, rho),
                                            NUMBER(cj_adadelta_args, epsilon),
                                            MEMBERS(cj_adadelta_args)};
static const cj__field rmsprop_fields[] = {RATE(cj_rmsprop_args),
                                           SHARE(cj_rmsprop_args, rho),
                                           SHARE(cj_rmsprop_args, momentum),
                                           NUMBER(cj_rmsprop_args, epsilon),
                                           FLAG(cj_rmsprop_args, centered),
                                           MEMBERS(cj_rmsprop_args)};
static const cj__field adam_fields[] = {RATE(cj_adam_args),          SHARE(cj_adam_args, beta_1),
                                        SHARE(cj_adam_args, beta_2), NUMBER(cj_adam_args, epsilon),
                                        FLAG(cj_adam_args, amsgrad), MEMBERS(cj_adam_args)};

static const cj__field adamw_fields[] = {
    RATE(cj_adamw_args),          SHARE(cj_adamw_args, beta_1),
    SHARE(cj_adamw_args, beta_2), NUMBER(cj_adamw_args, epsilon),
    FLAG(cj_adamw_args, amsgrad), MEMBERS(cj_adamw_args)};
#define BETAS(args)                                                                                \
    {                                                                                              \
        RATE(args), SHARE(args, beta_1), SHARE(args, beta_2), NUMBER(args, epsilon), MEMBERS(args) \
    }
static const cj__field adamax_fields[] = BETAS(cj_adamax_args);
static const cj__field nadam_fields[] = BETAS(cj_nadam_args);
static const cj__field lamb_fields[] = BETAS(cj_lamb_args);
static const cj__field ftrl_fields[] = {
    RATE(cj_ftrl_args),
    CJ__FIELD(cj_ftrl_args, learning_rate_power, CJ__FIELD_NUMBER, .low = -1e30, .high = 0),
    NUMBER(cj_ftrl_args, initial_accumulator_value),
    NUMBER(cj_ftrl_args, l1_regularization_strength),
    NUMBER(cj_ftrl_args, l2_regularization_strength),
    NUMBER(cj_ftrl_args, l2_shrinkage_regularization_strength),
    NUMBER(cj_ftrl_args, beta),
    MEMBERS(cj_ftrl_args)};
static const cj__field lion_fields[] = {
    RATE(cj_lion_args), CJ__FIELD(cj_lion_args, beta_1, CJ__FIELD_NUMBER, .low = 1e-30, .high = 1),
    SHARE(cj_lion_args, beta_2), MEMBERS(cj_lion_args)};
static const cj__field adafactor_fields[] = {
    RATE(cj_adafactor_args),
    REAL(cj_adafactor_args, beta_2_decay),
    NUMBER(cj_adafactor_args, epsilon_1),
    NUMBER(cj_adafactor_args, epsilon_2),
    CJ__FIELD(cj_adafactor_args, clip_threshold, CJ__FIELD_NUMBER, .low = 1e-30, .high = 1e30),
    FLAG(cj_adafactor_args, relative_step),
    MEMBERS(cj_adafactor_args)};
static const cj__field muon_fields[] = {
    RATE(cj_muon_args),
    SHARE(cj_muon_args, adam_beta_1),
    SHARE(cj_muon_args, adam_beta_2),
    NUMBER(cj_muon_args, adam_weight_decay),
    NUMBER(cj_muon_args, epsilon),
    CJ__FIELD(cj_muon_args, exclude_layers, CJ__FIELD_TEXT),
    FLAG(cj_muon_args, exclude_embeddings),
    REAL(cj_muon_args, muon_a),
    REAL(cj_muon_args, muon_b),
    REAL(cj_muon_args, muon_c),
    NUMBER(cj_muon_args, adam_lr_ratio),
    NUMBER(cj_muon_args, momentum),
    CJ__FIELD(cj_muon_args, ns_steps, CJ__FIELD_INT, .low = 0, .high = 1000),
    FLAG(cj_muon_args, nesterov),
    LIMIT(cj_muon_args, rms_rate),
    MEMBERS(cj_muon_args)};
static const cj__field schedule_free_adamw_fields[] = {
    RATE(cj_schedule_free_adamw_args),
    CJ__FIELD(cj_schedule_free_adamw_args, beta_1, CJ__FIELD_NUMBER, .low = 1e-30, .high = 1),
    SHARE(cj_schedule_free_adamw_args, beta_2),
    NUMBER(cj_schedule_free_adamw_args, epsilon),
    CJ__FIELD(cj_schedule_free_adamw_args, warmup_steps, CJ__FIELD_INT, .low = 0, .high = 1e15),
    MEMBERS(cj_schedule_free_adamw_args)};

// Slots and attributes
// ----------------------------------------------------------------------------------------------

static int sgd_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    (void)variable;
    slots[0] = (cj__slot){.name = "momentum"};
    return ((const cj_sgd_args *)args)->momentum > 0;
}

static void sgd_attrs(const void *args, cj__update_attrs *attrs)
{
    const cj_sgd_args *a = args;
    attrs->momentum = a->momentum;
    attrs->nesterov = a->nesterov;
}

static int adagrad_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    (void)variable;
    slots[0] = (cj__slot){.name = "accumulator",
                          .initial = ((const cj_adagrad_args *)args)->initial_accumulator_value};
    return 1;
}

static void adagrad_attrs(const void *args, cj__update_attrs *attrs)
{
    attrs->epsilon = ((const cj_adagrad_args *)args)->epsilon;
}

static int adadelta_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    (void)args, (void)variable;
    slots[0] = (cj__slot){.name = "accumulated_grad"};
    slots[1] = (cj__slot){.name = "accumulated_delta_var"};
    return 2;
}

static void adadelta_attrs(const void *args, cj__update_attrs *attrs)
{
    const cj_adadelta_args *a = args;
    attrs->rho = a->rho;
    attrs->epsilon = a->epsilon;
}

static int rmsprop_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    (void)variable;
    const cj_rmsprop_args *a = args;
    int count = 0;
    slots[count++] = (cj__slot){.name = "velocity"};
    if (a->momentum > 0)
        slots[count++] = (cj__slot){.name = "momentum"};
    if (a->centered)
        slots[count++] = (cj__slot){.name = "average_gradient"};
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

static int adam_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    (void)variable;
    slots[0] = (cj__slot){.name = "momentum"};
    slots[1] = (cj__slot){.name = "velocity"};
    slots[2] = (cj__slot){.name = "velocity_hat"};
    return ((const cj_adam_args *)args)->amsgrad ? 3 : 2;
}

static void adam_attrs(const void *args, cj__update_attrs *attrs)
{
    const cj_adam_args *a = args;
    attrs->beta_1 = a->beta_1;
    attrs->beta_2 = a->beta_2;
    attrs->epsilon = a->epsilon;
}

static int adamw_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    (void)variable;
    slots[0] = (cj__slot){.name = "momentum"};
    slots[1] = (cj__slot){.name = "velocity"};
    slots[2] = (cj__slot){.name = "velocity_hat"};
    return ((const cj_adamw_args *)args)->amsgrad ? 3 : 2;
}

static void adamw_attrs(const void *args, cj__update_attrs *attrs)
{
    const cj_adamw_args *a = args;
    attrs->beta_1 = a->beta_1;
    attrs->beta_2 = a->beta_2;
    attrs->epsilon = a->epsilon;
}

#define HEAD(type, plain, class, joined)                                \
    .choice = CJ__CHOICE(plain, class, type##_fields, type##_defaults), \
    .later = offsetof(cj_##type##_args, ema_momentum), .together = joined
#define BY_OP(type, class, joined, which, stepped)                                      \
    {                                                                                   \
        HEAD(type, #type, class, joined), .op = &cj__op_##which, .needs_step = stepped, \
                                          .slots = type##_slots, .attrs = type##_attrs  \
    }
#define BY_FORMULA(type, plain, class, joined, ...)                                    \
    {                                                                                  \
        HEAD(type, plain, class, joined), .slots = cj__##type##_slots,                 \
                                          .formula = cj__##type##_formula, __VA_ARGS__ \
    }

// A row without a rule: an object has that of its inner optimizer.
static const cj__loss_scale_args loss_scale_defaults = {"loss_scale_optimizer", NULL, 32768, 2000};
static const cj__field loss_scale_fields[] = {
    CJ__FIELD(cj__loss_scale_args, inner_optimizer, CJ__FIELD_SPEC, .catalog = &cj__optimizers,
              .required = true),
    CJ__FIELD(cj__loss_scale_args, initial_scale, CJ__FIELD_NUMBER, .low = 0, .high = 3.4e38),
    CJ__FIELD(cj__loss_scale_args, dynamic_growth_steps, CJ__FIELD_INT, .low = 1,
              .high = CJ__GROWTH_MOST),
    CJ__FIELD(cj__loss_scale_args, name, CJ__FIELD_TEXT),
};

// "schedulefreeadamw" is Keras's name for text.
static const cj__rule rules[] = {
    BY_OP(sgd, "SGD", 1, sgd, false),
    BY_OP(adagrad, "Adagrad", 1, adagrad, false),
    BY_OP(adadelta, "Adadelta", 2, adadelta, false),
    BY_OP(rmsprop, "RMSprop", 1, rmsprop, false),
    BY_OP(adam, "Adam", 2, adam, true),
    BY_OP(adamw, "AdamW", 2, adam, true),
    BY_FORMULA(adamax, "adamax", "Adamax", 2, .shared = NULL),
    BY_FORMULA(nadam, "nadam", "Nadam", 2, .shared_name = "u_product", .shared_initial = 1,
               .shared = cj__nadam_product),
    BY_FORMULA(ftrl, "ftrl", "Ftrl", 2, .shared = NULL),
    BY_FORMULA(lion, "lion", "Lion", 1, .shared = NULL),
    BY_FORMULA(lamb, "lamb", "Lamb", 2, .shared = NULL),
    BY_FORMULA(adafactor, "adafactor", "Adafactor", 3, .shared = NULL),
    BY_FORMULA(muon, "muon", "Muon", 2, .decay = cj__muon_decay),
    BY_FORMULA(schedule_free_adamw, "schedule_free_adamw", "ScheduleFreeAdamW", 2, .shared = NULL),
    BY_FORMULA(schedule_free_adamw, "schedulefreeadamw", "ScheduleFreeAdamW", 2, .shared = NULL),
    {.choice = CJ__CHOICE("loss_scale_optimizer", "LossScaleOptimizer", loss_scale_fields,
                          loss_scale_defaults)},
};

// Keys of Keras's configs, those of older files among them.
static const cj__config_key keys[] = {
    CJ__KEY_RENAMED("lr", "learning_rate"),
    CJ__KEY_ONLY("decay", "0"),
    CJ__KEY_HARMLESS("jit_compile"),
    CJ__KEY_HARMLESS("is_legacy_optimizer"),
    {.key = NULL},
};

const cj__catalog cj__optimizers = {.what = "optimizer",
                                    .rows = rules,
                                    .stride = sizeof rules[0],
                                    .count = COUNT(rules),
                                    .keys = keys};
