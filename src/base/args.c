// Arguments structs of any age, and their lists.
#include "base/args.h"

#include "base/error.h"
#include <stdio.h>
#include <string.h>

enum { EVERY = 1 << 20 };              // as many NULLs as there are causes
enum { SIZE_MAX_OF_STRUCT = 1 << 16 }; // no struct will ever be that large

cj_status cj__args_read(const char *what, const void *args, const void *defaults, size_t size,
                        void *copy)
{
    size_t given;
    if (!args)
        return cj__fail_null_of(what, "the arguments struct");
    memcpy(&given, args, sizeof given);
    // a sizeof is a multiple of the alignment, so another number ends inside a member
    if (given < sizeof given || given > SIZE_MAX_OF_STRUCT || given % _Alignof(size_t) != 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: the member size of the arguments struct is %zu, needed is its sizeof: "
                        "set it by the macro, or by the function that sets the defaults",
                        what, given);
    memcpy(copy, defaults, size);
    memcpy(copy, args, given < size ? given : size);
    memcpy(copy, &size, sizeof size);
    return CJ_OK;
}

static int length_in_braces(const void *const *items)
{
    int length = 0;
    for (int i = 0; i < CJ_IN_BRACES; i++) // something may follow a NULL: then it is no end
        if (items[i])
            length = i + 1;
    return length;
}

// Tensors come with a status, not from builders: a failed one of a data set says nothing about the
// end of a list.
static bool end_is_missing(const cj__given_list *given, int length)
{
    const bool open = !given->list && given->count == 0 && length < CJ_IN_BRACES;
    return open && given->kinds != CJ__MADE_TENSOR && cj__builder_failed(given->kinds);
}

// Adds the NULLs of a list to *missing; *first names the first of all.
static cj_status read_list(const cj__given_list *given, cj__list *entries, int *missing,
                           char first[128])
{
    const void *const *items = given->list ? given->list : given->braces;
    const bool in_braces = !given->list;
    const bool absent = in_braces && given->absent && items[0] == given->absent;
    int length = given->count, missing_here = 0, place = 0;
    if (length < 0 || (in_braces && length > (absent ? 0 : CJ_IN_BRACES)))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: a list of %d entries", given->what, length);
    if (absent)
        return CJ_OK;
    if (in_braces && length == 0)
        length = length_in_braces(items);
    *entries = (cj__list){.items = items, .count = length};
    for (int i = length; i-- > 0;) {
        if (items[i])
            continue;
        missing_here++;
        place = i;
    }
    if (end_is_missing(given, length) || (in_braces && given->absent && length == 0))
        missing_here = EVERY;
    if (missing_here > 0 && *missing == 0)
        snprintf(first, 128, "%s: entry %d of the list", given->what, place);
    *missing += missing_here;
    return CJ_OK;
}

cj_status cj__lists_read(const cj__given_list *given, int count, cj__list *entries)
{
    char first[128] = "";
    unsigned kinds = 0;
    int missing = 0;
    cj_status status = CJ_OK;
    for (int i = 0; i < count; i++)
        entries[i] = (cj__list){0};
    for (int i = 0; status == CJ_OK && i < count; i++) {
        status = read_list(&given[i], &entries[i], &missing, first);
        kinds |= given[i].kinds;
    }
    return status == CJ_OK && missing > 0 ? cj__fail_missing_some(kinds, missing, first) : status;
}
