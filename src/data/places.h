// The folders in which a data set is looked for: below $CAJAL_DATA, then below the user's cache, then
// where the distribution's packages lie.
#ifndef CJ_DATA_PLACES_H
#define CJ_DATA_PLACES_H

#include <cajal/base.h>

enum { CJ__PATH_SIZE = 4096, CJ__PLACES_MAX = 12 };

// Folders, most wanted first; `count` of them are set.
typedef struct cj__places {
    char path[CJ__PLACES_MAX][CJ__PATH_SIZE];
    int count;
} cj__places;

// $CAJAL_DATA with each of `folders` below it ("" is itself), then $XDG_CACHE_HOME/cajal/NAME or
// ~/.cache/cajal/NAME, then datasets/NAME below each of $XDG_DATA_DIRS (/usr/local/share and
// /usr/share, where Debian's packages lay data sets). `folders` ends with NULL.
void cj__places_of(const char *name, const char *const *folders, cj__places *places);

// CJ_NOT_FOUND: "NAME: WHAT in none of: ...".
cj_status cj__places_fail(const cj__places *places, const char *name, const char *what);

#endif
