// Counting and floating.
#include "base/object.h"
#include "base/memory.h"
#include "support.h"

static int destroyed;

static void destroy(void *object)
{
    destroyed++;
    cj__free(object);
}

static const cj__class thing = {"thing", destroy}, other = {"other", destroy};

static int reset(void **state)
{
    (void)state;
    destroyed = 0;
    return 0;
}

static void the_last_release_destroys(void **state)
{
    (void)state;
    cj__object *object = cj__object_new(&thing, sizeof *object);
    assert_ptr_equal(cj_retain(object), object);
    cj_release(object);
    assert_int_equal(destroyed, 0);
    cj_release(object);
    assert_int_equal(destroyed, 1);
    cj_release(NULL);
    assert_null(cj_retain(NULL));
}

static void the_first_owner_takes_a_floating_object_over(void **state)
{
    (void)state;
    cj__object *object = cj__object_new(&thing, sizeof *object);
    cj__own(object);
    cj__own(object); // a second owner holds it beside the first
    cj_release(object);
    assert_int_equal(destroyed, 0);
    cj_release(object);
    assert_int_equal(destroyed, 1);
    assert_null(cj__own(NULL));
}

static void a_user_who_retained_keeps_it_beside_its_owner(void **state)
{
    (void)state;
    cj__object *object = cj__object_new(&thing, sizeof *object);
    cj_retain(object);
    cj__own(object);
    cj_release(object); // the owner's
    assert_int_equal(destroyed, 0);
    cj_release(object); // the user's
    assert_int_equal(destroyed, 1);
}

static void dropping_releases_floating_objects_only(void **state)
{
    (void)state;
    cj__object *floating = cj__object_new(&thing, sizeof *floating);
    cj__drop_floating(floating);
    assert_int_equal(destroyed, 1);
    cj__object *owned = cj__own(cj__object_new(&thing, sizeof *owned));
    cj__drop_floating(owned);
    assert_int_equal(destroyed, 1);
    cj_release(owned);
    cj__drop_floating(NULL);
}

static void an_object_knows_its_class(void **state)
{
    (void)state;
    cj__object *object = cj__object_new(&thing, sizeof *object);
    assert_true(cj__is(object, &thing));
    assert_false(cj__is(object, &other));
    assert_false(cj__is(NULL, &thing));
    cj_release(object);
}

static void what_is_taken_is_released_by_its_taker(void **state)
{
    (void)state;
    cj__object *object = cj__object_new(&thing, sizeof *object);
    assert_ptr_equal(cj_take(object), object);
    cj__own(object); // what is built from it holds it beside the taker
    cj_release(object);
    assert_int_equal(destroyed, 0);
    assert_ptr_equal(cj_take(object), object); // a second wrapper
    cj_release(object);
    cj_release(object);
    assert_int_equal(destroyed, 1);
    assert_null(cj_take(NULL));
}

static void a_failed_builder_does_not_drop_what_was_taken(void **state)
{
    (void)state;
    cj__object *object = cj_take(cj__object_new(&thing, sizeof *object));
    cj__drop_floating(object);
    assert_int_equal(destroyed, 0);
    cj_release(object);
    assert_int_equal(destroyed, 1);
}

static void other_pointers_are_refused_with_a_sentence(void **state)
{
    (void)state;
    static const char text[64] = "this is no object";
    _Alignas(cj__object) char zeros[64] = {0};
    const void *wrong[] = {zeros, text, text + 1};
    for (int i = 0; i < 3; i++) {
        cj_error_clear();
        assert_null(cj_retain(wrong[i]));
        assert_error_contains("cj_retain");
        assert_null(cj_take(wrong[i]));
        assert_null(cj__own(wrong[i]));
        cj_error_clear();
        cj_release(wrong[i]);
        assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
        cj__drop_floating(wrong[i]);
        assert_false(cj__is(wrong[i], &thing));
    }
    assert_int_equal(destroyed, 0);
}

static void release_within(void *object)
{
    destroyed++;
    cj_release(object); // a mistake in a destroy function must not run it again
    cj__free(object);
}

static void an_object_that_is_being_destroyed_is_gone(void **state)
{
    (void)state;
    static const cj__class careless = {"careless", release_within};
    cj_release(cj__object_new(&careless, sizeof(cj__object)));
    assert_int_equal(destroyed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_last_release_destroys, reset),
        cmocka_unit_test_setup(the_first_owner_takes_a_floating_object_over, reset),
        cmocka_unit_test_setup(a_user_who_retained_keeps_it_beside_its_owner, reset),
        cmocka_unit_test_setup(dropping_releases_floating_objects_only, reset),
        cmocka_unit_test_setup(an_object_knows_its_class, reset),
        cmocka_unit_test_setup(what_is_taken_is_released_by_its_taker, reset),
        cmocka_unit_test_setup(a_failed_builder_does_not_drop_what_was_taken, reset),
        cmocka_unit_test_setup(other_pointers_are_refused_with_a_sentence, reset),
        cmocka_unit_test_setup(an_object_that_is_being_destroyed_is_gone, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
