// cj_explain() derives an element of every kind of layer, and cj_model_summary() and cj_plot() show it.
#define _POSIX_C_SOURCE 200809L
#include "layers/models.h"

#include <cajal/explain.h>
#include <cajal/plot.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void every_kind_is_explained(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        cj_layer *layer;
        cj_tensor *inputs[MODEL_INPUTS];
        cj_model *model = model_of(&samples[i], false, &layer);
        if (!model)
            continue;
        model_inputs(model, &samples[i], 1, inputs);
        char *text = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&text, &size);
        const cj_status status = cj_explain(model, inputs, stream);
        fclose(stream);
        if (status != CJ_OK || !strstr(text, "so output["))
            fail_msg("%s: %s\n%s", samples[i].class_name, cj_error(), text);
        if (strstr(text, "not explained yet"))
            fail_msg("%s", text);
        free(text);
        model_inputs_free(model, inputs);
        cj_release(model);
    }
}

// Numbers that are none, and infinite ones, are explained or refused, by no more than a sentence.
static void hostile_numbers_do_no_harm(void **state)
{
    (void)state;
    static const float hostile[] = {NAN, INFINITY, -INFINITY, 3e38f, -1e-42f};
    FILE *stream = fopen("/dev/null", "w");
    assert_non_null(stream);
    for (size_t i = 0; i < sample_count; i++) {
        cj_layer *layer;
        cj_tensor *inputs[MODEL_INPUTS];
        cj_model *model = model_of(&samples[i], false, &layer);
        if (!model)
            continue;
        for (size_t k = 0; k < sizeof hostile / sizeof hostile[0]; k++) {
            model_inputs(model, &samples[i], 1, inputs);
            float *x = cj_tensor_data(inputs[0]);
            if (cj_tensor_dtype(inputs[0]) == CJ_F32)
                x[cj_tensor_count(inputs[0]) / 2] = hostile[k];
            cj_error_clear();
            const cj_status status = cj_explain(model, inputs, stream);
            if (status != CJ_OK && !cj_error()[0])
                fail_msg("%s: no sentence", samples[i].class_name);
            model_inputs_free(model, inputs);
        }
        cj_release(model);
    }
    fclose(stream);
}

static void every_kind_is_in_the_summary_and_the_picture(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        cj_layer *layer;
        cj_model *model = model_of(&samples[i], false, &layer);
        if (!model)
            continue;
        for (int picture = 0; picture < 2; picture++) {
            char *text = NULL;
            size_t size = 0;
            FILE *stream = open_memstream(&text, &size);
            const cj_status status =
                picture ? cj_model_plot(model, stream) : cj_model_summary(model, stream);
            fclose(stream);
            char begin[10] = ""; // a long one is cut
            strncat(begin, samples[i].class_name, sizeof begin - 1);
            if (status != CJ_OK || !strstr(text, begin))
                fail_msg("%s is not in\n%s", samples[i].class_name, text);
            free(text);
        }
        cj_release(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_explained),
        cmocka_unit_test(hostile_numbers_do_no_harm),
        cmocka_unit_test(every_kind_is_in_the_summary_and_the_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
