// The variables of the environment that the library reads; see environment.h.
#include "base/environment.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 1024 };

// NULL if the variable is unset or empty.
static const char *value_of(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static cj_status check_isa(const char *value)
{
    const char *names[CJ__ISA_AMX + 1];
    for (int isa = 0; isa <= CJ__ISA_AMX; isa++) {
        names[isa] = cj__isa_name((cj__isa)isa);
        if (strcmp(value, names[isa]) == 0)
            return CJ_OK;
    }
    return cj__fail_unknown(CJ_INVALID_ARGUMENT, "instruction set in CAJAL_ISA", value, names,
                            sizeof *names, CJ__ISA_AMX + 1);
}

static cj_status check_threads(const char *value)
{
    char *end;
    const long threads = strtol(value, &end, 10);
    if (!*end && threads >= 1 && threads <= THREADS_MAX)
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "CAJAL_NUM_THREADS: \"%.100s\" is not a number of threads from 1 to %d", value,
                    THREADS_MAX);
}

static cj_status check_denormals(const char *value)
{
    if (strcmp(value, "keep") == 0)
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT, "CAJAL_DENORMALS: \"%.100s\" is not \"keep\"", value);
}

cj_status cj__environment_check(void)
{
    const char *isa = value_of("CAJAL_ISA"), *threads = value_of("CAJAL_NUM_THREADS"),
               *denormals = value_of("CAJAL_DENORMALS");
    if (isa)
        CJ_TRY(check_isa(isa));
    if (threads)
        CJ_TRY(check_threads(threads));
    return denormals ? check_denormals(denormals) : CJ_OK;
}
