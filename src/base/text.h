// Text that grows, and guessing what a mistyped name meant.
#ifndef CJ_BASE_TEXT_H
#define CJ_BASE_TEXT_H

#include <cajal/base.h>

// A growing string. Starts as {0}; after a failed allocation it stays failed and `cj__text_status`
// says so.
typedef struct cj__text {
    char *data; // terminated, or NULL while empty
    size_t length, capacity;
    bool failed;
} cj__text;

void cj__text_add(cj__text *text, const char *format, ...) CJ_PRINTF(2, 3);
void cj__text_add_bytes(cj__text *text, const char *bytes, size_t length);
cj_status cj__text_status(const cj__text *text);
void cj__text_free(cj__text *text);

// The name nearest to `name` by edit distance if it is near enough to be meant, else NULL. Names
// may be read from an array of structs: the i-th is at (const char **)((char *)names + i * stride).
const char *cj__nearest(const char *name, const void *names, size_t stride, int count);

// "unknown activation "rellu": did you mean "relu"?" or, with no near name, the list of
// all, of more than 40 the five nearest. Returns `status`.
cj_status cj__fail_unknown(cj_status status, const char *what, const char *name, const void *names,
                           size_t stride, int count);

// "Conv2D" to "conv2d", "MaxPooling2D" to "max_pooling2d", "SimpleRNN" to "simple_rnn": Keras's
// to_snake_case.
void cj__snake_case(const char *camel, char *snake, size_t size);

// Whether `length` bytes are UTF-8 (RFC 3629: no surrogates, nothing overlong) without a byte 0.
bool cj__is_utf8(const char *bytes, size_t length);

// Writes a character (no surrogate, at most 0x10ffff) as UTF-8; returns how many bytes, 1 to 4.
size_t cj__utf8_put(uint32_t character, char *to);

// Numbers with a point, whatever the program's locale is. Parsing takes all that strtod does but
// NaN, and nothing after it but spaces; writing gives the shortest text that reads back the same,
// into `text`, and returns it.
enum { CJ__NUMBER_TEXT = 32 };
bool cj__number_parse(const char *text, double *number);
const char *cj__number_text(double number, char text[CJ__NUMBER_TEXT]);

// With a fixed number of decimals, as "%.4f" and "%.4e" write it in the C locale; cut to `size`.
const char *cj__number_fixed(double number, int decimals, char *text, size_t size);
const char *cj__number_scientific(double number, int decimals, char *text, size_t size);

#endif
