// Counted objects. Each begins with a cj__object and has a class of static lifetime. See the essay
// in cajal/base.h: a new object is floating; what is built from it takes it over with cj__own().
#ifndef CJ_BASE_OBJECT_H
#define CJ_BASE_OBJECT_H

#include <cajal/base.h>
#include <stdatomic.h>

typedef struct cj__class {
    const char *name;              // "tensor", for messages
    void (*destroy)(void *object); // releases what the object holds, then cj__free()s it
} cj__class;

typedef struct cj__object {
    const cj__class *class;
    atomic_int holders;  // 1 in a new object
    atomic_int floating; // 1 until somebody owns it
} cj__object;

// A zeroed object of `size` bytes (beginning with a cj__object), floating, with one holder. NULL
// without memory.
void *cj__object_new(const cj__class *class, size_t size);

// Takes an object over: a floating one changes hands, any other gains a holder. Returns it; NULL
// passes through.
void *cj__own(const void *object);

// For builders that fail: releases an argument if it is still floating, and nothing else.
void cj__drop_floating(const void *object);

// Whether `object` is of `class`; false for NULL.
bool cj__is(const void *object, const cj__class *class);

#endif
