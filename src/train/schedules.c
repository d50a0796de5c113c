// The schedules of cajal/schedules.h (keras/src/optimizers/schedules/learning_rate_schedule.py).
//
// The numbers of a formula are those of its spec in the order of its table of fields, after the two
// of the warm-up; those of piecewise_constant_decay are packed.
#include "train/schedule.h"

#include "base/error.h"
#include "base/memory.h"
#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;
enum { WARM_STEPS, WARM_START, OWN }; // numbers[OWN] is the first of the formula

typedef double (*formula)(const double *numbers, double step);

// What every schedule has, and what some have. A flag is 0 or 1.
typedef struct schedule_args {
    double linear_warmup_steps, linear_warmup_start;
    double a[6]; // by position in the spec
    bool flag;
    double boundaries[9], values[9]; // how many, then these
} schedule_args;

typedef struct schedule {
    cj__choice choice;
    formula rate;
    int count; // of a[]; -1 for boundaries and values
    bool flagged;
} schedule;

// ---- Formulas: p are the schedule's own numbers, t the step after the warm-up ----

static double exponential(const double *p, double t)
{
    const double x = t / p[1];
    return p[0] * pow(p[2], p[3] > 0 ? floor(x) : x);
}

static double inverse_time(const double *p, double t)
{
    const double x = t / p[1];
    return p[0] / (1 + p[2] * (p[3] > 0 ? floor(x) : x));
}

static double polynomial(const double *p, double t)
{
    const double end = p[2], power = p[3];
    double steps = p[1];
    if (p[4] > 0) // cycle
        steps *= t > 0 ? ceil(t / steps) : 1;
    else
        t = fmin(t, steps);
    return (p[0] - end) * pow(1 - t / steps, power) + end;
}

static double half_cosine(double share)
{
    return 0.5 * (1 + cos(PI * share));
}

static double cosine(const double *p, double t)
{
    const double steps = p[1], alpha = p[2], target = p[3], warm = p[4];
    const bool warms = !isinf(target);
    const double from = warms ? target : p[0];
    t = fmin(t, steps + (warms ? warm : 0));
    if (warms && t < warm)
        return p[0] + (target - p[0]) * (t / warm);
    return from * ((1 - alpha) * half_cosine((t - (warms ? warm : 0)) / steps) + alpha);
}

static double restarts(const double *p, double t)
{
    const double longer = p[2], higher = p[3], alpha = p[4];
    double done = t / p[1], round;
    if (longer > 1 || longer < 1) {
        round = floor(log(1 - done * (1 - longer)) / log(longer));
        const double before = (1 - pow(longer, round)) / (1 - longer);
        done = (done - before) / pow(longer, round);
    } else {
        round = floor(done);
        done -= round;
    }
    return p[0] * ((1 - alpha) * pow(higher, round) * half_cosine(done) + alpha);
}

static double between(double from, double to, double share)
{
    return to + (from - to) * half_cosine(share);
}

static double one_cycle(const double *p, double t)
{
    const double most = p[0], last = p[1] - 1, top = p[2] * p[1] - 1, first = most / p[3];
    t = fmin(t, last);
    if (t <= top)
        return between(first, most, top > 0 ? t / top : 1);
    return between(most, first / p[4], (t - top) / (last - top));
}

static double constant(const double *p, double t)
{
    (void)t;
    return p[0];
}

typedef struct pieces {
    int32_t count; // of boundaries
    int32_t boundaries[7];
    float values[8];
} pieces;

static double piecewise(const double *p, double t)
{
    pieces all;
    memcpy(&all, p, sizeof all);
    int i = 0;
    while (i < all.count && t > all.boundaries[i])
        i++;
    return (double)all.values[i];
}

// ---- The table ----

#define NUMBER(key_, at, ...)                                                            \
    {                                                                                    \
        .key = key_, .offset = offsetof(schedule_args, a[at]), .kind = CJ__FIELD_NUMBER, \
        __VA_ARGS__                                                                      \
    }
#define POSITIVE .required = true, .low = 1e-30, .high = 1e30
#define RATE     .required = true, CJ__NOT_NEGATIVE
#define LIMIT(key_, at)                                                                 \
    {                                                                                   \
        .key = key_, .offset = offsetof(schedule_args, a[at]), .kind = CJ__FIELD_LIMIT, \
        CJ__NOT_NEGATIVE                                                                \
    }
#define FLAG(key_)                                                                   \
    {                                                                                \
        .key = key_, .offset = offsetof(schedule_args, flag), .kind = CJ__FIELD_BOOL \
    }
#define WARM_UP                                                                           \
    CJ__FIELD(schedule_args, linear_warmup_steps, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE,     \
              .hidden = true),                                                            \
        CJ__FIELD(schedule_args, linear_warmup_start, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE, \
                  .hidden = true)

static const cj__field decay_fields[] = {NUMBER("initial_learning_rate", 0, RATE),
                                         NUMBER("decay_steps", 1, POSITIVE),
                                         NUMBER("decay_rate", 2, RATE), FLAG("staircase"), WARM_UP};
static const cj__field polynomial_fields[] = {NUMBER("initial_learning_rate", 0, RATE),
                                              NUMBER("decay_steps", 1, POSITIVE),
                                              NUMBER("end_learning_rate", 2, CJ__NOT_NEGATIVE),
                                              NUMBER("power", 3, CJ__NOT_NEGATIVE),
                                              FLAG("cycle"),
                                              WARM_UP};
static const cj__field cosine_fields[] = {
    NUMBER("initial_learning_rate", 0, RATE),    NUMBER("decay_steps", 1, POSITIVE),
    NUMBER("alpha", 2, CJ__NOT_NEGATIVE),        LIMIT("warmup_target", 3),
    NUMBER("warmup_steps", 4, CJ__NOT_NEGATIVE), WARM_UP};
static const cj__field restarts_fields[] = {
    NUMBER("initial_learning_rate", 0, RATE),   NUMBER("first_decay_steps", 1, POSITIVE),
    NUMBER("t_mul", 2, .low = 1, .high = 1e30), NUMBER("m_mul", 3, CJ__NOT_NEGATIVE),
    NUMBER("alpha", 4, CJ__NOT_NEGATIVE),       WARM_UP};
static const cj__field cycle_fields[] = {
    NUMBER("max_learning_rate", 0, RATE),
    NUMBER("total_steps", 1, .required = true, .low = 2, .high = 1e30),
    NUMBER("pct_start", 2, CJ__SHARE),
    NUMBER("div_factor", 3, POSITIVE),
    NUMBER("final_div_factor", 4, POSITIVE),
    WARM_UP};
static const cj__field constant_fields[] = {NUMBER("learning_rate", 0, RATE), WARM_UP};
static const cj__field piecewise_fields[] = {
    CJ__FIELD(schedule_args, boundaries, CJ__FIELD_FEW_NUMBERS, .low = 0, .high = INT32_MAX),
    CJ__FIELD(schedule_args, values, CJ__FIELD_FEW_NUMBERS, CJ__NOT_NEGATIVE), WARM_UP};

static const schedule_args decay_defaults = {.a = {NAN, NAN, NAN}};
static const schedule_args polynomial_defaults = {.a = {NAN, NAN, 1e-4, 1}};
static const schedule_args cosine_defaults = {.a = {NAN, NAN, 0, INFINITY, 0}};
static const schedule_args restarts_defaults = {.a = {NAN, NAN, 2, 1, 0}};
static const schedule_args cycle_defaults = {.a = {NAN, NAN, 0.3, 25, 1e4}};
static const schedule_args constant_defaults = {.a = {NAN}};
static const schedule_args piecewise_defaults = {.flag = false};

#define ROW(plain, class, table, function, numbers, has_flag)                                   \
    {                                                                                           \
        CJ__CHOICE(plain, class, table##_fields, table##_defaults), function, numbers, has_flag \
    }
static const schedule rows[] = {
    ROW("exponential_decay", "ExponentialDecay", decay, exponential, 3, true),
    ROW("inverse_time_decay", "InverseTimeDecay", decay, inverse_time, 3, true),
    ROW("polynomial_decay", "PolynomialDecay", polynomial, polynomial, 4, true),
    ROW("piecewise_constant_decay", "PiecewiseConstantDecay", piecewise, piecewise, -1, false),
    ROW("cosine_decay", "CosineDecay", cosine, cosine, 5, false),
    ROW("cosine_decay_restarts", "CosineDecayRestarts", restarts, restarts, 5, false),
    ROW("one_cycle", "OneCycle", cycle, one_cycle, 5, false),
    ROW("constant_rate", "ConstantRate", constant, constant, 1, false),
};

static const cj__config_key keys[] = {CJ__KEY_HARMLESS("name"), {.key = NULL}};

const cj__catalog cj__schedules = {.what = "schedule",
                                   .module = "keras.optimizers.schedules",
                                   .rows = rows,
                                   .stride = sizeof rows[0],
                                   .count = sizeof rows / sizeof rows[0],
                                   .keys = keys};

// ---- From a spec ----

static cj_status pack(const schedule_args *a, const char *who, double *numbers)
{
    pieces all = {.count = (int32_t)a->boundaries[0]};
    if ((int)a->values[0] != all.count + 1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: piecewise_constant_decay has %d boundaries and %d values, needs one "
                        "value more than boundaries",
                        who, (int)all.count, (int)a->values[0]);
    for (int i = 0; i < all.count; i++)
        all.boundaries[i] = (int32_t)a->boundaries[i + 1];
    for (int i = 0; i <= all.count; i++)
        all.values[i] = (float)a->values[i + 1];
    memcpy(numbers, &all, sizeof all);
    return CJ_OK;
}

// The formula with the warm-up before it. `numbers` has, after the warm-up's, the row of the schedule.
static double warmed(const double *numbers, double step)
{
    const schedule *row = &rows[(int)numbers[OWN]];
    const double warm = numbers[WARM_STEPS], start = numbers[WARM_START], *own = numbers + OWN + 1;
    if (step < warm)
        return start + (row->rate(own, 0) - start) * (step / warm);
    return row->rate(own, step - warm);
}

cj_status cj__schedule_attrs_of(const char *spec, const char *who, cj__schedule_attrs *attrs)
{
    cj__chosen chosen;
    CJ_TRY(cj__spec_parse(&cj__schedules, spec, who, &chosen));
    const schedule *row = (const schedule *)(const void *)chosen.choice;
    const schedule_args *a = (const schedule_args *)(const void *)chosen.args;
    if (!row)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: the spec of the schedule is empty", who);
    *attrs = (cj__schedule_attrs){.formula = warmed};
    attrs->numbers[WARM_STEPS] = a->linear_warmup_steps;
    attrs->numbers[WARM_START] = a->linear_warmup_start;
    attrs->numbers[OWN] = (double)(row - rows);
    double *own = attrs->numbers + OWN + 1;
    cj_status status = CJ_OK;
    if (row->count < 0)
        status = pack(a, who, own);
    for (int i = 0; i < row->count; i++)
        own[i] = a->a[i];
    if (row->flagged)
        own[row->count] = a->flag;
    cj__chosen_free(&chosen);
    return status;
}

cj_symbol *cj__schedule(cj__build *g, const char *spec, cj_symbol *step)
{
    cj__schedule_attrs attrs;
    const cj_status status = cj__schedule_attrs_of(spec, "learning_rate", &attrs);
    if (status == CJ_OK)
        return cj__append(g, &cj__op_schedule, &attrs, &step, 1);
    if (g->status == CJ_OK)
        g->status = status;
    return NULL;
}

cj_status cj_schedule_rate(const char *spec, int64_t step, double *rate)
{
    cj__schedule_attrs attrs;
    if (!spec || !rate)
        return cj__fail_null_of("cj_schedule_rate", spec ? "the rate" : "the spec");
    CJ_TRY(cj__schedule_attrs_of(spec, "cj_schedule_rate", &attrs));
    *rate = (double)(float)attrs.formula(attrs.numbers, (double)step);
    return CJ_OK;
}
