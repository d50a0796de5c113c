// See schedule.h.
#include "schedule.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// Schedules that have a length, which is their second argument.
static const struct {
    const char *name, *class, *length;
} schedules[] = {
    {"exponential_decay", "ExponentialDecay", "decay_steps"},
    {"inverse_time_decay", "InverseTimeDecay", "decay_steps"},
    {"polynomial_decay", "PolynomialDecay", "decay_steps"},
    {"cosine_decay", "CosineDecay", "decay_steps"},
    {"cosine_decay_restarts", "CosineDecayRestarts", "first_decay_steps"},
    {"one_cycle", "OneCycle", "total_steps"},
};

// Whether the text ends, with a number before it; writes where the number begins.
static bool number_before(const char *text, size_t length, size_t *begin)
{
    size_t at = length;
    while (at > 0 && (isdigit((unsigned char)text[at - 1]) || text[at - 1] == '.'))
        at--;
    *begin = at;
    return at < length && (at == 0 || !isalnum((unsigned char)text[at - 1]));
}

// What is left free after a copy, for the length that may be added.
enum { SPARE = 96 };

// Copies a spec, with "2 epochs" and "2.5 epochs" as steps. False if it does not fit.
static bool copy_in_steps(const char *spec, int64_t steps, char *text, size_t size)
{
    static const char *const units[] = {"epochs", "epoch"};
    size_t length = 0, begin = 0;
    for (const char *at = spec; *at != '\0' && length + SPARE < size;) {
        const char *word = at + strspn(at, " ");
        size_t unit = 0;
        for (int i = 0; i < 2 && unit == 0; i++)
            if (strncmp(word, units[i], strlen(units[i])) == 0)
                unit = strlen(units[i]);
        if (unit == 0 || isalnum((unsigned char)word[unit]) || word[unit] == '_' ||
            !number_before(text, length, &begin)) {
            text[length++] = *at++;
            continue;
        }
        text[length] = '\0';
        const double count = round(strtod(text + begin, NULL) * (double)steps);
        if (!(count < 1e15))
            return false;
        length = begin + (size_t)snprintf(text + begin, size - begin, "%.0f", count);
        at = word + unit;
    }
    text[length] = '\0';
    return length + SPARE < size;
}

// Whether the arguments of a spec have a second one by position, or one of that name.
static bool has_length(const char *arguments, const char *name)
{
    int depth = 0, commas = 0;
    for (const char *at = arguments, *begin = at;; at++) {
        const bool ends = *at == '\0' || (depth == 0 && (*at == ')' || *at == ','));
        if (ends) {
            begin += strspn(begin, " ");
            const size_t word = strcspn(begin, " =,)");
            const char *after = begin + word + strspn(begin + word, " ");
            if (*after != '=' && commas == 1)
                return true;
            if (*after == '=' && word == strlen(name) && strncmp(begin, name, word) == 0)
                return true;
            if (*at != ',')
                return false;
            commas++;
            begin = at + 1;
        }
        depth += (*at == '(' || *at == '[') - (*at == ')' || *at == ']');
    }
}

cj_status fit_schedule(const char *spec, int64_t steps_per_epoch, int64_t epochs, char *text,
                       size_t size)
{
    double rate;
    if (!copy_in_steps(spec, steps_per_epoch, text, size))
        return cj_fail(CJ_INVALID_ARGUMENT,
                       "--schedule: the spec is too long, or has too many epochs");
    const size_t word = strcspn(text, "( ");
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++) {
        const char *open = strchr(text, '(');
        char *close = strrchr(text, ')');
        const bool named =
            (strlen(schedules[i].name) == word && strncmp(text, schedules[i].name, word) == 0) ||
            (strlen(schedules[i].class) == word && strncmp(text, schedules[i].class, word) == 0);
        if (named && open && close > open + 1 && !has_length(open + 1, schedules[i].length))
            snprintf(close, size - (size_t)(close - text), ", %s=%lld)", schedules[i].length,
                     (long long)(steps_per_epoch * epochs));
    }
    return cj_schedule_rate(text, 0, &rate) == CJ_OK ?
               CJ_OK :
               cj_fail(CJ_INVALID_ARGUMENT, "--schedule: %s", cj_error());
}
