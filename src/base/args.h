// Reading the arguments structs that callers hand over. Each begins with its size: a program that
// was compiled with older headers has a shorter struct, and members that came later have their
// defaults.
#ifndef CJ_BASE_ARGS_H
#define CJ_BASE_ARGS_H

#include <cajal/base.h>

// Copies `defaults` (of `size` bytes, beginning with that size) to `copy`, and over it what the
// caller's struct has. `what` names the struct's owner in sentences: "cj_fit". CJ_INVALID_ARGUMENT
// if `args` is NULL or its size is none that a struct can have.
cj_status cj__args_read(const char *what, const void *args, const void *defaults, size_t size,
                        void *copy);

// An array member of arguments: entries in braces, or a pointer to any number of them.
typedef struct cj__list {
    const void *const *items;
    int count;
} cj__list;

// What a caller gave for one.
typedef struct cj__given_list {
    const char *what;          // "functional: outputs"
    const void *braces, *list; // CJ_IN_BRACES pointers, and the others; NULL: none
    int count;
    unsigned kinds;     // cj__made: what the entries are; 0 for texts
    const void *absent; // what stands first in braces by default; NULL: nothing does
} cj__given_list;

// The entries that are meant by `count` lists of one call: those of `list` if it is not NULL; else
// `count` of those in braces if that is not 0; else those in braces up to the first NULL. A NULL
// before the end fails by cj__fail_missing_some(), and so does a NULL in the first place where
// `absent` is the default. In braces a NULL in the last place looks like the end of the list: that
// fails if a builder of such entries failed and this was not reported. `entries` are set all the
// same, so that the others can be dropped.
cj_status cj__lists_read(const cj__given_list *given, int count, cj__list *entries);

#endif
