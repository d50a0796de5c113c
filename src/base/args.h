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

// The entries that are meant by `braces` (CJ_IN_BRACES pointers), `list` and `count`: those of
// `list` if it is not NULL; else `count` of those in braces if that is not 0; else those in braces
// up to the first NULL. A NULL before the end fails by cj__fail_null(); `entries` is set all the same,
// so that the others can be dropped.
cj_status cj__list_read(const char *what, const void *braces, const void *list, int count,
                        cj__list *entries);

#endif
