// The folders where data sets are looked for; see places.h.
#include "data/places.h"

#include "base/error.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_place(cj__places *p, const char *root, const char *joint, const char *below)
{
    if (!root || !*root || p->count == CJ__PLACES_MAX)
        return;
    const int length = snprintf(p->path[p->count], CJ__PATH_SIZE, "%s%s%s", root, joint, below);
    if (length > 0 && length < CJ__PATH_SIZE)
        p->count++;
}

// Below each of the folders of data that all users share.
static void add_shared(cj__places *p, const char *name)
{
    const char *dirs = getenv("XDG_DATA_DIRS");
    char root[CJ__PATH_SIZE];
    if (!dirs || !*dirs)
        dirs = "/usr/local/share:/usr/share";
    while (*dirs) {
        const size_t length = strcspn(dirs, ":");
        const int written = snprintf(root, sizeof root, "%.*s", (int)length, dirs);
        if (length > 0 && written >= 0 && written < CJ__PATH_SIZE)
            add_place(p, root, "/datasets/", name);
        dirs += length + (dirs[length] == ':');
    }
}

void cj__places_of(const char *name, const char *const *folders, cj__places *places)
{
    const char *data = getenv("CAJAL_DATA"), *cache = getenv("XDG_CACHE_HOME");
    places->count = 0;
    for (; *folders; folders++)
        add_place(places, data, **folders ? "/" : "", *folders);
    if (cache && *cache)
        add_place(places, cache, "/cajal/", name);
    else
        add_place(places, getenv("HOME"), "/.cache/cajal/", name);
    add_shared(places, name);
}

cj_status cj__places_fail(const cj__places *places, const char *name, const char *what)
{
    cj__text list = {0};
    for (int i = 0; i < places->count; i++)
        cj__text_add(&list, "%s%s", i > 0 ? ", " : "", places->path[i]);
    cj_status status = cj__text_status(&list);
    if (status == CJ_OK)
        status =
            cj__fail(CJ_NOT_FOUND, "%s: %s in none of: %s", name, what, list.data ? list.data : "");
    cj__text_free(&list);
    return status;
}
