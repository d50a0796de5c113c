// Drawing one handwritten digit: a skeleton, bent and placed at random, under a soft round pen.
#ifndef CJ_DATA_PEN_H
#define CJ_DATA_PEN_H

#include <stdint.h>

enum { CJ__DIGIT_SIDE = 28 };

// Draws image `index` of the stream `key` into 28x28 bytes and returns its label, 0 to 9. The same
// bytes come out on every machine: only +, -, *, / and square roots of doubles are used, which IEEE
// 754 fixes to the last bit.
int cj__draw_digit(uint64_t key, uint64_t index,
                   unsigned char pixels[CJ__DIGIT_SIDE * CJ__DIGIT_SIDE]);

#endif
