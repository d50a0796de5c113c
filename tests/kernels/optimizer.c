// Optimizer steps of every instruction set equal the plain C ones: every variant, several steps in
// place.
#include "harness.h"
#include <string.h>

enum { SLOTS = 3, STEPS = 3 };

// What a step works on: weights, gradients and the optimizer's own numbers.
typedef struct variables {
    operand w, g, slot[SLOTS];
} variables;

typedef void step(const cj__kernels *k, int64_t n, variables *v, int variant, double decay);

static void sgd(const cj__kernels *k, int64_t n, variables *v, int variant, double decay)
{
    void *m = variant > 0 ? v->slot[0].data : NULL;
    k->sgd(n, v->w.data, v->g.data, m, v->w.data, m, 0.01, variant > 0 ? 0.9 : 0, variant == 2,
           decay);
}

static void adagrad(const cj__kernels *k, int64_t n, variables *v, int variant, double decay)
{
    (void)variant;
    k->adagrad(n, v->w.data, v->g.data, v->slot[0].data, v->w.data, v->slot[0].data, 0.01, 1e-7,
               decay);
}

static void adadelta(const cj__kernels *k, int64_t n, variables *v, int variant, double decay)
{
    (void)variant;
    k->adadelta(n, v->w.data, v->g.data, v->slot[0].data, v->slot[1].data, v->w.data,
                v->slot[0].data, v->slot[1].data, 1, 0.95, 1e-7, decay);
}

static void rmsprop(const cj__kernels *k, int64_t n, variables *v, int variant, double decay)
{
    void *m = variant & 1 ? v->slot[1].data : NULL, *mean = variant & 2 ? v->slot[2].data : NULL;
    k->rmsprop(n, v->w.data, v->g.data, v->slot[0].data, m, mean, v->w.data, v->slot[0].data, m,
               mean, 0.001, 0.9, variant & 1 ? 0.9 : 0, 1e-7, decay);
}

static void adam(const cj__kernels *k, int64_t n, variables *v, int variant, double decay)
{
    void *most = variant ? v->slot[2].data : NULL;
    k->adam(n, v->w.data, v->g.data, v->slot[0].data, v->slot[1].data, most, v->w.data,
            v->slot[0].data, v->slot[1].data, most, 0.001, 0.9, 0.999, 1e-7, decay);
}

static const struct {
    const char *name;
    step *run;
    int variants;
} optimizers[] = {{"sgd", sgd, 3},
                  {"adagrad", adagrad, 1},
                  {"adadelta", adadelta, 1},
                  {"rmsprop", rmsprop, 4},
                  {"adam", adam, 2}};
enum { OPTIMIZERS = sizeof optimizers / sizeof *optimizers };

static variables variables_new(int64_t n, size_t size)
{
    variables v = {operand_new(n, size), operand_new(n, size), {{0}}};
    fill_uniform(&v.w, -1, 1);
    fill_uniform(&v.g, -2, 2);
    for (int i = 0; i < SLOTS; i++) {
        v.slot[i] = operand_new(n, size);
        // squares exceed squared means
        fill_uniform(&v.slot[i], i == SLOTS - 1 ? 0 : 1, i == SLOTS - 1 ? 0.5 : 2);
    }
    return v;
}

static void variables_copy(variables *to, const variables *from)
{
    operand_copy(&to->w, &from->w);
    operand_copy(&to->g, &from->g);
    for (int i = 0; i < SLOTS; i++)
        operand_copy(&to->slot[i], &from->slot[i]);
}

static void variables_free(variables *v)
{
    operand_free(&v->w), operand_free(&v->g);
    for (int i = 0; i < SLOTS; i++)
        operand_free(&v->slot[i]);
}

// Every number here is below 4 and comes of at most a dozen roundings a step.
static void compare_steps(const tables *t, int which, int variant, int64_t n)
{
    variables a = variables_new(n, t->real_size), e = variables_new(n, t->real_size);
    variables_copy(&e, &a);
    for (int i = 0; i < STEPS; i++) {
        const double decay = i == 1 ? 4e-6 : 0;
        optimizers[which].run(t->fast, n, &a, variant, decay);
        optimizers[which].run(t->ref, n, &e, variant, decay);
        fill_uniform(&a.g, -2, 2);
        operand_copy(&e.g, &a.g);
    }
    assert_close(&a.w, &e.w, 8 * t->epsilon, 8 * t->epsilon, optimizers[which].name, t);
    for (int i = 0; i < SLOTS; i++)
        assert_close(&a.slot[i], &e.slot[i], 12 * t->epsilon, 12 * t->epsilon,
                     optimizers[which].name, t);
    variables_free(&a);
    variables_free(&e);
}

static void steps_of(const tables *t)
{
    static const int64_t counts[] = {0, 1, 3, 7, 8, 15, 16, 17, 31, 64, 65, 129};
    for (int which = 0; which < OPTIMIZERS; which++)
        for (int variant = 0; variant < optimizers[which].variants; variant++)
            for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
                compare_steps(t, which, variant, counts[c]);
}

static void steps_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(steps_of);
}

static variables part_of(const variables *v, int64_t at)
{
    variables part = *v;
    part.w.data = (char *)v->w.data + (size_t)at * v->w.size;
    part.g.data = (char *)v->g.data + (size_t)at * v->g.size;
    for (int i = 0; i < SLOTS; i++)
        part.slot[i].data = (char *)v->slot[i].data + (size_t)at * v->slot[i].size;
    return part;
}

static void pieces_of(const tables *t)
{
    enum { N = 200 };
    for (int which = 0; which < OPTIMIZERS; which++) {
        for (int variant = 0; variant < optimizers[which].variants; variant++) {
            variables whole = variables_new(N, t->real_size),
                      pieces = variables_new(N, t->real_size);
            variables_copy(&pieces, &whole);
            optimizers[which].run(t->fast, N, &whole, variant, 1e-3);
            for (int64_t at = 0, n; at < N; at += n) {
                n = 1 + pick(N - at < 50 ? N - at : 50);
                variables part = part_of(&pieces, at);
                optimizers[which].run(t->fast, n, &part, variant, 1e-3);
            }
            assert_same_bits(&pieces.w, &whole.w, optimizers[which].name, t);
            for (int i = 0; i < SLOTS; i++)
                assert_same_bits(&pieces.slot[i], &whole.slot[i], optimizers[which].name, t);
            variables_free(&whole);
            variables_free(&pieces);
        }
    }
}

static void pieces_give_the_bits_of_the_whole(void **unused)
{
    (void)unused;
    for_each_table(pieces_of);
}

// A gradient of 0 leaves weights alone, also where a slot is 0: nothing is 0 / 0.
static void still_of(const tables *t)
{
    for (int which = 0; which < OPTIMIZERS; which++) {
        variables v = variables_new(33, t->real_size), before = variables_new(33, t->real_size);
        fill_uniform(&v.g, 0, 0);
        for (int i = 0; i < SLOTS; i++)
            fill_uniform(&v.slot[i], 0, 0);
        variables_copy(&before, &v);
        optimizers[which].run(t->fast, 33, &v, 0, 0);
        assert_same_bits(&v.w, &before.w, optimizers[which].name, t);
        variables_free(&v);
        variables_free(&before);
    }
}

static void a_gradient_of_zero_moves_nothing(void **unused)
{
    (void)unused;
    for_each_table(still_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_equal_plain_c),
        cmocka_unit_test(pieces_give_the_bits_of_the_whole),
        cmocka_unit_test(a_gradient_of_zero_moves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
