// Layers as text: a spec gives the layer that its constructor gives, and what is none gets a sentence.
#include "layers/helpers.h"

#include "layers/layer.h"
#include <cajal/files.h>
#include <cajal/layer_specs.h>
#include <stdio.h>
#include <string.h>

// A model of one layer for images as JSON; to be freed.
static char *json_of(cj_layer *layer)
{
    char *json = NULL;
    cj_model *model = cj_sequential(cj_input(8, 8, 3), layer);
    if (!model)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    cj_release(model);
    return json;
}

static void expect_same(const char *spec, cj_layer *layer)
{
    char *given = json_of(cj_layer_from_spec(spec)), *needed = json_of(layer);
    assert_string_equal(given, needed);
    cj_free(given);
    cj_free(needed);
}

static void a_spec_gives_what_the_constructor_gives(void **state)
{
    (void)state;
    expect_same("flatten", cj_flatten());
    expect_same(" flatten ( ) ", cj_flatten());
    expect_same("Flatten", cj_flatten());
    expect_same("dense(10, activation=softmax)", cj_dense(10, .activation = "softmax"));
    expect_same("Dense(units=4, use_bias=False)", cj_dense(4, .use_bias = false));
    expect_same("conv2d(4, (3, 2), padding='same')", cj_conv2d(4, {3, 2}, .padding = "same"));
    expect_same("random_flip(horizontal)", cj_random_flip("horizontal"));
    expect_same("random_crop(4, 5, seed=7)", cj_random_crop(4, 5, .seed = 7));
    expect_same("random_translation(0.1, 0.2, fill_mode=nearest)",
                cj_random_translation(0.1, 0.2, .fill_mode = "nearest"));
    expect_same("random_contrast((0.1, 0.3))",
                cj_random_contrast(.factor_range = CJ_NUMBERS(0.1, 0.3)));
    expect_same("random_contrast(0.3, value_range=[0, 1])",
                cj_random_contrast(0.3, .value_range = CJ_NUMBERS(0, 1)));
    expect_same("normalization(mean=3, variance=(4))",
                cj_normalization(.mean = CJ_NUMBERS(3), .variance = CJ_NUMBERS(4)));
    expect_same("normalization(mean=(1,2,3), variance=(4,5,6))",
                cj_normalization(.mean = CJ_NUMBERS(1, 2, 3), .variance = CJ_NUMBERS(4, 5, 6)));
    expect_same("dropout(0.5, name=rest)", cj_dropout(0.5, .name = "rest"));
}

static void amounts_are_for_all_sides_for_each_axis_or_for_each_side(void **state)
{
    (void)state;
    expect_same("zero_padding2d(4)", cj_zero_padding2d(.padding = {{4, 4}, {4, 4}}));
    expect_same("zero_padding2d((1, 2))", cj_zero_padding2d(.padding = {{1, 1}, {2, 2}}));
    expect_same("zero_padding2d([1, 2, 3, 0])", cj_zero_padding2d(.padding = {{1, 2}, {3, 0}}));
    assert_null(cj_layer_from_spec("zero_padding2d((1, 2, 3))"));
    assert_error_contains("1, 2 or 4 whole numbers");
    assert_null(cj_layer_from_spec("zero_padding2d((1, 2, 3, 4, 5))"));
    assert_error_contains("(1, 2, 3, 4, 5)");
    assert_null(cj_layer_from_spec("zero_padding2d(-1)"));
    assert_error_contains("at least 0");
}

static void what_is_no_layer_gets_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *words;
    } wrong[] = {
        {"", "does not begin with the name of a layer"},
        {"(3)", "does not begin with the name of a layer"},
        {"dens(3)", "unknown layer \"dens\": did you mean \"dense\"?"},
        {"dense flatten", "unknown layer"},
        {"dense", "units"},
        {"dense(", "closing parenthesis is missing"},
        {"dense(3", "closing parenthesis is missing"},
        {"dense(3))", "follows the closing parenthesis"},
        {"dense(3), flatten", "follows the closing parenthesis"},
        {"dense(3, units=4)", "given twice"},
        {"dense(3, unit=4)", "did you mean"},
        {"dense(3, activation=rellu)", "did you mean \"relu\"?"},
        {"dense(x)", "\"x\""},
        {"dense(-3)", "units"},
        {"random_flip(sideways)", "sideways"},
        {"random_contrast((0.1; 0.3))", "no list of numbers"},
        {"normalization(mean=(1,2,3), variance=((4)))", "no list of numbers"},
        {"bidirectional", "layer"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_null(cj_layer_from_spec(wrong[i].spec));
        assert_error_contains(wrong[i].words);
    }
    char name[300];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_null(cj_layer_from_spec(name));
    assert_null(cj_layer_from_spec(NULL));
    assert_error_contains("cj_layer_from_spec");
}

static void a_failure_passes_through_a_model(void **state)
{
    (void)state;
    assert_null(cj_sequential(cj_input(3), cj_layer_from_spec("dens(3)")));
    assert_error_contains("did you mean \"dense\"?");
}

// Whatever the kind: its name alone is a layer, or a sentence that says what it needs.
static void every_name_is_answered(void **state)
{
    (void)state;
    for (const cj__layer_kind *const *kind = cj__layer_kinds; *kind; kind++)
        for (int by_class = 0; by_class < 2; by_class++) {
            const cj__choice *choice = &(*kind)->choice;
            cj_layer *layer = cj_layer_from_spec(by_class ? choice->class_name : choice->name);
            if (layer)
                assert_string_equal(cj_layer_class(layer), choice->class_name);
            else
                assert_true(strlen(cj_error()) > 0 && !strstr(cj_error(), "unknown"));
            cj_release(layer);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spec_gives_what_the_constructor_gives),
        cmocka_unit_test(amounts_are_for_all_sides_for_each_axis_or_for_each_side),
        cmocka_unit_test(what_is_no_layer_gets_a_sentence),
        cmocka_unit_test(a_failure_passes_through_a_model),
        cmocka_unit_test(every_name_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
