// Statuses, the thread's sentence, and the causes of NULLs. Nothing here allocates: a sentence lives
// in a fixed buffer and is cut if too long.
//
// A *cause* is the failure of a builder whose NULL somebody may still hold, with the kinds of the
// pointers that are NULL by it. NULL itself does not say where it comes from, and the arguments of
// a call are evaluated in any order. So a function that is given n NULLs of a kind takes the n
// latest causes of that kind for theirs, and the first of these for the failure: a builder that
// failed before and was passed over is not mistaken for one that failed in the arguments. A cause
// is there until it is reported: returned by a function that gives a status, read, or cleared.
#include "base/error.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_MAX = 1024 };

static _Thread_local char sentence[SENTENCE_MAX];
static _Thread_local cj_status sentence_status;

typedef struct cause {
    uint64_t number; // in order of time
    unsigned kinds;  // cj__made: what is NULL by it
    cj_status status;
    char sentence[SENTENCE_MAX];
} cause;

// Beyond so many unreported causes the second goes: the first of a long list and the latest count.
enum { CAUSES_MAX = 4 };

static _Thread_local cause causes[CAUSES_MAX]; // unreported, in order of time
static _Thread_local int cause_count;
static _Thread_local uint64_t next_number = 1;

// The cause that the sentence is: its number, 0 if the sentence is no builder's; and its kinds.
static _Thread_local uint64_t current_number;
static _Thread_local unsigned current_kinds;

static const struct {
    const char *name, *meaning;
} statuses[] = {
#define STATUS_ROW(name, meaning) {#name, meaning},
    CJ_STATUSES(STATUS_ROW)
#undef STATUS_ROW
};

static bool known(cj_status status)
{
    return (size_t)status < sizeof statuses / sizeof *statuses;
}

const char *cj_status_name(cj_status status)
{
    return known(status) ? statuses[status].name : "UNKNOWN";
}

const char *cj_status_meaning(cj_status status)
{
    return known(status) ? statuses[status].meaning : "a number that is no status";
}

static cause *find_current(void)
{
    for (int i = 0; i < cause_count; i++)
        if (causes[i].number == current_number)
            return &causes[i];
    return NULL;
}

static void remove_cause(int index)
{
    cause_count--;
    memmove(&causes[index], &causes[index + 1], (size_t)(cause_count - index) * sizeof *causes);
}

// The cause that the sentence is, if it is one, is reported now.
static void report_current(void)
{
    const cause *found = find_current();
    if (found)
        remove_cause((int)(found - causes));
}

const char *cj_error(void)
{
    report_current();
    return sentence;
}

cj_status cj_error_status(void)
{
    report_current();
    return sentence_status;
}

void cj__error_forget(void)
{
    *sentence = '\0';
    sentence_status = CJ_OK;
    current_number = 0;
}

void cj_error_clear(void)
{
    cj__error_forget();
    cause_count = 0;
}

int cj_report(cj_status status)
{
    if (status == CJ_OK)
        return 0;
    fprintf(stderr, "error: %s\n", *sentence ? sentence : cj_status_meaning(status));
    report_current();
    return 1;
}

const char *cj_version(void)
{
    return CJ_VERSION;
}

// A sentence that was cut ends in an ellipsis, and never in half a UTF-8 character.
static void mark_cut(char *text)
{
    size_t end = SENTENCE_MAX - 4;
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    memcpy(text + end, "...", 4);
}

// By way of a second buffer, because the arguments may point into the sentence itself.
static void record(cj_status status, const char *text, int length)
{
    memcpy(sentence, text, SENTENCE_MAX);
    if (length >= SENTENCE_MAX)
        mark_cut(sentence);
    sentence_status = status;
}

cj_status cj__fail(cj_status status, const char *format, ...)
{
    char text[SENTENCE_MAX] = "";
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    record(status, text, length);
    current_number = 0;
    return status;
}

cj_status cj_fail(cj_status status, const char *format, ...)
{
    if (status == CJ_OK)
        return CJ_OK;
    char text[SENTENCE_MAX] = "";
    va_list arguments;
    va_start(arguments, format);
    const int length = format ? vsnprintf(text, sizeof text, format, arguments) : 0;
    va_end(arguments);
    status = known(status) ? status : CJ_INVALID_ARGUMENT;
    record(status, text, length);
    current_number = 0;
    return status;
}

cj_status cj__returned(cj_status status, const char *what)
{
    if (!known(status))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s returned %d, which is no status", what,
                        (int)status);
    // The sentence that is recorded is of something else, or there is none.
    if (status != CJ_OK && status != sentence_status)
        return cj__fail(status, "%s failed: %s", what, cj_status_meaning(status));
    return status;
}

cj_status cj__fail_null(const char *what)
{
    return cj__fail(CJ_INVALID_ARGUMENT, "%s is NULL", what);
}

cj_status cj__fail_null_of(const char *who, const char *what)
{
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s is NULL", who, what);
}

// The builders whose failure makes a pointer of these kinds NULL: its own, and those of objects that
// a getter reads it from, since getters answer NULL with NULL.
static unsigned makers_of(unsigned kinds)
{
    if (kinds & CJ__MADE_VARIABLE)
        kinds |= CJ__MADE_LAYER | CJ__MADE_UPDATES;
    if (kinds & CJ__MADE_TENSOR)
        kinds |= CJ__MADE_DATASET | CJ__MADE_VARIABLE;
    if (kinds & CJ__MADE_LAYER)
        kinds |= CJ__MADE_MODEL;
    return kinds;
}

bool cj__builder_failed(unsigned kinds)
{
    kinds = makers_of(kinds);
    for (int i = 0; i < cause_count; i++)
        if (causes[i].kinds & kinds)
            return true;
    return false;
}

// Makes a cause the thread's sentence and takes it off the list; it is reported, unless the function
// that does this is a builder (cj__build_failed).
static cj_status take(int index)
{
    memcpy(sentence, causes[index].sentence, SENTENCE_MAX);
    sentence_status = causes[index].status;
    current_number = causes[index].number;
    current_kinds = causes[index].kinds;
    remove_cause(index);
    return sentence_status;
}

cj_status cj__fail_missing_some(unsigned kinds, int count, const char *what)
{
    const unsigned makers = makers_of(kinds);
    int first = -1;
    for (int i = cause_count; count > 0 && i-- > 0;) {
        if (!(causes[i].kinds & makers))
            continue;
        if (first >= 0)
            remove_cause(first);
        first = i;
        count--;
    }
    return first >= 0 ? take(first) : cj__fail_null(what);
}

cj_status cj__fail_missing(cj__made kind, const char *what)
{
    return cj__fail_missing_some(kind, 1, what);
}

cj_status cj__fail_missing_of(cj__made kind, const char *who, const char *what)
{
    return cj__builder_failed(kind) ? cj__fail_missing(kind, what) : cj__fail_null_of(who, what);
}

// A builder that fails because builders within it failed has their cause, which becomes its own. One
// that was given the NULL adds itself to what is NULL by the cause.
void *cj__build_failed(cj__made kind)
{
    if (sentence_status == CJ_OK)
        cj__fail(CJ_INVALID_ARGUMENT, "a builder failed and recorded no cause");
    const cause *within = current_number ? find_current() : NULL;
    const unsigned kinds = (current_number && !within ? current_kinds : 0) | kind;
    if (within)
        remove_cause((int)(within - causes));
    if (cause_count == CAUSES_MAX)
        remove_cause(1);
    cause *last = &causes[cause_count++];
    *last = (cause){.number = next_number++, .kinds = kinds, .status = sentence_status};
    memcpy(last->sentence, sentence, SENTENCE_MAX);
    current_number = last->number;
    current_kinds = kinds;
    return NULL;
}

uint64_t cj__causes_begin(void)
{
    return next_number;
}

cj_status cj__causes_end(uint64_t begin, cj_status status)
{
    if (current_number >= begin)
        current_kinds = 0;
    while (cause_count > 0 && causes[cause_count - 1].number >= begin)
        cause_count--;
    return status;
}

cj_status cj__fail_memory(size_t size, const char *what)
{
    if (size == SIZE_MAX)
        return cj__fail(CJ_OUT_OF_MEMORY,
                        "%s: out of memory: its size is beyond what can be addressed", what);
    return cj__fail(CJ_OUT_OF_MEMORY, "%s: out of memory: %zu bytes could not be allocated", what,
                    size);
}

cj_status cj__fail_in(cj_status status, const char *format, ...)
{
    char text[SENTENCE_MAX] = "";
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= 0 && length < SENTENCE_MAX) {
        const size_t room = sizeof text - (size_t)length;
        length += snprintf(text + length, room, ": %s", sentence);
    }
    record(status, text, length);
    cause *own = find_current();
    if (own) {
        own->status = status;
        memcpy(own->sentence, sentence, SENTENCE_MAX);
    }
    return status;
}
