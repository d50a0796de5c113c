#include "base/warning.h"
#include <stdarg.h>
#include <stdio.h>

enum { SENTENCE_MAX = 1024 };

static _Thread_local cj__warning_handler handler;

void cj_set_warning_handler(void (*call)(const char *sentence, void *context), void *context)
{
    handler = (cj__warning_handler){call, context};
}

cj__warning_handler cj__warning_handler_of_thread(void)
{
    return handler;
}

void cj__warn(const char *format, ...)
{
    char sentence[SENTENCE_MAX];
    va_list arguments;
    if (!handler.call)
        return;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    handler.call(sentence, handler.context);
}
