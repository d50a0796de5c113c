// Every setting of every kind of layer that has a range, a list of words or a catalog is refused
// outside of it, with a sentence that names the layer and the
// setting, or what was given for it.
#include "layers/samples.h"

#include <math.h>
#include <string.h>

// Puts a wrong value into the field of `args`; false if the table of fields allows anything.
static bool spoil(const cj__field *field, char *args)
{
    static const char *const nonsense = "nonsense(";
    char *slot = args + field->offset;
    const bool bounded = field->low < field->high;
    const double low = field->low - 1;
    const int64_t whole = (int64_t)low;
    switch (field->kind) {
    case CJ__FIELD_SPEC:
        memcpy(slot, &nonsense, sizeof nonsense);
        return true;
    case CJ__FIELD_TEXT:
        memcpy(slot, &nonsense, sizeof nonsense);
        return field->words != NULL;
    case CJ__FIELD_NUMBER:
        memcpy(slot, &low, sizeof low);
        return bounded && !field->optional;
    case CJ__FIELD_INT:
    case CJ__FIELD_PAIR:
    case CJ__FIELD_TRIPLE:
        memcpy(slot, &whole, sizeof whole);
        return bounded && !field->optional;
    default:
        return false;
    }
}

static void wrong_settings_are_refused_by_name(void **state)
{
    (void)state;
    int tried = 0;
    for (size_t i = 0; i < sample_count; i++) {
        cj_layer *layer = sample_made(&samples[i]);
        const cj__choice *choice = &layer->kind->choice;
        for (int f = 0; f < choice->field_count; f++) {
            _Alignas(16) char args[SAMPLE_ARGS_MAX];
            sample_args(layer, args);
            if (!spoil(&choice->fields[f], args))
                continue;
            cj_error_clear();
            cj_layer *made = cj__layer_new(layer->kind, args);
            const bool named = choice->fields[f].kind == CJ__FIELD_SPEC ?
                                   strstr(cj_error(), "\"nonsense\"") != NULL :
                                   strstr(cj_error(), choice->fields[f].key) != NULL;
            if (made || !named || !strstr(cj_error(), cj_layer_name(layer)))
                fail_msg("%s, %s: %s", samples[i].class_name, choice->fields[f].key,
                         made ? "made" : cj_error());
            assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
            tried++;
        }
        cj_release(layer);
    }
    assert_true(tried > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_settings_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
