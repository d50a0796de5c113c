// What sharing work between threads costs and gains: pieces of 1 to 1000 microseconds on one thread
// and on two, inside of an entered pool; functions of one op, a product, a sum or exp, from where
// an op costs about a microsecond to where it costs a thousand, each call of it entering the pool;
// the cost of an empty piece; and of a first piece when the workers are asleep. For each the least
// of several rounds, in turns of 20 ms.
//
//   threads [threads]                  taskset -c 0 threads: as many on one processor; threads 8:
//                                      more than there are
#define _POSIX_C_SOURCE 200809L
#include "base/threads.h"

#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 15, TASKS = 16, ROUND_US = 20000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + 1e-3 * (double)t.tv_nsec;
}

static void spin_task(void *context, int64_t begin, int64_t end)
{
    const int64_t loops = *(const int64_t *)context * (end - begin);
    for (volatile int64_t i = 0; i < loops;)
        i = i + 1;
}

static void empty_task(void *context, int64_t begin, int64_t end)
{
    (void)context, (void)begin, (void)end;
}

static double pieces(cj_pool *pool, int64_t loops, int repeats)
{
    const bool entered = cj__pool_enter(pool);
    const double begin = now();
    for (int i = 0; i < repeats; i++)
        cj__parallel(pool, TASKS, 1, spin_task, &loops);
    const double took = (now() - begin) / repeats;
    if (entered)
        cj__pool_leave(pool);
    return took;
}

static double empty(cj_pool *pool, bool enter)
{
    enum { REPEATS = 20000 };
    const bool entered = enter && cj__pool_enter(pool);
    const double begin = now();
    for (int i = 0; i < REPEATS; i++)
        cj__parallel(pool, TASKS, 1, empty_task, NULL);
    const double took = (now() - begin) / REPEATS * 1e3;
    if (entered)
        cj__pool_leave(pool);
    return took;
}

// A first piece of 20 microseconds when everybody sleeps.
static double woken(cj_pool *pool, int64_t loops)
{
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    const double begin = now();
    cj__parallel(pool, TASKS, 1, spin_task, &loops);
    return now() - begin;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

// Pieces of about `us` microseconds of work, on one thread and on many.
static void compare_pieces(cj_pool *one, cj_pool *many, double us, double per_loop)
{
    const int64_t loops = (int64_t)(us / TASKS / per_loop) + 1;
    const int repeats = (int)(ROUND_US / us) + 1;
    double alone = 1e9, shared = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        alone = least(alone, pieces(one, loops, repeats));
        shared = least(shared, pieces(many, loops, repeats));
    }
    printf("%-24.0f %12.2f %17.2f %9.2f\n", us, alone, shared, alone / shared);
}

// ---- Functions of one op ----

static cj_symbol *product(cj_symbol *const *x)
{
    return cj_op_matmul(x[0], x[1]);
}

static cj_symbol *sum(cj_symbol *const *x)
{
    return cj_op_add(x[0], x[1]);
}

static cj_symbol *exponential(cj_symbol *const *x)
{
    return cj_op_exp(x[0]);
}

// Rows by 256 columns; a product is by 256 x 256.
static const struct {
    const char *name;
    cj_symbol *(*apply)(cj_symbol *const *x);
    int inputs;
    bool square; // the second input
    int64_t rows[10];
} ops[] = {
    {"product", product, 2, true, {1, 2, 4, 8, 16, 32, 64, 128, 256, 768}},
    {"sum", sum, 2, false, {16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 16384}},
    {"exp", exponential, 1, false, {4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096}},
};

typedef struct subject {
    cj_function *function;
    cj_tensor *inputs[2], *output;
} subject;

static cj_status make_subject(size_t op, int64_t rows, cj_pool *pool, subject *s)
{
    enum { COLUMNS = 256 };
    cj_symbol *x[2];
    *s = (subject){0};
    for (int i = 0; i < ops[op].inputs; i++) {
        const cj_shape shape = CJ_SHAPE(i == 1 && ops[op].square ? COLUMNS : rows, COLUMNS);
        x[i] = cj_symbol_input(CJ_F32, shape, i == 0 ? "a" : "b");
        CJ_TRY(cj_tensor_new(CJ_F32, shape, &s->inputs[i]));
        cj_tensor_fill(s->inputs[i], 0.5);
    }
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(rows, COLUMNS), &s->output));
    cj_symbol *y = ops[op].apply(x);
    s->function = cj_function(.inputs = x, .input_count = ops[op].inputs, .outputs = &y,
                              .output_count = 1, .pool = pool);
    return s->function ? CJ_OK : cj_error_status();
}

static void free_subject(subject *s)
{
    cj_release(s->function);
    cj_release(s->inputs[0]);
    cj_release(s->inputs[1]);
    cj_release(s->output);
}

// Microseconds a call; below 0 where it fails.
static double calls(subject *s, int repeats)
{
    const double begin = now();
    for (int i = 0; i < repeats; i++) {
        if (cj_function_call(s->function, s->inputs, &s->output) != CJ_OK)
            return -1;
    }
    return (now() - begin) / repeats;
}

static cj_status compare_op(size_t op, int64_t rows, cj_pool *one, cj_pool *many)
{
    subject s[2];
    double found[2] = {1e9, 1e9};
    cj_status status = make_subject(op, rows, one, &s[0]);
    const cj_status second = make_subject(op, rows, many, &s[1]);
    if (status == CJ_OK)
        status = second;
    if (status == CJ_OK && (calls(&s[0], 2) < 0 || calls(&s[1], 2) < 0)) // plans
        status = cj_error_status();
    if (status == CJ_OK) {
        const int repeats = (int)(ROUND_US / (calls(&s[0], 3) + 0.1)) + 1;
        for (int i = 0; i < 2 * ROUNDS; i++)
            found[i % 2] = least(found[i % 2], calls(&s[i % 2], repeats));
        char text[32];
        snprintf(text, sizeof text, "%s of %lld rows", ops[op].name, (long long)rows);
        printf("%-24s %12.2f %17.2f %9.2f\n", text, found[0], found[1], found[0] / found[1]);
    }
    free_subject(&s[0]);
    free_subject(&s[1]);
    return status;
}

// ---- What a piece costs at least ----

static void compare_costs(cj_pool *one, cj_pool *many, int threads, double per_loop)
{
    double inside = 1e9, outside = 1e9, first = 1e9, first_alone = 1e9;
    const int64_t loops = (int64_t)(20 / TASKS / per_loop) + 1;
    for (int i = 0; i < ROUNDS; i++) {
        inside = least(inside, empty(many, true));
        outside = least(outside, empty(many, false));
        first = least(first, woken(many, loops));
        first_alone = least(first_alone, woken(one, loops));
    }
    printf("an empty piece: %.0f ns, %.0f ns where the pool was not entered\n", inside, outside);
    printf("20 us of work after a pause: %.1f us on 1 thread, %.1f on %d\n", first_alone, first,
           threads);
}

int main(int argc, char **argv)
{
    static const double sizes[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
    const int threads = argc > 1 ? atoi(argv[1]) : 2;
    cj_pool *one = cj_retain(cj_pool_new(1)), *many = cj_retain(cj_pool_new(threads));
    if (!one || !many)
        return EXIT_FAILURE;
    double per_loop = 1e9;
    for (int i = 0; i < ROUNDS; i++)
        per_loop = least(per_loop, pieces(one, 1000, 100) / (1000 * TASKS));
    printf("%-24s %12s %9d threads %9s\n", "work, us", "1 thread", threads, "gain");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        compare_pieces(one, many, sizes[i], per_loop);
    cj_status status = CJ_OK;
    for (size_t op = 0; op < sizeof ops / sizeof *ops; op++) {
        for (size_t i = 0; status == CJ_OK && i < sizeof ops[op].rows / sizeof *ops[op].rows; i++)
            status = compare_op(op, ops[op].rows[i], one, many);
    }
    compare_costs(one, many, threads, per_loop);
    if (status != CJ_OK)
        fprintf(stderr, "threads: %s\n", cj_error());
    cj_release(one);
    cj_release(many);
    return status == CJ_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
