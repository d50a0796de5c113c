// Losses by hand, and every element of a layer.
#include "explain/honest.h"
#include "support.h"
#include <cajal/explain_loss.h>
#include <cajal/metrics.h>
#include <cajal/train.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *text_of(const float *scores, int64_t count, cj_explain_loss_args args,
                     cj_status *status)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = tmpfile();
    cj_tensor *tensor = NULL;
    assert_non_null(stream);
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(1, count), scores, (size_t)count, &tensor),
                     CJ_OK);
    *status = cj_explain_loss_with(tensor, stream, &args);
    size = (size_t)ftell(stream);
    text = calloc(size + 1, 1);
    rewind(stream);
    assert_int_equal(fread(text, 1, size, stream), size);
    fclose(stream);
    cj_release(tensor);
    return text;
}

// The example of Stanford's CS231n: a cat with the scores 3.2, 5.1 and -1.7.
static void the_losses_of_a_cat(void **state)
{
    (void)state;
    const char *names[] = {"cat", "car", "frog"};
    cj_status status;
    char *text = text_of(
        (float[]){3.2F, 5.1F, -1.7F}, 3,
        (cj_explain_loss_args){CJ_EXPLAIN_LOSS_DEFAULTS, .class_names = names, .class_count = 3},
        &status);
    assert_int_equal(status, CJ_OK);
    assert_says(text, "class cat is the right one");
    assert_says(text, "car          max(0, 5.1 - 3.2 + 1) = 2.9\n");
    assert_says(text, "frog         max(0, -1.7 - 3.2 + 1) = 0\n  so the loss is 2.9\n");
    assert_says(text, "car          exp(0) = 1, probability 0.869");
    assert_says(text, "so the loss is -log(0.129983) = 2.04036\n");
    free(text);
}

// Both agree with the library's own losses, and large scores do not overflow.
static void they_are_what_training_computes(void **state)
{
    (void)state;
    const float scores[2][4] = {{1000, 999, -1000, 0}, {0.7F, 0.2F, 0.05F, 0.05F}};
    for (int i = 0; i < 2; i++) {
        cj_status status;
        char *text = text_of(
            scores[i], 4,
            (cj_explain_loss_args){CJ_EXPLAIN_LOSS_DEFAULTS, .label = 1, .probabilities = i == 1},
            &status);
        assert_int_equal(status, CJ_OK);
        cj_tensor *y_true = NULL, *y_pred = NULL;
        double loss = 0;
        assert_int_equal(cj_tensor_from(CJ_I32, CJ_SHAPE(1), (int32_t[]){1}, 1, &y_true), CJ_OK);
        assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(1, 4), scores[i], 4, &y_pred), CJ_OK);
        assert_int_equal(cj_loss_value(i ? "sparse_categorical_crossentropy" :
                                           "sparse_categorical_crossentropy(from_logits=true)",
                                       y_true, y_pred, NULL, NULL, &loss),
                         CJ_OK);
        const char *line = strstr(text, "-log(");
        assert_non_null(line);
        assert_near(strtod(strchr(line, '=') + 1, NULL), loss, 1e-5, 1e-5);
        cj_release(y_true), cj_release(y_pred);
        free(text);
    }
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    const float scores[2] = {1, 2}, nan[2] = {1, (float)NAN}, shares[2] = {0.5F, 1.5F};
    const char *names[] = {"a", NULL};
    cj_status status;
    const struct {
        const float *scores;
        cj_explain_loss_args args;
        const char *sentence;
    } cases[] = {
        {scores, {CJ_EXPLAIN_LOSS_DEFAULTS, .label = 2}, "label 2 is none of 2 classes"},
        {scores, {CJ_EXPLAIN_LOSS_DEFAULTS, .label = -1}, "label -1"},
        {scores, {CJ_EXPLAIN_LOSS_DEFAULTS, .margin = -1}, "the margin is -1"},
        {scores, {CJ_EXPLAIN_LOSS_DEFAULTS, .margin = (double)INFINITY}, "the margin is inf"},
        {scores,
         {CJ_EXPLAIN_LOSS_DEFAULTS, .class_names = names, .class_count = 1},
         "1 names for 2"},
        {scores,
         {CJ_EXPLAIN_LOSS_DEFAULTS, .class_names = names, .class_count = 2},
         "name 1 is NULL"},
        {nan, {CJ_EXPLAIN_LOSS_DEFAULTS}, "score 1 is nan"},
        {shares, {CJ_EXPLAIN_LOSS_DEFAULTS, .probabilities = true}, "score 1 is 1.5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        free(text_of(cases[i].scores, 2, cases[i].args, &status));
        assert_int_equal(status, CJ_INVALID_ARGUMENT);
        assert_error_contains(cases[i].sentence);
    }
    cj_tensor *two = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 2), &two), CJ_OK);
    assert_int_equal(cj_explain_loss(two, stdout), CJ_SHAPE_MISMATCH);
    assert_int_equal(cj_explain_loss(NULL, stdout), CJ_INVALID_ARGUMENT);
    cj_release(two);
}

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (; (text = strstr(text, part)); text++)
        count++;
    return count;
}

static void every_element_is_derived(void **state)
{
    (void)state;
    cj_tensor *x = NULL;
    const float numbers[3] = {1, -2, 3};
    cj_status status;
    cj_model *model = cj_sequential(cj_input(3), cj_dense(4, .activation = "relu"), cj_dense(5));
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(3), numbers, 3, &x), CJ_OK);
    char *text =
        honest_text(model, &x, (cj_explain_args){CJ_EXPLAIN_DEFAULTS, .every = true}, &status);
    assert_int_equal(status, CJ_OK);
    assert_int_equal(count_of(text, "so output["), 1 + 5); // of the first layer the largest alone
    assert_says(text, "unit 4: ");
    free(text);
    text = honest_text(model, &x,
                       (cj_explain_args){CJ_EXPLAIN_DEFAULTS, .every = true, .layer = "dense"},
                       &status);
    assert_int_equal(status, CJ_OK);
    assert_int_equal(count_of(text, "so output["), 4);
    free(text);
    free(honest_text(model, &x,
                     (cj_explain_args){CJ_EXPLAIN_DEFAULTS, .every = true, .has_index = true},
                     &status));
    assert_int_equal(status, CJ_INVALID_ARGUMENT);
    cj_release(model), cj_release(x);
    model = cj_sequential(cj_input(2), cj_dense(1001));
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(2), numbers, 2, &x), CJ_OK);
    free(honest_text(model, &x, (cj_explain_args){CJ_EXPLAIN_DEFAULTS, .every = true}, &status));
    assert_int_equal(status, CJ_INVALID_ARGUMENT);
    assert_error_contains("1001 elements");
    cj_release(model), cj_release(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_losses_of_a_cat),
        cmocka_unit_test(they_are_what_training_computes),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(every_element_is_derived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
