// Classes that a program registers by name, so that files and specs find them. An entry stays for
// the rest of the process: layers and settings that were made of it may live as long.
#ifndef CJ_BASE_REGISTRY_H
#define CJ_BASE_REGISTRY_H

#include "base/sync.h"
#include <cajal/base.h>

// Static, with CJ__REGISTRY_INIT.
typedef struct cj__registry {
    cj__mutex mutex;
    struct cj__registered *first;
} cj__registry;

#define CJ__REGISTRY_INIT    \
    {                        \
        CJ__MUTEX_INIT, NULL \
    }

// The entry of that name; NULL if there is none.
void *cj__registry_find(cj__registry *registry, const char *name);

// Enters `entry`, which is never freed, under a name that lives as long. If the name is taken nothing
// is entered; *before then is what has it, else NULL.
cj_status cj__registry_add(cj__registry *registry, const char *name, void *entry, void **before);

// Whether a name may be that of a class: 1 to 60 letters, digits and "_", no digit first. Else
// CJ_INVALID_ARGUMENT with a sentence that begins with `who`.
cj_status cj__registry_check_name(const char *who, const char *name);

#endif
