// Statuses and the thread's sentence. Nothing here allocates: a sentence lives in a fixed buffer
// and is cut if too long.
#include "base/error.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_MAX = 1024 };

static _Thread_local char sentence[SENTENCE_MAX];
static _Thread_local cj_status sentence_status;
static _Thread_local uint64_t moment = 1;
static _Thread_local bool sentence_of_builder; // a builder returned NULL and left this sentence

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

const char *cj_error(void)
{
    moment++;
    return sentence;
}

cj_status cj_error_status(void)
{
    moment++;
    return sentence_status;
}

uint64_t cj__error_moment(void)
{
    return moment;
}

void cj__error_pass(void)
{
    moment++;
}

void cj_error_clear(void)
{
    moment++;
    *sentence = '\0';
    sentence_status = CJ_OK;
    sentence_of_builder = false;
}

int cj_report(cj_status status)
{
    if (status == CJ_OK)
        return 0;
    fprintf(stderr, "error: %s\n", *sentence ? sentence : cj_status_meaning(status));
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
    moment++;
}

cj_status cj__fail(cj_status status, const char *format, ...)
{
    char text[SENTENCE_MAX] = "";
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    record(status, text, length);
    sentence_of_builder = false;
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
    sentence_of_builder = false;
    return status;
}

cj_status cj__fail_null(const char *what)
{
    if (sentence_of_builder)
        return sentence_status;
    return cj__fail(CJ_INVALID_ARGUMENT, "%s is NULL", what);
}

cj_status cj__fail_null_of(const char *who, const char *what)
{
    if (sentence_of_builder)
        return sentence_status;
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s is NULL", who, what);
}

void *cj__build_failed(void)
{
    if (sentence_status == CJ_OK)
        cj__fail(CJ_INVALID_ARGUMENT, "a builder failed and recorded no cause");
    sentence_of_builder = true;
    return NULL;
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
    return status;
}
