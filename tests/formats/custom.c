// Classes of a program's own: layers, losses and metrics are registered, trained, saved, loaded, copied
// and shown as those of the library; what is wrong with a class gets its sentence.
#include "support.h"

#include <cajal.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define REFUSED(made, sentence)          \
    do {                                 \
        cj_error_clear();                \
        assert_null(made);               \
        assert_error_contains(sentence); \
    } while (0)

#define FAILS(call, wanted, sentence)     \
    do {                                  \
        assert_int_equal((call), wanted); \
        assert_error_contains(sentence);  \
    } while (0)

// ---- A layer with every kind of setting ----

typedef struct blend {
    int64_t power;
    double start;
    bool center;
    const char *activation;
    const char *gain_constraint;
    cj_numbers factors;
    cj_layer *inner;
} blend;

static const blend blend_defaults = {.power = 1, .start = 1, .center = true};
static const cj_setting blend_settings[] = {
    CJ_SETTING_IN(blend, power, 1, 3),  CJ_SETTING(blend, start),
    CJ_SETTING(blend, center),          CJ_SETTING(blend, activation),
    CJ_SETTING(blend, gain_constraint), CJ_SETTING(blend, factors),
    CJ_SETTING(blend, inner),
};

static cj_status build_blend(cj_layer *layer, const void *settings, const cj_shape *inputs,
                             int count)
{
    const blend *s = settings;
    const cj_shape last = CJ_SHAPE(inputs[0].dims[inputs[0].rank - 1]);
    char start[48];
    assert_int_equal(count, 1);
    assert_int_equal(inputs[0].dims[0], CJ_BATCH);
    snprintf(start, sizeof start, "constant(%g)", s->start);
    CJ_TRY(cj_add_weight(layer, "gain", last, start, "l2(0.01)", true));
    CJ_TRY(cj_add_weight(layer, "seen", CJ_SHAPE(1), "zeros", NULL, false));
    return s->center ? cj_add_weight(layer, "shift", last, "zeros", NULL, true) : CJ_OK;
}

static cj_symbol *call_blend(const cj_layer_call *c)
{
    const blend *s = c->settings;
    cj_symbol *y = cj_op_multiply(c->inputs[0], c->weights[0]);
    for (int64_t i = 1; i < s->power; i++)
        y = cj_op_multiply(y, c->inputs[0]);
    for (int64_t i = 0; i < s->factors.count; i++)
        y = cj_op_multiply(y, cj_symbol_scalar(CJ_F32, s->factors.values[i]));
    if (s->center)
        y = cj_op_add(y, c->weights[2]);
    if (s->activation)
        y = cj_op_activation(s->activation, y);
    if (s->inner)
        y = cj_call_layer(c, s->inner, y);
    if (cj_update_weight(c, 1, cj_op_add(c->weights[1], cj_symbol_scalar(CJ_F32, 1))) != CJ_OK)
        return NULL;
    return y;
}

static cj_status check_blend(const void *settings)
{
    const blend *s = settings;
    return s->power > 1 && s->center ?
               cj_fail(CJ_INVALID_ARGUMENT, "a power and a center exclude each other") :
               CJ_OK;
}

static const cj_custom_layer_class blend_class =
    CJ_CUSTOM_LAYER("Blend", CJ_SETTINGS(blend_settings, blend_defaults), .build = build_blend,
                    .call = call_blend, .check = check_blend);

// ---- A loss, a metric that is a mean, and one with states ----

typedef struct weighted {
    double weight;
} weighted;

static const weighted weighted_defaults = {.weight = 2};
static const cj_setting weighted_settings[] = {CJ_SETTING_IN(weighted, weight, 0, 100)};

static cj_symbol *weighted_error(const void *settings, cj_symbol *t, cj_symbol *p)
{
    cj_symbol *weight = cj_symbol_scalar(CJ_F32, ((const weighted *)settings)->weight);
    return cj_op_multiply(weight,
                          cj_op_reduce_mean(cj_op_square(cj_op_subtract(t, p)), (int[]){-1}, 1));
}

// Counts of predictions above 0, and of all.
static cj_symbol *count_positive(const void *settings, cj_symbol *t, cj_symbol *p, cj_symbol *w)
{
    (void)settings, (void)t, (void)w;
    cj_symbol *ones = cj_op_ones_like(p);
    cj_symbol *above = cj_op_cast(cj_op_greater(p, cj_symbol_scalar(CJ_F32, 0)), CJ_F32);
    return cj_op_stack(
        (cj_symbol *[]){cj_op_reduce_sum(above, NULL, 0), cj_op_reduce_sum(ones, NULL, 0)}, 2, 0);
}

static double share_of(const void *settings, const double *states, int count)
{
    (void)settings;
    assert_int_equal(count, 2);
    return states[0] / states[1];
}

static const cj_custom_loss_class loss_class = CJ_CUSTOM_LOSS(
    "weighted_error", CJ_SETTINGS(weighted_settings, weighted_defaults), .values = weighted_error);
static const cj_custom_metric_class mean_class = CJ_CUSTOM_METRIC(
    "weighted_error", CJ_SETTINGS(weighted_settings, weighted_defaults), .values = weighted_error);
static const cj_custom_metric_class share_class =
    CJ_CUSTOM_METRIC("positive_share", .states = count_positive, .result = share_of, .rises = true);

static void register_all(void)
{
    assert_int_equal(cj_register_layer(&blend_class), CJ_OK);
    assert_int_equal(cj_register_loss(&loss_class), CJ_OK);
    assert_int_equal(cj_register_metric(&mean_class), CJ_OK);
    assert_int_equal(cj_register_metric(&share_class), CJ_OK);
}

static cj_model *make_model(void)
{
    return cj_sequential(cj_input(3),
                         cj_custom_layer(&blend_class,
                                         &(blend){.power = 1,
                                                  .start = 0.5,
                                                  .center = true,
                                                  .activation = "tanh",
                                                  .gain_constraint = "non_neg",
                                                  .factors = CJ_NUMBERS(2, 0.5),
                                                  .inner = cj_dense(4, .name = "inside")},
                                         NULL),
                         cj_dense(1));
}

static cj_dataset *make_data(void)
{
    cj_tensor *x, *y;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(12, 3), &x), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(12, 1), &y), CJ_OK);
    for (int i = 0; i < 36; i++)
        ((float *)cj_tensor_data(x))[i] = (float)(i * 7 % 11) / 11 - 0.4F;
    for (int i = 0; i < 12; i++)
        ((float *)cj_tensor_data(y))[i] = (float)(i % 3) - 1;
    return cj_dataset(.x = {x}, .y = {y});
}

static cj_status compile(cj_model *model)
{
    return cj_compile(model, .optimizer = cj_adam(0.01), .loss = "weighted_error(weight=3)",
                      .metrics = {"mse", "weighted_error", "positive_share"});
}

// Losses and metrics in the order of the log.
static void evaluate(cj_model *model, cj_dataset *data, double values[4])
{
    static const char *const names[] = {"loss", "mse", "weighted_error", "positive_share"};
    cj_results *results;
    assert_int_equal(cj_evaluate(model, data, &results, .batch_size = 5), CJ_OK);
    for (int i = 0; i < 4; i++)
        values[i] = cj_results_value(results, names[i]);
    cj_release(results);
}

static void trained_saved_and_loaded_it_is_the_same(void **state)
{
    (void)state;
    const char *path = "formats_custom.safetensors";
    double before[4], after[4], loaded[4];
    register_all();
    cj_dataset *data = make_data();
    cj_model *model = make_model();
    assert_non_null(model);
    assert_int_equal(compile(model), CJ_OK);
    assert_int_equal(cj_layer_variable_count(cj_model_layer(model)), 7);
    evaluate(model, data, before);
    assert_true(before[0] > 3 * before[1]); // and the regularizer
    assert_true(fabs(before[2] - 2 * before[1]) < 1e-6);
    assert_true(before[3] >= 0 && before[3] <= 1);
    assert_int_equal(cj_fit(model, data, .epochs = 8, .batch_size = 5, .verbose = CJ_SILENT),
                     CJ_OK);
    evaluate(model, data, after);
    assert_true(after[0] < before[0]);
    const cj_layer *own = cj_model_find_layer(model, "blend");
    assert_non_null(own);
    assert_string_equal(cj_layer_class(own), "Blend");
    bool counted = false; // 8 epochs of 3 steps
    for (int i = 0; i < cj_layer_variable_count(own); i++) {
        const cj_variable *v = cj_layer_variable(own, i);
        if (strcmp(cj_variable_name(v), "blend/seen") == 0)
            counted = *(const float *)cj_tensor_data(cj_variable_value(v)) == 24.0F;
    }
    assert_true(counted);
    assert_int_equal(cj_save(model, path), CJ_OK);
    cj_model *again = cj_load(path);
    assert_non_null(again);
    evaluate(again, data, loaded);
    assert_memory_equal(after, loaded, sizeof after);
    cj_release(again);
    cj_release(model);
    cj_release(data);
    remove(path);
}

static void its_json_names_class_and_settings(void **state)
{
    (void)state;
    char *json = NULL, *again = NULL;
    cj_model *model = make_model();
    assert_non_null(model);
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    static const char *const parts[] = {"\"class_name\": \"Blend\"",
                                        "\"registered_name\": \"Custom>Blend\"",
                                        "\"start\": 0.5",
                                        "\"activation\": \"tanh\"",
                                        "\"gain_constraint\": \"non_neg\"",
                                        "\"name\": \"inside\""};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strstr(json, parts[i]))
            fail_msg("%s is not in %s", parts[i], json);
    cj_model *read = cj_model_from_json(json, strlen(json));
    assert_non_null(read);
    assert_int_equal(cj_model_to_json(read, &again), CJ_OK);
    assert_string_equal(json, again);
    cj_free(json);
    cj_free(again);
    cj_release(read);
    cj_release(model);
}

static void a_class_that_nobody_registered_is_named(void **state)
{
    (void)state;
    static const char json[] =
        "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"module\": \"program\", "
        "\"class_name\": \"Whirlpool\", \"config\": {}, \"registered_name\": "
        "\"Custom>Whirlpool\"}]}}";
    REFUSED(cj_model_from_json(json, strlen(json)),
            "unknown layer class \"Whirlpool\": a class of your own is registered with "
            "cj_register_layer()");
    cj_model *model = cj_sequential(cj_input(3), cj_dense(1));
    FAILS(cj_compile(model, .loss = "whirlpool"), CJ_INVALID_ARGUMENT,
          "unknown loss \"whirlpool\": one of your own is registered with cj_register_loss()");
    FAILS(cj_compile(model, .loss = "mse", .metrics = {"whirlpool"}), CJ_INVALID_ARGUMENT,
          "unknown metric \"whirlpool\": one of your own is registered with cj_register_metric()");
    cj_release(model);
}

static void wrong_settings_get_their_sentence(void **state)
{
    (void)state;
    register_all();
    REFUSED(cj_custom_layer(&blend_class, &(blend){.power = 4}, NULL),
            "blend: power must be from 1 to 3, not 4");
    REFUSED(cj_custom_layer(&blend_class, &(blend){.power = 2, .center = true}, "b"),
            "b: a power and a center exclude each other");
    REFUSED(cj_custom_layer(&blend_class, NULL, "a/b"), "must have 1 to 127 characters and no");
    cj_model *model = cj_sequential(cj_input(3), cj_dense(1));
    FAILS(cj_compile(model, .loss = "weighted_error(weight=-1)"), CJ_INVALID_ARGUMENT,
          "weighted_error: weight must be from 0 to 100, not -1");
    FAILS(cj_compile(model, .loss = "weighted_error(weigth=1)"), CJ_INVALID_ARGUMENT,
          "did you mean \"weight\"?");
    FAILS(cj_compile(model, .loss = "weighted_error(reduction=none)"), CJ_UNSUPPORTED, "none");
    cj_release(model);
}

static cj_symbol *call_nothing(const cj_layer_call *c)
{
    (void)c;
    return NULL;
}

static cj_symbol *call_wrong(const cj_layer_call *c)
{
    return cj_op_matmul(c->inputs[0], c->inputs[0]);
}

static cj_symbol *values_of_nothing(const void *settings, cj_symbol *t, cj_symbol *p)
{
    (void)settings, (void)t, (void)p;
    return NULL;
}

static cj_symbol *values_by_feature(const void *settings, cj_symbol *t, cj_symbol *p)
{
    (void)settings;
    return cj_op_reduce_mean(cj_op_subtract(t, p), (int[]){0}, 1);
}

static void a_call_that_fails_gets_its_sentence(void **state)
{
    (void)state;
    static const cj_custom_layer_class nothing = CJ_CUSTOM_LAYER("Nothing", .call = call_nothing),
                                       wrong = CJ_CUSTOM_LAYER("Wrong", .call = call_wrong);
    static const cj_custom_loss_class none =
                                          CJ_CUSTOM_LOSS("no_values", .values = values_of_nothing),
                                      by =
                                          CJ_CUSTOM_LOSS("by_feature", .values = values_by_feature);
    REFUSED(cj_sequential(cj_input(3), cj_custom_layer(&nothing, NULL, NULL)),
            "nothing: an output of its call");
    REFUSED(cj_sequential(cj_input(3), cj_custom_layer(&wrong, NULL, NULL)), "wrong: ");
    assert_int_equal(cj_register_loss(&none), CJ_OK);
    assert_int_equal(cj_register_loss(&by), CJ_OK);
    cj_dataset *data = make_data();
    cj_model *model = cj_sequential(cj_input(3), cj_dense(1));
    assert_int_equal(cj_compile(model, .loss = "no_values"), CJ_OK);
    FAILS(cj_fit(model, data, .verbose = CJ_SILENT), CJ_INVALID_ARGUMENT, "no_values: the values");
    assert_int_equal(cj_compile(model, .loss = "by_feature"), CJ_OK);
    FAILS(cj_fit(model, data, .verbose = CJ_SILENT), CJ_SHAPE_MISMATCH,
          "by_feature: its values (1,) do not begin with the batch axis");
    cj_release(model);
    cj_release(data);
}

static void classes_that_are_none_get_their_sentence(void **state)
{
    (void)state;
    register_all();
    cj_custom_layer_class c = blend_class;
    cj_setting rows[2] = {CJ_SETTING(blend, power), CJ_SETTING(blend, power)};
    FAILS(cj_register_layer(NULL), CJ_INVALID_ARGUMENT, "cj_register_layer");
    c.name = NULL;
    FAILS(cj_register_layer(&c), CJ_INVALID_ARGUMENT, "the name of the class");
    c.name = "Two Words";
    FAILS(cj_register_layer(&c), CJ_INVALID_ARGUMENT, "letters, digits");
    c.name = "Dense";
    FAILS(cj_register_layer(&c), CJ_INVALID_ARGUMENT, "is the name of a layer of the library");
    c.name = "Blend";
    c.call = call_nothing;
    FAILS(cj_register_layer(&c), CJ_INVALID_ARGUMENT, "another class \"Blend\" is registered");
    REFUSED(cj_custom_layer(&c, NULL, NULL), "another class \"Blend\" is registered");
    c.name = "Other";
    c.settings = rows;
    c.setting_count = 2;
    FAILS(cj_register_layer(&c), CJ_INVALID_ARGUMENT, "two settings are called \"power\"");
    rows[1].name = "dtype";
    FAILS(cj_register_layer(&c), CJ_INVALID_ARGUMENT, "cannot be called \"dtype\"");
    rows[1].name = "far";
    rows[1].offset = sizeof(blend);
    FAILS(cj_register_layer(&c), CJ_INVALID_ARGUMENT, "lies outside");
    c.setting_count = 1;
    c.defaults = NULL;
    FAILS(cj_register_layer(&c), CJ_INVALID_ARGUMENT, "no defaults");
    c.defaults = &blend_defaults;
    c.output_count = 70000;
    FAILS(cj_register_layer(&c), CJ_INVALID_ARGUMENT, "70000 outputs");
    c.output_count = 1;
    c.call = NULL;
    FAILS(cj_register_layer(&c), CJ_INVALID_ARGUMENT, "has no call");
    cj_custom_metric_class m = mean_class;
    m.name = "mse";
    FAILS(cj_register_metric(&m), CJ_INVALID_ARGUMENT, "is the name of a metric of the library");
    m.name = "both";
    m.states = count_positive;
    FAILS(cj_register_metric(&m), CJ_INVALID_ARGUMENT, "either values, or states and a result");
    cj_custom_loss_class l = loss_class;
    l.name = "no";
    l.values = NULL;
    FAILS(cj_register_loss(&l), CJ_INVALID_ARGUMENT, "has no values");
    rows[0] = (cj_setting)CJ_SETTING(blend, inner);
    l = (cj_custom_loss_class)CJ_CUSTOM_LOSS(
        "layered", .settings = rows, .setting_count = 1, .defaults = &blend_defaults,
        .settings_size = sizeof blend_defaults, .values = weighted_error);
    FAILS(cj_register_loss(&l), CJ_INVALID_ARGUMENT, "of no kind that it can have");
}

static void words_for_calls_refuse_what_is_none(void **state)
{
    (void)state;
    cj_layer *dense = cj_dense(2);
    FAILS(cj_add_weight(dense, "w", CJ_SHAPE(1), NULL, NULL, true), CJ_INVALID_ARGUMENT,
          "for layers of one's own");
    FAILS(cj_add_weight(NULL, "w", CJ_SHAPE(1), NULL, NULL, true), CJ_INVALID_ARGUMENT,
          "the layer");
    cj_release(dense);
    FAILS(cj_add_loss(NULL, cj_symbol_scalar(CJ_F32, 1)), CJ_INVALID_ARGUMENT, "the call");
    FAILS(cj_update_weight(NULL, 0, cj_symbol_scalar(CJ_F32, 1)), CJ_INVALID_ARGUMENT, "the call");
    REFUSED(cj_call_layer(NULL, NULL, cj_symbol_scalar(CJ_F32, 1)), "the layer");
}

static void a_value_is_monitored_by_its_class(void **state)
{
    (void)state;
    register_all();
    cj_dataset *data = make_data();
    cj_model *model = make_model();
    assert_int_equal(compile(model), CJ_OK);
    assert_int_equal(
        cj_fit(model, data, .epochs = 2, .verbose = CJ_SILENT, .validation_data = data,
               .callbacks = {cj_early_stopping(.monitor = "val_positive_share", .patience = 5)}),
        CJ_OK);
    cj_release(model);
    cj_release(data);
}

static void summary_and_explanation_show_it(void **state)
{
    (void)state;
    char text[8192];
    cj_model *model = make_model();
    cj_tensor *x;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(cj_model_summary(model, file), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(1, 3), &x), CJ_OK);
    assert_int_equal(cj_explain(model, (cj_tensor *[]){x}, file), CJ_OK);
    rewind(file);
    const size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    assert_non_null(strstr(text, "blend (Blend)"));
    fclose(file);
    cj_release(x);
    cj_release(model);
}

static cj_status make_and_write(void *context)
{
    char *json = NULL;
    (void)context;
    cj_model *model = make_model();
    if (!model)
        return cj_error_status();
    const cj_status status = cj_model_to_json(model, &json);
    cj_free(json);
    cj_release(model);
    return status;
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
    register_all(); // what is registered stays
    support_fail_each_allocation(make_and_write, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trained_saved_and_loaded_it_is_the_same),
        cmocka_unit_test(its_json_names_class_and_settings),
        cmocka_unit_test(a_class_that_nobody_registered_is_named),
        cmocka_unit_test(wrong_settings_get_their_sentence),
        cmocka_unit_test(a_call_that_fails_gets_its_sentence),
        cmocka_unit_test(classes_that_are_none_get_their_sentence),
        cmocka_unit_test(words_for_calls_refuse_what_is_none),
        cmocka_unit_test(a_value_is_monitored_by_its_class),
        cmocka_unit_test(summary_and_explanation_show_it),
        cmocka_unit_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
