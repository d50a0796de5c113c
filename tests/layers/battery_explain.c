// cj_explain() derives an element of every kind of layer, and cj_model_summary() and cj_plot() show it.
#define _POSIX_C_SOURCE 200809L
#include "layers/models.h"

#include <cajal/explain.h>
#include <cajal/plot.h>
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
        cmocka_unit_test(every_kind_is_in_the_summary_and_the_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
