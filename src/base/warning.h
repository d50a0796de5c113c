// Warnings: what a caller should know about a call that goes on and succeeds.
#ifndef CJ_BASE_WARNING_H
#define CJ_BASE_WARNING_H

#include <cajal/base.h>

// Gives the sentence to this thread's handler; without one it is dropped. Allocates nothing; a
// sentence longer than 1023 bytes is cut. The recorded error stays as it is.
void cj__warn(const char *format, ...) CJ_PRINTF(1, 2);

// A handler and its context, as cj_set_warning_handler() takes them.
typedef struct cj__warning_handler {
    void (*call)(const char *sentence, void *context);
    void *context;
} cj__warning_handler;

// This thread's handler; `call` is NULL if there is none.
cj__warning_handler cj__warning_handler_of_thread(void);

#endif
