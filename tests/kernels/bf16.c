// Rounding to bfloat16 and products of bfloat16 operands: every instruction set equals plain C, and
// plain C the format.
#include "harness.h"

#include "base/memory.h"
#include <math.h>
#include <string.h>

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

// Lower halves that decide: nothing, a little, almost half, half, a little more, almost one.
static const uint32_t lower[] = {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
enum { LOWER = sizeof lower / sizeof *lower };

// The neighbour below |x| on the grid, or the one above, whichever is nearer; between both the one
// whose last bit is 0.
static uint32_t nearest_of(uint32_t bits)
{
    const uint32_t below = bits & 0xFFFF0000u, rest = bits & 0xFFFFu;
    const bool up = rest > 0x8000 || (rest == 0x8000 && (below & 0x10000u));
    return up ? below + 0x10000u : below;
}

static void rounds_all(const cj__kernels *k)
{
    float x[LOWER], y[LOWER];
    for (uint32_t high = 0; high <= 0xFFFF; high++) {
        for (int i = 0; i < LOWER; i++)
            x[i] = float_of(high << 16 | lower[i]);
        k->round_bf16(LOWER, x, y);
        for (int i = 0; i < LOWER; i++) {
            const uint32_t expected = nearest_of(bits_of(x[i]));
            if (isnan(x[i]) ? !isnan(y[i]) : bits_of(y[i]) != expected)
                fail_msg("%s: %08x rounds to %08x, not %08x", k->isa, (unsigned)bits_of(x[i]),
                         (unsigned)bits_of(y[i]), (unsigned)expected);
        }
    }
}

static void every_bfloat16_and_its_surroundings_round_to_the_nearest_even(void **state)
{
    (void)state;
    rounds_all(cj__kernels_of(CJ__ISA_REF, sizeof(float)));
    for (int isa = CJ__ISA_BASELINE; isa <= CJ__ISA_AMX; isa++)
        if (cj__kernels_of((cj__isa)isa, sizeof(float)))
            rounds_all(cj__kernels_of((cj__isa)isa, sizeof(float)));
}

static void round_of(const tables *t)
{
    for (int64_t n = 0; n < 70; n++) {
        operand x = operand_new(n, t->real_size), y = operand_new(n, t->real_size),
                e = operand_new(n, t->real_size);
        fill_worst(&x);
        t->ref->round_bf16(n, x.data, e.data);
        t->fast->round_bf16(n, x.data, y.data);
        assert_close(&y, &e, 0, 0, "round_bf16", t);
        t->fast->round_bf16(n, x.data, x.data);
        assert_same_bits(&x, &y, "round_bf16 in place", t);
        operand_free(&x), operand_free(&y), operand_free(&e);
    }
}

static void rounding_equals_plain_c(void **state)
{
    (void)state;
    for_each_table(round_of);
}

typedef struct product {
    const cj__kernels *k;
    cj__gemm_bf16 a;
} product;

static void run_product(const void *context, void *workspace, int phase, int64_t begin, int64_t end)
{
    const product *p = context;
    p->k->gemm_bf16_run(&p->a, workspace, phase, begin, end);
}

static void multiply(const cj__kernels *k, cj__gemm_bf16 a, void *c, sharing how)
{
    cj__job job;
    a.g.c = c;
    const product p = {k, a};
    k->gemm_bf16_job(&a, &job);
    run_job(&job, run_product, &p, how);
}

// Products of rounded operands below 1 are exact, and a sum of k errs by less than k + 2 units of
// the last place of 1 in any order. A rounded result may fall to the next bfloat16 where the sum is
// near a tie: 2^-7 relative.
static void compare_products(const tables *t, cj__gemm g, bool bias, bool worst, bool to_bf16)
{
    const int64_t a_rows = g.trans_a ? g.k : g.m, b_rows = g.trans_b ? g.n : g.k;
    operand a = operand_new(a_rows * g.lda, t->real_size),
            b = operand_new(b_rows * g.ldb, t->real_size);
    operand row = operand_new(g.n, t->real_size), c = operand_new(g.m * g.ldc, t->real_size);
    operand e = operand_new(g.m * g.ldc, t->real_size),
            again = operand_new(g.m * g.ldc, t->real_size);
    fill_uniform(&a, -1, 1), fill_uniform(&b, -1, 1), fill_uniform(&row, -1, 1);
    for (int i = 0; worst && i < 3 && a.count > 0 && b.count > 0; i++) {
        operand_put(&a, pick(a.count), i == 0 ? (double)NAN : (double)INFINITY);
        operand_put(&b, pick(b.count), i == 1 ? (double)INFINITY : 0);
    }
    if (!worst && a.count > 0)
        operand_put(&a, pick(a.count), 1e-40); // counts as it is, or as 0
    g.a = a.data, g.b = b.data, g.bias = bias ? row.data : NULL;
    const cj__gemm_bf16 args = {g, to_bf16};
    multiply(t->ref, args, e.data, SHARE_ALL);
    multiply(t->fast, args, c.data, SHARE_ALL);
    const double relative = to_bf16 ? 0x1p-7 : 8 * t->epsilon;
    assert_close(&c, &e, relative, (double)(g.k + 2) * t->epsilon, "bfloat16 product", t);
    if (to_bf16) {
        t->ref->round_bf16(c.count, c.data, again.data);
        for (int64_t i = 0; i < g.m; i++)
            for (int64_t j = 0; j < g.n; j++)
                if (!(operand_at(&again, i * g.ldc + j) - operand_at(&c, i * g.ldc + j) == 0) &&
                    isfinite(operand_at(&c, i * g.ldc + j)))
                    fail_msg("%s: a result is no bfloat16", t->fast->isa);
        operand_copy(&again, &c);
    }
    multiply(t->fast, args, again.data, SHARE_REVERSED);
    assert_same_bits(&again, &c, "bfloat16 product shared out from the last task", t);
    multiply(t->fast, args, again.data, SHARE_RANDOM);
    assert_same_bits(&again, &c, "bfloat16 product shared out at random", t);
    operand_free(&a), operand_free(&b), operand_free(&row);
    operand_free(&c), operand_free(&e), operand_free(&again);
}

static cj__gemm product_of(int64_t m, int64_t n, int64_t k, int way)
{
    const bool trans_a = way & 1, trans_b = way >> 1;
    return (cj__gemm){.m = m,
                      .n = n,
                      .k = k,
                      .lda = trans_a ? m : k,
                      .ldb = trans_b ? k : n,
                      .ldc = n,
                      .trans_a = trans_a,
                      .trans_b = trans_b,
                      .act = CJ__UNARY_NONE};
}

// A job that keeps what it makes of B, with other rows of A in a second run: as one that does all.
static void compare_with_kept(const tables *t, const cj__gemm *given)
{
    cj__gemm g = *given;
    cj__job job;
    g.keeps_b = true;
    t->fast->gemm_bf16_job(&(cj__gemm_bf16){g, false}, &job);
    if (job.prepares == 0)
        return;
    operand a = operand_new((g.trans_a ? g.k : g.m) * g.lda, t->real_size),
            b = operand_new((g.trans_b ? g.n : g.k) * g.ldb, t->real_size);
    operand c = operand_new(g.m * g.ldc, t->real_size), e = operand_new(g.m * g.ldc, t->real_size);
    void *workspace = cj__new_aligned(job.workspace, 0);
    assert_non_null(workspace);
    fill_uniform(&b, -1, 1);
    g.a = a.data, g.b = b.data, g.c = c.data;
    for (int run = 0; run < 3; run++) {
        fill_uniform(&a, -1, 1);
        for (int phase = run == 0 ? 0 : job.prepares; phase < job.phases; phase++)
            t->fast->gemm_bf16_run(&(cj__gemm_bf16){g, false}, workspace, phase, 0,
                                   job.tasks[phase]);
    }
    multiply(t->fast, (cj__gemm_bf16){g, false}, e.data, SHARE_ALL);
    assert_same_bits(&c, &e, "bfloat16 product with panels of an earlier one", t);
    cj__free_aligned(workspace, job.workspace);
    operand_free(&a), operand_free(&b), operand_free(&c), operand_free(&e);
}

static void products_of(const tables *t)
{
    static const cj__unary acts[] = {CJ__UNARY_NONE, CJ__UNARY_relu, CJ__UNARY_tanh};
    static const int64_t widths[] = {0, 1, 7, 15, 16, 17, 31, 33, 63, 64, 65, 80};
    if (t->fast->gemm_bf16_run == t->ref->gemm_bf16_run)
        return; // plain C's
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int64_t m = 0; m <= 14; m++)
            compare_products(t, product_of(m, widths[i], 1 + pick(70), (int)pick(4)), pick(2),
                             false, pick(2));
    for (int round = 0; round < 150; round++) {
        cj__gemm g =
            product_of(1 + pick(70), 1 + pick(150), pick(8) ? 1 + pick(300) : 0, (int)pick(4));
        g.lda += pick(3), g.ldb += pick(3), g.ldc += pick(3);
        g.act = acts[pick(3)];
        g.keeps_b = pick(2);
        compare_products(t, g, pick(2), pick(6) == 0 && g.act != CJ__UNARY_tanh, pick(2));
        compare_with_kept(t, &g);
    }
    for (int way = 0; way < 4; way++) // more than one piece of the sum, several blocks
        compare_products(t, product_of(70, 130, 1201, way), true, false, false);
}

// All sizes around the edges of tiles; and what only larger products have: blocks cut both ways,
// pieces of the sum that add to those before, in whole tiles and beyond them.
static void products_by_tiles_of(const tables *t)
{
    static const cj__unary acts[] = {CJ__UNARY_NONE, CJ__UNARY_relu, CJ__UNARY_tanh};
    if (t->fast->gemm_bf16_run == t->ref->gemm_bf16_run)
        return;
    for (int64_t size = 1; size <= 70; size++) {
        for (int way = 0; way < 4; way++) {
            compare_products(t, product_of(size, 1 + pick(70), 1 + pick(70), way), pick(2),
                             pick(8) == 0, pick(2));
            compare_products(t, product_of(1 + pick(70), size, 1 + pick(70), way), pick(2),
                             pick(8) == 0, pick(2));
            compare_products(t, product_of(1 + pick(70), 1 + pick(70), size, way), pick(2),
                             pick(8) == 0, pick(2));
        }
    }
    for (int way = 0; way < 4; way++) {
        static const int64_t large[][3] = {
            {290, 300, 40}, {33, 48, 4100}, {48, 32, 2080}, {600, 20, 33}, {20, 600, 33}};
        for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
            cj__gemm g = product_of(large[i][0], large[i][1], large[i][2], way);
            g.ldc += pick(3);
            g.act = acts[pick(3)];
            compare_products(t, g, pick(2), false, pick(2));
        }
    }
}

static void products_by_tiles_equal_plain_c(void **state)
{
    (void)state;
    for_each_table(products_by_tiles_of);
}

// Products of 64 x 64 x 64 and of one row: instructions for them are needed, and for the first
// their speed.
static void are_chosen_only_where_they_are_fast(void **state)
{
    (void)state;
    const cj__gemm square = product_of(64, 64, 64, 0), row = product_of(1, 64, 64, 0),
                   turned = product_of(1, 64, 64, 2);
    for (int isa = CJ__ISA_REF; isa <= CJ__ISA_AMX; isa++) {
        for (size_t size = sizeof(float); size <= sizeof(double); size *= 2) {
            const cj__kernels *k = cj__kernels_of((cj__isa)isa, size);
            if (!k)
                continue;
            const bool has = size == sizeof(float) && isa >= CJ__ISA_AVX512 && cj__cpu_has_bf16();
            assert_int_equal(k->gemm_bf16_pays(&square),
                             has && (isa == CJ__ISA_AMX || cj__cpu_bf16_is_quick()));
            assert_int_equal(k->gemm_bf16_pays(&row), has);
            assert_false(k->gemm_bf16_pays(&turned));
        }
    }
}

static void products_equal_plain_c(void **state)
{
    (void)state;
    for_each_table(products_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bfloat16_and_its_surroundings_round_to_the_nearest_even),
        cmocka_unit_test(rounding_equals_plain_c),
        cmocka_unit_test(products_equal_plain_c),
        cmocka_unit_test(products_by_tiles_equal_plain_c),
        cmocka_unit_test(are_chosen_only_where_they_are_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
