// Architectures as JSON: Keras's config form in and out, and every truncation a sentence.
#include "support.h"

#include <cajal.h>
#include <stdio.h>
#include <string.h>

static const char sequential[] =
    "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"net\", \"layers\": ["
    "{\"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 28, 28, 1], \"dtype\": "
    "\"uint8\"}},"
    "{\"class_name\": \"Rescaling\", \"config\": {\"scale\": 0.00392156862745098}},"
    "{\"class_name\": \"Conv2D\", \"config\": {\"filters\": 8, \"kernel_size\": [3, 3], "
    "\"activation\": \"relu\","
    " \"kernel_initializer\": {\"class_name\": \"HeNormal\", \"config\": {\"seed\": null}}, "
    "\"new_in_some_version\": "
    "3}},"
    "{\"class_name\": \"MaxPooling2D\", \"config\": {\"pool_size\": 2}},"
    "{\"class_name\": \"Flatten\", \"config\": {}},"
    "{\"class_name\": \"Dense\", \"config\": {\"units\": 10, \"activation\": \"softmax\","
    " \"kernel_regularizer\": {\"class_name\": \"L2\", \"config\": {\"l2\": 0.01}}}}]}}";

static cj_model *parse(const char *json)
{
    return cj_model_from_json(json, strlen(json));
}

static void sequential_model_is_read(void **state)
{
    (void)state;
    cj_model *model = parse(sequential);
    if (!model)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_model_layer_count(model), 5);
    assert_string_equal(cj_layer_name(cj_model_layer(model)), "net");
    assert_int_equal(cj_model_output_shape(model, 0)->dims[1], 10);
    cj_release(model);
}

static void written_json_reads_back_to_itself(void **state)
{
    (void)state;
    cj_model *model = parse(sequential);
    char *first = NULL, *second = NULL;
    assert_int_equal(cj_model_to_json(model, &first), CJ_OK);
    cj_model *again = parse(first);
    if (!again)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_model_to_json(again, &second), CJ_OK);
    assert_string_equal(first, second);
    cj_free(first), cj_free(second);
    cj_release(model), cj_release(again);
}

// Of files of Keras 2, and of programs: the first layer carries the input's shape. On a later layer it
// has no effect, as in Keras.
static void a_first_layer_may_carry_the_input_shape(void **state)
{
    (void)state;
    static const char *const shapes[] = {"\"input_shape\": [6]", "\"batch_input_shape\": [null, 6]",
                                         "\"batch_shape\": [null, 6]"};
    char json[512];
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        snprintf(json, sizeof json,
                 "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": "
                 "\"Dense\", \"config\": {\"units\": 2, %s}}, {\"class_name\": \"Dense\", "
                 "\"config\": {\"units\": 3, \"input_shape\": [77]}}]}}",
                 shapes[i]);
        cj_model *model = parse(json);
        if (!model)
            fail_msg("%s: %s", shapes[i], cj_error());
        assert_int_equal(cj_model_input_shape(model, 0)->rank, 2);
        assert_int_equal(cj_model_input_shape(model, 0)->dims[1], 6);
        assert_int_equal(cj_model_output_shape(model, 0)->dims[1], 3);
        cj_release(model);
    }
    assert_null(parse("{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": "
                      "\"Dense\", \"config\": {\"units\": 2, \"input_shape\": \"six\"}}]}}"));
    assert_error_contains("shape");
}

static void every_truncation_gives_a_sentence(void **state)
{
    (void)state;
    for (size_t length = 0; length + 1 < sizeof(sequential); length++) {
        cj_error_clear();
        assert_null(cj_model_from_json(sequential, length));
        assert_true(strlen(cj_error()) > 10);
    }
}

static void what_is_not_supported_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *json, *sentence;
    } cases[] = {
        {"{}", "class_name"},
        {"[]", "class_name"},
        {"{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"Conv4D\", "
         "\"config\": {}}]}}",
         "Conv4D"},
        {"{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"Lambda\", "
         "\"config\": {}}]}}",
         "Lambda"},
        {"{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"Dense\", "
         "\"config\": "
         "{\"units\": -3}}]}}",
         "units"},
        {"{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"Dense\", "
         "\"config\": "
         "{\"units\": \"x\"}}]}}",
         "units"},
        {"{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"Conv2D\", "
         "\"config\": "
         "{\"filters\": 1,"
         " \"kernel_size\": 3, \"data_format\": \"channels_first\"}}]}}",
         "channels_first"},
        {"{\"class_name\": \"Functional\", \"config\": {\"layers\": [{\"class_name\": \"Dense\", "
         "\"name\": \"d\", "
         "\"config\": "
         "{\"units\": 1}, \"inbound_nodes\": [[[\"d\", 0, 0, {}]]]}], \"input_layers\": [], "
         "\"output_layers\": []}}",
         "circle"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof cases[0]; i++) {
        cj_error_clear();
        assert_null(parse(cases[i].json));
        assert_error_contains(cases[i].sentence);
    }
}

static void models_nested_too_deep_are_refused(void **state)
{
    (void)state;
    static const char open[] = "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[",
                      close[] = "]}}";
    enum { DEPTH = 400 };
    static char json[DEPTH * (sizeof(open) + sizeof(close)) + 1];
    for (int i = 0; i < DEPTH; i++)
        strcat(json, open);
    for (int i = 0; i < DEPTH; i++)
        strcat(json, close);
    assert_null(parse(json));
    assert_error_contains("deep");
}

static cj_status load_and_drop(void *context)
{
    cj_model *model = parse(context);
    cj_status status = model != NULL ? CJ_OK : cj_error_status();
    cj_release(model);
    return status;
}

static void failing_allocations_leak_nothing(void **state)
{
    (void)state;
    support_fail_each_allocation(load_and_drop, (void *)(uintptr_t)sequential);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequential_model_is_read),
        cmocka_unit_test(written_json_reads_back_to_itself),
        cmocka_unit_test(a_first_layer_may_carry_the_input_shape),
        cmocka_unit_test(every_truncation_gives_a_sentence),
        cmocka_unit_test(what_is_not_supported_is_named),
        cmocka_unit_test(models_nested_too_deep_are_refused),
        cmocka_unit_test(failing_allocations_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
