// Every kind of layer in a model that is made again: the same text, the same first weights, and with
// the weights the same results to the bit; nothing is shared.
#include "layers/models.h"

#include <cajal/clone.h>
#include <cajal/files.h>
#include <stdlib.h>
#include <string.h>

static bool same_bits(const cj_tensor *a, const cj_tensor *b)
{
    return cj_shape_equal(cj_tensor_shape(a), cj_tensor_shape(b)) &&
           memcmp(cj_tensor_data((cj_tensor *)(uintptr_t)a),
                  cj_tensor_data((cj_tensor *)(uintptr_t)b),
                  (size_t)cj_tensor_count(a) * cj_dtype_size(cj_tensor_dtype(a))) == 0;
}

static const cj_tensor *value_of(const cj_model *model, int index)
{
    return cj_variable_value(cj_layer_variable(cj_model_layer(model), index));
}

// Moves every weight, as training would.
static void disturb(const cj_model *model)
{
    for (int i = 0; i < cj_layer_variable_count(cj_model_layer(model)); i++) {
        cj_variable *variable = cj_layer_variable(cj_model_layer(model), i);
        cj_tensor *moved = NULL;
        assert_int_equal(cj_tensor_convert(cj_variable_value(variable), CJ_F32, &moved), CJ_OK);
        float *values = cj_tensor_data(moved);
        for (int64_t k = 0; k < cj_tensor_count(moved); k++)
            values[k] = values[k] * 0.75f + 0.125f;
        assert_int_equal(cj_variable_assign(variable, moved), CJ_OK);
        cj_release(moved);
    }
}

static void assert_same_weights(const char *what, const cj_model *a, const cj_model *b)
{
    const int count = cj_layer_variable_count(cj_model_layer(a));
    assert_int_equal(count, cj_layer_variable_count(cj_model_layer(b)));
    for (int i = 0; i < count; i++) {
        if (!same_bits(value_of(a, i), value_of(b, i)))
            fail_msg("%s: weight %s differs", what,
                     cj_variable_name(cj_layer_variable(cj_model_layer(a), i)));
        assert_ptr_not_equal(cj_layer_variable(cj_model_layer(a), i),
                             cj_layer_variable(cj_model_layer(b), i));
        assert_string_equal(cj_variable_name(cj_layer_variable(cj_model_layer(a), i)),
                            cj_variable_name(cj_layer_variable(cj_model_layer(b), i)));
    }
}

static void a_clone_begins_as_the_model_began(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        cj_layer *layer, *other;
        cj_model *model = model_of(&samples[i], true, &layer);
        if (!model)
            continue;
        cj_model *untouched = model_of(&samples[i], true, &other);
        disturb(model);
        cj_model *made = cj_clone(model);
        if (!made)
            fail_msg("%s: %s", samples[i].class_name, cj_error());
        if (!layer->kind->adapt)
            assert_same_weights(samples[i].class_name, untouched, made);
        cj_release(model), cj_release(untouched), cj_release(made);
    }
}

static void a_clone_with_weights_predicts_the_same_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        cj_layer *layer;
        cj_model *model = model_of(&samples[i], true, &layer);
        if (!model)
            continue;
        disturb(model);
        cj_model *made = cj_clone(model, .weights = true);
        if (!made)
            fail_msg("%s: %s", samples[i].class_name, cj_error());
        assert_same_weights(samples[i].class_name, model, made);
        cj_tensor *a = model_predicted(model, &samples[i]);
        cj_release(model); // the clone needs nothing of it
        cj_tensor *b = model_predicted(made, &samples[i]);
        if (!same_bits(a, b))
            fail_msg("%s: the clone predicts something else", samples[i].class_name);
        cj_release(a), cj_release(b), cj_release(made);
    }
}

static void a_clone_is_written_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        cj_layer *layer;
        char *first = NULL, *second = NULL;
        cj_model *model = model_of(&samples[i], true, &layer);
        if (!model)
            continue;
        cj_model *made = cj_clone(model);
        if (!made)
            fail_msg("%s: %s", samples[i].class_name, cj_error());
        if (!layer->kind->of_program) {
            if (cj_model_to_json(model, &first) != CJ_OK ||
                cj_model_to_json(made, &second) != CJ_OK)
                fail_msg("%s: %s", samples[i].class_name, cj_error());
            assert_string_equal(first, second);
        }
        cj_free(first), cj_free(second);
        cj_release(model), cj_release(made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clone_begins_as_the_model_began),
        cmocka_unit_test(a_clone_with_weights_predicts_the_same_bits),
        cmocka_unit_test(a_clone_is_written_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
