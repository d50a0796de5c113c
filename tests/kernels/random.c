// Dropout of every instruction set equals plain C's bit by bit: masks are the same on every
// machine.
#include "base/random.h"
#include "harness.h"

static void compare_dropout(const tables *t, int64_t first, int64_t n, double rate)
{
    const uint64_t key = (uint64_t)pick(INT64_MAX), step = (uint64_t)pick(INT64_MAX);
    operand x = operand_new(n, t->real_size), y = operand_new(n, t->real_size),
            e = operand_new(n, t->real_size);
    fill_worst(&x);
    t->ref->dropout(first, n, key, step, rate, x.data, e.data);
    t->fast->dropout(first, n, key, step, rate, x.data, y.data);
    assert_close(&y, &e, 0, 0, "dropout", t);
    t->fast->dropout(first, n, key, step, rate, x.data, x.data);
    assert_same_bits(&x, &y, "dropout in place", t);
    operand_free(&x), operand_free(&y), operand_free(&e);
}

static void masks_of(const tables *t)
{
    static const double rates[] = {0, 0.1, 0.25, 0.5, 0.9, 1};
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++)
        for (int64_t n = 0; n < 700; n += 1 + n / 6)
            compare_dropout(t, n % 3 == 0 ? 0 : pick(1000), n, rates[r]);
    compare_dropout(t, ((int64_t)1 << 34) - 50, 400, 0.5); // the counter's low word overflows
}

static void masks_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(masks_of);
}

static void ceil_div(const tables *t)
{
    enum { N = 1000, BEFORE = 7 };
    operand x = operand_new(N, t->real_size), y = operand_new(N, t->real_size),
            e = operand_new(N, t->real_size);
    fill_uniform(&x, -1, 1);
    t->fast->dropout(BEFORE, N, 42, 3, 0.3, x.data, e.data);
    for (int64_t at = 0, n; at < N; at += n) {
        n = 1 + pick(N - at < 300 ? N - at : 300);
        const size_t byte = (size_t)at * t->real_size;
        t->fast->dropout(BEFORE + at, n, 42, 3, 0.3, (char *)x.data + byte, (char *)y.data + byte);
    }
    assert_same_bits(&y, &e, "dropout in pieces", t);
    operand_free(&x), operand_free(&y), operand_free(&e);
}

static void pieces_give_the_bits_of_the_whole(void **unused)
{
    (void)unused;
    for_each_table(ceil_div);
}

// Each element follows its own word of the stream, kept where the word reaches the rate.
static void words_of(const tables *t)
{
    enum { N = 300 };
    operand x = operand_new(N, t->real_size), y = operand_new(N, t->real_size);
    fill_uniform(&x, 1, 2);
    t->fast->dropout(5, N, 9, 8, 0.5, x.data, y.data);
    for (int64_t i = 0; i < N; i++) {
        const int keeps = cj__random_word(9, 8, (uint64_t)(5 + i)) >= 0x80000000u;
        assert_true(operand_at(&y, i) == (keeps ? 2 * operand_at(&x, i) : 0));
    }
    operand_free(&x), operand_free(&y);
}

static void an_element_follows_its_own_word(void **unused)
{
    (void)unused;
    for_each_table(words_of);
}

// What is no number on either side, and in place.
static void gradients_of(const tables *t)
{
    for (int64_t n = 0; n < 300; n += 1 + n / 6) {
        operand y = operand_new(n, t->real_size), dy = operand_new(n, t->real_size),
                e = operand_new(n, t->real_size);
        operand dx = operand_new(n, t->real_size);
        fill_worst(&y);
        fill_worst(&dy);
        t->ref->relu_dropout_grad(n, y.data, dy.data, 1 / 0.7, e.data);
        t->fast->relu_dropout_grad(n, y.data, dy.data, 1 / 0.7, dx.data);
        assert_close(&dx, &e, 0, 0, "relu_dropout_grad", t);
        t->fast->relu_dropout_grad(n, y.data, dy.data, 1 / 0.7, dy.data);
        assert_same_bits(&dy, &dx, "relu_dropout_grad in place", t);
        operand_free(&y), operand_free(&dy), operand_free(&dx), operand_free(&e);
    }
}

static void gradients_behind_relu_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(gradients_of);
}

// The kernel that needs no mask gives the bits of those that make it again: dropout's, and ReLU's
// on what that gives.
static void without_a_mask_of(const tables *t)
{
    static const double rates[] = {0, 0.1, 0.5, 0.9, 1};
    enum { N = 500, EACH = 5 };
    for (int i = 0; i < EACH; i++) {
        operand x = operand_new(N, t->real_size), d = operand_new(N, t->real_size),
                dy = operand_new(N, t->real_size);
        operand e = operand_new(N, t->real_size), dx = operand_new(N, t->real_size);
        fill_worst(&x);
        fill_worst(&dy);
        t->fast->dropout(3, N, 5, 6, rates[i], x.data, d.data);
        t->fast->dropout(3, N, 5, 6, rates[i], dy.data, e.data);
        t->fast->unary_grad[CJ__UNARY_relu](N, NULL, x.data, e.data, e.data, 0, 0);
        t->fast->relu_dropout_grad(N, d.data, dy.data, rates[i] < 1 ? 1 / (1 - rates[i]) : 0,
                                   dx.data);
        assert_same_bits(&dx, &e, "relu_dropout_grad", t);
        operand_free(&x), operand_free(&d), operand_free(&dy), operand_free(&e), operand_free(&dx);
    }
}

static void gradients_without_a_mask_have_the_bits_of_those_with(void **unused)
{
    (void)unused;
    for_each_table(without_a_mask_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_equal_plain_c),
        cmocka_unit_test(pieces_give_the_bits_of_the_whole),
        cmocka_unit_test(an_element_follows_its_own_word),
        cmocka_unit_test(gradients_behind_relu_equal_plain_c),
        cmocka_unit_test(gradients_without_a_mask_have_the_bits_of_those_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
