/**
 * @file texts.h
 * Tensors of texts, and lists of texts as settings; text.h has the layers that make numbers of them.
 */
#ifndef CAJAL_TEXTS_H
#define CAJAL_TEXTS_H

#include <cajal/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A text to look at: `length` bytes at `data`, and a 0 after them, which is not counted. */
typedef struct cj_text {
    const char *data; ///< whose they are is said where the text comes from
    int64_t length;   ///< not negative
} cj_text;

/** A list of texts; none if `count` is 0. What is given them copies the bytes. */
typedef struct cj_texts {
    const char *const *values; ///< the caller's; may be NULL if `count` is 0
    const int64_t *lengths;    ///< of each in bytes; NULL: each ends before its first 0
    int64_t count;             ///< not negative
} cj_texts;

/** A list written in place, in C: `.vocabulary = CJ_TEXTS("good", "bad")`; it lives as long as its
 * block. */
#define CJ_TEXTS(...)                                     \
    ((cj_texts){(const char *const[]){__VA_ARGS__}, NULL, \
                (int64_t)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))})

/**
 * A new tensor of dtype CJ_STRING with copies of the texts, as many as `shape` holds:
 * `cj_tensor_from_texts(CJ_SHAPE(2, 1), CJ_TEXTS("good", "bad"), &texts)`. CJ_SHAPE_MISMATCH (another
 * count), CJ_INVALID_ARGUMENT (a bad shape, a negative length, NULL), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_tensor_from_texts(cj_shape shape, cj_texts texts, cj_tensor **tensor);

/**
 * One element of a tensor of texts; `index` has an entry for each axis, and may be NULL for a scalar.
 * The bytes are the tensor's, and valid as long as it. The empty text and a sentence if the index is
 * out of range, the tensor holds numbers, or an argument is NULL.
 */
CJ_API cj_text cj_tensor_text(const cj_tensor *tensor, const int64_t *index);

#ifdef __cplusplus
}
#endif
#endif
