// Element-wise kernels of every instruction set equal the plain C ones.
#include "harness.h"
#include <math.h>
#include <string.h>

// Counts around the widths of vectors, and none.
static const int64_t counts[] = {0,  1,  2,  3,  4,  5,  7,  8,   9,  15,
                                 16, 17, 31, 33, 63, 64, 65, 130, 257};
enum { COUNTS = sizeof counts / sizeof *counts };

static const struct {
    const char *name;
    double low, high; // where the function is defined
    int reads_y;
} functions[CJ__UNARY_COUNT] = {
#define X                         0
#define Y                         1
#define CJ__ROW(name, reads, ...) [CJ__UNARY_##name] = {#name, -9, 9, reads},
    CJ__UNARIES(CJ__ROW)
#undef CJ__ROW
#undef X
#undef Y
};

// Parameters that float can hold, in the order that clip needs.
static const double A = -0.75, B = 1.5;

static int is_of_positives(int f)
{
    return f == CJ__UNARY_sqrt || f == CJ__UNARY_rsqrt || f == CJ__UNARY_log ||
           f == CJ__UNARY_log1p;
}

// The kernels in real arithmetic round after each of at most a dozen steps, polynomials within 4
// units in the last place; functions that take a difference (gelu, mish, elu) also lose what
// cancels, which the absolute part allows.
static void value_and_gradient_equal_plain_c(const tables *t, int f, int64_t n, int worst)
{
    const size_t size = t->real_size;
    operand x = operand_new(n, size), y = operand_new(n, size), e = operand_new(n, size),
            dy = operand_new(n, size);
    const double low = is_of_positives(f) ? 0.01 : functions[f].low;
    if (worst)
        fill_worst(&x);
    else
        fill_uniform(&x, low, functions[f].high);
    fill_uniform(&dy, -2, 2);
    t->ref->unary[f](n, x.data, e.data, A, B);
    t->fast->unary[f](n, x.data, y.data, A, B);
    assert_close(&y, &e, 16 * t->epsilon, 8 * t->epsilon, functions[f].name, t);
    if (!worst) {
        operand dx = operand_new(n, size), de = operand_new(n, size);
        const void *given_x = functions[f].reads_y ? NULL : x.data,
                   *given_y = functions[f].reads_y ? e.data : NULL;
        t->ref->unary_grad[f](n, given_x, given_y, dy.data, de.data, A, B);
        t->fast->unary_grad[f](n, given_x, given_y, dy.data, dx.data, A, B);
        assert_close(&dx, &de, 24 * t->epsilon, 16 * t->epsilon, functions[f].name, t);
        t->fast->unary_grad[f](n, given_x, given_y, dy.data, dy.data, A, B);
        assert_same_bits(&dy, &dx, functions[f].name, t);
        operand_free(&dx), operand_free(&de);
    }
    t->fast->unary[f](n, x.data, x.data, A, B);
    assert_same_bits(&x, &y, functions[f].name, t);
    operand_free(&x), operand_free(&y), operand_free(&e), operand_free(&dy);
}

static void unaries_of(const tables *t)
{
    for (int f = 0; f < CJ__UNARY_COUNT; f++)
        for (int c = 0; c < COUNTS; c++)
            value_and_gradient_equal_plain_c(t, f, counts[c], 0);
}

static void unary_functions_and_gradients_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(unaries_of);
}

static void worst_of(const tables *t)
{
    for (int f = 0; f < CJ__UNARY_COUNT; f++)
        for (int round = 0; round < 8; round++)
            value_and_gradient_equal_plain_c(t, f, 130, 1);
}

static void unary_functions_agree_on_the_worst_values(void **unused)
{
    (void)unused;
    for_each_table(worst_of);
}

// A lane must not know where its range begins: pieces give the bits of the whole.
static void pieces_of_table(const tables *t)
{
    enum { N = 150 };
    for (int f = 0; f < CJ__UNARY_COUNT; f++) {
        operand x = operand_new(N, t->real_size), y = operand_new(N, t->real_size),
                e = operand_new(N, t->real_size);
        fill_uniform(&x, is_of_positives(f) ? 0.01 : -9, 9);
        t->fast->unary[f](N, x.data, e.data, A, B);
        for (int64_t at = 0, n; at < N; at += n) {
            n = 1 + pick(N - at < 40 ? N - at : 40);
            const size_t byte = (size_t)at * t->real_size;
            t->fast->unary[f](n, (char *)x.data + byte, (char *)y.data + byte, A, B);
        }
        assert_same_bits(&y, &e, functions[f].name, t);
        operand_free(&x), operand_free(&y), operand_free(&e);
    }
}

static void pieces_give_the_bits_of_the_whole(void **unused)
{
    (void)unused;
    for_each_table(pieces_of_table);
}

// Rows with every combination of steps, with gaps between rows of operands, and without.
static void one_binary(const tables *t, int f, int compares, int64_t rows, int64_t cols, int steps,
                       int worst)
{
    const int64_t a_step = steps & 1, b_step = steps >> 1 & 1, gap = pick(3);
    const int64_t a_row = steps & 4 ? 0 : cols * a_step + gap,
                  b_row = steps & 8 ? 0 : cols * b_step + pick(2);
    const size_t size = t->real_size, y_size = compares ? 1 : size;
    operand a = operand_new(rows * (cols + 3) + 1, size),
            b = operand_new(rows * (cols + 3) + 1, size);
    operand y = operand_new(rows * cols, y_size), e = operand_new(rows * cols, y_size);
    if (worst) {
        fill_worst(&a);
        fill_worst(&b);
    } else {
        fill_uniform(&a, 0.25, 3);
        fill_uniform(&b, 0.25, 3);
    }
    if (compares) {
        t->ref->compare[f](rows, cols, a.data, a_row, a_step, b.data, b_row, b_step, e.data);
        t->fast->compare[f](rows, cols, a.data, a_row, a_step, b.data, b_row, b_step, y.data);
        assert_same_bits(&y, &e, "comparison", t);
    } else {
        t->ref->binary[f](rows, cols, a.data, a_row, a_step, b.data, b_row, b_step, e.data);
        t->fast->binary[f](rows, cols, a.data, a_row, a_step, b.data, b_row, b_step, y.data);
        assert_close(&y, &e, f == CJ__BINARY_power ? 8 * t->epsilon : t->epsilon, 0, "binary", t);
    }
    operand_free(&a), operand_free(&b), operand_free(&y), operand_free(&e);
}

// One operation, rounded once: float's result in double, rounded again, is the same number.
static void binaries_of(const tables *t)
{
    for (int compares = 0; compares < 2; compares++)
        for (int f = 0; f < (compares ? (int)CJ__COMPARISON_COUNT : (int)CJ__BINARY_COUNT); f++)
            for (int steps = 0; steps < 16; steps++)
                for (int c = 0; c < COUNTS; c++)
                    one_binary(t, f, compares, c % 4, counts[c], steps,
                               c % 2 && f != CJ__BINARY_power);
}

static void rows_of_two_operands_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(binaries_of);
}

static void scaling_of(const tables *t)
{
    for (int c = 0; c < COUNTS; c++) {
        const int64_t n = counts[c];
        operand x = operand_new(n, t->real_size), bytes = operand_new(n, 1);
        operand y = operand_new(n, t->real_size), e = operand_new(n, t->real_size);
        fill_uniform(&x, -300, 300);
        fill_uniform(&bytes, 0, 256);
        t->ref->rescale(n, x.data, 1.0 / 127.5, -1, e.data);
        t->fast->rescale(n, x.data, 1.0 / 127.5, -1, y.data);
        // The scale is rounded (half a unit of a product up to 3), the result is rounded.
        assert_close(&y, &e, t->epsilon, 3 * t->epsilon, "rescale", t);
        t->ref->rescale_u8(n, bytes.data, 1.0 / 255, 0, e.data);
        t->fast->rescale_u8(n, bytes.data, 1.0 / 255, 0, y.data);
        assert_close(&y, &e, 2 * t->epsilon, 0, "rescale_u8", t);
        operand_free(&x), operand_free(&bytes), operand_free(&y), operand_free(&e);
    }
}

static void scaling_equals_plain_c(void **unused)
{
    (void)unused;
    for_each_table(scaling_of);
}

static void selection_of(const tables *t)
{
    for (int c = 0; c < COUNTS; c++) {
        for (int steps = 0; steps < 4; steps++) {
            const int64_t n = counts[c];
            operand a = operand_new(n + 1, t->real_size), b = operand_new(n + 1, t->real_size);
            operand y = operand_new(n, t->real_size), e = operand_new(n, t->real_size),
                    which = operand_new(n, 1);
            fill_worst(&a);
            fill_worst(&b);
            fill_uniform(&which, 0, 2);
            t->ref->select(n, which.data, a.data, steps & 1, b.data, steps >> 1, e.data);
            t->fast->select(n, which.data, a.data, steps & 1, b.data, steps >> 1, y.data);
            assert_same_bits(&y, &e, "select", t);
            operand_free(&a), operand_free(&b), operand_free(&y), operand_free(&e),
                operand_free(&which);
        }
    }
}

static void selection_equals_plain_c(void **unused)
{
    (void)unused;
    for_each_table(selection_of);
}

static void transpose_of(const tables *t)
{
    for (int round = 0; round < 60; round++) {
        const int64_t rows = pick(40), cols = pick(40), ldx = cols + pick(3), ldy = rows + pick(3);
        operand x = operand_new(rows * ldx, t->real_size);
        operand y = operand_new(cols * ldy, t->real_size),
                e = operand_new(cols * ldy, t->real_size);
        fill_worst(&x);
        t->ref->transpose(rows, cols, x.data, ldx, e.data, ldy);
        t->fast->transpose(rows, cols, x.data, ldx, y.data, ldy);
        assert_same_bits(&y, &e, "transpose", t);
        operand_free(&x), operand_free(&y), operand_free(&e);
    }
}

static void transpose_equals_plain_c(void **unused)
{
    (void)unused;
    for_each_table(transpose_of);
}

// ---- Chains ----

// The kernel that does a link alone, on v in place; what a store or a sum makes of its operand.
static void run_link(const cj__kernels *k, const cj__link *link, int64_t n, operand *v)
{
    static const int binary[CJ__LINK_COUNT] = {
        [CJ__LINK_add] = CJ__BINARY_add,
        [CJ__LINK_subtract] = CJ__BINARY_subtract,
        [CJ__LINK_multiply] = CJ__BINARY_multiply,
        [CJ__LINK_divide] = CJ__BINARY_divide,
    };
    const size_t bytes = (size_t)n * k->real_size;
    switch (link->kind) {
    case CJ__LINK_load:
        memcpy(v->data, link->operand, bytes);
        break;
    case CJ__LINK_store:
        memcpy(link->operand, v->data, bytes);
        break;
    case CJ__LINK_sum:
        k->binary[CJ__BINARY_add](1, n, link->operand, 0, 1, v->data, 0, 1, link->operand);
        break;
    case CJ__LINK_subtract_from:
        k->binary[CJ__BINARY_subtract](1, n, link->operand, 0, 1, v->data, 0, 1, v->data);
        break;
    case CJ__LINK_negative:
        k->unary[CJ__UNARY_negative](n, v->data, v->data, 0, 0);
        break;
    case CJ__LINK_absolute:
        k->unary[CJ__UNARY_absolute](n, v->data, v->data, 0, 0);
        break;
    case CJ__LINK_reciprocal:
        k->unary[CJ__UNARY_reciprocal](n, v->data, v->data, 0, 0);
        break;
    case CJ__LINK_beyond:
    case CJ__LINK_reached:
        for (int64_t i = 0; i < n; i++) {
            const double u = operand_at(v, i);
            operand_put(v, i, u > 0 || (link->kind == CJ__LINK_reached && u >= 0));
        }
        break;
    case CJ__LINK_square:
        k->unary[CJ__UNARY_square](n, v->data, v->data, 0, 0);
        break;
    case CJ__LINK_relu:
        k->unary[CJ__UNARY_relu](n, v->data, v->data, 0, 0);
        break;
    case CJ__LINK_relu_grad:
        k->unary_grad[CJ__UNARY_relu](n, NULL, link->operand, v->data, v->data, 0, 0);
        break;
    case CJ__LINK_square_grad:
        k->unary_grad[CJ__UNARY_square](n, link->operand, NULL, v->data, v->data, 0, 0);
        break;
    default:
        k->binary[binary[link->kind]](1, n, v->data, 0, 1, link->operand, 0, 1, v->data);
    }
}

static bool has_operand(int kind)
{
    static const bool alone[CJ__LINK_COUNT] = {
        [CJ__LINK_negative] = true,   [CJ__LINK_absolute] = true, [CJ__LINK_square] = true,
        [CJ__LINK_reciprocal] = true, [CJ__LINK_beyond] = true,   [CJ__LINK_reached] = true,
        [CJ__LINK_relu] = true};
    return !alone[kind];
}

// A load, every other kind, and a store: by the chain, and by the kernels one by one. Operands are
// whole, or blocks that repeat.
static void chain_of(const tables *t, const cj__kernels *k, int64_t n, bool worst)
{
    enum { LINKS = CJ__LINK_COUNT + 1 };
    cj__link once[LINKS], alone[LINKS];
    operand chained[LINKS], single[LINKS], v = operand_new(n, t->real_size);
    for (int i = 0; i < LINKS; i++) {
        const int kind = i == 0 ? CJ__LINK_load : i < CJ__LINK_COUNT ? i : CJ__LINK_store;
        const bool repeats = i > CJ__LINK_sum && i % 2 && kind != CJ__LINK_store;
        chained[i] = operand_new(repeats ? CJ__CHAIN_BLOCK : n, t->real_size);
        single[i] = operand_new(n, t->real_size);
        if (worst)
            fill_worst(&chained[i]);
        else
            fill_uniform(&chained[i], -2, 2);
        for (int64_t e = 0; repeats && e < CJ__CHAIN_BLOCK; e++)
            operand_put(&chained[i], e, operand_at(&chained[i], 0));
        for (int64_t e = 0; e < n; e++)
            operand_put(&single[i], e, operand_at(&chained[i], repeats ? e % CJ__CHAIN_BLOCK : e));
        once[i] = (cj__link){.kind = (cj__link_kind)kind,
                             .repeats = repeats,
                             .operand = has_operand(kind) ? chained[i].data : NULL};
        alone[i] = (cj__link){.kind = (cj__link_kind)kind, .operand = single[i].data};
    }
    k->chain(n, once, LINKS);
    for (int i = 0; i < LINKS; i++)
        run_link(k, &alone[i], n, &v);
    for (int i = 0; i < LINKS; i++) {
        const bool writes = once[i].kind == CJ__LINK_store || once[i].kind == CJ__LINK_sum;
        if (writes && worst) // which NaN comes of two is the compiler's choice
            assert_close(&chained[i], &single[i], 0, 0, "chain", t);
        else if (writes)
            assert_same_bits(&chained[i], &single[i], "chain", t);
        operand_free(&chained[i]), operand_free(&single[i]);
    }
    operand_free(&v);
}

// Sums with a period, some of which stay in registers, against those of elements one by one.
static void periodic_chain_of(const tables *t, const cj__kernels *k, int64_t n, int period)
{
    enum { LINKS = 7, SUMS = 3 };
    static const cj__link_kind kinds[LINKS] = {CJ__LINK_load, CJ__LINK_sum,   CJ__LINK_multiply,
                                               CJ__LINK_sum,  CJ__LINK_store, CJ__LINK_negative,
                                               CJ__LINK_sum};
    cj__link links[LINKS];
    operand x[LINKS], sums[SUMS], expected[SUMS];
    for (int i = 0, s = 0; i < LINKS; i++) {
        const bool is_sum = kinds[i] == CJ__LINK_sum;
        x[i] = operand_new(n, t->real_size);
        fill_uniform(&x[i], -2, 2);
        links[i] = (cj__link){.kind = kinds[i], .operand = x[i].data};
        if (!is_sum)
            continue;
        sums[s] = operand_new(period, t->real_size);
        expected[s] = operand_new(period, t->real_size);
        fill_uniform(&sums[s], -2, 2);
        operand_copy(&expected[s], &sums[s]);
        links[i].period = period;
        links[i].operand = sums[s++].data;
    }
    for (int64_t i = 0; i < n; i++) {
        const double v[SUMS] = {operand_at(&x[0], i), operand_at(&x[0], i) * operand_at(&x[2], i),
                                -operand_at(&x[0], i) * operand_at(&x[2], i)};
        for (int s = 0; s < SUMS; s++) { // rounded to a real at each step
            operand one = operand_new(1, t->real_size);
            operand_put(&one, 0, v[s]);
            operand_put(&expected[s], i % period,
                        operand_at(&expected[s], i % period) + operand_at(&one, 0));
            operand_free(&one);
        }
    }
    k->chain(n, links, LINKS);
    for (int s = 0; s < SUMS; s++) {
        // in double the products of the test itself are not exact
        assert_close(&sums[s], &expected[s], 4 * t->epsilon, 64 * t->epsilon, "periodic sums", t);
        operand_free(&sums[s]), operand_free(&expected[s]);
    }
    for (int i = 0; i < LINKS; i++)
        operand_free(&x[i]);
}

static void periods_of(const tables *t)
{
    static const int periods[] = {1, 3, 16, 40, 48, 56, 64, 80, 96, 112, 128, 24, 130};
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++) {
        for (int64_t n = 0; n < 600; n += 1 + pick(70)) {
            periodic_chain_of(t, t->fast, n, periods[i]);
            periodic_chain_of(t, t->ref, n, periods[i]);
        }
    }
}

static void sums_with_a_period_are_those_of_elements(void **unused)
{
    (void)unused;
    for_each_table(periods_of);
}

static void chains_of(const tables *t)
{
    for (int c = 0; c < COUNTS; c++) {
        chain_of(t, t->fast, counts[c], false);
        chain_of(t, t->ref, counts[c], false);
    }
    chain_of(t, t->fast, 257, true);
}

static void chains_give_the_bits_of_single_kernels(void **unused)
{
    (void)unused;
    for_each_table(chains_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_give_the_bits_of_single_kernels),
        cmocka_unit_test(sums_with_a_period_are_those_of_elements),
        cmocka_unit_test(unary_functions_and_gradients_equal_plain_c),
        cmocka_unit_test(unary_functions_agree_on_the_worst_values),
        cmocka_unit_test(pieces_give_the_bits_of_the_whole),
        cmocka_unit_test(rows_of_two_operands_equal_plain_c),
        cmocka_unit_test(scaling_equals_plain_c),
        cmocka_unit_test(selection_equals_plain_c),
        cmocka_unit_test(transpose_equals_plain_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
