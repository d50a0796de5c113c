#include "base/half.h"

#include <string.h>

float cj__half_value(uint16_t bits)
{
    const uint32_t sign = (uint32_t)(bits & 0x8000u) << 16, exponent = bits >> 10 & 31;
    uint32_t fraction = bits & 1023, word;
    if (exponent == 31) {
        word = sign | 0x7f800000u | fraction << 13;
    } else if (exponent > 0) {
        word = sign | (exponent + 112) << 23 | fraction << 13;
    } else if (fraction == 0) {
        word = sign;
    } else { // a denormal one
        uint32_t shift = 0;
        for (; !(fraction & 1024); shift++)
            fraction <<= 1;
        word = sign | (113 - shift) << 23 | (fraction & 1023) << 13;
    }
    float value;
    memcpy(&value, &word, sizeof value);
    return value;
}
