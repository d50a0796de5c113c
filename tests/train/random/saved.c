// Random models, some of them in the middle of a run, are saved, loaded and saved again: the same
// bytes, and the same predictions.
//
//     CAJAL_RANDOM_MODELS=5000  how many (else a few, for CTest)
#include "generator.h"

#include <stdlib.h>
#include <string.h>

enum { SEEDS = 60 };

static void assert_ok(cj_status status, const random_problem *p)
{
    if (status != CJ_OK)
        fail_msg("%s\n%s", cj_error(), p->text);
}

static void compile_and_train(random_problem *p, uint64_t seed)
{
    assert_ok(cj_compile(p->model, .optimizer = cj_optimizer_from_spec(p->optimizer),
                         .loss = p->loss, .metrics = {p->metrics[0], p->metrics[1], p->metrics[2]}),
              p);
    assert_ok(
        cj_fit(p->model, p->data, .batch_size = p->batch_size,
               .steps_per_epoch = seed % 4 == 0 ? 1 : 0, .epochs = 1 + (int)(seed % 2),
               .callbacks = {cj_early_stopping(.monitor = "loss", .restore_best_weights = true),
                             cj_reduce_lr_on_plateau(.monitor = "loss")}),
        p);
}

static void check(uint64_t seed)
{
    random_problem p;
    void *first = NULL, *second = NULL;
    size_t first_size = 0, second_size = 0;
    if (!random_problem_make(&p, seed, 0))
        fail_msg("seed %llu: %s", (unsigned long long)seed, cj_error());
    if (seed % 2)
        compile_and_train(&p, seed);
    assert_ok(cj_save_memory(p.model, &first, &first_size), &p);
    cj_model *loaded = cj_load_memory(first, first_size);
    assert_ok(loaded ? CJ_OK : cj_error_status(), &p);
    assert_ok(cj_save_memory(loaded, &second, &second_size), &p);
    if (first_size != second_size || memcmp(first, second, first_size) != 0)
        fail_msg("seed %llu: other bytes\n%s", (unsigned long long)seed, p.text);
    cj_tensor *before = NULL, *after = NULL;
    assert_ok(cj_predict(p.model, cj_dataset_x(p.data, 0), &before), &p);
    assert_ok(cj_predict(loaded, cj_dataset_x(p.data, 0), &after), &p);
    if (memcmp(cj_tensor_data(before), cj_tensor_data(after),
               (size_t)cj_tensor_count(before) * cj_dtype_size(cj_tensor_dtype(before))) != 0)
        fail_msg("seed %llu: other predictions\n%s", (unsigned long long)seed, p.text);
    cj_release(before), cj_release(after), cj_release(loaded);
    cj_free(first), cj_free(second);
    random_problem_free(&p);
}

static void saved_models_come_back_to_the_byte(void **state)
{
    (void)state;
    const char *wanted = getenv("CAJAL_RANDOM_MODELS");
    const long count = wanted ? atol(wanted) : SEEDS;
    for (long seed = 0; seed < count; seed++)
        check((uint64_t)seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(saved_models_come_back_to_the_byte)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
