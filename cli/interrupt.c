// Ctrl-C while a model trains. The first one is a wish: the running step is finished, the model is
// saved with its place in the run, and training ends. The second one ends the program at once.
#define _XOPEN_SOURCE 700
#include "cli.h"

#include <signal.h>

static volatile sig_atomic_t interrupted;

static void note(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

bool was_interrupted(void)
{
    return interrupted != 0;
}

static cj_status after_batch(void *self, cj_model *model, cj_logs *logs)
{
    const char *path = self;
    (void)logs;
    if (!interrupted)
        return CJ_OK;
    if (path)
        CJ_TRY(cj_save(model, path));
    return cj_fail(CJ_CANCELLED, "interrupted");
}

cj_callback *interruptible(const char *path)
{
    static const cj_callback_methods methods = {
        .size = sizeof methods, .name = "Interruptible", .batch_end = after_batch};
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return cj_callback_new(&methods, (void *)(uintptr_t)path);
}
