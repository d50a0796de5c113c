#include "train/callbacks/monitor.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/warning.h"
#include "train/callbacks.h"
#include "train/custom.h"
#include "train/metrics.h"
#include "train/state.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

cj_status cj__monitor_open(cj__monitor *monitor, const char *callback, const char *name,
                           const char *mode, double min_delta)
{
    static const char *const modes[] = {"auto", "min", "max"};
    static const int directions[] = {0, -1, 1};
    int chosen = 0;
    while (mode && chosen < 3 && strcmp(mode, modes[chosen]) != 0)
        chosen++;
    if (chosen == 3)
        return cj__fail_in(
            cj__fail_unknown(CJ_INVALID_ARGUMENT, "mode", mode, modes, sizeof modes[0], 3), "%s",
            callback);
    *monitor = (cj__monitor){.callback = callback,
                             .name = cj__copy_text(name ? name : "val_loss"),
                             .direction = directions[chosen],
                             .min_delta = fabs(min_delta)};
    return monitor->name ? CJ_OK : CJ_OUT_OF_MEMORY;
}

void cj__monitor_close(cj__monitor *monitor)
{
    cj__free(monitor->name);
    monitor->name = NULL;
}

void cj__monitor_reset(cj__monitor *monitor)
{
    monitor->has_best = monitor->warned = false;
    monitor->best = 0;
}

// Whether the first `length` characters of `name` end with the word or words `end`.
static bool ends_with(const char *name, size_t length, const char *end)
{
    const size_t tail = end ? strlen(end) : SIZE_MAX;
    return length >= tail && strncmp(name + length - tail, end, tail) == 0 &&
           (length == tail || name[length - tail - 1] == '_');
}

// The length of a name without the number that made it unique: "accuracy_1".
static size_t bare_length(const char *name)
{
    const size_t length = strlen(name);
    size_t bare = length;
    while (bare > 0 && isdigit((unsigned char)name[bare - 1]))
        bare--;
    return bare > 1 && bare < length && name[bare - 1] == '_' ? bare - 1 : length;
}

// That of a metric of the program's own, whose name ends the value's: 0 if there is none.
static int direction_of_registered(const char *name, size_t length)
{
    char own[128];
    for (size_t at = 0; at < length && length - at < sizeof own; at++) {
        if (at > 0 && name[at - 1] != '_')
            continue;
        snprintf(own, sizeof own, "%.*s", (int)(length - at), name + at);
        const cj__choice *choice = cj__custom_metric_find(own);
        if (choice)
            return ((const cj__metric_row *)(const void *)choice)->of.rises ? 1 : -1;
    }
    return 0;
}

static cj_status settle(cj__monitor *monitor)
{
    if (monitor->direction)
        return CJ_OK;
    const size_t length = bare_length(monitor->name);
    if (ends_with(monitor->name, length, "loss"))
        monitor->direction = -1;
    for (int i = 0; i < cj__metrics.count && !monitor->direction; i++) {
        const cj__loss *metric = &cj__metric_at(i)->of;
        if (ends_with(monitor->name, length, metric->choice.name) ||
            ends_with(monitor->name, length, metric->choice.class_name))
            monitor->direction = metric->rises ? 1 : -1;
    }
    if (!monitor->direction)
        monitor->direction = direction_of_registered(monitor->name, length);
    if (!monitor->direction)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: whether \"%s\" should fall or rise is not known: give a mode, \"min\" "
                        "or \"max\"",
                        monitor->callback, monitor->name);
    return CJ_OK;
}

bool cj__monitor_validates_later(const cj_model *model, const cj_logs *logs)
{
    const cj__train_state *state = cj__state_of(model);
    const int every = state ? state->validation_freq : 0;
    return every > 1 && (logs->epoch + 1) % every != 0;
}

// Whether a value that is missing will come in a later epoch.
static bool comes_later(const cj__monitor *monitor, const cj_model *model, const cj_logs *logs)
{
    return strncmp(monitor->name, "val_", strlen("val_")) == 0 &&
           cj__monitor_validates_later(model, logs);
}

static void warn_missing(cj__monitor *monitor, const cj_logs *logs, const char *otherwise)
{
    cj__text names = {0};
    for (int i = 0; i < logs->count; i++)
        cj__text_add(&names, "%s%s", i ? ", " : "", logs->names[i]);
    cj__warn("%s: the logs have no \"%s\", only %s: %s", monitor->callback, monitor->name,
             names.data ? names.data : "nothing", otherwise);
    cj__text_free(&names);
    monitor->warned = true;
}

cj_status cj__monitor_read(cj__monitor *monitor, const cj_model *model, const cj_logs *logs,
                           const char *otherwise, double *value, bool *found)
{
    *found = false;
    CJ_TRY(settle(monitor));
    for (int i = 0; i < logs->count && !*found; i++)
        *found = strcmp(logs->names[i], monitor->name) == 0;
    *value = cj__logs_value(logs, monitor->name);
    if (!*found && !monitor->warned && !comes_later(monitor, model, logs))
        warn_missing(monitor, logs, otherwise);
    return CJ_OK;
}

// Keras compares float32 numbers, which decides where a step is min_delta but for rounding.
bool cj__monitor_better(const cj__monitor *monitor, double value, double reference)
{
    const float shifted = (float)(value - monitor->direction * monitor->min_delta);
    return monitor->direction > 0 ? shifted > (float)reference : shifted < (float)reference;
}

bool cj__monitor_improves(cj__monitor *monitor, double value)
{
    if (monitor->has_best && !cj__monitor_better(monitor, value, monitor->best))
        return false;
    monitor->has_best = true;
    monitor->best = value;
    return true;
}

// What the first number says the best is.
enum { NONE, FINITE, NOT_A_NUMBER, INFINITE, MINUS_INFINITE };

void cj__monitor_save(const cj__monitor *monitor, double *numbers)
{
    const double best = monitor->best;
    numbers[0] = !monitor->has_best ? NONE :
                 isnan(best)        ? NOT_A_NUMBER :
                 isinf(best)        ? (best > 0 ? INFINITE : MINUS_INFINITE) :
                                      FINITE;
    numbers[1] = isfinite(best) ? best : 0;
}

void cj__monitor_restore(cj__monitor *monitor, const double *numbers)
{
    const double best[] = {0, numbers[1], (double)NAN, (double)INFINITY, -(double)INFINITY};
    const int kind = numbers[0] >= NONE && numbers[0] <= MINUS_INFINITE ? (int)numbers[0] : NONE;
    monitor->has_best = kind != NONE;
    monitor->best = best[kind];
}

// A field between braces: "epoch", "epoch:02d", "val_loss:.4f".
typedef struct field {
    char name[256], format[16];
} field;

static cj_status parse_field(const char *text, size_t length, const char *who, field *f)
{
    const char *colon = memchr(text, ':', length);
    const size_t name_length = colon ? (size_t)(colon - text) : length;
    const size_t format_length = colon ? length - name_length - 1 : 0;
    if (name_length >= sizeof f->name || format_length >= sizeof f->format)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: the field \"{%.*s}\" is too long", who,
                        length < 300 ? (int)length : 300, text);
    memcpy(f->name, text, name_length);
    f->name[name_length] = '\0';
    if (colon)
        memcpy(f->format, colon + 1, format_length);
    f->format[format_length] = '\0';
    return CJ_OK;
}

static cj_status fill_count(const field *f, long long number, const char *who, cj__text *text)
{
    int width = 0, used = 0;
    if (f->format[0] && (sscanf(f->format, "%2dd%n", &width, &used) != 1 || f->format[used]))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: \"{%s:%s}\": a whole number is written as 02d",
                        who, f->name, f->format);
    cj__text_add(text, f->format[0] == '0' ? "%0*lld" : "%*lld", width, number);
    return CJ_OK;
}

static cj_status fill_value(const field *f, double value, const char *who, cj__text *text)
{
    char number[512];
    int digits = 0, used = 0;
    if (f->format[0] && (sscanf(f->format, ".%1df%n", &digits, &used) != 1 || f->format[used]))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: \"{%s:%s}\": a number is written as .4f", who,
                        f->name, f->format);
    cj__text_add(text, "%s",
                 f->format[0] ? cj__number_fixed(value, digits, number, sizeof number) :
                                cj__number_text(value, number));
    return CJ_OK;
}

static cj_status fill_field(const field *f, const cj_logs *logs, const char *who, cj__text *text,
                            bool *missing)
{
    if (strcmp(f->name, "epoch") == 0)
        return fill_count(f, logs->epoch + 1LL, who, text);
    if (strcmp(f->name, "batch") == 0)
        return fill_count(f, (long long)logs->batch + 1, who, text);
    for (int i = 0; i < logs->count; i++)
        if (strcmp(logs->names[i], f->name) == 0)
            return fill_value(f, logs->values[i], who, text);
    *missing = true;
    return fill_value(f, 0, who, text);
}

cj_status cj__monitor_fill(const char *template, const cj_logs *logs, const char *who,
                           cj__text *text, bool *missing)
{
    *missing = false;
    while (*template) {
        const size_t plain = strcspn(template, "{");
        field f;
        cj__text_add_bytes(text, template, plain);
        template += plain;
        if (!*template)
            break;
        const char *end = strchr(template, '}');
        if (!end)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: \"%s\": a closing brace is missing", who,
                            template);
        CJ_TRY(parse_field(template + 1, (size_t)(end - template) - 1, who, &f));
        CJ_TRY(fill_field(&f, logs, who, text, missing));
        template = end + 1;
    }
    return cj__text_status(text);
}
