// Warnings reach the handler of the thread that they come from, and nothing else.
#include "base/warning.h"
#include "base/error.h"
#include "support.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void keep(const char *sentence, void *context)
{
    snprintf(context, 2000, "%s", sentence);
}

static void a_handler_gets_the_sentence(void **state)
{
    (void)state;
    char got[2000] = "", many[1500];
    cj__warn("dropped: %d", 1);
    cj_set_warning_handler(keep, got);
    cj__fail(CJ_IO, "an error");
    cj__warn("%s: %d", "layer", 2);
    assert_string_equal(got, "layer: 2");
    assert_string_equal(cj_error(), "an error");
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    cj__warn("%s", many);
    assert_int_equal(strlen(got), 1023);
    cj_set_warning_handler(NULL, NULL);
    cj__warn("dropped again");
    assert_int_equal(strlen(got), 1023);
}

static void *warn(void *context)
{
    (void)context;
    cj__warn("of another thread");
    return NULL;
}

static void each_thread_has_its_own(void **state)
{
    (void)state;
    char got[2000] = "";
    pthread_t thread;
    cj_set_warning_handler(keep, got);
    assert_int_equal(pthread_create(&thread, NULL, warn, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(got, "");
    cj_set_warning_handler(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_gets_the_sentence),
        cmocka_unit_test(each_thread_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
