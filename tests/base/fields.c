// Arguments structs resolved by their tables, and specs.
#include "base/fields.h"
#include "base/memory.h"
#include "support.h"
#include <math.h>
#include <string.h>

typedef struct decay_args {
    double rate;
    int64_t steps;
} decay_args;
static const decay_args decay_defaults = {.rate = 0.5, .steps = 10};

static const cj__field decay_fields[] = {
    CJ__FIELD(decay_args, rate, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(decay_args, steps, CJ__FIELD_INT),
};

static const cj__choice decay_rows[] = {
    CJ__CHOICE("exponential", "Exponential", decay_fields, decay_defaults),
    CJ__PLAIN_CHOICE("none_at_all", "NoneAtAll"),
};
static const cj__catalog decays = {
    .what = "decay", .rows = decay_rows, .stride = sizeof *decay_rows, .count = 2};

typedef struct all_args {
    int64_t units, kernel[2], list[8];
    int count;
    double momentum, offset, clip;
    bool nesterov, bias;
    int64_t seed;
    const char *padding, *decay;
} all_args;
#define ALL_DEFAULTS                                                                           \
    .kernel = {2, 2}, .count = 3, .momentum = 0.9, .clip = INFINITY, .bias = true, .seed = -1, \
    .padding = "valid"
static const all_args all_defaults = {ALL_DEFAULTS};

static const cj__field all_fields[] = {
    CJ__FIELD(all_args, units, CJ__FIELD_INT, .required = true, CJ__POSITIVE),
    CJ__FIELD(all_args, kernel, CJ__FIELD_PAIR, .low = 1, .high = 100),
    CJ__FIELD(all_args, list, CJ__FIELD_LIST),
    CJ__FIELD(all_args, count, CJ__FIELD_INT32),
    CJ__FIELD(all_args, momentum, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(all_args, offset, CJ__FIELD_NUMBER),
    CJ__FIELD(all_args, clip, CJ__FIELD_LIMIT, CJ__NOT_NEGATIVE),
    CJ__FIELD(all_args, nesterov, CJ__FIELD_BOOL),
    CJ__FIELD(all_args, bias, CJ__FIELD_BOOL),
    CJ__FIELD(all_args, seed, CJ__FIELD_SEED),
    CJ__FIELD(all_args, padding, CJ__FIELD_TEXT, .required = true),
    CJ__SPEC_FIELD(all_args, decay, decays),
};
enum { ALL = sizeof all_fields / sizeof *all_fields };

static const cj__choice all_rows[] = {CJ__CHOICE("all", "All", all_fields, all_defaults)};
static const cj__catalog alls = {
    .what = "thing", .rows = all_rows, .stride = sizeof *all_rows, .count = 1};

static cj_status resolve(const all_args *args, all_args *resolved)
{
    *resolved = *args;
    return cj__fields_resolve(all_fields, ALL, resolved, "it_1");
}

static void zero_and_false_are_meant(void **state)
{
    (void)state;
    all_args resolved;
    assert_int_equal(resolve(&(all_args){.units = 4, .kernel = {1}, .padding = "valid"}, &resolved),
                     CJ_OK);
    assert_int_equal(resolved.kernel[1], 1);
    assert_int_equal(resolved.count, 0);
    assert_true(resolved.momentum == 0 && resolved.clip == 0 && resolved.seed == 0);
    assert_false(resolved.bias);
    assert_null(resolved.decay);
    cj__fields_free(all_fields, ALL, &resolved);
}

static void what_is_given_is_kept_and_copied(void **state)
{
    (void)state;
    char padding[] = "same";
    all_args resolved;
    assert_int_equal(
        resolve(&(all_args){ALL_DEFAULTS, .units = 1, .kernel = {3}, .momentum = 0, .bias = false,
                            .padding = padding, .decay = "exponential(0.1)"},
                &resolved),
        CJ_OK);
    padding[0] = '!';
    assert_int_equal(resolved.kernel[1], 3);
    assert_true(resolved.momentum == 0 && !signbit(resolved.momentum));
    assert_false(resolved.bias);
    assert_string_equal(resolved.padding, "same");
    assert_string_equal(resolved.decay, "exponential(0.1)");
    cj__fields_free(all_fields, ALL, &resolved);
}

static void bad_arguments_are_named(void **state)
{
    (void)state;
    static const struct {
        all_args args;
        const char *sentence;
    } cases[] = {
        {{ALL_DEFAULTS, .units = 0}, "it_1: units is required"},
        {{ALL_DEFAULTS, .units = -3}, "it_1: units must be at least 1, not -3"},
        {{ALL_DEFAULTS, .units = 1, .kernel = {3, 101}},
         "it_1: kernel must be from 1 to 100, not 101"},
        {{ALL_DEFAULTS, .units = 1, .momentum = 1.5},
         "it_1: momentum must be from 0 to 1, not 1.5"},
        {{ALL_DEFAULTS, .units = 1, .momentum = (double)NAN},
         "it_1: momentum must be a number, not NaN"},
        {{ALL_DEFAULTS, .units = 1, .seed = -2}, "it_1: seed must be at least 0, or -1 for none"},
        {{ALL_DEFAULTS, .units = 1, .kernel = {0, 0}}, "it_1: kernel must be from 1 to 100, not 0"},
        {{ALL_DEFAULTS, .units = 1, .offset = INFINITY}, "it_1: offset must be finite"},
        {{ALL_DEFAULTS, .units = 1, .padding = NULL}, "it_1: padding is required"},
        {{ALL_DEFAULTS, .units = 1, .decay = "exponental"}, "did you mean \"exponential\"?"},
        {{ALL_DEFAULTS, .units = 1, .padding = "x", .decay = "exponential(rate=2)"},
         "it_1: exponential: rate must be from 0 to 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        all_args resolved;
        support_memory_begin(-1);
        assert_int_equal(resolve(&cases[i].args, &resolved), CJ_INVALID_ARGUMENT);
        support_memory_end();
        assert_error_contains(cases[i].sentence);
    }
}

static void a_spec_is_a_name_with_arguments(void **state)
{
    (void)state;
    static const char *const same[] = {
        "all(7, kernel=(3, 5), list=[1,2], momentum=0, clip=none, bias=false, seed=0, "
        "padding='same', "
        "decay=exponential(rate=0.1))",
        " All ( units = 7 ,kernel=[3,5], list=(1, 2),momentum=0.0,bias=False,seed=0,padding=same, "
        "decay=exponential(rate=0.1) "
        ") ",
    };
    for (int i = 0; i < 2; i++) {
        cj__chosen chosen;
        assert_int_equal(cj__spec_parse(&alls, same[i], "who", &chosen), CJ_OK);
        const all_args *args = (const all_args *)(const void *)chosen.args;
        assert_int_equal(args->units, 7);
        assert_int_equal(args->kernel[1], 5);
        assert_int_equal(args->list[1], 2);
        assert_true(args->momentum == 0 && isinf(args->clip) && args->seed == 0);
        assert_false(args->bias);
        assert_string_equal(args->padding, "same");
        assert_string_equal(args->decay, "exponential(rate=0.1)");
        char *text = cj__spec_text(chosen.choice, chosen.args);
        assert_string_equal(text, "all(units=7, kernel=(3, 5), list=(1, 2), momentum=0, "
                                  "bias=false, seed=0, padding=same, "
                                  "decay=exponential(rate=0.1))");
        cj__chosen again;
        assert_int_equal(cj__spec_parse(&alls, text, "who", &again), CJ_OK);
        assert_int_equal(((const all_args *)(const void *)again.args)->kernel[1], 5);
        cj__chosen_free(&again);
        cj__free(text);
        cj__chosen_free(&chosen);
    }
}

static void defaults_are_written_as_the_name_alone(void **state)
{
    (void)state;
    cj__chosen chosen;
    assert_int_equal(cj__spec_parse(&decays, "Exponential()", "who", &chosen), CJ_OK);
    char *text = cj__spec_text(chosen.choice, chosen.args);
    assert_string_equal(text, "exponential");
    cj__free(text);
    cj__chosen_free(&chosen);
    assert_int_equal(cj__spec_parse(&decays, NULL, "who", &chosen), CJ_OK);
    assert_null(chosen.choice);
    assert_int_equal(cj__spec_parse(&decays, "", "who", &chosen), CJ_OK);
    assert_null(chosen.choice);
    cj__chosen_free(&chosen);
}

static void a_bad_spec_is_answered_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *sentence;
    } cases[] = {
        {"exponentail", "who: unknown decay \"exponentail\": did you mean \"exponential\"?"},
        {"exponential(raet=0.1)", "did you mean \"rate\"?"},
        {"exponential(rate=fast)", "exponential: rate: \"fast\" is not a number"},
        {"exponential(rate=0.1x)", "\"0.1x\" is not a number"},
        {"exponential(rate=1.5)", "must be from 0 to 1, not 1.5"},
        {"exponential(steps=1.5)", "\"1.5\" is not a whole number"},
        {"exponential(steps=99999999999999999999)", "64 bits"},
        {"exponential(rate=0.1", "a closing parenthesis is missing"},
        {"exponential(rate=0.1) twice", "\"twice\" follows the closing parenthesis"},
        {"exponential(rate=0.1, rate=0.2)", "rate is given twice"},
        {"exponential(0.1, rate=0.2)", "rate is given twice"},
        {"exponential(0.1,,)", "an argument is empty"},
        {"exponential(0.1, 2, 3)", "takes 2 arguments at most"},
        {"none_at_all(1)", "takes 0 arguments at most"},
        {"(0.1)", "unknown decay \"\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cj__chosen chosen;
        support_memory_begin(-1);
        assert_int_equal(cj__spec_parse(&decays, cases[i].spec, "who", &chosen),
                         CJ_INVALID_ARGUMENT);
        support_memory_end();
        assert_error_contains(cases[i].sentence);
        assert_null(chosen.choice);
    }
    cj__chosen chosen;
    assert_int_equal(cj__spec_parse(&alls, "all(1, kernel=(1,2,3))", "who", &chosen),
                     CJ_INVALID_ARGUMENT);
    assert_int_equal(cj__spec_parse(&alls, "all(1, bias=maybe)", "who", &chosen),
                     CJ_INVALID_ARGUMENT);
    assert_int_equal(cj__spec_parse(&alls, "all", "who", &chosen), CJ_INVALID_ARGUMENT);
    assert_error_contains("units is required");
}

static cj_status parse_and_write(void *context)
{
    (void)context;
    cj__chosen chosen;
    CJ_TRY(cj__spec_parse(&alls, "all(1, padding=same, decay=exponential(0.1))", "who", &chosen));
    char *text = cj__spec_text(chosen.choice, chosen.args);
    const cj_status status = text ? CJ_OK : CJ_OUT_OF_MEMORY;
    cj__free(text);
    cj__chosen_free(&chosen);
    return status;
}

static void specs_survive_every_failed_allocation(void **state)
{
    (void)state;
    support_fail_each_allocation(parse_and_write, NULL);
}

typedef struct cut_args {
    const char *cuts;
} cut_args;
static const cut_args cut_defaults = {.cuts = NULL};
static const cj__field cut_fields[] = {CJ__FIELD(cut_args, cuts, CJ__FIELD_NUMBER_TEXT, CJ__SHARE)};
static const cj__choice cut_rows[] = {CJ__CHOICE("cut", "Cut", cut_fields, cut_defaults)};
static const cj__catalog cutters = {
    .what = "cutter", .rows = cut_rows, .stride = sizeof *cut_rows, .count = 1};

// The canonical spec of a spec; a sentence that contains `words` if it is refused.
static void expect_cuts(const char *spec, const char *canonical, const char *words)
{
    cj__chosen chosen;
    const cj_status status = cj__spec_parse(&cutters, spec, "it", &chosen);
    assert_int_equal(status, canonical ? CJ_OK : CJ_INVALID_ARGUMENT);
    if (!canonical) {
        assert_error_contains(words);
        return;
    }
    char *text = cj__spec_text(chosen.choice, chosen.args);
    assert_string_equal(text, canonical);
    cj__free(text);
    cj__chosen_free(&chosen);
}

static void lists_of_numbers_have_any_length(void **state)
{
    (void)state;
    double numbers[3] = {-1, -1, -1};
    assert_int_equal(cj__numbers_read(" ( 0.5, 1e-3,2 ) ", numbers, 2), 3);
    assert_true(numbers[0] == 0.5 && numbers[1] == 1e-3 && numbers[2] == -1);
    assert_int_equal(cj__numbers_read("[7]", numbers, 3), 1);
    assert_int_equal(cj__numbers_read("0, 1", numbers, 3), 2);
    assert_int_equal(cj__numbers_read("()", numbers, 3), 0);
    assert_int_equal(cj__numbers_read("", NULL, 0), 0);
    static const char *const bad[] = {"(1", "1)", "1 2", "1,,2", "one", "(1) 2", "1;2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(cj__numbers_read(bad[i], numbers, 3), -1);
    expect_cuts("cut", "cut", NULL);
    expect_cuts("cut(cuts=none)", "cut", NULL);
    expect_cuts("cut(cuts=0.5)", "cut(cuts=(0.5))", NULL);
    expect_cuts("cut(cuts=(0.25, 0.5))", "cut(cuts=(0.25, 0.5))", NULL);
    expect_cuts("cut(cuts=(0.25, 2))", NULL, "cuts must be from 0 to 1, not 2");
    expect_cuts("cut(cuts=(a, b))", NULL, "is not a list of numbers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_numbers_have_any_length),
        cmocka_unit_test(zero_and_false_are_meant),
        cmocka_unit_test(what_is_given_is_kept_and_copied),
        cmocka_unit_test(bad_arguments_are_named),
        cmocka_unit_test(a_spec_is_a_name_with_arguments),
        cmocka_unit_test(defaults_are_written_as_the_name_alone),
        cmocka_unit_test(a_bad_spec_is_answered_with_a_sentence),
        cmocka_unit_test(specs_survive_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
