// BackupAndRestore: a process that is killed within an epoch, and started again, ends in the bits of
// one that was never killed.
#define _POSIX_C_SOURCE 200809L // kill, fork
#include "problems.h"

#include <cajal/callbacks.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EPOCHS = 3, SAMPLES = 58, SIZE = 16 }; // 4 batches an epoch

static cj_status kill_at(void *self, cj_model *model, cj_logs *logs)
{
    int *left = self;
    (void)model, (void)logs;
    if (--*left == 0)
        kill(getpid(), SIGKILL);
    return CJ_OK;
}
static const cj_callback_methods killer = {
    .size = sizeof(cj_callback_methods), .name = "Killer", .batch_end = kill_at};

static cj_model *fresh(void)
{
    cj_model *model =
        cj_sequential(cj_input(4), cj_dense(8, .activation = "relu"), cj_batch_normalization(),
                      cj_dropout(0.3), cj_dense(3, .activation = "softmax"));
    assert_ok(cj_model_set_seed(model, 7));
    assert_ok(cj_compile(model, .optimizer = cj_adamw(.use_ema = true),
                         .loss = "sparse_categorical_crossentropy", .pool = cj_pool_new(1)));
    return model;
}

// Trains with a backup; the process ends at the batch number `at`, if that is positive.
static cj_status train(cj_model *model, cj_dataset *data, const char *folder, int64_t every, int at)
{
    return cj_fit(
        model, data, .epochs = EPOCHS, .batch_size = SIZE, .verbose = 0,
        .callbacks = {cj_backup_and_restore(folder, .save_freq = every, .double_checkpoint = true),
                      cj_reduce_lr_on_plateau(.monitor = "loss", .patience = 1, .min_delta = 10),
                      cj_callback_new(&killer, &at)});
}

static void killed_after(const char *folder, int64_t every, int at)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        cj_dataset *data = problem_classes(SAMPLES);
        train(fresh(), data, folder, every, at);
        _exit(0); // was not killed
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void a_killed_process_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    static const struct {
        int64_t every;
        int first, second; // batches until the process is killed, the first time and the second
    } rows[] = {{1, 6, 3}, {3, 5, 4}, {0, 6, 3}, {0, 2, 9}, {2, 11, 1}};
    char folder[512];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(folder, sizeof folder, "%s/deep/backup", support_folder());
        killed_after(folder, rows[i].every, rows[i].first);
        killed_after(folder, rows[i].every, rows[i].second);
        cj_dataset *data = problem_classes(SAMPLES);
        cj_model *whole = fresh(), *last = fresh();
        assert_ok(cj_fit(whole, data, .epochs = EPOCHS, .batch_size = SIZE, .verbose = 0,
                         .callbacks = {cj_reduce_lr_on_plateau(.monitor = "loss", .patience = 1,
                                                               .min_delta = 10)}));
        assert_ok(train(last, data, folder, rows[i].every, 0));
        if (!problem_same_weights(whole, last))
            fail_msg("row %d", (int)i);
        assert_near(cj_learning_rate(whole), cj_learning_rate(last), 0, 0);
        assert_int_not_equal(access(folder, F_OK), 0); // removed
        cj_release(whole);
        cj_release(last);
        cj_release(data);
    }
}

// The last backup is damaged: the one before it is taken.
static void the_backup_before_the_last_is_kept(void **state)
{
    (void)state;
    char folder[256], latest[512];
    snprintf(folder, sizeof folder, "%s/double", support_folder());
    snprintf(latest, sizeof latest, "%s/latest.safetensors", folder);
    killed_after(folder, 1, 6);
    support_write(latest, "damaged", 7);
    cj_dataset *data = problem_classes(SAMPLES);
    cj_model *whole = fresh(), *last = fresh();
    assert_ok(cj_fit(
        whole, data, .epochs = EPOCHS, .batch_size = SIZE, .verbose = 0,
        .callbacks = {cj_reduce_lr_on_plateau(.monitor = "loss", .patience = 1, .min_delta = 10)}));
    assert_ok(train(last, data, folder, 1, 0));
    assert_true(problem_same_weights(whole, last));
    cj_release(whole);
    cj_release(last);
    cj_release(data);
}

static void a_backup_of_another_model_is_refused(void **state)
{
    (void)state;
    char folder[256];
    snprintf(folder, sizeof folder, "%s/other", support_folder());
    killed_after(folder, 1, 2);
    cj_dataset *data = problem_classes(SAMPLES);
    cj_model *model = problem_model();
    assert_ok(cj_compile(model, .optimizer = cj_sgd(), .loss = "sparse_categorical_crossentropy"));
    assert_int_equal(train(model, data, folder, 1, 0), CJ_INVALID_ARGUMENT);
    assert_error_contains("is of another model");
    assert_null(cj_backup_and_restore(NULL));
    assert_null(cj_backup_and_restore("x", .save_freq = -1));
    assert_error_contains("save_freq");
    cj_release(model);
    cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_process_goes_on_to_the_same_bits),
        cmocka_unit_test(the_backup_before_the_last_is_kept),
        cmocka_unit_test(a_backup_of_another_model_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
