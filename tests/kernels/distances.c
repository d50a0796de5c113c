// Distances of every instruction set equal the plain C ones: between bytes to the digit.
#include "harness.h"
#include "kernels/distances.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t sizes[CJ__DISTANCE_COUNT] = {
#define ROW(name, element) [CJ__DISTANCE_##name] = sizeof(element),
    CJ__DISTANCES(ROW)
#undef ROW
};

// Distances of `count` queries to `rows` rows; columns beyond `count` are not meant.
static void measure(const cj__distances *t, int kind, const operand *q, const operand *x,
                    int64_t width, double *d)
{
    const int64_t count = q->count / width, rows = x->count / width;
    const size_t size = t->of[kind].panel_size(width);
    unsigned char *panel = aligned_alloc(64, (size + 127) / 64 * 64);
    int64_t *centred = malloc((size_t)rows * sizeof *centred + 1);
    assert_non_null(panel);
    assert_non_null(centred);
    memset(panel, 0xA5, (size + 127) / 64 * 64);
    t->of[kind].pack(count, width, q->data, panel);
    if (kind == CJ__DISTANCE_u8_l2)
        t->centre(rows, width, x->data, centred);
    t->of[kind].run(count, rows, width, panel, x->data, kind == CJ__DISTANCE_u8_l2 ? centred : NULL,
                    d);
    for (size_t i = size; i < (size + 127) / 64 * 64; i++)
        assert_int_equal(panel[i], 0xA5);
    free(panel);
    free(centred);
}

// A float distance differs from the exact one by what at most CJ__FLOAT_PIECE additions of terms of
// one sign round off, half an epsilon each, and the difference and its square: (CJ__FLOAT_PIECE +
// 3) / 2 epsilon of the sum.
static void compare(const cj__distances *t, int kind, int64_t count, int64_t rows, int64_t width,
                    bool worst)
{
    const bool bytes = sizes[kind] == 1;
    const double tolerance = bytes ? 0 : (CJ__FLOAT_PIECE + 3) * 0.5 * (double)FLT_EPSILON;
    operand q = operand_new(count * width, sizes[kind]), x = operand_new(rows * width, sizes[kind]);
    operand d = operand_new(rows * CJ__PANEL, sizeof(double)),
            e = operand_new(rows * CJ__PANEL, sizeof(double));
    fill_uniform(&q, bytes ? 0 : -4, bytes ? 256 : 4);
    fill_uniform(&x, bytes ? 0 : -4, bytes ? 256 : 4);
    for (int64_t i = 0; worst && i < q.count; i++)
        operand_put(&q, i, i / width % 2 ? 255 : 0);
    for (int64_t i = 0; worst && i < x.count; i++)
        operand_put(&x, i, i / width % 2 ? 0 : 255);
    measure(cj__distances_at(0), kind, &q, &x, width, e.data);
    measure(t, kind, &q, &x, width, d.data);
    for (int64_t j = 0; j < rows; j++)
        for (int64_t i = 0; i < count; i++) {
            const double got = operand_at(&d, j * CJ__PANEL + i),
                         due = operand_at(&e, j * CJ__PANEL + i);
            if (!(fabs(got - due) <= tolerance * due))
                fail_msg("%s, kind %d, %lld queries, %lld rows, width %lld: d[%lld][%lld] is "
                         "%.17g, expected %.17g",
                         t->isa, kind, (long long)count, (long long)rows, (long long)width,
                         (long long)j, (long long)i, got, due);
        }
    operand_free(&q), operand_free(&x), operand_free(&d), operand_free(&e);
}

static void for_each_kind(void (*body)(const cj__distances *t, int kind))
{
    for (int i = 1; cj__distances_at(i); i++)
        for (int kind = 0; kind < CJ__DISTANCE_COUNT; kind++)
            body(cj__distances_at(i), kind);
}

// Widths around groups of 2, 4 and 8 and around pieces; counts around vectors and parts; rows
// around tiles.
static void edges_of(const cj__distances *t, int kind)
{
    static const int64_t counts[] = {1,  2,  3,  4,  5,  7,  8,  9,  15,
                                     16, 17, 31, 32, 33, 48, 49, 63, 64};
    for (int64_t width = 1; width <= 19; width++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            compare(t, kind, counts[c], 1 + pick(26), width, pick(4) == 0);
    for (int64_t rows = 1; rows <= 26; rows++)
        compare(t, kind, 1 + pick(64), rows, 1 + pick(200), false);
}

static void every_edge_equals_plain_c(void **unused)
{
    (void)unused;
    for_each_kind(edges_of);
}

static void pieces_of_kind(const cj__distances *t, int kind)
{
    static const int64_t widths[] = {511,  512,  513,   1023,  1024,  1025,
                                     1031, 3072, 16383, 16384, 16385, 32771};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        compare(t, kind, 1 + pick(20), 1 + pick(14), widths[i], i % 2);
}

static void widths_of_several_pieces_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_kind(pieces_of_kind);
}

// 255^2 times 140001 needs 34 bits.
static void distances_beyond_32_bits_are_exact(void **unused)
{
    (void)unused;
    for (int i = 1; cj__distances_at(i); i++) {
        compare(cj__distances_at(i), CJ__DISTANCE_u8_l2, 3, 2, 140001, true);
        compare(cj__distances_at(i), CJ__DISTANCE_u8_l1, 3, 2, 140001, true);
    }
}

// A query alone, and among others, has the same bits.
static void company_of(const cj__distances *t, int kind)
{
    enum { COUNT = 41, ROWS = 13, WIDTH = 777 };
    operand q = operand_new(COUNT * WIDTH, sizes[kind]), x = operand_new(ROWS * WIDTH, sizes[kind]);
    static double all[ROWS * CJ__PANEL], one[ROWS * CJ__PANEL];
    fill_uniform(&q, 0, 256);
    fill_uniform(&x, 0, 256);
    measure(t, kind, &q, &x, WIDTH, all);
    for (int64_t i = 0; i < COUNT; i++) {
        operand alone = operand_new(WIDTH, sizes[kind]);
        memcpy(alone.data, (char *)q.data + (size_t)(i * WIDTH) * sizes[kind], WIDTH * sizes[kind]);
        measure(t, kind, &alone, &x, WIDTH, one);
        for (int64_t j = 0; j < ROWS; j++)
            assert_memory_equal(&one[j * CJ__PANEL], &all[j * CJ__PANEL + i], sizeof(double));
        operand_free(&alone);
    }
    operand_free(&q), operand_free(&x);
}

static void a_distance_does_not_depend_on_its_company(void **unused)
{
    (void)unused;
    for_each_kind(company_of);
}

// Each column in turn is below, equal, above or beside a NaN.
static void rows_below_thresholds_are_found(void **unused)
{
    (void)unused;
    enum { ROWS = 4 * CJ__PANEL + 1 };
    static double d[ROWS * CJ__PANEL], threshold[CJ__PANEL];
    uint8_t any[ROWS], due[ROWS];
    for (int i = 0; i < CJ__PANEL; i++)
        threshold[i] = i;
    for (int j = 0; j < ROWS; j++)
        for (int i = 0; i < CJ__PANEL; i++)
            d[j * CJ__PANEL + i] = i == j / 4 ? i - 1 + j % 4 * 0.5 : i + 1;
    for (int j = 3; j < ROWS - 1; j += 4)
        d[j * CJ__PANEL + j / 4] = (double)NAN;
    for (int t = 0; cj__distances_at(t); t++) {
        cj__distances_at(t)->any_below(ROWS, d, threshold, any);
        for (int j = 0; j < ROWS; j++)
            due[j] = j < ROWS - 1 && j % 4 != 2; // -1, -0.5, 0, NaN
        assert_memory_equal(any, due, sizeof due);
        threshold[5] = (double)NAN;
        cj__distances_at(t)->any_below(ROWS, d, threshold, any);
        for (int j = 0; j < ROWS; j++)
            assert_int_equal(any[j], 1);
        threshold[5] = 5;
    }
}

static void equal_rows_have_distance_zero(void **unused)
{
    (void)unused;
    for (int i = 0; cj__distances_at(i); i++)
        for (int kind = 0; kind < CJ__DISTANCE_COUNT; kind++) {
            double d[CJ__PANEL];
            operand q = operand_new(1234, sizes[kind]);
            fill_uniform(&q, 0, 256);
            measure(cj__distances_at(i), kind, &q, &q, 1234, d);
            assert_true(d[0] == 0);
            operand_free(&q);
        }
}

static void the_best_table_is_the_last(void **unused)
{
    (void)unused;
    int i = 0;
    while (cj__distances_at(i + 1))
        i++;
    assert_ptr_equal(cj__distances_best(), cj__distances_at(i));
    assert_string_equal(cj__distances_at(0)->isa, "ref");
    assert_null(cj__distances_at(i + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_edge_equals_plain_c),
        cmocka_unit_test(widths_of_several_pieces_equal_plain_c),
        cmocka_unit_test(distances_beyond_32_bits_are_exact),
        cmocka_unit_test(a_distance_does_not_depend_on_its_company),
        cmocka_unit_test(rows_below_thresholds_are_found),
        cmocka_unit_test(equal_rows_have_distance_zero),
        cmocka_unit_test(the_best_table_is_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
