// Random models, trained for some steps in every way there is, agree: with 1, 2 and 3 threads to
// the bit; with the passes of a plan on, off and some of each, and with every instruction set, up
// to rounding.
//
//     CAJAL_RANDOM_MODELS=5000  how many (else a few, for CTest)
//     CAJAL_RANDOM_FIRST=17     the first seed; a failure prints the one to give with
//                               CAJAL_RANDOM_MODELS=1
//     CAJAL_RANDOM_PLAN=-cse    a list as of CAJAL_PLAN, in place of "some of each"
//     CAJAL_RANDOM_VERBOSE=1    each model in words, and how far it used what it was allowed
//
// What is allowed. The truth is plain C (sums in double, each rounded once) with every pass off.
// How much rounding may change a result depends on the model: a bias before a batch normalization
// has a gradient of rounding errors alone, and Adam makes full steps of it. So the truth is
// computed three times more with weights that are wrong in the last digits, by up to SHIFT of
// themselves, and a result may be off by FACTOR times what that changes. A sum of n terms that are
// off by SHIFT, independently, moves by about sqrt(n) SHIFT of a term, and sums in float err by at
// most about sqrt(n) epsilon with signs that cancel: SHIFT = 8 epsilon and FACTOR = 16 leave a
// factor of about a hundred, while a term that is missing or read twice is wrong by 1 / n of the
// sum, at least ten times as much for all sums here. On top come GRAIN of the greatest element, for
// what the shift does not reach (a metric, a constant), and the roundings of each step.
//
// A ReLU, or a max pool, at a tie may fall to either side, rarely, and what follows is not near.
// Such luck goes away with other numbers: a model fails if it does so with the weights and data of
// three draws.
#define _POSIX_C_SOURCE 200809L
#include "generator.h"
#include "graph/program.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SEEDS = 24,
    CHUNK = 20,
    PARTS_MAX = 160,
    ISAS = 5,
    SHIFTS = 3,
    DRAWS = 3,
    SECONDS_MAX = 900
};
static const double SHIFT = 8 * FLT_EPSILON, FACTOR = 16, GRAIN = 64 * FLT_EPSILON;
// bfloat16 has an epsilon of 2^-7
static const double MIXED_SHIFT = 1.0 / 1024, MIXED_GRAIN = 1.0 / 128;
static const char *const isas[ISAS] = {"ref", "baseline", "avx2", "avx512", "amx"};

typedef struct part {
    char name[48];
    int64_t count;
    double floor; // what rounding does in any case
    float *values;
} part;

typedef struct result {
    part parts[PARTS_MAX];
    int count;
} result;

// The ways a child runs a model: plans, then, by plain C only, shifted weights.
enum { PLAN_NONE, PLAN_ALL, PLAN_SOME, PLANS, WAYS = PLANS + SHIFTS };

typedef struct record {
    uint64_t seed;
    bool mixed;
    int ways;
    char text[TEXT_MAX + 512], message[1024];
    result results[WAYS];
} record;

// One run
// -------------------------------------------------------------------------------------------------

static bool add_part(result *r, const char *name, const float *values, int64_t count, double floor)
{
    if (r->count == PARTS_MAX)
        return true; // enough to compare
    part *p = &r->parts[r->count];
    if (!(p->values = malloc((size_t)(count + 1) * sizeof *p->values)))
        return false;
    snprintf(p->name, sizeof p->name, "%s", name);
    p->count = count, p->floor = floor;
    memcpy(p->values, values, (size_t)count * sizeof *values);
    r->count++;
    return true;
}

static void free_result(result *r)
{
    for (int i = 0; i < r->count; i++)
        free(r->parts[i].values);
    r->count = 0;
}

// A loss or metric: it may cancel, as log p does near p = 1, down to the grain of numbers about 1.
static bool add_value(result *r, const char *name, double value)
{
    const float single = (float)value;
    return add_part(r, name, &single, 1, 16 * (double)FLT_EPSILON);
}

static bool predict(cj_model *model, cj_tensor *x, int64_t batch, const char *name, result *r)
{
    cj_tensor *y = NULL;
    const bool well = cj_predict(model, x, &y, .batch_size = batch) == CJ_OK &&
                      add_part(r, name, cj_tensor_data(y), cj_tensor_count(y), 0);
    cj_release(y);
    return well;
}

// The first samples, one by one.
static bool predict_singly(cj_model *model, cj_tensor *x, result *r)
{
    cj_tensor *some = NULL;
    const int64_t count = cj_tensor_shape(x)->dims[0];
    const bool well = cj_tensor_slice(x, 0, 0, count < 3 ? count : 3, &some) == CJ_OK &&
                      predict(model, some, 1, "predictions in batches of 1", r);
    cj_release(some);
    return well;
}

static void shift_weights(cj_layer *layer, uint64_t seed, double shift)
{
    dice d = {seed};
    for (int i = 0; i < cj_layer_variable_count(layer); i++) {
        cj_tensor *w = cj_variable_value(cj_layer_variable(layer, i));
        for (int64_t k = 0; cj_tensor_dtype(w) == CJ_F32 && k < cj_tensor_count(w); k++) {
            float *value = (float *)cj_tensor_data(w) + k;
            *value = (float)((double)*value * (1 + shift * (2 * dice_real(&d) - 1)));
        }
    }
}

static bool train(random_problem *p, result *r)
{
    cj_history *history = NULL;
    const cj_fit_args args = {CJ_FIT_DEFAULTS,
                              .batch_size = p->batch_size,
                              .validation_data = p->data,
                              .class_weight = p->class_count ? p->class_weights : NULL,
                              .class_count = p->class_count,
                              .history = &history};
    bool well = cj_fit_with(p->model, p->data, &args) == CJ_OK;
    for (int i = 0; well && i < cj_history_names(history); i++)
        well = add_value(r, cj_history_name(history, i),
                         cj_history_value(history, cj_history_name(history, i), 0));
    cj_release(history);
    cj_results *results = NULL;
    well =
        well && cj_evaluate(p->model, p->data, &results, .batch_size = p->batch_size + 3) == CJ_OK;
    for (int i = 0; well && i < cj_results_count(results); i++)
        well = add_value(r, cj_results_name(results, i), cj_results_value_at(results, i));
    cj_release(results);
    return well;
}

// How far training moved the weights from what they were in `before`.
static bool add_changes(random_problem *p, const result *before, result *r)
{
    cj_layer *layer = cj_model_layer(p->model);
    const double steps = (double)((p->count + p->batch_size - 1) / p->batch_size);
    // A gradient is grained like numbers about 1; a rule that divides by its size multiplies that
    // by 1 / epsilon.
    const double noise = strncmp(p->optimizer, "sgd", 3) == 0 ? 0.2 * (double)FLT_EPSILON : 5e-6;
    bool well = true;
    for (int i = 0; well && i < before->count; i++) {
        const part *b = &before->parts[i];
        const float *now = cj_tensor_data(cj_variable_value(cj_layer_variable(layer, i)));
        double greatest = 0;
        for (int64_t k = 0; k < b->count; k++) {
            greatest = fmax(greatest, fabs((double)now[k]));
            b->values[k] = now[k] - b->values[k];
        }
        well = add_part(r, b->name, b->values, b->count,
                        steps * (4 * (double)FLT_EPSILON * greatest + noise));
    }
    return well;
}

static bool run_model(random_problem *p, int threads, result *r)
{
    cj_layer *layer = cj_model_layer(p->model);
    cj_compile_args args = {CJ_COMPILE_DEFAULTS, .optimizer = cj_optimizer_from_spec(p->optimizer),
                            .loss = p->loss, .pool = cj_pool_new(threads)};
    for (int i = 0; i < 2; i++)
        args.metrics[i] = args.weighted_metrics[i] = p->metrics[i];
    result before = {.count = 0};
    bool well = cj_compile_with(p->model, &args) == CJ_OK;
    cj_tensor *x = cj_dataset_x(p->data, 0);
    well = well && predict(p->model, x, p->batch_size, "predictions before", r);
    for (int i = 0; well && i < cj_layer_variable_count(layer); i++) {
        const cj_tensor *w = cj_variable_value(cj_layer_variable(layer, i));
        char name[48];
        snprintf(name, sizeof name, "change of %.36s",
                 cj_variable_name(cj_layer_variable(layer, i)));
        well = cj_tensor_dtype(w) != CJ_F32 ||
               add_part(&before, name, cj_tensor_data(w), cj_tensor_count(w), 0);
    }
    well = well && train(p, r) && add_changes(p, &before, r);
    well = well && predict(p->model, x, p->batch_size, "predictions", r) &&
           predict_singly(p->model, x, r);
    free_result(&before);
    return well;
}

// Switches passes off: none of them, all, or about half, as the seed says. `names` is a list with
// ", " between.
static void set_plan(int plan, uint64_t seed, const char *names)
{
    char list[1024] = "", copy[1024], *rest = NULL;
    dice d = {seed ^ 0xABCDEF};
    const char *fixed = getenv("CAJAL_RANDOM_PLAN");
    if (fixed && plan == PLAN_SOME) {
        setenv("CAJAL_PLAN", fixed, 1);
        return;
    }
    snprintf(copy, sizeof copy, "%s", names);
    for (char *name = strtok_r(copy, ", ", &rest); name; name = strtok_r(NULL, ", ", &rest)) {
        if (plan == PLAN_ALL || (plan == PLAN_SOME && dice_chance(&d, 50)))
            continue;
        const size_t length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s-%s", length ? "," : "", name);
    }
    setenv("CAJAL_PLAN", list, 1);
}

typedef struct job {
    uint64_t seed, draw;
    const char *names; // of the passes
} job;

static bool run(const job *j, int plan, int threads, int shift, record *into, result *r)
{
    random_problem p;
    set_plan(plan, j->seed, j->names);
    bool well = random_problem_make(&p, j->seed, j->draw);
    into->mixed = p.mixed;
    memcpy(into->text, p.text, sizeof into->text);
    if (well && shift)
        shift_weights(cj_model_layer(p.model), j->seed + (uint64_t)shift,
                      p.mixed ? MIXED_SHIFT : SHIFT);
    well = well && run_model(&p, threads, r);
    if (!well)
        snprintf(into->message, sizeof into->message, "plan %s, %d threads: %.800s",
                 getenv("CAJAL_PLAN"), threads, cj_error());
    random_problem_free(&p);
    return well;
}

static const char *first_difference(const result *a, const result *b)
{
    for (int i = 0; i < a->count; i++)
        if (a->count != b->count || a->parts[i].count != b->parts[i].count ||
            memcmp(a->parts[i].values, b->parts[i].values,
                   (size_t)a->parts[i].count * sizeof(float)) != 0)
            return a->parts[i].name;
    return NULL;
}

// Children: one process an instruction set, as it is chosen once
// -----------------------------------------------------

static bool run_ways(const job *j, bool truth, record *into)
{
    into->ways = truth ? WAYS : PLANS;
    for (int way = 0; way < into->ways; way++) {
        const int plan = way < PLANS ? way : PLAN_NONE;
        if (!run(j, plan, 1, way < PLANS ? 0 : way - PLANS + 1, into, &into->results[way]))
            return false;
        for (int threads = 2; threads <= (way >= PLANS              ? 0 :
                                          way == PLAN_ALL && !truth ? 3 :
                                                                      2);
             threads++) {
            result several = {.count = 0};
            const bool well = run(j, plan, threads, 0, into, &several);
            const char *name = first_difference(&into->results[way], &several);
            free_result(&several);
            if (well && name)
                snprintf(into->message, sizeof into->message,
                         "plan \"%s\": %d threads give other bits of %s", getenv("CAJAL_PLAN"),
                         threads, name);
            if (!well || name)
                return false;
        }
    }
    return true;
}

static void write_record(const record *r, FILE *stream)
{
    fwrite(r, sizeof *r, 1, stream);
    for (int way = 0; way < r->ways; way++)
        for (int i = 0; i < r->results[way].count; i++)
            fwrite(r->results[way].parts[i].values, sizeof(float),
                   (size_t)r->results[way].parts[i].count, stream);
    fflush(stream);
}

static void free_record(record *r)
{
    for (int way = 0; way < WAYS; way++)
        free_result(&r->results[way]);
    free(r);
}

static bool read_record(record *r, FILE *stream)
{
    if (fread(r, sizeof *r, 1, stream) != 1)
        return memset(r, 0, sizeof *r), false;
    bool well = true;
    for (int way = 0; way < WAYS; way++) {
        for (int i = 0; i < r->results[way].count; i++) {
            part *p = &r->results[way].parts[i];
            p->values = calloc((size_t)p->count + 1, sizeof *p->values);
            well = well &&
                   fread(p->values, sizeof(float), (size_t)p->count, stream) == (size_t)p->count;
        }
    }
    return well;
}

static void be_child(const char *isa, const char *path, job j, int count)
{
    setenv("CAJAL_ISA", isa, 1);
    FILE *stream = fopen(path, "wb");
    if (!stream)
        _exit(2);
    for (int i = 0; i < count; i++, j.seed++) {
        alarm(SECONDS_MAX); // a pool that hangs ends too
        record *r = calloc(1, sizeof *r);
        if (!r)
            _exit(3);
        r->seed = j.seed;
        support_memory_begin(-1);
        run_ways(&j, isa == isas[0], r);
        if (support_memory_live() != 0 && !*r->message)
            snprintf(r->message, sizeof r->message, "%ld blocks are still alive",
                     support_memory_live());
        cj_set_memory_hook(NULL);
        write_record(r, stream);
        free_record(r);
    }
    _exit(fclose(stream) == 0 ? 0 : 4);
}

// The parent compares
// ----------------------------------------------------------------------------------------------

static double farthest(const part *a, const part *b)
{
    double most = 0;
    for (int64_t k = 0; k < a->count; k++)
        if (a->values[k] != b->values[k] && !(isnan(a->values[k]) && isnan(b->values[k])))
            most = fmax(most, fabs((double)a->values[k] - (double)b->values[k]));
    return most;
}

static double greatest(const part *a)
{
    double most = 0;
    for (int64_t k = 0; k < a->count; k++)
        most = isfinite(a->values[k]) ? fmax(most, fabs((double)a->values[k])) : INFINITY;
    return most;
}

// What a part of the truth may be off by; infinite where the truth is not finite.
static double allowed(const record *truth, int i)
{
    const part *p = &truth->results[PLAN_NONE].parts[i];
    double moved = 0;
    for (int way = PLANS; way < WAYS; way++)
        moved = fmax(moved, farthest(p, &truth->results[way].parts[i]));
    return FACTOR * moved + p->floor + (truth->mixed ? MIXED_GRAIN : GRAIN) * greatest(p);
}

// Compares what one instruction set made with the truth; false with a sentence. `worst` is the
// greatest share of what is allowed.
static bool compare(const record *truth, const record *r, const char *isa, double *worst,
                    char message[1024])
{
    const result *t = &truth->results[PLAN_NONE];
    static const char *const plans[] = {"none", "all", "some"};
    for (int way = 0; way < PLANS; way++) {
        const result *given = &r->results[way];
        for (int i = 0; i < t->count; i++) {
            if (given->count != t->count || given->parts[i].count != t->parts[i].count) {
                snprintf(message, 1024, "%s, passes: %s: %s has another size", isa, plans[way],
                         t->parts[i].name);
                return false;
            }
            const double may = allowed(truth, i), off = farthest(&t->parts[i], &given->parts[i]);
            if (may > 0 && isfinite(may))
                *worst = fmax(*worst, off / may);
            if (!isfinite(may) || off <= may)
                continue;
            snprintf(message, 1024, "%s, passes: %s: %s is off by %g, may be by %g (greatest %g)",
                     isa, plans[way], t->parts[i].name, off, may, greatest(&t->parts[i]));
            return false;
        }
    }
    return true;
}

typedef struct chunk {
    uint64_t first, draw;
    int count;
    bool verbose;
    const char *names;
    FILE *streams[ISAS];
    // certain: a crash, a leak, a status, or bits that depend on threads
    bool failed[CHUNK], certain[CHUNK];
    char messages[CHUNK][1024];
    char texts[CHUNK][TEXT_MAX + 512];
} chunk;

static void start_children(chunk *c, int ended[ISAS])
{
    pid_t pids[ISAS];
    char paths[ISAS][1024];
    fflush(stdout), fflush(stderr);
    for (int k = 0; k < ISAS; k++) {
        snprintf(paths[k], sizeof paths[k], "%s", support_path(isas[k]));
        if ((pids[k] = fork()) == 0)
            be_child(isas[k], paths[k], (job){c->first, c->draw, c->names}, c->count);
        assert_true(pids[k] > 0);
    }
    for (int k = 0; k < ISAS; k++) {
        waitpid(pids[k], &ended[k], 0);
        c->streams[k] = fopen(paths[k], "rb");
    }
}

static void judge(chunk *c, int i, record *records[ISAS], const int ended[ISAS])
{
    double worst = 0;
    char *message = c->messages[i];
    for (int k = 0; k < ISAS && !c->failed[i]; k++) {
        if (!c->streams[k] || !read_record(records[k], c->streams[k])) {
            snprintf(message, 1024, "%s: the process ended with status %#x", isas[k],
                     (unsigned)ended[k]);
            c->failed[i] = c->certain[i] = true;
        } else if (*records[k]->message) {
            snprintf(message, 1024, "%s: %.900s", isas[k], records[k]->message);
            c->failed[i] = c->certain[i] = true;
        }
    }
    for (int k = 0; k < ISAS && !c->failed[i]; k++)
        c->failed[i] = !compare(records[0], records[k], isas[k], &worst, message);
    memcpy(c->texts[i], records[0]->text, sizeof c->texts[i]);
    if (c->verbose)
        print_message("seed %d, %.3f: %s\n", (int)c->first + i, worst, records[0]->text);
}

static void run_chunk(chunk *c)
{
    int ended[ISAS];
    start_children(c, ended);
    // after a crash there are no records of the seeds that follow: they are run again, alone
    bool lost = false;
    for (int i = 0; i < c->count && !lost; i++) {
        record *records[ISAS];
        for (int k = 0; k < ISAS; k++)
            assert_non_null(records[k] = calloc(1, sizeof(record)));
        judge(c, i, records, ended);
        for (int k = 0; k < ISAS; k++)
            free_record(records[k]);
        lost = c->certain[i];
        if (lost)
            c->count = i + 1;
    }
    for (int k = 0; k < ISAS; k++)
        if (c->streams[k])
            fclose(c->streams[k]);
}

// Whether a model that failed by numbers does so with other numbers too.
static bool fails_again(uint64_t seed, const char *names)
{
    for (uint64_t draw = 1; draw < DRAWS; draw++) {
        chunk *c = calloc(1, sizeof *c);
        assert_non_null(c);
        c->first = seed, c->draw = draw, c->count = 1, c->names = names;
        run_chunk(c);
        const bool failed = c->failed[0];
        free(c);
        if (!failed)
            return false;
    }
    return true;
}

static long setting(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : otherwise;
}

static const char *names_of_passes(char *buffer, size_t size)
{
    assert_int_not_equal(cj__check_switches("-nothing_of_the_kind"), CJ_OK);
    const char *names = strstr(cj_error(), "there are ");
    assert_non_null(names);
    snprintf(buffer, size, "%s", names + strlen("there are "));
    return buffer;
}

static void plans_threads_and_instruction_sets_agree(void **state)
{
    (void)state;
    char buffer[1024];
    const char *names = names_of_passes(buffer, sizeof buffer);
    const uint64_t first = (uint64_t)setting("CAJAL_RANDOM_FIRST", 1);
    const uint64_t end = first + (uint64_t)setting("CAJAL_RANDOM_MODELS", SEEDS);
    int failures = 0, doubtful = 0;
    for (uint64_t seed = first; seed < end;) {
        chunk *c = calloc(1, sizeof *c);
        assert_non_null(c);
        c->first = seed, c->names = names, c->verbose = setting("CAJAL_RANDOM_VERBOSE", 0) != 0;
        c->count = end - seed < CHUNK ? (int)(end - seed) : CHUNK;
        run_chunk(c);
        for (int i = 0; i < c->count; i++) {
            if (!c->failed[i])
                continue;
            const bool again = c->certain[i] || fails_again(seed + (uint64_t)i, names);
            failures += again, doubtful += !again;
            print_message("%s: seed %llu\n  %s\n  %s\n", again ? "FAILS" : "once",
                          (unsigned long long)seed + (unsigned)i, c->texts[i], c->messages[i]);
        }
        seed += (uint64_t)c->count;
        free(c);
    }
    print_message("%llu models: %d failed, %d differed with one draw of numbers only\n",
                  (unsigned long long)(end - first), failures, doubtful);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_threads_and_instruction_sets_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
