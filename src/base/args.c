// Arguments structs of any age, and their lists.
#include "base/args.h"

#include "base/error.h"
#include <stdio.h>
#include <string.h>

enum { SIZE_MAX_OF_STRUCT = 1 << 16 }; // no struct will ever be that large

cj_status cj__args_read(const char *what, const void *args, const void *defaults, size_t size,
                        void *copy)
{
    size_t given;
    if (!args)
        return cj__fail_null_of(what, "the arguments struct");
    memcpy(&given, args, sizeof given);
    if (given < sizeof given || given > SIZE_MAX_OF_STRUCT)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: the member size of the arguments struct is %zu, needed is its sizeof: "
                        "set it by the macro, or by the function that sets the defaults",
                        what, given);
    memcpy(copy, defaults, size);
    memcpy(copy, args, given < size ? given : size);
    memcpy(copy, &size, sizeof size);
    return CJ_OK;
}

cj_status cj__list_read(const char *what, const void *braces, const void *list, int count,
                        cj__list *entries)
{
    const void *const *items = list ? list : braces;
    int length = count;
    *entries = (cj__list){0};
    if (count < 0 || (!list && count > CJ_IN_BRACES))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: a list of %d entries", what, count);
    if (!list && count == 0) {
        while (length < CJ_IN_BRACES && items[length])
            length++;
        for (int i = length; i < CJ_IN_BRACES; i++) // something follows a NULL: it is no end
            if (items[i])
                length = i + 1;
    }
    *entries = (cj__list){.items = items, .count = length};
    for (int i = 0; i < length; i++) {
        char entry[48];
        if (items[i])
            continue;
        snprintf(entry, sizeof entry, "entry %d of the list", i);
        return cj__fail_null_of(what, entry);
    }
    return CJ_OK;
}
