#include "train/callbacks/monitor.h"
#include "base/error.h"
#include "base/memory.h"
#include "train/callbacks.h"
#include "train/losses.h"
#include <math.h>
#include <string.h>

cj_status cj__monitor_open(cj__monitor *monitor, const char *name, const char *mode,
                           double min_delta, const char *who)
{
    static const char *const modes[] = {"auto", "min", "max"};
    static const int directions[] = {0, -1, 1};
    int chosen = 0;
    while (mode && chosen < 3 && strcmp(mode, modes[chosen]) != 0)
        chosen++;
    if (chosen == 3)
        return cj__fail_in(
            cj__fail_unknown(CJ_INVALID_ARGUMENT, "mode", mode, modes, sizeof modes[0], 3), "%s",
            who);
    *monitor =
        (cj__monitor){cj__copy_text(name ? name : "val_loss"), directions[chosen], fabs(min_delta)};
    return monitor->name ? CJ_OK : CJ_OUT_OF_MEMORY;
}

void cj__monitor_close(cj__monitor *monitor)
{
    cj__free(monitor->name);
    monitor->name = NULL;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0 &&
           (length == tail || text[length - tail - 1] == '_');
}

static cj_status settle(cj__monitor *monitor, const char *who)
{
    if (monitor->direction)
        return CJ_OK;
    if (ends_with(monitor->name, "loss"))
        monitor->direction = -1;
    for (int i = 0; i < cj__metrics.count && !monitor->direction; i++) {
        const cj__loss *metric = (const cj__loss *)cj__metrics.rows + i;
        if (ends_with(monitor->name, metric->choice.name))
            monitor->direction = metric->rises ? 1 : -1;
    }
    if (!monitor->direction)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "%s: whether \"%s\" should fall or rise is not known: give a mode, min or max", who,
            monitor->name);
    return CJ_OK;
}

cj_status cj__monitor_read(cj__monitor *monitor, const cj_logs *logs, const char *who,
                           double *value, bool *found)
{
    *found = false;
    CJ_TRY(settle(monitor, who));
    for (int i = 0; i < logs->count && !*found; i++)
        *found = strcmp(logs->names[i], monitor->name) == 0;
    *value = cj__logs_value(logs, monitor->name);
    return CJ_OK;
}

bool cj__monitor_better(const cj__monitor *monitor, double value, double best)
{
    if (isnan(best))
        return true;
    // Keras compares float32 numbers, which decides where a step is min_delta but for rounding.
    const float shifted = (float)(value - monitor->direction * monitor->min_delta);
    return monitor->direction > 0 ? shifted > (float)best : shifted < (float)best;
}

// One field between braces: "epoch", "epoch:02d", "val_loss:.4f".
static cj_status fill_field(const char *field, size_t length, const cj_logs *logs, const char *who,
                            cj__text *text)
{
    char name[96], format[16] = "";
    int width = 0, digits = 4;
    const char *colon = memchr(field, ':', length);
    const size_t name_length = colon ? (size_t)(colon - field) : length;
    if (name_length >= sizeof name || length - name_length > sizeof format)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: the field \"{%.*s}\" is too long", who,
                        (int)(length & 0xff), field);
    snprintf(name, sizeof name, "%.*s", (int)name_length, field);
    if (colon)
        snprintf(format, sizeof format, "%.*s", (int)(length - name_length - 1), colon + 1);
    const bool whole = strcmp(name, "epoch") == 0 || strcmp(name, "batch") == 0;
    const double value = cj__logs_value(logs, name);
    if (whole) {
        const long long number = name[0] == 'e' ? logs->epoch + 1LL : (long long)logs->batch + 1;
        if (*format && sscanf(format, "%2dd", &width) != 1)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: \"{%s:%s}\": a whole number is written as 02d", who, name, format);
        cj__text_add(text, *format == '0' ? "%0*lld" : "%*lld", width, number);
        return CJ_OK;
    }
    if (isnan(value))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: the logs have no \"%s\"", who, name);
    if (*format && sscanf(format, ".%1df", &digits) != 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: \"{%s:%s}\": a number is written as .4f", who,
                        name, format);
    cj__text_add(text, *format ? "%.*f" : "%.*g", *format ? digits : 17, value);
    return CJ_OK;
}

cj_status cj__monitor_fill(const char *template, const cj_logs *logs, const char *who,
                           cj__text *text)
{
    while (*template) {
        const size_t plain = strcspn(template, "{");
        cj__text_add_bytes(text, template, plain);
        template += plain;
        if (!*template)
            break;
        const char *end = strchr(template, '}');
        if (!end)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: \"%s\": a closing brace is missing", who,
                            template);
        CJ_TRY(fill_field(template + 1, (size_t)(end - template) - 1, logs, who, text));
        template = end + 1;
    }
    return cj__text_status(text);
}
