#include "base/registry.h"

#include "base/error.h"
#include "base/memory.h"
#include <string.h>

enum { NAME_MAX_LENGTH = 60 };

typedef struct cj__registered {
    struct cj__registered *next;
    const char *name;
    void *entry;
} cj__registered;

static void *find(const cj__registry *registry, const char *name)
{
    for (const cj__registered *at = registry->first; at; at = at->next)
        if (strcmp(at->name, name) == 0)
            return at->entry;
    return NULL;
}

void *cj__registry_find(cj__registry *registry, const char *name)
{
    cj__mutex_lock(&registry->mutex);
    void *entry = find(registry, name);
    cj__mutex_unlock(&registry->mutex);
    return entry;
}

cj_status cj__registry_add(cj__registry *registry, const char *name, void *entry, void **before)
{
    cj__registered *added = cj__new(1, sizeof *added);
    if (!added)
        return CJ_OUT_OF_MEMORY;
    *added = (cj__registered){NULL, name, entry};
    cj__mutex_lock(&registry->mutex);
    *before = find(registry, name);
    if (!*before) {
        added->next = registry->first;
        registry->first = added;
    }
    cj__mutex_unlock(&registry->mutex);
    if (*before)
        cj__free(added);
    return CJ_OK;
}

cj_status cj__registry_check_name(const char *who, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_",
                      digits[] = "0123456789";
    if (!name)
        return cj__fail_null_of(who, "the name of the class");
    const size_t length = strlen(name);
    size_t good = 0;
    while (name[good] && (strchr(letters, name[good]) || (good > 0 && strchr(digits, name[good]))))
        good++;
    if (length >= 1 && length <= NAME_MAX_LENGTH && good == length)
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "%s: the class name \"%.80s\" must have 1 to %d letters, digits and \"_\", and "
                    "begin with no digit",
                    who, name, NAME_MAX_LENGTH);
}
