// Philox against its published answers, and what is made from it.
#include "base/random.h"
#include "support.h"
#include <math.h>

// The known answers of Random123's kat_vectors for philox4x32, 10 rounds.
static void philox_gives_the_published_answers(void **state)
{
    (void)state;
    static const struct {
        uint64_t key, step, index;
        uint32_t words[4];
    } known[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822,
         0x0370734413198a2e,
         0x85a308d3243f6a88,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t words[4];
        cj__philox(known[i].key, known[i].step, known[i].index, words);
        assert_memory_equal(words, known[i].words, sizeof words);
    }
}

static void keys_differ_by_seed_and_by_consumer(void **state)
{
    (void)state;
    assert_true(cj__key(1, "dropout") == cj__key(1, "dropout"));
    assert_true(cj__key(1, "dropout") != cj__key(2, "dropout"));
    assert_true(cj__key(1, "dropout") != cj__key(1, "dropout_1"));
}

static void words_are_those_of_their_blocks(void **state)
{
    (void)state;
    uint32_t words[4];
    cj__philox(9, 8, 7, words);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(cj__random_word(9, 8, 28 + i), words[i]);
}

// Bounds at six standard errors of the mean: 1/sqrt(12 n) for uniform, 1/sqrt(n) for normal
// numbers; and of the variance: sqrt(1/180 n) and sqrt(2/n).
static void uniform_and_normal_have_their_moments(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    double sum = 0, squares = 0, normal_sum = 0, normal_squares = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        const double u = cj__random_uniform(3, 1, i), n = cj__random_normal(3, 2, i);
        assert_true(u >= 0 && u < 1 && u * 0x1p24 == floor(u * 0x1p24));
        sum += u;
        squares += (u - 0.5) * (u - 0.5);
        normal_sum += n;
        normal_squares += n * n;
    }
    assert_near(sum / COUNT, 0.5, 6 / sqrt(12.0 * COUNT), 0);
    assert_near(squares / COUNT, 1 / 12.0, 6 / sqrt(180.0 * COUNT), 0);
    assert_near(normal_sum / COUNT, 0, 6 / sqrt((double)COUNT), 0);
    assert_near(normal_squares / COUNT, 1, 6 * sqrt(2.0 / COUNT), 0);
}

static void an_order_holds_every_number_once(void **state)
{
    (void)state;
    int64_t order[1000], again[1000];
    cj__random_order(5, 0, order, 1000);
    cj__random_order(5, 0, again, 1000);
    assert_memory_equal(order, again, sizeof order);
    bool seen[1000] = {false};
    int64_t fixed = 0;
    for (int i = 0; i < 1000; i++) {
        assert_in_range(order[i], 0, 999);
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
        fixed += order[i] == i;
    }
    assert_true(fixed < 10);
    cj__random_order(5, 0, order, 0);
    cj__random_order(5, 0, order, 1);
    assert_int_equal(order[0], 0);
}

// 24 orders of 4, 24000 draws: chi-square with 23 degrees of freedom passes 60 once in 30000 times.
static void all_orders_are_alike_likely(void **state)
{
    (void)state;
    int counts[256] = {0};
    for (uint64_t step = 0; step < 24000; step++) {
        int64_t order[4];
        cj__random_order(11, step, order, 4);
        counts[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
    }
    double chi = 0;
    int kinds = 0;
    for (int i = 0; i < 256; i++) {
        kinds += counts[i] > 0;
        chi += counts[i] ? (counts[i] - 1000.0) * (counts[i] - 1000.0) / 1000 : 0;
    }
    assert_int_equal(kinds, 24);
    assert_true(chi < 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(keys_differ_by_seed_and_by_consumer),
        cmocka_unit_test(words_are_those_of_their_blocks),
        cmocka_unit_test(uniform_and_normal_have_their_moments),
        cmocka_unit_test(an_order_holds_every_number_once),
        cmocka_unit_test(all_orders_are_alike_likely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
