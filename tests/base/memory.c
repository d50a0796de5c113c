// Checked allocation and the hook.
#include "base/memory.h"
#include "support.h"
#include <string.h>

static void new_blocks_are_zeroed_and_empty_ones_valid(void **state)
{
    (void)state;
    unsigned char *block = cj__new(100, 3);
    for (int i = 0; i < 300; i++)
        assert_int_equal(block[i], 0);
    cj__free(block);
    void *empty = cj__new(0, 8);
    assert_non_null(empty);
    cj__free(empty);
    cj__free(NULL);
}

static void a_product_that_overflows_is_refused(void **state)
{
    (void)state;
    cj_error_clear();
    assert_null(cj__new(SIZE_MAX / 2, 3));
    assert_int_equal(cj_error_status(), CJ_OUT_OF_MEMORY);
    assert_null(cj__resize(NULL, SIZE_MAX, 2));
    assert_null(cj__new_aligned(SIZE_MAX - 8, 0));
}

static void aligned_blocks_are_aligned_and_zeroed(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 63, 64, 4097, (2u << 20) - 1, 3u << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int huge = 0; huge < 2; huge++) {
            unsigned char *block = cj__new_aligned(sizes[i], huge);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % 64, 0);
            assert_int_equal(block[0], 0);
            assert_int_equal(block[sizes[i] - 1], 0);
            memset(block, 0xff, sizes[i]);
            cj__free_aligned(block, sizes[i]);
        }
    }
    cj__free_aligned(NULL, 0);
}

static void every_kind_of_block_goes_through_the_hook(void **state)
{
    (void)state;
    support_memory_begin(-1);
    void *plain = cj__new(1, 1), *aligned = cj__new_aligned(100, 0);
    char *text = cj__copy_text("text");
    assert_string_equal(text, "text");
    assert_null(cj__copy_text(NULL));
    plain = cj__resize(plain, 1000, 1);
    assert_int_equal(support_memory_live(), 3);
    cj__free(plain);
    cj__free_aligned(aligned, 100);
    cj__free(text);
    assert_int_equal(support_memory_end(), 4);
}

static void a_failing_hook_gives_null_and_a_sentence(void **state)
{
    (void)state;
    cj_error_clear();
    support_memory_begin(1);
    void *block = cj__new(1, 8);
    assert_null(cj__resize(block, 100, 1));
    assert_error_contains("out of memory");
    cj__free(block);
    support_memory_end();
}

static void reserve_doubles_and_keeps_on_failure(void **state)
{
    (void)state;
    int *items = NULL;
    size_t capacity = 0;
    assert_true(cj__reserve((void **)&items, &capacity, 1, sizeof *items));
    assert_true(capacity >= 1);
    const size_t before = capacity;
    items[0] = 42;
    assert_true(cj__reserve((void **)&items, &capacity, before + 1, sizeof *items));
    assert_int_equal(capacity, 2 * before);
    assert_int_equal(items[0], 42);
    assert_false(cj__reserve((void **)&items, &capacity, SIZE_MAX / 2, sizeof *items));
    assert_int_equal(capacity, 2 * before);
    cj__free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_blocks_are_zeroed_and_empty_ones_valid),
        cmocka_unit_test(a_product_that_overflows_is_refused),
        cmocka_unit_test(aligned_blocks_are_aligned_and_zeroed),
        cmocka_unit_test(every_kind_of_block_goes_through_the_hook),
        cmocka_unit_test(a_failing_hook_gives_null_and_a_sentence),
        cmocka_unit_test(reserve_doubles_and_keeps_on_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
