// Numbers of 16 bits that files have.
#ifndef CJ_BASE_HALF_H
#define CJ_BASE_HALF_H

#include <stdint.h>

// A half-precision number (IEEE 754 binary16) as a float, which has all of them.
float cj__half_value(uint16_t bits);

#endif
