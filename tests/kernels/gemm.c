// Products of every instruction set equal the plain C ones.
#include "harness.h"

#include "base/memory.h"
#include <math.h>
#include <string.h>

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

static void multiply(const cj__kernels *k, cj__gemm g, void *c, sharing how)
{
    cj__job job;
    g.c = c;
    k->gemm_job(&g, &job);
    const product p = {k, g, cj__new_aligned(job.scratch, 0)};
    assert_non_null(p.scratch);
    run_job(&job, run_product, &p, how);
    cj__free_aligned(p.scratch, job.scratch);
}

// A sum of k products below 1 errs by less than k + 2 units of the last place of 1, whatever the
// order; tanh shrinks errors. Elements between the rows of C keep what they held, which the
// comparison with the copy shows.
static void compare_products(const tables *t, cj__gemm g, bool bias, bool worst)
{
    const int64_t a_rows = g.trans_a ? g.k : g.m, b_rows = g.trans_b ? g.n : g.k;
    operand a = operand_new(a_rows * g.lda, t->real_size),
            b = operand_new(b_rows * g.ldb, t->real_size);
    operand row = operand_new(g.n, t->real_size), c = operand_new(g.m * g.ldc, t->real_size);
    operand e = operand_new(g.m * g.ldc, t->real_size),
            again = operand_new(g.m * g.ldc, t->real_size);
    fill_uniform(&a, -1, 1);
    fill_uniform(&b, -1, 1);
    fill_uniform(&row, -1, 1);
    for (int i = 0; worst && i < 3 && a.count > 0 && b.count > 0; i++) {
        operand_put(&a, pick(a.count), i == 0 ? (double)NAN : (double)INFINITY);
        operand_put(&b, pick(b.count), i == 1 ? (double)INFINITY : 0);
    }
    g.a = a.data;
    g.b = b.data;
    g.bias = bias ? row.data : NULL;
    multiply(t->ref, g, e.data, SHARE_ALL);
    multiply(t->fast, g, c.data, SHARE_ALL);
    assert_close(&c, &e, 8 * t->epsilon, (double)(g.k + 2) * t->epsilon, "product", t);
    multiply(t->fast, g, again.data, SHARE_REVERSED);
    assert_same_bits(&again, &c, "product shared out from the last task", t);
    multiply(t->fast, g, again.data, SHARE_RANDOM);
    assert_same_bits(&again, &c, "product shared out at random", t);
    operand_free(&a), operand_free(&b), operand_free(&row);
    operand_free(&c), operand_free(&e), operand_free(&again);
}

// The same job twice over one workspace, of which the second run skips the phases that prepare, with
// other rows of A: as a job that does all.
static void compare_with_kept(const tables *t, const cj__gemm *given, const cj__job *job)
{
    cj__gemm g = *given;
    operand a = operand_new((g.trans_a ? g.k : g.m) * g.lda, t->real_size),
            b = operand_new((g.trans_b ? g.n : g.k) * g.ldb, t->real_size);
    operand c = operand_new(g.m * g.ldc, t->real_size), e = operand_new(g.m * g.ldc, t->real_size);
    void *workspace = cj__new_aligned(job->workspace, 0),
         *scratch = cj__new_aligned(job->scratch, 0);
    assert_true(workspace && scratch);
    fill_uniform(&b, -1, 1);
    g.a = a.data, g.b = b.data, g.c = c.data;
    for (int run = 0; run < 3; run++) {
        fill_uniform(&a, -1, 1);
        g.backwards = run == 2;
        for (int phase = run == 0 ? 0 : job->prepares; phase < job->phases; phase++)
            t->fast->gemm_run(&g, workspace, scratch, phase, 0, job->tasks[phase]);
    }
    g.backwards = false;
    multiply(t->fast, g, e.data, SHARE_ALL);
    assert_same_bits(&c, &e, "product with panels of an earlier one", t);
    cj__free_aligned(workspace, job->workspace), cj__free_aligned(scratch, job->scratch);
    operand_free(&a), operand_free(&b), operand_free(&c), operand_free(&e);
}

static cj__gemm product_of(int64_t m, int64_t n, int64_t k, bool trans_a, bool trans_b)
{
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

static void random_of(const tables *t)
{
    static const cj__unary acts[] = {CJ__UNARY_NONE, CJ__UNARY_relu, CJ__UNARY_tanh};
    for (int round = 0; round < 250; round++) {
        cj__gemm g =
            product_of(1 + pick(70), 1 + pick(150), pick(8) ? 1 + pick(300) : 0, pick(2), pick(2));
        g.lda += pick(3);
        g.ldb += pick(3);
        g.ldc += pick(3);
        g.act = acts[pick(3)];
        compare_products(t, g, pick(2), pick(6) == 0 && g.act != CJ__UNARY_tanh);
    }
}

static void random_products_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(random_of);
}

// Every size around the edges of tiles, for each way of transposing.
static void edges_of(const tables *t)
{
    static const int64_t widths[] = {0,  1,  2,  4,  7,  8,  15, 16, 17,
                                     31, 32, 33, 47, 49, 63, 64, 65, 80};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int64_t m = 0; m <= 25; m += 1 + m % 3)
            for (int way = 0; way < 4; way++) {
                const cj__gemm g = product_of(m, widths[i], 5, way & 1, way >> 1);
                compare_products(t, g, way == 0, false);
            }
}

static void tile_edges_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(edges_of);
}

// Sizes that are cut into several blocks in each direction.
static void large_of(const tables *t)
{
    for (int way = 0; way < 4; way++) {
        compare_products(t, product_of(130, 70, 1601, way & 1, way >> 1), true, false);
        compare_products(t, product_of(300, 200, 64, way & 1, way >> 1), false, false);
        compare_products(t, product_of(1, 600, 700, way & 1, way >> 1), false, false);
    }
}

static void products_of_many_blocks_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(large_of);
}

// Every form that the kernels choose by shape: dots, C computed transposed, few rows by a wide B,
// copies of A and of pieces of B, in float and double alike; with sums in several pieces,
// remainders on every side, bias and activations.
static void forms_of(const tables *t)
{
    static const struct {
        int64_t m, n, k;
    } sizes[] = {
        // dots, either way round
        {1, 37, 130},
        {3, 70, 161},
        {8, 33, 200},
        {90, 1, 70},
        {77, 7, 133},
        // C transposed
        {130, 10, 33},
        {33, 10, 129},
        {40, 130, 10},
        {35, 300, 64},
        {21, 90, 2100},
        // few rows
        {5, 1100, 130},
        {12, 2100, 70},
        // one
        {1, 1024, 256},
        {1, 1111, 133},
        {1, 2100, 500},
        // copies of A; blocks,
        {530, 270, 259},
        {300, 1100, 530},
        // whose B is packed by all, or by each of two for itself
        {270, 530, 300},
        {530, 270, 1950},
        {32, 128, 784},
        {1, 131, 1601},
        {61, 180, 390}, // the sum in parts
        // of many rows of A' B; the parts as they are, and turned
        {33, 70, 2050},
        {20, 130, 2500},
        {70, 33, 2100},
        {150, 17, 2600},
        {130, 1, 2048},
    };
    static const cj__unary acts[] = {CJ__UNARY_NONE, CJ__UNARY_relu, CJ__UNARY_tanh};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int way = 0; way < 4; way++) {
            cj__gemm g = product_of(sizes[i].m, sizes[i].n, sizes[i].k, way & 1, way >> 1);
            g.lda += way;
            g.ldb += 3;
            g.ldc += 2;
            g.act = acts[(i + (size_t)way) % 3];
            compare_products(t, g, way != 2, false);
        }
    }
}

// Only the second phase reads C's rows of A, so B packed once serves other As.
static void kept_of(const tables *t)
{
    static const struct {
        int64_t m, n, k;
    } sizes[] = {{1, 300, 70}, {1, 64, 1100}, {7, 65, 33}, {32, 520, 130}, {40, 4, 64}, {3, 1, 9}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int way = 0; way < 4; way++) {
            cj__gemm g = product_of(sizes[i].m, sizes[i].n, sizes[i].k, way & 1, way >> 1);
            cj__job job;
            g.ldb += 2;
            g.keeps_b = true;
            compare_products(t, g, way != 2, false);
            g.act = CJ__UNARY_NONE;
            t->fast->gemm_job(&g, &job);
            if (job.prepares > 0)
                compare_with_kept(t, &g, &job);
        }
    }
}

static void kept_panels_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(kept_of);
}

// Blocks that each pack B for themselves, several down and across, and sums in several pieces.
static void wide_of(const tables *t)
{
    compare_products(t, product_of(530, 270, 1950, false, false), true, false);
}

static void blocks_that_pack_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(wide_of);
}

static void every_form_equals_plain_c(void **unused)
{
    (void)unused;
    for_each_table(forms_of);
}

// An empty sum is the activation of the bias; no rows or no columns touch nothing.
static void empty_of(const tables *t)
{
    for (int way = 0; way < 4; way++) {
        compare_products(t, product_of(40, 10, 0, way & 1, way >> 1), true, false);
        compare_products(t, product_of(300, 600, 0, way & 1, way >> 1), false, false);
        compare_products(t, product_of(1, 1, 0, way & 1, way >> 1), true, false);
        compare_products(t, product_of(0, 600, 300, way & 1, way >> 1), true, false);
        compare_products(t, product_of(600, 0, 300, way & 1, way >> 1), false, false);
    }
}

static void empty_products_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(empty_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_products_equal_plain_c),
        cmocka_unit_test(tile_edges_equal_plain_c),
        cmocka_unit_test(products_of_many_blocks_equal_plain_c),
        cmocka_unit_test(every_form_equals_plain_c),
        cmocka_unit_test(kept_panels_equal_plain_c),
        cmocka_unit_test(blocks_that_pack_equal_plain_c),
        cmocka_unit_test(empty_products_equal_plain_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
