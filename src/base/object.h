// Counted objects. Each begins with a cj__object and has a class of static lifetime. See the essay
// in cajal/base.h: a new object is floating; what is built from it takes it over with cj__own().
//
// The first word of an object is a magic number, by which a pointer to anything else is refused
// with a sentence, and so is an object that is being destroyed. It is a safety net for callers'
// mistakes, not a proof: memory that was freed may hold anything.
#ifndef CJ_BASE_OBJECT_H
#define CJ_BASE_OBJECT_H

#include <cajal/base.h>
#include <stdatomic.h>

typedef struct cj__class {
    const char *name;              // "tensor", for messages
    void (*destroy)(void *object); // releases what the object holds, then cj__free()s it
} cj__class;

typedef struct cj__object {
    uint32_t magic;      // CJ__OBJECT_MAGIC while the object lives
    atomic_int holders;  // 1 in a new object
    atomic_int floating; // 1 until the object is owned
    const cj__class *class;
} cj__object;

#define CJ__OBJECT_MAGIC 0x4a43414aU

// For an object on the stack, or within another: it has one holder, its maker, and is never released.
#define CJ__OBJECT_INIT(its_class)                                    \
    {                                                                 \
        .magic = CJ__OBJECT_MAGIC, .holders = 1, .class = (its_class) \
    }

// A zeroed object of `size` bytes (beginning with a cj__object), floating, with one holder. NULL
// without memory.
void *cj__object_new(const cj__class *class, size_t size);

// Takes an object over: a floating one changes hands, any other gains a holder. Returns it; NULL
// passes through, and what is no object becomes NULL, with a sentence.
void *cj__own(const void *object);

// For builders that fail: releases an argument if it is still floating, and nothing else.
void cj__drop_floating(const void *object);

// Whether `object` is an object of `class`; false for NULL.
bool cj__is(const void *object, const cj__class *class);

#endif
