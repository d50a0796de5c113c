// Cross-validation of models: each fold is what a fresh model, trained by hand on the other folds,
// gives, and neither the number of threads nor what the model learnt before changes a bit of it.
#include "helpers.h"
#include <cajal/cross_validate.h>
#include <cajal/layers.h>
#include <cajal/preprocessing.h>
#include <cajal/streams.h>
#include <math.h>
#include <string.h>

enum { SAMPLES = 61, WIDTH = 6 };

static cj_cross_scores *scores;

// Three clouds of points.
static cj_dataset *clouds(void)
{
    cj_tensor *x = NULL, *y = NULL;
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, WIDTH), &x));
    assert_ok(cj_tensor_fill_normal(x, 5, 0, 0.7));
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(SAMPLES), &y));
    for (int i = 0; i < SAMPLES; i++) {
        ((uint8_t *)cj_tensor_data(y))[i] = (uint8_t)(i % 3);
        ((float *)cj_tensor_data(x))[i * WIDTH + i % 3] += 1.5F;
    }
    return cj_dataset(.x = {x}, .y = {y});
}

static cj_model *network(cj_pool *pool)
{
    cj_model *model = cj_sequential(cj_input(WIDTH), cj_dense(8, .activation = "relu"),
                                    cj_dropout(0.2), cj_dense(3, .activation = "softmax"));
    assert_ok(cj_compile(model, .optimizer = cj_adam(0.02),
                         .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"},
                         .pool = pool));
    return model;
}

static void each_fold_is_a_fresh_model(void **unused)
{
    (void)unused;
    cj_dataset *data = clouds();
    cj_model *model = network(&cj_default_pool);
    cj_folds *folds;
    assert_ok(cj_fit(model, data, .epochs = 2)); // which must not matter
    assert_ok(cj_cross_validate(model, data, &scores, .folds = 4, .stratified = true,
                                .shuffle = true, .seed = 9, .epochs = 3, .batch_size = 16));
    assert_int_equal(cj_cross_scores_folds(scores), 4);
    assert_int_equal(cj_cross_scores_count(scores), 2);
    assert_string_equal(cj_cross_scores_name(scores, 0), "loss");
    assert_string_equal(cj_cross_scores_name(scores, 1), "accuracy");
    assert_ok(cj_k_fold(data, &folds, .folds = 4, .stratified = true, .shuffle = true, .seed = 9));
    double sum = 0, squares = 0;
    for (int f = 0; f < 4; f++) {
        cj_dataset *train, *test;
        cj_results *results;
        cj_model *fresh = network(&cj_default_pool);
        assert_ok(cj_model_set_seed(fresh, (uint64_t)(9 + f)));
        assert_ok(cj_folds_split(folds, data, f, &train, &test));
        assert_ok(cj_fit(fresh, train, .epochs = 3, .batch_size = 16));
        assert_ok(cj_evaluate(fresh, test, &results, .batch_size = 16));
        assert_true(cj_results_value(results, "loss") == cj_cross_scores_value(scores, "loss", f));
        assert_true(cj_results_value(results, "accuracy") ==
                    cj_cross_scores_value(scores, "accuracy", f));
        assert_int_equal(cj_history_epochs(cj_cross_scores_history(scores, f)), 3);
        sum += cj_results_value(results, "loss");
        cj_release(results), cj_release(fresh), cj_release(train), cj_release(test);
    }
    for (int f = 0; f < 4; f++)
        squares += pow(cj_cross_scores_value(scores, "loss", f) - sum / 4, 2);
    assert_near(cj_cross_scores_mean(scores, "loss"), sum / 4, 0, 1e-15);
    assert_near(cj_cross_scores_deviation(scores, "loss"), sqrt(squares / 4), 0, 1e-12);
    assert_true(cj_cross_scores_mean(scores, "accuracy") > 0.5);
    assert_true(isnan(cj_cross_scores_mean(scores, "none")));
    assert_true(isnan(cj_cross_scores_value(scores, "loss", 4)));
    assert_null(cj_cross_scores_history(scores, 4));
    cj_release(folds), cj_release(scores), cj_release(model), cj_release(data);
}

static void threads_do_not_matter(void **unused)
{
    (void)unused;
    double losses[2][5];
    cj_dataset *data = clouds();
    for (int threads = 1; threads <= 2; threads++) {
        cj_pool *pool = cj_take(cj_pool_new(threads));
        cj_model *model = network(pool);
        assert_ok(cj_cross_validate(model, data, &scores, .epochs = 2));
        for (int f = 0; f < 5; f++)
            losses[threads - 1][f] = cj_cross_scores_value(scores, "loss", f);
        cj_release(scores), cj_release(model), cj_release(pool);
    }
    assert_memory_equal(losses[0], losses[1], sizeof losses[0]);
    cj_release(data);
}

static void the_model_stays_as_it_is(void **unused)
{
    (void)unused;
    float before[WIDTH * 8];
    cj_dataset *data = clouds();
    cj_model *model = network(&cj_default_pool);
    const cj_variable *kernel = cj_layer_variable(cj_model_layer(model), 0);
    assert_ok(cj_fit(model, data, .epochs = 1));
    memcpy(before, cj_tensor_data(cj_variable_value(kernel)), sizeof before);
    assert_ok(cj_cross_validate(model, data, &scores, .folds = 2));
    assert_memory_equal(before, cj_tensor_data(cj_variable_value(kernel)), sizeof before);
    cj_release(scores), cj_release(model), cj_release(data);
}

typedef struct seen {
    int prepared, done;
    double means[3];
} seen;

// Adapts the first layer to what the fold trains on, and takes more epochs.
static cj_status prepare(void *context, int fold, cj_model *model, cj_dataset *train,
                         cj_fit_args *fit)
{
    seen *s = context;
    cj_layer *layer = cj_model_layer_at(model, 0);
    assert_int_equal(fold, s->prepared);
    assert_string_equal(cj_layer_class(layer), "Normalization");
    CJ_TRY(cj_adapt(layer, cj_dataset_x(train, 0)));
    s->means[fold] = ((float *)cj_tensor_data(cj_variable_value(cj_layer_variable(layer, 0))))[0];
    s->prepared++;
    fit->epochs = 4;
    return CJ_OK;
}

static void count(void *context, int done, int folds)
{
    seen *s = context;
    assert_int_equal(done, s->done + 1);
    assert_int_equal(folds, 3);
    s->done = done;
}

static void a_fold_is_prepared(void **unused)
{
    (void)unused;
    seen s = {0};
    cj_dataset *data = clouds();
    cj_model *model = cj_sequential(cj_input(WIDTH), cj_normalization(), cj_dense(3));
    assert_ok(cj_adapt(cj_model_layer_at(model, 0), cj_dataset_x(data, 0)));
    assert_ok(cj_compile(model, .loss = "sparse_categorical_crossentropy(from_logits=true)"));
    assert_ok(cj_cross_validate(model, data, &scores, .folds = 3, .prepare = prepare,
                                .progress = count, .context = &s));
    assert_int_equal(s.prepared, 3);
    assert_int_equal(s.done, 3);
    assert_true(s.means[0] != s.means[1] && s.means[1] != s.means[2]);
    assert_int_equal(cj_history_epochs(cj_cross_scores_history(scores, 2)), 4);
    cj_release(scores), cj_release(model), cj_release(data);
}

static cj_status refuse(void *context, int fold, cj_model *model, cj_dataset *train,
                        cj_fit_args *fit)
{
    (void)context, (void)model, (void)train, (void)fit;
    return fold == 1 ? cj_fail(CJ_CANCELLED, "enough") : CJ_OK;
}

static cj_status fail_mutely(void *context, int fold, cj_model *model, cj_dataset *train,
                             cj_fit_args *fit)
{
    (void)fold, (void)model, (void)train, (void)fit;
    return *(const cj_status *)context;
}

static void what_prepare_returns_is_checked(void **unused)
{
    (void)unused;
    cj_dataset *data = clouds();
    cj_model *model = network(&cj_default_pool);
    cj_fail(CJ_IO, "an older failure");
    assert_int_equal(cj_cross_validate(model, data, &scores, .prepare = fail_mutely,
                                       .context = &(cj_status){CJ_IO}),
                     CJ_IO);
    assert_error_contains("cj_cross_validate: prepare failed");
    assert_int_equal(cj_cross_validate(model, data, &scores, .prepare = fail_mutely,
                                       .context = &(cj_status){77}),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("cj_cross_validate: prepare returned 77, which is no status");
    assert_null(scores);
    cj_release(model), cj_release(data);
}

static cj_status read_class(void *context, const cj_sample_read *sample)
{
    (void)context;
    *(float *)sample->x[0] = (float)sample->index;
    *(int32_t *)sample->y[0] = (int32_t)sample->index % 2;
    return CJ_OK;
}

static void samples_that_are_not_in_memory_are_said_to_be_so(void **unused)
{
    (void)unused;
    cj_folds *folds;
    cj_dataset *data = cj_dataset_from(.count = 20, .read = read_class, .x = {{.dtype = CJ_F32}},
                                       .y = {{.dtype = CJ_I32}});
    assert_int_equal(cj_k_fold(data, &folds, .stratified = true), CJ_UNSUPPORTED);
    assert_error_contains("not in memory");
    cj_release(data);
}

static void what_cannot_be_is_refused(void **unused)
{
    (void)unused;
    cj_dataset *data = clouds();
    cj_model *model = network(&cj_default_pool),
             *bare = cj_sequential(cj_input(WIDTH), cj_dense(3));
    cj_folds *folds;
    scores = (cj_cross_scores *)1;
    assert_int_equal(cj_cross_validate(model, data, &scores, .folds = 62), CJ_INVALID_ARGUMENT);
    assert_error_contains("62 folds of 61 samples");
    assert_null(scores);
    assert_int_equal(cj_cross_validate(model, data, &scores, .epochs = 0), CJ_INVALID_ARGUMENT);
    assert_error_contains("0 epochs");
    assert_int_equal(cj_cross_validate(bare, data, &scores), CJ_NOT_BUILT);
    assert_int_equal(cj_cross_validate(model, data, &scores, .prepare = refuse), CJ_CANCELLED);
    assert_ok(cj_k_fold(data, &folds));
    assert_int_equal(cj_cross_validate(model, data, &scores, .given = folds, .shuffle = true),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("nothing to shuffle");
    cj_release(folds), cj_release(model), cj_release(bare), cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fold_is_a_fresh_model),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(the_model_stays_as_it_is),
        cmocka_unit_test(a_fold_is_prepared),
        cmocka_unit_test(what_prepare_returns_is_checked),
        cmocka_unit_test(samples_that_are_not_in_memory_are_said_to_be_so),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
