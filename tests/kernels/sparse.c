// Convolutions that leave out what is 0: they equal the plain C ones for any share of zeros, give the
// same bits however tasks are shared, and forward and by the filters those of the direct form.
#include "harness.h"

#include "base/memory.h"
#include <math.h>

typedef struct work {
    cj__conv2d_kind kind;
    cj__conv2d_args args;
    int64_t count, terms; // of the result; products of a sum
} work;

// Ones in a share of the places; of a second kind any number.
static void fill_spikes(operand *o, double share, bool ones)
{
    for (int64_t i = 0; i < o->count; i++) {
        const double value = ones ? 1 : pick_uniform(-1, 1);
        operand_put(o, i, pick_uniform(0, 1) < share ? value : 0);
    }
}

static void run_into(const cj__kernels *k, work w, bool sparse, void *out, sharing how)
{
    w.args.sparse = sparse;
    w.args.y = w.args.dx = w.args.dw = out;
    convolve(k, w.kind, &w.args, how);
}

static void compare(const tables *t, const work *w, bool same, const char *what)
{
    operand y = operand_new(w->count, t->real_size), e = operand_new(w->count, t->real_size);
    run_into(t->ref, *w, true, e.data, SHARE_ALL);
    run_into(t->fast, *w, true, y.data, SHARE_ALL);
    assert_close(&y, &e, 8 * t->epsilon, (double)(w->terms + 2) * t->epsilon, what, t);
    run_into(t->fast, *w, true, e.data, SHARE_REVERSED);
    assert_same_bits(&e, &y, what, t);
    run_into(t->fast, *w, true, e.data, SHARE_RANDOM);
    assert_same_bits(&e, &y, what, t);
    run_into(t->fast, *w, false, e.data, SHARE_ALL);
    if (same)
        assert_same_bits(&e, &y, what, t);
    operand_free(&y), operand_free(&e);
}

// `same`: the direct form is that of tiles, whose order the sparse one keeps.
static void compare_all(const tables *t, const cj__conv2d *s, double share, bool same, bool worst)
{
    const int64_t in = s->n * s->h * s->w * s->c, out = s->n * s->oh * s->ow * s->f,
                  window = s->kh * s->kw * s->c, filters = window * s->f;
    operand x = operand_new(in, t->real_size), w = operand_new(filters, t->real_size),
            dy = operand_new(out, t->real_size), bias = operand_new(s->f, t->real_size);
    fill_spikes(&x, share, pick(2));
    fill_uniform(&w, -1, 1);
    fill_uniform(&dy, -1, 1);
    fill_uniform(&bias, -1, 1);
    if (worst)
        operand_put(&w, pick(filters), pick(2) ? (double)NAN : (double)INFINITY);
    work c = {.args = {.s = *s, .x = x.data, .w = w.data, .dy = dy.data, .act = CJ__UNARY_NONE}};
    c.args.bias = pick(3) ? bias.data : NULL;
    c.args.act = pick(3) == 0 ? CJ__UNARY_sigmoid : pick(2) ? CJ__UNARY_relu : CJ__UNARY_NONE;
    if (worst)
        c.args.act = CJ__UNARY_NONE;
    c.kind = CJ__CONV2D_FORWARD, c.count = out, c.terms = window;
    compare(t, &c, same && !worst, "sparse conv2d");
    c.args.bias = NULL;
    c.args.act = CJ__UNARY_NONE;
    c.kind = CJ__CONV2D_FILTER_GRAD, c.count = filters, c.terms = s->n * s->oh * s->ow;
    compare(t, &c, same, "sparse conv2d_filter_grad");
    fill_spikes(&dy, share, false);
    c.kind = CJ__CONV2D_INPUT_GRAD, c.count = in, c.terms = s->kh * s->kw * s->f;
    if (!worst) // a filter that is not finite counts only where dy is not 0
        compare(t, &c, false, "sparse conv2d_input_grad");
    operand_free(&x), operand_free(&w), operand_free(&dy), operand_free(&bias);
}

static bool random_geometry(cj__conv2d *s)
{
    *s = (cj__conv2d){.n = 1 + pick(12),
                      .h = 1 + pick(12),
                      .w = 1 + pick(12),
                      .c = 1 + pick(20),
                      .kh = 1 + pick(5),
                      .kw = 1 + pick(5),
                      .f = 1 + pick(90),
                      .sh = 1 + (pick(4) == 0),
                      .sw = 1 + (pick(4) == 0),
                      .dh = 1 + (pick(4) == 0),
                      .dw = 1 + (pick(6) == 0),
                      .top = pick(3),
                      .left = pick(3),
                      .groups = 1};
    const int64_t rows = s->h + s->top + pick(3) - (s->kh - 1) * s->dh - 1;
    const int64_t cols = s->w + s->left + pick(3) - (s->kw - 1) * s->dw - 1;
    s->oh = rows / s->sh + 1;
    s->ow = cols / s->sw + 1;
    return rows >= 0 && cols >= 0;
}

static const double shares[] = {0, 0.02, 0.1, 0.3, 0.5, 1};

static void random_of(const tables *t)
{
    for (int round = 0; round < 60;) {
        cj__conv2d s;
        if (!random_geometry(&s))
            continue;
        // The frame's zeros are multiplied with filters that are not finite, by the direct form too.
        const bool inside = s.top == 0 && s.left == 0 &&
                            (s.oh - 1) * s.sh + (s.kh - 1) * s.dh < s.h &&
                            (s.ow - 1) * s.sw + (s.kw - 1) * s.dw < s.w;
        compare_all(t, &s, shares[round % 6], false, round % 3 == 2 && inside);
        round++;
    }
}

static void random_geometries_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(random_of);
}

// The second convolution of the network of two, and smaller ones with a frame.
static void usual_of(const tables *t)
{
    cj__conv2d s = {
        .n = 10, .h = 12, .w = 12, .c = 12, .kh = 5, .kw = 5, .f = 64, .oh = 8, .ow = 8};
    s.sh = s.sw = s.dh = s.dw = s.groups = 1;
    for (int i = 0; i < 6; i++)
        compare_all(t, &s, shares[i], true, false);
    s.n = 3, s.f = 40, s.c = 9, s.top = s.left = 2, s.oh = s.ow = 12;
    for (int i = 0; i < 6; i++)
        compare_all(t, &s, shares[i], true, false);
}

static void bits_are_those_of_the_direct_form(void **unused)
{
    (void)unused;
    for_each_table(usual_of);
}

// ---- Products ----

typedef struct product {
    const cj__kernels *k;
    cj__gemm g;
    void *scratch;
} product;

static void run_product(const void *context, void *workspace, int phase, int64_t begin, int64_t end)
{
    const product *p = context;
    p->k->gemm_run(&p->g, workspace, p->scratch, phase, begin, end);
}

static void multiply(const cj__kernels *k, cj__gemm g, bool sparse, void *c, sharing how)
{
    cj__job job;
    g.c = c;
    g.sparse_a = sparse;
    k->gemm_job(&g, &job);
    const product p = {k, g, cj__new_aligned(job.scratch, 0)};
    assert_non_null(p.scratch);
    run_job(&job, run_product, &p, how);
    cj__free_aligned(p.scratch, job.scratch);
}

static void compare_products(const tables *t, cj__gemm g, double share, bool worst)
{
    operand a = operand_new(g.m * g.k, t->real_size), b = operand_new(g.k * g.n, t->real_size),
            bias = operand_new(g.n, t->real_size), c = operand_new(g.m * g.n, t->real_size),
            e = operand_new(g.m * g.n, t->real_size);
    g.lda = g.trans_a ? g.m : g.k;
    g.ldb = g.ldc = g.n;
    fill_spikes(&a, share, pick(2));
    fill_uniform(&b, -1, 1);
    fill_uniform(&bias, -1, 1);
    if (worst)
        operand_put(&b, pick(g.k * g.n), (double)INFINITY);
    g.a = a.data, g.b = b.data;
    g.act = g.trans_a || worst ? CJ__UNARY_NONE : pick(2) ? CJ__UNARY_relu : CJ__UNARY_tanh;
    g.bias = g.trans_a || pick(2) ? NULL : bias.data;
    multiply(t->ref, g, true, e.data, SHARE_ALL);
    multiply(t->fast, g, true, c.data, SHARE_ALL);
    assert_close(&c, &e, 8 * t->epsilon, (double)(g.k + 2) * t->epsilon, "sparse product", t);
    multiply(t->fast, g, true, e.data, SHARE_REVERSED);
    assert_same_bits(&e, &c, "sparse product", t);
    multiply(t->fast, g, true, e.data, SHARE_RANDOM);
    assert_same_bits(&e, &c, "sparse product", t);
    operand_free(&a), operand_free(&b), operand_free(&bias), operand_free(&c), operand_free(&e);
}

static void products_of(const tables *t)
{
    for (int i = 0; i < 40; i++) {
        const cj__gemm g = {
            .m = 1 + pick(200), .n = 1 + pick(90), .k = 1 + pick(200), .trans_a = i & 1};
        compare_products(t, g, shares[i % 6], i % 8 == 7);
    }
    compare_products(t, (cj__gemm){.m = 300, .n = 10, .k = 1000}, 0.05, false);
    compare_products(t, (cj__gemm){.m = 1000, .n = 10, .k = 300, .trans_a = true}, 0.05, false);
}

static void products_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(products_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_geometries_equal_plain_c),
        cmocka_unit_test(bits_are_those_of_the_direct_form),
        cmocka_unit_test(products_equal_plain_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
