// CSVLogger: a head line, then a line an epoch with the values by name. A resumed run goes on below
// what it wrote.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "train/callbacks.h"
#include "train/step.h"
#include <errno.h>
#include <math.h>
#include <string.h>

typedef struct logger {
    char *filename, *separator;
    bool append;
    FILE *stream; // open from the first epoch's end to the run's
} logger;

static bool is_empty(FILE *stream)
{
    return fseek(stream, 0, SEEK_END) == 0 && ftell(stream) == 0;
}

static cj_status open_file(logger *l, const cj_logs *logs, const int *order)
{
    l->stream = fopen(l->filename, l->append ? "a+" : "w");
    if (!l->stream)
        return cj__fail(CJ_IO, "CSVLogger: %s: %s", l->filename, strerror(errno));
    if (l->append && !is_empty(l->stream))
        return CJ_OK;
    fprintf(l->stream, "epoch");
    for (int i = 0; i < logs->count; i++)
        fprintf(l->stream, "%s%s", l->separator, logs->names[order[i]]);
    fputc('\n', l->stream);
    return CJ_OK;
}

static cj_status logger_begin(void *self, cj_model *model, cj_logs *logs)
{
    logger *l = self;
    (void)model, (void)logs;
    if (l->stream)
        fclose(l->stream);
    l->stream = NULL;
    return CJ_OK;
}

static cj_status logger_epoch_end(void *self, cj_model *model, cj_logs *logs)
{
    logger *l = self;
    int order[2 * CJ__MAX_VALUES];
    (void)model;
    cj__logs_order(logs, order);
    if (!l->stream)
        CJ_TRY(open_file(l, logs, order));
    fprintf(l->stream, "%d", logs->epoch);
    for (int i = 0; i < logs->count; i++)
        fprintf(l->stream, "%s%.9g", l->separator, logs->values[order[i]]);
    fputc('\n', l->stream);
    if (fflush(l->stream) != 0)
        return cj__fail(CJ_IO, "CSVLogger: %s: %s", l->filename, strerror(errno));
    return CJ_OK;
}

static cj_status logger_end(void *self, cj_model *model, cj_logs *logs)
{
    logger *l = self;
    const int failed = l->stream ? fclose(l->stream) : 0;
    (void)model, (void)logs;
    l->stream = NULL;
    return failed ? cj__fail(CJ_IO, "CSVLogger: %s: %s", l->filename, strerror(errno)) : CJ_OK;
}

// All that has to be remembered is that there was a run before.
static int logger_state(void *self, double *values, int capacity)
{
    (void)self;
    if (capacity > 0)
        values[0] = 1;
    return 1;
}

static void logger_set_state(void *self, const double *values, int count)
{
    (void)values, (void)count;
    ((logger *)self)->append = true;
}

static void logger_free(void *self)
{
    logger *l = self;
    if (l->stream)
        fclose(l->stream);
    cj__free(l->filename);
    cj__free(l->separator);
    cj__free(l);
}

static const cj_callback_methods logger_methods = {
    .size = sizeof(cj_callback_methods),
    .name = "CSVLogger",
    .train_begin = logger_begin,
    .epoch_end = logger_epoch_end,
    .train_end = logger_end,
    .state = logger_state,
    .set_state = logger_set_state,
    .free = logger_free,
};

CJ__DEFAULTS(csv_logger, CSV_LOGGER)

cj_callback *cj_csv_logger_new(const cj_csv_logger_args *args)
{
    cj_csv_logger_args given;
    if (cj__args_read("CSVLogger", args, &csv_logger_defaults, sizeof given, &given) != CJ_OK)
        return cj__build_failed();
    if (!given.filename || !given.separator) {
        cj__fail_null(given.filename ? "CSVLogger: the separator" : "CSVLogger: the filename");
        return cj__build_failed();
    }
    logger *l = cj__new(1, sizeof *l);
    if (!l)
        return cj__build_failed();
    l->filename = cj__copy_text(given.filename);
    l->separator = cj__copy_text(given.separator);
    l->append = given.append;
    if (!l->filename || !l->separator) {
        logger_free(l);
        return cj__build_failed();
    }
    return cj__callback_make(&logger_methods, l);
}
